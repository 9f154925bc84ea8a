"""Rewards of a law at given quantiles, in binary64 with both tails whole."""

from __future__ import annotations

import numpy as np

from hedgetheory.expressions.symbols import u as u_symbol
from hedgetheory.expressions.symbols import ubar as ubar_symbol
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics.floats import FLOAT64
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.sampling.inputs import Array, Places

_LEAST = float(np.finfo(np.float64).tiny)


def rewards_at(law: Law, u: Array, ubar: Array) -> Array:
    """The law's rewards at quantiles u = 1 − ū, each half of [0, 1] from the smaller of the two.

    >>> from hedgetheory.laws.normal import Normal
    >>> rewards_at(Normal(), np.array([0.9, 1.0]), np.array([0.1, 1e-300])).round(4).tolist()
    [1.2816, 37.0471]
    """
    if isinstance(law, FiniteLaw):
        values = np.array([float(value) for value, _ in law.atoms])
        return np.asarray(values[atoms_at(law, u, ubar)], np.float64)
    if isinstance(law, CountableLaw):
        return law.rewards_at(u, ubar)
    assert isinstance(law, ContinuousLaw)
    program = compiled(law.quantile, (u_symbol, ubar_symbol))
    # Where a formula has two pieces both are computed, the other one perhaps at its infinite end.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rewards = program(FLOAT64, np.maximum(u, _LEAST), np.maximum(ubar, _LEAST))
    return np.asarray(rewards, np.float64)


def atoms_at(law: FiniteLaw, u: Array, ubar: Array) -> Places:
    """The place of the smallest atom whose cdf is at least u, that is, its survival at most ū."""
    cdf = np.array([float(value) for value in law.cumulative])
    survival = np.array([float(1 - value) for value in law.cumulative])
    low = np.searchsorted(cdf, u, side="left")
    high = len(cdf) - np.searchsorted(survival[::-1], ubar, side="right")
    return np.where(u < 0.5, low, high)
