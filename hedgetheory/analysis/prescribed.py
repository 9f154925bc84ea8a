"""Gold curves with extrema where one wants them: what Theorem 1 forgets to exclude.

For a family whose kernel k_θ = −∂_θG_θ is strictly totally positive, f′(θ) = ∫ g′(u) k_θ(u) du has
at most as many zeros as g′ has sign changes, and every number is reached: with m + 1 functions
b_j the conditions Σ_j a_j ∫ b_j k_θᵢ = 0 at m points θᵢ have a solution g′ = Σ_j a_j b_j, and f
turns at each θᵢ. The system is only a proposal: what counts is `check` on the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import sympy

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import ContinuousLaw, Law, exact_symbol
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

MAX_EXTREMA = 12
#: How near, in units of the least distance between the points asked for, an extremum must be.
CLOSE = Fraction(1, 10**6)
#: Digits of the moments: the system is ill-conditioned.
_DIGITS = 120
#: The coefficients of g are rounded to the fewest of these bits with which `check` agrees.
_BITS = (32, 64, 128, 256)


@dataclass(frozen=True)
class Construction:
    """A polynomial gold curve, as a formula in ``variable``, and what `check` certifies of it."""

    expr: sympy.Expr
    variable: Literal["u", "r"]
    thetas: tuple[Fraction, ...]
    found: CheckResult

    @property
    def certified(self) -> bool:
        """Whether there is one certified extremum `CLOSE` to each point, and provably no other."""
        found = [extremum.theta for extremum in self.found.extrema]
        if self.found.complete not in ("certified", "proved") or len(found) != len(self.thetas):
            return False
        close = CLOSE * min([b - a for a, b in pairwise(self.thetas)] or [Fraction(1)])
        return all(
            max(abs(bound - theta) for bound in theta_found.bounds) < close
            for theta, theta_found in zip(self.thetas, found, strict=True)
        )

    def __str__(self) -> str:
        return str(self.expr)


def gold_with_extrema(law: Law, family: Family, thetas: Sequence[RealInput]) -> Construction:
    """A polynomial gold curve whose f has its interior extrema near the θ given, and no others.

    f rises to the first of them. g is exact for Best-of-n; else the coefficients are rounded
    rationals, so that the extrema are near the θ given rather than at them. Theorem 1 with no
    condition on g is refuted by any of these with two points or more.

    ``law`` without atoms; ``family`` a rank family, or the raw tilt; ``thetas``: 1 to 12 increasing
    points inside its domain. Guarantee: `Construction.certified` says whether `check` certified
    the extrema and their number over the whole domain; the curve is returned in any case.

    Raises InputError for other laws and families, and for points that are not increasing or not
    inside the domain.

    >>> from hedgetheory.spec.grammar import parse_family, parse_law
    >>> made = gold_with_extrema(parse_law("uniform"), parse_family("bon"), [2, 5, 11])
    >>> made.certified, [extremum.kind for extremum in made.found.extrema]
    (True, ['max', 'min', 'max'])

    Source: the converse of variation diminishing (Karlin, Total Positivity, 1968, chapter 5).
    """
    points = _points(family, thetas)
    member = family.at(points[0])
    if not isinstance(law, ContinuousLaw):
        raise InputError(f"gold_with_extrema is built for laws without atoms, not for {law}")
    raw = isinstance(member, Tilt) and not isinstance(law, Uniform)
    if not raw and not isinstance(member, RankPolicy | Tilt):
        raise InputError(f"gold_with_extrema is built for rank families and tilt, not for {family}")
    count = len(points) + 1
    # f climbs to the first point: the sign is read half-way from the end of the domain to it.
    before = (family.domain.lower + points[0]) / 2
    rows_at = partial(_raw_moments, law) if raw else _rank_moments
    matrix = [rows_at(family, theta, count) for theta in (before, *points)]
    weights = _null_vector(matrix[1:])
    if sum((a * m for a, m in zip(weights, matrix[0], strict=True)), Fraction(0)) < 0:
        weights = [-a for a in weights]
    variable: Literal["u", "r"] = "r" if raw else "u"
    if isinstance(member, BestOfN):
        return _checked(law, family, weights, variable, points)
    for bits in _BITS:
        rounded = [Fraction(round(a * 2**bits), 2**bits) for a in weights]
        made = _checked(law, family, rounded, variable, points)
        if made.certified:
            break
    return made


def _checked(
    law: Law,
    family: Family,
    weights: list[Fraction],
    variable: Literal["u", "r"],
    points: tuple[Fraction, ...],
) -> Construction:
    """What `check` says of g = Σ a_k x^{k+1}/(k+1), from g′ = Σ a_k x^k."""
    x = r if variable == "r" else u
    expr = sympy.Add(*(exact_symbol(a / (k + 1)) * x ** (k + 1) for k, a in enumerate(weights)))
    return Construction(expr, variable, points, check(law, family, GoldCurve(expr, variable)))


def _points(family: Family, thetas: Sequence[RealInput]) -> tuple[Fraction, ...]:
    points = tuple(rational(theta, family.symbol.name) for theta in thetas)
    call = f"gold_with_extrema(family={family})"
    if not 1 <= len(points) <= MAX_EXTREMA:
        raise must_be("the number of extrema", len(points), f"1 to {MAX_EXTREMA}", call)
    if any(a >= b for a, b in pairwise(points)):
        raise InputError(f"the extrema must be given in increasing order [{call}]")
    for point in points:
        if not family.domain.contains(point) or point == family.domain.lower:
            what = f"inside the domain, {family.domain}"
            raise must_be(family.symbol.name, point, what, call)
    return points


def _rank_moments(family: Family, theta: Fraction, count: int) -> list[Fraction]:
    """∫ u^k k_θ(u) du for k = 0, …, exactly 1/(θ + k + 1)² under Best-of-n."""
    member = family.at(theta)
    if isinstance(member, BestOfN):
        return [1 / (theta + k + 1) ** 2 for k in range(count)]
    policy = QuantileTilt(member.strength) if isinstance(member, Tilt) else member
    assert isinstance(policy, RankPolicy)
    symbol = lam if isinstance(member, Tilt) else family.symbol
    kernel = compiled(-sympy.diff(in_u(policy.cdf), symbol), (u, *policy.bindings))
    digits = HighPrecision(_DIGITS)
    values = [digits.constant(bound) for bound in policy.bindings.values()]
    ends = [0, digits.constant(Fraction(1, 2)), 1]
    return [
        _fraction(digits.context.quad(lambda x, k=k: x**k * kernel(digits, x, *values), ends))
        for k in range(count)
    ]


def _raw_moments(law: ContinuousLaw, family: Family, theta: Fraction, count: int) -> list[Fraction]:
    """Cov_λ(r^{k+1}/(k+1), r) for k = 0, …: f′(λ) of the gold curve r^{k+1}/(k+1)."""
    member = family.at(theta)
    means = [Fraction(1)]
    for k in range(1, count + 2):
        found = value(law, member, "gold", gold=GoldCurve(r**k, "r"), digits=_DIGITS // 2)
        means.append(sum(found.bounds, Fraction(0)) / 2)
    return [(means[k + 2] - means[k + 1] * means[1]) / (k + 1) for k in range(count)]


def _null_vector(matrix: list[list[Fraction]]) -> list[Fraction]:
    """The a ≠ 0 with Ma = 0, M of one row less than columns and of full rank; exact."""
    null = sympy.Matrix([[exact_symbol(x) for x in row] for row in matrix]).nullspace()
    scale = max(abs(x) for x in null[0])
    return [Fraction(int(x.p), int(x.q)) for x in null[0] / scale]


def _fraction(x: Any) -> Fraction:
    return Fraction(int(x * 2**400), 2**400)
