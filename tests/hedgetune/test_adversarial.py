"""Adversarial tables, for every family: the right answer, or one clear line; never a hang."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.soft import soft_best_of_n_values
from hedgetheory.hedgetune.table import Table
from hedgetheory.hedgetune.tune import FAMILIES, TuneResult, tune

each_family = pytest.mark.parametrize("family", FAMILIES)
SIZE = 6


def table(proxy: np.ndarray, gold: np.ndarray, ids: list[object] | None = None) -> Table:
    prompts, size = proxy.shape
    prompt = np.repeat(np.arange(prompts) if ids is None else np.array(ids), size)
    return Table.from_arrays(prompt, proxy.ravel(), gold.ravel())


def some(prompts: int = 12, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    proxy = rng.normal(size=(prompts, size))
    return proxy, proxy - proxy**2 + rng.normal(size=proxy.shape)


def one_line(call: Callable[[], object], expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        call()
    assert "\n" not in str(caught.value)


def reference(result: TuneResult) -> float:
    """The value of the weakest selection, which is the plain mean for every family."""
    weakest = -1 if result.largest is result.curve[0] else 0
    value = result.curve[weakest]["value"]
    assert value is not None
    return value


@each_family
def test_a_proxy_that_ties_all_responses_is_refused(family: str) -> None:
    proxy, gold = some()
    one_line(lambda: tune(table(np.zeros_like(proxy), gold), family), "constant|spreads by 0")


@each_family
def test_a_single_response_a_prompt_is_refused(family: str) -> None:
    proxy, gold = some(12, 1)
    one_line(lambda: tune(table(proxy, gold), family), "one response only|fewer than n = 2")


@each_family
def test_one_prompt_has_an_answer_and_no_interval(family: str) -> None:
    proxy, gold = some(1)
    result = tune(table(proxy, gold), family, resamples=5)
    assert result.theta_interval is None
    assert result.value_heldout is None
    assert reference(result) == pytest.approx(float(gold.mean()), abs=0.05 * np.ptp(gold))
    assert any("one prompt" in line for line in result.warnings)


@each_family
def test_nan_in_every_position_is_named(family: str) -> None:
    for spoiled in (0, 1):
        for row in range(3):
            for column in range(4):
                scores = [x.copy() for x in some(3, 4)]
                scores[spoiled][row, column] = np.nan
                one_line(
                    lambda s=scores: tune(table(*s), family),  # type: ignore[misc]
                    f"row {4 * row + column + 1}, column",
                )


@each_family
@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e290])
def test_subnormal_and_huge_gold_is_only_a_unit(family: str, scale: float) -> None:
    proxy, gold = some()
    whole = np.round(4 * gold)
    plain = tune(table(proxy, whole), family, resamples=20)
    scaled = tune(table(proxy, whole * scale), family, resamples=20)
    assert scaled.theta == pytest.approx(plain.theta, rel=1e-6)
    assert scaled.value == pytest.approx(plain.value * scale, rel=1e-9, abs=5e-324)
    assert scaled.regime == plain.regime


@each_family
@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e290])
def test_subnormal_and_huge_proxies_keep_their_ranks_or_are_refused(
    family: str, scale: float
) -> None:
    proxy, gold = some()
    whole = np.round(100 * proxy)
    plain = tune(table(whole, gold), family, resamples=0)
    by_rank = family not in ("tilt", "sbon(n=2)", "sbon(lam=30)")
    given = table(whole * scale, gold)
    if scale == 5e-324 and family in ("tilt", "sbon(n=2)"):
        one_line(lambda: tune(given, family), "rescale it")
        return
    scaled = tune(given, family, resamples=0)
    if by_rank:
        assert scaled.theta == plain.theta
        assert scaled.value == plain.value
    elif family != "sbon(lam=30)":  # λ·proxy is what counts: λ takes the scale up
        assert scaled.theta * scale == pytest.approx(plain.theta, rel=1e-3)
        assert scaled.value == pytest.approx(plain.value, rel=1e-6)


@each_family
def test_mixed_types_and_unicode_ids_are_only_ids_and_numbers(family: str) -> None:
    proxy, gold = some(3, 4)
    whole = (proxy > 0).astype(float)
    names: list[object] = ["é", "\u202eabc", "1"]
    plain = tune(table(whole, gold), family, resamples=0)
    rows = {
        "prompt_id": [str(names[k // 4]) for k in range(12)],
        "proxy": [bool(x) if k % 2 else str(x) for k, x in enumerate(whole.ravel())],
        "true": [float(x) for x in gold.ravel()],
    }
    mixed = tune(rows, family, resamples=0)
    assert mixed.value == pytest.approx(plain.value, abs=1e-12)
    assert mixed.theta == pytest.approx(plain.theta)


@each_family
def test_duplicate_prompts_change_no_value(family: str) -> None:
    proxy, gold = some()
    once = tune(table(proxy, gold), family, resamples=0)
    twice = tune(table(np.tile(proxy, (2, 1)), np.tile(gold, (2, 1))), family, resamples=0)
    assert twice.theta == pytest.approx(once.theta, rel=1e-6)
    assert twice.value == pytest.approx(once.value, rel=1e-12)


@each_family
def test_a_hundred_thousand_tiny_prompts_are_tuned(family: str) -> None:
    # Gold is the proxy's rank, 0, 1, 2 in every prompt: the best of two of three is worth
    # (1 + 2 + 2)/3 = 5/3, that of three 2, and the plain mean is 1.
    # The families whose work goes over a grid prompt by prompt alike get fewer, to be quick.
    prompts = 100_000 if family in ("bon", "sbon(n=2)", "sbon(lam=30)") else 10_000
    rng = np.random.default_rng(0)
    proxy = np.argsort(rng.random((prompts, 3)), axis=1).astype(float)
    result = tune(table(proxy, proxy), family, resamples=0)
    assert result.n_prompts == prompts
    assert result.theta == result.largest["theta"] or "sbon(n" in family
    assert reference(result) == pytest.approx(1, abs=1e-9)
    values = {point["theta"]: point["value"] for point in result.curve}
    if family == "bon":
        assert values[2] == pytest.approx(5 / 3, rel=1e-12)
        assert values[3] == pytest.approx(2, rel=1e-12)
    if family == "sbon(n=2)":
        assert result.value == pytest.approx(5 / 3, abs=1e-6)


def test_a_million_responses_in_one_prompt_are_more_than_a_race_can_hold() -> None:
    proxy = np.arange(10.0**6)[None]
    for family in ("sbon(n=2)", "sbon(lam=30)"):
        one_line(lambda f=family: tune(table(proxy, proxy), f), "more work than fits in minutes")  # type: ignore[misc]


def test_enumeration_and_race_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    proxy, gold = rng.integers(0, 5, (4, 9)).astype(float), rng.normal(size=(4, 9))
    every, lam = np.arange(1, 10), [0.0, 0.3, 2.0, 1e3]
    written_out = soft_best_of_n_values(proxy, gold, every, lam)
    monkeypatch.setattr("hedgetheory.hedgetune.soft_small._DEEPEST", -1)
    race = soft_best_of_n_values(proxy, gold, every, lam)
    assert not np.array_equal(race, written_out)
    np.testing.assert_allclose(race, written_out, atol=1e-10)
