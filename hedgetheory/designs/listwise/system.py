"""RewardAnything in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.listwise.claims import CLAIMS, PAPER
from hedgetheory.designs.listwise.functions import WEIGHT, listwise_reward, share_of_ties
from hedgetheory.designs.model import Function, System

LISTWISE = System(
    id="listwise",
    title="RewardAnything: listwise scores under a principle",
    source=PAPER,
    kind="functions",
    definition="R = max(0, 1 - sum penalty/sum w) over pairs of scores 1 to 5, w = 1 + |true "
    "difference|, penalty w if reversed, w/2 for a false tie",
    statement=sympy.Eq(sympy.Symbol("w"), WEIGHT),
    claims=CLAIMS,
    effect="listwise.correlated-principles",
    effect_says="none inside on another principle of correlation rho: n = 1 where rho < 0",
    grammar=("finite({1: 1/10, 2: 1/5, 3: 2/5, 4: 1/5, 5: 1/10})", "bivariate_normal(rho=-1/2)"),
    functions=(
        Function(
            "listwise.reward",
            ("true", "scores"),
            lambda true, scores: sympy.Rational(listwise_reward(true, scores)),
            "the reward of a list of scores against the true ones",
        ),
        Function(
            "listwise.share_of_ties",
            ("true",),
            lambda true: sympy.Rational(share_of_ties(true)),
            "the share of the weight on pairs whose true scores tie",
        ),
    ),
)
