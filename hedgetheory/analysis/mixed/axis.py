"""Gold on a law with atoms and a density, written so that jumps and gaps are ordinary stretches.

**By quantiles.** With Q the quantile function, R has under a rank policy the law of Q(V), V ~ G, on
every law, so that f(θ) = ∫ g(Q(v)) dG_θ(v): the policy on the uniform law with gold g∘Q, which is
flat at g(a) on the interval (F(a−), F(a)) of an atom a. Gold in u is taken at u = F(R).

**By rewards.** f(θ) = g(c) + ∫_c g′ (1 − G(F)) − ∫^c g′ G(F) holds on every law for gold that is
continuous at the atoms, with F between two atoms that of the stretch. Where no mass is, g may be
any: it is taken as the straight line. A jump of g at an atom a happens in two steps, from g(a−) to
g(a) where the cdf is F(a−), and from there to g(a+) where it is F(a): each becomes a stretch of
length one, inserted into the axis, on which g is a straight line and the cdf that constant. So x
is the reward plus a shift that is constant on each stretch. k_θ(F(x)) is as totally positive in
(θ, x) as k_θ(u) in (θ, u), as F does not decrease, and the sign changes of dg along x are those of
the values that g takes on the support: the fewest that there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import sympy

from hedgetheory.analysis.coordinates import Coordinate
from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.gold import Change, Gold, NotPolynomial, smooth_pieces
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.base import Piece, exact_symbol
from hedgetheory.laws.mixed import Level, MixedLaw
from hedgetheory.policies.base import in_u

#: Stretches of an axis, each a piece of the gold curve and an integral.
MAX_STRETCHES = 200


def gold_in_quantiles(law: MixedLaw, gold: Gold) -> Gold:
    """g∘Q as a formula in u with rational breakpoints, flat on the intervals of atoms.

    For gold in u, and for gold in r where the quantile function of the part is a polynomial.
    Raises NoExactForm elsewhere, and where an atom's quantiles are irrational.
    """
    expr = in_u(gold.expr)
    inverse = None
    if expr.has(r):
        inverse = in_u(law.part.quantile) if "quantile" in law.part.formulas else None
        if inverse is None or not inverse.is_polynomial(u):
            raise NoExactForm(f"the quantile function of {law.part} is not a polynomial")
    if 2 * len(law.atoms) + 1 > MAX_STRETCHES:
        raise NoExactForm(f"{len(law.atoms)} atoms are beyond what is examined here")
    weight = exact_symbol(law.weight)
    cases: list[tuple[sympy.Expr, Fraction]] = []
    before, start = Fraction(0), Fraction(0)
    ends = [*zip(law.atoms, law.levels, strict=True), None]
    for end in ends:
        below = Fraction(1) if end is None else _rational(law, end[1][0])
        if below > start:
            inner = expr
            if inverse is not None:
                place = inverse.xreplace({u: (u - exact_symbol(before)) / weight})
                inner = expr.xreplace({r: place})
            cases.append((inner, below))
        if end is not None:
            (value, mass), (_, upto) = end
            start = _rational(law, upto)
            cases.append((_at(expr, value, upto), start))
            before += mass
    return cast("Gold", SimpleNamespace(expr=_piecewise(cases, u), variable="u"))


def _rational(law: MixedLaw, level: Level) -> Fraction:
    if isinstance(level, Fraction):
        return level
    raise NoExactForm(f"an atom of {law} is at an irrational quantile")


def _at(expr: sympy.Expr, value: Fraction, upto: Level) -> sympy.Expr:
    """g at an atom: exact."""
    level = exact_symbol(upto) if isinstance(upto, Fraction) else upto
    found = expr.subs({r: exact_symbol(value), u: level})
    if not found.is_real or not found.is_finite:
        raise NoExactForm(f"the gold value at {value} is not a real number")
    return found


def _piecewise(cases: list[tuple[sympy.Expr, Fraction]], x: sympy.Symbol) -> sympy.Expr:
    """A formula by its pieces, each with its upper end."""
    *first, (last, _) = cases
    return sympy.Piecewise(*((form, x < exact_symbol(end)) for form, end in first), (last, True))


@dataclass
class Axis:
    """Gold along x, the reward with what was inserted: see "By rewards" above."""

    law: MixedLaw
    gold: sympy.Expr
    #: g in x (written r) by stretch, and where the last of them ends.
    cases: list[tuple[sympy.Expr, Fraction]] = field(default_factory=list)
    coordinates: list[Coordinate] = field(default_factory=list)
    #: (from which x on, shift, atom): x is the reward plus the shift, or stands for the atom.
    places: list[tuple[Fraction | None, Fraction, Fraction | None]] = field(default_factory=list)
    shift: Fraction = Fraction(0)
    #: Where integrals over the whole line are cut.
    centre: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        law = self.law
        try:
            self._smooth = smooth_pieces(self.gold, r, *law.support)
        except NotPolynomial as why:
            raise NoExactForm(str(why)) from None
        if len(law.pieces) + 2 * len(law.atoms) > MAX_STRETCHES:
            raise NoExactForm(f"{len(law.atoms)} atoms are beyond what is examined here")
        self._levels = {
            value: levels for (value, _), levels in zip(law.atoms, law.levels, strict=True)
        }
        self.low = law.support[0]
        for piece in law.pieces:
            self._through(piece.low, right=piece)
            self._along(piece)
            self._through(piece.high, left=piece)
        self.high = None if law.support[1] is None else law.support[1] + self.shift
        self.expr = _piecewise(self.cases, r) if len(self.cases) > 1 else self.cases[0][0]

    def reward(self, x: Fraction) -> Fraction:
        """The reward at a place of the axis; of an inserted stretch that of its atom."""
        _, shift, atom = next(p for p in reversed(self.places) if p[0] is None or x >= p[0])
        return x - shift if atom is None else atom

    def moved(self, changes: list[Change]) -> list[Change]:
        """Sign changes with their places as rewards."""
        return [Change(self.reward(c.low), self.reward(c.high), c.before, c.after) for c in changes]

    # -- values at the ends of stretches ---------------------------------------------------------
    def _limit(self, at: Fraction, side: int) -> sympy.Expr:
        """The limit of g at a reward from below (side −1) or above."""
        for low, high, form in self._smooth:
            left = low is None or low < at or (side > 0 and low == at)
            right = high is None or high > at or (side < 0 and high == at)
            if left and right:
                return form.subs(r, exact_symbol(at))
        raise ArithmeticError("a reward outside of the support")

    def _value(self, at: Fraction, side: int) -> sympy.Expr:
        """g at the end of a gap: at an atom its value, else the limit from outside of the gap."""
        if at in self._levels:
            return _at(self.gold, at, self._levels[at][1])
        return self._limit(at, side)

    # -- stretches -------------------------------------------------------------------------------
    def _through(
        self, at: Fraction | None, left: Piece | None = None, right: Piece | None = None
    ) -> None:
        """A jump of g between an atom and the density beside it."""
        beside = left or right
        if at not in self._levels or at is None or beside is None or beside.pdf == 0:
            return
        below, upto = self._levels[at]
        value = _at(self.gold, at, upto)
        limit = self._limit(at, -1 if left else 1)
        if sympy.simplify(value - limit) == 0:
            return
        start, end = (limit, value) if left else (value, limit)
        level = below if left else upto
        form = exact_symbol(level) if isinstance(level, Fraction) else level
        x0 = at + self.shift
        self.shift += 1
        self.places.append((x0, self.shift, at))
        self.coordinates.append(Coordinate(r, r, form, 1 - form, x0, x0 + 1, x0, x0 + 1))
        self.cases.append((start + (end - start) * (r - exact_symbol(x0)), x0 + 1))

    def _along(self, piece: Piece) -> None:
        """The density, or a gap, between two of its cuts."""
        low, high, shift = piece.low, piece.high, self.shift
        s = exact_symbol(shift)
        start, stop = (None if x is None else x + shift for x in (low, high))
        self.places.append((start, shift, None))
        top = Fraction(0) if stop is None else stop
        if piece.pdf == 0:
            assert low is not None
            assert high is not None
            first, last = self._value(low, -1), self._value(high, 1)
            a, b = exact_symbol(low), exact_symbol(high)
            line = first + (last - first) * (r - s - a) / (b - a)
            forms = piece.cdf, piece.survival
            self.coordinates.append(Coordinate(r, r, *forms, start, stop, start, stop))
            self.cases.append((line, top))
            return
        self.cases.append((self.gold.xreplace({r: r - s}), top))
        self.coordinates.append(self._coordinate(piece, (start, stop)))
        centre = self.law.part.centre
        if (low is None or low < centre) and (high is None or centre <= high):
            self.centre = centre + shift

    def _coordinate(
        self, piece: Piece, ends: tuple[Fraction | None, Fraction | None]
    ) -> Coordinate:
        """Where the integral over a stretch of the density runs, and what bounds its tails."""
        low, high, s = piece.low, piece.high, exact_symbol(self.shift)
        strands = [t for t in self.law.within.strands if _overlap(t.rewards, (low, high))]
        if len(strands) == 1 and strands[0].rewards == (low, high) and strands[0].reward != r:
            # In the coordinate of the strand: where the stretch ends in it is found by its inverse.
            (only,) = strands
            forward, inverse = only.reward + s, only.coordinate.xreplace({r: r - s})
            form = Coordinate(forward, inverse, only.cdf, only.survival, None, None, *ends)
            parts = ((cast("Fraction", only.weight), only.law),)
            if isinstance(only.weight, Fraction):
                return replace(form, parts=parts, centre=only.centre, width=only.width)
        if low is not None and high is not None:
            # The coordinate is x itself.
            moved = piece.cdf.xreplace({r: r - s}), piece.survival.xreplace({r: r - s})
            return Coordinate(r, r, *moved, *ends, *ends, clipped=True)
        part = self.law.part
        centre, width = part.centre, part.width
        centre = centre if low is None else max(centre, low)
        centre = centre if high is None else min(centre, high)
        side = 0 if low is None else 1
        outer = [strand for strand in strands if strand.rewards[side] is None]
        form = Coordinate(r + s, r - s, piece.cdf, piece.survival, low, high, *ends, clipped=True)
        # In the reward itself all are log-concave or none bounds the tail.
        if all(strand.reward == r and isinstance(strand.weight, Fraction) for strand in outer):
            tails = tuple((cast("Fraction", strand.weight), strand.law) for strand in outer)
            form = replace(form, parts=tails)
        return replace(form, centre=centre, width=width)


def _overlap(
    a: tuple[Fraction | None, Fraction | None], b: tuple[Fraction | None, Fraction | None]
) -> bool:
    """Whether two intervals, None an infinite end, share more than a point."""
    lows = [x for x in (a[0], b[0]) if x is not None]
    highs = [x for x in (a[1], b[1]) if x is not None]
    return not lows or not highs or max(lows) < min(highs)


__all__ = ["Axis", "gold_in_quantiles"]
