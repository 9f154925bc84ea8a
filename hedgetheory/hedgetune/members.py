"""Several proxies as one: the aggregators of reward-model ensembles, on whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError, must_be

Array = NDArray[np.float64]

#: The names of `designs.ensembles.aggregators.AGGREGATORS`, which a test compares with these.
AGGREGATORS = (
    *("mean", "median", "min", "mean_minus_std_ddof0", "mean_minus_std_ddof1"),
    *("mean_minus_var_ddof0", "mean_minus_var_ddof1"),
)
MAX_MEMBERS = 1000


@dataclass(frozen=True, slots=True)
class Ensemble:
    """How the scores of several reward models become one, on columns of float64.

    ``how``: mean, median, min, or mean_minus_std_ddof0, …_ddof1, mean_minus_var_ddof0, …_ddof1: the
    mean less ``weight`` (finite, >= 0, 1 for the others) standard deviations or variances. Scores
    are taken as they are: members on different scales are for the caller to standardise. The exact
    definition is `designs.ensembles.aggregators.aggregate`. Raises InputError.

    >>> Ensemble("mean_minus_var_ddof0").of([[0.0, 1.0], [0.0, 2.0], [3.0, 3.0]])
    array([-1.        ,  1.33333333])

    Source: arXiv 2312.09244 (mean, median, min); 2310.02743 (mean − c·var).
    """

    how: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.how not in AGGREGATORS:
            raise must_be("ensemble", repr(self.how), ", ".join(AGGREGATORS), "tune")
        valid = isinstance(self.weight, Real) and not isinstance(self.weight, bool)
        if not valid or not 0 <= self.weight < np.inf:
            raise must_be("ensemble_weight", self.weight, "a real number >= 0", "tune")
        if self.weight != 1 and not self.how.startswith("mean_minus"):
            raise InputError(
                f"ensemble_weight={self.weight:g} weighs a deviation, which {self.how} has not "
                f"[tune(ensemble={self.how!r})]"
            )

    def of(self, members: Any) -> Array:
        """One score a response from (members, responses), at least two members, all finite.

        Computed in pairs of float64 and rounded once: within half a unit in the last place, and
        2^−90 of the largest member (times ``weight``; squared for variances), of the exact value.
        It does not depend on the order of the members, so that equal ensembles stay tied. Raises
        InputError where the result is beyond float64.
        """
        ordered = np.sort(np.asarray(members, np.float64), axis=0)
        if ordered.ndim != 2 or not 2 <= len(ordered) <= MAX_MEMBERS:
            raise InputError(f"an ensemble has 2 to {MAX_MEMBERS} members")
        # In units of 2^exponent no member of a response is beyond 1, and no square overflows.
        exponent = np.frexp(np.maximum(-ordered[0], ordered[-1]))[1]
        scaled = np.ldexp(ordered, -exponent)
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.ldexp(self._of_scaled(scaled, exponent), exponent)
        if not np.isfinite(found).all():
            raise InputError(f"the {self.how} of the members overflows; rescale them")
        return found

    def _of_scaled(self, x: Array, exponent: NDArray[Any]) -> Array:
        """``x``: in order, in units of 2^exponent; so is what comes back."""
        from hedgetheory.numerics.kernels.pairs import (
            as_pair,
            negative,
            pair_of,
            pair_product,
            pair_quotient,
            pair_sum,
        )

        count = len(x)
        if self.how == "min":
            return np.asarray(x[0], np.float64)
        if self.how == "median":
            # At most 1 in size: the sum of two is rounded once, half of it not at all.
            return np.asarray((x[(count - 1) // 2] + x[count // 2]) / 2, np.float64)
        members = as_pair((float(count), 0.0), x[0])
        mean = pair_quotient(_total(x, np.zeros_like(x)), members)
        if self.how == "mean":
            return mean[0] + mean[1]
        # Σ d² − (Σ d)²/k with d from the smallest member: at most 2k times its result cancels.
        high, low = _differences(x)
        squares = pair_product((high, low), (high, low))
        total = _total(high, low)
        shared = pair_quotient(pair_product(total, total), members)
        ddof = int(self.how[-1])
        divisor = as_pair((float(count - ddof), 0.0), x[0])
        spread = pair_quotient(pair_sum(_total(*squares), negative(shared)), divisor)
        weight = as_pair(pair_of(Fraction(self.weight)), x[0])
        if "std" in self.how:
            spread = _root(spread)
        else:  # a variance is in squares of the unit
            spread = np.ldexp(spread[0], exponent), np.ldexp(spread[1], exponent)
        less = pair_product(spread, weight)
        high, low = pair_sum(mean, negative(less))
        return np.asarray(high + low, np.float64)


def _total(high: Array, low: Array) -> tuple[Array, Array]:
    from hedgetheory.numerics.kernels.pairs import pair_sum

    total = high[0], low[0]
    for k in range(1, len(high)):
        total = pair_sum(total, (high[k], low[k]))
    return total


def _differences(x: Array) -> tuple[Array, Array]:
    from hedgetheory.numerics.kernels.pairs import two_sum

    return two_sum(x, -x[0])


def _root(x: tuple[Array, Array]) -> tuple[Array, Array]:
    """The root of a pair >= 0: one Newton step from that of its high part."""
    from hedgetheory.numerics.kernels.pairs import two_product, two_sum

    root = np.sqrt(np.maximum(x[0], 0.0))
    high, low = two_product(root, root)
    safe = np.where(root > 0, root, 1.0)
    return two_sum(root, np.where(root > 0, ((x[0] - high) - low + x[1]) / (2 * safe), 0.0))


def members_of(proxy: str | Sequence[str], ensemble: Ensemble | None) -> tuple[str, ...]:
    """The columns of the members, none where there is no ensemble. Raises InputError.

    >>> members_of(["a", "b"], Ensemble("mean"))
    ('a', 'b')
    """
    if ensemble is None:
        if not isinstance(proxy, str):
            raise InputError(
                f"proxy={list(proxy)!r} needs an ensemble, as in ensemble='mean', or one run each"
            )
        return ()
    names = (proxy,) if isinstance(proxy, str) else tuple(proxy)
    if len(names) < 2:
        raise InputError(f"an ensemble has two proxies or more, not {', '.join(names) or 'none'}")
    if len(names) > MAX_MEMBERS:
        raise InputError(f"an ensemble of {len(names)} proxies: at most {MAX_MEMBERS}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"proxy {twice!r} is twice in the ensemble")
    return names
