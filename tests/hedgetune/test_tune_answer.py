"""The answer of `tune`: intervals, constraints, groups, weights, several families and proxies."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tune_support import write_table

from hedgetheory.cli.tune import command
from hedgetheory.errors import InputError
from hedgetheory.hedgetune.bootstrap import held_out_value, resampled_means, studentised_quantiles
from hedgetheory.hedgetune.divergence import rank_kl
from hedgetheory.hedgetune.estimator import HedgeTune
from hedgetheory.hedgetune.families import parse_family
from hedgetheory.hedgetune.intervals import Steps, delta_error, mean_error, slope_interval
from hedgetheory.hedgetune.plot import draw
from hedgetheory.hedgetune.ranks import rank_groups
from hedgetheory.hedgetune.soft import soft_best_of_n_plug_in, soft_best_of_n_values
from hedgetheory.hedgetune.table import Table
from hedgetheory.hedgetune.tilts import tilt_weights
from hedgetheory.hedgetune.tune import tune


def peak(prompts: int = 60, size: int = 32, seed: int = 0) -> Table:
    """Gold u^3 (1 − u) of the proxy's quantile, and noise."""
    rng = np.random.default_rng(seed)
    proxy = rng.uniform(size=(prompts, size))
    gold = proxy**3 * (1 - proxy) + 0.05 * rng.normal(size=proxy.shape)
    return Table.from_arrays(np.repeat(np.arange(prompts), size), proxy, gold)


# --- intervals ------------------------------------------------------------------------------------


def test_the_slope_interval_of_a_parabola_is_where_the_slope_is_its_critical_value() -> None:
    # f = −c²/2 with slope −c, of error 0.1 everywhere: |slope| ≤ 0.2 is |c − top| ≤ 0.2.
    c = np.linspace(-1, 1, 81)
    steps = Steps.of(c, -(c**2) / 2, np.full(80, 0.1) * np.diff(c))
    low, high = slope_interval(steps, 0.0, 2.0, -2.0)
    assert low == pytest.approx(-0.2, abs=1e-9)
    assert high == pytest.approx(0.2, abs=1e-9)
    assert delta_error(steps, 0.0) == pytest.approx(0.1, rel=1e-9)
    assert slope_interval(steps, 0.0, 50.0, -50.0) == (-np.inf, np.inf)


def test_the_studentised_quantiles_of_normal_steps_are_students() -> None:
    rng = np.random.default_rng(0)
    upper, lower = studentised_quantiles(rng.normal(size=(200, 3)), 4000, 1, 0.95)
    np.testing.assert_allclose(upper, 1.97, atol=0.15)
    np.testing.assert_allclose(lower, -1.97, atol=0.15)
    weights = np.ones(200)
    again = studentised_quantiles(rng.normal(size=(200, 3)), 4000, 1, 0.95, weights)
    np.testing.assert_allclose(again[0], 1.97, atol=0.15)


def test_weight_one_for_all_is_no_weight() -> None:
    curves = np.random.default_rng(0).normal(size=(50, 4))
    one, none = (
        np.concatenate(list(resampled_means(curves, 20, 3, w))) for w in (np.ones(50), None)
    )
    np.testing.assert_allclose(one, none, atol=1e-14)
    steps = np.diff(curves, axis=1)
    for a, b in zip(
        studentised_quantiles(steps, 300, 0, 0.9, np.full(50, 7.0)),
        studentised_quantiles(steps, 300, 0, 0.9),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=1e-10)
    assert held_out_value(curves, 0.0, np.full(50, 3.0)) == pytest.approx(
        held_out_value(curves, 0.0)
    )
    np.testing.assert_allclose(mean_error(curves, weights=np.full(50, 2.0)), mean_error(curves))


@pytest.mark.parametrize("family", ["bop", "quantile_tilt", "tilt", "best_of_random(geometric)"])
def test_the_three_intervals_of_a_real_theta_agree_on_many_prompts(family: str) -> None:
    result = tune(peak(800), family, resamples=400)
    low, high = result.theta_interval or [0, 0]
    assert result.threshold == result.theta
    assert low < result.theta < high
    assert result.threshold_interval == pytest.approx([low, high], abs=0.3 * (high - low))
    assert 2 * 1.96 * (result.threshold_se or 0) == pytest.approx(high - low, rel=0.25)


def test_the_real_threshold_of_bon_lies_between_integers_and_has_an_interval() -> None:
    result = tune(peak(400), resamples=50)
    low, high = result.threshold_interval or [0, 0]
    assert low < 12**0.5 < high  # u^3 (1 − u): n† = √12
    assert result.threshold is not None
    assert abs(result.threshold - result.theta) < 1


def test_ninety_five_percent_intervals_cover_about_as_often() -> None:
    # The study is benchmarks/coverage.py; 80 tables: a binomial with p = 0.95 stays at or above
    # 0.85 but once in 1,500, and the plug-in, which covers 56 %, never comes near.
    covered = {"theta_interval": 0, "threshold_interval": 0}
    for seed in range(80):
        result = tune(peak(100, 16, seed), "bop", resamples=100)
        for name in covered:
            low, high = getattr(result, name) or [0, 0]
            covered[name] += low <= 3.0397236897 <= high
    assert min(covered.values()) >= 0.85 * 80


def test_the_recorded_study_covers_between_93_and_97_percent() -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "coverage_record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    assert (record["prompts"], record["responses"]) == (200, 32)
    for law in record["results"]:
        assert law["replications"] >= 2000
        assert law["threshold"]["guarantee"] == "certified"
        for name in {"tune", "student"} & set(law["coverage"]):
            assert 0.93 <= law["coverage"][name] <= 0.97


@pytest.mark.parametrize("family", ["bon", "bop", "tilt", "sbon(n=2)", "sbon(lam=9)"])
def test_prompts_that_are_all_the_same_leave_no_doubt(family: str) -> None:
    proxy, gold = np.tile(np.arange(6.0), 5), np.tile([0.0, 1, 2, 9, 4, 1], 5)
    table = Table.from_arrays(np.repeat(np.arange(5), 6), proxy, gold)
    result = tune(table, family, resamples=30)
    low, high = result.theta_interval or [0, 0]
    assert low <= result.theta <= high
    assert high - low < 0.2 * (1 + result.theta)
    assert result.regime_support == 1


def test_an_interval_reaches_another_peak_that_resamples_choose() -> None:
    # Two kinds of prompts in equal number, one best at small μ, one at large: two near-equal peaks.
    rng = np.random.default_rng(1)
    u = rng.uniform(size=(40, 128))
    low, high = np.exp(-(((u - 0.7) / 0.06) ** 2)), np.exp(-(((u - 0.985) / 0.008) ** 2))
    gold = np.where(np.arange(40)[:, None] % 2, 2.5 * low, high)
    table = Table.from_arrays(np.repeat(np.arange(40), 128), u, gold)
    result = tune(table, "bop", resamples=300)
    assert [point["kind"] for point in result.extrema].count("max") == 2
    first, last = result.theta_interval or [0, 0]
    tops = [float(p["theta"]) for p in result.extrema if p["kind"] == "max"]
    assert first <= min(tops)
    assert last >= max(tops)


# --- families -------------------------------------------------------------------------------------


def test_family_names_are_read_as_the_grammar_writes_them() -> None:
    for text, canonical, free in (
        ("bon", "bon", "n"),
        ("sbon(16)", "sbon(n=16)", "lam"),
        ("sbon(lam=5/2, scale=quantile)", "sbon(lam=2.5, scale=quantile)", "n"),
        ("best_of_random(binomial(8))", "best_of_random(binomial(m=8))", "p"),
        (
            "best_of_random(negative_binomial(p=0.5))",
            "best_of_random(negative_binomial(p=0.5))",
            "r",
        ),
    ):
        family = parse_family(text)
        assert (str(family), family.free) == (canonical, free)
        assert parse_family(str(family)) == family


@pytest.mark.parametrize(
    "text",
    ["bom", "bon(3)", "sbon", "sbon(n=2, lam=1)", "sbon(n=1.5)", "sbon(n=2, scale=odd)", "bon(m=2)",
     "best_of_random", "best_of_random(poisson)", "best_of_random(binomial(p=0.5))",
     "best_of_random(sibuya(a=1))", "sbon(n=0)", "", "[", "sbon(n=2, n=3)", "tilt + 1", 3],
)  # fmt: skip
def test_other_family_names_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        tune("ridge_overfit", text)
    assert "\n" not in str(caught.value)


def test_quantile_tilt_is_best_of_a_zero_truncated_poisson_number() -> None:
    one, two = (
        tune(peak(20, 16), f, resamples=20) for f in ("quantile_tilt", "best_of_random(ztp)")
    )
    assert replace(one, family=two.family) == two


def test_the_largest_point_of_a_geometric_number_is_its_smallest_p() -> None:
    result = tune(peak(20, 16), "best_of_random(geometric)", resamples=20)
    thetas = [point["theta"] for point in result.curve]
    assert thetas == sorted(thetas)  # type: ignore[type-var]
    assert result.largest == result.curve[0]
    assert result.expected_draws == pytest.approx(1 / result.theta)
    assert result.curve[0]["tail_mass"] == pytest.approx(0.1, rel=1e-6)


def test_sibuya_has_no_expected_draws_and_still_an_answer() -> None:
    result = tune(peak(20, 16), "best_of_random(sibuya)", resamples=0)
    assert result.expected_draws is None or result.theta == 1


def test_a_tilt_stops_where_too_few_responses_count_and_says_so() -> None:
    rng = np.random.default_rng(0)
    proxy = rng.normal(size=(30, 20))
    table = Table.from_arrays(np.repeat(np.arange(30), 20), proxy, proxy)
    result = tune(table, "tilt", resamples=0)
    assert result.effective_sample_size == pytest.approx(5, rel=1e-6)
    assert any("effective" in w or "worth 5" in w for w in result.warnings)
    assert result.regime == "increasing"


def test_soft_best_of_n_in_n_is_compared_at_every_integer() -> None:
    rng = np.random.default_rng(0)
    proxy = rng.uniform(size=(6, 10))
    gold = proxy**3 * (1 - proxy)
    table = Table.from_arrays(np.repeat(np.arange(6), 10), proxy, gold)
    result = tune(table, "sbon(lam=20)", resamples=20)
    values = soft_best_of_n_values(proxy, gold, np.arange(1, 11), [20.0])[:, :, 0].mean(axis=0)
    found = [point["value"] for point in result.curve]
    np.testing.assert_allclose(found, values, atol=1e-10)  # type: ignore[arg-type]
    assert result.theta == int(np.argmax(values)) + 1
    assert result.expected_draws == result.theta


# 21: a single-peak search in λ.


def several_turns() -> Table:
    """Rewards 0, 1, 10, 100: as λ grows, first 100 beats the rest, then 10, and last 1 beats 0."""
    proxy = [0] * 30 + [1] * 8 + [10] * 4 + [100]
    value = {0: 0.0, 1: 2.0, 10: -1.5, 100: 1.0}
    return Table.from_arrays(np.zeros(43), proxy, [value[p] for p in proxy])


def real_strength(table: Table) -> float:
    return float(tune(table, "sbon(n=4)", resamples=0).theta)


def first_turn(table: Table) -> float:
    strengths = np.geomspace(1e-4, 100, 150)
    value = soft_at(table, strengths)
    return float(strengths[np.argmax(np.diff(value) < 0)])


def golden_section(table: Table) -> float:
    low, high = 0.0, 1.0
    for _ in range(25):
        a, b = low + 0.382 * (high - low), low + 0.618 * (high - low)
        va, vb = soft_at(table, np.array([a, b]))
        low, high = (low, b) if va >= vb else (a, high)
    return low


def soft_at(table: Table, strengths: np.ndarray) -> np.ndarray:
    return soft_best_of_n_values([table.proxy], [table.gold], [4], strengths)[0, 0]


def check_strength(search: Callable[[Table], float]) -> None:
    table = several_turns()
    every = soft_at(table, np.geomspace(1e-4, 60, 150))
    assert soft_at(table, np.array([search(table)]))[0] >= every.max() - 1e-4


def test_every_turn_in_lam_is_looked_at() -> None:
    check_strength(real_strength)
    result = tune(several_turns(), "sbon(n=4)", resamples=0)
    assert result.regime == "multiple"
    assert [point["kind"] for point in result.extrema] == ["max", "min"]


@pytest.mark.parametrize("mutant", [first_turn, golden_section])
def test_a_single_peak_search_in_lam_is_rejected(mutant: Callable[[Table], float]) -> None:
    with pytest.raises(AssertionError):
        check_strength(mutant)


# 6: KL evaluated at another policy's threshold.


def check_kl(family: str, reported: float | None, theta: float, table: Table) -> None:
    groups = rank_groups(table)
    proxy = groups[0].proxy
    assert proxy is not None
    match family:
        case "bon":
            exact = rank_kl(proxy, lambda u: u**theta).mean()
        case "bop":
            exact = rank_kl(proxy, lambda u: u * np.exp(theta * (u - 1))).mean()
        case _:
            w = tilt_weights(proxy, theta)
            exact = (w * np.log(w * proxy.shape[1])).sum(axis=1).mean()
    assert reported == pytest.approx(exact, rel=1e-9)


def test_kl_is_at_the_threshold_of_its_own_family() -> None:
    table = peak(20, 16)
    found = {family: tune(table, family, resamples=0) for family in ("bon", "bop", "tilt")}
    for family, result in found.items():
        check_kl(family, result.kl, result.theta, table)
        for other in set(found) - {family}:
            with pytest.raises(AssertionError):
                check_kl(family, found[other].kl, result.theta, table)


# --- constraints, groups, weights -----------------------------------------------------------------


@pytest.mark.parametrize("family", ["bon", "bop", "tilt"])
def test_a_kl_budget_is_kept_and_used_up(family: str) -> None:
    free = tune(peak(20, 32), family, resamples=30)
    budget = 0.5 * (free.kl or 0)
    bound = tune(peak(20, 32), family, resamples=30, kl_budget=budget)
    assert bound.kl is not None
    assert bound.kl <= budget
    if family != "bon":
        assert bound.kl > 0.999 * budget
    assert bound.theta < free.theta
    assert bound.unconstrained == {"theta": free.theta, "value": pytest.approx(free.value)}
    assert tune(peak(20, 32), family, resamples=0, kl_budget=50).theta == free.theta


def test_a_draw_budget_is_kept() -> None:
    assert tune(peak(), draw_budget=2.9, resamples=0).theta == 2
    assert tune(peak(), "bop", draw_budget=2.5, resamples=0).theta == pytest.approx(1.5, abs=1e-3)
    geometric = tune(peak(), "best_of_random(geometric)", draw_budget=2, resamples=0)
    assert geometric.theta == pytest.approx(0.5, abs=1e-3)
    with pytest.raises(InputError, match="not a selection among draws"):
        tune(peak(), "tilt", draw_budget=3)


def grouped() -> Table:
    rng = np.random.default_rng(0)
    proxy = rng.uniform(size=(40, 20))
    up, down = proxy, 1 - proxy
    gold = np.where(np.arange(40)[:, None] < 30, 2 * up, down)
    group = np.repeat(np.where(np.arange(40) < 30, "up", "down"), 20)
    return Table.from_arrays(np.repeat(np.arange(40), 20), proxy, gold, group=group)


def test_a_floor_on_the_worst_group_holds_the_parameter_back() -> None:
    free = tune(grouped(), resamples=20)
    assert free.theta == 20
    assert [group["group"] for group in free.groups or []] == ["down", "up"]
    assert [group["theta"] for group in free.groups or []] == [1, 20]
    held = tune(grouped(), resamples=20, floor=0.2)
    worst = min(group["value"] for group in held.groups or [])
    assert worst >= 0.2
    assert 1 < held.theta < 20
    real = tune(grouped(), "bop", resamples=0, floor=0.2)
    assert min(g["value"] for g in real.groups or []) == pytest.approx(0.2, abs=1e-4)
    with pytest.raises(InputError, match=r"no parameter keeps the worst group at 5: the best that"):
        tune(grouped(), floor=5, resamples=0)
    with pytest.raises(InputError, match="column of the groups"):
        tune(peak(), floor=0)


@pytest.mark.parametrize(
    "wrong", [{"kl_budget": -1}, {"draw_budget": 0.5}, {"floor": float("nan")}, {"kl_budget": "a"}]
)
def test_constraints_outside_their_domains_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        tune(peak(), resamples=0, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["bon", "bop", "tilt"])
def test_a_weight_of_two_is_the_prompt_twice(family: str) -> None:
    rng = np.random.default_rng(0)
    sizes = [5, 5, 6, 7]
    ids = np.repeat(np.arange(4), sizes)
    proxy, gold = rng.integers(0, 9, 23).astype(float), rng.normal(size=23)
    weight = np.array([1.0, 2.0, 1.0, 2.0])
    one = tune(Table.from_arrays(ids, proxy, gold, weight=weight[ids]), family, resamples=0)
    more = np.isin(ids, (1, 3))
    two = tune(
        Table.from_arrays(
            np.concatenate([ids, ids[more] + 10]),
            np.concatenate([proxy, proxy[more]]),
            np.concatenate([gold, gold[more]]),
        ),
        family,
        resamples=0,
    )
    assert one.theta == pytest.approx(two.theta)
    assert one.value == pytest.approx(two.value)
    assert one.kl == pytest.approx(two.kl)


def test_pooled_rows_are_one_prompt_under_one_law() -> None:
    result = tune(peak(4, 8), pooled=True)
    assert (result.n_prompts, len(result.curve)) == (1, 32)
    assert any("pooled" in w for w in result.warnings)
    with pytest.raises(InputError, match="no weights and no groups"):
        tune(grouped(), pooled=True)


# --- the estimator --------------------------------------------------------------------------------


def test_the_estimator_is_tune_with_attributes() -> None:
    table = peak(12, 8)
    model = HedgeTune("bop", resamples=30, seed=2)
    assert model.fit(table) is model
    result = tune(table, "bop", resamples=30, seed=2)
    assert model.result_ == result
    assert (model.theta_, model.theta_interval_) == (result.theta, result.theta_interval)
    assert model.curve_["value"].tolist() == [point["value"] for point in result.curve]
    assert HedgeTune("bop", resamples=30, seed=2).fit(
        table.proxy.reshape(12, 8), table.gold.reshape(12, 8)
    ).theta_ == pytest.approx(model.theta_)


def test_parameters_are_got_set_and_shown() -> None:
    model = HedgeTune(family="bop")
    assert model.set_params(seed=3).get_params()["seed"] == 3
    assert repr(model) == "HedgeTune(family='bop', seed=3)"
    with pytest.raises(InputError, match="no parameter 'sed'"):
        model.set_params(sed=3)
    with pytest.raises(InputError, match="gold is missing"):
        model.fit([[1, 2]])
    with pytest.raises(InputError, match="one shape"):
        model.fit([[1, 2]], [[1]])


@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_scikit_learn_clones_it() -> None:
    from sklearn.base import clone

    model = HedgeTune("bop", resamples=20)
    model.fit(peak(6, 6))
    again = clone(model)
    assert again.get_params() == model.get_params()
    assert not hasattr(again, "theta_")


# --- the command line and the plot ----------------------------------------------------------------


def several_proxies(path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for prompt in range(30):
        for response in range(16):
            u = rng.uniform()
            rows.append([prompt, response, u, -u, u**3 * (1 - u), 1 + prompt % 2, "ab"[prompt % 2]])
    header = "prompt_id,response_id,good,bad,true,weight,kind"
    return write_table(path, rows, header)


def test_several_proxies_are_told_side_by_side(tmp_path: Path) -> None:
    table = several_proxies(tmp_path / "t.csv")
    runner = CliRunner()
    args = [str(table), "--proxy", "good,bad", "--resamples", "50", "--weight", "weight"]
    done = runner.invoke(command, [*args, "--json"], standalone_mode=False)
    document = json.loads(done.output)
    assert [result["proxy"] for result in document["results"]] == ["good", "bad"]
    assert document["results"][0]["hacks"] is True
    for result in document["results"]:
        assert {"theta", "theta_interval", "value_heldout", "curve", "regime"} <= set(result)
    text = runner.invoke(command, args, standalone_mode=False).output
    assert "good" in text
    assert "hacks" in text
    alone = runner.invoke(
        command, [str(table), "--proxy", "good", "--resamples", "50", "--group", "kind", "--json"],
        standalone_mode=False,
    )  # fmt: skip
    single = json.loads(alone.output)
    assert single["proxy"] == "good"
    assert [group["group"] for group in single["groups"]] == ["a", "b"]


def test_several_proxies_are_read_from_standard_input_too(tmp_path: Path) -> None:
    table = several_proxies(tmp_path / "t.csv").read_bytes()
    done = CliRunner().invoke(
        command, ["-", "--proxy", "good", "--proxy", "bad", "--resamples", "0", "--json"],
        input=io.BytesIO(table), standalone_mode=False,
    )  # fmt: skip
    assert len(json.loads(done.output)["results"]) == 2


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_plot_is_written_and_is_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    table = several_proxies(tmp_path / "t.csv")
    target = tmp_path / f"picture.{suffix}"
    args = [str(table), "--proxy", "good", "--resamples", "20", "--plot", str(target)]
    assert CliRunner().invoke(command, args, standalone_mode=False).exception is None
    first = target.read_bytes()
    assert first[:4] in (b"\x89PNG", b"<?xm", b"%PDF")
    assert draw({"good": tune(table, proxy="good", resamples=20)}, suffix) == first


def test_a_plot_by_another_name_is_refused_before_any_work(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        command, ["no_such_table", "--plot", str(tmp_path / "a.gif")], standalone_mode=False
    )
    assert isinstance(done.exception, InputError)
    assert ".png, .svg, .pdf" in str(done.exception)


def test_population_and_sample_agree_for_soft_best_of_n() -> None:
    # Over all subsets of a fine grid of the uniform law, and with replacement: both near the law.
    u = ((np.arange(800) + 0.5) / 800)[None]
    gold = u**3 * (1 - u)
    one = soft_best_of_n_values(u, gold, [8], [10.0])[0, 0, 0]
    two = soft_best_of_n_plug_in(u, gold, [8], [10.0])[0, 0, 0]
    assert one == pytest.approx(two, rel=5e-3)
