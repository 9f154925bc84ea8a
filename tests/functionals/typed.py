"""Likelihood ratios and quantile functions typed again in mpmath, and what follows from them."""

from __future__ import annotations

import mpmath

MP = mpmath.MPContext()
MP.dps = 40
mpf = MP.mpf


def ratio(kind: str, *parameters):
    """(w, rank cdf) of a policy, each a function of u."""
    values = [mpf(str(x)) if not isinstance(x, tuple) else mpf(x[0]) / x[1] for x in parameters]
    if kind == "bon":
        (n,) = values
        return lambda u: n * u ** (n - 1), lambda u: u**n
    if kind == "bop":
        (m,) = values
        return (lambda u: (1 + m * u) * MP.exp(m * (u - 1))), lambda u: u * MP.exp(m * (u - 1))
    if kind == "qtilt":
        (s,) = values
        return (lambda u: s * MP.exp(s * u) / MP.expm1(s)), lambda u: MP.expm1(s * u) / MP.expm1(s)
    if kind == "geometric":
        (p,) = values
        return (lambda u: p / (1 - (1 - p) * u) ** 2), lambda u: p * u / (1 - (1 - p) * u)
    if kind == "binomial":
        m, p = values
        whole = 1 - (1 - p) ** m
        return (
            lambda u: m * p * (1 - p + p * u) ** (m - 1) / whole,
            lambda u: ((1 - p + p * u) ** m - (1 - p) ** m) / whole,
        )
    if kind == "negative_binomial":
        r, p = values
        whole = 1 - p**r
        return (
            lambda u: r * (1 - p) * p**r * (1 - (1 - p) * u) ** (-r - 1) / whole,
            lambda u: ((p / (1 - (1 - p) * u)) ** r - p**r) / whole,
        )
    if kind == "sibuya":
        (a,) = values
        return (lambda u: a * (1 - u) ** (a - 1)), lambda u: 1 - (1 - u) ** a
    assert kind == "one_or_three"
    return (lambda u: (1 + 3 * u * u) / 2), lambda u: (u + u**3) / 2


def quantile(kind: str, *parameters):
    values = [mpf(str(x)) for x in parameters]
    if kind == "uniform":
        return lambda u: u
    if kind == "normal":
        m, s = values
        return lambda u: m + s * MP.sqrt(2) * MP.erfinv(2 * u - 1)
    if kind == "exponential":
        (b,) = values
        return lambda u: -MP.log(1 - u) / b
    c, s = values
    return lambda u: c + s * MP.log(u / (1 - u))


def rank_functional(name: str, w, cdf, order=None):
    """A rank functional by tanh-sinh quadrature of its definition."""
    halves = [0, mpf(1) / 2, 1]
    if name == "kl":
        return MP.quad(lambda u: w(u) * MP.log(w(u)) if w(u) else mpf(0), halves)
    if name == "chi2":
        return MP.quad(lambda u: (w(u) - 1) ** 2, halves)
    if name == "renyi":
        order = mpf(str(order))
        return MP.log(MP.quad(lambda u: w(u) ** order, halves)) / (order - 1)
    if name == "mean_quantile":
        return MP.quad(lambda u: u * w(u), halves)
    assert name == "total_variation"
    star = MP.findroot(lambda u: w(u) - 1, (mpf("1e-9"), 1 - mpf("1e-9")), solver="anderson")
    return star - cdf(star)


def mean_of(h, w):
    return MP.quad(lambda u: h(u) * w(u) if 0 < u < 1 else mpf(0), [0, mpf(1) / 2, 1])
