"""`tune` as a whole: what it chooses, how sure it says it is, and on real tables."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tune_support import DATA, all_subsets, gold_by_rank, write_table

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.bootstrap import cross_fitted, held_out_value, resampled_means
from hedgetheory.hedgetune.estimators import best_of_n_values
from hedgetheory.hedgetune.rank_points import integer_grid
from hedgetheory.hedgetune.shape import REGIMES, regimes, turns
from hedgetheory.hedgetune.table import Table
from hedgetheory.hedgetune.tune import FAMILIES, TuneResult, tune

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = {
    *("family", "theta", "theta_interval", "value", "value_heldout", "regime", "regime_support"),
    *("n_prompts", "n_responses", "dropped", "curve", "warnings"),
}


def noisy_peak(prompts: int = 60, size: int = 32, seed: int = 0) -> Table:
    """Gold u^3 (1 − u) of the proxy's quantile, and noise."""
    rng = np.random.default_rng(seed)
    proxy = rng.uniform(size=(prompts, size))
    gold = proxy**3 * (1 - proxy) + 0.05 * rng.normal(size=proxy.shape)
    return Table.from_arrays(np.repeat(np.arange(prompts), size), proxy, gold)


def for_family(family: str) -> Table:
    """The noisy peak; a small one for Soft Best-of-n, whose work grows with n and the range."""
    return noisy_peak(12, 8) if "sbon" in family else noisy_peak()


def plain(gold: list[list[float]], proxy: list[list[float]] | None = None) -> Table:
    scores = proxy or [list(range(len(row))) for row in gold]
    ids = [k for k, row in enumerate(gold) for _ in row]
    return Table.from_arrays(ids, np.concatenate(scores), np.concatenate(gold))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_json_has_the_fields_of_the_contract_and_no_nan(family: str) -> None:
    for table in (for_family(family), plain([[0, 1, 0.5]])):
        document = tune(table, family, resamples=50).to_json()
        assert set(document) >= CONTRACT
        text = json.dumps(document, allow_nan=False)
        assert all({"theta", "value", "se"} <= set(point) for point in json.loads(text)["curve"])
        assert document["family"] == family
        assert document["regime"] in REGIMES


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_gives_the_same_answer_and_another_seed_another_interval(
    family: str,
) -> None:
    table = for_family(family)
    one, two, other = (tune(table, family, seed=s, resamples=100) for s in (3, 3, 4))
    assert one == two
    assert one.curve == other.curve
    assert one.regret_interval != other.regret_interval


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = [[k // 8, k % 8, rng.integers(4), rng.normal()] for k in range(160)]
    one = tune(write_table(tmp_path / "a.csv", rows), resamples=100)
    two = tune(
        write_table(tmp_path / "b.csv.gz", [rows[k] for k in rng.permutation(160)]), resamples=100
    )
    assert one == two


def test_an_increasing_map_of_the_proxy_changes_nothing() -> None:
    table = noisy_peak()
    mapped = Table(table.name, np.exp(5 * table.proxy), table.gold, table.sizes)
    assert tune(table, resamples=100) == tune(mapped, resamples=100)


def test_a_scaled_gold_scales_the_answer_even_at_the_ends_of_the_float_range() -> None:
    table = noisy_peak()
    one = tune(table, resamples=100)
    for power in (1000, -1000):
        scale = 2.0**power
        two = tune(Table(table.name, table.proxy, table.gold * scale, table.sizes), resamples=100)
        assert two.theta == one.theta
        assert two.theta_interval == one.theta_interval
        assert two.value == pytest.approx(one.value * scale, rel=1e-12)
        assert two.curve[0]["se"] == pytest.approx(one.curve[0]["se"] * scale, rel=1e-9)  # type: ignore[operator]


def test_gold_scores_that_could_overflow_are_refused() -> None:
    with pytest.raises(InputError, match=r"1.7e\+308 is beyond 1e\+307"):
        tune(plain([[0, 1.7e308]]))


def test_theta_is_an_integer_under_bon_and_the_curve_has_every_n() -> None:
    result = tune(noisy_peak(), resamples=100)
    assert [point["theta"] for point in result.curve] == list(range(1, 33))
    assert all(isinstance(point["theta"], int) for point in result.curve)
    assert isinstance(result.theta, int)
    assert all(isinstance(end, int) for end in result.theta_interval or [])


def test_the_peak_of_a_known_gold_curve_is_found_by_both_families() -> None:
    # g(u) = u^3 (1 - u), exactly unbiased ranks: f(n) = n/((n+3)(n+4)), best at n = 3 and 4.
    gold = gold_by_rank(60, 3)
    table = Table.from_arrays(np.zeros(60), np.arange(60), gold)
    assert tune(table).ties == [3, 4]
    # Best-of-Poisson: E[u^a] under (1 + mu u) e^{mu(u-1)}, maximised by quadrature on a fine grid.
    mu = np.linspace(0, 15, 3001)
    u = (np.arange(4000) + 0.5) / 4000
    weights = (1 + mu[:, None] * u) * np.exp(mu[:, None] * (u - 1))
    best = mu[np.argmax(weights @ (u**3 * (1 - u)))]
    result = tune(table, "bop")
    assert result.theta == pytest.approx(best, abs=0.01)
    assert result.regime == "peak"


def test_the_interval_covers_the_truth_and_narrows_with_more_prompts() -> None:
    truth = 3.04  # the best mu for g(u) = u^3 (1 - u), by quadrature as above
    widths = []
    for prompts in (50, 800):
        low, high = tune(noisy_peak(prompts), "bop", resamples=400).theta_interval or [0, 0]
        widths.append(high - low)
        assert low < truth < high
    assert widths[1] < widths[0] / 2


def test_ninety_percent_intervals_cover_about_ninety_percent() -> None:
    # 40 tables: a binomial with p = 0.9 stays within 31 to 39 but once in 50.
    covered = 0
    for seed in range(40):
        result = tune(noisy_peak(60, 16, seed), "bop", resamples=100, confidence=0.9)
        low, high = result.theta_interval or [0, 0]
        covered += low <= 3.04 <= high
    assert 31 <= covered <= 39


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(2, 5).flatmap(
        lambda size: st.lists(
            st.lists(
                st.tuples(st.integers(0, 3), st.integers(-3, 3)), min_size=size, max_size=size
            ),
            min_size=1,
            max_size=3,
        )
    )
)
def test_curve_and_ties_are_those_of_all_subsets(rows: list[list[tuple[int, int]]]) -> None:
    assume(any(len({p for p, _ in row}) > 1 for row in rows))
    table = plain([[g for _, g in row] for row in rows], [[p for p, _ in row] for row in rows])
    result = tune(table, resamples=5)
    exact = [
        sum(all_subsets(*zip(*row, strict=True), n) for row in rows) / len(rows)
        for n in range(1, len(rows[0]) + 1)
    ]
    values = [point["value"] for point in result.curve]
    np.testing.assert_allclose(values, [float(x) for x in exact], atol=1e-14)  # type: ignore[arg-type]
    assert result.ties == [n for n, x in enumerate(exact, 1) if x == max(exact)]
    assert result.theta == result.ties[0]
    heldout = [(exact_without(rows, k), k) for k in range(len(rows)) if len(rows) > 1]
    if heldout:
        chosen = [all_subsets(*zip(*rows[k], strict=True), n) for n, k in heldout]
        assert result.value_heldout == pytest.approx(float(sum(chosen) / len(rows)), abs=1e-14)


def exact_without(rows: list[list[tuple[int, int]]], left_out: int) -> int:
    """The best n of the other prompts, the smallest on a tie."""
    others = [row for k, row in enumerate(rows) if k != left_out]
    values = [
        sum(all_subsets(*zip(*row, strict=True), n) for row in others)
        for n in range(1, len(rows[0]) + 1)
    ]
    return values.index(max(values)) + 1


def test_the_bootstrap_error_agrees_with_the_standard_error() -> None:
    curves = np.random.default_rng(0).normal(size=(300, 4))
    means = np.concatenate(list(resampled_means(curves, 4000, 1)))
    assert means.shape == (4000, 4)
    np.testing.assert_allclose(means.std(axis=0), curves.std(axis=0) / 300**0.5, rtol=0.05)
    np.testing.assert_allclose(means.mean(axis=0), curves.mean(axis=0), atol=0.01)


def test_the_held_out_value_is_free_of_the_winners_curse_where_the_maximum_is_not() -> None:
    # Pure noise: no n is better than another, so any apparent gain is the curse.
    rng = np.random.default_rng(0)
    maxima, heldout = [], []
    for _ in range(300):
        curves = best_of_n_values(rng.normal(size=(20, 16)))
        maxima.append(curves.mean(axis=0).max())
        heldout.append(held_out_value(curves, 1e-12))
    error = np.std(heldout) / 300**0.5
    assert abs(np.mean(heldout)) < 3 * error
    assert np.mean(maxima) > 6 * error


def test_ten_folds_are_less_erratic_than_one_prompt_left_out() -> None:
    # Two parameters of equal value that differ by σ = 1 on a prompt: the truth is 0. The variance
    # of cross-fitting in K folds is ~ √K/P, so that for K = P it is √P/√10 times larger; the
    # maximum of the mean is biased by E|Z|/(2√P) with Z normal.
    rng = np.random.default_rng(1)
    prompts, folds, single, flattered = 400, [], [], []
    for seed in range(400):
        half = rng.normal(size=prompts) / 2
        curves = np.stack([half, -half], axis=1)
        folds.append(held_out_value(curves, 1e-12, seed=seed))
        single.append(cross_fitted(curves, np.ones(prompts), 1e-12))
        flattered.append(abs(half.mean()))
    bias = 0.5 * (2 / np.pi / prompts) ** 0.5
    assert np.mean(flattered) == pytest.approx(bias, rel=0.1)
    error = np.std(folds) / 400**0.5
    assert abs(np.mean(folds)) < 3 * error < bias / 2
    assert np.std(single) > 1.4 * np.std(folds)


def test_the_held_out_value_depends_on_the_seed_alone() -> None:
    curves = np.random.default_rng(2).normal(size=(57, 5))
    assert held_out_value(curves, 0.0, seed=4) == held_out_value(curves, 0.0, seed=4)
    assert held_out_value(curves, 0.0, seed=4) != held_out_value(curves, 0.0, seed=5)
    spoiled = np.concatenate([curves, np.full((3, 5), 1e9)])
    weights = np.r_[np.ones(57), np.zeros(3)]  # who has no weight has no say
    assert held_out_value(spoiled, 0.0, weights, seed=4) == held_out_value(curves, 0.0, seed=4)


def test_prompts_with_more_responses_stop_at_the_smallest_with_a_warning() -> None:
    result = tune(plain([[0, 1, 0], [0, 1, 2, 3], [1, 0, 5]]), resamples=20)
    assert [point["theta"] for point in result.curve] == [1, 2, 3]
    assert any("n stops at 3" in line and "1 prompts have more" in line for line in result.warnings)


def test_a_single_response_leaves_nothing_to_select() -> None:
    alone = plain([[1.0], [2.0]])
    for family in FAMILIES:
        with pytest.raises(InputError, match="one response only"):
            tune(alone, family)
    some = plain([[1.0], [2.0, 3.0]])
    with pytest.raises(InputError, match="1 of 2 prompts have one response only"):
        tune(some)
    assert tune(some, "bop", resamples=10).n_prompts == 2


def test_a_constant_proxy_is_refused() -> None:
    table = plain([[0, 1, 5], [3, 1, 2]], [[7, 7, 7], [4, 4, 4]])
    for family in ("bon", "bop"):
        with pytest.raises(InputError, match="constant within every prompt"):
            tune(table, family, resamples=20)


def test_a_proxy_that_is_constant_on_some_prompts_only_is_no_reason_to_refuse() -> None:
    table = plain([[0, 1, 5], [3, 1, 2]], [[7, 7, 7], [1, 2, 3]])
    assert tune(table, resamples=20).n_prompts == 2


def test_constant_gold_is_constant_however_the_sums_round() -> None:
    gold = [[0.1] * 50 for _ in range(7)]
    rng = np.random.default_rng(0)
    table = plain(gold, rng.integers(0, 9, (7, 50)).tolist())
    for family in FAMILIES:
        result = tune(table, family, resamples=30)
        assert result.regime == "constant"
        assert result.regime_support == 1


def test_one_prompt_has_no_interval_and_says_so() -> None:
    result = tune(plain([[0, 3, 1, 1]]))
    assert result.theta_interval is result.value_heldout is result.regime_support is None
    assert result.curve[0]["se"] is None
    assert any("one prompt" in line for line in result.warnings)


def test_without_an_interior_threshold_the_better_end_is_the_answer_and_it_says_so() -> None:
    rising = tune(plain([[0, 1, 2], [0, 1, 3]]), resamples=20)
    assert (rising.theta, rising.regime, rising.regret) == (3, "increasing", 0)
    assert any("no interior threshold" in line for line in rising.warnings)
    falling = tune(plain([[2, 1, 0], [3, 1, 0]]), resamples=20)
    assert (falling.theta, falling.regime) == (1, "decreasing")
    poisson = tune(plain([[0, 1, 2], [0, 1, 3]]), "bop", resamples=20)
    assert poisson.theta == poisson.largest["theta"]
    assert any("no interior threshold" in line for line in poisson.warnings)


def test_every_local_maximum_of_bop_is_compared() -> None:
    # A wide hump and a narrow one near the top: the better one is found, whichever it is.
    u = (np.arange(400) + 0.5) / 400
    wide, narrow = np.exp(-(((u - 0.6) / 0.1) ** 2)), np.exp(-(((u - 0.995) / 0.003) ** 2))
    for height, low, high in ((1.3, 150, 250), (0.3, 0.5, 2)):
        table = Table.from_arrays(np.zeros(400), np.arange(400), wide + height * narrow)
        result = tune(table, "bop")
        assert low < result.theta < high
        assert [point["kind"] for point in result.extrema] == ["max", "min", "max"]
        assert result.regime == "multiple"
        values = [point["value"] for point in result.curve if point["value"] is not None]
        assert result.value == max(values)


def test_many_responses_get_a_grid_and_still_the_exact_best_n() -> None:
    gold = gold_by_rank(3000, 700.0)  # f(n) = n/((n+700)(n+701)): best at 700 and 701
    table = Table.from_arrays(np.zeros(3000), np.arange(3000), gold)
    result = tune(table)
    thetas = [point["theta"] for point in result.curve]
    assert {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3000} <= set(thetas)
    assert len(thetas) < 400
    assert result.theta in (700, 701)
    assert result.theta in thetas
    assert set(integer_grid(10**6)) >= {2**k for k in range(20)} | {10**6}


def test_regimes_follow_the_turns_of_the_curve() -> None:
    rows = {
        "increasing": [0, 1, 1, 2],
        "decreasing": [3, 2, 2, 1],
        "constant": [1, 1, 1, 1],
        "peak": [0, 2, 2, 1],
        "trough": [2, 1, 1, 3],
        "multiple": [0, 2, 1, 3],
    }
    found = regimes(np.array(list(rows.values()), float), 1e-12)
    assert [REGIMES[k] for k in found] == list(rows)
    assert turns(np.array([1.0]), 0) == []
    assert regimes(np.ones((2, 1)), 0).tolist() == [REGIMES.index("constant")] * 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"family": "sbon"}, "family='sbon', but must leave one parameter free"),
        ({"family": "bom"}, "family='bom', but must be bon, bop, quantile_tilt"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"resamples": -1}, "resamples=-1"),
        ({"confidence": 1}, "confidence=1"),
        ({"confidence": float("nan")}, "confidence=nan"),
        ({"confidence": "high"}, "confidence=high"),
        ({"resamples": True}, "resamples=True"),
        ({"resamples": 10**12}, "from 0 to 1000000"),
        ({"proxy": "prox"}, "did you mean proxy?"),
    ],
)
def test_arguments_out_of_their_domain_are_refused_in_one_line(
    options: dict[str, object], expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        tune("ridge_overfit", **options)  # type: ignore[arg-type]
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


# The packaged table.


@pytest.fixture(scope="module")
def ridge() -> TuneResult:
    return tune("ridge_overfit")


def test_the_packaged_table_has_a_clear_interior_peak_at_a_small_n(ridge: TuneResult) -> None:
    assert ridge.n_prompts == 100
    assert ridge.n_responses == 6400
    assert ridge.regime == "peak"
    assert ridge.regime_support is not None
    assert ridge.regime_support > 0.9
    assert 2 <= ridge.theta <= 6
    first, last = ridge.curve[0]["value"], ridge.curve[-1]["value"]
    assert first is not None
    assert last is not None
    assert ridge.value > first > last
    assert ridge.regret_interval is not None
    assert ridge.regret_interval[0] > 0


def test_the_packaged_table_is_the_one_we_made() -> None:
    path = ROOT / "hedgetheory" / "data" / "ridge_overfit.csv.gz"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest == "34b20aa3ff34aceabd4b5562540c22914566ced3c518435a3cdc3016cb60f3f3"


@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_experiment_makes_the_packaged_table_again() -> None:
    script = ROOT / "experiments" / "ridge_overfit.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


# The tables of ../shared/data, where present.

shared = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not in this checkout")


@shared
def test_codet_over_optimises_with_an_interior_peak_that_survives_half_splits() -> None:
    result = tune(DATA / "codet_humaneval.csv.gz")
    assert (result.n_prompts, result.n_responses) == (164, 16400)
    assert result.regime == "peak"
    assert 3 <= result.theta <= 10
    assert result.regret_interval is not None
    assert result.regret_interval[0] > 0
    from hedgetheory.hedgetune.table import read_table

    table = read_table(DATA / "codet_humaneval.csv.gz")
    half = np.repeat(np.arange(164) % 2 == 0, table.sizes)
    for part in (half, ~half):
        piece = Table("half", table.proxy[part], table.gold[part], table.sizes[:82])
        assert 2 <= tune(piece, resamples=0).theta <= 20


@shared
def test_rewardmath_starts_at_exactly_one_tenth_whatever_the_proxy() -> None:
    for proxy in ("proxy", "proxy_eurus_rm", "proxy_math_shepherd_min"):
        for family in ("bon", "bop", "tilt", "best_of_random(geometric)"):
            result = tune(DATA / "rewardmath.csv.gz", family, proxy=proxy, resamples=0)
            first = result.curve[0]["value"]
            if "geometric" in family:  # its p = 1, one draw, is the last point
                first = result.curve[-1]["value"]
            assert first == pytest.approx(0.1, abs=1e-14)


@shared
def test_esm_is_one_prompt_with_several_turns_or_many_prompts_by_position() -> None:
    alone = tune(DATA / "esm_blat.csv.gz")
    assert (alone.n_prompts, alone.n_responses) == (1, 4788)
    assert alone.theta_interval is None
    assert len(alone.extrema) >= 2
    many = tune(DATA / "esm_blat.csv.gz", prompt="position", resamples=50)
    assert (many.n_prompts, len(many.curve)) == (252, 19)
