"""Feynman–Kac steering in one place."""

from __future__ import annotations

import sympy

from hedgetheory.claims.model import Claim
from hedgetheory.designs.fk import one_step, several_steps
from hedgetheory.designs.fk.chain import exponent
from hedgetheory.designs.fk.functions import (
    clamp_edge,
    clamped_weight,
    effective_sample_size,
    selection_probability,
)
from hedgetheory.designs.fk.policy import PAPER, POTENTIALS, Potential
from hedgetheory.designs.model import Function, System
from hedgetheory.laws.base import exact_symbol

CLAIMS: tuple[Claim, ...] = (*one_step.CLAIMS, *several_steps.CLAIMS)

_i, _j, _t = sympy.symbols("i j t", integer=True)
_r, _lam = sympy.IndexedBase("r"), sympy.Symbol("lam", positive=True)
_particles = sympy.Symbol("k", integer=True, positive=True)
#: The chance of particle i in a resampling.
STATEMENT = sympy.Eq(
    sympy.Function("P")(_i),
    sympy.exp(_lam * _r[_i]) / sympy.Sum(sympy.exp(_lam * _r[_j]), (_j, 1, _particles)),
)


def _path(potential: Potential) -> Function:
    summary = {
        "difference": "r_T - floor",
        "max": "max(floor, r_1, ..., r_T)",
        "sum": "floor + r_1 + ... + r_T",
        "terminal": "r_T",
    }[potential]
    return Function(
        f"fk_exponent_{potential}",
        ("rewards", "floor"),
        lambda rewards, floor: exact_symbol(exponent(potential, list(rewards), floor)),
        f"the exponent that a path is targeted with, over lam: {summary}",
    )


FEYNMAN_KAC = System(
    id="fk",
    title="Feynman-Kac steering: particles, potentials, resampling",
    source=PAPER,
    kind="policy",
    definition="k particles resampled by e^(lam potential of the reward), one of them drawn",
    statement=STATEMENT,
    claims=CLAIMS,
    effect="fk.hacking-is-capped",
    effect_says="that of Soft Best-of-k in lam and k; the KL never above Best-of-k's",
    grammar=("fk(k=4, lam=10, potential=difference)", "fk(k=4, lam=10, potential=max)"),
    functions=(
        Function(
            "fk_selection_probability",
            ("rewards", "lam"),
            selection_probability,
            "the chance of the first particle in a resampling",
        ),
        Function(
            "fk_clamped_weight",
            ("difference", "lam"),
            clamped_weight,
            "min(e^(lam difference), 1e10), the weight as published",
        ),
        Function(
            "fk_clamp_edge",
            ("lam",),
            clamp_edge,
            "the difference of rewards from which on all weigh the same",
        ),
        Function(
            "fk_effective_sample_size",
            ("weights",),
            lambda weights: exact_symbol(effective_sample_size(weights)),
            "(sum of w)^2 / sum of w^2",
        ),
        *map(_path, POTENTIALS),
    ),
)
