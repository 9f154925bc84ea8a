"""Where the gap is unbounded, against mpmath far out; suprema of finite laws, against a scan."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy import integrate, optimize

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals import gap_bounded, gap_finite, gap_search
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.functionals.gap import gap_at, gap_of
from hedgetheory.functionals.gap_families import OnUniform, best_of_n_supremum
from hedgetheory.functionals.gap_supremum import gap_supremum
from hedgetheory.functionals.gap_tails import tail
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.spec.grammar import parse_family, parse_law, parse_policy

MP = mpmath.MPContext()
MP.dps = 30
mpf = MP.mpf

#: Q as a function of ū, K(λ), its limit and its derivative, by hand.
FAR = {
    "laplace(0, 1)": (
        lambda s: -MP.log(2 * s) if s < 0.5 else MP.log(2 - 2 * s),
        lambda t: -MP.log(1 - t * t),
        lambda t: 2 * t / (1 - t * t),
    ),
    "gumbel(0, 1)": (
        lambda s: -MP.log(-MP.log1p(-s)),
        lambda t: MP.loggamma(1 - t),
        lambda t: -MP.digamma(1 - t),
    ),
    "gamma(2, 1)": (  # (1 + y) e^{−y} = s
        lambda s: -1 - MP.lambertw(-s / MP.e, -1).real,
        lambda t: -2 * MP.log(1 - t),
        lambda t: 2 / (1 - t),
    ),
}


def far_gap(law: str, exponent: int) -> mpmath.mpf:
    """The gap at μ = 10^exponent: KL and mean by quadrature in ln of ū μ, a root by bisection."""
    quantile, potential, slope = FAR[law]
    m = mpf(10) ** exponent

    def weight(x: mpmath.mpf) -> mpmath.mpf:  # the density of ln(μŪ) under the policy
        v = MP.exp(x)
        return v * (1 + m - v) / m * MP.exp(-v)

    def log_ratio(x: mpmath.mpf) -> mpmath.mpf:
        v = MP.exp(x)
        return MP.log(1 + m - v) - v

    ends = [-60, -20, -5, 0, 2, min(4.5, float(MP.log(m)))]
    mean = MP.quad(lambda x: quantile(MP.exp(x) / m) * weight(x), ends)
    divergence = MP.quad(lambda x: log_ratio(x) * weight(x), ends)
    low, high = mpf(0), mpf(1)
    for _ in range(90):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < mean else (low, middle)
    return divergence - low * mean + potential(low)


@pytest.mark.parametrize("law", FAR)
def test_the_gap_grows_like_ln_ln_mu_by_mpmath_where_it_is_called_unbounded(law: str) -> None:
    assert gap_supremum(parse_law(law)).verdict == "unbounded"
    gaps = [far_gap(law, e) for e in (2, 4, 8, 12)]
    assert all(b > a + 0.2 for a, b in pairwise(gaps))
    # ln ln μ doubles its argument from 1e4 to 1e8: a step of about ln 2.
    assert abs(gaps[2] - gaps[1] - math.log(2)) < 0.2
    found = gap_at(parse_law(law), 10**4, 8).gap
    assert abs(float(found) - float(gaps[1])) < 1e-6 * float(found)


@pytest.mark.parametrize(
    ("law", "verdict"),
    [
        ("weibull(3/2, 2)", "unbounded"), ("weibull(1, 2)", "unbounded"),
        ("weibull(1/2, 2)", "no tilt exists"), ("lognormal(0, 1)", "no tilt exists"),
        ("student_t(5)", "no tilt exists"), ("pareto(3)", "no tilt exists"),
        ("gamma(1/3, 2)", "unbounded"), ("poisson(3)", "unbounded"),
        ("geometric(1/9)", "unbounded"), ("affine(laplace(0, 1), 3, 2)", "unbounded"),
        ("mixture({normal(0,1): 0.9, uniform: 0.1})", "unbounded"),
        ("mixture({normal(0,1): 0.9, gamma(1/2, 1): 0.1})", "unbounded"),
        ("mixture({normal(0,1): 0.9, pareto(2): 0.1})", "no tilt exists"),
        ("mixture({normal(0,1): 0.9, finite({7: 1}): 0.1})", "unbounded"),
    ],
)  # fmt: skip
def test_the_verdict_on_laws_without_an_upper_end(law: str, verdict: str) -> None:
    assert gap_supremum(parse_law(law)).verdict == verdict


@pytest.mark.parametrize(
    "law",
    ["beta(2, 3)", "beta(2, 1)", "shaped(normal(0, 1), tanh(r))", "truncated(gamma(2, 1), 0, 3)"],
)
def test_a_density_without_certified_ends_is_undecided(law: str) -> None:
    with pytest.raises(NotCertified, match="not decided"):
        gap_supremum(parse_law(law))


@pytest.mark.parametrize(
    ("heavier", "lighter"),
    [
        ("exponential(1)", "normal(0, 9)"), ("gumbel(0, 2)", "gamma(9, 1)"),
        ("gamma(3, 1)", "laplace(5, 1)"), ("normal(0, 2)", "normal(9, 1)"),
        ("normal(1, 1)", "normal(0, 1)"), ("weibull(3/2, 1)", "normal(0, 5)"),
        ("affine(normal(0, 1), 1, 1)", "normal(0, 1)"), ("weibull(2, 2)", "normal(0, 1)"),
        ("normal(0, 1)", "uniform"), ("affine(weibull(2, 1), 1, 1)", "weibull(2, 1)"),
        ("weibull(2, 10)", "affine(weibull(2, 1), 3, 2)"),
    ],
)  # fmt: skip
def test_the_heavier_tail_has_the_larger_density_far_up(heavier: str, lighter: str) -> None:
    one, two = parse_law(heavier), parse_law(lighter)
    assert tail(one).weight > tail(two).weight
    if two.support[1] is None:
        with balls.precision(80):
            far = balls.ball(4000)
            logs = [compiled(law.pdf, (r,))(balls.REAL, far).log() for law in (one, two)]
        assert logs[0] > logs[1]


@pytest.mark.parametrize(
    ("family", "law", "verdict"),
    [
        ("bop", "gumbel(0, 1)", "unbounded"), ("bon", "gumbel(0, 1)", "unbounded"),
        ("quantile_tilt", "uniform", "zero"), ("quantile_tilt", "normal(0, 1)", "unbounded"),
        ("best_of_random(ztp)", "uniform", "zero"),
        ("best_of_random(geometric)", "uniform", "unbounded"),
        ("best_of_random(sibuya)", "uniform", "unbounded"),
        ("best_of_random(sibuya)", "exponential(1)", "zero"),
        ("best_of_random(geometric)", "poisson(2)", "unbounded"),
        ("best_of_random(negative_binomial(r=2))", "normal(0, 1)", "unbounded"),
        ("best_of_random(binomial(p=1/2))", "normal(0, 1)", "unbounded"),
        ("bon", "bernoulli(1/3)", "zero"),
    ],
)  # fmt: skip
def test_the_verdict_on_other_families(family: str, law: str, verdict: str) -> None:
    assert gap_supremum(parse_law(law), 6, parse_family(family)).verdict == verdict


@pytest.mark.parametrize(
    ("family", "law"),
    [("best_of_random(sibuya)", "normal(0, 1)"), ("best_of_random(binomial(m=5))", "normal(0, 1)"),
     ("best_of_random(negative_binomial(r=2))", "uniform")],
)  # fmt: skip
def test_a_family_without_an_argument_is_undecided(family: str, law: str) -> None:
    with pytest.raises(NotCertified, match="not decided"):
        gap_supremum(parse_law(law), 6, parse_family(family))


def test_only_rank_policies_have_a_gap() -> None:
    with pytest.raises(InputError, match="rank policies"):
        gap_supremum(Uniform(), 6, parse_family("sbon(n=3)"))


@pytest.mark.parametrize(("p", "low"), [("1e-3", 0.3), ("1e-9", 1.5), ("1e-30", 2.7)])
def test_the_geometric_gap_on_the_uniform_law_follows_ln_ln(p: str, low: float) -> None:
    found = float(gap_of(Uniform(), parse_policy(f"best_of_random(geometric({p}))"), 8).gap)
    assert low < found < math.log(math.log(1 / float(p)))


# -- finite laws -----------------------------------------------------------------------------------


def scanned(atoms: dict[float, float], mu: np.ndarray) -> np.ndarray:
    """The gap by float64 vectors and Brent's root finder: atoms by differences of G."""
    values, masses = np.array(sorted(atoms)), np.array([atoms[v] for v in sorted(atoms)])
    levels = np.concatenate([[0.0], np.cumsum(masses)])
    levels[-1] = 1.0
    out = []
    for m in mu:
        policy = np.diff(levels * np.exp(m * (levels - 1)))
        mean = policy @ values

        def tilted(lam: float) -> np.ndarray:
            weights = masses * np.exp(lam * (values - values[-1]))
            return weights / weights.sum()

        lam = optimize.brentq(lambda x, m=mean: tilted(x) @ values - m, 0, 200, xtol=1e-13)
        match = tilted(lam)
        seen = policy > 0
        out.append(np.sum(policy[seen] * np.log(policy[seen] / match[seen])))
    return np.array(out)


FINITE = {
    "three equal": {0: "1/3", 1: "1/3", 3: "1/3"},
    "rare top": {0: "9/10", 1: "9/100", 2: "1/100"},
    "gaps": {0: "1/2", 1: "1/4", 2: "1/8", 10: "1/8"},
    "grid": dict.fromkeys(range(5), "1/5"),
    "negative": {"-5": "1/10", "-1/2": "2/5", 0: "1/4", "7/3": "1/4"},
}


@pytest.mark.parametrize("name", FINITE)
def test_the_supremum_of_a_finite_law_is_that_of_a_dense_scan(name: str) -> None:
    law = Finite(FINITE[name])
    found = gap_supremum(law, 7)
    assert found.verdict == "attained"
    assert found.argmax is not None
    atoms = {float(value): float(mass) for value, mass in law.atoms}
    top = float(law.atoms[-1][1])
    place = float(found.argmax)
    scan = scanned(atoms, np.concatenate([np.geomspace(0.01, 25 / top, 300),
                                          place * np.linspace(0.999, 1.001, 21)]))  # fmt: skip
    assert scan.max() <= float(found.supremum) * (1 + 1e-9)
    assert scan.max() == pytest.approx(float(found.supremum), rel=1e-7)
    assert scanned(atoms, np.array([place]))[0] == pytest.approx(float(found.supremum), rel=1e-9)


@pytest.mark.parametrize("name", ["three equal", "gaps", "negative"])
def test_the_tail_bound_is_above_the_gap_and_falls(name: str) -> None:
    law = Finite(FINITE[name])
    mass = law.atoms[-1][1]
    last = math.inf
    for factor in (1, 2, 5, 20):
        with balls.precision(80):
            bound = float(gap_finite.large_mu_bound(law, factor / mass).mid())
        assert float(gap_at(law, factor / mass, 6).gap) < bound < last
        last = bound
    with pytest.raises(NotCertified):
        gap_finite.large_mu_bound(law, mass / 2)


@pytest.mark.parametrize("name", ["three equal", "negative"])
def test_the_box_bound_is_above_the_gap_everywhere_on_the_box(name: str) -> None:
    law = Finite(FINITE[name])
    atoms = {float(value): float(mass) for value, mass in law.atoms}
    for low, high in ((1, 2), (3, 4), (Fraction(33, 10), Fraction(35, 10)), (10, 14)):
        with balls.precision(100):
            objective = gap_finite.OnAtoms(law)
            middle, bound = gap_search.box_bound(objective, Fraction(low), Fraction(high))
        scan = scanned(atoms, np.linspace(float(low), float(high), 41))
        assert scan.max() <= float(bound)
        assert float(middle.mid()) == pytest.approx(scan[20], rel=1e-9)


def test_slope_and_curvature_on_atoms_are_those_of_the_value() -> None:
    objective = gap_finite.OnAtoms(Finite(FINITE["negative"]))
    at, strength, h = Fraction(5, 2), Fraction(3, 4), Fraction(1, 10**12)
    with balls.precision(300):
        lam = balls.ball(strength)
        left, here, right = (objective.value(x, lam) for x in (at - h, at, at + h))
        step = balls.ball(h)
        assert abs((right - left) / (2 * step) - objective.slope(at, lam)) < 1e-20
        second = (right - 2 * here + left) / step**2
        assert abs(second - objective.curvature(at, at, lam)) < 1e-20
        wide = objective.curvature(at - 1, at + 1, lam)
        assert wide.contains(objective.curvature(at, at, lam).mid())


def test_a_search_that_drops_the_second_order_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # A mutant: without H″ the bound is not one, and a scan finds a larger gap in the box.
    law = Finite(FINITE["three equal"])
    monkeypatch.setattr(gap_finite.OnAtoms, "curvature", lambda *_: balls.ball(0))
    with balls.precision(100):
        _, bound = gap_search.box_bound(gap_finite.OnAtoms(law), Fraction(1, 16), Fraction(1, 2))
    atoms = {float(value): float(mass) for value, mass in law.atoms}
    assert scanned(atoms, np.linspace(1 / 16, 1 / 2, 60)).max() > float(bound)


def test_too_many_atoms_and_too_much_work_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotCertified, match="101 atoms"):
        gap_supremum(Finite({i: Fraction(1, 101) for i in range(101)}))
    monkeypatch.setattr(gap_search, "MAX_BOXES", 1)
    with pytest.raises(NotCertified, match="boxes") as refused:
        gap_supremum(Finite(FINITE["three equal"]), 100)
    assert refused.value.enclosure is not None


# -- the uniform law, by the other engine --------------------------------------------------------


def test_the_supremum_of_best_of_n_is_that_of_scipy() -> None:
    def gap(n: float) -> float:
        mean = integrate.quad(lambda x: n * x**n, 0, 1, epsabs=1e-13)[0]
        kl = integrate.quad(
            lambda x: n * x ** (n - 1) * math.log(n * x ** (n - 1)), 0, 1, epsabs=1e-13
        )[0]
        lam = optimize.brentq(lambda t: 1 / -math.expm1(-t) - 1 / t - mean, 1e-6, 100, xtol=1e-13)
        return kl - lam * mean + math.log(math.expm1(lam) / lam)

    found = best_of_n_supremum(8)
    best = optimize.minimize_scalar(lambda n: -gap(n), bounds=(1.5, 5), method="bounded")
    assert -best.fun == pytest.approx(float(found.value.mid()), rel=1e-7)
    assert best.x == pytest.approx(float(found.place.mid()), rel=1e-3)
    for n in (1.01, 2, 3, 10, 60):
        assert gap(n) <= float(found.value.mid())
        if n >= 3:
            assert gap(n) <= 1 / (2 * n**2)


def test_branch_and_bound_finds_the_sharp_constant_of_best_of_poisson() -> None:
    # Another algorithm than gap.supremum's: no concavity, no bisection of the slope.
    assert (BestOfPoisson, "kl") in RANK_FORMS
    with balls.precision(140):
        found = gap_search.largest(OnUniform(BestOfPoisson), Fraction(2), Fraction(5), 6)
    assert float(found.value.mid()) == pytest.approx(6.7507930833e-4, rel=1e-9)
    assert float(found.place.mid()) == pytest.approx(3.357953471, rel=1e-6)


# -- laws whose cumulant function has no formula -------------------------------------------------


@pytest.mark.parametrize(
    ("law", "policy", "density", "survival", "ends"),
    [
        ("weibull(2, 1)", "bop(4)", lambda x: 2 * x * math.exp(-x * x),
         lambda x: math.exp(-x * x), (0, 8)),
        ("truncated(exponential(1), 0, 2)", "best_of_random(geometric(1/3))",
         lambda x: math.exp(-x) / -math.expm1(-2),
         lambda x: (math.exp(-x) - math.exp(-2)) / -math.expm1(-2), (0, 2)),
        ("pdf(2*r, 0, 1)", "bon(3)", lambda x: 2 * x, lambda x: 1 - x * x, (0, 1)),
    ],
)  # fmt: skip
def test_the_gap_without_a_formula_of_the_mgf_is_that_of_scipy(
    law, policy, density, survival, ends
):
    ratio = {
        "bop(4)": lambda s: (1 + 4 * (1 - s)) * math.exp(-4 * s),
        "best_of_random(geometric(1/3))": lambda s: 3 / (1 + 2 * s) ** 2,
        "bon(3)": lambda s: 3 * (1 - s) ** 2,
    }[policy]

    def over(f):
        return integrate.quad(f, *ends, epsabs=1e-13, limit=200)[0]

    def chosen(x):
        return ratio(survival(x)) * density(x)

    mean = over(lambda x: x * chosen(x))
    kl = over(lambda x: chosen(x) * math.log(max(ratio(survival(x)), 1e-300)))

    def mgf(lam, order=0):
        return over(lambda x: x**order * math.exp(lam * x) * density(x))

    lam = optimize.brentq(lambda t: mgf(t, 1) / mgf(t) - mean, 0, 30, xtol=1e-12)
    found = gap_of(parse_law(law), parse_policy(policy), 9)
    assert float(found.gap) == pytest.approx(kl - lam * mean + math.log(mgf(lam)), abs=1e-10)
    assert float(found.lam) == pytest.approx(lam, rel=1e-8)
    assert found.gap.guarantee == "certified"


# -- bounded densities ---------------------------------------------------------------------------


def truncated_exponential_gap(mu: float) -> float:
    """The gap on Exponential(1) given R < 2, by scipy."""
    share = -math.expm1(-2)

    def chosen(x: float) -> float:
        s = (math.exp(-x) - math.exp(-2)) / share
        return (1 + mu * (1 - s)) * math.exp(-mu * s - x) / share

    near = [2 - 5 / mu] if mu > 10 else None
    mean = integrate.quad(lambda x: x * chosen(x), 0, 2, epsabs=1e-13, points=near)[0]
    kl = float(MP.exp(-mu - 1) * (MP.ei(mu + 1) - MP.ei(1)) / mu + MP.log1p(mu) - 1)

    def potential(lam: float) -> float:  # ln E[e^{λR}]
        return math.log(math.expm1(2 * (lam - 1)) / (lam - 1) / share)

    best = optimize.minimize_scalar(
        lambda lam: potential(lam) - lam * mean, bounds=(1.0001, 40 + mu), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    return kl + best.fun


def test_the_supremum_on_a_bounded_density_is_that_of_scipy() -> None:
    found = gap_supremum(parse_law("affine(truncated(exponential(1), 0, 2), 5, 3)"), 3)
    assert found.verdict == "attained"
    assert found.argmax is not None
    place = float(found.argmax)
    assert truncated_exponential_gap(place) == pytest.approx(float(found.supremum), rel=1e-6)
    scan = [truncated_exponential_gap(m) for m in np.geomspace(1.5, 80, 40)]
    assert max(scan) <= float(found.supremum) * (1 + 1e-6)
    assert max(scan) > float(found.supremum) * 0.99


@pytest.mark.parametrize("law", ["truncated(exponential(1), 0, 2)", "pdf(2*r, 0, 1)", "uniform"])
def test_the_bound_at_large_mu_is_above_the_gap_and_falls(law: str) -> None:
    with balls.precision(80):
        objective = gap_bounded.OnBounded(parse_law(law))
        reach = (objective.top - objective.low) / 64
        bounds = [float(objective.large_mu_bound(Fraction(m), reach)) for m in (2000, 4000, 10**5)]
        assert bounds[0] > bounds[1] > bounds[2]
        assert float(gap_search.gap_at_point(objective, Fraction(2000))) < bounds[0]
        assert not objective.large_mu_bound(Fraction(14), reach).is_finite()


def test_the_curvature_of_the_divergence_is_enclosed_on_a_box() -> None:
    objective = gap_bounded.OnBounded(Uniform())
    with balls.precision(120):
        for low, high in ((1, 2), (7, 8), (1000, 1500)):
            wide = objective._bend_of_kl(Fraction(low), Fraction(high))
            for x in np.linspace(low, high, 9):
                second = MP.diff(lambda m: MP.exp(-m - 1) * (MP.ei(m + 1) - MP.ei(1)) / m
                                 + MP.log1p(m) - 1, mpf(x), 2)  # fmt: skip
                assert float(wide.lower()) <= second <= float(wide.upper())
