"""Weighted partial rewards in one place."""

from __future__ import annotations

from hedgetheory.designs.model import Function, System
from hedgetheory.designs.partial.claims import CLAIMS, PAPER, STATEMENT
from hedgetheory.designs.partial.functions import (
    jaccard_of,
    margin_of,
    no_gradient,
    success,
    success_with_dominance,
)

PARTIAL = System(
    id="partial",
    title="Reasoning-SQL: weighted partial rewards",
    source=PAPER,
    kind="joint model",
    definition="R = weighted sum of execution, judge, syntax, schema, n-gram and format scores",
    statement=STATEMENT,
    claims=CLAIMS,
    effect="partial.threshold",
    effect_says="none where execution outweighs the rest; a share of wrong ones on top makes one",
    grammar=("partial(finite({1: 9/10, 6: 1/10}), p=1/2)", "partial(normal(0, 1), 1/3)"),
    functions=(
        Function(
            "partial_margin",
            ("execution", "judge", "schema", "ngram"),
            margin_of,
            "least reward of a correct query less the largest of a wrong one",
        ),
        Function("partial_jaccard", ("a", "b"), jaccard_of, "Jaccard index of two sets"),
        Function(
            "partial_no_gradient",
            ("p", "group"),
            no_gradient,
            "P(all rewards of a group are equal), execution reward alone",
        ),
        Function(
            "partial_success_with_dominance",
            ("p", "n"),
            success_with_dominance,
            "P(the best of n is correct), every correct query above every wrong one",
        ),
        Function(
            "partial_success",
            ("p", "values", "correct", "wrong", "n"),
            success,
            "P(the best of n is correct), rewards on atoms, ties by lot",
        ),
    ),
)
