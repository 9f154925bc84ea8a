"""Gold whose mean is infinite or undefined, or becomes so on the way, has no picture."""

from __future__ import annotations

import pytest

from hedgetheory.analysis.check import check
from hedgetheory.functionals.quantities import value
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law, parse_policy


@pytest.mark.parametrize(
    ("law", "family", "gold"),
    [
        ("pareto(0.9)", "sbon(n=2)", "r"),
        ("student_t(1)", "sbon(n=2)", "r"),
        ("student_t(1)", "sbon(n=2)", "-r"),
        ("student_t(1)", "sbon(n=2, scale=quantile)", "r"),
        ("student_t(1)", "sbon(lam=1)", "r"),
        ("exponential", "sbon(n=4)", "exp(r)"),
        ("exponential", "sbon(lam=1)", "exp(r)"),
        ("pareto(0.9)", "bon", "r"),
        ("pareto(0.9)", "bop", "-r"),
        ("gumbel", "tilt", "exp(r)"),
        # Finite at λ = 0, infinite from λ = 1/2 on.
        ("gumbel", "tilt", "exp(r/2)"),
        ("gumbel", "tilt", "-exp(r/2)"),
        ("logistic", "tilt", "exp(r/2)"),
        ("laplace", "tilt", "exp(r/2)"),
    ],
)
def test_gold_without_a_finite_mean_is_undecided(law, family, gold):
    result = check(parse_law(law), parse_family(family), parse_gold(gold), 6)
    assert (result.regime, result.hacking, result.complete) == ("undecided",) * 3


@pytest.mark.parametrize(
    ("law", "family"),
    [("normal", "sbon(n=4)"), ("normal", "tilt"), ("gumbel", "tilt"), ("pareto(3)", "sbon(n=2)")],
)
def test_the_reward_itself_is_decided_where_its_mean_is_finite(law, family):
    result = check(parse_law(law), parse_family(family), parse_gold("r"), 6)
    assert (result.regime, result.hacking) == ("increasing", "refuted")


@pytest.mark.parametrize(
    ("law", "policy"),
    [
        ("student_t(1)", "sbon(2, 1, scale=quantile)"),
        ("affine(student_t(1), 1, 2)", "sbon(2, 1, scale=quantile)"),
        ("student_t(0.7)", "sbon(3, 1, scale=quantile)"),
        ("student_t(1)", "sbon(1, 1)"),
        ("student_t(1)", "sbon(3, 0)"),
        ("student_t(1)", "bon(1)"),
    ],
)
def test_a_mean_that_diverges_both_ways_is_undefined(law, policy):
    # w > 0 at both ends, and both tails of the law are too heavy.
    assert value(parse_law(law), parse_policy(policy), "mean_reward").is_undefined


def test_more_draws_lighten_the_lower_tail_on_the_raw_reward_only():
    # w ~ 2F at the bottom: ∫ r f F dr converges for the Cauchy law, and the top still diverges.
    assert value(parse_law("student_t(1)"), parse_policy("sbon(2, 1)"), "mean_reward").infinite == 1
