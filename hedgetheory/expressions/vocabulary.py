"""Special functions that take the cancellations out of the formulas.

Each is a sympy function with a definition in standard functions, used by the prover; its ball,
mpmath and float64 kernels are in `hedgetheory.numerics`, one method of the same name in each.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Ei, EulerGamma, Function, LambertW, Rational, S, erf, exp, log, sqrt
from sympy.core.function import ArgumentIndexError


class Special(Function):  # type: ignore[misc]
    """A function of one argument with a definition and its value where that is removable."""

    nargs = 1
    at_zero: sympy.Expr | None = None

    @classmethod
    def eval(cls, x: sympy.Expr) -> sympy.Expr | None:
        return cls.at_zero if x.is_zero else None

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        raise TypeError("a special function states its definition")

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x = sympy.Dummy("x", positive=True)
        return self.definition(x).diff(x).subs(x, self.args[0])

    def _eval_is_real(self) -> bool | None:
        return True if self.args[0].is_real else None


class log1p(Special):
    """ln(1 + x), x > −1."""

    at_zero = S.Zero

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return log(1 + x)


class expm1(Special):
    """e^x − 1."""

    at_zero = S.Zero

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return exp(x) - 1


class phi1(Special):
    """φ₁(x) = (e^x − 1)/x, the moment generating function of a uniform; φ₁(0) = 1."""

    at_zero = S.One

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return (exp(x) - 1) / x

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        # φ_k′ = φ_k − k φ_{k+1}: no 0/0 at zero.
        return self - phi2(self.args[0])


class phi2(Special):
    """φ₂(x) = (e^x − 1 − x)/x²; φ₂(0) = ½."""

    at_zero = Rational(1, 2)

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return (exp(x) - 1 - x) / x**2

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self - 2 * phi3(self.args[0])


class phi3(Special):
    """φ₃(x) = (e^x − 1 − x − x²/2)/x³; φ₃(0) = 1/6."""

    at_zero = Rational(1, 6)

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return (exp(x) - 1 - x - x**2 / 2) / x**3


class Ein(Special):
    """Ein(x) = ∫₀ˣ (1 − e^{−t})/t dt, entire; Ein(0) = 0."""

    at_zero = S.Zero

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return EulerGamma + log(x) - Ei(-x)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return phi1(-self.args[0])


class scaled_ei(Special):
    """e^{−x} Ei(x), x > 0: Ei itself overflows binary64 beyond x = 716."""

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return exp(-x) * Ei(x)


class wright_omega(Special):
    """ω(x) = W(e^x), the solution of ω + ln ω = x, without the overflow of e^x."""

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return LambertW(exp(x))

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return self / (1 + self)


class ndtr(Special):
    """Φ(x), the standard normal cdf: sympy turns erfc(−x) into 2 − erfc(x), which cancels."""

    at_zero = Rational(1, 2)

    @staticmethod
    def definition(x: sympy.Expr) -> sympy.Expr:
        return (1 + erf(x / sqrt(2))) / 2


class OfSeveral(Function):  # type: ignore[misc]
    """A function of several arguments, the last one its variable, with a definition."""

    @staticmethod
    def definition(*args: sympy.Expr) -> sympy.Expr:
        raise TypeError("a special function states its definition")

    def _eval_is_real(self) -> bool | None:
        return True if all(arg.is_real for arg in self.args) else None

    def _last(self, argindex: int) -> tuple[sympy.Expr, ...]:
        """The arguments, of which only the last may be differentiated in."""
        if argindex != len(self.args):
            raise ArgumentIndexError(self, argindex)
        return tuple(self.args)


def log_gamma_of(x: sympy.Expr) -> sympy.Expr:
    """ln Γ(x), left alone at large constants, where sympy would write out a factorial."""
    return sympy.loggamma(x, evaluate=not (x.is_Rational and x > 30))


class log_gamma_cdf(OfSeveral):
    """P(k, e^y), the cdf at y of the logarithm of a gamma variable of shape k and rate 1."""

    nargs = 2

    @staticmethod
    def definition(*args: sympy.Expr) -> sympy.Expr:
        k, y = args
        return sympy.lowergamma(k, exp(y)) / sympy.gamma(k)

    def fdiff(self, argindex: int = 2) -> sympy.Expr:
        k, y = self._last(argindex)
        return exp(k * y - exp(y) - log_gamma_of(k))


class log_gamma_sf(OfSeveral):
    """Q(k, e^y) = 1 − P(k, e^y)."""

    nargs = 2

    @staticmethod
    def definition(*args: sympy.Expr) -> sympy.Expr:
        k, y = args
        return sympy.uppergamma(k, exp(y)) / sympy.gamma(k)

    def fdiff(self, argindex: int = 2) -> sympy.Expr:
        return -log_gamma_cdf(*self._last(argindex)).fdiff(2)


class logit_beta_cdf(OfSeveral):
    """I_x(a, b) at x = 1/(1 + e^{−y}), the cdf at y of the logit of a beta variable."""

    nargs = 3

    @staticmethod
    def definition(*args: sympy.Expr) -> sympy.Expr:
        a, b, y = args
        return sympy.betainc_regularized(a, b, 0, 1 / (1 + exp(-y)))

    def fdiff(self, argindex: int = 3) -> sympy.Expr:
        a, b, y = self._last(argindex)
        scale = log_gamma_of(a + b) - log_gamma_of(a) - log_gamma_of(b)
        return exp(scale - a * log1p(exp(-y)) - b * log1p(exp(y)))


class log_gamma_ppf(OfSeveral):
    """The y with P(k, e^y) = u and Q(k, e^y) = ū."""

    nargs = 3


class logit_beta_ppf(OfSeveral):
    """The y with I_x(a, b) = u at x = 1/(1 + e^{−y}), ū = 1 − u."""

    nargs = 4


class kummer(OfSeveral):
    """₁F₁(a; b; x)."""

    nargs = 3

    @staticmethod
    def definition(*args: sympy.Expr) -> sympy.Expr:
        a, b, x = args
        return sympy.hyper([a], [b], x)

    def fdiff(self, argindex: int = 3) -> sympy.Expr:
        a, b, x = self._last(argindex)
        return a / b * kummer(a + 1, b + 1, x)


VOCABULARY: tuple[type[Special], ...] = (
    *(log1p, expm1, phi1, phi2, phi3, Ein),
    *(scaled_ei, wright_omega, ndtr),
)


def spell_out(expr: sympy.Expr) -> sympy.Expr:
    """``expr`` with every special function of the vocabulary replaced by its definition."""
    by_class: dict[Any, Any] = {f: f.definition for f in VOCABULARY}
    return expr.replace(
        lambda e: type(e) in by_class, lambda e: by_class[type(e)](spell_out(e.args[0]))
    )


__all__ = [
    "VOCABULARY",
    "Ein",
    "OfSeveral",
    "Special",
    "expm1",
    "kummer",
    "log1p",
    "log_gamma_cdf",
    "log_gamma_of",
    "log_gamma_ppf",
    "log_gamma_sf",
    "logit_beta_cdf",
    "logit_beta_ppf",
    "ndtr",
    "phi1",
    "phi2",
    "phi3",
    "scaled_ei",
    "spell_out",
    "wright_omega",
]
