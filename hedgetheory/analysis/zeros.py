"""All zeros of an exponential sum on a half-line, each isolated, none missed.

Sums in Q[x, e^{x/q}] are first made squarefree. Then every zero at x ≠ 0 is simple: a double zero
would be an algebraic x, where e^x is transcendental (Lindemann), so that all coefficients vanish
there, which squarefree and primitive factors exclude. Simple zeros can be isolated by subdivision:
the search ends, and what it covers is the whole half-line. For other sums (frequencies that are
logarithms) the same search either closes or names the gaps it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from math import comb, lcm
from typing import Any, Protocol

from hedgetheory.analysis.expsum import Coefficients, ExpSum, constant_ball
from hedgetheory.effort import spend
from hedgetheory.numerics import roots
from hedgetheory.numerics.ball import (
    ball,
    common_factor,
    current_bits,
    enclosing_rationals,
    exact_quotient,
    hull,
    precision,
    squarefree_factors,
)

#: Degree in e^{x/q} up to which a sum is decomposed; beyond it the search runs without the promise.
MAX_EXPONENTIAL_DEGREE = 400
MAX_SQUAREFREE_SIZE = 4_000
MAX_BOXES = 3_000
MAX_SIGN_BITS = 1 << 14
START_BITS = 192
#: Precisions of costly values are multiples of this.
LEVEL = 64
#: Splits are off-centre at a fraction with no meaning, so that no zero of note is an end of a box.
_SPLIT = Fraction(483, 1024)
_NARROWEST = Fraction(1, 2**50)
#: What a box costs, in units of work (`effort.spend`).
_BOX = 10


def sign_of(x: Any) -> int:
    """The certain sign of a ball, 0 where it is not certain."""
    return 1 if x > 0 else -1 if x < 0 else 0


class RealFunction(Protocol):
    """A function of a ball, with its exact sign at a rational where that is known."""

    def __call__(self, x: Any) -> Any: ...

    def exact_sign(self, x: Fraction) -> int | None: ...


def sign_at(
    total: RealFunction, x: Fraction, bits: int = START_BITS, limit: int = MAX_SIGN_BITS
) -> int:
    """The sign of the sum at a rational, 0 where it is zero or not certain."""
    exact = total.exact_sign(x)
    if exact is not None:
        return exact
    while bits <= limit:
        with precision(bits):
            sign = sign_of(total(ball(x)))
        if sign:
            return sign
        bits *= 2
    return 0


@dataclass
class Zero:
    """One zero of ``total`` in [low, high], interior unless low == high (then it is exact)."""

    total: RealFunction
    low: Fraction
    high: Fraction
    multiplicity: int
    #: The sign just below the zero, of ``total`` itself.
    sign_low: int
    #: Working precision while the interval is wide.
    bits: int = START_BITS
    #: Whether each value costs seconds: then one bit more for each that the interval is narrower,
    #: not two, in steps of `LEVEL`, so that what a value needs at one precision serves the next.
    costly: bool = False
    _pieces: int = field(default=4, repr=False)

    @property
    def exact(self) -> Fraction | None:
        return self.low if self.low == self.high else None

    def ball(self) -> Any:
        """An enclosure nearly as narrow as the current precision allows."""
        size = max(abs(self.low), abs(self.high))
        self.narrow(size / 2 ** (current_bits() - 4))
        return hull(ball(self.low), ball(self.high))

    def narrow(self, width: Fraction) -> None:
        """Quadratic interval refinement (Abbott) until high − low ≤ width, signs certified."""
        while self.high - self.low > width:
            whole, pieces = self.high - self.low, self._pieces
            narrower = max(0, -_log2(whole / max(abs(self.high), Fraction(1))))
            bits = self.bits + 2 * narrower
            if self.costly:
                bits = level(self.bits + narrower)
            with precision(bits):
                left, right = self.total(ball(self.low)), self.total(ball(self.high))
                ratio = left / (left - right)
                guess = enclosing_rationals(ratio)[0] if ratio.is_finite() else Fraction(1, 2)
            cell = min(max(int(guess * pieces), 0), pieces - 1)
            if self._shrink(cell, pieces, bits):
                self._pieces = min(pieces * pieces, 1 << 4096)
            elif pieces > 4:
                self._pieces = 1 << (pieces.bit_length() // 2)
            else:
                self._halve(bits)

    def _shrink(self, cell: int, pieces: int, bits: int) -> bool:
        step = (self.high - self.low) / pieces
        low, high = self.low + cell * step, self.low + (cell + 1) * step
        if cell and sign_at(self.total, low, bits, 4 * bits) != self.sign_low:
            return False
        if cell < pieces - 1 and sign_at(self.total, high, bits, 4 * bits) != -self.sign_low:
            return False
        self.low, self.high = low, high
        return True

    def _halve(self, bits: int) -> None:
        # Where the middle is the zero itself no precision tells its sign: the other split is tried
        # before much is spent on it.
        for limit, split in product((bits, 4 * bits, MAX_SIGN_BITS), (Fraction(1, 2), _SPLIT)):
            middle = self.low + (self.high - self.low) * split
            sign = sign_at(self.total, middle, bits, limit)
            if sign:
                break
        else:
            raise ArithmeticError("a zero cannot be narrowed: the sign stays uncertain")
        if sign == self.sign_low:
            self.low = middle
        else:
            self.high = middle


@dataclass
class Isolation:
    """The zeros found on an interval, in order, and the gaps in which the search stays open."""

    zeros: list[Zero]
    gaps: list[tuple[Fraction, Fraction | None]]

    @property
    def complete(self) -> bool:
        return not self.gaps


def level(bits: int) -> int:
    """The next step of `LEVEL` bits."""
    return -(-bits // LEVEL) * LEVEL


def _log2(x: Fraction) -> int:
    return x.numerator.bit_length() - x.denominator.bit_length()


def isolate(total: ExpSum, lower: Fraction, upper: Fraction | None = None) -> Isolation:
    """The zeros of a non-zero sum on the open interval (lower, upper), upper None for ∞.

    Multiplicities are exact where the sum is in Q[x, e^{x/q}]; elsewhere every zero found is simple
    and a multiple one leaves a gap, as does one that is not seen to be other than ``upper``.
    """
    zeros: list[Zero] = []
    gaps: list[tuple[Fraction, Fraction | None]] = []
    for factor, multiplicity in decompose(total):
        if factor.is_polynomial and factor.is_rational:
            zeros += polynomial_zeros(factor, multiplicity, lower, upper)
        else:
            search = _Search(factor, lower, multiplicity)
            search.run()
            if upper is not None:
                search.restrict(upper)
            zeros += search.zeros
            gaps += search.gaps
    return Isolation(_in_order(zeros), gaps)


def decompose(total: ExpSum) -> list[tuple[ExpSum, int]]:
    """Squarefree factors with multiplicities, polynomial contents apart, where this is feasible."""
    total = total.relative_to_top()
    if total.is_polynomial or total.logarithmic or not total.is_rational:
        return [(total, 1)]
    q = lcm(*(key.denominator for key in total.terms))
    lowest = min(total.terms)
    degree = int(-lowest * q)
    size = sum(len(p) for p in total.terms.values())
    if degree > MAX_EXPONENTIAL_DEGREE or degree * size > MAX_SQUAREFREE_SIZE * 8:
        return [(total, 1)]
    scale = lcm(
        *(c.denominator for p in total.terms.values() for c in p if isinstance(c, Fraction))
    )
    table = {
        (i, int((key - lowest) * q)): int(c * scale)
        for key, p in total.terms.items()
        for i, c in enumerate(p)
        if c
    }
    out: list[tuple[ExpSum, int]] = []
    for factor, multiplicity in squarefree_factors(table):
        out += [(part, multiplicity) for part in _primitive_parts(factor, q)]
    return out


def _primitive_parts(factor: dict[Any, int], q: int) -> list[ExpSum]:
    """The content in Q[x] and the primitive part of Σ factor[i, j] xⁱ e^{jx/q}, non-constants."""
    rows: dict[int, list[int]] = {}
    for (i, j), c in factor.items():
        row = rows.setdefault(j, [])
        row.extend([0] * (i + 1 - len(row)))
        row[i] = c
    content = common_factor(list(rows.values()))
    parts = []
    if len(content) > 1:
        parts.append(ExpSum({Fraction(0): tuple(map(Fraction, content))}))
        rows = {j: exact_quotient(row, content) for j, row in rows.items()}
    if len(rows) > 1:
        primitive = {Fraction(j, q): tuple(map(Fraction, row)) for j, row in rows.items()}
        parts.append(ExpSum(primitive).relative_to_top())
    return parts


def polynomial_zeros(
    total: ExpSum, multiplicity: int, lower: Fraction | None, upper: Fraction | None
) -> list[Zero]:
    """The zeros of a rational polynomial in (lower, upper), an end None being infinite."""
    zeros = []
    for root in roots.polynomial_roots(total.rational_polynomial):
        factor = ExpSum({total.neutral: tuple(map(Fraction, root.factor))}, total.logarithmic)
        zero = Zero(
            factor,
            root.low,
            root.high,
            multiplicity * root.multiplicity,
            roots.sign_at(root.factor, root.low),
        )
        # An irrational root differs from every rational bound, so this ends.
        for bound in (lower, upper):
            while bound is not None and zero.exact is None and zero.low <= bound <= zero.high:
                zero.narrow((zero.high - zero.low) / 4)
        if (lower is None or zero.low > lower) and (upper is None or zero.high < upper):
            zeros.append(zero)
    return zeros


def _in_order(zeros: list[Zero]) -> list[Zero]:
    """Sorted, with disjoint enclosures: distinct factors have distinct zeros."""
    zeros = sorted(zeros, key=lambda zero: zero.low)
    again = True
    while again:
        again = False
        zeros.sort(key=lambda zero: zero.low)
        for left, right in pairwise(zeros):
            if left.high >= right.low:
                again = True
                for zero in (left, right):
                    zero.narrow((zero.high - zero.low) / 16)
    return zeros


def definite_sign(coefficients: Sequence[Any], width: Fraction) -> int:
    """The sign of Σ c_j t^j on [0, width] from its Bernstein coefficients, 0 if not certain.

    The last coefficient may be an enclosure of a remainder that varies with t.
    """
    degree, w, power = len(coefficients) - 1, ball(width), ball(1)
    values = []
    for j, c in enumerate(coefficients):
        values.append(c * power / comb(degree, j))
        power = power * w
    sign = sign_of(values[0])
    # b_i = Σ_j C(i, j) values_j, by Pascal's rule; b_k is final once the pass k is done.
    for k in range(degree):
        for i in range(degree, k, -1):
            values[i] += values[i - 1]
        if sign == 0 or sign_of(values[k + 1]) != sign:
            return 0
    return sign


class _Search:
    """Subdivision of (lower, ∞): a neighbourhood of the lower end, boxes, a neighbourhood of ∞."""

    def __init__(self, total: ExpSum, lower: Fraction, multiplicity: int) -> None:
        self.total = total.relative_to_top()
        self.lower = lower
        self.multiplicity = multiplicity
        self.zeros: list[Zero] = []
        self.gaps: list[tuple[Fraction, Fraction | None]] = []
        self.boxes = 0
        self.order = 0

    def run(self) -> None:
        start = self._lower_end()
        end = self._tail(start)
        if end is None:
            self.gaps.append((start, None))
            return
        self._cover(start, end)

    def restrict(self, upper: Fraction) -> None:
        """Leaves out what is beyond a finite upper end."""
        inside = []
        for zero in self.zeros:
            if zero.low >= upper:
                continue
            try:
                while zero.high > upper and zero.high - zero.low > _NARROWEST * upper:
                    zero.narrow((zero.high - zero.low) / 16)
                    if zero.low >= upper:
                        break
            except ArithmeticError:  # its sign stays uncertain
                pass
            if zero.high <= upper:
                inside.append(zero)
            elif zero.low < upper:
                self.gaps.append((zero.low, upper))
        self.zeros = inside
        self.gaps = [
            (low, upper if high is None else min(high, upper))
            for low, high in sorted(self.gaps, key=lambda gap: gap[0])
            if low < upper
        ]

    def _lower_end(self) -> Fraction:
        """A point up to which there is no zero beyond the one at the lower end itself."""
        leading = self.total.leading(self.lower)
        if leading is None and sign_at(self.total, self.lower):
            # Of no exact value there, but certainly not zero.
            leading = 0, Fraction(1)
        if leading is not None:
            order, coefficient = leading
            self.order = order
            length, h = order + 16, Fraction(1023, 1024)
            for bits in (START_BITS + 8 * order, 4 * START_BITS + 32 * order):
                with precision(bits):
                    if sign_of(constant_ball(coefficient)) == 0:
                        continue
                    jet = self.total.jet(ball(self.lower), length)[order:]
                    for _ in range(200):
                        box = hull(ball(self.lower), ball(self.lower + h))
                        last = self.total.jet(box, length + 1)[length]
                        if definite_sign([*jet, last], h):
                            return self.lower + h
                        h /= 2
        tiny = Fraction(1, 2**40)
        self.gaps.append((self.lower, self.lower + tiny))
        return self.lower + tiny

    def _tail(self, start: Fraction) -> Fraction | None:
        """A point beyond which the fastest exponential has the sign of its leading term."""
        (top, lead), *rest = self.total.terms.items()
        x = start + 1
        for _ in range(400):
            with precision(START_BITS):
                if self._dominated(top, lead, rest, x):
                    return x
            x = self.lower + 2 * (x - self.lower)
        return None

    def _dominated(
        self,
        top: Fraction,
        lead: Coefficients,
        rest: list[tuple[Fraction, Coefficients]],
        x: Fraction,
    ) -> bool:
        degree = len(lead) - 1
        if x <= 0:
            return False
        at = ball(x)
        room = abs(constant_ball(lead[-1]))
        for i, c in enumerate(lead[:-1]):
            room -= abs(constant_ball(c)) * at ** (i - degree)
        for key, p in rest:
            beta = ball(key).log() if self.total.logarithmic else ball(key)
            factor = (beta * at).exp()
            for i, c in enumerate(p):
                # x^{i−degree} e^{βx} falls from x = (i − degree)/|β| on.
                if i > degree and not at * -beta > i - degree:
                    return False
                room -= abs(constant_ball(c)) * at ** (i - degree) * factor
        return bool(room > 0)

    def _cover(self, start: Fraction, end: Fraction) -> None:
        stack: list[tuple[Fraction, Fraction]] = []
        edge = start
        while edge < end:
            step = min(edge + (edge - self.lower) * Fraction(1021, 1024), end)
            stack.append((edge, step))
            edge = step
        stack.reverse()
        while stack:
            low, high = stack.pop()
            self.boxes += 1
            spend(_BOX)
            if self._settled(low, high):
                continue
            if self.boxes > MAX_BOXES or high - low < _NARROWEST * (high - self.lower):
                self._open(low, high)
                continue
            middle = low + (high - low) * _SPLIT
            stack += [(middle, high), (low, middle)]

    def _open(self, low: Fraction, high: Fraction) -> None:
        if self.gaps and self.gaps[-1][1] == low:
            low = self.gaps.pop()[0]
        self.gaps.append((low, high))

    def _settled(self, low: Fraction, high: Fraction) -> bool:
        """Whether [low, high] certainly has no zero, or exactly one simple zero (then kept)."""
        # Near the lower end the sum is as small as its order k there says, (x − lower)^k: only a
        # Taylor polynomial of a higher degree sees that.
        length = 20 + (self.order if low - self.lower < 2 * self.order else 0)
        bits = START_BITS
        while True:
            with precision(bits):
                jet = self.total.jet(ball(low), length)
                if jet[0].rel_accuracy_bits() < 30 and bits < MAX_SIGN_BITS // 4:
                    bits *= 2
                    continue
                box = hull(ball(low), ball(high))
                last = self.total.jet(box, length + 1)[length]
                width = high - low
                if definite_sign([*jet, last], width):
                    return True
                slope = [j * c for j, c in enumerate([*jet, last])][1:]
                if not definite_sign(slope, width):
                    return False
                left = sign_of(jet[0])
            break
        right = sign_at(self.total, high, bits)
        if left == 0 or right == 0:
            return False
        if left != right:
            self.zeros.append(Zero(self.total, low, high, self.multiplicity, left))
        return True
