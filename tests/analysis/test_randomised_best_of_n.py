"""Which tilts are a randomised best-of-n: proofs against series by hand, planted false claims."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from hedgetheory import parse_law
from hedgetheory.analysis.randomised.decide import decide
from hedgetheory.analysis.randomised.interpolation import (
    Mixture,
    Separation,
    _separation,
    interpolate,
)
from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball
from hedgetheory.policies.tilt import Tilt

MP = mpmath.MPContext()
MP.dps = 40


def number(x: Number) -> float:
    return float(x)


PROVED = [
    ("uniform", "3"), ("exponential(2)", "1"), ("exponential(1/2)", "49/100"), ("beta(1/3,1)", "4"),
    ("beta(1,2)", "4"), ("beta(1,1)", "2"), ("gamma(1/2,1)", "1/2"), ("gamma(1,3)", "1"),
    ("weibull(1,2)", "1/4"), ("bernoulli(1/3)", "2"), ("finite({-5: 3/4, 5: 1/4})", "1/7"),
    ("geometric(1/3)", "1/4"),
]  # fmt: skip


@pytest.mark.parametrize(("law", "lam"), PROVED, ids=[p[0] for p in PROVED])
def test_these_tilts_are_randomised_best_of_n(law, lam):
    found = decide(parse_law(law), lam)
    assert found.verdict == "proved"
    assert found.draws is not None


def taylor(quantile, lam, count=25):
    """The coefficients of e^{λQ(v)} at 0 in mpmath, from its definition."""
    return MP.taylor(lambda v: MP.exp(MP.mpf(lam) * quantile(v)), 0, count)


@pytest.mark.parametrize(
    ("law", "lam", "quantile"),
    [
        ("uniform", 3, lambda v: v),
        ("exponential(2)", 1, lambda v: -MP.log(1 - v) / 2),
        ("beta(1/3,1)", 4, lambda v: v**3),
        ("beta(1,2)", 4, lambda v: 1 - MP.sqrt(1 - v)),
        ("gamma(1/2,1)", 0.5, lambda v: MP.erfinv(v) ** 2),
    ],
)
def test_what_is_proved_has_no_negative_coefficient(law, lam, quantile):
    assert decide(parse_law(law), Fraction(lam)).verdict == "proved"
    assert min(taylor(quantile, lam)) > -(MP.mpf(10) ** -20)


def test_the_mean_number_of_draws_is_the_largest_ratio():
    # E[N] = G′(1) = e^{λ sup R}/M.
    lam = MP.mpf(3)
    assert number(decide(parse_law("uniform"), 3).draws.mean) == pytest.approx(
        float(lam / (1 - MP.exp(-lam))), rel=1e-14
    )
    cubes = MP.quad(lambda v: MP.exp(4 * v**3), [0, 1])
    assert number(decide(parse_law("beta(1/3,1)"), 4).draws.mean) == pytest.approx(
        float(MP.exp(4) / cubes), rel=1e-13
    )
    assert decide(parse_law("exponential(2)"), 1).draws.mean == Number.infinity()


#: Planted false claims: each of these tilts is no randomised best-of-n.
FALSE = [
    ("normal", "1"), ("normal(3,2)", "1/100"), ("normal", "100"), ("logistic", "1/2"),
    ("logistic", "99/100"), ("gumbel(0,1)", "1/2"), ("laplace(0,1)", "1/2"), ("gamma(2,1)", "1/2"),
    ("gamma(2/3,1)", "1/2"), ("weibull(2,1)", "3"), ("beta(2,3)", "1"), ("beta(1/2,1/2)", "1"),
    ("beta(1,1/2)", "1"), ("beta(1,1/2)", "100"), ("beta(2/5,1)", "1"), ("beta(2/15,1)", "1"),
    ("beta(999/1000,1)", "1"), ("beta(1001/1000,1)", "1"),
    ("finite({0: 1/3, 9: 1/3, 10: 1/3})", "1"), ("poisson(2)", "1/10"),
]  # fmt: skip


@pytest.mark.parametrize(("law", "lam"), FALSE, ids=[f"{x}-{y}" for x, y in FALSE])
def test_these_tilts_are_not_and_a_witness_says_why(law, lam):
    found = decide(parse_law(law), lam)
    assert found.verdict == "refuted"
    assert found.witness
    assert found.draws is None
    with pytest.raises(InputError, match="no law of N"):
        found.sample(3, 0)


@pytest.mark.parametrize(("law", "quantile", "density"), [
    ("normal", lambda v: MP.sqrt(2) * MP.erfinv(2 * v - 1), MP.npdf),
    ("logistic", lambda v: MP.log(v / (1 - v)), lambda x: MP.exp(-x) / (1 + MP.exp(-x)) ** 2),
])  # fmt: skip
def test_the_witness_is_a_negative_derivative(law, quantile, density):
    found = decide(parse_law(law), "1/2")
    at, order = MP.mpf(Fraction(found.witness["reward"]).numerator), found.witness["order"]
    at /= Fraction(found.witness["reward"]).denominator
    level = MP.quad(density, [-MP.inf, at])
    slope = MP.diff(lambda v: MP.exp(quantile(v) / 2), level, order)
    assert slope < 0
    # The value shown is that derivative times f^k e^{−λr}.
    shown = MP.mpf(found.witness["value"]["decimal"])
    assert abs(slope * density(at) ** order * MP.exp(-at / 2) - shown) < 1e-8


def test_the_exact_coefficient_of_a_refuted_beta_law_is_that_of_mpmath():
    found = decide(parse_law("beta(1,1/2)"), 1)
    k = found.witness["coefficient"]
    # Q(v) = 1 − (1 − v)² = 2v − v².
    series = taylor(lambda v: 2 * v - v * v, 1, k)
    assert series[k] < 0
    assert all(c > 0 for c in series[:k])
    assert abs(MP.mpf(found.witness["value"]["decimal"]) - series[k]) < 1e-12


def test_an_affine_transform_is_its_core_at_the_scaled_strength():
    found = decide(Affine(parse_law("uniform"), 5, 2), "3/2")
    assert (found.verdict, found.draws.name) == ("proved", "ztp(lam=3)")
    # R = 5 + 2U: the mean under the best of N is that under the tilt, 5 + 2 E[U] at lam = 3.
    rewards, _ = found.sample(40_000, 2)
    mean = 5 + 2 * float(1 / (1 - MP.exp(-3)) - MP.mpf(1) / 3)
    # Hoeffding on [5, 7]: 2e^{−2·40000·(0.028/2)²} < 4e-7.
    assert abs(rewards.mean() - mean) < 0.028
    assert decide(Affine(parse_law("normal"), 1, 3), 1).verdict == "refuted"
    assert decide(Affine(Affine(parse_law("exponential(1)"), 0, 2), 1, 2), "1/8").draws.name == (
        "sibuya(a=0.5)"
    )


def test_no_tilt_no_verdict():
    for law, lam in (("exponential(1)", 1), ("exponential(1)", 2), ("lognormal(0,1)", 1),
                     ("logistic", 1), ("geometric(1/3)", "1/2"), ("pareto(3)", 1)):  # fmt: skip
        with pytest.raises(NotOnThisLaw):
            decide(parse_law(law), lam)
    with pytest.raises(InputError):
        decide(parse_law("uniform"), -1)


@pytest.mark.parametrize("law", ["normal", "logistic", "poisson(2)", "finite({0: 1/2, 1: 1/2})"])
def test_at_strength_zero_it_is_one_draw(law):
    found = decide(parse_law(law), 0)
    assert (found.verdict, found.draws.masses) == ("proved", ((1, Number.exact(1)),))


TIES = Finite({0: "1/10", 1: "2/10", 2: "4/10", 3: "2/10", 4: "1/10"})
ATOMS = [
    (Finite({0: "1/3", 1: "1/3", 2: "1/3"}), "1/50"),
    (Finite({0: "1/3", 1: "1/3", 2: "1/3"}), 3),
    (Finite({0: "1/3", 1: "1/3", 10: "1/3"}), 1),
    (TIES, 1),
    (TIES, 3),
    (Bernoulli("1/1000"), "1/50"),
    (Bernoulli("1/1000"), 20),
]


def test_a_weak_tilt_of_a_bell_on_five_atoms_is_refuted_but_stronger_ones_are_not():
    # As on the normal law: at 1/50 the five masses bend the wrong way, at 1 they do not.
    assert [decide(TIES, lam).verdict for lam in ("1/50", 1, 3)] == [
        "refuted", "certified", "certified"]  # fmt: skip


def test_a_target_beyond_the_linear_program_is_undecided():
    assert decide(Finite({0: "1/3", 1: "1/3", 10: "1/3"}), 3).verdict == "undecided"


@pytest.mark.parametrize(("law", "strength"), ATOMS, ids=str)
def test_the_law_of_n_on_atoms_gives_back_the_tilt(law, strength):
    lam = Fraction(strength)
    found = decide(law, lam)
    assert found.verdict in ("proved", "certified")
    masses = [(n, MP.mpf(x.decimal(15)[0])) for n, x in found.draws.masses]
    assert abs(MP.fsum(w for _, w in masses) - 1) < 1e-14
    assert all(w > 0 for _, w in masses)
    assert abs(MP.fsum(n * w for n, w in masses) - number(found.draws.mean)) < 1e-9 * masses[-1][0]
    top = law.atoms[-1][0]
    tilted = [MP.mpf(p.numerator) / p.denominator * MP.exp(MP.mpf(float(lam * (x - top))))
              for x, p in law.atoms]  # fmt: skip
    for i, upto in enumerate(law.cumulative[:-1]):
        x = MP.mpf(upto.numerator) / upto.denominator
        best = MP.fsum(w * x**n for n, w in masses)
        assert abs(best - MP.fsum(tilted[: i + 1]) / MP.fsum(tilted)) < 1e-13


def test_a_separation_separates_by_enumeration():
    found = decide(Finite({0: "1/3", 9: "1/3", 10: "1/3"}), 1)
    y0, y = Fraction(found.witness["y0"]), [Fraction(w) for w in found.witness["y"]]
    x = [Fraction(1, 3), Fraction(2, 3)]
    assert all(y0 + sum(w * v**n for w, v in zip(y, x, strict=True)) > 0 for n in range(1, 400))
    weights = [math.exp(-10), math.exp(-1), 1.0]
    t = [weights[0] / sum(weights), (weights[0] + weights[1]) / sum(weights)]
    assert float(y0) + sum(float(w) * v for w, v in zip(y, t, strict=True)) < 0


def test_interpolation_tells_the_hull_from_its_complement():
    x = [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)]

    def points(targets):
        return lambda: ([ball(v) for v in x], [ball(Fraction(t)) for t in targets])

    inside = [(v + v**3 + v**7 + v**11) / 4 for v in x]
    assert isinstance(interpolate(points(inside)), Mixture)
    # Concave where every pgf is convex.
    assert isinstance(interpolate(points(["0.24", "0.49", "0.73"])), Separation)
    # Near misses: a convex curve between u^2 and u^3 that no power series follows.
    lower = [v**2 for v in x]
    bent = [lower[0], lower[1] - Fraction(1, 100), lower[2]]
    assert isinstance(interpolate(points(bent)), Separation)
    # On the boundary itself neither is certified, and neither is claimed.
    assert interpolate(points(lower)) is None
    with balls.precision(64):
        assert balls.current_bits() == 64


def test_many_atoms_are_undecided_and_quick():
    law = Finite({k: Fraction(1, 40) for k in range(40)})
    assert decide(law, 1).verdict == "undecided"


SAMPLED = [
    ("uniform", "3"), ("exponential(2)", "1"), ("beta(1/3,1)", "4"), ("beta(1,2)", "3"),
    ("geometric(1/3)", "1/4"), ("bernoulli(1/3)", "2"),
    ("finite({0: 1/3, 1: 1/3, 10: 1/3})", "1/4"),
]  # fmt: skip


@pytest.mark.parametrize(("law", "lam"), SAMPLED, ids=[s[0] for s in SAMPLED])
def test_the_best_of_n_draws_has_the_law_of_the_tilt(law, lam):
    # DKW: P(sup |F_n − F| > d) ≤ 2e^{−2nd²} = 1e-7 for each law at n = 100,000: 7e-7 in all.
    size = 100_000
    bound = math.sqrt(math.log(2e7) / (2 * size))
    parsed = parse_law(law)
    rewards, counts = decide(parsed, lam).sample(size, 11)
    assert counts.min() >= 1
    places = np.quantile(rewards, np.linspace(0.02, 0.98, 15)).round(3)
    for at in sorted({*places.tolist()}):
        truth = float(value(parsed, Tilt(lam), "cdf", at=at, digits=8))
        assert abs((rewards <= at).mean() - truth) < bound, at


def test_the_mean_of_sampled_counts_is_the_expected_draws():
    found = decide(parse_law("beta(1/3,1)"), 4)
    _, counts = found.sample(100_000, 5)
    # Hoeffding would need a bound of N; the variance is below 40, Chebyshev at 1000 sd² is 1e-6.
    assert counts.var() < 40
    assert abs(counts.mean() - number(found.draws.mean)) < math.sqrt(40 * 1000 / 1e5)


def test_no_sampler_is_said_and_not_guessed():
    with pytest.raises(InputError, match="no sampler"):
        decide(parse_law("gamma(1/2,1)"), "1/2").sample(3, 0)


def test_a_separation_that_fails_at_one_exponent_is_none():
    # h(n) = 1/10 − 2^{−n} is negative for n ≤ 3 only; the target 3/10 is a mixture of x and x².
    with balls.precision(128):
        half, target = ball(Fraction(1, 2)), ball(Fraction(3, 10))
        found = _separation([half], [target], Fraction(1, 10), [Fraction(-1)])
        assert found == [1, 2, 3]
        # Without a positive constant the tail is not closed, whatever the sign at the target.
        assert _separation([half], [target], Fraction(0), [Fraction(-1)]) is None
        assert _separation([half], [target], Fraction(1, 2), [Fraction(-1)]) is None
