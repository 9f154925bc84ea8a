"""SuperHF as a rank policy: rounds of filtering, imitating, and returning to the prior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import beta, n, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.policies.base import Domain, Policy, RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family, Mixture

PAPER = "arXiv 2310.16763"
BEST_OF_N = Family("bon", BestOfN, n, BestOfN.domains[0])
MAX_ROUNDS = 16
#: Trees with more leaves are not sampled.
MAX_LEAVES = 1 << 53


def next_cdf(cdf: sympy.Expr) -> sympy.Expr:
    """The rank cdf after one more population round: p ← (BoN_n[p] + β p₀)/(1 + β)."""
    return (cdf**n + beta * u) / (1 + beta)


class SuperHF(RankPolicy):
    """Population rounds p ← (BoN_n[p] + β p₀)/(1 + β) from the reference p₀, a rank policy.

    G₀ = u and G_{t+1} = (G_tⁿ + βu)/(1 + β); β = 0 is Best-of-n^T after T rounds. For an integer n
    it is best of a random number of draws, the leaves of a random tree. From the paper: filtering
    the best of n, imitating it, a KL prior. *Modelling choice*: one round is the exact minimiser of
    KL(BoN_n[p] ‖ q) + β KL(p₀ ‖ q) over all q, in place of gradient steps on a network.

    ``n`` >= 1 real, ``beta`` >= 0 (published default 0.23), ``rounds`` 1 to 16, whole. Ties
    share an atom's mass. Raises InputError outside. Source: arXiv 2310.16763.

    >>> SuperHF(32, "0.23")
    superhf(n=32, beta=0.23, rounds=1)
    """

    name = "superhf"
    symbols = (n, beta)
    domains = (Domain(Fraction(1)), Domain(Fraction(0)))

    def __init__(self, n: RealInput, beta: RealInput, rounds: RealInput = 1) -> None:
        self._set(n, beta)
        count = rational(rounds, "rounds")
        if count.denominator != 1 or not 1 <= count <= MAX_ROUNDS:
            call = f"{self.name}(n={n}, beta={beta}, rounds={rounds})"
            raise must_be("rounds", rounds, f"a whole number from 1 to {MAX_ROUNDS}", call)
        self.rounds = int(count)
        self._iterate()
        self.regular = self._n.denominator == 1

    @property
    def _n(self) -> Fraction:
        return self.bindings[n]

    def _iterate(self) -> None:
        """G, w = G′, 1 − G and G′(1) by the recursion, each in a form that does not cancel."""
        cdf, ratio, survival, draws = u, sympy.S.One, ubar, sympy.S.One
        for _ in range(self.rounds):
            ratio = (n * cdf ** (n - 1) * ratio + beta) / (1 + beta)
            survival = (-expm1(n * log1p(-survival)) + beta * ubar) / (1 + beta)
            draws = (n * draws + beta) / (1 + beta)
            cdf = next_cdf(cdf)
        self.cdf, self.mean_draws = cdf, draws
        # The class derives these two from `cdf`; restated here.
        self.__dict__.update(ratio=ratio, survival=survival)

    @classmethod
    def known_as(cls, family: Family, fixed: Mapping[str, Any]) -> Family:
        """One round, and β = 0, are Best-of-n mixed with the reference along both parameters."""
        rounds = fixed["rounds"]
        # A member, for what is refused of the parameters that are not free.
        cls(fixed.get("n", 1), fixed.get("beta", 0), rounds)
        if family.symbol == beta and rounds == 1:
            return replace(family, mixture=Mixture(BEST_OF_N, start=fixed["n"]))
        if family.symbol == n and (rounds == 1 or fixed["beta"] == 0):
            share, power = 1 / (1 + fixed["beta"]), int(rounds)
            return replace(family, mixture=Mixture(BEST_OF_N, share, power))
        return family

    @property
    def counts_draws(self) -> bool:
        return self._n.denominator == 1

    @property
    def most_draws(self) -> float:
        return float(self._n) ** self.rounds

    def drawn(self, size: int, rng: np.random.Generator) -> NDArray[np.float64] | None:
        """The leaves of ``size`` random trees, level by level from the last round to the first."""
        if not self.counts_draws or self.most_draws > MAX_LEAVES:
            return None
        growing, leaves = np.ones(size, np.int64), np.zeros(size, np.int64)
        share = float(1 / (1 + self.bindings[beta]))
        for _ in range(self.rounds):
            split = rng.binomial(growing, share)
            leaves += growing - split
            growing = int(self._n) * split
        return np.asarray(leaves + growing, np.float64)

    def simplest(self) -> Policy:
        return self if self.bindings[beta] else BestOfN(self._n**self.rounds)

    @property
    def is_reference(self) -> bool:
        return self._n == 1

    def __str__(self) -> str:
        return f"{super().__str__()[:-1]}, rounds={self.rounds})"
