"""Soft Best-of-n on atoms against an enumeration of all draws, typed here in mpmath."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial
from typing import Any

import mpmath
import pytest

from hedgetheory.errors import InputError
from hedgetheory.exact import Number
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

THREE = Finite({0: "1/4", "1/2": "1/4", 1: "1/2"})
FOUR = Finite({-2: "1/10", 0: "1/5", "1/3": "3/10", 2: "2/5"})
CASES = [
    (law, n, lam)
    for law in (THREE, FOUR, Bernoulli("1/3"))
    for n in (2, 3, 4)
    for lam in (Fraction(1, 10**6), Fraction(1, 2), Fraction(5))
]


def enumerated(law: FiniteLaw, n: int, lam: Fraction, places: list[Any] | None = None) -> list[Any]:
    """The policy's masses: every multiset of n draws, softmax within it."""
    mpmath.mp.dps = 40
    atoms = [(mpmath.mpf(x.numerator) / x.denominator, p) for x, p in law.atoms]
    strength = mpmath.mpf(lam.numerator) / lam.denominator
    weights = [mpmath.exp(strength * x) for x in (places or [x for x, _ in atoms])]
    masses = [mpmath.mpf(0)] * len(atoms)
    for chosen in combinations_with_replacement(range(len(atoms)), n):
        chance = mpmath.mpf(factorial(n))
        for i in set(chosen):
            p = atoms[i][1]
            count = chosen.count(i)
            chance *= (mpmath.mpf(p.numerator) / p.denominator) ** count / factorial(count)
        total = mpmath.fsum(weights[i] for i in chosen)
        for i in set(chosen):
            masses[i] += chance * chosen.count(i) * weights[i] / total
    return masses


def holds(number: Number, truth: Any, digits: int = 14) -> bool:
    """The ball contains the independent value, and is as narrow as asked."""
    low, high = number.bounds
    low, high = (mpmath.mpf(x.numerator) / x.denominator for x in (low, high))
    slack = abs(truth) * mpmath.mpf(10) ** -30
    return bool(low - slack <= truth <= high + slack and high - low <= abs(truth) * 10.0**-digits)


@pytest.mark.parametrize(("law", "n", "lam"), CASES, ids=str)
def test_masses_are_those_of_every_draw_of_n(law: FiniteLaw, n: int, lam: Fraction) -> None:
    policy = SoftBestOfN(n, lam)
    for (reward, _), mass in zip(law.atoms, enumerated(law, n, lam), strict=True):
        assert holds(value(law, policy, "mass", at=reward), mass)


@pytest.mark.parametrize(("law", "n", "lam"), CASES[::2], ids=str)
def test_functionals_are_sums_over_the_enumerated_masses(
    law: FiniteLaw, n: int, lam: Fraction
) -> None:
    masses, policy = enumerated(law, n, lam), SoftBestOfN(n, lam)
    atoms = [(mpmath.mpf(x.numerator) / x.denominator, p) for x, p in law.atoms]
    rows = [
        (m, x, mpmath.mpf(p.numerator) / p.denominator)
        for m, (x, p) in zip(masses, atoms, strict=True)
    ]
    levels = [mpmath.mpf(x.numerator) / x.denominator for x in law.cumulative]
    sums = {
        "kl": sum(m * mpmath.log(m / p) for m, _, p in rows),
        "chi2": sum((m - p) ** 2 / p for m, _, p in rows),
        "total_variation": sum(abs(m - p) for m, _, p in rows) / 2,
        "mean_reward": sum(m * x for m, x, _ in rows),
        "mean_quantile": sum(m * y for m, y in zip(masses, levels, strict=True)),
        "win_rate": sum(m * (y - p / 2) for (m, _, p), y in zip(rows, levels, strict=True)),
    }
    for quantity, truth in sums.items():
        assert holds(value(law, policy, quantity), truth), quantity
    half = value(law, policy, "renyi", order="1/2")
    assert holds(half, -2 * mpmath.log(sum(mpmath.sqrt(m * p) for m, _, p in rows)))


def test_the_quantile_scale_sees_the_upper_end_of_an_atom() -> None:
    levels = [mpmath.mpf(1) / 4, mpmath.mpf(1) / 2, mpmath.mpf(1)]
    masses = enumerated(THREE, 3, Fraction(2), levels)
    policy = SoftBestOfN(3, 2, scale="quantile")
    for (reward, _), mass in zip(THREE.atoms, masses, strict=True):
        assert holds(value(THREE, policy, "mass", at=reward), mass)


def test_a_real_n_agrees_with_quadrature_of_the_race() -> None:
    mpmath.mp.dps = 25
    n, lam = mpmath.mpf(5) / 2, mpmath.mpf(3)
    atoms = [(0, 0.25), (0.5, 0.25), (1, 0.5)]

    def phi(t: Any) -> Any:
        return sum(p * mpmath.exp(-t * mpmath.exp(lam * x)) for x, p in atoms)

    for x in (0, 0.5, 1):
        rate = mpmath.exp(lam * x)
        truth = n * mpmath.quad(
            lambda s, rate=rate: mpmath.exp(s) * rate * mpmath.exp(-mpmath.exp(s) * rate)
            * phi(mpmath.exp(s)) ** (n - 1),
            mpmath.linspace(-70, 6, 60),
        )  # fmt: skip
        assert abs(float(value(THREE, SoftBestOfN("5/2", 3), "ratio", at=x)) / truth - 1) < 1e-14


def test_masses_sum_to_one_and_the_cdf_ends_at_one() -> None:
    for policy in (SoftBestOfN(7, 4), SoftBestOfN("7/3", 4)):
        total = sum(
            (value(FOUR, policy, "mass", at=x).bounds[0] for x, _ in FOUR.atoms), Fraction(0)
        )
        assert abs(total - 1) < Fraction(1, 10**14)
        assert str(value(FOUR, policy, "cdf", at=2)) == "1 exactly"
        assert str(value(FOUR, policy, "cdf", at=-3)) == "0 exactly"


def test_the_quantile_is_the_smallest_atom_that_reaches_the_level() -> None:
    below = value(THREE, SoftBestOfN(4, 3), "cdf", at="1/2")
    assert 0.18 < float(below) < 0.19
    assert str(value(THREE, SoftBestOfN(4, 3), "quantile", at="0.18")) == "1/2 exactly"
    assert str(value(THREE, SoftBestOfN(4, 3), "quantile", at="0.19")) == "1 exactly"


def test_no_strength_or_one_draw_is_the_reference_exactly() -> None:
    for policy in (SoftBestOfN(5, 0), SoftBestOfN(1, 7)):
        assert str(value(THREE, policy, "kl")) == "0 exactly"
        assert str(value(THREE, policy, "ratio", at=1)) == "1 exactly"
        assert str(value(THREE, policy, "mean_reward")) == "5/8 exactly"
    assert str(value(THREE, SoftBestOfN(5, 0), "expected_draws")) == "5 exactly"
    assert value(THREE, SoftBestOfN("5/2", 1), "expected_draws").is_undefined


def test_scores_are_differences_of_certified_logarithms() -> None:
    step = Fraction(1, 10**6)
    for n, lam in ((Fraction(5, 2), Fraction(1, 2)),):
        for name in ("n", "lam"):
            ends = [
                SoftBestOfN(n + sign * step, lam)
                if name == "n"
                else SoftBestOfN(n, lam + sign * step)
                for sign in (-1, 1)
            ]
            low, high = (
                mpmath.log(mpmath.mpf(b.numerator) / b.denominator)
                for b in (value(THREE, p, "ratio", at=0, digits=22).bounds[0] for p in ends)
            )
            slope = (high - low) / (2 * mpmath.mpf(10) ** -6)
            score = float(value(THREE, SoftBestOfN(n, lam), "score", at=0, wrt=name))
            assert abs(score / slope - 1) < 1e-9


def test_large_strength_tends_to_best_of_n() -> None:
    for at in (0, 1):
        hard = float(value(THREE, BestOfN(4), "mass", at=at))
        assert abs(float(value(THREE, SoftBestOfN(4, 60), "mass", at=at)) - hard) < 1e-8


def test_many_draws_tend_to_the_tilt_at_rate_one_over_n() -> None:
    limit = float(value(THREE, Tilt(2), "mean_reward"))
    gaps = [limit - float(value(THREE, SoftBestOfN(n, 2), "mean_reward")) for n in (1000, 2000)]
    assert gaps[0] / gaps[1] == pytest.approx(2, abs=0.01)


def test_bad_parameters_are_refused_in_one_line() -> None:
    for call in (lambda: SoftBestOfN("1/2", 1), lambda: SoftBestOfN(2, -1)):
        with pytest.raises(InputError, match="must be a real number"):
            call()
    with pytest.raises(InputError, match="scale=rank"):
        SoftBestOfN(2, 1, scale="rank")  # type: ignore[arg-type]


def test_wrong_plug_ins_are_outside_the_certified_masses() -> None:
    # Four equally likely rewards: the plug-in is (n/S) ∫ X e^{−X} [mean over all j]^{n−1} ds.
    mpmath.mp.dps = 20
    rewards, n, lam = (0, 1, 2, 4), 3, 1
    law = Finite(dict.fromkeys(rewards, "1/4"))

    def mass(i: int, others: bool, factor: Any) -> Any:
        kept = [x for j, x in enumerate(rewards) if not (others and j == i)]

        def integrand(s: Any) -> Any:
            t = mpmath.exp(s)
            phi = sum(mpmath.exp(-t * mpmath.exp(lam * x)) for x in kept) / len(kept)
            rate = t * mpmath.exp(lam * rewards[i])
            return rate * mpmath.exp(-rate) * phi ** (n - 1)

        return factor * mpmath.quad(integrand, mpmath.linspace(-60, 5, 30))

    for i, reward in enumerate(rewards):
        low, high = value(law, SoftBestOfN(n, lam), "mass", at=reward).bounds
        right = mass(i, False, mpmath.mpf(n) / 4)
        assert abs(float(low) / right - 1) < 1e-14
        for wrong in (mass(i, False, 1), mass(i, True, mpmath.mpf(n) / 4)):
            assert not low <= Fraction(float(wrong)) <= high
