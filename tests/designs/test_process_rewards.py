"""Clip and Delta: rewards and returns by brute force, the law of their sum, its tilts."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hedgetheory.cli.app import run
from hedgetheory.designs.process.functions import (
    clip_return,
    clip_rewards,
    delta_return,
    delta_rewards,
    discounted,
)
from hedgetheory.designs.process.law import ProcessSum
from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.laws.geometric import Geometric
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.tilt import Tilt
from hedgetheory.spec.grammar import canonical, parse_gold, parse_law, parse_spec

SCORES = st.lists(st.fractions(0, 1, max_denominator=20), min_size=1, max_size=12)
GAMMAS = st.fractions(0, 1, max_denominator=10)


@settings(max_examples=30)
@given(SCORES, GAMMAS, st.data())
def test_the_delta_return_is_the_sum_of_its_definition(
    scores: list[Fraction], gamma: Fraction, data: st.DataObject
) -> None:
    last = len(scores)
    k = data.draw(st.integers(1, last))
    total = Fraction(0)
    for j in range(k, last + 1):
        if j <= last - 2:
            step = scores[j - 1] - scores[j]
        else:
            step = scores[j - 1] if j == last - 1 else Fraction(0)
        total += gamma ** (j - k) * step
    assert delta_return(scores, k, gamma) == total
    if k <= last - 1:
        later = range(k + 1, last)
        claimed = scores[k - 1] - (1 - gamma) * sum(
            (gamma ** (j - k - 1) * scores[j - 1] for j in later), Fraction(0)
        )
        assert claimed == total


@settings(max_examples=30)
@given(SCORES, GAMMAS, st.fractions(0, 1, max_denominator=8))
def test_a_clip_return_is_never_positive_and_never_rises_with_a_step(
    scores: list[Fraction], gamma: Fraction, eta: Fraction
) -> None:
    returns = [clip_return(scores[: k + 1], eta, 1, gamma) for k in range(len(scores))]
    assert all(x <= 0 for x in returns)
    assert returns == sorted(returns, reverse=True)


@settings(max_examples=30)
@given(st.lists(st.fractions(0, 1, max_denominator=9), min_size=2, max_size=5), st.integers(1, 9))
def test_saying_a_step_again_earns_nothing_under_delta(scores: list[Fraction], more: int) -> None:
    again = [scores[0], *[scores[0]] * more, *scores[1:]]
    assert delta_return(again) == delta_return(scores)


# Known faults, as ordinary code.


def _keep_the_last(scores: list[Fraction]) -> list[Fraction]:
    """The last step keeps its score, instead of the one before."""
    return [x - y for x, y in pairwise(scores)] + [scores[-1]]


def _next_less_this(scores: list[Fraction]) -> list[Fraction]:
    return [y - x for x, y in pairwise(scores[:-1])] + [
        scores[-2],
        0 * scores[0],
    ]


def _two_zeros(scores: list[Fraction]) -> list[Fraction]:
    return [x - y for x, y in pairwise(scores[:-1])] + [Fraction(0)] * 2


@pytest.mark.parametrize("wrong", [_keep_the_last, _next_less_this, _two_zeros])
def test_known_faults_of_delta_are_told_from_the_exact_return(wrong) -> None:  # type: ignore[no-untyped-def]
    scores = [Fraction(1, 2), Fraction(1, 4), Fraction(1), Fraction(1, 3)]
    assert any(
        discounted(wrong(scores), k, gamma) != delta_return(scores, k, gamma)
        for k in (1, 2, 3)
        for gamma in (Fraction(1), Fraction(9, 10))
    )


def test_a_clip_that_keeps_positive_parts_is_told_from_the_exact_return() -> None:
    scores, eta = [Fraction(1, 2), Fraction(9, 10)], Fraction(3, 4)
    assert sum(max(x - eta, Fraction(0)) for x in scores) != clip_return(scores, eta)
    assert sum(min(x, eta) for x in scores) != clip_return(scores, eta)
    assert clip_rewards(scores, eta) == (Fraction(-1, 4), Fraction(0))


# The law of the sum.


@pytest.mark.parametrize("shape", ["raw", "clip", "delta"])
def test_the_law_is_that_of_every_length(shape: str) -> None:
    rho, score, last, eta = Fraction(2, 3), Fraction(1, 4), 7, Fraction(1, 3)
    masses: dict[Fraction, Fraction] = {}
    for k in range(1, last + 1):
        chance = rho ** (k - 1) * (1 if k == last else 1 - rho)
        scores = [score] * k
        rewards = {
            "raw": tuple(scores),
            "clip": clip_rewards(scores, eta),
            "delta": delta_rewards(scores),
        }[shape]
        total = sum(rewards, Fraction(0))
        masses[total] = masses.get(total, Fraction(0)) + chance
    assert ProcessSum(rho, score, last, shape, eta).atoms == tuple(sorted(masses.items()))


def test_a_simulation_of_lengths_agrees_within_its_false_alarm_probability() -> None:
    # 12 atoms, each |frequency − mass| > 0.02 with probability below 2 exp(−2·20000·0.0004).
    draws = stats.geom(0.25).rvs(20_000, random_state=np.random.default_rng(3))
    lengths = np.minimum(draws, 12)
    for total, mass in ProcessSum("3/4", "1/2", 12).atoms:
        assert abs(np.mean(lengths / 2 == float(total)) - float(mass)) < 0.02


def test_without_a_cut_the_raw_sum_is_geometric_and_delta_has_two_atoms() -> None:
    assert ProcessSum("1/3") == Geometric("2/3")
    delta = ProcessSum("1/3", "1/2", shape="delta")
    assert isinstance(delta, FiniteLaw)
    assert delta.atoms == ((Fraction(0), Fraction(2, 3)), (Fraction(1, 2), Fraction(1, 3)))


def test_the_raw_tilt_ends_at_minus_ln_rho_and_the_others_never() -> None:
    below = value(ProcessSum("1/2"), Tilt("69/100"), "mean_reward", digits=10).bounds[0]
    assert math.isclose(float(below), 1 / (1 - math.exp(0.69) / 2), rel_tol=1e-9)
    with pytest.raises(NotOnThisLaw, match=r"infinite from lam = ln\(2\) on"):
        value(ProcessSum("1/2"), Tilt("7/10"), "mean_reward")
    for shape in ("clip", "delta"):
        law = ProcessSum("1/2", "1/2", 20, shape, 1)
        assert value(law, Tilt(200), "kl").guarantee == "certified"


def test_the_clipped_tilt_shortens_a_geometric_length() -> None:
    # Cut at 60 steps: the mass beyond is below 2^-59.
    law, lam = ProcessSum("1/2", "1/2", 60, "clip", 1), 1.5
    q = math.exp(-lam / 2) / 2
    found = value(law, Tilt("3/2"), "mean_reward", digits=12).bounds[0]
    assert math.isclose(float(found), -0.5 / (1 - q), rel_tol=1e-9)


def test_best_of_n_on_the_raw_sum_has_the_value_of_every_length() -> None:
    law, gold = ProcessSum("3/4", "1/2", 9), parse_gold("1/(1 + r)")
    n, below, total = 3, Fraction(0), Fraction(0)
    for reward, mass in law.atoms:
        total += ((below + mass) ** n - below**n) / (1 + reward)
        below += mass
    assert value(law, BestOfN(n), "gold", gold=gold).fraction == total


# Grammar and command line.


@pytest.mark.parametrize(
    "text",
    ["process(9/10, 1/10, 30)", "process(rho=1/2, steps=4, shape=clip, eta=2)", "process(1/2)"],
)
def test_the_grammar_reads_what_it_writes(text: str) -> None:
    law = parse_law(text)
    assert parse_law(canonical(law)) == law
    spec = str(parse_spec(text, "law"))
    assert str(parse_spec(spec, "law")) == spec


def test_check_at_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    gold = "10*r*(30 - 10*r)/225"
    arguments = ["check", "--law", "process(9/10, 1/10, 30)", "--family", "bon", "--gold", gold]
    assert run([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["regime"] == "peak"
    assert found["integer"]["best"] == [3]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ProcessSum(1), InputError, r"rho=1, but must be a real number in \(0, 1\)"),
        (lambda: ProcessSum("1/2", 0), InputError, "c=0, but must be a real number > 0"),
        (lambda: ProcessSum("1/2", steps=0), InputError, "steps=0, but must be a whole number"),
        (lambda: ProcessSum("1/2", shape="sum"), InputError, "must be raw, clip or delta"),
        (lambda: ProcessSum("1/2", 2), NotCertified, "without a cut is not built: give steps"),
        (lambda: ProcessSum("1/2", shape="clip"), NotCertified, "without a cut is not built"),
        (lambda: delta_rewards([]), InputError, "0 steps, but there must be 1 to 10000"),
        (lambda: discounted([1], 2), InputError, "k=2, but must be a step from 1 to 1"),
        (lambda: discounted([1], 1, 2), InputError, r"gamma=2, but must be a real number in"),
        (lambda: discounted([1], "1/2"), InputError, "k=0.5, but must be a whole number >= 1"),
    ],
)
def test_bad_arguments_are_refused(call, error: type[Exception], says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=says):
        call()
