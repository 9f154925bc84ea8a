"""Soft Best-of-n on finitely many atoms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy
from sympy import log

from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, lam, n, r, total, u, ubar
from hedgetheory.functionals.atoms.finite import RankOnFinite
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.plans import Closed, Plan, Race, Undefined
from hedgetheory.functionals.soft.base import SoftBound, log_times, power
from hedgetheory.functionals.soft.scenes import AtomScene
from hedgetheory.functionals.soft.scores import score_in_draws, score_in_strength
from hedgetheory.laws.base import FiniteLaw, exact_symbol
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


class SoftOnFinite(SoftBound):
    """Soft Best-of-n on finitely many atoms: each has its mass times w, ties included.

    With scale=quantile the softmax sees λ·F(r), F at the atom's upper end.
    """

    law: FiniteLaw

    def __init__(self, policy: SoftBestOfN, law: FiniteLaw) -> None:
        self.policy, self.law = policy, law
        self.scene = AtomScene(policy, law)
        self._sees = self.scene.seen

    @cached_property
    def _reference(self) -> RankOnFinite:
        return RankOnFinite(BestOfN(1), self.law)

    def _masses(self) -> list[Any]:
        ratios = self.scene.ratios()
        return [ball(p) * w for (_, p), w in zip(self.law.atoms, ratios, strict=True)]

    def _sum(self, what: str, term: Callable[[int, Any], Any], **arguments: Any) -> Race:
        """Σ over atoms of p·term(index, w)."""

        def enclose() -> Any:
            ratios = self.scene.ratios()
            parts = (
                ball(p) * term(i, w)
                for i, ((_, p), w) in enumerate(zip(self.law.atoms, ratios, strict=True))
            )
            return sum(parts, ball(Fraction(0)))

        return self._race(what, enclose, **arguments)

    def kl(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        return [self._sum("kl", lambda _, w: log_times(w))]

    def chi2(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        return [self._sum("chi2", lambda _, w: (w - 1) * (w - 1))]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        weighing = power(order)
        inner = self._sum("power", lambda _, w: weighing.value(w), order=order)
        return [Closed(log(total) / (alpha - 1), {total: inner, alpha: order})]

    def total_variation(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        return [self._sum("total_variation", lambda _, w: abs(w - 1) / 2)]

    def mean_reward(self) -> Iterable[Plan]:
        return self.gold(GoldCurve(r, "r"))

    def mean_quantile(self) -> Iterable[Plan]:
        return self.gold(GoldCurve(u, "u"))

    def win_rate(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.win_rate()
        upper = self.law.cumulative
        lower = (Fraction(0), *upper[:-1])
        return [self._sum("win_rate", lambda i, w: w * ball((lower[i] + upper[i]) / 2))]

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.gold(curve)
        program = compiled(curve.expr.xreplace({ubar: 1 - u}), (r, u))

        def term(i: int, w: Any) -> Any:
            return w * program(REAL, ball(self.law.atoms[i][0]), ball(self.law.cumulative[i]))

        return [self._sum("gold", term, gold=curve)]

    def _index(self, at: Point) -> int | None:
        if at.quantile is not None:
            return next(i for i, upto in enumerate(self.law.cumulative) if at.quantile <= upto)
        values = [value for value, _ in self.law.atoms]
        return values.index(at.reward) if at.reward in values else None

    def density(self, at: Point) -> Iterable[Plan]:
        return [Undefined(f"{self.law} has atoms and no density: ask for the mass")]

    def _not_an_atom(self, at: Point) -> Plan:
        return Undefined(f"{short(at.reward or Fraction(0))} is not an atom of {self.law}")

    def mass(self, at: Point) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.mass(at)
        index = self._index(at)
        if index is None:
            return [Closed(sympy.S.Zero)]
        return [self._race("mass", lambda: self._masses()[index], at=at)]

    def ratio(self, at: Point) -> Iterable[Plan]:
        index = self._index(at)
        if index is None:
            return [self._not_an_atom(at)]
        if self.policy.is_reference:
            return [Closed(sympy.S.One)]
        return [self._race("ratio", lambda: self.scene.ratios()[index], at=at)]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        index = self._index(at)
        if index is None:
            return [self._not_an_atom(at)]
        place = self._sees[index]
        scene = self.scene
        if wrt == n:
            if self.policy.strength == 0:
                return [Closed(sympy.S.Zero)]
            z = self.policy.strength * place
            return [self._race("score", lambda: score_in_draws(scene, ball(z)), at=at, wrt=n)]
        if self.policy.draws == 1:
            return [Closed(sympy.S.Zero)]
        if self.policy.strength == 0:
            mean = sum(
                (p * x for x, (_, p) in zip(self._sees, self.law.atoms, strict=True)), Fraction(0)
            )
            return [Closed(exact_symbol((1 - 1 / self.policy.draws) * (place - mean)))]

        def enclose() -> Any:
            z = ball(self.policy.strength * place)
            return score_in_strength(scene, z, ball(place))

        return [self._race("score", enclose, at=at, wrt=lam)]

    def cdf(self, at: Point) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.cdf(at)
        if at.quantile is not None:
            index = self._index(at)
            assert index is not None
            count = index + 1
        else:
            assert at.reward is not None
            reward = at.reward
            count = sum(value <= reward for value, _ in self.law.atoms)
        if count in (0, len(self.law.atoms)):
            return [Closed(sympy.Integer(int(count > 0)))]
        return [self._cumulative(count, at)]

    def _cumulative(self, count: int, at: Point) -> Race:
        return self._race(
            "cdf", lambda: sum(self._masses()[:count], ball(Fraction(0))), at=at, count=count
        )

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        from hedgetheory.functionals.evaluate import at_least

        if self.policy.is_reference:
            return self._reference.quantile(level)
        for index, (value, _) in enumerate(self.law.atoms[:-1]):
            if at_least(self._cumulative(index + 1, Point()), level):
                return [Closed(exact_symbol(value))]
        return [Closed(exact_symbol(self.law.atoms[-1][0]))]
