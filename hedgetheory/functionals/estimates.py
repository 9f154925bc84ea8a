"""Two more evaluators of the same plans, mpmath and float64: estimates, never certificates."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from hedgetheory.errors import HedgeTheoryError
from hedgetheory.expressions.symbols import r, total, u, ubar
from hedgetheory.functionals.evaluate import tail_cut
from hedgetheory.functionals.plans import (
    AtomSum,
    Bindings,
    Closed,
    Infinite,
    Inverse,
    LineIntegral,
    Plan,
    Race,
    Undefined,
    UnitIntegral,
)
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.floats import FLOAT64
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled


class _Estimator:
    """Interprets plans in one arithmetic, given how it integrates and finds roots."""

    def __init__(
        self,
        arithmetic: Any,
        integrate: Callable[[Callable[[Any], Any], list[Any]], Any],
        root: Callable[[Callable[[Any], Any]], Any],
        bits: int,
    ) -> None:
        self.bits = bits
        self.arithmetic, self.integrate, self.root = arithmetic, integrate, root

    def number(self, value: Fraction) -> Any:
        return self.arithmetic.constant(value)

    def values(self, bindings: Bindings) -> list[Any]:
        return [self.number(v) if isinstance(v, Fraction) else self(v) for v in bindings.values()]

    def __call__(self, plan: Plan) -> Any:
        if isinstance(plan, Closed):
            return compiled(plan.expr, tuple(plan.bindings))(
                self.arithmetic, *self.values(plan.bindings)
            )
        if isinstance(plan, Infinite):
            return plan.sign * self.arithmetic.infinity
        if isinstance(plan, Undefined):
            return self.arithmetic.undefined
        if isinstance(plan, Race):
            value = plan.estimate(int(self.bits / balls.BITS_PER_DIGIT))
            return float(value) if self.arithmetic is FLOAT64 else value
        values = self.values(plan.bindings)
        if isinstance(plan, AtomSum):
            result = self._sum(plan, values)
        elif isinstance(plan, UnitIntegral):
            result = self._unit(plan, values)
        elif isinstance(plan, LineIntegral):
            result = self._line(plan, values)
        elif isinstance(plan, Inverse):
            result = self._inverse(plan, values)
        else:
            raise HedgeTheoryError(f"no estimate of a {type(plan).__name__}")
        return self._post(plan.post, plan.bindings, values, result)

    def _post(self, post: sympy.Expr, bindings: Bindings, values: list[Any], result: Any) -> Any:
        return compiled(post, (total, *bindings))(self.arithmetic, result, *values)

    def _sum(self, plan: AtomSum, values: list[Any]) -> Any:
        program = compiled(plan.term, (*plan.columns, *plan.bindings))
        terms = [program(self.arithmetic, *map(self.number, row), *values) for row in plan.rows]
        return sum(terms[1:], terms[0])

    def _unit(self, plan: UnitIntegral, values: list[Any]) -> Any:
        program = compiled(plan.integrand, (u, ubar, *plan.bindings))
        zero, half = self.number(Fraction(0)), self.number(Fraction(1, 2))
        kink = self._kink(plan, values)

        def left(x: Any) -> Any:
            return program(self.arithmetic, x, 1 - x, *values)

        def right(x: Any) -> Any:
            return program(self.arithmetic, 1 - x, x, *values)

        below, above = [zero, half], [zero, half]
        if kink is not None:
            (below if kink < half else above).insert(1, min(kink, 1 - kink))
        pieces = [(left, below[i : i + 2]) for i in range(len(below) - 1)]
        pieces += [(right, above[i : i + 2]) for i in range(len(above) - 1)]
        parts = [self.integrate(function, ends) for function, ends in pieces]
        return sum(parts[1:], parts[0])

    def _kink(self, plan: UnitIntegral, values: list[Any]) -> Any:
        """Where |w − 1| has its corner: no rule converges fast across it."""
        corners = list(plan.integrand.atoms(sympy.Abs))
        if not corners:
            return None
        program = compiled(corners[0].args[0], (u, ubar, *plan.bindings))
        return self.root(lambda x: program(self.arithmetic, x, 1 - x, *values))

    def _line(self, plan: LineIntegral, values: list[Any]) -> Any:
        program = compiled(plan.integrand, (r, *plan.bindings))
        # The range beyond which nothing is left at this precision: densities under- and weights
        # overflow far outside of it.
        with balls.precision(self.bits):
            cuts = [
                end if end is not None else tail_cut(plan, side)[0]
                for end, side in zip(plan.support, (-1, 1), strict=True)
            ]
        points = [self.number(x) for x in (cuts[0], plan.centre, cuts[1])]

        def integrand(x: Any) -> Any:
            return program(self.arithmetic, x, *values)

        return self.integrate(integrand, points[:2]) + self.integrate(integrand, points[1:])

    def _inverse(self, plan: Inverse, values: list[Any]) -> Any:
        program = compiled(plan.increasing, (plan.variable, *plan.bindings))
        level = self.number(plan.level)
        return self.root(lambda x: program(self.arithmetic, x, *values) - level)


@lru_cache(maxsize=64)
def _high_precision(digits: int) -> HighPrecision:
    return HighPrecision(digits)


def highprec(plan: Plan, digits: int = 30) -> Any:
    """The plan's value in mpmath at ``digits`` digits, tanh-sinh where it is an integral.

    An estimate: mpmath's `quad` and root finders promise nothing.
    """
    arithmetic = _high_precision(digits + 10)
    context = arithmetic.context

    def root(function: Callable[[Any], Any]) -> Any:
        return context.findroot(
            function, (context.mpf(2) ** -60, 1 - context.mpf(2) ** -60), solver="anderson"
        )

    return _Estimator(arithmetic, context.quad, root, context.prec)(plan)


def float64(plan: Plan) -> float:
    """The plan's value in binary64, QUADPACK where it is an integral. An estimate."""
    from scipy import integrate, optimize

    def quad(function: Callable[[Any], Any], ends: list[Any]) -> float:
        low, high = float(ends[0]), float(ends[1])
        value = integrate.quad(
            lambda x: float(function(np.float64(x))),
            low,
            high,
            epsabs=0,
            epsrel=1e-13,
            limit=400,
            full_output=1,
        )
        return float(value[0])

    def root(function: Callable[[Any], Any]) -> float:
        return float(
            optimize.brentq(lambda x: float(function(np.float64(x))), 0.0, 1.0, xtol=1e-16)
        )

    # e^z overflows to the right limit, 1/(1 + ∞) = 0.
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        return float(_Estimator(FLOAT64, quad, root, 64)(plan))
