"""Rank policies on a law with atoms and a density.

The atom at r gets G(F(r)) − G(F(r−)). What does not see the reward is, beside the atoms, an
integral over the intervals of quantiles that no atom covers, by the antiderivative that proves the
closed form on a law without atoms, and by quadrature as the definition. What sees the reward is an
integral over the density's strands, in which F is the cdf of the whole law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import sympy
from sympy import Abs, log

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import alpha, r, total, u, ubar
from hedgetheory.functionals.atoms.finite import at_or_below, below, mass, reward
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.closed_forms import (
    INTEGRANDS,
    antiderivative,
    policy_key,
    unit_ratio,
)
from hedgetheory.functionals.continuous import RankOnContinuous, unit_supremum
from hedgetheory.functionals.evaluate import at_least, end_ball
from hedgetheory.functionals.lines import OnContinuous, quantile_plan
from hedgetheory.functionals.mixed.parts import (
    Atom,
    OnMixed,
    Place,
    added,
    complement,
    level_plan,
)
from hedgetheory.functionals.plans import (
    Bindings,
    Closed,
    Infinite,
    Inverse,
    LineIntegral,
    Plan,
    UnitIntegral,
    eps,
)
from hedgetheory.laws.base import Strand, exact_symbol
from hedgetheory.laws.mixed import Level, MixedLaw, PartWithin
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball, no_bound, precision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.random_draws import Sibuya

_LOW, _HIGH = sympy.symbols("at_low at_high", real=True)
#: The quantile at which w = 1, and that clipped to a stretch.
_UNIT, _CLIPPED = sympy.symbols("u_unit u_clipped", nonnegative=True)


class _Inside(RankOnContinuous):
    """The integrals over the density, with the cdf of the whole law in them."""

    def over(self, h: sympy.Expr) -> Plan:
        """∫ h(r) w(F(r)) dF over the density."""
        return self._mean(h)

    def bulk(self, strand: Strand) -> tuple[Any, Fraction, Fraction]:
        law = self.law
        if isinstance(law, PartWithin) and law.law.stretches[-1][1] != 1:
            # An atom covers the top: w is bounded on the density.
            return OnContinuous.bulk(self, strand)
        return super().bulk(strand)

    def by_quantile(self, h: sympy.Expr, bound: Callable[[Any], Any], order: Any) -> UnitIntegral:
        """What `RankOnContinuous` integrates over all of [0, 1]: integrand and omitted ends."""
        return self._unit(h, total, bound, order)


class RankOnMixed(OnMixed):
    """A rank policy on a law with atoms and a density."""

    policy: RankPolicy

    def __init__(self, policy: RankPolicy, law: MixedLaw) -> None:
        self.policy, self.law = policy, law
        #: The policy on a law without atoms, for what does not see the law.
        self._whole = _Inside(policy, Uniform())
        self._inside = _Inside(policy, law.within)
        cdf = in_u(policy.cdf)
        self._mass = cdf.xreplace({u: at_or_below}) - cdf.xreplace({u: below})

    @property
    def _sibuya(self) -> bool:
        draws = self.policy.draws if isinstance(self.policy, BestOfRandom) else None
        return isinstance(draws, Sibuya) and not self.policy.is_reference

    @property
    def _open_top(self) -> bool:
        """Whether the density reaches u = 1, where w of Sibuya(a) is infinite."""
        return self.law.stretches[-1][1] == 1

    # -- sums of atoms and stretches -------------------------------------------------------------
    def _atoms(self, term: sympy.Expr, more: Bindings) -> list[Plan]:
        """Σ over atoms of a term in which `selected` is the policy's mass."""
        return self.over_atoms(term.xreplace({_SELECTED: self._mass}), {**self.bindings, **more})

    def _increments(self, primitive: sympy.Expr, ends: dict[Any, Any], more: Bindings) -> list[Any]:
        """P(high) − P(low) of a primitive in u, over the stretches that no atom covers."""
        plans: list[Plan] = []
        for pair in self.law.stretches:
            sides: dict[sympy.Symbol, Plan] = {}
            for symbol, level in zip((_LOW, _HIGH), pair, strict=True):
                limit = ends.get(level) if isinstance(level, Fraction) else None
                sides[symbol] = (
                    self._at_level(primitive, level, more) if limit is None else Closed(limit)
                )
            plans.append(Closed(_HIGH - _LOW, sides))
        return plans

    def _at_level(self, expr: sympy.Expr, level: Level, more: Bindings) -> Closed:
        places: Bindings = {u: level_plan(level), ubar: complement(level)}
        return Closed(expr, {**self.bindings, **more, **places})

    def _integrals(
        self, integrand: sympy.Expr, bound: Callable[[Any], Any], order: Fraction | None = None
    ) -> list[Plan]:
        """∫ integrand du over the stretches; ``bound`` is one of |integrand| in w."""
        whole = self._whole.by_quantile(integrand, bound, order)
        return [over_stretch(whole, low, high) for low, high in self.law.stretches]

    def _divergence(
        self,
        name: str,
        term: sympy.Expr,
        bound: Callable[[Any], Any],
        order: Fraction | None = None,
    ) -> Iterable[Plan]:
        more: Bindings = {} if order is None else {alpha: order}
        integrand, post = INTEGRANDS[name]
        post = post.xreplace({alpha: exact_symbol(order)}) if order is not None else post
        atoms = self._atoms(term, more)
        known = antiderivative(policy_key(self.policy), name)
        if known is not None and not self._singular(order):
            primitive, limits = known
            ends = {Fraction(int(k)): v for k, v in limits.items()}
            yield added([*atoms, *self._increments(primitive, ends, more)], post)
        f = integrand(self.policy.ratio, self.policy.log_ratio)
        yield added([*atoms, *self._integrals(f, bound, order)], post)

    def _singular(self, order: Fraction | None) -> bool:
        """Whether ∫ w^α of Sibuya(a) is a logarithm: the primitive is a power."""
        return self._sibuya and order is not None and order * (1 - self.policy.tail_power) == 1

    def _diverges(self, order: Fraction) -> bool:
        power = self.policy.tail_power
        return self._sibuya and self._open_top and order * (1 - power) >= 1

    # -- divergences -----------------------------------------------------------------------------
    def kl(self) -> Iterable[Plan]:
        term = _SELECTED * log(_SELECTED / mass)
        return self._divergence("kl", term, lambda w: sympy.Max(sympy.exp(-1), Abs(w * log(w))))

    def chi2(self) -> Iterable[Plan]:
        if self._diverges(Fraction(2)):
            return [_DIVERGES]
        term = (_SELECTED - mass) * (_SELECTED + mass) / mass
        plans = self._divergence("chi2", term, lambda w: w**2 + 1)
        if self._singular(Fraction(2)):
            return list(plans)[-1:]
        return plans

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if self._diverges(order):
            return [_DIVERGES]
        term = mass * (_SELECTED / mass) ** alpha
        return self._divergence("renyi", term, lambda w: w**alpha, order)

    def total_variation(self) -> Iterable[Plan]:
        """½ Σ |m − p| + ½ ∫ |w − 1|, where ∫ |w − 1| is the variation of the convex D = G(u) − u.

        Over [a, b] that is D(a) + D(b) − 2 D(c), c the place of w = 1 clipped to [a, b].
        """
        atoms = self._atoms(Abs(_SELECTED - mass) / 2, {})
        excess = self.policy.cdf - u
        unit, stretches = self._unit_ratio(), []
        for low, high in self.law.stretches:
            inner = sympy.Max(_LOW, sympy.Min(_HIGH, _UNIT))
            clipped = Closed(inner, {_LOW: level_plan(low), _HIGH: level_plan(high), _UNIT: unit})
            at_clip: Bindings = {u: clipped, ubar: Closed(1 - _CLIPPED, {_CLIPPED: clipped})}
            sides: dict[sympy.Symbol, Plan] = {
                _LOW: self._at_level(excess, low, {}),
                _HIGH: self._at_level(excess, high, {}),
                _CLIPPED: Closed(excess, {**self.bindings, **at_clip}),
            }
            stretches.append(Closed((_LOW + _HIGH) / 2 - _CLIPPED, sides))
        yield added([*atoms, *stretches])
        integrand, _ = INTEGRANDS["total_variation"]
        f = integrand(self.policy.ratio, self.policy.log_ratio)
        yield added([*atoms, *self._integrals(f, lambda w: w + 1)])

    def _unit_ratio(self) -> Plan:
        """The u with w(u) = 1, w non-decreasing."""
        known = unit_ratio(policy_key(self.policy))
        if known is not None:
            return Closed(known, self.bindings)
        return Inverse(in_u(self.policy.ratio), u, Fraction(1), self.bindings)

    # -- means -----------------------------------------------------------------------------------
    def mean_quantile(self) -> Iterable[Plan]:
        return self._ranks(_SELECTED * at_or_below)

    def win_rate(self) -> Iterable[Plan]:
        # P(R' < R) + ½ P(R' = R) = (F(R−) + F(R))/2.
        return self._ranks(_SELECTED * (below + at_or_below) / 2)

    def _ranks(self, term: sympy.Expr) -> Iterable[Plan]:
        if not self.policy.is_reference:
            return self._divergence("mean_quantile", term, lambda w: w)
        plans = self._increments(u**2 / 2, {}, {})
        return [added([*self._atoms(term, {}), *plans])]

    def mean_reward(self) -> Iterable[Plan]:
        return self.gold(GoldCurve(r, "r"))

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        """E[g]; g in u is taken at u = F(r), the atom included, as on laws with atoms only."""
        expr = in_u(curve.expr)
        if not expr.has(r, u):
            yield Closed(expr)
        atoms = self._atoms(_SELECTED * expr.xreplace({r: reward, u: at_or_below}), {})
        if curve.variable != "r":
            known = self._polynomial([expr] * len(self.law.stretches))
            if known is not None:
                yield added([*atoms, *known])
            # |g/size| ≤ 1, so that w bounds what is integrated.
            size = exact_symbol(max(unit_supremum(expr), Fraction(1)))
            plans = self._integrals(expr / size * self.policy.ratio, lambda w: w)
            yield added([*atoms, *(Closed(size * total, {total: plan}) for plan in plans)])
            return
        diverges = self._inside.divergent(expr)
        if diverges is not None:
            yield diverges
            return
        known = self._in_quantiles(expr)
        if known is not None:
            yield added([*atoms, *known])
        elif self.policy.is_reference:
            moment = self._reference_moment(expr)
            if moment is not None:
                yield added([*atoms, moment])
        yield added([*atoms, self._inside.over(expr)])

    def _reference_moment(self, expr: sympy.Expr) -> Plan | None:
        """weight·E_part[g] of a polynomial, where the moments of the part have formulas."""
        if not expr.is_polynomial(r):
            return None
        first = next(iter(RankOnContinuous(BestOfN(1), self.law.part).gold(GoldCurve(expr, "r"))))
        if not isinstance(first, Closed):
            return None
        return Closed(exact_symbol(self.law.weight) * total, {total: first})

    def _in_quantiles(self, expr: sympy.Expr) -> list[Plan] | None:
        """A polynomial in the reward as polynomials in u, where the part's quantile is one."""
        part = self.law.part
        if "quantile" not in part.formulas or not expr.is_polynomial(r):
            return None
        inverse = in_u(part.quantile)
        if not inverse.is_polynomial(u):
            return None
        forms, weight = [], exact_symbol(self.law.weight)
        atoms = [Fraction(0), *(atom.mass for atom in self.atoms)]
        lows = [Fraction(0), *(atom.upto for atom in self.atoms)]
        before = Fraction(0)
        for low, share in zip(lows, atoms, strict=True):
            before += share
            if all(low != stretch[0] for stretch in self.law.stretches):
                continue
            inner = (u - exact_symbol(before)) / weight
            forms.append(sympy.expand(expr.xreplace({r: inverse.xreplace({u: inner})})))
        return self._polynomial(forms)

    def _polynomial(self, forms: list[sympy.Expr]) -> list[Plan] | None:
        """∫ g(u) w du for one polynomial g on each stretch, where there is a closed form."""
        if not all(form.is_polynomial(u) for form in forms):
            return None
        degree = max((int(sympy.degree(form, u)) for form in forms if form.has(u)), default=0)
        primitive: Callable[[sympy.Expr], sympy.Expr]
        if self.policy.is_reference:
            primitive = _plain_primitive
        elif isinstance(self.policy, BestOfN):
            primitive = _best_of_n_primitive
        elif degree <= 1 and antiderivative(policy_key(self.policy), "mean_quantile"):
            return [
                plan
                for form, pair in zip(forms, self.law.stretches, strict=True)
                for plan in self._line(form, pair)
            ]
        else:
            return None
        return [
            Closed(
                _HIGH - _LOW,
                {
                    _LOW: self._at_level(primitive(form), low, {}),
                    _HIGH: self._at_level(primitive(form), high, {}),
                },
            )
            for form, (low, high) in zip(forms, self.law.stretches, strict=True)
        ]

    def _line(self, form: sympy.Expr, pair: tuple[Level, Level]) -> list[Plan]:
        """∫ (c + d·u) w du = [c·G + d·P], P the primitive of u·w."""
        known = antiderivative(policy_key(self.policy), "mean_quantile")
        assert known is not None
        primitive, limits = known
        constant, slope = form.xreplace({u: sympy.S.Zero}), sympy.diff(form, u)
        plans: list[Plan] = []
        for factor, whole, ends in (
            (constant, self.policy.cdf, {}),
            (slope, primitive, {Fraction(int(k)): v for k, v in limits.items()}),
        ):
            sides = {
                symbol: Closed(ends[level])
                if isinstance(level, Fraction) and level in ends
                else self._at_level(whole, level, {})
                for symbol, level in zip((_LOW, _HIGH), pair, strict=True)
            }
            plans.append(Closed(factor * (_HIGH - _LOW), sides))
        return plans

    # -- points ----------------------------------------------------------------------------------
    def _at_atom(self, expr: sympy.Expr, atom: Atom) -> Plan:
        return Closed(expr, {**self.bindings, **atom.bindings})

    def _at_place(self, expr: sympy.Expr, place: Place) -> Plan:
        levels: Bindings = {u: place.below, ubar: place.above, r: place.reward}
        return Closed(expr, {**self.bindings, **levels})

    def mass(self, at: Point) -> Iterable[Plan]:
        atom = self.atom_at(at)
        return [Closed(sympy.S.Zero) if atom is None else self._at_atom(self._mass, atom)]

    def ratio(self, at: Point) -> Iterable[Plan]:
        atom = self.atom_at(at)
        if atom is not None:
            return [self._at_atom(self._mass / mass, atom)]
        place = self.place(at)
        if place is None:
            return [self.nowhere(at)]
        if self._sibuya and place.above == 0:
            return [_TOP]
        return [self._at_place(self.policy.ratio, place)]

    def density_at(self, place: Place, at: Point) -> Plan:
        if place.piece is None:
            pdf = exact_symbol(self.law.weight) * self.law.part.pdf
            return self._at_place(self.policy.ratio * pdf, place)
        side = _end_of(self.law, at.reward)
        if side in self.law.part.end_density:
            peak, power = self.law.part.end_density[side]
            levels = place.below if side < 0 else place.above
            order = self._inside.end_order(side) if levels == 0 else Fraction(1)
            exponent = (power + 1) * order - 1
            if peak == 0 or exponent > 0:
                return Closed(sympy.S.Zero)
            if exponent < 0:
                return Infinite(1, "the density grows without bound towards this end of the law")
            if order != 1:
                raise NotCertified(
                    f"the limit of the density at this end of {self.law} is not built"
                )
            return self._at_place(self.policy.ratio * exact_symbol(self.law.weight) * peak, place)
        if self._sibuya and place.above == 0:
            return _TOP
        return self._at_place(self.policy.ratio * place.piece.pdf, place)

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        atom = self.atom_at(at)
        if atom is not None:
            # At the bottom G(0) = 0 for every θ: dropped, since ∂_n 0ⁿ is 0·ln 0 to sympy.
            cdf = in_u(self.policy.cdf).xreplace({u: at_or_below})
            masses = cdf if atom.below == 0 else self._mass
            if atom.upto == 1:
                # G(1) = 1 likewise: ∂_a (1 − u)^a is 0·ln 0 there.
                masses = 1 - in_u(self.policy.cdf).xreplace({u: below})
            return [self._at_atom(sympy.diff(masses, wrt) / masses, atom)]
        place = self.place(at)
        if place is None:
            return [self.nowhere(at)]
        bottom = isinstance(self.policy, BestOfN) and place.below == 0
        if bottom or (self._sibuya and place.above == 0):
            return [Infinite(-1, "the logarithm of the distance to this end")]
        return [self._at_place(sympy.diff(self.policy.log_ratio, wrt), place)]

    def cdf(self, at: Point) -> Iterable[Plan]:
        if at.quantile is not None:
            atom = self.atom_at(at)
            level: Level = at.quantile if atom is None else atom.upto
            return [self._at_level(self.policy.cdf, level, {})]
        assert at.reward is not None
        upto, above = self.level_at(at.reward)
        if upto in {0, 1}:
            return [Closed(sympy.Integer(int(upto == 1)))]
        places: Bindings = {u: level_plan(upto), ubar: level_plan(above)}
        return [Closed(self.policy.cdf, {**self.bindings, **places})]

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        """The smallest reward whose policy cdf reaches the level: an atom, or in the density."""
        share = Fraction(0)
        for atom in self.atoms:
            if at_least(self._at_level(self.policy.cdf, atom.upto, {}), level):
                if not at_least(self._at_level(self.policy.cdf, atom.below, {}), level):
                    return [Closed(exact_symbol(atom.value))]
                break
            share += atom.mass
        inner, outer = self._inverse(level)
        weight, start = exact_symbol(self.law.weight), exact_symbol(share)
        end = exact_symbol(1 - self.law.weight - share)
        levels: Bindings = {
            u: Closed((total - start) / weight, {total: inner}),
            ubar: Closed((total - end) / weight, {total: outer}),
        }
        return [quantile_plan(self.law.part, levels)]

    def _inverse(self, level: Fraction) -> tuple[Plan, Plan]:
        """G⁻¹ at a level, and its complement."""
        at_level: Bindings = {u: level, ubar: 1 - level}
        policy = self.policy
        if policy.is_reference:
            return Closed(u, at_level), Closed(ubar, at_level)
        if policy.inverse is None:
            inverse = Inverse(in_u(policy.cdf), u, level, self.bindings)
            return inverse, Closed(1 - total, {total: inverse})
        outer = 1 - policy.inverse if policy.inverse_bar is None else policy.inverse_bar
        bindings = {**self.bindings, **at_level}
        return Closed(policy.inverse, bindings), Closed(outer, bindings)


#: The policy's mass at an atom, in terms.
_SELECTED = sympy.Symbol("selected", nonnegative=True)
_TOP = Infinite(1, "w grows without bound towards the top of the law")
_DIVERGES = Infinite(1, "the power of w is not integrable at the top of the law")


def _end_of(law: MixedLaw, at: Fraction | None) -> int:
    """−1 or +1 at an end of the density's support, else 0."""
    low, high = law.part.support
    return 0 if at is None else -1 if at == low else int(at == high)


def _plain_primitive(form: sympy.Expr) -> sympy.Expr:
    return sympy.integrate(form, u)


def _best_of_n_primitive(form: sympy.Expr) -> sympy.Expr:
    """Σ c n/(n + k) u^{n+k} of Σ c u^k."""
    n = BestOfN.symbols[0]
    return sympy.Add(
        *(c * n / (n + k) * u ** (n + k) for (k,), c in sympy.Poly(form, u).terms() if c != 0)
    )


def over_stretch(whole: UnitIntegral, low: Level, high: Level) -> LineIntegral:
    """The part over [low, high] of an integral over quantiles.

    At an end of [0, 1] at which the integrand is not analytic u = e^{−s}, or 1 − u, runs to s = ∞,
    and the bound of the outermost interval of length eps = e^{−s} bounds the tail.
    """
    singular_low = low == 0 and whole.omitted_left is not None
    singular_high = high == 1 and whole.omitted_right is not None
    assert not (singular_low and singular_high)
    if not (singular_low or singular_high):
        middle = _middle(low, high)
        inside = whole.integrand.xreplace({u: r, ubar: 1 - r})
        return LineIntegral(inside, whole.bindings, (low, high), middle, Fraction(1), _no_tail)
    near, far = sympy.exp(-r), 1 - sympy.exp(-r)
    place = {u: near, ubar: far} if singular_low else {u: far, ubar: near}
    length = high if singular_low else 1 - low
    start = -log(exact_symbol(length) if isinstance(length, Fraction) else length)
    omitted = whole.omitted_left if singular_low else whole.omitted_right
    assert omitted is not None
    program = compiled(omitted, (eps, *whole.bindings))

    def tail(x: Any, side: int) -> Any:
        values = [ball(v) for v in whole.bindings.values() if isinstance(v, Fraction)]
        return program(REAL, (-x).exp(), *values)

    with precision(64):
        centre = Fraction(float(end_ball(start).mid())) + 1
    return LineIntegral(
        whole.integrand.xreplace(place) * near,
        whole.bindings,
        (start, None),
        centre,
        Fraction(1),
        tail,
    )


def _no_tail(x: Any, side: int) -> Any:
    return no_bound()


def _middle(low: Level, high: Level) -> Fraction:
    with precision(64):
        ends = [float(end_ball(x).mid()) for x in (low, high)]
    return Fraction((ends[0] + ends[1]) / 2)


__all__ = ["RankOnMixed", "over_stretch"]
