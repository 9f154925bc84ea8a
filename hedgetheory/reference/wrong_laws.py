"""Wrong selection policies in float64: every functional of a likelihood ratio that is not the one.

Hints need a wrong implementation's numbers, to some six digits. A wrong rank law is one function
ln w̃(u) up to a constant; everything else is derived from it by quadrature on one grid of (0, 1),
geometric towards both ends. Nothing here certifies anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from scipy import special

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
#: ln w̃, up to a constant, at u and ū = 1 − u.
LogRatio: TypeAlias = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Grid:
    """Nodes u, their distances ū from 1, and weights, on (0, 1)."""

    u: Array
    ubar: Array
    weight: Array

    def up_to(self, end: float) -> Grid:
        """The same on (0, end)."""
        return Grid(self.u * end, 1 - end + end * self.ubar, self.weight * end)


@lru_cache(maxsize=1)
def grid() -> Grid:
    """Sixteen Gauss–Legendre nodes on each panel (2^-(k+1), 2^-k), from both ends."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    edges = np.concatenate([[0.0], 0.5 ** np.arange(60, 0, -1)])
    left, width = edges[:-1, None], np.diff(edges)[:, None]
    half = (left + width * (nodes + 1) / 2).ravel()
    weight = (width * weights / 2).ravel()
    return Grid(
        np.concatenate([half, 1 - half]),
        np.concatenate([1 - half, half]),
        np.concatenate([weight, weight]),
    )


@dataclass(frozen=True)
class FloatLaw:
    """A law without atoms in float64: quantile function of (u, ū), cdf and density of a reward."""

    quantile: Callable[[Array, Array], Array]
    cdf: Callable[[float], float]
    density: Callable[[float], float]


def float_law(name: str, p: Mapping[str, float]) -> FloatLaw | None:
    """Uniform, normal, exponential, logistic; None for any other."""
    if name == "uniform":
        return FloatLaw(lambda u, _: u, lambda r: min(max(r, 0), 1), lambda r: float(0 <= r <= 1))
    if name == "exponential":
        rate = p.get("rate", 1.0)
        return FloatLaw(
            lambda _, ubar: -np.log(ubar) / rate,
            lambda r: float(-np.expm1(-rate * max(r, 0))),
            lambda r: float(rate * np.exp(-rate * r)) if r >= 0 else 0.0,
        )
    if name == "normal":
        mean, sd = p.get("mean", 0.0), p.get("sd", 1.0)
        return FloatLaw(
            lambda u, ubar: mean + sd * np.where(u < 0.5, special.ndtri(u), -special.ndtri(ubar)),
            lambda r: float(special.ndtr((r - mean) / sd)),
            lambda r: float(np.exp(-(((r - mean) / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))),
        )
    if name == "logistic":
        loc, scale = p.get("loc", 0.0), p.get("scale", 1.0)
        return FloatLaw(
            lambda u, ubar: loc + scale * (np.log(u) - np.log(ubar)),
            lambda r: float(special.expit((r - loc) / scale)),
            lambda r: (
                float(special.expit((r - loc) / scale) * special.expit((loc - r) / scale)) / scale
            ),
        )
    return None


@dataclass(frozen=True)
class Asked:
    """What a functional needs beside the ratio: the law, a place u, a reward, an order, gold."""

    quantity: str
    law: FloatLaw
    u: float | None = None
    reward: float | None = None
    order: float | None = None
    gold: str | None = None


def functional(log_ratio: LogRatio, asked: Asked, log_total: float | None = None) -> float | None:
    """A quantity of the law w̃ dF, normalised unless ``log_total`` gives another constant."""
    g = grid()
    raw = log_ratio(g.u, g.ubar)
    top = float(np.max(raw))
    if log_total is None:
        log_total = top + float(np.log(np.sum(g.weight * np.exp(raw - top))))
    log_w = raw - log_total
    mass = g.weight * np.exp(log_w)
    quantity = asked.quantity
    if quantity == "kl":
        return float(np.sum(mass * np.where(mass > 0, log_w, 0)))
    if quantity == "chi2":
        return float(np.sum(mass * np.exp(log_w))) - 1
    if quantity == "renyi" and asked.order is not None and asked.order != 1:
        moment = np.sum(g.weight * np.exp(asked.order * log_w))
        return float(np.log(moment)) / (asked.order - 1)
    if quantity == "total_variation":
        return float(np.sum(g.weight * np.abs(np.expm1(log_w)))) / 2
    if quantity in ("mean_quantile", "win_rate"):
        return float(np.sum(mass * g.u))
    if quantity == "mean_reward":
        return float(np.sum(mass * asked.law.quantile(g.u, g.ubar)))
    if quantity == "gold" and asked.gold is not None:
        values = gold_values(asked.gold, g.u, asked.law.quantile(g.u, g.ubar))
        return None if values is None else float(np.sum(mass * values))
    if asked.u is None:
        return None
    place = np.array([asked.u])
    ratio = float(np.exp(log_ratio(place, 1 - place) - log_total)[0])
    if quantity == "ratio":
        return ratio
    if quantity == "density" and asked.reward is not None:
        return ratio * asked.law.density(asked.reward)
    if quantity == "cdf":
        part = g.up_to(asked.u)
        return float(np.sum(part.weight * np.exp(log_ratio(part.u, part.ubar) - log_total)))
    return None


def gold_values(text: str, u: Array, r: Array) -> Array | None:
    """A gold formula of + - * / ** at nodes; None for one with anything else in it."""

    def value(node: ast.AST) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return float(node.value)
        if isinstance(node, ast.Name) and node.id in ("u", "r"):
            return u if node.id == "u" else r
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](value(node.left), value(node.right))
        raise KeyError(type(node).__name__)

    try:
        return np.asarray(value(ast.parse(text, mode="eval").body) + 0 * u, dtype=np.float64)
    except (KeyError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}


# -- Soft Best-of-n on the uniform law -------------------------------------------------------------


def soft_masses(n: float, lam: float) -> tuple[Array, Array]:
    """Nodes u and their probabilities under Soft Best-of-n on the uniform law, λ > 0.

    w(u) = n ∫ e^{λu} e^{−t e^{λu}} φ(t)^{n−1} dt by the trapezoid rule in ln t, with
    φ(t) = (E₁(t) − E₁(te^λ))/λ. An independent float64 version of what the package certifies.
    """
    nodes, weights = np.polynomial.legendre.leggauss(96)
    u, weight, step = (nodes + 1) / 2, weights / 2, 0.25
    log_t = np.arange(-lam - 45, 6, step)
    phi = (special.exp1(np.exp(log_t)) - special.exp1(np.exp(log_t + lam))) / lam
    rate = np.exp(log_t[None, :] + lam * u[:, None])
    return u, weight * n * step * np.sum(rate * np.exp(-rate) * phi ** (n - 1), axis=1)
