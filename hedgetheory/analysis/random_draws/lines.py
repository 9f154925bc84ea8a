"""Families of best of a random number of draws, each along a parameter t in which it is greedier.

On a line k = −∂_t G is positive and totally positive of order two in (t, u) at least, so that f′
has at most one change of sign where g′ has one (`kernels`). t is the family's own parameter where
it is greedier upwards; its odds 1/p − 1, or 1/a − 1, where it is greedier downwards.

S = 1 − G is stated in ū and t without cancellation; G is the pgf itself, and k a positive multiple
of ∂_t S, with k ≤ u and k ≤ S ≤ (max w)·ū as the tails of a quadrature ask (`kernels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import exp, log

from hedgetheory.analysis.rank_kernels import KERNELS, RankKernel
from hedgetheory.expressions.symbols import beta, k, lam, m, mu, p, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p, phi1
from hedgetheory.laws.base import exact_symbol
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import (
    Binomial,
    Draws,
    Geometric,
    LogarithmicSeries,
    NegativeBinomial,
    Sibuya,
    ZeroTruncatedPoisson,
)


@dataclass(frozen=True)
class Line:
    """A family of best of random draws: the class of N, what is free, what is fixed."""

    family: Family
    draws: type[Draws]
    free: sympy.Symbol
    #: m, r or p where it is given; one for the geometric law, which is a negative binomial.
    fixed: Fraction

    @property
    def falls(self) -> bool:
        """Whether the family is greedier as its own parameter falls, t = 1/θ − 1.

        Of the logarithmic series t is p/(1 − p) = e^{1/β} − 1.
        """
        return self.draws in (Geometric, Sibuya, LogarithmicSeries) or (
            self.draws is NegativeBinomial and self.free == p
        )

    @property
    def is_power_series(self) -> bool:
        """Whether P(N = j) is proportional to c_j x^j with x free: t = 0 is the reference."""
        return self.free in (p, beta)

    @property
    def is_tilt(self) -> bool:
        """Whether it is the tilt of a transformed quantile (`_tilted`)."""
        return self.free in (m, k)

    @property
    def every_order(self) -> bool:
        """Whether k is strictly totally positive of every order in (t, u)."""
        return self.draws is Sibuya

    @property
    def whole(self) -> bool:
        """Whether the parameter takes whole values only."""
        return bool(self.free == m)

    @property
    def constant(self) -> bool:
        """Whether every member is the reference: one draw at most."""
        return self.draws is Binomial and self.free == p and self.fixed == 1

    @property
    def separates(self) -> bool:
        """Whether k is a function of t times one of u: f is then monotone for every gold curve."""
        return self.draws is Binomial and self.free == p and self.fixed <= 2

    @property
    def lower(self) -> Fraction:
        return Fraction(1) if self.whole else Fraction(0)

    @property
    def upper(self) -> Fraction | None:
        """The last t, None where the family ends at the top of the law, t → ∞."""
        return Fraction(1) if self.draws is Binomial and self.free == p else None

    def theta(self, t: Fraction) -> Fraction:
        """The family's own parameter at t."""
        return 1 / (1 + t) if self.falls else t


def line_of(family: Family) -> Line | None:
    """The line of a family of best of random draws; None for all others."""
    low, high = family.domain.lower, family.domain.upper
    member = family.at(low + 1 if high is None else (low + high) / 2)
    # A policy may be best of random draws under a name of its own, as GRPO's optimum is.
    law = getattr(member, "draws", None)
    if not isinstance(law, Draws):
        return None
    draws, free = type(law), family.symbol
    if draws is ZeroTruncatedPoisson:
        return None
    others = [value for symbol, value in law.bindings.items() if symbol != free]
    return Line(family, draws, free, others[0] if others else Fraction(1))


def plain(family: Family) -> Family:
    """The family under the name by which it is known: ztp is the quantile tilt, and so on."""
    if family.symbol not in (lam, m):
        return family
    member = family.at(family.domain.lower + 1)
    if not isinstance(member, BestOfRandom):
        return family
    if isinstance(member.draws, ZeroTruncatedPoisson):
        return Family("quantile_tilt", QuantileTilt, lam, family.domain)
    if isinstance(member.draws, Binomial) and member.bindings[p] == 1:
        return Family("bon", BestOfN, BestOfN.symbols[0], family.domain)
    return family


def kernel_of(line: Line) -> RankKernel:
    """G, 1 − G and k of a line in (u, ū, t), t written μ; at t = 0 they may be 0/0."""
    if line.draws is Sibuya:
        return _sibuya()
    if line.is_tilt:
        return _tilted(line)
    if line.draws is LogarithmicSeries:
        return _logarithmic()
    return _binomial(line) if line.draws is Binomial else _negative_binomial(line)


def kernel_at_lower(line: Line) -> RankKernel:
    """The same where they are regular at the lower end, k up to a positive factor.

    Next to its reference every power-series law has k proportional to uū, as Best-of-Poisson has.
    """
    if line.is_power_series:
        return KERNELS["bop"]
    return _regular_tilt(line) if line.free == k else kernel_of(line)


def pgf_of(line: Line) -> sympy.Expr:
    """The pgf of N in (u, ū, t), t written μ: the statement of everything here."""
    theta = 1 / (1 + mu) if line.falls else mu
    fixed = exact_symbol(line.fixed)
    others = {symbol: fixed for symbol in line.draws.symbols if symbol != line.free}
    return line.draws.pgf.xreplace({line.free: theta, **others})


def _negative_binomial(line: Line) -> RankKernel:
    # With x = q = t/(1 + t): x∂_x S = t(1 + t)∂_t S = ∫_u^1 w (E[N|u] − E[N]), E[N|u] = uG″/G′ + 1
    # at most E[N²]/E[N] = 1 + (r + 1)t: divided by that it is at most S, and at most G from below.
    above = expm1(-k * log1p(mu * ubar)) / expm1(-k * log1p(mu))
    kernel = mu * (1 + mu) / (1 + (k + 1) * mu) * sympy.diff(above, mu)
    largest = -k * mu / expm1(-k * log1p(mu))
    # Differentiated with a symbol for r: sympy is slow on long powers.
    given = {k: exact_symbol(line.fixed)}
    above, kernel, largest = (form.xreplace(given) for form in (above, kernel, largest))
    return RankKernel(mu, pgf_of(line), above, kernel, largest, above, kernel, True)


def _logarithmic() -> RankKernel:
    # The negative binomial at r = 0: 1 − pu = (1 + tū)/(1 + t), and the same bounds of k.
    below = log1p(mu * u / (1 + mu * ubar)) / log1p(mu)
    above = log1p(mu * ubar) / log1p(mu)
    kernel = mu * sympy.diff(above, mu)
    return RankKernel(mu, below, above, kernel, mu / log1p(mu), above, kernel, True)


def _binomial(line: Line) -> RankKernel:
    # ∂_p ln w = 1/p − (m−1)ū/(1−pū) − m q^{m−1}/(1−q^m) ≤ 1/p gives p ∂_pS ≤ S. From below the
    # last two terms, times pw, are at most m(m − 1) and 1 on average: p ∂_pS/m² ≤ G ≤ u, w rising.
    whole = 1 - (1 - mu) ** m
    # The second form keeps a small ū; the first is the one at u = 0, p = 1.
    above = (1 - (1 - mu * ubar) ** m) / whole
    high = -expm1(m * log1p(-mu * ubar)) / whole
    slope, high_slope = (mu / m**2 * sympy.diff(form, mu) for form in (above, high))
    given = {m: exact_symbol(line.fixed)}
    above, slope, high, high_slope = (
        form.xreplace(given) for form in (above, slope, high, high_slope)
    )
    return RankKernel(mu, pgf_of(line), above, slope, given[m], high, high_slope, True)


def _tilted(line: Line) -> RankKernel:
    """The quantile tilt at λ = tL of the quantile v(u), L = ln(1/q) or ln(1/p).

    Binomial: G = (y^m − q^m)/(1 − q^m), y = 1 − pū = q^{1−v}; negative binomial:
    G = (z^{−r} − 1)/(p^{−r} − 1), z = 1 − qu = p^v. So G = (e^{λv} − 1)/(e^λ − 1), and k_λ is at
    most G ≤ u and 1 − G.
    """
    size, above_v, steepest = _transformed(line)
    above = expm1(-mu * size * above_v) / expm1(-mu * size)
    kernel = sympy.diff(above, mu) / size
    largest = steepest / phi1(-mu * size)
    return RankKernel(mu, pgf_of(line), above, kernel, largest, above, kernel, True)


def _transformed(line: Line) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """L, 1 − v in ū, and the largest dv/du, which is at u = 1."""
    p_, q_ = exact_symbol(line.fixed), exact_symbol(1 - line.fixed)
    if line.draws is Binomial:
        size = -log(q_)
        return size, -log1p(-p_ * ubar) / size, p_ / size
    size = -log(p_)
    return size, log1p(q_ * ubar / p_) / size, q_ / (p_ * size)


def _regular_tilt(line: Line) -> RankKernel:
    """The negative binomial along r in the form that is no 0/0 at r = 0, the logarithmic series."""
    size, above_v, steepest = _transformed(line)
    v = -log1p(-exact_symbol(1 - line.fixed) * u) / size
    place = {u: v, ubar: above_v, lam: mu * size}
    tilt = KERNELS["quantile_tilt"]
    below, above, kernel = (e.xreplace(place) for e in (tilt.below, tilt.above, tilt.kernel))
    largest = steepest / phi1(-mu * size)
    return RankKernel(mu, below, above, kernel, largest, above, kernel, True)


def _sibuya() -> RankKernel:
    """S = ū^a, a = 1/(1 + t), k = ∂_t S = a² ū^a ln(1/ū).

    ū^{a/8} ln(1/ū) ≤ 8/(ea), so that k ≤ (8a/e) ū^{7a/8} ≤ 3 ū^{7a/8}; and k ≤ 3u^{7/8} as
    ln(1/ū) ū^a ≤ −ln(1 − u) on u ≤ 1/2, at most 1/e elsewhere.
    """
    below = 1 - ubar ** (1 / (1 + mu))
    above = exp(log(ubar) / (1 + mu))
    kernel = sympy.diff(above, mu)
    power = sympy.Rational(7, 8) / (1 + mu)
    two = sympy.Integer(2)
    return RankKernel(mu, below, above, kernel, two, above, kernel, True, power)


def mirrored_sibuya() -> RankKernel:
    """The same three at v = 1 − u, where ū is the variable itself: singular at v = 0 only."""
    power = u ** (1 / (1 + mu))
    kernel = -sympy.log(u) * power / (1 + mu) ** 2
    return RankKernel(mu, 1 - power, power, kernel, sympy.Integer(2), power, kernel, False)


__all__ = ["Line", "kernel_at_lower", "kernel_of", "line_of", "mirrored_sibuya", "pgf_of", "plain"]
