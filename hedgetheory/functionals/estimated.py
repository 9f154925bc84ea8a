"""Rank policies on a law known by floats only: certified where free of the law, else estimated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.continuous import RankOnContinuous
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Closed, Estimated, Plan
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.floats import FLOAT64
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy

#: A quadrature whose own estimate of its relative error is larger is not reported.
_TOLERANCE = 1e-6


class RankOnEstimated(RankOnContinuous):
    """What needs the law is a float of scipy's; what does not is inherited, and certified."""

    law: EstimatedLaw

    def __init__(self, policy: RankPolicy, law: EstimatedLaw) -> None:
        super().__init__(policy, law)

    def _float(self, expr: sympy.Expr, below: float, above: float) -> float:
        values = [float(value) for value in self.policy.bindings.values()]
        return float(compiled(expr, (u, ubar, *self.bindings))(FLOAT64, below, above, *values))

    def _at_reward(self, expr: sympy.Expr, at: Point) -> Plan:
        assert at.reward is not None
        x, frozen = float(at.reward), self.law.frozen
        return Estimated(lambda: self._float(expr, frozen.cdf(x), frozen.sf(x)))

    def density(self, at: Point) -> Iterable[Plan]:
        if self._outside(at):
            return [Closed(sympy.S.Zero)]
        frozen = self.law.frozen

        def estimate() -> float:
            x = float(at.reward) if at.reward is not None else frozen.ppf(float(at.quantile or 0))
            ratio = self._float(self.ratio_formula, frozen.cdf(x), frozen.sf(x))
            return ratio * float(frozen.pdf(x))

        return [Estimated(estimate)]

    def ratio(self, at: Point) -> Iterable[Plan]:
        if at.reward is None or self._outside(at):
            return super().ratio(at)
        return [self._at_reward(self.ratio_formula, at)]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        if at.reward is None or self._outside(at):
            return super().score(at, wrt)
        require_parameter(self.policy, wrt)
        return [self._at_reward(sympy.diff(self.log_ratio_formula, wrt), at)]

    def cdf(self, at: Point) -> Iterable[Plan]:
        if at.reward is None or self._outside(at):
            return super().cdf(at)
        return [self._at_reward(self.policy.cdf, at)]

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        inner = next(iter(RankOnContinuous(self.policy, Uniform()).quantile(level)))
        return [Estimated(lambda: float(self.law.frozen.ppf(float(number(inner, 15)))))]

    def mean_reward(self) -> Iterable[Plan]:
        return [self._expected(r)]

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if curve.variable != "r":
            return super().gold(curve)
        return [self._expected(curve.expr)]

    def _expected(self, expr: sympy.Expr) -> Plan:
        program, frozen = compiled(expr, (r,)), self.law.frozen

        def low(x: float) -> float:
            weight = self._float(self.ratio_formula, x, 1 - x)
            return float(program(FLOAT64, float(frozen.ppf(x)))) * weight

        def high(x: float) -> float:
            weight = self._float(self.ratio_formula, 1 - x, x)
            return float(program(FLOAT64, float(frozen.isf(x)))) * weight

        return Estimated(lambda: _quadrature(low) + _quadrature(high))


def _quadrature(function: Callable[[float], Any]) -> float:
    """∫ over (0, ½), which scipy estimates."""
    from scipy.integrate import IntegrationWarning, quad

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IntegrationWarning)
        value, error = quad(function, 0, 0.5, limit=400)
    if not error <= _TOLERANCE * max(1.0, abs(value)):
        raise NotCertified(
            f"the quadrature says {value:.6g} with an error of {error:.1g}: not even estimated"
        )
    return float(value)
