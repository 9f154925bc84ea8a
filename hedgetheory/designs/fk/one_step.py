"""Claims on Feynman–Kac steering with one resampling: it is Soft Best-of-n, and capped by k."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import sympy

from hedgetheory.claims.checks import (
    certified,
    confirmed,
    identity,
    integral_is,
    limit,
    positive,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.designs.fk.chain import Chain, particle_law
from hedgetheory.designs.fk.functions import clamp_edge, clamped_weight
from hedgetheory.designs.fk.policy import PAPER, POTENTIALS, FeynmanKac
from hedgetheory.expressions.symbols import k, lam, u
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.finite import Finite
from hedgetheory.numerics.ball import ball, enclosing_rationals, precision
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

_THIS = f"this project, on {PAPER}"
#: e^{λr} of one particle, and the sum of the others; a difference of rewards.
a, b, d = sympy.symbols("a b d", positive=True)
SHARE = a / (a + b)

LAW = Finite({0: Fraction(1, 2), 1: Fraction(1, 4), 3: Fraction(1, 4)})
_EVEN = (Fraction(1, 3),) * 3


def one_step(rewards: tuple[int, int, int]) -> Chain:
    """One resampling of rewards with masses 1/2, 1/4, 1/4."""
    return Chain.of(["1/2", "1/4", "1/4"], [_EVEN] * 3, rewards, 1)


def top_by_enumeration(particles: int, strength: Fraction) -> Any:
    """P(the reward 3 is drawn) on `LAW`, over all draws of the particles, as a ball."""
    total = ball(0)
    for draws in product(LAW.atoms, repeat=particles):
        mass, weights = Fraction(1), []
        for reward, share in draws:
            mass *= share
            weights.append((reward, ball(strength * reward).exp()))
        top = sum((w for reward, w in weights if reward == 3), ball(0))
        total += ball(mass) * top / sum((w for _, w in weights), ball(0))
    return total


@claim(
    "fk.importance-sampling-is-soft-best-of-n",
    "Importance sampling with k particles and one output is Soft Best-of-k",
    "k particles weighted by e^(lam r), resampled, one drawn: the law is that of SBoN(k, lam), on "
    "every law. So it is for the difference, sum and terminal potentials with one resampling, and "
    "for max where no reward is below its floor 0.",
    hypotheses=("k >= 1 an integer", "lam >= 0", "one resampling, not skipped, not clamped"),
    source=_THIS,
)
def importance_sampling_is_soft_best_of_n() -> Iterator[Evidence]:
    # In u = e^{−t(a + b)} the race ∫ a e^{−ta} e^{−tb} dt is ∫ a/(a + b) du.
    yield from integral_is("the clock of rate a rings before those of b", SHARE, SHARE * u, SHARE)
    yield words(
        "The left side is the exponential race that defines SBoN; the right side is the chance of "
        "a particle in the multinomial draw, for each resampled particle and so for the one drawn "
        "among them. From the floor 0, r - 0 = 0 + r = r, and max(0, r) = r for r >= 0."
    )
    same = FeynmanKac(4, 10).simplest() == SoftBestOfN(4, 10)
    yield confirmed("fk(4, 10) is evaluated as sbon(4, 10)", "the policy itself", same)
    laws = [particle_law(one_step((0, 1, 3)), 3, potential, 2) for potential in POTENTIALS]
    alike = all(law == laws[0] for law in laws)
    yield confirmed("the four potentials, 3 particles, e^lam = 2", "enumeration", alike)
    race = value(LAW, FeynmanKac(3, 1), "mass", at=3, digits=12)
    with precision(128):
        by_draws = enclosing_rationals(top_by_enumeration(3, Fraction(1)))
    low, high = race.bounds
    close = low <= by_draws[1] and by_draws[0] <= high
    yield confirmed("P(top atom) by the race, and over all 27 draws", "balls", close)


@claim(
    "fk.density-ratio-at-most-k",
    "With one resampling the density ratio is at most k, and KL at most ln k",
    "w < k for k >= 2 and finite rewards, for every lam, so that KL(fk‖ref) <= ln k.",
    hypotheses=("k >= 2 an integer", "lam >= 0", "any law", "one resampling"),
    source=_THIS,
)
def density_ratio_at_most_k() -> Iterator[Evidence]:
    yield from identity("k - k a/(a + b) = k b/(a + b)", k - k * SHARE - k * b / (a + b))
    yield from positive("which is positive", k * b / (a + b))
    yield words(
        "w(r) = k E[a/(a + b)], b the sum of e^(lam R) over k - 1 other particles; then "
        "E_w[ln w] <= ln k."
    )
    mass = value(LAW, FeynmanKac(3, 10), "mass", at=3, digits=12)
    below = mass.bounds[1] < 3 * Fraction(1, 4)
    yield confirmed("fk(3, 10): the top atom of mass 1/4 gets less than 3/4", "balls", below)


@claim(
    "fk.hacking-is-capped",
    "With one resampling steering has the thresholds of Soft Best-of-k, and at most Best-of-k's KL",
    "f, its extrema and thresholds in lam and in k are those of SBoN; as lam -> oo the policy "
    "tends to Best-of-k, so that no lam spends more than KL(BoN(k)) <= ln k - (k - 1)/k.",
    hypotheses=("one resampling of k particles", "any law"),
    source=_THIS,
)
def hacking_is_capped() -> Iterator[Evidence]:
    larger = 1 / (1 + sympy.exp(-lam * d))
    by_share = SHARE.subs(b, a * sympy.exp(-lam * d))
    yield from identity("a/(a + b) against a reward lower by d", by_share - larger)
    yield limit("the larger of two is drawn as lam -> oo", larger, lam, sympy.oo, sympy.S.One)
    yield words(
        "So softmax tends to the largest of the k, ties shared: Best-of-k, and KL to its KL, as "
        "w <= k. One implementation answers for both names, f along lam and k included."
    )
    yield cited("KL(SBoN) increases in lam on every law", "claim sbon.stochastically-increasing")
    yield cited("KL(BoN) <= ln n - (n - 1)/n", "claim on atoms; Beirami et al., arXiv 2401.01879")
    spent = value(LAW, FeynmanKac(4, 10), "kl", digits=10)
    most = value(LAW, BestOfN(4), "kl", digits=10)
    held = spent.bounds[1] < most.bounds[0]
    data = {"fk(4, 10)": str(spent), "bon(4)": str(most)}
    yield confirmed("KL on three atoms", "balls", held, **data)
    family = Family("fk(lam=10)", lambda x: FeynmanKac(x, 10), k, FeynmanKac.domains[0])
    known = FeynmanKac.known_as(family, {"lam": Fraction(10), "potential": "difference"})
    same = known.at(7) == SoftBestOfN(7, 10)
    yield confirmed("its family in k is that of sbon(lam=10)", "the family itself", same)


@claim(
    "fk.every-potential-is-soft-best-of-n",
    "With one resampling every potential is Soft Best-of-k, whatever the rewards",
    "The max potential too, with its floor 0, is SBoN(k, lam) on every law.",
    hypotheses=("one resampling", "rewards of both signs"),
    source=_THIS,
    expected="refuted",
)
def every_potential_is_soft_best_of_n() -> Iterator[Evidence]:
    below = one_step((-2, -1, 1))
    floored, soft = (particle_law(below, 2, p, 2) for p in ("max", "difference"))
    merged = particle_law(one_step((0, 0, 1)), 2, "difference", 2)
    yield certified(
        "max is SBoN on max(0, r): rewards below the floor tie", "enumeration", floored == merged
    )
    yield witness(
        "rewards -2, -1, 1 with masses 1/2, 1/4, 1/4, two particles, e^lam = 2",
        "exact enumeration",
        floored != soft,
        max={str(x): str(share) for x, share in floored.items()},
        soft_best_of_two={str(x): str(share) for x, share in soft.items()},
    )


@claim(
    "fk.clamp-ties-large-differences",
    "A clamp at 1e10 ties all reward differences from ln(1e10)/lam on",
    "min(e^(lam d), 1e10) is the same for all d >= ln(1e10)/lam and increases before: at lam = 10 "
    "the edge is ln 10 = 2.302585... Under max and sum the same holds of the rewards themselves.",
    hypotheses=("lam > 0", "weights clamped to [0, 1e10]"),
    source=_THIS,
)
def clamp_ties_large_differences() -> Iterator[Evidence]:
    edge = clamp_edge(1) / lam
    beyond = sympy.exp(lam * (edge + d)) - 10**10
    yield from identity("e^(lam edge) = 10^10", sympy.exp(lam * edge) - 10**10)
    yield from identity("beyond the edge", beyond - 10**10 * (sympy.exp(lam * d) - 1))
    yield from positive("the weight exceeds the clamp", 10**10 * (sympy.exp(lam * d) - 1))
    yield from positive("before it the weight increases", lam * sympy.exp(lam * d))
    yield from identity("at lam = 10 the edge is ln 10", clamp_edge(10) - sympy.log(10))
    low, high = (clamped_weight(x, 10) for x in ("2.302585", "2.302586"))
    tied = bool(low < 10**10) and high == 10**10
    yield confirmed("2.302585 is before the edge, 2.302586 beyond", "exact comparison", tied)


@claim(
    "fk.clamp-keeps-the-order",
    "Clamping weights at 1e10 changes nothing that matters",
    "At lam = 10 a reward that is larger keeps a larger weight after the clamp.",
    hypotheses=("lam = 10", "weights clamped to [0, 1e10]", "difference potential"),
    source=_THIS,
    expected="refuted",
)
def clamp_keeps_the_order() -> Iterator[Evidence]:
    cap = Fraction(10**10)
    chain = one_step((0, 3, 4))
    clamped = particle_law(chain, 2, "difference", 10**4, cap=cap)
    tied = particle_law(one_step((0, 1, 1)), 2, "difference", cap)
    with precision(128):
        both = bool(ball(Fraction(24)).exp() > ball(cap)) and bool(ball(30).exp() > ball(cap))
    yield certified("differences 2.4 and 3 > ln 10 both weigh more than 1e10", "balls", both)
    yield witness(
        "two rewards above the edge are tied: 3 and 4 at e^lam = 10^4, two particles",
        "exact enumeration",
        clamped == tied and clamped[1] == clamped[2],
        law={str(x): str(share) for x, share in clamped.items()},
    )


CLAIMS: tuple[Claim, ...] = (
    importance_sampling_is_soft_best_of_n,
    density_ratio_at_most_k,
    hacking_is_capped,
    every_potential_is_soft_best_of_n,
    clamp_ties_large_differences,
    clamp_keeps_the_order,
)
