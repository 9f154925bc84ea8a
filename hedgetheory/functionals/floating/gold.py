"""The value of a polynomial gold curve and its slope, without the cancellation of monomials.

Bernstein's form g = Σ b_j B_j, B_j = C(m,j) u^j ū^{m−j}, has a basis of positive functions: with
|c_k| the coefficients in u or in ū, Σ|b_j| E[B_j] <= Σ|c_k| E[U^k], and likewise for Ū, since the
monomials are sums of the B_j with positive coefficients. Two statements of f are compared at each
parameter, and the better conditioned one is taken:

    f = E_θ[g] = Σ b_j E_θ[B_j],                    and, from the identity policy,
    f = f(0) + ∫ g′ (u − G) du,                     where u − G >= 0 and f(0) is exact,
    f′ = ∫ g′ (−∂G/∂θ) du                           where −∂G/∂θ >= 0,

with g′ = m Σ Δb_j B_{j,m−1}: a constant in g never enters the slope.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property, lru_cache
from math import comb
from typing import Any

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import u
from hedgetheory.functionals.floating.grids import Grid, unit_grid
from hedgetheory.functionals.floating.points import Values
from hedgetheory.numerics.kernels import Array

#: Above this degree a polynomial is refused.
MAX_DEGREE = 48
#: Nodes of the unit interval beside the degree, and parameters at a time.
NODES, ROWS = 64, 128


class Polynomial:
    """A polynomial on [0, 1] with exact coefficients, the constant first."""

    def __init__(self, coefficients: tuple[Fraction, ...]) -> None:
        self.coefficients = coefficients
        self.degree = len(coefficients) - 1

    @cached_property
    def bernstein(self) -> tuple[Fraction, ...]:
        """b_j = Σ_k c_k C(j,k)/C(m,k)."""
        m = self.degree
        return tuple(
            sum((self.coefficients[k] * Fraction(comb(j, k), comb(m, k)) for k in range(j + 1)),
                Fraction(0))
            for j in range(m + 1)
        )  # fmt: skip

    @cached_property
    def in_ubar(self) -> tuple[Fraction, ...]:
        """Its coefficients in ū = 1 − u."""
        return tuple(
            sum((c * comb(k, j) * (-1) ** j for k, c in enumerate(self.coefficients)), Fraction(0))
            for j in range(self.degree + 1)
        )

    @cached_property
    def derivative(self) -> Polynomial:
        return Polynomial(
            tuple(k * c for k, c in enumerate(self.coefficients))[1:] or (Fraction(0),)
        )

    @cached_property
    def integral(self) -> Fraction:
        """∫₀¹, the mean under the reference."""
        return sum((c / (k + 1) for k, c in enumerate(self.coefficients)), Fraction(0))

    def on(self, grid: Grid) -> tuple[Array, Array]:
        """Σ b_j B_j and Σ |b_j| B_j at the nodes: the first right to some ulp of the second."""
        value, size = np.zeros_like(grid.u), np.zeros_like(grid.u)
        for j, b in enumerate(self.bernstein):
            term = float(b * comb(self.degree, j)) * grid.u**j * grid.ubar ** (self.degree - j)
            value += term
            size += np.abs(term)
        return value, size

    # -- Best-of-n in closed form: x = n − 1 -----------------------------------------------------

    def under_best_of_n(self, x: Values) -> Values:
        """E[g(U)] with E[B_m] = n/(n + m), E[B_{j−1}] = E[B_j] j/(n + j − 1)."""
        m, b = self.degree, self.bernstein
        moment = (1.0 + x) / (1.0 + x + m)
        total, size = float(b[m]) * moment, abs(float(b[m])) * moment
        for j in range(m, 0, -1):
            moment = moment * (j / (x + j))
            total = total + float(b[j - 1]) * moment
            size = size + abs(float(b[j - 1])) * moment
        if m == 0:
            return total
        # ∫ B_{j,m−1} (u − uⁿ) du = (j + 1)/(m (m + 1)) e_j, e_j = 1 − Π_{i>j} (1 − x/(n + i)).
        start = float(self.integral)
        excess, excess_size = np.zeros_like(total), np.full_like(total, abs(start))
        e = np.zeros_like(total)
        for j in range(m - 1, -1, -1):
            e = e + x / (2.0 + x + j) * (1.0 - e)
            weight = float((b[j + 1] - b[j]) * Fraction(j + 1, m + 1))
            excess = excess + weight * e
            excess_size = excess_size + abs(weight) * e
        return np.where(excess_size < size, start + excess, total)

    def slope_under_best_of_n(self, x: Values) -> Values:
        """∫ g′ uⁿ (−ln u) du, with ∫ u^{a−1} ū^{b−1} (−ln u) du = B(a, b) Σ_{i<b} 1/(a + i)."""
        m, b = self.degree, self.bernstein
        total = np.zeros_like(x)
        moment, logs = np.ones_like(x), np.zeros_like(x)
        for j in range(m - 1, -1, -1):
            step = 1.0 / (2.0 + x + j)
            moment = moment * (step * (j + 1 if j < m - 1 else 1))
            logs = logs + step
            total = total + float(m * (b[j + 1] - b[j])) * (moment * logs)
        return total


@lru_cache(maxsize=64)
def polynomial_of(expr: Any) -> Polynomial:
    """A polynomial in u or r with rational coefficients.

    Raises InputError for anything else, and above degree `MAX_DEGREE`.
    """
    import sympy

    where = "[evaluate(gold=...)]"
    (symbol,) = expr.free_symbols or {u}
    try:
        terms = sympy.Poly(expr, symbol, domain="QQ").terms()
    except sympy.PolynomialError:
        raise InputError(
            f"gold={expr}, but must be a polynomial with rational coefficients here: use "
            f"value(..., 'gold') {where}"
        ) from None
    except sympy.CoercionFailed:
        raise InputError(f"gold={expr} has a coefficient that is not rational {where}") from None
    degree = max(k for (k,), _ in terms)
    if degree > MAX_DEGREE:
        raise InputError(f"gold has degree {degree}, but must be at most {MAX_DEGREE} {where}")
    coefficients = [Fraction(0)] * (degree + 1)
    for (k,), c in terms:
        coefficients[k] = Fraction(int(c.p), int(c.q))
    return Polynomial(tuple(coefficients))


def value_by_nodes(formulas: Any, theta: Array, gold: Polynomial) -> Array:
    """f where the policy states ratio, push and far moments: by nodes up to `edge`, then by Ū^k."""
    return _by_distance(formulas, theta, gold, _near_value, _far_value)


def slope_by_nodes(formulas: Any, theta: Array, gold: Polynomial) -> Array:
    """f′ in the same two ways."""
    return _by_distance(formulas, theta, gold, _near_slope, _far_slope)


def edge(gold: Polynomial) -> float:
    """From here on Ū is so nearly a gamma variable over θ that its moments are those.

    P(Gamma(m + 1) > 8m) and P(Gamma(2) > 60) are below 1e-24; and in Σ d_k E[Ū^k] with
    E[Ū^k] <= k!/θ^k <= m^k/(8m)^k the coefficients of ū^j (1 − ū)^i cost no more than a factor
    (1 − 1/8)^{−2}.
    """
    return max(60.0, 8.0 * gold.degree)


def _by_distance(formulas: Any, theta: Array, gold: Polynomial, near: Any, far: Any) -> Array:
    flat = np.ascontiguousarray(theta, dtype=np.float64).reshape(-1)
    out = np.empty_like(flat)
    limit = edge(gold)
    is_far = flat >= limit
    out[is_far] = far(formulas, flat[is_far], gold)
    where = np.flatnonzero(~is_far)
    for start in range(0, where.size, ROWS):
        part = where[start : start + ROWS]
        out[part] = near(formulas, flat[part][:, None], gold)
    return out.reshape(theta.shape)


def _near_value(formulas: Any, theta: Array, gold: Polynomial) -> Array:
    grid = unit_grid(NODES + gold.degree)
    value, size = gold.on(grid)
    slope, slope_size = gold.derivative.on(grid)
    w, push = formulas.ratio_on(theta, grid) * grid.weights, formulas.push(theta, grid)
    push *= grid.weights
    start = float(gold.integral)
    nearby = abs(start) + push @ slope_size < w @ size
    result: Array = np.where(nearby, start + push @ slope, w @ value)
    return result


def _near_slope(formulas: Any, theta: Array, gold: Polynomial) -> Array:
    grid = unit_grid(NODES + gold.degree)
    result: Array = (formulas.push_rate(theta, grid) * grid.weights) @ gold.derivative.on(grid)[0]
    return result


def _far_value(formulas: Any, theta: Array, gold: Polynomial) -> Array:
    # E[Ū^k] = k!/θ^k (1 − a k/θ), a = 1 under Best-of-Poisson and 0 under the tilt.
    step = 1.0 / theta
    power, total = np.ones_like(theta), np.full_like(theta, float(gold.in_ubar[0]))
    for k, d in enumerate(gold.in_ubar[1:], start=1):
        power = power * (k * step)
        total += float(d) * (power * (1.0 - formulas.far_shift * k * step))
    return total


def _far_slope(formulas: Any, theta: Array, gold: Polynomial) -> Array:
    # Its derivative, −k k!/θ^{k+1} (1 − a (k + 1)/θ).
    step = 1.0 / theta
    power, total = step.copy(), np.zeros_like(theta)
    for k, d in enumerate(gold.in_ubar[1:], start=1):
        power = power * (k * step)
        total -= float(k * d) * (power * (1.0 - formulas.far_shift * (k + 1) * step))
    return total
