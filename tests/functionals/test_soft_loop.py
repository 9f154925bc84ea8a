"""Every quantity of Soft Best-of-n: by balls, by mpmath, and by enumerating the draws."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import pytest

from hedgetheory.functionals.estimates import highprec
from hedgetheory.functionals.quantities import QUANTITIES, plans, value
from hedgetheory.laws.base import Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_gold

ATOMS = Finite({0: "1/4", "1/2": "1/4", 1: "1/2"})
GOLD = parse_gold("r*(1-r) + r/5")
SCALES = ("reward", "quantile")


def arguments(quantity: str, at: str = "1/2") -> dict[str, Any]:
    needs = QUANTITIES[quantity].needs
    given: dict[str, Any] = {"at": at} if "at" in needs else {}
    if "level" in needs:
        given["at"] = "1/3"
    if "order" in needs:
        given["order"] = "1/2"
    if "gold" in needs:
        given["gold"] = GOLD
    if "wrt" in needs:
        given["wrt"] = "lam"
    return given


def enumerated(n: int, lam: Any, seen: list[Any]) -> list[Any]:
    """The mass of each atom: over all n-tuples of draws, the softmax's shares."""
    masses = [mpmath.mpf(p.numerator) / p.denominator for _, p in ATOMS.atoms]
    out = [mpmath.mpf(0)] * len(masses)
    for draw in product(range(len(masses)), repeat=n):
        weights = [mpmath.exp(lam * seen[i]) for i in draw]
        chance = mpmath.fprod(masses[i] for i in draw) / mpmath.fsum(weights)
        for i, weight in zip(draw, weights, strict=True):
            out[i] += chance * weight
    return out


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("n", [2, 4])
def test_every_quantity_on_atoms_is_that_of_the_enumerated_draws(n: int, scale: Any) -> None:
    mpmath.mp.dps = 25
    places = [mpmath.mpf(0), mpmath.mpf("0.5"), mpmath.mpf(1)]
    levels = [mpmath.mpf("0.25"), mpmath.mpf("0.5"), mpmath.mpf(1)]
    seen = places if scale == "reward" else levels
    lam, step = mpmath.mpf("0.75"), mpmath.mpf(10) ** -8
    mass = enumerated(n, lam, seen)
    base = [mpmath.mpf("0.25"), mpmath.mpf("0.25"), mpmath.mpf("0.5")]
    w = [m / p for m, p in zip(mass, base, strict=True)]
    moved = [enumerated(n, lam + s * step, seen)[1] for s in (-1, 1)]

    def mean(terms: Any) -> Any:
        return mpmath.fsum(m * x for m, x in zip(mass, terms, strict=True))

    truth = {
        "ratio": w[1],
        "mass": mass[1],
        "cdf": mass[0] + mass[1],
        "score": mpmath.log(moved[1] / moved[0]) / (2 * step),
        "kl": mean(mpmath.log(x) for x in w),
        "chi2": mean(w) - 1,
        "renyi": -2
        * mpmath.log(mpmath.fsum(p * mpmath.sqrt(x) for p, x in zip(base, w, strict=True))),
        "total_variation": mpmath.fsum(abs(m - p) for m, p in zip(mass, base, strict=True)) / 2,
        "mean_reward": mean(places),
        "mean_quantile": mean(levels),
        "win_rate": mean(x - p / 2 for x, p in zip(levels, base, strict=True)),
        "gold": mean(x * (1 - x) + x / 5 for x in places),
        "expected_draws": mpmath.mpf(n),
    }
    cumulative = [mass[0], mass[0] + mass[1], mpmath.mpf(1)]
    truth["quantile"] = next(x for x, c in zip(places, cumulative, strict=True) if c >= 1 / 3)
    assert set(truth) | {"density"} == set(QUANTITIES)
    policy = SoftBestOfN(n, "0.75", scale)
    for quantity, expected in truth.items():
        given = arguments(quantity)
        ours = value(ATOMS, policy, quantity, **given)
        tolerance = 1e-9 if quantity == "score" else 1e-14
        assert float(ours) == pytest.approx(float(expected), rel=tolerance), quantity
        estimate = highprec(next(iter(plans(ATOMS, policy, quantity, **given))), 10)
        assert float(estimate) == pytest.approx(float(expected), rel=1e-8), quantity


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("law", [Uniform(), Normal(1, 2), Exponential(2)], ids=str)
def test_every_quantity_has_a_certified_value_without_atoms(law: Law, scale: Any) -> None:
    for quantity in QUANTITIES:
        ours = value(law, SoftBestOfN(3, "3/4", scale), quantity, digits=4, **arguments(quantity))
        assert ours.bounds[0] <= ours.bounds[1], quantity


@pytest.mark.parametrize("n", [Fraction(3, 2), Fraction(5, 2)], ids=str)
@pytest.mark.parametrize("law", [ATOMS, Normal(1, 2)], ids=str)
def test_scores_for_real_n_are_differences_of_certified_logarithms(law: Law, n: Fraction) -> None:
    mpmath.mp.dps = 25
    step = Fraction(1, 10**5)
    for name in ("n", "lam"):
        logs = []
        for sign in (-1, 1):
            shift = (n + sign * step, 1) if name == "n" else (n, 1 + sign * step)
            low = value(law, SoftBestOfN(*shift), "ratio", at="1/2", digits=14).bounds[0]
            logs.append(mpmath.log(mpmath.mpf(low.numerator) / low.denominator))
        slope = float((logs[1] - logs[0]) / 2e-5)
        score = value(law, SoftBestOfN(n, 1), "score", at="1/2", wrt=name, digits=5)
        assert float(score) == pytest.approx(slope, abs=1e-7)
