"""What rank policies and tilts share on countably many atoms: sums over a window, and the rest.

Every sum runs over a window of atoms with the masses and both survivals of `lattice`, at three
times the precision asked for; what lies outside is bounded by the policy's `Tails`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy import Abs

from hedgetheory.errors import NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.atoms.lattice import Lattice, Row
from hedgetheory.functionals.bound import Bound, GoldCurve, Point
from hedgetheory.functionals.evaluate import at_least
from hedgetheory.functionals.growth import ONE, Growth, growth
from hedgetheory.functionals.plans import Closed, Plan, Race, Undefined
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import in_u

#: What a term of a sum is written in: the policy's mass of an atom, the law's, F below it and at
#: it; the reward is r.
selected, mass, below, upto = sympy.symbols("selected mass F_below F_at", nonnegative=True)
_COLUMNS = (selected, mass, below, upto, r)
#: No quantile is looked for beyond this atom.
FARTHEST = 10**15
_LINEAR = Growth(Fraction(1), Fraction(1))

Tail: TypeAlias = Callable[[int], Any]
#: A bound of a gold curve beyond an atom, None where it has none yet.
Size: TypeAlias = "Callable[[int], Growth | None]"


class Series(Race):
    """A sum over countably many atoms, or one of its terms, with its own two evaluators."""


@dataclass(frozen=True)
class Tails:
    """Bounds of Σ |term| above an atom k, and of Σ |term| up to and with an atom k."""

    above: Tail
    below: Tail


def working(bits: int) -> int:
    """The precision at which G(F(r)) − G(F(r−)) keeps the digits asked for."""
    return 3 * bits + 96


class OnCountable(Bound):
    """What rank policies and tilts share on a law with countably many atoms."""

    law: CountableLaw

    def reference(self) -> Lattice:
        """The law's masses at the current precision."""
        law = self.law
        program = compiled(law.mass, (r,))
        return Lattice(
            law.first,
            law.mode,
            lambda k: program(REAL, ball(k)),
            lambda k: ball(law.step(k)),
            f"{self.policy} on {law}",
        )

    @abstractmethod
    def _masses(self, rows: Sequence[Row]) -> list[Any]:
        """The policy's masses of consecutive atoms."""

    @abstractmethod
    def _tails(self, size: Size) -> Tails:
        """Bounds for terms m_k·g(k), |g| ≤ size(k) beyond (above, below) the atom k."""

    @abstractmethod
    def _bulk(self) -> Lattice:
        """The lattice on which windows are centred."""

    def _window(self, tails: Tails) -> tuple[int, int]:
        bulk = self._bulk()
        return bulk.lowest(tails.below), bulk.last(tails.above)

    def _sum(self, what: str, term: sympy.Expr, tails: Callable[[], Tails]) -> Series:
        program = compiled(term, _COLUMNS)

        def enclose() -> Any:
            found = tails()
            low, high = self._window(found)
            left_out = found.above(high)
            if low > self.law.first:
                left_out = left_out + found.below(low - 1)
            with balls.precision(working(balls.current_bits())):
                rows = self.reference().rows(low, high)
                value = symmetric(left_out)
                for row, m in zip(rows, self._masses(rows), strict=True):
                    value += program(REAL, m, row.mass, row.below, row.upto, ball(row.at))
            return value

        def estimate(digits: int) -> Any:
            with balls.precision(int(digits * balls.BITS_PER_DIGIT) + 8):
                low, high = self._window(tails())
                # F is cumulated from where the law itself begins to matter.
                low = min(low, self.reference().lowest(self.reference().bound_below))
            return self._estimated(program, low, high, digits)

        return Series(enclose, estimate, f"{what} of {self.policy} on {self.law}")

    def _estimated(self, program: Any, low: int, high: int, digits: int) -> Any:
        """The sum in mpmath, cumulated term by term from both ends of the window."""
        arithmetic = HighPrecision(3 * digits + 30)
        number = arithmetic.context.mpf
        weigh = compiled(self.law.mass, (r,))
        masses = [weigh(arithmetic, number(k)) for k in range(low, high + 1)]
        upto, above = [number(0)], [number(0)]
        for p in masses:
            upto.append(upto[-1] + p)
        for p in reversed(masses):
            above.append(above[-1] + p)
        above.reverse()
        rows = [
            Row(low + i, p, upto[i], upto[i + 1], above[i], above[i + 1])
            for i, p in enumerate(masses)
        ]
        return arithmetic.context.fsum(
            program(arithmetic, m, row.mass, row.below, row.upto, number(row.at))
            for row, m in zip(rows, self._estimated_masses(arithmetic, rows), strict=True)
        )

    @abstractmethod
    def _estimated_masses(self, arithmetic: Any, rows: Sequence[Row]) -> list[Any]: ...

    # -- means -----------------------------------------------------------------------------------
    def total_variation(self) -> Iterable[Plan]:
        def tails() -> Tails:
            policy, lattice = self._tails(lambda k: ONE), self.reference()
            return Tails(
                lambda k: policy.above(k) + lattice.bound_above(k),
                lambda k: policy.below(k) + lattice.bound_below(k),
            )

        return [self._sum("total_variation", Abs(selected - mass) / 2, tails)]

    def mean_reward(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(exact_symbol(self.law.mean))]
        return [self._sum("mean_reward", selected * r, lambda: self._tails(lambda k: _LINEAR))]

    def mean_quantile(self) -> Iterable[Plan]:
        return [self._sum("mean_quantile", selected * upto, lambda: self._tails(lambda k: ONE))]

    def win_rate(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.Rational(1, 2))]
        term = selected * (below + upto) / 2
        return [self._sum("win_rate", term, lambda: self._tails(lambda k: ONE))]

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if curve.variable is None:
            return [Closed(curve.expr)]
        expr = in_u(curve.expr)
        term = selected * expr.xreplace({u: upto})
        if curve.variable == "r":
            size = growth(expr, 1)
            return [self._sum("gold", term, lambda: self._tails(lambda k: size))]
        program = compiled(expr, (u,))

        def bounded(k: int) -> Growth | None:
            # F beyond k lies in [F_k, 1], below k in [0, F_k]; None until a ball bounds g there.
            zero, one = ball(Fraction(0)), ball(Fraction(1))
            lattice, high = self.reference(), k >= self.law.mode
            edge = lattice.bound_above(k) if high else lattice.bound_below(k)
            if not edge < one:
                return None
            size = abs(program(REAL, hull(1 - edge, one) if high else hull(zero, edge)))
            if size.is_finite():
                return Growth(balls.upper_integer(size))
            if edge < balls.power_of_two(-balls.current_bits()):
                raise NotCertified(
                    f"{curve.expr} is not bounded near u = {int(high)} by balls, which a certified "
                    f"value on {self.law} needs"
                )
            return None

        return [self._sum("gold", term, lambda: self._tails(bounded))]

    # -- pointwise -------------------------------------------------------------------------------
    def density(self, at: Point) -> Iterable[Plan]:
        return [Undefined(f"{self.law} has atoms and no density: ask for the mass")]

    def _atom(self, at: Point) -> int | None:
        if at.quantile is not None:
            return self._first_reaching(at.quantile, self._reference_cdf)
        assert at.reward is not None
        whole = at.reward.denominator == 1 and at.reward >= self.law.first
        return int(at.reward) if whole else None

    def _not_an_atom(self, at: Point) -> Plan:
        return Undefined(f"{short(at.reward or Fraction(0))} is not an atom of {self.law}")

    def _first_reaching(self, level: Fraction, cdf: Callable[[int], Plan]) -> int:
        """The smallest atom k with cdf(k) ≥ level, decided exactly or by balls."""
        low, step = self.law.first - 1, 1
        high = max(self.law.mode, self.law.first)
        while not at_least(cdf(high), level):
            low, high, step = high, high + step, 2 * step
            if high > FARTHEST:
                raise NotCertified(f"a quantile of {self.policy} on {self.law} is beyond {high}")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if at_least(cdf(middle), level) else (middle, high)
        return high

    def _reference_cdf(self, k: int) -> Plan:
        known = self.law.upto(k)
        if known is not None:
            return Closed(exact_symbol(known))
        return self._at_sides("cdf", k, lambda arithmetic, sides: sides[0])

    def _at_sides(self, what: str, k: int, of: Callable[[Any, tuple[Any, Any]], Any]) -> Series:
        """A quantity of (F_k, 1 − F_k)."""

        def enclose() -> Any:
            with balls.precision(working(balls.current_bits())):
                return of(REAL, self.reference().sides(k))

        def estimate(digits: int) -> Any:
            arithmetic = self._precise(k, digits)
            row = self._estimated_row(arithmetic, k)
            return of(arithmetic, (row.upto, row.above))

        return Series(enclose, estimate, f"{what} of {self.policy} on {self.law}")

    def _at_row(self, what: str, k: int, of: Callable[[Any, Row], Any]) -> Series:
        """A quantity of the atom k and its two ends."""

        def enclose() -> Any:
            with balls.precision(working(balls.current_bits())):
                return of(REAL, self.reference().row(k))

        def estimate(digits: int) -> Any:
            arithmetic = self._precise(k, digits)
            return of(arithmetic, self._estimated_row(arithmetic, k))

        return Series(enclose, estimate, f"{what} of {self.policy} on {self.law}")

    def _precise(self, k: int, digits: int) -> HighPrecision:
        """Digits enough for one minus the mass of the atom k to differ from one."""
        with balls.precision(64):
            size = abs(self.reference().mass(k).log())
            lost = int(balls.upper_integer(size)) if size.is_finite() else 0
        return HighPrecision(3 * digits + 30 + min(lost, 20_000) // 2)

    def _estimated_row(self, arithmetic: Any, k: int) -> Row:
        context = arithmetic.context
        weigh = compiled(self.law.mass, (r,))
        p = weigh(arithmetic, context.mpf(k))
        above, term, j = context.zero, p, k
        while above == 0 or term > above * context.eps:
            term *= arithmetic.constant(self.law.step(j))
            above += term
            j += 1
        upto, term, j = p, p, k
        while j > self.law.first and term > upto * context.eps:
            j -= 1
            term /= arithmetic.constant(self.law.step(j))
            upto += term
        return Row(k, p, upto - p, upto, above + p, above)

    def cdf(self, at: Point) -> Iterable[Plan]:
        if at.quantile is not None:
            atom = self._atom(at)
            assert atom is not None
        else:
            assert at.reward is not None
            atom = at.reward.numerator // at.reward.denominator
        return [Closed(sympy.S.Zero) if atom < self.law.first else self._cdf(atom)]

    @abstractmethod
    def _cdf(self, k: int) -> Plan: ...

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        return [Closed(sympy.Integer(self._first_reaching(level, self._cdf)))]
