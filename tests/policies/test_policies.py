"""The policies' statements: their parts agree, and each is the best of its number of draws."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import pairwise

import pytest
import scipy.stats as ss
import sympy

from hedgetheory.errors import InputError
from hedgetheory.expressions.prover import reduces_to_zero
from hedgetheory.expressions.symbols import u, ubar
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
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
    ZeroTruncatedPoisson,
)
from hedgetheory.policies.tilt import Tilt

POLICIES = [
    BestOfN(1), BestOfN(4), BestOfN("7/3"), BestOfN(10**6), BestOfPoisson(0), BestOfPoisson("1e-9"),
    BestOfPoisson("5/2"), BestOfPoisson(300), QuantileTilt(0), QuantileTilt("1/7"),
    QuantileTilt(200), BestOfRandom(Geometric("1/3")), BestOfRandom(Geometric(1)),
    BestOfRandom(Binomial(5, "1/3")), BestOfRandom(Binomial(1, "1/3")),
    BestOfRandom(Binomial(3, 1)), BestOfRandom(NegativeBinomial("5/2", "1/3")),
    BestOfRandom(Sibuya("1/3")), BestOfRandom(Sibuya(1)), BestOfRandom(ZeroTruncatedPoisson(2)),
    BestOfRandom(ZeroTruncatedPoisson(0)),
    BestOfRandom(FinitePmf({1: "1/2", 3: "1/2"})), BestOfRandom(FinitePmf({3: 1})),
]  # fmt: skip
EVERY = pytest.mark.parametrize("policy", POLICIES, ids=str)
GRID = [Fraction(k, 16) for k in range(1, 16)] + [Fraction(1, 10**9), 1 - Fraction(1, 10**9)]


def at(policy: RankPolicy, expr: sympy.Expr, level: Fraction):
    symbols = (u, ubar, *policy.bindings)
    program = compiled(sympy.sympify(expr), symbols)
    return program(REAL, ball(level), ball(1 - level), *map(ball, policy.bindings.values()))


def test_the_ratio_is_the_derivative_of_the_cdf_for_all_parameters():
    draws = (Geometric, Binomial, NegativeBinomial, Sibuya, ZeroTruncatedPoisson)
    for policy in (BestOfN, BestOfPoisson, QuantileTilt):
        assert reduces_to_zero(sympy.diff(in_u(policy.cdf), u) - in_u(policy.ratio)), policy
    for law in draws:
        assert reduces_to_zero(sympy.diff(in_u(law.pgf), u) - in_u(law.slope)), law


def test_restated_forms_equal_the_derived_ones_for_all_parameters():
    for policy in (BestOfN, BestOfPoisson, QuantileTilt):
        assert reduces_to_zero(in_u(policy.survival) - (1 - in_u(policy.cdf))), policy
        difference = sympy.exp(in_u(policy.log_ratio)) - in_u(policy.ratio)
        assert reduces_to_zero(difference), policy
    assert reduces_to_zero(in_u(ZeroTruncatedPoisson.pgf) - in_u(QuantileTilt.cdf))
    assert reduces_to_zero(in_u(ZeroTruncatedPoisson.slope) - in_u(QuantileTilt.ratio))


def test_a_renormalised_bop_with_the_sign_exchanged_is_not_its_density():
    # Mutants 1 and 2: e^{μ(1−u)}, and the score with u and u − 1 exchanged.
    mu = BestOfPoisson.symbols[0]
    wrong = BestOfPoisson.ratio.xreplace({ubar: -ubar})
    assert not reduces_to_zero(sympy.diff(in_u(BestOfPoisson.cdf), u) - in_u(wrong))
    score = sympy.diff(in_u(BestOfPoisson.log_ratio), mu)
    assert reduces_to_zero(score - ((u - 1) + u / (1 + mu * u)))
    assert not reduces_to_zero(score - (u + (u - 1) / (1 + mu * u)))


@EVERY
def test_the_cdf_runs_from_zero_to_one(policy):
    assert at(policy, policy.cdf, Fraction(0)).contains(0)
    assert at(policy, policy.cdf, Fraction(1)).contains(1)
    with balls.precision(200):
        for end, value in ((Fraction(0), 0), (Fraction(1), 1)):
            g = at(policy, policy.cdf, end)
            assert (g - value).contains(0)
            assert g.rad() < 1e-40


@EVERY
def test_the_parts_of_a_statement_agree_on_a_grid(policy):
    with balls.precision(300):
        for level in GRID:
            g, s = at(policy, policy.cdf, level), at(policy, policy.survival, level)
            assert (g + s).overlaps(REAL.constant(Fraction(1)))
            w, log_w = at(policy, policy.ratio, level), at(policy, policy.log_ratio, level)
            assert w.overlaps(log_w.exp())
            assert w > 0
            if policy.inverse is not None and not policy.is_reference:
                back = compiled(in_u(policy.inverse), (u, *policy.bindings))
                found = back(REAL, g, *map(ball, policy.bindings.values()))
                assert found.overlaps(ball(level))
                assert found.rad() < 1e-30


@EVERY
def test_the_ratio_does_not_decrease_and_averages_to_one(policy):
    with balls.precision(120):
        values = [at(policy, policy.ratio, Fraction(k, 64)) for k in range(1, 64)]
        assert all(not b < a for a, b in pairwise(values))
        steps = [at(policy, policy.cdf, Fraction(k, 64)) for k in range(65)]
        for k in range(1, 63):  # 64·(G(b) − G(a)) lies between w(a) and w(b)
            mean = 64 * (steps[k + 1] - steps[k])
            assert not mean < values[k - 1] or mean.overlaps(values[k - 1])
            assert k + 1 > 63 or not mean > values[min(k, 62)]


PMFS = [
    (Geometric("1/3"), ss.geom(1 / 3).pmf),
    (Binomial(5, "1/3"), lambda k: ss.binom(5, 1 / 3).pmf(k) / ss.binom(5, 1 / 3).sf(0)),
    (NegativeBinomial("5/2", "1/3"),
     lambda k: ss.nbinom(2.5, 1 / 3).pmf(k) / ss.nbinom(2.5, 1 / 3).sf(0)),
    (ZeroTruncatedPoisson(2), lambda k: ss.poisson(2).pmf(k) / ss.poisson(2).sf(0)),
    (FinitePmf({1: "1/2", 3: "1/2"}), lambda k: 0.5 * ((k == 1) + (k == 3))),
]  # fmt: skip


@pytest.mark.parametrize(("draws", "pmf"), PMFS, ids=[str(p[0]) for p in PMFS])
def test_best_of_random_is_the_mixture_over_the_number_of_draws(draws, pmf):
    policy = BestOfRandom(draws)
    ks = range(1, 400)
    for level in (Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)):
        mixture = sum(pmf(k) * float(level) ** k for k in ks)
        assert float(at(policy, policy.cdf, level).mid()) == pytest.approx(mixture, rel=1e-12)
        slope = sum(pmf(k) * k * float(level) ** (k - 1) for k in ks)
        assert float(at(policy, policy.ratio, level).mid()) == pytest.approx(slope, rel=1e-12)
    mean = sum(k * pmf(k) for k in ks)
    assert float(at(policy, policy.mean_draws, Fraction(1)).mid()) == pytest.approx(mean, rel=1e-12)


def test_sibuya_is_its_pmf_and_has_no_mean():
    # P(N = k) = a(1−a)(2−a)…(k−1−a)/k!, so that G = 1 − (1−u)^a (Sibuya 1979).
    a, level, total, term = 1 / 3, 0.4, 0.0, 1 / 3
    for k in range(1, 300):
        total += term * level**k
        term *= (k - a) / (k + 1)
    policy = BestOfRandom(Sibuya("1/3"))
    assert float(at(policy, policy.cdf, Fraction(2, 5)).mid()) == pytest.approx(total, rel=1e-12)
    assert policy.mean_draws == sympy.oo
    assert BestOfRandom(Sibuya(1)).mean_draws == 1


@pytest.mark.parametrize(
    "policy", [p for p in POLICIES if p.mean_draws != sympy.oo and not p.is_reference], ids=str
)
def test_the_mean_number_of_draws_is_the_slope_at_one(policy):
    with balls.precision(100):
        slope = at(policy, policy.ratio, Fraction(1))
        assert slope.overlaps(at(policy, policy.mean_draws, Fraction(1)))
        assert slope.rel_accuracy_bits() > 60


def test_the_quantile_tilt_is_a_zero_truncated_poisson_best_of_n():
    tilt, best = QuantileTilt(3), BestOfRandom(ZeroTruncatedPoisson(3))
    for k in range(1, 8):
        level = Fraction(k, 8)
        assert at(tilt, tilt.cdf, level).overlaps(at(best, best.cdf, level))


def test_the_reference_is_known_as_such():
    references = [p for p in POLICIES if p.is_reference]
    names = ["bon(n=1)", "bop(mu=0)", "quantile_tilt(lam=0)", "best_of_random(geometric(p=1))",
             "best_of_random(binomial(m=1, p=1/3))", "best_of_random(sibuya(a=1))",
             "best_of_random(ztp(lam=0))"]  # fmt: skip
    assert sorted(map(str, references)) == sorted(names)
    for policy in references:
        for level in GRID:
            assert at(policy, policy.cdf, level).overlaps(ball(level))
    assert Tilt(0).is_reference
    assert not Tilt("1e-9").is_reference
    assert BestOfRandom(FinitePmf({1: 1})).is_reference


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BestOfN(0), "n=0, but must be a real number >= 1 [bon(n=0)]"),
        (lambda: BestOfN("0.999"), "n=0.999, but must be a real number >= 1"),
        (lambda: BestOfPoisson(-1), "mu=-1, but must be a real number >= 0 [bop(mu=-1)]"),
        (lambda: QuantileTilt("-1e-9"), "lam=-1e-9, but must be a real number >= 0"),
        (lambda: Tilt(-1), "lam=-1, but must be a real number >= 0 [tilt(lam=-1)]"),
        (lambda: Geometric(0), "p=0, but must be a real number > 0 and <= 1"),
        (lambda: Geometric(2), "p=2, but must be"),
        (lambda: Binomial(0, "1/2"), "m=0, but must be a real number >= 1"),
        (lambda: Binomial("3/2", "1/2"), "m=1.5, but must be an integer >= 1"),
        (lambda: NegativeBinomial(1, 1), "p=1, but must be a real number > 0 and < 1"),
        (lambda: NegativeBinomial(0, "1/2"), "k=0, but must be a real number > 0"),
        (lambda: Sibuya(0), "a=0, but must be a real number > 0 and <= 1"),
        (lambda: FinitePmf({0: 1}), "N=0, but must be an integer from 1 to 10000"),
        (lambda: FinitePmf({"3/2": 1}), "N=1.5, but must be an integer"),
        (lambda: FinitePmf({1: "1/2"}), "the masses sum to 0.5"),
        (lambda: BestOfN(float("nan")), "n=nan, but must be a finite real number"),
    ],
)
def test_parameters_out_of_domain_are_refused_with_the_one_wording(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value)


def test_closed_ends_of_domains_are_members_and_real_n_is_allowed():
    assert BestOfN(1).is_reference
    assert not BestOfN("1.00000001").is_reference
    assert str(BestOfN("7.3")) == "bon(n=7.3)"
    assert BestOfN("5/2") == BestOfN(2.5)
    assert BestOfN(2) != BestOfPoisson(2)


@pytest.mark.parametrize("size", ["1e-12", "1e12"])
def test_statements_keep_their_digits_at_extreme_parameters(size):
    level = 1 - Fraction(1, 10**12)
    for policy in (BestOfPoisson(size), QuantileTilt(size), BestOfN(1 + Fraction(size))):
        for expr in (policy.cdf, policy.survival, policy.ratio, policy.log_ratio):
            number = certify(partial(at, policy, expr, level), 15)
            assert number.guarantee in ("certified", "exact")
