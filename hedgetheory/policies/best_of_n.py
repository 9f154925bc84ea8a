"""Best-of-n."""

from __future__ import annotations

from fractions import Fraction

from sympy import log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import n, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.policies.base import Domain, RankPolicy


class BestOfN(RankPolicy):
    """Best-of-n: of n draws take the one with the largest proxy reward, G(u) = uⁿ.

    A real n ≥ 1 is a rank policy too, though not a best of a random number of draws. Ties share
    an atom's mass. Raises InputError for n < 1. Source: paper, §2 (arXiv 2506.19248).

    >>> BestOfN(4)
    bon(n=4)
    """

    name = "bon"
    symbols = (n,)
    domains = (Domain(Fraction(1)),)
    cdf = u**n
    ratio = n * u ** (n - 1)
    log_ratio = log(n) + (n - 1) * log(u)
    # u near 1 is known by ū: 1 − (1 − ū)ⁿ without the cancellation.
    survival = -expm1(n * log1p(-ubar))
    mean_draws = n
    inverse = u ** (1 / n)
    inverse_bar = -expm1(log1p(-ubar) / n)
    regular = False

    def __init__(self, n: RealInput) -> None:
        self._set(n)

    @property
    def counts_draws(self) -> bool:
        return self.bindings[n].denominator == 1

    @property
    def is_reference(self) -> bool:
        return self.bindings[n] == 1
