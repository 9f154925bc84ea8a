"""Laws by a formula and shaped rewards: against scipy, mpmath and laws of known names."""

from __future__ import annotations

from functools import cache

import mpmath
import pytest
import scipy.stats

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.formula import CdfLaw, FormulaLaw, PdfLaw, QuantileLaw
from hedgetheory.laws.shaped import Shaped
from hedgetheory.laws.truncated import Truncated
from hedgetheory.spec.grammar import canonical, parse_gold, parse_law, parse_policy

law_of = cache(parse_law)


def number(law, policy, quantity, digits=10, **options):
    law = law_of(law) if isinstance(law, str) else law
    found = value(law, parse_policy(policy), quantity, digits=digits, **options)
    assert found.guarantee in ("certified", "exact")
    return float(found)


#: A law by a formula, the same law of scipy, and of this package by name.
SAME = [
    ("pdf(6*r*(1 - r), low=0, high=1)", scipy.stats.beta(2, 2), "beta(2, 2)"),
    ("cdf(r**2, low=0, high=1)", scipy.stats.beta(2, 1), "beta(2, 1)"),
    ("cdf(r**(1/2), low=0, high=1)", scipy.stats.beta(0.5, 1), "beta(1/2, 1)"),
    ("pdf(3/2*(1 - r)**(1/2), 0, 1)", scipy.stats.beta(1, 1.5), "beta(1, 3/2)"),
    ("quantile(u**(1/2))", scipy.stats.beta(2, 1), "beta(2, 1)"),
    ("quantile(u**2)", scipy.stats.beta(0.5, 1), "beta(1/2, 1)"),
    ("pdf(exp(-r), low=0)", scipy.stats.expon(), "exponential(1)"),
    ("cdf(1/(1 + exp(-r)))", scipy.stats.logistic(), "logistic(0, 1)"),
    ("cdf((1 + erf(r/sqrt(2)))/2)", scipy.stats.norm(), "normal(0, 1)"),
]
IDS = [text for text, _, _ in SAME]


@pytest.mark.parametrize(("text", "frozen", "_named"), SAME, ids=IDS)
def test_pdf_cdf_and_quantile_are_those_of_scipy(text, frozen, _named):
    assert number(text, "bon(1)", "density", at="1/3") == pytest.approx(frozen.pdf(1 / 3))
    assert number(text, "bon(1)", "cdf", at="1/3") == pytest.approx(frozen.cdf(1 / 3))
    assert number(text, "bon(1)", "quantile", at="0.9") == pytest.approx(frozen.ppf(0.9))


@pytest.mark.parametrize(("text", "_frozen", "named"), SAME, ids=IDS)
@pytest.mark.parametrize("policy", ["bon(5/2)", "tilt(1/2)"])
def test_a_formula_gives_what_the_law_of_that_name_gives(text, _frozen, named, policy):
    for quantity in ("mean_reward", "kl"):
        expected = number(named, policy, quantity)
        assert number(text, policy, quantity) == pytest.approx(expected, rel=1e-9)


def test_a_gold_curve_in_the_reward_is_integrated_as_on_the_named_law():
    gold = parse_gold("r**2*exp(-r**2)")
    expected = number("beta(1/2, 1)", "bon(5/2)", "gold", gold=gold)
    for text in ("cdf(r**(1/2), low=0, high=1)", "quantile(u**2)"):
        assert number(text, "bon(5/2)", "gold", gold=gold) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("text", ["cdf(r**(1/2), 0, 1)", "quantile(1 - (1 - u)**(1/2))"])
def test_the_cdf_of_a_tilt_beyond_the_middle_is_that_of_the_named_law(text):
    named = "beta(1/2, 1)" if text.startswith("cdf") else "beta(1, 2)"
    for at in ("0.3", "0.9"):
        expected = number(named, "tilt(2)", "cdf", at=at)
        assert number(text, "tilt(2)", "cdf", at=at) == pytest.approx(expected, rel=1e-9)


def test_soft_best_of_n_on_a_formula_is_that_on_the_named_law():
    # With n = 2: E[R₁σ(R₁ − R₂) + R₂σ(R₂ − R₁)] by mpmath, twice the first by symmetry.
    expected = 2 * mpmath.quad(
        lambda x, y: x / (1 + mpmath.exp(y - x)) * 2 * x * 2 * y, [0, 1], [0, 1]
    )
    found = number("cdf(r**2, low=0, high=1)", "sbon(2, 1)", "mean_reward", digits=5)
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_a_real_n_is_refused_where_nothing_is_known_to_be_log_concave():
    cup = PdfLaw("12*(r - 1/2)**2", 0, 1)
    for law in (cup, Truncated(cup, 0, "1/2"), CdfLaw("r**(1/2)", 0, 1), QuantileLaw("u**(1/2)")):
        with pytest.raises(NotCertified, match="integer n"):
            number(law, "sbon(5/2, 1)", "kl")


def test_an_integrable_pole_at_an_end_is_an_infinite_density():
    law = parse_law("quantile(u**2)")
    assert value(law, parse_policy("bop(1)"), "density", at=0).infinite == 1
    assert value(law, parse_policy("bon(3)"), "density", at=0).fraction == 0


def test_best_of_n_of_a_sine_density_is_the_integral_of_mpmath():
    # F(r) = (1 − cos πr)/2, by hand.
    f, cdf = (
        lambda x: mpmath.pi / 2 * mpmath.sin(mpmath.pi * x),
        lambda x: (1 - mpmath.cos(mpmath.pi * x)) / 2,
    )
    expected = mpmath.quad(lambda x: x * 3 * cdf(x) ** 2 * f(x), [0, 1])
    got = number("pdf(pi/2*sin(pi*r), low=0, high=1)", "bon(3)", "mean_reward")
    assert got == pytest.approx(float(expected), rel=1e-9)


def test_a_quantile_without_an_inverse_has_means_but_no_density():
    # Q(u) = 3u² − 2u³: E[max of 3] = ∫ Q(u) 3u² du = 9/5 − 1.
    law = QuantileLaw("3*u**2 - 2*u**3")
    assert number(law, "bon(3)", "mean_reward") == pytest.approx(0.8, rel=1e-9)
    for policy, quantity in (("bon(3)", "density"), ("tilt(2)", "cdf")):
        with pytest.raises(NotCertified):
            number(law, policy, quantity, at="0.3")


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: PdfLaw("0.999999999999*6*r*(1 - r)", 0, 1), "integrates to 999999999999/10"),
        (lambda: PdfLaw("exp(r)/1.718281828459", 0, 1), "integrates to 1.0000000000000263"),
        (lambda: PdfLaw("r**2", 0, 1), "integrates to 1/3.*divide it by that"),
        (lambda: PdfLaw("exp(sin(r))", 0, 1), "integrates to 1.63186960841805"),
        (lambda: PdfLaw("2 - 2*r - 1/10**12", 0, 1), "integrates to"),
        (lambda: PdfLaw("1 - (r - 1/2)*3", 0, 1), "negative near"),
        (lambda: CdfLaw("r + 7*r*(1 - r)*(1/2 - r)", 0, 1), "decreasing near"),
        (lambda: CdfLaw("1 - r", 0, 1), "is 1 at r = 0, but must be 0"),
        (lambda: CdfLaw("r**2", 0, "1.000000000001"), "must be 1"),
        (lambda: QuantileLaw("u*(1 - u) + u/2"), "negative|decreasing"),
        (lambda: QuantileLaw("1 - u"), "does not increase"),
        (lambda: PdfLaw("2*r", 1, 0), "must be < high"),
        (lambda: PdfLaw("abs(r)", -1, 1), "may not have where, abs"),
        (lambda: PdfLaw("u", 0, 1), "unknown name u"),
        (lambda: PdfLaw("1", 0, 1), "must be a formula in r"),
        (lambda: Shaped(parse_law("normal"), "-r"), "decreases"),
        (lambda: Shaped(parse_law("normal"), "sin(r)"), "decreases"),
        (lambda: Shaped(parse_law("uniform"), "r*(1 - r)"), "decreases"),
        (lambda: Shaped(parse_law("bernoulli(1/2)"), "2*r"), "without atoms"),
    ],
)
def test_what_is_certainly_no_law_is_bad_input(build, says):
    with pytest.raises(InputError, match=says):
        build()


def test_a_density_below_zero_on_an_interval_of_one_in_a_million_is_found():
    # (r − 1/2)² − 10⁻¹², normalised: below zero for |r − 1/2| < 10⁻⁶ only.
    with pytest.raises(InputError, match=r"negative near r = 0\.[45]"):
        PdfLaw("((r - 1/2)**2 - 1/10**12)/(1/12 - 1/10**12)", 0, 1)


def test_a_dip_below_zero_of_a_formula_that_is_no_polynomial_is_found():
    # F = r + (1 + 10⁻⁶) sin(2πr)/(2π): F′ = 1 + (1 + 10⁻⁶) cos 2πr < 0 within 0.0003 of 1/2.
    with pytest.raises(InputError, match=r"decreasing near r = 0\.[45]"):
        CdfLaw("r + (1 + 1/10**6)*sin(2*pi*r)/(2*pi)", 0, 1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: CdfLaw("r/(2 - 2*r) - r/(2*r - 1) + r*0", 0, "1/4"),
        lambda: CdfLaw("r + r*(1 - r)/(3*r - 1)/1000", 0, 1),
        lambda: CdfLaw("r*(1 - log(r))", 0, 1),
        lambda: PdfLaw("1/(pi*(1 + r**2))"),
        lambda: PdfLaw("exp(-r)"),
        lambda: QuantileLaw("log(u/(1 - u))"),
        lambda: Shaped(parse_law("uniform"), "tanh(r)"),
        lambda: Shaped(parse_law("normal"), "r**3"),
    ],
)
def test_what_is_not_decided_is_refused(build):
    with pytest.raises((NotCertified, InputError)):
        build()


@pytest.mark.parametrize(
    "text",
    ["pdf(-3*r*(r-1)*2, 0, 1)", "quantile(u**2)", "cdf(1-exp(-r), low=0)", "shaped(normal,exp(r))"],
)
def test_the_text_of_a_law_by_a_formula_gives_it_back(text):
    law = parse_law(text)
    assert parse_law(canonical(law)) == law
    assert canonical(parse_law(canonical(law))) == canonical(law)


def test_the_named_constructors_are_the_classes():
    assert FormulaLaw.from_pdf("2*r", 0, 1) == PdfLaw("2*r", 0, 1)
    assert FormulaLaw.from_cdf("r**2", 0, 1) == CdfLaw("r**2", 0, 1)
    assert FormulaLaw.from_quantile("u**2") == QuantileLaw("u**2")


def test_a_triangular_density_is_a_mixture_of_two_formulas():
    law = "mixture({pdf(8*r, 0, 1/2): 1/2, pdf(8 - 8*r, 1/2, 1): 1/2})"
    frozen = scipy.stats.triang(0.5)
    assert number(law, "bon(1)", "cdf", at="0.7") == pytest.approx(frozen.cdf(0.7))
    expected = frozen.expect(lambda x: x * 3 * frozen.cdf(x) ** 2)
    assert number(law, "bon(3)", "mean_reward") == pytest.approx(expected, rel=1e-6)


# -- shaped rewards --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shaped", "named"),
    [
        ("shaped(normal(1, 2), exp(r))", "lognormal(1, 2)"),
        ("shaped(uniform, r**2)", "beta(1/2, 1)"),
        ("shaped(exponential(3), exp(r))", "pareto(3)"),
        ("shaped(pareto(3), log(r))", "exponential(3)"),
        ("shaped(logistic, 1/(1 + exp(-r)))", "uniform"),
    ],
)
def test_a_shaped_law_is_the_law_of_that_name(shaped, named):
    for quantity in ("density", "cdf"):
        expected = number(named, "bon(3)", quantity, at="1/2")
        assert number(shaped, "bon(3)", quantity, at="1/2") == pytest.approx(expected)
    expected = number(named, "bon(3)", "quantile", at="0.9")
    assert number(shaped, "bon(3)", "quantile", at="0.9") == pytest.approx(expected)
    expected = number(named, "bon(3)", "mean_reward")
    assert number(shaped, "bon(3)", "mean_reward") == pytest.approx(expected)


def test_the_tilt_of_a_bounded_shape_is_the_quotient_of_two_integrals():
    phi = mpmath.npdf
    top = mpmath.quad(
        lambda x: mpmath.tanh(x) * mpmath.exp(2 * mpmath.tanh(x)) * phi(x), [-12, -3, 0, 3, 12]
    )
    bottom = mpmath.quad(lambda x: mpmath.exp(2 * mpmath.tanh(x)) * phi(x), [-12, -3, 0, 3, 12])
    got = number("shaped(normal, tanh(r))", "tilt(2)", "mean_reward")
    assert got == pytest.approx(float(top / bottom), rel=1e-9)
    cauchy = parse_law("shaped(student_t(1), tanh(r))")
    assert 0 < number(cauchy, "tilt(1)", "mean_reward") < 1


def test_a_rank_policy_does_not_see_the_shape():
    for quantity in ("kl", "win_rate"):
        assert number("shaped(normal, tanh(r))", "bop(3)", quantity) == number(
            "normal", "bop(3)", quantity
        )


def test_a_tilt_of_a_shape_without_an_end_is_refused():
    with pytest.raises(NotCertified, match="not decided whether"):
        number("shaped(normal, exp(r))", "tilt(1)", "kl")
    with pytest.raises(NotCertified, match="not decided whether"):
        number("affine(shaped(normal, exp(r)), 0, 2)", "tilt(1)", "kl")
