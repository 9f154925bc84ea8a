"""Soft Best-of-n in mpmath, from the definition: a second opinion, estimated, never certified.

It shares no formula with the certified path beyond the race itself: φ is integrated or summed from
its definition, and every functional is `quad` of w against the law, or a sum over atoms.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hedgetheory.errors import HedgeTheoryError
from hedgetheory.expressions.symbols import n, r, u, ubar
from hedgetheory.functionals.bound import GoldCurve, Point
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def estimate(policy: SoftBestOfN, law: Law, what: str, digits: int, **arguments: Any) -> Any:
    """The quantity ``what`` as an mpmath number good to about ``digits`` digits."""
    kind = _OnAtoms if isinstance(law, FiniteLaw) else _OnLine
    return kind(policy, law, digits).value(what, **arguments)


class _Estimate:
    """The race at a fixed step; a subclass knows the law."""

    def __init__(self, policy: SoftBestOfN, law: Any, digits: int) -> None:
        self.policy, self.law = policy, law
        self.arithmetic = HighPrecision(digits + 8)
        self.context = self.arithmetic.context
        self.draws, self.strength = self._number(policy.draws), self._number(policy.strength)
        self.size = (digits + 4) * self.context.log(10)
        self.step = 2 * self.context.pi * self.context.mpf("1.1") / self.size
        self._transforms: dict[int, Any] = {}

    def _number(self, value: Fraction) -> Any:
        return self.arithmetic.constant(value)

    def _formula(self, expr: Any, symbols: tuple[Any, ...], *values: Any) -> Any:
        return compiled(expr, symbols)(self.arithmetic, *values)

    def transform(self, t: Any) -> Any:
        raise NotImplementedError

    def _nodes(self, z: Any) -> list[tuple[Any, Any]]:
        """(X, φ) at the nodes that matter at z."""
        context = self.context
        first = context.floor((-self.size - context.log(self.draws) - z) / self.step)
        last = context.ceil((context.log(self.size) + 1 - z) / self.step)
        out = []
        for k in range(int(first), int(last) + 1):
            if k not in self._transforms:
                self._transforms[k] = self.transform(context.exp(k * self.step))
            out.append((context.exp(k * self.step + z), self._transforms[k]))
        return out

    def _sum(self, z: Any, factor: Callable[[Any], Any]) -> Any:
        terms = [
            x * self.context.exp(-x) * phi ** (self.draws - 1) * factor(phi)
            for x, phi in self._nodes(z)
            if phi > 0
        ]
        return self.step * self.draws * self.context.fsum(terms)

    def ratio(self, z: Any) -> Any:
        return self._sum(z, lambda phi: 1)

    def _score(self, z: Any, place: Any, wrt: Any) -> Any:
        """By central differences of ln w in the parameter: independent of the formulas."""
        context = self.context
        width = context.mpf(10) ** (-context.dps // 3)
        values = []
        for sign in (-1, 1):
            other = type(self)(self.policy, self.law, context.dps)
            if wrt == n:
                other.draws += sign * width
            else:
                other.strength += sign * width
            values.append(context.log(other.ratio(other.strength * place)))
        return (values[1] - values[0]) / (2 * width)

    def _weigh(self, what: str, w: Any, order: Any) -> Any:
        context = self.context
        if what == "kl":
            return w * context.log(w) if w > 0 else context.zero
        if what == "chi2":
            return (w - 1) ** 2
        if what == "square":
            return w * w
        if what == "power":
            return w ** self._number(order)
        return abs(w - 1) / 2


class _OnAtoms(_Estimate):
    law: FiniteLaw

    def _seen(self) -> list[Any]:
        quantile = self.policy.scale == "quantile"
        values = self.law.cumulative if quantile else [value for value, _ in self.law.atoms]
        return [self._number(x) for x in values]

    def transform(self, t: Any) -> Any:
        context = self.context
        masses = (self._number(p) for _, p in self.law.atoms)
        return context.fsum(
            p * context.exp(-t * context.exp(self.strength * x))
            for p, x in zip(masses, self._seen(), strict=True)
        )

    def value(
        self,
        what: str,
        *,
        at: Point | None = None,
        wrt: Any = None,
        order: Any = None,
        gold: GoldCurve | None = None,
        count: int | None = None,
    ) -> Any:
        seen, context = self._seen(), self.context
        if what in ("ratio", "mass", "score"):
            assert at is not None
            index = self._index(at)
            if what == "score":
                return self._score(self.strength * seen[index], seen[index], wrt)
            w = self.ratio(self.strength * seen[index])
            return w if what == "ratio" else w * self._number(self.law.atoms[index][1])
        ratios = [self.ratio(self.strength * x) for x in seen]
        masses = [self._number(p) for _, p in self.law.atoms]
        policy = [p * w for p, w in zip(masses, ratios, strict=True)]
        if what == "cdf":
            return context.fsum(policy[:count])
        upper = [self._number(x) for x in self.law.cumulative]
        if what == "win_rate":
            rates = (x - p / 2 for x, p in zip(upper, masses, strict=True))
            return context.fsum(m * x for m, x in zip(policy, rates, strict=True))
        if what == "gold":
            assert gold is not None
            values = [self._number(value) for value, _ in self.law.atoms]
            expr = gold.expr.xreplace({ubar: 1 - u})
            return context.fsum(
                m * self._formula(expr, (r, u), x, y)
                for m, x, y in zip(policy, values, upper, strict=True)
            )
        terms = (self._weigh(what, w, order) for w in ratios)
        return context.fsum(p * x for p, x in zip(masses, terms, strict=True))

    def _index(self, at: Point) -> int:
        if at.quantile is not None:
            return next(i for i, x in enumerate(self.law.cumulative) if at.quantile <= x)
        return [value for value, _ in self.law.atoms].index(at.reward or Fraction(0))


class _OnLine(_Estimate):
    law: ContinuousLaw

    @property
    def _unit(self) -> bool:
        return self.policy.scale == "quantile" or isinstance(self.law, Uniform)

    def _quad(self, function: Callable[[Any], Any], low: Any, high: Any) -> Any:
        """Gauss–Legendre with up to 24 points on pieces that are short in z and in the law."""
        context = self.context
        pieces = max(8, int(context.ceil(self.strength * (high - low) / 1.5)))
        ends = context.linspace(low, high, pieces + 1)
        return context.quad(function, ends, method="gauss-legendre", maxdegree=4)

    def _ends(self) -> tuple[Any, Any]:
        """The support, an infinite end replaced by a far quantile."""
        context = self.context
        tiny = context.mpf(10) ** (-context.dps)
        low, high = self.law.support
        left = self._quantile(tiny, 1 - tiny) if low is None else self._number(low)
        right = self._quantile(1 - tiny, tiny) if high is None else self._number(high)
        return left, right

    def _quantile(self, level: Any, rest: Any) -> Any:
        return self._formula(self.law.quantile, (u, ubar), level, rest)

    def transform(self, t: Any) -> Any:
        context = self.context
        if self._unit:
            far = t * context.exp(self.strength)
            if self.strength < 1:
                return self._quad(lambda x: context.exp(-t * context.exp(self.strength * x)), 0, 1)
            return (context.e1(t) - (context.e1(far) if far < 10**4 else 0)) / self.strength

        def integrand(x: Any) -> Any:
            density = self._formula(self.law.pdf, (r,), x)
            return density * context.exp(-t * context.exp(self.strength * x))

        return self._quad(integrand, *self._ends())

    def _exponent(self, x: Any) -> Any:
        """z at a reward x."""
        return self.strength * (self._formula(self.law.cdf, (r,), x) if self._unit else x)

    def _mean(self, function: Callable[[Any, Any], Any], high: Any = None) -> Any:
        """∫ function(w, x) dF over x = quantile (on the unit scale) or reward, up to ``high``."""
        if self._unit:
            end = self.context.one if high is None else high
            return self._quad(lambda x: function(self.ratio(self.strength * x), x), 0, end)
        left, right = self._ends()

        def integrand(x: Any) -> Any:
            density = self._formula(self.law.pdf, (r,), x)
            return function(self.ratio(self.strength * x), x) * density

        return self._quad(integrand, left, right if high is None else high)

    def value(
        self,
        what: str,
        *,
        at: Point | None = None,
        wrt: Any = None,
        order: Any = None,
        gold: GoldCurve | None = None,
        level: Any = None,
    ) -> Any:
        context = self.context
        if at is not None:
            if at.quantile is not None:
                level = self._number(at.quantile)
                reward = self._quantile(level, 1 - level)
            else:
                reward = self._number(at.reward or Fraction(0))
            place = self._formula(self.law.cdf, (r,), reward) if self._unit else reward
            if what == "x":
                return place
            if what == "ratio":
                return self.ratio(self.strength * place)
            if what == "score":
                return self._score(self.strength * place, place, wrt)
            return self._mean(lambda w, _: w, place)
        if what == "quantile":
            goal = self._number(level)
            if self._unit:
                ends: tuple[Any, Any] = (context.mpf("0.01"), context.mpf("0.99"))
            else:
                tenth = self._number(Fraction(1, 10))
                ends = tuple(self._quantile(x, 1 - x) for x in (tenth, 1 - tenth))
            return context.findroot(
                lambda x: self._mean(lambda w, _: w, x) - goal, ends, solver="anderson"
            )
        if what == "mean_quantile":
            gold = GoldCurve(u, "u")
        if gold is not None:
            return self._mean(lambda w, x: w * self._gold(gold, x))
        if what == "total_variation":
            at_one = self._crossing()
            return self._mean(lambda w, _: 1 - w, at_one)
        if what in ("kl", "square", "power", "chi2"):
            return self._mean(lambda w, _: self._weigh(what, w, order))
        raise HedgeTheoryError(f"no estimate of {what}")

    def _gold(self, gold: GoldCurve, x: Any) -> Any:
        if self._unit:
            reward = x if isinstance(self.law, Uniform) else self._quantile(x, 1 - x)
            level = x
        else:
            reward, level = x, self._formula(self.law.cdf, (r,), x)
        return self._formula(gold.expr.xreplace({ubar: 1 - u}), (r, u), reward, level)

    def _crossing(self) -> Any:
        ends = (0, 1) if self._unit else self._ends()
        return self.context.findroot(
            lambda x: self.ratio(self.strength * x) - 1, ends, solver="anderson"
        )
