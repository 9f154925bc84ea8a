"""What the strategies give: valid, of the shape promised, pasted back, over decades and ends."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from scipy import stats

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import r as reward
from hedgetheory.expressions.symbols import u
from hedgetheory.functionals.bind import bind
from hedgetheory.hedgetune.table import Table
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.policies.base import Domain
from hedgetheory.spec.grammar import (
    parse_family,
    parse_gold,
    parse_joint,
    parse_law,
    parse_policy,
)
from hedgetheory.spec.registry import REGISTRY
from hedgetheory.testing import (
    draws,
    families,
    gold_curves,
    gold_with_turning_values,
    joint_models,
    laws,
    laws_and_policies,
    parameters,
    policies,
    positive,
    probabilities,
    responses,
)
from hedgetheory.testing.strategies import DESIGNED, GROUPS

quick = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
few = settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])


def seen(strategy, count=120):
    """Many examples, the same ones every time."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None)
    @given(strategy)
    def collect(example):
        found.append(example)

    collect()
    return found


def test_every_law_of_the_grammar_belongs_to_one_group():
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted([*REGISTRY["law"], "mixed"])
    kinds = {"continuous": ContinuousLaw, "ties": FiniteLaw, "countable": CountableLaw,
             "mixed": MixedLaw}  # fmt: skip
    for group, kind in kinds.items():
        for name in GROUPS[group]:
            wanted = Law if name in DESIGNED else kind
            assert all(isinstance(law, wanted) for law in seen(laws(name, reach=1), 1))


@pytest.mark.parametrize("name", [*REGISTRY["law"], "mixed"])
def test_every_law_can_be_pasted_back(name):
    # Laws by a formula certify it when they are built.
    count = 2 if name in ("shaped", "pdf", "cdf", "quantile") else 4

    @settings(few, max_examples=count)
    @given(laws(name, reach=3))
    def check(law):
        if name not in DESIGNED:  # a related system may be a law that has a name already
            assert law.name == ("mixture" if name == "mixed" else name)
        assert parse_law(str(law)) == law
        assert parse_law(repr(law)) == law

    check()


@quick
@given(policies())
def test_every_policy_can_be_pasted_back(policy):
    assert parse_policy(str(policy)) == policy == parse_policy(repr(policy))


@quick
@given(families())
def test_every_family_can_be_pasted_back_and_has_members(family):
    again = parse_family(str(family))
    assert str(again) == str(family)
    assert again.symbol == family.symbol
    inside = family.domain.lower + 1 if family.domain.upper is None else family.domain.upper / 2
    assert family.at(inside).bindings


def test_every_policy_draws_law_and_joint_model_comes():
    assert {p.name for p in seen(policies(), 400)} == set(REGISTRY["policy"])
    assert {d.name for d in seen(draws(), 50)} == set(REGISTRY["draws"])
    assert {model.name for _, model in seen(joint_models(reach=2), 40)} == set(REGISTRY["joint"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(laws_and_policies(laws("exponential", "geometric", "pareto", "normal", reach=3), "tilt"))
def test_a_policy_exists_on_its_law(pair):
    law, policy = pair
    next(iter(bind(policy, law).kl()))  # NotOnThisLaw where it does not


@quick
@given(joint_models(reach=2))
def test_a_joint_model_is_built_on_its_law_and_can_be_pasted_back(pair):
    law, model = pair
    implied = model.implied(law)
    assert implied.variable in ("u", "r", None)
    assert str(parse_joint(str(model))) == str(model)


def test_noisy_proxies_come_with_finite_and_normal_true_rewards_and_heavy_noise():
    pairs = seen(joint_models("noisy_proxy", reach=1), 40)
    assert {law.name for law, _ in pairs} == {"normal", "bernoulli", "finite"}
    noises = {model.noise.name for law, model in pairs if law.name != "normal"}
    assert {"student_t", "normal"} < noises
    assert {model.noise.name for law, model in pairs if law.name == "normal"} == {"normal"}


def scipy_noise(noise):
    v = {name: float(x) for name, x in noise.values.items()}
    return {
        "normal": lambda: stats.norm(v["mean"], v["sd"]),
        "student_t": lambda: stats.t(v["df"]),
        "logistic": lambda: stats.logistic(v["loc"], v["scale"]),
        "laplace": lambda: stats.laplace(v["loc"], v["scale"]),
        "gumbel": lambda: stats.gumbel_r(v["loc"], v["scale"]),
    }[noise.name]()


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(joint_models("noisy_proxy", reach=1))
def test_the_gold_curve_of_a_noisy_proxy_is_bayes_rule(pair):
    law, model = pair
    implied = model.implied(law)
    if not isinstance(law, FiniteLaw) or implied.variable is None:
        return
    noise = scipy_noise(model.noise)
    for at in (-1.25, 0.5, 2.0):
        seen_by = [(float(t), float(p) * noise.pdf(at - float(t))) for t, p in law.atoms]
        density = sum(weight for _, weight in seen_by)
        largest = max(abs(t) for t, _ in seen_by)
        if density > 1e-250:
            got = float(implied.expr.subs(reward, sympy.Rational(at)).evalf())
            want = sum(t * weight for t, weight in seen_by) / density
            assert got == pytest.approx(want, rel=1e-9, abs=1e-9 * largest)


def test_numbers_cover_24_decades_and_the_ends_of_their_domain():
    sizes = [math.log10(x) for x in seen(positive(), 150)]
    assert {math.floor(size / 4) for size in sizes} >= {-3, -2, -1, 0, 1, 2}
    assert all(-12.001 <= size <= 12.001 for size in sizes)
    shares = seen(probabilities(), 150)
    assert all(0 < p < 1 for p in shares)
    assert min(shares) < 1e-9
    assert 1 - max(shares) < 1e-9
    both_ends = Domain(Fraction(0), True, Fraction(2), True)
    found = seen(parameters(both_ends))
    assert {Fraction(0), Fraction(2)} <= set(found)
    half_open = seen(parameters(Domain(Fraction(1), False)))
    assert min(half_open) > 1


@pytest.mark.parametrize("turns", range(5))
def test_gold_curves_turn_as_often_as_they_promise(turns):
    @few
    @given(gold_curves(turns=turns))
    def check(gold):
        slope = sympy.Poly(sympy.diff(gold.expr, u), u)
        roots = sympy.real_roots(slope)
        inside = [root for root in roots if 0 < root < 1]
        assert len(inside) == len(set(inside)) == turns

    check()


@quick
@given(gold_curves("unimodal"))
def test_unimodal_gold_goes_up_then_down(gold):
    assert parse_gold(str(gold)).expr == gold.expr
    values = [gold.expr.subs(u, sympy.Rational(k, 64)) for k in range(65)]
    steps = [bool(b > a) for a, b in pairwise(values) if a != b]
    assert steps == sorted(steps, reverse=True)
    assert steps


@pytest.mark.parametrize(("shape", "sign"), [("increasing", 1), ("decreasing", -1)])
def test_monotone_gold_is_monotone(shape, sign):
    @quick
    @given(gold_curves(shape))
    def check(gold):
        values = [float(gold.expr.subs(u, sympy.Rational(k, 32))) for k in range(33)]
        assert all(sign * (b - a) >= -1e-12 for a, b in pairwise(values))

    check()


@few
@given(st.integers(1, 3).flatmap(
    lambda k: gold_with_turning_values(parse_law("uniform"), parse_family("bon"), k)))  # fmt: skip
def test_gold_with_turning_values_is_certified_to_turn_there(made):
    assert made.certified
    assert len(made.found.extrema) == len(made.thetas)


@quick
@given(responses(adversarial=True))
def test_tables_of_responses_are_read(columns):
    table = Table.from_frame(columns)
    assert len(table.proxy) == len(columns["proxy"])
    assert set(columns) == {"prompt_id", "proxy", "true"}


@quick
@given(responses(invalid=True))
def test_invalid_tables_are_refused(columns):
    with pytest.raises(InputError):
        Table.from_frame(columns)


@quick
@given(responses(ties=False), responses(ties=True, ragged=False, size=5))
def test_ties_and_ragged_prompts_come_as_asked(untied, tied):
    for columns, least in ((untied, 1), (tied, 2)):
        table = Table.from_frame(columns)
        ends = np.cumsum(table.sizes)[:-1]
        for proxy in np.split(table.proxy, ends):
            distinct = len(np.unique(proxy))
            assert distinct == len(proxy) if least == 1 else distinct <= max(len(proxy) // 2, 1)
    assert len(set(Table.from_frame(tied).sizes.tolist())) == 1


def test_failing_examples_shrink_to_readable_ones():
    steady = settings(derandomize=True, database=None, deadline=None, max_examples=500)
    law = find(laws("finite"), lambda law: len(law.atoms) > 1, settings=steady)
    assert str(law) == "finite({0: 0.5, 1: 0.5})"
    policy = find(policies("sbon"), lambda policy: policy.draws > 1, settings=steady)
    assert str(policy) == "sbon(n=2, lam=0)"
    table = find(responses(), lambda table: len(table["true"]) > 1, settings=steady)
    assert table["true"] == [0.0, 0.0]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: laws("nromal"),
        lambda: policies("law"),
        lambda: positive(0),
        lambda: gold_curves("bumpy"),
        lambda: gold_curves("unimodal", turns=2),
        lambda: gold_curves(turns=99),
    ],
)
def test_mistakes_in_asking_are_refused_at_once(ask):
    with pytest.raises(InputError):
        ask()
