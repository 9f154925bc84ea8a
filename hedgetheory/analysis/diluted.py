"""Families that mix Best-of-n with the reference: the picture of Best-of-n, its values mapped.

f = s f₁ + (1 − s) f₀ with f₁ the value of Best-of-n and f₀ that of the reference. Along n at a
fixed s > 0 every extremum stays where it is; along θ at s = 1/(1 + θ) and a fixed n, f moves in one
direction from f₁ to f₀, that of f₀ − f₁.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeAlias

from hedgetheory.analysis.compare import Valued, exceeds
from hedgetheory.analysis.gold import Gold
from hedgetheory.analysis.hypotheses import Hypothesis
from hedgetheory.analysis.picture import Extremum, Picture, Point, settled
from hedgetheory.analysis.soft.pattern import between
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number, short
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.numerics.ball import ball, hull, number, precision
from hedgetheory.policies.family import Family, Mixture

Examination: TypeAlias = tuple[Picture, list[Hypothesis]]
Examine: TypeAlias = Callable[[Law, Family, Gold], Examination]

_ROUTE = "f = s*f(bon) + (1 - s)*f(reference)"


def diluted(law: Law, mixture: Mixture, gold: Gold, examine: Examine) -> Examination:
    """The picture and the hypotheses of a mixture, from those of Best-of-n by ``examine``."""
    picture, conditions = examine(law, mixture.base, gold)
    if mixture.start is None:
        return _along(picture, mixture), _along_conditions(law, mixture, conditions)
    return _towards(picture, mixture.start), _towards_conditions(mixture.start, conditions)


# Along n ----------------------------------------------------------------------------------------


def _along(picture: Picture, mixture: Mixture) -> Picture:
    share, power = mixture.share, mixture.power
    start = picture.lower_end.value

    def value(of: Valued) -> Valued:
        return mixed(of, start, share)

    return replace(
        picture,
        extrema=[_moved(e, value(e.value), power) for e in picture.extrema],
        upper_end=replace(picture.upper_end, value=value(picture.upper_end.value)),
        value_at=lambda x, digits: value(lambda d: picture.value_at(x**power, d))(digits),
        route=f"{_ROUTE}, with bon at n**{power}: {picture.route}"
        if power > 1
        else f"{_ROUTE}: {picture.route}",
        touches=picture.touches if power == 1 else [],
    )


def _moved(extremum: Extremum, value: Valued, power: int) -> Extremum:
    if power == 1:
        return replace(extremum, value=value)

    def theta(digits: int) -> Number:
        found = extremum.theta(digits + 2)
        if found.is_undefined:
            return found
        low, high = found.bounds

        def root() -> object:
            return hull(ball(low).root(power), ball(high).root(power))

        return settled(root, digits)

    low, high = theta(6).bounds
    return Extremum(theta, value, True, extremum.kind, None, (low, high))


def _along_conditions(law: Law, mixture: Mixture, base: list[Hypothesis]) -> list[Hypothesis]:
    if mixture.share == 1:
        return base
    beta = 1 / mixture.share - 1
    return [_along_condition(law, beta, condition) for condition in base]


def _along_condition(law: Law, beta: Fraction, base: Hypothesis) -> Hypothesis:
    match base.id:
        case "mlr" | "score_monotone":
            return _not_monotone(law, beta, base.id)
        case "kernel_tp2" if base.verdict == "proved":
            text = f"k is s times that of Best-of-n: {base.witness}"
            return replace(base, witness=text)
        case "kl_increasing" if base.verdict == "proved":
            text = (
                "w does not decrease in r, and the family increases stochastically in n: KL rises "
                "by a divergence and more"
            )
            return replace(base, witness=text)
        case "proxy_increasing" if base.verdict == "proved":
            return replace(base, witness="G = s*u**n + (1 - s)*u falls strictly in n on 0 < u < 1")
    return base


def _not_monotone(law: Law, beta: Fraction, name: str) -> Hypothesis:
    """∂n∂u ln(n u^{n−1} + β) has the sign of n²u^{n−1} + β((2n − 1) + n(n − 1) ln u), which falls
    below zero as u → 0."""
    if not isinstance(law, ContinuousLaw):
        return Hypothesis(name, "undecided", "not decided on atoms, nor needed: the kernel is TP2")
    quantile, sign = Fraction(1, 8), None
    for _ in range(64):
        with precision(64):
            sign = ball(4 * quantile) + ball(beta) * (3 + 2 * ball(quantile).log())
        if sign < 0:
            break
        quantile = quantile**2 if quantile > Fraction(1, 2**512) else quantile / 2**512
    if sign is None or not sign < 0:
        return Hypothesis(name, "undecided", "no witness was found for so small a share")
    witness = {
        "argument": "d/dn d/du log(n*u**(n-1) + beta) has the sign of n**2*u**(n-1) + "
        "beta*((2n - 1) + n*(n - 1)*log(u)): negative near u = 0",
        "point": {"n": "2", "u": str(quantile), "beta": short(beta)},
        "value": str(number(sign, 6)),
    }
    return Hypothesis(name, "refuted", witness)


# Towards the reference --------------------------------------------------------------------------


def _towards(picture: Picture, start: Fraction) -> Picture:
    reference = picture.lower_end.value
    greedy: Valued = reference if start == 1 else lambda digits: picture.value_at(start, digits)
    signs, reason = _direction(greedy, reference, same=start == 1)
    return Picture(
        signs,
        [],
        Point(lambda _: Number.exact(0), greedy),
        Point(lambda _: Number.infinity(), reference, attained=False),
        lambda x, digits: mixed(greedy, reference, 1 / (1 + x))(digits),
        reason,
        f"{_ROUTE} with s = 1/(1 + beta): f moves in one direction",
    )


def _direction(greedy: Valued, reference: Valued, same: bool) -> tuple[list[int], str]:
    """The sign of f₀ − f₁, and why it is not known."""
    if same:
        return [], ""
    try:
        ends = [end(20) for end in (greedy, reference)]
        if any(end.is_undefined for end in ends):
            return [], f"a value is not known: {next(e.reason for e in ends if e.is_undefined)}"
        if any(end.infinite for end in ends):
            return [], "the values are infinite: f does not move"
        if ends[0].fraction is not None and ends[0].fraction == ends[1].fraction:
            return [], ""
        for sign, (first, second) in ((1, (reference, greedy)), (-1, (greedy, reference))):
            if exceeds(first, second):
                return [sign], ""
    except NotCertified as why:
        return [], f"the two ends are not told apart: {why}"
    return [], "the two ends are not told apart: their balls overlap at every precision tried"


def _towards_conditions(start: Fraction, base: list[Hypothesis]) -> list[Hypothesis]:
    if start == 1 or any(h.id == "kl_increasing" and h.verdict != "proved" for h in base):
        text = "w = 1 for every beta: nothing changes"
        return [
            h if h.id == "gold_sign_changes" else Hypothesis(h.id, "refuted", text) for h in base
        ]
    falls = "the score in beta, 1/(w + beta) - 1/(1 + beta) with w of Best-of-n, decreases in r"
    n = short(start)
    told: dict[str, tuple[str, str | Mapping[str, Any]]] = {
        "mlr": (
            "refuted",
            {
                "argument": f"{falls}: MLR holds in -beta, not in beta",
                "point": {"n": n, "beta": "1", "u": "1/4 and 3/4"},
                "value": "the score is larger at u = 1/4",
            },
        ),
        "kernel_tp2": (
            "proved",
            f"k = -dG/dbeta = -(u - u**{n})/(1 + beta)**2 is a product: all its minors are 0",
        ),
        "score_monotone": ("proved", falls),
        "kl_increasing": ("refuted", "decreasing in beta: closer to the reference as beta grows"),
        "proxy_increasing": ("refuted", "decreasing in beta: less greedy as beta grows"),
    }
    return [Hypothesis(h.id, *told[h.id]) if h.id in told else h for h in base]


# Values -----------------------------------------------------------------------------------------


def mixed(greedy: Valued, reference: Valued, share: Fraction) -> Valued:
    """s f₁ + (1 − s) f₀ to any number of digits; NotCertified where these cannot be had."""
    if share == 1:
        return greedy

    def value(digits: int) -> Number:
        best = None
        for ask in (digits + 3, 2 * digits + 30, 8 * digits + 200):
            first, second = greedy(ask), reference(ask)
            if first.is_undefined or second.is_undefined:
                if best is None:
                    return first if first.is_undefined else second
                break
            if first.infinite or second.infinite:
                if first.infinite * second.infinite < 0:
                    return Number.undefined("E[g] is infinite with both signs")
                return Number.infinity(first.infinite or second.infinite)
            low, high = (
                share * x + (1 - share) * y
                for x, y in zip(first.bounds, second.bounds, strict=True)
            )
            if low == high:
                return Number.exact(low)
            best = between(low, high, digits)
            near = min(abs(low), abs(high)) if low * high > 0 else Fraction(0)
            tiny = max(abs(low), abs(high)) < Fraction(1, 10 ** (5 * digits + 18))
            if high - low <= near / 10 ** (digits + 1) or tiny:
                return best
        raise NotCertified(f"a mixed value is not certified to {digits} digits", best)

    return value
