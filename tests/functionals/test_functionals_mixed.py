"""Policies on laws with atoms and a density, against mpmath by hand, exact rationals and limits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.gap import gap_of
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.mixed import mixture
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.spec.grammar import parse_gold, parse_law, parse_policy

F = Fraction
HACKED = "mixture({uniform: 0.9, finite({1: 1}): 0.1})"
INFLATED = "mixture({bernoulli(1/2): 0.3, normal(0,1): 0.7})"
OUTSIDE = "mixture({uniform: 0.7, finite({-1: 1/4, 1/2: 1/2, 2: 1/4}): 0.3})"
WAITING = "mixture({exponential(2): 0.6, finite({0: 1/2, 1: 1/2}): 0.4})"
LAWS = (HACKED, INFLATED, OUTSIDE, WAITING)


@dataclass(frozen=True)
class Hand:
    """A law written out by hand: masses of atoms, and the density with its cdf, times a weight."""

    atoms: dict
    weight: str
    pdf: object
    cdf: object
    low: object
    high: object

    def below(self, x):
        return mpf(self.weight) * self.cdf(x) + sum(mpf(p) for a, p in self.atoms.items() if a < x)

    def upto(self, x):
        return self.below(x) + mpf(self.atoms.get(x, 0))


def _clip(x):
    return min(max(mpf(x), mpf(0)), mpf(1))


BY_HAND = {
    HACKED: Hand({1: "0.1"}, "0.9", lambda x: mpf(1), _clip, 0, 1),
    INFLATED: Hand({0: "0.15", 1: "0.15"}, "0.7", mpmath.npdf, mpmath.ncdf, -99, 99),
    OUTSIDE: Hand(
        {-1: "0.075", 0.5: "0.15", 2: "0.075"}, "0.7", lambda x: mpf(1), _clip, 0, 1
    ),
    WAITING: Hand(
        {0: "0.2", 1: "0.2"},
        "0.6",
        lambda x: 2 * mpmath.exp(-2 * x),
        lambda x: 1 - mpmath.exp(-2 * x) if x > 0 else mpf(0),
        0,
        mpmath.inf,
    ),
}  # fmt: skip

#: G and G′ by hand.
RANKS = {
    "bon(5/2)": (lambda v: v ** mpf("2.5"), lambda v: mpf("2.5") * v ** mpf("1.5")),
    "bop(3)": (lambda v: v * mpmath.exp(3 * v - 3), lambda v: (1 + 3 * v) * mpmath.exp(3 * v - 3)),
    "quantile_tilt(2)": (
        lambda v: mpmath.expm1(2 * v) / mpmath.expm1(2),
        lambda v: 2 * mpmath.exp(2 * v) / mpmath.expm1(2),
    ),
    "best_of_random(geometric(1/3))": (
        lambda v: v / (3 - 2 * v),
        lambda v: 3 / (3 - 2 * v) ** 2,
    ),
    "best_of_random(negative_binomial(2, 1/2))": (
        lambda v: ((mpf(1) / 2 / (1 - v / 2)) ** 2 - mpf(1) / 4) * 4 / 3,
        lambda v: (mpf(1) / 4) / (1 - v / 2) ** 3 * 4 / 3,
    ),
    "best_of_random(finite({2: 1/2, 3: 1/2}))": (
        lambda v: (v**2 + v**3) / 2,
        lambda v: v + 3 * v**2 / 2,
    ),
}  # fmt: skip


def by_hand(hand, cdf, slope, at_atom, in_density):
    """Σ at_atom(x, p, m, F−, F) over atoms and ∫ in_density(x, F, w) f over the density."""
    total = mpf(0)
    for a, mass in hand.atoms.items():
        below, upto = hand.below(a), hand.upto(a)
        total += at_atom(mpf(a), mpf(mass), cdf(upto) - cdf(below), below, upto)
    inside = [a for a in hand.atoms if hand.low < a < hand.high]
    far = 14 if hand is BY_HAND[INFLATED] else 30
    ends = [max(mpf(hand.low), -far), *sorted(inside), min(mpf(hand.high), far)]
    pieces = [x for a, b in pairwise(ends) for x in (a, (a + b) / 2)] + [ends[-1]]
    for a, b in pairwise(pieces):
        # Strictly inside of a stretch the cdf is that of the stretch, atoms at its ends excluded.
        share = sum(mpf(p) for x, p in hand.atoms.items() if x <= a)

        def integrand(x, share=share):
            level = mpf(hand.weight) * hand.cdf(x) + share
            return in_density(x, level, slope(level)) * hand.pdf(x) * mpf(hand.weight)

        total += mpmath.quad(integrand, [a, b])
    return total


TERMS = {
    "kl": (lambda x, p, m, b, t: m * mpmath.log(m / p), lambda x, v, w: w * mpmath.log(w)),
    "chi2": (lambda x, p, m, b, t: m**2 / p - p, lambda x, v, w: w**2 - 1),
    "total_variation": (lambda x, p, m, b, t: abs(m - p) / 2, lambda x, v, w: abs(w - 1) / 2),
    "mean_reward": (lambda x, p, m, b, t: m * x, lambda x, v, w: x * w),
    "mean_quantile": (lambda x, p, m, b, t: m * t, lambda x, v, w: v * w),
    "win_rate": (lambda x, p, m, b, t: m * (b + t) / 2, lambda x, v, w: v * w),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("policy", RANKS)
def test_rank_policies_agree_with_sums_and_quadrature_by_hand(law, policy):
    mp.dps = 20
    bound_law, bound_policy = parse_law(law), parse_policy(policy)
    for quantity, (at_atom, in_density) in TERMS.items():
        want = by_hand(BY_HAND[law], *RANKS[policy], at_atom, in_density)
        found = value(bound_law, bound_policy, quantity, digits=12)
        assert found.guarantee in ("exact", "certified")
        # |w − 1| has a corner that mpmath does not know of.
        tolerance = 2e-3 if quantity == "total_variation" else 1e-9
        assert abs(float(found) - float(want)) <= tolerance * max(1, abs(float(want)))
    gold = parse_gold("cos(r) + r**2")
    want = by_hand(
        BY_HAND[law], *RANKS[policy],
        lambda x, p, m, b, t: m * (mpmath.cos(x) + x**2),
        lambda x, v, w: (mpmath.cos(x) + x**2) * w,
    )  # fmt: skip
    assert float(value(bound_law, bound_policy, "gold", gold=gold)) == pytest.approx(
        float(want), rel=1e-9
    )
    gold = parse_gold("exp(u)*(1 - u)")
    want = by_hand(
        BY_HAND[law], *RANKS[policy],
        lambda x, p, m, b, t: m * mpmath.exp(t) * (1 - t),
        lambda x, v, w: mpmath.exp(v) * (1 - v) * w,
    )  # fmt: skip
    assert float(value(bound_law, bound_policy, "gold", gold=gold)) == pytest.approx(
        float(want), rel=1e-9
    )
    want = mpmath.log(
        by_hand(
            BY_HAND[law], *RANKS[policy],
            lambda x, p, m, b, t: m**3 / p**2,
            lambda x, v, w: w**3,
        )
    ) / 2  # fmt: skip
    assert float(value(bound_law, bound_policy, "renyi", order=3)) == pytest.approx(
        float(want), rel=1e-9
    )


def test_sibuya_has_finite_moments_of_w_where_an_atom_covers_the_top():
    # E[w²] with a = 1/2: ∫ a² v^{−1} dv is a logarithm, finite above v = 1/10.
    policy = parse_policy("best_of_random(sibuya(1/2))")
    mass = mpf("0.1") ** mpf("0.5")
    want = mass**2 / mpf("0.1") + mpmath.log(10) / 4 - 1
    assert float(value(parse_law(HACKED), policy, "chi2")) == pytest.approx(float(want), rel=1e-12)
    assert value(parse_law(INFLATED), policy, "chi2").infinite == 1
    assert float(value(parse_law(HACKED), policy, "score", at=1)) == pytest.approx(
        float(mpmath.log(mpf("0.1"))), rel=1e-12
    )


TILTED = {HACKED: 3, INFLATED: "3/2", OUTSIDE: 2, WAITING: "1/2"}


@pytest.mark.parametrize("law", LAWS)
def test_the_tilt_agrees_with_sums_and_quadrature_by_hand(law):
    mp.dps = 20
    hand, strength = BY_HAND[law], mpf(F(TILTED[law]).numerator) / F(TILTED[law]).denominator

    def mean(at_atom, in_density):
        # The identity policy, with e^{λx} written into the terms.
        return by_hand(
            hand, lambda v: v, lambda v: mpf(1),
            lambda x, p, m, b, t: m * at_atom(x, b, t), lambda x, v, w: in_density(x, v),
        )  # fmt: skip

    def weigh(x):
        return mpmath.exp(strength * x)

    whole = mean(lambda x, b, t: weigh(x), lambda x, v: weigh(x))
    average = mean(lambda x, b, t: x * weigh(x), lambda x, v: x * weigh(x)) / whole
    want = {
        "mean_reward": average,
        "kl": strength * average - mpmath.log(whole),
        "chi2": mean(lambda x, b, t: weigh(x) ** 2, lambda x, v: weigh(x) ** 2) / whole**2 - 1,
        "mean_quantile": mean(lambda x, b, t: t * weigh(x), lambda x, v: v * weigh(x)) / whole,
        "win_rate": mean(lambda x, b, t: (b + t) / 2 * weigh(x), lambda x, v: v * weigh(x)) / whole,
        "total_variation": mean(
            lambda x, b, t: abs(weigh(x) / whole - 1) / 2,
            lambda x, v: abs(weigh(x) / whole - 1) / 2,
        ),
    }
    policy = parse_policy(f"tilt({TILTED[law]})")
    for quantity, expected in want.items():
        found = value(parse_law(law), policy, quantity, digits=12)
        tolerance = 2e-3 if quantity == "total_variation" else 1e-9
        assert abs(float(found) - float(expected)) <= tolerance * max(1, abs(float(expected)))
    shown = value(parse_law(law), policy, "ratio", at="1/2")
    assert float(shown) == pytest.approx(float(weigh(mpf("0.5")) / whole), rel=1e-9)


def test_no_tilt_exists_where_that_of_the_density_does_not():
    with pytest.raises(NotOnThisLaw, match="infinite"):
        value(parse_law(WAITING), parse_policy("tilt(2)"), "kl")
    heavy = parse_law("mixture({pareto(3): 0.9, finite({1: 1}): 0.1})")
    with pytest.raises(NotOnThisLaw, match="no tilt exists"):
        value(heavy, parse_policy("tilt(1/100)"), "kl")


# -- exact ---------------------------------------------------------------------------------------


def _exact_moment(n, power):
    """E[R^power] under Best-of-n on HACKED: ∫₀^{9/10} (10u/9)^power n u^{n−1} du and the atom."""
    level = F(9, 10)
    return F(n, n + power) * level**n + (1 - level**n)


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_moments_on_a_uniform_law_with_an_atom_are_exact_rationals(n):
    law, policy = parse_law(HACKED), BestOfN(n)
    assert value(law, policy, "mean_reward").fraction == _exact_moment(n, 1)
    gold = parse_gold("r**3 - 2*r")
    want = _exact_moment(n, 3) - 2 * _exact_moment(n, 1)
    assert value(law, policy, "gold", gold=gold).fraction == want
    level = F(9, 10)
    top = 1 - level**n
    if n > 1:
        want = top**2 / F(1, 10) - F(1, 10) + F(n**2, 2 * n - 1) * level ** (2 * n - 1) - level
        assert value(law, policy, "chi2").fraction == want
    assert value(law, policy, "mass", at=1).fraction == top
    assert value(law, policy, "win_rate").fraction == F(n, n + 1) * level ** (n + 1) + top * F(
        19, 20
    )


def test_two_draws_on_three_laws_by_enumeration_of_the_ties():
    # E[max(R, R′)] on OUTSIDE, by the three kinds of a draw: low atom, middle, top.
    law = parse_law(OUTSIDE)
    p = {F(-1): F(3, 40), F(1, 2): F(3, 20), F(2): F(3, 40)}
    w = F(7, 10)
    total = F(0)
    for a, m in p.items():
        total += sum(max(a, b) * m * k for b, k in p.items())
        # E[max(a, U)] = a² + (1 − a²)/2 for 0 ≤ a ≤ 1.
        inner = a if a > 1 else F(1, 2) if a < 0 else a**2 + (1 - a**2) / 2
        total += 2 * m * w * inner
    total += w * w * F(2, 3)
    assert value(law, BestOfN(2), "mean_reward").fraction == total


@pytest.mark.parametrize("level", ["1/100", "1/5", "0.729", "0.73", "99/100"])
def test_the_quantile_is_the_smallest_reward_whose_cdf_reaches_the_level(level):
    # Best-of-3 on HACKED: P(R < 1) = 0.729 exactly.
    found = value(parse_law(HACKED), BestOfN(3), "quantile", at=level, digits=15)
    want = 1.0 if F(level) >= F("0.729") else float(F(level)) ** (1 / 3) / 0.9
    assert float(found) == pytest.approx(want, rel=1e-14)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("policy", ["bon(3)", "bop(2)", "tilt(1/2)", "best_of_random(sibuya(1/2))"])
def test_the_quantile_inverts_the_cdf(law, policy):
    bound_law, bound_policy = parse_law(law), parse_policy(policy)
    for level in ("1/20", "1/3", "1/2", "4/5", "39/40"):
        at = value(bound_law, bound_policy, "quantile", at=level, digits=20)
        place = at.fraction if at.fraction is not None else sum(at.bounds) / 2
        reached = float(value(bound_law, bound_policy, "cdf", at=place))
        atom = float(value(bound_law, bound_policy, "mass", at=place))
        assert reached - atom - 1e-12 <= float(F(level)) <= reached + 1e-12


def test_an_atom_has_no_density_and_the_rest_no_mass():
    law, policy = parse_law(HACKED), BestOfN(4)
    assert value(law, policy, "density", at=1).is_undefined
    assert value(law, policy, "mass", at="1/2").fraction == 0
    assert value(law, policy, "density", at=2).fraction == 0
    assert value(law, policy, "ratio", at=2).is_undefined
    # w·f at 1/2: 4 (9/20)³ · 9/10.
    assert value(law, policy, "density", at="1/2").fraction == 4 * F(9, 20) ** 3 * F(9, 10)
    # The score at the atom: ∂_n ln(1 − 0.9ⁿ).
    power = 0.9**4
    assert float(value(law, policy, "score", at=1)) == pytest.approx(
        -power * np.log(0.9) / (1 - power), rel=1e-14
    )


def test_tiny_masses_and_huge_draws_keep_their_digits():
    tiny = mixture({Uniform(): 1 - F(1, 10**30), Finite({1: 1}): F(1, 10**30)})
    # 1 − (1 − p)^n = np to first order.
    found = value(tiny, BestOfN(10**9), "mass", at=1, digits=20)
    want = 1 - (1 - mpf(10) ** -30) ** (10**9) if mp.dps > 60 else mpf(10) ** -21
    assert float(found) == pytest.approx(float(want), rel=1e-15)
    # KL is the continuous one up to O(p n ln n).
    n = 10**9
    free = float(mpmath.log(n) - mpf(n - 1) / n)
    assert float(value(tiny, BestOfN(n), "kl")) == pytest.approx(free, rel=1e-14)
    # Where n p ≫ 1 all mass is on the atom, and KL is ln(1/p).
    law = parse_law(HACKED)
    assert float(value(law, BestOfN(10**9), "kl")) == pytest.approx(np.log(10), rel=1e-14)
    assert float(value(law, BestOfPoisson(10**12), "kl")) == pytest.approx(np.log(10), rel=1e-12)
    near = value(law, BestOfN(1 + F(1, 10**12)), "kl", digits=10)
    # KL = δ²/2·Var(ψ) + O(δ³), ψ = 1 + ln u averaged over the atom: 0.45 here by hand.
    level = mpf("0.9")
    log = mpmath.log(level)
    mean_atom = -level * log / mpf("0.1")
    variance = level * (log**2 + 1) + mean_atom**2 * mpf("0.1")
    assert float(near) == pytest.approx(float(variance) / 2e24, rel=1e-9)


# -- limits --------------------------------------------------------------------------------------

SIMPLE = ("kl", "chi2", "total_variation", "mean_reward", "mean_quantile", "win_rate")


@pytest.mark.parametrize("policy", ["bon(3)", "bop(2)", "quantile_tilt(2)", "tilt(2)"])
def test_almost_no_density_is_the_finite_law_and_almost_no_atoms_the_continuous_one(policy):
    bound = parse_policy(policy)
    finite = parse_law("finite({0: 1/3, 1/2: 2/3})")
    small = F(1, 10**14)
    mostly = {
        finite: mixture({finite: 1 - small, Uniform(): small}),
        Uniform(): mixture({finite: small, Uniform(): 1 - small}),
    }
    for limit, law in mostly.items():
        for quantity in SIMPLE:
            near, at = (float(value(x, bound, quantity)) for x in (law, limit))
            assert near == pytest.approx(at, abs=1e-11)


@pytest.mark.parametrize("policy", ["bon(3)", "bop(2)", "best_of_random(sibuya(3/4))"])
def test_kl_with_atoms_is_below_that_without(policy):
    # Data processing: the atom forgets where inside of its interval a quantile was.
    bound = parse_policy(policy)
    free = float(value(Uniform(), bound, "kl"))
    for law in LAWS:
        assert float(value(parse_law(law), bound, "kl")) < free


# -- two routes ----------------------------------------------------------------------------------

values = st.lists(st.integers(-2, 6), min_size=1, max_size=3, unique=True)
PARTS = ("uniform", "normal(0, 1)", "exponential(3)", "laplace(1/2, 1)")
MEMBERS = ("bon(7/3)", "bon(12)", "bop(5/2)", "quantile_tilt(4)", "best_of_random(geometric(1/5))")


@settings(max_examples=40)
@given(values, st.integers(1, 9), st.sampled_from(PARTS), st.sampled_from(MEMBERS))
def test_closed_form_and_quadrature_agree(points, share, part, policy):
    weight = F(share, 10)
    atoms = Finite({F(v, 4): F(1, len(points)) for v in points})
    law, bound = mixture({parse_law(part): weight, atoms: 1 - weight}), parse_policy(policy)
    for quantity in ("kl", "chi2", "mean_quantile", "win_rate"):
        first, *others = [number(plan, 10) for plan in plans(law, bound, quantity)]
        assert others
        for other in others:
            (low, high), (start, end) = first.bounds, other.bounds
            assert low <= end
            assert start <= high


# -- Monte Carlo ---------------------------------------------------------------------------------


def test_best_of_five_drawn_at_random_has_the_certified_mean_and_mass():
    """False-alarm probability below 2·6e-7: each of two means is off by less than 5 deviations."""
    size, draws = 400_000, 5
    rng = np.random.default_rng(20250101)
    kinds = rng.random((size, draws))
    drawn = np.where(kinds < 0.7, rng.standard_normal((size, draws)), (kinds < 0.85) * 1.0)
    best = drawn.max(axis=1)
    law, policy = parse_law(INFLATED), BestOfN(draws)
    for seen, want in (
        (best, value(law, policy, "mean_reward")),
        (best == 1, value(law, policy, "mass", at=1)),
    ):
        deviation = np.std(seen) / np.sqrt(size)
        assert abs(np.mean(seen) - float(want)) < 5 * deviation


@pytest.mark.parametrize(
    "text", [*LAWS, "mixture({pareto(3): 0.4, finite({1: 1/2, 2: 1/2}): 0.6})"]
)
@pytest.mark.parametrize("policy", ["bon(5/2)", "bop(3)", "quantile_tilt(2)"])
def test_the_sampler_has_the_certified_masses_and_cdf(text, policy):
    """False-alarm probability below 24·7·6e-7 = 1e-4 over all cases, were they not seeded."""
    law, bound, size = parse_law(text), parse_policy(policy), 40_000
    drawn = sample(bound, law, size, 7).rewards
    for at in ("-1", "0", "1/3", "1/2", "1", "3/2", "2"):
        want = float(value(law, bound, "cdf", at=at))
        found = np.mean(drawn <= float(F(at)))
        assert abs(found - want) <= 5 * np.sqrt(want * (1 - want) / size)
        mass = float(value(law, bound, "mass", at=at))
        assert abs(np.mean(drawn == float(F(at))) - mass) <= 5 * np.sqrt(mass * (1 - mass) / size)


def test_there_is_no_sampler_of_the_tilt_or_soft_best_of_n():
    for policy in ("tilt(1)", "sbon(4, 2)"):
        with pytest.raises(InputError, match="no sampler"):
            sample(parse_policy(policy), parse_law(HACKED), 10, 0)


# -- the gap -------------------------------------------------------------------------------------


def test_the_gap_is_the_kl_to_the_tilt_with_the_same_mean():
    law, policy = parse_law(HACKED), BestOfPoisson(4)
    found = gap_of(law, policy, digits=12)
    strength = sum(found.lam.bounds) / 2
    tilt = parse_policy(f"tilt({strength})")
    assert float(value(law, tilt, "mean_reward")) == pytest.approx(float(found.mean), rel=1e-11)
    both = float(value(law, policy, "kl")) - float(value(law, tilt, "kl"))
    assert float(found.gap) == pytest.approx(both, abs=1e-11)
    assert float(found.gap) > 0


def test_the_gap_is_refused_where_no_tilt_exists():
    heavy = parse_law("mixture({pareto(3): 0.9, finite({1: 1}): 0.1})")
    with pytest.raises(NotOnThisLaw):
        gap_of(heavy, BestOfPoisson(4))


# -- mutants -------------------------------------------------------------------------------------


def test_what_takes_f_at_the_atom_for_f_below_it_is_told_apart():
    # The mass of the atom 0 of INFLATED is G(1/2) − G(7/20), not G(1/2) − G(1/2 + …).
    mass = value(parse_law(INFLATED), BestOfN(2), "mass", at=0).fraction
    assert mass == F(1, 4) - F(7, 20) ** 2
    assert mass != F(65, 100) ** 2 - F(1, 2) ** 2
    assert value(parse_law(INFLATED), BestOfN(2), "cdf", at=0).fraction == F(1, 4)


def test_what_takes_the_continuous_formula_on_the_atoms_is_told_apart():
    # ln n − (n − 1)/n on the whole law is 1.6365 for n = 8; with the atom of HACKED less.
    n = 8
    level = mpf("0.9")
    top = 1 - level**n
    inside = level**n * (mpmath.log(n) + (n - 1) * mpmath.log(level) - mpf(n - 1) / n)
    want = inside + top * mpmath.log(top / mpf("0.1"))
    found = float(value(parse_law(HACKED), BestOfN(n), "kl"))
    assert found == pytest.approx(float(want), rel=1e-13)
    assert abs(found - float(mpmath.log(n) - mpf(n - 1) / n)) > 1e-3


def test_soft_best_of_n_is_refused_in_one_line():
    with pytest.raises(NotCertified, match="not built"):
        value(parse_law(HACKED), parse_policy("sbon(4, 2)"), "kl")


def test_a_quantile_that_is_no_probability_is_refused():
    with pytest.raises(InputError):
        value(parse_law(HACKED), BestOfN(2), "quantile", at=1)


def test_gold_without_a_variable_is_itself():
    gold = SimpleNamespace(expr=(r - r) + (u - u) + 3, variable=None)
    assert value(parse_law(HACKED), BestOfN(2), "gold", gold=gold).fraction == 3
