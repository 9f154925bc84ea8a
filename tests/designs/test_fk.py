"""Feynman–Kac steering: against all draws listed, a simulation, and paths summed by hand."""

from __future__ import annotations

import json
import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise, product

import mpmath
import numpy as np
import pytest

from hedgetheory.analysis.check import check
from hedgetheory.cli.app import run
from hedgetheory.designs.fk.chain import (
    Chain,
    exponent,
    limit_law,
    particle_law,
    target,
    tilted,
)
from hedgetheory.designs.fk.functions import (
    clamp_edge,
    clamped_weight,
    effective_sample_size,
    selection_probability,
)
from hedgetheory.designs.fk.policy import POTENTIALS, FeynmanKac
from hedgetheory.designs.fk.several_steps import THREE_STATES
from hedgetheory.designs.fk.system import FEYNMAN_KAC
from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.functionals.quantities import value
from hedgetheory.hedgetune.families import parse_family as tune_family
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import canonical, parse_family, parse_gold, parse_policy

#: A chain that is not symmetric in anything.
CROOKED = Chain.of(
    ["1/5", "3/10", "1/2"],
    [["1/2", "1/2", 0], ["1/3", "1/3", "1/3"], ["1/10", "1/5", "7/10"]],
    [1, -1, 2],
    steps=3,
)


def simulated(
    chain: Chain, particles: int, potential: str, base: float, runs: int, *, adaptive: bool
) -> np.ndarray:
    """How often each state comes out: the published algorithm again, in floats."""
    rng = np.random.default_rng(11)
    rewards = np.array(chain.rewards, float)
    start, moves = np.array(chain.start, float), np.array(chain.moves, float)
    counts = np.zeros(len(rewards))
    for _ in range(runs):
        state, memory = np.full(particles, -1), np.zeros(particles)
        applied = np.ones(particles)
        for step in range(chain.steps):
            draws = rng.random(particles)[:, None]
            rows = np.tile(start, (particles, 1)) if step == 0 else moves[state]
            state = (rows.cumsum(axis=1) < draws).sum(axis=1)
            r = rewards[state]
            if potential == "difference":
                w, memory = base ** (r - memory), r
            else:
                memory = {"max": np.maximum(r, memory), "sum": r + memory, "terminal": r}[potential]
                w = base**memory / (applied if step == chain.steps - 1 else 1)
            if adaptive and w.sum() ** 2 / (w**2).sum() >= particles / 2:
                continue
            parents = rng.choice(particles, size=particles, p=w / w.sum())
            state, memory, applied = state[parents], memory[parents], (applied * w)[parents]
        counts += np.bincount(state, minlength=len(rewards)) / particles
    return counts / runs


@pytest.mark.parametrize("potential", POTENTIALS)
@pytest.mark.parametrize("adaptive", [False, True])
def test_the_enumerated_particles_are_those_of_a_simulation(potential: str, adaptive: bool) -> None:
    runs = 1500
    seen = simulated(THREE_STATES, 3, potential, 3.0, runs, adaptive=adaptive)
    exact = particle_law(THREE_STATES, 3, potential, 3, adaptive=adaptive)
    # A share of one run lies in [0, 1]; beyond 5 standard errors with probability 6e-7.
    for x, mass in exact.items():
        assert abs(seen[x] - float(mass)) < 5 * math.sqrt(0.25 / runs)
    assert sum(exact.values()) == 1


@pytest.mark.parametrize("potential", POTENTIALS)
def test_many_particles_come_to_the_limit(potential: str) -> None:
    law, _ = limit_law(CROOKED, potential, 3)
    seen = simulated(CROOKED, 40_000, potential, 3.0, 1, adaptive=True)
    for x, mass in law.items():
        assert abs(seen[x] - float(mass)) < 0.03


@pytest.mark.parametrize("potential", POTENTIALS)
@pytest.mark.parametrize("chain", [THREE_STATES, CROOKED])
def test_the_target_is_the_sum_over_paths(potential: str, chain: Chain) -> None:
    masses: Counter[int] = Counter()
    for path in product(range(3), repeat=chain.steps):
        mass = chain.start[path[0]]
        for x, y in pairwise(path):
            mass *= chain.moves[x][y]
        rewards = [chain.rewards[x] for x in path]
        power = {
            "difference": rewards[-1],
            "max": max(0, *rewards),
            "sum": sum(rewards),
            "terminal": rewards[-1],
        }[potential]
        masses[path[-1]] += mass * Fraction(2) ** int(power)
    whole = sum(masses.values())
    assert target(chain, potential, 2) == {x: m / whole for x, m in sorted(masses.items())}
    resampled, skipped = limit_law(chain, potential, 2, adaptive=False)
    assert resampled == target(chain, potential, 2)
    assert skipped == ()


@pytest.mark.parametrize("potential", POTENTIALS)
def test_the_particle_estimate_is_unbiased_for_every_number(potential: str) -> None:
    chain = Chain(CROOKED.start, CROOKED.moves, CROOKED.rewards, 2)
    laws = [particle_law(chain, k, potential, 2, unnormalised=True) for k in (1, 2)]
    assert laws[0] == laws[1]
    whole = sum(laws[0].values())
    assert {x: m / whole for x, m in laws[0].items()} == target(chain, potential, 2)


def test_the_difference_potential_targets_the_tilt_and_max_and_sum_do_not() -> None:
    tilt = tilted(CROOKED.terminal(), CROOKED.rewards, 2)
    assert [target(CROOKED, p, 2) == tilt for p in POTENTIALS] == [True, False, False, True]


@pytest.mark.parametrize("k", [1, 2, 4])
def test_one_resampling_is_soft_best_of_n_over_all_draws(k: int) -> None:
    masses = {0: Fraction(1, 2), 1: Fraction(1, 4), 3: Fraction(1, 4)}
    law, strength = Finite(masses), Fraction(7, 10)
    with mpmath.workdps(30):
        lam = mpmath.mpf("0.7")
        for atom in masses:
            total = mpmath.mpf(0)
            for draws in product(masses, repeat=k):
                mass = math.prod((masses[r] for r in draws), start=Fraction(1))
                top = sum(mpmath.exp(lam * r) for r in draws if r == atom)
                share = top / sum(mpmath.exp(lam * r) for r in draws)
                total += mpmath.mpf(mass.numerator) / mass.denominator * share
            for potential in POTENTIALS:
                found = value(law, FeynmanKac(k, strength, potential), "mass", at=atom, digits=15)
                assert abs(mpmath.mpf(found.decimal(15)[0]) - total) < 1e-14
        assert FeynmanKac(k, strength).simplest() == SoftBestOfN(k, strength)


def test_max_is_refused_where_rewards_are_below_its_floor() -> None:
    for law in (Normal(), Finite({-1: "1/2", 1: "1/2"})):
        with pytest.raises(NotOnThisLaw, match="ties all rewards below"):
            value(law, FeynmanKac(4, 10, "max"), "kl")
    ours = value(Exponential(), FeynmanKac(4, 2, "max"), "mean_reward", digits=10)
    assert str(ours) == str(value(Exponential(), SoftBestOfN(4, 2), "mean_reward", digits=10))


def test_below_the_floor_max_ties() -> None:
    low = Chain.of(["1/2", "1/4", "1/4"], [["1/3"] * 3] * 3, [-5, -1, 2], 1)
    cut = Chain.of(["1/2", "1/4", "1/4"], [["1/3"] * 3] * 3, [0, 0, 2], 1)
    assert particle_law(low, 3, "max", 2) == particle_law(cut, 3, "difference", 2)
    assert particle_law(low, 3, "difference", 2) != particle_law(cut, 3, "difference", 2)


# -- mistakes ------------------------------------------------------------------------------------


def kept_weights(chain: Chain, base: int) -> dict[int, Fraction]:
    """The difference potential with the weight of a skipped step kept, as it should be."""
    return tilted(chain.terminal(), chain.rewards, base)


def test_a_skipped_step_drops_its_weight_under_difference_only() -> None:
    law, skipped = limit_law(THREE_STATES, "difference", 3)
    assert skipped == (1,)
    assert law != kept_weights(THREE_STATES, 3)
    # By hand: the second step alone is weighed, by 3^(r_2 - r_1).
    rows = [
        [F * p for p in row] for F, row in zip(THREE_STATES.start, THREE_STATES.moves, strict=True)
    ]
    masses = [sum(rows[x][y] * Fraction(3) ** (y - x) for x in range(3)) for y in range(3)]
    assert law == {y: mass / sum(masses) for y, mass in enumerate(masses)}
    law, skipped = limit_law(THREE_STATES, "sum", 3)
    assert skipped == (1,)
    assert law == target(THREE_STATES, "sum", 3)


def test_a_skipped_last_step_leaves_what_came_before() -> None:
    law, skipped = limit_law(THREE_STATES, "sum", 4)
    assert skipped == (2,)
    weights = [p * 4**x for x, p in enumerate(THREE_STATES.start)]
    moved = [
        sum(weights[x] * THREE_STATES.moves[x][y] for x in range(3)) / sum(weights)
        for y in range(3)
    ]
    assert law == dict(enumerate(moved))


@pytest.mark.parametrize("k", [1, 2])
def test_few_adaptive_particles_are_never_resampled(k: int) -> None:
    for potential in POTENTIALS:
        law = particle_law(CROOKED, k, potential, 10**6, adaptive=True)
        assert law == CROOKED.terminal()


def test_the_clamp_ties_what_is_beyond_it() -> None:
    assert clamp_edge(10).evalf(20) == clamp_edge("10.0").evalf(20)
    assert float(clamp_edge(10)) == pytest.approx(math.log(10), rel=1e-15)
    assert clamped_weight("2.3025850930", 10) == 10**10  # ln 10 = 2.30258509299…
    assert clamped_weight("2.3025850929", 10) < 10**10
    assert clamped_weight(-400, 10) > 0
    one = Chain.of(["1/2", "1/4", "1/4"], [["1/3"] * 3] * 3, [0, 3, 4], 1)
    clamped = particle_law(one, 2, "difference", 10**4, cap=Fraction(10**10))
    free = particle_law(one, 2, "difference", 10**4)
    assert clamped[1] == clamped[2]
    assert free[1] < free[2]


@pytest.mark.parametrize(
    ("potential", "mutant"),
    [
        ("sum", lambda r: sum(r[:-1])),  # the terminal reward is not accumulated
        ("max", max),  # no floor
        ("difference", lambda r: r[-1] - r[0]),  # from the first reward, not from the floor
        ("terminal", sum),  # not corrected
    ],
)
def test_wrong_exponents_are_told_apart(potential: str, mutant: object) -> None:
    rewards = [Fraction(x) for x in (-3, -1, -2)]
    assert mutant(rewards) != exponent(potential, rewards)


def test_the_effective_sample_size_is_between_one_and_k() -> None:
    assert effective_sample_size([1, 1, 1, 1]) == 4
    assert effective_sample_size([0, 0, 5]) == 1
    weights = np.random.default_rng(0).random(7).tolist()
    shares = np.array(weights) / sum(weights)
    assert float(effective_sample_size(weights)) == pytest.approx(1 / (shares**2).sum(), rel=1e-12)


def test_the_chance_of_a_particle_is_the_softmax() -> None:
    found = selection_probability([1, "1/2", -3], "1/3")
    assert float(found) == pytest.approx(
        math.exp(1 / 3) / (math.exp(1 / 3) + math.exp(1 / 6) + math.exp(-1)), rel=1e-15
    )
    # No overflow far away: 1/(1 + e^-1000000).
    assert float(selection_probability([10**5, 0], 10)) == 1


# -- families, grammar, messages -----------------------------------------------------------------


def test_its_families_are_those_of_soft_best_of_n() -> None:
    gold, law = parse_gold("r*(2 - r)"), Finite({0: "1/2", 1: "1/4", 2: "1/4"})
    ours = check(law, parse_family("fk(lam=2)"), gold, digits=8)
    theirs = check(law, parse_family("sbon(lam=2)"), gold, digits=8)
    assert ours.regime == theirs.regime == "peak"
    assert str(ours.threshold) == str(theirs.threshold)
    with pytest.raises(InputError, match="no family of its own"):
        parse_family("fk(k=4, potential=max)")
    assert str(parse_family("fk(k=4)")) == "fk(k=4, potential=difference)"


def test_tune_reads_it_as_soft_best_of_n() -> None:
    name = tune_family("fk(k=4, potential=sum)")
    assert (str(name), name.name, name.free, name.fixed) == (
        "fk(k=4)",
        "sbon",
        "lam",
        (("n", Fraction(4)),),
    )
    assert tune_family("fk(lam=10)").free == "n"
    with pytest.raises(InputError, match="max is the same where no reward is below 0"):
        tune_family("fk(k=4, potential=max)")


@pytest.mark.parametrize("text", FEYNMAN_KAC.grammar)
def test_the_grammar_comes_back(text: str) -> None:
    policy = parse_policy(text)
    assert parse_policy(canonical(policy)) == policy


def test_it_is_sampled() -> None:
    drawn = sample(FeynmanKac(4, 10), Uniform(), 100_000, 5)
    exact = float(value(Uniform(), FeynmanKac(4, 10), "mean_reward", digits=8))
    # 5 standard errors: probability 6e-7.
    assert abs(drawn.rewards.mean() - exact) < 5 * drawn.rewards.std() / math.sqrt(100_000)


def test_messages_say_what_came_and_what_must() -> None:
    for arguments, why in (
        ((0, 1), "k=0, but must be a real number >= 1"),
        (("5/2", 1), "k=5/2, but must be an integer >= 1"),
        ((4, -1), "lam=-1, but must be a real number >= 0"),
        ((4, 1, "product"), "potential=product, but must be one of difference, max, sum, terminal"),
    ):
        with pytest.raises(InputError, match=why):
            FeynmanKac(*arguments)
    with pytest.raises(InputError, match="sum to exactly 1"):
        Chain.of(["1/2", "1/3"], [[1, 0], [0, 1]], [0, 1], 1)
    with pytest.raises(InputError, match="whole numbers"):
        Chain.of([1], [[1]], ["1/2"], 1)
    with pytest.raises(InputError, match="lam=0, but must be a real number > 0"):
        clamp_edge(0)
    with pytest.raises(NotCertified, match="too many"):
        particle_law(CROOKED, 12, "sum", 2)
    with pytest.raises(NotCertified, match="exactly k/2"):
        # (4/5 + 6/5)^2/(4/5 + 36/5) = 1/2.
        limit_law(Chain.of(["4/5", "1/5"], [[1, 0], [0, 1]], [0, 1], 1), "terminal", 6)


def test_verify_tells_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--only", "fk", "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert len(claims) == len(FEYNMAN_KAC.claims)
    assert {claim["verdict"] for claim in claims} == {"proved", "refuted"}
    assert FEYNMAN_KAC.effect in {claim["id"] for claim in claims}
