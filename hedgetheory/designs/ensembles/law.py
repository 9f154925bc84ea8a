"""The law of the least of k independent rewards."""

from __future__ import annotations

from fractions import Fraction

import sympy

from hedgetheory.errors import InputError, NotCertified, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.base import ContinuousLaw, Law, exact_symbol
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import precision
from hedgetheory.policies.best_of_n import BestOfN

MAX_MEMBERS = 1000


class MinOf(ContinuousLaw):
    """The worst case of an ensemble: the least of k independent rewards with one law.

    P(min > r) = S(r)^k: on uniform rewards BoN of it has mean 1 − n! Γ(1 + 1/k)/Γ(n + 1 + 1/k).
    ``law`` log-concave without atoms (NotCertified elsewhere), whole k from 1 to 1000. Raises
    InputError. *Modelling choice*: independent members. Source: arXiv 2312.09244.

    >>> MinOf(Exponential(2), 3).mgf_limit
    Fraction(6, 1)
    """

    name = "min_of"

    def __init__(self, law: Law, k: RealInput) -> None:
        count = _count(k)
        if not isinstance(law, ContinuousLaw):
            raise InputError(f"law={law}, but must be a law without atoms [min_of(...)]")
        if not law.log_concave:
            raise NotCertified(
                f"the least of {short(count)} rewards with law {law} is not built: its density is "
                "not log-concave in the reward"
            )
        self.law, self.k = law, int(count)
        power = sympy.Integer(self.k)
        self.support = law.support
        self.formulas = law.formulas & {"quantile"}
        self.survival = law.survival**power
        # 1 − S^k without cancellation at the lower end; log1p is singular at a finite upper one.
        inner = power * log1p(-law.cdf)
        self.cdf = -expm1(inner) if law.support[1] is None else 1 - self.survival
        self.pdf = power * law.survival ** (power - 1) * law.pdf
        self.log_density_slope = law.log_density_slope - (power - 1) * law.pdf / law.survival
        if self.formulas:
            self.quantile = law.quantile.xreplace(
                {u: -expm1(log1p(-u) / power), ubar: ubar ** (1 / power)}
            )
        limit = law.mgf_limit
        self.mgf_limit = None if limit is None else self.k * limit
        self.tilt_unknown = law.tilt_unknown
        self.evaluation_cost = law.evaluation_cost
        self.centre, self.width = self._middle(), law.width
        self.end_density = {side: self._at_end(side) for side in law.end_density}

    def _middle(self) -> Fraction:
        """A rational near the median: where S = 2^{−1/k}."""
        level = Fraction(1 - 0.5 ** (1 / self.k))
        plan = next(iter(plans(self.law, BestOfN(1), "quantile", at=level)))
        with precision(128):
            return Fraction(float(enclosure(plan).mid()))

    def _at_end(self, side: int) -> tuple[sympy.Expr, Fraction]:
        """c d^p of the density at a finite end: S → 1 below, S ~ c d^{p+1}/(p + 1) above."""
        peak, exponent = self.law.end_density[side]
        if side < 0:
            return self.k * peak, exponent
        order = exact_symbol(exponent + 1)
        return (
            self.k * peak**self.k / order ** (self.k - 1),
            exponent + (self.k - 1) * (exponent + 1),
        )

    def __str__(self) -> str:
        return f"{self.name}({self.law}, k={self.k})"


def min_of(law: Law, k: RealInput) -> Law:
    """The law of the least of ``k`` independent rewards, one of its own name where it has one.

    Of uniform rewards it is beta(1, k), of exponential ones exponential(k·rate), of Pareto ones
    pareto(k·α); else as `MinOf`, which says what is raised.

    >>> from hedgetheory.laws.uniform import Uniform
    >>> min_of(Uniform(), 3)
    beta(a=1, b=3)
    """
    if isinstance(law, Pareto):
        return Pareto(law.alpha * _count(k))
    if isinstance(law, Uniform):
        return Beta(1, _count(k))
    if isinstance(law, Exponential):
        return Exponential(law.rate * _count(k))
    return MinOf(law, k)


def _count(k: RealInput) -> Fraction:
    count = rational(k, "k")
    if count.denominator != 1 or not 1 <= count <= MAX_MEMBERS:
        raise must_be("k", k, f"a whole number from 1 to {MAX_MEMBERS}", f"min_of(..., k={k})")
    return count
