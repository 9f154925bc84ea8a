"""Kernels that write into their output, for functionals over millions of parameters.

A numpy expression allocates each intermediate, and beyond 128 kB the system maps and clears fresh
pages for it, which costs several times the arithmetic. A fused kernel `kernel(x, out)` works on
at most `BLOCK` numbers in buffers that the thread keeps; out is not x.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from hedgetheory.numerics.kernels.pieces import BLOCK, Array, Kernel, fitted

Fused: TypeAlias = Callable[[Array, Array], None]

_COUNT = 5
_LOCAL = threading.local()


def buffers(size: int) -> tuple[Array, ...]:
    """Two buffers of the thread for a kernel, one for its argument, two for what gathers."""
    if not hasattr(_LOCAL, "arrays"):
        _LOCAL.arrays = tuple(np.empty(BLOCK) for _ in range(_COUNT))
    return tuple(array[:size] for array in _LOCAL.arrays)


def polynomial(x: Array, coefficients: Sequence[float], out: Array) -> None:
    """Σ coefficients[j] x^j; out is not x."""
    np.multiply(x, coefficients[-1], out=out)
    for coefficient in coefficients[-2:0:-1]:
        out += coefficient
        out *= x
    out += coefficients[0]


def pieces_into(
    x: Array,
    out: Array,
    edges: Sequence[float],
    kernels: Sequence[Fused],
    any_order: tuple[Fused, float, Fused],
) -> None:
    """kernels[k] where edges[k − 1] <= x < edges[k], for a block in increasing order.

    ``any_order`` is for blocks in any other: a kernel that holds from an edge on (and is harmless
    below it), the edge, and a kernel for below it. Gathering more pieces costs more than it saves.
    """
    if not _is_sorted(x):
        base, edge, below = any_order
        base(x, out)
        where = np.flatnonzero(x < edge)
        if where.size:
            part, result = (b[: where.size] for b in buffers(BLOCK)[-2:])
            x.take(where, out=part, mode="clip")
            below(part, result)
            out[where] = result
        return
    first, last = bisect_right(edges, x[0]), bisect_right(edges, x[-1])
    if first == last:
        kernels[first](x, out)
        return
    cuts = [0, *np.searchsorted(x, edges[first:last]).tolist(), x.size]
    for kernel, (low, high) in zip(kernels[first : last + 1], pairwise(cuts), strict=True):
        if low < high:
            kernel(x[low:high], out[low:high])


def _is_sorted(x: Array) -> bool:
    # Most of what is not in order shows it soon.
    return all(bool((part[1:] >= part[:-1]).all()) for part in (x[:64], x))


def whole(fused: Fused) -> Kernel:
    """A fused kernel as a function of arrays of any shape."""

    def kernel(x: Array) -> Array:
        flat = np.ascontiguousarray(x, dtype=np.float64).reshape(-1)
        out = np.empty_like(flat)
        for at in range(0, flat.size, BLOCK):
            fused(flat[at : at + BLOCK], out[at : at + BLOCK])
        return out.reshape(x.shape)

    kernel.__doc__ = fused.__doc__
    return kernel


class CellTable:
    """A smooth function on [0, 1] by a cubic in each of `_CELLS` cells: no branch, one gather.

    ``function`` takes and returns mpmath numbers. It is fitted on panels to 2^−56; the cubic
    around a node j/_CELLS is the fit's Taylor polynomial there, whose rest is below
    f⁗/24 (2 _CELLS)^{−4} < 6e-19 f⁗, multiplied out in y, so that no distance is taken.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        rows = np.empty((_CELLS + 1, 4))
        wide = np.longdouble
        self.panels: list[tuple[float, ...]] = []
        for low, high in pairwise(np.linspace(0.0, 1.0, PANELS + 1)):
            first, last = int(low * _CELLS), int(high * _CELLS)
            node = np.arange(first, last + 1).astype(wide) / _CELLS
            scale = 2.0 / (high - low)
            s = (node - (low + high) / 2.0) * scale
            self.panels.append(fitted(function, low, high))
            fit = np.polynomial.Polynomial(np.array(self.panels[-1], dtype=wide))
            d = [fit.deriv(j)(s) * scale**j if j else fit(s) for j in range(4)]
            d[2], d[3] = d[2] / 2, d[3] / 6
            rows[first : last + 1, 3] = d[3]
            rows[first : last + 1, 2] = d[2] - 3 * d[3] * node
            rows[first : last + 1, 1] = d[1] - node * (2 * d[2] - 3 * d[3] * node)
            rows[first : last + 1, 0] = d[0] - node * (d[1] - node * (d[2] - d[3] * node))
        self.rows = rows

    def on_panel(self, number: int, y: Array, spare: Array, out: Array) -> None:
        """f(y) for y on one panel, number/PANELS <= y <= (number + 1)/PANELS: no gather."""
        np.multiply(y, 2.0 * PANELS, out=spare)
        spare -= 2.0 * number + 1.0
        polynomial(spare, self.panels[number], out)

    def into(self, y: Array, spare: Array, out: Array) -> None:
        """f(y) for 0 <= y <= 1, y unchanged; ``spare`` is overwritten."""
        # y + 2^52/_CELLS ends in the bits of the nearest node's number.
        np.add(y, _SHIFT, out=spare)
        index = spare.view(np.int64)
        np.bitwise_and(index, 2 * _CELLS - 1, out=index)
        cell = _rows()[: y.size]
        self.rows.take(index, axis=0, out=cell, mode="clip")
        np.multiply(y, cell[:, 3], out=out)
        for column in (2, 1):
            out += cell[:, column]
            out *= y
        out += cell[:, 0]


PANELS, _CELLS = 32, 8192
_SHIFT = 2.0**52 / _CELLS


def _rows() -> Array:
    """A buffer of the thread for rows of a table."""
    if not hasattr(_LOCAL, "rows"):
        _LOCAL.rows = np.empty((BLOCK, 4))
    rows: Array = _LOCAL.rows
    return rows
