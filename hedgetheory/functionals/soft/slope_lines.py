"""The slope in λ of Soft Best-of-n on an unbounded law, where neither g nor x is bounded.

With M_h(t) = E[h X e^{−X}] as in `soft_slope`, h one of 1, g, x and gx (x shifted by the centre of
the law, which changes no covariance), H_h = sup|h| on the panels, O ≥ E[|h|; outside of them] for
each h, and n ≥ 2, so that |φ^{n−2}| ≤ 1:

- |M_h(te^{iy})| ≤ M_{|h|}(t cos y)/cos y, M_{|h|} ≤ E|h|/e and ∫ M_{|h|} ds = E|h| ≤ H_h + O. The
  L¹ norm on the lines Im s = ±d is at most n(n − 1)S/(e cos²d), S = E|gx| + E|g| E|x|.
- Below the first node X ≤ X₀ on the panels, and h Σ X e^{−X} ≤ 1 + h/e ≤ 2 always: what is left out
  of h Σ M_{|h|} there is at most H_h X₀ + 2O.
- Above the last one X ≥ x ≥ 1 on the panels: M_{|h|} ≤ H_h x e^{−x} + O/e there.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.effort import spend
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.growth import ONE, Growth, growth, side_of
from hedgetheory.functionals.lines import unit_supremum
from hedgetheory.functionals.soft.lines import LineScene, RankedScene
from hedgetheory.functionals.soft.scenes import REFINEMENTS
from hedgetheory.laws.base import exact_symbol
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import TILT, Grid, Panels, check_work, gathered, power

_ONE = sympy.S.One


def slope_on_line(scene: LineScene, curve: GoldCurve) -> Any:
    """f′(λ) on a line, certified, for n ≥ 2; NotCertified where g is not bounded by balls."""
    gold, size = curve.expr, ONE
    if curve.variable == "r":
        size = growth(gold, side_of(scene.law.support))
    else:
        size = Growth(unit_supremum(gold))
        gold = gold.xreplace({u: scene.law.cdf, ubar: scene.law.survival})
    ranked = isinstance(scene, RankedScene)
    centre = Fraction(0) if ranked else scene.law.centre
    place = scene.law.cdf if ranked else r - exact_symbol(centre)
    reach = ONE if ranked else Growth(1 + abs(centre), Fraction(1))
    low, high, outside = scene._cuts(size * reach + size + reach + ONE, 5)
    for refine in REFINEMENTS:
        panels = scene._panels(low, high, 8, refine)
        rows = [scene.heights(panels, h) for h in (_ONE, gold, place, gold * place)]
        if None not in rows:
            break
    else:
        raise NotCertified(f"{gold} is not bounded near the law's range by complex balls")
    heights = [row for row in rows if row is not None]
    grid = _grid(scene, panels)
    out = (outside[0] + outside[1]).upper()
    sums = _sums(scene, grid, panels, (_ONE, gold, place, gold * place), heights, out)
    return _closed(scene, grid, panels, sums, [_largest(row) for row in heights], out)


def _grid(scene: LineScene, panels: Panels) -> Grid:
    if isinstance(scene, RankedScene):
        return Grid.covering(Fraction(0), scene.strength, scene.draws, scene.strip())
    low = scene.strength * panels.start
    high = scene.strength * panels.left(panels.count)
    period = panels.width * scene.strength if panels.count > 1 else None
    return Grid.covering(low, high, scene.draws, scene.strip(low), period)


def _largest(row: Sequence[Any]) -> Any:
    best = row[0]
    for x in row:
        best = REAL.maximum(best, x)
    return best.upper()


def _sums(
    scene: LineScene,
    grid: Grid,
    panels: Panels,
    columns: Sequence[sympy.Expr],
    heights: Sequence[Sequence[Any]],
    out: Any,
) -> list[list[Any]]:
    """M_h at the nodes for each column; |X e^{−X}| ≤ 1/(e cos Im z) on the ellipses."""
    masses = scene._masses(panels)
    peak = scene._density_sup(panels) / (REAL.constant("e") * ball(TILT).cos())
    results = []
    kernels = _ranked_kernels(scene, grid, panels) if isinstance(scene, RankedScene) else None
    for column, row in zip(columns, heights, strict=True):
        program = compiled(column, (r,))
        values = []
        for j, line in enumerate(masses):
            spend(len(line))
            left = ball(panels.left(j))
            values.append(
                [
                    mass * program(REAL, left + offset)
                    for (offset, _), mass in zip(panels.rule, line, strict=True)
                ]
            )
        error = ball(Fraction(0))
        for height in row:
            error += panels.error(peak * height)
        rest = symmetric(error + out)
        if kernels is None:
            found = gathered(grid, panels, scene.strength, values, True)
        else:
            flat = [value for line in values for value in line]
            found = [ball(Fraction(0))] * grid.count
            for value, kernel in zip(flat, kernels, strict=True):
                found = [a + value * b for a, b in zip(found, kernel, strict=True)]
        results.append([x + rest for x in found])
    return results


def _ranked_kernels(scene: LineScene, grid: Grid, panels: Panels) -> list[list[Any]]:
    check_work(panels.count * panels.points * grid.count, "the race")
    cdf = compiled(scene.law.cdf, (r,))
    lam = ball(scene.strength)
    lefts = [ball(panels.left(j)) for j in range(panels.count)]
    return [
        grid.kernel(lam * cdf(REAL, left + offset), 0, True)
        for left in lefts
        for offset, _ in panels.rule
    ]


def _closed(
    scene: LineScene,
    grid: Grid,
    panels: Panels,
    sums: Sequence[Sequence[Any]],
    heights: Sequence[Any],
    out: Any,
) -> Any:
    """n(n − 1) h Σ φ^{n−2}(M₁M_{gx} − M_gM_x) with what was left out."""
    n, phi = ball(scene.draws), scene.transform().values(grid)
    total = n * 0
    for value, one, gold, place, both in zip(phi, *sums, strict=True):
        total += power(value, scene.draws - 2) * (one * both - gold * place)
    pairs, step, d = n * (n - 1), ball(grid.step), ball(grid.strip)
    c, e = d.cos(), REAL.constant("e")
    _, g, x, gx = heights
    if isinstance(scene, RankedScene):
        low_z, high_z = ball(Fraction(0)), ball(scene.strength)
    else:
        low_z = ball(scene.strength * panels.start)
        high_z = ball(scene.strength * panels.left(panels.count))
    first, last = grid.times[0] * high_z.exp(), grid.times[-1] * low_z.exp()
    if not last >= 1:
        return balls.no_bound()
    products = (gx + out) + (g + out) * (x + out)
    lines = pairs * products / (e * c**2)
    error = 2 * lines / ((2 * REAL.constant("pi") * d / step).exp() - 1)
    below = ((gx * first + 2 * out) + (g + out) * (x * first + 2 * out)) / e
    damped = last * (-REAL.minimum(last, last * 0 + 64 * balls.current_bits())).exp()
    above = 2 * ((damped + out) * (gx + out) + (g * damped + out) * (x + out))
    error += pairs * (below + above)
    if grid.bounded:
        # On the ends of the rectangle, as in `race`: X e^{−X} ≤ 3e^{−7X/8} (8/e < 3).
        factor = 3 * grid.end_factor(last * 7 / 8)
        ends = (factor + out) * (gx + out) + (g * factor + out) * (x + out)
        error += pairs * (below + 2 * d * ends) / c**2
    return pairs * step * total + symmetric(error)
