"""Rewards of a law at given quantiles, in binary64 with both tails whole."""

from __future__ import annotations

import numpy as np

from hedgetheory.expressions.symbols import r as r_symbol
from hedgetheory.expressions.symbols import u as u_symbol
from hedgetheory.expressions.symbols import ubar as ubar_symbol
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_end
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.numerics.floats import FLOAT64
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.sampling.inputs import Array, Places

#: Halvings of a bracket until it is as narrow as float64 is.
_BISECTIONS = 100
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
    if isinstance(law, MixedLaw):
        return _mixed(law, u, ubar)
    assert isinstance(law, ContinuousLaw)
    low, high = np.maximum(u, _LEAST), np.maximum(ubar, _LEAST)
    # Where a formula has two pieces both are computed, the other one perhaps at its infinite end.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        if "quantile" not in law.formulas:
            return _inverted(law, low, high)
        rewards = compiled(law.quantile, (u_symbol, ubar_symbol))(FLOAT64, low, high)
    return np.asarray(rewards, np.float64)


def _mixed(law: MixedLaw, u: Array, ubar: Array) -> Array:
    """The atom where F(a−) < u ≤ F(a), else the part's reward at what is left of the quantile."""
    ends = [exact_end(level) for pair in law.levels for level in pair]
    cdf = np.array([float(compiled(end, ())(FLOAT64)) for end in ends])
    survival = np.array([float(compiled(1 - end, ())(FLOAT64)) for end in ends])
    # How many of F(a₁−), F(a₁), F(a₂−), … are below u: odd at an atom.
    low = np.searchsorted(cdf, u, side="left")
    high = len(ends) - np.searchsorted(survival[::-1], ubar, side="right")
    passed = np.where(u < 0.5, low, high)
    values = np.array([float(value) for value, _ in law.atoms])
    shares = np.array([0.0, *np.cumsum([float(mass) for _, mass in law.atoms])])
    weight, before = float(law.weight), shares[passed // 2]
    inner = np.clip((u - before) / weight, 0, 1)
    outer = np.clip((ubar - (shares[-1] - before)) / weight, 0, 1)
    between = rewards_at(law.part, inner, outer)
    return np.where(passed % 2 == 1, values[np.minimum(passed // 2, len(values) - 1)], between)


def _inverted(law: ContinuousLaw, u: Array, ubar: Array) -> Array:
    """The quantiles of a law without a formula for them, by bisection in their bracket.

    From the cdf below the median and the survival above it, so that both tails stay whole.
    """
    places = (u_symbol, ubar_symbol)
    low, high = (
        np.broadcast_to(compiled(end, places)(FLOAT64, u, ubar), np.shape(u))
        for end in law.quantile_bracket
    )
    cdf, survival = compiled(law.cdf, (r_symbol,)), compiled(law.survival, (r_symbol,))
    for _ in range(_BISECTIONS):
        middle = low / 2 + high / 2
        below = np.where(u < 0.5, cdf(FLOAT64, middle) < u, survival(FLOAT64, middle) > ubar)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(low / 2 + high / 2, np.float64)


def atoms_at(law: FiniteLaw, u: Array, ubar: Array) -> Places:
    """The place of the smallest atom whose cdf is at least u, that is, its survival at most ū."""
    cdf = np.array([float(value) for value in law.cumulative])
    survival = np.array([float(1 - value) for value in law.cumulative])
    low = np.searchsorted(cdf, u, side="left")
    high = len(cdf) - np.searchsorted(survival[::-1], ubar, side="right")
    return np.where(u < 0.5, low, high)
