"""CREAM in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.cream.claims import CLAIMS, PAPER
from hedgetheory.designs.cream.functions import (
    LOSS,
    kendall_tau,
    loss,
    multiplier,
    null_variance,
    optimal_margin,
)
from hedgetheory.designs.model import Function, System

CREAM = System(
    id="cream",
    title="CREAM: consistency-regularised self-rewarding",
    source=PAPER,
    kind="functions",
    definition="preference loss C (-log sigma(z)) + (1-C)(-log sigma(-z)), C = (tau+1)/2, tau "
    "Kendall's of two rankings of N = 5, on the pair (best, worst)",
    statement=sympy.Eq(sympy.Symbol("loss"), LOSS),
    claims=CLAIMS,
    effect="cream.consistency-is-blind",
    effect_says="not seen: C = 1 on both sides of it under BoN, BoP and the tilt",
    functions=(
        Function(
            "cream.kendall_tau",
            ("first", "second"),
            lambda first, second: sympy.Rational(kendall_tau(first, second)),
            "Kendall's tau-a of two lists of scores",
        ),
        Function("cream.loss", ("margin", "tau"), loss, "the loss at a margin"),
        Function("cream.optimal_margin", ("tau",), optimal_margin, "the margin that minimises it"),
        Function(
            "cream.multiplier",
            ("tau", "beta"),
            multiplier,
            "what the optimum multiplies the likelihood ratio of the pair by",
        ),
        Function(
            "cream.null_variance",
            ("responses",),
            lambda responses: sympy.Rational(null_variance(int(responses))),
            "the variance of tau of independent rankings",
        ),
    ),
)
