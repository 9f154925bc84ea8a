"""The gap: how many nats a rank policy spends beyond the tilt of equal mean proxy reward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy

from hedgetheory.errors import NotOnThisLaw
from hedgetheory.exact import Number, RealInput
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.evaluate import enclosure, has_integral, number
from hedgetheory.functionals.gap_integrals import gap_between, matched_between
from hedgetheory.functionals.plans import Infinite, Plan, Undefined
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify, hull
from hedgetheory.numerics.program import Program, compiled
from hedgetheory.policies.base import RankPolicy
from hedgetheory.policies.best_of_poisson import BestOfPoisson


@dataclass(frozen=True)
class GapPoint:
    """The gap of one policy, the λ of the tilt with the same mean proxy reward, and that mean."""

    gap: Number
    lam: Number
    mean: Number


def cumulants(law: Law) -> sympy.Expr:
    """K(λ) = ln E[e^{λR}] as a formula in λ."""
    if isinstance(law, (ContinuousLaw, CountableLaw)):
        return law.log_mgf
    if isinstance(law, MixedLaw):
        atoms = (
            exact_symbol(mass) * sympy.exp(lam * exact_symbol(value)) for value, mass in law.atoms
        )
        part = exact_symbol(law.weight) * sympy.exp(law.part.log_mgf)
        return sympy.log(sympy.Add(part, *atoms))
    assert isinstance(law, FiniteLaw)
    # Scaled by the largest reward: no overflow, and the sum stays near one at large λ.
    top = exact_symbol(law.atoms[-1][0])
    terms = [
        exact_symbol(mass) * sympy.exp(lam * (exact_symbol(value) - top))
        for value, mass in law.atoms
    ]
    return lam * top + sympy.log(sympy.Add(*terms))


def has_cumulants(law: Law) -> bool:
    """Whether K(λ) has a formula: where no tilt exists `cumulants` says so instead."""
    if isinstance(law, ContinuousLaw):
        return law.mgf_limit == 0 or ("log_mgf" in law.formulas and not law.tilt_unknown)
    if isinstance(law, MixedLaw):  # that of the density decides
        return has_cumulants(law.part)
    return isinstance(law, (CountableLaw, FiniteLaw))


def matched_strength(law: Law, slope: Program, mean: Any) -> Any:
    """A ball around the λ ≥ 0 with K′(λ) = mean: K′ increases, on [0, ∞) or up to its limit."""
    limit = law.mgf_limit if isinstance(law, (ContinuousLaw, MixedLaw)) else None
    growth = law.growth_limit if isinstance(law, CountableLaw) else None

    def strength(t: Any) -> Any:
        if growth is not None:
            return ball(growth).log() * t
        return t / (1 - t) if limit is None else ball(limit) * t

    return strength(balls.increasing_root(lambda t: slope(REAL, strength(t)) - mean))


def is_tilt(policy: RankPolicy, law: Law) -> bool:
    """Whether ln w is visibly a line in the reward: then the policy is a tilt, exactly.

    >>> from hedgetheory.laws.exponential import Exponential
    >>> from hedgetheory.policies.best_of_random import BestOfRandom
    >>> from hedgetheory.policies.random_draws import Sibuya
    >>> is_tilt(BestOfRandom(Sibuya("1/2")), Exponential())
    True
    """
    if not isinstance(law, ContinuousLaw) or law.cdf.has(sympy.Piecewise):
        return False
    at_reward = {u: law.cdf, ubar: law.survival}
    slope = sympy.diff(sympy.expand_log(policy.log_ratio.xreplace(at_reward), force=True), r)
    return not sympy.simplify(slope).has(r)


def gap_at(law: Law, mu: RealInput, digits: int = 15) -> GapPoint:
    """`gap_of` Best-of-Poisson at μ: KL(BoP_μ‖ref) − KL(tilt_λ‖ref) at one mean proxy reward.

    Raises InputError for μ < 0, and as `gap_of` does.

    >>> from hedgetheory.laws.uniform import Uniform
    >>> gap_at(Uniform(), 4, digits=6).gap.decimal(3)[0]
    '0.000643'

    Source: paper, Figure 2 (arXiv 2506.19248).
    """
    return gap_of(law, BestOfPoisson(mu), digits)


def gap_of(law: Law, policy: RankPolicy, digits: int = 15) -> GapPoint:
    """KL(policy‖ref) − KL(tilt_λ‖ref) in nats, at the λ with the same mean proxy reward.

    It is KL(policy‖tilt_λ) ≥ 0 by the Pythagorean identity, and the tilt is of the raw reward. On
    a law with two atoms it is exactly zero: one mean, one law.

    ``law``: one on which some exponential moment is finite; ``policy``: a rank policy, such as the
    best of a random number of draws; ``digits`` ≥ 1. Returns certified numbers, λ ≥ 0. Raises
    NotOnThisLaw where no tilt exists or none has the mean, because it is infinite, and NotCertified
    past the precision bound, or where it is not decided which tilts exist.

    >>> from hedgetheory.laws.uniform import Uniform
    >>> from hedgetheory.policies.best_of_n import BestOfN
    >>> print(gap_of(Uniform(), BestOfN(4), digits=6).mean)
    4/5 exactly

    Source: the identity, Csiszár (1975).
    """
    bound = bind(policy, law)
    divergence, mean = next(iter(bound.kl())), next(iter(bound.mean_reward()))
    if policy.is_reference:
        return GapPoint(Number.exact(0), Number.exact(0), number(mean, digits, "mean_reward"))
    if isinstance(mean, (Infinite, Undefined)):
        raise NotOnThisLaw(
            f"no tilt has the mean of {policy} on {law}, which is not finite: {mean.why}"
        )
    gap, strength = (
        _by_formula(law, divergence, mean)
        if has_cumulants(law)
        else _by_integrals(law, divergence, mean)
    )
    # Where the mean is an integral each evaluation costs one: the work is bounded as for integrals.
    costly = has_integral(mean) or has_integral(divergence) or not has_cumulants(law)
    zero = (isinstance(law, FiniteLaw) and len(law.atoms) <= 2) or is_tilt(policy, law)
    return GapPoint(
        Number.exact(0) if zero else certify(gap, digits, "the gap", costly),
        certify(strength, digits, "lam", costly),
        number(mean, digits, "mean_reward"),
    )


#: What evaluates the gap, and the λ of its tilt, at the working precision.
_Evaluators: TypeAlias = tuple[Callable[[], Any], Callable[[], Any]]


def _by_formula(law: Law, divergence: Plan, mean: Plan) -> _Evaluators:
    potential = cumulants(law)
    value = compiled(potential, (lam,))
    slope = compiled(sympy.diff(potential, lam), (lam,))

    def strength() -> Any:
        return matched_strength(law, slope, enclosure(mean))

    def gap() -> Any:
        average = enclosure(mean)
        matched = matched_strength(law, slope, average)
        return enclosure(divergence) - matched * average + value(REAL, matched)

    return gap, strength


def _by_integrals(law: Law, divergence: Plan, mean: Plan) -> _Evaluators:
    def strength() -> Any:
        low, high = matched_between(law, enclosure(mean))
        return hull(ball(low), ball(high))

    def gap() -> Any:
        average = enclosure(mean)
        ends = matched_between(law, average)
        return gap_between(law, ends, enclosure(divergence), average)

    return gap, strength
