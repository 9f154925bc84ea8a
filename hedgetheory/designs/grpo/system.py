"""GRPO in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.grpo.claims import CLAIMS
from hedgetheory.designs.grpo.claims_loss import PAPER
from hedgetheory.designs.grpo.functions import advantage, k_three, right_advantage
from hedgetheory.designs.model import Function, System
from hedgetheory.expressions.symbols import beta, r

GRPO = System(
    id="grpo",
    title="GRPO with the k3 penalty",
    source=PAPER,
    kind="policy",
    definition="the optimum of E[R] - beta KL(ref || pi): w = beta/(eta - r) with E[w] = 1",
    statement=sympy.Eq(sympy.Function("w")(r), beta / (sympy.Symbol("eta") - r)),
    claims=CLAIMS,
    effect="grpo.hacked-before-the-tilt",
    effect_says="hacked from a larger beta on than the tilt, at a lower peak",
    grammar=("grpo(beta=0.04)", "grpo(beta=0.04, scale=quantile)"),
    functions=(
        Function(
            "grpo_advantage",
            ("rewards", "i", "epsilon"),
            advantage,
            "(r_i - mean)/(std + epsilon) in a group, sample standard deviation",
        ),
        Function(
            "grpo_right_advantage",
            ("right", "group"),
            right_advantage,
            "advantage of a right response with c right ones of G, no epsilon",
        ),
        Function("grpo_k3", ("policy", "reference"), k_three, "rho - ln rho - 1, rho = ref/policy"),
    ),
)
