"""Rank policies do not see how the reward is scaled."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import Function, Symbol, diff

from hedgetheory.claims.atoms import DRAWS, LAWS, bon_masses
from hedgetheory.claims.checks import agree, as_json, ball_at, confirmed, of_step
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.claims.statements import FAMILIES
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.program import compiled


@claim(
    "rank.monotone-invariance",
    "Rank policies are invariant under strictly increasing transforms of the reward",
    "If T is strictly increasing, a rank policy on the law of T(R) is the image under T of the "
    "same policy on the law of R: the law of F(R), every divergence, the win rate and E[g] as a "
    "function of the quantile are unchanged, with atoms or without.",
    hypotheses=("T strictly increasing on the support of R", "any law"),
    source="this project",
)
def monotone_invariance() -> Iterator[Evidence]:
    yield words(
        "{T(R) <= T(r)} = {R <= r} and {T(R) < T(r)} = {R < r}: F_T(T(r)) = F(r), F_T(T(r)-) = "
        "F(r-). A rank policy gives {R <= r} the mass G(F(r)), which is the mass it gives {T(R) "
        "<= T(r)}."
    )
    s = Symbol("s", real=True)
    law, transformed, back = Function("F"), Function("F_T"), Function("T")
    whole = transformed(back(r))
    slope = diff(whole, r)
    density = diff(transformed(s), s).subs(s, back(r))
    yield of_step(
        algebra("F_T(T(r)) has slope f_T(T(r)) T'(r)", slope - (density * diff(back(r), r)).doit())
    )
    for family in FAMILIES:
        # w ln w du with u = F(r): what is integrated depends on the law through u alone.
        term = family.ratio * family.log_ratio
        pulled = term.xreplace({u: law(r)}) * diff(law(r), r)
        by_rank = diff(sympy.Integral(term, (u, 0, law(r))), r)
        yield of_step(algebra(f"{family.name}: w ln w dF is w ln w du", pulled - by_rank))
    for continuous in (Uniform(), Normal(1, 2), Exponential(3), Logistic(-1, "1/2")):
        for at in map(Fraction, ("1/100", "3/7", "99/100")):
            with precision(300):
                reward = ball_at(continuous.quantile, {u: at, ubar: 1 - at})
                rank, expected = compiled(continuous.cdf, (r,))(REAL, reward), ball(at)
            yield confirmed(
                f"{continuous}: F(Q({at})) = {at}",
                "balls",
                agree(rank, expected),
                value=as_json(rank),
            )
    for finite in LAWS:
        moved = Finite({value**3 + 5 * value - 1: mass for value, mass in finite.atoms})
        for draws in DRAWS:
            yield confirmed(
                f"{finite}, T(r) = r^3 + 5r - 1, BoN n = {draws}: equal masses",
                "rational arithmetic",
                bon_masses(finite, draws) == bon_masses(moved, draws),
            )


CLAIMS: tuple[Claim, ...] = (monotone_invariance,)
