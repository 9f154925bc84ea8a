"""``hedgetheory figure``: the paper's two figures, from certified points."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, checked_target, command_options, write_file
from hedgetheory.cli.text import Grid
from hedgetheory.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hedgetheory.analysis.frontier import Curve

FORMATS = ("png", "svg", "pdf")
#: Told apart in grey: by dashes and markers, not by colour alone.
_STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
_MARKERS = "os^Dv<>"


@click.command(
    "figure",
    epilog=options.examples(
        "figure frontier --plot frontier.png",
        'figure frontier --gold "u**3*(1 - u)" --points 20 --json',
        "figure gap --law uniform --plot gap.svg",
    ),
)
@click.argument("kind", type=click.Choice(["frontier", "gap"]), metavar="frontier|gap")
@click.option("--law", "law_text", default="uniform", show_default=True, metavar="LAW",
              help="Law of the proxy reward.")  # fmt: skip
@click.option("--gold", "gold_text", metavar="GOLD",
              help="Gold curve of the frontier; the paper's u**12*(1 - u) by default.")  # fmt: skip
@click.option("--points", type=int, default=40, show_default=True, help="Points a curve.")
@click.option("--plot", metavar="FILE", help=f"Draw it: {', '.join(FORMATS)} by the name's end.")
@command_options
def command(
    kind: str, law_text: str, gold_text: str | None, points: int, plot: str | None
) -> Report:
    """Gold against KL along every family (frontier), or the gap against mu (gap)."""
    if plot is not None and plot.rpartition(".")[2].lower() not in FORMATS:
        raise InputError(f"--plot {plot}: the name must end in .{', .'.join(FORMATS)}")
    if kind == "gap" and gold_text is not None:
        raise click.UsageError("--gold goes with frontier")
    target = None if plot is None else checked_target(plot)
    if target is not None:
        _require_matplotlib()
    from hedgetheory.analysis.frontier import frontier, gap_curve
    from hedgetheory.functionals.bound import GoldCurve
    from hedgetheory.spec.grammar import parse_gold, parse_law

    law = parse_law(law_text)
    gold = parse_gold(gold_text or "u**12*(1 - u)")
    if kind == "gap":
        curves = [gap_curve(law, points)]
    else:
        curves = list(frontier(law, GoldCurve.of(gold), points))
    if target is not None and plot is not None:
        write_file(target, _drawn(kind, curves, str(law), str(gold), plot.rpartition(".")[2]))
    axes = ["mu", "gap in nats"] if kind == "gap" else ["KL in nats", "gold"]
    fields = {
        "kind": kind,
        "law": str(law),
        "gold": str(gold) if kind == "frontier" else None,
        "axes": axes,
        "curves": [
            {"name": curve.name, "parameter": curve.parameter, "points": list(curve.points)}
            for curve in curves
        ],
        "plot": plot,
    }
    rows = [
        [curve.name, f"{curve.parameter} = {best[0]:.4g}", f"{best[1]:.4g}", f"{best[2]:.4g}"]
        for curve in curves
        for best in [curve.best]
    ]
    return Report("figure", fields, [Grid(["curve", "highest point plotted", *axes], rows)])


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError('--plot needs matplotlib: pip install "hedgetheory[plot]"') from None


def _drawn(kind: str, curves: Sequence[Curve], law: str, gold: str, suffix: str) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    for i, curve in enumerate(curves):
        _, x, y = zip(*curve.points, strict=True)
        axes.plot(x, y, linestyle=_STYLES[i % len(_STYLES)], linewidth=1.6, label=curve.name)
        top = curve.best
        axes.plot(top[1], top[2], marker=_MARKERS[i % len(_MARKERS)], color="black", markersize=5)
    if kind == "gap":
        axes.set(xscale="log", yscale="log", xlabel="μ", ylabel="gap in nats")
        axes.set_title(f"KL of Best-of-Poisson above the tilt of equal mean, {law}")
    else:
        axes.set(xlabel="KL from the reference, in nats", ylabel="gold")
        axes.set_title(f"Gold {gold} against KL, {law}; markers: highest point")
        axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    out = io.BytesIO()
    # No date and no version in the file: the same input gives the same bytes.
    figure.savefig(out, format=suffix.lower(), dpi=150, metadata=_METADATA[suffix.lower()])
    return out.getvalue()


_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
