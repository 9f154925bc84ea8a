"""Best of a random number N of draws: mixtures of Best-of-n, with what S responses cannot reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.table import Array

#: Functions of (k or u, parameters by name): the parameters are floats or columns of shape (·, 1).
Law: TypeAlias = Callable[..., Array]


@dataclass(frozen=True, slots=True)
class RandomDraws:
    """The law of N ≥ 1: P(N = k), P(N > k) and E[u^N], which is the rank cdf of the best of N."""

    name: str
    parameters: tuple[str, ...]
    mass: Law
    beyond: Law
    pgf: Law
    mean: Callable[..., float]
    domain: Callable[..., Any]
    domain_text: str

    def mixture(self, size: int, **given: ArrayLike) -> tuple[Array, Array]:
        """Weights on Best-of-n, n = 1..S, everything from S on at n = S; and P(N > S).

        So **N is capped at S**: ``best_of_n_values(g) @ mixture.T`` is unbiased for the best of
        min(N, S), which differs from the best of N in expectation by at most P(N > S) times the
        range of the gold score.

        ``given``: the parameters by name, scalars or of one shape (k,). Returns (k, S), rows
        summing to one, and (k,). Raises InputError outside the domain.

        >>> DRAWS["geometric"].mixture(3, p=[0.5])
        (array([[0.5 , 0.25, 0.25]]), array([0.125]))
        """
        columns = self._columns(size, given)
        k = np.arange(1, size)
        weights = np.empty((len(next(iter(columns.values()))), size))
        weights[:, :-1] = self.mass(k, **columns)
        # P(N > S − 1), which the masses before S leave.
        weights[:, -1] = np.asarray(self.beyond(size - 1.0, **columns))[:, 0]
        return weights, np.asarray(self.beyond(float(size), **columns))[:, 0]

    def _columns(self, size: int, given: Mapping[str, ArrayLike]) -> dict[str, Array]:
        call = f"{self.name}.mixture({', '.join(self.parameters)})"
        if size < 1:
            raise must_be("size", size, "an integer >= 1", call)
        if set(given) != set(self.parameters):
            raise InputError(f"{self.name} takes {' and '.join(self.parameters)} [{call}]")
        arrays = [np.atleast_1d(np.asarray(given[name], np.float64)) for name in self.parameters]
        columns = [a[:, None] for a in np.broadcast_arrays(*arrays)]
        by_name = dict(zip(self.parameters, columns, strict=True))
        if not (all(np.isfinite(a).all() for a in columns) and np.all(self.domain(**by_name))):
            shown = ", ".join(f"{k}={given[k]!r}" for k in self.parameters)
            raise InputError(f"{shown}, but must be {self.domain_text} [{call}]")
        return by_name


def finite_mixture(masses: Mapping[int, float], size: int) -> tuple[Array, float]:
    """The same for a finite pmf of N: weights (S,) on Best-of-n and P(N > S).

    >>> finite_mixture({1: 0.5, 3: 0.5}, 2)
    (array([0.5, 0.5]), 0.5)

    Raises InputError unless N ≥ 1 are integers whose masses are ≥ 0 and sum to one.
    """
    total = sum(masses.values())
    whole = all(int(k) == k >= 1 and m >= 0 for k, m in masses.items())
    if not (whole and abs(total - 1) < 1e-9):
        raise InputError("masses must map integers N >= 1 to probabilities that sum to one")
    weights = np.zeros(size)
    for k, mass in masses.items():
        weights[min(int(k), size) - 1] += mass / total
    return weights, float(sum(m for k, m in masses.items() if k > size) / total)


def _log_truncation(lam: Array) -> Array:
    """ln((e^λ − 1)/λ), 0 at λ = 0, without overflow."""
    from scipy.special import exprel

    small = np.minimum(lam, 1.0)
    large = np.maximum(lam, 1.0)
    tail = large + np.log(-np.expm1(-large)) - np.log(large)
    return np.asarray(np.where(lam <= 1, np.log(exprel(small)), tail))


def _ztp_mass(k: Array, lam: Array) -> Array:
    from scipy.special import gammaln, xlogy

    return np.asarray(np.exp(xlogy(k - 1.0, lam) - gammaln(k + 1.0) - _log_truncation(lam)))


def _ztp_beyond(k: float, lam: Array) -> Array:
    from scipy.special import gammainc

    if k == 0:
        return np.ones_like(lam)
    below = np.maximum(-np.expm1(-lam), 1e-300)
    return np.asarray(np.where(lam > 0, gammainc(k + 1, lam) / below, 0.0))


def _ztp_pgf(u: Array, lam: Array) -> Array:
    safe = np.maximum(lam, 1e-300)
    tilted = np.exp(-safe * (1 - u)) * np.expm1(-safe * u) / np.expm1(-safe)
    return np.asarray(np.where(lam > 1e-300, tilted, u))


def _poisson_mass(k: Array, mu: Array) -> Array:
    from scipy.special import gammaln, xlogy

    return np.asarray(np.exp(xlogy(k - 1.0, mu) - mu - gammaln(np.asarray(k, float))))


def _poisson_beyond(k: float, mu: Array) -> Array:
    from scipy.special import gammainc

    return np.ones_like(mu) if k == 0 else np.asarray(gammainc(k, mu))


def _binomial_mass(k: Array, m: Array, p: Array) -> Array:
    from scipy.special import gammaln, xlog1py, xlogy

    left = np.maximum(m - k, 0)
    logs = gammaln(m + 1) - gammaln(k + 1.0) - gammaln(left + 1) + xlogy(k, p) + xlog1py(left, -p)
    return np.asarray(np.where(k <= m, np.exp(logs) / -np.expm1(xlog1py(m, -p)), 0.0))


def _binomial_beyond(k: float, m: Array, p: Array) -> Array:
    from scipy.special import betainc, xlog1py

    reach = betainc(k + 1, np.maximum(m - k, 1e-9), p) / -np.expm1(xlog1py(m, -p))
    return np.ones_like(p) if k == 0 else np.asarray(np.where(k < m, reach, 0.0))


def _binomial_pgf(u: Array, m: Array, p: Array) -> Array:
    none = (1 - p) ** m
    return np.asarray(((1 - p * (1 - u)) ** m - none) / (1 - none))


def _negative_mass(k: Array, r: Array, p: Array) -> Array:
    from scipy.special import gammaln, xlogy

    logs = gammaln(k + r) - gammaln(r) - gammaln(k + 1.0) + xlogy(r, p) + k * np.log1p(-p)
    return np.asarray(np.exp(logs) / -np.expm1(xlogy(r, p)))


def _negative_beyond(k: float, r: Array, p: Array) -> Array:
    from scipy.special import betainc, xlogy

    return np.asarray(betainc(k + 1, r, 1 - p) / -np.expm1(xlogy(r, p)))


def _negative_pgf(u: Array, r: Array, p: Array) -> Array:
    # (p/(1 − (1−p)u))^r − p^r = p^r ((1 − (1−p)u)^−r − 1), the bracket without cancellation.
    inner = np.expm1(-r * np.log1p(-(1 - p) * u))
    return np.asarray(inner / np.expm1(-r * np.log(p)))


def _sibuya_beyond(k: ArrayLike, a: Array) -> Array:
    """Π_{j≤k} (1 − a/j) = Γ(k + 1 − a)/(Γ(1 − a) k!)."""
    from scipy.special import gammaln

    k = np.asarray(k, float)
    inside = np.minimum(a, 1 - 2.0**-53)
    logs = gammaln(k + 1 - inside) - gammaln(1 - inside) - gammaln(k + 1)
    return np.asarray(np.where((k > 0) & (a == 1), 0.0, np.exp(logs)))


def _logarithmic_mass(k: Array, beta: Array) -> Array:
    return np.asarray(beta * np.exp(k * np.log(-np.expm1(-1 / beta))) / k)


def _logarithmic_beyond(k: float, beta: Array) -> Array:
    """P(N > k) = β ∫₀ᵖ x^k/(1 − x) dx = ∫₀¹ (1 − e^{−y/β})^k dy, by Gauss-Legendre on panels."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    # The integrand rises from 0 to 1 at y/β = ln k within a few units of y/β.
    count = int(min(max(np.max(1 / beta), 1.0), 200.0)) + 1
    y = (np.arange(count)[:, None] + (nodes + 1) / 2).ravel() / count
    inner = np.exp(k * np.log(-np.expm1(-y / beta)))
    return np.asarray((inner @ np.tile(weights / 2, count) / count)[:, None])


def _logarithmic_pgf(u: Array, beta: Array) -> Array:
    return np.asarray(beta * np.log1p(-u * np.expm1(-1 / beta) / (1 - u + u * np.exp(-1 / beta))))


def _is_share(p: Array) -> Any:
    return (p > 0) & (p <= 1)


#: Best-of-Poisson beside the laws of best_of_random: N = 1 + Poisson(μ).
DRAWS: Mapping[str, RandomDraws] = MappingProxyType(
    {
        law.name: law
        for law in (
            RandomDraws(
                *("bop", ("mu",), _poisson_mass, _poisson_beyond),
                lambda u, mu: u * np.exp(-mu * (1 - u)),
                lambda mu: 1 + mu,
                lambda mu: mu >= 0,
                "finite and >= 0",
            ),
            RandomDraws(
                *("ztp", ("lam",), _ztp_mass, _ztp_beyond, _ztp_pgf),
                lambda lam: float(lam / -np.expm1(-lam)) if lam > 0 else 1.0,
                lambda lam: lam >= 0,
                "finite and >= 0",
            ),
            RandomDraws(
                *("geometric", ("p",)),
                lambda k, p: p * (1 - p) ** (k - 1),
                lambda k, p: (1 - p) ** k,
                lambda u, p: p * u / (1 - (1 - p) * u),
                lambda p: 1 / p,
                _is_share,
                "in (0, 1]",
            ),
            RandomDraws(
                *("binomial", ("m", "p"), _binomial_mass, _binomial_beyond, _binomial_pgf),
                lambda m, p: float(m * p / -np.expm1(m * np.log1p(-p))) if p < 1 else float(m),
                lambda m, p: (m >= 1) & (m == np.floor(m)) & _is_share(p),
                "an integer m >= 1 and p in (0, 1]",
            ),
            RandomDraws(
                *("negative_binomial", ("r", "p")),
                *(_negative_mass, _negative_beyond, _negative_pgf),
                lambda r, p: float(r * (1 - p) / p / -np.expm1(r * np.log(p))),
                lambda r, p: (r > 0) & (p > 0) & (p < 1),
                "r > 0 and p in (0, 1)",
            ),
            RandomDraws(
                *("sibuya", ("a",)),
                lambda k, a: _sibuya_beyond(k - 1, a) * a / k,
                _sibuya_beyond,
                lambda u, a: 1 - (1 - u) ** a,
                lambda a: 1.0 if a == 1 else float("inf"),
                lambda a: _is_share(p=a),
                "in (0, 1]",
            ),
            # GRPO's optimum with the k3 penalty, on the quantile.
            RandomDraws(
                *("logarithmic", ("beta",)),
                *(_logarithmic_mass, _logarithmic_beyond, _logarithmic_pgf),
                lambda beta: float(beta * np.expm1(1 / beta)),
                lambda beta: beta >= 1e-3,
                "finite and >= 0.001",
            ),
        )
    }
)
