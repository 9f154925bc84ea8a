"""Best of a random number of draws."""

from __future__ import annotations

from fractions import Fraction

from hedgetheory.policies.base import Policy, RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.random_draws import Binomial, Draws, Sibuya


class BestOfRandom(RankPolicy):
    """Best of N draws with N ≥ 1 random: the rank cdf G is the probability generating function.

    >>> from hedgetheory.policies.random_draws import Geometric
    >>> BestOfRandom(Geometric("1/3"))
    best_of_random(geometric(p=1/3))
    """

    name = "best_of_random"
    symbols = ()
    domains = ()

    def __init__(self, draws: Draws) -> None:
        self.draws = draws
        self.bindings = draws.bindings
        self.cdf, self.ratio = draws.pgf, draws.slope
        self.mean_draws = draws.mean
        self.inverse, self.inverse_bar = draws.inverse, draws.inverse_bar
        # G analytic up to u = 1 and G′(0) = P(N = 1) > 0.
        self.regular = not isinstance(draws, Sibuya)

    def simplest(self) -> Policy:
        if isinstance(self.draws, Binomial):
            trials, share = self.draws.bindings.values()
            if share == 1:  # every trial succeeds, and the general pgf has 0^m
                return BestOfN(trials)
        return self

    def __str__(self) -> str:
        return f"{self.name}({self.draws})"

    @property
    def tail_power(self) -> Fraction:
        return self.draws.tail_power

    @property
    def is_reference(self) -> bool:
        return self.draws.is_reference
