"""float64 on the laws with heavy, skewed and two-sided tails: edges, shapes, refusals, kernels."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.functionals.float64 import FAMILIES, FUNCTIONALS, POINTWISE, evaluate
from hedgetheory.numerics import kernels
from hedgetheory.spec.grammar import parse_law

RANK = ("bon", "bop", "quantile_tilt")
LEAST = {"bon": 1.0, "bop": 0.0, "quantile_tilt": 0.0, "tilt": 0.0}
LAWS = (
    *("gumbel(-1/3,0.3)", "laplace(1/7,2.7)", "weibull(1e9,1)", "weibull(0.3,2)", "pareto(1e-9)"),
    *("lognormal(0,1000)", "gamma(1e-6,1)", "beta(1e-6,10000)", "student_t(2e-6)"),
)


def supported(quantity: str, family: str, text: str) -> bool:
    name = text.partition("(")[0]
    if family == "tilt":
        without = quantity == "total_variation" and name in {"gumbel", "gamma"}
        return name in {"gumbel", "laplace", "gamma"} and not without
    return quantity != "mean_reward" or (family == "bon" and name in {"gumbel", "pareto"})


@pytest.mark.parametrize("text", LAWS)
def test_the_whole_range_gives_no_warning_and_no_nan_and_starts_at_the_reference(text: str) -> None:
    law: Any = parse_law(text)
    low, high = law.support
    rewards = np.array(
        [-1e308, -1e3, -1e-300, 0.0, 5e-324, 0.5, 1 - 2**-53, 1.0, 1 + 2**-52, 3.0, 1e150, 1e308]
    )
    rewards = rewards[rewards >= (-math.inf if low is None else float(low))]
    rewards = rewards[rewards <= (math.inf if high is None else float(high))]
    for family in FAMILIES:
        limit = law.mgf_limit if family == "tilt" else None
        top = 100.0 if limit is None else math.log10(float(limit) or 1.0)
        thetas = np.concatenate([[0.0, 5e-324, 1e-300], np.logspace(-30, top - 1e-6, 12)])
        for quantity in (*POINTWISE, *FUNCTIONALS):
            if not supported(quantity, family, text):
                continue
            at = rewards if quantity in POINTWISE else None
            found = evaluate(quantity, family, LEAST[family] + thetas[:, None], law, at=at)
            assert not np.isnan(found).any(), (family, quantity)
            if quantity not in {"score", "mean_reward"}:
                assert (found >= 0).all(), (family, quantity)
            if quantity in {"cdf", "survival"}:
                assert (found <= 1).all(), (family, quantity)
            start = {"kl": 0.0, "chi2": 0.0, "total_variation": 0.0, "ratio": 1.0, "win_rate": 0.5}
            if quantity in start:
                assert (found[0] == start[quantity]).all(), (family, quantity)


@pytest.mark.parametrize(
    "text", ["gumbel(0,1)", "laplace(0,1)", "gamma(5/2,1)", "beta(2,3)", "student_t(3)"]
)
def test_arrays_broadcast_and_agree_with_scalars(text: str) -> None:
    law, rewards = parse_law(text), np.array([0.01, 0.9])
    for family in ("bon", "bop", "tilt"):
        thetas = LEAST[family] + np.array([1e-7, 0.3])[:, None]
        for quantity in ("density", "survival"):
            if not supported(quantity, family, text):
                continue
            found = evaluate(quantity, family, thetas, law, at=rewards)
            single = [[float(evaluate(quantity, family, t, law, at=x)) for x in rewards]
                      for t in thetas[:, 0]]  # fmt: skip
            np.testing.assert_allclose(found, single, rtol=4e-15)


@pytest.mark.parametrize("text", ["gamma({},3)", "weibull({},1/3)"])
def test_the_density_at_zero_is_that_of_a_power(text: str) -> None:
    # f ~ c r^{s−1}, and Best-of-n has n s in place of s.
    steep, flat, gentle = (parse_law(text.format(s)) for s in ("1/2", "1", "2"))
    assert float(evaluate("density", "bon", 1.0, steep, at=0.0)) == math.inf
    assert float(evaluate("density", "bon", 1.5, steep, at=0.0)) == math.inf
    assert float(evaluate("density", "bon", 2.5, steep, at=0.0)) == 0.0
    assert float(evaluate("density", "bon", 1.0, flat, at=0.0)) == pytest.approx(3.0, rel=1e-15)
    assert float(evaluate("density", "bon", 1.0, gentle, at=0.0)) == 0.0
    for law in (steep, flat, gentle):
        assert float(evaluate("cdf", "bop", 2.0, law, at=0.0)) == 0.0


def test_half_degrees_of_known_cdfs() -> None:
    # Student's t with one degree is Cauchy's law, with two F = ½ + r/(2√(2 + r²)).
    r = np.array([-3.0, -0.25, 0.0, 1.0, 40.0])
    cauchy = evaluate("cdf", "bon", 1.0, parse_law("student_t(1)"), at=r)
    np.testing.assert_allclose(cauchy, 0.5 + np.arctan(r) / np.pi, rtol=3e-15)
    two = evaluate("cdf", "bon", 1.0, parse_law("student_t(2)"), at=r)
    np.testing.assert_allclose(two, 0.5 + r / (2 * np.sqrt(2 + r * r)), rtol=1e-14)


def test_the_heavy_tail_of_a_pareto_law_reaches_the_end_of_float64() -> None:
    found = float(evaluate("survival", "bon", 1.0, parse_law("pareto(1/100)"), at=1e308))
    assert found == pytest.approx(10**-3.08, rel=1e-15)


def test_closed_means_of_the_largest_draw() -> None:
    n = np.array([1.0, 2.0, 5.0])
    found = evaluate("mean_reward", "bon", n, parse_law("pareto(2)"))
    # Γ(n + 1) Γ(½)/Γ(n + ½): 2, 8/3, 2^10 5! 5!/10!.
    np.testing.assert_allclose(found, [2.0, 8 / 3, 1024 * 14400 / 3628800], rtol=4e-15)
    assert (evaluate("mean_reward", "bon", n, parse_law("pareto(1)")) == np.inf).all()
    found = evaluate("mean_reward", "bon", n, parse_law("gumbel(1,2)"))
    np.testing.assert_allclose(found, 1 + 2 * (np.euler_gamma + np.log(n)), rtol=1e-15)
    found = evaluate("mean_reward", "bon", n, parse_law("beta(3,1)"))
    np.testing.assert_allclose(found, 3 * n / (3 * n + 1), rtol=1e-15)


def test_what_has_no_closed_form_is_refused() -> None:
    with pytest.raises(InputError, match="no closed form here: use value"):
        evaluate("mean_reward", "bop", 1.0, parse_law("gumbel(0,1)"))
    with pytest.raises(InputError, match="no closed form in float64: use value"):
        evaluate("kl", "tilt", 1.0, parse_law("beta(2,3)"))
    with pytest.raises(InputError, match="has no closed form: use value"):
        evaluate("total_variation", "tilt", 0.5, parse_law("gamma(2,3)"))
    with pytest.raises(InputError, match=r"must be in \[1e-06, 10000\]"):
        evaluate("cdf", "bon", 2.0, parse_law("gamma(20000)"), at=1.0)
    with pytest.raises(NotOnThisLaw, match=r"take lam < 0\.5"):
        evaluate("kl", "tilt", 0.5, parse_law("laplace(0,2)"))


def pair(x: Fraction | float, like: int = 1) -> kernels.Pair:
    high, low = kernels.pair_of(Fraction(x))
    return np.full(like, high), np.full(like, low)


def exactly(x: kernels.Pair) -> mpmath.mpf:
    return mpmath.mpf(float(x[0][0])) + mpmath.mpf(float(x[1][0]))


def logs_of(low: mpmath.mpf, high: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Logarithms of two tails that add up to 1, each from the smaller one."""
    if low < high:
        return mpmath.log(low), mpmath.log1p(-low)
    return mpmath.log1p(-high), mpmath.log(high)


@pytest.mark.parametrize("shape", ["1/1000000", "1/3", "1", "15/2", "300"])
def test_both_gamma_tails_carry_more_than_float64(shape: str) -> None:
    a = Fraction(shape)
    with mpmath.workdps(45):
        p = mpmath.mpf(a.numerator) / a.denominator
        for x in (1e-30, 0.3, 0.999, 1.5, float(a) + 0.5, float(a) + 2.0, 3 * float(a) + 40.0):
            log = mpmath.log(x)
            log_x = np.array([float(log)]), np.array([float(log - float(log))])
            found = kernels.log_gamma_tails(a, pair(x), log_x)
            whole = mpmath.gamma(p)
            tails = mpmath.gammainc(p, 0, x) / whole, mpmath.gammainc(p, x) / whole
            for one, truth in zip(found, logs_of(*tails), strict=True):
                # 1 − P cancels digits of a small shape; what is below 1e-300 is nothing.
                close = abs(exactly(one) / truth - 1) < 2.0**-56
                assert close or max(abs(exactly(one)), abs(truth)) < 1e-300


@pytest.mark.parametrize(("a", "b"), [("1/1000000", "3"), ("5/2", "1/2"), ("40", "60")])
def test_both_beta_tails_carry_more_than_float64(a: str, b: str) -> None:
    p, q = Fraction(a), Fraction(b)
    with mpmath.workdps(45):
        shapes = [mpmath.mpf(s.numerator) / s.denominator for s in (p, q)]
        for x in (1e-30, 0.125, 0.375, 0.5, 0.75, 1 - 2.0**-40):
            logs = []
            for y in (mpmath.mpf(x), 1 - mpmath.mpf(x)):
                log = mpmath.log(y)
                logs.append((np.array([float(log)]), np.array([float(log - float(log))])))
            found = kernels.log_beta_tails(p, q, pair(x), pair(1 - Fraction(x)), (logs[0], logs[1]))
            low = mpmath.betainc(*shapes, 0, x, regularized=True)
            high = mpmath.betainc(*shapes[::-1], 0, 1 - mpmath.mpf(x), regularized=True)
            for one, truth in zip(found, logs_of(low, high), strict=True):
                # 1 − P cancels digits of a small shape; what is below 1e-300 is nothing.
                close = abs(exactly(one) / truth - 1) < 2.0**-56
                assert close or max(abs(exactly(one)), abs(truth)) < 1e-300
