"""The curves of a ``tune``: gold against the parameter and against KL, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hedgetheory.cli.pages.estimates import Point, best_word, between, brief, percent, pointwise
from hedgetheory.cli.pages.markup import Child, Markup, h, join
from hedgetheory.cli.pages.plot import Plot, Scale, padded, spread
from hedgetheory.cli.pages.reader import reader, said_at
from hedgetheory.cli.pages.shell import Cell, Row, table
from hedgetheory.cli.text import real, symbol_name

if TYPE_CHECKING:
    from hedgetheory.hedgetune.result import TuneResult

_MORE = (
    ("kl", "KL, nats"),
    ("expected_draws", "draws"),
    ("tail_mass", "P(N > S)"),
    ("effective_sample_size", "effective responses"),
)


def figures(name: str, proxy: str, found: TuneResult) -> Markup:
    symbol = symbol_name(found.parameter)
    points = [p for p in found.curve if p["theta"] is not None and p["value"] is not None]
    if len(points) < 2:
        return h("p", "There is one point only: no picture.")
    plots = [_by_theta(name, proxy, found, points)]
    if sum(p.get("kl") is not None for p in points) > 1:
        plots.append(_by_kl(name, proxy, found, points))
    rows = []
    best = 0
    for k, point in enumerate(points):
        at: list[tuple[float, float] | None] = [(_of(point, "theta"), _of(point, "value"))]
        if len(plots) > 1:
            known = point.get("kl") is not None
            at.append((_of(point, "kl"), _of(point, "value")) if known else None)
        if point["theta"] == found.theta:
            best = k
        rows.append(Row(
            _cells(point, found),
            {"class_": "best" if point["theta"] == found.theta else None, "data_k": k,
             "data_at": said_at(plots, at), "data_say": _say(point, found)},
        ))  # fmt: skip
    headers = [
        symbol,
        "gold score",
        f"{percent(found)} interval at this {symbol}",
        "standard error",
    ]
    headers += [header for key, header in _MORE if any(p.get(key) is not None for p in points)]
    figures = [
        h("figure", plot.svg(), h("figcaption", caption))
        for plot, caption in zip(plots, _captions(found), strict=False)
    ]
    numbers = table(
        f"The estimated curve by {proxy} at {len(rows)} values of {symbol}, "
        f"{best_word(found)} in bold",
        headers, rows, id_=f"{name}-points",
    )  # fmt: skip
    return join(
        h("div", figures, class_="figures"),
        reader(name, f"Read the curve off: choose {symbol}", f"{name}-points",
               [plot.cursor for plot in plots], len(rows), best),
        h("details", h("summary", f"The numbers behind the curves ({len(rows)} points)"), numbers),
    )  # fmt: skip


def _captions(found: TuneResult) -> list[str]:
    symbol = symbol_name(found.parameter)
    marks = f"▲ is {best_word(found)}. "
    if found.theta_interval is not None and found.theta_interval[0] < found.theta_interval[1]:
        marks += f"The grey column is the {percent(found)} interval of the best {symbol}. "
    if found.regret > 0:
        marks += "Hatched at the foot: selecting harder than the best. "
    reach = any(point["se"] for point in found.curve)
    band = (
        f"The band is the {percent(found)} interval at each {symbol} by itself. " if reach else ""
    )
    return [
        f"Mean gold score over prompts, estimated. {band}{marks}".strip(),
        "The same against what the selection costs in KL, of the plug-in policy on the responses.",
    ]


def _by_theta(name: str, proxy: str, found: TuneResult, points: Sequence[Point]) -> Plot:
    symbol = symbol_name(found.parameter)
    curve = [(_of(p, "theta"), _of(p, "value")) for p in points]
    band = [(_of(p, "theta"), *interval) for p in points if (interval := pointwise(p, found))]
    first, last, top = curve[0], curve[-1], max(y for _, y in curve)
    zones: list[tuple[float, float, str]] = []
    if found.theta_interval is not None and found.theta_interval[0] < found.theta_interval[1]:
        zones.append((found.theta_interval[0], found.theta_interval[1], "zone"))
    end = float(found.largest["theta"] or 0)
    if found.regret > 0 and end != found.theta:
        zones.append((min(end, found.theta), max(end, found.theta), "hatched"))
    heights = [y for _, y in curve] + [y for _, low, high in band for y in (low, high)]
    return Plot(
        f"{name}-theta",
        f"Gold score against {symbol}, selecting by {proxy}",
        f"A curve of {len(curve)} points: gold score {first[1]:.4g} at {symbol} = {first[0]:.4g}, "
        f"at most {top:.4g}, and {last[1]:.4g} at {symbol} = {last[0]:.4g}. The best is {symbol} = "
        f"{real(found.theta)} with {found.value:.4g}. The numbers are in the table below.",
        spread([x for x, _ in curve]),
        padded(heights),
        symbol,
        "gold score",
        curve,
        dots=len(curve) <= 32,
        band=band if len(band) == len(points) else [],
        zones=zones,
        marks=[(float(found.theta), found.value, "max", f"{symbol} = {real(found.theta)}")],
    )


def _by_kl(name: str, proxy: str, found: TuneResult, points: Sequence[Point]) -> Plot:
    curve = [(_of(p, "kl"), _of(p, "value")) for p in points if p.get("kl") is not None]
    band = [
        (_of(p, "kl"), *interval)
        for p in points
        if p.get("kl") is not None and (interval := pointwise(p, found))
    ]
    low, high = min(x for x, _ in curve), max(x for x, _ in curve)
    label = f"{symbol_name(found.parameter)} = {real(found.theta)}"
    marks = [] if found.kl is None else [(found.kl, found.value, "max", label)]
    return Plot(
        f"{name}-kl",
        f"Gold score against KL from the reference, selecting by {proxy}",
        f"The same {len(curve)} points against their KL, from {low:.4g} to {high:.4g} nats. "
        "The numbers are in the table below.",
        Scale(low, high if high > low else low + 1),
        padded([y for _, y in curve] + [y for _, a, b in band for y in (a, b)]),
        "KL from the reference, nats",
        "gold score",
        curve,
        dots=len(curve) <= 32,
        band=band if len(band) == len(curve) else [],
        marks=marks,
    )


def _cells(point: Point, found: TuneResult) -> list[Child | Cell]:
    interval = pointwise(point, found)
    cells: list[Child | Cell] = [
        Cell(real(point["theta"]), point["theta"]),
        Cell(real(point["value"]), point["value"]),
        Cell(between(list(interval)) if interval else "-", interval[0] if interval else None),
        Cell(real(point["se"]), point["se"]),
    ]
    shown = [key for key, _ in _MORE if any(p.get(key) is not None for p in found.curve)]
    return [*cells, *(Cell(real(point.get(key)), point.get(key)) for key in shown)]


def _say(point: Point, found: TuneResult) -> str:
    place = f"{symbol_name(found.parameter)} = {real(point['theta'])}"
    said = f"{place}: gold score {real(point['value'])}"
    interval = pointwise(point, found)
    if interval:
        said += f", {percent(found)} interval {between(list(interval))}"
    if point.get("kl") is not None:
        said += f"; KL {real(point['kl'])} nats"
    if point.get("expected_draws") is not None:
        said += f"; {real(point['expected_draws'])} expected draws"
    lost = found.value - _of(point, "value")
    if point["theta"] == found.theta:
        return f"{said}; {best_word(found)}."
    return f"{said}; {brief(abs(lost))} {'below' if lost >= 0 else 'above'} {best_word(found)}."


def _of(point: Point, key: str) -> float:
    value = point[key]
    return float("nan") if value is None else float(value)
