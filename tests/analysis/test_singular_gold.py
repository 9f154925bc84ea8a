"""Gold with log(u) or log(1 - u), against harmonic numbers and quadrature by mpmath."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from hedgetheory.analysis.singular_gold import log_pattern
from hedgetheory.expressions.symbols import u
from hedgetheory.laws.normal import Normal

from .support import found, thetas, uniform

mp = mpmath.MPContext()
mp.dps = 30
LOW, HIGH = sympy.log(u), sympy.log(1 - u)


def test_u_cubed_log_u_under_best_of_n_peaks_exactly_at_three():
    # E = ∫ −u³ ln u n u^{n−1} = n/(n + 3)².
    result = uniform("bon", -(u**3) * LOW)
    assert (result.regime, result.complete) == ("peak", "certified")
    assert result.extrema[0].theta.fraction == 3
    assert result.extrema[0].value.fraction == sympy.Rational(1, 12)
    assert result.integer.best == [3]


def test_squared_logarithms_are_exact_too():
    # f = 2/n² − 20 n/(n + 1)², differentiated by hand.
    root = mp.findroot(lambda n: -4 / n**3 - 20 * (1 - n) / (n + 1) ** 3, 1.7)
    result = uniform("bon", LOW**2 + 20 * u * LOW)
    assert result.regime == "trough"
    assert thetas(result) == pytest.approx([float(root)], rel=1e-12)


def test_log_of_the_survival_is_a_harmonic_number():
    # E[ln(1 − max of n)] = −H_n, so f = −H_n + 4n/(n + 1).
    f = lambda n: -mp.harmonic(n) + 4 * n / (n + 1)  # noqa: E731
    root = mp.findroot(lambda n: mp.diff(f, n), 2.4)
    result = found(Normal(0, 1), "bon", HIGH + 4 * u)
    assert thetas(result) == pytest.approx([float(root)], rel=1e-12)
    assert float(result.extrema[0].value) == pytest.approx(float(f(root)), rel=1e-12)
    assert result.ends[1].value.infinite == -1


@pytest.mark.parametrize("family", ["bon", "bop", "quantile_tilt"])
def test_monotone_logarithms_are_monotone_under_every_family(family):
    assert uniform(family, LOW).regime == "increasing"
    assert uniform(family, HIGH).regime == "decreasing"


def test_entropy_like_gold_peaks_under_best_of_poisson_where_mpmath_says():
    result = uniform("bop", -(1 - u) * HIGH)
    g = lambda x: -(1 - x) * mp.log(1 - x)  # noqa: E731

    def f(m):
        return mp.quad(lambda x: g(x) * (1 + m * x) * mp.exp(m * (x - 1)), [0, 0.5, 0.9, 1])

    root = mp.findroot(lambda m: mp.diff(f, m), 1.3)
    assert thetas(result) == pytest.approx([float(root)], rel=1e-10)
    assert float(result.extrema[0].value) == pytest.approx(float(f(root)), rel=1e-11)


def test_the_place_of_a_turn_is_told_in_u():
    signs, changes = log_pattern(u * LOW)
    assert signs == [-1, 1]
    assert changes[0].low < sympy.exp(-1) < changes[0].high
    assert float(changes[0].high - changes[0].low) < 1e-9


def test_gold_that_turns_in_both_logarithms_or_in_none_of_these_ways_stays_open():
    assert uniform("bop", sympy.exp(u) * LOW).regime == "undecided"


def test_a_mean_that_is_infinite_is_not_decided():
    assert uniform("bon", 1 / u + LOW).regime == "undecided"
