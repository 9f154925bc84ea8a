"""Signs of g′ and limits of g on infinite intervals, against sympy's own solver and dense scans."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy

from hedgetheory.analysis.gold_signs import limit_at_infinity, slope_signs
from hedgetheory.expressions.symbols import r
from hedgetheory.expressions.symbols import u as _u
from hedgetheory.spec.grammar import parse_gold

LINE = (None, None)
HALF = (Fraction(0), None)
UNIT = (Fraction(0), Fraction(1))


def signs(text, ends):
    gold = parse_gold(text)
    x = r if gold.expr.has(r) else _u
    return slope_signs(sympy.diff(gold.expr, x), x, *ends)


@pytest.mark.parametrize(
    ("text", "ends", "pattern"),
    [
        ("tanh(r) - r**2/10", LINE, [1, -1]),
        ("exp(-(r - 1)**2/2)", LINE, [1, -1]),
        ("r*exp(-r)", HALF, [1, -1]),
        ("r/(1 + r**2)", LINE, [-1, 1, -1]),
        ("(2*exp(r) + 3*exp(-r))/(exp(r) + exp(-r))", LINE, [-1]),
        ("exp(r) - exp(2*r)", LINE, [1, -1]),
        ("exp(r) - r", LINE, [-1, 1]),
        ("exp(r) - r", HALF, [1]),
        ("r**3", LINE, [1]),
        ("log(u)", UNIT, [1]),
        ("1/(1 - u)", UNIT, [1]),
        ("exp(u) - 2*u", UNIT, [-1, 1]),
        ("exp(u) - 4*u", UNIT, [-1]),
        ("7", LINE, []),
    ],
)
def test_signs_agree_with_a_dense_scan(text, ends, pattern):
    marks = signs(text, ends)
    assert [mark[2] for mark in marks] == pattern
    gold = parse_gold(text)
    x = r if gold.expr.has(r) else _u
    low, high = (-30.0 if ends[0] is None else 1e-6, 30.0 if ends[1] is None else 1 - 1e-6)
    grid = np.linspace(low, high, 20_001)
    with np.errstate(all="ignore"):
        slope = sympy.lambdify(x, sympy.diff(gold.expr, x), "numpy")(grid) + 0 * grid
    seen = np.sign(slope[np.abs(slope) > 1e-12])
    turns = seen[np.insert(np.diff(seen) != 0, 0, True)] if len(seen) else []
    assert list(turns) == pattern
    for a, b, _ in marks[1:]:
        assert np.min(np.abs(grid[:-1][np.diff(np.sign(slope)) != 0] - float(a + b) / 2)) < 0.01


@pytest.mark.parametrize(
    "text", ["sin(r)", "1/r", "erf(r) - r/10", "sqrt(r)", "1/(r - 1)", "1/(r**2 - 2)"]
)
def test_what_its_form_does_not_decide_is_left_open(text):
    assert signs(text, LINE) is None


@pytest.mark.parametrize(
    "text",
    ["tanh(r) - r**2/10", "r*exp(-r)", "(3*r**2 + 1)/(1 + r**2)", "tanh(r)", "1/r", "2 + exp(-r)",
     "(2*exp(r) + 3*exp(-r))/(exp(r) + exp(-r))", "exp(-r**2) + exp(r) - exp(2*r)", "exp(1)*r"],
)  # fmt: skip
def test_limits_agree_with_sympy(text):
    expr = parse_gold(text).expr
    found = limit_at_infinity(expr, r)
    expected = sympy.limit(expr, r, sympy.oo)
    if isinstance(found, int):
        assert expected == found * sympy.oo
    else:
        assert expected == sympy.nsimplify(found)


def test_an_unknown_limit_is_not_guessed():
    assert limit_at_infinity(sympy.sin(r), r) is None
    assert limit_at_infinity(sympy.log(r), r) is None
