"""The log-concave laws on the line behind those with singular ends or heavy tails.

If G is gamma distributed, ln G has a log-concave density that is entire; if B is beta distributed,
so has ln(B/(1 − B)), analytic for |Im| < π. They are also the exponential tilts of the Gumbel and
logistic laws. They are not names of the spec grammar.
"""

from __future__ import annotations

import math
from fractions import Fraction

from sympy import exp

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.expressions.vocabulary import (
    expm1,
    log1p,
    log_gamma_cdf,
    log_gamma_of,
    log_gamma_ppf,
    log_gamma_sf,
    logit_beta_cdf,
    logit_beta_ppf,
)
from hedgetheory.laws.base import ContinuousLaw, exact_symbol


def near(value: float) -> Fraction:
    """A short rational near a float: where an integral is centred need not be exact."""
    if not math.isfinite(value):
        raise NotCertified("the bulk of the law lies beyond binary64: rescale the reward")
    return Fraction(value).limit_denominator(1000) if abs(value) < 1e15 else Fraction(value)


def near_log(value: Fraction) -> Fraction:
    """A short rational near ln of a positive one, however large or small."""
    return near(math.log(value.numerator) - math.log(value.denominator))


class LogGamma(ContinuousLaw):
    """loc + scale·ln G, G gamma distributed with the given shape and rate 1, scale ≠ 0.

    Log-concave: with z = (r − loc)/scale, (ln f)′ = (shape − e^z)/scale falls.
    """

    name = "log_gamma"
    parameters = ("shape", "loc", "scale")
    support = (None, None)
    formulas = frozenset({"quantile"})

    def __init__(
        self, shape: Fraction, loc: Fraction = Fraction(0), scale: Fraction = Fraction(1)
    ) -> None:
        self.shape, self.loc, self.scale = shape, loc, scale
        k, c, s = exact_symbol(shape), exact_symbol(loc), exact_symbol(scale)
        z = (r - c) / s
        self.pdf = exp(k * z - exp(z) - log_gamma_of(k)) / abs(s)
        low, high = log_gamma_cdf(k, z), log_gamma_sf(k, z)
        if shape == 1:
            low, high = -expm1(-exp(z)), exp(-exp(z))
        self.cdf, self.survival = (low, high) if scale > 0 else (high, low)
        levels = (u, ubar) if scale > 0 else (ubar, u)
        self.quantile = c + s * log_gamma_ppf(k, *levels)
        self.log_density_slope = (k - exp(z)) / s
        self.centre = loc + scale * near_log(shape)
        self.width = abs(scale) * (1 if shape < 1 else 1 / near(float(shape) ** 0.5))


class LogitBeta(ContinuousLaw):
    """loc + scale·ln(B/(1 − B)), B beta distributed with parameters a and b, scale > 0.

    Log-concave: (ln f)′ = (a − (a + b)/(1 + e^{−z}))/scale falls.
    """

    name = "logit_beta"
    parameters = ("a", "b", "loc", "scale")
    support = (None, None)
    formulas = frozenset({"quantile"})

    def __init__(
        self, a: Fraction, b: Fraction, loc: Fraction = Fraction(0), scale: Fraction = Fraction(1)
    ) -> None:
        self.a, self.b, self.loc, self.scale = a, b, loc, scale
        p, q, c, s = map(exact_symbol, (a, b, loc, scale))
        z = (r - c) / s
        log_beta = log_gamma_of(p) + log_gamma_of(q) - log_gamma_of(p + q)
        self.pdf = exp(-p * log1p(exp(-z)) - q * log1p(exp(z)) - log_beta) / s
        self.cdf, self.survival = logit_beta_cdf(p, q, z), logit_beta_cdf(q, p, -z)
        self.quantile = c + s * logit_beta_ppf(p, q, u, ubar)
        self.log_density_slope = (p / (1 + exp(z)) - q / (1 + exp(-z))) / s
        self.centre = loc + scale * near_log(a / b)
        least = min(a, b)
        self.width = scale * 2 * (1 if least < 1 else 1 / near(float(least) ** 0.5))
