"""GRPO: advantages, the k3 estimator, and its optimum, by routes that are not the code's own."""

from __future__ import annotations

import json
import math
import statistics
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq, minimize_scalar

from hedgetheory.analysis.check import check
from hedgetheory.analysis.random_draws.lines import kernel_of, line_of
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
from hedgetheory.expressions import symbols
from hedgetheory.expressions.vocabulary import spell_out
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Closed
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.hedgetune.mixtures import DRAWS
from hedgetheory.hedgetune.tune import tune
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.poisson import Poisson
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.spec.grammar import canonical, parse_family, parse_gold, parse_policy

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


@settings(max_examples=25)
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


@pytest.mark.parametrize("beta", ["1/25", "1/3"])
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


# -- where it is hacked ----


def _moment(k: int, beta: mpmath.mpf) -> mpmath.mpf:
    w = _mp_ratio(beta)
    return mpmath.quad(lambda x: x**k * w(x), [0, 0.5, 0.9, 0.99, 1])


def test_check_finds_the_peak_of_the_integral() -> None:
    mpmath.mp.dps = 25
    gold, family = parse_gold("u**12*(1 - u)"), parse_family("grpo(scale=quantile)")
    found = check(Normal(), family, gold)
    assert (found.regime, found.hacking, found.complete) == ("peak", "certified", "certified")
    low, high = found.threshold.bounds
    at = (low + high) / 2
    place = mpmath.mpf(at.numerator) / at.denominator
    values = [_moment(12, b) - _moment(13, b) for b in (place, place * 0.9999, place * 1.0001)]
    assert near(found.extrema[0].value, values[0], 1e-10)
    # A parabola through the three has its top within 1e-8 of the place.
    rise, fall = values[0] - values[1], values[0] - values[2]
    assert rise > 0
    assert fall > 0
    assert abs(rise - fall) < 1e-3 * (rise + fall)


def test_check_on_atoms_has_the_value_of_the_sum() -> None:
    law = Finite({0: "1/2", 1: "1/4", 2: "1/4"})
    found = check(law, parse_family("grpo(scale=quantile)"), parse_gold("r*(2 - r)"))

    def mean(beta: float) -> float:  # gold 0, 1, 0
        cdf = [math.log(1 - x * (1 - math.exp(-1 / beta))) * -beta for x in (0.5, 0.75)]
        return cdf[1] - cdf[0]

    best = minimize_scalar(
        lambda b: -mean(b), bounds=(0.05, 5), method="bounded", options={"xatol": 1e-9}
    )
    assert found.regime == "peak"
    assert near(found.threshold, float(best.x), 1e-4)
    assert near(found.extrema[0].value, mean(float(best.x)), 1e-9)


def test_check_on_the_raw_reward_has_the_peak_of_the_root() -> None:
    rewards, masses, gold = (0.0, 1.0, 2.0, 3.0), (0.5, 0.25, 0.125, 0.125), (0.0, 2.0, 2.0, 0.0)
    law = Finite({0: "1/2", 1: "1/4", 2: "1/8", 3: "1/8"})
    found = check(law, parse_family("grpo"), parse_gold("r*(3 - r)"))

    def mean(beta: float) -> float:
        def excess(eta: float) -> float:
            return sum(beta * p / (eta - r) for r, p in zip(rewards, masses, strict=True)) - 1

        eta = float(brentq(excess, 3 + beta / 8, 3 + beta, xtol=1e-14))
        w = [beta * p / (eta - r) for r, p in zip(rewards, masses, strict=True)]
        return sum(x * g for x, g in zip(w, gold, strict=True))

    best = minimize_scalar(
        lambda b: -mean(b), bounds=(1, 20), method="bounded", options={"xatol": 1e-9}
    )
    assert (found.regime, found.hacking, found.complete) == ("peak", "certified", "certified")
    assert near(found.threshold, float(best.x), 1e-4)
    assert near(found.extrema[0].value, mean(float(best.x)), 1e-9)
    assert near(found.ends[1].value, 0.75)


def test_check_on_the_raw_reward_says_where_it_cannot() -> None:
    family, gold = parse_family("grpo"), parse_gold("r")
    with pytest.raises(NotOnThisLaw, match="without an upper bound"):
        check(Normal(), family, gold)
    assert check(Beta(2, 3), family, gold).regime == "undecided"
    uniform = [check(Uniform(), f, gold) for f in (family, parse_family("grpo(scale=quantile)"))]
    assert uniform[0].regime == uniform[1].regime == "decreasing"


@pytest.mark.parametrize("t", [0.01, 1.0, 40.0, 1e6])
def test_the_kernel_of_check_is_minus_the_slope_of_the_rank_cdf_and_totally_positive(
    t: float,
) -> None:
    line = line_of(parse_family("grpo(scale=quantile)"))
    assert line is not None
    rank = kernel_of(line)
    form = sympy.lambdify((symbols.u, symbols.ubar, symbols.mu), spell_out(rank.kernel), "mpmath")
    mpmath.mp.dps = 40

    def cdf(x: float, at: mpmath.mpf) -> mpmath.mpf:
        p = at / (1 + at)
        return mpmath.log(1 - p * x) / mpmath.log(1 - p)

    points = [mpmath.mpf(x) / 20 for x in (1, 7, 15, 19)]
    for x in points:
        k = form(x, 1 - x, mpmath.mpf(t))
        assert abs(k + t * mpmath.diff(lambda s, x=x: cdf(x, s), t)) < 1e-12 * abs(k)
        assert 0 < k <= min(x, 1 - cdf(x, mpmath.mpf(t)))  # what the tails of a quadrature ask
    for s in (1.5 * t, 30 * t):
        for x, y in pairwise(points):
            here = [form(v, 1 - v, mpmath.mpf(t)) for v in (x, y)]
            later = [form(v, 1 - v, mpmath.mpf(s)) for v in (x, y)]
            assert here[0] * later[1] > here[1] * later[0]


@pytest.mark.parametrize("beta", [0.04, 0.3, 5.0, 200.0])
def test_the_draws_of_tune_are_logarithmic(beta: float) -> None:
    mpmath.mp.dps = 30
    p = 1 - mpmath.exp(-1 / mpmath.mpf(beta))
    exact = [beta * p**k / k for k in range(1, 41)]
    law = DRAWS["logarithmic"]
    weights, tail = law.mixture(40, beta=[beta])
    np.testing.assert_allclose(weights[0, :-1], [float(x) for x in exact[:-1]], rtol=1e-12)
    assert math.isclose(weights.sum(), 1, rel_tol=1e-12)
    assert math.isclose(tail[0], float(1 - sum(exact)), rel_tol=1e-9, abs_tol=1e-16)
    columns = {"beta": np.array([[beta]])}
    expected = float(sum(x * mpmath.mpf("0.3") ** (k + 1) for k, x in enumerate(exact)))
    assert math.isclose(law.pgf(np.array([0.3]), **columns)[0, 0], expected, rel_tol=1e-12)
    assert law.pgf(np.array([1.0]), **columns)[0, 0] == pytest.approx(1, rel=1e-9)
    assert math.isclose(law.mean(beta=beta), beta * math.expm1(1 / beta), rel_tol=1e-12)


def test_tune_finds_the_best_beta_of_a_table() -> None:
    rng = np.random.default_rng(5)
    proxy = rng.normal(size=(40, 16))
    gold = np.where(proxy < 0.8, proxy, -1.0)
    rows = {
        "prompt_id": np.repeat(np.arange(40), 16),
        "proxy": proxy.ravel(),
        "true": gold.ravel(),
    }
    answer = tune(rows, "grpo(scale=quantile)", resamples=50)
    by_n = np.zeros(16)  # every subset of size n, the largest of which is at rank i
    order = np.take_along_axis(gold, np.argsort(proxy, axis=1), axis=1).mean(axis=0)
    for n in range(1, 17):
        by_n[n - 1] = sum(order[i] * math.comb(i, n - 1) for i in range(16)) / math.comb(16, n)

    def mean(beta: float) -> float:
        p = 1 - math.exp(-1 / beta)
        masses = [beta * p**k / k for k in range(1, 16)]
        return float(by_n[:15] @ masses + by_n[15] * (1 - sum(masses)))

    assert answer.theta is not None
    assert math.isclose(answer.value, mean(answer.theta), rel_tol=1e-9)
    assert all(answer.value >= mean(b) - 1e-12 for b in (0.3, 0.5, 1, 2, 10))
    assert answer.family == "grpo(scale=quantile)"
    with pytest.raises(InputError, match=r"quantile, as in grpo\(scale=quantile\)"):
        tune(rows, "grpo")


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


@pytest.mark.parametrize("beta", [Fraction(1, 2), Fraction(5), Fraction(1, 1000)])
def test_the_sampler_draws_a_logarithmic_number(beta: Fraction) -> None:
    policy = Grpo(beta, "quantile")
    assert isinstance(policy, QuantileGrpo)
    counts = policy.drawn(20_000, np.random.default_rng(11))
    p = -math.expm1(-1 / float(beta))
    assert (counts >= 1).all()
    for k in (1, 2, 3):
        # Hoeffding: |frequency − mass| > 0.02 has probability below 2 exp(−2·20000·0.0004).
        assert abs(np.mean(counts == k) - float(beta) * p**k / k) < 0.02
    found = sample(policy, Uniform(), 20_000, 3)
    # Of a variable in [0, 1] the same bound holds for the mean.
    mean = float(value(Uniform(), policy, "mean_reward", digits=8).bounds[0])
    assert abs(np.mean(found.rewards) - mean) < 0.02
