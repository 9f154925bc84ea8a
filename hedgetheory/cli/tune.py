"""``hedgetheory tune``: HedgeTune on a table."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, checked_target, command_options, write_file
from hedgetheory.cli.text import Grid, printable, real

if TYPE_CHECKING:
    from hedgetheory.hedgetune.result import TuneResult


#: What a value is, by the family; in the help, and on the page of a report.
WHAT_VALUES_ARE = (
    "Values are unbiased under bon and the families of a random number of draws up to the "
    "responses at hand, exact over all subsets under sbon(n=...), and a plug-in freed of its "
    "first-order bias (the jackknife) under tilt."
)

_TABLE_OPTIONS = (
    click.option("--prompt", default="prompt_id", show_default=True, help="Column of the prompt."),
    click.option(
        "--proxy",
        "proxies",
        multiple=True,
        default=("proxy",),
        show_default=True,
        help="Column of the proxy score; several as a,b,c or repeated.",
    ),
    click.option("--weight", help="Column of the prompts' weights."),
    click.option("--group", help="Column of the prompts' groups."),
    click.option("--kl-budget", type=float, metavar="NATS", help="At most so much KL."),
    click.option("--draw-budget", type=float, metavar="N", help="At most so many expected draws."),
    click.option("--floor", type=float, metavar="X", help="At least so much for the worst group."),
    click.option("--pooled", is_flag=True, help="One law across prompts."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap."),
    click.option(
        "--resamples", type=int, default=1000, show_default=True, help="Of the bootstrap."
    ),
    click.option(
        "--confidence", type=float, default=0.95, show_default=True, help="Of the intervals."
    ),
    click.option(
        "--ensemble",
        metavar="HOW",
        help="Several proxies as one: mean, median, min, mean_minus_std_ddof0, "
        "mean_minus_std_ddof1, mean_minus_var_ddof0, mean_minus_var_ddof1.",
    ),
    click.option(
        "--ensemble-weight", type=float, metavar="C", help="How many deviations less (1)."
    ),
    click.option("--shape", metavar="FORMULA", help="An increasing formula in r of the proxy."),
    click.option("--drop-invalid", is_flag=True, help="Drop and count rows with invalid scores."),
)


def table_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that a tune and the report on it share."""
    for option in reversed(_TABLE_OPTIONS):
        function = option(function)
    return function


@click.command(
    "tune",
    epilog=options.examples(
        "tune ridge_overfit",
        "tune scores.csv.gz --family bop --prompt prompt --proxy reward --gold passed --json",
        'tune scores.csv --family "sbon(n=16)" --plot scores.png',
        "tune scores.csv --proxy judge,reward,length --group domain --floor 0.3",
        "tune scores.csv --proxy a,b,c --ensemble mean_minus_std_ddof1 --ensemble-weight 0.5",
        'tune scores.csv --family "sbon(n=16)" --shape "tanh(r/2)"',
        "tune - --drop-invalid < scores.csv",
    ),
)
@click.argument("table")
@click.option("--family", default="bon", show_default=True, metavar="FAMILY",
              help="bon, bop, quantile_tilt, tilt, sbon(n=16), sbon(lam=3), "
              "superhf(beta=0.23), fk(k=4), best_of_random(geometric).")  # fmt: skip
@click.option("--gold", default="true", show_default=True, help="Column of the gold score.")
@table_options
@click.option("--large", is_flag=True, help="One pass in bounded memory (bon, bop).")
@click.option("--scheduler", metavar="ADDRESS", help="The same on a running Dask cluster.")
@click.option("--plot", metavar="FILE", help="Draw the curves: .png, .svg or .pdf.")
@command_options
def command(table: str, proxies: tuple[str, ...], plot: str | None, **given: Any) -> Report:
    """The best parameter of a policy on TABLE, and what over-optimising costs.

    TABLE has one row a response: CSV, TSV, JSON Lines or Parquet, packed (gz, zst, bz2, xz) or not;
    a folder or a glob of such files; - is stdin; a bare name such as ridge_overfit is a table of
    the package.

    Values are unbiased under bon and the families of a random number of draws up to the responses
    at hand, exact over all subsets under sbon(n=...), and a plug-in freed of its first-order bias
    (the jackknife) under tilt.
    """
    from hedgetheory.hedgetune.plot import draw, plot_format

    tune = tuner(given)
    suffix = None if plot is None else plot_format(plot)
    target = None if plot is None else checked_target(plot)
    columns = column_names(proxies)
    together = given.get("ensemble") is not None
    with readable(table, 1 if together else len(columns)) as source:
        results = by_proxy(tune, source, columns, together)
    if target is not None and suffix is not None:
        write_file(target, draw(results, suffix))
    return Report("tune", *told(table, results))


def by_proxy(
    run: Callable[..., TuneResult], source: str, columns: list[str], together: bool
) -> dict[str, TuneResult]:
    """The results by the name of the proxy; of an ensemble one, by all the names."""
    if together:
        return {",".join(columns): run(source, proxy=columns)}
    return {column: run(source, proxy=column) for column in columns}


def told(table: str, results: dict[str, TuneResult]) -> tuple[dict[str, Any], list[str | Grid]]:
    """The fields of the document, and the same for people, by the name of the proxy."""
    if len(results) == 1:
        ((proxy, found),) = results.items()
        return {"table": table, "proxy": proxy, **found.to_json()}, blocks(table, found)
    documents = [{"proxy": name, **found.to_json()} for name, found in results.items()]
    return {"table": table, "results": documents}, side_by_side(table, results)


def tuner(given: dict[str, Any]) -> Callable[..., TuneResult]:
    """``tune`` with its options, or ``tune_large``, which has not those that need every prompt."""
    large, scheduler = given.pop("large"), given.pop("scheduler")
    if not large and scheduler is None:
        from hedgetheory.hedgetune.tune import tune

        return partial(tune, **given)
    from hedgetheory.hedgetune.large import tune_large

    for name, unset in _NEEDS_TABLE.items():
        if given.pop(name, unset) is not unset:  # a floor of 0 is a floor
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} needs the table in memory: no --large, --scheduler")
    return partial(tune_large, scheduler=scheduler, **given)


#: What ``--large`` has not, and its value where it was not given.
_NEEDS_TABLE: Mapping[str, Any] = MappingProxyType(
    dict.fromkeys(("kl_budget", "draw_budget", "floor", "ensemble", "ensemble_weight", "shape"))
    | {"pooled": False}
)


def column_names(proxies: tuple[str, ...]) -> list[str]:
    names = [name.strip() for text in proxies for name in text.split(",")]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(f"--proxy {twice} is given twice")
    if "" in names:
        raise click.UsageError("--proxy must name columns, as in --proxy a,b,c")
    return names


@contextmanager
def readable(table: str, times: int) -> Iterator[str]:
    """Where to read the table so many times: standard input is copied for more than one."""
    if table != "-" or times == 1 or sys.stdin is None or sys.stdin.isatty():
        yield table
        return
    with tempfile.TemporaryDirectory(prefix="hedgetheory-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        yield str(path)


def blocks(table: str, found: TuneResult) -> list[str | Grid]:
    name = found.parameter
    last = found.largest
    percent = f"{100 * found.confidence:g} % interval"
    title = f"{printable(table)}: {found.n_prompts} prompts, {found.n_responses} responses"
    summary = [
        [f"best {name}", f"{found.theta:g}{_interval(found.theta_interval, percent)}"],
        ["gold score there", f"{real(found.value)} (held out: {real(found.value_heldout)})"],
        ["regime", f"{found.regime}{_support(found.regime_support)}"],
        [
            "over-optimising costs",
            f"{real(found.regret)} at {name} = {real(last['theta'])}"
            f"{_interval(found.regret_interval, percent)}",
        ],
        ["draws per prompt", real(found.expected_draws)],
        ["KL from the reference", f"{real(found.kl)} nats"],
    ]
    if name == "n" and found.threshold is not None:
        threshold = f"{real(found.threshold)}{_interval(found.threshold_interval, percent)}"
        summary.insert(1, ["threshold, real n", threshold])
    if found.effective_sample_size is not None:
        summary.append(["effective responses", f"{found.effective_sample_size:.3g} a prompt"])
    if found.unconstrained is not None:
        free = found.unconstrained
        shown = f"{name} = {real(free['theta'])} with {real(free['value'])}"
        summary.insert(1, ["without constraints", shown])
    chosen = _milestones([float(point["theta"] or 0) for point in found.curve], found.theta)
    rows = [
        [
            f"{real(point['theta'])}{'  <- best' if point['theta'] == found.theta else ''}",
            real(point["value"]),
            real(point["se"]),
        ]
        for point in (found.curve[k] for k in chosen)
    ]
    return [
        Grid(["table", title], summary),
        "",
        Grid([name, "gold score", "standard error"], rows),
        *_groups(found),
        *(f"warning: {text}" for text in found.warnings),
    ]


def _groups(found: TuneResult) -> list[str | Grid]:
    if found.groups is None:
        return []
    rows = [
        [g["group"], str(g["n_prompts"]), real(g["value"]), real(g["theta"]), real(g["best"])]
        for g in found.groups
    ]
    headers = ["group", "prompts", "gold score", f"own best {found.parameter}", "gold score there"]
    return ["", Grid(headers, rows)]


def side_by_side(table: str, results: dict[str, TuneResult]) -> list[str | Grid]:
    first = next(iter(results.values()))
    name = first.parameter
    rows = [
        [
            column,
            f"{found.theta:g}{_interval(found.theta_interval, '')}",
            real(found.value_heldout if found.value_heldout is not None else found.value),
            found.regime,
            f"{real(found.regret)}{_interval(found.regret_interval, '')}",
            {True: "yes", False: "no sign", None: "-"}[found.hacks],
        ]
        for column, found in results.items()
    ]
    title = f"{printable(table)}: {first.n_prompts} prompts, {first.n_responses} responses"
    headers = ["proxy", f"best {name}", "held out", "regime", "over-optimising costs", "hacks"]
    notes = {
        f"warning: {column}: {text}": None for column, f in results.items() for text in f.warnings
    }
    return [title, "", Grid(headers, rows), *notes]


def _milestones(thetas: list[float], best: float) -> list[int]:
    """The places of the curve that are shown: powers of two or nearly, the ends, and the best."""
    wanted = {0, len(thetas) - 1, thetas.index(best)}
    power = 2.0**-6 if thetas[-1] <= 1 else 1.0
    while power < thetas[-1]:
        wanted.add(min(range(len(thetas)), key=lambda k: abs(thetas[k] - power)))
        power *= 2
    return sorted(wanted)


def _interval(interval: list[float] | None, percent: str) -> str:
    if interval is None:
        return ""
    return f" ({percent} {real(interval[0])} to {real(interval[1])})".replace("( ", "(")


def _support(share: float | None) -> str:
    return "" if share is None else f" (in {100 * share:.3g} % of resamples)"
