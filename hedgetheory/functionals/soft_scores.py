"""Scores of Soft Best-of-n: the derivatives of ln w in n and in λ at a fixed reward, certified.

**In n.** ∂_n ln w = 1/n − J/w with J = n ∫ X e^{−X} φ^{n−1} L ds, L = −ln φ(e^s). Where φ has no
zero in |arg t| ≤ D, Re L ≥ 0 there (|φ| ≤ 1), so that by Carathéodory on the disc of radius D at a
real s, |L(s + iy)| ≤ L(s)(D + y)/(D − y); and L(t) is concave with L(0) = 0, so that
L(t) ≤ L(t cos d)/cos d. On the lines Im s = ±d the L¹ norm is thus at most J·K/cos² d with
K = (D + d)/(D − d): a relative error again.

**In λ.** ∂_λ w = n ∫ [x X(1 − X) e^{−X} φ^{n−1} − (n − 1) X e^{−X} φ^{n−2} ψ] ds with
ψ(t) = t E[x e^z e^{−te^z}], x what the softmax sees. On the lines the L¹ norms are at most
|x| n (1/c + 1/c²) and n(n − 1) E|x|/(e c²), c = cos d, for n ≥ 2 (|φ|, |φ^{n−2}| ≤ 1, and
ξ e^{−ξ} ≤ 1/e).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hedgetheory.errors import NotCertified
from hedgetheory.functionals.soft_scenes import Racing
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.race import STRIP, Race, power


def score_in_draws(scene: Racing, z: Any) -> Any:
    """∂_n ln w at z, certified. Raises NotCertified where zeros of φ are not excluded."""
    if not z.is_finite():
        return balls.no_bound()
    angle = scene.zero_free_angle()
    strip = min(STRIP, angle * 4 / 5)
    race = scene.race_at(z, trim=False, strip=strip)
    rate = z.exp()
    logs = _minus_logs(race)
    total = rate * 0
    for time, weight, size in zip(race.times, race.weights, logs, strict=True):
        x = time * rate
        total += weight * x * (-x).exp() * size
    # Below the first node L is smaller than there; above, L(t) ≤ L(t₁) t/t₁ and X ≥ 2.
    x = race.times[-1] * rate
    if not x > 2:
        return balls.no_bound()
    low = race.draws * race.times[0] * rate * logs[0]
    high = race.draws * race.last_power * logs[-1] * (1 + 1 / x) * _damping(x)
    whole = total + hull(low * 0, (low + high).upper())
    d, h, wide = ball(strip), ball(race.grid.step), ball(angle)
    spread = (wide + d) / (wide - d) / d.cos() ** 2
    error = 2 * spread / ((2 * REAL.constant("pi") * d / h).exp() - 1)
    if not error < ball(Fraction(1, 2)):
        return balls.no_bound()
    logarithmic = whole * (1 + symmetric(2 * error))
    return 1 / race.draws - logarithmic / race.ratio(z)


def _damping(x: Any) -> Any:
    return (-REAL.minimum(x, x * 0 + 64 * balls.current_bits())).exp()


def _minus_logs(race: Race) -> list[Any]:
    """−ln φ at the nodes; where φ is lost in its own error, by concavity from the last good one."""
    out: list[Any] = []
    good = 0
    for k, phi in enumerate(race.transform):
        if phi > 0 or not out:
            out.append(-phi.log())
            good = k
        else:
            grown = out[good].upper() * race.times[k] / race.times[good]
            out.append(hull(out[good].lower(), grown.upper()))
    return out


def score_in_strength(scene: Racing, z: Any, place: Any) -> Any:
    """∂_λ ln w at z = λ·place, certified, for n ≥ 2 or integer n."""
    n = scene.draws
    if n < 2:
        raise NotCertified(f"the score in lam is certified for n >= 2, not for {scene.policy}")
    if not z.is_finite():
        return balls.no_bound()
    race = scene.race_at(z, trim=False)
    rate, draws = z.exp(), race.draws
    moments = scene.weighted(race.grid, race.transform)
    step = ball(race.grid.step)
    total = ratio = rate * 0
    for time, phi, psi in zip(race.times, race.transform, moments, strict=True):
        x = time * rate
        base = step * draws * x * (-x).exp()
        less = power(phi, n - 2)
        total += base * less * (place * (1 - x) * phi - (draws - 1) * psi)
    ratio = race.ratio(z)
    x = race.times[-1] * rate
    if not x > 2:
        return balls.no_bound()
    size, e = scene.mean_size(), REAL.constant("e")
    first = race.times[0] * rate
    pairs = draws * (draws - 1) * size / e
    low = draws * abs(place) * first * (1 + first) + pairs * first
    high = (draws * abs(place) * (1 + x) + pairs) * _damping(x)
    d = ball(race.grid.strip)
    c = d.cos()
    lines = draws * abs(place) * (1 / c + 1 / c**2) + pairs / c**2
    error = 2 * lines / ((2 * REAL.constant("pi") * d / step).exp() - 1)
    return (total + symmetric(low + high + error)) / ratio
