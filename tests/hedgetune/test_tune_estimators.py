"""Estimators against averages over all subsets, and the properties they must have."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tune_support import all_subsets, poisson_draws

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.estimators import (
    best_of_n_curve,
    best_of_n_values,
    best_of_n_weights,
    best_of_poisson_mixture,
    plug_in_weights,
)
from hedgetheory.hedgetune.ranks import rank_gold, rank_groups
from hedgetheory.hedgetune.table import Table

quick = settings(max_examples=60, deadline=None, derandomize=True)
prompts = st.integers(1, 7).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, 4), min_size=size, max_size=size),
        st.lists(st.integers(-8, 8), min_size=size, max_size=size),
    )
)


@quick
@given(prompts)
def test_best_of_n_is_the_mean_over_all_subsets_with_fair_ties(
    prompt: tuple[list[int], list[int]],
) -> None:
    proxy, gold = prompt
    values = best_of_n_values(rank_gold([proxy], [gold]))[0]
    exact = [all_subsets(proxy, gold, n) for n in range(1, len(proxy) + 1)]
    np.testing.assert_allclose(values, [float(x) for x in exact], rtol=0, atol=1e-14)


@quick
@given(prompts, st.floats(0, 20))
def test_best_of_poisson_is_the_mixture_of_all_subset_values_capped_at_s(
    prompt: tuple[list[int], list[int]], mu: float
) -> None:
    proxy, gold = prompt
    mixture, _ = best_of_poisson_mixture([mu], len(proxy))
    value = mixture @ best_of_n_values(rank_gold([proxy], [gold]))[0]
    np.testing.assert_allclose(value, poisson_draws(proxy, gold, mu), rtol=0, atol=1e-12)


def test_weights_are_the_binomial_ratios_to_the_last_bits() -> None:
    for size in (1, 2, 7, 60, 512, 513, 900):
        n = np.unique(np.linspace(1, size, 9).astype(int))
        exact = [
            [float(Fraction(comb(i - 1, k - 1), comb(size, k))) for i in range(1, size + 1)]
            for k in n.tolist()
        ]
        np.testing.assert_allclose(best_of_n_weights(n, size), exact, rtol=1e-12, atol=4e-18)


def test_the_pass_at_k_formula_is_the_special_case_of_pass_fail_gold() -> None:
    size, right = 20, 6
    outcome = np.array([1.0] * right + [0.0] * (size - right))
    values = best_of_n_values(rank_gold(outcome[None], outcome[None]))[0]
    chen = [1 - comb(size - right, k) / comb(size, k) for k in range(1, size + 1)]
    np.testing.assert_allclose(values, chen, atol=1e-14)


def test_every_n_of_a_hundred_thousand_responses_neither_overflows_nor_drifts() -> None:
    size = 100_000
    values = best_of_n_values(np.stack([np.ones(size), np.arange(1, size + 1) / (size + 1)]))
    n = np.arange(1, size + 1)
    np.testing.assert_allclose(values[0], 1, rtol=1e-10)
    # The mean rank of the best of n out of S is n (S + 1) / (n + 1), exactly.
    np.testing.assert_allclose(values[1], n / (n + 1), rtol=1e-10)


def test_blocks_for_many_responses_agree_with_the_full_matrix() -> None:
    rng = np.random.default_rng(0)
    ranked = rng.normal(size=(3, 1500))
    n = np.array([1, 2, 3, 39, 40, 41, 700, 1499, 1500])
    full = ranked @ best_of_n_weights(n, 1500).T
    np.testing.assert_allclose(best_of_n_values(ranked, n), full, atol=1e-13)
    np.testing.assert_allclose(best_of_n_values(ranked)[:, n - 1], full, atol=1e-13)
    np.testing.assert_allclose(best_of_n_values(ranked, n[::-1]), full[:, ::-1], atol=1e-13)


@quick
@given(prompts, st.randoms(use_true_random=False))
def test_the_order_of_responses_and_an_increasing_map_of_the_proxy_change_nothing(
    prompt: tuple[list[int], list[int]], random: object
) -> None:
    proxy, gold = np.array(prompt[0], float), np.array(prompt[1], float)
    before = rank_gold([proxy], [gold])
    order = np.random.default_rng(len(proxy)).permutation(len(proxy))
    after = rank_gold([np.exp(3 * proxy[order]) - 7], [gold[order]])
    np.testing.assert_allclose(after, before, atol=1e-14)


def test_only_equal_proxies_share_and_zero_equals_minus_zero() -> None:
    near = np.nextafter(1.0, 2.0)
    assert rank_gold([[near, 1.0]], [[5, 3]]).tolist() == [[3.0, 5.0]]
    assert rank_gold([[0.0, -0.0]], [[5, 3]]).tolist() == [[4.0, 4.0]]


def test_ties_never_leak_from_one_prompt_into_the_next() -> None:
    ranked = rank_gold([[1, 2, 3], [3, 3, 4], [4, 5, 5]], [[1, 2, 3], [4, 6, 8], [9, 0, 2]])
    assert ranked.tolist() == [[1, 2, 3], [5, 5, 8], [9, 1, 1]]


def test_inputs_are_left_as_they_were() -> None:
    proxy, gold = np.ones((2, 3)), np.arange(6.0).reshape(2, 3)
    rank_gold(proxy, gold)
    assert gold.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_plug_in_tends_to_the_continuous_policy_at_the_rate_one_over_s() -> None:
    # g(u) = u under the real n = 2.5: f = 2.5/3.5.
    errors = []
    for size in (100, 1000):
        u = (np.arange(size) + 0.5) / size
        errors.append(abs(plug_in_weights(lambda x: x**2.5, size) @ u - 2.5 / 3.5))
    assert errors[0] < 1e-4
    assert errors[1] < errors[0] / 10


@pytest.mark.parametrize("wrong", [lambda u: u + 1, lambda u: np.sin(7 * u), lambda u: u[:2]])
def test_plug_in_refuses_what_is_not_a_rank_cdf(wrong: object) -> None:
    with pytest.raises(InputError, match="rank_cdf"):
        plug_in_weights(wrong, 5)  # type: ignore[arg-type]


def test_the_poisson_tail_is_the_mass_above_s_and_rows_sum_to_one() -> None:
    mixture, tail = best_of_poisson_mixture([0, 1e-9, 1, 5, 80, 700], 64)
    np.testing.assert_allclose(mixture.sum(axis=1), 1, atol=1e-12)
    assert tail[0] == 0
    assert tail[-1] == 1
    # P(Poisson(5) >= 64) = 1 - pdtr(63, 5), from mpmath 1.3 at 40 digits.
    import mpmath

    with mpmath.workdps(40):
        exact = float(mpmath.gammainc(64, 0, 5, regularized=True))
    np.testing.assert_allclose(tail[3], exact, rtol=1e-10)


@pytest.mark.parametrize("mu", [-1e-9, float("nan"), float("inf")])
def test_a_mu_outside_its_domain_is_refused(mu: float) -> None:
    with pytest.raises(InputError, match="mu="):
        best_of_poisson_mixture([mu], 3)


@pytest.mark.parametrize("n", [[0], [4], [-1], [1, 99]])
def test_an_n_outside_one_to_s_is_refused(n: list[int]) -> None:
    with pytest.raises(InputError, match="between 1 and S = 3"):
        best_of_n_values([[1.0, 2.0, 3.0]], n)


def test_a_real_n_is_refused_by_the_unbiased_estimator() -> None:
    with pytest.raises(InputError, match="integers"):
        best_of_n_weights([1.5], 3)


def test_the_curve_is_the_mean_over_prompts_with_its_standard_error() -> None:
    rng = np.random.default_rng(1)
    proxy, gold = rng.normal(size=(9, 5)), rng.normal(size=(9, 5))
    value, error = best_of_n_curve(proxy, gold)
    curves = best_of_n_values(rank_gold(proxy, gold))
    np.testing.assert_allclose(value, curves.mean(axis=0))
    np.testing.assert_allclose(error, curves.std(axis=0, ddof=1) / 3)


def test_prompts_of_different_sizes_are_reduced_by_size() -> None:
    table = Table.from_arrays(list("abacbca"), range(7), [5, 1, 4, 9, 2, 8, 3])
    groups = {group.size: group.gold.tolist() for group in rank_groups(table)}
    assert groups == {2: [[1, 2], [9, 8]], 3: [[5, 4, 3]]}


@pytest.mark.parametrize(("proxy", "gold"), [([[1, 2]], [[1]]), ([1, 2], [1, 2]), ([[]], [[]])])
def test_arrays_that_are_not_prompts_by_responses_are_refused(proxy: object, gold: object) -> None:
    with pytest.raises(InputError, match="shape"):
        rank_gold(proxy, gold)  # type: ignore[arg-type]
