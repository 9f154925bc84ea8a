"""PAR as a shaped law: the mean over references of sigma(k (r - reference))."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy

from hedgetheory.errors import InputError, NotCertified, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.base import ContinuousLaw, Law, exact_symbol
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.shaped import Shaped
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import precision
from hedgetheory.policies.best_of_n import BestOfN

#: Published defaults (arXiv 2502.18770).
SLOPE, REFERENCES = Fraction(1), 10
MAX_REFERENCES = 64
#: References are rounded to so many binary digits below the width of the law.
_BITS = 20
_PRECISION = 128

#: The slope k and one reference.
k = sympy.Symbol("k", positive=True)
reference = sympy.Symbol("ref", real=True)
#: σ(k(r − ref)) as (1 + tanh(k(r − ref)/2))/2, which neither overflows nor loses its ends.
SIGMOID = (1 + sympy.tanh(k * (r - reference) / 2)) / 2


class _Centred(Shaped):
    """S = mean of σ(k(R − ref)) over exact references: an increasing function onto (0, 1)."""

    def _centre(
        self, law: ContinuousLaw, steepness: Fraction, references: tuple[Fraction, ...]
    ) -> None:
        self.slope_at, self.references = steepness, references
        terms = [
            SIGMOID.xreplace({k: exact_symbol(steepness), reference: exact_symbol(place)})
            for place in references
        ]
        self.shape = sympy.Add(*terms) / len(terms)
        self.slope = sympy.diff(self.shape, r)
        ends = (self._end(law.support[0], 0), self._end(law.support[1], 1))
        self.support = ends
        back = None
        if len(terms) == 1:
            logit = sympy.log(r) - sympy.log(1 - r)
            back = exact_symbol(references[0]) + logit / exact_symbol(steepness)
        self._settle(back)

    def _end(self, end: Fraction | None, limit: int) -> Fraction:
        """φ at an end: 0 or 1 at an infinite one; σ(0) = ½ is the only other rational value."""
        if end is None:
            return Fraction(limit)
        if self.references == (end,):
            return Fraction(1, 2)
        raise NotCertified(
            f"the shaped reward is irrational at {short(end)}, an end of {self.law}: take one "
            f"reference there, sigmoid({self.law}, at={short(end)}); rank policies do not see the "
            "shape at all"
        )


class Sigmoid(_Centred):
    """One reference: S = σ(k(R − at)).

    >>> from hedgetheory.laws.normal import Normal
    >>> Sigmoid(Normal(), at=0, k=1)
    sigmoid(normal(mean=0, sd=1), at=0, k=1)
    """

    name = "sigmoid"

    def __init__(self, law: Law, at: RealInput = 0, k: RealInput = SLOPE) -> None:
        steepness = _steepness(k, f"{self.name}(k={k})")
        self._take(_without_atoms(law, self.name))
        self._centre(self.law, steepness, (rational(at, "at"),))

    def __str__(self) -> str:
        return f"{self.name}({self.law}, at={short(self.references[0])}, k={short(self.slope_at)})"


class Par(_Centred):
    """M references at the law's own quantiles (2i − 1)/(2M), the same for all candidates.

    From the paper: the sigmoid of the centred reward, averaged over M references, M = 10, k = 1.
    *Modelling choice*: the references are not drawn but stand at quantiles, rounded to binary
    fractions so that they are exact.

    >>> from hedgetheory.laws.normal import Normal
    >>> Par(Normal(), k=1, m=2).references
    (Fraction(-353627, 524288), Fraction(353627, 524288))
    """

    name = "par"

    def __init__(self, law: Law, k: RealInput = SLOPE, m: RealInput = REFERENCES) -> None:
        steepness, count = _steepness(k, f"{self.name}(k={k})"), rational(m, "m")
        if count.denominator != 1 or not 1 <= count <= MAX_REFERENCES:
            requirement = f"a whole number from 1 to {MAX_REFERENCES}"
            raise must_be("m", m, requirement, f"{self.name}(m={m})")
        self._take(_without_atoms(law, self.name))
        self._centre(self.law, steepness, _quantiles(self.law, int(count)))

    def __str__(self) -> str:
        count = len(self.references)
        return f"{self.name}({self.law}, k={short(self.slope_at)}, m={count})"


def sigmoid(law: Law, at: RealInput = 0, k: RealInput = SLOPE) -> Law:
    """The law of σ(k(R − at)), in (0, 1); the uniform law where R is logistic(at, 1/k).

    ``law`` without atoms; ``at`` any real number, ``k`` > 0. Rank policies do not see the shape;
    its tilt exists for every λ. An end of the support other than ±oo must be ``at`` (NotCertified
    elsewhere: the end would be irrational). Raises InputError. Source: PAR, arXiv 2502.18770.

    >>> from hedgetheory.laws.logistic import Logistic
    >>> sigmoid(Logistic(3, "1/2"), at=3, k=2)
    uniform
    """
    shaped = Sigmoid(law, at, k)
    return Uniform() if _is_the_cdf(shaped) else shaped


def par(law: Law, k: RealInput = SLOPE, m: RealInput = REFERENCES) -> Law:
    """The law of PAR's reward: the mean of σ(k(R − ref)) over ``m`` references.

    As `Par`, which states them; one reference is `sigmoid` there. ``k`` > 0, whole ``m`` from 1 to
    64. Raises InputError. Source: arXiv 2502.18770.

    >>> from hedgetheory.laws.logistic import Logistic
    >>> par(Logistic(), k=1, m=1)
    uniform
    """
    shaped = Par(law, k, m)
    return Uniform() if _is_the_cdf(shaped) else shaped


def _is_the_cdf(shaped: _Centred) -> bool:
    """Whether σ(k(r − ref)) is the cdf of the law itself."""
    law = shaped.law
    if not isinstance(law, Logistic):
        return False
    return shaped.references == (law.loc,) and shaped.slope_at * law.scale == 1


def _quantiles(law: ContinuousLaw, count: int) -> tuple[Fraction, ...]:
    step = law.width / 2**_BITS
    out = []
    for i in range(count):
        level = Fraction(2 * i + 1, 2 * count)
        plan = next(iter(plans(law, BestOfN(1), "quantile", at=level)))
        with precision(_PRECISION):
            middle = float(enclosure(plan).mid())
        if not math.isfinite(middle):
            raise NotCertified(f"a quantile of {law} is beyond binary64: rescale the reward")
        place = Fraction(middle)
        out.append(round(place / step) * step)
    return tuple(out)


def _without_atoms(law: Law, name: str) -> ContinuousLaw:
    if not isinstance(law, ContinuousLaw):
        raise InputError(f"law={law!r}, but must be a law without atoms [{name}(...)]")
    return law


def _steepness(given: RealInput, call: str) -> Fraction:
    steepness = rational(given, "k")
    if steepness <= 0:
        raise must_be("k", given, "a real number > 0", call)
    return steepness
