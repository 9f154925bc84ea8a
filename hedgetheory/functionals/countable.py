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

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import sympy
from sympy import Abs, diff, exp, log

from hedgetheory.errors import NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, lam, r, total, u, ubar
from hedgetheory.expressions.vocabulary import expm1
from hedgetheory.functionals.bound import Bound, GoldCurve, Point, require_parameter
from hedgetheory.functionals.evaluate import at_least, exact
from hedgetheory.functionals.growth import ONE, Growth, growth
from hedgetheory.functionals.lattice import Lattice, Row
from hedgetheory.functionals.plans import Closed, Infinite, Plan, Race, Undefined
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.tilt import Tilt

#: What a term of a sum is written in: the policy's mass of an atom, the law's, F below it and at
#: it; the reward is r.
selected, mass, below, upto = sympy.symbols("selected mass F_below F_at", nonnegative=True)
_COLUMNS = (selected, mass, below, upto, r)
#: No quantile is looked for beyond this atom.
_FARTHEST = 10**15
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


def _working(bits: int) -> int:
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
            with balls.precision(_working(balls.current_bits())):
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
            if high > _FARTHEST:
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
            with balls.precision(_working(balls.current_bits())):
                return of(REAL, self.reference().sides(k))

        def estimate(digits: int) -> Any:
            arithmetic = self._precise(k, digits)
            row = self._estimated_row(arithmetic, k)
            return of(arithmetic, (row.upto, row.above))

        return Series(enclose, estimate, f"{what} of {self.policy} on {self.law}")

    def _at_row(self, what: str, k: int, of: Callable[[Any, Row], Any]) -> Series:
        """A quantity of the atom k and its two ends."""

        def enclose() -> Any:
            with balls.precision(_working(balls.current_bits())):
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
        if not (mean.is_finite() and mean < ball(Fraction(_FARTHEST))):
            raise NotCertified(f"{self.policy} on {law} has its mass beyond {_FARTHEST}")
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
            with balls.precision(_working(balls.current_bits())):
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
