"""Theorem 1 as summarised, and what is true: the shape of θ ↦ E_θ[g]."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

import sympy
from sympy import Symbol, diff, log

from hedgetheory.claims.checks import (
    certified,
    identity,
    integral_is,
    limit,
    of_step,
    positive,
    witness,
)
from hedgetheory.claims.likelihood import mlr_steps
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import BON, BOP, FAMILIES, PAPER, RECONSTRUCTED, RankFamily
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import lam, n, u

# -- Theorem 1 without a condition on g ------------------------------------------------------------


def polynomial_gold(roots: Sequence[int]) -> dict[int, Fraction]:
    """a_k of g = Σ a_k u^k with Σ a_k n/(n+k) = Π(n − root)/Π(n + k), k = 1, …, number of roots.

    n/(n+k) = 1 − k/(n+k): the partial fractions of the right side give a_k, and a_0 the constant.
    """
    degree = len(roots)
    gold: dict[int, Fraction] = {}
    for k in range(1, degree + 1):
        residue = Fraction(1)
        for root in roots:
            residue *= -k - root
        for other in range(1, degree + 1):
            residue /= (other - k) if other != k else 1
        gold[k] = -residue / k
    gold[0] = 1 - sum(gold.values(), Fraction(0))
    return gold


def bon_value(gold: dict[int, Fraction], at: Fraction) -> Fraction:
    """E_n[g] = Σ a_k n/(n+k), exactly."""
    return sum((a * at / (at + k) for k, a in gold.items()), Fraction(0))


@claim(
    "paper.theorem-1-as-summarised",
    "Theorem 1 with no condition on g",
    "For every strictly MLR family with strictly monotone score, and every bounded g, "
    "theta -> E_theta[g] is monotone or has a single interior extremum.",
    hypotheses=("w strictly TP2", "score strictly monotone in r", "nothing on g but boundedness"),
    source=f"{PAPER}, Theorem 1 as its summary states it",
    expected="refuted",
)
def theorem_1_as_summarised() -> Iterator[Evidence]:
    yield from mlr_steps("BoN", BON.log_ratio, n)
    yield from positive("BoN: the score strictly increases", diff(BON.score, u))
    k = Symbol("k", positive=True)
    yield from integral_is(
        "BoN: E_n[u^k] = n/(n+k)", u**k * BON.ratio, n * u ** (n + k) / (n + k), n / (n + k)
    )
    gold = polynomial_gold((2, 4, 8, 16))
    points = tuple(map(Fraction, (1, 3, 6, 12, 32)))
    values = [bon_value(gold, at) for at in points]
    rises = [b - a for a, b in itertools.pairwise(values)]
    yield witness(
        "BoN with a polynomial g of degree 4: f(1) > f(3) < f(6) > f(12) < f(32), so f has at "
        "least three interior extrema",
        "exact rational values",
        all(x * y < 0 for x, y in itertools.pairwise(rises)) and len(rises) == 4,
        gold={f"u^{k}": str(a) for k, a in sorted(gold.items())},
        values={str(at): str(value) for at, value in zip(points, values, strict=True)},
    )


# -- the repaired theorem --------------------------------------------------------------------------


def kernel_of(family: RankFamily) -> sympy.Expr:
    """k = −∂_θ G, the kernel of f′(θ) = ∫ g′(u) k_θ(u) du."""
    return -diff(family.cdf, family.theta)


@claim(
    "paper.corollary-1",
    "For unimodal g, BoN and BoP have at most one threshold",
    "If g increases on (0,c) and decreases on (c,1), or the reverse, then f(theta) = E_theta[g] "
    "has at most one stationary point over the open parameter range, a strict maximum (minimum): "
    "f is monotone or single-peaked (single-troughed).",
    hypotheses=(
        "g absolutely continuous on [0,1], g' >= 0 on (0,c) and <= 0 on (c,1) or the reverse, "
        "not constant",
        "BoN with real n > 1, or BoP with mu > 0; a law without atoms",
    ),
    source=f"{PAPER}, Theorem 1 and Corollary 1, repaired (reconstructed)",
)
def corollary_1() -> Iterator[Evidence]:
    for family in (BON, BOP):
        yield from single_peak_steps(family, kernel_of(family))
    yield words(
        "f'(theta)/k_theta(c) = int g'(u) k_theta(u)/k_theta(c) du. The ratio strictly decreases "
        "in theta for u < c, where g' >= 0, and strictly increases for u > c, where g' <= 0: the "
        "integral strictly decreases in theta, so it has at most one zero, from plus to minus."
    )


def single_peak_steps(family: RankFamily, kernel: sympy.Expr) -> Iterator[Evidence]:
    """The kernel of f′ is positive, vanishes at both ends, and is strictly TP2."""
    name, theta = family.name, family.theta
    yield from identity(f"{name}: k = -dG/d{theta}", kernel + diff(family.cdf, theta))
    yield limit(f"{name}: k(0+) = 0", kernel, u, sympy.S.Zero, sympy.S.Zero)
    yield limit(f"{name}: k(1-) = 0", kernel, u, sympy.S.One, sympy.S.Zero)
    yield words(
        "By parts, f' = int g dw/dtheta = [-g k] + int g' k, and the boundary terms vanish."
    )
    yield from positive(f"{name}: k > 0", kernel)
    mixed = sympy.simplify(diff(sympy.expand_log(log(kernel)), theta, u))
    yield from identity(f"{name}: d2 ln k = {mixed}", diff(log(kernel), theta, u) - mixed)
    yield from positive(f"{name}: d2 ln k/(d{theta} du) > 0: k is strictly TP2", mixed)


@claim(
    "paper.corollary-1-existence",
    "When the threshold exists",
    "For g as in paper.corollary-1, up then down and not increasing: f has its one threshold iff f "
    "rises first. Under BoP, f'(0+) = int g'(u) u(1-u) du; under BoN, f'(1+) = -int g'(u) u ln u "
    "du.",
    hypotheses=("hypotheses of paper.corollary-1", "g' < 0 on a set of positive measure"),
    source=f"{RECONSTRUCTED}: Corollary 1; this project",
)
def existence() -> Iterator[Evidence]:
    v = Symbol("v", positive=True)
    starts = {BON: -u * log(u), BOP: u * (1 - u)}
    for family, start in starts.items():
        theta, kernel = family.theta, kernel_of(family)
        first = sympy.S.One if theta == n else sympy.S.Zero
        yield of_step(
            algebra(
                f"{family.name}: k at the first {theta} is {start}",
                kernel.subs(theta, first) - start,
            )
        )
        # u = v/(1+d) < v: ln of the ratio has slope ln u − ln v, or u − v, in θ.
        slope = diff(log(kernel) - log(kernel.xreplace({u: v})), theta)
        constant = log(u) - log(v) if theta == n else u - v
        yield from identity(
            f"{family.name}: d ln(k(u)/k(v))/d{theta} = {constant}", slope - constant
        )
    yield words(
        "So for u < v, k_theta(u)/k_theta(v) = (its value at the first theta) times e^{-c theta} "
        "with c = ln v - ln u or v - u > 0: it tends to 0, and dominated convergence gives that "
        "int_0^v g' k_theta(u)/k_theta(v) -> 0 for v > c, while int_v^1 g' k_theta(u)/k_theta(v) "
        "is negative and decreasing for v with g' < 0 on part of (v,1): f falls in the end. f' "
        "starts with the sign of its first value (if that is 0, f falls at once, by the strict "
        "decrease)."
    )


@claim(
    "paper.corollary-3",
    "For non-decreasing g there is no hacking, for non-increasing g nothing else",
    "If g is non-decreasing and not constant then E_theta[g] strictly increases in theta under "
    "BoN, BoP and the quantile tilt (so f never falls, and Definition 1 fails); for "
    "non-increasing g it strictly decreases, so the threshold is the lower end of the range.",
    hypotheses=("g bounded, monotone, not a.e. constant", "a law without atoms",
                "real n > 1, mu > 0, lam > 0"),
    source=f"{RECONSTRUCTED}: Corollary 3",
)  # fmt: skip
def corollary_3() -> Iterator[Evidence]:
    for family in FAMILIES:
        name, theta = family.name, family.theta
        yield from identity(
            f"{name}: dG/d{theta} has slope w score in u",
            diff(family.cdf, theta, u) - family.ratio * family.score,
        )
        yield from positive(f"{name}: the score strictly increases", diff(family.score, u))
        yield limit(f"{name}: dG/d{theta} -> 0 at 0", diff(family.cdf, theta), u, 0, 0)
        yield limit(f"{name}: dG/d{theta} -> 0 at 1", diff(family.cdf, theta), u, 1, 0)
    yield words(
        "w score is first negative, then positive, with integral zero: dG/dtheta first falls from "
        "0 and then rises to 0, so it is < 0 on (0,1). G falls strictly: pi_theta is strictly "
        "stochastically increasing, and E_theta[g] = const + int (1 - G) dg."
    )
    yield from positive("directly, BoN: -dG/dn = -u^n ln u > 0", kernel_of(BON))
    yield from positive("directly, BoP: -dG/dmu = u(1-u) e^{mu(u-1)} > 0", kernel_of(BOP))


@claim(
    "peaks.tilt-single-peak",
    "For unimodal g the tilt has at most one threshold, on every law",
    "If g rises and then falls (or the reverse) and is not a.e. constant, then f(lam) = E_lam[g] "
    "under the raw-reward tilt has at most one stationary point, a strict maximum (minimum), on "
    "every law, atoms included; with R = U the same holds for the quantile tilt.",
    hypotheses=("lam inside the domain of M", "g bounded, {g > y} an interval for every y",
                "g not a.e. constant under F"),
    source="this project; also by variation diminishing, Karlin 1968",
)  # fmt: skip
def tilt_single_peak() -> Iterator[Evidence]:
    top, m_of = sympy.Function("N")(lam), sympy.Function("M")(lam)
    value, mean = top / m_of, diff(m_of, lam) / m_of
    # E_λ[g R^j] = N^(j)/M and E_λ[R^j] = M^(j)/M.
    n1, n2, m2 = diff(top, lam) / m_of, diff(top, lam, 2) / m_of, diff(m_of, lam, 2) / m_of
    yield cited("N = E[g e^{lam R}], M = E[e^{lam R}]: derivatives pass inside", "analytic mgf")
    slope = n1 - value * mean
    yield of_step(algebra("f' = E[(g-f)(R-m)], m = E[R]", diff(value, lam) - slope))
    second = (n2 - 2 * mean * n1 + mean**2 * value) - value * (m2 - mean**2)
    yield of_step(algebra("f'' = E[(g-f)(R-m)^2]", diff(value, lam, 2) - second))
    x, m, a, b = sympy.symbols("x m a b", real=True)
    linear = (a + b - 2 * m) * x + m**2 - a * b
    yield from identity(
        "(x-m)^2 - (x-a)(x-b) is linear in x", (x - m) ** 2 - (x - a) * (x - b) - linear
    )
    yield words(
        "Where f' = 0, g-f is orthogonal to 1 and R under the tilt, so f'' = E[(g-f)(R-a)(R-b)]. "
        "Take a <= b the ends of the interval {g > f}: inside the product is <= 0 and outside too, "
        "so f'' <= 0. Equality leaves g = f off {a,b}; orthogonality to 1 and R then forces g = f "
        "everywhere, which is excluded. If the interval has one end a only, E[(g-f)(R-a)] = 0 says "
        "the same. So every stationary point is a strict maximum: there is at most one."
    )
    yield from _tilt_example()


def _tilt_example() -> Iterator[Evidence]:
    """Three atoms, exactly: in z = e^λ, f = (z p₁)/(p₀ + p₁ z + p₂ z²) has one stationary point."""
    z = Symbol("z", positive=True)
    value = 3 * z / (2 + 3 * z + 5 * z**2)
    slope = sympy.numer(sympy.together(diff(value, z)))
    roots = sympy.Poly(slope, z).count_roots(0, None)
    yield Evidence("confirmed", "masses 2:3:5, g = (0,1,0): one root", "Sturm, exact", roots == 1)


# -- MLR and a unimodal g are not enough -----------------------------------------------------------


@claim(
    "peaks.mlr-and-unimodal-gold-suffice",
    "Strict MLR, an increasing score and a unimodal g give a single peak",
    "For every strictly MLR family with a score increasing in r and every unimodal g, f is "
    "monotone or has one interior extremum.",
    hypotheses=("w strictly TP2 (not TP3)", "score strictly increasing in r", "g up, then down"),
    source="popular reading of Theorem 1; counterexample of this project",
    expected="refuted",
)
def mlr_and_unimodal() -> Iterator[Evidence]:
    t = Symbol("t", real=True)
    wave = t * (t - 1) * (t - 2) * (t - 3) / 4
    rising, falling = 1 + t + wave / 2, 10 - t + wave / 2
    yield words(
        "Three atoms of mass 1/3, w proportional to (1, a, ab) with b = 1 + t + T/2, 1/a = 10 - t "
        "+ T/2, T = t(t-1)(t-2)(t-3)/4, 0 < t < 3; g = (0, 1, 0). f = 1/(1/a + 1 + b) = 1/(12 + T)."
    )
    a, b = 1 / falling, rising
    yield of_step(algebra("f = a/(1 + a + ab) = 1/(12 + T)", a / (1 + a + a * b) - 1 / (12 + wave)))
    for name, expr in (("b' > 0", diff(rising, t)), ("(1/a)' < 0", -diff(falling, t)),
                       ("b > 0", rising), ("1/a > 0", falling)):  # fmt: skip
        poly = sympy.Poly(expr, t)
        holds = poly.count_roots(0, 3) == 0 and poly.eval(0) > 0
        yield certified(f"{name} for 0 <= t <= 3", "Sturm's theorem, exact", holds)
    yield words("ln a and ln b strictly increase in t: w is strictly TP2, so the score increases.")
    points = tuple(map(Fraction, ("0", "2/5", "3/2", "13/5", "3")))
    values = [Fraction(str((1 / (12 + wave)).subs(t, sympy.Rational(str(x))))) for x in points]
    rises = [y - x for x, y in itertools.pairwise(values)]
    yield witness(
        "f(0) < f(2/5) > f(3/2) < f(13/5) > f(3): three interior extrema",
        "exact rational values",
        all(x * y < 0 for x, y in itertools.pairwise(rises)),
        values={str(x): str(y) for x, y in zip(points, values, strict=True)},
    )


CLAIMS: tuple[Claim, ...] = (
    theorem_1_as_summarised,
    corollary_1,
    existence,
    corollary_3,
    tilt_single_peak,
    mlr_and_unimodal,
)
