"""Whether Soft Best-of-n has a monotone likelihood ratio in λ on a law: a search, then certified.

MLR in λ says that ∂_λ ln[w(r₂)/w(r₁)] = ∫ ∂_λ∂_r ln w over [r₁, r₂] is never negative for r₁ < r₂:
one certified negative value at a rational λ refutes it, on laws with atoms as on others. It fails
on every law seen here that has no upper end: far up w(r) is near n for every λ, so that the score
∂_λ ln w falls back to zero after its peak. The search is in float64 and proves nothing by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from hedgetheory.effort import OutOfWork
from hedgetheory.errors import HedgeTheoryError
from hedgetheory.exact import Number, short
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.family import Family
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: λ times the width of the law, in the search.
STRENGTHS = tuple(Fraction(round(2 ** (k / 2 + 8)), 256) for k in range(17))
#: λ(1 − u) on the uniform law, where it fails next to the top if at all, and u further down.
_BELOW_TOP = tuple(Fraction(c, 1000) for c in (0, 3, 10, 20, 50, 100, 200, 300, 500, 1000, 2000))
_MAX_ATOMS = 60
_STEP = 0.1
#: A fall below this times the rewards is taken for noise of the search (some 1e-16 of them).
_NOISE = 2e-12
_UNBOUNDED = (Normal, Exponential, Logistic)


@dataclass(frozen=True)
class Ratio:
    """A verdict on MLR in λ and its witness."""

    verdict: str
    witness: str | dict[str, Any]


def strength_ratio(law: Law, family: Family) -> Ratio:
    """MLR of Soft Best-of-n along λ: proved, refuted with a certified witness, or undecided.

    Raises nothing: what is not certified is undecided.
    """
    policy = family.at(family.domain.lower + 1)
    assert isinstance(policy, SoftBestOfN)
    atoms = len(law.atoms) if isinstance(law, FiniteLaw) else None
    if policy.draws == 1 or atoms == 1:
        return Ratio("proved", "w = 1 throughout, and its derivatives vanish")
    if atoms == 2:
        text = (
            "two atoms: w(r2)/w(r1) increases as the probability of the upper one does (claim "
            "sbon.stochastically-increasing)"
        )
        return Ratio("proved", text)
    if policy.draws < 2:
        return Ratio("undecided", "not examined for n < 2, where the score is costly to certify")
    if policy.scale == "quantile" and isinstance(law, ContinuousLaw):
        # On the quantile scale w sees u alone, as on the uniform law.
        return _decided(Uniform(), policy.draws, "u")
    if policy.scale == "quantile":
        return Ratio("undecided", "not examined on the quantile scale of a law with atoms")
    return _decided(law, policy.draws, "r")


def _decided(law: Law, draws: Fraction, name: str) -> Ratio:
    seen = 0
    try:
        if isinstance(law, _UNBOUNDED):
            found = [_far_up(law, draws)]
        elif isinstance(law, Uniform) or (
            isinstance(law, FiniteLaw) and len(law.atoms) <= _MAX_ATOMS
        ):
            found, seen = _searched(law, draws)
        else:
            found = []
        for strength, low, high in found:
            certified = _certified(law, draws, strength, low, high)
            if certified is not None:
                return Ratio("refuted", _witness(name, strength, low, high, certified))
    except OutOfWork as why:
        return Ratio("undecided", str(why))
    searched = f"a search of {seen} pairs found no fall; " if seen else "not decided on this law; "
    return Ratio("undecided", searched + "in general it fails in lam, and is not needed")


def _witness(
    name: str, strength: Fraction, low: Fraction, high: Fraction, scores: list[Number]
) -> dict[str, Any]:
    first, second = (score.bounds for score in scores)
    least, most = second[0] - first[1], second[1] - first[0]
    return {
        "argument": f"d/dlam ln[w({name}2)/w({name}1)] < 0, the integral of d/dlam d/d{name} ln w",
        "point": {"lam": short(strength), f"{name}1": short(low), f"{name}2": short(high)},
        "value": {"low": _rounded(least, -1), "high": _rounded(most, 1)},
    }


def _rounded(x: Fraction, direction: int) -> str:
    """Four significant digits on the safe side."""
    exponent = 0
    while abs(x) * 10**exponent < 1000:
        exponent += 1
    scaled = x * 10**exponent
    whole = -(-scaled.numerator // scaled.denominator) if direction > 0 else scaled.__floor__()
    return f"{whole}e-{exponent}"


def _certified(
    law: Law, draws: Fraction, strength: Fraction, low: Fraction, high: Fraction
) -> list[Number] | None:
    """The two scores where the second is certainly smaller."""
    policy = SoftBestOfN(draws, strength)
    for digits in (2, 8):
        try:
            scores = [
                value(law, policy, "score", at=at, wrt="lam", digits=digits) for at in (low, high)
            ]
        except OutOfWork:
            raise
        except HedgeTheoryError:
            return None
        if any(score.is_undefined for score in scores):
            return None
        if scores[1].bounds[1] < scores[0].bounds[0]:
            return scores
    return None


def _far_up(law: ContinuousLaw, draws: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """λ = 1/width: the score peaks where e^{λr} is about n times its mean, and is gone far up."""
    peak = 1 + Fraction(round(4 * float(np.log(float(draws)))), 4)
    return 1 / law.width, law.centre + law.width * peak, law.centre + law.width * (3 * peak + 1)


def _searched(law: Law, draws: Fraction) -> tuple[list[tuple[Fraction, Fraction, Fraction]], int]:
    """The λ and the pair with the largest fall of the score, relative to the largest score."""
    best: tuple[float, tuple[Fraction, Fraction, Fraction] | None] = (0.0, None)
    seen = 0
    reach = law.atoms[-1][0] - law.atoms[0][0] if isinstance(law, FiniteLaw) else Fraction(1)
    for times in STRENGTHS:
        strength = times / reach
        places = _places(law, strength)
        scores = _scores(law, float(draws), float(strength), places)
        seen += len(places) * (len(places) - 1) // 2
        if not np.all(np.isfinite(scores)):
            continue
        highest = np.maximum.accumulate(scores)
        falls = highest - scores
        at = int(np.argmax(falls))
        relative = float(falls[at] / np.max(np.abs(scores)))
        noise = _NOISE * max(abs(float(places[0])), abs(float(places[-1])))
        if falls[at] > noise and relative > best[0]:
            before = int(np.argmax(scores[: at + 1]))
            best = relative, (strength, places[before], places[at])
    return ([best[1]] if best[1] is not None else []), seen


def _places(law: Law, strength: Fraction) -> list[Fraction]:
    if isinstance(law, FiniteLaw):
        return [x for x, _ in law.atoms]
    near = {1 - c / strength for c in _BELOW_TOP if c < strength}
    return sorted(near | {Fraction(i, 16) for i in range(16)})


def _scores(law: Law, draws: float, strength: float, places: Sequence[Fraction]) -> Any:
    """∂_λ ln w at each place by the trapezoid rule in s = ln t, an estimate.

    ∂_λ w = n ∫ X e^{−X} [r(1 − X) φ^{n−1} − (n − 1) ψ φ^{n−2}] ds, X = te^{λr}, ψ = E[R X e^{−X}].
    """
    rewards = np.array([float(x) for x in places])
    low, high = float(rewards.min()), float(rewards.max())
    # From X = 60 at the lowest reward down to X = e^{−40} at the highest.
    t = np.exp(np.arange(-40.0 - strength * high, np.log(60.0) - strength * low, _STEP))[:, None]
    with np.errstate(all="ignore"):
        if isinstance(law, FiniteLaw):
            masses = np.array([float(mass) for _, mass in law.atoms])
            x = t * np.exp(strength * rewards)
            phi = np.exp(-x) @ masses
            psi = (x * np.exp(-x)) @ (masses * rewards)
        else:
            from scipy.special import exp1

            top = t * np.exp(strength)
            phi = ((exp1(t) - exp1(top)) / strength)[:, 0]
            psi = (phi - np.exp(-top[:, 0])) / strength
            x = t * np.exp(strength * rewards)
        waves = x * np.exp(-x)
        more, less = phi ** (draws - 1), phi ** (draws - 2)
        ratio = more @ waves
        slope = rewards * (more @ (waves * (1 - x))) - (draws - 1) * ((psi * less) @ waves)
        return slope / ratio


__all__ = ["Ratio", "strength_ratio"]
