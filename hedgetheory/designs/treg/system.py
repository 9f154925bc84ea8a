"""T-REG in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.model import Function, System
from hedgetheory.designs.treg.claims import CLAIMS, PAPER
from hedgetheory.designs.treg.law import TOKEN_REWARD, token_reward, token_weights

TREG = System(
    id="treg",
    title="T-REG: token-level regularisation of DPO",
    source=PAPER,
    kind="law",
    definition="token reward r = sigma(log(pi_better/pi_worse)) - 1/2, token weights 1 +- alpha r",
    statement=sympy.Eq(sympy.Symbol("r_hat"), TOKEN_REWARD),
    claims=CLAIMS,
    effect="treg.threshold-untouched",
    effect_says="that of the log-ratio under rank policies; its tilt exists with KL <= lam^2/8",
    grammar=("treg(normal(0, 2))",),
    functions=(
        Function("treg.token_reward", ("better", "worse"), token_reward, "(b - w)/(2(b + w))"),
        Function(
            "treg.token_weight",
            ("reward", "alpha"),
            lambda reward, alpha: token_weights([reward], alpha)[0],
            "1 + alpha r of a token of the chosen response",
        ),
    ),
)
