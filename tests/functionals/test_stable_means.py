"""Closed means where the best stays in the family of the law: proved, and the definition."""

from __future__ import annotations

import pytest

from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.closed_forms import mean_reward, policy_key
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.weibull import Weibull
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.random_draws import Sibuya

CASES = [
    (Gumbel(1, "3/2"), BestOfN("7/3")),
    (Beta("2/3", 1), BestOfN(4)),
    (Pareto("5/2"), BestOfN("7/2")),
    (Exponential(2), BestOfRandom(Sibuya("1/3"))),
    (Pareto(4), BestOfRandom(Sibuya("2/3"))),
    (Weibull("3/2", 2), BestOfRandom(Sibuya("1/2"))),
]


@pytest.mark.parametrize(("law", "policy"), CASES, ids=str)
def test_a_stable_mean_is_proved_and_is_the_integral(law, policy):
    form = mean_reward(policy_key(policy), law)
    assert form is not None
    assert all(step.holds for step in form.prove().steps)
    closed, definition = bind(policy, law).mean_reward()
    assert float(number(closed, 18)) == pytest.approx(float(number(definition, 18)), rel=1e-15)


def test_a_small_sibuya_parameter_on_an_exponential_law_is_exact():
    found = value(Exponential(2), BestOfRandom(Sibuya("1e-9")), "mean_reward")
    assert found.fraction == 500_000_000
