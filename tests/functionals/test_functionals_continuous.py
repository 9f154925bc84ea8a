"""Quantities on laws without atoms: closed form, definition, estimates, formulas typed again."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
import sympy
import typed
from typed import MP, mpf

from hedgetheory.errors import NotCertified, NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.estimates import float64, highprec
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.quantities import kl_divergence, plans, value
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
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

RANK = [
    (BestOfN(3), ("bon", 3)),
    (BestOfN("7/3"), ("bon", (7, 3))),
    (BestOfN("1.01"), ("bon", "1.01")),
    (BestOfPoisson("0.01"), ("bop", "0.01")),
    (BestOfPoisson(5), ("bop", 5)),
    (QuantileTilt("0.3"), ("qtilt", "0.3")),
    (QuantileTilt(8), ("qtilt", 8)),
    (BestOfRandom(Geometric("1/3")), ("geometric", (1, 3))),
    (BestOfRandom(Binomial(5, "1/3")), ("binomial", 5, (1, 3))),
    (BestOfRandom(NegativeBinomial("5/2", "1/3")), ("negative_binomial", "2.5", (1, 3))),
    (BestOfRandom(Sibuya("3/4")), ("sibuya", "0.75")),
    (BestOfRandom(FinitePmf({1: "1/2", 3: "1/2"})), ("one_or_three",)),
]
LAWS = [
    (Normal(-1, 2), ("normal", -1, 2)),
    (Exponential("1/2"), ("exponential", "0.5")),
    (Logistic(1, "1/4"), ("logistic", 1, "0.25")),
]
DIVERGENCES = [("kl", None), ("chi2", None), ("renyi", "1/2"), ("renyi", 3),
               ("total_variation", None), ("mean_quantile", None)]  # fmt: skip
EVERY_RANK = pytest.mark.parametrize(("policy", "again"), RANK, ids=[str(p[0]) for p in RANK])


def close(mine: Number, truth, rel="1e-13") -> bool:
    low, high = mine.bounds
    middle = (low + high) / 2
    return abs(mpf(middle.numerator) / middle.denominator - truth) <= abs(truth) * mpf(rel)


def overlap(first: Number, second: Number) -> bool:
    return first.bounds[0] <= second.bounds[1] and second.bounds[0] <= first.bounds[1]


def sibuya_diverges(policy, order) -> bool:
    return (isinstance(policy, BestOfRandom) and isinstance(policy.draws, Sibuya)
            and Fraction(order or 2) * (1 - policy.tail_power) >= 1)  # fmt: skip


@EVERY_RANK
@pytest.mark.parametrize(("name", "order"), DIVERGENCES)
def test_a_rank_functional_is_its_definition_typed_again(policy, again, name, order):
    arguments = {} if order is None else {"order": order}
    if name in ("chi2", "renyi") and sibuya_diverges(policy, order):
        pytest.skip("infinite")
    found = value(Uniform(), policy, name, **arguments)
    w, cdf = typed.ratio(*again)
    typed_order = (
        None if order is None else mpf(Fraction(order).numerator) / Fraction(order).denominator
    )
    truth = typed.rank_functional(name, w, cdf, typed_order)
    assert close(found, truth, "1e-9" if again[0] == "sibuya" else "1e-13")


@EVERY_RANK
@pytest.mark.parametrize(("name", "order"), DIVERGENCES)
def test_closed_form_and_definition_agree_to_certified_digits(policy, again, name, order):
    arguments = {} if order is None else {"order": order}
    if name in ("chi2", "renyi") and sibuya_diverges(policy, order):
        pytest.skip("infinite")
    every = list(plans(Normal(), policy, name, **arguments))
    certified = [number(plan, 15) for plan in every]
    fine = number(every[0], 50)
    for coarse in certified:
        assert overlap(coarse, fine)
        low, high = coarse.bounds
        assert high - low <= 2 * abs(low + high) / 10**15
    truth = float(fine)
    for plan in every:
        # tanh-sinh and QUADPACK promise nothing; a wrong formula would be far off.
        rough = 1e-6 if again[0] == "sibuya" else 1e-10
        assert float(highprec(plan, 20)) == pytest.approx(truth, rel=rough)
        assert float64(plan) == pytest.approx(truth, rel=max(rough, 1e-8), abs=1e-12)


@EVERY_RANK
@pytest.mark.parametrize(("law", "law_again"), LAWS, ids=[str(x[0]) for x in LAWS])
def test_the_mean_reward_is_the_integral_of_the_quantile(policy, again, law, law_again):
    w, _ = typed.ratio(*again)
    truth = typed.mean_of(typed.quantile(*law_again), w)
    every = [number(plan, 15) for plan in plans(law, policy, "mean_reward")]
    fine = number(next(iter(plans(law, policy, "mean_reward"))), 30)
    for found in every:
        assert close(found, truth, "1e-7" if again[0] == "sibuya" else "1e-13")
        assert overlap(found, fine)


@EVERY_RANK
def test_the_win_rate_is_the_mean_quantile_on_every_law(policy, again):
    for law, _ in LAWS:
        assert value(law, policy, "win_rate") == value(Uniform(), policy, "mean_quantile")


def test_win_rate_and_mean_quantile_of_best_of_n_are_exactly_n_over_n_plus_one():
    for n in (1, 2, 3, 10**9, Fraction(7, 3)):
        for law in (Uniform(), Normal(), Exponential(3), Logistic()):
            assert value(law, BestOfN(n), "win_rate") == Number.exact(n / (n + Fraction(1)))
    assert value(Normal(), BestOfN(3), "mean_quantile") == Number.exact(Fraction(3, 4))
    assert value(Exponential(2), BestOfN(4), "mean_reward") == Number.exact(Fraction(25, 24))


@pytest.mark.parametrize("mu", ["1e-9", "1e-3", "0.5", "5", "40", "800", "1e5"])
def test_theorem_2_of_the_paper_holds_beyond_the_range_of_doubles(mu):
    # Mutant 17. KL = e^{−μ−1}(Ei(μ+1) − Ei(1))/μ + ln(1+μ) − 1, at 400 digits.
    with MP.workdps(400 if mpf(mu) < 1000 else 60):
        m = mpf(mu)
        truth = MP.exp(-m - 1) * (MP.ei(m + 1) - MP.ei(1)) / m + MP.log1p(m) - 1
        for found in (kl_divergence(BestOfPoisson(mu)), kl_divergence(BestOfPoisson(mu), Normal())):
            assert close(found, truth, "1e-15")


def test_the_kl_divergence_of_best_of_n_keeps_its_digits_next_to_one():
    # Mutant 18: ln n − 1 + 1/n in float64 at n = 1 + 1e-8 has no digit right.
    with MP.workdps(60):
        n = 1 + mpf("1e-8")
        assert close(kl_divergence(BestOfN("1.00000001")), MP.log(n) - 1 + 1 / n, "1e-15")
    assert float(kl_divergence(BestOfN("1.00000001"))) == pytest.approx(5e-17, rel=1e-7)


def test_divergences_at_the_reference_are_exactly_zero():
    references = [BestOfN(1), BestOfPoisson(0), QuantileTilt(0), Tilt(0),
                  BestOfRandom(Geometric(1)), BestOfRandom(Sibuya(1))]  # fmt: skip
    for policy in references:
        for law in (Uniform(), Normal(), Exponential(), Logistic()):
            for name in ("kl", "chi2", "total_variation"):
                assert value(law, policy, name) == Number.exact(0)
            assert value(law, policy, "renyi", order=3) == Number.exact(0)
        assert kl_divergence(policy) == Number.exact(0)


def test_means_at_the_reference_are_those_of_the_law():
    # The closed forms of some families are 0/0 there.
    references = [BestOfN(1), BestOfPoisson(0), QuantileTilt(0), Tilt(0),
                  BestOfRandom(Geometric(1)), BestOfRandom(Sibuya(1))]  # fmt: skip
    laws = [(Uniform(), Fraction(1, 2)), (Normal(), 0), (Exponential(2), Fraction(1, 2)),
            (Logistic(0, 2), 0), (Normal(3, 1), 3)]  # fmt: skip
    for policy in references:
        for law, mean in laws:
            assert value(law, policy, "mean_reward") == Number.exact(mean), (policy, law)
            assert value(law, policy, "win_rate") == Number.exact(Fraction(1, 2))


def test_renyi_of_order_one_is_the_kl_divergence():
    for law in (Uniform(), Normal()):
        for policy in (BestOfN(3), BestOfPoisson(2), Tilt("1/2")):
            assert value(law, policy, "renyi", order=1) == value(law, policy, "kl")


def test_divergences_of_sibuya_are_infinite_where_the_power_is_not_integrable():
    for a, name, arguments in (
        ("1/2", "chi2", {}), ("1/3", "chi2", {}), ("1/2", "renyi", {"order": 2}),
        ("2/3", "renyi", {"order": 3}),
    ):  # fmt: skip
        assert value(Uniform(), BestOfRandom(Sibuya(a)), name, **arguments) == Number.infinity()
    assert close(value(Uniform(), BestOfRandom(Sibuya("3/4")), "chi2"), mpf(1) / 8)
    assert value(Uniform(), BestOfRandom(Sibuya("1/2")), "expected_draws") == Number.infinity()
    assert value(Uniform(), BestOfRandom(Sibuya(1)), "expected_draws") == Number.exact(1)


def test_expected_draws_are_the_means_and_undefined_where_there_are_no_draws():
    assert value(Normal(), BestOfN(7), "expected_draws") == Number.exact(7)
    assert value(Normal(), BestOfPoisson("5/2"), "expected_draws") == Number.exact(Fraction(7, 2))
    found = value(Normal(), QuantileTilt(3), "expected_draws")
    assert close(found, 3 / (1 - MP.exp(-3)))
    for policy in (BestOfN("5/2"), Tilt(1)):
        assert value(Normal(), policy, "expected_draws").is_undefined


# -- the raw tilt --------------------------------------------------------------------------------


def _normal(x):
    return MP.npdf(x, -1, 2), MP.ncdf(x, -1, 2)


def _exponential(x):
    return MP.exp(-x / 2) / 2, -MP.expm1(-x / 2)


def _logistic(x):
    z = 4 * (x - 1)
    return MP.sech(z / 2) ** 2, 1 / (1 + MP.exp(-z))


TILTS = [
    (Normal(-1, 2), "0.7", _normal, [-40, -1, 2, 40]),
    (Exponential("1/2"), "0.2", _exponential, [0, 1, 20, 400]),
    (Logistic(1, "1/4"), "1.5", _logistic, [-30, 1, 3, 60]),
]


@pytest.mark.parametrize(
    ("law", "strength", "again", "ends"), TILTS, ids=[str(t[0]) for t in TILTS]
)
def test_the_raw_tilt_is_its_definition_typed_again(law, strength, again, ends):
    policy, s = Tilt(strength), mpf(strength)
    with MP.workdps(25):
        big = MP.quad(lambda x: MP.exp(s * x) * again(x)[0], ends)

        def mean(h):
            return MP.quad(lambda x: h(x) * MP.exp(s * x) / big * again(x)[0], ends)

        first = mean(lambda x: x)
        star = MP.log(big) / s  # w = 1 there
        above = MP.quad(lambda x: MP.exp(s * x) / big * again(x)[0], [star, star + 5, ends[-1]])
        assert close(value(law, policy, "mean_reward"), first, "1e-14")
        assert close(value(law, policy, "kl"), s * first - MP.log(big), "1e-14")
        assert close(value(law, policy, "win_rate"), mean(lambda x: again(x)[1]), "1e-14")
        spread = above - (1 - again(star)[1])
        assert close(value(law, policy, "total_variation"), spread, "1e-12")
        typed_gold = mean(lambda x: x**2)
        curve = GoldCurve(r**2, "r")
        assert close(value(law, policy, "gold", gold=curve), typed_gold, "1e-14")
    for name in ("kl", "mean_reward"):
        closed, definition = (number(p, 15) for p in plans(law, policy, name))
        assert overlap(closed, definition)


def test_a_tilt_beyond_the_moment_generating_function_does_not_exist():
    # Mutant 19.
    for law, strength in ((Exponential(1), 1), (Exponential(1), 2), (Logistic(), 1),
                          (Logistic(0, "1/3"), 3)):  # fmt: skip
        for name in ("kl", "mean_reward", "expected_draws"):
            with pytest.raises(NotOnThisLaw, match="is infinite from lam"):
                value(law, Tilt(strength), name)


def test_chi2_of_a_tilt_is_infinite_where_the_second_moment_is():
    for strength in ("1/2", "3/4"):
        assert value(Exponential(1), Tilt(strength), "chi2") == Number.infinity()
    # M(2λ)/M(λ)² − 1 = (1−λ)²/(1−2λ) − 1 = 1/8 at λ = 1/4.
    assert close(value(Exponential(1), Tilt("1/4"), "chi2"), mpf(1) / 8)
    assert value(Exponential(1), Tilt("1/2"), "renyi", order=3) == Number.infinity()
    assert value(Logistic(), Tilt("1/2"), "chi2") == Number.infinity()


def test_normal_and_exponential_tilts_have_their_textbook_values():
    # N(0,1) tilted by λ is N(λ,1): KL = λ²/2; TV = 2Φ(λ/2) − 1. Exp(1) by λ is Exp(1−λ).
    assert value(Normal(), Tilt("3/2"), "kl") == Number.exact(Fraction(9, 8))
    assert value(Normal(), Tilt("3/2"), "mean_reward") == Number.exact(Fraction(3, 2))
    assert close(value(Normal(), Tilt("3/2"), "total_variation"), 2 * MP.ncdf(mpf(3) / 4) - 1)
    assert value(Exponential(), Tilt("2/3"), "mean_reward") == Number.exact(3)
    assert close(value(Exponential(), Tilt("2/3"), "kl"), 2 - MP.log(3))


# -- pointwise -----------------------------------------------------------------------------------


def test_pointwise_quantities_are_the_formulas_typed_again():
    law, policy = Exponential(2), BestOfPoisson(3)
    x = mpf("0.4")
    level = 1 - MP.exp(-2 * x)
    w = (1 + 3 * level) * MP.exp(3 * (level - 1))
    assert close(value(law, policy, "ratio", at="0.4"), w)
    assert close(value(law, policy, "density", at="0.4"), w * 2 * MP.exp(-2 * x))
    assert close(value(law, policy, "cdf", at="0.4"), level * MP.exp(3 * (level - 1)))
    assert close(value(law, policy, "score", at="0.4"), level - 1 + level / (1 + 3 * level))
    third = value(law, policy, "ratio", at="u=0.3")
    assert close(third, mpf("1.9") * MP.exp(mpf("-2.1")))
    # The quantile solves u e^{3(u−1)} = 1/2.
    q = value(law, policy, "quantile", at="1/2")
    star = MP.findroot(lambda v: v * MP.exp(3 * (v - 1)) - mpf(1) / 2, mpf("0.85"))
    assert close(q, -MP.log(1 - star) / 2)


def test_off_the_support_density_and_cdf_are_exact_and_the_ratio_is_undefined():
    for law, below, above in ((Uniform(), -1, 2), (Exponential(), "-0.1", None)):
        for policy in (BestOfN(3), BestOfPoisson(1)):
            assert value(law, policy, "density", at=below) == Number.exact(0)
            assert value(law, policy, "cdf", at=below) == Number.exact(0)
            assert value(law, policy, "ratio", at=below).is_undefined
            assert value(law, policy, "score", at=below).is_undefined
            if above is not None:
                assert value(law, policy, "density", at=above) == Number.exact(0)
                assert value(law, policy, "cdf", at=above) == Number.exact(1)
    assert value(Normal(), BestOfN(2), "mass", at=0) == Number.exact(0)
    assert value(Uniform(), BestOfN(3), "density", at="1/2") == Number.exact(Fraction(3, 4))
    # 0 to a negative power, which crashed.
    top = value(Uniform(), BestOfRandom(Sibuya("1/2")), "density", at=1)
    assert top == Number.infinity()


def test_quantiles_far_in_the_tails_keep_their_digits():
    # 1 − G(u) = 1 − uⁿ: u = (1 − 1e-300)^{1/2}, 1 − u ≈ 5e-301, and R = −ln(1 − u).
    found = value(Exponential(), BestOfN(2), "quantile", at=1 - Fraction(1, 10**300))
    with MP.workdps(700):
        truth = -MP.log(1 - MP.sqrt(1 - mpf(10) ** -300))
        assert close(found, truth, "1e-15")
    assert close(value(Uniform(), BestOfN(3), "quantile", at="1e-300"), mpf(10) ** -100)


# -- gold ----------------------------------------------------------------------------------------

GOLD = [
    (GoldCurve(u**12 * (1 - u), "u"), lambda v: v**12 * (1 - v)),
    (GoldCurve(sympy.sin(5 * u), "u"), lambda v: MP.sin(5 * v)),
    (GoldCurve(sympy.sqrt(u) - u ** sympy.Rational(5, 2), "u"), lambda v: MP.sqrt(v) - v**2.5),
]


@EVERY_RANK
@pytest.mark.parametrize("which", range(len(GOLD)))
def test_the_value_of_a_gold_curve_in_the_quantile(policy, again, which):
    curve, h = GOLD[which]
    w, _ = typed.ratio(*again)
    truth = typed.mean_of(h, w)
    rough = "1e-6" if again[0] == "sibuya" else "1e-13"
    for law in (Uniform(), Normal()):
        assert close(value(law, policy, "gold", gold=curve), truth, rough)


def test_the_value_of_a_gold_curve_in_the_reward_and_under_the_raw_tilt():
    curve = GoldCurve(r**2 * sympy.cos(r), "r")
    q = typed.quantile("normal", 0, 1)
    for policy, again in RANK[:8]:
        truth = typed.mean_of(lambda v: q(v) ** 2 * MP.cos(q(v)), typed.ratio(*again)[0])
        assert close(value(Normal(), policy, "gold", gold=curve), truth, "1e-12")
    truth = MP.quad(lambda x: x**2 * MP.cos(x) * MP.npdf(x, 1, 1), [-12, 0, 14])
    assert close(value(Normal(), Tilt(1), "gold", gold=curve), truth, "1e-12")
    # A root of the quantile is bounded on [0, 1], also though balls reach below 0.
    root = GoldCurve(sympy.sqrt(u), "u")
    truth = MP.quad(lambda x: MP.sqrt(MP.ncdf(x)) * MP.npdf(x, 1, 1), [-12, -3, 1, 14])
    assert close(value(Normal(), Tilt(1), "gold", gold=root), truth, "1e-12")


def test_a_constant_gold_curve_is_worth_itself_exactly():
    half = GoldCurve(sympy.Rational(1, 2), None)
    for policy in (BestOfPoisson(2), QuantileTilt(1), BestOfN(3), BestOfRandom(Sibuya("1/3"))):
        assert value(Normal(), policy, "gold", gold=half) == Number.exact(Fraction(1, 2))


def test_a_ratio_that_vanishes_at_zero_is_integrated_like_best_of_n():
    # P(N = 1) = 0 makes ln w singular at u = 0, which hung the quadrature.
    three = BestOfRandom(FinitePmf({3: 1}))
    found = value(Normal(), three, "kl")
    assert close(found, MP.log(3) - mpf(2) / 3)
    assert overlap(found, value(Normal(), BestOfN(3), "kl", digits=30))


# -- extremes ------------------------------------------------------------------------------------

EXTREMES = [
    *(BestOfN(1 + Fraction(x)) for x in ("1e-12", "1e-3", "1e9", "1e12")),
    *(BestOfPoisson(x) for x in ("1e-12", "1e12")),
    *(QuantileTilt(x) for x in ("1e-12", "1e12")),
    *(BestOfRandom(Geometric(x)) for x in ("1e-9", "0.999999999")),
    *(BestOfRandom(Sibuya(x)) for x in ("1/1000", "999/1000")),
    BestOfRandom(Binomial(10**6, "1e-3")),
    BestOfRandom(NegativeBinomial("1e-3", "1e-6")),
]


@pytest.mark.parametrize("policy", EXTREMES, ids=str)
@pytest.mark.parametrize("law", [Uniform(), Normal(), Exponential(), Logistic()], ids=str)
def test_extreme_parameters_end_in_a_certified_number_or_a_refusal_within_seconds(policy, law):
    gold = GoldCurve(u**2 * (1 - u), "u")
    requests = [("kl", {}), ("total_variation", {}), ("renyi", {"order": "3/2"}), ("chi2", {}),
                ("mean_quantile", {}), ("mean_reward", {}), ("gold", {"gold": gold}),
                ("density", {"at": "1/2"}), ("quantile", {"at": "1/3"})]  # fmt: skip
    if not isinstance(law, Uniform):
        requests = requests[5:]  # the others are the same on every law
    for name, arguments in requests:
        start = time.perf_counter()
        try:
            found = value(law, policy, name, **arguments)
        except NotCertified:
            found = None
        assert time.perf_counter() - start < 12, (name, policy, law)
        if found is not None and found.guarantee == "certified":
            assert found.rad * 10**14 <= abs(found.mid)


def test_an_exactly_zero_integral_is_given_up_soon():
    start = time.perf_counter()
    with pytest.raises(NotCertified, match="exactly 0 has no significant digits"):
        value(Normal(), BestOfN(1), "gold", gold=GoldCurve(sympy.sin(r), "r"))
    assert time.perf_counter() - start < 10


def test_narrow_laws_have_means():
    # 0.7409845…·1e-12: the tail bound once needed |x| ≥ 1, a trillion deviations away.
    wide, narrow = (value(Normal(0, s), BestOfPoisson(2), "mean_reward") for s in (1, "1e-12"))
    low, high = wide.bounds
    scaled = Number.ball(wide.mid, wide.rad, wide.exp10 - 12)
    assert overlap(scaled, narrow)
    assert low < high
