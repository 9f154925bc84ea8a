"""Laws with atoms: the picture against brute force on the definition."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.finite import Bernoulli, Finite

from .support import FAMILIES, found


def brute_force(family: str, law: Finite, values: list[int], theta: float) -> float:
    """Σ_i [G(F_i) − G(F_{i−1})] g_i, or the weights e^{θr} p normalised."""
    cdf = np.array([0.0, *map(float, law.cumulative)])
    reward, mass = (np.array([float(x) for x in column]) for column in zip(*law.atoms, strict=True))
    if family == "tilt":
        weight = mass * np.exp(theta * (reward - reward.max()))
        return float(weight @ values / weight.sum())
    rank = {
        "bon": lambda x: x**theta,
        "bop": lambda x: x * np.exp(theta * (x - 1)),
        "quantile_tilt": lambda x: (
            np.exp(theta * (x - 1)) * -np.expm1(-theta * x) / -np.expm1(-theta)
        ),
    }[family]
    return float(np.diff(rank(cdf)) @ values)


def interpolated(law: Finite, values: list[int]) -> sympy.Expr:
    points = [
        (sympy.Rational(v.numerator, v.denominator), g)
        for (v, _), g in zip(law.atoms, values, strict=True)
    ]
    return sympy.sympify(sympy.interpolate(points, r))


@pytest.mark.parametrize("family", FAMILIES)
@given(
    atoms=st.lists(st.tuples(st.integers(1, 9), st.integers(-9, 9)), min_size=2, max_size=6),
    start=st.integers(-3, 3),
)
@settings(max_examples=25, derandomize=True, deadline=None, database=None)
def test_brute_force_never_contradicts_the_picture(family, atoms, start):
    total = sum(weight for weight, _ in atoms)
    law = Finite({start + i: Fraction(weight, total) for i, (weight, _) in enumerate(atoms)})
    values = [g for _, g in atoms]
    result = found(law, family, interpolated(law, values))
    assert result.complete == "certified"
    grid = np.geomspace(1e-2, 60, 200) + (1 if family == "bon" else 0)
    steps = np.diff([brute_force(family, law, values, theta) for theta in grid])
    signs = {"increasing": [1], "decreasing": [-1], "constant": [0]}.get(result.regime)
    if signs is None:
        signs = [1 if e.kind == "max" else -1 for e in result.extrema]
        signs.append(-signs[-1])
    places = [float(e.theta) for e in result.extrema]
    for low, high, step in zip(grid, grid[1:], steps, strict=False):
        stretch = sum(place < low for place in places)
        if stretch == sum(place < high for place in places) and abs(step) > 1e-11:
            assert np.sign(step) == signs[stretch]
    for extremum in result.extrema:
        value = brute_force(family, law, values, float(extremum.theta))
        assert float(extremum.value) == pytest.approx(value, abs=1e-11)


def test_on_two_atoms_every_family_is_monotone():
    for family in FAMILIES:
        assert found(Bernoulli("1/4"), family, 1 - r).regime == "decreasing"
        assert found(Bernoulli("1/4"), family, r).regime == "increasing"


def test_gold_in_u_is_taken_at_the_cdf_of_the_atom():
    law = Finite({0: "1/4", 5: "1/4", 7: "1/2"})
    # u = 1/4, 1/2, 1: E[u] = 1/16 + 1/8 + 1/2.
    assert found(law, "bon", u).ends[0].value.fraction == Fraction(11, 16)


def test_one_atom_leaves_nothing_to_select():
    result = found(Finite({2: 1}), "bop", r)
    assert result.regime == "constant"
    verdicts = {h.id: h.verdict for h in result.hypotheses}
    assert verdicts["kl_increasing"] == verdicts["proxy_increasing"] == "refuted"
    assert result.hacking == "refuted"


def test_best_of_n_on_atoms_compares_integers_exactly():
    # f(n) = 2^{-n} + ... with values 0, 1, 0 at F = 1/2, 3/4, 1: (3/4)^n − (1/2)^n, equal at 1, 2
    # only if 1/4 = 5/16: the best is n = 2 with 5/16.
    law = Finite({0: "1/2", 1: "1/4", 2: "1/4"})
    integer = found(law, "bon", r * (2 - r)).integer
    assert integer is not None
    assert integer.best == [2]
    assert {n: v.fraction for n, v in integer.candidates}[2] == Fraction(5, 16)


def test_irrational_gold_values_on_atoms_are_certified():
    law = Finite({0: "1/2", 1: "1/4", 2: "1/4"})
    result = found(law, "bop", sympy.exp(-((r - 1) ** 2)))
    assert result.regime in ("peak", "decreasing", "increasing")
    assert result.complete == "certified"
