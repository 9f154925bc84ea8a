"""Laws of a random number N ≥ 1 of draws, by their probability generating functions."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy
from sympy import exp

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, short
from hedgetheory.expressions.symbols import a, beta, k, lam, m, p, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p, phi1
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.finite import checked_masses
from hedgetheory.policies.base import Domain, Parametric

_PROBABILITY = Domain(Fraction(0), lower_closed=False, upper=Fraction(1), upper_closed=True)
MAX_DRAWS = 10_000


class Draws(Parametric):
    """The law of N: `pgf` G(u) = E[u^N] in u and ū, `slope` G′, `mean` E[N] = G′(1)."""

    pgf: sympy.Expr
    slope: sympy.Expr
    #: G⁻¹ and 1 − G⁻¹ where they are explicit, as in `RankPolicy`.
    inverse: sympy.Expr | None = None
    inverse_bar: sympy.Expr | None = None
    mean: sympy.Expr

    @property
    def tail_power(self) -> Fraction:
        """a with 1 − G(1 − s) = O(s^a): one but for Sibuya."""
        return Fraction(1)


class ZeroTruncatedPoisson(Draws):
    """Poisson(λ) given N ≥ 1: its best-of-N is exactly the quantile tilt."""

    name = "ztp"
    symbols = (lam,)
    domains = (Domain(Fraction(0)),)
    pgf = u * exp(-lam * ubar) * phi1(-lam * u) / phi1(-lam)
    slope = exp(-lam * ubar) / phi1(-lam)
    inverse = log1p(u * lam * phi1(lam)) / lam
    mean = 1 / phi1(-lam)

    def __init__(self, lam: RealInput) -> None:
        self._set(lam)

    @property
    def is_reference(self) -> bool:
        return self.bindings[lam] == 0


class Geometric(Draws):
    """P(N = k) = p(1 − p)^{k−1} on {1, 2, …}, 0 < p ≤ 1: G = pu/(1 − (1 − p)u)."""

    name = "geometric"
    symbols = (p,)
    domains = (_PROBABILITY,)
    pgf = p * u / (ubar + p * u)
    slope = p / (ubar + p * u) ** 2
    inverse = u / (p + (1 - p) * u)
    inverse_bar = p * ubar / (p + (1 - p) * u)
    mean = 1 / p

    def __init__(self, p: RealInput) -> None:
        self._set(p)

    @property
    def is_reference(self) -> bool:
        return self.bindings[p] == 1


class Binomial(Draws):
    """Binomial(m, p) given N ≥ 1, integer m ≥ 1, 0 < p ≤ 1."""

    name = "binomial"
    symbols = (m, p)
    domains = (Domain(Fraction(1)), _PROBABILITY)
    pgf = ((1 - p * ubar) ** m - (1 - p) ** m) / (1 - (1 - p) ** m)
    slope = m * p * (1 - p * ubar) ** (m - 1) / (1 - (1 - p) ** m)
    mean = m * p / (1 - (1 - p) ** m)

    def __init__(self, m: RealInput, p: RealInput) -> None:
        self._set(m, p)
        trials = self.bindings[self.symbols[0]]
        if trials.denominator != 1:
            raise must_be("m", short(trials), "an integer >= 1", f"binomial(m={m})")

    @property
    def is_reference(self) -> bool:
        return self.bindings[m] == 1


class NegativeBinomial(Draws):
    """Negative binomial given N ≥ 1: P(N = k) ∝ C(k + r − 1, k) p^r (1 − p)^k, real r > 0.

    In formulas its r is written k, since r is the reward.
    """

    name = "negative_binomial"
    symbols = (k, p)
    domains = (
        Domain(Fraction(0), lower_closed=False),
        Domain(Fraction(0), lower_closed=False, upper=Fraction(1)),
    )
    pgf = ((p / (ubar + p * u)) ** k - p**k) / (1 - p**k)
    slope = k * (1 - p) / p * (p / (ubar + p * u)) ** (k + 1) / (1 - p**k)
    mean = k * (1 - p) / (p * (1 - p**k))

    def __init__(self, r: RealInput, p: RealInput) -> None:
        self._set(r, p)

    @property
    def is_reference(self) -> bool:
        return False

    def __str__(self) -> str:
        r, p = self.bindings.values()
        return f"{self.name}(r={short(r)}, p={short(p)})"


class Sibuya(Draws):
    """Sibuya(a): G = 1 − (1 − u)^a, 0 < a ≤ 1; E[N] = ∞ for a < 1."""

    name = "sibuya"
    symbols = (a,)
    domains = (_PROBABILITY,)
    pgf = 1 - ubar**a
    slope = a * ubar ** (a - 1)
    inverse = 1 - ubar ** (1 / a)
    inverse_bar = ubar ** (1 / a)

    def __init__(self, a: RealInput) -> None:
        self._set(a)
        self.mean = sympy.S.One if self.is_reference else sympy.oo

    @property
    def tail_power(self) -> Fraction:
        return self.bindings[a]

    @property
    def is_reference(self) -> bool:
        return self.bindings[a] == 1


class LogarithmicSeries(Draws):
    """P(N = k) = β p^k/k with p = 1 − e^{−1/β}, β > 0: G = ln(1 − pu)/ln(1 − p)."""

    name = "logarithmic"
    symbols = (beta,)
    domains = (Domain(Fraction(0), lower_closed=False),)
    # 1 − pu = ū + u e^{−1/β}, so that neither end cancels in the argument of log1p.
    pgf = beta * log1p(-u * expm1(-1 / beta) / (ubar + u * exp(-1 / beta)))
    slope = phi1(-1 / beta) / (ubar + u * exp(-1 / beta))
    inverse = u * phi1(-u / beta) / phi1(-1 / beta)
    inverse_bar = ubar * exp(-u / beta) * phi1(-ubar / beta) / phi1(-1 / beta)
    mean = phi1(1 / beta)

    def __init__(self, beta: RealInput) -> None:
        self._set(beta)

    @property
    def is_reference(self) -> bool:
        return False


class FinitePmf(Draws):
    """Any finite pmf on {1, 2, …}, exact rational masses that sum to one.

    >>> FinitePmf({1: "1/2", 3: "1/2"}).mean
    2
    """

    name = "finite"
    symbols = ()
    domains = ()

    def __init__(self, masses: Mapping[RealInput, RealInput]) -> None:
        self._set()
        self.masses = checked_masses(masses, "finite({...})")
        for value, _ in self.masses:
            if value.denominator != 1 or not 1 <= value <= MAX_DRAWS:
                raise InputError(
                    f"N={short(value)}, but must be an integer from 1 to {MAX_DRAWS} [finite]"
                )
        self.pgf = sympy.Add(*(exact_symbol(q) * u ** int(v) for v, q in self.masses))
        self.slope = sympy.diff(self.pgf, u)
        self.mean = exact_symbol(sum((v * q for v, q in self.masses), Fraction(0)))

    def __str__(self) -> str:
        inside = ", ".join(f"{short(v)}: {short(q)}" for v, q in self.masses)
        return f"finite({{{inside}}})"

    @property
    def is_reference(self) -> bool:
        return self.masses == ((Fraction(1), Fraction(1)),)
