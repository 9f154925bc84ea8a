"""Regularised incomplete gamma and beta functions: both tails as logarithms, in pairs.

scipy's float64 tails lose the relative accuracy of ln u that n ln u needs, and underflow where ln u
does not. Here the tail that does not cancel is summed in pairs,

    P(a, x) = x^a e^{−x}/Γ(a + 1) Σ_k x^k/((a + 1) … (a + k)),              x < a + 1,
    Q(a, x) = x^a e^{−x}/Γ(a) 1/(x + 1 − a − 1(1 − a)/(x + 3 − a − …)),      x >= a + 1,
    I_x(a, b) = x^a (1 − x)^b/(a B(a, b)) 1/(1 + d₁x/(1 + d₂x/(1 + …))),     x < (a + 1)/(a + b + 2)

(DLMF 8.11.4, 8.9.2, 8.17.22), and the other one is its complement: a pair has room for what 1 − P
cancels. The factor before the sum is a logarithm with constants from mpmath, so that no power or
Γ function is taken in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from hedgetheory.numerics.kernels.pairs import (
    as_pair,
    choose,
    exp_pair,
    expm1_pair,
    log1p_pair,
    log_pair,
    negative,
    pair_of,
    pair_product,
    pair_quotient,
    pair_sum,
)
from hedgetheory.numerics.kernels.pieces import Pair, mp_context

Constant: TypeAlias = tuple[float, float]
#: Shapes outside are refused: the sums would be long, and 1 − P would cancel the digits of a pair.
LEAST_SHAPE, GREATEST_SHAPE = Fraction(1, 10**6), Fraction(10**4)
#: The relative size of the terms left out.
_REST = 2.0**-72


def constant(value: Any) -> Constant:
    """An mpmath number as a pair."""
    high = float(value)
    return high, float(value - high)


@lru_cache(maxsize=256)
def log_gamma_constant(a: Fraction) -> Constant:
    """ln Γ(a)."""
    mp = mp_context()
    return constant(mp.loggamma(mp.mpf(a.numerator) / a.denominator))


@lru_cache(maxsize=256)
def log_beta_constant(a: Fraction, b: Fraction) -> Constant:
    """ln B(a, b)."""
    mp = mp_context()
    p, q = (mp.mpf(s.numerator) / s.denominator for s in (a, b))
    return constant(mp.loggamma(p) + mp.loggamma(q) - mp.loggamma(p + q))


def log_one_minus_exp(y: Pair) -> Pair:
    """ln(1 − e^{−y}), y > 0; the logarithm of 0, −1e200, at y = 0."""
    positive = y[0] > 0
    small = positive & (y[0] < 0.6)
    one = np.ones_like(y[0]), np.zeros_like(y[0])
    low = log_pair(choose(small, negative(expm1_pair(negative(choose(small, y, one)))), one))
    high = log1p_pair(negative(exp_pair(negative(choose(positive & ~small, y, one)))))
    zero = np.full_like(y[0], -1e200), np.zeros_like(y[0])
    return choose(small, low, choose(positive, high, zero))


def log_gamma_tails(a: Fraction, x: Pair, log_x: Pair) -> tuple[Pair, Pair]:
    """ln P(a, x) and ln Q(a, x), x >= 0."""
    # Beyond 1e200 nothing is left of Q but −x; the continued fraction would overflow.
    front = pair_sum(pair_product(log_x, as_pair(pair_of(a), x[0])), negative(x))
    front = pair_sum(front, negative(as_pair(log_gamma_constant(a + 1), x[0])))
    lower = x[0] < float(a) + 1.0
    tail = _where(lower, x, lambda part: log_pair(_lower_series(a, part)))
    upper = _where(~lower, x, lambda part: _log_upper(a, part))
    direct = pair_sum(front, choose(lower, tail, upper))
    other = log_one_minus_exp(negative(direct))
    return choose(lower, direct, other), choose(lower, other, direct)


def _where(selected: Any, x: Pair, function: Callable[[Pair], Pair]) -> Pair:
    """The function where it is wanted, 0 elsewhere."""
    out = np.zeros_like(x[0]), np.zeros_like(x[0])
    if selected.any():
        out[0][selected], out[1][selected] = function((x[0][selected], x[1][selected]))
    return out


def _lower_series(a: Fraction, x: Pair) -> Pair:
    """Σ x^k/((a + 1) … (a + k)): positive terms, whose ratios decrease."""
    one = np.ones_like(x[0]), np.zeros_like(x[0])
    total, term, k = one, one, 0
    while True:
        k += 1
        ratio = pair_quotient(x, as_pair(pair_of(a + k), x[0]))
        term = pair_product(term, ratio)
        total = pair_sum(total, term)
        # Once ratios are below 1/2 the rest is less than the last term.
        if (ratio[0] < 0.5).all() and (term[0] < _REST * total[0]).all():
            return total


def _log_upper(a: Fraction, x: Pair) -> Pair:
    """ln of a over the continued fraction of Q."""
    x = np.minimum(x[0], 1e200), np.where(x[0] < 1e200, x[1], 0.0)
    count = _terms_of_gamma(a, float(x[0].min()))
    numerators, steps = _gamma_coefficients(a, count)
    f = pair_sum(x, as_pair(steps[count], x[0]))
    for k in range(count, 0, -1):
        quotient = pair_quotient(as_pair(numerators[k], x[0]), f)
        f = pair_sum(pair_sum(x, as_pair(steps[k - 1], x[0])), negative(quotient))
    factor = as_pair(pair_of(a), x[0])
    return pair_sum(log_pair(factor), negative(log_pair(f)))


@lru_cache(maxsize=64)
def _gamma_coefficients(a: Fraction, count: int) -> tuple[list[Constant], list[Constant]]:
    """k(k − a) and 2k + 1 − a."""
    ks = range(count + 1)
    return [pair_of(k * (k - a)) for k in ks], [pair_of(2 * k + 1 - a) for k in ks]


def _terms_of_gamma(a: Fraction, x: float) -> int:
    """Twice the terms that the fraction at its least x, where it is slowest, needs in float64."""
    s = float(a)

    def step(k: int) -> tuple[float, float]:
        return -k * (k - s), x + 2 * k + 1 - s

    return _twice_until_settled(x + 1 - s, step)


def _twice_until_settled(first: float, step: Callable[[int], tuple[float, float]]) -> int:
    """Lentz's forward evaluation of first + a₁/(b₁ + a₂/(b₂ + …)) until a factor is 1.

    Rounded to a power of two and more, so that few lists of coefficients are made.
    """
    c, d, k = first or 1e-30, 0.0, 0
    while k < 100_000:
        k += 1
        above, below = step(k)
        d = 1.0 / ((below + above * d) or 1e-30)
        c = (below + above / c) or 1e-30
        if abs(c * d - 1.0) < 2.0**-51:
            break
    return int(2 ** np.ceil(np.log2(2 * k + 8)))


def log_beta_tails(a: Fraction, b: Fraction, x: Pair, xbar: Pair, logs: tuple[Pair, Pair]) -> Any:
    """ln I_x(a, b) and ln(1 − I_x(a, b)), with x̄ = 1 − x and logs = (ln x, ln x̄)."""
    lower = x[0] < float((a + 1) / (a + b + 2))
    front = pair_sum(
        pair_product(logs[0], as_pair(pair_of(a), x[0])),
        pair_product(logs[1], as_pair(pair_of(b), x[0])),
    )
    front = pair_sum(front, negative(as_pair(log_beta_constant(a, b), x[0])))
    left = _where(lower, x, lambda part: _log_fraction(a, b, part))
    right = _where(~lower, xbar, lambda part: _log_fraction(b, a, part))
    direct = pair_sum(front, choose(lower, left, right))
    other = log_one_minus_exp(negative(direct))
    return choose(lower, direct, other), choose(lower, other, direct)


def _log_fraction(a: Fraction, b: Fraction, x: Pair) -> Pair:
    """−ln a − ln(1 + d₁x/(1 + d₂x/(1 + …)))."""
    slowest, p, q = float(x[0].max()), float(a), float(b)

    def step(k: int) -> tuple[float, float]:
        return _beta_coefficient(p, q, k) * slowest, 1.0

    count = _twice_until_settled(1.0, step)
    coefficients = _beta_coefficients(a, b, count)
    one = np.ones_like(x[0]), np.zeros_like(x[0])
    f = one
    for k in range(count, 0, -1):
        product = pair_product(as_pair(coefficients[k], x[0]), x)
        f = pair_sum(one, pair_quotient(product, f))
    factor = as_pair(pair_of(a), x[0])
    return negative(pair_sum(log_pair(factor), log_pair(f)))


def _beta_coefficient(a: Any, b: Any, k: int) -> Any:
    m = k // 2
    if k % 2:
        return -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))


@lru_cache(maxsize=64)
def _beta_coefficients(a: Fraction, b: Fraction, count: int) -> list[Constant]:
    return [pair_of(_beta_coefficient(a, b, k)) if k else (0.0, 0.0) for k in range(count + 1)]
