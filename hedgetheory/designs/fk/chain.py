"""Feynman–Kac steering of a path on a finite Markov chain, exactly: few particles, and ∞ of them.

The algorithm is that of the published code. A particle keeps a memory (the reward so far, from the
floor) and the product of the weights applied to it. At each resampling time its candidate is

    difference: r, weight b^{r − memory};  max: max(r, memory);  sum: r + memory;  terminal: r,

the last three with weight b^candidate, divided at the final time by the product. The memory becomes
the candidate. k particles are drawn with replacement by weight, and the weight joins the product;
or, adaptively, nothing is done where ESS = (Σw)²/Σw² >= k/2: the weight is *not* kept.

Weights are powers of a base b = e^λ. With b rational and whole rewards everything is rational.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

from hedgetheory.designs.fk.policy import FLOOR, POTENTIALS, Potential
from hedgetheory.errors import InputError, NotCertified, must_be
from hedgetheory.exact import RealInput, rational

#: Configurations of particles times ways to go on: what is enumerated.
MAX_WORK = 200_000

Row = tuple[Fraction, ...]
#: State, memory, product of the applied weights.
Particle = tuple[int, Fraction, Fraction]
Law = dict[int, Fraction]


@dataclass(frozen=True)
class Chain:
    """A path X_1, …, X_T on states 0, …, m − 1: ``start`` the law of X_1, ``moves`` its kernel.

    ``rewards`` of each state, whole numbers, seen at all T ``steps``; the last is the terminal one.
    """

    start: Row
    moves: tuple[Row, ...]
    rewards: Row
    steps: int

    @classmethod
    def of(
        cls,
        start: Sequence[RealInput],
        moves: Sequence[Sequence[RealInput]],
        rewards: Sequence[RealInput],
        steps: int,
    ) -> Chain:
        """From anything that denotes rationals. InputError unless rows are laws on the states."""
        rows = [tuple(rational(x, "a probability") for x in row) for row in (start, *moves)]
        values = tuple(rational(x, "a reward") for x in rewards)
        size, call = len(values), "Chain.of"
        if len(rows) != size + 1 or any(len(row) != size for row in rows):
            raise InputError(f"start, and moves from each state, need {size} entries [{call}]")
        if any(min(row) < 0 or sum(row) != 1 for row in rows):
            raise InputError(f"start and moves must be >= 0 and sum to exactly 1 [{call}]")
        if any(value.denominator != 1 for value in values):
            raise InputError(f"rewards must be whole numbers [{call}]")
        if not 1 <= steps <= 32:
            raise must_be("steps", steps, "an integer from 1 to 32", call)
        return cls(rows[0], tuple(rows[1:]), values, steps)

    def paths(self) -> Iterator[tuple[tuple[int, ...], Fraction]]:
        """Every path of positive probability under the reference."""
        states = range(len(self.rewards))
        if len(states) ** self.steps > MAX_WORK:
            raise NotCertified("the paths are too many to be enumerated")
        for path in product(states, repeat=self.steps):
            mass = self.start[path[0]]
            for x, y in pairwise(path):
                mass *= self.moves[x][y]
            if mass:
                yield path, mass

    def terminal(self) -> Law:
        """The law of X_T under the reference."""
        return _terminal((path[-1], mass) for path, mass in self.paths())


def exponent(
    potential: Potential, rewards: Sequence[Fraction], floor: Fraction = FLOOR
) -> Fraction:
    """The exponent of b that a whole path gets where nothing is skipped: what is targeted.

    difference: r_T − floor; max: max(floor, r_1, …, r_T); sum: floor + r_1 + … + r_T (the terminal
    reward is added before the correction); terminal: r_T. ``rewards`` of the path, T >= 1.
    """
    match potential:
        case "difference":
            return rewards[-1] - floor
        case "max":
            return max(floor, *rewards)
        case "sum":
            return sum(rewards, floor)
        case "terminal":
            return rewards[-1]
    raise must_be("potential", potential, f"one of {', '.join(POTENTIALS)}", "exponent")


def target(chain: Chain, potential: Potential, base: RealInput, floor: RealInput = 0) -> Law:
    """The terminal law with infinitely many particles, nothing skipped: ∝ p(path) b^exponent.

    >>> chain = Chain.of(["1/2", "1/2"], [["1/2", "1/2"], ["1/4", "3/4"]], [0, 1], steps=2)
    >>> target(chain, "difference", 2), target(chain, "max", 2)
    ({0: Fraction(3, 13), 1: Fraction(10, 13)}, {0: Fraction(2, 7), 1: Fraction(5, 7)})
    """
    b, low = _base(base), rational(floor, "floor")
    masses = (
        (path[-1], mass * _power(b, exponent(potential, [chain.rewards[x] for x in path], low)))
        for path, mass in chain.paths()
    )
    return _normalised(_terminal(masses))


def limit_law(
    chain: Chain, potential: Potential, base: RealInput, floor: RealInput = 0, adaptive: bool = True
) -> tuple[Law, tuple[int, ...]]:
    """The terminal law with infinitely many particles, resampling skipped where ESS >= k/2.

    ESS/k is (E w)²/E w² under the law of the particles. Returns the law and the skipped steps,
    counted from 1. Exact. Raises as `target`, and NotCertified where ESS/k is exactly ½.
    """
    b, mass = _base(base), {(-1, rational(floor, "floor"), Fraction(1)): Fraction(1)}
    skipped = []
    for step in range(1, chain.steps + 1):
        moved: dict[Particle, Fraction] = {}
        for (x, memory, applied), share in mass.items():
            row = chain.start if step == 1 else chain.moves[x]
            for y, p in enumerate(row):
                if p:
                    key = (y, memory, applied)
                    moved[key] = moved.get(key, Fraction(0)) + share * p
        last = step == chain.steps
        weights = {key: _weight(chain, potential, b, key, last) for key in moved}
        first = sum((share * weights[key][1] for key, share in moved.items()), Fraction(0))
        second = sum((share * weights[key][1] ** 2 for key, share in moved.items()), Fraction(0))
        if adaptive and 2 * first**2 == second:
            raise NotCertified(
                "ESS is exactly k/2 in the limit: finitely many particles go both ways"
            )
        skip = adaptive and 2 * first**2 > second
        if skip:
            skipped.append(step)
        mass = {}
        for key, share in moved.items():
            candidate, w = weights[key]
            grown = (key[0], candidate, key[2] if skip else key[2] * w)
            mass[grown] = mass.get(grown, Fraction(0)) + (share if skip else share * w / first)
    return _terminal((key[0], share) for key, share in mass.items()), tuple(skipped)


def particle_law(
    chain: Chain,
    particles: int,
    potential: Potential,
    base: RealInput,
    floor: RealInput = 0,
    *,
    adaptive: bool = False,
    cap: Fraction | None = None,
    unnormalised: bool = False,
) -> Law:
    """The law of the terminal state of one of k particles, drawn uniformly, by full enumeration.

    ``cap`` clamps every weight (the published code at 1e10). With ``unnormalised`` the mass is
    instead E[Π mean weight · 1(terminal state)], which for every k is Σ p(path) b^exponent exactly
    where nothing is skipped or clamped: what the algorithm targets. Raises NotCertified where the
    enumeration is too long.
    """
    b, count = _base(base), int(particles)
    if count != particles or count < 1:
        raise must_be("particles", particles, "an integer >= 1", "particle_law")
    begin = (-1, rational(floor, "floor"), Fraction(1))
    configurations = {(begin,) * count: Fraction(1)}
    for step in range(1, chain.steps + 1):
        moved = _propagated(chain, configurations, step)
        if len(moved) * count**count > MAX_WORK:
            raise NotCertified(f"{count} particles on this chain are too many to be enumerated")
        configurations = {}
        for system, mass in moved.items():
            weighed = [_weight(chain, potential, b, x, step == chain.steps, cap) for x in system]
            total = sum((w for _, w in weighed), Fraction(0))
            squares = sum((w**2 for _, w in weighed), Fraction(0))
            if adaptive and 2 * total**2 >= count * squares:
                kept = [(x[0], c, x[2]) for x, (c, _) in zip(system, weighed, strict=True)]
                _add(configurations, kept, mass)
                continue
            grown = [(x[0], c, x[2] * w) for x, (c, w) in zip(system, weighed, strict=True)]
            factor = total / count if unnormalised else Fraction(1)
            for parents in product(range(count), repeat=count):
                share = mass * factor
                for j in parents:
                    share *= weighed[j][1] / total
                _add(configurations, [grown[j] for j in parents], share)
    return _terminal(
        (x[0], mass / count) for system, mass in configurations.items() for x in system
    )


def tilted(law: Law, rewards: Row, base: RealInput) -> Law:
    """The tilt of a law on the states, ∝ p b^r."""
    b = _base(base)
    return _normalised({x: mass * _power(b, rewards[x]) for x, mass in law.items()})


def _propagated(
    chain: Chain, configurations: dict[tuple[Particle, ...], Fraction], step: int
) -> dict[tuple[Particle, ...], Fraction]:
    moved: dict[tuple[Particle, ...], Fraction] = {}
    rows = [chain.start if step == 1 else row for row in chain.moves]
    choices = [[(y, p) for y, p in enumerate(row) if p] for row in rows]
    ways = sum(math.prod(len(choices[x]) for x, _, _ in system) for system in configurations)
    if ways > MAX_WORK:
        raise NotCertified(f"{ways} moves of the particles are too many to be enumerated")
    for system, mass in configurations.items():
        for choice in product(*(choices[x] for x, _, _ in system)):
            share = mass
            for _, p in choice:
                share *= p
            together = [(y, m, a) for (y, _), (_, m, a) in zip(choice, system, strict=True)]
            _add(moved, together, share)
    return moved


def _add(
    configurations: dict[tuple[Particle, ...], Fraction], system: list[Particle], mass: Fraction
) -> None:
    # Particles are exchangeable: one order of them stands for all.
    key = tuple(sorted(system))
    configurations[key] = configurations.get(key, Fraction(0)) + mass


def _weight(
    chain: Chain,
    potential: Potential,
    base: Fraction,
    particle: Particle,
    last: bool,
    cap: Fraction | None = None,
) -> tuple[Fraction, Fraction]:
    """The candidate that becomes the memory, and the weight."""
    state, memory, applied = particle
    r = chain.rewards[state]
    if potential == "difference":
        candidate, w = r, _power(base, r - memory)
    else:
        candidates = {"max": max(r, memory), "sum": r + memory, "terminal": r}
        if potential not in candidates:
            raise must_be("potential", potential, f"one of {', '.join(POTENTIALS)}", "chain")
        candidate = candidates[potential]
        w = _power(base, candidate)
        if last:
            w /= applied
    return candidate, w if cap is None else min(w, cap)


def _terminal(masses: Iterable[tuple[int, Fraction]]) -> Law:
    law: Law = {}
    for state, mass in masses:
        law[state] = law.get(state, Fraction(0)) + mass
    return dict(sorted(law.items()))


def _normalised(law: Law) -> Law:
    total = sum(law.values(), Fraction(0))
    return {state: mass / total for state, mass in law.items()}


def _base(base: RealInput) -> Fraction:
    b = rational(base, "base")
    if b <= 0:
        raise must_be("base", base, "a rational number > 0, e**lam", "chain")
    return b


def _power(base: Fraction, power: Fraction) -> Fraction:
    if power.denominator != 1:
        raise InputError(f"floor={power}: rewards and floor must be whole numbers [chain]")
    return base ** int(power)
