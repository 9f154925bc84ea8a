"""What `check` hands back: a picture of f turned into numbers, verdicts and reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from hedgetheory.analysis.compare import largest
from hedgetheory.analysis.hypotheses import Hypothesis
from hedgetheory.analysis.integers import IntegerChoice, best_integer
from hedgetheory.analysis.picture import Extremum, Picture, Point
from hedgetheory.analysis.raw_tilt import tilt_domain
from hedgetheory.analysis.soft.pattern import along_draws, between
from hedgetheory.effort import OutOfWork, doing, found
from hedgetheory.exact import Number, short
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.policies.family import Family


@dataclass(frozen=True)
class ExtremumFound:
    """An interior extremum of f."""

    theta: Number
    value: Number
    kind: str


@dataclass(frozen=True)
class EndFound:
    """An end of the domain with the value there, a limit where it is not attained."""

    theta: Number
    value: Number
    attained: bool


@dataclass(frozen=True)
class CheckResult:
    """What `check` finds; `to_json` gives the fields of the command-line contract."""

    regime: str
    extrema: tuple[ExtremumFound, ...]
    ends: tuple[EndFound, ...]
    best: EndFound | None
    integer: IntegerChoice | None
    complete: str
    domain: str
    complete_reason: str
    hacking: str
    threshold: Number
    hypotheses: tuple[Hypothesis, ...]
    digits: int
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The contract's fields for `check`, without the common ones."""
        entry: dict[str, Any] = {
            "regime": self.regime,
            "extrema": [
                {"theta": self._json(e.theta), "value": self._json(e.value), "kind": e.kind}
                for e in self.extrema
            ],
            "ends": [
                {"theta": self._json(e.theta), "value": self._json(e.value), "attained": e.attained}
                for e in self.ends
            ],
            "best": None
            if self.best is None
            else {"theta": self._json(self.best.theta), "value": self._json(self.best.value)},
            "complete": {
                "verdict": self.complete,
                "domain": self.domain,
                "reason": self.complete_reason,
            },
            "hacking": {"verdict": self.hacking, "threshold": self._json(self.threshold)},
            "hypotheses": [h.to_json() for h in self.hypotheses],
        }
        if self.threshold.is_undefined:
            entry["hacking"]["reason"] = self.threshold.reason
        if self.integer is not None:
            entry["integer"] = self.integer.to_json(self.digits)
        if self.notes:
            entry["notes"] = list(self.notes)
        return entry

    def _json(self, number: Number) -> dict[str, str] | None:
        return number.to_json(self.digits)


def told(
    law: Law, family: Family, picture: Picture, conditions: list[Hypothesis], digits: int
) -> CheckResult:
    """The result that a picture and the hypotheses make.

    Where the bound of the work ends it, the regime stands, each turn has the place it is known to
    be in, and what is not computed is undefined with its reason.
    """
    doing("the digits of the points")
    found(f"the regime is {picture.regime}" if picture.complete else "the regime is undecided")
    stopped: list[str] = []

    def known(evaluate: Callable[[], Any], rough: Callable[[str], Any]) -> Any:
        try:
            return evaluate()
        except OutOfWork as why:
            stopped.append(str(why))
            return rough(str(why))

    mixed = family.mixture is not None and family.mixture.start is None
    counted = family.name == "bon" or mixed or along_draws(family) or picture.whole
    known(lambda: picture.ahead(digits), lambda why: None)
    extrema = tuple(
        ExtremumFound(
            known(partial(e.theta, digits), partial(_rough_place, e, digits)),
            known(partial(e.value, digits), Number.undefined),
            e.kind,
        )
        for e in picture.extrema
    )
    ends = tuple(
        EndFound(
            known(partial(end.theta, digits), Number.undefined),
            known(partial(end.value, digits), Number.undefined),
            end.attained,
        )
        for end in (picture.lower_end, picture.upper_end)
    )
    best, notes = known(
        lambda: _best(picture, digits), lambda why: (None, [f"best is not stated: {why}"])
    )
    integer = known(lambda: best_integer(picture, digits), lambda why: None) if counted else None
    verdict, threshold = known(
        lambda: hacking(picture, conditions, digits),
        lambda why: ("certified", _first_or_last(picture, extrema, ends)),
    )
    if picture.falls:
        notes.append("hacking is read along falling theta, in which KL and proxy reward increase")
    if picture.whole:
        notes.append("theta takes whole values, n of `integer`; f between them is the same formula")
    if stopped and not any(stopped[0] in note for note in notes):
        notes.append(f"{stopped[0]}: what is missing was not computed")
    return CheckResult(
        regime=picture.regime,
        extrema=extrema,
        ends=ends,
        best=best,
        integer=integer,
        complete="certified" if picture.complete or picture.box else "undecided",
        domain=picture.box or _domain_text(law, family),
        complete_reason=picture.route if picture.complete else picture.open_reason,
        hacking=verdict,
        threshold=threshold,
        hypotheses=tuple(conditions),
        digits=digits,
        notes=tuple(notes),
    )


def _first_or_last(
    picture: Picture, extrema: tuple[ExtremumFound, ...], ends: tuple[EndFound, ...]
) -> Number:
    """The threshold of a hacked f: its last turn along growing KL, or the end it starts from."""
    side = 0 if picture.falls else -1
    return extrema[side].theta if extrema else ends[-1 - side].theta


def _rough_place(extremum: Extremum, digits: int, why: str) -> Number:
    """Where a turn is, as far as that is known."""
    if extremum.zero is not None:
        return between(extremum.zero.low, extremum.zero.high, digits)
    return Number.undefined(why)


def undecided_picture(family: Family, why: str) -> Picture:
    """A picture that says only why it is open."""
    unknown = Number.undefined(why)
    lower, top = Number.exact(family.domain.lower), family.domain.upper
    upper = Number.infinity() if top is None else Number.exact(top)
    return Picture(
        [],
        [],
        Point(lambda _: lower, lambda _: unknown, attained=family.domain.lower_closed),
        Point(lambda _: upper, lambda _: unknown, attained=family.domain.upper_closed),
        lambda x, digits: unknown,
        why,
    )


def stopped_picture(
    family: Family, turns: list[tuple[Fraction, Fraction, int]], why: str
) -> Picture:
    """An open picture with the turns that were found: (low, high, the sign before) of each."""
    blank = undecided_picture(family, why)
    blank.extrema += [
        Extremum(
            partial(between, low, high),
            lambda _: Number.undefined(why),
            True,
            "max" if before > 0 else "min",
            around=(low, high),
        )
        for low, high, before in sorted(turns)
    ]
    return blank


def _end(point: Point, digits: int) -> EndFound:
    return EndFound(point.theta(digits), point.value(digits), point.attained)


def _best(picture: Picture, digits: int) -> tuple[EndFound | None, list[str]]:
    """The largest of extrema and ends; of equals the first that is attained."""
    if not picture.complete:
        return None, ["best is not stated while the regime is undecided"]
    points: list[Point] = [picture.lower_end, *picture.extrema, picture.upper_end]
    if not picture.signs:
        points = points[:1]
    if any(point.value(digits).is_undefined for point in points):
        return None, ["best is not stated: a value is not known"]
    indices, certain = largest([point.value for point in points], digits)
    notes = []
    if not certain:
        notes.append("best: values agree to more than 300 digits, the smallest theta is shown")
    elif len(indices) > 1:
        notes.append("best: an exact tie, the smallest theta is shown")
    chosen = next((points[i] for i in indices if points[i].attained), points[indices[0]])
    return _end(chosen, digits), notes


def hacking(picture: Picture, conditions: list[Hypothesis], digits: int) -> tuple[str, Number]:
    """Definition 1: beyond some θ† f decreases while proxy reward and KL keep increasing."""
    verdicts = {h.id: h.verdict for h in conditions}
    if not picture.complete:
        return "undecided", Number.undefined(picture.open_reason)
    if not picture.signs:
        return "refuted", Number.undefined("f is constant: there is no threshold")
    if picture.falls:
        # KL and proxy reward increase as θ falls: all is read from the upper end down.
        signs, turns, start = [-s for s in picture.signs], picture.extrema[:1], picture.upper_end
    else:
        signs, turns, start = picture.signs[::-1], picture.extrema[-1:], picture.lower_end
    if signs[0] > 0:
        end = "lower" if picture.falls else "upper"
        return "refuted", Number.undefined(f"f increases at the {end} end: there is no threshold")
    for name in ("kl_increasing", "proxy_increasing"):
        if verdicts[name] != "proved" and not picture.falls:
            return "undecided", Number.undefined(f"{name} is {verdicts[name]}")
    # Decreasing from the start: hacking sets in at the first end itself.
    return "certified", (turns[0] if turns else start).theta(digits)


def _domain_text(law: Law, family: Family) -> str:
    known = tilt_domain(law) if family.name == "tilt" else None
    if known is not None:
        return known
    domain = family.domain
    limit = law.mgf_limit if family.name == "tilt" and isinstance(law, ContinuousLaw) else None
    upper = domain.upper if limit is None else limit
    left = "[" if domain.lower_closed else "("
    right = "]" if domain.upper_closed and limit is None else ")"
    return f"{left}{short(domain.lower)}, {'inf' if upper is None else short(upper)}{right}"


__all__ = [
    "CheckResult",
    "EndFound",
    "ExtremumFound",
    "hacking",
    "stopped_picture",
    "told",
    "undecided_picture",
]
