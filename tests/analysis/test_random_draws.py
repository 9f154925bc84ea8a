"""Best of a random number of draws in `check`: f by hand-written pgfs, not those of the package."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.analysis.check import check, threshold
from hedgetheory.analysis.random_draws import exact, kernels, lines
from hedgetheory.cli.app import run
from hedgetheory.expressions.symbols import mu, r, u, ubar
from hedgetheory.laws.finite import Finite
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

#: family -> its pgf (x, θ) from THEORY.md, its scan of θ, and which way it is greedier.
FAMILIES = {
    "best_of_random(sibuya)": (lambda x, a: 1 - (1 - x) ** a, np.linspace(0.02, 1, 50), -1),
    "best_of_random(geometric)": (
        lambda x, p: p * x / (1 - (1 - p) * x),
        np.geomspace(0.005, 1, 50),
        -1,
    ),
    "best_of_random(binomial(m=7))": (
        lambda x, p: ((1 - p + p * x) ** 7 - (1 - p) ** 7) / (1 - (1 - p) ** 7),
        np.linspace(0.02, 1, 50),
        1,
    ),
    "best_of_random(binomial(p=1/3))": (
        lambda x, m: ((2 + x) ** m - 2**m) / (3**m - 2**m),
        np.geomspace(1, 150, 50),
        1,
    ),
    "best_of_random(negative_binomial(r=3/2))": (
        lambda x, p: (((1 - (1 - p) * x) / p) ** -1.5 - p**1.5) / (1 - p**1.5),
        np.geomspace(0.005, 0.999, 50),
        -1,
    ),
    "best_of_random(negative_binomial(r=2))": (
        lambda x, p: (((1 - (1 - p) * x) / p) ** -2 - p**2) / (1 - p**2),
        np.geomspace(0.005, 0.999, 50),
        -1,
    ),
    "best_of_random(negative_binomial(p=1/4))": (
        lambda x, k: ((1 - 0.75 * x) ** -k - 1) / (4.0**k - 1),
        np.geomspace(0.01, 60, 50),
        1,
    ),
}
#: All but the last two kinds have an exact form for polynomial gold.
EXACT = [name for name in FAMILIES if name != "best_of_random(negative_binomial(p=1/4))"]

HIGH = HighPrecision(30)
_X, _W = np.polynomial.legendre.leggauss(24)
#: Panels that crowd at u = 1, where the pgf of a greedy member rises.
_EDGES = np.concatenate([[0.0, 0.25], 1 - 2.0 ** -np.arange(1, 42), [1.0]])
NODES = np.concatenate([(a + b) / 2 + (b - a) / 2 * _X for a, b in pairwise(_EDGES)])
WEIGHTS = np.concatenate([(b - a) / 2 * _W for a, b in pairwise(_EDGES)])


def on_uniform(family, coefficients):
    """θ -> g(1) − ∫ g′ G, g by its polynomial coefficients."""
    pgf = FAMILIES[family][0]
    gold = np.polynomial.Polynomial(coefficients)
    slope = gold.deriv()(NODES) * WEIGHTS
    return lambda theta: float(gold(1.0) - slope @ pgf(NODES, theta))


def on_atoms(family, law, values):
    """θ -> Σ g_i [G(F_i) − G(F_{i−1})]."""
    pgf = FAMILIES[family][0]
    levels = np.array([0.0, *map(float, law.cumulative)])
    levels[-1] = 1.0
    return lambda theta: float(np.diff(pgf(levels, theta)) @ np.array(values, float))


def disagreements(family, f, result, noise=2e-9):
    """Where a dense scan of f contradicts the picture."""
    signs = {"increasing": [1], "decreasing": [-1], "constant": [0]}.get(result.regime)
    if signs is None:
        signs = [1 if e.kind == "max" else -1 for e in result.extrema]
        signs.append(-signs[-1])
    places = [float(e.theta) for e in result.extrema]
    grid = FAMILIES[family][1]
    out = []
    values = [f(theta) for theta in grid]
    for (a, fa), (b, fb) in pairwise(zip(grid, values, strict=True)):
        stretch = sum(place < a for place in places)
        if stretch == sum(place < b for place in places) and abs(fb - fa) > noise:
            out += [(a, b)] if np.sign(fb - fa) != signs[stretch] else []
    for extremum in result.extrema:
        if abs(f(float(extremum.theta)) - float(extremum.value)) > noise:
            out.append(float(extremum.theta))
    for end, theta in zip(result.ends, (grid[0], grid[-1]), strict=True):
        if end.attained and abs(float(end.value) - f(theta)) > noise:
            out.append(float(end.theta))
    return out


def gold_of(coefficients):
    return parse_gold(" + ".join(f"({c})*u**{i}" for i, c in enumerate(coefficients)))


@pytest.mark.parametrize("family", EXACT)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6))
@settings(max_examples=6, derandomize=True, deadline=None, database=None)
def test_a_dense_scan_never_contradicts_polynomial_gold(family, coefficients):
    result = check(parse_law("uniform"), parse_family(family), gold_of(coefficients), 8)
    assert result.complete == "certified"
    assert not disagreements(family, on_uniform(family, coefficients), result)


@pytest.mark.parametrize("family", FAMILIES)
@given(
    atoms=st.lists(st.tuples(st.integers(1, 9), st.integers(-9, 9)), min_size=1, max_size=5),
)
@settings(max_examples=6, derandomize=True, deadline=None, database=None)
def test_a_dense_scan_never_contradicts_the_picture_on_atoms(family, atoms):
    total = sum(weight for weight, _ in atoms)
    law = Finite({i: Fraction(weight, total) for i, (weight, _) in enumerate(atoms)})
    values = [g for _, g in atoms]
    points = [(sympy.Integer(i), g) for i, g in enumerate(values)]
    expr = sympy.sympify(sympy.interpolate(points, r)) if len(values) > 1 else r * 0 + values[0]
    gold = parse_gold(str(expr))
    result = check(law, parse_family(family), gold, 8)
    turns = np.diff(values)
    turns = [x for x in np.sign(turns) if x]
    if "3/2" in family and sum(a != b for a, b in pairwise(turns)) > 1:
        assert result.regime == "undecided"  # no exact form, and more than one turn
        return
    assert result.complete == "certified"
    assert not disagreements(family, on_atoms(family, law, values), result)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("law", "text", "quantile"),
    [
        ("uniform", "sin(3*u)", lambda x: x),
        ("uniform", "exp(-u)*(u + u**3)", lambda x: x),
        ("exponential", "r - r**2/9", lambda x: -np.log1p(-x)),
    ],
)
def test_gold_that_turns_once_is_decided_without_an_exact_form(family, law, text, quantile):
    expr = parse_gold(text).expr
    gold = sympy.lambdify(r if expr.has(r) else u, expr, "numpy")(quantile(NODES))
    theta = sympy.Symbol("theta")
    symbolic = FAMILIES[family][0](u, theta)
    density = sympy.lambdify((u, theta), sympy.diff(symbolic, u), "numpy")

    def f(at):
        return float(WEIGHTS @ (gold * density(NODES, at)))

    result = check(parse_law(law), parse_family(family), parse_gold(text), 6)
    assert result.complete == "certified"
    assert result.regime in ("peak", "increasing", "decreasing")
    # Sibuya below 1/2 has more than 1e-6 of its mass beyond the last node.
    crude = 1e-4 if "sibuya" in family else 1e-7
    for extremum in result.extrema:
        place = float(extremum.theta)
        sides = [f(place * (1 + s)) for s in (-0.03, 0.03)]
        assert abs(f(place) - float(extremum.value)) < crude
        assert all(side < f(place) for side in sides)
    grid = [t for t in FAMILIES[family][1] if "sibuya" not in family or t > 0.5]
    for a, b in pairwise(grid):
        signs = {"peak": [1, -1], "increasing": [1], "decreasing": [-1]}[result.regime]
        place = sum(float(e.theta) < a for e in result.extrema)
        if place == sum(float(e.theta) < b for e in result.extrema) and abs(f(b) - f(a)) > crude:
            assert np.sign(f(b) - f(a)) == signs[place]


def test_the_peak_of_sibuya_is_that_of_its_rational_value():
    # f(a) = E[V(1 − V)²], V with density a v^{a−1}: a/(a + 1) − 2a/(a + 2) + a/(a + 3).
    result = check(parse_law("normal"), parse_family("best_of_random(sibuya)"),
                   parse_gold("u**2*(1 - u)"), 20)  # fmt: skip
    a = sympy.Symbol("a", positive=True)
    value = a / (a + 1) - 2 * a / (a + 2) + a / (a + 3)
    (root,) = [x for x in sympy.Poly(sympy.numer(sympy.together(sympy.diff(value, a))), a)
               .nroots(n=30) if x.is_real and 0 < x < 1]  # fmt: skip
    (extremum,) = result.extrema
    low, high = extremum.theta.bounds
    assert low < Fraction(str(root)) + Fraction(1, 10**22)
    assert Fraction(str(root)) - Fraction(1, 10**22) < high
    assert high - low < Fraction(1, 10**19)
    assert [str(end.theta) for end in result.ends] == ["0 exactly", "1 exactly"]
    assert result.ends[1].value.fraction == Fraction(1, 12)


def test_a_turn_of_sibuya_beyond_a_equal_to_one_is_none():
    # −Best-of-n in ū: v¹²(1 − v) turns at n = 12.49, so that on (0, 1] there is no turn.
    result = check(parse_law("uniform"), parse_family("best_of_random(sibuya)"),
                   parse_gold("(1 - u)**12*u"), 8)  # fmt: skip
    assert (result.regime, result.extrema) == ("increasing", ())
    piecewise = parse_gold("where(u < 1/3, u, 1/2 - u/2)")
    assert check(parse_law("uniform"), parse_family("best_of_random(sibuya)"),
                 piecewise, 8).complete == "certified"  # fmt: skip


@pytest.mark.parametrize(
    "family",
    ["best_of_random(sibuya)", "best_of_random(binomial(m=7))", "best_of_random(geometric)"],
)
def test_several_turns_are_all_found(family):
    # The shifted Chebyshev polynomial of degree 7, times a ramp that keeps all turns apart.
    chebyshev = sympy.expand(sympy.chebyshevt(7, 1 - 2 * u))
    coefficients = [int(c) for c in reversed(sympy.Poly(chebyshev, u).all_coeffs())]
    result = check(parse_law("uniform"), parse_family(family), gold_of(coefficients), 8)
    assert result.complete == "certified"
    assert not disagreements(family, on_uniform(family, coefficients), result, 1e-6)


def test_several_turns_of_smooth_gold_are_bounded_by_the_signs_of_partial_integrals():
    # g′ changes sign three times, and f = ∫ sin(9(1 − s^{1/a})) ds turns once.
    result = check(parse_law("uniform"), parse_family("best_of_random(sibuya)"),
                   parse_gold("sin(9*u)"), 8)  # fmt: skip
    assert result.complete == "certified"

    def f(a):
        return float(mpmath.quad(lambda s: mpmath.sin(9 * (1 - s ** (1 / mpmath.mpf(a)))), [0, 1]))

    (extremum,) = result.extrema
    place = float(extremum.theta)
    assert abs(f(place) - float(extremum.value)) < 1e-7
    values = [f(i / 40) for i in range(1, 41)]
    turns = [i / 40 for i in range(2, 40)
             if (values[i - 1] - values[i - 2]) * (values[i] - values[i - 1]) < 0]  # fmt: skip
    assert len(turns) == 1
    assert abs(turns[0] - place) < 1 / 20


@pytest.mark.parametrize("family", FAMILIES)
def test_many_atoms_and_one_turn_need_no_exact_form(family):
    law = Finite({i: Fraction(1, 45) for i in range(45)})
    values = [i * (38 - i) for i in range(45)]
    result = check(law, parse_family(family), parse_gold("r*(38 - r)"), 8)
    assert result.complete == "certified"
    assert not disagreements(family, on_atoms(family, law, values), result, 1e-7)


def test_the_zero_truncated_poisson_law_is_the_quantile_tilt():
    results = [
        check(parse_law("uniform"), parse_family(name), parse_gold("u**2*(1 - u)"), 12).to_json()
        for name in ("best_of_random(ztp)", "quantile_tilt")
    ]
    assert results[0] == results[1]


def test_a_binomial_number_that_always_succeeds_is_best_of_n():
    results = [
        check(parse_law("uniform"), parse_family(name), parse_gold("u**12*(1 - u)"), 12).to_json()
        for name in ("best_of_random(binomial(p=1))", "bon")
    ]
    assert results[0] == results[1]
    assert results[0]["integer"]["best"] == [12, 13]


def test_whole_numbers_of_trials_are_compared_exactly():
    family = parse_family("best_of_random(binomial(p=1/3))")
    result = check(parse_law("uniform"), family, parse_gold("u**2*(1 - u)"), 12)

    def f(m):
        # E over N of E[max²] − E[max³] = N/(N + 2) − N/(N + 3).
        chance = [
            sympy.binomial(m, j) * sympy.Rational(2, 3) ** (m - j) / 3**j for j in range(m + 1)
        ]
        top = sum(c * (sympy.Rational(j, j + 2) - sympy.Rational(j, j + 3))
                  for j, c in enumerate(chance) if j)  # fmt: skip
        return top / sum(chance[1:])

    best = max(range(1, 25), key=f)
    assert result.integer.best == [best]
    shown = {m: value.fraction for m, value in result.integer.candidates}
    assert all(f(m) == sympy.Rational(v.numerator, v.denominator) for m, v in shown.items())


@pytest.mark.parametrize("trials", [1, 2])
def test_one_or_two_trials_never_turn(trials):
    family = parse_family(f"best_of_random(binomial(m={trials}))")
    for text in ("u*(1 - u)", "sin(6*u)", "cos(u)*u"):
        result = check(parse_law("uniform"), family, parse_gold(text), 8)
        assert result.regime in ("constant", "increasing", "decreasing")
        if trials == 1:
            assert result.regime == "constant"
            assert result.ends[0].value == result.ends[1].value


def test_where_w_is_one_throughout_nothing_is_refuted_but_what_should_increase():
    for law, draws in (("finite({2: 1})", "sibuya"), ("uniform", "binomial(m=1)")):
        result = check(parse_law(law), parse_family(f"best_of_random({draws})"), parse_gold("r"), 8)
        told = {h.id: h.verdict for h in result.hypotheses}
        assert (told["mlr"], told["score_monotone"]) == ("proved", "proved")
        assert (told["kl_increasing"], told["proxy_increasing"]) == ("refuted", "refuted")
        assert (result.regime, result.hacking) == ("constant", "refuted")


def test_hacking_is_read_along_growing_divergence():
    verdicts = {}
    for draws, greedier in (("sibuya", -1), ("geometric", -1), ("binomial(m=9)", 1)):
        family = parse_family(f"best_of_random({draws})")
        for text in ("u", "-u", "u**2*(1 - u)"):
            result = check(parse_law("uniform"), family, parse_gold(text), 8)
            verdicts[family.name, text] = result.hacking
            told = {h.id: h.verdict for h in result.hypotheses}
            assert told["kl_increasing"] == ("proved" if greedier > 0 else "refuted")
            assert told["mlr"] == told["proxy_increasing"] == told["kl_increasing"]
            assert told["score_monotone"] == told["kernel_tp2"] == "proved"
            assert (greedier < 0) == any("falling" in note for note in result.notes)
            if text == "-u":  # decreasing from the reference on
                assert result.threshold.fraction == (1 if greedier < 0 else 0)
                assert threshold(parse_law("uniform"), family, parse_gold(text)) is not None
            if text == "u**2*(1 - u)":
                assert result.threshold == result.extrema[0].theta
    assert {text: v for (_, text), v in verdicts.items()} == {
        "u": "refuted", "-u": "certified", "u**2*(1 - u)": "certified"}  # fmt: skip


@pytest.mark.parametrize(
    ("law", "gold"),
    [("pareto(2)", "r"), ("exponential", "exp(r/2)"), ("pareto(0.9)", "r")],
)
def test_sibuya_with_an_infinite_value_somewhere_is_undecided(law, gold):
    # E[R] under Sibuya(a) on a Pareto(α) is that of a Pareto(aα): infinite from a = 1/α down.
    result = check(parse_law(law), parse_family("best_of_random(sibuya)"), parse_gold(gold), 8)
    assert result.regime == "undecided"


# The lines themselves ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_the_forms_of_a_line_are_those_of_its_pgf(name):
    pgf = FAMILIES[name][0]
    line = lines.line_of(parse_family(name))
    rank = lines.kernel_of(line)
    regular = lines.kernel_at_lower(line)
    for above in (Fraction(1, 7), Fraction(4, 5), *([] if line.upper else [Fraction(9, 2)])):
        t = above + line.lower
        ratios = []
        for x in (Fraction(1, 50), Fraction(2, 5), Fraction(49, 50)):

            def at(form, x=x, t=t):
                return compiled(form, (u, ubar, mu))(HIGH, *map(HIGH.constant, (x, 1 - x, t)))

            level = mpmath.mpf(x.numerator) / x.denominator

            def cdf(s, level=level):
                return pgf(level, 1 / (1 + s) if line.falls else s)

            with mpmath.workdps(30):
                s = mpmath.mpf(t.numerator) / t.denominator
                expected = cdf(s)
                slope = -mpmath.diff(cdf, s)
            assert abs(at(rank.below) - expected) < 1e-14
            for form in (rank.above, rank.high_above):
                assert abs(at(form) + expected - 1) < 1e-14
            assert abs(at(rank.kernel) - at(rank.high_kernel)) < 1e-18
            ratios.append(at(rank.kernel) / slope)
            if not line.is_power_series:
                assert abs(at(regular.above) - at(rank.above)) < 1e-25
                assert abs(at(regular.below) - at(rank.below)) < 1e-25
                assert abs(at(regular.kernel) - at(rank.kernel)) < 1e-25
            # What the tails of a quadrature rest on.
            bound = float(1 - x) ** float(at(rank.upper_power))
            assert float(at(rank.kernel)) <= min(3 * float(x) ** 0.875, 3 * bound) + 1e-15
            assert float(at(rank.above)) <= (float(at(rank.largest_ratio)) + 1) * bound
        assert ratios[0] > 0
        assert max(ratios) - min(ratios) < 1e-12 * ratios[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_no_minor_of_a_kernel_is_negative(name):
    line = lines.line_of(parse_family(name))
    pgf, _, _ = FAMILIES[name]
    levels = [mpmath.mpf(i) / 9 for i in range(1, 9)]

    def slope(x, t):
        at = mpmath.mpf(t.numerator) / t.denominator
        return -mpmath.diff(lambda s: pgf(x, 1 / (1 + s) if line.falls else s), at)

    with mpmath.workdps(40):
        ts = [line.lower + Fraction(i, 9) for i in range(1, 9)]
        table = [[slope(x, t) for x in levels] for t in ts]
    for (row, following), i in ((pair, i) for pair in pairwise(table) for i in range(7)):
        assert row[i] * following[i + 1] - row[i + 1] * following[i] > 0


def test_the_kernel_of_two_trials_separates():
    assert lines.line_of(parse_family("best_of_random(binomial(m=2))")).separates
    p = sympy.Symbol("p")
    pgf = ((1 - p + p * u) ** 2 - (1 - p) ** 2) / (1 - (1 - p) ** 2)
    kernel = sympy.factor(sympy.diff(pgf, p))
    assert sympy.simplify(kernel / (u * (1 - u))).free_symbols == {p}


# What must fail ---------------------------------------------------------------------------------


def test_a_false_mixed_derivative_is_not_proved(monkeypatch):
    key = next(iter(kernels._MIXED))
    monkeypatch.setitem(kernels._MIXED, key, kernels._MIXED[key] * (1 + u / 10**12))
    kernels.mixed_derivative.cache_clear()
    assert kernels.mixed_derivative(*key) is None
    kernels.mixed_derivative.cache_clear()


@pytest.mark.parametrize("wrong", ["factor", "density"])
def test_a_false_step_ends_the_proof_of_the_kernel(monkeypatch, wrong):
    tables = kernels.MOMENTS
    draws, tau, factor, density = tables[0]
    changed = (draws, tau, factor + 1, density) if wrong == "factor" else (
        draws, tau, factor, density * (1 - tau))  # fmt: skip
    monkeypatch.setattr(kernels, "MOMENTS", (changed, *tables[1:]))
    kernels.power_series_kernel_is_tp2.cache_clear()
    assert not kernels.power_series_kernel_is_tp2()
    kernels.power_series_kernel_is_tp2.cache_clear()


@pytest.mark.parametrize(
    ("family", "name", "mutant"),
    [
        ("best_of_random(binomial(m=7))", "ODDS", exact.SAME),
        ("best_of_random(negative_binomial(r=2))", "DECAY", exact.RECIPROCAL),
    ],
)
def test_a_wrong_chart_is_seen_by_the_scan(monkeypatch, family, name, mutant):
    monkeypatch.setattr(exact, name, mutant)
    coefficients = [0, 0, 1, -1]
    result = check(parse_law("uniform"), parse_family(family), gold_of(coefficients), 8)
    assert disagreements(family, on_uniform(family, coefficients), result)


def test_gold_that_is_not_mirrored_is_seen_by_the_scan(monkeypatch):
    family, plain = "best_of_random(sibuya)", exact.pieces_of
    monkeypatch.setattr(
        exact, "pieces_of", lambda expr, x, low, high: plain(expr.subs(x, 1 - x), x, low, high)
    )
    coefficients = [0, 0, 1, -1]
    result = check(parse_law("uniform"), parse_family(family), gold_of(coefficients), 8)
    assert disagreements(family, on_uniform(family, coefficients), result)


@pytest.mark.parametrize(
    ("law", "family", "gold", "said"),
    [
        ("uniform", "best_of_random(sibuya)", "u**2*(1-u)", "0.879385"),
        ("finite({0:1/4,1/2:1/4,1:1/2})", "best_of_random(geometric)", "r*(1-r)", "increasing"),
        ("uniform", "best_of_random(binomial(m=10))", "u**2*(1-u)", "peak"),
    ],
)
def test_the_command_line_decides_them(capsys, law, family, gold, said):
    code = run(["check", "--law", law, "--family", family, "--gold", gold])
    assert code == 0
    assert said in capsys.readouterr().out
