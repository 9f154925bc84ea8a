"""The rank reduction: merges, is the table's own where it should be, and takes what users have."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tune_support import all_subsets, write_table

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.estimators import best_of_n_values, best_of_n_weights, mean_and_error
from hedgetheory.hedgetune.large import tune_large
from hedgetheory.hedgetune.moments import FOLDS, CoMoments, RankMoments, rank_bins
from hedgetheory.hedgetune.ranks import rank_groups
from hedgetheory.hedgetune.reduction import Reduction, Rows, hash_texts, reduce_rows
from hedgetheory.hedgetune.streaming import reduce_table
from hedgetheory.hedgetune.table import Table, read_table
from hedgetheory.hedgetune.tune import tune


def table_of(seed: int, prompts: int, sizes: tuple[int, ...], shift: float = 0.0) -> Table:
    rng = np.random.default_rng(seed)
    ids = np.concatenate([np.full(sizes[p % len(sizes)], p) for p in range(prompts)])
    rng.shuffle(ids)
    proxy, gold = rng.integers(0, 9, len(ids)), rng.normal(shift, 1, len(ids))
    weight, group = 0.25 + ids % 3, np.array(["even", "odd"])[ids % 2]
    return Table.from_arrays(ids, proxy, gold, weight=weight, group=group)


def reduced(table: Table, **options: int) -> Reduction:
    return reduce_rows(Rows.of(table), **options)


def unweighted(table: Table) -> Table:
    return Table(table.name, table.proxy, table.gold, table.sizes)


def in_memory(table: Table, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return mean_and_error(
        np.concatenate([best_of_n_values(group.gold, n) for group in rank_groups(table)])
    )


def test_the_curve_is_the_mean_over_all_subsets_in_rational_arithmetic() -> None:
    proxy = [[1, 2, 2, 5], [3, 3, 3, 3], [4, 1, 2, 4]]
    gold = [[1, 0, 3, 2], [5, 1, 0, 1], [2, 2, 7, 1]]
    table = Table.from_arrays(np.repeat([0, 1, 2], 4), np.ravel(proxy), np.ravel(gold))
    curve = reduced(table).curve([1, 2, 3, 4], best_of_n_weights)
    for k in range(4):
        values = [all_subsets(p, g, k + 1) for p, g in zip(proxy, gold, strict=True)]
        mean = sum(values, Fraction(0)) / 3
        square = sum(((v - mean) ** 2 for v in values), Fraction(0)) / 6
        assert abs(curve.unit * curve.mean[k] - float(mean)) < 1e-15
        assert abs(curve.unit * curve.error[k] - float(square) ** 0.5) < 1e-15


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("sizes", [(4,), (2, 5, 9)])
def test_curve_and_errors_are_those_of_the_table_in_memory(
    shift: float, sizes: tuple[int, ...]
) -> None:
    table = unweighted(table_of(1, 60, sizes, shift))
    n = np.arange(1, min(sizes) + 1)
    curve = reduced(table).curve(n, best_of_n_weights)
    mean, error = in_memory(table, n)
    scale = np.abs(mean).max()
    np.testing.assert_allclose(curve.unit * curve.mean, mean, rtol=0, atol=1e-12 * scale)
    # An error of 1e-1 about a mean of 1e6: the input itself is good to 1e-10 of it.
    np.testing.assert_allclose(curve.unit * curve.error, error, rtol=1e-12 if shift == 0 else 1e-8)


def test_merging_in_any_order_gives_the_whole() -> None:
    table = table_of(2, 90, (3, 6))
    whole = reduced(table)
    starts = np.cumsum(table.sizes)
    rows = Rows.of(table)
    parts = []
    for low, high in ((0, 7), (7, 8), (8, 60), (60, 90)):
        here = slice(0 if low == 0 else int(starts[low - 1]), int(starts[high - 1]))
        parts.append(
            reduce_rows(
                Rows(
                    rows.prompt[here],
                    rows.proxy[here],
                    rows.gold[here],
                    None,
                    None if rows.weight is None else rows.weight[here],
                    None if rows.group is None else rows.group[here],
                    rows.group_names,
                )
            )
        )
    a, b, c, d = parts
    for merged in (
        a.merge(b).merge(c).merge(d),
        d.merge(c.merge(b.merge(a))),
        b.merge(d).merge(a.merge(c)),
    ):
        assert merged.rows == whole.rows
        for group in ("even", "odd"):
            for size, found in whole.moments[group].items():
                mine = merged.moments[group][size]
                assert mine.count == found.count
                assert mine.exponent == found.exponent
                for x, y in (
                    (mine.rank_mean, found.rank_mean),
                    (mine.first.comoment, found.first.comoment),
                    (mine.second.comoment, found.second.comoment),
                    (mine.folds[1], found.folds[1]),
                ):
                    np.testing.assert_allclose(x, y, rtol=0, atol=1e-12)


def test_weighted_errors_are_the_linearisation_of_a_ratio() -> None:
    table = table_of(3, 50, (4,))
    curve = reduced(table).curve([1, 2, 3, 4], best_of_n_weights)
    v = best_of_n_values(rank_groups(table)[0].gold)
    w = table.weights
    assert w is not None
    mean = (w[:, None] * v).sum(axis=0) / w.sum()
    influence = w[:, None] * (v - mean) / w.sum()
    covariance = influence.T @ influence * 50 / 49
    np.testing.assert_allclose(curve.unit * curve.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(curve.unit**2 * curve.covariance, covariance, rtol=1e-11)


def test_equal_weights_are_no_weights() -> None:
    table = unweighted(table_of(4, 40, (3, 5)))
    plain = reduced(table).curve([1, 2, 3], best_of_n_weights)
    equal = Table(table.name, table.proxy, table.gold, table.sizes, 0, np.full(40, 0.3))
    weighted = reduced(equal).curve([1, 2, 3], best_of_n_weights)
    np.testing.assert_allclose(plain.mean, weighted.mean, rtol=1e-13)
    np.testing.assert_allclose(plain.covariance, weighted.covariance, rtol=1e-12)


def test_a_group_is_the_table_of_its_prompts() -> None:
    table = table_of(5, 40, (3,))
    whole = reduced(table)
    assert whole.groups == ["even", "odd"]
    assert table.groups is not None
    for code, name in enumerate(table.group_names):
        mine = np.repeat(table.groups == code, table.sizes)
        alone = Table(name, table.proxy[mine], table.gold[mine], table.sizes[table.groups == code])
        mean, _ = in_memory(alone, np.arange(1, 4))
        assert table.weights is not None
        w = table.weights[table.groups == code]
        v = best_of_n_values(rank_groups(alone)[0].gold)
        curve = whole.group(name).curve([1, 2, 3], best_of_n_weights)
        np.testing.assert_allclose(curve.unit * curve.mean, w @ v / w.sum(), rtol=1e-13)
        assert mean.shape == (3,)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
@settings(max_examples=30)
def test_gold_of_any_size_neither_overflows_nor_vanishes(one: int, two: int) -> None:
    """Scaling gold by a power of two scales the answer by it, whatever it is merged with."""
    gold = np.array([[1.0, 3.0], [2.0, 5.0], [0.5, 0.25]])
    fold = np.array([0, 1, 2])
    plain = RankMoments.of(gold, fold)
    scaled = RankMoments.of(np.ldexp(gold, one), fold)
    assert scaled.exponent == plain.exponent + one
    assert scaled.first.comoment.tolist() == plain.first.comoment.tolist()
    other = RankMoments.of(np.ldexp(gold, two), fold)
    merged = scaled.merge(other)
    assert np.isfinite(merged.first.comoment).all()
    assert merged.exponent == plain.exponent + max(one, two)
    assert merged.count == 6


def test_subnormal_and_huge_scores_are_reduced() -> None:
    for unit in (5e-324, 1e-310, 1e300):
        table = Table.from_arrays(
            [0, 0, 1, 1], np.array([1, 2, 1, 2]) * unit, np.array([0, 4, 0, 2]) * unit
        )
        curve = reduced(table).curve([1, 2], best_of_n_weights)
        assert (curve.unit * curve.mean).tolist() == [1.5 * unit, 3 * unit]
    with pytest.raises(InputError, match="beyond 1e"):
        reduced(Table.from_arrays([0, 0], [1, 2], [1.7e308, 0]))


@pytest.mark.parametrize("size", [1, 2, 511, 512, 513, 5000, 10**6])
def test_bins_of_ranks_part_them_all(size: int) -> None:
    starts = rank_bins(size, 512)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    assert starts[-1] == size - 1
    assert len(starts) <= 512


def test_binned_errors_are_close_and_binned_means_are_exact() -> None:
    """S = 700 with 64 bins against every rank: means to rounding, errors to 2e-3."""
    rng = np.random.default_rng(6)
    quality = rng.normal(size=(40, 700))
    gold = quality - 0.3 * quality**2 + rng.normal(size=(40, 1)) + rng.normal(size=(40, 700))
    table = Table("t", quality.ravel(), gold.ravel(), np.full(40, 700))
    n = [1, 2, 8, 64, 300, 700]
    mean, error = in_memory(table, np.array(n))
    curve = reduced(table, cross=64).curve(n, best_of_n_weights)
    assert not curve.exact
    np.testing.assert_allclose(curve.unit * curve.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(curve.unit * curve.error, error, rtol=2e-3)


def test_a_prompts_fold_is_that_of_its_id_whatever_its_place() -> None:
    table = Table.from_arrays([7, 7, 8, 8, 9, 9], [1, 2] * 3, [0, 1] * 3)
    ids = np.repeat(np.array([7, 8, 9]), 2)
    one = reduce_rows(Rows(ids, table.proxy, table.gold))
    order = [5, 0, 3, 2, 1, 4]
    two = reduce_rows(Rows(ids[order], table.proxy[order], table.gold[order]))
    assert one.sizes()[0].folds[0].tolist() == two.sizes()[0].folds[0].tolist()
    assert one.sizes()[0].folds[0].sum() == 3
    assert len(one.sizes()[0].folds[0]) == FOLDS


def test_text_ids_hash_alike_here_and_in_the_engine() -> None:
    import duckdb

    texts = ["", "a", "é", "日本", "x" * 1000]
    rows = duckdb.execute("SELECT md5_number_lower(unnest(?))", [texts]).fetchall()
    assert hash_texts(texts).tolist() == [row[0] for row in rows]


def test_no_weight_at_all_does_not_divide_by_zero() -> None:
    empty = CoMoments.of(np.ones((3, 2)), np.zeros(3))
    assert empty.merge(empty).weight == 0
    assert empty.merge(CoMoments.of(np.ones((3, 2)))).mean.tolist() == [1, 1]


# --- streamed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("buckets", [None, 5])
@pytest.mark.parametrize("text", [False, True])
def test_streaming_gives_the_moments_of_the_table_in_memory(
    tmp_path: Path, buckets: int | None, text: bool
) -> None:
    rng = np.random.default_rng(7)
    rows = [
        [f"p{p}" if text else p, k, rng.integers(0, 5), rng.normal(), 1 + p % 3, "ab"[p % 2]]
        for p in range(80)
        for k in range(3 + p % 2)
    ]
    rng.shuffle(rows := [*map(tuple, rows)])
    path = write_table(tmp_path / "a.csv", rows, "prompt_id,response_id,proxy,true,w,g")
    found = reduce_table(path, weight="w", group="g", buckets=buckets)
    table = read_table(path, weight="w", group="g")
    expected = reduced(table)
    for group in ("a", "b"):
        for size, other in expected.moments[group].items():
            mine = found.moments[group][size]
            np.testing.assert_allclose(mine.rank_mean, other.rank_mean, rtol=0, atol=1e-14)
            np.testing.assert_allclose(
                mine.second.comoment, other.second.comoment, rtol=0, atol=1e-12
            )


@pytest.mark.parametrize("family", ["bon", "bop"])
def test_the_large_answer_is_the_answer_in_memory(family: str) -> None:
    one = tune_large("ridge_overfit", family, buckets=4)  # type: ignore[arg-type]
    two = tune("ridge_overfit", family)  # type: ignore[arg-type]
    assert one.theta == pytest.approx(two.theta, rel=1e-6)
    assert one.value == pytest.approx(two.value, rel=1e-12)
    assert one.regime == two.regime
    assert one.regime_support is not None
    assert two.regime_support is not None
    assert abs(one.regime_support - two.regime_support) < 0.03
    by_theta = {point["theta"]: point for point in two.curve}
    shared = [(p, by_theta[p["theta"]]) for p in one.curve if p["theta"] in by_theta]
    assert len(shared) >= 64
    for mine, other in shared:
        assert mine["value"] == pytest.approx(other["value"], rel=1e-11, abs=1e-14)
        assert mine["se"] == pytest.approx(other["se"], rel=1e-11)
        assert mine["kl"] == pytest.approx(other["kl"], rel=1e-11, abs=1e-14)
        assert mine["expected_draws"] == pytest.approx(other["expected_draws"], rel=1e-12)
    assert one.kl == pytest.approx(two.kl, rel=1e-6)
    assert one.threshold == pytest.approx(two.threshold, rel=1e-6)
    assert one.threshold_se == pytest.approx(two.threshold_se, rel=1e-6)
    assert one.threshold_interval == pytest.approx(two.threshold_interval, rel=1e-6)
    assert one.regret_interval is not None
    assert two.regret_interval is not None
    # 1000 normal resamples against 1000 of the bootstrap: ends to a fifth of the standard error.
    np.testing.assert_allclose(one.regret_interval, two.regret_interval, atol=0.004)


def test_kl_counts_the_ties_of_weighted_prompts_of_several_sizes_in_any_parts() -> None:
    rng = np.random.default_rng(3)
    sizes = np.array([4, 6, 4, 9, 6, 4])
    proxy = rng.integers(0, 3, sizes.sum()).astype(float)
    prompt = np.repeat(np.arange(6), sizes)
    weight = np.repeat(np.array([1.0, 2.0, 0.0, 0.5, 3.0, 1.0]), sizes)
    table = Table.from_arrays(prompt, proxy, proxy + prompt, weight=weight)
    inside, outside = tune(table, resamples=0), tune_large(reduced(table), resamples=0)
    kl = [[point["kl"] for point in result.curve] for result in (inside, outside)]
    np.testing.assert_allclose(*kl, rtol=1e-12, atol=1e-15)  # type: ignore[call-overload]
    first = prompt < 3
    parts = [
        reduced(Table.from_arrays(prompt[m], proxy[m], (proxy + prompt)[m], weight=weight[m]))
        for m in (first, ~first)
    ]
    for whole in (parts[0].merge(parts[1]), parts[1].merge(parts[0])):
        again = [point["kl"] for point in tune_large(whole, resamples=0).curve]
        np.testing.assert_allclose(again, kl[0], rtol=1e-12, atol=1e-15)


def test_kl_is_undefined_where_ties_were_not_counted() -> None:
    table = Table("wide", np.arange(40.0), np.arange(40.0) % 7, np.array([20, 20]))
    order = np.repeat([0, 1], 20)
    rows = Rows(order, table.proxy, table.gold)
    assert tune_large(reduce_rows(rows, cross=16), resamples=0).kl is None
    assert tune_large(reduce_rows(rows, cross=32), resamples=0).kl is not None


def test_cross_fitting_takes_back_what_the_choice_flatters() -> None:
    """Gold that is noise: every n is worth 0, the best of those tried looks better than 0."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        table = Table("noise", rng.normal(size=400), rng.normal(size=400), np.full(50, 8))
        result = tune_large(reduced(table), resamples=0)
        assert result.value_heldout is not None
        found.append((result.value, result.value_heldout))
    (value, heldout), error = np.mean(found, axis=0), np.std(found, axis=0) / 60**0.5
    assert value > 3 * error[0]
    assert abs(heldout) < 3 * error[1]


def test_adversarial_tables_give_the_right_answer_or_one_line(tmp_path: Path) -> None:
    header = "prompt_id,proxy,true\n"
    path = tmp_path / "table.csv"

    def write(text: str) -> Path:
        path.write_text(header + text, encoding="utf-8")
        return path

    with pytest.raises(InputError, match="constant within every prompt"):
        tune_large(write("a,1,1\na,1,2\nb,5,1\nb,5,1\n"))
    with pytest.raises(InputError, match="one response only"):
        tune_large(write("a,1,1\na,2,2\nb,5,1\n"))
    with pytest.raises(InputError, match="the proxy is constant"):
        tune_large(write("a,1,1\n"))
    one = tune_large(write("a,1,1\na,2,4\n"))
    assert (one.theta, one.value, one.theta_interval, one.value_heldout) == (2, 4, None, None)
    doubled = tune_large(write("é,1,1\né,1,1\né,2,4\né,2,4\n" * 2))
    assert doubled.value == 4
    mixed = tune_large(write("a,True,1\na,0.5,FALSE\nb,1e0,1\nb,-5,0\n"))
    assert (mixed.theta, mixed.value) == (2, 1)
    tiny = tune_large(write("a,5e-324,5e-324\na,0,0\nb,1e308,1e-310\nb,1e300,0\n"))
    assert tiny.theta == 2


def test_a_million_responses_in_one_prompt_are_reduced() -> None:
    rng = np.random.default_rng(9)
    proxy = rng.normal(size=10**6)
    table = Table("one", proxy, proxy - proxy**2, np.array([10**6]))
    curve = reduced(table).curve([1, 1000, 10**6], best_of_n_weights)
    top = int(np.argmax(proxy))
    assert curve.unit * curve.mean[0] == pytest.approx(np.mean(proxy - proxy**2), rel=1e-10)
    assert curve.unit * curve.mean[2] == pytest.approx(proxy[top] - proxy[top] ** 2, rel=1e-12)
    assert np.isnan(curve.covariance).all()


def test_arguments_out_of_their_domain_give_one_line() -> None:
    for options, expected in [
        ({"cross": 3}, "cross=3"),
        ({"buckets": 0}, "buckets=0"),
        ({"buckets": 10**6}, "buckets=1000000"),
    ]:
        with pytest.raises(InputError, match=expected):
            reduce_table("ridge_overfit", **options)  # type: ignore[arg-type]
    for options, expected in [
        ({"family": "tilt"}, "family='tilt'"),
        ({"seed": -1}, "seed=-1"),
        ({"resamples": -1}, "resamples=-1"),
        ({"confidence": 1.0}, "confidence=1.0"),
    ]:
        with pytest.raises(InputError, match=expected):
            tune_large("ridge_overfit", **options)  # type: ignore[arg-type]


def test_the_command_line_tunes_from_the_reduction(cli: Any) -> None:
    found = cli("tune", "ridge_overfit", "--large", "--json")
    plain = cli("tune", "ridge_overfit", "--resamples", "0", "--json")
    assert (found.code, plain.code) == (0, 0)
    assert found.document["theta"] == plain.document["theta"] == 3
    assert found.document["value"] == pytest.approx(plain.document["value"], rel=1e-12)
    assert set(found.document) == set(plain.document)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--large", "--floor", "0"], "--floor needs the table in memory"),
        (
            ["--large", "--family", "tilt"],
            "family='tilt', but must be bon or bop from the rank reduction",
        ),
        (["--scheduler", "nonsense://x"], "no Dask scheduler answers at nonsense://x"),
    ],
)
def test_what_the_reduction_cannot_do_is_one_line(
    cli: Any, options: list[str], expected: str
) -> None:
    outcome = cli("tune", "ridge_overfit", *options)
    assert outcome.is_refusal()
    assert expected in outcome.err
