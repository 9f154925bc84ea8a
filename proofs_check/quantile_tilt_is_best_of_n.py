"""The quantile tilt is the best of N draws, N Poisson(l) given N >= 1.

Best of N draws has rank cdf E[x^N]. Summing the series, sum_{k>=1} e^{-l} l^k x^k/k! = e^{-l}
(e^{l x} - 1), and dividing by P(N >= 1) = 1 - e^{-l} gives (e^{l x}-1)/(e^l-1), whose slope is
e^{l x} over its integral: the exponential tilt of the uniform quantile. Its mean is l/(1-e^{-l}).
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, by_name, same_claim, same_formula

ID = "tilt.quantile-tilt-is-best-of-n"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    from hedgetheory.policies.quantile_tilt import QuantileTilt
    from hedgetheory.policies.random_draws import ZeroTruncatedPoisson

    x, rate, y = sympy.symbols("x lam y", positive=True)
    k = sympy.Symbol("k", integer=True, positive=True)
    mass = sympy.exp(-rate) * rate**k / sympy.factorial(k) / (1 - sympy.exp(-rate))
    total = sympy.summation(mass, (k, 1, sympy.oo))
    yield algebra("the masses sum to one", total - 1)
    series = sympy.summation((rate * x) ** k / sympy.factorial(k), (k, 1, sympy.oo))
    pgf = sympy.exp(-rate) * series / (1 - sympy.exp(-rate))
    closed = (sympy.exp(rate * x) - 1) / (sympy.exp(rate) - 1)
    yield algebra("E[x^N] = (e^{l x}-1)/(e^l-1)", pgf - closed)
    partition = sympy.integrate(sympy.exp(rate * y), (y, 0, 1))
    yield algebra("its slope is the tilt", sympy.diff(closed, x) - sympy.exp(rate * x) / partition)
    mean = sympy.diff(closed, x).subs(x, 1)
    yield algebra("E[N] = l/(1-e^{-l})", mean - rate / (1 - sympy.exp(-rate)))
    taylor = sympy.Poly(sympy.series(sympy.exp(rate * x) - 1, x, 0, 9).removeO(), x)
    expected = [rate**j / sympy.factorial(j) for j in range(8, 0, -1)] + [0]
    yield Check("confirmed", "the first eight coefficients", taylor.all_coeffs() == expected)
    for name, theirs in (("ZTP pgf", ZeroTruncatedPoisson.pgf), ("tilt's G", QuantileTilt.cdf)):
        yield same_formula(name, closed, by_name(theirs, u=x, ubar=1 - x, lam=rate))
    yield same_claim(ID, EXPECTED)
