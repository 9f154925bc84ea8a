"""Quantities on finitely many atoms against enumeration of every draw, ties broken uniformly."""

from __future__ import annotations

import itertools
from fractions import Fraction

import mpmath
import pytest
import scipy.stats as ss
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import (
    Binomial,
    FinitePmf,
    Geometric,
    NegativeBinomial,
    Sibuya,
)
from hedgetheory.policies.tilt import Tilt

few = settings(max_examples=25, deadline=None)
LAW = Finite({-1: "1/4", 0: "1/6", "1/2": "1/3", 2: "1/4"})
MP = mpmath.MPContext()
MP.dps = 40


@st.composite
def laws(draw) -> Finite:
    weights = draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
    values = draw(st.lists(st.integers(-5, 5), min_size=len(weights), max_size=len(weights),
                           unique=True))  # fmt: skip
    return Finite({v: Fraction(w, sum(weights)) for v, w in zip(values, weights, strict=True)})


def best_of(law: Finite, n: int) -> dict[Fraction, Fraction]:
    """The law of the largest of n draws, by enumeration of all of them."""
    out = dict.fromkeys((v for v, _ in law.atoms), Fraction(0))
    for draws in itertools.product(law.atoms, repeat=n):
        weight = Fraction(1)
        for _, mass in draws:
            weight *= mass
        top = max(v for v, _ in draws)
        winners = [v for v, _ in draws if v == top]
        for winner in winners:  # a uniform choice among the tied
            out[winner] += weight / len(winners)
    return out


def beats_a_draw(law: Finite, selected: dict[Fraction, Fraction]) -> Fraction:
    score = Fraction(0)
    for v, p in selected.items():
        for other, q in law.atoms:
            score += p * q * (Fraction(1) if v > other else Fraction(1, 2) if v == other else 0)
    return score


@given(laws(), st.integers(1, 4))
@few
def test_best_of_n_is_the_enumeration_of_all_draws_exactly(law, n):
    truth = best_of(law, n)
    policy = BestOfN(n)
    for v, p in truth.items():
        assert value(law, policy, "mass", at=v) == Number.exact(p)
        assert value(law, policy, "ratio", at=v) == Number.exact(p / dict(law.atoms)[v])
        upto = sum((q for w, q in truth.items() if w <= v), Fraction(0))
        assert value(law, policy, "cdf", at=v) == Number.exact(upto)
    masses = dict(law.atoms)
    mean = sum((v * p for v, p in truth.items()), Fraction(0))
    assert value(law, policy, "mean_reward") == Number.exact(mean)
    assert value(law, policy, "win_rate") == Number.exact(beats_a_draw(law, truth))
    chi2 = sum((p * p / masses[v] for v, p in truth.items()), Fraction(-1))
    assert value(law, policy, "chi2") == Number.exact(chi2)
    distance = sum((abs(p - masses[v]) for v, p in truth.items()), Fraction(0)) / 2
    assert value(law, policy, "total_variation") == Number.exact(distance)
    squares = sum((v * v * p for v, p in truth.items()), Fraction(0))
    assert value(law, policy, "gold", gold=GoldCurve(r**2, "r")) == Number.exact(squares)


MIXTURES = [
    (BestOfRandom(Geometric("1/3")), ss.geom(1 / 3).pmf),
    (BestOfRandom(Binomial(4, "1/3")),
     lambda k: ss.binom(4, 1 / 3).pmf(k) / ss.binom(4, 1 / 3).sf(0)),
    (BestOfRandom(NegativeBinomial("5/2", "2/3")),
     lambda k: ss.nbinom(2.5, 2 / 3).pmf(k) / ss.nbinom(2.5, 2 / 3).sf(0)),
    (BestOfPoisson("5/2"), lambda k: ss.poisson(2.5).pmf(k - 1)),
    (QuantileTilt(3), lambda k: ss.poisson(3).pmf(k) / ss.poisson(3).sf(0)),
    (BestOfRandom(FinitePmf({1: "1/4", 4: "3/4"})), lambda k: 0.25 * (k == 1) + 0.75 * (k == 4)),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "pmf"), MIXTURES, ids=[str(m[0]) for m in MIXTURES])
def test_best_of_a_random_number_is_the_mixture_of_best_of_n(policy, pmf):
    for v, _ in LAW.atoms:
        mixture = sum(pmf(k) * _mass(LAW, k, v) for k in range(1, 200))
        assert float(value(LAW, policy, "mass", at=v)) == pytest.approx(mixture, rel=1e-11)


def _mass(law, n, v) -> float:
    upto = dict(zip((a for a, _ in law.atoms), law.cumulative, strict=True))[v]
    return float(upto) ** n - float(upto - dict(law.atoms)[v]) ** n


@pytest.mark.parametrize("n", [2, 3])
def test_the_formula_used_by_the_mixture_is_the_enumeration(n):
    for v, p in best_of(LAW, n).items():
        assert _mass(LAW, n, v) == pytest.approx(float(p), rel=1e-14)


POLICIES = [BestOfN(3), BestOfN("7/3"), BestOfPoisson(2), QuantileTilt(4), Tilt("3/2"),
            BestOfRandom(Sibuya("1/2")), BestOfRandom(Geometric("1/9"))]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_the_masses_sum_to_one(policy):
    total = [Fraction(0), Fraction(0)]
    for v, _ in LAW.atoms:
        low, high = value(LAW, policy, "mass", at=v, digits=20).bounds
        total[0] += low
        total[1] += high
    assert total[0] <= 1 <= total[1]
    assert value(LAW, policy, "cdf", at=2) == Number.exact(1)
    assert value(LAW, policy, "cdf", at=-2) == Number.exact(0)
    assert value(LAW, policy, "mass", at="1/3") == Number.exact(0)
    assert value(LAW, policy, "ratio", at="1/3").is_undefined
    assert value(LAW, policy, "density", at=0).is_undefined


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_divergences_are_the_sums_over_atoms_of_certified_masses(policy):
    pairs = [(MP.mpf(float(q)), _mp(value(LAW, policy, "mass", at=v, digits=30)), _frac(q))
             for v, q in LAW.atoms]  # fmt: skip
    kl = sum(p * MP.log(p / q) for _, p, q in pairs)
    assert _near(value(LAW, policy, "kl"), kl)
    assert _near(value(LAW, policy, "chi2"), sum(p * p / q for _, p, q in pairs) - 1)
    renyi = MP.log(sum(q * (p / q) ** 3 for _, p, q in pairs)) / 2
    assert _near(value(LAW, policy, "renyi", order=3), renyi)
    assert _near(value(LAW, policy, "total_variation"), sum(abs(p - q) for _, p, q in pairs) / 2)


def _frac(q: Fraction):
    return MP.mpf(q.numerator) / q.denominator


def _mp(number: Number):
    low, high = number.bounds
    return _frac((low + high) / 2)


def _near(number: Number, truth) -> bool:
    return abs(_mp(number) - truth) <= abs(truth) * MP.mpf("1e-14")


def test_the_raw_tilt_weighs_atoms_by_the_exponential():
    weights = {v: _frac(q) * MP.exp(MP.mpf(3) / 2 * _frac(v)) for v, q in LAW.atoms}
    total = sum(weights.values())
    for v, weight in weights.items():
        assert _near(value(LAW, Tilt("3/2"), "mass", at=v), weight / total)
    mean = sum(_frac(v) * w for v, w in weights.items()) / total
    assert _near(value(LAW, Tilt("3/2"), "mean_reward"), mean)
    assert _near(value(LAW, Tilt("3/2"), "score", at=2), 2 - mean)


@given(laws(), st.integers(2, 40))
@few
def test_the_kl_divergence_is_below_its_value_without_atoms_and_the_logarithm_of_the_top(law, n):
    # Mutant 15, and Beirami et al. (2401.01879): KL(BoN) ≤ ln n − (n−1)/n, and ≤ ln(1/p_top).
    kl = value(law, BestOfN(n), "kl").bounds
    assert _frac(kl[0]) < MP.log(n) - MP.mpf(n - 1) / n
    top = law.atoms[-1][1]
    assert _frac(kl[0]) <= MP.log(1 / _frac(top))


def test_a_pass_fail_reward_bounds_the_kl_divergence_by_ln_2():
    # Mutant 15: 3.86 for 0.693 at p = 1/2, n = 128.
    kl = value(Bernoulli("1/2"), BestOfN(128), "kl")
    assert _near(kl, MP.log(2) + _entropy_loss(128))
    assert float(kl) == pytest.approx(0.6931471805599453, rel=1e-12)
    assert float(kl) < 0.7


def _entropy_loss(n: int):
    q = MP.mpf(2) ** -n
    return q * MP.log(q) + (1 - q) * MP.log(1 - q)


@given(st.integers(1, 30), st.integers(2, 50), st.integers(1, 60))
@few
def test_pass_at_n_is_exact(above, below, n):
    p = Fraction(above, above + below)
    assert value(Bernoulli(p), BestOfN(n), "mean_reward") == Number.exact(1 - (1 - p) ** n)


@pytest.mark.parametrize("p", ["1e-12", "0.5", "0.999999999999"])
@pytest.mark.parametrize("mu", ["1e-12", "3", "1e12"])
def test_best_of_poisson_passes_with_its_closed_probability(p, mu):
    # THEORY §7: 1 − (1 − p) e^{−μp}.
    with MP.workdps(80):
        truth = 1 - (1 - MP.mpf(p)) * MP.exp(-MP.mpf(mu) * MP.mpf(p))
        found = value(Bernoulli(p), BestOfPoisson(mu), "mean_reward", digits=30)
        assert abs(_mp(found) - truth) <= truth * MP.mpf("1e-29")
    for name in ("kl", "chi2", "total_variation", "win_rate"):
        assert value(Bernoulli(p), BestOfPoisson(mu), name).guarantee in ("certified", "exact")


@pytest.mark.parametrize(
    "policy",
    [BestOfN(10**9), BestOfN("1.000000000001"), QuantileTilt("1e12"), Tilt("1e12"), Tilt("1e-12"),
     BestOfRandom(Sibuya("1/1000")), BestOfRandom(Geometric("1e-12"))],
    ids=str,
)  # fmt: skip
def test_extreme_parameters_on_atoms_are_certified(policy):
    for name in ("kl", "chi2", "total_variation", "win_rate", "mean_reward"):
        found = value(LAW, policy, name)
        assert found.guarantee in ("certified", "exact")
        mass = value(LAW, policy, "mass", at=0, digits=5)  # down to e^{−2·10^12}
        assert mass.mid > mass.rad or mass.fraction > 0


def test_quantiles_are_the_smallest_atom_that_reaches_the_level():
    # G(F) = F²: 1/16, 25/144, 9/16, 1.
    policy = BestOfN(2)
    for level, atom in (("1/16", -1), ("0.0626", 0), ("25/144", 0), ("9/16", "1/2"), ("0.99", 2)):
        assert value(LAW, policy, "quantile", at=level) == Number.exact(Fraction(atom))
    assert value(LAW, Tilt("3/2"), "quantile", at="0.999") == Number.exact(2)
    # A rational root: 1 − (1 − F)^{1/2} = 1/2 at F = 3/4.
    assert value(LAW, BestOfRandom(Sibuya("1/2")), "quantile", at="1/2") == Number.exact(
        Fraction(1, 2)
    )


def test_a_gold_curve_that_jumps_at_an_atom_is_read_strictly():
    import sympy

    half = sympy.Rational(1, 2)
    zero, one = sympy.S.Zero, sympy.S.One
    # F(0) = 1/2 exactly: u < 1/2 is false there, u <= 1/2 true.
    strict = GoldCurve(sympy.Piecewise((zero, u < half), (one, True)), "u")
    loose = GoldCurve(sympy.Piecewise((zero, u <= half), (one, True)), "u")
    for policy, top in ((BestOfN(2), Fraction(3, 4)), (BestOfN(3), Fraction(7, 8))):
        assert value(Bernoulli("1/2"), policy, "gold", gold=strict) == Number.exact(1)
        assert value(Bernoulli("1/2"), policy, "gold", gold=loose) == Number.exact(top)
    for curve in (strict, loose):
        assert (
            value(Bernoulli("1/2"), BestOfPoisson(1), "gold", gold=curve).guarantee != "estimated"
        )


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_on_one_atom_every_policy_is_the_reference(policy):
    law = Finite({3: 1})
    for name in ("kl", "chi2", "total_variation"):
        assert value(law, policy, name) == Number.exact(0)
    low, high = value(law, policy, "mean_reward").bounds
    assert low <= 3 <= high


@pytest.mark.parametrize("policy", [BestOfN(3), BestOfPoisson(2), QuantileTilt(4), Tilt("3/2")],
                         ids=str)  # fmt: skip
def test_the_score_is_the_derivative_of_the_logarithm_of_the_mass(policy):
    symbol, theta = next(iter(policy.bindings.items()))
    step = Fraction(1, 10**15)
    for v, _ in LAW.atoms:
        masses = [
            value(LAW, type(policy)(theta + s * step), "mass", at=v, digits=45) for s in (-1, 1)
        ]
        low, high = (MP.log(_mp(m)) for m in masses)
        slope = (high - low) / (2 * _frac(step))
        assert abs(_mp(value(LAW, policy, "score", at=v, wrt=symbol.name)) - slope) < 1e-14
