"""The page of a ``tune``: what to run, how sure that is, what over-optimising costs, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hedgetheory.cli.pages.estimates import between, brief, percent
from hedgetheory.cli.pages.markup import Child, Markup, h, join
from hedgetheory.cli.pages.shell import Cell, Row, badge, bullets, keys, number, table
from hedgetheory.cli.pages.tuned_curve import figures
from hedgetheory.cli.text import family_name, real, symbol_name

if TYPE_CHECKING:
    from hedgetheory.hedgetune.result import TuneResult


def title(table_name: str, results: Mapping[str, TuneResult]) -> str:
    first = next(iter(results.values()))
    return (
        f"Which {symbol_name(first.parameter)} to run under {family_name(first.family)}, "
        f"on {table_name}"
    )


def content(table_name: str, results: Mapping[str, TuneResult]) -> Markup:
    """What is said of a tune with one proxy or several, side by side and then one by one."""
    first = next(iter(results.values()))
    prompts = "1 prompt" if first.n_prompts == 1 else f"{first.n_prompts:,} prompts"
    size = f"{prompts}, {first.n_responses:,} responses"
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
        figures(name, proxy, found),
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
    if found.regret < 0:
        return f"{_gain(found, end)}{_why_not(found)}"
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


def _gain(found: TuneResult, end: str) -> str:
    interval = found.regret_interval
    sure = ""
    if interval:
        low, high = -interval[1], -interval[0]
        sure = f" ({percent(found)} interval {brief(low)} to {brief(high)})"
    return f"Going on to {end} would gain {brief(-found.regret)} of gold score{sure}"


def _why_not(found: TuneResult) -> str:
    return "." if found.constraints is None else ", but is beyond the constraints."


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


def _meaning(found: TuneResult) -> Markup:
    from hedgetheory.cli.tune import WHAT_VALUES_ARE
    from hedgetheory.hedgetune.intervals import normal_quantile

    symbol = symbol_name(found.parameter)
    counted = isinstance(found.theta, int)
    reach = normal_quantile(found.confidence)
    if found.theta_interval is not None:
        bootstrap = (
            f"Intervals rest on {found.resamples:,} bootstrap resamples of the prompts "
            f"(seed {found.seed}). "
        )
        best = (
            f"That of the best {symbol} is where the best of {percent(found)} of the resamples "
            "falls (percentiles)."
            if counted
            else f"That of the best {symbol} is where the slope of the curve is not significantly "
            "different from zero (studentised), joined with the range of the resamples where they "
            "go to another peak; at an end of the curve it is that range."
        )
    else:
        bootstrap, best = "The best has no interval, for want of resamples or of prompts.", ""
    errors = any(point["se"] is not None for point in found.curve)
    return join(
        h("h2", "How to read the numbers", id="reading"),
        bullets([
            join(h("strong", "Every number here is an estimate"), " from this table; none is "
                 f"certified. {WHAT_VALUES_ARE}"),
            f"{bootstrap}{best}",
            *[f"The interval at one {symbol} is the value ± {reach:.3g} standard errors over "
              f"prompts (normal). It holds at that {symbol} by itself, not along all of the curve "
              "at once."] * errors,
            "The gold score at the best is flattered by having been chosen; the held-out value, "
            "cross-fitted over prompts, is not.",
            "The shape counts any turn of the estimated curve, so that small turns may be noise: "
            "read it with the share of resamples that have the same shape.",
            "It is assumed that the responses of a prompt are independent draws from one policy, "
            "and that the prompts are a sample of those to come. The gold score is what the table "
            "says it is.",
        ]),
    )  # fmt: skip
