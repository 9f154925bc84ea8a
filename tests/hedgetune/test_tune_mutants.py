"""The estimation items of MUTANTS.md: each check passes the real thing and rejects the mutant."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from tune_support import all_subsets, gold_by_rank

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.divergence import rank_kl
from hedgetheory.hedgetune.estimators import (
    best_of_n_values,
    best_of_poisson_mixture,
    plug_in_weights,
)
from hedgetheory.hedgetune.ranks import rank_gold
from hedgetheory.hedgetune.table import Table
from hedgetheory.hedgetune.tune import tune

Curve = Callable[[list[float], list[float]], np.ndarray]
Mixture = Callable[[float, int], tuple[np.ndarray, float]]

PROXY, GOLD = [0.2, 0.9, 0.4, 0.4, 0.7], [3.0, 0.0, 5.0, 1.0, 4.0]


def real_curve(proxy: list[float], gold: list[float]) -> np.ndarray:
    return best_of_n_values(rank_gold([proxy], [gold]))[0]


def check_curve(curve: Curve) -> None:
    exact = [float(all_subsets(PROXY, GOLD, n)) for n in range(1, 6)]
    np.testing.assert_allclose(curve(PROXY, GOLD), exact, atol=1e-13)


def gold_sorted_beside_unsorted_ranks(proxy: list[float], gold: list[float]) -> np.ndarray:
    return best_of_n_values(np.sort([gold]))[0]


def ranks_unsorted(proxy: list[float], gold: list[float]) -> np.ndarray:
    return best_of_n_values([gold])[0]


def bootstrap_with_replacement(proxy: list[float], gold: list[float]) -> np.ndarray:
    ranked, size = rank_gold([proxy], [gold])[0], len(gold)
    weights = [plug_in_weights(lambda u, n=n: u**n, size) for n in range(1, size + 1)]
    return np.array(weights) @ ranked


def first_n_only(proxy: list[float], gold: list[float]) -> np.ndarray:
    return np.array([gold[int(np.argmax(proxy[:n]))] for n in range(1, len(gold) + 1)])


def ties_to_the_first(proxy: list[float], gold: list[float]) -> np.ndarray:
    order = np.argsort(proxy, kind="stable")
    return best_of_n_values([np.array(gold)[order]])[0]


def test_the_real_curve_passes_the_all_subsets_check() -> None:
    check_curve(real_curve)


@pytest.mark.parametrize(
    "mutant",
    [
        gold_sorted_beside_unsorted_ranks,  # 7
        ranks_unsorted,  # 7
        bootstrap_with_replacement,  # 12
        first_n_only,  # 13
        ties_to_the_first,
    ],
)
def test_the_all_subsets_check_rejects_each_wrong_curve(mutant: Curve) -> None:
    with pytest.raises(AssertionError):
        check_curve(mutant)


# 9: Best-of-Poisson truncated at the table's width without saying so.


def real_mixture(mu: float, size: int) -> tuple[np.ndarray, float]:
    mixture, tail = best_of_poisson_mixture([mu], size)
    return mixture[0], float(tail[0])


def truncated_silently(mu: float, size: int) -> tuple[np.ndarray, float]:
    return real_mixture(mu, size + 60)[0][:size], 0.0


def renormalised_silently(mu: float, size: int) -> tuple[np.ndarray, float]:
    weights = truncated_silently(mu, size)[0]
    return weights / weights.sum(), 0.0


def check_mixture(mixture: Mixture) -> None:
    weights, tail = mixture(3.0, 4)
    # P(Poisson(3) >= 4) = 1 - 13 e^-3.
    np.testing.assert_allclose(tail, 1 - 13 * np.exp(-3), rtol=1e-12)
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-12)


def test_the_real_mixture_says_what_lies_beyond_the_table() -> None:
    check_mixture(real_mixture)


@pytest.mark.parametrize("mutant", [truncated_silently, renormalised_silently])
def test_a_mixture_cut_at_the_table_without_saying_so_is_rejected(mutant: Mixture) -> None:
    with pytest.raises(AssertionError):
        check_mixture(mutant)


def test_tune_says_so_when_poisson_draws_exceed_the_table() -> None:
    table = Table.from_arrays(np.repeat(range(20), 4), np.tile(range(4), 20), [0, 1, 2, 3] * 20)
    result = tune(table, "bop", resamples=0)
    assert result.tail_mass == pytest.approx(0.1)
    assert any("exceeds the responses" in line for line in result.warnings)
    assert all("tail_mass" in point for point in result.curve)


# 10: rounding a real n† instead of comparing both neighbours.


def population_table(power: float, size: int = 40) -> Table:
    gold = gold_by_rank(size, power)
    return Table.from_arrays(np.zeros(size), np.arange(size), gold)


def real_choice(table: Table) -> int:
    return int(tune(table, resamples=0).theta)


def rounded_root(table: Table) -> int:
    n = np.linspace(1, 40, 400_001)
    return round(n[np.argmax(n / ((n + 12.005) * (n + 13.005)))])


def check_choice(choice: Callable[[Table], int]) -> None:
    # f(n) = n/((n+a)(n+a+1)), a = 2401/200: the root is 12.495, and f(13) > f(12).
    assert choice(population_table(12.005)) == 13


def test_both_neighbours_of_a_real_root_are_compared() -> None:
    check_choice(real_choice)


def test_rounding_the_real_root_is_rejected() -> None:
    with pytest.raises(AssertionError):
        check_choice(rounded_root)


def test_an_exact_tie_is_reported_and_the_cheaper_n_taken() -> None:
    result = tune(population_table(12), resamples=0)  # u^12 (1 - u): f(12) = f(13) = 1/50
    assert result.ties == [12, 13]
    assert result.theta == 12
    assert result.value == pytest.approx(0.02, rel=1e-12)


# 11: pass@k with k > n samples returning 1.


def naive_pass_at_k(right: int, size: int, k: int) -> float:
    if size - right < k:
        return 1.0
    return 1.0 - float(np.prod(1.0 - k / np.arange(size - right + 1, size + 1)))


def real_pass_at_k(right: int, size: int, k: int) -> float:
    outcome = np.array([[1.0] * right + [0.0] * (size - right)])
    return float(best_of_n_values(rank_gold(outcome, outcome), [k])[0, 0])


def check_pass_at_k(estimate: Callable[[int, int, int], float]) -> None:
    assert estimate(1, 2, 1) == pytest.approx(0.5)
    try:
        value = estimate(0, 2, 5)
    except InputError:
        return
    raise AssertionError(f"pass@5 from two failures is not estimable, but came out as {value}")


def test_more_draws_than_responses_are_refused() -> None:
    check_pass_at_k(real_pass_at_k)


def test_pass_at_k_equal_to_one_from_two_failures_is_rejected() -> None:
    with pytest.raises(AssertionError):
        check_pass_at_k(naive_pass_at_k)


# 14: argmax over scores with NaN.


def argmax_with_nan(proxy: list[float], gold: list[float]) -> np.ndarray:
    return np.array([gold[int(np.argmax(proxy))]])


def check_nan(curve: Curve) -> None:
    for place in range(len(PROXY)):
        for spoiled in ("proxy", "gold"):
            scores = {"proxy": list(PROXY), "gold": list(GOLD)}
            scores[spoiled][place] = float("nan")
            with pytest.raises(InputError):
                curve(**scores)


def test_nan_in_any_position_is_refused() -> None:
    check_nan(real_curve)
    check_nan(lambda proxy, gold: Table.from_arrays([0] * 5, proxy, gold).gold)


def test_an_argmax_that_takes_nan_is_rejected() -> None:
    with pytest.raises(pytest.fail.Exception):
        check_nan(argmax_with_nan)


# 15 and 16: the KL of a continuous law for a pass/fail proxy, and a histogram for KL.

Kl = Callable[[list[float], int], float]


def real_kl(proxy: list[float], n: int) -> float:
    return float(rank_kl(np.array([proxy]), lambda u: u**n)[0])


def continuous_kl(proxy: list[float], n: int) -> float:
    return float(np.log(n) - 1 + 1 / n)


def histogram_kl(proxy: list[float], n: int) -> float:
    rng = np.random.default_rng(0)
    best = rng.choice(proxy, (2000, n)).max(axis=1)
    edges = np.histogram_bin_edges(proxy, bins=10)
    p, q = (np.histogram(x, edges)[0] + 1e-12 for x in (best, proxy))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p * np.log(p / q)))


def check_kl(estimate: Kl) -> None:
    # Half pass: the best of 128 passes but with chance 2^-128, so that KL = ln 2.
    assert estimate([0.0] * 8 + [1.0] * 8, 128) == pytest.approx(np.log(2), abs=1e-12)
    # Of 64 scores told apart the i-th is the best of four draws with chance (i^4 - (i-1)^4)/64^4.
    chance = [(i**4 - (i - 1) ** 4) / 64**4 for i in range(1, 65)]
    exact = sum(p * math.log(64 * p) for p in chance)
    assert estimate([float(i) ** 2 for i in range(64)], 4) == pytest.approx(exact, abs=1e-12)


def test_kl_is_that_of_the_law_at_hand_whether_tied_or_not() -> None:
    check_kl(real_kl)


@pytest.mark.parametrize("mutant", [continuous_kl, histogram_kl])
def test_the_continuous_kl_and_a_histogram_are_rejected(mutant: Kl) -> None:
    with pytest.raises(AssertionError):
        check_kl(mutant)
