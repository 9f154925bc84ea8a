"""The gold curve in exact pieces: Σ a_k x^{c_k}, rational exponents, on rational intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import comb, lcm
from typing import Any, Protocol

import sympy

from hedgetheory.analysis.expsum import (
    Coefficient,
    ExpSum,
    canonical,
    constant_ball,
    is_zero,
    symbolic,
)
from hedgetheory.analysis.zeros import Zero, polynomial_zeros
from hedgetheory.laws.base import exact_symbol
from hedgetheory.numerics.ball import precision

#: Terms of one piece, and its degree, up to which the exact treatment is attempted.
MAX_TERMS = 128
MAX_DENSE_DEGREE = 400
#: How narrow an isolating interval is made to part a zero from an end.
_NARROWEST = Fraction(1, 2**2000)


class Gold(Protocol):
    """A gold curve: an expression in `symbols.u` (a quantile) or `symbols.r` (a reward)."""

    @property
    def expr(self) -> sympy.Expr: ...

    @property
    def variable(self) -> str | None: ...


class NotPolynomial(Exception):
    """The gold curve is not piecewise polynomial with rational exponents and breakpoints."""


Terms = dict[Fraction, Coefficient]


@dataclass(frozen=True)
class Piece:
    """Σ terms[c] x^c on [low, high]; an end None is infinite."""

    low: Fraction | None
    high: Fraction | None
    terms: Terms

    @property
    def degree(self) -> int:
        return max((int(c) for c in self.terms), default=0)

    @property
    def is_polynomial(self) -> bool:
        return all(c.denominator == 1 for c in self.terms)

    @property
    def coefficients(self) -> tuple[Coefficient, ...]:
        """The polynomial's coefficients, the constant first."""
        out: list[Coefficient] = [Fraction(0)] * (self.degree + 1)
        for c, a in self.terms.items():
            out[int(c)] = a
        return tuple(out) if any(not is_zero(a) for a in out) else ()

    @property
    def expr(self) -> Callable[[sympy.Expr], sympy.Expr]:
        return lambda x: sympy.Add(
            *(symbolic(a) * x ** exact_symbol(c) for c, a in self.terms.items())
        )

    def at(self, x: Fraction) -> Coefficient:
        """The exact value at a rational point."""
        total = sympy.S.Zero
        for c, a in self.terms.items():
            power = sympy.S.One if c == 0 else exact_symbol(x) ** exact_symbol(c)
            total += symbolic(a) * power
        return canonical(total)

    def derivative(self) -> Piece:
        terms = {
            c - 1: canonical(symbolic(a) * exact_symbol(c)) for c, a in self.terms.items() if c
        }
        return Piece(self.low, self.high, terms)


def pieces_of(
    expr: sympy.Expr, symbol: sympy.Symbol, low: Fraction | None, high: Fraction | None
) -> list[Piece]:
    """The pieces of an expression on [low, high], neighbours that agree joined.

    Raises NotPolynomial for anything but `+ - * /constant **rational abs min max where` with
    rational breakpoints.

    >>> from hedgetheory.expressions.symbols import u
    >>> [p.high for p in pieces_of(abs(u - sympy.Rational(1, 2)), u, Fraction(0), Fraction(1))]
    [Fraction(1, 2), Fraction(1, 1)]
    """
    out: list[Piece] = []
    for left, right, smooth in smooth_pieces(expr, symbol, low, high):
        piece = Piece(left, right, _terms(smooth, symbol))
        if (left is None or left < 0) and any(c.denominator > 1 for c in piece.terms):
            raise NotPolynomial("a root of a variable that may be negative")
        if out and out[-1].terms == piece.terms:
            out[-1] = Piece(out[-1].low, right, piece.terms)
        else:
            out.append(piece)
    return out


Smooth = tuple["Fraction | None", "Fraction | None", sympy.Expr]


def smooth_pieces(
    expr: sympy.Expr, symbol: sympy.Symbol, low: Fraction | None, high: Fraction | None
) -> list[Smooth]:
    """Intervals on which `abs`, `min`, `max` and `where` are resolved, with what is left of g.

    Raises NotPolynomial where a breakpoint is not a rational root of a polynomial.
    """
    switch = _innermost_switch(expr)
    if switch is None:
        return [(low, high, expr)]
    out: list[Smooth] = []
    for left, right in _cells(_deciding(switch), symbol, low, high):
        resolved = _resolve(switch, symbol, _inside(left, right))
        out += smooth_pieces(expr.xreplace({switch: resolved}), symbol, left, right)
    return out


_SWITCHES = (sympy.Abs, sympy.Min, sympy.Max, sympy.Piecewise)


def _innermost_switch(expr: sympy.Expr) -> sympy.Expr | None:
    if not expr.has(*_SWITCHES):
        return None
    for part in sympy.postorder_traversal(expr):
        if isinstance(part, _SWITCHES):
            return part
    return None


def _deciding(switch: sympy.Expr) -> list[sympy.Expr]:
    """Expressions whose zeros are where the switch may turn."""
    if isinstance(switch, sympy.Abs):
        return [switch.args[0]]
    if isinstance(switch, sympy.Piecewise):
        relations = {
            rel
            for piece in switch.args
            for rel in piece.cond.atoms(sympy.core.relational.Relational)
        }
        return [rel.lhs - rel.rhs for rel in sorted(relations, key=str)]
    arguments = list(switch.args)
    return [a - b for i, a in enumerate(arguments) for b in arguments[:i]]


def _cells(
    deciding: list[sympy.Expr], symbol: sympy.Symbol, low: Fraction | None, high: Fraction | None
) -> list[tuple[Fraction | None, Fraction | None]]:
    breaks: set[Fraction] = set()
    for expr in deciding:
        for zero in _zeros_between(Piece(low, high, _terms(expr, symbol))):
            if zero is None:
                raise NotPolynomial("a breakpoint is irrational")
            breaks.add(zero)
    ends: list[Fraction | None] = [low, *sorted(breaks), high]
    return list(pairwise(ends))


def _zeros_between(piece: Piece) -> list[Fraction | None]:
    """The interior zeros of a piece, None where irrational; none for the zero function."""
    return [root.exact for root, _ in zeros_of(piece)]


def _inside(low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is None:
        return (high or Fraction(0)) - 1
    return low + 1 if high is None else (low + high) / 2


def _resolve(switch: sympy.Expr, symbol: sympy.Symbol, point: Fraction) -> sympy.Expr:
    at = {symbol: exact_symbol(point)}
    if isinstance(switch, sympy.Abs):
        inner = switch.args[0]
        return inner if inner.subs(at) >= 0 else -inner
    if isinstance(switch, sympy.Piecewise):
        for piece in switch.args:
            if piece.cond.subs(at) == sympy.true:
                return piece.expr
        raise NotPolynomial("a piecewise formula leaves a case open")
    pick = min if isinstance(switch, sympy.Min) else max
    return pick(switch.args, key=lambda a: a.subs(at))


def _terms(expr: sympy.Expr, symbol: sympy.Symbol) -> Terms:
    if _expanded_size(expr, symbol) > MAX_TERMS * 4:
        raise NotPolynomial("the expanded polynomial is too long")
    terms: dict[Fraction, sympy.Expr] = {}
    for term in sympy.Add.make_args(sympy.expand(expr)):
        if term == 0:
            continue
        coefficient, power = term.as_independent(symbol, as_Add=False)
        base, exponent = power.as_base_exp() if power != 1 else (symbol, sympy.S.Zero)
        if base != symbol or not exponent.is_Rational or exponent < 0:
            raise NotPolynomial(f"{term} is not a monomial")
        if not coefficient.is_real or not coefficient.is_finite:
            raise NotPolynomial(f"{coefficient} is not a real constant")
        key = Fraction(int(exponent.p), int(exponent.q))
        terms[key] = terms.get(key, sympy.S.Zero) + coefficient
    exact = {c: canonical(a) for c, a in sorted(terms.items())}
    exact = {c: a for c, a in exact.items() if not is_zero(a)}
    if len(exact) > MAX_TERMS:
        raise NotPolynomial("too many terms for the exact treatment")
    return exact


def _expanded_size(expr: sympy.Expr, symbol: sympy.Symbol) -> int:
    """A bound of the number of terms after expansion; large where expansion must not be tried."""
    if not expr.has(symbol) or expr == symbol:
        return 1
    if isinstance(expr, sympy.Add):
        return sum(_expanded_size(arg, symbol) for arg in expr.args)
    if isinstance(expr, sympy.Mul):
        size = 1
        for arg in expr.args:
            size *= _expanded_size(arg, symbol)
        return size
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer and expr.exp > 0:
        inner = _expanded_size(expr.base, symbol)
        if inner == 1:
            return 1
        power = int(expr.exp)
        return comb(power + inner - 1, inner - 1) if power < 1000 else 10**9
    return 1


# Zeros and sign changes -----------------------------------------------------------------------


@dataclass(frozen=True)
class Root:
    """A zero at v^q of a generalised polynomial, v isolated; exact where v is rational."""

    zero: Zero
    q: int

    @property
    def exact(self) -> Fraction | None:
        return None if self.zero.exact is None else self.zero.exact**self.q

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        return self.zero.low**self.q, self.zero.high**self.q

    def ball(self) -> Any:
        return self.zero.ball() ** self.q


def zeros_of(piece: Piece) -> list[tuple[Root, int]]:
    """The zeros inside the piece with their multiplicities, in order; none where it vanishes.

    Raises NotPolynomial for irrational coefficients and degrees beyond the exact treatment.
    """
    if len(piece.terms) < 1:
        return []
    # x > 0 inside of such a piece, so that x^least has no zero there; a slope may have least < 0.
    positive = piece.low is not None and piece.low >= 0
    least = min(piece.terms) if positive else Fraction(0)
    exponents = {c - least: a for c, a in piece.terms.items()}
    q = lcm(*(c.denominator for c in exponents))
    degree = int(max(exponents) * q)
    if degree > MAX_DENSE_DEGREE:
        raise NotPolynomial("the degree is too large for exact roots")
    dense: list[Coefficient] = [Fraction(0)] * (degree + 1)
    for c, a in exponents.items():
        if not isinstance(a, Fraction):
            raise NotPolynomial("an irrational coefficient")
        if c < 0:
            raise NotPolynomial("a negative power of a variable that may be zero")
        dense[int(c * q)] = a
    if degree == 0:
        return []
    # x = v^q with v > 0; for q = 1 the variable may be a reward of either sign.
    total = ExpSum({Fraction(0): tuple(dense)})
    found = polynomial_zeros(total, 1, None if q == 1 else Fraction(0), None)
    out = []
    for zero in sorted(found, key=lambda zero: zero.low):
        root = Root(zero, q)
        if _is_inside(piece, root):
            out.append((root, zero.multiplicity))
    return out


def _is_inside(piece: Piece, root: Root) -> bool:
    low, high = piece.low, piece.high
    if root.exact is not None:
        return (low is None or root.exact > low) and (high is None or root.exact < high)
    zero = root.zero
    for end in (low, high):
        if end is None or not root.bounds[0] <= end <= root.bounds[1]:
            continue
        # v is irrational, but v^q may be the end itself, as (1/√2)^2: the interval holds one zero.
        if is_zero(piece.at(end)):
            return False
        # Elsewhere narrowing parts them; bounded, should `at` not have seen a zero as one.
        while root.bounds[0] <= end <= root.bounds[1]:
            if zero.high - zero.low < _NARROWEST:
                raise NotPolynomial(f"a zero is not told from {end}")
            zero.narrow((zero.high - zero.low) / 16)
    return (low is None or root.bounds[0] >= low) and (high is None or root.bounds[1] <= high)


@dataclass(frozen=True)
class Change:
    """A strict sign change of dg: where it is, and its sign before and after."""

    low: Fraction
    high: Fraction
    before: int
    after: int

    def describe(self, digits: int = 12) -> str:
        if self.low == self.high:
            return str(self.low)
        middle = (self.low + self.high) / 2
        return f"{float(middle):.{digits}g}"


def slope_pattern(pieces: list[Piece]) -> tuple[list[int], list[Change]]:
    """The strict signs of dg in order (jumps included) and where they change.

    Raises NotPolynomial where the exact treatment does not reach.
    """
    marks: list[tuple[Fraction, Fraction, int]] = []  # (low, high of the place, sign from there on)
    for i, piece in enumerate(pieces):
        if i:
            at = piece.low or Fraction(0)
            jump = canonical(symbolic(piece.at(at)) - symbolic(pieces[i - 1].at(at)))
            marks.append((at, at, constant_sign(jump)))
        slope = piece.derivative()
        if not slope.terms:
            continue
        inner = zeros_of(slope)
        starts = [(piece.low, piece.low), *(root.bounds for root, _ in inner)]
        ends = [*(root.bounds[0] for root, _ in inner), piece.high]
        for (left, right), end in zip(starts, ends, strict=True):
            sign = constant_sign(slope.at(_inside(right, end)))
            here = Fraction(-(10**9)) if left is None else left
            marks.append((here, here if right is None else right, sign))
    signs: list[int] = []
    changes: list[Change] = []
    for low, high, sign in marks:
        if sign == 0 or (signs and sign == signs[-1]):
            continue
        if signs:
            changes.append(Change(low, high, signs[-1], sign))
        signs.append(sign)
    return signs, changes


def constant_sign(value: Coefficient) -> int:
    """The sign of an exact constant. Raises NotPolynomial where balls cannot tell it from zero."""
    if isinstance(value, Fraction):
        return (value > 0) - (value < 0)
    bits = 128
    while bits <= 4096:
        with precision(bits):
            x = constant_ball(value)
            if x > 0:
                return 1
            if x < 0:
                return -1
        bits *= 2
    raise NotPolynomial(f"the sign of {value} is not certain")
