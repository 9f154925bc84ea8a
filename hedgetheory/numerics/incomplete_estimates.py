"""The steps of `incomplete` in float64 and in mpmath: estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

#: Below this coordinate the first term of the series in e^y is P to binary64.
_FAR_LEFT = -40.0


class FloatIncomplete:
    """The steps in float64 by scipy.special, by their leading terms where e^y underflows."""

    kummer = staticmethod(special.hyp1f1)

    def log_gamma_cdf(self, k: Any, y: Any) -> Any:
        y = np.asarray(y, np.float64)
        with np.errstate(over="ignore", under="ignore"):
            far = np.exp(np.minimum(k * y - special.gammaln(k + 1.0), 0.0))
            return np.where(y < _FAR_LEFT, far, special.gammainc(k, np.exp(y)))

    def log_gamma_sf(self, k: Any, y: Any) -> Any:
        y = np.asarray(y, np.float64)
        with np.errstate(over="ignore", under="ignore"):
            far = -np.expm1(np.minimum(k * y - special.gammaln(k + 1.0), 0.0))
            return np.where(y < _FAR_LEFT, far, special.gammaincc(k, np.exp(y)))

    def log_gamma_ppf(self, k: Any, u: Any, ubar: Any) -> Any:
        with np.errstate(divide="ignore", under="ignore"):
            far = (np.log(u) + special.gammaln(k + 1.0)) / k
            x = np.where(u < 0.5, special.gammaincinv(k, u), special.gammainccinv(k, ubar))
            return np.where(far < _FAR_LEFT, far, np.log(x))

    def logit_beta_cdf(self, a: Any, b: Any, y: Any) -> Any:
        y = np.asarray(y, np.float64)
        with np.errstate(over="ignore", under="ignore"):
            log_a = np.log(a) + special.betaln(a, b)
            far = np.exp(np.minimum(a * y - log_a, 0.0))
            # I_x from x below its middle and from 1 − x above it, as neither may round to 1.
            above = special.betaincc(b, a, special.expit(-y))
            near = np.where(y < 0, special.betainc(a, b, special.expit(y)), above)
            return np.where(y < _FAR_LEFT, far, near)

    def logit_beta_ppf(self, a: Any, b: Any, u: Any, ubar: Any) -> Any:
        log_beta = special.betaln(a, b)
        with np.errstate(divide="ignore", under="ignore", invalid="ignore"):
            low = (np.log(u) + np.log(a) + log_beta) / a
            high = -(np.log(ubar) + np.log(b) + log_beta) / b
            x = np.where(u < 0.5, special.betaincinv(a, b, u), special.betainccinv(a, b, ubar))
            rest = np.where(u < 0.5, special.betainccinv(b, a, u), special.betaincinv(b, a, ubar))
            near = np.log(x) - np.log(rest)
        return np.where(low < _FAR_LEFT, low, np.where(high > -_FAR_LEFT, high, near))


class HighIncomplete:
    """The steps in mpmath: estimates, as everything of that arithmetic."""

    context: Any

    def log_gamma_cdf(self, k: Any, y: Any) -> Any:
        return self.context.gammainc(k, 0, self.context.exp(y), regularized=True)

    def log_gamma_sf(self, k: Any, y: Any) -> Any:
        return self.context.gammainc(k, self.context.exp(y), regularized=True)

    def logit_beta_cdf(self, a: Any, b: Any, y: Any) -> Any:
        context = self.context
        if y > 0:
            return 1 - self.logit_beta_cdf(b, a, -y)
        x = 1 / (1 + context.exp(-y))
        return context.betainc(a, b, 0, x, regularized=True)

    def log_gamma_ppf(self, k: Any, u: Any, ubar: Any) -> Any:
        start = _FLOATS.log_gamma_ppf(float(k), float(u), float(ubar))
        return self._inverse(
            lambda y: self.log_gamma_cdf(k, y), lambda y: self.log_gamma_sf(k, y), u, ubar, start
        )

    def logit_beta_ppf(self, a: Any, b: Any, u: Any, ubar: Any) -> Any:
        start = _FLOATS.logit_beta_ppf(float(a), float(b), float(u), float(ubar))
        return self._inverse(
            lambda y: self.logit_beta_cdf(a, b, y),
            lambda y: self.logit_beta_cdf(b, a, -y),
            *(u, ubar, start),
        )

    def _inverse(self, cdf: Any, survival: Any, u: Any, ubar: Any, start: Any) -> Any:
        context = self.context
        form, level = (cdf, u) if u < ubar else (survival, ubar)
        begin = context.mpf(float(start))
        step = context.mpf(2) ** -20 * (1 + abs(begin))
        return context.findroot(
            lambda y: context.log(form(y)) - context.log(level), (begin - step, begin + step)
        )

    def kummer(self, a: Any, b: Any, x: Any) -> Any:
        return self.context.hyp1f1(a, b, x)


_FLOATS = FloatIncomplete()
