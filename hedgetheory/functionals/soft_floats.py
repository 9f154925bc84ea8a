"""Soft Best-of-n on the uniform law in float64: vectorised, to 1e-10 relative.

The race at fixed trapezoid nodes s_k = k/4 (discretisation below 1e-12, see `numerics.race`), and
in z = λu a table of Chebyshev interpolants on panels of length at most 0.35: ln w is analytic for
|Im z| ≤ 0.35, so that 22 points leave about 1e-13. For λ < 1 the table holds w − 1, from
    w − 1 = n ∫ t e^{−nt} expm1(z − t expm1 z + (n − 1) ln χ(t)) ds,  χ = E[e^{−t expm1(λU)}],
where nothing cancels as λ → 0. Estimates: tested against balls on a grid, not certified.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.numerics.floats import FLOAT64

Array = NDArray[np.float64]

_PANEL, _POINTS, _STEP = 0.35, 22, 0.25
_CHEBYSHEV = np.cos(np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)
#: Beyond this many nats below the largest term nothing adds to 1e-16.
_NATS = 42.0
_RULE = np.polynomial.legendre.leggauss(40)
_UNIT, _WEIGHT = (_RULE[0] + 1) / 2, _RULE[1] / 2


class SoftBestOfNFloats:
    """w, ln w and the cdf at arrays of quantiles, and the scalar functionals, in float64.

    On the uniform law, or any law without atoms with scale=quantile. Relative error at most 1e-10
    for 2 ≤ n ≤ 1e6 and 1e-6 ≤ λ ≤ 1e3 (a test records the worst); w itself underflows where it is
    below 1e-308, ln w does not. Building costs a table of 22·⌈λ/0.35⌉ values; a point then costs a
    polynomial of degree at most 21.

    Args:
        draws: n, a real number >= 1.
        strength: λ > 0.

    Raises InputError for n < 1 or λ <= 0.

    >>> import numpy as np
    >>> SoftBestOfNFloats(2, 3).ratio(np.array([0.5])).round(12)
    array([1.])
    """

    def __init__(self, draws: RealInput, strength: RealInput) -> None:
        n, lam = rational(draws, "n"), rational(strength, "lam")
        if n < 1:
            raise must_be("n", draws, "a real number >= 1", f"SoftBestOfNFloats(n={draws})")
        if lam <= 0:
            raise must_be(
                "lam", strength, "a real number > 0", f"SoftBestOfNFloats(lam={strength})"
            )
        self.draws, self.others, self.strength = float(n), float(n - 1), float(lam)
        self.gentle = self.strength < 1.0
        self.panels = max(1, int(np.ceil(self.strength / _PANEL)))
        self.width = self.strength / self.panels

    # -- the race -----------------------------------------------------------------------------
    @cached_property
    def _nodes(self) -> tuple[Array, Array]:
        """s_k, and (n − 1) ln φ(e^{s_k}), or (n − 1) ln χ where λ < 1."""
        lam, n = self.strength, self.draws
        low = -_NATS - lam - np.log(n)
        high = 4.0 - (np.log(n) if self.gentle else 0.0)
        s = _STEP * np.arange(np.floor(low / _STEP), np.ceil(high / _STEP) + 1)
        if self.gentle:
            spread = -np.exp(s)[:, None] * np.expm1(lam * _UNIT)
            return s, self.others * np.log1p(np.expm1(spread) @ _WEIGHT)
        return s, self.others * _log_transform(s, lam)

    def _excess(self, z: Array) -> Array:
        """w − 1 at an array z, for λ < 1."""
        s, logs = self._nodes
        t = np.exp(s)
        weight = _STEP * self.draws * t * np.exp(-self.draws * t)
        exponent = z[:, None] - t * np.expm1(z)[:, None] + logs
        out: Array = np.expm1(exponent) @ weight
        return out

    def _log(self, z: Array) -> Array:
        """ln w at a short range of z."""
        s, logs = self._nodes
        middle = z.mean()
        with np.errstate(over="ignore"):
            shape = logs + s - np.exp(s + middle)
        keep = shape > shape.max() - _NATS - 2 * np.ptp(z)
        s, logs = s[keep], logs[keep]
        place = s + z[:, None]
        terms = logs + place - np.exp(place)
        top = terms.max(axis=1)
        total = np.exp(terms - top[:, None]).sum(axis=1)
        out: Array = top + np.log(total * _STEP * self.draws)
        return out

    @property
    def _direct(self) -> Callable[[Array], Array]:
        return self._excess if self.gentle else self._log

    # -- the table ----------------------------------------------------------------------------
    @cached_property
    def _table(self) -> Array:
        """Power coefficients in the panel's own variable in [−1, 1], a column for each panel."""
        inside = (_CHEBYSHEV + 1) / 2
        values = [self._direct((j + inside) * self.width) for j in range(self.panels)]
        return _powers(np.array(values).T)

    def _evaluate(self, u: ArrayLike, table: Array) -> Array:
        place = np.asarray(u, dtype=np.float64) * self.panels
        if not bool(np.all((place >= 0) & (place <= self.panels))):
            raise must_be("u", u, "quantiles in [0, 1]", "SoftBestOfNFloats.ratio(u)")
        if self.panels == 1:
            x = 2 * place - 1
            single: Array = np.full_like(x, table[-1, 0])
            for row in table[-2::-1, 0]:
                single *= x
                single += row
            return single
        panel = np.minimum(place.astype(np.intp), self.panels - 1)
        x = 2 * (place - panel) - 1
        total: Array = table[-1].take(panel)
        for row in table[-2::-1]:
            total *= x
            total += row.take(panel)
        return total

    def log_ratio(self, u: ArrayLike) -> Array:
        """ln w at quantiles in [0, 1]."""
        value = self._evaluate(u, self._table)
        return np.log1p(value) if self.gentle else value

    def ratio(self, u: ArrayLike) -> Array:
        """w at quantiles in [0, 1]: the density of the selected quantile."""
        value = self._evaluate(u, self._table)
        return 1 + value if self.gentle else np.exp(value)

    # -- functionals --------------------------------------------------------------------------
    @cached_property
    def _points(self) -> tuple[Array, Array, Array]:
        """Gauss points u and weights of all panels, and w − 1 (λ < 1) or ln w there."""
        base, weight = np.polynomial.legendre.leggauss(_POINTS)
        inside = (base + 1) / 2
        u = (np.arange(self.panels)[:, None] + inside).ravel() / self.panels
        return u, np.tile(weight / (2 * self.panels), self.panels), self._evaluate(u, self._table)

    def kl(self) -> float:
        """KL(policy‖reference) in nats."""
        _, weight, value = self._points
        if self.gentle:
            return float(weight @ _excess_log(value))
        return float(weight @ (value * np.exp(value)))

    def chi2(self) -> float:
        """E[w²] − 1."""
        _, weight, value = self._points
        return float(weight @ (value if self.gentle else np.expm1(value)) ** 2)

    def mean_quantile(self) -> float:
        """E[U] under the policy."""
        u, weight, value = self._points
        if self.gentle:
            return float(0.5 + weight @ (u * value))
        return float(weight @ (u * np.exp(value)))

    @cached_property
    def _integral(self) -> Array:
        """Power coefficients of ∫ w (or ∫ (w − 1) where λ < 1) from 0, a column for each panel."""
        if self.gentle:
            table = self._table
        else:
            u = (np.arange(self.panels)[:, None] + (_CHEBYSHEV + 1) / 2).ravel() / self.panels
            table = _powers(self.ratio(u).reshape(self.panels, _POINTS).T)
        count = len(table)
        grown = np.zeros((count + 1, self.panels))
        grown[1:] = table / np.arange(1, count + 1)[:, None] / (2 * self.panels)
        signs = (-1.0) ** np.arange(count + 1)
        grown[0] = -(signs[1:] @ grown[1:])
        steps = grown.sum(axis=0)
        grown[0, 1:] += np.cumsum(steps)[:-1]
        return grown

    def cdf(self, u: ArrayLike) -> Array:
        """P(selected quantile ≤ u)."""
        value = self._evaluate(u, self._integral)
        return np.asarray(u, dtype=np.float64) + value if self.gentle else value

    def total_variation(self) -> float:
        """½ E|w − 1| = u* − G(u*), w(u*) = 1."""
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            if float(self._evaluate(middle, self._table)) < 0:
                low = middle
            else:
                high = middle
        inside = float(self._evaluate(low, self._integral))
        return -inside if self.gentle else low - inside


def _powers(values: Array) -> Array:
    """Power coefficients of the interpolants of columns of values at the Chebyshev points.

    In two steps: the Chebyshev coefficients first, whose rounding is harmless; the change to powers
    has large exact integers, and would multiply rounding if the two matrices were multiplied.
    """
    j = np.arange(_POINTS)
    cosines = np.cos(np.pi * np.outer(j, j + 0.5) / _POINTS)
    coefficients = (2.0 / _POINTS) * (cosines @ values)
    coefficients[0] /= 2
    # What has sunk into the rounding is dropped: it only costs time at every point.
    size = np.abs(coefficients).max(axis=1)
    degree = int(np.flatnonzero(size > 2e-16 * size.max())[-1])
    change = np.zeros((degree + 1, degree + 1))
    for i in range(degree + 1):
        row = np.polynomial.chebyshev.cheb2poly(np.eye(_POINTS)[i])
        change[: len(row), i] = row
    out: Array = np.ascontiguousarray(change @ coefficients[: degree + 1])
    return out


def _log_transform(s: Array, lam: float) -> Array:
    """ln φ(e^s) for λ ≥ 1: by 1 − φ = (Ein(te^λ) − Ein(t))/λ, or by E₁ where φ is small."""
    t, far = np.exp(s), np.exp(np.minimum(s + lam, 700.0))
    # Ein(x) = γ + ln x + E₁(x), with ln x = s + λ exactly where x itself would overflow.
    beyond = np.where(far > 1, np.euler_gamma + (s + lam) + special.exp1(far), FLOAT64.Ein(far))
    missing = (beyond - FLOAT64.Ein(t)) / lam
    small = (special.exp1(t) - special.exp1(far)) / lam
    out: Array = np.where(
        missing < 0.5, np.log1p(-np.minimum(missing, 0.5)), np.log(np.maximum(small, 1e-300))
    )
    return out


def _excess_log(x: Array) -> Array:
    """(1 + x) ln(1 + x) − x without cancellation near 0."""
    small = np.abs(x) < 0.02
    y = np.where(small, x, 0.0)
    series = np.zeros_like(y)
    for k in range(12, 1, -1):
        series = series * y + (-1.0) ** k / (k * (k - 1))
    out: Array = np.where(small, series * y * y, (1 + x) * np.log1p(x) - x)
    return out
