"""`sample` against certified cdfs and exact laws of N; false alarms as in `sampling_support`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import comb, exp, factorial, inf, log

import numpy as np
import pytest
from sampling_support import COPIES, cdf_misfit, misfit, soft_law
from scipy import special

from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
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
from hedgetheory.policies.sampling import soft as module
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

LAWS = [Uniform(), Normal(1, 2), Exponential(2), Logistic("1/2", 3)]
THREE = Finite({0: "1/4", "1/2": "1/4", 2: "1/2"})
ATOMS = [Bernoulli("1/4"), THREE, Finite({-1: "1e-20", 0: 1 - Fraction("2e-20"), 1: "1e-20"})]
LEVELS = (0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0)
RANKED: list[Policy] = [
    BestOfN(1), BestOfN(4), BestOfN("5/2"), BestOfN(10**9), BestOfPoisson(0), BestOfPoisson(3),
    BestOfPoisson(10**9), BestOfPoisson("1e-6"), QuantileTilt(0), QuantileTilt(2),
    QuantileTilt("1e-9"), QuantileTilt(10**9), BestOfRandom(ZeroTruncatedPoisson(5)),
    BestOfRandom(Geometric("1/3")), BestOfRandom(Geometric("99/100")),
    BestOfRandom(Geometric("1e-12")), BestOfRandom(Binomial(7, "1/4")),
    BestOfRandom(Binomial(10**6, "1e-7")), BestOfRandom(NegativeBinomial("1/2", "1/3")),
    BestOfRandom(NegativeBinomial("1/1000", "99/100")),
    BestOfRandom(NegativeBinomial(3, "1/1000")), BestOfRandom(Sibuya("1/2")),
    BestOfRandom(Sibuya("9/10")), BestOfRandom(Sibuya(1)),
    BestOfRandom(FinitePmf({1: "1/2", 6: "1/2"})),
]  # fmt: skip
TILTS: list[tuple[Policy, Law]] = [
    (Tilt(0), Normal()), (Tilt("3/2"), Normal(1, 2)), (Tilt(10**6), Normal()),
    (Tilt("3/2"), Exponential(2)), (Tilt("1999/1000"), Exponential(2)), (Tilt(3), Uniform()),
    (Tilt(10**9), Uniform()),
]  # fmt: skip


def law_misfit(policy: Policy, law: Law, rewards: np.ndarray) -> str:
    """Rewards against the package's certified cdf, at points chosen by an independent pilot.

    The pilot's points only decide where to look, so they cost no false alarms; the sampler under
    test may be any other.
    """
    pilot = sample(policy, law, 10_000, rng=99).rewards
    points = sorted({float(x) for x in np.quantile(pilot, LEVELS)})
    cdf = [float(value(law, policy, "cdf", at=Fraction(x))) for x in points]
    return cdf_misfit(rewards, points, cdf)


def mass_misfit(policy: Policy, law: Law, rewards: np.ndarray) -> str:
    values = [atom for atom, _ in law.atoms]
    counts = [int((rewards == float(atom)).sum()) for atom in values]
    assert sum(counts) == len(rewards)
    masses = [float(value(law, policy, "mass", at=atom)) for atom in values]
    return misfit(counts, masses, len(rewards))


@pytest.mark.parametrize("policy", RANKED, ids=str)
def test_rank_policies_have_their_certified_cdf_on_every_law(policy: Policy) -> None:
    for seed, law in enumerate(LAWS):
        rewards = sample(policy, law, COPIES, seed).rewards
        assert np.isfinite(rewards).all()
        assert not law_misfit(policy, law, rewards), law


def test_the_upper_tail_keeps_its_digits() -> None:
    """n = 10¹⁵: u itself would be 1 for nearly all V. (On the uniform law the reward is u.)"""
    for law in LAWS[1:]:
        rewards = sample(BestOfN(10**15), law, COPIES, 0).rewards
        assert np.isfinite(rewards).all()
        assert not law_misfit(BestOfN(10**15), law, rewards), law


@pytest.mark.parametrize("policy", [*RANKED, Tilt(0), Tilt("3/2"), Tilt(10**6)], ids=str)
def test_policies_have_their_certified_masses_on_atoms(policy: Policy) -> None:
    for seed, law in enumerate(ATOMS):
        assert not mass_misfit(policy, law, sample(policy, law, COPIES, seed).rewards), law


@pytest.mark.parametrize(("policy", "law"), TILTS, ids=str)
def test_tilts_have_their_certified_cdf(policy: Policy, law: Law) -> None:
    assert not law_misfit(policy, law, sample(policy, law, COPIES, 0).rewards)


@pytest.mark.parametrize("kappa", ["0", "1/2", "999/1000"])
def test_the_tilted_logistic_is_a_logit_of_a_beta(kappa: str) -> None:
    """No closed cdf in the package yet: the incomplete beta function of scipy instead."""
    scale, k = 3, Fraction(kappa)
    rewards = sample(Tilt(k / scale), Logistic("1/2", scale), COPIES, 0).rewards
    levels = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    u = special.betaincinv(1 + float(k), float(1 - k), levels) if k < Fraction(9, 10) else levels
    cdf = special.betainc(1 + float(k), float(1 - k), u)
    points = 0.5 + scale * (np.log(u) - np.log1p(-u))
    assert not cdf_misfit(rewards, list(points), list(cdf))


# -- the number of draws ---------------------------------------------------------------------------


def truncated(pmf: Callable[[int], float], zero: float) -> Callable[[int], float]:
    return lambda k: pmf(k) / (1 - zero)


COUNTS: list[tuple[Policy, Callable[[int], float]]] = [
    (BestOfPoisson(3), lambda k: exp(-3) * 3.0 ** (k - 1) / factorial(k - 1)),
    (QuantileTilt(2), truncated(lambda k: exp(-2) * 2.0**k / factorial(k), exp(-2))),
    (QuantileTilt("1e-2"), truncated(lambda k: exp(-0.01) * 0.01**k / factorial(k), exp(-0.01))),
    (BestOfRandom(Geometric("1/3")), lambda k: (2 / 3) ** (k - 1) / 3),
    (BestOfRandom(Geometric("9/10")), lambda k: 0.1 ** (k - 1) * 0.9),
    (BestOfRandom(Binomial(7, "1/4")),
     truncated(lambda k: comb(7, k) * 0.25**k * 0.75 ** (7 - k), 0.75**7)),
    (BestOfRandom(Binomial(4, 1)), lambda k: float(k == 4)),
    (BestOfRandom(NegativeBinomial("1/2", "1/3")),
     truncated(lambda k: special.binom(k - 0.5, k) * (1 / 3) ** 0.5 * (2 / 3) ** k, 3**-0.5)),
    (BestOfRandom(NegativeBinomial("1/1000", "1/100")),
     lambda k: special.binom(k - 0.999, k) * 0.99**k / (0.01**-0.001 - 1)),
    (BestOfRandom(Sibuya("1/2")),
     lambda k: 0.5 / k * float(np.prod([1 - 0.5 / j for j in range(1, k)]))),
    (BestOfRandom(FinitePmf({1: "1/2", 6: "1/3", 10: "1/6"})),
     lambda k: {1: 1 / 2, 6: 1 / 3, 10: 1 / 6}.get(k, 0.0)),
    (BestOfN(4), lambda k: float(k == 4)),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "pmf"), COUNTS, ids=[str(policy) for policy, _ in COUNTS])
def test_the_number_of_draws_and_the_reward_have_their_joint_law(
    policy: Policy, pmf: Callable[[int], float]
) -> None:
    """P(N = k, U <= u) = P(N = k) u^k, from the textbook pmf; cells N > 12 together."""
    drawn = sample(policy, Uniform(), COPIES, 0)
    counts, cells = [], []
    for k in range(1, 13):
        for u in (0.2, 0.5, 0.8, 1.0):
            counts.append(int(((drawn.draws == k) & (drawn.rewards <= u)).sum()))
            cells.append(pmf(k) * u**k)
    assert not misfit(counts, cells, COPIES)
    assert (drawn.draws == np.floor(drawn.draws)).all()
    assert drawn.draws.min() >= 1


def test_a_huge_number_of_draws_has_its_tail() -> None:
    """P(N > k) = Γ(k+1−a)/(Γ(1−a) Γ(k+1)) for Sibuya, (1−p)^k for the geometric."""
    draws = sample(BestOfRandom(Sibuya("1/10")), Uniform(), COPIES, 0).draws
    points = [2.0**e for e in (4, 20, 60, 100, 200)]
    tail = [exp(special.gammaln(k + 0.9) - special.gammaln(k + 1) - special.gammaln(0.9))
            if k < 1e6 else k**-0.1 / special.gamma(0.9) for k in points]  # fmt: skip
    assert not cdf_misfit(draws, points, [1 - t for t in tail])
    draws = sample(BestOfRandom(Geometric("1e-200")), Uniform(), COPIES, 0).draws
    levels = [0.001, 0.5, 0.999]
    assert not cdf_misfit(draws, [-log(1 - x) * 1e200 for x in levels], levels)


@pytest.mark.parametrize("mean", [1e3, 1e6, 1e9])
def test_a_large_poisson_number_of_draws_has_its_law(mean: float) -> None:
    levels = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    points = np.floor(mean + special.ndtri(levels) * mean**0.5)
    cdf = list(special.pdtr(points, mean))
    for policy, shift in ((BestOfPoisson(Fraction(mean)), 1), (QuantileTilt(Fraction(mean)), 0)):
        draws = sample(policy, Uniform(), COPIES, 0).draws
        assert not cdf_misfit(draws - shift, list(points), cdf)


def test_draws_are_undefined_where_the_policy_is_no_choice_among_draws() -> None:
    assert np.isnan(sample(BestOfN("5/2"), Normal(), 3, 0).draws).all()
    assert np.isnan(sample(Tilt(1), Normal(), 3, 0).draws).all()
    # On the uniform law the tilt is the quantile tilt, a best of N.
    assert (sample(Tilt(1), Uniform(), 3, 0).draws >= 1).all()
    assert (sample(SoftBestOfN(5, 1), Uniform(), 3, 0).draws == 5).all()


def test_numbers_beyond_binary64_are_infinite_and_select_the_top() -> None:
    drawn = sample(BestOfRandom(Sibuya("1/1000")), THREE, 1000, 0)
    assert (drawn.draws == inf).any()
    assert (drawn.rewards[drawn.draws == inf] == 2).all()


# -- Soft Best-of-n --------------------------------------------------------------------------------


def race_cdf(
    n: float, strength: float, points: np.ndarray, seen: np.ndarray, base: np.ndarray
) -> list:
    """The exponential race by sums: P(R <= x) = ∫ n φ(t)^{n−1} E[e^{λR} e^{−te^{λR}}; R <= x] dt.

    ``seen``, ``base`` are a fine grid of what the softmax sees and its reference weights, at the
    midpoints of which ``points`` never lie; good to 2e-6 in absolute terms, where one standard
    deviation of a count is 1e-3 of COPIES.
    """
    s = np.linspace(-45 - strength * max(seen.max(), 0), 5 - strength * min(seen.min(), 0), 700)
    log_rate = s[:, None] + strength * seen[None, :]
    ring = np.exp(-np.exp(np.minimum(log_rate, 6.0)))
    phi = ring @ base
    terms = n * phi[:, None] ** (n - 1) * np.exp(log_rate) * ring * base
    weights = terms.sum(axis=0) * (s[1] - s[0])
    return [float(weights[seen < x].sum()) for x in points]


@pytest.mark.parametrize(("n", "strength"), [(2, "1/2"), (20, 4), (5, 0)])
@pytest.mark.parametrize("law", [Uniform(), Normal(), Exponential(1)], ids=str)
def test_soft_best_of_n_is_the_exponential_race(law: Law, n: int, strength: str | int) -> None:
    lam = float(Fraction(strength))
    edges = np.linspace(0, 1, 2001)
    u = (edges[1:] + edges[:-1]) / 2
    levels = edges[[20, 200, 1000, 1800, 1980]]
    rewards = sample(SoftBestOfN(n, strength, scale="quantile"), law, COPIES, 0).rewards
    inverse = {
        "uniform": lambda q: q,
        "normal": special.ndtri,
        "exponential": lambda q: -np.log1p(-q),
    }
    cdf = race_cdf(n, lam, levels, u, np.full(2000, 1 / 2000))
    assert not cdf_misfit(rewards, list(inverse[law.name](levels)), cdf)
    rewards = sample(SoftBestOfN(n, strength), law, COPIES, 0).rewards
    if law.name == "uniform":
        assert not cdf_misfit(rewards, list(levels), cdf)
        return
    low, high = (-8.0, 8.0) if law.name == "normal" else (0.0, 36.0)
    z = np.linspace(low, high, 2001)
    middle = (z[1:] + z[:-1]) / 2
    density = np.exp(-(middle**2) / 2) if law.name == "normal" else np.exp(-middle)
    points = z[[700, 900, 1000, 1200, 1400]] if law.name == "normal" else z[[2, 20, 50, 150, 300]]
    cdf = race_cdf(n, lam, points, middle, density / density.sum())
    assert not cdf_misfit(rewards, list(points), cdf)


def soft_masses(law: Finite, n: int, strength: float, scale: str) -> list[float]:
    """By enumeration of every n-tuple of atoms."""
    atoms = law.atoms
    seen = (
        [float(F) for F in law.cumulative] if scale == "quantile" else [float(v) for v, _ in atoms]
    )
    total = [0.0] * len(atoms)
    for outcome in product(range(len(atoms)), repeat=n):
        chance = float(np.prod([float(atoms[i][1]) for i in outcome]))
        weights = [exp(strength * seen[i]) for i in outcome]
        for i, weight in zip(outcome, weights, strict=True):
            total[i] += chance * weight / sum(weights)
    return total


@pytest.mark.parametrize("scale", ["reward", "quantile"])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_soft_best_of_n_on_atoms_counts_what_is_drawn(n: int, scale: str) -> None:
    for strength in (0.0, 1.5):
        rewards = sample(SoftBestOfN(n, strength, scale=scale), THREE, COPIES, 0).rewards
        counts = [int((rewards == float(v)).sum()) for v, _ in THREE.atoms]
        assert not misfit(counts, soft_masses(THREE, n, strength, scale), COPIES)


def test_soft_best_of_many_on_atoms_is_the_tilt_and_of_huge_strength_the_best() -> None:
    rewards = sample(SoftBestOfN(10**12, "3/2"), THREE, COPIES, 0).rewards
    assert not mass_misfit(Tilt("3/2"), THREE, rewards)
    rewards = sample(SoftBestOfN(3, 10**300), THREE, COPIES, 0).rewards
    assert not mass_misfit(BestOfN(3), THREE, rewards)
    rewards = sample(SoftBestOfN(3, 10**300), Normal(), COPIES, 0).rewards
    assert not law_misfit(BestOfN(3), Normal(), rewards)


@pytest.mark.parametrize("block", [2, 10])
def test_soft_best_of_n_in_blocks_has_the_same_law(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """n = 5 in blocks of `block` draws, one row at a time: 600 copies, the same test."""
    monkeypatch.setattr(module, "_BLOCK", block)
    rewards = sample(SoftBestOfN(5, 3), Uniform(), 600, 0).rewards
    edges = np.linspace(0, 1, 2001)
    levels = edges[[200, 600, 1000, 1400, 1800]]
    middle, even = (edges[1:] + edges[:-1]) / 2, np.full(2000, 1 / 2000)
    assert not cdf_misfit(rewards, list(levels), race_cdf(5, 3.0, levels, middle, even))
    rewards = sample(SoftBestOfN("11/2", 3), Uniform(), 600, 0).rewards
    assert not cdf_misfit(rewards, list(levels), race_cdf(5.5, 3.0, levels, middle, even))


@pytest.mark.parametrize(("n", "scale"), [
    (3, "quantile"), (50, "quantile"), ("5/2", "quantile"), (3, "reward"), ("5/2", "reward"),
])  # fmt: skip
def test_soft_best_of_n_has_its_certified_law(n: int | str, scale: str) -> None:
    policy = SoftBestOfN(n, 2, scale=scale)
    for law in ATOMS[:2]:
        assert not mass_misfit(policy, law, sample(policy, law, COPIES, 0).rewards)
    for law, points in ((Uniform(), [0.1, 0.5, 0.9]), (Normal(1, 2), [2.5])):
        cdf = [float(value(law, policy, "cdf", at=x, digits=6)) for x in points]
        assert not cdf_misfit(sample(policy, law, COPIES, 0).rewards, points, cdf)


@pytest.mark.parametrize(("n", "strength"), [("11/10", 3), ("3/2", 2), ("19/10", 5), ("29/4", 8)])
def test_a_real_n_runs_the_race(n: str, strength: int) -> None:
    edges = np.linspace(0, 1, 2001)
    middle, levels = (edges[1:] + edges[:-1]) / 2, edges[[20, 200, 1000, 1800, 1980]]
    cdf = race_cdf(float(Fraction(n)), strength, levels, middle, np.full(2000, 1 / 2000))
    drawn = sample(SoftBestOfN(n, strength), Uniform(), COPIES, 0)
    assert not cdf_misfit(drawn.rewards, list(levels), cdf)
    assert np.isnan(drawn.draws).all()
    rewards = sample(SoftBestOfN(n, strength, scale="quantile"), Normal(1, 2), COPIES, 0).rewards
    assert not cdf_misfit(rewards, list(1 + 2 * special.ndtri(levels)), cdf)
    seen = np.array([float(v) for v, _ in THREE.atoms])
    base = np.array([float(p) for _, p in THREE.atoms])
    cdf = race_cdf(float(Fraction(n)), strength, np.array([0.25, 1.0]), seen, base)
    rewards = sample(SoftBestOfN(n, strength), THREE, COPIES, 0).rewards
    assert not cdf_misfit(rewards, [0.25, 1.0], cdf)
    # The law of a nearby n is rejected.
    near = race_cdf(
        max(1.0, 0.8 * float(Fraction(n))), strength, levels, middle, np.full(2000, 1 / 2000)
    )
    assert cdf_misfit(drawn.rewards, list(levels), near)


def test_a_real_n_of_huge_or_no_strength_is_the_rank_policy_or_the_reference() -> None:
    for law in (THREE, ATOMS[0]):
        rewards = sample(SoftBestOfN("5/2", 10**300), law, COPIES, 0).rewards
        assert not mass_misfit(BestOfN("5/2"), law, rewards)
    rewards = sample(SoftBestOfN("5/2", 10**300), Normal(), COPIES, 0).rewards
    assert not law_misfit(BestOfN("5/2"), Normal(), rewards)
    rewards = sample(SoftBestOfN("5/2", 0), Normal(), COPIES, 0).rewards
    assert not law_misfit(BestOfN(1), Normal(), rewards)


# -- refusals, and wrong samplers rejected ---------------------------------------------------------


@pytest.mark.parametrize(("policy", "law", "size", "error", "message"), [
    (Tilt(2), Exponential(2), 1, NotOnThisLaw, "infinite from lam = 2 on"),
    (Tilt("1/3"), Logistic(0, 3), 1, NotOnThisLaw, "take lam < 1/3"),
    (BestOfN(2), Uniform(), 0, InputError, "size=0, but must be an integer >= 1"),
    (BestOfN(2), Uniform(), 2.0, InputError, "size=2.0, but must be an integer"),
    (BestOfN(Fraction(10) ** 400), Uniform(), 1, InputError, "outside the range of binary64"),
    (BestOfPoisson(10**13), Uniform(), 1, InputError, "mu is 1e[+]13, but samplers need"),
    (QuantileTilt(10**13), Uniform(), 1, InputError, "lam is 1e[+]13"),
    (BestOfRandom(Binomial(10**13, "1/2")), Uniform(), 1, InputError, "m is 1e[+]13"),
    (BestOfRandom(NegativeBinomial(1, "1e-13")), Uniform(), 1, InputError, "at most 1e[+]12"),
    (BestOfRandom(Sibuya("1/100")), Normal(), 1, InputError, "a=0.01, but must be .* >= 0.05"),
    (SoftBestOfN("5/2", 10**308), Normal(), 9, InputError, "take n an integer, or a smaller lam"),
    (SoftBestOfN(10**9, 1), Uniform(), 100, InputError, "is above 1e[+]10"),
    (Sibuya("1/2"), Uniform(), 1, InputError, "must be a selection policy"),
    (BestOfN(2), "uniform", 1, InputError, "must be a law"),
], ids=str)  # fmt: skip
def test_what_cannot_be_sampled_is_refused(
    policy: Policy, law: Law, size: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sample(policy, law, size, 0)


def test_a_generator_or_a_seed_must_be_given() -> None:
    with pytest.raises(InputError, match="must be a numpy Generator or a seed"):
        sample(BestOfN(2), Uniform(), 1, None)  # type: ignore[arg-type]


def test_best_of_poisson_draws_instead_of_one_more_is_rejected() -> None:
    rng = np.random.default_rng(0)
    draws = np.maximum(rng.poisson(3.0, COPIES), 1)
    assert law_misfit(BestOfPoisson(3), Uniform(), rng.random(COPIES) ** (1 / draws))
    draws = 1 + rng.poisson(3.0, COPIES)
    assert not law_misfit(BestOfPoisson(3), Uniform(), rng.random(COPIES) ** (1 / draws))


def test_an_unconditioned_poisson_for_the_quantile_tilt_is_rejected() -> None:
    rng = np.random.default_rng(0)
    draws = np.maximum(rng.poisson(2.0, COPIES), 1)
    assert law_misfit(QuantileTilt(2), Uniform(), rng.random(COPIES) ** (1 / draws))


def test_the_reweighted_maximum_for_soft_best_of_n_is_rejected() -> None:
    """Density ∝ u^{n−1} e^{λu} (MUTANT 3), by rejection; n = 3, λ = 2, and λ = 0."""
    edges = np.linspace(0, 1, 2001)
    middle, levels = (edges[1:] + edges[:-1]) / 2, edges[[200, 1000, 1800]]
    for strength in (0.0, 2.0):
        rng = np.random.default_rng(0)
        u = rng.random(20 * COPIES)
        kept = u[rng.random(20 * COPIES) < u**2 * np.exp(strength * (u - 1))][:COPIES]
        assert len(kept) == COPIES
        cdf = race_cdf(3, strength, levels, middle, np.full(2000, 1 / 2000))
        assert cdf_misfit(kept, list(levels), cdf)


def test_the_tilt_for_soft_best_of_n_and_soft_for_hard_are_rejected() -> None:
    counts = [int((sample(Tilt("3/2"), THREE, COPIES, 0).rewards == float(v)).sum())
              for v, _ in THREE.atoms]  # fmt: skip
    assert misfit(counts, soft_masses(THREE, 6, 1.5, "reward"), COPIES)
    assert mass_misfit(BestOfN(6), THREE, sample(SoftBestOfN(6, 3), THREE, COPIES, 0).rewards)


def test_an_upper_tail_without_digits_is_rejected() -> None:
    """u = V^{1/n} in binary64 is 1 for most V at n = 10^15: infinite or stepped rewards."""
    u = np.random.default_rng(0).random(COPIES) ** 1e-15
    with np.errstate(divide="ignore"):
        assert law_misfit(BestOfN(10**15), Exponential(2), -np.log1p(-u) / 2)


def test_draws_that_do_not_belong_to_their_reward_are_rejected() -> None:
    drawn = sample(BestOfPoisson(3), Uniform(), COPIES, 0)
    other = np.random.default_rng(1).permutation(drawn.draws)
    joint = int(((other == 1) & (drawn.rewards <= 0.5)).sum())
    assert misfit([joint], [exp(-3) * 0.5], COPIES)


def test_soft_enumerations_agree() -> None:
    table = soft_law([0.0, 0.5, 2.0, 2.0], 3, 1.5, replace=True)
    masses = soft_masses(THREE, 3, 1.5, "reward")
    assert np.allclose([table[0], table[1], table[2] + table[3]], masses)
