"""Gold without an exact form: certified quadrature and variation diminishing, or an honest no."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal

from .support import RANK, found, thetas, uniform

mp = mpmath.MPContext()
mp.dps = 30


def test_the_bump_under_best_of_n_agrees_with_mpmath():
    result = uniform("bon", sympy.exp(-10 * (u - sympy.Rational(4, 5)) ** 2))
    assert (result.regime, result.complete) == ("peak", "certified")

    def slope(n):
        g = lambda x: -20 * (x - mp.mpf(4) / 5) * mp.exp(-10 * (x - mp.mpf(4) / 5) ** 2)  # noqa: E731
        return mp.quad(lambda x: -g(x) * x**n * mp.log(x), [0, 0.5, 0.8, 1])

    root = mp.findroot(slope, 7)
    assert thetas(result) == pytest.approx([float(root)], rel=1e-11)


def test_the_exponential_law_agrees_with_harmonic_numbers():
    # E[max of n] = H_n and its variance is the sum of 1/k²: f = H − (H₂ + H²)/8, by polygamma.
    result = found(Exponential(1), "bon", r - r**2 / 8)

    def f(n):
        first = mp.digamma(n + 1) + mp.euler
        second = mp.zeta(2) - mp.psi(1, n + 1)
        return first - (second + first**2) / 8

    root = mp.findroot(lambda n: mp.diff(f, n), 30)
    assert thetas(result) == pytest.approx([float(root)], rel=1e-10)
    assert float(result.extrema[0].value) == pytest.approx(float(f(root)), rel=1e-11)
    assert result.ends[1].value.infinite == -1


def test_the_normal_law_starts_at_its_moments():
    result = found(Normal(0, 1), "bop", r - r**2 / 4)
    assert result.regime == "peak"
    assert float(result.ends[0].value) == pytest.approx(-0.25, abs=1e-15)


@pytest.mark.parametrize("family", RANK)
def test_monotone_gold_is_monotone_on_every_law(family):
    assert found(Normal(0, 1), family, r**3 + r).regime == "increasing"
    assert uniform(family, -sympy.exp(u)).regime == "decreasing"
    assert uniform(family, sympy.sin(u) ** 2 + sympy.cos(u) ** 2).regime == "constant"


def test_symmetric_gold_is_stationary_at_the_reference_and_no_peak_under_bop():
    assert uniform("bop", sympy.sin(sympy.pi * u)).regime == "decreasing"
    assert uniform("bon", sympy.sin(sympy.pi * u)).regime == "peak"


def test_what_is_not_decided_says_so():
    for expr in (sympy.sin(20 * u), sympy.log(u) + sympy.sin(9 * u)):
        result = uniform("bon", expr)
        assert (result.regime, result.complete, result.hacking) == ("undecided",) * 3
        assert result.complete_reason
        assert result.best is None
        assert result.threshold.is_undefined
        result.to_json()


def test_roots_of_a_negative_reward_are_not_taken():
    result = found(Normal(0, 1), "bon", sympy.sqrt(r))
    assert result.regime == "undecided"


def test_monotone_gold_is_monotone_under_the_raw_tilt_of_any_law():
    result = found(Logistic(2, 1), "tilt", r)
    assert (result.regime, result.domain) == ("increasing", "[0, 1)")
    # The limit λ → 1 is the end of the domain; E[R] = 2 at λ = 0.
    assert float(result.ends[0].value) == pytest.approx(2, abs=1e-12)
    assert result.ends[1].theta.fraction == 1
    assert result.ends[1].value.infinite == 1


def test_high_degrees_are_decided_for_the_tilt_too():
    # Best-of-n of u^300 (1 − u) peaks at √(300·301); the tilt is near it.
    assert thetas(uniform("bon", u**300 * (1 - u))) == pytest.approx([(300 * 301) ** 0.5])
    result = uniform("quantile_tilt", u**300 * (1 - u))
    assert result.regime == "peak"

    def slope(lam):
        # f = ∫ g e^{λ(u−1)} λ/(1 − e^{−λ}) with ∫ u^k e^{λ(u−1)} du = ₁F₁(1; k + 2; −λ)/(k + 1).
        def f(x):
            parts = [mp.hyp1f1(1, k + 2, -x) / (k + 1) for k in (300, 301)]
            return (parts[0] - parts[1]) * x / -mp.expm1(-x)

        return mp.diff(f, lam)

    assert thetas(result) == pytest.approx([float(mp.findroot(slope, 301))], rel=1e-9)


def test_rational_exponents_are_decided_for_best_of_poisson():
    # Between the thresholds of its neighbours u^12 (1 − u) and u^{12.01} (1 − u).
    exponent = sympy.Rational(2401, 200)
    place = thetas(uniform("bop", u**exponent * (1 - u)))[0]
    low = thetas(uniform("bop", u**12 * (1 - u)))[0]
    assert low < place < low + 0.01
