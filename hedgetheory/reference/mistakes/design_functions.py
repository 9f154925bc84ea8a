"""Wrong values of the functions of related systems, each as the code that has the fault gives it.

A fault is a function by name: it takes the exact arguments of the case, and returns a float.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from math import comb
from typing import Any, TypeAlias

from hedgetheory.reference.mistakes.facts import Facts, Values

Rows: TypeAlias = Sequence[Fraction]
Fault: TypeAlias = "Callable[..., float | Fraction | Iterable[float | Fraction]]"


def values_of(table: Mapping[str, Fault]) -> Callable[[Facts], Values]:
    """The wrong values of a fault, of the functions that it concerns."""

    def values(f: Facts) -> Values:
        fault = table.get(f.policy) if f.quantity == "function" else None
        if fault is None:
            return
        found = fault(**arguments(f))
        for value in [found] if isinstance(found, (int, float, Fraction)) else found:
            yield float(value)

    return values


def lost_to(table: Mapping[str, Fault]) -> Callable[[Facts], bool]:
    """Whether a fault divides by zero, and the answer is no number where there is one."""

    def lost(f: Facts) -> bool:
        fault = table.get(f.policy) if f.quantity == "function" and f.lost else None
        if fault is None:
            return False
        try:
            fault(**arguments(f))
        except ZeroDivisionError:
            return True
        return False

    return lost


def arguments(f: Facts) -> dict[str, Any]:
    """The exact arguments of a case, by name."""
    return {
        name: [Fraction(x["rational"]) for x in value]
        if isinstance(value, (list, tuple))
        else Fraction(value["rational"])
        for name, value in f.inputs.get("arguments", {}).items()
    }


# -- spreads ---------------------------------------------------------------------------------------


def _mean(rewards: Rows) -> Fraction:
    return sum(rewards, Fraction(0)) / len(rewards)


def _variance(rewards: Rows, ddof: int) -> Fraction:
    centre = _mean(rewards)
    return sum(((x - centre) ** 2 for x in rewards), Fraction(0)) / (len(rewards) - ddof)


def _advantage(rewards: Rows, i: Fraction, spread: float) -> float:
    return float(rewards[int(i)] - _mean(rewards)) / spread


def _plain_advantage(rewards: Rows, i: Fraction, epsilon: Fraction) -> float:
    return _advantage(rewards, i, math.sqrt(_variance(rewards, 0)) + float(epsilon))


def _other_ddof(rewards: Rows, index: Fraction, epsilon: Fraction, ddof: Fraction) -> float:
    spread = math.sqrt(_variance(rewards, 1 - int(ddof)))
    return _advantage(rewards, index, spread + float(epsilon))


#: The variance divided by k where k − 1 is meant, or the other way.
DDOF: dict[str, Fault] = {
    "grpo_advantage": _plain_advantage,
    "grpo_right_advantage": lambda right, group: math.sqrt((group - right) / right),
    "likelihood.standardised": _other_ddof,
    **{
        f"ensembles.mean_minus_std_ddof{ddof}": lambda rewards, c, other=1 - ddof: (
            float(_mean(rewards)) - float(c) * math.sqrt(_variance(rewards, other))
        )
        for ddof in (0, 1)
    },
    **{
        f"ensembles.mean_minus_var_ddof{ddof}": lambda rewards, c, other=1 - ddof: (
            _mean(rewards) - c * _variance(rewards, other)
        )
        for ddof in (0, 1)
    },
}
NO_EPSILON: dict[str, Fault] = {
    "grpo_advantage": lambda rewards, i, epsilon: _advantage(
        rewards, i, math.sqrt(_variance(rewards, 1))
    ),
    "likelihood.standardised": lambda rewards, index, epsilon, ddof: _advantage(
        rewards, index, math.sqrt(_variance(rewards, int(ddof)))
    ),
}
EPSILON_IN_ROOT: dict[str, Fault] = {
    "grpo_advantage": lambda rewards, i, epsilon: _advantage(
        rewards, i, math.sqrt(_variance(rewards, 1) + epsilon)
    ),
    "likelihood.standardised": lambda rewards, index, epsilon, ddof: _advantage(
        rewards, index, math.sqrt(_variance(rewards, int(ddof)) + epsilon)
    ),
}
MEAN_FOR_MIN: dict[str, Fault] = {"ensembles.min": lambda rewards, c: _mean(rewards)}
#: ρ = π/π_ref in place of π_ref/π.
K_THREE: dict[str, Fault] = {
    "grpo_k3": lambda policy, reference: (
        float(policy / reference) - 1 - math.log(policy / reference)
    )
}

# -- labels and rankings ---------------------------------------------------------------------------


def _strict_majority(p: Fraction, group: Fraction) -> Fraction:
    size = int(group)
    more = range(size // 2 + 1, size + 1)
    return sum((comb(size, j) * p**j * (1 - p) ** (size - j) for j in more), Fraction(0))


def _strict_plurality(masses: Rows, group: Fraction) -> float:
    """Won only where every other answer is rarer: by the pgf of counts below each top."""
    size, total = int(group), 0.0
    for first in range(1, size + 1):
        ways = [1.0]
        for mass in masses[1:]:
            few = [float(mass) ** k / math.factorial(k) for k in range(first)]
            grown = [0.0] * (len(ways) + len(few) - 1)
            for i, x in enumerate(ways):
                for j, y in enumerate(few):
                    grown[i + j] += x * y
            ways = grown
        left = size - first
        if left < len(ways):
            chance = float(masses[0]) ** first / math.factorial(first)
            total += math.factorial(size) * chance * ways[left]
    return total


def _unshared(p: Fraction, values: Rows, correct: Rows, wrong: Rows, n: Fraction) -> list[Fraction]:
    """A tie given to a wrong query, or to a right one."""
    size, below = int(n), Fraction(0)
    pessimist = optimist = Fraction(0)
    for c, w in zip(correct, wrong, strict=True):
        right, other = p * c, (1 - p) * w
        pessimist += (below + right) ** size - below**size
        optimist += (below + right + other) ** size - (below + other) ** size
        below += right + other
    return [pessimist, optimist]


TIES_LOST: dict[str, Fault] = {
    "majority.accuracy": _strict_majority,
    "majority.plurality": _strict_plurality,
    "partial_success": _unshared,
}


def _other_sizes(responses: Fraction) -> list[Fraction]:
    sizes = (responses - 1, responses + 1, responses * (responses - 1) / 2)
    return [2 * (2 * m + 5) / (9 * m * (m - 1)) for m in sizes if m > 1]


def _tau_b(first: Rows, second: Rows) -> float:
    """Ties taken out of the count of pairs."""
    score = apart = also = 0
    for (a, x), (b, y) in combinations(zip(first, second, strict=True), 2):
        apart, also = apart + (a != b), also + (x != y)
        score += ((a > b) - (a < b)) * ((x > y) - (x < y))
    return score / math.sqrt(apart * also)


KENDALL_SIZE: dict[str, Fault] = {"cream.null_variance": _other_sizes}
TAU_B: dict[str, Fault] = {"cream.kendall_tau": _tau_b}

# -- SuperHF, process rewards, likelihoods, tokens -------------------------------------------------


def _unnormalised_mean(n: Fraction, beta: Fraction, rounds: Fraction) -> Fraction:
    mean = Fraction(1)
    for _ in range(int(rounds)):
        mean = n * mean + beta
    return mean


def _unnormalised_draws(n: Fraction, beta: Fraction, rounds: Fraction, count: Fraction) -> float:
    mass = {1: 1.0}
    for _ in range(int(rounds)):
        power = {0: 1.0}
        for _ in range(int(n)):
            grown: dict[int, float] = {}
            for i, x in power.items():
                for j, y in mass.items():
                    grown[i + j] = grown.get(i + j, 0.0) + x * y
            power = grown
        power[1] = power.get(1, 0.0) + float(beta)
        mass = power
    return mass.get(int(count), 0.0)


UNNORMALISED: dict[str, Fault] = {
    "superhf_mean_draws": _unnormalised_mean,
    "superhf_draws": _unnormalised_draws,
}


def _last_index(scores: Rows, k: Fraction, gamma: Fraction) -> list[Fraction]:
    """The last step keeps its score, or the one before has a difference and no score."""
    steps = [x - y for x, y in pairwise(scores)]
    start, found = int(k) - 1, []
    for rewards in ([*steps, scores[-1]], [*steps, Fraction(0)]):
        late = rewards[start:]
        found.append(sum((gamma**j * x for j, x in enumerate(late)), Fraction(0)))
    return found


LAST_INDEX: dict[str, Fault] = {"process_delta_return": _last_index}


def _log_of_sum(group: Fraction) -> float:
    size = int(group)
    powers = sum(
        (-1) ** (size - k) * comb(size, k) * Fraction(k**size) * Fraction(math.log(k))
        for k in range(1, size + 1)
    )
    return float(powers / math.factorial(size) - sum(Fraction(1, k) for k in range(1, size + 1)))


LOG_OF_SUM: dict[str, Fault] = {
    # From G = 16 on the alternating sum of doubles loses its digits.
    "likelihood.jepo_uniform": lambda group: _log_of_sum(group) if group < 16 else math.nan
}
UNCENTRED: dict[str, Fault] = {
    "treg.token_reward": lambda better, worse: better / (better + worse),
    "treg.token_weight": lambda reward, alpha: 1 + alpha * (reward + Fraction(1, 2)),
}

# -- Feynman–Kac -----------------------------------------------------------------------------------


def _memories(rewards: Rows, floor: Fraction, how: str) -> list[Fraction]:
    found, memory = [], floor
    for reward in rewards:
        memory = {"max": max(reward, memory), "sum": reward + memory, "terminal": reward}[how]
        found.append(memory)
    return found


#: No division by the weights already applied: the terminal candidate comes on top of them.
TWICE: dict[str, Fault] = {
    **{
        f"fk_exponent_{how}": lambda rewards, floor, how=how: (
            sum(_memories(rewards, floor, how), Fraction(0)),
            _memories(rewards, floor, how)[-1] + rewards[-1],
        )
        for how in ("max", "sum", "terminal")
    },
    "fk_exponent_difference": lambda rewards, floor: 2 * rewards[-1] - floor,
}
#: A step that was not resampled, its weight forgotten.
DROPPED: dict[str, Fault] = {
    "fk_exponent_difference": lambda rewards, floor: [
        rewards[-1] - floor - (after - before) for before, after in pairwise([floor, *rewards])
    ]
}
UNCLAMPED: dict[str, Fault] = {
    "fk_clamped_weight": lambda difference, lam: math.exp(lam * difference)
}


def overflows(f: Facts) -> bool:
    """An infinite weight where the clamp is 1e10."""
    return f.policy == "fk_clamped_weight" and f.given == math.inf
