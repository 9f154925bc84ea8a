"""Best-of-n where a share of the responses hacks: value, threshold, best n, price of a hack rate.

The joint model itself is `laws.joint.Contaminated`, ``contaminated(eps, h)`` in the grammar.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import sympy

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import n

MAX_DRAWS = 100_000
#: ε, the chance that a response hacks, and h, the true reward of a hack.
eps = sympy.Symbol("eps", positive=True)
h = sympy.Symbol("h", real=True)

#: E[true reward] under Best-of-n.
VALUE = (1 - eps) ** n * n / (n + 1) + h * (1 - (1 - eps) ** n)


def best_of_n_value(draws: RealInput, epsilon: RealInput, hack: RealInput = 0) -> Fraction:
    """(1 − ε)ⁿ n/(n + 1) + h(1 − (1 − ε)ⁿ), exact: the true reward that Best-of-n gets.

    Whole n from 1 to 100,000, 0 < ε < 1, real h. Raises InputError.

    >>> best_of_n_value(2, "1/10")
    Fraction(27, 50)
    """
    count = rational(draws, "n")
    if count.denominator != 1 or not 1 <= count <= MAX_DRAWS:
        raise must_be("n", draws, f"a whole number from 1 to {MAX_DRAWS}", "best_of_n_value(...)")
    honest = (1 - _share(epsilon)) ** int(count)
    return honest * count / (count + 1) + rational(hack, "h") * (1 - honest)


def best_draws(epsilon: RealInput) -> tuple[int, ...]:
    """The best whole n where a hack is worth nothing: ⌊1/√ε⌋, and n − 1 too where 1/√ε is whole.

    Exact, for 0 < ε < 1. Raises InputError.

    >>> best_draws("1/100"), best_draws("1/99")
    ((9, 10), (9,))
    """
    share = _share(epsilon)
    # n ≤ 1/√ε exactly where n² ε.numerator ≤ ε.denominator.
    best = isqrt(share.denominator // share.numerator)
    tied = best >= 2 and best * best * share == 1
    return (best - 1, best) if tied else (best,)


def threshold(epsilon: RealInput) -> sympy.Expr:
    """The hacking threshold of Best-of-n where a hack is worth nothing, exact.

    (−1 + √(1 + 4/L))/2 with L = −ln(1 − ε) where L ≤ ½, else 1: no selection at all. For
    0 < ε < 1; raises InputError.

    >>> threshold("1/2")
    1
    """
    share = _share(epsilon)
    rate = -sympy.log(1 - sympy.Rational(share))
    if bool(rate > sympy.Rational(1, 2)):
        return sympy.S.One
    return (sympy.sqrt(1 + 4 / rate) - 1) / 2


def least_kl(rate: RealInput, epsilon: RealInput) -> sympy.Expr:
    """The least KL from the reference, in nats, of a policy that hacks at the rate q: kl(q‖ε).

    q ln(q/ε) + (1 − q) ln((1 − q)/(1 − ε)), exact; ln(1/ε) at q = 1. 0 <= q <= 1, 0 < ε < 1;
    raises InputError.

    >>> least_kl(1, "1/100")
    log(100)
    """
    q, share = rational(rate, "rate"), sympy.Rational(_share(epsilon))
    if not 0 <= q <= 1:
        raise must_be("rate", rate, "a probability from 0 to 1", "least_kl(...)")
    hacked, honest = sympy.Rational(q), sympy.Rational(1 - q)
    out = sympy.S.Zero
    if hacked:
        out += hacked * sympy.log(hacked / share)
    if honest:
        out += honest * sympy.log(honest / (1 - share))
    return out


def _share(given: RealInput) -> Fraction:
    share = rational(given, "eps")
    if not 0 < share < 1:
        raise must_be("eps", given, "a real number, 0 < eps < 1", f"eps={given}")
    return share
