"""``hedgetheory tune``: HedgeTune on a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, printable

if TYPE_CHECKING:
    from hedgetheory.hedgetune.tune import TuneResult


@click.command(
    "tune",
    epilog=options.examples(
        "tune ridge_overfit",
        "tune scores.csv.gz --family bop --prompt prompt --proxy reward --gold passed --json",
        "tune - --drop-invalid < scores.csv",
    ),
)
@click.argument("table")
@click.option("--family", default="bon", show_default=True, metavar="FAMILY", help="bon or bop.")
@click.option("--prompt", default="prompt_id", show_default=True, help="Column of the prompt.")
@click.option("--proxy", default="proxy", show_default=True, help="Column of the proxy score.")
@click.option("--gold", default="true", show_default=True, help="Column of the gold score.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap.")
@click.option("--resamples", type=int, default=1000, show_default=True, help="Of the bootstrap.")
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--drop-invalid", is_flag=True, help="Drop and count rows with invalid scores.")
@command_options
def command(table: str, **given: Any) -> Report:
    """The best n (bon) or mu (bop) on TABLE, and what over-optimising costs.

    TABLE is a CSV file, gzipped or not, with one row a response; - is stdin; a bare name such as
    ridge_overfit is a table of the package.
    """
    from hedgetheory.hedgetune.tune import tune

    found = tune(table, **given)
    return Report("tune", {"table": table, **found.to_json()}, _blocks(table, found))


def _blocks(table: str, found: TuneResult) -> list[str | Grid]:
    name = {"bon": "n", "bop": "mu"}[found.family]
    last = found.largest
    percent = f"{100 * found.confidence:g} % interval"
    title = f"{printable(table)}: {found.n_prompts} prompts, {found.n_responses} responses"
    summary = [
        [f"best {name}", f"{found.theta:g}{_interval(found.theta_interval, percent)}"],
        ["gold score there", f"{_real(found.value)} (held out: {_real(found.value_heldout)})"],
        ["regime", f"{found.regime}{_support(found.regime_support)}"],
        [
            "over-optimising costs",
            f"{_real(found.regret)} at {name} = {_real(last['theta'])}"
            f"{_interval(found.regret_interval, percent)}",
        ],
        ["draws per prompt", f"{found.expected_draws:g}"],
    ]
    chosen = _milestones([float(point["theta"] or 0) for point in found.curve], found.theta)
    rows = [
        [
            f"{_real(point['theta'])}{'  <- best' if point['theta'] == found.theta else ''}",
            _real(point["value"]),
            _real(point["se"]),
        ]
        for point in (found.curve[k] for k in chosen)
    ]
    return [
        Grid(["table", title], summary),
        "",
        Grid([name, "gold score", "standard error"], rows),
        *(f"warning: {text}" for text in found.warnings),
    ]


def _milestones(thetas: list[float], best: float) -> list[int]:
    """The places of the curve that are shown: powers of two or nearly, the ends, and the best."""
    wanted = {0, len(thetas) - 1, thetas.index(best)}
    power = 1.0
    while power < thetas[-1]:
        wanted.add(min(range(len(thetas)), key=lambda k: abs(thetas[k] - power)))
        power *= 2
    return sorted(wanted)


def _real(value: float | str | None) -> str:
    return "-" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def _interval(interval: list[float] | None, percent: str) -> str:
    if interval is None:
        return ""
    return f" ({percent} {_real(interval[0])} to {_real(interval[1])})"


def _support(share: float | None) -> str:
    return "" if share is None else f" (in {100 * share:.3g} % of resamples)"
