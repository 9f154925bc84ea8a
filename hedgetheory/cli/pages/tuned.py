"""The page of a ``tune``: what to run, how sure that is, what over-optimising costs, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hedgetheory.cli.pages.markup import Child, Markup, h, join
from hedgetheory.cli.pages.plot import Plot, Scale, padded, spread
from hedgetheory.cli.pages.reader import reader, said_at
from hedgetheory.cli.pages.shell import Cell, Row, badge, bullets, keys, number, table
from hedgetheory.cli.text import family_name, real, symbol_name

if TYPE_CHECKING:
    from hedgetheory.hedgetune.result import TuneResult

Point = Mapping[str, float | None]
_MORE = (
    ("kl", "KL, nats"),
    ("expected_draws", "draws"),
    ("tail_mass", "P(N > S)"),
    ("effective_sample_size", "effective responses"),
)


def title(table_name: str, results: Mapping[str, TuneResult]) -> str:
    first = next(iter(results.values()))
    return (
        f"Which {symbol_name(first.parameter)} to run under {family_name(first.family)}, "
        f"on {table_name}"
    )


def content(table_name: str, results: Mapping[str, TuneResult]) -> Markup:
    """What is said of a tune with one proxy or several, side by side and then one by one."""
    first = next(iter(results.values()))
    size = f"{first.n_prompts:,} prompts, {first.n_responses:,} responses"
    dropped = f", {first.dropped:,} invalid rows dropped" if first.dropped else ""
    parts: list[Child] = [
        h("h1", title(table_name, results)),
        h("p", f"{size}{dropped}.", class_="sub"),
    ]
    if len(results) > 1:
        parts.append(_side_by_side(results))
    for k, (proxy, found) in enumerate(results.items()):
        parts.append(_one(f"p{k}", proxy, found, alone=len(results) == 1))
    return join(parts, _meaning(first))


def _one(name: str, proxy: str, found: TuneResult, *, alone: bool) -> Markup:
    heading = None if alone else h("h2", "Proxy ", h("code", proxy), id=name)
    return join(
        heading,
        _answer(proxy, found),
        _warnings(found),
        _numbers(found),
        h("h2" if alone else "h3", "The curve"),
        _figures(name, proxy, found),
        _groups(proxy, found, "h2" if alone else "h3"),
    )


# -- the answer ------------------------------------------------------------------------------------


def _answer(proxy: str, found: TuneResult) -> Markup:
    name, last = symbol_name(found.parameter), found.largest
    asked = "" if found.constraints is None else " within the constraints"
    lines: list[Child] = [
        h("p", h("strong", f"Run {name} = {real(found.theta)}"), f"{asked}, selecting by ",
          _score(proxy, found), ". ", badge("estimated", "plain")),
        h("p", _cost(found, f"{name} = {real(last['theta'])}")),
    ]  # fmt: skip
    return h("div", lines, class_="answer")


def _score(proxy: str, found: TuneResult) -> Markup:
    """What is selected by: a column, several as one, a shape of it."""
    return join(
        None if found.ensemble is None else f"the {found.ensemble['how']} of ",
        h("code", proxy),
        None if found.shape is None else [", shaped by ", h("code", found.shape)],
    )


def _cost(found: TuneResult, end: str) -> str:
    lost = brief(found.regret)
    interval = found.regret_interval and " to ".join(map(brief, found.regret_interval))
    sure = f" ({percent(found)} interval {interval})" if interval else ""
    if found.theta == found.largest["theta"]:
        return f"This is the hardest selection examined: the curve does not turn before {end}."
    if found.hacks:
        return (
            f"Selecting harder is over-optimised: going on to {end} costs {lost} of gold "
            f"score{sure}."
        )
    if found.hacks is None:
        return f"Going on to {end} costs {lost} of gold score; how sure that is, is not known."
    return (
        f"Going on to {end} costs {lost} of gold score{sure}: not significant, the interval "
        "reaches zero."
    )


def _numbers(found: TuneResult) -> Markup:
    name, sure = symbol_name(found.parameter), percent(found)
    interval = between(found.theta_interval)
    pairs: list[tuple[str, Child, Child]] = [
        (f"Best {name}", number(real(found.theta)),
         f"{sure} interval {interval}" if interval else "no interval"),
        ("Gold score there", number(real(found.value)), _held_out(found)),
        ("Shape of the estimated curve", number(found.regime),
         None if found.regime_support is None
         else f"in {100 * found.regime_support:.3g} % of resamples"),
        (f"Cost of going on to {name} = {real(found.largest['theta'])}", number(real(found.regret)),
         f"{sure} interval {between(found.regret_interval)}" if found.regret_interval else None),
        ("KL from the reference", number(f"{real(found.kl)} nats"), "of the plug-in policy"),
    ]  # fmt: skip
    if found.threshold is not None and found.parameter == "n":
        interval = between(found.threshold_interval)
        pairs.insert(1, ("Where the curve turns, real n", number(real(found.threshold)),
                         f"{sure} interval {interval}" if interval else None))  # fmt: skip
    if found.unconstrained is not None:
        free = found.unconstrained
        pairs.insert(1, ("Without constraints",
                         number(f"{name} = {real(free['theta'])}"),
                         f"gold score {real(free['value'])}"))  # fmt: skip
    if found.constraints is not None:
        asked = found.constraints.items()
        said = ", ".join(f"{key.replace('_', ' ')} {real(value)}" for key, value in asked)
        pairs.append(("Constraints", number(said), "met by the estimates"))
    if found.expected_draws is not None:
        pairs.append(("Expected draws a prompt", number(real(found.expected_draws)), None))
    if found.effective_sample_size is not None:
        pairs.append(("Effective responses a prompt",
                      number(real(found.effective_sample_size)), None))  # fmt: skip
    if len(found.ties) > 1:
        pairs.append(("Exact ties", number(", ".join(map(str, found.ties))), "the smallest is run"))
    return keys(pairs)


def _held_out(found: TuneResult) -> str:
    if found.value_heldout is None:
        return "flattered by the choice; no held-out value"
    return f"flattered by the choice; held out {real(found.value_heldout)}"


def _warnings(found: TuneResult) -> Markup:
    if not found.warnings:
        return h("p", "No warnings.", class_="note")
    label = "Warning" if len(found.warnings) == 1 else "Warnings"
    return h("div", h("strong", label), bullets(found.warnings), class_="warnings")


# -- the curve -------------------------------------------------------------------------------------


def _figures(name: str, proxy: str, found: TuneResult) -> Markup:
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
        f"The estimated curve by {proxy} at {len(rows)} values of {symbol}; the best in bold",
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
    marks = "▲ is the best. "
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


def pointwise(point: Point, found: TuneResult) -> tuple[float, float] | None:
    """value ± z·se, z the normal quantile of the confidence; None without a standard error."""
    from hedgetheory.hedgetune.intervals import normal_quantile

    value, error = point["value"], point["se"]
    if value is None or error is None:
        return None
    reach = normal_quantile(found.confidence) * error
    return value - reach, value + reach


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
    best = "; the best" if point["theta"] == found.theta else f"; {real(lost)} below the best"
    return f"{said}{best if lost >= 0 else ''}."


def _of(point: Point, key: str) -> float:
    value = point[key]
    return float("nan") if value is None else float(value)


# -- tables ----------------------------------------------------------------------------------------


def _side_by_side(results: Mapping[str, TuneResult]) -> Markup:
    name = symbol_name(next(iter(results.values())).parameter)
    rows = [
        Row([
            h("a", proxy, href=f"#p{k}"),
            Cell(real(found.theta), found.theta),
            between(found.theta_interval) or "-",
            Cell(real(found.value_heldout), found.value_heldout),
            found.regime,
            Cell(real(found.regret), found.regret),
            between(found.regret_interval) or "-",
            {True: "yes", False: "no sign", None: "-"}[found.hacks],
        ])
        for k, (proxy, found) in enumerate(results.items())
    ]  # fmt: skip
    headers = ["proxy", f"best {name}", "its interval", "gold score, held out", "shape",
               "cost of over-optimising", "its interval", "hacks"]  # fmt: skip
    return join(
        h("h2", "The proxies side by side", id="proxies"),
        table("Proxies", headers, rows, quiet=True),
    )


def _groups(proxy: str, found: TuneResult, heading: str) -> Markup | None:
    if not found.groups:
        return None
    name = symbol_name(found.parameter)
    rows = [
        Row([
            g["group"], Cell(f"{g['n_prompts']:,}", g["n_prompts"]), _cell(g["value"]),
            _cell(g["theta"]), _cell(g["best"]),
        ])
        for g in found.groups
    ]  # fmt: skip
    headers = ["group", "prompts", f"gold score at {name} = {real(found.theta)}",
               f"its own best {name}", "gold score there"]  # fmt: skip
    return join(h(heading, "Groups"), table(f"Groups of prompts, by {proxy}", headers, rows))


def _cell(value: Any) -> Cell:
    return Cell(real(value), value)


# -- words -----------------------------------------------------------------------------------------


def percent(found: TuneResult) -> str:
    return f"{100 * found.confidence:g} %"


def brief(value: float) -> str:
    """For a sentence, where no digit is missed."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def between(interval: list[float] | None) -> str:
    return "" if interval is None else f"{real(interval[0])} to {real(interval[1])}"


def _meaning(found: TuneResult) -> Markup:
    from hedgetheory.cli.tune import WHAT_VALUES_ARE
    from hedgetheory.hedgetune.intervals import normal_quantile

    symbol = symbol_name(found.parameter)
    counted = isinstance(found.theta, int)
    reach = normal_quantile(found.confidence)
    if found.resamples:
        bootstrap = (
            f"Intervals rest on {found.resamples:,} bootstrap resamples of the prompts "
            f"(seed {found.seed}). "
        )
        best = (
            f"That of the best {symbol} is the range in which the best of a resample falls."
            if counted
            else f"That of the best {symbol} is where the slope of the curve is not significantly "
            "different from zero (studentised), joined with the range of the resamples where they "
            "go to another peak; at an end of the curve it is that range."
        )
    else:
        bootstrap, best = (
            "No resamples were asked for: there are no intervals but at each point.",
            "",
        )
    return join(
        h("h2", "How to read the numbers", id="reading"),
        bullets([
            join(h("strong", "Every number here is an estimate"), " from this table; none is "
                 f"certified. {WHAT_VALUES_ARE}"),
            f"{bootstrap}{best}",
            f"The interval at one {symbol} is the value ± {reach:.3g} standard errors over prompts "
            f"(normal). It holds at that {symbol} by itself, not along all of the curve at once.",
            "The gold score at the best is flattered by having been chosen; the held-out value, "
            "cross-fitted over prompts, is not.",
            "The shape counts any turn of the estimated curve, so that small turns may be noise: "
            "read it with the share of resamples that have the same shape.",
            "It is assumed that the responses of a prompt are independent draws from one policy, "
            "and that the prompts are a sample of those to come. The gold score is what the table "
            "says it is.",
        ]),
    )  # fmt: skip
