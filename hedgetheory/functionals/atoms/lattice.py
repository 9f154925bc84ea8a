"""Certified sums over the integers for log-concave masses: windows, both tails, and their bounds.

Where p_{k+1}/p_k does not increase in k, with ρ = p_{K+2}/p_{K+1} < 1 everything beyond K is below
p_{K+1}/(1 − ρ), and the survivals satisfy S_{K+i} ≤ ρ^i S_K, since S_k = Σ_{j≥k} p_j (p_{j+1}/p_j)
≤ (p_{k+1}/p_k) S_{k−1}. Downwards the ratios p_{k−1}/p_k do not increase either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hedgetheory.errors import NotCertified
from hedgetheory.functionals.growth import ONE, Growth
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball, hull

#: Atoms times 64-bit words that one sum may visit: a few seconds.
MAX_WORK = 400_000

_ZERO, _ONE = Fraction(0), Fraction(1)


def check_atoms(count: int, what: str) -> None:
    """Raise NotCertified where ``count`` atoms at this precision are too much work."""
    if count * balls.current_bits() > 64 * MAX_WORK:
        raise NotCertified(
            f"{what} is a sum over more than {64 * MAX_WORK // balls.current_bits()} atoms at "
            f"{balls.current_bits()} bits, which is not attempted: ask for fewer digits, or take a "
            "law with its mass on fewer atoms"
        )


@dataclass(frozen=True)
class Row:
    """An atom k: its mass, F at k − 1 and k, and the survivals 1 − F at the same two."""

    at: int
    mass: Any
    below: Any
    upto: Any
    above_or_at: Any
    above: Any


@dataclass(frozen=True)
class Lattice:
    """Masses p_k > 0 on k ≥ first, log-concave, by balls at the current precision.

    ``mass(k)`` is a closed form, ``step(k)`` is p_{k+1}/p_k; ``mode`` is an atom of the bulk.
    """

    first: int
    mode: int
    mass: Callable[[int], Any]
    step: Callable[[int], Any]
    what: str

    def bound_above(self, k: int) -> Any:
        """An upper bound of S_k = Σ_{j>k} p_j; NaN where the ratio there is not below one."""
        ratio = self.step(k + 1)
        return (self.mass(k + 1) / (1 - ratio)).upper() if ratio < 1 else balls.no_bound()

    def bound_below(self, k: int) -> Any:
        """An upper bound of Σ_{j≤k} p_j."""
        if k < self.first:
            return ball(_ZERO)
        if k == self.first:
            return self.mass(k).upper()
        ratio = 1 / self.step(k - 1)
        return (self.mass(k) / (1 - ratio)).upper() if ratio < 1 else balls.no_bound()

    def above(self, k: int) -> Any:
        """S_k = Σ_{j>k} p_j to about the working precision, relative."""
        return self._one_side(k + 1, 1)

    def upto(self, k: int) -> Any:
        """F_k = Σ_{j≤k} p_j to about the working precision, relative."""
        return ball(_ZERO) if k < self.first else self._one_side(k, -1)

    def _one_side(self, start: int, side: int) -> Any:
        term = total = self.mass(start)
        small = balls.power_of_two(-balls.current_bits())
        k, count = start, 0
        while side > 0 or k > self.first:
            ratio = self.step(k) if side > 0 else 1 / self.step(k - 1)
            if ratio < 1:
                rest = term * ratio / (1 - ratio)
                if rest < total * small:
                    return total + hull(ball(_ZERO), rest)
            term = term * ratio
            total += term
            k += side
            count += 1
            if count % 1024 == 0:
                check_atoms(count, self.what)
        return total

    def sides(self, k: int) -> tuple[Any, Any]:
        """(F_k, 1 − F_k), the smaller side summed and the other its complement."""
        if k < self.first:
            return ball(_ZERO), ball(_ONE)
        if k >= self.mode:
            above = self.above(k)
            return 1 - above, above
        upto = self.upto(k)
        return upto, 1 - upto

    def row(self, k: int) -> Row:
        """The atom k alone, with both of its ends to full relative precision."""
        mass = self.mass(k)
        if k > self.mode:
            above = self.above(k)
            both = above + mass
            return Row(k, mass, 1 - both, 1 - above, both, above)
        below = self.upto(k - 1)
        upto = below + mass
        if k == self.mode:
            above = self.above(k)
            return Row(k, mass, below, upto, above + mass, above)
        return Row(k, mass, below, upto, 1 - below, 1 - upto)

    def rows(self, low: int, high: int) -> list[Row]:
        """The atoms from low to high, F summed from below and 1 − F from above."""
        count = high - low + 1
        check_atoms(2 * count, self.what)
        start = min(max(self.mode, low), high)
        masses = [self.mass(start)]
        for k in range(start, high):
            masses.append(masses[-1] * self.step(k))
        downward = [masses[0]]
        for k in range(start - 1, low - 1, -1):
            downward.append(downward[-1] / self.step(k))
        masses = downward[:0:-1] + masses
        upto = [self.sides(low - 1)[0]]
        for mass in masses:
            upto.append(upto[-1] + mass)
        above = [self.sides(high)[1]]
        for mass in reversed(masses):
            above.append(above[-1] + mass)
        above.reverse()
        return [
            Row(low + i, mass, upto[i], upto[i + 1], above[i], above[i + 1])
            for i, mass in enumerate(masses)
        ]

    # -- bounds of weighted tails ----------------------------------------------------------------

    def beyond(
        self, k: int, growth: Growth | None = ONE, power: Fraction = _ONE, factor: Any = None
    ) -> Any:
        """A bound of Σ_{j>k} factor·S_{j−1}^power·b(j), b(j) = size·max(1, j)^degree·e^{rate·j}.

        With j = k + 1 + i: S_{j−1} ≤ ρ^i S_k and b(j) ≤ b(k + 1) β^i, β = ((k+2)/(k+1))^degree
        e^{rate} as k + 1 ≥ 1, hence at most factor·S_k^power b(k + 1)/(1 − ρ^power β).
        """
        if k < 0 or growth is None:
            return balls.no_bound()
        survival, ratio = self.bound_above(k), self.step(k + 1)
        if not survival.is_finite():
            return survival
        rate = ball(growth.rate).exp()
        if not rate.is_finite():
            return balls.no_bound()
        swell = (ball(_ONE) * (k + 2) / (k + 1)) ** ball(growth.degree) * rate
        decay = ratio ** ball(power) * swell
        if not decay < 1:
            return balls.no_bound()
        total = survival ** ball(power) * _height(growth, k + 1) / (1 - decay)
        return (total if factor is None else factor * total).upper()

    def beneath(self, k: int, growth: Growth | None = ONE) -> Any:
        """A bound of Σ_{j≤k} p_j b(j), b as in `beyond`, where first ≥ 0."""
        if growth is None:
            return balls.no_bound()
        return (self.bound_below(k) * _height(growth, max(k, 0))).upper()

    def last(self, tail: Callable[[int], Any]) -> int:
        """About the smallest k ≥ mode with tail(k) below the working precision."""
        return self._search(tail, 1)

    def lowest(self, tail: Callable[[int], Any]) -> int:
        """About the largest k ≤ mode with tail(k − 1) below the working precision, or first."""
        if self.mode <= self.first:
            return self.first
        return self._search(lambda k: tail(k - 1), -1)

    def _search(self, tail: Callable[[int], Any], side: int) -> int:
        small = balls.power_of_two(-balls.current_bits())

        def far_enough(distance: int) -> bool:
            k = self.mode + side * distance
            if k <= self.first and side < 0:
                return True
            bound = tail(k)
            return bool(bound.is_finite() and bound < small)

        near, far = 0, 1
        while not far_enough(far):
            near, far = far, 2 * far
            check_atoms(near, self.what)
        while far - near > max(1, far // 64):
            middle = (near + far) // 2
            near, far = (near, middle) if far_enough(middle) else (middle, far)
        return max(self.mode + side * far, self.first)


def _height(growth: Growth, k: int) -> Any:
    m = max(1, k)
    return (
        ball(growth.size) * ball(Fraction(m)) ** ball(growth.degree) * (ball(growth.rate) * m).exp()
    )
