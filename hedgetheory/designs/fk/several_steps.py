"""Claims on Feynman–Kac steering of whole paths: what each potential targets, and what skips do."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from hedgetheory.claims.checks import certified, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.designs.fk.chain import (
    Chain,
    Law,
    exponent,
    limit_law,
    particle_law,
    target,
    tilted,
)
from hedgetheory.designs.fk.policy import PAPER, POTENTIALS, Potential

_THIS = f"this project, on {PAPER} and its published code"
_ADAPTIVE = (
    "the ESS rule settles as the particles become many: skipped iff (E w)^2/E w^2 > 1/2",
    "Del Moral, Doucet, Jasra 2012",
)
_MANY = ("feynman-kac: particles converge to the weighted path law", "Del Moral 2004, chapter 7")
#: Rewards 0, 1, 2 on three states, two resampling times.
THREE_STATES = Chain.of(
    ["1/2", "1/4", "1/4"],
    [["1/2", "1/4", "1/4"], ["1/4", "1/2", "1/4"], ["1/4", "1/4", "1/2"]],
    [0, 1, 2],
    steps=2,
)
#: Two rare moves, one after the other.
RARE = Chain.of(["9/10", "1/10", 0], [[1, 0, 0], ["9/10", 0, "1/10"], [0, 0, 1]], [0, 1, 2], 2)

r, before, floor = sympy.symbols("r before floor", real=True)
e_last, applied = sympy.symbols("e_last applied", real=True)


def shown(law: Law) -> dict[str, str]:
    """A law on states as JSON."""
    return {str(state): str(mass) for state, mass in law.items()}


def weighted(chain: Chain, potential: Potential, base: int) -> Law:
    """Σ p(path) b^exponent for each terminal state, not normalised."""
    total: Law = {}
    for path, mass in chain.paths():
        power = exponent(potential, [chain.rewards[x] for x in path])
        total[path[-1]] = total.get(path[-1], Fraction(0)) + mass * Fraction(base) ** int(power)
    return dict(sorted(total.items()))


def _unbiased(potential: Potential) -> bool:
    """Two particles, every draw enumerated: E[Π mean weight · 1(state)] is what is targeted."""
    law = particle_law(THREE_STATES, 2, potential, 2, unnormalised=True)
    return law == weighted(THREE_STATES, potential, 2)


@claim(
    "fk.difference-targets-the-tilt",
    "With infinitely many particles the difference potential targets the tilt",
    "The weights of a path multiply to e^(lam (r_T - floor)): the terminal law tends to the tilt "
    "of that of the reference. The terminal potential, corrected at the end, has that target too.",
    hypotheses=("every resampling done, weights not clamped", "M(lam) finite"),
    source=_THIS,
)
def difference_targets_the_tilt() -> Iterator[Evidence]:
    yield from identity(
        "one more step takes the sum from r_t - floor to r_(t+1) - floor",
        (before - floor) + (r - before) - (r - floor),
    )
    yield from identity("terminal: what was applied cancels", applied + (e_last - applied) - e_last)
    yield words("By induction over the steps; the floor is a constant factor.")
    yield cited(*_MANY)
    tilt = tilted(THREE_STATES.terminal(), THREE_STATES.rewards, 2)
    same = all(target(THREE_STATES, p, 2) == tilt for p in ("difference", "terminal"))
    yield confirmed("three states, two steps, e^lam = 2", "exact rationals", same)
    yield confirmed("two particles, every draw", "enumeration", _unbiased("difference"))


@claim(
    "fk.max-and-sum-as-published",
    "As published, max and sum target the best and the total of the rewards along the path",
    "max: e^(lam max(floor, r_1, ..., r_T)); sum: e^(lam (floor + r_1 + ... + r_T)), the terminal "
    "reward being added before the correction at the end.",
    hypotheses=("every resampling done, weights not clamped",),
    source=_THIS,
)
def max_and_sum_as_published() -> Iterator[Evidence]:
    yield from identity(
        "the last weight divides by all that was applied: e_T is left",
        applied + (e_last - applied) - e_last,
    )
    yield from identity("sum: the memory and the last reward", (before + r) - (r + before))
    yield words(
        "e_T is the last candidate: the running maximum from the floor, or the running sum, of "
        "which the terminal reward is the last term."
    )
    yield cited(*_MANY)
    unbiased = _unbiased("max") and _unbiased("sum")
    yield confirmed("two particles, every draw, three states, e^lam = 2", "enumeration", unbiased)
    several = [particle_law(THREE_STATES, k, "max", 2) for k in (1, 2)]
    goal = target(THREE_STATES, "max", 2)
    gaps = [sum(abs(law[x] - goal[x]) for x in goal) for law in several]
    yield confirmed(
        "2 particles come closer to it than 1", "enumeration", gaps == sorted(gaps)[::-1]
    )


@claim(
    "fk.every-potential-targets-the-tilt",
    "With infinitely many particles every potential targets the tilt",
    "The max and the sum potentials, too, as published, lead to the tilt of the terminal reward.",
    hypotheses=("every resampling done, weights not clamped",),
    source=_THIS,
    expected="refuted",
)
def every_potential_targets_the_tilt() -> Iterator[Evidence]:
    tilt = tilted(THREE_STATES.terminal(), THREE_STATES.rewards, 2)
    for potential in ("max", "sum"):
        found = target(THREE_STATES, potential, 2)
        yield witness(
            f"{potential} on three states, e^lam = 2",
            "exact rationals",
            found != tilt,
            targeted=shown(found),
            tilt=shown(tilt),
        )


@claim(
    "fk.skipped-difference-step-is-harmless",
    "Under the difference potential adaptive resampling leaves the target",
    "Resampling only where ESS < k/2 still leads to the tilt.",
    hypotheses=("difference potential", "a skipped step does not keep its weight, as published"),
    source=_THIS,
    expected="refuted",
)
def skipped_difference_step_is_harmless() -> Iterator[Evidence]:
    yield cited(*_ADAPTIVE)
    tilt = tilted(THREE_STATES.terminal(), THREE_STATES.rewards, 3)
    law, skipped = limit_law(THREE_STATES, "difference", 3)
    yield witness(
        "three states, e^lam = 3: the first step is skipped, and its weight lost",
        "exact rationals, infinitely many particles",
        skipped == (1,) and law != tilt,
        law=shown(law),
        tilt=shown(tilt),
    )
    law, skipped = limit_law(THREE_STATES, "difference", 2)
    yield witness(
        "three states, e^lam = 2: both are skipped, and nothing is steered",
        "exact rationals, infinitely many particles",
        skipped == (1, 2) and law == THREE_STATES.terminal(),
        law=shown(law),
    )


@claim(
    "fk.skipped-intermediate-step-is-harmless",
    "Under max, sum and terminal a skipped intermediate step leaves the target",
    "The last weight divides by the weights that were applied, whichever they are.",
    hypotheses=("potential max, sum or terminal", "the last resampling is done"),
    source=_THIS,
)
def skipped_intermediate_step_is_harmless() -> Iterator[Evidence]:
    exponents = sympy.symbols("e1:6", real=True)
    kept = sympy.symbols("s1:6", real=True)
    done = sum((s * e for s, e in zip(kept, exponents, strict=True)), sympy.S.Zero)
    yield from identity(
        "sum of the applied + (e_T - sum of the applied) = e_T, s_t = 0 where skipped",
        done + (e_last - done) - e_last,
    )
    yield words("The candidates, and with them e_T, do not depend on what was skipped.")
    yield cited(*_MANY)
    law, skipped = limit_law(THREE_STATES, "sum", 3)
    same = skipped == (1,) and law == target(THREE_STATES, "sum", 3)
    yield confirmed("sum, e^lam = 3: the first step is skipped", "exact rationals", same)


@claim(
    "fk.skipped-terminal-step-is-harmless",
    "Under max, sum and terminal a skipped last resampling leaves the target",
    "Where ESS >= k/2 at the last step, not resampling there changes nothing that matters.",
    hypotheses=("potential max, sum or terminal", "one particle drawn uniformly at the end"),
    source=_THIS,
    expected="refuted",
)
def skipped_terminal_step_is_harmless() -> Iterator[Evidence]:
    yield cited(*_ADAPTIVE)
    law, skipped = limit_law(THREE_STATES, "sum", 4)
    goal = target(THREE_STATES, "sum", 4)
    yield witness(
        "sum, three states, e^lam = 4: only the last step is skipped",
        "exact rationals, infinitely many particles",
        skipped == (2,) and law != goal,
        law=shown(law),
        targeted=shown(goal),
    )
    for potential in ("max", "terminal"):
        law, skipped = limit_law(THREE_STATES, potential, 2)
        yield witness(
            f"{potential}, e^lam = 2: both steps are skipped, and nothing is steered",
            "exact rationals, infinitely many particles",
            skipped == (1, 2)
            and law == THREE_STATES.terminal() != target(THREE_STATES, potential, 2),
            law=shown(law),
        )


@claim(
    "fk.two-adaptive-particles-never-resample",
    "Two particles with adaptive resampling are never resampled",
    "ESS > 1 = k/2 for two positive weights: with k = 2 every step is skipped, and the output is "
    "that of the reference under every potential.",
    hypotheses=("k = 2", "resampling only where ESS < k/2, also at the end", "no weight is 0"),
    source=_THIS,
)
def two_adaptive_particles_never_resample() -> Iterator[Evidence]:
    v, w = sympy.symbols("v w", positive=True)
    ess = (v + w) ** 2 / (v**2 + w**2)
    excess = 2 * v * w / (v**2 + w**2)
    yield from identity("ESS - 1 = 2vw/(v^2 + w^2)", ess - 1 - excess)
    yield from positive("which is positive", excess)
    laws = [particle_law(RARE, 2, p, 10**6, adaptive=True) for p in POTENTIALS]
    same = all(law == RARE.terminal() for law in laws)
    yield confirmed("e^lam = 10^6: the reference, all four potentials", "enumeration", same)


@claim(
    "fk.ratio-at-most-k-to-the-steps",
    "With T resamplings the density ratio of a path is at most k^T",
    "P(path) <= k^T p(path) for one of k particles drawn at the end, whatever the potential.",
    hypotheses=("k >= 1", "T resamplings, some perhaps skipped"),
    source=_THIS,
)
def ratio_at_most_k_to_the_steps() -> Iterator[Evidence]:
    w, rest = sympy.symbols("w rest", positive=True)
    yield from identity(
        "1 - w/(w + rest) = rest/(w + rest)", 1 - w / (w + rest) - rest / (w + rest)
    )
    yield from positive("which is positive", rest / (w + rest))
    yield words(
        "A particle has k w/(sum of w) <= k children on average, so that the mean share of "
        "particles with a given history grows by k at most; moving on multiplies it as under the "
        "reference, and a skip leaves it."
    )
    worst = max(
        mass / RARE.terminal()[x]
        for p in POTENTIALS
        for x, mass in particle_law(RARE, 2, p, 10**6).items()
    )
    yield confirmed("two particles, two steps: at most 4", "enumeration", worst <= 4)


@claim(
    "fk.several-resamplings-keep-the-ratio-below-k",
    "However often k particles are resampled, the density ratio stays below k",
    "The bound k of importance sampling holds for steering along the path as well.",
    hypotheses=("more than one resampling",),
    source=_THIS,
    expected="refuted",
)
def several_resamplings_keep_the_ratio_below_k() -> Iterator[Evidence]:
    law = particle_law(RARE, 2, "difference", 10**6)
    ratio = law[2] / RARE.terminal()[2]
    yield certified("the reference reaches the top with 1/100", "exact rationals",
                    RARE.terminal()[2] == Fraction(1, 100))  # fmt: skip
    yield witness(
        "two particles, two steps, e^lam = 10^6, two rare moves",
        "exact enumeration",
        ratio > 2,
        ratio=f"{float(ratio):.12g}",
        k=2,
    )


CLAIMS: tuple[Claim, ...] = (
    difference_targets_the_tilt,
    max_and_sum_as_published,
    every_potential_targets_the_tilt,
    skipped_difference_step_is_harmless,
    skipped_intermediate_step_is_harmless,
    skipped_terminal_step_is_harmless,
    two_adaptive_particles_never_resample,
    ratio_at_most_k_to_the_steps,
    several_resamplings_keep_the_ratio_below_k,
)
