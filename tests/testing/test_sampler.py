"""`assert_sampler_follows`: right samplers pass at the stated rate, wrong ones fail."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from hedgetheory.errors import InputError
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.spec.grammar import parse_law, parse_policy
from hedgetheory.testing import Disagreement, assert_sampler_follows
from hedgetheory.testing.sampler import binomial_tail, cells_of

RECORD = json.loads(Path(__file__).with_name("false_alarms.json").read_text(encoding="utf-8"))


def best_of(n):
    return lambda size, rng: rng.random((size, n)).max(axis=1)


def ours(law, policy):
    return lambda size, rng: sample(parse_policy(policy), parse_law(law), size, rng)


@pytest.mark.parametrize(
    ("law", "policy"),
    [
        ("uniform", "bop(5)"),
        ("normal", "quantile_tilt(3)"),
        ("normal", "tilt(2)"),
        ("exponential", "best_of_random(geometric(1/4))"),
        ("finite({0: 1/4, 1/3: 1/4, 1: 1/2})", "bon(3)"),
        ("poisson(3)", "bon(4)"),
        ("bernoulli(1/4)", "sbon(4, 2)"),
    ],
)
def test_right_samplers_pass(law, policy):
    assert_sampler_follows(ours(law, policy), law, policy, size=5_000)


def test_samplers_written_by_hand_pass():
    assert_sampler_follows(best_of(3), "uniform", "bon(3)")
    assert_sampler_follows(lambda size, rng: rng.standard_normal(size), "normal")
    assert_sampler_follows(lambda size, rng: 1.0 + rng.geometric(0.5, size) - 1, "geometric(1/2)")


def flipped_best_of_poisson(size, rng):
    """MUTANTS 1: density ∝ (1 + 5u) e^{5(1 − u)}, by rejection from uniforms."""
    u, top = rng.random(20 * size), 1.3 * np.exp(5)
    kept = u[rng.random(20 * size) * top < (1 + 5 * u) * np.exp(5 * (1 - u))]
    return np.resize(kept, size)


def truncated_best_of_poisson(size, rng):
    """MUTANTS 9: at most 4 draws, without saying so."""
    n = np.minimum(1 + rng.poisson(5, size), 4)
    return rng.random(size) ** (1 / n)


def soft_best_of(n, lam, draw):
    """n draws, one of them by softmax: the largest of lam * reward + Gumbel noise."""

    def sampler(size, rng):
        drawn = draw(size * n, rng).reshape(size, n)
        chosen = np.argmax(lam * drawn + rng.gumbel(size=(size, n)), axis=1)
        return drawn[np.arange(size), chosen]

    return sampler


def tilted_best_of(n, lam):
    """MUTANTS 3: the density u^(n-1) e^(lam u), by rejection from Best-of-n."""

    def sampler(size, rng):
        best = rng.random(60 * size) ** (1 / n)
        return np.resize(best[rng.random(len(best)) < np.exp(lam * (best - 1))], size)

    return sampler


def uniforms(size, rng):
    return rng.random(size)


@pytest.mark.parametrize(("n", "lam"), [(2, 0.5), (4, 2), (16, 8)])
def test_soft_best_of_n_by_hand_passes_and_its_mutants_fail(n, lam):
    policy = f"sbon({n}, {lam})"
    assert_sampler_follows(soft_best_of(n, lam, uniforms), "uniform", policy)
    for mutant in (
        tilted_best_of(n, lam),
        soft_best_of(n, 2 * lam, uniforms),
        soft_best_of(2 * n, lam, uniforms) if n > 2 else best_of(2),
    ):
        with pytest.raises(Disagreement, match="does not follow sbon"):
            assert_sampler_follows(mutant, "uniform", policy)


def test_soft_best_of_n_is_followed_on_a_law_of_the_line():
    def normals(size, rng):
        return rng.standard_normal(size)

    assert_sampler_follows(soft_best_of(2, 0.5, normals), "normal", "sbon(2, 0.5)")
    with pytest.raises(Disagreement):
        assert_sampler_follows(soft_best_of(2, 1, normals), "normal", "sbon(2, 0.5)")


def mixed_best_of(n, shift=0.0):
    """Of normal draws, a quarter of them 0 or 1 instead."""

    def sampler(size, rng):
        drawn = rng.standard_normal((size, n))
        hit = rng.random((size, n)) < 0.25
        return np.where(hit, rng.integers(0, 2, (size, n)), drawn).max(axis=1) + shift

    return sampler


def test_atoms_beside_a_density_are_seen():
    law = "mixture({normal(0, 1): 0.75, bernoulli(1/2): 0.25})"
    assert_sampler_follows(mixed_best_of(1), law)
    assert_sampler_follows(mixed_best_of(3), law, "bon(3)")
    for mutant in (mixed_best_of(2), mixed_best_of(3, 1e-9), best_of(3)):
        with pytest.raises(Disagreement, match="does not follow"):
            assert_sampler_follows(mutant, law, "bon(3)")
    with pytest.raises(InputError, match="binary64"):
        assert_sampler_follows(best_of(1), "mixture({uniform: 1/2, finite({1/3: 1}): 1/2})")


def nearly_best_of_three(size, rng):
    """Right but for the far tail: the top 2⁻⁹ never comes."""
    drawn = rng.random((size, 3)).max(axis=1)
    return np.where(drawn > 1 - 2**-9, 0.9, drawn)


@pytest.mark.parametrize(
    ("mutant", "law", "policy"),
    [
        (flipped_best_of_poisson, "uniform", "bop(5)"),
        (truncated_best_of_poisson, "uniform", "bop(5)"),
        (nearly_best_of_three, "uniform", "bon(3)"),
        (best_of(2), "uniform", "bon(3)"),
        (best_of(4), "uniform", "sbon(4, 0)"),  # 3
        (lambda size, rng: rng.random(size), "normal", "bon(1)"),
        (lambda size, rng: np.full(size, np.nan), "uniform", "bon(2)"),
        (lambda size, rng: 2 * rng.random(size), "uniform", "bon(1)"),
        (lambda size, rng: rng.integers(0, 2, size), "bernoulli(1/4)", "bon(1)"),
        (lambda size, rng: rng.random(size), "bernoulli(1/2)", "bon(1)"),
        (lambda size, rng: rng.geometric(0.5, size) - 1.0, "geometric(1/2)", "bon(1)"),
        (lambda size, rng: rng.random(size - 1), "uniform", "bon(1)"),
    ],
)
def test_wrong_samplers_fail(mutant, law, policy):
    with pytest.raises(Disagreement, match="does not follow") as found:
        assert_sampler_follows(mutant, law, policy)
    assert {"quantity", "input", "got", "want", "reproduce"} <= set(dict(found.value.lines))


def test_the_reported_run_can_be_repeated():
    failures = []
    for _ in range(2):
        with pytest.raises(Disagreement) as found:
            assert_sampler_follows(best_of(2), "uniform", "bon(3)", seed=7)
        failures.append(str(found.value))
    assert failures[0] == failures[1]
    assert "default_rng(7)" in failures[0]


def alarms(law, policy, runs, level, size):
    """How many of ``runs`` right samplers are rejected."""
    found = 0
    for seed in range(runs):
        try:
            assert_sampler_follows(
                ours(law, policy), law, policy, size=size, seed=seed, false_alarm=level
            )
        except Disagreement:
            found += 1
    return found


def too_many(found, runs, level):
    """Whether so many alarms refute the bound: P < 1e-6 where it holds."""
    return stats.binom.sf(found - 1, runs, level) < 1e-6


@pytest.mark.parametrize(
    "case", RECORD["cases"], ids=lambda case: f"{case['law']}-{case['policy']}"
)
def test_the_false_alarm_rate_is_at_most_the_stated_one(case):
    level = Fraction(RECORD["false_alarm"])
    assert case["runs"] >= 2000
    assert not too_many(case["alarms"], case["runs"], float(level))
    runs = 60
    assert not too_many(alarms(case["law"], case["policy"], runs, level, 400), runs, float(level))


def test_the_study_would_notice_a_bound_that_does_not_hold():
    assert too_many(500, 2000, 0.2)
    # A sampler that is off by little is rejected more often than a right one may be.
    slightly = [assert_fails(lambda size, rng: rng.random(size) ** 0.8, seed) for seed in range(60)]
    assert too_many(sum(slightly), 60, 0.2)


def assert_fails(sampler, seed):
    try:
        assert_sampler_follows(sampler, "uniform", size=400, seed=seed, false_alarm="0.2")
    except Disagreement:
        return True
    return False


@pytest.mark.parametrize("law", ["uniform", "student_t(1)"])
def test_the_cells_are_the_true_cdf(law):
    cells = cells_of(parse_law(law), parse_policy("bon(2)"))
    cdf = {"uniform": stats.uniform.cdf, "student_t(1)": stats.cauchy.cdf}[law]
    for point, (low, high) in zip(cells.points, cells.cdf, strict=True):
        assert low - 1e-12 <= cdf(point) ** 2 <= high + 1e-12
    assert min(high for _, high in cells.cdf) < 0.002
    assert max(low for low, _ in cells.cdf) > 0.998


def test_binomial_tails_are_those_of_exact_sums():
    from math import comb

    for n, p in ((20, 0.25), (7, 0.5), (50, 0.01)):
        masses = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
        for k in range(n + 1):
            exact = min(sum(masses[: k + 1]), sum(masses[k:]))
            assert binomial_tail(n, k, p, p) == pytest.approx(exact, rel=1e-5)
            assert binomial_tail(n, k, p, p) >= exact * (1 - 1e-12)


@pytest.mark.parametrize("more", [{"size": 5}, {"false_alarm": 0}, {"false_alarm": 2}])
def test_arguments_out_of_domain_are_refused(more):
    with pytest.raises(InputError):
        assert_sampler_follows(best_of(1), "uniform", **more)
