"""Scores of Soft Best-of-n: the derivatives of ln w in n and in λ at a fixed reward, certified.

**In n.** ∂_n ln w = 1/n − J/w with J = n ∫ X e^{−X} φ^{n−1} L ds, L = −ln φ(e^s). Where φ has no
zero in |arg t| ≤ D, Re L ≥ 0 there (|φ| ≤ 1), so that by Carathéodory on the disc of radius D at a
real s, |L(s + iy)| ≤ L(s)(D + y)/(D − y); and L(t) is concave with L(0) = 0, so that
L(t) ≤ L(t cos d)/cos d. On the lines Im s = ±d the L¹ norm is thus at most J·K/cos² d with
K = (D + d)/(D − d): a relative error again.

**In λ.** ∂_λ w = n ∫ [x X(1 − X) e^{−X} φ^{n−1} − (n − 1) X e^{−X} φ^{n−2} ψ] ds with
ψ(t) = t E[x e^z e^{−te^z}], x what the softmax sees. On the lines the L¹ norms are at most
|x| n (1/c + 1/c²) and n(n − 1) E|x|/(e c²), c = cos d, for n ≥ 2 (|φ|, |φ^{n−2}| ≤ 1, and
ξ e^{−ξ} ≤ 1/e). For 1 < n < 2 see `_below_two`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hedgetheory.functionals.soft.scenes import Racing, around
from hedgetheory.functionals.soft.strips import HALF
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.race import STRIP, Grid, Race, power


def score_in_draws(scene: Racing, z: Any) -> Any:
    """∂_n ln w at z, certified. Raises NotCertified where zeros of φ are not excluded."""
    if not z.is_finite():
        return balls.no_bound()
    known = scene.zero_free(around(z)[0], STRIP)
    angle = known.free
    strip = replace(known, half=min(STRIP, angle * 4 / 5))
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
    d, h, wide = ball(strip.half), ball(race.grid.step), ball(angle)
    spread = (wide + d) / (wide - d) / d.cos() ** 2
    error = 2 * spread / ((2 * REAL.constant("pi") * d / h).exp() - 1)
    if not error < ball(Fraction(1, 2)):
        return balls.no_bound()
    if strip.bounded:
        # At the ends of the rectangle |L| ≤ L(D + d)/(D − d), and L ≤ 2L(t₁) half a step on.
        whole += symmetric((low + 2 * logs[-1] * race.end(x)) * (wide + d) / (wide - d))
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
    """∂_λ ln w at z = λ·place, certified."""
    if not z.is_finite():
        return balls.no_bound()
    if scene.draws < 2:
        return _below_two(scene, z, place)
    race = scene.race_at(z, trim=False)
    rate, draws = z.exp(), race.draws
    moments = scene.weighted(race.grid, race.transform)
    total = _terms(scene, race, rate, place, race.transform, moments)
    x = race.times[-1] * rate
    if not x > 2:
        return balls.no_bound()
    size, e = scene.mean_size(), REAL.constant("e")
    first = race.times[0] * rate
    pairs = draws * (draws - 1) * size / e
    low = draws * abs(place) * first * (1 + first) + pairs * first
    high = (draws * abs(place) * (1 + x) + pairs) * _damping(x)
    d, step = ball(race.grid.strip), ball(race.grid.step)
    c = d.cos()
    lines = draws * abs(place) * (1 / c + 1 / c**2) + pairs / c**2
    error = 2 * lines / ((2 * REAL.constant("pi") * d / step).exp() - 1)
    if race.grid.bounded:
        # |X(1 − X)| e^{−X cos y/8} ≤ 3/c + 35/c² on the right end, with room.
        error += low + 2 * d * draws * abs(place) * (3 / c + 35 / c**2) * race.grid.end_factor(
            x * 7 / 8
        )
        error += 2 * d * pairs * 3 / c**2 * race.grid.end_factor(x * 7 / 8)
    return (total + symmetric(low + high + error)) / race.ratio(z)


def _terms(
    scene: Racing, race: Race, rate: Any, place: Any, phi: Sequence[Any], psi: Sequence[Any]
) -> Any:
    """The trapezoid sum of ∂_λ w from φ and ψ at the nodes."""
    total = rate * 0
    factor = ball(race.grid.step) * race.draws
    for time, value, moment in zip(race.times, phi, psi, strict=True):
        x = time * rate
        less = power(value, scene.draws - 2)
        total += x * (-x).exp() * less * (place * (1 - x) * value - (race.draws - 1) * moment)
    return factor * total


def _below_two(scene: Racing, z: Any, place: Any) -> Any:
    """∂_λ ln w for 1 < n < 2, where φ^{n−2} grows: in the strip where |φ| ≥ φ(t cos y)/2.

    With x bounded by B, |ψ(te^{iy})| ≤ B M₁(t cos y)/cos y, M₁ = −dφ/ds, so that on the lines the
    second term is at most n(2B/cos²d) ∫ Xe^{−X} (n − 1)φ^{n−2}M₁ ds ≤ 2nB/(e cos²d): the last three
    factors are −dφ^{n−1}. Below the first node, where φ ≥ 1/2, X ≤ X₁; on the left end φ^{n−2} ≤ 2
    and M₁ ≤ 1/e. On the right end M₁ ≤ φL and (n − 1)Lφ^{n−1} ≤ 1/e. Where x is not bounded,
    `Racing.reach` stands for B.
    """
    low_z, high_z = around(z)
    strip = scene.measured(HALF, low_z)
    nearby = Grid.covering(low_z, high_z, scene.draws, strip)
    bits = balls.current_bits()
    # φ may come from panels that leave out what is small against 1, not against φ: more bits.
    for more in (bits + 32, 2 * bits + 64):
        with balls.precision(more):
            transform = scene.transform()
            grid = nearby.refined(transform.period)
            phi = transform.values(grid)
            if phi[-1] > 0 and phi[0] > ball(Fraction(1, 2)):
                psi = scene.weighted(grid, phi)
                reach = scene.reach(power(phi[-1], scene.draws - 2)).upper()
                break
    else:
        return balls.no_bound()
    race = Race.of(grid, scene.draws, phi, trim=False)
    rate, n, e = z.exp(), race.draws, REAL.constant("e")
    total = _terms(scene, race, rate, place, phi, psi)
    x, first = race.times[-1] * rate, race.times[0] * rate
    if not x > 2:
        return balls.no_bound()
    d = ball(grid.strip)
    c, size = d.cos(), abs(place)
    lines = n * size * (1 / c + 1 / c**2) + 2 * n * reach / (e * c**2)
    error = 2 * lines / ((2 * REAL.constant("pi") * d / ball(grid.step)).exp() - 1)
    low = 8 * n * first * (size * (1 + first) + reach) / c
    high = n * (size * (2 + x) + reach * x) * _damping(x)
    # X e^{−X cos y/8} ≤ 3/c and X² e^{−X cos y/8} ≤ 35/c².
    ends = size * (3 / c + 35 / c**2) + 6 * reach / (e * c**2)
    high += 2 * d * n * ends * grid.end_factor(x * 7 / 8)
    return (total + symmetric(low + high + error)) / race.ratio(z)
