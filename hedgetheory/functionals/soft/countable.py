"""Soft Best-of-n on countably many atoms, by the law conditioned on its lowest atoms.

For integer n, w(r) = n E[e^{λr}/(e^{λr} + Σ e^{λR_i})] over the n − 1 other draws. Conditioned on
R ≤ K it is the same but on an event of probability at most (n − 1)S_K, and the fraction is at most
one: |w − w_K| ≤ n(n − 1)S_K for every atom. What lies beyond K is bounded by 0 ≤ w ≤ n. The
conditioned law has rational masses (p_k/p_first is a product of rationals), so that its race is
certified as on any finite law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy import log

from hedgetheory.errors import NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, n, r, total, u, ubar
from hedgetheory.functionals.atoms.countable import RankOnCountable
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.growth import ONE, Growth, growth
from hedgetheory.functionals.plans import Closed, Plan, Race, Undefined
from hedgetheory.functionals.soft.base import SoftBound, log_times, power
from hedgetheory.functionals.soft.scenes import AtomScene
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.finite import Finite
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: Atoms of the conditioned law: its race costs their number times that of the nodes.
MAX_ATOMS = 2_000


@lru_cache(maxsize=16)
def conditioned(law: CountableLaw, last: int) -> Finite:
    """The law given R ≤ last, with exact rational masses."""
    weights, weight = {}, Fraction(1)
    for k in range(law.first, last + 1):
        weights[Fraction(k)] = weight
        weight *= law.step(k)
    whole = sum(weights.values(), Fraction(0))
    return Finite({k: x / whole for k, x in weights.items()})


class SoftOnCountable(SoftBound):
    """Soft Best-of-n with an integer n on the raw reward; anything else is not certified here."""

    law: CountableLaw

    def __init__(self, policy: SoftBestOfN, law: CountableLaw) -> None:
        self.policy, self.law = policy, law
        self._reference = RankOnCountable(BestOfN(1), law)
        if policy.is_reference:
            return
        if policy.draws.denominator != 1:
            raise NotCertified(
                f"{policy} on {law}: a real n needs a sector without zeros of the race transform, "
                "which is not certified on countably many atoms; take an integer n"
            )
        if policy.scale == "quantile":
            raise NotCertified(
                f"{policy} on {law}: the softmax over quantiles is not certified on countably many "
                "atoms; take a finite law, or scale=reward"
            )

    def _cut(self, size: Growth, factor: Any) -> tuple[int, Any]:
        """K, and a bound of what lies beyond it where terms are below factor·b(k)·p_k."""
        lattice = self._reference.reference()
        square = ball(self.policy.draws**2)

        def left_out(k: int) -> Any:
            return lattice.beyond(k, size, factor=factor) + square * lattice.bound_above(k)

        last = lattice.last(left_out)
        if last - self.law.first >= MAX_ATOMS:
            raise NotCertified(
                f"{self.policy} on {self.law} needs {last} atoms, above the {MAX_ATOMS} of its race"
            )
        return last, left_out(last)

    def _ratios(self, last: int) -> list[Any]:
        scene = AtomScene(self.policy, conditioned(self.law, last))
        square = ball(self.policy.draws * (self.policy.draws - 1))
        miss = symmetric(square * self._reference.reference().bound_above(last))
        return [(w + miss).nonnegative_part() for w in scene.ratios()]

    def _sum(
        self,
        what: str,
        term: Callable[[Any, Any], Any],
        *,
        size: Growth = ONE,
        factor: Callable[[Any], Any] = lambda draws: draws,
        upto: int | None = None,
        **arguments: Any,
    ) -> Race:
        """Σ p_k·term(w_k, row) over the atoms (up to one), |term| ≤ factor(n)·size."""

        def enclose() -> Any:
            last, beyond = self._cut(size, factor(ball(self.policy.draws)).upper())
            value = symmetric(beyond)
            if upto is not None:
                last = max(last, upto)
            ratios = self._ratios(last)
            with balls.precision(3 * balls.current_bits() + 96):
                rows = self._reference.reference().rows(self.law.first, last)
            for row, w in zip(rows, ratios, strict=True):
                if upto is None or row.at <= upto:
                    value += row.mass * term(w, row)
            return value

        return self._series(what, enclose, **arguments)

    def _series(self, what: str, enclose: Callable[[], Any], **arguments: Any) -> Race:
        from hedgetheory.functionals.soft.estimates import estimate

        def estimated(digits: int) -> Any:
            with balls.precision(int((digits + 4) * balls.BITS_PER_DIGIT)):
                last, _ = self._cut(ONE, ball(self.policy.draws) ** 2)
            return estimate(self.policy, conditioned(self.law, last), what, digits, **arguments)

        return Race(enclose, estimated, f"{what} of {self.policy} on {self.law}")

    def kl(self) -> Iterable[Plan]:
        # |w ln w| ≤ max(1/e, n ln n) ≤ n².
        return [self._sum("kl", lambda w, _: log_times(w), factor=lambda k: k * k)]

    def chi2(self) -> Iterable[Plan]:
        return [self._sum("chi2", lambda w, _: (w - 1) * (w - 1), factor=lambda k: k * k)]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        weighing = power(order)
        inner = self._sum(
            "power",
            lambda w, _: weighing.value(w),
            factor=lambda k: k ** ball(order),
            order=order,
        )
        return [Closed(log(total) / (alpha - 1), {total: inner, alpha: order})]

    def total_variation(self) -> Iterable[Plan]:
        return [self._sum("total_variation", lambda w, _: abs(w - 1) / 2)]

    def mean_reward(self) -> Iterable[Plan]:
        return self.gold(GoldCurve(r, "r"))

    def mean_quantile(self) -> Iterable[Plan]:
        return [self._sum("gold", lambda w, row: w * row.upto, gold=GoldCurve(u, "u"))]

    def win_rate(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.win_rate()
        return [self._sum("win_rate", lambda w, row: w * (row.below + row.upto) / 2)]

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if self.policy.is_reference:
            if curve.expr == r:
                return self._reference.mean_reward()
            return self._reference.gold(curve)
        if curve.variable == "u":
            raise NotCertified(
                f"a gold curve in u under {self.policy} on {self.law} is not certified: write it "
                "in r"
            )
        program = compiled(curve.expr.xreplace({ubar: 1 - u}), (r,))
        return [
            self._sum(
                "gold",
                lambda w, row: w * program(REAL, ball(row.at)),
                size=growth(curve.expr, 1),
                gold=curve,
            )
        ]

    def density(self, at: Point) -> Iterable[Plan]:
        return self._reference.density(at)

    def mass(self, at: Point) -> Iterable[Plan]:
        return self._at(at, "mass", Closed(sympy.S.Zero))

    def ratio(self, at: Point) -> Iterable[Plan]:
        missing = Undefined(f"{short(at.reward or Fraction(0))} is not an atom of {self.law}")
        return self._at(at, "ratio", missing)

    def _at(self, at: Point, what: str, missing: Plan) -> Iterable[Plan]:
        atom = self._reference._atom(at)
        if atom is None:
            return [missing]
        if self.policy.is_reference:
            return self._reference.mass(at) if what == "mass" else [Closed(sympy.S.One)]
        index = atom - self.law.first

        def enclose() -> Any:
            last = max(self._cut(ONE, ball(self.policy.draws))[0], atom)
            if index > MAX_ATOMS:
                raise NotCertified(f"atom {atom} is above the {MAX_ATOMS} atoms of the race")
            w = self._ratios(last)[index]
            return w if what == "ratio" else w * self._reference.reference().mass(atom)

        return [self._series(what, enclose, at=Point(reward=Fraction(atom)))]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        if self.policy.draws == 1 or (wrt == n and self.policy.strength == 0):
            return [Closed(sympy.S.Zero)]
        raise NotCertified(
            f"the score of {self.policy} on {self.law} is not certified on countably many atoms"
        )

    def cdf(self, at: Point) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.cdf(at)
        if at.quantile is not None:
            atom = self._reference._atom(at)
            assert atom is not None
        else:
            assert at.reward is not None
            atom = at.reward.numerator // at.reward.denominator
        return [Closed(sympy.S.Zero) if atom < self.law.first else self._cdf(atom)]

    def _cdf(self, k: int) -> Plan:
        return self._sum("cdf", lambda w, _: w, upto=k, count=k + 1 - self.law.first)

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.quantile(level)
        return [Closed(exact_symbol(Fraction(self._reference._first_reaching(level, self._cdf))))]
