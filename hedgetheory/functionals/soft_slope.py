"""The slope of a gold curve's value in λ under Soft Best-of-n, certified.

f′(λ) = E[Cov(g, x | the n drawn, softmax weights)], x what the softmax sees; in the race
    f′(λ) = n(n − 1) ∫ φ^{n−2} (M₁ M_{gx} − M_g M_x) ds,  M_h(t) = E[h X e^{−X}], X = te^{λx},
which is n(n − 1) ∫ t φ^{n−2} (φ′)² Cov_t(g, x) dt with Cov_t under dF e^{λx} e^{−te^{λx}}. It is
not the covariance of g and x under the policy, a common mistake.

**Bounds.** g and x may be shifted by constants. With |g| ≤ G, |x| ≤ B: |M_h(te^{iy})| is at most
sup|h| M₁(t cos y)/cos y, so that the integrand on the lines Im s = ±d has L¹ norm at most
n(n − 1)(2GB/cos² d) ∫ φ^{n−2} M₁² ds ≤ 2GBn/(e cos² d), as M₁ ≤ 1/e and M₁ = −dφ/ds. Left out below
the first node: M₁ ≤ t e^{λ max x}, at most 2GBn(n − 1)(t₀e^{λ max x})². Above the last one, where
X ≥ 1: M₁ ≤ X_low e^{−X_low} and h Σ (Xe^{−X})² ≤ e^{−2X}(2X + 1)/4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.soft_scenes import AtomScene, Racing, UnitScene
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import TILT, Grid, Panels, gathered, panel_count, power
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def slope_in_strength(policy: SoftBestOfN, law: Law, gold: Any, digits: int = 15) -> Number:
    """f′(λ) of the gold curve's value at the policy's λ > 0, certified to ``digits`` digits.

        f′(λ) = n(n − 1) ∫₀^∞ t φ^{n−2} (φ′)² Cov_t(g, x) dt

    On the uniform law, with scale=quantile and a gold curve in u on every law without atoms, and on
    finite laws, ties included. n is an integer, or real and at least 2. The gold curve must be
    analytic near [0, 1] on laws without atoms.

    Args:
        policy: the Soft Best-of-n policy.
        law: the reference law of the proxy reward.
        gold: an object with `expr` and `variable`, such as a parsed formula.
        digits: significant digits.

    Raises InputError for λ = 0 or n < 2 real, NotCertified where the digits are not reached: near a
    threshold ask for fewer digits, or use `slope_sign`. Source: paper, §4 (thresholds).

    >>> from hedgetheory.spec.grammar import parse_gold
    >>> slope_in_strength(SoftBestOfN(2, 3), Uniform(), parse_gold("u")).decimal(12)[0]
    '0.0209849667478'
    """
    scene, curve = _scene(policy, law), GoldCurve.of(gold)
    if policy.draws == 1:
        return Number.exact(0)
    return certify(lambda: _enclosure(scene, curve), digits, f"the slope in lam of {policy}")


def slope_sign(policy: SoftBestOfN, law: Law, gold: Any) -> int:
    """The certified sign of f′(λ): +1 or −1. Raises NotCertified where it is not decided."""
    scene, curve = _scene(policy, law), GoldCurve.of(gold)
    for bits in (64, 96, 160, 320):
        with balls.precision(bits):
            slope = _enclosure(scene, curve)
            if slope > 0:
                return 1
            if slope < 0:
                return -1
    raise NotCertified(f"the sign of the slope in lam of {policy} is not decided at 320 bits")


def slope_enclosure(policy: SoftBestOfN, law: Law, gold: Any) -> Any:
    """A ball around f′(λ) at the working precision, however wide; n an integer, or real and ≥ 2.

    Law, gold curve and what is raised are those of `slope_in_strength`.
    """
    scene, curve = _scene(policy, law), GoldCurve.of(gold)
    return ball(Fraction(0)) if policy.draws == 1 else _enclosure(scene, curve)


def _scene(policy: SoftBestOfN, law: Law) -> Racing:
    if policy.strength == 0:
        raise InputError(f"lam=0, but must be > 0 for a certified slope [{policy}]")
    if policy.draws < 2 and policy.draws != 1:
        raise InputError(
            f"n={policy.draws}, but must be 1 or >= 2 for a certified slope [{policy}]"
        )
    if isinstance(law, FiniteLaw):
        return AtomScene(policy, law)
    if isinstance(law, Uniform) or policy.scale == "quantile":
        return UnitScene(policy)
    assert isinstance(law, ContinuousLaw)
    raise NotCertified(
        f"the slope in lam is certified on bounded scales, not for {policy} on {law}: take "
        "differences of certified values"
    )


def _enclosure(scene: Racing, curve: GoldCurve) -> Any:
    if isinstance(scene, AtomScene):
        return _on_atoms(scene, curve)
    assert isinstance(scene, UnitScene)
    return _on_unit(scene, curve)


def _on_atoms(scene: AtomScene, curve: GoldCurve) -> Any:
    transform = scene.transform()
    grid = Grid.covering(transform.low, transform.high, scene.draws, scene.strip())
    phi = transform.values(grid)
    program = compiled(curve.expr.xreplace({ubar: 1 - u}), (r, u))
    atoms = zip(scene.law.atoms, scene.law.cumulative, strict=True)
    golds = [program(REAL, ball(value), ball(level)) for (value, _), level in atoms]
    golds = [g - golds[0] for g in golds]
    centre = (scene.seen[0] + scene.seen[-1]) / 2
    places = [ball(x - centre) for x in scene.seen]
    zero = [ball(Fraction(0))] * grid.count
    sums = [zero, zero, zero, zero]
    for z, (_, mass), g, x in zip(transform.exponents, scene.law.atoms, golds, places, strict=True):
        kernel = grid.kernel(ball(z), 0, True)
        weights = [ball(mass) * factor for factor in (ball(Fraction(1)), g, x, g * x)]
        sums = [
            [a + weight * b for a, b in zip(total, kernel, strict=True)]
            for total, weight in zip(sums, weights, strict=True)
        ]
    height = ball(Fraction(0))
    for g in golds:
        height = REAL.maximum(height, abs(g).upper())
    size = height * ball((scene.seen[-1] - scene.seen[0]) / 2)
    return _assembled(scene, grid, phi, sums, size, transform.low, transform.high)


def _on_unit(scene: UnitScene, curve: GoldCurve) -> Any:
    lam = scene.strength
    expr = curve.expr.xreplace({ubar: 1 - r, u: r})
    for refine in (1, 2, 4, 8):
        count = panel_count(Fraction(1), lam, scene.strip()) * refine
        panels = Panels.covering(
            Fraction(0), Fraction(1), min(TILT / lam, Fraction(3, refine)), count, 5
        )
        heights = scene._heights(panels, expr)
        if heights is not None:
            break
    else:
        raise NotCertified(f"{expr} is not bounded near [0, 1] by complex balls")
    period = panels.width * lam * refine if count > refine else None
    grid = Grid.covering(Fraction(0), lam, scene.draws, scene.strip(), period)
    phi = scene.transform().values(grid)
    program = compiled(expr, (r,))
    # |X e^{−X}| ≤ 1/(e cos Im z) on the ellipses, and |x − 1/2| at most half an ellipse more.
    peak = 1 / (REAL.constant("e") * ball(TILT).cos())
    reach = ball(Fraction(1, 2) + panels.half_length + panels.half_height)
    sums = []
    for with_gold in (False, True):
        for with_place in (False, True):
            values, error = [], ball(Fraction(0))
            for j, height in enumerate(heights):
                row = []
                for offset, weight in panels.rule:
                    x = ball(panels.left(j)) + offset
                    value = weight * program(REAL, x) if with_gold else weight
                    row.append(value * (x - ball(Fraction(1, 2))) if with_place else value)
                values.append(row)
                sup = peak * (height if with_gold else 1) * (reach if with_place else 1)
                error += panels.error(sup)
            rest = symmetric(error)
            sums.append([x + rest for x in gathered(grid, panels, lam, values, True)])
    one, place, gold, both = sums
    height = ball(Fraction(0))
    for candidate in heights:
        height = REAL.maximum(height, candidate)
    size = height / 2
    return _assembled(scene, grid, phi, [one, gold, place, both], size, Fraction(0), lam)


def _assembled(  # noqa: PLR0917
    scene: Racing,
    grid: Grid,
    phi: Sequence[Any],
    moments: Sequence[Sequence[Any]],
    size: Any,
    low: Fraction,
    high: Fraction,
) -> Any:
    """n(n − 1) h Σ φ^{n−2}(M₁M_{gx} − M_gM_x) with all its errors; ``size`` is a bound of GB."""
    n = ball(scene.draws)
    total = n * 0
    for value, one, gold, place, both in zip(phi, *moments, strict=True):
        total += power(value, scene.draws - 2) * (one * both - gold * place)
    pairs, step = n * (n - 1), ball(grid.step)
    d = ball(grid.strip)
    lines = 2 * size * n / (REAL.constant("e") * d.cos() ** 2)
    discrete = 2 * lines / ((2 * REAL.constant("pi") * d / step).exp() - 1)
    times = grid.times
    first = times[0] * ball(high).exp()
    x = times[-1] * ball(low).exp()
    if not x >= 1:
        return balls.no_bound()
    x = REAL.minimum(x, x * 0 + 64 * balls.current_bits())
    tail = (-2 * x).exp() * (2 * x + 1) / 4
    # Below: h Σ e^{−2kh} ≤ 1/2. X²e^{−2X} in s integrates to e^{−2X}(2X + 1)/4 from X on.
    error = discrete + 2 * size * pairs * (first * first + tail)
    return pairs * step * total + symmetric(error)
