"""φ(t) = E[exp(−t e^z)] of Soft Best-of-n on each kind of law, and where it has no zeros.

z is λ·reward or λ·quantile. A transform gives φ at the nodes of a grid, the range of z, and the
half-angle of a sector |arg t| ≤ angle that is certified to be free of zeros: a real n needs it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.numerics.race import Grid, Panels, gathered, nats

#: A sector a little narrower than the half-plane, for transforms without zeros in all of it.
HALF_PLANE = Fraction(155, 100)
#: The boxes that a covering of a sector may use.
MAX_BOXES = 6000
#: A covering is tried for at most this many atoms.
MAX_COVERED = 40


class Transform(ABC):
    """φ on a grid; ``low`` and ``high`` bound z (for a law without bounds: where it was cut)."""

    low: Fraction
    high: Fraction
    #: A length in z that the grid's step should divide, where that saves work.
    period: Fraction | None = None

    @abstractmethod
    def values(self, grid: Grid) -> list[Any]:
        """φ(t_k) at the grid's nodes."""

    @abstractmethod
    def sector(self) -> Fraction | None:
        """A half-angle < π/2 without zeros of φ in |arg t| ≤ angle; None where none is known."""


@dataclass(frozen=True)
class UnitTransform(Transform):
    """z = λU, U uniform on [0, 1]: φ(t) = (E₁(t) − E₁(te^λ))/λ.

    It has no zero in |arg t| ≤ 1.2, for any λ > 0. With t = τe^{iy} and S(t) = e^t E₁(t): if
    τ sin y (e^λ − 1) < π, the phases of exp(−t e^{λU}) lie in an open half-circle, so that φ ≠ 0.
    Otherwise S(t) = ∫ e^{−x}/(x + t) dx gives Re S(t) ≥ cos y E[1/(X + τ)] ≥ cos y/(1 + τ), X
    exponential, and |S(te^λ)| ≤ 1/(τe^λ), so that λe^t φ(t) = S(t) − e^{−t(e^λ−1)} S(te^λ) is not
    zero where e^{−τ cos y (e^λ−1)} (1 + τ)/(τ e^λ) < cos y. By τ ≥ π/(sin y (e^λ − 1)) the left
    side is at most e^{−π cot y} (1 + (e^λ − 1)/π)/e^λ ≤ e^{−π cot y}, which is below cos y at
    y = 1.2 (0.295 < 0.362) and so at every smaller y.
    """

    strength: Fraction

    @property
    def low(self) -> Fraction:  # type: ignore[override]
        return Fraction(0)

    @property
    def high(self) -> Fraction:  # type: ignore[override]
        return self.strength

    def values(self, grid: Grid) -> list[Any]:
        h, lam, one = ball(grid.step), ball(self.strength), ball(Fraction(1))

        cut = 8 * nats()
        rest = hull(one * 0, ball(Fraction(-math.floor(cut))).exp())

        def e1(shift: Any, first: int, last: int) -> list[Any]:
            out: list[Any] = []
            for k in range(first, last + 1):
                x = (h * k + shift).exp()
                if x > cut:
                    # 0 < E₁(x) < e^{−x} for x ≥ 1, and decreasing.
                    out += [rest] * (last - k + 1)
                    break
                out.append(balls.exponential_integral(one, x))
            return out

        steps = self.strength / grid.step
        if steps.denominator == 1 and steps < grid.count:
            whole = e1(lam * 0, grid.first, grid.last + int(steps))
            near, far = whole[: grid.count], whole[int(steps) :]
        else:
            near, far = e1(lam * 0, grid.first, grid.last), e1(lam, grid.first, grid.last)
        # 0 < φ ≤ 1 for t > 0, whatever the subtraction has lost.
        return [_in_unit((a - b) / lam) for a, b in zip(near, far, strict=True)]

    def sector(self) -> Fraction | None:
        return Fraction(6, 5)

    def moments(self, t: Any) -> tuple[Any, Any, Any]:
        """E[e^{−tX}], E[tX e^{−tX}] and E[(tX)² e^{−tX}], X = e^{λU}: ∫ x^{j−1} e^{−x} dx/λ."""
        lam = ball(self.strength)
        far, one = t * lam.exp(), t * 0 + 1
        ends = [(-x).exp() for x in (t, far)]
        logs = balls.exponential_integral(one, t) - balls.exponential_integral(one, far)
        return (
            logs / lam,
            (ends[0] - ends[1]) / lam,
            ((t + 1) * ends[0] - (far + 1) * ends[1]) / lam,
        )


def _in_unit(x: Any) -> Any:
    if 0 < x < 1 or not x.is_finite():
        return x
    return REAL.minimum(REAL.maximum(x, x * 0), x * 0 + 1)


@dataclass(frozen=True)
class AtomTransform(Transform):
    """Finitely many atoms: φ(t) = Σ p_i exp(−t e^{z_i}), the z_i increasing.

    Zeros in a sector are excluded by the half-circle of phases near t = 0, by the lowest atom far
    out, and by a covering with complex balls between. Where the top atom has mass above ½, two
    atoms give zeros with Re t > 0: the angle is then smaller.
    """

    exponents: tuple[Fraction, ...]
    masses: tuple[Fraction, ...]

    @property
    def low(self) -> Fraction:  # type: ignore[override]
        return self.exponents[0]

    @property
    def high(self) -> Fraction:  # type: ignore[override]
        return self.exponents[-1]

    def values(self, grid: Grid) -> list[Any]:
        total = [ball(Fraction(0))] * grid.count
        for z, mass in zip(self.exponents, self.masses, strict=True):
            weight = ball(mass)
            kernel = grid.kernel(ball(z), 0, False)
            total = [a + weight * b for a, b in zip(total, kernel, strict=True)]
        return total

    def moments(self, t: Any) -> tuple[Any, Any, Any]:
        """E[e^{−tX}], E[tX e^{−tX}] and E[(tX)² e^{−tX}]."""
        first = second = third = t * 0
        for z, mass in zip(self.exponents, self.masses, strict=True):
            x = t * ball(z).exp()
            part = ball(mass) * (-x).exp()
            first, second, third = first + part, second + part * x, third + part * x * x
        return first, second, third

    def sector(self) -> Fraction | None:
        if len(self.masses) == 1:
            return HALF_PLANE
        if len(self.masses) > MAX_COVERED:
            return None
        for hundredths in (150, 120, 90, 60, 40, 25, 15, 8):
            angle = Fraction(hundredths, 100)
            with balls.precision(64):
                if self._is_free(angle):
                    return angle
        return None

    def _is_free(self, angle: Fraction) -> bool:
        gaps = [(ball(z - self.low)).exp() - 1 for z in self.exponents[1:]]
        # In units of e^{−z_0}: χ(t) = p_0 + Σ p_i e^{−t·gap_i} has the zeros of φ.
        widest = float(gaps[-1].log().upper())
        inner = math.log(math.pi / math.sin(float(angle))) - widest - 0.01
        outer = inner
        while not self._dominated(math.exp(outer) * math.cos(float(angle)) * 0.999, gaps):
            outer += 0.25
            if outer > inner + 2000:
                return False
        boxes = [(Fraction(inner), Fraction(outer), Fraction(0), angle)]
        masses = [ball(p) for p in self.masses]
        for _ in range(MAX_BOXES):
            if not boxes:
                return True
            left, right, bottom, top = boxes.pop()
            t = balls.complex_box(ball(left), ball(right), ball(bottom), ball(top)).exp()
            chi = balls.as_complex(masses[0])
            for mass, gap in zip(masses[1:], gaps, strict=True):
                chi += mass * (-t * gap).exp()
            if chi.real > 0 or chi.real < 0 or chi.imag > 0 or chi.imag < 0:
                continue
            if right - left > top - bottom:
                middle = (left + right) / 2
                boxes += [(left, middle, bottom, top), (middle, right, bottom, top)]
            else:
                middle = (bottom + top) / 2
                boxes += [(left, right, bottom, middle), (left, right, middle, top)]
        return False

    def _dominated(self, real_part: float, gaps: Sequence[Any]) -> bool:
        x = ball(Fraction(real_part))
        rest = ball(Fraction(0))
        for mass, gap in zip(self.masses[1:], gaps, strict=True):
            rest += ball(mass) * (-x * gap).exp()
        return bool(rest < ball(self.masses[0]))


@dataclass(frozen=True)
class LineTransform(Transform):
    """z = λR on a law without atoms: φ by Gauss–Legendre panels that cover all but the tails.

    ``densities`` holds pdf times Gauss weight at the panels' points, ``error`` bounds the
    quadrature error and ``outside`` the probability that the panels leave out (|exp(−te^z)| ≤ 1).

    No zeros in the right half-plane: on the exponential law e^{λR} − 1 and, for λ·scale ≥ 1, on the
    logistic law e^{λR} has a completely monotone density, so that φ (times e^t) is a mixture of
    θ/(θ + t), with positive real part; on the normal law e^{λR} is infinitely divisible (Thorin
    1977), so that φ = exp(−Bernstein function). On the logistic law with c = 1/(λ·scale) > 1 no
    zeros where tan²|arg t| < 2/c: `soft_strips` with V(τ) ≤ τL′(τ) ≤ c, as the density f of Z = λR
    has (ln f)′ ≤ c, so that τ^c φ(τ) = ∫ e^{−e^v} e^{cv} [e^{−cz}f(z)] dv, z = v − ln τ, increases.
    """

    law: ContinuousLaw
    strength: Fraction
    panels: Panels
    densities: Sequence[Sequence[Any]]
    error: Any
    outside: Any

    @property
    def low(self) -> Fraction:  # type: ignore[override]
        return self.strength * self.panels.start

    @property
    def high(self) -> Fraction:  # type: ignore[override]
        return self.strength * self.panels.left(self.panels.count)

    @property
    def period(self) -> Fraction | None:  # type: ignore[override]
        width = self.panels.width * self.strength
        return width if self.panels.count > 1 else None

    def values(self, grid: Grid) -> list[Any]:
        sums = gathered(grid, self.panels, self.strength, self.densities, False)
        rest = hull(-self.error, self.error + self.outside)
        return [_in_unit(x + rest) for x in sums]

    def sector(self) -> Fraction | None:
        return line_sector(self.law, self.strength)


def line_sector(law: ContinuousLaw, strength: Fraction) -> Fraction | None:
    """`LineTransform`'s zero-free half-angle; None where none is known."""
    if isinstance(law, (Exponential, Normal)):
        return HALF_PLANE
    if isinstance(law, Logistic):
        share = strength * law.scale
        if share >= 1:
            return HALF_PLANE
        return Fraction(math.atan(math.sqrt(2 * float(share)))) * Fraction(999, 1000)
    return None
