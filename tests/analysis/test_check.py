"""The whole picture of f: what is found is right by a second route, and nothing is missed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.analysis.check import threshold
from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform

from .support import FAMILIES, RANK, contradictions, found, gold, uniform

mp = mpmath.MPContext()
mp.dps = 40


def by_hand(family: str, polynomial: sympy.Expr) -> tuple[Any, Any]:
    """f and f′ by mpmath quadrature of the definition, no closed form of the package."""
    terms = [(k, mp.mpf(int(a.p)) / int(a.q)) for (k,), a in sympy.Poly(polynomial, u).terms()]

    def g(x):
        return sum(a * x**k for k, a in terms)

    weight = {
        "bon": lambda t, x: t * x ** (t - 1),
        "bop": lambda t, x: (1 + t * x) * mp.exp(t * (x - 1)),
        "quantile_tilt": lambda t, x: t * mp.exp(t * (x - 1)) / -mp.expm1(-t),
    }[family]

    def f(t):
        return mp.quad(lambda x: g(x) * weight(t, x), [0, mp.mpf(1) / 2, 1])

    return f, lambda t: mp.diff(f, t, h=mp.mpf(10) ** -12)


@pytest.mark.parametrize("family", RANK)
@pytest.mark.parametrize(
    "expr", [u**12 * (1 - u), (u - u**3) * (u - sympy.Rational(1, 3)), u**8 * (1 - u**3)]
)
def test_every_enclosure_contains_the_root_found_by_quadrature(family, expr):
    result = uniform(family, expr)
    f, slope = by_hand(family, expr)
    assert result.regime in ("peak", "trough", "multiple")
    for extremum in result.extrema:
        root = mp.findroot(slope, mp.mpf(float(extremum.theta)), tol=1e-20)
        low, high = (mp.mpf(b.numerator) / b.denominator for b in extremum.theta.bounds)
        assert abs(root - (low + high) / 2) < mp.mpf(10) ** -11 * root
        low, high = (mp.mpf(b.numerator) / b.denominator for b in extremum.value.bounds)
        assert low - mp.mpf(10) ** -18 <= f(root) <= high + mp.mpf(10) ** -18


def test_best_of_n_on_u12_peaks_at_the_root_of_156():
    result = uniform("bon", u**12 * (1 - u), 30)
    low, high = result.extrema[0].theta.bounds
    assert low**2 < 156 < high**2
    assert high - low < Fraction(1, 10**28)
    assert result.threshold == result.extrema[0].theta
    assert (result.hacking, result.complete, result.domain) == (
        "certified",
        "certified",
        "[1, inf)",
    )


def test_the_integers_12_and_13_tie_exactly():
    integer = uniform("bon", u**12 * (1 - u)).integer
    assert integer is not None
    assert integer.best == [12, 13]
    assert integer.certain
    assert {n: v.fraction for n, v in integer.candidates}[13] == Fraction(1, 50)


def test_rounding_the_real_optimum_picks_the_wrong_integer():
    result = uniform("bon", u ** sympy.Rational(2401, 200) * (1 - u))
    assert result.extrema[0].theta.fraction == Fraction(2499, 200)
    assert round(float(result.extrema[0].theta)) == 12
    assert result.integer is not None
    assert result.integer.best == [13]


def test_rounding_leaves_half_of_a_tie():
    integer = uniform("bon", u**12 * (1 - u)).integer
    assert integer is not None
    assert integer.best != [round(float(mp.sqrt(156)))]


def three_extrema() -> sympy.Expr:
    """A quartic whose Best-of-n value has its extrema at 3/2, 5 and 20."""
    places = (sympy.Rational(3, 2), 5, 20)
    # f = Σ a_k n/(n + k): f′ = Σ a_k k/(n + k)² vanishes at the three places.
    unknowns = sympy.symbols("a1:5")
    equations = [sum(a * k / (p + k) ** 2 for k, a in enumerate(unknowns, 1)) for p in places]
    solution = sympy.solve([*equations, unknowns[3] + 1], unknowns)
    return sum(solution[a] * u**k for k, a in enumerate(unknowns, 1))


def test_three_prescribed_extrema_are_all_found():
    result = uniform("bon", three_extrema())
    assert result.regime == "multiple"
    assert result.complete == "certified"
    assert [e.theta.fraction for e in result.extrema] == [Fraction(3, 2), 5, 20]
    kinds = [e.kind for e in result.extrema]
    assert kinds in (["max", "min", "max"], ["min", "max", "min"])


def golden_section(f, low: float, high: float) -> float:
    ratio = (5**0.5 - 1) / 2
    for _ in range(80):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (a, high) if f(a) < f(b) else (low, b)
    return (low + high) / 2


def test_golden_section_misses_the_better_maximum_that_check_reports():
    expr = -three_extrema() if uniform("bon", three_extrema()).extrema[0].kind == "min" else 0
    expr = expr or three_extrema()
    result = uniform("bon", expr)
    assert [e.kind for e in result.extrema] == ["max", "min", "max"]
    p = sympy.Poly(expr, u)
    terms = [(int(k[0]), float(a)) for k, a in p.terms()]

    def f(n):
        return sum(a * n / (n + k) for k, a in terms)

    values = {float(e.theta): f(float(e.theta)) for e in result.extrema if e.kind == "max"}
    # One search per bracket around each local maximum: golden section ends where it is started.
    ends = [golden_section(f, 1.0, 4.0), golden_section(f, 6.0, 100.0)]
    assert ends == pytest.approx(sorted(values), rel=1e-6)
    assert result.best is not None
    wrong = min(ends, key=f)
    assert f(float(result.best.theta)) > f(wrong) + 1e-9


@pytest.mark.parametrize("family", RANK)
def test_two_sign_changes_of_the_gold_slope_need_not_make_an_extremum(family):
    # g′ = (u − 2/5)(u − 3/5) dips between, f does not.
    expr = sympy.integrate((u - sympy.Rational(2, 5)) * (u - sympy.Rational(3, 5)), u)
    result = uniform(family, expr)
    assert (result.regime, result.extrema) == ("increasing", ())
    assert result.complete == "certified"
    changes = next(h for h in result.hypotheses if h.id == "gold_sign_changes")
    assert (changes.verdict, changes.witness["count"]) == ("refuted", 2)


@pytest.mark.parametrize("family", [*RANK, "tilt"])
@pytest.mark.parametrize(
    ("expr", "regime", "hacking"),
    [
        (u, "increasing", "refuted"),
        (-(u**3), "decreasing", "certified"),
        (sympy.Integer(3), "constant", "refuted"),
        (sympy.Integer(0), "constant", "refuted"),
        (u**9 * (1 - u), "peak", "certified"),
        (u**9 * (u - 1), "trough", "refuted"),
        (u * (1 - u) ** 9, "decreasing", "certified"),
    ],
)
def test_regimes_of_simple_gold(family, expr, regime, hacking):
    result = uniform(family, expr)
    assert (result.regime, result.hacking) == (regime, hacking)
    start, end = result.ends
    polynomial = sympy.Poly(expr, u)
    assert sympy.Rational(start.value.fraction) == sympy.integrate(expr, (u, 0, 1))
    assert sympy.Rational(end.value.fraction) == polynomial.eval(1)
    assert (start.attained, end.attained, end.theta.infinite) == (True, False, 1)


def test_decreasing_from_the_start_has_its_threshold_at_the_lower_end():
    assert threshold(Uniform(), FAMILIES["bon"], gold(-u)).fraction == 1
    assert threshold(Uniform(), FAMILIES["bop"], gold(-u)).fraction == 0


def test_without_hacking_there_is_no_threshold_and_a_reason():
    number = threshold(Uniform(), FAMILIES["bop"], gold(u))
    assert number.is_undefined
    assert "increases" in number.reason


def test_a_stationary_end_is_no_extremum():
    # u(1 − u) is symmetric about 1/2, where k is at θ = 0: f′(0) = 0 exactly, and f falls.
    for family in ("bop", "quantile_tilt"):
        assert uniform(family, u * (1 - u)).regime == "decreasing"
        assert uniform(family, u**5 * (1 - u) ** 5).regime == "decreasing"


def test_a_double_zero_of_the_slope_is_an_inflection_and_no_extremum():
    # Σ a_k k/(n + k)² with a double root at n = 3 and no other sign change.
    a = sympy.symbols("a1:4")
    n = sympy.Symbol("n", positive=True)
    slope = sum(c * k / (n + k) ** 2 for k, c in enumerate(a, 1))
    solution = sympy.solve([slope.subs(n, 3), slope.diff(n).subs(n, 3), a[2] - 1], a)
    result = uniform("bon", sum(solution[c] * u**k for k, c in enumerate(a, 1)))
    assert result.regime == "increasing"
    assert result.complete == "certified"


def test_an_increasing_curve_has_no_best_integer():
    integer = uniform("bon", u).integer
    assert integer is not None
    assert (integer.best, integer.certain) == ([], True)
    assert "no integer" in integer.note


def test_integers_tie_across_a_kink():
    # The tent has f(1) = f(2) = 1/4 exactly, with the peak between them.
    tent = sympy.Piecewise((u, u < sympy.Rational(1, 2)), (1 - u, True))
    integer = uniform("bon", tent).integer
    assert integer is not None
    assert (integer.best, integer.certain) == ([1, 2], True)


@pytest.mark.parametrize("family", RANK)
@given(
    coefficients=st.lists(st.integers(-20, 20), min_size=1, max_size=6),
    lowest=st.integers(0, 4),
)
@settings(max_examples=40, derandomize=True, deadline=None, database=None)
def test_no_sign_scan_contradicts_the_picture(family, coefficients, lowest):
    expr = sympy.sympify(sum(c * u ** (k + lowest) for k, c in enumerate(coefficients)))
    result = uniform(family, expr)
    assert result.complete == "certified"
    grid = np.geomspace(1e-3, 300, 60) + (1 if family == "bon" else 0)
    assert contradictions(family, expr, result, grid) == []


@pytest.mark.parametrize("family", RANK)
@pytest.mark.parametrize(
    "expr",
    [
        sympy.Abs(u - sympy.Rational(1, 3)) - u**2,
        sympy.Max(sympy.Rational(1, 4), u) - 2 * u**4,
        sympy.Min(u, sympy.Rational(9, 10)) - u**20,
    ],
)
def test_piecewise_polynomial_gold_is_complete(family, expr):
    result = uniform(family, expr)
    assert result.complete == "certified"
    grid = np.geomspace(1e-2, 100, 60) + (1 if family == "bon" else 0)
    # The quadrature panels do not know the kinks: only clear signs are compared.
    assert contradictions(family, expr, result, grid, doubt=2e-3) == []


def test_a_jump_counts_as_a_sign_change():
    # Rises, jumps down, rises again: f can turn twice.
    expr = sympy.Piecewise((u, u < sympy.Rational(1, 2)), (u - 2, True))
    changes = next(h for h in uniform("bop", expr).hypotheses if h.id == "gold_sign_changes")
    assert changes.witness["count"] == 2


def test_the_tilt_of_the_normal_law_is_a_polynomial():
    # E_λ[r − r²/4] = λ − (1 + λ²)/4: peak at λ = 2 with value 3/4.
    result = found(Normal(0, 1), "tilt", r - r**2 / 4)
    assert [(e.theta.fraction, e.value.fraction, e.kind) for e in result.extrema] == [
        (2, Fraction(3, 4), "max")
    ]
    assert result.ends[1].value.infinite == -1
    assert result.best is not None
    assert result.best.theta.fraction == 2


def test_the_tilt_of_the_exponential_law_ends_at_its_rate():
    # E_λ[r − r²/8] = s − s²/4 with s = 1/(1 − λ): s = 2, λ = 1/2.
    result = found(Exponential(1), "tilt", r - r**2 / 8)
    assert [(e.theta.fraction, e.value.fraction) for e in result.extrema] == [(Fraction(1, 2), 1)]
    assert result.ends[1].theta.fraction == 1
    assert result.ends[1].value.infinite == -1
    assert result.domain == "[0, 1)"


def test_gold_in_both_variables_is_refused():
    with pytest.raises(InputError, match="alone"):
        found(Uniform(), "bon", u + r)


@pytest.mark.parametrize("family", RANK)
def test_hypotheses_carry_the_ids_of_the_contract(family):
    entry = uniform(family, u**12 * (1 - u)).to_json()
    ids = "mlr kernel_tp2 score_monotone gold_sign_changes kl_increasing proxy_increasing"
    assert [h["id"] for h in entry["hypotheses"]] == ids.split()
    assert {h["verdict"] for h in entry["hypotheses"]} == {"proved"}
    fields = {"regime", "extrema", "ends", "best", "complete", "hacking", "hypotheses"}
    assert fields <= set(entry)
    assert ("integer" in entry) == (family == "bon")
    assert entry["ends"][1]["theta"] == {"decimal": "inf", "rad": "0", "guarantee": "exact"}
