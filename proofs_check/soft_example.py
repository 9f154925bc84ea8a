"""The paper's example g = u^12 (1 - u) in full: BoN, BoP, tilt, Soft Best-of-n at 8, 16, 32, 64.

BoN: f(n) = n/(n+12) - n/(n+13) = n/((n+12)(n+13)), whose derivative vanishes where n^2 = 156. BoP
and the tilt: f' has one zero (g rises, then falls; Corollary 1, and the tilt's theorem), enclosed
where balls show its signs. Soft Best-of-n draws n and picks by softmax(lambda u); given the draws,
d/dlambda of the mean of g is the covariance of g and u under the softmax weights. Averaging over
the draws by the exponential race, for t > 0,
  f'(lambda) = n(n-1) int phi^{n-2} D(t) ds, s = ln t,
  D(t) = iint_{x<y} (g(x) - g(y))(x - y) X Y e^{-X-Y} dx dy, X = t e^{lambda x}, Y = t e^{lambda y}:
the pair (x, y) rings first among two of the n clocks. It is computed here as that double integral,
by Gauss and Legendre's rule, and not through the package's moments. The covariance of g and u under
the policy itself is another number: it vanishes at 21.4 for n = 16, and never for n = 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from proofs_check.tools import Check, Verdict, algebra, ball, bits, integral, same_claim

ID = "sbon.example-thresholds"
EXPECTED: Verdict = "certified"

#: n -> the threshold in lambda, to three decimals, from the double integral.
THRESHOLDS = {8: 50.401, 16: 26.121, 32: 17.665, 64: 15.047}
POINTS, PANELS = 12, 24
#: Where the thresholds of BoP and the tilt are bracketed.
BOP: tuple[str, str] = ("12.39", "12.40")
TILT: tuple[str, str] = ("13.52", "13.53")


def gold(u: Any) -> Any:
    return u**12 * (1 - u)


def rule() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [0, 1], in panels."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    starts = np.arange(PANELS) / PANELS
    x = (starts[:, None] + (nodes[None, :] + 1) / (2 * PANELS)).ravel()
    return x, np.tile(weights / (2 * PANELS), PANELS)


def race(draws: int, strength: float) -> tuple[np.ndarray, ...]:
    """(x, weights, the kernel X e^{-X} at nodes s by x, phi at the nodes, the step)."""
    x, weights = rule()
    step = 0.125
    s = np.arange(-36.0 - strength, 4.0, step)
    rate = np.exp(s[:, None] + strength * x[None, :])
    with np.errstate(under="ignore"):
        fired = rate * np.exp(-rate)
        phi = np.exp(-rate) @ weights
    return x, weights, fired, phi, np.array(step)


def slope(draws: int, strength: float) -> float:
    """f'(lambda) by the double integral over pairs."""
    x, weights, fired, phi, step = race(draws, strength)
    pairs = (gold(x)[:, None] - gold(x)[None, :]) * (x[:, None] - x[None, :]) / 2
    weighted = fired * weights
    double = np.einsum("sx,xy,sy->s", weighted, pairs, weighted, optimize=True)
    return float(draws * (draws - 1) * step * np.sum(phi ** (draws - 2) * double))


def marginal_covariance(draws: int, strength: float) -> float:
    """Cov(g, u) under the policy: the wrong slope."""
    x, weights, fired, phi, step = race(draws, strength)
    w = draws * step * (phi ** (draws - 1)) @ fired
    mean = [float(np.sum(weights * w * h)) for h in (gold(x) * x, gold(x), x)]
    return mean[0] - mean[1] * mean[2]


def checks() -> Iterator[Check]:
    n, u = sympy.symbols("n u", positive=True)
    value = n / ((n + 12) * (n + 13))
    moment = sympy.integrate(n * u ** (n - 1) * u**12, (u, 0, 1)) - n / (n + 13)
    yield algebra("BoN: f(n) = n/((n+12)(n+13))", moment - value)
    top = sympy.numer(sympy.together(sympy.diff(value, n)))
    yield algebra("BoN: f' has the sign of 156 - n^2", sympy.expand(top) - (156 - n**2))
    yield algebra("so the integers 12 and 13 tie", value.subs(n, 12) - value.subs(n, 13))
    with bits(128):
        yield from smooth_families()
    for draws, at in THRESHOLDS.items():
        turns = slope(draws, at - 1e-3) > 0 > slope(draws, at + 1e-3)
        yield Check(
            "confirmed", f"Soft Best-of-{draws}: the double integral vanishes at {at}", turns
        )
    wrong = marginal_covariance(16, 21.44) > 0 > marginal_covariance(16, 21.46)
    yield Check("confirmed", "n = 16: the marginal covariance vanishes at 21.45, not 26.1", wrong)
    positive = all(marginal_covariance(8, strength) > 0 for strength in (10, 30, 50, 80))
    yield Check("confirmed", "n = 8: it is positive on both sides of 50.4", positive)
    yield same_claim(ID, "certified")
    yield same_claim("popular.marginal-covariance-is-the-slope", "refuted")


def smooth_families() -> Iterator[Check]:
    """The one zero of f' under BoP and the tilt, by the signs of an integral in balls."""
    one = ball(1)

    def poisson(at: Fraction) -> Any:
        # f' = int g'(u) u (1-u) e^{mu(u-1)} du.
        return integral(
            lambda z: (12 * z**11 - 13 * z**12) * z * (1 - z) * ((z - 1) * ball(at)).exp(),
            one * 0, one,
        )  # fmt: skip

    def tilted(at: Fraction) -> Any:
        # M^2 f' = int u g e^{lu} int e^{lu} - int g e^{lu} int u e^{lu}, with e^{l(u-1)}.
        def mean(h: Callable[[Any], Any]) -> Any:
            return integral(lambda z: h(z) * ((z - 1) * ball(at)).exp(), one * 0, one)

        return mean(lambda z: z * gold(z)) * mean(lambda z: z * 0 + 1) - mean(gold) * mean(
            lambda z: z
        )

    for name, function, low, high in (("BoP", poisson, *BOP), ("tilt", tilted, *TILT)):
        yield Check("certified", f"{name}: f' > 0 at {low}, f' < 0 at {high}",
                    bool(function(Fraction(low)) > 0 and function(Fraction(high)) < 0))  # fmt: skip
