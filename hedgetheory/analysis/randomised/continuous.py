"""Absolute monotonicity of g(v) = e^{λQ(v)} on laws without atoms: proofs and certified witnesses.

**Refuting.** With v = F(r), ℓ = (ln f)′: g^{(k)}(v) = e^{λr} P_k(r)/f(r)^k, P_1 = λ and P_{k+1} =
(λ − kℓ)P_k + P_k′. So one certified P_k(r) < 0 inside of the support refutes; P_2 = λ(λ − ℓ), which
is negative wherever the density rises faster than e^{λr}.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.analysis.randomised.draws import DrawsFound
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number, short
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.program import UnsupportedExpression, compiled
from hedgetheory.policies.tilt import Tilt

#: Orders of the derivatives that are tried, and coefficients of exact power series.
MAX_ORDER = 5
MAX_COEFFICIENTS = 60
_DIGITS = 15


def proved(law: ContinuousLaw, lam: Fraction) -> tuple[str, DrawsFound] | None:
    """Why g is absolutely monotone, and the law of N; None where no proof is known here."""
    values = law.values
    name = law.name
    if name == "uniform" or (name == "beta" and values["a"] == values["b"] == 1):
        reason = "Q(v) = v: e^(lam v) has the coefficients lam^k/k!"
        pgf = "(exp(lam*u) - 1)/(exp(lam) - 1)"
        drawn = ("poisson", (1, lam))
        return reason, DrawsFound(f"ztp(lam={short(lam)})", pgf, _mean(law, lam), recipe=drawn)
    rate = _exponential_rate(law)
    if rate is not None:
        a = 1 - lam / rate
        reason = (
            "e^(lam Q) = (1 - v)^(a - 1), a = 1 - lam/rate in (0, 1): binomial coefficients > 0"
        )
        sibuya = DrawsFound(
            f"sibuya(a={short(a)})", "1 - (1 - u)**a", Number.infinity(), recipe=("sibuya", (a,))
        )
        return reason, sibuya
    if name == "beta" and values["b"] == 1 and (1 / values["a"]).denominator == 1:
        k = int(1 / values["a"])
        reason = f"Q(v) = v^{k}: e^(lam v^{k}) has the coefficients lam^j/j! at v^({k} j)"
        pgf = f"sum over j >= 0 of lam**j*u**({k}*j + 1)/(j!*({k}*j + 1)*M)"
        text = f"1 + {k}J, P(J = j) = lam^j/(j! ({k}j + 1) M)"
        return reason, DrawsFound(text, pgf, _mean(law, lam), recipe=("poisson", (k, lam)))
    if name == "beta" and values["a"] == 1 and values["b"] > 1:
        a = 1 / values["b"]
        reason = (
            f"Q(v) = 1 - (1 - v)^({short(a)}) is the pgf of a Sibuya law, and the exponential of a "
            "power series with coefficients >= 0 is one"
        )
        text = f"1 + K, P(K = k) proportional to P(K' = k)/(k + 1), K' a sum of Poisson(lam) \
many Sibuya({short(a)})"
        pgf = f"integral from 0 to u of exp(lam*(1 - (1 - v)**({short(a)})))/M"
        return reason, DrawsFound(text, pgf, _mean(law, lam), recipe=("compound", (lam, a)))
    if name == "gamma" and values["shape"] == Fraction(1, 2):
        reason = (
            "Q(v) = erfinv(v)^2/rate; y = erfinv solves y' = (sqrt(pi)/2) e^(y^2), y(0) = 0, so "
            "that every derivative of y is a polynomial in y with coefficients >= 0 times a power "
            "of e^(y^2): y, y^2 and e^(lam y^2/rate) are absolutely monotone"
        )
        pgf = "integral from 0 to u of exp(lam*erfinv(v)**2/rate)/M"
        return reason, DrawsFound("P(N = k) = g_(k-1)/(k M)", pgf, Number.infinity())
    return None


def _exponential_rate(law: ContinuousLaw) -> Fraction | None:
    """The rate where the law is exponential by one of its names."""
    values = law.values
    if law.name == "exponential" or (law.name == "gamma" and values["shape"] == 1):
        return values["rate"]
    if law.name == "weibull" and values["shape"] == 1:
        return 1 / values["scale"]
    return None


def _mean(law: ContinuousLaw, lam: Fraction) -> Number | None:
    """E[N] = sup w = w at the upper end."""
    top = law.support[1]
    assert top is not None
    try:
        return value(law, Tilt(lam), "ratio", at=top, digits=_DIGITS)
    except NotCertified:
        return None


def refuted(law: ContinuousLaw, lam: Fraction) -> tuple[str, dict[str, Any]] | None:
    """Why g is not absolutely monotone, and the witness; None where none was found."""
    values = law.values
    if law.name == "laplace":
        # Below its location ln f has slope 1/scale, which M(λ) < ∞ makes larger than λ.
        slope = 1 / values["scale"]
        return (
            "(e^(lam Q))'' < 0: below loc the density rises faster than e^(lam r)",
            {"order": 2, "reward": short(values["loc"] - values["scale"]),
             "value": Number.exact(lam * (lam - slope)).to_json(_DIGITS)},
        )  # fmt: skip
    if law.name == "beta" and values["a"] == 1 and values["b"] < 1:
        for k, coefficient in enumerate(_beta_coefficients(1 / values["b"], lam)):
            if coefficient < 0:
                return (
                    f"the coefficient of v^{k} in e^(lam Q(v)) is negative",
                    {"coefficient": k, "value": Number.exact(coefficient).to_json(_DIGITS)},
                )
    found = _negative_derivative(law, lam)
    if found is None and law.name == "beta" and values["b"] == 1:
        power = 1 / values["a"]
        order = math.floor(power) + 2
        return (
            f"e^(lam Q) = 1 + lam v^p + ..., p = {short(power)} not an integer: its derivative of "
            f"order {order} tends to -infinity at 0",
            {"singularity": "v = 0", "order": order},
        )
    return found


def _beta_coefficients(power: Fraction, lam: Fraction) -> Iterator[Fraction]:
    """Those of e^{λ(1 − (1−v)^β)}: n g_n = λ Σ_{k=1}^n k s_k g_{n−k}."""
    inner, known = [Fraction(0), power], [Fraction(1)]
    yield known[0]
    for n in range(1, MAX_COEFFICIENTS):
        total = sum((k * inner[k] * known[n - k] for k in range(1, n + 1)), Fraction(0))
        known.append(lam * total / n)
        yield known[-1]
        # s_{n+1}/s_n = (n − β)/(n + 1)
        inner.append(inner[n] * (n - power) / (n + 1))


def _negative_derivative(law: ContinuousLaw, lam: Fraction) -> tuple[str, dict[str, Any]] | None:
    """A certified P_k(r) < 0, k from 2 up, at rewards towards the lower end and in the bulk."""
    slope = sympy.diff(sympy.log(law.pdf), r)
    strength = exact_symbol(lam)
    form = strength
    for order in range(2, MAX_ORDER + 1):
        form = sympy.together((strength - (order - 1) * slope) * form + sympy.diff(form, r))
        try:
            program = compiled(form, (r,))
        except UnsupportedExpression:
            return None
        for at in _rewards(law):
            with balls.precision(256):
                size = program(REAL, ball(at))
                if size.is_finite() and size < 0:
                    return (
                        f"the derivative of order {order} of e^(lam Q) is negative at "
                        f"F({short(at)}): the sign of P_{order} there",
                        {"order": order, "reward": short(at),
                         "value": balls.number(size, _DIGITS).to_json(_DIGITS)},
                    )  # fmt: skip
    return None


def _rewards(law: ContinuousLaw) -> Iterator[Fraction]:
    """Rational points inside of the support."""
    low, high = law.support
    for j in (0, 1, 2, 3, 5, 8, 12, 20, 30, 45):
        down = law.centre - law.width * Fraction(2) ** j
        if low is not None:
            down = low + (law.centre - low) / Fraction(2) ** j
        up = law.centre + law.width * Fraction(j)
        if high is not None:
            up = high - (high - law.centre) / Fraction(2) ** j
        for at in (down, up):
            if (low is None or at > low) and (high is None or at < high):
                yield at
