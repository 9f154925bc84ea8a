"""The definitions in plain mpmath at 300 digits: a second opinion that shares no formula.

Nothing here comes from the laws, the policies or the plans of the package: pgfs, cdfs and moment
generating functions are written down once more, naively, and three hundred digits pay for the
cancellation (parameters and quantiles reach to 2^±40, tails to 10^−200). Scores are numerical
derivatives of ln w, means of a tilt numerical derivatives of K, sums run over the atoms.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import comb
from typing import Any

from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.reference.cases import Job
from hedgetheory.spec.grammar import Pairs, SpecCall, parse_spec

DIGITS = 300
arithmetic = HighPrecision(DIGITS)
mp = arithmetic.context

Function = Callable[[Any], Any]


def exact(value: Fraction) -> Any:
    """A rational as an mpmath number."""
    return mp.mpf(value.numerator) / value.denominator


def _arguments(call: SpecCall) -> list[Any]:
    return [exact(v) if isinstance(v, Fraction) else v for _, v in call.arguments]


# -- policies by rank ------------------------------------------------------------------------------

#: name -> the rank cdf G of its parameters at u, the pgf of the number of draws.
_PGFS: dict[str, Callable[..., Any]] = {
    "bon": lambda u, n: u**n,
    "bop": lambda u, mu: u * mp.exp(mu * (u - 1)),
    "quantile_tilt": lambda u, lam: (mp.exp(lam * u) - 1) / (mp.exp(lam) - 1) if lam else u,
    "ztp": lambda u, lam: (mp.exp(lam * u) - 1) / (mp.exp(lam) - 1) if lam else u,
    "geometric": lambda u, p: p * u / (1 - (1 - p) * u),
    "binomial": lambda u, m, p: ((1 - p + p * u) ** m - (1 - p) ** m) / (1 - (1 - p) ** m),
    "negative_binomial": lambda u, r, p: ((p / (1 - (1 - p) * u)) ** r - p**r) / (1 - p**r),
    "sibuya": lambda u, a: 1 - (1 - u) ** a,
}
#: name -> its derivative in u.
_SLOPES: dict[str, Callable[..., Any]] = {
    "bon": lambda u, n: n * u ** (n - 1),
    "bop": lambda u, mu: (1 + mu * u) * mp.exp(mu * (u - 1)),
    "quantile_tilt": lambda u, lam: lam * mp.exp(lam * u) / (mp.exp(lam) - 1) if lam else mp.one,
    "ztp": lambda u, lam: lam * mp.exp(lam * u) / (mp.exp(lam) - 1) if lam else mp.one,
    "geometric": lambda u, p: p / (1 - (1 - p) * u) ** 2,
    "binomial": lambda u, m, p: m * p * (1 - p + p * u) ** (m - 1) / (1 - (1 - p) ** m),
    "negative_binomial": lambda u, r, p: (
        r * (1 - p) * p**r / (1 - (1 - p) * u) ** (r + 1) / (1 - p**r)
    ),
    "sibuya": lambda u, a: a * (1 - u) ** (a - 1),
}  # fmt: skip


class Rank:
    """A policy that sees the quantile: its G, w = G′ and score in its first parameter."""

    def __init__(self, call: SpecCall) -> None:
        if call.name == "best_of_random":
            inner = call.arguments[0][1]
            assert isinstance(inner, SpecCall)
            call = inner
        self.name, self.parameters = call.name, _arguments(call)
        self.masses: list[tuple[Any, Any]] = []
        if self.name == "finite":
            assert isinstance(self.parameters[0], Pairs)
            self.masses = [
                (exact(k), exact(p)) for k, p in self.parameters[0].items if isinstance(k, Fraction)
            ]

    def cdf(self, u: Any) -> Any:
        if self.masses:
            return mp.fsum(p * u**k for k, p in self.masses)
        return _PGFS[self.name](u, *self.parameters)

    def ratio(self, u: Any) -> Any:
        if self.masses:
            return mp.fsum(p * k * u ** (k - 1) for k, p in self.masses)
        return _SLOPES[self.name](u, *self.parameters)

    def varied(self, theta: Any) -> Rank:
        """The policy with another first parameter."""
        other = object.__new__(Rank)
        other.name, other.masses = self.name, []
        other.parameters = [theta, *self.parameters[1:]]
        return other

    def mean_draws(self) -> Any:
        """G′(1)."""
        return mp.inf if self.name == "sibuya" and self.parameters[0] < 1 else self.ratio(mp.one)


# -- laws ------------------------------------------------------------------------------------------


def _normal_cdf(z: Any) -> Any:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def _student_cdf(r: Any, df: Any) -> Any:
    tail = mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + r * r), regularized=True) / 2
    return 1 - tail if r > 0 else tail


def _laplace_cdf(z: Any) -> Any:
    return mp.exp(z) / 2 if z < 0 else 1 - mp.exp(-z) / 2


def _log_normal(r: Any, m: Any, s: Any) -> Any:
    return (mp.log(r) - m) / s


_ROOT = mp.sqrt(2 * mp.pi)
#: name -> (lower end, upper end, cdf, density) inside of the support.
_CONTINUOUS: dict[str, tuple[Any, Any, Callable[..., Any], Callable[..., Any]]] = {
    "uniform": (0, 1, lambda r: r, lambda r: mp.one),
    "normal": (
        -mp.inf, mp.inf, lambda r, m, s: _normal_cdf((r - m) / s),
        lambda r, m, s: mp.exp(-(((r - m) / s) ** 2) / 2) / (s * _ROOT),
    ),
    "exponential": (
        0, mp.inf, lambda r, rate: 1 - mp.exp(-rate * r), lambda r, rate: rate * mp.exp(-rate * r)
    ),
    "logistic": (
        -mp.inf, mp.inf, lambda r, m, s: 1 / (1 + mp.exp((m - r) / s)),
        lambda r, m, s: mp.exp((m - r) / s) / (s * (1 + mp.exp((m - r) / s)) ** 2),
    ),
    "gumbel": (
        -mp.inf, mp.inf, lambda r, m, s: mp.exp(-mp.exp((m - r) / s)),
        lambda r, m, s: mp.exp((m - r) / s - mp.exp((m - r) / s)) / s,
    ),
    "laplace": (
        -mp.inf, mp.inf, lambda r, m, s: _laplace_cdf((r - m) / s),
        lambda r, m, s: mp.exp(-abs(r - m) / s) / (2 * s),
    ),
    "beta": (
        0, 1, lambda r, a, b: mp.betainc(a, b, 0, r, regularized=True),
        lambda r, a, b: r ** (a - 1) * (1 - r) ** (b - 1) / mp.beta(a, b),
    ),
    "gamma": (
        0, mp.inf, lambda r, k, rate: mp.gammainc(k, 0, rate * r, regularized=True),
        lambda r, k, rate: rate**k * r ** (k - 1) * mp.exp(-rate * r) / mp.gamma(k),
    ),
    "lognormal": (
        0, mp.inf, lambda r, m, s: _normal_cdf(_log_normal(r, m, s)),
        lambda r, m, s: mp.exp(-(_log_normal(r, m, s) ** 2) / 2) / (r * s * _ROOT),
    ),
    "pareto": (1, mp.inf, lambda r, a: 1 - r**-a, lambda r, a: a * r ** (-a - 1)),
    "student_t": (
        -mp.inf, mp.inf, _student_cdf,
        lambda r, df: (1 + r * r / df) ** (-(df + 1) / 2)
        / (mp.sqrt(df) * mp.beta(df / 2, mp.mpf(1) / 2)),
    ),
    "weibull": (
        0, mp.inf, lambda r, k, s: 1 - mp.exp(-((r / s) ** k)),
        lambda r, k, s: k / s * (r / s) ** (k - 1) * mp.exp(-((r / s) ** k)),
    ),
}  # fmt: skip


class Continuous:
    """A law with a density: its cdf, density and moment generating function."""

    def __init__(self, call: SpecCall) -> None:
        self.name, self.parameters = call.name, _arguments(call)
        self.low, self.high, self._cdf, self._pdf = _CONTINUOUS[call.name]

    def inside(self, r: Any) -> bool:
        return bool(self.low < r < self.high)

    def cdf(self, r: Any) -> Any:
        if r <= self.low:
            return mp.zero
        return mp.one if r >= self.high else self._cdf(r, *self.parameters)

    def pdf(self, r: Any) -> Any:
        return self._pdf(r, *self.parameters)

    def tilts(self, lam: Any) -> bool:
        """Whether E[e^{λR}] is finite, λ ≥ 0."""
        limit = _LIMITS.get(self.name)
        return limit is None or lam == 0 or bool(lam < limit(*self.parameters))

    def mgf(self, lam: Any) -> Any:
        """E[e^{λR}] for λ > 0 where it is finite."""
        return _MGFS[self.name](lam, *self.parameters)


class Mixed:
    """A mixture of laws with densities."""

    name = "mixture"

    def __init__(self, call: SpecCall) -> None:
        pairs = call.arguments[0][1]
        assert isinstance(pairs, Pairs)
        self.parts = [(Continuous(c), exact(w)) for c, w in pairs.items if isinstance(c, SpecCall)]

    def inside(self, r: Any) -> bool:
        return all(part.inside(r) for part, _ in self.parts)

    def cdf(self, r: Any) -> Any:
        return mp.fsum(w * part.cdf(r) for part, w in self.parts)

    def pdf(self, r: Any) -> Any:
        return mp.fsum(w * part.pdf(r) for part, w in self.parts)

    def tilts(self, lam: Any) -> bool:
        return all(part.tilts(lam) for part, _ in self.parts)

    def mgf(self, lam: Any) -> Any:
        return mp.fsum(w * part.mgf(lam) for part, w in self.parts)


def _weibull_limit(k: Any, s: Any) -> Any:
    return mp.zero if k < 1 else 1 / s if k == 1 else mp.inf


#: name -> where E[e^{λR}] ceases to be finite, ∞ where it does not.
_LIMITS: dict[str, Callable[..., Any]] = {
    "exponential": lambda rate: rate,
    "logistic": lambda m, s: 1 / s,
    "gumbel": lambda m, s: 1 / s,
    "laplace": lambda m, s: 1 / s,
    "gamma": lambda k, rate: rate,
    "lognormal": lambda m, s: mp.zero,
    "pareto": lambda a: mp.zero,
    "student_t": lambda df: mp.zero,
    "weibull": _weibull_limit,
}
#: name -> E[e^{λR}] where it is finite; Weibull's has no closed form.
_MGFS: dict[str, Callable[..., Any]] = {
    "uniform": lambda lam: (mp.exp(lam) - 1) / lam,
    "normal": lambda lam, m, s: mp.exp(m * lam + (s * lam) ** 2 / 2),
    "exponential": lambda lam, rate: rate / (rate - lam),
    "logistic": lambda lam, m, s: mp.exp(m * lam) * mp.gamma(1 + s * lam) * mp.gamma(1 - s * lam),
    "gumbel": lambda lam, m, s: mp.exp(m * lam) * mp.gamma(1 - s * lam),
    "laplace": lambda lam, m, s: mp.exp(m * lam) / (1 - (s * lam) ** 2),
    "beta": lambda lam, a, b: mp.hyp1f1(a, a + b, lam),
    "gamma": lambda lam, k, rate: (1 - lam / rate) ** -k,
}


_ATOMIC = ("bernoulli", "finite", "poisson", "geometric")


def written_down(job: Job) -> bool:
    """Whether the policy and the law of a case are among those that are written down here."""
    policy, law = (text.partition("(")[0] for text in (job.policy, job.law))
    return law in {*_CONTINUOUS, *_ATOMIC, "mixture"} and policy in {
        *_PGFS, "best_of_random", "tilt", "sbon"
    }  # fmt: skip


@cache
def law_of(text: str) -> Continuous | Mixed | Atoms:
    call = parse_spec(text, "law")
    if call.name == "mixture":
        return Mixed(call)
    return Continuous(call) if call.name in _CONTINUOUS else Atoms(call)


@cache
def rank_of(text: str) -> Rank:
    return Rank(parse_spec(text, "policy"))


# -- laws with atoms -------------------------------------------------------------------------------


class Atoms:
    """A law with atoms in increasing order, a countable one cut where its tail is below 10^−250."""

    def __init__(self, call: SpecCall) -> None:
        self.name, self.parameters = call.name, _arguments(call)
        self.atoms: list[tuple[Any, Any]] = []
        if call.name == "bernoulli":
            (p,) = self.parameters
            self.atoms = [(mp.zero, 1 - p), (mp.one, p)]
        elif call.name == "finite":
            pairs = self.parameters[0]
            self.atoms = [(exact(k), exact(p)) for k, p in pairs.items]
        elif call.name == "poisson":
            (mean,) = self.parameters
            weight, k = mp.exp(-mean), 0
            while k < mean or weight > mp.mpf(10) ** -280:
                self.atoms.append((mp.mpf(k), weight))
                k += 1
                weight *= mean / k
        else:
            (p,) = self.parameters
            weight, k = p, 1
            while weight > mp.mpf(10) ** -280:
                self.atoms.append((mp.mpf(k), weight))
                k, weight = k + 1, weight * (1 - p)
        self.cumulative = [mp.zero]
        for _, mass in self.atoms:
            self.cumulative.append(self.cumulative[-1] + mass)
        if call.name in ("bernoulli", "finite"):
            self.cumulative[-1] = mp.one

    @property
    def countable(self) -> bool:
        return self.name in ("poisson", "geometric")

    def by_rank(self, policy: Rank) -> list[Any]:
        """π of each atom: G(F(r)) − G(F(r−))."""
        steps = [policy.cdf(u) if u else mp.zero for u in self.cumulative]
        return [after - before for before, after in pairwise(steps)]

    def tilted(self, lam: Any) -> list[Any]:
        top = self.atoms[-1][0]
        weights = [mass * mp.exp(lam * (r - top)) for r, mass in self.atoms]
        whole = mp.fsum(weights)
        return [weight / whole for weight in weights]

    def soft(self, draws: int, lam: Any) -> list[Any]:
        """π of each atom under softmax among ``draws``, by enumeration of the counts."""
        top = self.atoms[-1][0]
        weights = [mp.exp(lam * (r - top)) for r, _ in self.atoms]
        found = [mp.zero for _ in self.atoms]
        for counts in _compositions(draws, len(self.atoms)):
            chance, left = mp.one, draws
            for count, (_, mass) in zip(counts, self.atoms, strict=True):
                chance *= comb(left, count) * mass**count
                left -= count
            whole = mp.fsum(c * w for c, w in zip(counts, weights, strict=True))
            for place, count in enumerate(counts):
                found[place] += chance * count * weights[place] / whole
        return found


def _compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(total,)]
    return [
        (first, *rest)
        for first in range(total + 1)
        for rest in _compositions(total - first, parts - 1)
    ]
