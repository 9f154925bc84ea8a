"""The exponential race of Soft Best-of-n in float64, on whatever law the softmax sees.

With z = λ(x − c), x what the softmax sees, X = e^{s+z} and φ(t) = E[exp(−t e^{λ(x − c)})],
    w = n ∫ X e^{−X} φ(e^s)^{n−1} ds,      w − 1 = ∫ X e^{−X} expm1(ln n + (n − 1) ln φ) ds.
The trapezoid rule at s_k = k·h, its nodes shared by all z. For integer n its relative error is at
most 2/(cos d (e^{2πd/h} − 1)), d < π/2 (`numerics.race`): 3e-15 at h = 1/4. For other n a zero of φ
in Re t > 0 may narrow the strip, so that h is smaller there.

Where λ times the spread of x is small, φ = e^{−t}χ(t) with χ(t) = E[exp(−t expm1(λ(x − c)))], and
    w − 1 = ∫ n X e^{−nX} expm1((n − 1)(ln χ(e^s) − X expm1(−z))) ds,
since λ = 0 makes ∫ X e^{−X} (n e^{−(n−1)X} − 1) ds = 0: every term is small with λ and with n − 1.

For many z the values are interpolated: w is analytic for |Im z| < π/2, where |w(x + iy)| is at most
w(x)/cos y, and 0 ≤ (ln w)′ ≤ 1 on the line, so that six points 1/128 apart leave about 1e-13 of w.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Where X = e^{−38} is nothing beside 1, and where e^{−X} is nothing at all (X = 49).
LEFT, RIGHT = 38.0, 3.9
#: ln φ where φ underflows: far below what any term needs, and finite.
LOG_ZERO = -1e8
_CELLS, _STENCIL = 128, 6
_BLOCK, _POINTS_BLOCK = 1024, 8192


class Race:
    """w − 1 and ln w at arrays z in [low, high], from ln φ (or ln χ) at the nodes.

    Args:
        draws: n >= 1, and n − 1, apart so that it keeps its digits near n = 1.
        step: h, at most 1/4.
        span: the range of z, and an s below which (n − 1)(1 − φ(e^s)) is not yet of order one.
        transform: ln φ(e^s), or ln χ(e^s) where ``gentle``, at an array of s a step apart.
        gentle: whether χ is what is given.
    """

    def __init__(
        self,
        draws: tuple[float, float],
        step: float,
        span: tuple[float, float, float],
        transform: Callable[[Array], Array],
        gentle: bool,
    ) -> None:
        (count, others), (low, high, start) = draws, span
        self.draws, self.others, self.step, self.gentle = count, others, step, gentle
        grown = float(np.log(count))
        #: Nodes to either side of s = −z; in the gentle form X has the scale 1/n.
        self.left = int(np.ceil((LEFT + grown) / step))
        self.right = int(np.ceil(RIGHT / step)) + 1
        first = int(np.floor(min(start - LEFT, -high) / step)) - self.left - 2
        last = int(np.ceil(-low / step)) + self.right + 2
        self.first = first
        self.s: Array = step * np.arange(first, last + 1, dtype=np.float64)
        given = transform(self.s)
        if gentle:
            self.spread = others * given
            self.log_phi = given - np.exp(np.minimum(self.s, 600.0))
        else:
            self.log_phi = given
        self.log_phi = np.maximum(self.log_phi, LOG_ZERO)
        #: (n − 1) ln φ.
        self.powers = others * self.log_phi

    # -- sums over the nodes ------------------------------------------------------------------
    @cached_property
    def _offsets(self) -> Array:
        return self.step * np.arange(-self.left, self.right + 1, dtype=np.float64)

    @cached_property
    def _excess_weights(self) -> Array:
        return np.asarray(np.expm1(np.log1p(self.others) + self.powers))

    @cached_property
    def _log_weights(self) -> Array:
        """ln(n h φ^{n−1} e^s) at the nodes."""
        return np.asarray(self.powers + self.s + np.log(self.draws * self.step))

    @cached_property
    def _prefix(self) -> Array:
        """ln of the sum of all weights up to and including a node: e^{−X} is 1 there."""
        return np.asarray(np.logaddexp.accumulate(self._log_weights))

    def _place(self, z: Array) -> tuple[Array, Array]:
        """The index of the window's first node for each z, and e^{z + s} at the window's middle."""
        steps = np.floor(z / self.step)
        rest = z - steps * self.step
        return (-steps - self.first - self.left).astype(np.intp), np.exp(rest)

    def windows(self, z: Array) -> tuple[Array, Array]:
        """Indices of the nodes that matter at each z, and X there: arrays (len(z), width)."""
        start, rate = self._place(z)
        index = start[:, None] + np.arange(self.left + self.right + 1)
        return index, rate[:, None] * np.exp(self._offsets)

    def excess(self, z: Array) -> Array:
        """w − 1 at a flat array z."""
        return _in_blocks(self._gentle_excess if self.gentle else self._excess, z)

    def _excess(self, z: Array) -> Array:
        index, x = self.windows(z)
        kernel = x * np.exp(-x)
        out: Array = np.einsum("ij,ij->i", kernel, self._excess_weights[index]) * self.step
        return out

    def _gentle_excess(self, z: Array) -> Array:
        # Only nodes with nX between e^{−38} and 49 matter.
        index, x = self.windows(z)
        count = int(np.ceil((LEFT + RIGHT) / self.step)) + 1
        index, x = index[:, :count], x[:, :count]
        scaled = self.draws * x
        inside = self.spread[index] - self.others * x * np.expm1(-z)[:, None]
        kernel = scaled * np.exp(-scaled) * np.expm1(inside)
        out: Array = kernel.sum(axis=1) * self.step
        return out

    def log_ratio(self, z: Array) -> Array:
        """ln w at a flat array z, also where w is far below 1e-308."""
        excess = self.excess(z)
        out: Array = np.log1p(np.maximum(excess, -0.5))
        deep = excess < -0.5
        if deep.any():
            out[deep] = _in_blocks(self._log, z[deep])
        return out

    def _log(self, z: Array) -> Array:
        index, x = self.windows(z)
        skip = self.left - int(np.ceil(LEFT / self.step))
        index, x = index[:, skip:], x[:, skip:]
        terms = self._log_weights[index] - x
        before = self._prefix[index[:, 0] - 1]
        top = np.maximum(terms.max(axis=1), before)
        total = np.exp(terms - top[:, None]).sum(axis=1) + np.exp(before - top)
        out: Array = z + top + np.log(total)
        return out

    # -- many points --------------------------------------------------------------------------
    def ratio(self, x: Array, rate: float) -> Array:
        """w at z = rate·x for a flat array x; from a table where that is less work."""
        if x.size > 400:
            low, high = rate * float(x.min()), rate * float(x.max())
            across = _CELLS * self.step + _STENCIL if self.gentle else 2.0
            if x.size > (high - low) / self.step * across + 400:
                return Table(self, low, high).ratio(x, rate)
        z = rate * x
        if self.gentle:
            return 1 + self.excess(z)
        return np.exp(self.log_ratio(z))


class Table:
    """w on [low, high] by polynomials of degree 5 in cells at most 1/128 wide, scaled by rows."""

    def __init__(self, race: Race, low: float, high: float) -> None:
        step, across = race.step, int(np.ceil(_CELLS * race.step))
        self.cells = across / step
        begin, end = int(np.floor(low / step)), int(np.floor(high / step))
        self.rows, self.across = end - begin + 1, across
        self.first = begin * across
        reach = _STENCIL // 2
        inner = (np.arange(across + _STENCIL - 1) - (reach - 1)) / self.cells
        rows = np.arange(begin, end + 1)
        if race.gentle:
            points = rows[:, None] * step + inner
            values = 1 + race.excess(points.ravel()).reshape(points.shape)
            self.scale = np.zeros(self.rows)
        else:
            values, self.scale = _rows(race, rows, inner)
        windows = np.lib.stride_tricks.sliding_window_view(values, _STENCIL, axis=1)
        cells = windows.reshape(-1, _STENCIL) @ _to_powers()
        if self.scale.min() > -600 and self.scale.max() < 600:
            cells *= np.repeat(np.exp(self.scale), across)[:, None]
            self.scale = np.zeros(0)
        #: Column k holds the coefficient of x^k in every cell, x in [0, 1).
        self.powers: Array = np.ascontiguousarray(cells.T)

    def ratio(self, points: Array, rate: float) -> Array:
        """w at z = rate·points, a flat array."""
        out = np.empty_like(points)
        last = self.powers.shape[1] - 1
        for start in range(0, points.size, _POINTS_BLOCK):
            part = slice(start, start + _POINTS_BLOCK)
            x = points[part] * (rate * self.cells)
            x -= self.first
            cell = x.astype(np.intp)
            # The last cell is closed; rounding may leave x a little outside.
            np.clip(cell, 0, last, out=cell)
            x -= cell
            total = out[part]
            self.powers[-1].take(cell, out=total, mode="clip")
            row = np.empty_like(x)
            for k in range(_STENCIL - 2, -1, -1):
                total *= x
                self.powers[k].take(cell, out=row, mode="clip")
                total += row
            if self.scale.size:
                total *= np.exp(self.scale.take(cell // self.across))
        return out


def _rows(race: Race, rows: NDArray[np.intp], inner: Array) -> tuple[Array, Array]:
    """w e^{−scale} at z = step·row + inner, and the scales."""
    left = int(np.ceil(LEFT / race.step)) + 1
    offsets = race.step * np.arange(-left, race.right + 1)
    x = np.exp(offsets[:, None] + inner)
    kernel = np.exp(inner - x)
    first = -rows - race.first - left
    windows = np.lib.stride_tricks.sliding_window_view(race._log_weights, len(offsets))
    values = np.empty((len(rows), len(inner)))
    scale = np.empty(len(rows))
    # Small products, which no BLAS shares among threads.
    for start in range(0, len(rows), 64):
        part = slice(start, start + 64)
        terms = windows[first[part]]
        before = race._prefix[first[part] - 1]
        top = np.maximum(terms.max(axis=1), before)
        # Cut at e^{−60}: what is far below it would cost time as subnormal numbers.
        values[part] = np.exp(np.maximum(terms - top[:, None], -60.0)) @ kernel
        values[part] += np.exp(before - top)[:, None] * np.exp(inner)
        scale[part] = top + rows[part] * race.step
    return values, scale


@lru_cache(maxsize=1)
def _to_powers() -> Array:
    """Values at −2, …, 3 to power coefficients of the interpolant, exactly rounded."""
    nodes = range(-(_STENCIL // 2) + 1, _STENCIL // 2 + 1)
    rows = []
    for i in nodes:
        product = [Fraction(1)]
        for j in nodes:
            if j != i:
                # times (x − j)/(i − j)
                shifted = [Fraction(0), *product]
                kept = [*product, Fraction(0)]
                product = [(a - j * b) / (i - j) for a, b in zip(shifted, kept, strict=True)]
        rows.append([float(c) for c in product])
    return np.array(rows)


def _in_blocks(function: Callable[[Array], Array], z: Array) -> Array:
    if z.size <= _BLOCK:
        return function(z)
    parts = [function(z[start : start + _BLOCK]) for start in range(0, z.size, _BLOCK)]
    return np.concatenate(parts)
