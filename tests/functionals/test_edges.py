"""Ends of the support, explicit quantiles, and values at the reference: each once went wrong."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.base import RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Binomial, Geometric, Sibuya, ZeroTruncatedPoisson
from hedgetheory.policies.tilt import Tilt
from hedgetheory.spec.grammar import parse_gold

UNIFORM = Uniform()


def test_a_root_on_a_point_of_the_bisection_is_found() -> None:
    # G(3/4) = 1/2 for p = 1/3, which balls around 1/3 never decide: the last plan is the root.
    *_, root = plans(UNIFORM, BestOfRandom(Geometric("1/3")), "quantile", at="1/2")
    low, high = number(root, 15).bounds
    assert low <= Fraction(3, 4) <= high


@pytest.mark.parametrize(
    "policy",
    [
        BestOfN("5/2"),
        BestOfPoisson(7),
        QuantileTilt(3),
        BestOfRandom(Geometric("1/5")),
        BestOfRandom(Sibuya("1/3")),
        BestOfRandom(ZeroTruncatedPoisson(4)),
    ],
    ids=str,
)
@pytest.mark.parametrize("level", ["1/1000000", "1/3", "0.999"])
def test_the_explicit_quantile_is_the_root(policy: RankPolicy, level: str) -> None:
    explicit, root = (number(plan, 20) for plan in plans(Normal(), policy, "quantile", at=level))
    assert abs(float(explicit) - float(root)) <= 1e-15 * abs(float(root))


def test_a_far_quantile_of_sibuya_costs_no_precision() -> None:
    # 1 − u = 10^{−6000}: the logistic quantile is 6000 ln 10 − 10^{−6000}.
    far = value(Logistic(), BestOfRandom(Sibuya("1/1000")), "quantile", at="0.999999", digits=30)
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(far.decimal(30)[0]) - 6000 * mpmath.log(10)) < 1e-25


@pytest.mark.parametrize(
    "policy", [QuantileTilt(0), Tilt(0), BestOfRandom(ZeroTruncatedPoisson(0))]
)
def test_the_score_at_the_reference_is_the_centred_reward(policy: RankPolicy | Tilt) -> None:
    # λ = 0: ∂_λ ln w = u − E[U], rational; the formula there is 0/0.
    assert value(UNIFORM, policy, "score", at="0.3").fraction == Fraction(-1, 5)


def test_what_is_infinite_at_an_end_says_so() -> None:
    sibuya = BestOfRandom(Sibuya("1/2"))
    assert value(UNIFORM, BestOfN(3), "score", at=0).infinite == -1
    assert value(UNIFORM, sibuya, "ratio", at=1).infinite == 1
    assert value(UNIFORM, sibuya, "density", at=1).infinite == 1
    assert value(UNIFORM, sibuya, "score", at=1).infinite == -1
    assert value(UNIFORM, BestOfN(3), "ratio", at=0).fraction == 0


def test_the_cdf_of_the_tilt_on_a_logistic_law_is_an_integral() -> None:
    found = value(Logistic(), Tilt("1/2"), "cdf", at=1, digits=15)
    with mpmath.workdps(25):
        exp = mpmath.exp
        direct = mpmath.quad(
            lambda r: exp(r / 2) / (2 + exp(r) + exp(-r)) / (mpmath.pi / 2), [-120, -40, -10, 0, 1]
        )
    assert abs(float(found) - direct) < 1e-14
    x = value(Logistic(), Tilt("1/2"), "quantile", at="1/3", digits=30)
    back = value(Logistic(), Tilt("1/2"), "cdf", at=sum(x.bounds) / 2)
    assert float(back) == pytest.approx(1 / 3, rel=1e-14)


@pytest.mark.parametrize("gold", ["exp(-r)", "r**3*exp(-r)", "exp(-2*r) + r"])
def test_gold_that_falls_exponentially_is_integrated_on_its_side(gold: str) -> None:
    # On the exponential law r = −ln(1 − u): under Best-of-4 these are integrals over [0, ∞).
    found = value(Exponential(1), BestOfN(4), "gold", gold=parse_gold(gold), digits=15)
    g = {
        "exp(-r)": lambda r: mpmath.exp(-r),
        "r**3*exp(-r)": lambda r: r**3 * mpmath.exp(-r),
        "exp(-2*r) + r": lambda r: mpmath.exp(-2 * r) + r,
    }[gold]
    with mpmath.workdps(25):
        direct = mpmath.quad(
            lambda r: g(r) * 4 * (1 - mpmath.exp(-r)) ** 3 * mpmath.exp(-r), [0, 1, 5, 20, 100]
        )
    assert abs(float(found) - direct) < 1e-13
    low, high = found.bounds
    near, slack = Fraction(mpmath.nstr(direct, 22)), Fraction(1, 10**18)
    assert low <= near + slack
    assert high >= near - slack


def test_a_right_tail_that_starts_below_zero_keeps_the_two_sided_bound() -> None:
    # normal(-100, 1): the right tail begins at negative rewards, where e^{−r} is large. E[e^{−R}].
    found = value(Normal(-100, 1), BestOfN(1), "gold", gold=parse_gold("exp(-r)"), digits=12)
    with mpmath.workdps(30):
        assert abs(mpmath.mpf(found.decimal(12)[0]) / mpmath.exp(mpmath.mpf("100.5")) - 1) < 1e-11


@pytest.mark.parametrize("law", [Logistic(), Bernoulli("1/3")], ids=str)
def test_a_binomial_that_always_succeeds_is_best_of_n(law) -> None:
    certain = BestOfRandom(Binomial(3, 1))
    for name in ("kl", "chi2", "mean_reward", "win_rate", "expected_draws"):
        assert str(value(law, certain, name)) == str(value(law, BestOfN(3), name))
