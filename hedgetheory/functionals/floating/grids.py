"""Fixed nodes: ∫ h du over the unit interval, and ∫ h(Φ(z)) dz over the line.

A grid is shared by all parameters: what depends on u alone is computed once, and a functional is a
matrix (parameters by nodes) times a vector. The integrands used on them are positive times smooth,
so that the sums are as accurate as their terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array


@dataclass(frozen=True, eq=False)
class Grid:
    """Nodes u in (0, 1) by increasing u, with ū and ln u to full relative accuracy, and weights."""

    u: Array
    ubar: Array
    log_u: Array
    weights: Array

    def __getitem__(self, part: slice) -> Grid:
        return Grid(self.u[part], self.ubar[part], self.log_u[part], self.weights[part])


@lru_cache(maxsize=16)
def unit_grid(count: int) -> Grid:
    """Gauss–Legendre's rule on (0, 1), its nodes rounded once.

    numpy's nodes are right to some 1e-16 of the interval, which at the ends is not a small part of
    ū; one Newton step in mpmath mends them. (1 − x²) P_m′ = m (P_{m−1} − x P_m).
    """
    mp = k.mp_context()
    rows = []
    for start in np.polynomial.legendre.leggauss(count)[0]:
        x = mp.mpf(float(start))
        for step in (0, 1):
            before, here = mp.mpf(1), x
            for j in range(2, count + 1):
                before, here = here, ((2 * j - 1) * x * here - (j - 1) * before) / j
            slope = count * (before - x * here) / (1 - x * x)
            if step == 0:
                x -= here / slope
        u = (1 + x) / 2
        rows.append((float(u), float(1 - u), float(mp.log(u)), float(1 / ((1 - x * x) * slope**2))))
    return Grid(*(np.array(column) for column in zip(*rows, strict=True)))


# z = t (1 + t²/16)^{−1/4} is t near 0 and ±2√|t| far away, so that ln Φ(−z) is spaced evenly where
# it is large: exp(−n Φ(−z)) changes over Δ ln Φ(−z) ~ 1 wherever n puts it, which is Δt = 1/2.
# Between t = 2.5 and t = 40 the transition stays analytic for |Im t| < π/4 or so, and the
# trapezoid's error, e^{−2π (π/4)/h}, is below 1e-17 at h = 1/8. The map is analytic for |Im t| < 4.
_STEP = 0.125
#: Φ(−9.6) = 4e-22 on the left; on the right, Φ(−22.5) = 2e-112.
_LEFT, _RIGHT = -25.0, 128.0


@lru_cache(maxsize=1)
def normal_grid() -> Grid:
    """The trapezoid rule for ∫ h(Φ(z)) dz."""
    t = _STEP * np.arange(_LEFT / _STEP, _RIGHT / _STEP + 1)
    square = 1.0 + t * t / 16.0
    z = t * square**-0.25
    dz = square**-0.25 - t * t / 32.0 * square**-1.25
    small = k.normal_tail((np.abs(z), np.zeros_like(z)))
    log_small = k.log_normal_tail((np.abs(z), np.zeros_like(z)))[0]
    above = z > 0
    return Grid(
        np.where(above, 1.0 - small, small),
        np.where(above, small, 1.0 - small),
        np.where(above, np.log1p(-np.minimum(small, 0.5)), log_small),
        _STEP * dz,
    )


def normal_grid_up_to(strength: float) -> Grid:
    """The part of `normal_grid` where ``strength``·ū is not below 1e-22."""
    grid = normal_grid()
    keep = int(np.searchsorted(-grid.ubar, -1e-22 / max(strength, 1.0)))
    return grid[: keep + 1]
