"""MLR of Soft Best-of-n along λ: each witness against the definition, by mpmath or by counting."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import mpmath
import pytest

from hedgetheory.analysis.check import check
from hedgetheory.analysis.soft import likelihood
from hedgetheory.analysis.soft.likelihood import strength_ratio
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

DENSITIES = {
    "uniform": (lambda x: mpmath.mpf(1), [0, 0.5, 1]),
    "normal(1,2)": (lambda x: mpmath.npdf(x, 1, 2), [-mpmath.inf, -3, 1, 5, mpmath.inf]),
    "exponential": (lambda x: mpmath.exp(-x), [0, 1, 3, 6, 12, mpmath.inf]),
    "logistic": (
        lambda x: mpmath.sech(x / 2) ** 2 / 4,
        [-mpmath.inf, -5, 0, 5, 15, mpmath.inf],
    ),
}


def found(law, family):
    return strength_ratio(parse_law(law), parse_family(family))


def point(witness, *names):
    return [Fraction(witness["point"][name]) for name in names]


def within(witness, expected):
    low, high = (Fraction(witness["value"][name]) for name in ("low", "high"))
    slack = Fraction(1, 10**12)
    return low - slack <= Fraction(str(expected)) <= high + slack and high < 0


@pytest.mark.parametrize("law", DENSITIES)
def test_with_two_draws_the_witness_is_that_of_the_definition(law):
    result = found(law, "sbon(n=2)")
    assert result.verdict == "refuted"
    density, cuts = DENSITIES[law]
    at, low, high = (mpmath.mpf(x.numerator) / x.denominator
                     for x in point(result.witness, "lam", "r1", "r2"))  # fmt: skip

    def log_ratio(lam):
        # w(r) = 2 E[1/(1 + e^{−λ(r − R)})].
        def w(r):
            inside = sorted({*cuts, *([r] if cuts[0] < r < cuts[-1] else [])})
            return mpmath.quad(lambda x: density(x) / (1 + mpmath.exp(lam * (x - r))), inside)

        return mpmath.log(w(high) / w(low))

    with mpmath.workdps(25):
        h = mpmath.mpf("1e-5")
        slope = (log_ratio(at + h) - log_ratio(at - h)) / (2 * h)
    assert within(result.witness, mpmath.nstr(slope, 9, min_fixed=-99, max_fixed=99))


@pytest.mark.parametrize("draws", [2, 3, 4])
def test_on_atoms_the_witness_is_that_of_counting_draws(draws):
    law = {0: Fraction(1, 2), 1: Fraction(1, 4), 10: Fraction(1, 4)}
    result = found("finite({0: 1/2, 1: 1/4, 10: 1/4})", f"sbon(n={draws})")
    assert result.verdict == "refuted"
    at, low, high = point(result.witness, "lam", "r1", "r2")

    def mass(r, lam):
        total = mpmath.mpf(0)
        for drawn in product(law, repeat=draws):
            chance = mpmath.mpf(1)
            for x in drawn:
                chance *= mpmath.mpf(law[x].numerator) / law[x].denominator
            weights = [mpmath.exp(lam * x) for x in drawn]
            total += chance * sum(w for x, w in zip(drawn, weights, strict=True) if x == r) / sum(
                weights)  # fmt: skip
        return total

    with mpmath.workdps(30):
        slope = mpmath.diff(
            lambda lam: mpmath.log(mass(high, lam) / mass(low, lam)),
            mpmath.mpf(at.numerator) / at.denominator,
        )
    assert within(result.witness, mpmath.nstr(slope, 12, min_fixed=-99, max_fixed=99))


@pytest.mark.parametrize("draws", [3, 4, 16])
@pytest.mark.parametrize("law", ["normal", "exponential", "logistic"])
def test_without_an_upper_end_it_fails_for_more_draws(law, draws):
    result = found(law, f"sbon(n={draws})")
    assert result.verdict == "refuted"
    assert Fraction(result.witness["value"]["high"]) < 0


def test_on_the_uniform_law_it_fails_for_three_and_four_draws_and_five_stay_open():
    verdicts = [found("uniform", f"sbon(n={n})").verdict for n in (3, 4, 5)]
    assert verdicts == ["refuted", "refuted", "undecided"]


def test_the_quantile_scale_is_the_uniform_law():
    first = found("normal", "sbon(n=3, scale=quantile)").witness
    second = found("uniform", "sbon(n=3)").witness
    assert first["value"] == second["value"]
    assert point(first, "lam", "u1", "u2") == point(second, "lam", "r1", "r2")


@pytest.mark.parametrize(
    ("law", "family", "verdict"),
    [
        ("bernoulli(1/3)", "sbon(n=4)", "proved"),
        ("bernoulli(1/3)", "sbon(n=3/2)", "proved"),
        ("finite({2: 1})", "sbon(n=4)", "proved"),
        ("normal", "sbon(n=1)", "proved"),
        ("normal", "sbon(n=3/2)", "undecided"),
        ("finite({0: 1/4, 1/2: 1/4, 1: 1/2})", "sbon(n=4)", "undecided"),
        ("gumbel", "sbon(n=4)", "undecided"),
    ],
)
def test_what_is_not_certified_is_not_refuted(law, family, verdict):
    assert found(law, family).verdict == verdict


def test_a_false_find_of_the_search_is_not_refuted(monkeypatch):
    # λ = 1, u = 1/4 and 1/2: the score rises there.
    pair = Fraction(1), Fraction(1, 4), Fraction(1, 2)
    monkeypatch.setattr(likelihood, "_searched", lambda law, draws: ([pair], 1))
    assert found("uniform", "sbon(n=2)").verdict == "undecided"


def test_check_tells_the_witness_and_that_the_score_is_not_monotone():
    result = check(parse_law("uniform"), parse_family("sbon(n=2)"), parse_gold("u"), 6)
    told = {h.id: h for h in result.hypotheses}
    assert told["mlr"].verdict == told["score_monotone"].verdict == "refuted"
    assert told["kl_increasing"].verdict == told["proxy_increasing"].verdict == "proved"
    assert set(told["mlr"].witness["point"]) == {"lam", "r1", "r2"}
