"""Incomplete gamma and beta functions in coordinates without singular ends, in balls.

With Y = ln G, G gamma distributed with shape k and rate 1, and Y = ln(B/(1 − B)), B beta
distributed, the cdf of Y is an incomplete gamma or beta function; both densities are log-concave,
and both cdfs analytic for |Im y| < π. The mixins here give the arithmetics their steps
`log_gamma_cdf`, `log_gamma_sf`, `log_gamma_ppf`, `logit_beta_cdf`, `logit_beta_ppf`, `kummer`;
those of float64 and mpmath are in `incomplete_estimates`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

#: From this shape on P(k, x) below x = k is summed here: the library's own form cancels.
_LARGE_SHAPE = 50


class RealIncomplete:
    """The steps on real balls. Every argument is a ball; k, a, b are positive."""

    def state(self) -> Hashable:
        raise NotImplementedError

    def root(self, increasing: Callable[[Any], Any]) -> Any:
        """The root in [0, 1] of an increasing function on exact points."""
        raise NotImplementedError

    def log_gamma_cdf(self, k: Any, y: Any) -> Any:
        """P(k, e^y)."""
        x = y.exp()
        if x >= k:
            return 1 - x.gamma_upper(k, regularized=1)
        if k < _LARGE_SHAPE or not x < k:
            return x.gamma_lower(k, regularized=1)
        # P = x^k e^{−x}/Γ(k+1) Σ x^j/((k+1)…(k+j)): positive terms, so that nothing cancels, with
        # ratios x/(k+j) < 1 that fall: the remainder is at most term·ratio/(1 − ratio).
        small = (x * 0 + 2) ** -int(str(self.state()))
        term = total = x * 0 + 1
        j = 0
        while True:
            j += 1
            ratio = x / (k + j)
            term = term * ratio
            total += term
            rest = term * ratio / (1 - ratio)
            if rest < small:
                break
        return (total + rest.union(rest * 0)) * (k * y - x - (k + 1).lgamma()).exp()

    def log_gamma_sf(self, k: Any, y: Any) -> Any:
        """Q(k, e^y)."""
        return y.exp().gamma_upper(k, regularized=1)

    def logit_beta_cdf(self, a: Any, b: Any, y: Any) -> Any:
        """I_x(a, b) at x = 1/(1 + e^{−y}), from the smaller of x and 1 − x."""
        if y > 0:
            return 1 - self.logit_beta_cdf(b, a, -y)
        return (1 / (1 + (-y).exp())).beta_lower(a, b, regularized=True)

    def log_gamma_ppf(self, k: Any, u: Any, ubar: Any) -> Any:
        """The y with P(k, e^y) = u, Q = ū."""
        return self._inverse(
            lambda y: self.log_gamma_cdf(k, y), lambda y: self.log_gamma_sf(k, y), u, ubar
        )

    def logit_beta_ppf(self, a: Any, b: Any, u: Any, ubar: Any) -> Any:
        """The y at which I_x(a, b) = u, x = 1/(1 + e^{−y})."""
        if a is b and (u - ubar).is_zero():
            # The median of a symmetric law, which no sign could tell from 0: one parameter of the
            # program in both places is one object.
            return u * 0
        return self._inverse(
            lambda y: self.logit_beta_cdf(a, b, y),
            lambda y: self.logit_beta_cdf(b, a, -y),
            *(u, ubar),
        )

    def _inverse(
        self, cdf: Callable[[Any], Any], survival: Callable[[Any], Any], u: Any, ubar: Any
    ) -> Any:
        """The root of cdf(y) = u, by certified signs; of its logarithm, which is concave.

        From the smaller of u and ū, so that neither tail cancels. Not finite where no bracket
        within ±2^400 is certified.
        """
        lower = bool(u <= ubar)
        level = (u if lower else ubar).log()

        def above(y: Any) -> Any:
            return cdf(y).log() - level if lower else level - survival(y).log()

        low, high = level * 0 - 1, level * 0 + 1
        low, high = low.mid(), high.mid()
        for _ in range(400):
            if above(low) < 0:
                break
            low = low * 2
        else:
            return level.nan()
        for _ in range(400):
            if above(high) > 0:
                break
            high = high * 2
        else:
            return level.nan()
        return low + (high - low) * self.root(lambda t: above(low + (high - low) * t))

    def kummer(self, a: Any, b: Any, x: Any) -> Any:
        """₁F₁(a; b; x)."""
        return x.hypgeom_1f1(a, b)


class ComplexIncomplete:
    """The steps on complex balls: the value at a real point, and a bound of the derivative.

    F(z) is within |z − m| sup|F′| of F(m), the supremum over a convex box that holds z and m, in
    which F′, an elementary density, is analytic: tight on the wide ellipses of an integrator,
    where the series of the functions themselves are not.
    """

    real: Any  # the real arithmetic, set where the two meet

    def log_gamma_cdf(self, k: Any, y: Any) -> Any:
        return self._from_real("log_gamma_cdf", (k,), y, _log_gamma_density)

    def log_gamma_sf(self, k: Any, y: Any) -> Any:
        return self._from_real("log_gamma_sf", (k,), y, _log_gamma_density)

    def logit_beta_cdf(self, a: Any, b: Any, y: Any) -> Any:
        return self._from_real("logit_beta_cdf", (a, b), y, _logit_beta_density)

    def _from_real(
        self, name: str, shapes: tuple[Any, ...], y: Any, density: Callable[..., Any]
    ) -> Any:
        real = [shape.real for shape in shapes]
        middle = y.real.mid()
        value = type(y)(getattr(self.real, name)(*real, middle))
        apart = y - middle
        if apart.is_zero():
            return value
        box = y.union(type(y)(middle))
        bound = (density(*shapes, box).abs_upper() * apart.abs_upper()).abs_upper()
        error = bound.union(-bound)
        return value + type(y)(error, error)

    def log_gamma_ppf(self, k: Any, u: Any, ubar: Any) -> Any:
        return self._at_real("log_gamma_ppf", k, u, ubar)

    def logit_beta_ppf(self, a: Any, b: Any, u: Any, ubar: Any) -> Any:
        return self._at_real("logit_beta_ppf", a, b, u, ubar)

    def _at_real(self, name: str, *args: Any) -> Any:
        if not all(x.imag.is_zero() for x in args):
            return type(args[0])(args[0].real.nan())
        return type(args[0])(getattr(self.real, name)(*[x.real for x in args]))

    def kummer(self, a: Any, b: Any, x: Any) -> Any:
        return x.hypgeom_1f1(a, b)


def _log_gamma_density(k: Any, y: Any) -> Any:
    # Entire in y, as P(k, e^y) is.
    return (k * y - y.exp() - k.lgamma()).exp()


def _logit_beta_density(a: Any, b: Any, y: Any) -> Any:
    # 1 + e^{±y} is on the cut of the logarithm only for |Im y| = π: not finite from there on.
    left, right = (1 + (-y).exp()).log(analytic=True), (1 + y.exp()).log(analytic=True)
    if not abs(y.imag) < y.real.pi():
        return y * y.real.nan()
    return ((a + b).lgamma() - a.lgamma() - b.lgamma() - a * left - b * right).exp()
