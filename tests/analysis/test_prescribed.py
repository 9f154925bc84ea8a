"""Gold curves with prescribed extrema, checked by values of f that `check` has no part in."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import pytest
import sympy

from hedgetheory.analysis.prescribed import gold_with_extrema
from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import r, u
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law


def value_under_bon(expr, n):
    """Σ c_k n/(n + k), exactly."""
    return sum(
        Fraction(int(c.p), int(c.q)) * n / (n + k) for (k,), c in sympy.Poly(expr, u).terms()
    )


@pytest.mark.parametrize("thetas", [[2, 5, 11], ["3/2"], [2, 4, 8, 16, 32, 64]])
def test_best_of_n_turns_at_every_point_asked_for(thetas):
    made = gold_with_extrema(parse_law("uniform"), parse_family("bon"), thetas)
    assert made.certified
    step = Fraction(1, 1000)
    for k, theta in enumerate(made.thetas):
        before, at, after = (value_under_bon(made.expr, theta + d) for d in (-step, 0, step))
        assert (at > before and at > after) if k % 2 == 0 else (at < before and at < after)


def test_best_of_poisson_turns_at_every_point_asked_for():
    made = gold_with_extrema(parse_law("uniform"), parse_family("bop"), [1, 4])
    assert made.certified
    gold = sympy.lambdify(u, made.expr, "mpmath")

    def slope(m):
        def f(x):
            return mpmath.quad(lambda v: gold(v) * (1 + x * v) * mpmath.exp(x * (v - 1)), [0, 1])

        return mpmath.diff(f, m)

    with mpmath.workdps(30):
        signs = [mpmath.sign(slope(m)) for m in (0.5, 0.99, 1.01, 2, 3.99, 4.01, 8)]
    assert signs == [1, 1, -1, -1, -1, 1, 1]


def test_the_tilt_of_a_normal_law_turns_at_every_point_asked_for():
    made = gold_with_extrema(parse_law("normal"), parse_family("tilt"), [1, 2, 3])
    assert made.certified
    # The tilted law is normal(λ, 1): f = E g(λ + Z), whose derivative is a polynomial in λ.
    z, x = sympy.symbols("z x")
    expanded = sympy.Poly(sympy.expand(made.expr.subs(r, x + z)), z)
    moments = {0: 1, 2: 1, 4: 3}
    f = sum(moments.get(k, 0) * c for (k,), c in expanded.terms())
    assert sorted(sympy.roots(sympy.Poly(sympy.diff(f, x), x))) == [1, 2, 3]


def test_the_formula_can_be_pasted_back():
    made = gold_with_extrema(parse_law("uniform"), parse_family("bon"), [2, 5])
    assert sympy.expand(parse_gold(str(made)).expr - made.expr) == 0


def test_kinds_alternate_from_a_maximum():
    made = gold_with_extrema(parse_law("uniform"), parse_family("quantile_tilt"), [1, 4])
    kinds = [extremum.kind for extremum in made.found.extrema]
    assert kinds[0] == "max"
    assert all(a != b for a, b in pairwise(kinds))


@pytest.mark.parametrize(
    ("law", "family", "thetas"),
    [
        ("uniform", "bon", [4, 2]),
        ("uniform", "bon", [1]),
        ("uniform", "bon", []),
        ("uniform", "bon", list(range(2, 15))),
        ("uniform", "bon", ["many"]),
        ("bernoulli(1/2)", "bon", [2]),
        ("uniform", "sbon(n=4)", [2]),
    ],
)
def test_what_cannot_be_constructed_is_refused(law, family, thetas):
    with pytest.raises(InputError):
        gold_with_extrema(parse_law(law), parse_family(family), thetas)
