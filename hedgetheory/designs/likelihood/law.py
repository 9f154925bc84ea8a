"""Laws of likelihood rewards: the log-probability of an answer, and NOVER's rank."""

from __future__ import annotations

from fractions import Fraction

from sympy import Piecewise, Rational, exp, log

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.finite import Finite

MAX_GRID = 10_000


class LogProb(ContinuousLaw):
    """ln P of an answer's probability P, P(P ≤ x) = x^a on (0, 1): f(r) = a e^{ar} for r ≤ 0.

    The uniform probability is a = 1 (*modelling choice*: a power of a uniform). Its tilt is the
    same law with a + λ, which is Best-of-n with n = 1 + λ/a. Raises InputError for a <= 0.
    Source: the reward log π(a*|z) of arXiv 2602.03979 and others.

    >>> LogProb().tilted(Fraction(3))
    log_prob(a=4)
    """

    name = "log_prob"
    parameters = ("a",)
    support = (None, Fraction(0))

    def __init__(self, a: RealInput = 1) -> None:
        self.a = self._positive("a", a)
        power = exact_symbol(self.a)
        self.pdf = power * exp(power * r)
        self.cdf = exp(power * r)
        self.survival = -expm1(power * r)
        # ln u, near the top by ū.
        self.quantile = Piecewise((log(u), u < Rational(1, 2)), (log1p(-ubar), True)) / power
        self.log_density_slope = power
        self.log_mgf = -log1p(lam / power)
        self.mean = -1 / power
        self.centre, self.width = -1 / self.a, 1 / self.a

    def tilted(self, strength: Fraction) -> LogProb:
        return LogProb(self.a + strength)


def rank_reward(m: RealInput) -> Finite:
    """The law of NOVER's reward (m − rank)/m among m candidates without ties: uniform on a grid.

    {0, 1/m, …, (m − 1)/m}, whatever the law of the perplexities. Whole m from 1 to 10,000; raises
    InputError.

    >>> rank_reward(4).mean
    Fraction(3, 8)
    """
    count = rational(m, "m")
    if count.denominator != 1 or not 1 <= count <= MAX_GRID:
        raise must_be("m", m, f"a whole number from 1 to {MAX_GRID}", f"rank_reward(m={m})")
    size = int(count)
    return Finite({Fraction(k, size): Fraction(1, size) for k in range(size)})
