"""What policies on a law with atoms and a density share: sums over atoms, and places.

E_θ[h] = Σ over atoms of m_a h(a) + ∫ h w dF over the density. A quantity is one `Closed` plan, the
sum of its parts: exact where all of them are rational.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy

from hedgetheory.exact import short
from hedgetheory.expressions.symbols import total, u, ubar
from hedgetheory.functionals.atoms.finite import at_or_below, below, mass, reward
from hedgetheory.functionals.bound import Bound, Point
from hedgetheory.functionals.evaluate import at_least
from hedgetheory.functionals.lines import quantile_plan
from hedgetheory.functionals.plans import AtomSum, Bindings, Closed, Plan, Undefined
from hedgetheory.laws.base import Piece, exact_symbol
from hedgetheory.laws.mixed import Level, MixedLaw, rational_level

#: Of an atom: F just below it, F at it, its mass, its reward.
COLUMNS = (below, at_or_below, mass, reward)


def level_plan(level: Level) -> Fraction | Plan:
    """A probability as something to bind a symbol to."""
    return level if isinstance(level, Fraction) else Closed(level)


def complement(level: Level) -> Fraction | Plan:
    """1 − level."""
    return 1 - level if isinstance(level, Fraction) else Closed(1 - level)


def added(
    plans: Sequence[Plan], post: sympy.Expr = total, bindings: Bindings | None = None
) -> Closed:
    """post(the sum of the plans)."""
    parts = {sympy.Symbol(f"part_{i}", real=True): plan for i, plan in enumerate(plans)}
    return Closed(post.xreplace({total: sympy.Add(*parts)}), {**parts, **(bindings or {})})


@dataclass(frozen=True)
class Atom:
    """An atom with the cdf just below it and at it."""

    value: Fraction
    mass: Fraction
    below: Level
    upto: Level

    @property
    def bindings(self) -> Bindings:
        return {
            below: level_plan(self.below),
            at_or_below: level_plan(self.upto),
            mass: self.mass,
            reward: self.value,
        }

    @property
    def row(self) -> tuple[Fraction, ...] | None:
        """The columns, where all of them are rational."""
        if isinstance(self.below, Fraction) and isinstance(self.upto, Fraction):
            return self.below, self.upto, self.mass, self.value
        return None


@dataclass(frozen=True)
class Place:
    """A point of the density: its stretch of rewards, its reward and its quantile, to be bound."""

    piece: Piece | None
    reward: Fraction | Plan
    below: Fraction | Plan
    above: Fraction | Plan


class OnMixed(Bound):
    """What rank policies and tilts share on a law with atoms and a density."""

    law: MixedLaw

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        pairs = zip(self.law.atoms, self.law.levels, strict=True)
        return tuple(Atom(*atom, *levels) for atom, levels in pairs)

    def over_atoms(self, term: sympy.Expr, bindings: Bindings) -> list[Plan]:
        """Σ over atoms of a term in their columns, as plans to be added."""
        rows = tuple(row for atom in self.atoms if (row := atom.row) is not None)
        plans: list[Plan] = [AtomSum(term, COLUMNS, rows, bindings)] if rows else []
        for atom in self.atoms:
            if atom.row is None:
                plans.append(Closed(term, {**bindings, **atom.bindings}))
        return plans

    # -- points ----------------------------------------------------------------------------------
    def atom_at(self, at: Point) -> Atom | None:
        """The atom at a reward, or at the reward of a quantile; None where there is none."""
        if at.quantile is None:
            return next((atom for atom in self.atoms if atom.value == at.reward), None)
        for atom in self.atoms:
            if at_least(_as_plan(atom.upto), at.quantile):
                # The reward of the quantile F(a−) itself is below a.
                return None if at_least(_as_plan(atom.below), at.quantile) else atom
        return None

    def place(self, at: Point) -> Place | None:
        """A point that is no atom, None outside of the density's support."""
        law = self.law
        if at.quantile is not None:
            level = at.quantile
            weight = law.weight
            share = sum((a.mass for a in self.atoms if self._is_under(a, level)), Fraction(0))
            inner = (level - share) / weight
            there = quantile_plan(law.part, {u: inner, ubar: 1 - inner})
            return Place(None, there, level, 1 - level)
        assert at.reward is not None
        low, high = law.part.support
        if (low is not None and at.reward < low) or (high is not None and at.reward > high):
            return None
        return Place(
            next(p for p in law.pieces if p.high is None or at.reward <= p.high),
            at.reward,
            *(level_plan(level) for level in self._levels_at(at.reward)),
        )

    def _is_under(self, atom: Atom, level: Fraction) -> bool:
        return not at_least(_as_plan(atom.upto), level)

    def _levels_at(self, at: Fraction) -> tuple[Level, Level]:
        """F(r) and 1 − F(r) at a reward that is no atom."""
        law = self.law
        before = law.atoms_below(at)
        weight = exact_symbol(law.weight)
        levels = []
        for inner, atoms in (
            (law.part_cdf(at), before),
            (law.part_survival(at), 1 - law.weight - before),
        ):
            factor = exact_symbol(inner) if isinstance(inner, Fraction) else inner
            levels.append(rational_level(weight * factor + exact_symbol(atoms)))
        return levels[0], levels[1]

    def level_at(self, at: Fraction) -> tuple[Level, Level]:
        """F(r) and 1 − F(r) at any reward, that of an atom included."""
        atom = next((a for a in self.atoms if a.value == at), None)
        if atom is None:
            return self._levels_at(at)
        upto = atom.upto
        return upto, 1 - upto

    def nowhere(self, at: Point) -> Plan:
        """What a ratio is at a reward that the law does not have."""
        return Undefined(f"{short(at.reward or Fraction(0))} is outside the support")

    def density(self, at: Point) -> Iterable[Plan]:
        if self.atom_at(at) is not None:
            return [Undefined("an atom is there, which has no density: ask for the mass")]
        place = self.place(at)
        if place is None:
            return [Closed(sympy.S.Zero)]
        return [self.density_at(place, at)]

    @abstractmethod
    def density_at(self, place: Place, at: Point) -> Plan: ...


def _as_plan(level: Level) -> Plan:
    return Closed(exact_symbol(level) if isinstance(level, Fraction) else level)


__all__ = ["COLUMNS", "Atom", "OnMixed", "Place", "added", "complement", "level_plan"]
