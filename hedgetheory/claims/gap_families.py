"""The gap of other families on the uniform law, and of Best-of-Poisson on finitely many atoms."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import E, Rational, exp, log

from hedgetheory.claims.checks import (
    certified,
    confirmed,
    identity,
    of_proof,
    positive,
    strictly_convex_from,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import BOP
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import a, mu, n, p, u
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.functionals.gap import gap_of
from hedgetheory.functionals.gap_families import best_of_n_supremum
from hedgetheory.functionals.gap_supremum import gap_supremum
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import enclosing_rationals
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.random_draws import Draws, Geometric, Sibuya

_OURS = "this project"
b, c, s, t, v, beta = sympy.symbols("b c s t v beta", positive=True)

_LN = log(1 / p)


def _tilt_at_most() -> Iterator[Evidence]:
    """KL(tilt) ≤ ln(1/ε) − 1 − ln(1 − 1/e) on the uniform law, ε = E[1 − U] ≤ 1/5."""
    yield words(
        "With eps = E[1-U], KL(tilt) = sup_lam [ln lam - ln(1 - e^{-lam}) - lam eps]. For "
        "lam >= 1, -ln(1-e^{-lam}) <= -ln(1-1/e); for lam <= 1, K >= lam/2 (Jensen) and "
        "the bracket <= 1/2."
    )
    inner = log(beta) - beta * v
    yield from identity(
        "d/dlam (ln lam - lam eps) = 0 at 1/eps", sympy.diff(inner, beta).subs(beta, 1 / v)
    )
    yield from positive("and it is concave", -sympy.diff(inner, beta, 2))
    yield from identity("where it is ln(1/eps) - 1", inner.subs(beta, 1 / v) - (log(1 / v) - 1))
    yield words("At eps <= 1/5 the second bound is smaller: ln 5 - 1 > 0.6, -ln(1-1/e) > 0.")


def _above(draws: Draws, bound: sympy.Expr, symbol: sympy.Symbol) -> Evidence:
    """The certified gap at one parameter is above its lower bound."""
    (at,) = draws.bindings.values()
    found: Number = gap_of(Uniform(), BestOfRandom(draws), 6).gap
    low = float(sympy.N(bound.subs(symbol, Rational(at.numerator, at.denominator)), 15))
    says = f"the gap of {draws} is {found.decimal(4)[0]}, above {low:.4g}"
    return confirmed(says, "certified gap", float(found.bounds[0]) > low)


@claim(
    "gap.unbounded-geometric",
    "Best of a geometric number of draws: even on the uniform law the gap is unbounded",
    "On a law without atoms, tilting the quantile, the gap of the best of geometric(p) draws is at "
    "least ln(ln(1/p) - 1) - 1 + ln(1 - 1/e), for p with E[1-U] <= 1/5: it grows like ln ln(1/p).",
    hypotheses=("0 < p < 1/e, E[1-U] <= 1/5", "a law without atoms, tilting the quantile"),
    source=_OURS,
)
def unbounded_geometric() -> Iterator[Evidence]:
    kl, mean = RANK_FORMS[Geometric, "kl"], RANK_FORMS[Geometric, "mean_quantile"]
    for form in (kl, mean):
        yield from of_proof(form.prove())
    q = 1 - p
    yield from identity(
        "KL = ln(1/p) - 2 + 2p ln(1/p)/(1-p)", kl.expr - (_LN - 2 + 2 * p * _LN / q)
    )
    yield from positive("the last term is > 0", -2 * p * log(p) / q)
    short = p * (_LN - q) / q**2
    yield from identity("eps = 1 - E[U] = p (ln(1/p) - (1-p))/(1-p)^2", 1 - mean.expr - short)
    yield from identity(
        "eps - p (ln(1/p) - 1) = p [(ln(1/p) - q)(1/q^2 - 1) + p]",
        short - p * (_LN - 1) - p * ((_LN - q) * (1 / q**2 - 1) + p),
    )
    x = sympy.Symbol("x", positive=True)
    yield from strictly_convex_from("ln(1/p) - (1-p) >= 0", -log(x) - (1 - x), x, 1, t)
    yield from _tilt_at_most()
    bound = log(_LN - 1) - 1 + log(1 - 1 / E)
    yield from identity(
        "ln(1/p) - 2 - [ln(1/(p (ln(1/p) - 1))) - 1 - ln(1-1/e)] is the bound",
        (_LN - 2) - (-log(p) - log(_LN - 1) - 1 - log(1 - 1 / E)) - bound,
    )
    yield _above(Geometric(Fraction(1, 10**6)), bound, p)


@claim(
    "gap.unbounded-sibuya",
    "Best of a Sibuya number of draws: the gap grows like 1/a on the uniform law",
    "On a law without atoms, tilting the quantile, the gap of the best of sibuya(a) draws is at "
    "least 1/a + 2 ln a - ln(1+a) + ln(1 - 1/e) for a <= 1/4.",
    hypotheses=("0 < a <= 1/4", "a law without atoms, tilting the quantile"),
    source=_OURS,
)
def unbounded_sibuya() -> Iterator[Evidence]:
    kl, mean = RANK_FORMS[Sibuya, "kl"], RANK_FORMS[Sibuya, "mean_quantile"]
    for form in (kl, mean):
        yield from of_proof(form.prove())
    yield from identity("KL = ln a + 1/a - 1", kl.expr - (log(a) + 1 / a - 1))
    yield from identity("eps = 1 - E[U] = a/(1+a)", 1 - mean.expr - a / (1 + a))
    yield from positive("eps increases", sympy.diff(s / (1 + s), s))
    yield from identity(
        "and is 1/5 at a = 1/4", Rational(1, 4) / (1 + Rational(1, 4)) - Rational(1, 5)
    )
    yield from _tilt_at_most()
    bound = 1 / a + 2 * log(a) - log(1 + a) + log(1 - 1 / E)
    yield from identity(
        "ln a + 1/a - 1 - [ln((1+a)/a) - 1 - ln(1-1/e)] is the bound",
        log(a) + 1 / a - 1 - (log(1 + a) - log(a) - 1 - log(1 - 1 / E)) - bound,
    )
    yield _above(Sibuya(Fraction(1, 100)), bound, a)


@claim(
    "gap.finite-tails",
    "On finitely many atoms the gap vanishes exponentially as mu grows",
    "With p the mass of the highest atom r_k, q = 1-p, Delta = r_k - r_{k-1}, D = r_{k-1} - r_1 "
    "and A = max_{i<k} ln(q/p_i), the gap of Best-of-Poisson is at most "
    "q e^{-mu p} (A + (D/Delta)(mu p + ln(1/p))), which decreases from mu p = 1 on.",
    hypotheses=("at least two atoms", "tilting the reward"),
    source=_OURS,
)
def finite_tails() -> Iterator[Evidence]:
    miss = (1 - p) * exp(-mu * p)
    yield from identity(
        "the policy misses the top with q e^{-mu p} = G(1-p)", BOP.cdf.subs(u, 1 - p) - miss
    )
    yield words(
        "Take the lam >= 0 whose tilt misses it as often. gap <= KL(pi||tilt) = q e^{-mu p} KL("
        "given a miss) <= q e^{-mu p} max ln(1/tilt_i) given a miss (the entropy of pi' is >= 0), "
        "and tilt_i >= p_i e^{lam r_i}/(q e^{lam r_{k-1}}): at most A + lam D."
    )
    yield words("The odds of a miss are at most (q/p) e^{-lam Delta}, and at least q e^{-mu p}.")
    yield from identity(
        "so lam Delta <= ln(q/(p q e^{-mu p})) = mu p + ln(1/p)",
        log((1 - p) / (p * miss)) - (mu * p + log(1 / p)),
    )
    form = exp(-s) * (c + b * s)
    yield from positive("e^{-s}(A + C s) falls at s = 1 + t", -sympy.diff(form, s).subs(s, 1 + t))
    low, high = sympy.symbols("F_0 m", positive=True)  # F_{i-1} and p_i
    ratio = 1 + low * (1 - exp(-mu * high)) / high
    yield from identity(
        "the ratio on an atom, times p_i e^{mu(1-F_i)}: G(F_i) - G(F_{i-1})",
        high * ratio - (low + high - low * exp(-mu * high)),
    )


@claim(
    "gap.vanishes-on-bounded-densities",
    "On a bounded law with a positive density at the top the gap vanishes as mu grows",
    "Let a <= f <= b on [T-h, T], T the upper end, L the length of the support, v = P(R > T-h). "
    "For mu >= 15 with mu v >= 1 the gap of Best-of-Poisson is at most (b/a - 1) + 1/mu + 2/mu^2 + "
    "mu [b L e^{-mu v} + e^{-mu b h}], which decreases in mu.",
    hypotheses=("a density with two ends, 0 < a <= b < oo", "tilting the reward"),
    source=_OURS,
)
def vanishes_on_bounded_densities() -> Iterator[Evidence]:
    yield words(
        "D = T - R and V = 1 - F(R): D <= V/a where V <= v, so under the policy E[D] <= E[V]/a + "
        "L P(V > v); under the reference E[e^{-lam D}] <= int_0^oo b e^{-lam d} dd + e^{-lam h}."
    )
    mean = RANK_FORMS[BestOfPoisson, "mean_quantile"]
    yield from of_proof(mean.prove())
    yield from identity(
        "E[V] = 1/mu - (1-e^{-mu})/mu^2 <= 1/mu",
        1 - mean.expr - (1 / mu - (1 - exp(-mu)) / mu**2),
    )
    yield from identity("P(V > v) = G(1-v) = (1-v) e^{-mu v}",
                        BOP.cdf.subs(u, 1 - v) - (1 - v) * exp(-mu * v))  # fmt: skip
    yield cited("gap <= KL + lam E[D] + ln E[e^{-lam D}] for every lam", "gap.pythagoras")
    yield words("KL <= ln(1+mu) - 1 + y/mu with y = e^{-x} Ei(x) <= 2/x, x = 1+mu >= 16.")
    bound = 1 / t + 1 / t**2 + 2 / t**3 + 12 / t**4
    yield from identity(
        "y' = 1/x - y, and for B = 1/x + 1/x^2 + 2/x^3 + 12/x^4: B' - (1/x - B) = (6x - 48)/x^5",
        sympy.diff(bound, t) - (1 / t - bound) - (6 * t - 48) / t**5,
    )
    yield words("so B >= y from x = 16 on, where it is (gap.supremum); and 2/x - B > 0 there:")
    yield from positive("2/x - B > 0 at x = 16 + t",
                        sympy.expand((t**4 * (2 / t - bound)).subs(t, 16 + t)))  # fmt: skip
    yield from identity(
        "lam = b mu: lam/(a mu) + ln(b/lam) = b/a - ln mu",
        b * mu / (a * mu) + log(b / (b * mu)) - (b / a - log(mu)),
    )
    yield words("ln(1+1/mu) <= 1/mu, ln(1+z) <= z at z = mu e^{-mu b h}; v <= b h.")
    yield from positive("mu e^{-mu v} falls at mu v = 1 + s",
                        -sympy.diff(mu * exp(-mu * v), mu).subs(mu, (1 + s) / v))  # fmt: skip


#: Rational bounds of the two suprema and of their maximisers.
THREE_ATOMS = (
    (Fraction(111417498226, 10**13), Fraction(111417498227, 10**13)),
    (Fraction(340997409754, 10**11), Fraction(340997409756, 10**11)),
)
BEST_OF_N = (
    (Fraction(237211718539, 10**13), Fraction(237211718540, 10**13)),
    (Fraction(267998659845, 10**11), Fraction(267998659847, 10**11)),
)


@claim(
    "gap.supremum-of-best-of-n",
    "The sharp constant of the gap of Best-of-n: 2.372117185e-2, at n = 2.6799865985",
    "On a law without atoms, tilting the quantile, the gap of Best-of-n over real n >= 1 has its "
    "supremum in (2.37211718539e-2, 2.37211718540e-2), attained only in (2.67998659845, "
    "2.67998659847): 35 times that of Best-of-Poisson.",
    hypotheses=("every real n >= 1", "a law without atoms, tilting the quantile"),
    source=_OURS,
    expected="certified",
)
def supremum_of_best_of_n() -> Iterator[Evidence]:
    yield from best_of_n_steps(*BEST_OF_N)


def best_of_n_steps(
    bounds: tuple[Fraction, Fraction], place: tuple[Fraction, Fraction]
) -> Iterator[Evidence]:
    tilted = 1 / n - (log(n + 1) - log(n))  # ln(1 + 1/n)
    yield from identity(
        "at lam = n+1: KL - lam E[U] + ln((e^lam)/lam) = 1/n - ln(1+1/n)",
        log(n) - 1 + 1 / n - n + (n + 1) - log(n + 1) - tilted,
    )
    rest = log(1 + t) - t + t**2 / 2
    yield from identity("ln(1+x) - x + x^2/2 is 0 at 0", rest.subs(t, 0))
    yield from positive(
        "and increases, so the gap is at most 1/(2n^2)", sympy.factor(sympy.diff(rest, t))
    )
    found = best_of_n_supremum(10)
    yield _between("the supremum and its place, by branch and bound", found.value, bounds)
    yield _between("every maximiser", found.place, place)


def _between(says: str, x: object, bounds: tuple[Fraction, Fraction]) -> Evidence:
    low, high = enclosing_rationals(x)
    return certified(
        f"{says}: between {float(bounds[0])!r} and {float(bounds[1])!r}",
        "balls on boxes that cover the range",
        bounds[0] < low and high < bounds[1],
    )


@claim(
    "popular.gap-is-small-on-every-bounded-law",
    "On bounded rewards Best-of-Poisson is within 8e-4 nats of the tilt",
    "On every law with bounded rewards the gap of Best-of-Poisson is at most 8e-4. (It is so on a "
    "law without atoms for the tilt of the quantile: gap.bop-at-most-8e-4.)",
    hypotheses=("a bounded reward, tilting the reward", "mu > 0"),
    source="the uniform law's constant, read as a general one",
    expected="refuted",
)
def small_on_every_bounded_law() -> Iterator[Evidence]:
    found = gap_supremum(Finite({0: "1/3", 1: "1/3", 3: "1/3"}), 6)
    assert found.argmax is not None
    (low, high), place = THREE_ATOMS[0], found.argmax.bounds
    yield witness(
        "on the atoms 0, 1, 3 of mass 1/3 each the supremum is 0.0111417, at mu = 3.40997",
        "balls on the whole half-line (gap.finite-tails)",
        found.supremum.bounds[0] > Fraction(8, 10**4)
        and found.supremum.bounds[0] < high
        and low < found.supremum.bounds[1]
        and place[0] < THREE_ATOMS[1][1]
        and THREE_ATOMS[1][0] < place[1],
        supremum=found.supremum.to_json(6),
        argmax=found.argmax.to_json(6),
    )


CLAIMS: tuple[Claim, ...] = (
    unbounded_geometric,
    unbounded_sibuya,
    finite_tails,
    vanishes_on_bounded_densities,
    supremum_of_best_of_n,
    small_on_every_bounded_law,
)
