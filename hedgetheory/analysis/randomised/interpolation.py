"""Is there a pgf through given points? Linear programming guesses, balls decide.

A pgf G(x) = Σ_{n≥1} c_n x^n takes the values t_i at 0 < x_1 < … < x_m < 1 for some c ≥ 0 with sum
one iff (t_i) is a mixture of the points (x_i^n)_i.

* Yes: m + 1 exponents whose linear system has a solution that balls show to be positive.
* No: y_0 > 0 and y with h(n) = y_0 + Σ y_i x_i^n > 0 for every n ≥ 1 but y_0 + Σ y_i t_i < 0, since
  a mixture of the h(n) is positive. Beyond n_0 with Σ_{y_i<0} |y_i| x_i^{n_0} < y_0 the first holds
  because its left side decreases in n; up to n_0 every n is checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball

#: Points, exponents of one linear program, exponents checked of a refutation, and its rounds.
MAX_POINTS = 10
COLUMNS = 400
MAX_CHECKED = 20_000
ROUNDS = 12
BITS = 512

#: The points x_i and the values t_i as balls at the current precision.
Points = Callable[[], tuple[list[Any], list[Any]]]


@dataclass(frozen=True)
class Mixture:
    """c_n > 0 at these exponents, as balls of 512 bits that sum to one."""

    exponents: tuple[int, ...]
    weights: tuple[Any, ...]


@dataclass(frozen=True)
class Separation:
    """h(n) = y_0 + Σ y_i x_i^n > 0 for all n ≥ 1, and its value < 0 at the target."""

    constant: Fraction
    weights: tuple[Fraction, ...]
    value: Any
    checked: int


def interpolate(points: Points) -> Mixture | Separation | None:
    """A mixture, a separation, or None where neither was certified."""
    with balls.precision(BITS):
        places, targets = points()
        if len(places) > MAX_POINTS:
            return None
        x, t = [float(v.mid()) for v in places], [float(v.mid()) for v in targets]
        exponents = _exponents(x[-1])
        for _ in range(ROUNDS):
            found = _mixture(places, targets, x, t, exponents)
            if found is not None:
                return found
            guess = _dual(x, t, exponents)
            if guess is None:
                return None
            outcome = _separation(places, targets, *guess)
            if isinstance(outcome, Separation) or outcome is None:
                return outcome
            exponents = sorted({*exponents, *outcome})
    return None


def _exponents(largest: float) -> list[int]:
    """All small n and then a geometric grid, as far as x^n matters."""
    end = 40.0 / -math.log(largest)
    grid = {*range(1, 121)}
    ratio = max(end / 120, 1.0) ** (1 / (COLUMNS - 120))
    grid.update(round(120 * ratio**k) for k in range(COLUMNS - 119))
    return sorted(grid)


def _mixture(
    places: Sequence[Any],
    targets: Sequence[Any],
    x: Sequence[float],
    t: Sequence[float],
    exponents: Sequence[int],
) -> Mixture | None:
    import numpy as np
    from scipy.optimize import linprog

    n = np.array(exponents, float)
    rows = np.vstack([np.ones_like(n), *(np.power(v, n) for v in x)])
    # The least mean number of draws: a vertex, with as many exponents as there are conditions.
    found = linprog(n / n[-1], A_eq=rows, b_eq=[1.0, *t], bounds=(0, None), method="highs-ds")
    if found.status != 0:
        return None
    order = np.argsort(-found.x)[: len(t) + 1]
    chosen = tuple(sorted(int(exponents[i]) for i in order))
    matrix = [[v**k for k in chosen] for v in (ball(Fraction(1)), *places)]
    weights = _solve(matrix, [ball(Fraction(1)), *targets])
    if weights is None or not all(bool(w > 0) for w in weights):
        return None
    return Mixture(chosen, tuple(weights))


def _solve(matrix: list[list[Any]], right: list[Any]) -> list[Any] | None:
    """The solution of a square system in balls, None where a pivot may vanish."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: abs(float(rows[i][k].mid())))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        if not (rows[k][k] > 0 or rows[k][k] < 0):
            return None
        for i in range(k + 1, size):
            factor = rows[i][k] / rows[k][k]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    out: list[Any] = [None] * size
    for k in range(size - 1, -1, -1):
        value = rows[k][size]
        for j in range(k + 1, size):
            value = value - rows[k][j] * out[j]
        out[k] = value / rows[k][k]
    return out


def _dual(
    x: Sequence[float], t: Sequence[float], exponents: Sequence[int]
) -> tuple[Fraction, list[Fraction]] | None:
    """(y_0, y) with h ≥ 0 at the exponents, y_0 ≥ 0, |y| ≤ 1 and the least value at the target."""
    import numpy as np
    from scipy.optimize import linprog

    n = np.array(exponents, float)
    columns = np.column_stack([np.ones_like(n), *(np.power(v, n) for v in x)])
    bounds = [(0, 1), *[(-1, 1)] * len(x)]
    found = linprog([1.0, *t], A_ub=-columns, b_ub=np.zeros_like(n), bounds=bounds, method="highs")
    if found.status != 0 or not found.fun < 0:
        return None
    # A third of the margin is given to y_0, so that h is positive and not merely zero.
    exact = [Fraction(float(v)).limit_denominator(10**15) for v in found.x]
    return exact[0] - Fraction(float(found.fun)) / 3, exact[1:]


def _separation(
    places: Sequence[Any], targets: Sequence[Any], constant: Fraction, weights: list[Fraction]
) -> Separation | list[int] | None:
    """The certificate, the exponents that violate it, or None where nothing is certified."""
    y = [ball(w) for w in weights]
    start = ball(constant)
    value = start
    for w, target in zip(y, targets, strict=True):
        value = value + w * target
    if not (value < 0 and start > 0):
        return None
    powers, violated, n = list(places), [], 1
    while n <= MAX_CHECKED:
        total, negative = start, start * 0
        for w, power in zip(y, powers, strict=True):
            total = total + w * power
            if w < 0:
                negative = negative - w * power
        if not total > 0:
            violated.append(n)
            if len(violated) > 50:
                return violated
        if negative < start:
            return violated or Separation(constant, tuple(weights), value, n)
        powers = [power * place for power, place in zip(powers, places, strict=True)]
        n += 1
    return None
