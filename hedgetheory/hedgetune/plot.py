"""A picture of what ``tune`` found: gold against the parameter, and gold against KL."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.intervals import normal_quantile

if TYPE_CHECKING:
    from hedgetheory.hedgetune.result import TuneResult
    from hedgetheory.hedgetune.table import Array

FORMATS = ("png", "svg", "pdf")
#: No date and no version in the file: the same input gives the same bytes.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
#: Told apart in grey: by dashes and markers, not by colour alone.
_STYLES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
_MARKERS = "os^Dv<>"


def plot_format(path: str) -> str:
    """png, svg or pdf, by the end of a file's name. InputError for others, or no matplotlib."""
    suffix = path.rpartition(".")[2].lower()
    if suffix not in FORMATS:
        raise InputError(f"--plot {path}: the name must end in .{', .'.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError('--plot needs matplotlib: pip install "hedgetheory[plot]"') from None
    return suffix


def draw(results: dict[str, TuneResult], suffix: str) -> bytes:
    """The picture as a file of the format ``suffix``.

    On the left the curve with its pointwise band at the result's confidence; with one result the
    interval of theta, the safe zone up to it and the over-optimised zone beyond. On the right gold
    against the KL from the reference. ``results``: by the name of the proxy, one or several.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for k, (name, result) in enumerate(results.items()):
        theta, value, error, kl = (
            np.array([_or_nan(point.get(key)) for point in result.curve])
            for key in ("theta", "value", "se", "kl")
        )
        style = {"linestyle": _STYLES[k % len(_STYLES)], "linewidth": 1.6, "label": name}
        (line,) = left.plot(theta, value, **style)
        if np.isfinite(error).all():
            reach = normal_quantile(result.confidence) * error
            left.fill_between(theta, value - reach, value + reach, alpha=0.15, linewidth=0)
        right.plot(kl, value, color=line.get_color(), **style)
        marker = {"marker": _MARKERS[k % len(_MARKERS)], "color": "black", "markersize": 6}
        left.plot(result.theta, result.value, **marker)
        right.plot(_or_nan(result.kl), result.value, **marker)
    result = next(iter(results.values()))
    if len(results) == 1:
        _zones(left, result)
    left.legend(frameon=False, fontsize="small")
    if _spans_decades(result):
        left.set_xscale("log" if float(result.curve[0]["theta"] or 0) > 0 else "symlog")
    left.set(xlabel=result.parameter, ylabel="gold score", title=f"{result.family}, by prompt mean")
    right.set(xlabel="KL from the reference, in nats (tied empirical law)")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    out = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "hedgetheory"}):
        figure.savefig(out, format=suffix, dpi=150, metadata=_METADATA[suffix])
    return out.getvalue()


def _zones(axes: Any, result: TuneResult) -> None:
    """Safe up to the best, over-optimised beyond where the curve falls from there to the end."""
    if result.theta_interval is not None:
        axes.axvspan(*result.theta_interval, color="grey", alpha=0.15, label="interval of the best")
    end = float(result.largest["theta"] or 0)
    if result.regret <= 0:
        return
    axes.axvline(result.theta, color="black", linewidth=1, linestyle=":")
    far = sorted((result.theta, end))
    start = float(result.curve[0 if end >= result.theta else -1]["theta"] or 0)
    near = sorted((start, result.theta))
    axes.axvspan(*near, ymax=0.03, color="tab:green", label="safe", hatch="//", alpha=0.6)
    axes.axvspan(*far, ymax=0.03, color="tab:red", label="over-optimised", hatch="xx", alpha=0.6)


def _spans_decades(result: TuneResult) -> bool:
    thetas: Array = np.array([float(point["theta"] or 0) for point in result.curve])
    positive = thetas[thetas > 0]
    return bool(positive.max() > 8 * max(np.median(positive), positive.min())) or (
        bool(positive.min() > 0) and result.parameter == "n" and bool(thetas.max() > 8)
    )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
