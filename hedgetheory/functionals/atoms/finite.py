"""Rank policies and tilts on a law with finitely many atoms: sums over the atoms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property

import sympy
from sympy import Abs, exp, log

from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, lam, r, total, u
from hedgetheory.functionals.bound import Bound, GoldCurve, Point, require_parameter
from hedgetheory.functionals.evaluate import at_least
from hedgetheory.functionals.plans import (
    AtomSum,
    Bindings,
    Closed,
    Plan,
    Undefined,
)
from hedgetheory.laws.base import FiniteLaw, exact_symbol
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.tilt import Tilt

#: Columns of an atom: F just below it, F at it, its mass, its reward, and the last for the tilt.
below, at_or_below, mass, reward = sympy.symbols("F_below F_at mass reward", nonnegative=True)
peak = sympy.Symbol("largest_reward", real=True)
normaliser = sympy.Symbol("M", positive=True)


class OnFinite(Bound):
    """What rank policies and tilts share on a law with finitely many atoms.

    Everything is a sum over atoms of the policy's mass there; `_mass` is that mass as a formula
    in the columns.
    """

    law: FiniteLaw
    _columns: tuple[sympy.Symbol, ...] = (below, at_or_below, mass, reward)

    @property
    @abstractmethod
    def _mass(self) -> sympy.Expr: ...

    @property
    def _bindings(self) -> Bindings:
        return self.bindings

    @cached_property
    def _rows(self) -> tuple[tuple[Fraction, ...], ...]:
        rows, last = [], Fraction(0)
        for (value, weight), upto in zip(self.law.atoms, self.law.cumulative, strict=True):
            rows.append((last, upto, weight, value))
            last = upto
        return tuple(rows)

    def _sum(
        self, term: sympy.Expr, post: sympy.Expr = total, order: Fraction | None = None
    ) -> Iterable[Plan]:
        more = {} if order is None else {alpha: order}
        return [AtomSum(term, self._columns, self._rows, {**self._bindings, **more}, post)]

    def kl(self) -> Iterable[Plan]:
        return self._sum(self._mass * log(self._mass / mass))

    def chi2(self) -> Iterable[Plan]:
        return self._sum(self._mass**2 / mass, total - 1)

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        term = mass * (self._mass / mass) ** alpha
        return self._sum(term, log(total) / (alpha - 1), order)

    def total_variation(self) -> Iterable[Plan]:
        return self._sum(Abs(self._mass - mass) / 2)

    def mean_reward(self) -> Iterable[Plan]:
        return self._sum(self._mass * reward)

    def mean_quantile(self) -> Iterable[Plan]:
        return self._sum(self._mass * at_or_below)

    def win_rate(self) -> Iterable[Plan]:
        return self._sum(self._mass * (below + at_or_below) / 2)

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        # In u the curve is taken at F(r), the quantile of the atom's upper end.
        return self._sum(self._mass * curve.expr.xreplace({r: reward, u: at_or_below}))

    def _row(self, at: Point) -> tuple[Fraction, ...] | None:
        if at.quantile is not None:
            return next(row for row in self._rows if at.quantile <= row[1])
        return next((row for row in self._rows if row[3] == at.reward), None)

    def _at_atom(self, expr: sympy.Expr, row: tuple[Fraction, ...]) -> Plan:
        return Closed(expr, {**self._bindings, **dict(zip(self._columns, row, strict=True))})

    def density(self, at: Point) -> Iterable[Plan]:
        return [Undefined(f"{self.law} has atoms and no density: ask for the mass")]

    def mass(self, at: Point) -> Iterable[Plan]:
        row = self._row(at)
        return [Closed(sympy.S.Zero) if row is None else self._at_atom(self._mass, row)]

    def ratio(self, at: Point) -> Iterable[Plan]:
        row = self._row(at)
        if row is None:
            return [Undefined(f"{short(at.reward or Fraction(0))} is not an atom of {self.law}")]
        return [self._at_atom(self._mass / mass, row)]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        row = self._row(at)
        if row is None:
            return [Undefined(f"{short(at.reward or Fraction(0))} is not an atom of {self.law}")]
        return [self._score_at(row, wrt)]

    @abstractmethod
    def _score_at(self, row: tuple[Fraction, ...], wrt: sympy.Symbol) -> Plan: ...

    def cdf(self, at: Point) -> Iterable[Plan]:
        if at.quantile is not None:
            row = self._row(at)
            assert row is not None
            level = row[3]
        else:
            assert at.reward is not None
            level = at.reward
        rows = tuple(row for row in self._rows if row[3] <= level)
        if not rows:
            return [Closed(sympy.S.Zero)]
        if len(rows) == len(self._rows):
            return [Closed(sympy.S.One)]
        return self._mass_up_to(rows)

    def _mass_up_to(self, rows: tuple[tuple[Fraction, ...], ...]) -> list[Plan]:
        """Plans of the policy's mass on the lowest atoms."""
        return [AtomSum(self._mass, self._columns, rows, self._bindings)]

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        """The smallest atom whose policy cdf reaches the level, decided by balls."""
        low, high = 0, len(self._rows) - 1
        while low < high:
            middle = (low + high) // 2
            if at_least(self._mass_up_to(self._rows[: middle + 1])[0], level):
                high = middle
            else:
                low = middle + 1
        return [Closed(exact_symbol(self._rows[low][3]))]


class RankOnFinite(OnFinite):
    """A rank policy on finitely many atoms: the atom at r gets G(F(r)) − G(F(r−))."""

    policy: RankPolicy

    def __init__(self, policy: RankPolicy, law: FiniteLaw) -> None:
        self.policy, self.law = policy, law

    @cached_property
    def _mass(self) -> sympy.Expr:
        cdf = in_u(self.policy.cdf)
        return cdf.xreplace({u: at_or_below}) - cdf.xreplace({u: below})

    def _mass_up_to(self, rows: tuple[tuple[Fraction, ...], ...]) -> list[Plan]:
        # The sum telescopes to G(F), which may be rational where its terms are not.
        whole = self._at_atom(in_u(self.policy.cdf).xreplace({u: at_or_below}), rows[-1])
        return [whole, *super()._mass_up_to(rows)]

    def _score_at(self, row: tuple[Fraction, ...], wrt: sympy.Symbol) -> Plan:
        # At the lowest atom G(0) = 0 for every θ: dropped, since ∂_n 0ⁿ is 0·ln 0 to sympy.
        cdf = in_u(self.policy.cdf).xreplace({u: at_or_below})
        masses = self._mass if row[0] else cdf
        return self._at_atom(sympy.diff(masses, wrt) / masses, row)


class TiltOnFinite(OnFinite):
    """The tilt on finitely many atoms: mass·e^{λr}/M, scaled by the largest reward."""

    policy: Tilt

    def __init__(self, policy: Tilt, law: FiniteLaw) -> None:
        self.policy, self.law = policy, law

    @cached_property
    def _bindings(self) -> Bindings:
        top = self.law.atoms[-1][0]
        weights = AtomSum(
            mass * exp(lam * (reward - peak)),
            self._columns,
            self._rows,
            {**self.policy.bindings, peak: top},
        )
        return {**self.policy.bindings, peak: top, normaliser: weights}

    @cached_property
    def _mass(self) -> sympy.Expr:
        return mass * exp(lam * (reward - peak)) / normaliser

    def _score_at(self, row: tuple[Fraction, ...], wrt: sympy.Symbol) -> Plan:
        # ∂_λ ln w = r − E_λ[R], the mean itself a sum over atoms.
        return Closed(reward - total, {reward: row[3], total: next(iter(self.mean_reward()))})
