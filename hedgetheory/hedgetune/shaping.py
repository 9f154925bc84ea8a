"""Shaped proxies: a strictly increasing formula of the proxy, on the values of a table."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.table import Array, Table

if TYPE_CHECKING:
    import sympy

#: Neighbours that binary64 does not tell apart and no form decides: compared by balls one by one.
MAX_PAIRS = 2000
_BITS = (128, 512, 2048, 8192)


def shaped(table: Table, text: str) -> tuple[Table, list[str]]:
    """The table with φ(proxy) for its proxy, and what to be warned of.

    ``text``: φ, a formula in r as `parse_formula` reads it, such as ``tanh(r/2)`` or
    ``1/(1+exp(-r))``, evaluated in float64. It must strictly increase on the distinct values of the
    table. Neighbours that come out equal, or in the wrong order by rounding, are joined as ties
    where φ is shown to increase there by its form or in balls; such ties change what Best-of-n
    does, and are told. Raises InputError, also for a φ without a finite value somewhere.

    >>> table = Table.from_arrays([0, 0, 0], [1, 2, 40], [0, 0, 1])
    >>> new, notes = shaped(table, "1/(1+exp(-r))")
    >>> new.proxy.round(3).tolist(), notes
    ([0.731, 0.881, 1.0], [])
    """
    from hedgetheory.expressions.formula import parse_formula
    from hedgetheory.expressions.symbols import r
    from hedgetheory.numerics.floats import FLOAT64
    from hedgetheory.numerics.program import UnsupportedExpression, compiled

    formula = parse_formula(text, ("r",), "shape")
    if formula.variable is None:
        raise InputError(f"shape must be a formula in r, as in tanh(r/2) [{text}]")
    values, places = np.unique(table.proxy, return_inverse=True)
    try:
        program = compiled(formula.expr, (r,))
    except UnsupportedExpression as why:
        raise InputError(f"shape: {why} [{text}]") from None
    with np.errstate(all="ignore"):
        image = np.asarray(program(FLOAT64, values), np.float64)
    if not np.isfinite(image).all():
        at = values[int(np.argmin(np.isfinite(image)))]
        raise InputError(f"shape has no finite value at r = {at:.10g} [{text}]")
    level = np.flatnonzero(np.diff(image) <= 0)
    notes = []
    if len(level):
        _require_increase(formula.expr, values, level, text)
        image = np.maximum.accumulate(image)
        joined = int(np.count_nonzero(np.diff(image) <= 0))
        low = float(values[level[0]])
        notes.append(
            f"shape joins {joined} pairs of neighbouring proxy values in binary64, the first at "
            f"r = {low:.6g}: they are ties now, which changes Best-of-n"
        )
    return replace(table, proxy=image[places.reshape(-1)]), notes


def _require_increase(expr: sympy.Expr, values: Array, level: NDArray[np.int64], text: str) -> None:
    """InputError unless φ is shown to increase from each of these values to the next."""
    if _increases_by_form(expr):
        return
    if len(level) > MAX_PAIRS:
        raise InputError(
            f"shape does not tell {len(level)} pairs of neighbouring proxy values apart, and is "
            f"not shown to increase by its form; at most {MAX_PAIRS} are looked at [{text}]"
        )
    for k in level:
        low, high = float(values[k]), float(values[k + 1])
        sign = _sign_of_step(expr, low, high)
        if sign != 1:
            what = "decreases" if sign == -1 else "is not shown to increase"
            raise InputError(
                f"shape {what} from r = {low:.10g} to {high:.10g}, but must strictly increase "
                f"on the proxies of the table [{text}]"
            )


def _increases_by_form(expr: sympy.Expr) -> bool:
    """Whether φ′ > 0 for every real r by its form alone."""
    import sympy

    from hedgetheory.expressions.signs import shown_continuous, shown_positive
    from hedgetheory.expressions.symbols import r
    from hedgetheory.laws.formula_reading import CORNERS

    expr = expr.replace(sympy.tanh, lambda x: 1 - 2 / (1 + sympy.exp(2 * x)))
    if expr.has(*CORNERS) or not shown_continuous(expr, r, -sympy.oo, sympy.oo):
        return False
    return shown_positive(sympy.diff(expr, r))


def _sign_of_step(expr: sympy.Expr, low: float, high: float) -> int:
    """The certified sign of φ(high) − φ(low), 0 where balls do not decide it."""
    from hedgetheory.expressions.symbols import r
    from hedgetheory.numerics.ball import REAL, ball, precision
    from hedgetheory.numerics.program import compiled

    program = compiled(expr, (r,))
    for bits in _BITS:
        with precision(bits):
            step: Any = program(REAL, ball(Fraction(high))) - program(REAL, ball(Fraction(low)))
            if step.is_finite() and (step > 0 or step < 0):
                return 1 if step > 0 else -1
    return 0
