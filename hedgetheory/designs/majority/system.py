"""Co-Reward in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.majority.claims import CLAIMS, PAPER, accuracy
from hedgetheory.designs.majority.functions import (
    best_of_n_success,
    logit,
    majority_accuracy,
    next_logit,
    p,
    plurality_accuracy,
)
from hedgetheory.designs.model import Function, System

MAJORITY = System(
    id="majority",
    title="Co-Reward: cross-phrasing majority labels",
    source=PAPER,
    kind="functions",
    definition="reward 1 for the most frequent of 8 answers to another phrasing; logit p <- logit "
    "p + lam (2 A - 1), A the accuracy of that label",
    statement=sympy.Eq(sympy.Symbol("logit_p_next"), next_logit(logit(p), accuracy)),
    claims=CLAIMS,
    effect="majority.best-of-n-turns-once",
    effect_says="Best-of-n by agreement peaks at ln c / ln((1-p)/p) where p > 1/2",
    functions=(
        Function(
            "majority.accuracy",
            ("p", "group"),
            lambda p, group: sympy.Rational(majority_accuracy(p, int(group))),
            "chance that most of `group` samples are right, ties split, each right with chance p",
        ),
        Function(
            "majority.plurality",
            ("masses", "group"),
            lambda masses, group: sympy.Rational(plurality_accuracy(masses, int(group))),
            "chance that the first answer is the most frequent of `group` samples, ties split",
        ),
        Function(
            "majority.best_of_n",
            ("n", "p", "accuracy"),
            lambda n, p, accuracy: sympy.Rational(best_of_n_success(n, p, accuracy)),
            "success of Best-of-n by agreement with a label of the given accuracy",
        ),
    ),
)
