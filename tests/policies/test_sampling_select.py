"""`select` against enumeration on tiny tables with ties; each test false-alarms with P <= 1e-9 or
a few of them, as `sampling_support` says. Wrong selectors are rejected at the same sample size."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import exp, factorial

import numpy as np
import pytest
from sampling_support import ROWS, best_law, drawn, misfit, mixed, select_misfit, soft_law

from hedgetheory.errors import InputError
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.finite import Finite
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import (
    Binomial,
    FinitePmf,
    Geometric,
    NegativeBinomial,
    Sibuya,
    ZeroTruncatedPoisson,
)
from hedgetheory.policies.sampling.select import select
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

TABLES = [[0.3], [0.0, 1.0], [1.0, 1.0, 1.0], [0.5, -2.0, 0.5], [0.0, 1.0, -0.0, 0.25],
          [2.0, 1.0, 2.0, 2.0], [3.0, 1.0, 2.0, 0.0]]  # fmt: skip
TIED = [2.0, 1.0, 2.0, 0.5]
GRADED = [0.0, 0.5, 2.0, 1.0]


def empirical_law(rewards: list[float], policy: Policy) -> list[float]:
    """The package's certified masses on the table as a law, an atom shared among its responses."""
    times = Counter(rewards)
    law = Finite({Fraction(r): Fraction(k, len(rewards)) for r, k in times.items()})
    if len(times) == 1:
        return [1 / len(rewards)] * len(rewards)
    return [float(value(law, policy, "mass", at=Fraction(r))) / times[r] for r in rewards]


def fits(rewards: list[float], policy: Policy, law: list, **options: bool) -> str:
    return select_misfit(lambda t, seed: select(t, policy, seed, **options), rewards, law)


@pytest.mark.parametrize("rewards", TABLES)
@pytest.mark.parametrize("replace", [False, True])
def test_best_of_n_is_the_mean_over_all_subsets_or_tuples(
    rewards: list[float], replace: bool
) -> None:
    for n in range(1, len(rewards) + 1):
        assert not fits(rewards, BestOfN(n), best_law(rewards, n, replace), replace=replace)


@pytest.mark.parametrize("policy", [
    BestOfN("5/2"), BestOfN(1000), BestOfPoisson(0), BestOfPoisson("3/2"), QuantileTilt(2),
    QuantileTilt(0), BestOfRandom(ZeroTruncatedPoisson(2)), BestOfRandom(Geometric("1/3")),
    BestOfRandom(Binomial(7, "1/4")), BestOfRandom(NegativeBinomial("1/2", "1/3")),
    BestOfRandom(Sibuya("1/2")), BestOfRandom(FinitePmf({1: "1/2", 6: "1/2"})),
    Tilt(0), Tilt("3/2"),
], ids=str)  # fmt: skip
def test_with_replacement_a_policy_acts_on_the_table_as_a_law(policy: Policy) -> None:
    for rewards in (TIED, GRADED):
        assert not fits(rewards, policy, empirical_law(rewards, policy), replace=True)


def test_random_draws_without_replacement_mix_the_subsets() -> None:
    masses = [Fraction(1, 2), Fraction(1, 6), Fraction(1, 12), Fraction(1, 4)]
    policy = BestOfRandom(FinitePmf({k + 1: m for k, m in enumerate(masses)}))
    for rewards in (TIED, GRADED):
        laws = [best_law(rewards, n, replace=False) for n in (1, 2, 3, 4)]
        assert not fits(rewards, policy, mixed(laws, masses))


def capped_poisson(rewards: list[float], mu: float) -> list[float]:
    laws = [best_law(rewards, n, replace=False) for n in range(1, len(rewards) + 1)]
    masses = [exp(-mu) * mu**k / factorial(k) for k in range(len(rewards) - 1)]
    masses.append(1 - sum(masses))
    return [
        sum(m * float(law[i]) for m, law in zip(masses, laws, strict=True))
        for i in range(len(rewards))
    ]


def test_capped_best_of_poisson_takes_at_most_all_responses() -> None:
    assert not fits(GRADED, BestOfPoisson(2), capped_poisson(GRADED, 2.0), cap=True)


@pytest.mark.parametrize("strength", [0.0, 1.5])
@pytest.mark.parametrize("replace", [False, True])
def test_soft_best_of_n_is_the_mean_of_the_softmax_over_the_draws(
    replace: bool, strength: float
) -> None:
    for rewards in (TIED, GRADED):
        for n in (1, 2, 4, 6):
            if n <= 4 or replace:
                law = soft_law(rewards, n, strength, replace)
                assert not fits(rewards, SoftBestOfN(n, strength), law, replace=replace)


def test_soft_best_of_n_on_quantiles_uses_the_share_at_or_below() -> None:
    for rewards in (TIED, GRADED):
        shares = [sum(other <= r for other in rewards) / len(rewards) for r in rewards]
        for n, replace in ((3, False), (3, True), (6, True)):
            law = soft_law(shares, n, 2.0, replace)
            assert not fits(rewards, SoftBestOfN(n, 2, scale="quantile"), law, replace=replace)


@pytest.mark.parametrize("scale", [1e-308, 1e-150, 1.0, 1e150, 1.7e308])
def test_any_strength_and_any_reward_stay_in_range(scale: float) -> None:
    rewards = [scale, -scale, scale, 0.0]
    for strength in (1e308, Fraction(10) ** 400):
        if strength * Fraction(scale) > 1000:
            half = [0.5, 0.0, 0.5, 0.0]
            assert not fits(rewards, Tilt(strength), half)
            assert not fits(rewards, SoftBestOfN(4, strength), half)
    if scale >= 1:
        tilt = [exp(r / scale) for r in rewards]
        law = [w / sum(tilt) for w in tilt]
        assert not fits(rewards, Tilt(1 / Fraction(scale)), law)


def test_leading_axes_are_prompts_and_a_seed_is_the_same_run() -> None:
    table = np.random.default_rng(0).normal(size=(3, 5, 7))
    assert np.array_equal(select(table, BestOfN(7), 1), table.argmax(axis=-1))
    assert select(table[0, 0], BestOfN(7), 1).shape == ()
    for policy in (BestOfN(3), SoftBestOfN(3, 1), Tilt(1)):
        assert np.array_equal(select(table, policy, 5), select(table, policy, 5))
        generator = np.random.default_rng(5)
        first = select(table, policy, generator)
        assert np.array_equal(first, select(table, policy, 5))
    assert select(np.empty((0, 4)), BestOfN(2), 0).shape == (0,)


def test_global_random_state_is_neither_read_nor_changed() -> None:
    before = np.random.get_state()[1].copy()
    select(GRADED, BestOfN(2), 0)
    assert np.array_equal(before, np.random.get_state()[1])


def test_rank_policies_see_ranks_only_and_softmax_ignores_a_shift() -> None:
    table = np.random.default_rng(1).normal(size=(500, 9))
    for policy in (BestOfN(4), BestOfRandom(FinitePmf({2: "1/2", 9: "1/2"}))):
        assert np.array_equal(select(table, policy, 2), select(np.exp(table), policy, 2))
    whole = np.random.default_rng(1).integers(0, 9, (500, 9)).astype(float)
    for soft in (SoftBestOfN(4, 1), Tilt(2)):
        assert np.array_equal(select(whole, soft, 2), select(whole + 2.0**40, soft, 2))


@pytest.mark.parametrize(("rewards", "policy", "options", "message"), [
    ([[1.0, 2.0], [np.nan, 0.0]], BestOfN(2), {}, r"rewards\[1, 0\]=nan, but must be a finite"),
    ([0.0, 1.0, np.inf], Tilt(1), {}, r"rewards\[2\]=inf, but must be a finite number"),
    ([0.0, -np.inf], SoftBestOfN(1, 1), {}, r"rewards\[1\]=-inf"),
    ([0.0, 1.0], BestOfN(3), {}, "n=3, but must be an integer <= 2"),
    ([0.0, 1.0], BestOfN(3), {"cap": True}, "n=3, but must be an integer <= 2"),
    ([0.0, 1.0], BestOfN("3/2"), {}, "n=1.5, but must be an integer <= 2"),
    ([0.0, 1.0], SoftBestOfN(3, 1), {}, "n=3, but must be an integer <= 2"),
    ([0.0, 1.0], SoftBestOfN("3/2", 1), {"replace": True}, "n=1.5, .* to draw"),
    ([0.0, 1.0], BestOfPoisson(1), {}, "N may exceed the 2 responses .* replace=True"),
    ([0.0, 1.0], BestOfRandom(Binomial(3, "1/2")), {}, "N may exceed the 2 responses"),
    ([0.0, 1.0], QuantileTilt(1), {"replace": True, "cap": True}, "never run out"),
    ([0.0, 1.0], BestOfPoisson(10**13), {"replace": True}, "at most 1e[+]12"),
    ([], BestOfN(1), {}, "shape .0,."),
    (1.0, BestOfN(1), {}, "must be .S,. or .P, S."),
    ([[1.0], [1.0, 2.0]], BestOfN(1), {}, "different lengths"),
    (["a", "b"], BestOfN(1), {}, "must be real numbers"),
    ([1j], BestOfN(1), {}, "must be real numbers"),
    ([0.0, 1.0], Sibuya("1/2"), {}, "must be a selection policy"),
], ids=str)  # fmt: skip
def test_what_cannot_be_served_is_refused(
    rewards: object, policy: Policy, options: dict[str, bool], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        select(rewards, policy, 0, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("rng", [None, -1, 1.5, True, np.random.RandomState(0), "0"])
def test_a_generator_or_a_seed_must_be_given(rng: object) -> None:
    with pytest.raises(InputError, match="must be a numpy Generator or a seed"):
        select([0.0, 1.0], BestOfN(1), rng)  # type: ignore[arg-type]


# -- the same checks at the same size reject wrong selectors ---------------------------------------


def subsets(table: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(np.argsort(rng.random(table.shape), axis=1)[:, :n], axis=1)


def tuples(table: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(table.shape[1], size=(len(table), n))


def first_best(table: np.ndarray, places: np.ndarray) -> np.ndarray:
    rows = np.arange(len(table))
    return places[rows, np.take_along_axis(table, places, axis=1).argmax(axis=1)]


def by_position(table: np.ndarray, seed: int) -> np.ndarray:
    return first_best(table, subsets(table, 2, np.random.default_rng(seed)))


def by_tuples(table: np.ndarray, seed: int) -> np.ndarray:
    return first_best(table, tuples(table, 2, np.random.default_rng(seed)))


def test_breaking_ties_by_position_is_rejected() -> None:
    assert select_misfit(by_position, TIED, best_law(TIED, 2, replace=False))
    # Without ties the same selector is right, and passes.
    assert not select_misfit(by_position, GRADED, best_law(GRADED, 2, replace=False))


def test_mixing_up_with_and_without_replacement_is_rejected() -> None:
    assert select_misfit(by_tuples, GRADED, best_law(GRADED, 2, replace=False))
    assert select_misfit(by_position, GRADED, best_law(GRADED, 2, replace=True))
    assert not select_misfit(by_tuples, GRADED, best_law(GRADED, 2, replace=True))
    for replace in (False, True):
        law = soft_law(GRADED, 2, 1.5, not replace)
        assert fits(GRADED, SoftBestOfN(2, 1.5), law, replace=replace)


def test_the_first_n_responses_only_are_rejected() -> None:
    assert select_misfit(lambda t, _: t[:, :2].argmax(axis=1), GRADED, best_law(GRADED, 2, False))


def test_soft_best_of_n_as_a_reweighted_maximum_is_rejected() -> None:
    def mutant(table: np.ndarray, seed: int) -> np.ndarray:
        """P(rank i) ∝ (i/S)^{n−1} e^{λ r_i} (MUTANT 3), n = 2, λ = 1.5."""
        rng = np.random.default_rng(seed)
        rank = table[0].argsort().argsort() + 1
        weights = (rank / len(rank)) * np.exp(1.5 * table[0])
        return rng.choice(len(rank), size=len(table), p=weights / weights.sum())

    for replace in (False, True):
        assert select_misfit(mutant, GRADED, soft_law(GRADED, 2, 1.5, replace))


def test_best_of_poisson_draws_instead_of_one_more_is_rejected() -> None:
    def mutant(table: np.ndarray, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        count = np.clip(rng.poisson(2.0, len(table)), 1, 4)
        order = np.argsort(rng.random(table.shape), axis=1)
        seen = np.where(np.arange(4) < count[:, None], np.take_along_axis(table, order, 1), -np.inf)
        return order[np.arange(len(table)), seen.argmax(axis=1)]

    assert select_misfit(mutant, GRADED, capped_poisson(GRADED, 2.0))


def test_a_softmax_that_overflows_is_rejected() -> None:
    def mutant(table: np.ndarray, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        with np.errstate(all="ignore"):
            weights = np.exp(1000.0 * table)
            cumulative = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
        return (cumulative <= rng.random(len(table))[:, None]).sum(axis=1)

    law = [0.5, 0.0, 0.5, 0.0]
    assert select_misfit(mutant, TIED, law)
    assert not fits(TIED, Tilt(1000), law)


def test_gumbel_noise_lost_beside_a_large_energy_is_rejected() -> None:
    def mutant(table: np.ndarray, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return (1e30 * table + rng.gumbel(size=table.shape)).argmax(axis=1)

    assert select_misfit(mutant, TIED, [0.5, 0.0, 0.5, 0.0])


def test_one_uniform_shared_by_all_prompts_is_rejected() -> None:
    def mutant(table: np.ndarray, seed: int) -> np.ndarray:
        """Right for each prompt alone, but prompts come in equal pairs."""
        return np.repeat(select(table[::2], BestOfN(2), seed), 2)

    assert select_misfit(mutant, GRADED, best_law(GRADED, 2, replace=False))


def test_enumeration_counts_every_draw_once() -> None:
    assert len(drawn(4, 2, False)) == 6
    assert len(drawn(4, 2, True)) == 16
    assert sum(best_law(TIED, 3, True)) == 1
    assert misfit([ROWS // 2], [0.5], ROWS) == ""
    assert misfit([0, ROWS, 0, ROWS], [0.0, 1.0, 1e-12, 1.0], ROWS) == ""
    for count, chance in ((1, 0.0), (ROWS - 1, 1.0), (ROWS, 0.99), (0, 0.01)):
        assert misfit([count], [chance], ROWS)
