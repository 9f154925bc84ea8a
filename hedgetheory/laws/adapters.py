"""Laws from a frozen scipy.stats distribution, and from a sympy.stats random variable."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.formula import PdfLaw
from hedgetheory.laws.gamma import Gamma
from hedgetheory.laws.geometric import Geometric
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.laplace import Laplace
from hedgetheory.laws.latent import LogGamma
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.lognormal import LogNormal
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.poisson import Poisson
from hedgetheory.laws.student_t import StudentT
from hedgetheory.laws.uniform import Uniform
from hedgetheory.laws.weibull import Weibull


def _affine(law: ContinuousLaw, loc: Fraction, scale: Fraction) -> ContinuousLaw:
    return law if loc == 0 and scale == 1 else Affine(law, loc, scale)


#: scipy's name -> (shapes, loc, scale) -> law, in scipy's conventions.
_SCIPY: dict[str, Callable[..., Law]] = {
    "norm": Normal,
    "uniform": lambda loc, scale: _affine(Uniform(), loc, scale),
    "expon": lambda loc, scale: (
        Exponential(1 / scale) if loc == 0 else Affine(Exponential(1), loc, scale)
    ),
    "logistic": Logistic,
    "gumbel_r": Gumbel,
    "laplace": Laplace,
    "beta": lambda a, b, loc, scale: _affine(Beta(a, b), loc, scale),
    "gamma": lambda a, loc, scale: (
        Gamma(a, 1 / scale) if loc == 0 else Affine(Gamma(a, 1), loc, scale)
    ),
    "lognorm": lambda s, loc, scale: _affine(LogNormal(0, s), loc, scale),
    "pareto": lambda b, loc, scale: _affine(Pareto(b), loc, scale),
    "t": lambda df, loc, scale: _affine(StudentT(df), loc, scale),
    "weibull_min": lambda c, loc, scale: (
        Weibull(c, scale) if loc == 0 else Affine(Weibull(c, 1), loc, scale)
    ),
    "bernoulli": lambda p, loc: Bernoulli(p) if loc == 0 else Finite({loc: 1 - p, loc + 1: p}),
    "poisson": lambda mu, loc: _unmoved(Poisson(mu), loc),
    "geom": lambda p, loc: _unmoved(Geometric(p), loc),
}


def _unmoved(law: Law, loc: Fraction) -> Law:
    if loc != 0:
        raise InputError(f"loc={loc}, but must be 0 for {law}: shifted counts are not built")
    return law


def from_scipy(frozen: Any) -> Law:
    """The law of a frozen scipy.stats distribution.

    norm, uniform, expon, logistic, gumbel_r, laplace, beta, gamma, lognorm, pareto, t, weibull_min,
    bernoulli, poisson (loc 0) and geom (loc 0) become laws of this package, certified throughout,
    their parameters the exact rationals of scipy's floats. Any other continuous distribution
    becomes an `EstimatedLaw`, of which only what is free of the law is certified.

    Raises InputError for what is not a frozen distribution with scalar parameters, for parameters
    out of domain, and for other discrete distributions.

    >>> import scipy.stats
    >>> from_scipy(scipy.stats.norm(1, 2))
    normal(mean=1, sd=2)
    """
    import scipy.stats

    dist = getattr(frozen, "dist", None)
    if dist is None or not hasattr(frozen, "kwds"):
        raise InputError(
            f"frozen={frozen!r}, but must be a frozen distribution such as scipy.stats.norm(0, 1)"
        )
    shapes, loc, scale = dist._parse_args(*frozen.args, **frozen.kwds)
    discrete = isinstance(dist, scipy.stats.rv_discrete)
    try:
        given = [Fraction(float(x)) for x in (*shapes, loc, *(() if discrete else (scale,)))]
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"the parameters of scipy.stats.{dist.name} must be finite numbers"
        ) from None
    # A distribution of somebody's own may carry the name of another.
    known = type(getattr(scipy.stats, dist.name, None)) is type(dist)
    if known and dist.name in _SCIPY:
        return _SCIPY[dist.name](*given)
    if discrete:
        raise InputError(
            f"scipy.stats.{dist.name} is not built: discrete are bernoulli, poisson, geom; "
            "give a finite one by its atoms"
        )
    return EstimatedLaw(frozen)


#: sympy's class -> its parameters -> law, in sympy's conventions.
_SYMPY: dict[str, Callable[..., Law]] = {
    "NormalDistribution": Normal,
    "ExponentialDistribution": Exponential,
    "UniformDistribution": lambda low, high: _affine(Uniform(), low, high - low),
    "BetaDistribution": Beta,
    "GammaDistribution": lambda shape, scale: Gamma(shape, 1 / scale),
    "LogisticDistribution": Logistic,
    "LaplaceDistribution": Laplace,
    "LogNormalDistribution": LogNormal,
    "ParetoDistribution": lambda least, alpha: _affine(Pareto(alpha), Fraction(0), least),
    "StudentTDistribution": StudentT,
    "WeibullDistribution": lambda scale, shape: Weibull(shape, scale),
    "PoissonDistribution": Poisson,
    "GeometricDistribution": Geometric,
}


def from_sympy(variable: Any) -> Law:
    """The law of a sympy.stats random variable with rational parameters.

    Normal, Exponential, Uniform, Beta, Gamma, Logistic, Gumbel (of either type), Laplace,
    LogNormal, Pareto, StudentT, Weibull, Poisson, Geometric, and every finite one with rational
    values become laws of this package. Another continuous one becomes a `PdfLaw` of its density
    where that is certified.

    Raises InputError for what is not a random variable of one law with rational parameters, and as
    `PdfLaw` does.

    >>> from sympy.stats import Gamma
    >>> from_sympy(Gamma("X", 2, 3))
    gamma(shape=2, rate=1/3)
    """
    space = getattr(variable, "pspace", None)
    found = getattr(space, "distribution", None)
    if found is None or variable != getattr(space, "value", None):
        raise InputError(
            f"variable={variable!r}, but must be a random variable such as "
            "sympy.stats.Normal('X', 0, 1); transform it by affine or shaped"
        )
    kind = type(found).__name__
    if hasattr(found, "dict"):
        return Finite(
            {_exact(k, variable): _exact(v, variable) for k, v in dict(found.dict).items()}
        )
    if kind == "GumbelDistribution":
        scale, loc = (_exact(x, variable) for x in (found.beta, found.mu))
        # The minimum type is loc + scale·ln E, E exponential.
        least = bool(found.minimum)
        return LogGamma(Fraction(1), loc, scale) if least else Gumbel(loc, scale)
    if kind in _SYMPY:
        return _SYMPY[kind](*(_exact(x, variable) for x in found.args))
    return _by_density(found, variable)


def _exact(value: Any, variable: Any) -> Fraction:
    exact = sympy.sympify(value, strict=True)  # text is never parsed
    if not exact.is_Rational:
        raise InputError(f"{value} is not rational: the parameters of {variable} must be")
    return Fraction(int(exact.p), int(exact.q))


def _by_density(found: Any, variable: Any) -> Law:
    where = getattr(found, "set", None)
    if not isinstance(where, sympy.Interval) or not hasattr(found, "pdf"):
        raise InputError(f"the law of {variable} is not built: give its cdf by a formula")
    density = sympy.piecewise_fold(sympy.sympify(found.pdf(r), strict=True))
    branches = [density]
    if isinstance(density, sympy.Piecewise):
        branches = [piece.expr for piece in density.args if piece.expr != 0]
    if len(branches) != 1:
        raise InputError(f"the density of {variable} has pieces: give a mixture of formulas")
    ends = [
        str(end) if end in (sympy.oo, -sympy.oo) else _exact(end, variable)
        for end in (where.start, where.end)
    ]
    # A symbol of the same name prints the same; e is written as the grammar has it.
    text = sympy.sstr(branches[0].xreplace({sympy.E: sympy.Symbol("e")}))
    return PdfLaw(text, *ends)
