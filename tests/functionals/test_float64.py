"""The vectorised float64 layer: shapes, domains, edges; its accuracy is in test_float64_record."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.functionals.float64 import FAMILIES, FUNCTIONALS, POINTWISE, evaluate
from hedgetheory.functionals.quantities import kl_divergence
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import kernels
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.spec.grammar import parse_gold

LAWS = (Uniform(), Normal("1/3", 2), Exponential(3), Logistic(1, "1/2"))
LEAST = {"bon": 1.0, "bop": 0.0, "quantile_tilt": 0.0, "tilt": 0.0}


def supported(quantity: str, family: str, law: ContinuousLaw) -> bool:
    if isinstance(law, Logistic) and family == "tilt":
        return quantity not in {"cdf", "survival", "total_variation"}
    return True


COMBINATIONS = [
    (quantity, family, law)
    for law in LAWS
    for family in FAMILIES
    for quantity in (*POINTWISE, *FUNCTIONALS)
    if supported(quantity, family, law)
]


def call(quantity: str, family: str, theta: Any, law: ContinuousLaw, at: Any = 0.4) -> Any:
    return evaluate(quantity, family, theta, law, at=at if quantity in POINTWISE else None)


@pytest.mark.parametrize(("quantity", "family", "law"), COMBINATIONS)
def test_arrays_broadcast_and_agree_with_scalars(
    quantity: str, family: str, law: ContinuousLaw
) -> None:
    thetas = LEAST[family] + np.array([1e-7, 1.2])[:, None]
    rewards = np.array([0.01, 0.4, 0.9])
    found = call(quantity, family, thetas, law, rewards)
    assert found.dtype == np.float64
    if quantity in POINTWISE:
        assert found.shape == (2, 3)
        single = [[float(call(quantity, family, t, law, x)) for x in rewards] for t in thetas[:, 0]]
    else:
        assert found.shape == (2, 1)
        single = [[float(call(quantity, family, t, law))] for t in thetas[:, 0]]
    # The vector loops of numpy and its scalar ones may differ in the last place.
    np.testing.assert_allclose(found, single, rtol=4e-15, atol=4e-16)


@pytest.mark.parametrize(("quantity", "family", "law"), COMBINATIONS)
def test_the_first_member_is_the_reference(quantity: str, family: str, law: ContinuousLaw) -> None:
    found = float(call(quantity, family, LEAST[family], law))
    if quantity in {"kl", "chi2", "total_variation"}:
        assert found == 0.0
    if quantity == "ratio":
        assert found == 1.0
    if quantity in {"mean_quantile", "win_rate"}:
        assert found == 0.5
    if quantity == "mean_reward":
        assert found == pytest.approx(float(law.mean), rel=1e-15)


@pytest.mark.parametrize(("quantity", "family", "law"), COMBINATIONS)
def test_the_whole_range_of_parameters_gives_no_warning_and_no_nan(
    quantity: str, family: str, law: ContinuousLaw
) -> None:
    top = 100.0 if family != "tilt" or law.mgf_limit is None else math.log10(float(law.mgf_limit))
    thetas = LEAST[family] + np.concatenate(
        [[0.0, 5e-324, 1e-300], np.logspace(-30, top - 1e-6, 60)]
    )
    low, high = law.support
    rewards = np.array([-1e308, -1e3, -1.0, 0.0, 5e-324, 1e-300, 0.5, 1.0, 1e3, 1e308])
    if low is not None:
        rewards = rewards[rewards >= 0]
    if high is not None:
        rewards = rewards[rewards <= 1]
    found = call(quantity, family, thetas[:, None], law, rewards)
    assert not np.isnan(found).any()
    if quantity not in {"score", "mean_reward"}:
        assert (found >= 0).all()


@pytest.mark.parametrize("family", ["bon", "bop", "quantile_tilt"])
@pytest.mark.parametrize("text", ["u**12*(1-u)", "1/3", "u**48 - u"])
def test_gold_and_slope_stay_finite_and_reach_the_reference_at_the_identity(
    family: str, text: str
) -> None:
    gold = parse_gold(text)
    thetas = LEAST[family] + np.concatenate(
        [[0.0, 5e-324, 1e-300], np.logspace(-30, 100 - 1e-6, 300)]
    )
    for quantity in ("gold", "slope"):
        assert np.isfinite(evaluate(quantity, family, thetas, gold=gold)).all()
    mean = {"u**12*(1-u)": 1 / 182, "1/3": 1 / 3, "u**48 - u": 1 / 49 - 1 / 2}[text]
    assert evaluate("gold", family, thetas, gold=gold)[0] == pytest.approx(mean, rel=1e-15)


def test_gold_broadcasts_like_every_functional() -> None:
    gold = parse_gold("u**2 - u/3")
    thetas = np.array([[0.0, 0.5], [70.0, 1e5]])
    for family in ("bop", "quantile_tilt"):
        for quantity in ("gold", "slope"):
            found = evaluate(quantity, family, thetas, gold=gold)
            assert found.shape == (2, 2)
            single = [float(evaluate(quantity, family, t, gold=gold)) for t in thetas.ravel()]
            np.testing.assert_allclose(found.ravel(), single, rtol=4e-15)


def test_the_slope_of_u_minus_its_mean_is_that_of_the_win_rate() -> None:
    # d/dn n/(n + 1) = 1/(n + 1)²: the constant of the gold is not in its slope.
    n = np.array([1.0, 2.5, 1e6])
    for text in ("u", "u - 1/2", "u + 1000"):
        found = evaluate("slope", "bon", n, gold=parse_gold(text))
        np.testing.assert_allclose(found, 1 / (n + 1) ** 2, rtol=1e-15)


def test_a_gold_in_r_is_one_in_u_on_the_uniform_law_only() -> None:
    on_uniform = evaluate("gold", "bon", 3.0, gold=parse_gold("r**2"))
    assert float(on_uniform) == pytest.approx(3 / 5, rel=1e-15)
    with pytest.raises(InputError, match="must be a polynomial in u on this law"):
        evaluate("gold", "bon", 3.0, Normal(), gold=parse_gold("r**2"))


def test_the_mean_of_the_largest_of_two_and_three_normals_is_known() -> None:
    # E[max of 2] = 1/√π and E[max of 3] = 3/(2√π).
    found = evaluate("mean_reward", "bon", [2.0, 3.0], Normal("1/3", 2))
    exactly = 1 / 3 + 2 * np.array([1.0, 1.5]) / math.sqrt(math.pi)
    np.testing.assert_allclose(found, exactly, rtol=1e-15)


def test_the_mean_of_many_normals_grows_to_the_largest_parameter() -> None:
    thetas = np.logspace(0, 100 - 1e-6, 200)
    for family in ("bon", "bop", "quantile_tilt"):
        found = evaluate("mean_reward", family, thetas, Normal())
        assert (np.diff(found) > 0).all()
        # E[max] < √(2 ln n), and is within 2 ln ln n / √(2 ln n) of it.
        bound = np.sqrt(2 * np.log(thetas[-1]))
        assert bound - 2 * np.log(np.log(thetas[-1])) / bound < found[-1] < bound


def test_a_million_elements_in_any_order_agree_with_sorted_ones() -> None:
    rng = np.random.default_rng(3)
    thetas = 10 ** rng.uniform(-12, 12, 100_000)
    order = np.argsort(thetas)
    for family in ("bon", "bop", "quantile_tilt"):
        shuffled = evaluate("kl", family, LEAST[family] + thetas)
        in_order = evaluate("kl", family, (LEAST[family] + thetas)[order])
        np.testing.assert_allclose(shuffled[order], in_order, rtol=1e-15)


def test_parameters_in_any_order_are_as_accurate_as_in_order() -> None:
    # Unsorted parameters take another way through the kernels, with its own rounding.
    rng = np.random.default_rng(4)
    thetas = np.concatenate([10 ** rng.uniform(-12, 12, 100), 10 ** rng.uniform(-2, 3, 100)])
    for family in ("bon", "bop", "quantile_tilt"):
        for theta, found in zip(
            LEAST[family] + thetas, evaluate("kl", family, LEAST[family] + thetas), strict=True
        ):
            member = FAMILIES[family](Fraction(float(theta)))
            exact = Fraction(kl_divergence(member, digits=20).decimal(20)[0])
            assert abs(Fraction(float(found)) / exact - 1) < 2e-15


def test_kernels_of_two_threads_do_not_share_buffers() -> None:
    thetas = np.random.default_rng(5).permutation(np.logspace(-6, 6, 200_000))
    alone = evaluate("kl", "bop", thetas)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: evaluate("kl", "bop", thetas), range(8)):
            assert (found == alone).all()


def test_empty_arrays_give_empty_arrays() -> None:
    assert evaluate("kl", "bop", []).shape == (0,)
    assert evaluate("density", "bon", np.ones((3, 1)), at=np.ones((1, 0))).shape == (3, 0)


def test_the_excess_says_what_n_cannot() -> None:
    tiny = evaluate("kl", "bon", 1e-20, excess=True)
    assert float(tiny) == pytest.approx(5e-41, rel=1e-15)
    assert float(evaluate("kl", "bon", 1 + 1e-20)) == 0.0
    n = np.array([1.5, 7.0, 1e9])
    for quantity in ("kl", "total_variation", "win_rate"):
        assert (
            evaluate(quantity, "bon", n - 1, excess=True) == evaluate(quantity, BestOfN, n)
        ).all()


@pytest.mark.parametrize("law", [Normal(), Normal("1/3", 2), Exponential(3), Logistic()])
def test_one_parameter_of_any_shape_meets_rewards_of_any_shape(law: ContinuousLaw) -> None:
    rewards = np.array([-80.0, -50.0, 0.0, 1.5, 2.9, 5.0, 60.0, 7.0])
    for quantity in ("density", "ratio", "cdf"):
        flat = evaluate(quantity, "bon", 2.5, law, at=rewards)
        single = [float(evaluate(quantity, "bon", 2.5, law, at=x)) for x in rewards]
        np.testing.assert_allclose(flat, single, rtol=4e-15)
        for theta, at, shape in (
            ([[2.5]], rewards, (1, 8)),
            (2.5, rewards.reshape(2, 4), (2, 4)),
            ([2.5, 2.5], rewards[:, None], (8, 2)),
            (np.full((2, 4), 2.5), rewards.reshape(2, 4), (2, 4)),
        ):
            found = evaluate(quantity, "bon", theta, law, at=at)
            assert found.shape == shape
            np.testing.assert_allclose(np.broadcast_to(flat.reshape(at.shape), shape), found, 4e-15)


def test_a_power_that_underflows_is_a_zero_without_a_sign() -> None:
    found = evaluate("ratio", "bon", [1e100, 1e80, 1e30], Normal(), at=[2.9, -30.0, -1.0])
    assert found.tolist() == [0.0, 0.0, 0.0]
    assert not np.signbit(found).any()


def test_outside_the_support_there_is_no_density_and_no_ratio() -> None:
    at = [-0.5, 0.5, 1.5]
    assert evaluate("density", "bop", 2.0, at=at)[[0, 2]].tolist() == [0.0, 0.0]
    assert evaluate("cdf", "bon", 2.0, at=at).tolist() == [0.0, 0.25, 1.0]
    assert evaluate("survival", "bon", 2.0, at=at).tolist() == [1.0, 0.75, 0.0]
    assert np.isnan(evaluate("ratio", "bon", 2.0, at=at)).tolist() == [True, False, True]


def test_cdf_and_survival_add_up_to_one() -> None:
    thetas = 1.0 + np.logspace(-6, 6, 13)[:, None]
    for family in ("bon", "bop", "quantile_tilt", "tilt"):
        at = np.linspace(-6, 8, 50)
        total = call("cdf", family, thetas, Normal(), at) + call(
            "survival", family, thetas, Normal(), at
        )
        np.testing.assert_allclose(total, 1.0, rtol=1e-14)


def test_chi2_of_a_tilt_is_infinite_from_half_the_limit_on() -> None:
    for law in (Exponential(2), Logistic(0, "1/2")):
        found = evaluate("chi2", "tilt", [0.999, 1.0, 1.5], law)
        assert np.isfinite(found).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kl", "bon", 0.5), "n=0.5, but must be real numbers >= 1"),
        (("kl", "bop", [1.0, -2.0]), "mu=-2.0, but must be real numbers >= 0"),
        (("kl", "bop", 1e101), "mu=1e+101, but must be at most 1e+100"),
        (("kl", "bop", math.nan), "finite real numbers"),
        (("kl", "bop", "many"), "numbers"),
        (("kl", "bob", 1.0), "did you mean bo"),
        (("klm", "bop", 1.0), "did you mean kl?"),
        (("density", "bop", 1.0), "needs at="),
        (("kl", Bernoulli, 1.0), "must be one of bon, bop"),
        (("kl", "bop", 1.0, Bernoulli("1/2")), "must be uniform"),
        (("cdf", "tilt", 0.1, Logistic()), "has no closed form"),
        (("gold", "bon", 2.0), "needs gold="),
    ],
)
def test_bad_arguments_say_what_to_give(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=None) as caught:
        evaluate(*arguments)
    assert message in str(caught.value)


def test_superfluous_rewards_and_misplaced_excess_are_refused() -> None:
    with pytest.raises(InputError, match="takes no at="):
        evaluate("kl", "bop", 1.0, at=0.5)
    with pytest.raises(InputError, match="excess=True"):
        evaluate("kl", "bop", 1.0, excess=True)


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ("exp(u)", "must be a polynomial with rational coefficients"),
        ("abs(u - 1/2)", "must be a polynomial with rational coefficients"),
        ("pi*u", "coefficient that is not rational"),
        ("u**49", "at most 48"),
    ],
)
def test_a_gold_that_is_no_polynomial_is_refused(gold: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate("gold", "bop", 2.0, gold=parse_gold(gold))


def test_gold_is_refused_where_it_has_no_meaning_or_no_form() -> None:
    gold = parse_gold("u")
    with pytest.raises(InputError, match="takes no gold"):
        evaluate("kl", "bop", 1.0, gold=gold)
    with pytest.raises(InputError, match="no closed form here: use value"):
        evaluate("gold", "tilt", 1.0, Normal(), gold=gold)
    with pytest.raises(InputError, match="parse_gold reads text"):
        evaluate("gold", "bop", 1.0, gold="u")


def test_a_tilt_with_infinite_normaliser_is_refused() -> None:
    with pytest.raises(NotOnThisLaw, match="take lam < 2"):
        evaluate("kl", "tilt", [1.0, 2.0], Exponential(2))


def test_pairs_carry_far_more_than_float64() -> None:
    import mpmath

    x = np.array([-300.5, -1.25, -1e-9, 1e-7, 0.3, 17.0])
    zero = np.zeros_like(x)
    for function, exactly in (
        (kernels.exp_pair, mpmath.exp),
        (kernels.expm1_pair, mpmath.expm1),
    ):
        high, low = function((x, zero))
        with mpmath.workdps(50):
            for h, tail, y in zip(high, low, x, strict=True):
                truth = exactly(mpmath.mpf(float(y)))
                assert abs((mpmath.mpf(float(h)) + mpmath.mpf(float(tail))) / truth - 1) < 2.0**-66
