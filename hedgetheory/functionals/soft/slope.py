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

**For 1 < n < 2** φ^{n−2} grows: the strip is the one where |φ(te^{iy})| ≥ φ(t cos y)/2, so that the
L¹ norm doubles, by (n − 1)φ^{n−2}M₁ = −dφ^{n−1}/ds. The same gives 2GBn(X₀ + Xe^{−X}) for what the
rectangle of `race` leaves out. On its ends, for every n: to the left, where φ ≥ ½, M₁ ≤ X₀; to the
right M₁ ≤ φL, (n − 1)Lφ^{n−1} ≤ 1/e and M₁(t cos y) ≤ (8/e)exp(−(7/8)X cos y).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.soft.lines import RAW_LAWS, LineScene, RankedScene
from hedgetheory.functionals.soft.scenes import AtomScene, Racing, UnitScene
from hedgetheory.functionals.soft.slope_lines import slope_on_line
from hedgetheory.functionals.soft.strips import HALF
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import TILT, Grid, Strip, gathered, power
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def slope_in_strength(policy: SoftBestOfN, law: Law, gold: Any, digits: int = 15) -> Number:
    """f′(λ) of the gold curve's value at the policy's λ > 0, certified to ``digits`` digits.

        f′(λ) = n(n − 1) ∫₀^∞ t φ^{n−2} (φ′)² Cov_t(g, x) dt

    On the uniform law, with scale=quantile and a gold curve in u on every law without atoms, and on
    finite laws, ties included, for every n; else, on the raw reward or for a gold curve in r, on
    the normal, exponential and logistic laws for n >= 2. On laws without atoms the gold curve must
    be analytic near the law's range.

    Args:
        policy: the Soft Best-of-n policy.
        law: the reference law of the proxy reward.
        gold: an object with `expr` and `variable`, such as a parsed formula.
        digits: significant digits.

    Raises InputError for λ = 0, NotCertified where the digits are not reached: near a threshold ask
    for fewer digits, or use `slope_sign`. Source: paper, §4 (thresholds).

    >>> from hedgetheory.spec.grammar import parse_gold
    >>> slope_in_strength(SoftBestOfN(2, 3), Uniform(), parse_gold("u")).decimal(12)[0]
    '0.0209849667478'
    """
    curve = GoldCurve.of(gold)
    scene = _scene(policy, law, curve)
    if policy.draws == 1:
        return Number.exact(0)
    return certify(lambda: _enclosure(scene, curve), digits, f"the slope in lam of {policy}")


def slope_sign(policy: SoftBestOfN, law: Law, gold: Any) -> int:
    """The certified sign of f′(λ): +1 or −1. Raises NotCertified where it is not decided."""
    curve = GoldCurve.of(gold)
    scene = _scene(policy, law, curve)
    for bits in (64, 96, 160, 320):
        with balls.precision(bits):
            slope = _enclosure(scene, curve)
            if slope > 0:
                return 1
            if slope < 0:
                return -1
    raise NotCertified(f"the sign of the slope in lam of {policy} is not decided at 320 bits")


def slope_enclosure(policy: SoftBestOfN, law: Law, gold: Any) -> Any:
    """A ball around f′(λ) at the working precision, however wide.

    Law, gold curve and what is raised are those of `slope_in_strength`.
    """
    curve = GoldCurve.of(gold)
    scene = _scene(policy, law, curve)
    return ball(Fraction(0)) if policy.draws == 1 else _enclosure(scene, curve)


def _scene(policy: SoftBestOfN, law: Law, curve: GoldCurve) -> Racing:
    if policy.strength == 0:
        raise InputError(f"lam=0, but must be > 0 for a certified slope [{policy}]")
    if isinstance(law, FiniteLaw):
        return AtomScene(policy, law)
    # The quantile of a law with atoms is not uniform.
    if not isinstance(law, ContinuousLaw):
        raise NotCertified(f"the slope in lam is not certified on {law}")
    if isinstance(law, Uniform) or (policy.scale == "quantile" and curve.variable != "r"):
        return UnitScene(policy)
    if policy.draws >= 2 and isinstance(law, RAW_LAWS):
        kind = RankedScene if policy.scale == "quantile" else LineScene
        return kind(policy, law)
    raise NotCertified(
        f"the slope in lam is not certified for {policy} on {law}: take differences of certified "
        "values"
    )


def _enclosure(scene: Racing, curve: GoldCurve) -> Any:
    if isinstance(scene, AtomScene):
        return _on_atoms(scene, curve)
    if isinstance(scene, LineScene):
        return slope_on_line(scene, curve)
    assert isinstance(scene, UnitScene)
    return _on_unit(scene, curve)


def _strip(scene: Racing) -> Strip:
    return scene.strip() if scene.draws >= 2 else scene.measured(HALF)


def _on_atoms(scene: AtomScene, curve: GoldCurve) -> Any:
    transform = scene.transform()
    grid = Grid.covering(transform.low, transform.high, scene.draws, _strip(scene))
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
    panels, period, heights = scene.panels_of(expr)
    grid = Grid.covering(Fraction(0), lam, scene.draws, _strip(scene), period)
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


def _assembled(
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
    few = scene.draws < 2
    lines = 2 * size * n / (REAL.constant("e") * d.cos() ** 2) * (2 if few else 1)
    discrete = 2 * lines / ((2 * REAL.constant("pi") * d / step).exp() - 1)
    times = grid.times
    first = times[0] * ball(high).exp()
    x = times[-1] * ball(low).exp()
    if not x >= 1:
        return balls.no_bound()
    x = REAL.minimum(x, x * 0 + 64 * balls.current_bits())
    tail = (-2 * x).exp() * (2 * x + 1) / 4
    # Below: h Σ e^{−2kh} ≤ 1/2. X²e^{−2X} in s integrates to e^{−2X}(2X + 1)/4 from X on.
    left_out = first * first + tail
    if few:
        if not phi[0] > ball(Fraction(1, 2)):
            return balls.no_bound()
        left_out = (first + x * (-x).exp()) / (n - 1)
    error = discrete + 2 * size * pairs * left_out
    if grid.bounded:
        c = d.cos()
        ends = 24 * d / REAL.constant("e") * grid.end_factor(x * 7 / 8) + 8 * first
        error += n * n * size * ends / c**2
    return pairs * step * total + symmetric(error)
