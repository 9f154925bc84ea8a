"""The page of a ``check``: the verdict, the curve, every extremum, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hedgetheory.cli.pages.markup import Child, Markup, h, join
from hedgetheory.cli.pages.plot import Plot, padded, spread
from hedgetheory.cli.pages.reader import reader, said_at
from hedgetheory.cli.pages.sampled import DIGITS, Sampled
from hedgetheory.cli.pages.shell import Cell, Row, Tone, badge, bullets, keys, number, table
from hedgetheory.cli.text import family_name, shown, witness_text
from hedgetheory.exact import Number, short

if TYPE_CHECKING:
    from hedgetheory.analysis.check import CheckResult

HYPOTHESES = {
    "mlr": "Monotone likelihood ratio: more of θ favours higher rewards everywhere",
    "kernel_tp2": "The kernel of f′ is totally positive of order 2",
    "score_monotone": "The score increases in the reward",
    "gold_sign_changes": "How often the slope of the gold curve changes sign",
    "kl_increasing": "KL from the reference increases with θ",
    "proxy_increasing": "The proxy reward increases with θ",
}
_REGIMES = {
    "peak": "rises to one peak and falls from there on",
    "trough": "falls to one trough and rises from there on",
    "increasing": "increases all the way",
    "decreasing": "decreases all the way",
    "constant": "is constant",
    "multiple": "turns more than once",
    "undecided": "has a shape that is not decided",
}


def content(
    subject: dict[str, str], found: CheckResult, curve: Sampled, symbol: str, digits: int
) -> Markup:
    """What is said of one check."""
    return join(
        _answer(subject, found, symbol, digits),
        _numbers(found, symbol, digits),
        _figure(subject, found, curve, symbol),
        _extrema(found, symbol, digits),
        _integers(found, digits),
        _hypotheses(found),
        _notes(found, curve),
        _meaning(),
    )


def title(subject: dict[str, str]) -> str:
    law = subject.get("proxy_law", subject["law"])
    gold = subject.get("joint", subject["gold"])
    return f"Does {family_name(subject['family'])} hack {gold} on {law}?"


def _answer(subject: dict[str, str], found: CheckResult, symbol: str, digits: int) -> Markup:
    sentence = {
        "certified": "Yes, it does.",
        "refuted": "No, it does not.",
        "undecided": "It is not decided.",
    }.get(found.hacking, found.hacking)
    lines: list[Child] = [
        h("p", h("strong", sentence), " ", badge(f"hacking {found.hacking}", _tone(found.hacking))),
        h("p", f"Along the family the expected gold reward {_REGIMES[found.regime]}. ",
          f"{_sentence(found, symbol, digits)}"),
    ]  # fmt: skip
    law = subject.get("proxy_law", subject["law"])
    rows = [("Gold curve g", subject["gold"]), ("Family", subject["family"]), ("Proxy law", law)]
    rows += [(name.title(), subject[name]) for name in ("joint", "unit") if name in subject]
    return join(
        h("h1", title(subject)),
        h("div", lines, class_="answer"),
        h("p", *(
            join(" · " if k else None, f"{name}: ", h("code", said))
            for k, (name, said) in enumerate(rows)), class_="note"),
    )  # fmt: skip


def _tone(verdict: str) -> Tone:
    # Whether hacking happens is neither good nor bad here: what counts is that it is decided.
    return "open" if verdict == "undecided" else "good"


def _sentence(found: CheckResult, symbol: str, digits: int) -> str:
    if found.threshold.is_undefined:
        return f"{found.threshold.reason[:1].upper()}{found.threshold.reason[1:]}."
    return (
        f"The threshold of Definition 1 is {symbol} = {shown(found.threshold, digits)}: past it, "
        "going the way the proxy reward and the KL from the reference grow, the gold reward falls."
    )


def _numbers(found: CheckResult, symbol: str, digits: int) -> Markup:
    pairs: list[tuple[str, Child, Child]] = [
        ("Regime", number(found.regime), _REGIMES[found.regime]),
    ]
    if found.best is not None:
        pairs.append((
            f"Best {symbol}", number(shown(found.best.theta, digits)),
            None if found.best.attained else "a limit that is approached, not attained",
        ))  # fmt: skip
        pairs.append(("Gold reward there", number(shown(found.best.value, digits)), None))
    if found.integer is not None and found.integer.best:
        many = len(found.integer.best) > 1
        pairs.append((
            "Best whole n", number(" and ".join(map(str, found.integer.best))),
            "an exact tie" if many else None,
        ))  # fmt: skip
    return keys(pairs)


def curve_json(curve: Sampled) -> list[dict[str, Any]]:
    """The points of the picture as the contract writes numbers."""
    return [
        {"theta": Number.exact(theta).to_json(DIGITS), "value": value.to_json(DIGITS)}
        for theta, value in curve.points
    ]


# -- the curve -------------------------------------------------------------------------------------


def _figure(subject: dict[str, str], found: CheckResult, curve: Sampled, symbol: str) -> Markup:
    heading = h("h2", "The curve", id="curve")
    if len(curve.points) < 2:
        why = curve.missing[0] if curve.missing else "there is no point to draw"
        return join(heading, h("p", f"No picture: {why}."))
    places = [(float(theta), float(value)) for theta, value in curve.points]
    inside = [e for e in found.extrema if _drawable(e.theta, e.value, places)]
    x = spread([theta for theta, _ in places])
    plot = Plot(
        "f",
        f"Expected gold reward against {symbol}",
        _described(found, places, symbol),
        x,
        padded([y for _, y in places] + [float(e.value) for e in inside]),
        symbol,
        "expected gold reward f",
        places,
        dots=True,
        marks=[
            (float(e.theta), float(e.value), e.kind, f"{e.kind} at {float(e.theta):.5g}")
            for e in inside
        ],
        verticals=[float(found.threshold)]
        if found.hacking == "certified" and _between(found.threshold, places)
        else [],
    )
    rows = []
    for k, (theta, value) in enumerate(curve.points):
        said = shown(value, DIGITS)
        at = said_at([plot], [places[k]])
        say = f"{symbol} = {_place(theta)}: expected gold reward {said}."
        rows.append(Row(
            [Cell(_place(theta), float(theta)), Cell(number(said), float(value))],
            {"data_k": k, "data_at": at, "data_say": say},
        ))  # fmt: skip
    points = table(
        f"The curve: f at {len(rows)} values of {symbol}, each exact or certified by itself",
        [symbol, "expected gold reward f"], rows, id_="f-points",
    )  # fmt: skip
    caption = (
        "Every dot is exact, or certified to the ± in the table; the line between dots only "
        "guides the eye. ▲ is a maximum, ▽ a minimum"
        + ("; the dashed line is the hacking threshold." if plot.verticals else ".")
    )
    start = min(range(len(places)), key=lambda k: -places[k][1])
    return join(
        heading,
        h("div",
          h("figure", plot.svg(), h("figcaption", caption)),
          reader("f", f"Read the curve off: choose {symbol}", "f-points", [plot.cursor], len(rows),
               start), class_="beside"),
        h("details", h("summary", f"The numbers behind the curve ({len(rows)} points)"), points),
    )  # fmt: skip


def _place(theta: Fraction) -> str:
    """A place as people read it: it was chosen with few digits, but for an end of a family."""
    said = short(theta)
    return said if len(said) <= 12 else f"about {float(theta):.6g}"


def _drawable(theta: Number, value: Number, places: Sequence[tuple[float, float]]) -> bool:
    return _between(theta, places) and not (value.is_undefined or value.infinite)


def _between(theta: Number, places: Sequence[tuple[float, float]]) -> bool:
    return not (theta.is_undefined or theta.infinite) and (
        places[0][0] <= float(theta) <= places[-1][0]
    )


def _described(found: CheckResult, places: Sequence[tuple[float, float]], symbol: str) -> str:
    first, last = places[0], places[-1]
    parts = [
        f"A curve of {len(places)} points from {symbol} = {first[0]:.4g}, f = {first[1]:.4g}, to "
        f"{symbol} = {last[0]:.4g}, f = {last[1]:.4g}; it {_REGIMES[found.regime]}."
    ]
    parts += [
        f"{'Maximum' if e.kind == 'max' else 'Minimum'} at {symbol} = {float(e.theta):.6g}, "
        f"f = {float(e.value):.6g}."
        for e in found.extrema
        if not (e.theta.is_undefined or e.value.is_undefined)
    ]
    return " ".join([*parts, "The numbers are in the table below."])


# -- tables ----------------------------------------------------------------------------------------


def _extrema(found: CheckResult, symbol: str, digits: int) -> Markup:
    rows = [
        *((f"interior {e.kind}imum", e.theta, e.value) for e in found.extrema),
        *(("end" if e.attained else "end (limit)", e.theta, e.value) for e in found.ends),
    ]
    complete = found.complete == "certified"
    whole = "This list is complete" if complete else "This list may not be complete"
    return join(
        h("h2", "Extrema and ends", id="extrema"),
        h("p", h("strong", f"{whole} "), badge(found.complete), " on ", h("code", found.domain),
          f": {found.complete_reason or 'no reason is given'}."),
        table(
            "Every interior extremum that was found, and the ends of the domain",
            ["point", symbol, "expected gold reward f"],
            [
                Row([kind, Cell(number(shown(theta, digits)), float(theta)),
                     Cell(number(shown(value, digits)), float(value))])
                for kind, theta, value in rows
            ],
        ),
    )  # fmt: skip


def _integers(found: CheckResult, digits: int) -> Markup | None:
    if found.integer is None or not found.integer.candidates:
        return None
    best = set(found.integer.best)
    rows = [
        Row([Cell(str(n), n), Cell(number(shown(value, digits)), float(value))],
            {"class_": "best" if n in best else None})
        for n, value in found.integer.candidates
    ]  # fmt: skip
    note = f" {found.integer.note}." if found.integer.note else ""
    return join(
        h("h3", "Whole numbers of draws"),
        h("p", "Between its turns the curve is monotone, so that the best whole n, where there is "
               f"one, is among these; the best are in bold.{note}"),
        table("Candidates for n", ["n", "expected gold reward f"], rows, quiet=True),
    )  # fmt: skip


def _hypotheses(found: CheckResult) -> Markup:
    return join(
        h("h2", "What it rests on", id="hypotheses"),
        table(
            "Hypotheses of the theorems, each examined for this law, family and gold curve",
            ["hypothesis", "verdict", "witness"],
            [
                Row([
                    join(HYPOTHESES.get(one.id, one.id), " ", h("code", one.id)),
                    badge(one.verdict), witness_text(one.to_json()["witness"]),
                ])
                for one in found.hypotheses
            ],
            words=True, sortable=False,
        ),
    )  # fmt: skip


def _notes(found: CheckResult, curve: Sampled) -> Markup | None:
    notes = list(found.notes)
    if curve.missing and len(curve.points) >= 2:
        more = f" (and {len(curve.missing) - 1} more)" if len(curve.missing) > 1 else ""
        notes.append(f"not in the picture: {curve.missing[0]}{more}")
    if not notes:
        return None
    return join(h("h2", "Notes", id="notes"), h("div", bullets(notes), class_="warnings"))


def _meaning() -> Markup:
    return join(
        h("h2", "How to read the numbers", id="reading"),
        bullets([
            join(h("strong", "exactly"), ": the number is this rational, or this infinity."),
            join(h("strong", "± … certified"), ": the true number lies within so much of the one "
                 "shown, rounding included, by interval (ball) arithmetic. There is no chance in "
                 "it: it is a bound, not a confidence interval."),
            join(h("strong", "proved"), ": by a symbolic identity or a cited theorem. ",
                 h("strong", "certified"), ": by ball arithmetic on the domain that is stated. ",
                 h("strong", "refuted"), ": a witness shows it to be false. ",
                 h("strong", "undecided"), ": neither; nothing follows from it."),
            "Hacking is meant as in Definition 1 of arXiv 2506.19248: beyond a threshold the "
            "expected gold reward falls while the proxy reward and the KL keep growing. It is a "
            "statement about this law and this gold curve, which are a model of yours.",
        ]),
    )  # fmt: skip
