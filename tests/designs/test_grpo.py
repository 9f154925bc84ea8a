"""GRPO: advantages, the k3 estimator, and its optimum, by routes that are not the code's own."""

from __future__ import annotations

import json
import math
import statistics
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hedgetheory.cli.app import run
from hedgetheory.designs.grpo.bound import MAX_DEGREE
from hedgetheory.designs.grpo.functions import (
    advantage,
    advantages,
    binary_advantages,
    k_three,
    right_advantage,
)
from hedgetheory.designs.grpo.policy import Grpo, QuantileGrpo
from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Closed
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.poisson import Poisson
from hedgetheory.laws.uniform import Uniform
from hedgetheory.spec.grammar import canonical, parse_gold, parse_policy

GROUPS = [(1, 0, 0, 0), (0, 1, 2, 7), (Fraction(1, 3), -2, 5), (10**6, 10**6 + 1)]


def near(found: Number, expected: float | mpmath.mpf, relative: float = 1e-12) -> bool:
    low, high = found.bounds
    return abs(float((low + high) / 2) - float(expected)) <= relative * max(1, abs(float(expected)))


# -- advantages and k3 ----


@pytest.mark.parametrize("group", GROUPS)
def test_advantages_are_those_of_the_statistics_module(group: tuple[int, ...]) -> None:
    mean, sd = statistics.mean(group), statistics.stdev(group)
    for found, reward in zip(advantages(group), group, strict=True):
        assert math.isclose(float(found), (reward - mean) / (sd + 1e-6), rel_tol=1e-12)


@given(st.integers(2, 40), st.data())
def test_binary_advantages_are_advantages(group: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(1, group - 1))
    exact = advantages([1] * right + [0] * (group - right), 0)
    assert sympy.simplify(exact[0] - right_advantage(right, group)) == 0
    assert sympy.simplify(exact[-1] - binary_advantages(right, group)[1]) == 0


def test_equal_rewards_have_advantage_zero_only_with_an_epsilon() -> None:
    assert advantages([2, 2, 2]) == (0, 0, 0)
    with pytest.raises(InputError, match="all rewards are equal"):
        advantages([2, 2, 2], epsilon=0)


def _numpy_std(rewards: tuple[int, ...]) -> float:
    return (rewards[0] - statistics.mean(rewards)) / (statistics.pstdev(rewards) + 1e-6)


def _epsilon_inside(rewards: tuple[int, ...]) -> float:
    return (rewards[0] - statistics.mean(rewards)) / math.sqrt(statistics.variance(rewards) + 1e-6)


def _no_centre(rewards: tuple[int, ...]) -> float:
    return rewards[0] / (statistics.stdev(rewards) + 1e-6)


def _leave_one_out(rewards: tuple[int, ...]) -> float:
    rest = statistics.mean(rewards[1:])
    return (rewards[0] - rest) / (statistics.stdev(rewards) + 1e-6)


@pytest.mark.parametrize("wrong", [_numpy_std, _epsilon_inside, _no_centre, _leave_one_out])
def test_known_faults_of_advantages_are_told_from_the_exact_value(wrong) -> None:  # type: ignore[no-untyped-def]
    exact = float(advantage([3, 1, 0, 1], 0))
    assert abs(wrong((3, 1, 0, 1)) - exact) > 1e-8 * abs(exact)


def test_k_three_has_the_mean_kl_and_the_other_gradient() -> None:
    # Softmax over three responses, by finite differences in mpmath.
    mpmath.mp.dps = 40
    reference = [mpmath.mpf(1) / 2, mpmath.mpf(1) / 3, mpmath.mpf(1) / 6]

    def softmax(x: mpmath.mpf) -> list[mpmath.mpf]:
        raw = [mpmath.exp(k * x) for k in (1, -1, 2)]
        return [w / sum(raw) for w in raw]

    here = softmax(mpmath.mpf("0.3"))
    mean = sum(p * (q / p - mpmath.log(q / p) - 1) for p, q in zip(here, reference, strict=True))
    kl = sum(p * mpmath.log(p / q) for p, q in zip(here, reference, strict=True))
    assert abs(mean - kl) < 1e-35

    def loss(x: mpmath.mpf) -> mpmath.mpf:  # samples of the policy at 0.3, not differentiated
        terms = zip(here, softmax(x), reference, strict=True)
        return sum(w * (q / p - mpmath.log(q / p) - 1) for w, p, q in terms)

    def forward(x: mpmath.mpf) -> mpmath.mpf:
        return sum(q * mpmath.log(q / p) for p, q in zip(softmax(x), reference, strict=True))

    assert abs(mpmath.diff(loss, 0.3) - mpmath.diff(forward, 0.3)) < 1e-15
    assert k_three("1/2", "1/2") == 0
    assert abs(float(k_three("1/3", "1/2")) - (1.5 - math.log(1.5) - 1)) < 1e-15


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: advantages([1]), "a group needs at least 2"),
        (lambda: advantages([1, 2], epsilon=-1), "epsilon=-1, but must be a real number >= 0"),
        (lambda: advantages([1, 2], ddof=2), "ddof=2, but must be 0 or 1"),
        (lambda: advantage([1, 2], 2), "i=2, but must be a whole number from 0 to 1"),
        (lambda: binary_advantages(0, 4), "right=0, but must be a whole number from 1 to 3"),
        (lambda: binary_advantages(1, 1), "group=1, but must be a whole number >= 2"),
        (lambda: k_three(0, "1/2"), r"policy=0, but must be a probability in \(0, 1\]"),
        (lambda: Grpo(0), "beta=0, but must be a real number > 0"),
        (lambda: Grpo(1, "rank"), "scale=rank, but must be reward or quantile"),
    ],
)
def test_bad_arguments_are_refused(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=says):
        call()


# -- the optimum on the quantile ----


def _mp_ratio(beta: mpmath.mpf):  # type: ignore[no-untyped-def]
    eta = 1 / (1 - mpmath.exp(-1 / beta))
    return lambda x: beta / (eta - x)


@pytest.mark.parametrize("beta", ["1/8", "1", "20"])
def test_functionals_are_those_of_mpmath_quadrature(beta: str) -> None:
    mpmath.mp.dps = 30
    exact = Fraction(beta)
    w = _mp_ratio(mpmath.mpf(exact.numerator) / exact.denominator)
    # w crosses one at the solution of w = 1, found without the code's formula.
    crossing = mpmath.findroot(lambda x: w(x) - 1, (0.5, 0.99), solver="anderson")
    cuts = sorted([0, 0.5, crossing, 0.9, 0.99, 0.999, 1])
    expected = {
        "kl": mpmath.quad(lambda x: w(x) * mpmath.log(w(x)), cuts),
        "chi2": mpmath.quad(lambda x: w(x) ** 2, cuts) - 1,
        "mean_quantile": mpmath.quad(lambda x: x * w(x), cuts),
        "total_variation": mpmath.quad(lambda x: abs(w(x) - 1), cuts) / 2,
    }
    policy = Grpo(beta, "quantile")
    for name, integral in expected.items():
        assert near(value(Normal(), policy, name), integral), name
    third = value(Normal(), policy, "renyi", order=3)
    assert near(third, mpmath.log(mpmath.quad(lambda x: w(x) ** 3, cuts)) / 2)


@pytest.mark.parametrize("beta", ["1/25", "1/3", "7"])
@pytest.mark.parametrize("name", ["kl", "chi2", "total_variation", "mean_quantile"])
def test_closed_forms_agree_with_the_definition_by_balls(beta: str, name: str) -> None:
    found = [number(plan, 15) for plan in plans(Uniform(), Grpo(beta, "quantile"), name)]
    assert len(found) == 2
    assert found[0].bounds[0] <= found[1].bounds[1]
    assert found[1].bounds[0] <= found[0].bounds[1]


@pytest.mark.parametrize("beta", [Fraction(1, 10**6), Fraction(1, 25), Fraction(10**6)])
def test_twelve_decades_of_beta_are_certified(beta: Fraction) -> None:
    policy = Grpo(beta, "quantile")
    kl = value(Uniform(), policy, "kl", digits=12)
    x = mpmath.mpf(1) / (2 * mpmath.mpf(beta.numerator) / beta.denominator)
    mpmath.mp.dps = 60
    # ln(sinh x / x) = x − ln(2x) + ln(1 − e^{−2x})
    assert near(kl, x - mpmath.log(2 * x) + mpmath.log1p(-mpmath.exp(-2 * x)), 1e-11)
    assert value(Uniform(), policy, "quantile", at="1/2", digits=12).guarantee == "certified"


def test_it_is_the_best_of_a_logarithmic_number_of_draws() -> None:
    beta = 0.4
    law = stats.logser(1 - math.exp(-1 / beta))
    policy, counts = Grpo("0.4", "quantile"), np.arange(1, 4000.0)
    for at in ("1/10", "1/2", "19/20"):
        pgf = float(law.pmf(counts) @ float(Fraction(at)) ** counts)
        assert near(value(Uniform(), policy, "cdf", at=at), pgf, 1e-9)
    assert near(value(Uniform(), policy, "expected_draws"), law.mean(), 1e-9)


def test_polynomial_gold_agrees_with_the_integral() -> None:
    gold = parse_gold("u**12*(1 - u)")
    first, second = plans(Normal(), Grpo("1/4", "quantile"), "gold", gold=gold)
    assert isinstance(first, Closed)
    assert near(number(first, 15), float(sum(number(second, 15).bounds) / 2))
    high = parse_gold(f"u**{MAX_DEGREE + 1}")
    assert len(list(plans(Normal(), Grpo("1/4", "quantile"), "gold", gold=high))) == 1


# -- the optimum on the raw reward ----


def test_on_a_pass_fail_reward_eta_solves_a_quadratic() -> None:
    # β(1−p)/η + βp/(η−1) = 1: η² − (1+β)η + β(1−p) = 0.
    p, beta = 0.3, 0.25
    eta = ((1 + beta) + math.sqrt((1 + beta) ** 2 - 4 * beta * (1 - p))) / 2
    found = value(Bernoulli("0.3"), Grpo("0.25"), "mass", at=1)
    assert near(found, beta * p / (eta - 1))


def test_on_atoms_it_is_the_maximum_of_reward_less_kl_from_the_reference() -> None:
    law, beta = Finite({0: "1/2", 1: "1/3", 3: "1/6"}), 0.7
    masses = [float(sum(value(law, Grpo("0.7"), "mass", at=r).bounds) / 2) for r in (0, 1, 3)]

    def objective(q: list[float]) -> float:
        reward = sum(x * r for x, r in zip(q, (0, 1, 3), strict=True))
        return reward - beta * sum(
            p * math.log(p / x) for p, x in zip((1 / 2, 1 / 3, 1 / 6), q, strict=True)
        )

    best = objective(masses)
    assert math.isclose(sum(masses), 1, rel_tol=1e-12)
    for move in ((1, -1, 0), (0, 1, -1), (1, 0, -1)):
        for step in (1e-3, -1e-3):
            assert objective([x + step * m for x, m in zip(masses, move, strict=True)]) < best


def test_on_atoms_the_score_is_the_slope_of_the_logarithm() -> None:
    law, step = Finite({0: "1/2", 1: "1/3", 3: "1/6"}), Fraction(1, 10**6)
    for r in (0, 1, 3):
        logs = [
            math.log(sum(value(law, Grpo(b), "ratio", at=r, digits=25).bounds) / 2)
            for b in (Fraction(7, 10) - step, Fraction(7, 10) + step)
        ]
        slope = (logs[1] - logs[0]) / float(2 * step)
        assert math.isclose(
            float(sum(value(law, Grpo("0.7"), "score", at=r).bounds) / 2), slope, rel_tol=1e-5
        )


def test_one_atom_leaves_nothing_to_choose() -> None:
    law = Finite({2: 1})
    assert value(law, Grpo(1), "mass", at=2) == Number.exact(1)
    assert value(law, Grpo(1), "kl") == Number.exact(0)


def test_on_the_uniform_law_reward_and_quantile_are_one() -> None:
    for name in ("kl", "mean_reward"):
        raw, rank = (value(Uniform(), Grpo("1/3", s), name) for s in ("reward", "quantile"))
        assert raw == rank


@pytest.mark.parametrize("law", [Normal(), Poisson(2)])
def test_an_unbounded_reward_has_no_optimum(law) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotOnThisLaw, match="without an upper bound have no optimum"):
        value(law, Grpo(1), "kl")


def test_a_bounded_law_that_is_not_built_says_so() -> None:
    with pytest.raises(NotCertified, match="take scale=quantile"):
        value(Beta(2, 3), Grpo(1), "kl")


# -- known faults of code ----


def _as_the_tilt(beta: float, x: float) -> float:
    return math.exp(x / beta) / (beta * math.expm1(1 / beta))


def _penalty_the_other_way(beta: float, x: float) -> float:
    return (1 / (1 - math.exp(-1 / beta)) - x) / (1 / (1 - math.exp(-1 / beta)) - 0.5)


def _eta_unnormalised(beta: float, x: float) -> float:
    return beta / (1 + beta - x)


@pytest.mark.parametrize("wrong", [_as_the_tilt, _penalty_the_other_way, _eta_unnormalised])
def test_known_faults_of_the_optimum_are_told_from_it(wrong) -> None:  # type: ignore[no-untyped-def]
    exact = value(Uniform(), Grpo("1/4", "quantile"), "ratio", at="9/10").bounds[0]
    assert abs(wrong(0.25, 0.9) - float(exact)) > 1e-3


# -- grammar and command line ----


def test_the_grammar_reads_what_it_writes() -> None:
    for text in ("grpo(1/25)", "grpo(beta=0.04, scale=quantile)"):
        policy = parse_policy(text)
        assert parse_policy(canonical(policy)) == policy
    assert isinstance(parse_policy("grpo(0.04, scale=quantile)"), QuantileGrpo)
    assert str(parse_policy("grpo(0.04)")) == "grpo(beta=0.04, scale=reward)"


def test_value_at_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["value", "--law", "normal", "--policy", "grpo(1, scale=quantile)"]
    assert run([*arguments, "--quantity", "kl", "--json"]) == 0
    number_ = json.loads(capsys.readouterr().out)["number"]
    assert math.isclose(float(number_["decimal"]), math.log(math.sinh(0.5) / 0.5), rel_tol=1e-12)
    assert number_["guarantee"] == "certified"
