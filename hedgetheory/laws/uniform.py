"""The uniform law on [0, 1]: the proxy quantile of every law without atoms."""

from __future__ import annotations

from fractions import Fraction

import sympy

from hedgetheory.expressions.symbols import lam, r, u
from hedgetheory.expressions.vocabulary import phi1
from hedgetheory.laws.base import ContinuousLaw


class Uniform(ContinuousLaw):
    """Uniform on [0, 1], f(r) = 1.

    >>> Uniform().mean
    1/2
    """

    name = "uniform"
    support = (Fraction(0), Fraction(1))
    pdf = sympy.S.One
    cdf = r
    survival = 1 - r
    quantile = u
    log_mgf = sympy.log(phi1(lam))
    mean = sympy.Rational(1, 2)
    centre = Fraction(1, 2)
    width = Fraction(1)
