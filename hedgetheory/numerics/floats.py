"""float64 kernels: numpy arrays in, numpy arrays out, conditioned where the formulas cancel."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hedgetheory.numerics.incomplete_estimates import FloatIncomplete

Array = NDArray[np.float64]

_EULER = 0.5772156649015329
_ROOT_TWO = 1.4142135623730951
#: Where the asymptotic series of Ei takes over: scipy's own loses 8 bits from there on.
_FAR_EI = 40.0
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


def _asymptotic_ei(x: Any) -> Any:
    """e^{−x} Ei(x) = Σ k!/x^{k+1} for x ≥ 40, cut at its smallest term, 1e-17 of the first."""
    far = 1.0 / np.maximum(x, _FAR_EI)
    series = np.ones_like(far)
    for k in range(40, 0, -1):
        series = 1.0 + k * far * series
    return far * series


def _ei(x: Any) -> Any:
    return np.where(x < _FAR_EI, special.expi(x), np.exp(x) * _asymptotic_ei(x))


def _split(x: Any, radius: float) -> tuple[Any, Any, Any, Any]:
    """x, where |x| < radius, and x made harmless outside and inside of it."""
    x = np.asarray(x, dtype=np.float64)
    small = np.abs(x) < radius
    return x, small, np.where(small, x, 0.0), np.where(small, 1.0, x)


class Floats(FloatIncomplete):
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
    less, at_most, both, either = np.less, np.less_equal, np.logical_and, np.logical_or
    where = staticmethod(np.where)

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
        with np.errstate(invalid="ignore", over="ignore"):
            # For x < 0: Ein(x) = γ + ln|x| − Ei(−x) with Ei = expi; for x > 0, −Ei(−x) = E₁(x).
            far = _EULER + np.log(np.abs(safe)) - _ei(-safe)
        return np.where(small, inner * _horner(inner, _EIN), far)

    def scaled_ei(self, x: Any) -> Any:
        """e^{−x} Ei(x), whose asymptotic series takes over before Ei overflows."""
        x = np.asarray(x, dtype=np.float64)
        near = np.minimum(x, _FAR_EI)
        return np.where(x < _FAR_EI, np.exp(-near) * special.expi(near), _asymptotic_ei(x))

    def wright_omega(self, x: Any) -> Any:
        # W(y) = y − y² + 3y³/2 − …, where scipy's own value is off by up to 26 units of 2^-53.
        x = np.asarray(x, dtype=np.float64)
        y = np.exp(np.minimum(x, -14.0))
        return np.where(x < -14.0, y * (1.0 - y * (1.0 - 1.5 * y)), special.wrightomega(x))

    def ndtr(self, x: Any) -> Any:
        """Φ(x): x² is split in the lower tail, where e^{−x²/2} would lose log2(x²) bits."""
        x = np.asarray(x, dtype=np.float64)
        y = -np.clip(x, -1e6, -1.0)
        high = np.floor(y * 16.0) / 16.0
        scale = np.exp(-high * high / 2.0) * np.exp(-(y - high) * (y + high) / 2.0)
        return np.where(x < -1.0, scale * special.erfcx(y / _ROOT_TWO) / 2.0, special.ndtr(x))


FLOAT64 = Floats()
