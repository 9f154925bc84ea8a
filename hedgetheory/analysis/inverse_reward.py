"""The picture of f along GRPO's optimum on the raw reward, w = β/(η − r), told in β.

On finitely many atoms, with s = η − r_max and d_i = r_max − r_i,

    1/β = Σ p_i/(s + d_i),   f = Σ g_i p_i/(s + d_i) / Σ p_i/(s + d_i):

a rational function of s on (0, ∞), and β increases with s from 0 to ∞. w is strictly totally
positive of every order in (−η, r) (Cauchy's determinant), so that gold which turns once turns f at
most once. On the uniform law the reward is its own quantile.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.analysis.curve import ONE, ZERO, Curve, NoExactForm, gold_on_atoms
from hedgetheory.analysis.expsum import (
    Coefficient,
    Coefficients,
    ExpSum,
    canonical,
    multiply_polynomials,
    symbolic,
)
from hedgetheory.analysis.found import undecided_picture
from hedgetheory.analysis.gold import Change, Gold
from hedgetheory.analysis.hypotheses import Hypothesis, hypotheses
from hedgetheory.analysis.picture import Picture, picture_of
from hedgetheory.analysis.random_draws.decide import charted
from hedgetheory.analysis.random_draws.exact import Chart
from hedgetheory.analysis.random_draws.lines import Line
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.evaluate import number
from hedgetheory.laws.base import FiniteLaw, Law, exact_symbol
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import ball
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.family import Family
from hedgetheory.policies.random_draws import LogarithmicSeries

NAME = "grpo(scale=reward)"
#: Atoms, beyond which the polynomials are not written out.
MAX_ATOMS = 40


def inverse_examination(
    law: Law,
    family: Family,
    gold: Gold,
    examine: Callable[[Law, Family, Gold], tuple[Picture, list[Hypothesis]]],
    changes: list[Change] | None,
    why_not: str,
) -> tuple[Picture, list[Hypothesis]]:
    """The picture and the hypotheses. Raises NotOnThisLaw where rewards have no upper bound."""
    if isinstance(law, Uniform):
        on_quantile = Family(
            NAME, lambda b: BestOfRandom(LogarithmicSeries(b)), family.symbol, family.domain
        )
        return examine(law, on_quantile, gold)
    conditions = _conditions(law, family, changes, why_not)
    try:
        bind(family.at(1), law)  # raises where the policy does not exist, or is not built
        if not isinstance(law, FiniteLaw) or len(law.atoms) == 1:
            raise NoExactForm(f"no exact form of {family} on {law}")
        return _on_atoms(law, family, gold, changes), conditions
    except (NoExactForm, NotCertified) as why:
        return undecided_picture(family, str(why)), conditions


def _on_atoms(law: FiniteLaw, family: Family, gold: Gold, changes: list[Change] | None) -> Picture:
    if len(law.atoms) > MAX_ATOMS:
        raise NoExactForm(f"{len(law.atoms)} atoms are beyond the exact treatment")
    values, top = gold_on_atoms(law, gold), law.atoms[-1][0]
    gaps = [(top - value, mass) for value, mass in law.atoms]
    above: list[Coefficients] = []
    below: list[Coefficients] = []
    for (gap, mass), value in zip(gaps, values, strict=True):
        product: Coefficients = (mass,)
        for other, _ in gaps:
            if other != gap:
                product = multiply_polynomials(product, (other, ONE))
        below.append(product)
        above.append(multiply_polynomials(product, (value,)))
    mean: Coefficient = canonical(
        sympy.Add(*(symbolic(g) * exact_symbol(p) for g, (_, p) in zip(values, gaps, strict=True)))
    )
    curve = Curve(_summed(above), _summed(below), ZERO, None, values[-1], mean)
    bound = len(changes) if changes is not None and len(changes) <= 1 else None
    picture = picture_of(curve, bound)
    # Above s + d the sums are those of exact rationals and of balls alike.
    chart = Chart(lambda s: 1 / sum(_share(mass, s, gap) for gap, mass in gaps), lambda b: b)
    line = Line(family, LogarithmicSeries, family.symbol, ONE)
    plan_curve = GoldCurve.of(gold)

    def value_at(theta: Fraction, digits: int) -> Number:
        return number(next(iter(bind(family.at(theta), law).gold(plan_curve))), digits)

    return charted(picture, chart, line, value_at)


def _share(mass: Fraction, s: Any, gap: Fraction) -> Any:
    return mass / (s + gap) if isinstance(s, Fraction) else ball(mass) / (s + ball(gap))


def _summed(polynomials: list[Coefficients]) -> ExpSum:
    total = ExpSum({})
    for polynomial in polynomials:
        if any(symbolic(c) != 0 for c in polynomial):
            total = total + ExpSum({ZERO: polynomial})
    return total


def _conditions(
    law: Law, family: Family, changes: list[Change] | None, why_not: str
) -> list[Hypothesis]:
    told = {h.id: h for h in hypotheses(law, family, changes, why_not)}
    if isinstance(law, FiniteLaw) and len(law.atoms) == 1:
        return list(told.values())
    ratio = (
        "d/dr ln w = 1/(eta - r), and eta rises with beta: greedier as beta falls, so MLR holds in "
        "-beta, not in beta"
    )
    kernel = (
        "not decided, nor needed: w = beta/(eta - r) is strictly TP of every order in (-beta, r)"
    )
    falls = "decreasing in beta: greedier as beta falls (strict MLR in -beta)"
    found = (
        Hypothesis("mlr", "refuted", {"argument": ratio}),
        Hypothesis("kernel_tp2", "undecided", kernel),
        Hypothesis("score_monotone", "proved", "the score in beta decreases strictly in r"),
        Hypothesis("kl_increasing", "refuted", falls),
        Hypothesis("proxy_increasing", "refuted", falls),
    )
    told |= {h.id: h for h in found}
    return list(told.values())


__all__ = ["NAME", "inverse_examination"]
