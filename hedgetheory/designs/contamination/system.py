"""Hack contamination in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.contamination.claims import CLAIMS, PAPER
from hedgetheory.designs.contamination.functions import (
    VALUE,
    best_of_n_value,
    least_kl,
    threshold,
)
from hedgetheory.designs.model import Function, System

CONTAMINATION = System(
    id="contamination",
    title="School of Reward Hacks: a contamination model",
    source=PAPER,
    kind="joint model",
    definition="with chance eps a response has the top proxy and true reward h; else its true "
    "reward is its quantile among honest ones",
    statement=sympy.Eq(sympy.Symbol("f"), VALUE),
    claims=CLAIMS,
    effect="contamination.best-draws",
    effect_says="Best-of-n: (-1 + sqrt(1 + 4/L))/2, L = -ln(1-eps); best n = floor(1/sqrt(eps))",
    grammar=("contaminated(eps=1/100, h=0)",),
    functions=(
        Function(
            "contamination.best_of_n",
            ("n", "eps", "h"),
            lambda n, eps, h: sympy.Rational(best_of_n_value(n, eps, h)),
            "true reward of Best-of-n",
        ),
        Function("contamination.threshold", ("eps",), threshold, "hacking threshold, h = 0"),
        Function("contamination.least_kl", ("rate", "eps"), least_kl, "price of a hack rate"),
    ),
)
