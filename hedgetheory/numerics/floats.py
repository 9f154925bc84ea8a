"""float64 kernels: numpy arrays in, numpy arrays out, conditioned where the formulas cancel."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

_EULER = 0.5772156649015329
#: 1/(j + 2)! and so on: Taylor coefficients used where |x| < 0.5, beyond which closed forms hold
#: more digits than they lose.
_TERMS = 20


def _horner(x: Any, coefficients: list[float]) -> Any:
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def _factorial_tail(shift: int) -> list[float]:
    """Coefficients of φ_shift(x) = Σ x^j/(j + shift)!."""
    return [float(1 / special.factorial(j + shift, exact=True)) for j in range(_TERMS)]


_PHI2, _PHI3 = _factorial_tail(2), _factorial_tail(3)
_EIN = [(-1.0) ** j / ((j + 1) * float(special.factorial(j + 1, exact=True))) for j in range(18)]


def _split(x: Any, radius: float) -> tuple[Any, Any, Any, Any]:
    """x, where |x| < radius, and x made harmless outside and inside of it."""
    x = np.asarray(x, dtype=np.float64)
    small = np.abs(x) < radius
    return x, small, np.where(small, x, 0.0), np.where(small, 1.0, x)


class Floats:
    """The float64 arithmetic of numpy and scipy.special."""

    exp, log, sqrt, sin, cos, tan = np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan
    sinh, cosh, tanh, log1p, expm1 = np.sinh, np.cosh, np.tanh, np.log1p, np.expm1
    erf, erfc, erfinv, erfcinv = special.erf, special.erfc, special.erfinv, special.erfcinv
    gamma, lgamma, digamma, ei = special.gamma, special.gammaln, special.digamma, special.expi
    absolute, minimum, maximum = np.abs, np.minimum, np.maximum
    add, sub, mul, div, neg, pow = (
        np.add,
        np.subtract,
        np.multiply,
        np.divide,
        np.negative,
        np.power,
    )
    ndtr = special.ndtr
    less, at_most, both, either = np.less, np.less_equal, np.logical_and, np.logical_or
    where = np.where

    infinity, undefined = np.inf, np.nan

    def state(self) -> Hashable:
        return None

    def constant(self, value: Fraction | str) -> float:
        if isinstance(value, str):
            return {"pi": np.pi, "e": np.e, "euler": _EULER}[value]
        try:
            return float(value)
        except OverflowError:
            return np.inf if value > 0 else -np.inf

    def integer_power(self, exponent: int) -> Callable[[Any], Any]:
        return lambda x: np.power(np.asarray(x, dtype=np.float64), exponent)

    def harmonic(self, x: Any) -> Any:
        return special.digamma(np.asarray(x) + 1.0) + _EULER

    def phi1(self, x: Any) -> Any:
        return special.exprel(x)

    def phi2(self, x: Any) -> Any:
        x, small, inner, safe = _split(x, 0.5)
        return np.where(small, _horner(inner, _PHI2), (special.exprel(safe) - 1.0) / safe)

    def phi3(self, x: Any) -> Any:
        x, small, inner, safe = _split(x, 1.0)
        far = ((special.exprel(safe) - 1.0) / safe - 0.5) / safe
        return np.where(small, _horner(inner, _PHI3), far)

    def Ein(self, x: Any) -> Any:
        x, small, inner, safe = _split(x, 1.0)
        with np.errstate(invalid="ignore"):
            # For x < 0: Ein(x) = γ + ln|x| − Ei(−x) with Ei = expi; for x > 0, −Ei(−x) = E₁(x).
            far = _EULER + np.log(np.abs(safe)) - special.expi(-safe)
        return np.where(small, inner * _horner(inner, _EIN), far)

    def scaled_ei(self, x: Any) -> Any:
        """e^{−x} Ei(x): the asymptotic series Σ k!/x^{k+1} takes over before Ei overflows."""
        x = np.asarray(x, dtype=np.float64)
        near = np.minimum(x, 50.0)
        far = 1.0 / np.maximum(x, 50.0)
        series = np.ones_like(far)
        for k in range(34, 0, -1):
            series = 1.0 + k * far * series
        return np.where(x < 50.0, np.exp(-near) * special.expi(near), far * series)

    def wright_omega(self, x: Any) -> Any:
        return special.wrightomega(np.asarray(x, dtype=np.float64))


FLOAT64 = Floats()
