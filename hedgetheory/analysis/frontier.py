"""Curves for the paper's two figures: gold against KL along each family, and the gap against μ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from hedgetheory.errors import must_be
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.gap import gap_at
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import Law
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

#: Digits of a plotted point: certified, and finer than a screen.
DIGITS = 5
#: The n of the paper's Soft Best-of-n example.
SOFT_DRAWS = (8, 16, 32, 64)
MAX_POINTS = 400


@dataclass(frozen=True)
class Curve:
    """One family's curve: a name, its parameter's name, and points (θ, x, y)."""

    name: str
    parameter: str
    points: tuple[tuple[float, float, float], ...]

    @property
    def best(self) -> tuple[float, float, float]:
        """The point with the largest y (of those plotted; `check` finds the maximum itself)."""
        return max(self.points, key=lambda point: point[2])


def _grid(low: float, high: float, points: int) -> list[Fraction]:
    """``points`` rationals from low to high, evenly spaced in the logarithm, three digits each."""
    ratio = (high / low) ** (1 / (points - 1))
    return [Fraction(f"{low * ratio**i:.3g}") for i in range(points)]


def frontier(law: Law, gold: GoldCurve, points: int = 40) -> Iterator[Curve]:
    """Gold value against KL, in nats, along BoN, BoP, the tilt and SBoN in λ at n = 8, 16, 32, 64.

    Every plotted number is certified to five digits. Yields a curve at a time, since Soft
    Best-of-n takes seconds. Raises InputError for points outside 4..400, NotOnThisLaw where the
    tilt does not exist, NotCertified. Source: paper, Figure 1 (arXiv 2506.19248).
    """
    if not 4 <= points <= MAX_POINTS:
        raise must_be("points", points, f"an integer from 4 to {MAX_POINTS}", "frontier")
    families: list[tuple[str, str, Callable[[Fraction], Policy], list[Fraction]]] = [
        ("Best-of-n", "n", BestOfN, [1 + x for x in _grid(0.05, 127, points)]),
        ("Best-of-Poisson", "mu", BestOfPoisson, _grid(0.05, 127, points)),
        ("tilt", "lam", Tilt, _tilt_grid(law, points)),
    ]
    for draws in SOFT_DRAWS:
        families.append(
            (f"Soft Best-of-{draws}", "lam", _soft(draws), _grid(0.2, 200, max(points // 2, 4)))
        )
    for name, parameter, build, thetas in families:
        traced = [(Fraction(0), *_point(law, BestOfN(1), gold))]
        traced += [(theta, *_point(law, build(theta), gold)) for theta in thetas]
        yield Curve(name, parameter, tuple((float(t), x, y) for t, x, y in traced))


def _soft(draws: int) -> Callable[[Fraction], Policy]:
    return lambda theta: SoftBestOfN(draws, theta)


def _tilt_grid(law: Law, points: int) -> list[Fraction]:
    limit = getattr(law, "mgf_limit", None)
    high = 130.0 if limit is None else float(limit) * 0.99
    return _grid(min(0.1, high / 20), high, points)


def _point(law: Law, policy: Policy, gold: GoldCurve) -> tuple[float, float]:
    kl = value(law, policy, "kl", digits=DIGITS)
    return float(kl), float(value(law, policy, "gold", gold=gold, digits=DIGITS))


def gap_curve(law: Law, points: int = 120) -> Curve:
    """The gap KL(BoP_μ) − KL(tilt) at equal mean proxy reward, in nats, against μ.

    Certified to five digits. Source: paper, Figure 2 (arXiv 2506.19248).
    """
    if not 4 <= points <= MAX_POINTS:
        raise must_be("points", points, f"an integer from 4 to {MAX_POINTS}", "gap_curve")
    traced = []
    for mu in _grid(0.02, 500, points):
        traced.append((float(mu), float(mu), float(gap_at(law, mu, DIGITS).gap)))
    return Curve("gap", "mu", tuple(traced))
