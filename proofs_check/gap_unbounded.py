"""Three laws on which the gap to the raw tilt is unbounded.

KL(BoP_m) >= ln(1+m) - 1, since Ei increases. For the tilt the duality KL = sup_l [l M - K(l)] is
bounded from above, M the mean:

- exponential: K = -ln(1-l), sup = M - 1 - ln M exactly;
- logistic: K = ln(pi l/sin(pi l)) >= ln(l/(1-l)), sup <= M - 1 - ln M + ln 2 once M >= 4;
- normal: sup = M^2/2, and M <= a + 1/a where (1+m) phi(a) = a.

On the first two M = ln m + Euler's constant + o(1), so the gap is at least ln M - O(1); on the
third the gap is at least ln a - O(1). Here the means are computed apart from the package, by
certified quadrature in the logit of u, and the bounds confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from flint import acb, arb

from proofs_check.tools import Check, Verdict, algebra, ball, bits, integral, same_claim

ID = "gap.unbounded-on-exponential"
EXPECTED: Verdict = "proved"


def exponential_mean(m: int) -> arb:
    """E[-ln(1-U)] = int (1 - G)/v dv over v in (0,1), an entire integrand."""

    def integrand(v: Any) -> Any:
        # (1 - (1-v) e^{-mv})/v = e^{-mv} + (1 - e^{-mv})/v.
        return (-m * v).exp() + m * phi(-m * v)

    return integral(integrand, ball(0), ball(1))


def phi(z: Any) -> Any:
    """(e^z - 1)/z = e^{z/2} sinh(z/2)/(z/2), a cardinal sine: entire, so no 0/0 at z = 0."""
    half = z / 2
    return half.exp() * (half * acb(0, 1)).sinc()


def checks() -> Iterator[Check]:
    big, m, d = sympy.symbols("M m d", positive=True)
    scaled = sympy.exp(-m - 1) * (sympy.Ei(m + 1) - sympy.Ei(1)) / m
    yield algebra("Ei' = e^x/x > 0", sympy.diff(sympy.Ei(m), m) - sympy.exp(m) / m)
    rising = bool(sympy.diff(sympy.Ei(m), m).is_positive and scaled.subs(m, 1).evalf() > 0)
    yield Check("algebra", "so the last term of KL = ln(1+m) - 1 + it is positive", rising)
    rate = 1 - 1 / big
    yield algebra("exponential: K' = 1/(1-l) = M at l = 1 - 1/M", 1 / (1 - rate) - big)
    yield algebra("exponential: l M - K = M - 1 - ln M",
                  rate * big + sympy.log(1 / big) - (big - 1 - sympy.log(big)))  # fmt: skip
    inner = sympy.log(d) - d * big
    yield algebra(
        "logistic: ln d - d M is stationary at d = 1/M", sympy.diff(inner, d).subs(d, 1 / big)
    )
    yield algebra("and is -ln M - 1 there", inner.subs(d, 1 / big) + sympy.log(big) + 1)
    a = sympy.Symbol("a", positive=True)
    density = sympy.exp(-(a**2) / 2) / sympy.sqrt(2 * sympy.pi)
    yield algebra("normal: phi' = -x phi", sympy.diff(density, a) + a * density)
    log_one_plus = sympy.log(a) + a**2 / 2 + sympy.log(2 * sympy.pi) / 2
    yield algebra("normal: ln(1+m) where (1+m) phi(a) = a",
                  sympy.expand_log(sympy.log(a / density), force=True) - log_one_plus)  # fmt: skip
    bound = sympy.log(a) + sympy.log(2 * sympy.pi) / 2 - 2 - 1 / (2 * a**2)
    yield algebra("normal: ln(1+m) - 1 - (a + 1/a)^2/2 is the bound",
                  log_one_plus - 1 - (a + 1 / a) ** 2 / 2 - bound)  # fmt: skip
    with bits(120):
        for at in (10, 1000):
            average = exponential_mean(at)
            x = ball(at)
            kl = (-x - 1).exp() * ((x + 1).ei() - ball(1).ei()) / x + (1 + x).log() - 1
            gap = kl - (average - 1 - average.log())
            floor = average.log() - arb.const_euler() + (-x).ei() - 1 / x
            yield Check("confirmed", f"exponential: gap({at}) >= ln M - gamma - E1 - 1/m",
                        bool(gap >= floor))  # fmt: skip
    yield same_claim(ID, EXPECTED)
    yield same_claim("gap.unbounded-on-logistic", "certified")
    yield same_claim("gap.unbounded-on-normal", "proved")
