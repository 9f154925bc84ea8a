"""Joint models of proxy and true reward: the law of the proxy, and the gold curve it implies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import ClassVar, Literal

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import r, u
from hedgetheory.expressions.vocabulary import log1p
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.laws.mixture import Mixture
from hedgetheory.laws.normal import Normal


@dataclass(frozen=True)
class Implied:
    """What a joint model implies: the proxy's law, and g = E[true reward | proxy].

    ``expr`` is the gold curve in the symbol ``variable`` ("u", the proxy's quantile, or "r", the
    proxy); ``unit`` is the proxy's unit where the model had to choose one, else None.
    """

    law: Law
    expr: sympy.Expr
    variable: Literal["u", "r"] | None
    unit: str | None = None

    def __str__(self) -> str:
        """The gold curve as the grammar reads it: cases as ``where(condition, then, else)``."""
        where = sympy.Function("where")

        def cases(*pieces: tuple[sympy.Expr, sympy.Basic]) -> sympy.Expr:
            out = pieces[-1][0]
            for expr, condition in reversed(pieces[:-1]):
                out = where(condition, expr, out)
            return out

        return str(self.expr.replace(sympy.Piecewise, cases))


class JointModel(ABC):
    """A joint law of proxy and true reward, stated beside one law L."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]

    @abstractmethod
    def implied(self, law: Law) -> Implied:
        """The proxy's law and the gold curve. Raises InputError where the model has no such L."""

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={_said(getattr(self, name))}" for name in self.parameters)
        return f"{self.name}({inside})"

    def __repr__(self) -> str:
        return str(self)


class BivariateNormal(JointModel):
    """Proxy and true reward jointly normal with correlation ρ, the true one standardised.

    L = normal(m, s) is the proxy's law; g(r) = ρ (r − m)/s. The gold curve is a line: no family
    is ever hacked, whatever ρ > 0. Raises InputError for ρ outside [−1, 1].

    >>> BivariateNormal("1/2").implied(Normal(1, 2)).expr
    r/4 - 1/4

    Source: the conditional mean of a bivariate normal law.
    """

    name = "bivariate_normal"
    parameters = ("rho",)

    def __init__(self, rho: RealInput) -> None:
        self.rho = rational(rho, "rho")
        if abs(self.rho) > 1:
            raise must_be("rho", rho, "a real number in [-1, 1]", f"bivariate_normal(rho={rho})")

    def implied(self, law: Law) -> Implied:
        if not isinstance(law, Normal):
            raise InputError(f"{self} needs a normal law, not {law}: take --law normal(0, 1)")
        slope = exact_symbol(self.rho / law.sd)
        return _in("r", law, slope * r - slope * exact_symbol(law.values["mean"]))


class Contaminated(JointModel):
    """With probability ε a response hacks: it has the top proxies and the true reward h.

    The true reward of the others is their quantile among the honest ones: g(u) = u/(1 − ε) below
    1 − ε, and h above. L is the proxy's law, without atoms. Under Best-of-n
    f = (1 − ε)ⁿ n/(n + 1) + h (1 − (1 − ε)ⁿ). Raises InputError for ε outside (0, 1).

    >>> Contaminated("1/10", 0).implied(Normal()).expr
    Piecewise((10*u/9, u < 9/10), (0, True))

    Source: a modelling choice for School of Reward Hacks (arXiv 2508.17511).
    """

    name = "contaminated"
    parameters = ("eps", "h")

    def __init__(self, eps: RealInput, h: RealInput) -> None:
        self.eps, self.h = rational(eps, "eps"), rational(h, "h")
        if not 0 < self.eps < 1:
            call = f"contaminated(eps={eps}, h={h})"
            raise must_be("eps", eps, "a real number in (0, 1)", call)

    def implied(self, law: Law) -> Implied:
        if not isinstance(law, ContinuousLaw):
            raise InputError(f"{self} needs a law without atoms, not {law}")
        honest = exact_symbol(1 - self.eps)
        gold = sympy.Piecewise((u / honest, u < honest), (exact_symbol(self.h), True))
        return _in("u", law, gold)


class NoisyProxy(JointModel):
    """Proxy = true reward + independent noise; g(r) = E[true reward | their sum is r].

    Here L is the law of the **true** reward, and the proxy's law follows:

    - L = normal(m, s), noise normal(m′, s′): with t² = s² + s′² the proxy is normal(m + m′, t) and
      g a line of slope s²/t² (regression to the mean). Where t is irrational the proxy is taken in
      its own standard deviations, as ``unit`` says: the same for rank policies, and λ in 1/t for
      the others.

    Raises InputError for other pairs, noise with atoms, and noise on less than the whole line where
    the true reward has two atoms or more.

    >>> implied = NoisyProxy(Normal(0, 4)).implied(Normal(0, 3))
    >>> implied.law, implied.expr
    (normal(mean=0, sd=5), 9*r/25)

    Source: Bayes' rule.
    """

    name = "noisy_proxy"
    parameters = ("noise",)

    def __init__(self, noise: Law) -> None:
        if not isinstance(noise, ContinuousLaw):
            raise InputError(f"noise={noise}, but must be a law without atoms [noisy_proxy]")
        self.noise = noise

    def implied(self, law: Law) -> Implied:
        if isinstance(law, Normal) and isinstance(self.noise, Normal):
            return normal_plus_noise(law, self.noise.values["mean"], self.noise.sd**2)
        if isinstance(law, FiniteLaw):
            return _finite_plus_noise(law, self.noise)
        raise InputError(
            f"{self} is not built for a true reward {law}: take a finite one, or a normal one "
            "with normal noise"
        )


def normal_plus_noise(true: Normal, bias: Fraction, error: Fraction) -> Implied:
    """The proxy = a normal true reward + independent normal noise of mean ``bias``, variance
    ``error``: its law, and the line of regression to the mean."""
    variance = true.sd**2 + error
    mean = true.values["mean"] + bias
    share = true.sd**2 / variance
    root = _square_root(variance)
    if root is not None:
        start = true.values["mean"] - share * mean
        return _in("r", Normal(mean, root), exact_symbol(share) * r + exact_symbol(start))
    slope = exact_symbol(true.sd**2) / sympy.sqrt(exact_symbol(variance))
    gold = slope * r + exact_symbol(true.values["mean"])
    unit = f"(proxy - {short(mean)}) / sqrt({short(variance)})"
    return _in("r", Normal(), gold, unit)


def _finite_plus_noise(true: FiniteLaw, noise: ContinuousLaw) -> Implied:
    """The posterior mean over the atoms, by Bayes' rule."""
    if len(true.atoms) == 1:
        return _in("r", Affine(noise, true.atoms[0][0]), exact_symbol(true.atoms[0][0]))
    if noise.support != (None, None):
        # The densities would have to be 0 outside of their supports, piece by piece: their
        # formulas, taken everywhere, give another curve.
        raise InputError(
            f"noise={noise}, but must have the whole line as its support [noisy_proxy]: "
            "take normal, logistic, laplace, gumbel or student_t"
        )
    shifted = {value: Affine(noise, value) for value, _ in true.atoms}
    first = true.atoms[0][0]
    # P(t_i | r) = 1/(1 + Σ_j p_j φ_j/(p_i φ_i)), in [0, 1] by its form.
    gold = exact_symbol(first)
    for t, p in true.atoms[1:]:
        odds = sympy.Add(
            *(
                exact_symbol(q / p) * plain_exponent(shifted[s].pdf / shifted[t].pdf)
                for s, q in true.atoms
                if s != t
            )
        )
        gold += exact_symbol(t - first) / (1 + odds)
    proxy = Mixture({shifted[value]: p for value, p in true.atoms})
    return _in("r", proxy, gold)


def plain_exponent(expr: sympy.Expr) -> sympy.Expr:
    """A quotient of densities as a linear exponential or a rational function, where it is one.

    Of two normal densities the exponent is linear; e^{k log1p(a)} = (1 + a)^k for a whole k, as of
    Student's t with an odd number of degrees of freedom.
    """

    def power(exponent: sympy.Expr) -> sympy.Expr:
        if exponent.is_polynomial(r):
            return sympy.exp(sympy.expand(exponent))
        factors = [term.as_coeff_Mul() for term in sympy.Add.make_args(exponent)]
        if all(times.is_Integer and isinstance(rest, log1p) for times, rest in factors):
            return sympy.Mul(*((1 + rest.args[0]) ** times for times, rest in factors))
        return sympy.exp(exponent)

    return sympy.powsimp(expr).replace(sympy.exp, power)


def _in(
    variable: Literal["u", "r"], law: Law, expr: sympy.Expr, unit: str | None = None
) -> Implied:
    return Implied(law, expr, variable if expr.has(r, u) else None, unit)


def _square_root(x: Fraction) -> Fraction | None:
    top, bottom = isqrt(x.numerator), isqrt(x.denominator)
    root = Fraction(top, bottom)
    return root if root * root == x else None


def _said(value: object) -> str:
    return short(value) if isinstance(value, Fraction) else str(value)
