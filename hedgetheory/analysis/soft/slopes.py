"""The slope of f in n under Soft Best-of-n at fixed λ, as a certified ball.

With M_h(t) = E[h X e^{−X}], X = te^{λx}, and L = −ln φ, f(n) = n ∫ φ^{n−1} M_g ds gives
    f′(n) = ∫ φ^{n−1} M_g (1 − nL) ds,
which a constant added to g does not change, as ∫ φ^{n−1} M₁ ds = 1/n and ∫ φ^{n−1} M₁ L ds = 1/n²
(M₁ ds = −dφ).

**Bounds**, for |g| ≤ G. Let φ have no zero in |arg t| ≤ D. On the lines Im s = ±d, d < D, with
c = cos d: |M_g| ≤ G M₁(t cos d)/c, |φ| ≤ φ(t cos d), and |L| ≤ (D + d)/(D − d)·L(t cos d)/c
(Carathéodory, and L is concave with L(0) = 0: see `hedgetheory.functionals.soft.scores`). The L¹
norm there is thus at most G/(cn)·(1 + (D + d)/((D − d)c)), and the trapezoid rule is off by at most
twice that over e^{2πd/h} − 1. Left out below the first node, where M₁ ≤ te^{λ max x} and L is
smaller than there: G(1 + nL₀)X₀, as h Σ e^{−kh} ≤ 1. Above the last one φ^{n−1} is smaller and
L(t) ≤ L₁t/t₁: by h Σ X e^{−X} ≤ e^{−X₁} and h Σ X² e^{−X} ≤ (X₁ + 1)e^{−X₁} (the integrals of
decreasing functions, X₁ ≥ 2 at the bottom of the range), G φ₁^{n−1} e^{−X₁}(1 + nL₁(1 + 1/X₁)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.soft.scenes import AtomScene, Racing, UnitScene
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import (
    STRIP,
    TILT,
    Grid,
    check_work,
    gathered,
    power,
)
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def slope_in_draws(policy: SoftBestOfN, law: Law, curve: GoldCurve) -> Any:
    """A ball around f′(n) at the policy's n ≥ 1, at the working precision, however wide.

    On the uniform law, with scale=quantile and gold in u on laws without atoms, and on finitely
    many atoms; λ > 0. The gold curve must be analytic near [0, 1] on laws without atoms. Raises
    NotCertified elsewhere, and where no sector without zeros of φ is known.
    """
    if isinstance(law, FiniteLaw):
        atoms = AtomScene(policy, law)
        return _assembled(atoms, *_on_atoms(atoms, curve))
    if isinstance(law, Uniform) or (policy.scale == "quantile" and not curve.expr.has(r)):
        unit = UnitScene(policy)
        return _assembled(unit, *_on_unit(unit, curve))
    raise NotCertified(f"the slope in n is certified on bounded scales, not for {policy} on {law}")


def slope_in_draws_sign(policy: SoftBestOfN, law: Law, curve: GoldCurve) -> int:
    """The certified sign of f′(n), 0 where it is not decided."""
    try:
        for bits in (64, 96, 160, 320):
            with balls.precision(bits):
                slope = slope_in_draws(policy, law, curve)
                if slope > 0 or slope < 0:
                    return 1 if slope > 0 else -1
    except NotCertified:
        pass
    return 0


def _strip(scene: Racing) -> tuple[Fraction, Fraction]:
    """(d, D): the lines of the trapezoid's bound, and the sector without zeros of φ."""
    # φ does not depend on n: its sector is found once for a whole search.
    assert isinstance(scene, (AtomScene, UnitScene))
    two = SoftBestOfN(2, scene.strength, scene.policy.scale)
    angle = _angle(replace(scene, policy=two))
    return min(STRIP, angle * 4 / 5), angle


@lru_cache(maxsize=64)
def _angle(scene: AtomScene | UnitScene) -> Fraction:
    return scene.zero_free_angle()


def _grid(scene: Racing, low: Fraction, high: Fraction, period: Fraction | None = None) -> Grid:
    """The race's grid, its step divided by how much narrower than `STRIP` the strip is here."""
    grid = Grid.covering(low, high, scene.draws, period=period)
    finer = math.ceil(STRIP / _strip(scene)[0])
    check_work(grid.count * finer, "the slope in n")
    return replace(grid, step=grid.step / finer, first=grid.first * finer, last=grid.last * finer)


def _on_atoms(scene: AtomScene, curve: GoldCurve) -> tuple[Grid, list[Any], list[Any], Any]:
    transform = scene.transform()
    grid = _grid(scene, transform.low, transform.high)
    program = compiled(curve.expr.xreplace({ubar: 1 - u}), (r, u))
    atoms = list(zip(scene.law.atoms, scene.law.cumulative, strict=True))
    golds = [program(REAL, ball(x), ball(level)) for (x, _), level in atoms]
    total = [ball(0)] * grid.count
    size = ball(0)
    for z, ((_, mass), _), gold in zip(transform.exponents, atoms, golds, strict=True):
        weight = ball(mass) * (gold - golds[0])
        size = REAL.maximum(size, abs(gold - golds[0]).upper())
        kernel = grid.kernel(ball(z), 0, True)
        total = [a + weight * b for a, b in zip(total, kernel, strict=True)]
    return grid, transform.values(grid), total, size


def _on_unit(scene: UnitScene, curve: GoldCurve) -> tuple[Grid, list[Any], list[Any], Any]:
    lam = scene.strength
    expr = curve.expr.xreplace({ubar: 1 - r, u: r})
    panels, period, heights = scene.panels_of(expr)
    grid = _grid(scene, Fraction(0), lam, period)
    program = compiled(expr, (r,))
    # |X e^{−X}| ≤ 1/(e cos Im z) on the ellipses.
    peak = 1 / (REAL.constant("e") * ball(TILT).cos())
    values, error, size = [], ball(0), ball(0)
    for j, height in enumerate(heights):
        left = ball(panels.left(j))
        values.append([weight * program(REAL, left + x) for x, weight in panels.rule])
        error += panels.error(peak * height)
        size = REAL.maximum(size, height)
    rest = symmetric(error)
    moments = [x + rest for x in gathered(grid, panels, lam, values, True)]
    return grid, scene.transform().values(grid), moments, size


def _assembled(
    scene: Racing, grid: Grid, phi: Sequence[Any], moments: Sequence[Any], size: Any
) -> Any:
    """h Σ φ^{n−1} M_g (1 − nL) with all its errors; ``size`` is a bound of |g|."""
    low, high = ball(scene.transform().low), ball(scene.transform().high)
    n, times = ball(scene.draws), grid.times
    logs = _minus_logs(phi, times)
    total = ball(0)
    for value, size_of_log, moment in zip(phi, logs, moments, strict=True):
        total += power(value, scene.draws - 1) * moment * (1 - n * size_of_log)
    strip, angle = _strip(scene)
    d, wide = ball(strip), ball(angle)
    c = d.cos()
    lines = size / (c * n) * (1 + (wide + d) / ((wide - d) * c))
    discrete = 2 * lines / ((2 * REAL.constant("pi") * d / ball(grid.step)).exp() - 1)
    x = times[-1] * low.exp()
    if not x >= 2:
        return balls.no_bound()
    below = (1 + n * logs[0].upper()) * times[0] * high.exp()
    capped = REAL.minimum(x, x * 0 + 64 * balls.current_bits())
    last = power(phi[-1], scene.draws - 1).upper() * (1 + n * logs[-1].upper() * (1 + 1 / x))
    return ball(grid.step) * total + symmetric(discrete + size * (below + last * (-capped).exp()))


def _minus_logs(phi: Sequence[Any], times: Sequence[Any]) -> list[Any]:
    """L = −ln φ at the nodes; where φ is lost in its error, by concavity from the last good one."""
    out: list[Any] = []
    good = -1
    for k, value in enumerate(phi):
        if value > 0:
            out.append(-value.log())
            good = k
        elif good < 0:
            raise NotCertified("the race transform is not certified to be positive at any node")
        else:
            grown = out[good].upper() * times[k] / times[good]
            out.append(hull(out[good].lower(), grown.upper()))
    return out
