"""Gold with fractional powers on an interval that does not begin at 0: where its slope turns.

What was false: g = √r − r/8 on pareto(2) was called increasing, its slope's zero at 16 lost; √r on
pareto(3) and max(√u, ½) broke off.
"""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

import hedgetheory as ht
from hedgetheory.analysis.gold import pieces_of, slope_pattern
from hedgetheory.expressions.symbols import u


def pareto_value(n):
    """E[√R − R/8] under Best-of-n on pareto(2), from E[V^s] = Γ(n+1)Γ(s+1)/Γ(n+1+s)."""

    def power(s):
        return np.exp(gammaln(n + 1) + gammaln(1 + s) - gammaln(n + 1 + s))

    return power(-0.25) - power(-0.5) / 8


def test_a_root_minus_a_line_peaks_on_pareto():
    found = ht.check(ht.pareto(2), ht.parse_family("bon"), ht.parse_gold("sqrt(r) - r/8"))
    assert found.regime == "peak"
    grid = np.linspace(40, 80, 40_001)
    assert float(found.threshold) == pytest.approx(grid[pareto_value(grid).argmax()], abs=2e-3)


@pytest.mark.parametrize(("family", "grid"), [("tilt", (0, 8)), ("bop", (1, 60))])
def test_a_root_minus_a_line_peaks_on_a_truncated_law(family, grid):
    law = ht.parse_law("truncated(exponential, 1, 5)")
    found = ht.check(law, ht.parse_family(family), ht.parse_gold("sqrt(r) - r/3.7"))
    assert found.regime == "peak"
    x, weight = np.polynomial.legendre.leggauss(120)
    r, weight = 3 + 2 * x, 2 * weight
    total = np.exp(-1) - np.exp(-5)
    cdf, pdf = (np.exp(-1) - np.exp(-r)) / total, np.exp(-r) / total
    theta = np.linspace(*grid, 20_001)[:, None]
    if family == "tilt":
        w = np.exp(theta * (r - 5))
        w = w / (w * pdf @ weight)[:, None]
    else:
        w = (1 + theta * cdf) * np.exp(theta * (cdf - 1))
    values = (w * pdf * (np.sqrt(r) - r / 3.7)) @ weight
    best = float(theta[values.argmax(), 0])
    assert float(found.threshold) == pytest.approx(best, abs=(grid[1] - grid[0]) / 5_000)


@pytest.mark.parametrize(
    ("law", "family", "gold"),
    [
        ("pareto(3)", "bon", "sqrt(r)"),
        ("uniform", "bop", "where(u<1/4,1/2,sqrt(u))"),
        ("uniform", "bon", "max(sqrt(u),1/2)"),
    ],
)
def test_increasing_roots_increase(law, family, gold):
    found = ht.check(ht.parse_law(law), ht.parse_family(family), ht.parse_gold(gold))
    assert found.regime == "increasing"


POWERS = st.sampled_from([F(1, 3), F(1, 2), F(2, 3), F(1), F(3, 2), F(2)])
TERMS = st.dictionaries(POWERS, st.integers(-9, 9).filter(bool), min_size=1, max_size=4)


@given(TERMS, st.integers(0, 3), st.integers(1, 4))
def test_the_signs_of_the_slope_are_those_of_a_dense_scan(terms, low, width):
    expr = sympy.Add(
        *(a * u ** sympy.Rational(c.numerator, c.denominator) for c, a in terms.items())
    )
    signs, changes = slope_pattern(pieces_of(expr, u, F(low), F(low + width)))
    x = np.linspace(low, low + width, 20_003)[1:-1]
    slope = sum(float(a * c) * x ** (float(c) - 1) for c, a in terms.items())
    size = sum(abs(float(a * c)) * x ** (float(c) - 1) for c, a in terms.items())
    clear = slope[np.abs(slope) > 1e-6 * size]
    seen = np.sign(clear)
    turns = int((seen[1:] != seen[:-1]).sum())
    assert turns <= len(changes)
    # A change that the scan does not see is within its mesh of an end, or of another one.
    if len(changes) != turns:
        places = sorted([float(low), *(float(c.low) for c in changes), float(low + width)])
        assert min(np.diff(places)) < width * 1e-3
    elif seen.size:
        assert signs[0] == seen[0]


@pytest.mark.parametrize(
    ("law", "gold", "regime"),
    [
        ("affine(uniform,1/2,1)", "r**2/2 - r/2 + 2*r**(5/2)/5 - r**(3/2)/3", "increasing"),
        ("uniform", "where(u < 1/2, u, u**2/2 - u/2 + 2*u**(5/2)/5 - u**(3/2)/3)", "trough"),
    ],
)
def test_a_zero_of_the_slope_at_an_end_of_its_piece_ends(law, gold, regime):
    # The slope is (1 + √x)(x − 1/2): its zero is 1/2 = v², v irrational. This once never ended.
    found = ht.check(ht.parse_law(law), ht.parse_family("bon"), ht.parse_gold(gold))
    assert found.regime == regime
    # The same from a scan of n ∫ g u^{n−1} du by midpoints.
    mid = (np.arange(200_000) + 0.5) / 200_000
    r = mid + (0.5 if law.startswith("affine") else 0)
    slow = r**2 / 2 - r / 2 + 2 * r**2.5 / 5 - r**1.5 / 3
    g = slow if law.startswith("affine") else np.where(mid < 0.5, mid, slow)
    steps = np.sign(np.diff([(n * g * mid ** (n - 1)).mean() for n in np.linspace(1, 12, 45)]))
    signs = [step for k, step in enumerate(steps) if k == 0 or step != steps[k - 1]]
    assert signs == ([1] if regime == "increasing" else [-1, 1])
