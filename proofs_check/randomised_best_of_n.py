"""Which tilts are the best of a random number of draws: Sibuya yes, rising densities no.

Best of N draws has rank cdf E[x^N], a power series with coefficients >= 0, so that its slope w has
no negative derivative on (0, 1). The tilt has w = e^{l Q(x)}/M. On Exponential(1) that is
a (1-x)^{a-1}, a = 1 - l, the slope of 1 - (1-x)^a, whose coefficients follow by the binomial
series. Where f rises faster than e^{l r}, the chain rule along x = F(r) makes w'' negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from proofs_check.tools import Check, Verdict, algebra, ball, bits, same_claim

ID = "randomised.rising-density"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    x, a, rate = sympy.symbols("x a l", positive=True)
    k = sympy.Symbol("k", integer=True, positive=True)
    # Sibuya: mass a (1−a)(2−a)…(k−1−a)/k!, by the products and by the series at a = 2/7.
    pgf = 1 - (1 - x) ** a
    yield algebra("its slope", sympy.diff(pgf, x) - a * (1 - x) ** (a - 1))
    # e^{l Q} with Q = -ln y, y = 1 - x: compared by logarithms.
    y = sympy.Symbol("y", positive=True)
    yield algebra(
        "exponential(1): ln(e^{l Q} (1-l)) = ln(a y^{a-1}) at a = 1 - l, y = 1 - x",
        (-rate * sympy.log(y) + sympy.log(1 - rate)).subs(rate, 1 - a)
        - (sympy.log(a) + (a - 1) * sympy.log(y)),
    )
    at = sympy.Rational(2, 7)
    series = sympy.Poly(sympy.series(pgf.subs(a, at), x, 0, 8).removeO(), x)
    masses = [
        at * sympy.prod([j - at for j in range(1, n)]) / sympy.factorial(n) for n in range(1, 8)
    ]
    yield Check("confirmed", "masses a (1-a)...(k-1-a)/k! > 0",
                series.all_coeffs()[::-1] == [0, *masses] and min(masses) > 0)  # fmt: skip
    # Geometric on {1, 2, ...}: F(k) = 1 − q^k and the tilt's survival is (q e^l)^k.
    q = sympy.Symbol("q", positive=True)
    exponent = 1 + rate / sympy.log(q)
    yield algebra(
        "geometric: (q^k)^a = (q e^l)^k",
        sympy.expand(k * exponent * sympy.log(q)) - k * (sympy.log(q) + rate),
    )
    # Along x = F(r): d/dx = (1/f) d/dr.
    r = sympy.Symbol("r", real=True)
    height = sympy.Symbol("h", real=True)
    log_density = sympy.Function("L")(r)
    w = sympy.exp(rate * r)
    once = sympy.diff(w, r) * sympy.exp(-log_density)
    twice = sympy.diff(once, r) * sympy.exp(-log_density)
    plain = rate * w * sympy.exp(-2 * log_density) * (rate - sympy.diff(log_density, r))
    yield algebra("w'' = l e^{l r} (l - L')/f^2, L = ln f",
                  (twice - plain).subs(sympy.diff(log_density, r), height)
                  .subs(log_density, r))  # fmt: skip
    densities = {
        "normal": (-(r**2) / 2, -(rate + 1)),
        "gumbel": (-r - sympy.exp(-r), -sympy.log(2 + rate)),
    }
    for name, (exponent_of, place) in densities.items():
        slope = sympy.diff(exponent_of, r)
        yield algebra(f"{name}: (ln f)' = l + 1 somewhere", slope.subs(r, place) - (rate + 1))
    # Three equal atoms at 0, 1, 2 tilted by 1: weights of x, x^3, x^4 by Cramer's rule in balls.
    with bits(200):
        e = ball(1).exp()
        whole = 1 + e + e * e
        targets = [ball(1), 1 / whole, (1 + e) / whole]
        places = [Fraction(1), Fraction(1, 3), Fraction(2, 3)]
        rows = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) ** n for n in (1, 3, 4)]
                             for v in places])  # fmt: skip
        inverse = rows.inv()
        weights = [
            sum(ball(Fraction(int(c.p), int(c.q))) * t
                for c, t in zip(inverse.row(i), targets, strict=True))
            for i in range(3)
        ]  # fmt: skip
        positive = all(bool(weight > 0) for weight in weights)
    yield Check("confirmed", "three atoms: the weights of N = 1, 3, 4 are positive", positive)
    yield same_claim("randomised.sibuya", "proved")
    yield same_claim("randomised.three-atoms", "certified")
    yield same_claim("randomised.every-tilt", "refuted")
    yield same_claim(ID, EXPECTED)
