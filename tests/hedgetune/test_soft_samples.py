"""Soft Best-of-n from samples, against enumeration in rational arithmetic.

With integer proxies and λ = ln 2 or ln 3 every softmax weight is a power of an integer, so that the
mean over all subsets (or over all draws with replacement) is an exact fraction.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.divergence import weights_kl
from hedgetheory.hedgetune.estimators import best_of_n_values
from hedgetheory.hedgetune.ranks import rank_gold
from hedgetheory.hedgetune.soft import (
    soft_best_of_n_plug_in,
    soft_best_of_n_ratio,
    soft_best_of_n_values,
    upper_quantiles,
)

quick = settings(max_examples=40, deadline=None, derandomize=True)
prompts = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, 4), min_size=size, max_size=size),
        st.lists(st.integers(-8, 8), min_size=size, max_size=size),
    )
)


def picked(proxy: list[int], n: int, base: int) -> list[Fraction]:
    """S times the chance of each response to win n draws with replacement."""
    size = len(proxy)
    one = [[int(i == k) for i in range(size)] for k in range(size)]
    return [size * with_replacement(proxy, gold, n, base) for gold in one]


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("deepest", [-1, 8])
def test_the_ratio_is_the_chance_over_all_draws_with_replacement(n: int, deepest: int) -> None:
    proxy = [3, 0, 1, 1]
    with patch("hedgetheory.hedgetune.soft_small._DEEPEST", deepest):
        ratio = soft_best_of_n_ratio([proxy], n, float(np.log(3)))[0]
    np.testing.assert_allclose(ratio, [float(x) for x in picked(proxy, n, 3)], atol=1e-10)


def softmax_mean(proxy: list[int], gold: list[int], chosen: tuple[int, ...], base: int) -> Fraction:
    weights = [Fraction(base) ** proxy[i] for i in chosen]
    return sum(w * gold[i] for w, i in zip(weights, chosen, strict=True)) / sum(weights)


def over_subsets(proxy: list[int], gold: list[int], n: int, base: int) -> Fraction:
    found = [softmax_mean(proxy, gold, a, base) for a in combinations(range(len(proxy)), n)]
    return sum(found, Fraction(0)) / len(found)


def with_replacement(proxy: list[int], gold: list[int], n: int, base: int) -> Fraction:
    found = [softmax_mean(proxy, gold, a, base) for a in product(range(len(proxy)), repeat=n)]
    return sum(found, Fraction(0)) / len(found)


@quick
@given(prompts, st.sampled_from([2, 3]))
def test_the_values_are_the_means_over_all_subsets_ties_included(
    prompt: tuple[list[int], list[int]], base: int
) -> None:
    proxy, gold = prompt
    every = np.arange(1, len(proxy) + 1)
    exact = [float(over_subsets(proxy, gold, n, base)) for n in every.tolist()]
    values = soft_best_of_n_values([proxy], [gold], every, [np.log(base)])[0, :, 0]
    np.testing.assert_allclose(values, exact, rtol=0, atol=1e-13)  # written out
    with patch("hedgetheory.hedgetune.soft_small._DEEPEST", -1):
        race = soft_best_of_n_values([proxy], [gold], every, [np.log(base)])[0, :, 0]
    np.testing.assert_allclose(race, exact, rtol=0, atol=3e-10)  # 2e-11 times max |g| = 8


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_plug_in_is_the_mean_over_all_draws_with_replacement(n: int) -> None:
    proxy, gold = [3, 0, 1, 1], [2, -5, 7, 4]
    value = soft_best_of_n_plug_in([proxy], [gold], [n], [np.log(2)])[0, 0, 0]
    assert value == pytest.approx(float(with_replacement(proxy, gold, n, 2)), abs=2e-10)


def without_the_factor(proxy: list[float], gold: list[float], n: int, lam: float) -> float:
    return float(soft_best_of_n_plug_in([proxy], [gold], [n], [lam])[0, 0, 0]) * len(gold) / n


def mean_over_the_others(proxy: list[float], gold: list[float], n: int, lam: float) -> float:
    rates = np.exp(lam * (np.array(proxy) - max(proxy)))
    s = np.arange(-40, 12, 1 / 16)
    rung = np.exp(s)[:, None] * rates
    total = 0.0
    for i, g in enumerate(gold):
        others = np.delete(np.exp(-rung), i, axis=1).mean(axis=1)
        total += g * float((rung[:, i] * np.exp(-rung[:, i]) * others ** (n - 1)).sum()) / 16
    return total * n / len(gold)


def real_plug_in(proxy: list[float], gold: list[float], n: int, lam: float) -> float:
    return float(soft_best_of_n_plug_in([proxy], [gold], [n], [lam])[0, 0, 0])


def check_plug_in(estimate: object) -> None:
    exact = float(with_replacement([3, 0, 1, 1], [2, 5, 7, 4], 3, 2))
    assert estimate([3, 0, 1, 1], [2, 5, 7, 4], 3, np.log(2)) == pytest.approx(exact, rel=1e-3)  # type: ignore[operator]


def test_the_plug_in_without_its_factor_or_with_the_mean_over_the_others_is_rejected() -> None:
    # MUTANTS 20.
    check_plug_in(real_plug_in)
    for mutant in (without_the_factor, mean_over_the_others):
        with pytest.raises(AssertionError):
            check_plug_in(mutant)


def test_lam_zero_is_the_reference_and_a_large_lam_is_best_of_n() -> None:
    rng = np.random.default_rng(0)
    proxy, gold = rng.integers(0, 5, (4, 9)).astype(float), rng.normal(size=(4, 9))
    every = np.arange(1, 10)
    values = soft_best_of_n_values(proxy, gold, every, [0.0, 1e3, 1e300])
    mean = np.broadcast_to(gold.mean(axis=1)[:, None], (4, 9))
    np.testing.assert_allclose(values[:, :, 0], mean, atol=1e-10)
    best = best_of_n_values(rank_gold(proxy, gold))
    np.testing.assert_allclose(values[:, :, 1], best, atol=1e-10)
    np.testing.assert_allclose(values[:, :, 2], best, atol=1e-10)


def test_constant_gold_is_itself_at_every_n_and_lam_however_wide_the_proxy() -> None:
    # The race always has a winner: the weights sum to one, tails and windows included.
    rng = np.random.default_rng(1)
    for proxy in (
        rng.normal(size=(3, 40)),
        rng.standard_cauchy((3, 40)),
        1e307 * rng.normal(size=(3, 40)),
    ):
        ones = np.ones_like(proxy)
        lam = [0, 1e-9, 1.0, 37.0, 3e3]
        values = soft_best_of_n_values(proxy, ones, [1, 2, 17, 40], lam)
        np.testing.assert_allclose(values, 1, atol=3e-11)
        plug = soft_best_of_n_plug_in(proxy, ones, [1, 2, 17, 300], lam)
        np.testing.assert_allclose(plug, 1, atol=3e-11)


def test_a_shift_of_the_proxy_and_the_order_of_responses_change_nothing() -> None:
    rng = np.random.default_rng(2)
    proxy, gold = rng.normal(size=(2, 12)), rng.normal(size=(2, 12))
    before = soft_best_of_n_values(proxy, gold, [3, 7], [2.0])
    order = rng.permutation(12)
    after = soft_best_of_n_values(proxy[:, order] + 1e3, gold[:, order], [3, 7], [2.0])
    np.testing.assert_allclose(after, before, atol=1e-10)


def test_the_subset_values_are_unbiased_and_the_plug_in_tends_to_them() -> None:
    # Population: the package's own float64 quadrature is not used; R uniform, g = r, n = 2:
    # E = ∫∫ (x e^{λx} + y e^{λy})/(e^{λx} + e^{λy}), by a midpoint rule.
    m = (np.arange(2000) + 0.5) / 2000
    x, y = m[:, None], m[None, :]
    lam = 3.0
    exact = float((y + (x - y) / (1 + np.exp(-lam * (x - y)))).mean())
    rng = np.random.default_rng(3)
    proxy = rng.uniform(size=(4000, 6))
    values = soft_best_of_n_values(proxy, proxy, [2], [lam])[:, 0, 0]
    error = values.std() / len(values) ** 0.5
    assert abs(values.mean() - exact) < 3.5 * error
    plug = soft_best_of_n_plug_in(proxy, proxy, [2], [lam])[:, 0, 0]
    assert abs(plug.mean() - exact) > 6 * error  # with replacement: biased by O(1/S)


def test_the_quantile_scale_is_the_softmax_of_the_upper_quantile() -> None:
    proxy = np.array([[5.0, 1.0, 5.0, 9.0]])
    assert upper_quantiles(proxy).tolist() == [[0.75, 0.25, 0.75, 1.0]]
    gold = np.array([[1.0, 2.0, 3.0, 4.0]])
    one = soft_best_of_n_values(proxy, gold, [1, 2, 3], [2.0], scale="quantile")
    two = soft_best_of_n_values([[0.75, 0.25, 0.75, 1.0]], gold, [1, 2, 3], [2.0])
    np.testing.assert_allclose(one, two, atol=1e-13)
    mapped = soft_best_of_n_values(np.exp(proxy), gold, [1, 2, 3], [2.0], scale="quantile")
    np.testing.assert_allclose(mapped, one, atol=1e-13)


def test_the_ratio_is_the_plug_in_weight_and_gives_its_kl() -> None:
    rng = np.random.default_rng(4)
    proxy, gold = rng.integers(0, 4, (3, 7)).astype(float), rng.normal(size=(3, 7))
    ratio = soft_best_of_n_ratio(proxy, 4, 1.5)
    plug = soft_best_of_n_plug_in(proxy, gold, [4], [1.5])[:, 0, 0]
    np.testing.assert_allclose((ratio * gold).mean(axis=1), plug, atol=1e-10)
    for row, w in zip(proxy, ratio, strict=True):  # tied responses are chosen alike
        assert all(np.ptp(w[row == v]) < 1e-10 for v in np.unique(row))
    assert (weights_kl(soft_best_of_n_ratio(proxy, 1, 5.0) / 7) < 1e-12).all()


def test_many_responses_in_a_race_of_a_few_draws() -> None:
    # One response in 3000 has gold; by symmetry of equal proxies its share is 1/S at every n.
    gold = np.zeros((1, 3000))
    gold[0, 17] = 3000.0
    values = soft_best_of_n_values(np.ones((1, 3000)), gold, [1, 3], [1.0])
    np.testing.assert_allclose(values, 1, rtol=1e-9)


@pytest.mark.parametrize(
    ("n", "lam", "expected"),
    [
        ([0], [1.0], "n=0, but must be between 1 and S = 3"),
        ([4], [1.0], "n=4"),
        ([1.5], [1.0], "integers"),
        ([2], [-1.0], "lam="),
        ([2], [float("nan")], "lam="),
    ],
)
def test_arguments_outside_their_domains_are_refused(
    n: list[float], lam: list[float], expected: str
) -> None:
    with pytest.raises(InputError, match=expected):
        soft_best_of_n_values([[1, 2, 3]], [[1, 2, 3]], n, lam)


def test_nan_in_any_position_and_unbounded_work_are_refused() -> None:
    for place in range(3):
        row = [1.0, 2.0, 3.0]
        row[place] = float("nan")
        with pytest.raises(InputError, match="finite"):
            soft_best_of_n_values([row], [[1, 2, 3]], [2], [1.0])
    big = np.zeros((1, 200_000))
    with pytest.raises(InputError, match="more work"):
        soft_best_of_n_values(big, big, [20_000], [1.0])
