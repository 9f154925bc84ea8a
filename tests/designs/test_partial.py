"""Partial rewards: the margin, Jaccard indices, and what the best of n earns."""

from __future__ import annotations

import json
import math
import sqlite3
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from hedgetheory.cli.app import run
from hedgetheory.designs.partial.claims import FIRST, SECOND
from hedgetheory.designs.partial.functions import (
    PARTS,
    WEIGHTS,
    bigram_jaccard,
    jaccard,
    margin,
    no_gradient,
    reward,
    success,
    success_with_dominance,
)
from hedgetheory.designs.partial.joint import PartialRewards
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.poisson import Poisson
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.spec.grammar import parse_joint

EARNED = {"execution": 1, "syntax": 1, "format": 1}


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_the_margin_is_the_least_difference_over_all_corners(raw: list[int]) -> None:
    weights = dict(zip(PARTS, map(Fraction, raw), strict=True))
    free = ("judge", "schema", "ngram")
    right = [
        reward({**EARNED, **dict(zip(free, c, strict=True))}, weights)
        for c in product((0, 1), repeat=3)
    ]
    others = [part for part in PARTS if part != "execution"]
    wrong = [reward(dict(zip(others, c, strict=True)), weights) for c in product((0, 1), repeat=5)]
    assert min(right) - max(wrong) == margin(weights)


def test_the_published_weights_dominate_only_without_the_judge() -> None:
    assert margin() == -1
    assert margin({k: v for k, v in WEIGHTS.items() if k != "judge"}) == 1


def test_two_queries_with_one_set_of_bigrams_find_different_rows() -> None:
    assert bigram_jaccard(FIRST, SECOND) == 1
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (b INTEGER)")
        database.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (3,)])
        found = [database.execute(query).fetchall() for query in (FIRST, SECOND)]
    database.close()
    assert found == [[(3,)], [(2,)]]


def test_jaccard_by_hand() -> None:
    assert jaccard("abc", "bcd") == Fraction(1, 2)
    assert jaccard("", "") == 1
    assert jaccard("a", "") == 0
    assert bigram_jaccard("one", "other") == 1  # neither has a bigram


def _enumerated(
    p: Fraction, correct: list[Fraction], wrong: list[Fraction], n: int, tie: str = "lot"
) -> Fraction:
    outcomes = [(i, True, p * m) for i, m in enumerate(correct)]
    outcomes += [(i, False, (1 - p) * m) for i, m in enumerate(wrong)]
    total = Fraction(0)
    for queries in product(outcomes, repeat=n):
        best = [good for level, good, _ in queries if level == max(q[0] for q in queries)]
        share = Fraction(sum(best), len(best)) if tie == "lot" else Fraction(max(best))
        for _, _, mass in queries:
            share *= mass
        total += share
    return total


MASSES = (
    [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)],
    [Fraction(1, 2), Fraction(0), Fraction(1, 2)],
)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("p", [Fraction(1, 3), Fraction(4, 5)])
def test_success_is_that_of_every_tuple(n: int, p: Fraction) -> None:
    correct, wrong = MASSES
    exact = success(p, [0, 1, 2], correct, wrong, n)
    assert exact == _enumerated(p, correct, wrong, n)
    joint = PartialRewards(Finite({0: "1/2", 2: "1/2"}), p)
    implied = joint.implied(Finite({0: "1/4", 1: "1/4", 2: "1/2"}))
    found = value(implied.law, BestOfN(n), "gold", gold=implied)
    assert str(found.fraction) == str(exact)


def test_ties_that_favour_the_correct_are_told_from_the_exact_value() -> None:
    correct, wrong = MASSES
    p = Fraction(1, 3)
    exact = success(p, [0, 1, 2], correct, wrong, 2)
    assert _enumerated(p, correct, wrong, 2, "favour") != exact
    assert 1 - (1 - p) ** 2 != exact  # pass@n, which only a dominant reward reaches


@settings(max_examples=30)
@given(st.fractions(0, 1, max_denominator=50), st.integers(1, 40))
def test_with_dominance_success_is_pass_at_n(p: Fraction, n: int) -> None:
    found = success_with_dominance(p, n)
    assert found == success(p, [0, 1], [0, 1], [1, 0], n)


def test_without_atoms_success_is_the_integral() -> None:
    p, n = 0.4, 5
    right, wrong = stats.norm(1, 1), stats.norm(0, 2)

    def density(x: float) -> float:
        below = p * right.cdf(x) + (1 - p) * wrong.cdf(x)
        return float(n * p * right.pdf(x) * below ** (n - 1))

    expected = integrate.quad(density, -10, 14, epsabs=1e-12)[0]
    implied = PartialRewards(Normal(0, 2), "0.4").implied(Normal(1, 1))
    low, high = value(implied.law, BestOfN(n), "gold", gold=implied, digits=10).bounds
    assert math.isclose(float((low + high) / 2), expected, rel_tol=1e-9)


def test_a_simulation_agrees_within_its_false_alarm_probability() -> None:
    # Hoeffding: |mean − p| > 0.02 has probability below 2 exp(−2·20000·0.0004) < 3e-7.
    generator, hits = np.random.default_rng(7), 0
    for _ in range(20_000):
        draws = [
            (5.0, True) if generator.random() < 0.5
            else ((6.0, False) if generator.random() < 0.1 else (1.0, False))
            for _ in range(4)
        ]  # fmt: skip
        hits += max(draws)[1]
    exact = success("1/2", [1, 5, 6], [0, 1, 0], ["9/10", 0, "1/10"], 4)
    assert abs(hits / 20_000 - float(exact)) < 0.02


def test_no_gradient_counts_the_groups_of_equal_rewards() -> None:
    for p, size in ((Fraction(1, 4), 6), (Fraction(2, 3), 3)):
        total = Fraction(0)
        for group in product((0, 1), repeat=size):
            mass = Fraction(1)
            for x in group:
                mass *= p if x else 1 - p
            total += mass if len(set(group)) == 1 else 0
        assert no_gradient(p, size) == total
        assert float(no_gradient(p, size)) != pytest.approx(float(p**size))  # half of it


def test_check_finds_the_threshold_at_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    joint = "partial(finite({1: 9/10, 6: 1/10}), 1/2)"
    arguments = ["check", "--law", "finite({5: 1})", "--family", "bon", "--joint", joint, "--json"]
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    a, b = math.log(0.95), math.log(0.45)
    expected = math.log(b / a) / (a - b)
    assert math.isclose(float(found["hacking"]["threshold"]["decimal"]), expected, rel_tol=1e-10)
    assert found["integer"]["best"] == [4]


def test_the_grammar_reads_what_it_writes() -> None:
    model = parse_joint("partial(normal(0, 2), 0.5)")
    assert str(parse_joint(str(model))) == str(model)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: PartialRewards(Normal(), 0), InputError, r"p=0, but must be a real number in"),
        (lambda: PartialRewards(Poisson(1), "1/2"), InputError, "must be a finite law or one"),
        (lambda: PartialRewards(Normal(), "1/2").implied(Finite({1: 1})), InputError, "same kind"),
        (lambda: PartialRewards(Uniform(), "1/2").implied(Normal()), NotCertified, "supports"),
        (lambda: reward({"speed": 1}), InputError, "speed is no part of the reward"),
        (lambda: reward({"judge": 2}), InputError, r"judge=2, but must be a score in \[0, 1\]"),
        (lambda: margin({"judge": -1}), InputError, "judge=-1, but must be a weight >= 0"),
        (lambda: no_gradient(2, 3), InputError, r"p=2, but must be a probability in \[0, 1\]"),
        (lambda: success("1/2", [1, 0], [1, 0], [1, 0], 2), InputError, "values must increase"),
        (lambda: success("1/2", [0, 1], [1, 1], [1, 0], 2), InputError, "correct must be masses"),
        (lambda: success_with_dominance("1/2", 0), InputError, "n=0, but must be a whole number"),
    ],
)
def test_bad_arguments_are_refused(call, error: type[Exception], says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=says):
        call()


def test_equal_laws_leave_nothing_to_select() -> None:
    assert PartialRewards(Beta(2, 2), "1/3").implied(Beta(2, 2)).variable is None
