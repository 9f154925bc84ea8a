"""KL and the mean proxy quantile strictly increase along BoN, BoP and the quantile tilt.

BoN: KL' = (n-1)/n^2, E[U]' = 1/(n+1)^2. Tilt: KL = s K' - K, so KL' = s K'' and E[U]' = K'', the
variance of U. BoP: d/ds E[h] = ∫ h'(x) x(1-x) e^{s(x-1)} dx for smooth h, as -dG/ds is that
kernel; with h = x it is positive; KL' = E[ln w score] + E[score] is it with h = ln w, whose slope
s + s/(1+s x) is positive.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, same_claim

ID = "divergence.kl-and-proxy-increase"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    x, s = sympy.symbols("x s", positive=True)
    bon_kl = sympy.log(s) - (s - 1) / s
    yield algebra("BoN: KL' = (n-1)/n^2", sympy.diff(bon_kl, s) - (s - 1) / s**2)
    yield algebra("BoN: E[U]' = 1/(n+1)^2", sympy.diff(s / (s + 1), s) - 1 / (s + 1) ** 2)
    big_k = sympy.Function("K")(s)
    first, second = sympy.diff(big_k, s), sympy.diff(big_k, s, 2)
    yield algebra("tilt: KL' = s K''", sympy.diff(s * first - big_k, s) - s * second)
    cdf = x * sympy.exp(s * (x - 1))
    kernel = x * (1 - x) * sympy.exp(s * (x - 1))
    yield algebra("BoP: -dG/ds is the kernel", sympy.diff(cdf, s) + kernel)
    w = sympy.diff(cdf, x)
    log_w = sympy.log(1 + s * x) + s * (x - 1)
    yield algebra("BoP: ln w", sympy.exp(log_w) - w)
    slope = sympy.diff(log_w, x)
    yield algebra("BoP: (ln w)' = s + s/(1+s x)", slope - s - s / (1 + s * x))
    yield Check("algebra", "BoP: which is positive", bool(slope.is_positive))
    whole = sympy.diff(w * log_w, s) - sympy.diff(w, s) * (log_w + 1)
    yield algebra("d(w ln w)/ds = (ln w + 1) dw/ds", whole)
    yield same_claim(ID, EXPECTED)
