"""Laws from scipy and sympy, their conventions checked by those libraries' own numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest
import scipy.stats
import sympy
import sympy.stats

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.adapters import from_scipy, from_sympy
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.formula import PdfLaw
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.tilt import Tilt
from hedgetheory.spec.grammar import parse_gold

REFERENCE = BestOfN(1)
S = scipy.stats
CONTINUOUS = [
    S.norm(0.1, 2),
    S.uniform(-1, 3),
    S.expon(0.5, 2),
    S.expon(scale=4),
    S.logistic(1, 0.5),
    S.gumbel_r(0.25, 2),
    S.laplace(-1, 3),
    S.beta(2, 0.5, loc=-1, scale=4),
    S.gamma(2.5, scale=3),
    S.gamma(2.5, loc=1, scale=3),
    S.lognorm(0.5, scale=3),
    S.pareto(2.5, loc=-1, scale=2),
    S.t(3, 1, 2),
    S.weibull_min(1.5, scale=2),
    S.weibull_min(1.5, 1, 2),
]


@pytest.mark.parametrize("frozen", CONTINUOUS, ids=lambda f: f"{f.dist.name}{f.args}{f.kwds}")
def test_a_recognised_distribution_of_scipy_is_certified_and_has_its_numbers(frozen):
    law = from_scipy(frozen)
    assert not isinstance(law, EstimatedLaw)
    x = float(Fraction(float(frozen.ppf(0.3))).limit_denominator(64))
    for quantity, expected in (("density", frozen.pdf(x)), ("cdf", frozen.cdf(x))):
        found = value(law, REFERENCE, quantity, at=Fraction(x), digits=10)
        assert found.guarantee in ("certified", "exact")
        assert float(found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "frozen", [S.bernoulli(0.25), S.bernoulli(0.25, loc=2), S.poisson(2.5), S.geom(0.25)],
    ids=lambda f: f"{f.dist.name}{f.args}",
)  # fmt: skip
def test_a_discrete_distribution_of_scipy_has_its_masses(frozen):
    for k in (0, 1, 2, 3):
        found = value(from_scipy(frozen), REFERENCE, "mass", at=k, digits=10)
        assert float(found) == pytest.approx(frozen.pmf(k), abs=1e-12)


def test_the_parameters_are_the_exact_rationals_of_the_floats():
    assert from_scipy(S.norm(0.1, 1)).values["mean"] == Fraction(0.1) != Fraction(1, 10)


def test_a_distribution_that_borrows_a_name_is_not_recognised():
    class Other(S.rv_continuous):
        def _pdf(self, x):
            return 2 * x

    assert isinstance(from_scipy(Other(a=0, b=1, name="norm")()), EstimatedLaw)


def test_an_unrecognised_distribution_is_estimated_but_what_is_free_of_it_is_certified():
    frozen = S.genlogistic(2)
    law, policy = from_scipy(frozen), BestOfN(3)
    kl = value(law, policy, "kl", digits=12)
    assert kl.guarantee == "certified"
    assert float(kl) == pytest.approx(0.4319456220014431)  # ln 3 − 2/3, by hand
    assert value(law, policy, "win_rate").fraction == Fraction(3, 4)
    # F = (1 + e^{−x})^{−2}: the best of 3 has the cdf F³, genlogistic(6).
    best = S.genlogistic(6)
    for quantity, at, expected in (
        ("density", "1/2", best.pdf(0.5)),
        ("cdf", "1/2", best.cdf(0.5)),
        ("quantile", "0.9", best.ppf(0.9)),
        ("mean_reward", None, best.mean()),
    ):
        options = {} if at is None else {"at": at}
        found = value(law, policy, quantity, **options)
        assert found.guarantee == "estimated"
        assert float(found) == pytest.approx(expected, rel=1e-6)
    gold = value(law, policy, "gold", gold=parse_gold("tanh(r)"))
    assert gold.guarantee == "estimated"
    assert value(law, policy, "gold", gold=parse_gold("u**2")).guarantee == "exact"
    with pytest.raises(NotCertified, match="rank policy"):
        value(law, Tilt(1), "kl")
    with pytest.raises(NotCertified, match="floats only"):
        _ = law.pdf


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (S.norm, "frozen"),
        ("norm", "frozen"),
        (S.binom(3, 0.5), "is not built"),
        (S.poisson(2, loc=1), "must be 0"),
        (S.norm([0, 1], 1), "finite numbers"),
    ],
)
def test_what_scipy_has_and_we_have_not_is_refused(given, says):
    with pytest.raises(InputError, match=says):
        from_scipy(given)


half = sympy.Rational(1, 2)
SYMPY = [
    sympy.stats.Normal("X", half, 2),
    sympy.stats.Exponential("X", 3),
    sympy.stats.Uniform("X", -1, 3),
    sympy.stats.Beta("X", 2, half),
    sympy.stats.Gamma("X", 2, 3),
    sympy.stats.Logistic("X", 1, 2),
    sympy.stats.Gumbel("X", 2, 1),
    sympy.stats.Gumbel("X", 2, 1, minimum=True),
    sympy.stats.Laplace("X", 1, 2),
    sympy.stats.LogNormal("X", half, 2),
    sympy.stats.Pareto("X", 2, 3),
    sympy.stats.StudentT("X", 3),
    sympy.stats.Weibull("X", 2, 3),
    sympy.stats.RaisedCosine("X", 0, 1),
]


@pytest.mark.parametrize("variable", SYMPY, ids=lambda v: str(v.pspace.distribution))
def test_a_variable_of_sympy_has_its_density(variable):
    law, x = from_sympy(variable), sympy.Rational(5, 2)
    if law.support[1] == 1:
        x = half
    expected = float(sympy.stats.density(variable)(x).evalf())
    found = value(law, REFERENCE, "density", at=Fraction(int(x.p), int(x.q)), digits=10)
    assert found.guarantee in ("certified", "exact")
    assert float(found) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "variable",
    [sympy.stats.Poisson("X", 3), sympy.stats.Geometric("X", half), sympy.stats.Die("X", 6)],
    ids=lambda v: str(v.pspace.distribution),
)
def test_a_discrete_variable_of_sympy_has_its_masses(variable):
    expected = float(sympy.stats.density(variable)[2] if "Die" in str(
        type(variable.pspace.distribution)) else sympy.stats.density(variable)(2))  # fmt: skip
    found = value(from_sympy(variable), REFERENCE, "mass", at=2, digits=10)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_finite_variables_of_sympy_keep_their_exact_masses():
    third = sympy.Rational(1, 3)
    coin = from_sympy(sympy.stats.Bernoulli("X", third))
    assert coin == Finite({0: "2/3", 1: "1/3"})
    table = from_sympy(sympy.stats.FiniteRV("X", {half: third, 2: 1 - third}))
    assert table == Finite({"1/2": "1/3", 2: "2/3"})


def test_another_density_of_sympy_becomes_a_formula():
    assert isinstance(from_sympy(SYMPY[-1]), PdfLaw)


@pytest.mark.parametrize(
    "given",
    [
        sympy.Symbol("x"),
        sympy.stats.Normal("X", 0, sympy.sqrt(2)),
        sympy.stats.Normal("X", 0, 1) + 1,
        sympy.stats.Normal("X", sympy.Symbol("m"), 1),
    ],
    ids=str,
)
def test_what_is_no_variable_with_rational_parameters_is_refused(given):
    with pytest.raises(InputError):
        from_sympy(given)
