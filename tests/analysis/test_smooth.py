"""Gold without an exact form: certified quadrature and variation diminishing, or an honest no."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.exponential import Exponential
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
    for expr in (sympy.log(u), sympy.sin(20 * u)):
        result = uniform("bon", expr)
        assert (result.regime, result.complete, result.hacking) == ("undecided",) * 3
        assert result.complete_reason
        assert result.best is None
        assert result.threshold.is_undefined
        result.to_json()
