"""The laws beyond the log-concave four: against scipy, mpmath by hand, and their own identities."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import scipy.stats as ss
import sympy

from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli
from hedgetheory.laws.gamma import Gamma
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.laplace import Laplace
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.lognormal import LogNormal
from hedgetheory.laws.mixture import Mixture
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.student_t import StudentT
from hedgetheory.laws.truncated import Truncated
from hedgetheory.laws.uniform import Uniform
from hedgetheory.laws.weibull import Weibull
from hedgetheory.numerics.ball import REAL, ball, certify
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Sibuya
from hedgetheory.policies.sampling.rewards import rewards_at
from hedgetheory.policies.tilt import Tilt
from hedgetheory.spec.grammar import canonical, parse_gold, parse_law, parse_policy

ONE = BestOfN(1)
#: The law, the same in scipy, and the law as text.
CASES = [
    (Gumbel("1/2", 3), ss.gumbel_r(0.5, 3), "gumbel(1/2, 3)"),
    (Laplace(1, "1/2"), ss.laplace(1, 0.5), "laplace(1, 0.5)"),
    (Gamma("0.3", 2), ss.gamma(0.3, scale=0.5), "gamma(0.3, 2)"),
    (Gamma("7/2", 2), ss.gamma(3.5, scale=0.5), "gamma(7/2, 2)"),
    (Weibull("0.7", 2), ss.weibull_min(0.7, scale=2), "weibull(0.7, 2)"),
    (Weibull(3, 2), ss.weibull_min(3, scale=2), "weibull(3, 2)"),
    (LogNormal("0.2", "0.8"), ss.lognorm(0.8, scale=np.exp(0.2)), "lognormal(0.2, 0.8)"),
    (Pareto("1.5"), ss.pareto(1.5), "pareto(1.5)"),
    (StudentT("2.5"), ss.t(2.5), "student_t(2.5)"),
    (Beta("1/2", "5/2"), ss.beta(0.5, 2.5), "beta(1/2, 5/2)"),
    (Affine(StudentT(3), 1, 2), ss.t(3, loc=1, scale=2), "affine(student_t(3), 1, 2)"),
    (Truncated(Normal(), -1, 2), ss.truncnorm(-1, 2), "truncated(normal, -1, 2)"),
    (Truncated(Normal(), 30, 31), ss.truncnorm(30, 31), "truncated(normal, 30, 31)"),
]
LAWS = pytest.mark.parametrize(("law", "other", "text"), CASES, ids=[c[2] for c in CASES])
MIXED = Mixture({Normal(0, 1): "1/2", Gamma("1/2", 1): "3/10", Laplace(1, 2): "1/5"})


def number(law, policy, quantity, digits=15, **more):
    if "gold" in more:
        more["gold"] = parse_gold(more["gold"])
    return float(value(law, policy, quantity, digits=digits, **more))


def at(expr: sympy.Expr, x: Fraction) -> float:
    return float(certify(lambda: compiled(sympy.sympify(expr), (r,))(REAL, ball(x)), 15))


def mixed_scipy(x):
    parts = ((0.5, ss.norm()), (0.3, ss.gamma(0.5)), (0.2, ss.laplace(1, 2)))
    return tuple(sum(p * getattr(s, f)(x) for p, s in parts) for f in ("pdf", "cdf", "sf"))


@LAWS
def test_pdf_cdf_survival_and_quantile_agree_with_scipy(law, other, text):
    for level in (1e-3, 0.2, 0.5, 0.97):
        x = Fraction(float(other.ppf(level)))
        for mine, scipys in ((law.pdf, other.pdf), (law.cdf, other.cdf), (law.survival, other.sf)):
            assert at(mine, x) == pytest.approx(scipys(float(x)), rel=1e-9), (level, mine)
        exact = Fraction(str(level))
        back = number(law, ONE, "quantile", at=exact)
        assert back == pytest.approx(float(other.ppf(level)), rel=1e-9, abs=1e-14)


@LAWS
def test_the_strands_hold_the_density_and_the_cdf_of_the_law(law, other, text):
    # f_Y(y) = f(T(y))·T′(y): a missing Jacobian fails here.
    for strand in law.strands:
        for k in (-2, -1, 0, 1):
            y = strand.centre + k * strand.width / 16
            inside = [
                e is None or (e < y if i == 0 else y < e) for i, e in enumerate(strand.support)
            ]
            if not all(inside):
                continue
            x = Fraction(at(strand.reward, y))
            slope = at(sympy.diff(strand.reward, r), y)
            weight = at(sympy.sympify(strand.weight), y)
            assert weight * at(strand.pdf, y) / slope == pytest.approx(at(law.pdf, x), rel=1e-9)
            assert at(strand.cdf, y) == pytest.approx(at(law.cdf, x), rel=1e-9)
            assert at(strand.survival, y) == pytest.approx(at(law.survival, x), rel=1e-9)


@LAWS
def test_the_slopes_of_the_strands_do_not_increase(law, other, text):
    # Log-concavity in the coordinate is what the tails of certified integrals rest on.
    for strand in law.strands:
        base = strand.law
        grid = [base.centre + base.width * Fraction(2 * k + 1, 7) for k in range(-20, 20)]
        low, high = base.support
        grid = [y for y in grid if (low is None or y > low) and (high is None or y < high)]
        slopes = [at(base.log_density_slope, y) for y in grid]
        assert all(b <= a + 1e-12 for a, b in pairwise(slopes))
        steps = [at(sympy.diff(base.pdf, r) / base.pdf, y) for y in grid[::8]]
        assert steps == pytest.approx(slopes[::8], rel=1e-10, abs=1e-12)


@LAWS
def test_the_mean_reward_of_rank_policies_is_the_integral_typed_again(law, other, text):
    weights = {
        BestOfN("5/2"): lambda q: 2.5 * q**1.5,
        BestOfPoisson(2): lambda q: (1 + 2 * q) * np.exp(2 * (q - 1)),
        QuantileTilt(3): lambda q: 3 * np.exp(3 * q) / np.expm1(3),
    }
    from scipy.integrate import quad

    for policy, w in weights.items():
        # In the logit of the quantile: neither end is singular, and scipy's own ppf is the law.
        def inner(s, w=w):
            q, rest = 1 / (1 + np.exp(-s)), 1 / (1 + np.exp(s))
            x = other.ppf(q) if s < 0 else other.isf(rest)
            return x * w(q) * q * rest

        parts = [quad(inner, a, b, epsabs=1e-13, limit=400)[0] for a, b in ((-60, 0), (0, 60))]
        assert number(law, policy, "mean_reward") == pytest.approx(sum(parts), rel=2e-8)


def test_the_maximum_of_n_gumbels_is_a_shifted_gumbel():
    law = Gumbel(1, 2)
    for x in (-2, 1, 9):
        cdf = number(law, BestOfN(7), "cdf", at=x)
        z = (x - 1 - 2 * mpmath.log(7)) / 2
        assert cdf == pytest.approx(float(mpmath.exp(-mpmath.exp(-z))), rel=1e-13)
    mean = number(law, BestOfN(7), "mean_reward")
    assert mean == pytest.approx(float(1 + 2 * (mpmath.euler + mpmath.log(7))), rel=1e-14)


@pytest.mark.parametrize(
    ("law", "policy", "mean"),
    [
        # E of U^{1/a} under n u^{n−1} is n/(n + 1/a); Pareto and Weibull under Sibuya(a) have the
        # survival S^a; the maximum of n Paretos is n B(n, 1 − 1/α).
        (Beta(3, 1), BestOfN(5), mpmath.mpf(15) / 16),
        (Beta("1/3", 1), BestOfN("5/2"), mpmath.mpf(5) / 11),
        (Pareto(3), BestOfN("7/2"), 3.5 * mpmath.beta(3.5, mpmath.mpf(2) / 3)),
        (Pareto(3), BestOfRandom(Sibuya("1/2")), 3),
        (Pareto("1.001"), ONE, 1001),
        (Weibull(2, 3), BestOfRandom(Sibuya("1/4")), 6 * mpmath.gamma(1.5)),
        (Weibull("1/2", 1), BestOfN(2), 2 * 2 - 2 / mpmath.mpf(4)),
        (Exponential(2), BestOfRandom(Sibuya("1/10")), 5),
        (Laplace(0, 1), BestOfN(2), mpmath.mpf(3) / 4),
        (StudentT(2), BestOfN(2), mpmath.pi / (2 * mpmath.sqrt(2))),
        (LogNormal(0, 1), BestOfN(2), 2 * mpmath.exp(0.5) * mpmath.ncdf(1 / mpmath.sqrt(2))),
    ],
    ids=str,
)  # fmt: skip
def test_classical_means_of_the_best(law, policy, mean):
    assert number(law, policy, "mean_reward") == pytest.approx(float(mean), rel=1e-13)


def test_a_mean_that_does_not_exist_is_said_exactly():
    assert str(value(Pareto("0.9"), ONE, "mean_reward")) == "inf"
    for law in (Pareto("0.9"), Pareto(1), Mixture({Pareto("0.9"): "1e-6", Normal(): "0.999999"})):
        for policy in (BestOfN(3), BestOfPoisson(2), QuantileTilt(1), BestOfRandom(Sibuya("1/2"))):
            assert value(law, policy, "mean_reward").infinite == 1
    assert value(Pareto("1.5"), BestOfRandom(Sibuya("1/2")), "mean_reward").infinite == 1
    assert value(StudentT(1), BestOfPoisson(1), "mean_reward").is_undefined
    assert value(StudentT(1), ONE, "mean_reward").is_undefined
    # The lower tail of the best of two is of order 2: only the upper one diverges.
    assert value(StudentT(1), BestOfN(2), "mean_reward").infinite == 1
    assert value(StudentT("1/2"), BestOfN(2), "mean_reward").is_undefined
    assert value(StudentT(3), BestOfN(2), "gold", gold=parse_gold("-r**2")).infinite == 0
    assert value(StudentT(3), BestOfN(2), "gold", gold=parse_gold("-r**3")).infinite == -1
    assert value(StudentT(3), BestOfN(2), "gold", gold=parse_gold("-r**4")).infinite == -1
    assert number(Pareto("0.9"), BestOfN(2), "gold", gold="tanh(r)") < 1


@pytest.mark.parametrize("law", [LogNormal(), Pareto(3), StudentT(5), Weibull("0.9"),
                                 Mixture({Normal(): "1/2", Pareto(2): "1/2"}),
                                 Affine(Pareto(2), 1, 3)], ids=str)  # fmt: skip
def test_heavy_tailed_laws_have_no_tilt_but_the_reference(law):
    for quantity in ("kl", "mean_reward", "chi2"):
        with pytest.raises(NotOnThisLaw, match="no tilt exists"):
            value(law, Tilt("1e-9"), quantity)
    mean = number(law, Tilt(0), "mean_reward")
    assert mean == pytest.approx(number(law, ONE, "mean_reward"))


@pytest.mark.parametrize(("law", "beyond"), [(Gumbel(0, 2), "1/2"), (Laplace(3, "1/2"), 2),
                                             (Gamma(2, 3), 3), (Weibull(1, 4), "1/4"),
                                             (Affine(Gamma(2, 3), 1, 3), 1),
                                             (Mixture({Normal(): "0.9", Gumbel(): "0.1"}), 1)],
                         ids=str)  # fmt: skip
def test_tilts_exist_below_the_end_of_the_moment_generating_function_only(law, beyond):
    with pytest.raises(NotOnThisLaw):
        value(law, Tilt(beyond), "kl")
    near = Fraction(beyond) * Fraction(999, 1000)
    assert number(law, Tilt(near), "kl") > 0


TILTED = [
    (Gumbel("1/2", 3), "1/5", ss.gumbel_r(0.5, 3)),
    (Laplace(1, "1/2"), "3/2", ss.laplace(1, 0.5)),
    (Gamma("7/2", 2), "3/2", ss.gamma(3.5, scale=0.5)),
    (Gamma("1/2", 1), "1/2", ss.gamma(0.5)),
    (Weibull(3, 2), "4", ss.weibull_min(3, scale=2)),
    (Weibull(1, 2), "1/4", ss.weibull_min(1, scale=2)),
    (Beta("1/2", "5/2"), "4", ss.beta(0.5, 2.5)),
    (Logistic(1, 2), "1/4", ss.logistic(1, 2)),
    (Affine(Gumbel(), 1, 2), "1/5", ss.gumbel_r(1, 2)),
    (Truncated(Normal(), -1, 2), "2", ss.truncnorm(-1, 2)),
]


def test_the_cdf_of_a_tilt_by_its_integral_gets_every_digit_asked_for():
    # At a reward that no binary precision writes down: 40 digits, against mpmath by hand.
    with mpmath.workdps(45):

        def part(top):
            return mpmath.quad(lambda x: 3 * x**2 / 8 * mpmath.exp(4 * x - x**3 / 8), [0, 1, top])

        expected = part(mpmath.mpf(10) / 3) / part(mpmath.mpf(20))
        found = value(Weibull(3, 2), Tilt(4), "cdf", at="10/3", digits=35)
        assert abs(mpmath.mpf(found.decimal(35)[0]) - expected) < mpmath.mpf("1e-33")


@pytest.mark.parametrize(("law", "strength", "other"), TILTED, ids=[str(c[0]) for c in TILTED])
def test_tilts_are_their_definition_typed_again(law, strength, other):
    from scipy.integrate import quad

    lam, policy = float(Fraction(strength)), Tilt(strength)

    def mean(h):
        # In the logit of the quantile, the density of which is u(1 − u).
        def inner(s):
            q, rest = 1 / (1 + np.exp(-s)), 1 / (1 + np.exp(s))
            x = other.ppf(q) if s < 0 else other.isf(rest)
            return h(x, q) * q * rest

        return sum(quad(inner, a, b, epsabs=1e-14, limit=300)[0] for a, b in ((-80, 0), (0, 200)))

    m = mean(lambda x, q: np.exp(lam * x))
    w = {
        "mean_reward": mean(lambda x, q: x * np.exp(lam * x)) / m,
        "mean_quantile": mean(lambda x, q: q * np.exp(lam * x)) / m,
        "total_variation": mean(lambda x, q: abs(np.exp(lam * x) / m - 1)) / 2,
    }
    w["kl"] = lam * w["mean_reward"] - np.log(m)
    for quantity, expected in w.items():
        assert number(law, policy, quantity) == pytest.approx(expected, rel=1e-6), quantity
    x = number(law, policy, "quantile", at="1/3", digits=25)
    assert number(law, policy, "cdf", at=Fraction(x)) == pytest.approx(1 / 3, rel=1e-12)
    score = number(law, policy, "score", at=Fraction(x))
    assert score == pytest.approx(x - w["mean_reward"], rel=1e-6)
    density = number(law, policy, "density", at=Fraction(x))
    assert density == pytest.approx(np.exp(lam * x) / m * other.pdf(x), rel=1e-6)


def test_a_mixture_is_the_sum_of_its_parts():
    for x in (-3.0, -0.5, 0.25, 0.999, 2.0, 7.5):
        mine = [at(form, Fraction(x)) for form in (MIXED.pdf, MIXED.cdf, MIXED.survival)]
        assert mine == pytest.approx(mixed_scipy(x), rel=1e-12)
    mean = 0.3 * 0.5 + 0.2 * 1
    assert number(MIXED, ONE, "mean_reward") == pytest.approx(mean, rel=1e-14)
    # By its definition, the same through every strand.
    assert number(MIXED, ONE, "gold", gold="r + r**2") == pytest.approx(
        mean + 0.5 + 0.3 * 0.75 + 0.2 * 9, rel=1e-14
    )


def test_the_best_of_two_from_a_mixture_is_its_definition():
    # E max = ∫ (1 − F²) over r > 0 less ∫ F² over r < 0, F from mpmath's own functions.
    def cdf(x):
        half = mpmath.exp(-abs(x - 1) / 2) / 2
        gamma = mpmath.gammainc(0.5, 0, x, regularized=True) if x > 0 else 0
        return 0.5 * mpmath.ncdf(x) + 0.3 * gamma + 0.2 * (half if x < 1 else 1 - half)

    mean = mpmath.quad(lambda x: 1 - cdf(x) ** 2, [0, 0.1, 1, 5, 20, 90])
    mean -= mpmath.quad(lambda x: cdf(x) ** 2, [-60, -10, -1, 0])
    assert number(MIXED, BestOfN(2), "mean_reward") == pytest.approx(float(mean), rel=1e-9)


@pytest.mark.parametrize("level", ["1e-30", "0.01", "1/2", "0.9", "0.999999"])
def test_the_quantile_of_a_mixture_inverts_its_cdf(level):
    x = value(MIXED, BestOfPoisson(2), "quantile", at=level, digits=40)
    middle = sum(x.bounds) / 2
    cdf = value(MIXED, BestOfPoisson(2), "cdf", at=middle, digits=20)
    assert float(cdf) == pytest.approx(float(Fraction(level)), rel=1e-15)


def test_truncation_of_a_heavy_tail_gives_it_every_moment_and_tilt():
    law = Truncated(Pareto("0.9"), 1, 10)
    mass = 1 - 10**-0.9
    mean = 0.9 / 0.1 * (10**0.1 - 1) / mass
    assert number(law, ONE, "mean_reward") == pytest.approx(mean, rel=1e-13)
    assert number(law, Tilt(1), "mean_reward") > mean


@pytest.mark.parametrize("law", [
    Gamma("1/1000", 1), Gamma(10**6, 1), Gamma(2, "1e-100"), Weibull("1/1000", 1),
    Weibull(1000, "1e100"), Pareto("1e-6"), Pareto(10**6), StudentT("1/1000"), Beta("1/1000", 2),
    LogNormal(0, 100), LogNormal(1000, "1e-3"), Gumbel(0, "1e-100"),
    Laplace(0, "1e100"),
], ids=str)  # fmt: skip
def test_extreme_parameters_keep_every_digit(law):
    # Independent: the quantile inverts the cdf by certified signs; a median of three draws is in
    # the middle of them.
    for level in ("1e-20", "1/2"):
        x = value(law, BestOfN(3), "quantile", at=level, digits=30)
        there = x.fraction if x.fraction is not None else sum(x.bounds) / 2
        cdf = value(law, BestOfN(3), "cdf", at=there, digits=12)
        assert float(cdf) == pytest.approx(float(Fraction(level)), rel=1e-11)


def test_many_degrees_of_freedom_are_almost_normal():
    # t_ν(x) = Φ(x) − φ(x)(x + x³)/(4ν) + O(ν^{−2}).
    x, nu = mpmath.mpf("1.5"), 10**6
    close = mpmath.ncdf(x) - mpmath.npdf(x) * (x + x**3) / (4 * nu)
    assert number(StudentT(nu), ONE, "cdf", at="1.5") == pytest.approx(float(close), rel=1e-12)


@pytest.mark.parametrize(("law", "at_end"), [(Gamma("1/2", 1), "inf"), (Gamma(1, 3), "3"),
                                             (Gamma(2, 1), "0"), (Weibull("1/2", 1), "inf"),
                                             (Beta(1, 3), "3"), (LogNormal(), "0"),
                                             (Pareto(3), None)], ids=str)  # fmt: skip
def test_the_density_at_a_singular_end_is_its_limit(law, at_end):
    if at_end is None:
        assert number(law, ONE, "density", at="1") == 3
        assert number(law, BestOfN(2), "density", at="1") == 0
        return
    assert float(value(law, ONE, "density", at="0")) == float(at_end)
    assert float(value(law, BestOfN(2), "cdf", at="0")) == 0
    # f ~ c r^{k−1} and w ~ 2F ~ r^k: the exponent 2k − 1 decides.
    if str(law) == "gamma(shape=2, rate=1)":
        assert float(value(law, BestOfN(2), "density", at="0")) == 0
    assert float(value(Gamma("1/4", 1), BestOfN(2), "density", at="0")) == float("inf")


def test_rewards_are_sampled_where_the_law_says():
    levels = np.array([1e-9, 0.02, 0.3, 0.5, 0.9, 0.9999])
    for law, other in [(c[0], c[1]) for c in CASES]:
        drawn = rewards_at(law, levels, 1 - levels)
        assert drawn == pytest.approx(other.ppf(levels), rel=1e-6, abs=1e-12), str(law)
    inner = rewards_at(MIXED, levels, 1 - levels)
    assert [mixed_scipy(x)[1] for x in inner] == pytest.approx(levels, rel=1e-9)


@pytest.mark.parametrize(("build", "says"), [
    (lambda: Gamma(0, 1), "shape"), (lambda: Beta(1, -1), "b=-1"), (lambda: Pareto(0), "alpha"),
    (lambda: StudentT("1e-10"), "df"), (lambda: Weibull("1e10", 1), "shape"),
    (lambda: Gumbel(0, 0), "scale"), (lambda: LogNormal(0, -1), "sigma"),
    (lambda: Mixture({Normal(): "1/2"}), "sum to 0.5"),
    (lambda: Mixture({Normal(): "1/2", Bernoulli("1/2"): "1/2"}), "without atoms"),
    (lambda: Mixture({Normal(): 0, Uniform(): 1}), "> 0"),
    (lambda: Truncated(Normal(), 2, 2), "interval"),
    (lambda: Truncated(Pareto(1), -1, 1), "interval"),
    (lambda: Affine(Normal(), 0, 0), "scale"), (lambda: Affine(Bernoulli("1/2")), "atoms"),
])  # fmt: skip
def test_bad_parameters_are_refused(build, says):
    with pytest.raises(InputError, match=says):
        build()


@pytest.mark.parametrize("text", [c[2] for c in CASES] + [
    "mixture({normal(0,1): 0.9, normal(3,1): 0.1})",
    "truncated(mixture({pareto(2): 1/3, gamma(2): 2/3}), 1, 5)", "affine(mixture({normal: 1}), 1)",
])  # fmt: skip
def test_the_text_of_a_law_is_read_back(text):
    law = parse_law(text)
    assert parse_law(canonical(law)) == law
    assert canonical(parse_law(canonical(law))) == canonical(law)


def test_a_mixture_in_a_mixture_is_its_components():
    inner = Mixture({Normal(): "1/2", Pareto(2): "1/2"})
    outer = Mixture({inner: "1/2", Normal(): "1/2"})
    assert outer == Mixture({Normal(): "3/4", Pareto(2): "1/4"})


def test_the_levels_are_symbols_of_the_package():
    assert {u, ubar} == MIXED.quantile_bracket[0].free_symbols & {u, ubar}


@pytest.mark.parametrize("law", ["gamma(1000000000, 8)", "weibull(1000000000, 8)"])
def test_a_large_shape_is_not_written_out_as_a_power(law):
    # 8 to the power of the shape has a billion bits.
    found = value(parse_law(law), parse_policy("bon(3)"), "density", at=8, digits=5)
    assert float(found) >= 0
