"""Rank policies on laws with atoms: tied responses share an atom's mass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import sympy
from sympy import Symbol, diff, exp, log

from hedgetheory.claims.checks import (
    as_json,
    certified,
    identity,
    of_step,
    positive,
    strictly_convex_from,
)
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.claims.statements import BON, BOP, FAMILIES, PAPER
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.prover import positive as sign
from hedgetheory.expressions.signs import inside
from hedgetheory.expressions.symbols import mu, n, p, u
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.numerics.ball import ball, precision

#: Few and many atoms, even and lopsided.
LAWS: tuple[FiniteLaw, ...] = (
    Bernoulli("1/2"),
    Bernoulli("1/10"),
    Finite({0: "1/4", "1/2": "1/4", 1: "1/2"}),
    Finite({0: "9/10", 1: "1/20", 2: "1/25", 3: "1/100"}),
)
DRAWS = (2, 7, 128)


def intervals(law: FiniteLaw) -> list[tuple[Fraction, Fraction]]:
    """(F(r−), F(r)) of each atom."""
    ends = (Fraction(0), *law.cumulative)
    return list(itertools.pairwise(ends))


def bon_masses(law: FiniteLaw, draws: int) -> list[Fraction]:
    """The exact masses of Best-of-n on a finite law, n an integer."""
    return [b**draws - a**draws for a, b in intervals(law)]


def relative_entropy(masses: Sequence[Fraction], reference: Sequence[Fraction]) -> Any:
    """Σ q ln(q/p) as a ball, 0·ln 0 = 0."""
    with precision(200):
        terms = [ball(q) * ball(q / p).log() for q, p in zip(masses, reference, strict=True) if q]
        return sum(terms, ball(Fraction(0)))


def bon_kl(law: FiniteLaw, draws: int) -> Any:
    return relative_entropy(bon_masses(law, draws), [b - a for a, b in intervals(law)])


def bon_win_rate(law: FiniteLaw, draws: int) -> Fraction:
    """E[(F(R) + F(R−))/2] under Best-of-n, exactly."""
    masses = bon_masses(law, draws)
    return sum(
        (q * (a + b) / 2 for q, (a, b) in zip(masses, intervals(law), strict=True)), Fraction(0)
    )


def continuous_kl(draws: int) -> Any:
    with precision(200):
        return ball(Fraction(draws)).log() - ball(Fraction(draws - 1, draws))


@claim(
    "atoms.kl-below-continuous",
    "With atoms the KL of a rank policy is below its continuous value",
    "On any law, KL(rank policy) <= int_0^1 w ln w du, its value on a law without atoms; strictly "
    "when that is finite and w is not constant on some atom's interval, so for BoN, BoP and the "
    "quantile tilt with any atom at all.",
    hypotheses=(
        "w > 0 on (0,1), integrable, int w ln w finite for the strict part",
        "strict for real n > 1, mu > 0, lam > 0 and at least one atom",
    ),
    source="this project; for BoN compare Beirami et al., arXiv 2401.01879",
)
def kl_below_continuous() -> Iterator[Evidence]:
    yield words(
        "An atom with interval (a,b), length p, has mass q = int_a^b w = c p, c the mean of w, and "
        "adds p c ln c to KL; the continuous value adds int_a^b w ln w."
    )
    w, c, t = sympy.symbols("w c t", positive=True)
    bregman = c * ((w / c) * log(w / c) - (w / c - 1))
    tangent = c * log(c) + (log(c) + 1) * (w - c)
    yield from identity("w ln w - tangent at c = c h(w/c - 1)", w * log(w) - tangent - bregman)
    x = Symbol("x", real=True)
    h = (1 + x) * log(1 + x) - x
    yield of_step(algebra("h(x) = (1+x) ln(1+x) - x", bregman - c * h.subs(x, w / c - 1)))
    yield from strictly_convex_from("h >= 0, zero only at 0", h, x, 0, t - 1)
    yield words("The tangent's integral over (a,b) is p c ln c: the difference is int c h >= 0.")
    for family in FAMILIES:
        yield from positive(f"{family.name}: w strictly increases", diff(family.log_ratio, u))
    for law in LAWS:
        for draws in DRAWS:
            gap = continuous_kl(draws) - bon_kl(law, draws)
            yield Evidence(
                "confirmed",
                f"{law}, BoN n = {draws}: strictly below",
                "balls",
                bool(gap > 0),
                {"by": as_json(gap)},
            )


@claim(
    "atoms.kl-below-top-atom",
    "KL of Best-of-n is at most ln(1/p), p the mass of the highest atom",
    "On any law whose largest reward is an atom of mass p, KL(BoN) <= ln(1/p) for every real n > "
    "1, and likewise for BoP and the quantile tilt.",
    hypotheses=("real n > 1, mu > 0, lam > 0", "the essential supremum of R is an atom of mass p"),
    source="this project; Beirami et al., arXiv 2401.01879 for BoN",
)
def kl_below_top_atom() -> Iterator[Evidence]:
    for family in FAMILIES:
        yield from positive(f"{family.name}: w strictly increases", diff(family.log_ratio, u))
    yield words(
        "So the ratio pi/pi_ref is non-decreasing in r, means of w over later intervals being "
        "larger; at the highest atom it is at most 1/p, as pi has mass at most 1 there. "
        "KL = E_pi[ln ratio] <= ln(1/p)."
    )
    for law in LAWS:
        top = law.atoms[-1][1]
        for draws in DRAWS:
            with precision(200):
                room = ball(1 / top).log() - bon_kl(law, draws)
            yield Evidence(
                "confirmed",
                f"{law}, BoN n = {draws}",
                "balls",
                bool(room >= 0),
                {"room": as_json(room)},
            )


@claim(
    "atoms.bernoulli-kl-bounded",
    "On a fair Bernoulli law, KL of Best-of-128 is below ln 2, not ln 128 - 127/128",
    "On bernoulli(1/2), KL(BoN, n = 128) < ln 2 < 3.85 < ln 128 - 127/128.",
    hypotheses=("R is Bernoulli(1/2)", "n = 128"),
    source="this project",
    expected="certified",
)
def bernoulli_bounded() -> Iterator[Evidence]:
    with precision(300):
        room = ball(Fraction(2)).log() - bon_kl(Bernoulli("1/2"), 128)
        two, formula = ball(Fraction(2)).log(), continuous_kl(128)
    yield certified("KL < ln 2", "balls", room > 0, ln2_minus_kl=as_json(room))
    middle = ball(Fraction(385, 100))
    yield certified("ln 2 < 3.85 < ln 128 - 127/128", "balls", two < middle < formula)


@claim(
    "atoms.win-rate-below-continuous",
    "With atoms the win rate of a rank policy is below its continuous value",
    "On any law, E[(F(R)+F(R-))/2] <= int_0^1 u w du (n/(n+1) for BoN), strictly as soon as there "
    "is an atom, for BoN, BoP and the quantile tilt.",
    hypotheses=("real n > 1, mu > 0, lam > 0", "strict with at least one atom"),
    source=f"this project; {PAPER} has the continuous value",
)
def win_rate_below() -> Iterator[Evidence]:
    for family in FAMILIES:
        yield from positive(f"{family.name}: w strictly increases", diff(family.log_ratio, u))
    x, y, wx, wy = sympy.symbols("x y w_x w_y", real=True)
    product = (x - y) * (wx - wy)
    yield of_step(
        algebra("(x-y)(w_x-w_y) = x w_x + y w_y - x w_y - y w_x",
                product - (x * wx + y * wy - x * wy - y * wx))
    )  # fmt: skip
    yield words(
        "Integrated over x, y in an atom's interval of length p and middle m, the left is > 0, and "
        "the right is 2p int u w - 2 p m int w: so m q < int u w over the interval, q = int w."
    )
    for law in LAWS:
        for draws in DRAWS:
            rate = bon_win_rate(law, draws)
            yield Evidence(
                "confirmed",
                f"{law}, BoN n = {draws}: {float(rate):.6f} < n/(n+1)",
                "rational arithmetic",
                rate < Fraction(draws, draws + 1),
            )
    q, k = sympy.symbols("q k", positive=True)
    rate = q**k * q / 2 + (1 - q**k) * (1 + q) / 2
    yield from identity("Bernoulli: (1 + q - q^n)/2, q = P(R = 0)", rate - (1 + q - q**k) / 2)


@claim(
    "atoms.bernoulli-one-curve",
    "On a Bernoulli law all families trace one curve, and the gap is zero",
    "On bernoulli(p), P(R = 1) is 1-(1-p)^n under BoN (pass@n), 1-(1-p) e^{-mu p} under BoP and "
    "p e^lam/(1-p+p e^lam) under the tilt; for every success rate s in [p,1) one lam >= 0 gives "
    "s, so at equal mean the policies are the same law, and KL(BoP) = KL(tilt).",
    hypotheses=("0 < p < 1", "real n > 1, mu > 0, lam > 0"),
    source="this project",
)
def bernoulli_one_curve() -> Iterator[Evidence]:
    upper = {u: 1 - p}
    for family, factor in ((BON, (1 - p) ** (n - 1)), (BOP, exp(-mu * p))):
        name, fails = family.name, (1 - p) * factor
        yield from identity(
            f"{name}: P(R = 0) = G(1-p) = {fails}", family.cdf.xreplace(upper) - fails
        )
        yield from positive(f"{name}: P(R = 0) < 1 - p", (1 - p) * (1 - factor))
        yield from positive(f"{name}: P(R = 0) > 0", fails)
    s = Symbol("s", positive=True)
    odds = s * (1 - p) / (p * (1 - s))
    tilted = p * odds / (1 - p + p * odds)
    yield from identity("e^lam = s(1-p)/(p(1-s)) gives the tilt success rate s", tilted - s)
    above = Symbol("q", positive=True)
    # s = p + (1−p)/(1+q) runs over (p, 1) as q runs over (0, ∞).
    larger = odds.subs(s, p + (1 - p) / (1 + above))
    yield of_step(sign("that e^lam > 1 for s > p", inside(sympy.together(inside(larger - 1)))))
    yield words("A law on {0, 1} is its mean: equal means, equal laws, equal KL.")


CLAIMS: tuple[Claim, ...] = (
    kl_below_continuous,
    kl_below_top_atom,
    bernoulli_bounded,
    win_rate_below,
    bernoulli_one_curve,
)
