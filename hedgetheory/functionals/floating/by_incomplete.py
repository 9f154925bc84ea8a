"""The laws whose cdf is an incomplete gamma or beta function, at arrays of rewards."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.functionals.floating.by_logarithms import LogarithmPoints, log_of
from hedgetheory.functionals.floating.points import times
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array, Pair


def _check(law: Any, *shapes: Fraction) -> None:
    if not all(k.LEAST_SHAPE <= shape <= k.GREATEST_SHAPE for shape in shapes):
        raise InputError(
            f"law={law}, but shapes in float64 must be in [{float(k.LEAST_SHAPE):g}, "
            f"{float(k.GREATEST_SHAPE):g}]: use value(...) [evaluate(law={law})]"
        )


def _ones(r: Array) -> Pair:
    return np.ones_like(r), np.zeros_like(r)


class GammaPoints(LogarithmPoints):
    """P(shape, rate·r)."""

    def __init__(self, law: Any, r: Array) -> None:
        _check(law, law.shape)
        super().__init__(law, r)
        self.log_r = log_of(self.r)
        self.x = times((self.r, np.zeros_like(self.r)), law.rate)
        self.log_x = self.plus(self.log_r, k.constant_pair("log", law.rate))

    def log_tails(self) -> tuple[Pair, Pair]:
        return k.log_gamma_tails(self.law.shape, self.x, self.log_x)

    def log_density_pair(self) -> Pair:
        shape = self.law.shape
        total = k.pair_sum(times(self.log_x, shape), k.negative(self.log_r))
        total = k.pair_sum(total, k.negative(self.x))
        return self.plus(total, k.log_gamma_constant(shape), -1.0)


class BetaPoints(LogarithmPoints):
    """I_r(a, b)."""

    def __init__(self, law: Any, r: Array) -> None:
        _check(law, law.a, law.b)
        super().__init__(law, r)
        self.x = self.r, np.zeros_like(self.r)
        self.xbar = k.two_sum(1.0, -self.r)
        half = np.minimum(self.r, 0.5)
        upper = self.r > 0.5
        # ln(1 − r) from r below 1/2, from the pair 1 − r above; 1 is where it is ln 0.
        low = k.log1p_pair((-half, np.zeros_like(half)))
        one = _ones(self.r)
        inside = upper & (self.r < 1)
        high = k.log_pair(k.choose(inside, self.xbar, one))
        zero = np.full_like(self.r, -1e200), np.zeros_like(self.r)
        self.log_xbar = k.choose(upper, k.choose(inside, high, zero), low)
        self.log_x = log_of(self.r)

    def log_tails(self) -> tuple[Pair, Pair]:
        logs = self.log_x, self.log_xbar
        found: tuple[Pair, Pair] = k.log_beta_tails(self.law.a, self.law.b, self.x, self.xbar, logs)
        return found

    def log_density_pair(self) -> Pair:
        a, b = self.law.a, self.law.b
        total = k.pair_sum(times(self.log_x, a - 1), times(self.log_xbar, b - 1))
        return self.plus(total, k.log_beta_constant(a, b), -1.0)


class StudentPoints(LogarithmPoints):
    """The tail beyond |r| is I_x(df/2, ½)/2 at x = df/(df + r²)."""

    far = 1e308

    def __init__(self, law: Any, r: Array) -> None:
        _check(law, law.df)
        super().__init__(law, r)
        size = np.abs(self.r)
        # t = r²/df, cut where its square would leave the range; beyond it only ln t is used.
        near = np.clip(size, 1e-140, 1e140)
        self.t = times(k.two_product(near, near), 1 / law.df)
        log_t = log_of(np.maximum(size, 1e-140))
        log_t = self.plus((2 * log_t[0], 2 * log_t[1]), k.constant_pair("log", law.df), -1.0)
        large = self.t[0] > 1.0
        one = _ones(self.r)
        # ln(1 + t) = ln t + ln(1 + 1/t).
        quotient = k.pair_quotient(one, self.t)
        rest = k.log1p_pair(k.choose(large, quotient, self.t))
        self.log1p_t = k.choose(large, k.pair_sum(log_t, rest), rest)
        self.log_t = log_t

    def log_tails(self) -> tuple[Pair, Pair]:
        one = _ones(self.r)
        total = k.pair_sum(one, self.t)
        x, xbar = k.pair_quotient(one, total), k.pair_quotient(self.t, total)
        logs = k.negative(self.log1p_t), k.pair_sum(self.log_t, k.negative(self.log1p_t))
        both, _ = k.log_beta_tails(self.law.df / 2, Fraction(1, 2), x, xbar, logs)
        tail = self.plus(both, k.constant_pair("log", Fraction(1, 2)))
        other = k.log_one_minus_exp(k.negative(tail))
        above = self.r >= 0
        return k.choose(above, other, tail), k.choose(above, tail, other)

    def log_density_pair(self) -> Pair:
        df = self.law.df
        total = times(self.log1p_t, -(df + 1) / 2)
        total = self.plus(total, k.log_beta_constant(df / 2, Fraction(1, 2)), -1.0)
        high, low = k.constant_pair("log", df)
        return self.plus(total, (0.5 * high, 0.5 * low), -1.0)
