"""Soft Best-of-n along λ: certified turns, never called complete, against enumerated softmax."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest

from hedgetheory.analysis.check import check
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.uniform import Uniform
from hedgetheory.spec.grammar import parse_family, parse_gold

ATOMS = {Fraction(0): Fraction(3, 10), Fraction(1, 2): Fraction(2, 5), Fraction(1): Fraction(3, 10)}
GOLD = "r*(3/4 - r)"


def enumerated(n: int, strength: float) -> float:
    """E[g] over every ordered draw of n and every softmax choice among it."""
    total = 0.0
    for draw in product(ATOMS, repeat=n):
        probability = math.prod(float(ATOMS[value]) for value in draw)
        weights = [math.exp(strength * float(value)) for value in draw]
        golds = [float(value) * (0.75 - float(value)) for value in draw]
        average = sum(w * g for w, g in zip(weights, golds, strict=True)) / sum(weights)
        total += probability * average
    return total


def test_a_turn_is_where_enumeration_turns() -> None:
    found = check(Finite(ATOMS), parse_family("sbon(n=3)"), parse_gold(GOLD), digits=6)
    scan = [2 ** (k / 8) for k in range(-48, 57)]
    values = [enumerated(3, strength) for strength in scan]
    tops = [
        scan[i]
        for i in range(1, len(scan) - 1)
        if values[i] > values[i - 1] and values[i] > values[i + 1]
    ]
    assert [extremum.kind for extremum in found.extrema] == ["max"] * len(tops)
    for extremum, near in zip(found.extrema, tops, strict=True):
        theta = float(extremum.theta)
        assert near / 2**0.125 < theta < near * 2**0.125
        assert float(extremum.value) == pytest.approx(enumerated(3, theta), rel=1e-5)


def test_the_list_is_never_called_complete() -> None:
    found = check(Finite(ATOMS), parse_family("sbon(n=3)"), parse_gold(GOLD), digits=4)
    assert (found.regime, found.complete, found.hacking) == ("undecided", "undecided", "undecided")
    assert "not proved" in found.complete_reason
    assert found.best is None


def test_the_ends_are_the_reference_and_best_of_n() -> None:
    found = check(Finite(ATOMS), parse_family("sbon(n=3)"), parse_gold(GOLD), digits=4)
    reference = sum(p * r * (Fraction(3, 4) - r) for r, p in ATOMS.items())
    assert found.ends[0].value.fraction == reference
    assert float(found.ends[1].value) == pytest.approx(enumerated(3, 600.0), rel=1e-9)
    assert not found.ends[1].attained


def test_the_threshold_on_the_uniform_law_is_not_that_of_the_marginal_covariance() -> None:
    # The mean of the within-draw covariance vanishes at 26.1, the marginal covariance at 21.4.
    found = check(Uniform(), parse_family("sbon(n=16)"), parse_gold("u**12*(1-u)"), digits=4)
    (top,) = found.extrema
    assert abs(float(top.theta) - 26.12) < 0.01
