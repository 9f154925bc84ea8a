"""The exponential tilt on a law with atoms and a density.

M(λ) = Σ p_a e^{λa} + weight·M_part(λ), infinite exactly where that of the part is. Under the tilt
R is the atom a with probability p_a e^{λa}/M and otherwise has the tilted law of the part, so that
every mean is one of atoms and one of the tilt on a law without atoms; gold in u, which sees the
whole law's cdf, is an integral over the density's strands.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property

import sympy
from sympy import Abs, exp, log

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.expressions.symbols import alpha, lam, r, total, u, ubar
from hedgetheory.functionals.atoms.finite import at_or_below, below, mass, reward
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.continuous import RankOnContinuous, unit_supremum
from hedgetheory.functionals.evaluate import at_least
from hedgetheory.functionals.growth import Growth
from hedgetheory.functionals.lines import OnContinuous
from hedgetheory.functionals.mixed.parts import OnMixed, Place, added
from hedgetheory.functionals.plans import Bindings, Closed, Infinite, Plan, Undefined
from hedgetheory.functionals.tilt_continuous import CUMULANT, MEAN, TiltOnContinuous
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

#: ln M_part(λ), and M_part·weight/M.
_PART, _SHARE = sympy.symbols("K_part share", real=True)
_FIRST, _SECOND = sympy.symbols("first second", real=True)


class _Inside(TiltOnContinuous):
    """Integrals over the density of a law with atoms, w = e^{λr − K} with K of the whole law.

    Where a bound needs K from below, M(λ) ≥ e^{λx} P(R ≥ x) holds with the survival of the whole
    law, which is that of the strands.
    """

    def __init__(self, policy: Tilt, law: MixedLaw, cumulant: Plan) -> None:
        super().__init__(policy, law.within)
        self._cumulant_plan = cumulant

    @property
    def bindings(self) -> Bindings:
        if self.policy.is_reference:
            return self.policy.bindings
        return {**self.policy.bindings, CUMULANT: self._cumulant_plan}

    def over(self, h: sympy.Expr, bound: Growth | None = None) -> Plan:
        """∫ h w dF over the density, h in r, u and ū."""
        return self._mean(h, bound)


def bound_on_part(policy: Tilt, part: ContinuousLaw) -> OnContinuous:
    """The tilt on a law without atoms."""
    if isinstance(part, Uniform):
        return RankOnContinuous(QuantileTilt(policy.strength), part)
    return TiltOnContinuous(policy, part)


class TiltOnMixed(OnMixed):
    """The tilt on a law with atoms and a density; NotOnThisLaw where M(λ) = ∞."""

    policy: Tilt

    def __init__(self, policy: Tilt, law: MixedLaw) -> None:
        self.policy, self.law = policy, law
        self._plain = TiltOnContinuous(policy, law.part)  # raises where no tilt exists
        self._inside = _Inside(policy, law, self.cumulant(Fraction(1)))

    @cached_property
    def _part(self) -> OnContinuous:
        return bound_on_part(self.policy, self.law.part)

    # -- the cumulant function -------------------------------------------------------------------
    def _part_cumulant(self, order: Fraction) -> Plan:
        """ln M_part(order·λ)."""
        return self._plain._cumulant(order)

    def cumulant(self, order: Fraction) -> Plan:
        """K(order·λ) = ln M."""
        if self.policy.is_reference:
            return Closed(sympy.S.Zero)
        weight = exact_symbol(self.law.weight)
        strength = order * self.policy.strength
        atoms = self.over_atoms(mass * exp(lam * reward), {lam: strength})
        part = Closed(weight * exp(_PART), {_PART: self._part_cumulant(order)})
        return added([*atoms, part], log(total))

    @property
    def _bindings(self) -> Bindings:
        return {**self.policy.bindings, CUMULANT: self.cumulant(Fraction(1))}

    @property
    def _selected(self) -> sympy.Expr:
        """The policy's mass at an atom, in the columns."""
        return mass * exp(lam * reward - CUMULANT)

    def _share(self) -> Plan:
        """The policy's mass on the density."""
        bindings: Bindings = {
            _PART: self._part_cumulant(Fraction(1)),
            CUMULANT: self.cumulant(Fraction(1)),
        }
        return Closed(exact_symbol(self.law.weight) * exp(_PART - CUMULANT), bindings)

    def _mixed(self, term: sympy.Expr, part: Plan) -> Plan:
        """Σ over atoms of a term, and the policy's mass on the density times a mean there."""
        inner = Closed(_SHARE * total, {_SHARE: self._share(), total: part})
        return added([*self.over_atoms(self._selected * term, self._bindings), inner])

    # -- divergences -----------------------------------------------------------------------------
    def kl(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        mean = next(iter(self.mean_reward()))
        closed = Closed(lam * MEAN - CUMULANT, {**self._bindings, MEAN: mean}, "KL = λE_λ[R] − K")
        logarithm = lam * r - CUMULANT
        atoms = self.over_atoms(self._selected * logarithm.xreplace({r: reward}), self._bindings)
        line = added([self._inside.over(r)], exact_symbol(self.policy.strength) * total)
        share = Closed(-CUMULANT * _SHARE, {**self._bindings, _SHARE: self._share()})
        return [closed, added([*atoms, line, share])]

    def _finite_at(self, order: Fraction) -> bool:
        limit = self.law.mgf_limit
        return limit is None or order * self.policy.strength < limit or self.policy.is_reference

    def chi2(self) -> Iterable[Plan]:
        if not self._finite_at(Fraction(2)):
            return [Infinite(1, "E[w²] = M(2λ)/M(λ)² and M(2λ) is infinite")]
        return [self._by_cumulants(exp(_SECOND - 2 * CUMULANT) - 1, Fraction(2))]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if not self._finite_at(order):
            return [Infinite(1, "M(order·λ) is infinite")]
        form = (_SECOND - alpha * CUMULANT) / (alpha - 1)
        return [self._by_cumulants(form.xreplace({alpha: exact_symbol(order)}), order)]

    def _by_cumulants(self, form: sympy.Expr, order: Fraction) -> Plan:
        return Closed(form, {**self._bindings, _SECOND: self.cumulant(order)})

    def total_variation(self) -> Iterable[Plan]:
        """½ Σ |m − p| + ½ ∫ |w − 1| dF, w = 1 at r* = K/λ.

        With D = weight·F_part(r*) − share·F_tilted(r*) the second term is D + (share − weight)/2.
        """
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        part, strength = self.law.part, exact_symbol(self.policy.strength)
        tilted = part.tilted(self.policy.strength)
        uniform = isinstance(part, Uniform)
        if tilted is None and not uniform:
            raise NotCertified(
                f"the total variation of {self.policy} on {self.law} is not built: the tilt of "
                f"{part} is no law of this package"
            )
        low, high = part.support
        star = CUMULANT / strength
        if low is not None:
            star = sympy.Max(star, exact_symbol(low))
        if high is not None:
            star = sympy.Min(star, exact_symbol(high))
        if uniform:
            # (e^{λx} − 1)/(e^λ − 1).
            below_star = QuantileTilt.cdf.xreplace({lam: strength, ubar: 1 - r, u: r})
        else:
            assert tilted is not None
            below_star = tilted.cdf
        place: Bindings = {r: Closed(star, self._bindings)}
        weight = exact_symbol(self.law.weight)
        plan = Closed(
            weight * _FIRST - _SHARE * _SECOND + (_SHARE - weight) / 2,
            {
                _FIRST: Closed(part.cdf, place),
                _SECOND: Closed(below_star, place),
                _SHARE: self._share(),
            },
        )
        return [added([*self.over_atoms(Abs(self._selected - mass) / 2, self._bindings), plan])]

    # -- means -----------------------------------------------------------------------------------
    def mean_reward(self) -> Iterable[Plan]:
        return self.gold(GoldCurve(r, "r"))

    def mean_quantile(self) -> Iterable[Plan]:
        return [self._ranked(self._selected * at_or_below, u)]

    def win_rate(self) -> Iterable[Plan]:
        return [self._ranked(self._selected * (below + at_or_below) / 2, u)]

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        """E_λ[g]; g in u is taken at u = F(r), the atom included."""
        expr = curve.expr.xreplace({ubar: 1 - u})
        if not expr.has(r, u):
            return [Closed(expr)]
        if not expr.has(r):
            return [self._ranked(self._selected * expr.xreplace({u: at_or_below}), expr)]
        plans: list[Plan] = []
        for plan in (
            self._part.gold(GoldCurve(expr, "r")) if expr != r else self._part.mean_reward()
        ):
            if isinstance(plan, (Infinite, Undefined)):
                return [plan]
            plans.append(self._mixed(expr.xreplace({r: reward}), plan))
        if not self.policy.is_reference:
            atoms = self.over_atoms(self._selected * expr.xreplace({r: reward}), self._bindings)
            plans.append(added([*atoms, self._inside.over(expr)]))
        return plans

    def _ranked(self, term: sympy.Expr, expr: sympy.Expr) -> Plan:
        inside = self._inside.over(expr, Growth(unit_supremum(expr)))
        return added([*self.over_atoms(term, self._bindings), inside])

    # -- points ----------------------------------------------------------------------------------
    def _at_place(self, expr: sympy.Expr, place: Place) -> Plan:
        return Closed(expr, {**self._bindings, r: place.reward})

    def mass(self, at: Point) -> Iterable[Plan]:
        atom = self.atom_at(at)
        if atom is None:
            return [Closed(sympy.S.Zero)]
        return [Closed(self._selected, {**self._bindings, **atom.bindings})]

    def ratio(self, at: Point) -> Iterable[Plan]:
        return [self._weighed(exp(lam * r - CUMULANT), at)]

    def _weighed(self, expr: sympy.Expr, at: Point) -> Plan:
        """A formula in the reward at an atom or in the density's support."""
        atom = self.atom_at(at)
        if atom is not None:
            return Closed(expr, {**self._bindings, r: atom.value})
        place = self.place(at)
        return self.nowhere(at) if place is None else self._at_place(expr, place)

    def density_at(self, place: Place, at: Point) -> Plan:
        part, weight = self.law.part, exact_symbol(self.law.weight)
        side = 0 if at.reward is None else -1 if at.reward == part.support[0] else 1
        if at.reward is not None and at.reward in part.support and side in part.end_density:
            peak, power = part.end_density[side]
            if peak == 0 or power > 0:
                return Closed(sympy.S.Zero)
            if power < 0:
                return Infinite(1, "the density grows without bound towards this end of the law")
            return self._at_place(exp(lam * r - CUMULANT) * weight * peak, place)
        pdf = weight * part.pdf if place.piece is None else place.piece.pdf
        return self._at_place(exp(lam * r - CUMULANT) * pdf, place)

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        plan = self._weighed(r - MEAN, at)
        if not isinstance(plan, Closed):
            return [plan]
        mean = next(iter(self.mean_reward()))
        return [Closed(plan.expr, {**plan.bindings, MEAN: mean})]

    def cdf(self, at: Point) -> Iterable[Plan]:
        if at.quantile is not None:
            raise InputError("at=u=…, but the cdf of a tilt is asked for at a reward")
        assert at.reward is not None
        return [self._below(at.reward, True)]

    def _below(self, at: Fraction, included: bool) -> Plan:
        """P_λ(R ≤ at), or P_λ(R < at) where ``included`` is False."""
        top = self.law.support[1]
        if top is not None and (at > top or (included and at == top)):
            return Closed(sympy.S.One)
        part = next(iter(self._part.cdf(Point(reward=at))))
        inner = Closed(_SHARE * total, {_SHARE: self._share(), total: part})
        plans = [
            Closed(self._selected, {**self._bindings, **atom.bindings})
            for atom in self.atoms
            if atom.value < at or (included and atom.value == at)
        ]
        return added([*plans, inner])

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        before: list[Plan] = []
        for atom in self.atoms:
            if at_least(self._below(atom.value, True), level):
                if not at_least(self._below(atom.value, False), level):
                    return [Closed(exact_symbol(atom.value))]
                break
            before.append(Closed(self._selected, {**self._bindings, **atom.bindings}))
        inner = added(before, (exact_symbol(level) - total) / _SHARE, {_SHARE: self._share()})
        return [self._part_quantile(inner)]

    def _part_quantile(self, level: Plan) -> Plan:
        """The quantile of the tilted part at a level that is no rational."""
        part = self.law.part
        levels: Bindings = {u: level, ubar: Closed(1 - total, {total: level})}
        tilted = part if self.policy.is_reference else part.tilted(self.policy.strength)
        if isinstance(part, Uniform) and not self.policy.is_reference:
            return Closed(QuantileTilt(1).inverse or u, {**levels, **self.policy.bindings})
        if tilted is None or "quantile" not in tilted.formulas:
            raise NotCertified(
                f"the quantile of {self.policy} on {self.law} is not built: the tilt of {part} has "
                "no quantile formula"
            )
        return Closed(tilted.quantile, levels)


__all__ = ["TiltOnMixed", "bound_on_part"]
