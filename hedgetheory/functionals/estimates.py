"""Two more evaluators of the same plans, mpmath and float64: estimates, never certificates."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
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
    Estimated,
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
    """Interprets plans in one arithmetic, given how it integrates."""

    def __init__(
        self,
        arithmetic: Any,
        integrate: Callable[[Callable[[Any], Any], list[Any]], Any],
        bits: int,
    ) -> None:
        self.bits = bits
        self.arithmetic, self.integrate = arithmetic, integrate

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
        if isinstance(plan, Estimated):
            return self.arithmetic.constant(Fraction(plan.estimate()))
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
        """Each half in s, the distance to its end being e^{−s}: no end is singular in s."""
        program = compiled(plan.integrand, (u, ubar, *plan.bindings))
        exp, one = self.arithmetic.exp, self.number(Fraction(1))

        def left(s: Any) -> Any:
            x = exp(-s)
            return x * program(self.arithmetic, x, one - x, *values)

        def right(s: Any) -> Any:
            x = exp(-s)
            return x * program(self.arithmetic, one - x, x, *values)

        start = self.arithmetic.log(self.number(Fraction(2)))
        # e^{−s} is zero in binary64 beyond 745.
        end = 700 if self.arithmetic is FLOAT64 else self.arithmetic.infinity
        edges = [start, *(start + 2**k for k in range(9)), end]
        kink = self._kink(plan, values)
        total = self.number(Fraction(0))
        for function, place in ((left, 0), (right, 1)):
            points = edges
            if kink is not None and kink[place] <= kink[1 - place]:
                points = sorted([*edges, -self.arithmetic.log(kink[place])])
            for ends in pairwise(points):
                total += self.integrate(function, list(ends))
        return total

    def _kink(self, plan: UnitIntegral, values: list[Any]) -> tuple[Any, Any] | None:
        """(u, ū) where |w − 1| has its corner: no rule converges fast across it."""
        corners = list(plan.integrand.atoms(sympy.Abs))
        if not corners:
            return None
        program = compiled(corners[0].args[0], (u, ubar, *plan.bindings))
        return self._root(lambda x, xbar: program(self.arithmetic, x, xbar, *values))

    def _root(self, function: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
        """(x, 1 − x) where a monotone function of them changes sign: bisection in the logit."""
        exp, one = self.arithmetic.exp, self.number(Fraction(1))

        def place(logit: Any) -> tuple[Any, Any]:
            return one / (one + exp(-logit)), one / (one + exp(logit))

        low, high = self.number(Fraction(-700)), self.number(Fraction(700))
        negative = function(*place(low)) < 0
        for _ in range(self.bits + 16):
            middle = (low + high) / 2
            if (function(*place(middle)) < 0) == negative:
                low = middle
            else:
                high = middle
        return place(high)

    def _line(self, plan: LineIntegral, values: list[Any]) -> Any:
        program = compiled(plan.integrand, (r, *plan.bindings))
        # The range beyond which nothing is left at this precision: densities under- and weights
        # overflow far outside of it.
        with balls.precision(self.bits):
            cuts = [
                end if end is not None else tail_cut(plan, side)[0]
                for end, side in zip(plan.support, (-1, 1), strict=True)
            ]
        points = [self._end(x) for x in (cuts[0], plan.centre, cuts[1])]

        def integrand(x: Any) -> Any:
            return program(self.arithmetic, x, *values)

        corner = self._corner(plan, values, points[0], points[-1])
        if corner is not None:
            points = sorted([*points, corner])
        total = self.number(Fraction(0))
        for ends in pairwise(points):
            total += self.integrate(integrand, list(ends))
        return total

    def _corner(self, plan: LineIntegral, values: list[Any], low: Any, high: Any) -> Any:
        """Where |1 − w| has its corner on a line, w monotone: between ``low`` and ``high``."""
        corners = list(plan.integrand.atoms(sympy.Abs))
        if not corners:
            return None
        program = compiled(corners[0].args[0], (r, *plan.bindings))
        below = program(self.arithmetic, low, *values) < 0
        if (program(self.arithmetic, high, *values) < 0) == below:
            return None
        for _ in range(self.bits + 16):
            middle = (low + high) / 2
            if (program(self.arithmetic, middle, *values) < 0) == below:
                low = middle
            else:
                high = middle
        return high

    def _end(self, end: Fraction | sympy.Expr) -> Any:
        return self.number(end) if isinstance(end, Fraction) else compiled(end, ())(self.arithmetic)

    def _inverse(self, plan: Inverse, values: list[Any]) -> Any:
        program = compiled(plan.increasing, (plan.variable, *plan.bindings))
        level = self.number(plan.level)
        return self._root(lambda x, _: program(self.arithmetic, x, *values) - level)[0]


@lru_cache(maxsize=64)
def _high_precision(digits: int) -> HighPrecision:
    return HighPrecision(digits)


def highprec(plan: Plan, digits: int = 30) -> Any:
    """The plan's value in mpmath at ``digits`` digits, tanh-sinh where it is an integral.

    An estimate: mpmath's `quad` and root finders promise nothing.
    """
    arithmetic = _high_precision(digits + 10)
    context = arithmetic.context
    # A narrow bulk in a wide range: halved where quad itself doubts its answer.
    doubt = context.mpf(10) ** -min(digits, 20)

    def integrate(function: Callable[[Any], Any], ends: list[Any], depth: int = 8) -> Any:
        value, error = context.quad(function, ends, error=True)
        low, high = ends
        if error <= doubt * abs(value) or depth == 0 or context.isinf(high - low):
            return value
        middle = (low + high) / 2
        halves = ([low, middle], [middle, high])
        return sum((integrate(function, half, depth - 1) for half in halves), context.zero)

    return _Estimator(arithmetic, integrate, context.prec)(plan)


def float64(plan: Plan) -> float:
    """The plan's value in binary64, QUADPACK where it is an integral. An estimate."""
    from scipy import integrate

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

    # e^z overflows to the right limit, 1/(1 + ∞) = 0.
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        return float(_Estimator(FLOAT64, quad, 64)(plan))
