"""The law of a random number N of draws that was found, and how to draw N."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.exact import Number
from hedgetheory.policies.random_draws import Sibuya, ZeroTruncatedPoisson
from hedgetheory.policies.sampling.counts import random_draws
from hedgetheory.policies.sampling.inputs import Array

#: Draws of N by rejection accept with probability M e^{−λ sup R}: refused for a larger λ.
_STRONGEST = 200


@dataclass(frozen=True)
class DrawsFound:
    """The law of N: in words, its pgf as a formula in u, E[N], and its masses where finitely many.

    ``mean`` is None where it is finite but no certified number was reached.
    """

    name: str
    pgf: str
    mean: Number | None
    masses: tuple[tuple[int, Number], ...] = ()
    unique: bool = True
    #: What the sampler needs: a kind and its numbers.
    recipe: tuple[str, tuple[Any, ...]] = ("none", ())


def draw_counts(
    recipe: tuple[str, tuple[Any, ...]], size: int, rng: np.random.Generator, call: str
) -> Array:
    """``size`` independent copies of N. Raises InputError where no sampler is known."""
    kind, numbers = recipe
    if kind == "sibuya":
        return random_draws(Sibuya(numbers[0]), size, rng)
    if kind == "finite":
        values, masses = (np.array(x, np.float64) for x in numbers)
        places = np.searchsorted(np.cumsum(masses)[:-1], rng.random(size), side="right")
        return np.asarray(values[places], np.float64)
    if kind == "poisson" and numbers[0] == 1:
        return random_draws(ZeroTruncatedPoisson(numbers[1]), size, rng)
    if kind in ("poisson", "compound"):
        return _by_rejection(kind, numbers, size, rng, call)
    raise InputError(f"no sampler of N is known [{call}]")


def _by_rejection(
    kind: str, numbers: tuple[Any, ...], size: int, rng: np.random.Generator, call: str
) -> Array:
    """g = e^{λS} with S a pgf: K with pgf g/g(1) is compound Poisson, kept with chance 1/(K + 1).

    P(N = k + 1) = g_k/((k + 1)M), so that N is K + 1 given that it is kept.
    """
    strength = float(numbers[1] if kind == "poisson" else numbers[0])
    if strength > _STRONGEST:
        raise InputError(
            f"lam={strength:g} is above {_STRONGEST}, too strong for the sampler [{call}]"
        )
    kept: list[Array] = []
    while sum(map(len, kept)) < size:
        steps = rng.poisson(strength, max(size, 1000))
        if kind == "poisson":
            found = np.asarray(steps * float(numbers[0]), np.float64)
        else:
            jumps = random_draws(Sibuya(numbers[1]), max(int(steps.sum()), 1), rng)
            some = np.flatnonzero(steps)
            found = np.zeros(len(steps))
            # Sums of consecutive jumps: those without steps have none.
            found[some] = np.add.reduceat(jumps, (np.cumsum(steps) - steps)[some])
        kept.append(1.0 + found[rng.random(len(found)) * (found + 1) < 1])
    return np.concatenate(kept)[:size]
