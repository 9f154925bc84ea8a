"""Tilt, best of a random N, real n, pass@k, KL from samples: against definitions and exact sums."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tune_support import all_subsets, gold_by_rank

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.at_k import best_at_k, pass_at_k
from hedgetheory.hedgetune.divergence import atoms_by_rank, rank_kl
from hedgetheory.hedgetune.estimators import best_of_n_values
from hedgetheory.hedgetune.mixtures import DRAWS, finite_mixture
from hedgetheory.hedgetune.ranks import rank_gold
from hedgetheory.hedgetune.real_draws import real_best_of_n_weights
from hedgetheory.hedgetune.soft import soft_best_of_n_plug_in, soft_best_of_n_ratio
from hedgetheory.hedgetune.tilts import tilt_slopes, tilt_values, tilt_weights

quick = settings(max_examples=40, deadline=None, derandomize=True)

# --- best of a random N ---------------------------------------------------------------------------

H, T = Fraction(1, 2), Fraction(1, 3)


def exact_masses(name: str) -> list[float]:
    """P(N = k), k = 1..60, as the definitions say, in fractions; ztp with e^λ − 1 by its series."""
    k = range(1, 61)
    match name:
        case "geometric":
            found = [T * (1 - T) ** (i - 1) for i in k]
        case "binomial":
            found = [comb(7, i) * T**i * (1 - T) ** (7 - i) / (1 - (1 - T) ** 7) for i in k]
        case "negative_binomial":
            found = [comb(i + 1, i) * H**2 * H**i / (1 - H**2) for i in k]
        case "sibuya":
            found, left = [], Fraction(1)
            for i in k:
                found.append(left * T / i)
                left *= 1 - T / i
        case "bop":
            total = sum(Fraction(2) ** i / factorial(i) for i in range(60))
            found = [Fraction(2) ** (i - 1) / factorial(i - 1) / total for i in k]
        case _:
            total = sum(Fraction(2) ** i / factorial(i) for i in range(1, 60))
            found = [Fraction(2) ** i / factorial(i) / total for i in k]
    return [float(x) for x in found]


PARAMETERS: dict[str, dict[str, float]] = {
    "geometric": {"p": 1 / 3},
    "binomial": {"m": 7, "p": 1 / 3},
    "negative_binomial": {"r": 2, "p": 0.5},
    "sibuya": {"a": 1 / 3},
    "bop": {"mu": 2},
    "ztp": {"lam": 2},
}


@pytest.mark.parametrize("name", list(PARAMETERS))
@pytest.mark.parametrize("size", [1, 2, 5, 30])
def test_mixtures_are_the_masses_of_n_capped_at_s_with_what_lies_beyond(
    name: str, size: int
) -> None:
    exact = exact_masses(name)
    weights, tail = DRAWS[name].mixture(size, **PARAMETERS[name])
    np.testing.assert_allclose(weights[0, : size - 1], exact[: size - 1], rtol=1e-12, atol=1e-16)
    assert weights[0, -1] == pytest.approx(1 - sum(exact[: size - 1]), rel=1e-9, abs=1e-13)
    assert tail[0] == pytest.approx(1 - sum(exact[:size]), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_the_pgf_and_the_mean_are_those_of_the_masses(name: str) -> None:
    law, given = DRAWS[name], PARAMETERS[name]
    u = np.array([0.0, 0.2, 0.7])
    k = np.arange(1, 61)
    columns = {key: np.array([[value]]) for key, value in given.items()}
    by_masses = (np.array(exact_masses(name)) * u[:, None] ** k).sum(axis=1)
    np.testing.assert_allclose(law.pgf(u, **columns)[0], by_masses, rtol=1e-9)
    assert law.pgf(np.array([1.0]), **columns)[0, 0] == pytest.approx(1, abs=1e-6)
    if name == "sibuya":
        assert law.mean(**given) == float("inf")
    else:
        assert law.mean(**given) == pytest.approx(
            (np.array(exact_masses(name)) * k).sum(), rel=1e-7
        )


def test_mixtures_are_well_at_the_ends_of_their_domains() -> None:
    for name, values in (
        ("ztp", {"lam": [0.0, 1e-12, 700.0, 1e6]}),
        ("bop", {"mu": [0.0, 1e-12, 700.0, 1e6]}),
        ("geometric", {"p": [1e-12, 0.5, 1.0]}),
        ("sibuya", {"a": [1e-9, 1 - 1e-12, 1.0]}),
    ):
        weights, tail = DRAWS[name].mixture(50, **values)
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-9)
        assert np.isfinite(tail).all()
        assert ((tail >= 0) & (tail <= 1)).all()


def test_a_finite_law_of_n_is_capped_too_and_a_wrong_one_refused() -> None:
    weights, tail = finite_mixture({1: 0.25, 4: 0.5, 9: 0.25}, 4)
    assert (weights.tolist(), tail) == ([0.25, 0, 0, 0.75], 0.25)
    for wrong in ({0: 1.0}, {1: 0.5}, {1: 1.5, 2: -0.5}):
        with pytest.raises(InputError, match="masses"):
            finite_mixture(wrong, 3)


@pytest.mark.parametrize(
    ("name", "given"),
    [("geometric", {"p": 0}), ("binomial", {"m": 1.5, "p": 0.5}), ("sibuya", {"a": 1.1}),
     ("negative_binomial", {"r": 1, "p": 1}), ("ztp", {"lam": -1}), ("ztp", {"mu": 1})],
)  # fmt: skip
def test_parameters_of_n_outside_their_domains_are_refused(
    name: str, given: dict[str, float]
) -> None:
    with pytest.raises(InputError):
        DRAWS[name].mixture(3, **given)


# --- the tilt -------------------------------------------------------------------------------------


@quick
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-8, 8)), min_size=1, max_size=8))
def test_the_tilt_and_its_jackknife_are_ratios_of_sums(rows: list[tuple[int, int]]) -> None:
    proxy, gold = ([row[k] for row in rows] for k in (0, 1))

    def ratio(keep: list[int]) -> Fraction:
        weights = [Fraction(2) ** proxy[i] for i in keep]
        return sum(w * gold[i] for w, i in zip(weights, keep, strict=True)) / sum(weights)

    every = list(range(len(rows)))
    plain = ratio(every)
    values = tilt_values([proxy], [gold], [np.log(2)], jackknife=False)[0, 0]
    enough = 1 / (tilt_weights([proxy], np.log(2)) ** 2).sum() >= min(5, (len(rows) + 1) / 2) - 1e-9
    if not enough:
        assert np.isnan(values)
        return
    assert values == pytest.approx(float(plain), abs=1e-12)
    if len(rows) > 1:
        without = [ratio([j for j in every if j != i]) for i in every]
        jackknifed = len(rows) * plain - Fraction(len(rows) - 1, len(rows)) * sum(without)
        value = tilt_values([proxy], [gold], [np.log(2)])[0, 0]
        assert value == pytest.approx(float(jackknifed), abs=1e-11)


def test_a_tilt_that_rests_on_too_few_responses_is_not_a_number() -> None:
    proxy = np.arange(20.0)[None]
    values = tilt_values(proxy, proxy, [0.0, 0.01, 10.0])
    assert np.isfinite(values[0, :2]).all()
    assert np.isnan(values[0, 2])


def test_the_jackknife_takes_the_bias_of_self_normalised_weights_away() -> None:
    # R uniform, g = r: E_λ[R] = 1/(1 − e^{−λ}) − 1/λ (THEORY.md, section 3).
    lam = 3.0
    exact = 1 / -np.expm1(-lam) - 1 / lam
    proxy = np.random.default_rng(0).uniform(size=(20_000, 20))
    plain, jackknifed = (tilt_values(proxy, proxy, [lam], jackknife=j)[:, 0] for j in (False, True))
    error = jackknifed.std() / len(proxy) ** 0.5
    assert abs(jackknifed.mean() - exact) < 4 * error
    assert abs(plain.mean() - exact) > 8 * error


def real_slope(proxy: np.ndarray, gold: np.ndarray, lam: float) -> float:
    return float(tilt_slopes(proxy, gold, [lam])[0, 0])


def uncentred_slope(proxy: np.ndarray, gold: np.ndarray, lam: float) -> float:
    return float((tilt_weights(proxy, lam) * proxy * gold).sum())


def centred_at_the_reference(proxy: np.ndarray, gold: np.ndarray, lam: float) -> float:
    return float((tilt_weights(proxy, lam) * (proxy - proxy.mean()) * gold).sum())


def check_slope(slope: Callable[[np.ndarray, np.ndarray, float], float]) -> None:
    proxy, gold = np.array([[0.1, 0.5, 0.7, 2.0]]), np.array([[1.0, 3.0, -1.0, 2.0]])
    assert slope(proxy, gold + 100, 1.3) == pytest.approx(slope(proxy, gold, 1.3), abs=1e-9)
    step = 1e-5
    up, down = ((tilt_weights(proxy, 1.3 + s) * gold).sum() for s in (step, -step))
    assert slope(proxy, gold, 1.3) == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_the_score_of_self_normalised_weights_is_centred() -> None:
    check_slope(real_slope)


@pytest.mark.parametrize("mutant", [uncentred_slope, centred_at_the_reference])
def test_an_uncentred_score_is_rejected(
    mutant: Callable[[np.ndarray, np.ndarray, float], float],
) -> None:
    # MUTANTS 8.
    with pytest.raises(AssertionError):
        check_slope(mutant)


# --- Soft Best-of-n in λ: the threshold (MUTANTS 5) -----------------------------------------------

GRID = ((np.arange(1200) + 0.5) / 1200)[None]
GOLD = GRID**12 * (1 - GRID)


def soft_threshold(slope: Callable[[int, float], float], n: int) -> float | None:
    strengths = np.linspace(2, 80, 40)
    values = [slope(n, float(lam)) for lam in strengths]
    for k in range(len(values) - 1):
        if values[k] > 0 >= values[k + 1]:
            share = values[k] / (values[k] - values[k + 1])
            return float(strengths[k] + share * (strengths[k + 1] - strengths[k]))
    return None


def real_soft_slope(n: int, lam: float) -> float:
    up, down = soft_best_of_n_plug_in(GRID, GOLD, [n], [lam * 1.01, lam * 0.99])[0, 0]
    return float(up - down)


def marginal_covariance(n: int, lam: float) -> float:
    weights = soft_best_of_n_ratio(GRID, n, lam)[0] / GRID.shape[1]
    return float((weights * GOLD * GRID).sum() - (weights * GOLD).sum() * (weights * GRID).sum())


def check_soft_threshold(slope: Callable[[int, float], float]) -> None:
    # MUTANTS 5 has these numbers: 26.1 for n = 16 and 50.4 for n = 8.
    assert soft_threshold(slope, 16) == pytest.approx(26.1, abs=0.1)
    assert soft_threshold(slope, 8) == pytest.approx(50.4, abs=0.3)


def test_the_soft_threshold_is_where_the_values_peak() -> None:
    check_soft_threshold(real_soft_slope)


def test_the_marginal_covariance_as_a_soft_slope_is_rejected() -> None:
    assert soft_threshold(marginal_covariance, 16) == pytest.approx(21.4, abs=0.15)
    assert soft_threshold(marginal_covariance, 8) is None
    with pytest.raises(AssertionError):
        check_soft_threshold(marginal_covariance)


# --- real n ---------------------------------------------------------------------------------------


def test_real_n_continues_the_binomial_weights() -> None:
    for size in (1, 2, 9, 40):
        n = np.arange(1, size + 1)
        exact = [
            [float(Fraction(comb(i - 1, k - 1), comb(size, k))) for i in range(1, size + 1)]
            for k in n.tolist()
        ]
        np.testing.assert_allclose(real_best_of_n_weights(n, size), exact, rtol=1e-11, atol=1e-15)


def test_real_n_has_a_bias_far_below_that_of_the_plug_in() -> None:
    # E of the weighted ranks for g(u) = u^a (1 − u), and the population n/((n+a)(n+a+1)).
    n = np.array([1.3, 2.5, 3.4641, 7.7])
    for size, bound in ((8, 3e-3), (32, 2e-4), (128, 3e-5)):
        weights = real_best_of_n_weights(n, size)
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
        bias = weights @ gold_by_rank(size, 3.0) - n / ((n + 3) * (n + 4))
        assert abs(bias).max() < bound
        plug = np.diff((np.arange(size + 1) / size) ** n[:, None], axis=1)
        off = plug @ gold_by_rank(size, 3.0) - n / ((n + 3) * (n + 4))
        assert abs(bias).max() < abs(off).max() / 5


def test_real_n_outside_one_to_s_is_refused() -> None:
    for n in ([0.5], [8.01], [float("nan")]):
        with pytest.raises(InputError, match="from 1 to S = 8"):
            real_best_of_n_weights(n, 8)


# --- pass@k and best@k ----------------------------------------------------------------------------


@quick
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8))
def test_best_at_k_is_the_mean_of_the_best_of_all_subsets(scores: list[int]) -> None:
    k = np.arange(1, len(scores) + 1)
    exact = [float(all_subsets(scores, scores, i)) for i in k.tolist()]
    np.testing.assert_allclose(best_at_k([scores], k)[0], exact, atol=1e-13)


def test_pass_at_k_is_the_formula_and_k_beyond_s_is_refused() -> None:
    outcome = np.array([[1.0] * 3 + [0.0] * 7])
    k = np.arange(1, 11)
    chen = [1 - comb(7, i) / comb(10, i) for i in k.tolist()]
    np.testing.assert_allclose(pass_at_k(outcome, k)[0], chen, atol=1e-14)
    with pytest.raises(InputError, match="between 1 and S = 2"):
        pass_at_k([[0, 0]], [5])
    with pytest.raises(InputError, match="0 and 1"):
        pass_at_k([[0.5, 1]], [1])


# --- KL -------------------------------------------------------------------------------------------


@quick
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.floats(1, 20))
def test_kl_is_that_of_the_plug_in_on_the_tied_empirical_law(proxy: list[int], n: float) -> None:
    size = len(proxy)
    total, below = 0.0, 0
    for value in sorted(set(proxy)):
        here = proxy.count(value)
        mass = ((below + here) / size) ** n - (below / size) ** n
        total += mass * np.log(mass / (here / size)) if mass > 0 else 0.0
        below += here
    found = rank_kl(np.array([proxy], float), lambda u: u**n)[0]
    assert found == pytest.approx(total, abs=1e-12)


def test_kl_of_many_prompts_is_the_weighted_mean_and_ties_lower_it() -> None:
    rng = np.random.default_rng(0)
    ordered = np.sort(rng.integers(0, 4, (6, 9)).astype(float), axis=1)
    weights = rng.uniform(size=6)
    cdf = (np.arange(10) / 9) ** 5.0
    each = rank_kl(ordered, lambda u: u**5.0)
    assert atoms_by_rank(ordered).kl(cdf[None])[0] == pytest.approx(each.mean())
    weighted = atoms_by_rank(ordered, weights).kl(cdf[None])[0]
    assert weighted == pytest.approx(np.average(each, weights=weights))
    assert each.max() < rank_kl(np.arange(9.0)[None], lambda u: u**5.0)[0] < np.log(5) - 4 / 5


def test_the_continuous_kl_is_rejected_for_pass_or_fail() -> None:
    # MUTANTS 15: half pass; BoN(128) puts everything on the upper atom: KL = ln 2, not 3.86.
    proxy = np.array([[0.0] * 8 + [1.0] * 8])
    assert rank_kl(proxy, lambda u: u**128)[0] == pytest.approx(np.log(2), abs=1e-12)


def test_capped_values_are_mixtures_of_the_subset_values() -> None:
    rng = np.random.default_rng(5)
    proxy, gold = rng.integers(0, 3, (1, 6)), rng.normal(size=(1, 6))
    weights, _ = DRAWS["geometric"].mixture(6, p=[0.3])
    by_n = [float(all_subsets(proxy[0].tolist(), gold[0].tolist(), n)) for n in range(1, 7)]
    exact = sum(0.3 * 0.7 ** (k - 1) * by_n[k - 1] for k in range(1, 6)) + 0.7**5 * by_n[5]
    assert weights[0] @ best_of_n_values(rank_gold(proxy, gold))[0] == pytest.approx(exact)
