"""The gap at a point against mpmath, its asymptotes, and laws where it is zero."""

from __future__ import annotations

import mpmath
import pytest

from hedgetheory.errors import NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.functionals.gap import gap_at, gap_of
from hedgetheory.functionals.gap_supremum import gap_supremum
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.spec.grammar import parse_law, parse_policy

MP = mpmath.MPContext()
MP.dps = 60
mpf = MP.mpf


def middle(number: Number):
    low, high = number.bounds
    m = (low + high) / 2
    return mpf(m.numerator) / m.denominator


def bop_kl(m):
    return MP.exp(-m - 1) * (MP.ei(m + 1) - MP.ei(1)) / m + MP.log1p(m) - 1


@pytest.mark.parametrize("mu", ["0.01", "1", "4", "30", "500"])
def test_the_gap_on_the_uniform_law_is_that_of_mpmath(mu):
    m = mpf(mu)
    mean = 1 - 1 / m - MP.expm1(-m) / m**2
    lam = MP.findroot(
        lambda s: 1 / (1 - MP.exp(-s)) - 1 / s - mean, 1 / (1 - mean) if m > 2 else 2 * m
    )
    gap = bop_kl(m) - lam * mean + MP.log(MP.expm1(lam) / lam)
    found = gap_at(Uniform(), mu)
    assert abs(middle(found.gap) - gap) <= gap * mpf("1e-15")
    assert abs(middle(found.lam) - lam) <= lam * mpf("1e-15")
    assert abs(middle(found.mean) - mean) <= mean * mpf("1e-15")


@pytest.mark.parametrize("mu", ["0.5", "7"])
def test_the_gap_on_the_normal_law_is_that_of_mpmath(mu):
    m = mpf(mu)
    with MP.workdps(25):
        mean = MP.quad(lambda x: x * (1 + m * MP.ncdf(x)) * MP.exp(-m * MP.ncdf(-x)) * MP.npdf(x),
                       [-14, -2, 1, 14])  # fmt: skip
        gap = bop_kl(m) - mean**2 / 2  # the tilt N(λ, 1) has mean λ and KL λ²/2
        found = gap_at(Normal(), mu)
        assert abs(middle(found.gap) - gap) <= gap * mpf("1e-13")
        assert abs(middle(found.lam) - mean) <= mean * mpf("1e-13")


@pytest.mark.parametrize("mu", ["0.5", "7"])
def test_the_gap_on_the_exponential_law_is_that_of_mpmath(mu):
    m = mpf(mu)
    with MP.workdps(25):
        w = lambda v: (1 + m * (1 - v)) * MP.exp(-m * v)  # noqa: E731
        mean = MP.quad(lambda v: -MP.log(v) * w(v), [0, mpf("0.1"), 1])
        lam = 1 - 1 / mean  # Exp(1 − λ) has mean 1/(1 − λ)
        gap = bop_kl(m) - (lam * mean + MP.log(1 - lam))
        found = gap_at(Exponential(), mu)
        assert abs(middle(found.gap) - gap) <= gap * mpf("1e-13")
        assert abs(middle(found.lam) - lam) <= lam * mpf("1e-13")


def test_the_gap_does_not_depend_on_location_or_scale():
    for one, two in ((Normal(), Normal(-3, "1/7")), (Exponential(), Exponential(9)),
                     (Logistic(), Logistic(2, 5))):  # fmt: skip
        first, second = gap_at(one, 3).gap.bounds, gap_at(two, 3).gap.bounds
        assert first[0] <= second[1]
        assert second[0] <= first[1]


def test_the_gap_on_the_uniform_law_follows_its_asymptotes():
    for mu in ("1e-2", "1e-4", "1e-12"):
        ratio = middle(gap_at(Uniform(), mu).gap) / (mpf(mu) ** 4 / 1440)
        assert abs(ratio - 1) < 10 * mpf(mu)
    for mu in ("1e3", "1e6", "1e12"):
        ratio = middle(gap_at(Uniform(), mu).gap) * 2 * mpf(mu) ** 4
        assert abs(ratio - 1) < 60 / mpf(mu)


def test_the_gap_is_positive_and_zero_at_the_reference_and_on_two_atoms():
    three = Finite({0: "1/3", 1: "1/3", 3: "1/3"})
    for law in (Uniform(), Normal(), Exponential(2), Logistic(), three):
        for mu in ("1e-6", "1", "100"):
            found = gap_at(law, mu)
            assert found.gap.bounds[0] > 0
            assert found.lam.bounds[0] > 0
        assert gap_at(law, 0).gap == Number.exact(0)
        assert gap_at(law, 0).lam == Number.exact(0)
    assert gap_at(Bernoulli("1/3"), 5).gap == Number.exact(0)
    # λ with p e^λ/(1 − p + p e^λ) = 1 − (1 − p)e^{−μp}.
    s = 1 - mpf(2) / 3 * MP.exp(-mpf(5) / 3)
    lam = MP.log(s / (1 - s)) - MP.log(mpf(1) / 2)
    assert abs(middle(gap_at(Bernoulli("1/3"), 5).lam) - lam) < mpf("1e-15")


@pytest.mark.parametrize("law", [Normal(), Exponential(), Logistic(), Uniform()], ids=str)
@pytest.mark.parametrize("mu", ["1e-12", "1e12"])
def test_the_gap_is_certified_at_extreme_parameters(law, mu):
    found = gap_at(law, mu)
    assert found.gap.guarantee == "certified"
    assert found.gap.bounds[0] > 0


@pytest.mark.parametrize(
    ("law", "policy"),
    [("exponential(2)", "best_of_random(sibuya(1/3))"), ("uniform", "quantile_tilt(3)"),
     ("uniform", "best_of_random(ztp(5/2))")],
)  # fmt: skip
def test_a_tilt_in_disguise_has_no_gap(law, policy):
    found = gap_of(parse_law(law), parse_policy(policy))
    assert found.gap == Number.exact(0)


@pytest.mark.parametrize(
    ("law", "policy", "quantile", "log_mgf"),
    [
        ("gumbel(0, 1)", "bon(4)", lambda v: -MP.log(-MP.log(v)), lambda t: MP.loggamma(1 - t)),
        ("laplace(0, 1)", "best_of_random(geometric(1/3))",
         lambda v: MP.log(2 * v) if v < 0.5 else -MP.log(2 - 2 * v), lambda t: -MP.log(1 - t * t)),
        ("normal(0, 1)", "best_of_random(finite({1: 1/2, 3: 1/2}))",
         lambda v: MP.sqrt(2) * MP.erfinv(2 * v - 1), lambda t: t * t / 2),
    ],
)  # fmt: skip
def test_the_gap_of_any_rank_policy_is_that_of_its_definition(law, policy, quantile, log_mgf):
    weight = {
        "bon(4)": lambda v: 4 * v**3,
        "best_of_random(geometric(1/3))": lambda v: mpf(1) / 3 / (1 - 2 * v / 3) ** 2,
        "best_of_random(finite({1: 1/2, 3: 1/2}))": lambda v: (1 + 3 * v**2) / 2,
    }[policy]
    mean = MP.quad(lambda v: quantile(v) * weight(v), [0, 0.5, 1])
    divergence = MP.quad(lambda v: weight(v) * MP.log(weight(v)), [0, 0.5, 1])
    lam = MP.findroot(lambda t: MP.diff(log_mgf, t) - mean, 0.4)
    expected = divergence - lam * mean + log_mgf(lam)
    found = gap_of(parse_law(law), parse_policy(policy))
    assert abs(middle(found.gap) - expected) < 1e-9
    assert abs(middle(found.lam) - lam) < 1e-9


def test_no_tilt_has_an_infinite_mean():
    with pytest.raises(NotOnThisLaw):
        gap_of(parse_law("pareto(3)"), BestOfPoisson(2))
    assert gap_supremum(parse_law("pareto(3)")).verdict == "no tilt exists"
    assert gap_supremum(parse_law("affine(exponential(2), 1, 3)")).verdict == "unbounded"
