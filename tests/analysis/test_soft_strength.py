"""Soft Best-of-n along λ: troughs and several turns found, against enumeration of the draws."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.analysis.soft import strength as soft
from hedgetheory.laws.uniform import Uniform
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

ATOMS = {Fraction(0): Fraction(3, 10), Fraction(1, 2): Fraction(2, 5), Fraction(1): Fraction(3, 10)}
GOLD = "r*(3/4 - r)"
#: A low pair of atoms close together: the ratio of the two kernels rises, then falls with λ.
LOW_PAIR = {
    Fraction(0): Fraction(177, 250),
    Fraction(1, 20): Fraction(13, 50),
    Fraction(1): Fraction(4, 125),
}


#: n = 8, u²(1 − u): where f turns, by the independent evaluation below, and the box asked for.
TURN, BOX = 3.595, 4


def by_counts(law: dict[Fraction, Fraction], golds: list[float], n: int, strength: float) -> float:
    """E[g] on three atoms: a sum over how many of each atom are drawn, with softmax weights."""
    values, masses = list(law), [float(p) for p in law.values()]
    rates = [math.exp(strength * float(x - values[-1])) for x in values]
    total = 0.0
    for i, j in product(range(n + 1), repeat=2):
        counts = (i, j, n - i - j)
        if counts[2] < 0:
            continue
        weight = math.factorial(n)
        probability = 1.0
        for count, mass in zip(counts, masses, strict=True):
            weight //= math.factorial(count)
            probability *= mass**count
        shares = [count * rate for count, rate in zip(counts, rates, strict=True)]
        mean = sum(s * g for s, g in zip(shares, golds, strict=True)) / sum(shares)
        total += weight * probability * mean
    return total


def uniform_by_gauss(n: int, strength: float) -> float:
    """E[u²(1 − u)] on the uniform law: the race in ln t by the trapezoid rule, Gauss in u."""
    nodes, weights = np.polynomial.legendre.leggauss(160)
    x, weights = (nodes + 1) / 2, weights / 2
    rate = np.exp(np.arange(-40, 4, 0.125)[:, None] + strength * x[None, :])
    phi = np.exp(-rate) @ weights
    moment = (rate * np.exp(-rate)) @ (weights * x**2 * (1 - x))
    return float(n * 0.125 * np.sum(phi ** (n - 1) * moment))


def turns_of(values: list[float]) -> list[int]:
    """The indices where a sequence turns."""
    rises = [b > a for a, b in pairwise(values)]
    return [i for i, (a, b) in enumerate(pairwise(rises), 1) if a != b]


def found_on(law: dict[Fraction, Fraction], n: int, gold: str) -> CheckResult:
    atoms = ", ".join(f"{place}: {mass}" for place, mass in law.items())
    return check(
        parse_law(f"finite({{{atoms}}})"), parse_family(f"sbon(n={n})"), parse_gold(gold), digits=6
    )


@pytest.mark.parametrize(
    ("middle", "top", "regime", "kinds"),
    [
        # g = (0, 1, top): the slope of f has the sign of 1/(1 − top) less the ratio of kernels.
        (1, Fraction(-1, 10), "trough", ["min"]),
        (1, Fraction(1, 10), "multiple", ["max", "min"]),
    ],
)
def test_n_16_on_three_atoms_turns_up_again(
    middle: int, top: Fraction, regime: str, kinds: list[str]
) -> None:
    gold = f"where(r < 1/40, 0, where(r < 1/2, {middle}, {top}))"
    found = found_on(LOW_PAIR, 16, gold)
    assert (found.regime, [e.kind for e in found.extrema]) == (regime, kinds)
    scan = [2 ** (k / 8) for k in range(-40, 62)]
    values = [by_counts(LOW_PAIR, [0, middle, float(top)], 16, x) for x in scan]
    turns = turns_of(values)
    assert len(turns) == len(kinds)
    for extremum, index in zip(found.extrema, turns, strict=True):
        assert scan[index - 1] < float(extremum.theta) < scan[index + 1]
        again = by_counts(LOW_PAIR, [0, middle, float(top)], 16, float(extremum.theta))
        assert float(extremum.value) == pytest.approx(again, rel=1e-6)
    assert {h.id: h.verdict for h in found.hypotheses}["gold_sign_changes"] == "proved"


def test_atoms_are_decided_on_the_whole_half_line() -> None:
    found = found_on(ATOMS, 3, GOLD)
    assert (found.regime, found.complete, found.hacking) == ("decreasing", "certified", "certified")
    assert found.domain == "[0, inf)"
    values = [by_counts(ATOMS, [0, 0.125, -0.25], 3, 2 ** (k / 4)) for k in range(-20, 32)]
    assert turns_of(values) == []


def test_the_ends_are_the_reference_and_best_of_n() -> None:
    found = found_on(ATOMS, 3, GOLD)
    reference = sum(p * r * (Fraction(3, 4) - r) for r, p in ATOMS.items())
    assert found.ends[0].value.fraction == reference
    expected = by_counts(ATOMS, [0, 0.125, -0.25], 3, 600.0)
    assert float(found.ends[1].value) == pytest.approx(expected, rel=1e-9)
    assert not found.ends[1].attained


def test_monotone_gold_is_monotone_on_every_law() -> None:
    for law, n in (("normal(0,1)", "7/2"), ("logistic(0,1)", "4"), ("uniform", "9")):
        family = parse_family(f"sbon(n={n})")
        found = check(parse_law(law), family, parse_gold("2*r"), digits=4)
        assert (found.regime, found.complete) == ("increasing", "certified")


def test_the_turns_on_a_stated_box_and_nothing_beyond_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soft, "FARTHEST", Fraction(BOX))
    found = check(Uniform(), parse_family("sbon(n=8)"), parse_gold("u**2*(1-u)"), digits=4)
    (top,) = found.extrema
    values = [uniform_by_gauss(8, strength) for strength in (TURN - 0.1, TURN, TURN + 0.1)]
    assert values[0] < values[1] > values[2]
    assert abs(float(top.theta) - TURN) < 0.05
    # All there are on the box; the half-line beyond it stays open, and is said to be.
    assert (found.regime, found.complete) == ("undecided", "certified")
    assert found.domain == f"0 <= lam <= {BOX}"
    assert found.hacking == "undecided"
    assert found.best is None


def test_bounded_work_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soft, "BUDGET", 60.0)
    found = check(Uniform(), parse_family("sbon(n=4)"), parse_gold("u*(1-u)"), digits=4)
    assert found.regime == "undecided"
    assert found.domain.startswith("0 <= lam <= ")
    assert "no theorem" in found.complete_reason


def test_a_curve_that_never_moves_is_not_called_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # n = 2 and gold symmetric about 1/2: f = 1/6 for every λ, which no ball can show.
    monkeypatch.setattr(soft, "BUDGET", 20.0)
    found = check(Uniform(), parse_family("sbon(n=2)"), parse_gold("u*(1-u)"), digits=4)
    assert (found.regime, found.complete, found.extrema) == ("undecided", "undecided", ())


def test_turns_beyond_the_bounded_work_are_still_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soft, "BUDGET", 25.0)
    monkeypatch.setattr(soft, "FARTHEST", Fraction(8))
    found = check(Uniform(), parse_family("sbon(n=8)"), parse_gold("u**2*(1-u)"), digits=4)
    assert [abs(float(e.theta) - TURN) < 0.05 for e in found.extrema] == [True]
    assert found.domain == "0 <= lam <= 0.6250"
    assert "1 more change(s) of sign" in found.complete_reason
