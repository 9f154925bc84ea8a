"""Points of SuperHF: Best-of-n mixed by the number of draws of its tree, unbiased."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hedgetheory.designs.superhf.draws import MAX_LEAVES, draws_masses
from hedgetheory.errors import InputError
from hedgetheory.hedgetune.estimators import best_of_n_values
from hedgetheory.hedgetune.intervals import Steps, step_errors
from hedgetheory.hedgetune.points import RankPolicyPoints, RealPoints
from hedgetheory.hedgetune.rank_points import BestOfNPoints, integer_grid, smallest_size
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.table import Array


def superhf_values(ranked: Array, n: int, beta: float, rounds: int) -> Array:
    """The unbiased value of SuperHF on rows of ranked gold: Σ_k P(N = k) v_k, N ≤ n^rounds ≤ S."""
    masses = draws_masses(n, beta, rounds)
    return np.asarray(best_of_n_values(ranked, np.arange(1, len(masses) + 1)) @ masses)


def rank_cdf(u: Array, n: Array, beta: Array, rounds: int) -> Array:
    """G of SuperHF by its recursion."""
    cdf = np.asarray(u, np.float64)
    for _ in range(rounds):
        cdf = (cdf**n + beta * u) / (1 + beta)
    return cdf


def expected_draws(n: float, beta: float, rounds: int) -> float:
    """E[N] by its recursion."""
    mean = 1.0
    for _ in range(rounds):
        mean = (n * mean + beta) / (1 + beta)
    return mean


def largest_n(size: int, rounds: int) -> int:
    """The largest n whose tree has at most ``size`` leaves: every value up to it is unbiased."""
    n, most = 1, size if rounds == 1 else min(size, MAX_LEAVES)
    while (n + 1) ** rounds <= most:
        n = most if rounds == 1 else n + 1
    return n


class SuperHFDrawsPoints(BestOfNPoints):
    """SuperHF along n at a fixed β: the integers n with n^rounds up to the smallest S."""

    def __init__(
        self, groups: list[RankGroup], weights: Array | None, name: str, beta: float, rounds: int
    ) -> None:
        super().__init__(groups, weights, name)
        self.beta, self.rounds_of_policy = beta, rounds
        responses = smallest_size(groups, name)
        self.size = largest_n(responses, rounds)
        if self.size == 1:
            raise InputError(
                f"{name}: {rounds} rounds of n = 2 need {2**rounds} responses of every prompt, and "
                f"one has {responses}; take fewer rounds"
            )
        self.thetas = integer_grid(self.size)

    def values(self, ranked: Array, draws: NDArray[np.int64]) -> Array:
        if self.rounds_of_policy == 1:
            reference = best_of_n_values(ranked, [1])
            return np.asarray(
                (best_of_n_values(ranked, draws) + self.beta * reference) / (1 + self.beta)
            )
        columns = [superhf_values(ranked, int(n), self.beta, self.rounds_of_policy) for n in draws]
        return np.stack(columns, axis=1)

    def steps(self) -> Steps:
        """With one round at real n, as Best-of-n; with more at the integers only."""
        if self.rounds_of_policy == 1:
            return super().steps()
        curves = self.curves[:, self.base]
        error = step_errors(curves, self.weights)
        return Steps.of(self.coordinate(self.thetas[self.base]), self.mean(curves), error)

    def at_real_n(self, draws: Array) -> Array:
        reference = np.concatenate([group.gold.mean(axis=1) for group in self.groups])
        return (super().at_real_n(draws) + self.beta * reference[:, None]) / (1 + self.beta)

    def rank_cdf(self, u: Array, thetas: Array) -> Array:
        n = np.asarray(thetas, np.float64)[:, None]
        return rank_cdf(u, n, np.asarray(self.beta), self.rounds_of_policy)

    def expected_draws(self, theta: float) -> float:
        return expected_draws(theta, self.beta, self.rounds_of_policy)

    def warnings(self, place: int, unit: float) -> list[str]:
        found = super().warnings(place, unit)
        if self.rounds_of_policy == 1:
            return found
        why = (
            f"with {self.rounds_of_policy} rounds n**rounds draws must be at hand: n <= {self.size}"
        )
        return [why, *[text for text in found if not text.startswith("n stops")]]


class SuperHFPriorPoints(RankPolicyPoints, RealPoints):
    """SuperHF along β at a fixed n, from Best-of-n^rounds at β = 0 towards the reference."""

    symbol = "beta"
    strongest = 0
    #: ln(1 + β) up to β = 1,000: beyond, the policy is the reference up to that share.
    _LARGEST = 1e3

    def __init__(
        self, groups: list[RankGroup], weights: Array | None, name: str, n: int, rounds: int
    ) -> None:
        super().__init__(groups, weights, name)
        self.draws, self.rounds_of_policy = n, rounds
        size = smallest_size(groups, name)
        if n > largest_n(size, rounds):
            raise InputError(
                f"{name}: n = {n} and {rounds} rounds draw up to {n**rounds} responses, but a "
                f"prompt has {size}; take a smaller n"
            )

    def domain(self) -> tuple[float, float]:
        return 0.0, float(np.log1p(self._LARGEST))

    def curves_at(self, thetas: Array) -> Array:
        if self.rounds_of_policy == 1:
            return np.concatenate([self._mixed(group.gold, thetas) for group in self.groups])
        every = np.arange(1, self.draws**self.rounds_of_policy + 1)
        masses = np.empty((len(every), len(thetas)))
        for column, prior in enumerate(thetas):
            masses[:, column] = draws_masses(self.draws, float(prior), self.rounds_of_policy)
        return np.concatenate([best_of_n_values(g.gold, every) @ masses for g in self.groups])

    def _mixed(self, ranked: Array, thetas: Array) -> Array:
        both = best_of_n_values(ranked, [1, self.draws])
        share = 1 / (1 + np.asarray(thetas))
        return np.asarray(both[:, 1:] * share + both[:, :1] * (1 - share))

    def rank_cdf(self, u: Array, thetas: Array) -> Array:
        prior = np.asarray(thetas, np.float64)[:, None]
        return rank_cdf(u, np.asarray(float(self.draws)), prior, self.rounds_of_policy)

    def expected_draws(self, theta: float) -> float:
        return expected_draws(float(self.draws), theta, self.rounds_of_policy)

    def warnings(self, place: int, unit: float) -> list[str]:
        if self.at_the_end(place):
            return ["no interior optimum: beta = 0, the hardest selection, is the best"]
        if place == len(self.thetas) - 1:
            return [f"the largest beta = {self._LARGEST:g} is the best: selection only harms"]
        return []
