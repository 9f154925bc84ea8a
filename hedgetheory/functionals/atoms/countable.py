"""Rank policies and tilts on a law with countably many atoms: truncated sums with bounded tails.

Every sum runs over a window of atoms with the masses and both survivals of `lattice`, at three
times the precision asked for, so that G(F(r)) − G(F(r−)), taken from survivals on the upper side,
keeps its digits. Outside of the window the terms are bounded:

* above it T(S_{k−1}) ≥ m_k where T(s) = 1 − G(1 − s) ≤ C s^a (C = E[N] and a = 1, or C = 1 for
  Sibuya(a)), and p_k ≥ (1 − ρ) S_{k−1}, hence w_k ≤ C S_{k−1}^{a−1}/(1 − ρ), and w_k ≤ C if a = 1;
* below it w_k ≤ 1/(1 − F) ≤ 2, because G is convex: its chord over an atom is less steep than the
  chord from there to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy
from sympy import diff, exp, log

from hedgetheory.errors import NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, lam, r, total, u, ubar
from hedgetheory.expressions.vocabulary import expm1
from hedgetheory.functionals.atoms.countable_sums import (
    FARTHEST,
    OnCountable,
    Series,
    Size,
    Tails,
    below,
    mass,
    selected,
    upto,
    working,
)
from hedgetheory.functionals.atoms.lattice import Lattice, Row
from hedgetheory.functionals.bound import Point, require_parameter
from hedgetheory.functionals.evaluate import exact
from hedgetheory.functionals.growth import ONE, Growth
from hedgetheory.functionals.plans import Closed, Infinite, Plan
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.tilt import Tilt


class RankOnCountable(OnCountable):
    """A rank policy on countably many atoms: the atom at r gets G(F(r)) − G(F(r−))."""

    policy: RankPolicy

    def __init__(self, policy: RankPolicy, law: CountableLaw) -> None:
        self.policy, self.law = policy, law

    def _bulk(self) -> Lattice:
        return self.reference()

    def _at_ends(self, arithmetic: Any, expr: sympy.Expr) -> Callable[[Any, Any], Any]:
        values = [arithmetic.constant(v) for v in self.bindings.values()]
        program = compiled(expr, (u, ubar, *self.bindings))
        return lambda at, bar: program(arithmetic, at, bar, *values)

    def _differences(
        self, arithmetic: Any, rows: Sequence[Row], cdf: sympy.Expr, survival: sympy.Expr
    ) -> list[Any]:
        """G(F_k) − G(F_{k−1}), of survivals from G(F_k) = ½ on; an end is evaluated once.

        ``cdf`` and ``survival`` may be derivatives in a parameter: then ½ is asked of them instead,
        and either difference is right anyway.
        """
        lower, upper = self._at_ends(arithmetic, cdf), self._at_ends(arithmetic, survival)
        half = arithmetic.constant(Fraction(1, 2))
        out: list[Any] = []
        end, bar, rising = None, None, True
        for row in rows:
            # G(0) = 0 whatever the parameter.
            first = row.at == self.law.first
            if rising:
                start = end
                if start is None and not first:
                    start = lower(row.below, row.above_or_at)
                end = lower(row.upto, row.above)
                rising = bool(end < half)
                if rising or first:
                    out.append(end if first else end - start)
                    continue
            begin = upper(row.below, row.above_or_at) if bar is None else bar
            bar = upper(row.upto, row.above)
            out.append(begin - bar)
        return out

    def _masses(self, rows: Sequence[Row]) -> list[Any]:
        return self._differences(REAL, rows, self.policy.cdf, self.policy.survival)

    def _estimated_masses(self, arithmetic: Any, rows: Sequence[Row]) -> list[Any]:
        return self._differences(arithmetic, rows, self.policy.cdf, self.policy.survival)

    @property
    def _power(self) -> Fraction:
        """a with 1 − G(1 − s) ≤ C s^a."""
        return self.policy.tail_power

    def _constant(self) -> Any:
        """C with 1 − G(1 − s) ≤ C s^a, C ≥ 1."""
        if self.policy.mean_draws == sympy.oo:
            return ball(Fraction(1))
        bindings = self.policy.bindings
        values = [ball(v) for v in bindings.values()]
        return compiled(self.policy.mean_draws, tuple(bindings))(REAL, *values).upper()

    def _tails(self, size: Size) -> Tails:
        lattice, constant = self.reference(), self._constant()
        return Tails(
            lambda k: lattice.beyond(k, size(k), self._power, constant),
            lambda k: self._doubled(lattice, k, size(k)),
        )

    def _doubled(self, lattice: Lattice, k: int, size: Growth | None, factor: Any = 2) -> Any:
        """Σ_{j≤k} p_j·2 b(j), where F_k ≤ ½ so that w ≤ 2."""
        if not lattice.bound_below(k) <= ball(Fraction(1, 2)):
            return balls.no_bound()
        return lattice.beneath(k, size) * factor

    def kl(self) -> Iterable[Plan]:
        return [self._sum("kl", selected * log(selected / mass), self._kl_tails)]

    def _kl_tails(self) -> Tails:
        lattice, constant = self.reference(), self._constant()
        # Below, |w ln w| ≤ 2 ln 2 < 2 for w ≤ 2.
        return Tails(
            lambda k: self._kl_above(lattice, constant, k),
            lambda k: self._doubled(lattice, k, ONE),
        )

    def _kl_above(self, lattice: Lattice, constant: Any, k: int) -> Any:
        """Σ p|w ln w| above k: S_k/e where w < 1, and m_k ln w_k where w > 1."""
        a = ball(self._power)
        survival, ratio = lattice.bound_above(k), lattice.step(k + 1)
        plain = lattice.beyond(k, ONE, self._power, constant)
        if not plain.is_finite():
            return plain
        if self._power == 1:
            return survival + plain * constant.log()
        # ln w_k ≤ −ln(1 − ρ) + (1 − a)(−ln S_{k−1}); x^a(−ln x) increases on (0, e^{−1/a}), hence
        # Σ S_{k−1}^a(−ln S_{k−1}) ≤ Σ_i (ρ^i s)^a(−ln s − i ln ρ), two geometric sums in q = ρ^a.
        if not survival < (-1 / a).exp():
            return balls.no_bound()
        q = ratio**a
        logs = -survival.log() / (1 - q) - ratio.log() * q / (1 - q) ** 2
        return survival - plain * (1 - ratio).log() + survival**a * (1 - a) * logs

    def chi2(self) -> Iterable[Plan]:
        return self._moment("chi2", (selected - mass) ** 2 / mass, Fraction(2))

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        term = mass * (selected / mass) ** exact_symbol(order)
        plans = list(self._moment("renyi", term, order))
        if isinstance(plans[0], Infinite):
            return plans
        return [Closed(log(total) / (alpha - 1), {total: plans[0], alpha: order})]

    def _moment(self, what: str, term: sympy.Expr, order: Fraction) -> Iterable[Plan]:
        """Σ p w^α, or less than that plus p: p(m/p)^α ≤ C^α S^{1 − α(1 − a)}/(1 − ρ)^{max(α−1, 0)}.

        p ≤ S_{k−1} serves where α < 1, p ≥ (1 − ρ)S_{k−1} where α > 1.
        """
        power = 1 - order * (1 - self._power)
        if power <= 0:
            # m_k ≥ c·p_k^a for large k, so that the terms do not go to zero.
            return [Infinite(1, f"E[w^{short(order)}] is infinite: w grows like ubar^(a - 1)")]

        def tails() -> Tails:
            lattice, constant = self.reference(), self._constant()

            def above(k: int) -> Any:
                ratio = lattice.step(k + 1)
                if not ratio < 1:
                    return balls.no_bound()
                factor = constant ** ball(order)
                if order > 1:
                    factor = factor / (1 - ratio) ** ball(order - 1)
                return lattice.beyond(k, ONE, power, factor) + lattice.bound_above(k)

            largest = ball(Fraction(2)) ** ball(max(order, Fraction(1)))
            return Tails(above, lambda k: self._doubled(lattice, k, ONE, largest))

        return [self._sum(what, term, tails)]

    def _exactly(self, expr: sympy.Expr, k: int) -> Plan | None:
        """A formula in F_{k−1}, F_k and p_k, where all of it is rational."""
        start, end = self.law.upto(k - 1), self.law.upto(k)
        if start is None or end is None:
            return None
        plan = Closed(expr, {**self.bindings, below: start, upto: end, mass: end - start})
        return None if exact(plan) is None else plan

    @cached_property
    def _mass(self) -> sympy.Expr:
        cdf = in_u(self.policy.cdf)
        return cdf.xreplace({u: upto}) - cdf.xreplace({u: below})

    def mass(self, at: Point) -> Iterable[Plan]:
        atom = self._atom(at)
        if atom is None:
            return [Closed(sympy.S.Zero)]
        known = self._exactly(self._mass, atom)
        return [known or self._at_row("mass", atom, self._row_mass)]

    def _row_mass(self, arithmetic: Any, row: Row) -> Any:
        return self._differences(arithmetic, [row], self.policy.cdf, self.policy.survival)[0]

    def ratio(self, at: Point) -> Iterable[Plan]:
        atom = self._atom(at)
        if atom is None:
            return [self._not_an_atom(at)]
        known = self._exactly(self._mass / mass, atom)
        return [
            known
            or self._at_row(
                "ratio", atom, lambda arithmetic, row: self._row_mass(arithmetic, row) / row.mass
            )
        ]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        atom = self._atom(at)
        if atom is None:
            return [self._not_an_atom(at)]
        cdf, survival = diff(self.policy.cdf, wrt), diff(self.policy.survival, wrt)

        def score(arithmetic: Any, row: Row) -> Any:
            slope = self._differences(arithmetic, [row], cdf, survival)[0]
            return slope / self._row_mass(arithmetic, row)

        return [self._at_row("score", atom, score)]

    def _cdf(self, k: int) -> Plan:
        known = self._exactly(in_u(self.policy.cdf).xreplace({u: upto}), k)
        if known is not None:
            return known

        def cdf(arithmetic: Any, sides: tuple[Any, Any]) -> Any:
            return self._at_ends(arithmetic, self.policy.cdf)(*sides)

        return self._at_sides("cdf", k, cdf)


class TiltOnCountable(OnCountable):
    """The tilt on countably many atoms: mass e^{λr − K(λ)} p_r, the divergences by K alone."""

    policy: Tilt

    def __init__(self, policy: Tilt, law: CountableLaw) -> None:
        self.policy, self.law = policy, law
        law.require_tilt(policy.strength)

    def _bulk(self) -> Lattice:
        return self.lattice()

    def lattice(self) -> Lattice:
        """The tilted masses at the current precision."""
        law, lift = self.law, ball(self.policy.strength).exp()
        program = compiled(law.tilted_mass, (r, lam))
        strength = ball(self.policy.strength)
        # The tilted ratios fall below one where p_{k+1}/p_k < e^{−λ}: near the tilted mean.
        mean = compiled(diff(law.log_mgf, lam), (lam,))(REAL, strength)
        if not (mean.is_finite() and mean < ball(Fraction(FARTHEST))):
            raise NotCertified(f"{self.policy} on {law} has its mass beyond {FARTHEST}")
        mode = max(law.first, int(balls.upper_integer(mean)) - 1)
        return Lattice(
            law.first,
            mode,
            lambda k: program(REAL, ball(k), strength),
            lambda k: ball(law.step(k)) * lift,
            f"{self.policy} on {law}",
        )

    def _masses(self, rows: Sequence[Row]) -> list[Any]:
        return [row.mass for row in self._bulk().rows(rows[0].at, rows[-1].at)]

    def _estimated_masses(self, arithmetic: Any, rows: Sequence[Row]) -> list[Any]:
        program = compiled(self.law.tilted_mass, (r, lam))
        strength = arithmetic.constant(self.policy.strength)
        return [program(arithmetic, arithmetic.context.mpf(row.at), strength) for row in rows]

    def _tails(self, size: Size) -> Tails:
        bulk = self._bulk()
        return Tails(lambda k: bulk.beyond(k, size(k)), lambda k: bulk.beneath(k, size(k)))

    def kl(self) -> Iterable[Plan]:
        potential = self.law.log_mgf
        return [Closed(lam * diff(potential, lam) - potential, self.bindings)]

    def chi2(self) -> Iterable[Plan]:
        return [self._powers(Fraction(2), expm1(total))]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        return [self._powers(order, total / (alpha - 1))]

    def _powers(self, order: Fraction, post: sympy.Expr) -> Plan:
        """post of ln E[w^α] = K(αλ) − αK(λ)."""
        if not self.law.has_tilt(order * self.policy.strength):
            return Infinite(1, f"E[e^(lam R)] is infinite at {short(order)} times lam")
        potential = self.law.log_mgf
        logs = potential.xreplace({lam: alpha * lam}) - alpha * potential
        return Closed(post.xreplace({total: logs}), {**self.bindings, alpha: order})

    def mean_reward(self) -> Iterable[Plan]:
        return [Closed(diff(self.law.log_mgf, lam), self.bindings)]

    def mass(self, at: Point) -> Iterable[Plan]:
        atom = self._atom(at)
        if atom is None:
            return [Closed(sympy.S.Zero)]
        return [Closed(self.law.tilted_mass, {**self.bindings, r: Fraction(atom)})]

    def ratio(self, at: Point) -> Iterable[Plan]:
        atom = self._atom(at)
        if atom is None:
            return [self._not_an_atom(at)]
        weight = exp(lam * r - self.law.log_mgf)
        return [Closed(weight, {**self.bindings, r: Fraction(atom)})]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        atom = self._atom(at)
        if atom is None:
            return [self._not_an_atom(at)]
        slope = r - diff(self.law.log_mgf, lam)
        return [Closed(slope, {**self.bindings, r: Fraction(atom)})]

    def _cdf(self, k: int) -> Plan:
        def enclose() -> Any:
            with balls.precision(working(balls.current_bits())):
                return self._bulk().sides(k)[0]

        def estimate(digits: int) -> Any:
            arithmetic = HighPrecision(digits + 15)
            context, strength = arithmetic.context, arithmetic.constant(self.policy.strength)
            program = compiled(self.law.tilted_mass, (r, lam))
            lift, j = context.exp(strength), k
            term = result = program(arithmetic, context.mpf(k), strength)
            while j > self.law.first and term > result * context.eps:
                j -= 1
                term /= arithmetic.constant(self.law.step(j)) * lift
                result += term
            return result

        return Series(enclose, estimate, f"cdf of {self.policy} on {self.law}")
