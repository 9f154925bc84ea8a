"""Reward-model ensembles in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.ensembles.aggregators import AGGREGATORS, aggregate
from hedgetheory.designs.ensembles.claims import CLAIMS, PAPER
from hedgetheory.designs.ensembles.herding import ERROR
from hedgetheory.designs.model import Function, System


def _function(how: str) -> Function:
    return Function(
        f"ensembles.{how}",
        ("rewards", "c"),
        lambda rewards, c: aggregate(rewards, how, c),
        f"{how.replace('_', ' ')} of the members' rewards, c the weight of the uncertainty",
    )


ENSEMBLES = System(
    id="ensembles",
    title="Helping or Herding: reward-model ensembles",
    source=PAPER,
    kind="joint model",
    definition="mean, median, min, mean - c std or mean - c var of k members; r = T + shared + "
    "pretrain-seed + finetune-seed errors, normal",
    statement=sympy.Eq(sympy.Symbol("v"), ERROR["pretrain"]),
    claims=CLAIMS,
    effect="ensembles.herding",
    effect_says="none: in the Gaussian model E[T] = tau^2 e_n/sqrt(tau^2 + v) rises with n",
    grammar=(
        "min_of(normal(0, 1), k=3)",
        "herding(shared=1/2, pretrain=1/2, finetune=1/2, k=5, seeds=pretrain)",
    ),
    functions=tuple(_function(how) for how in AGGREGATORS),
)
