"""The slider that reads a curve off; it appears where there is a script."""

from __future__ import annotations

from collections.abc import Sequence

from hedgetheory.cli.pages.markup import Markup, h
from hedgetheory.cli.pages.plot import Plot


def reader(
    name: str, label: str, rows: str, cursors: Sequence[str], count: int, start: int
) -> Markup:
    """Goes along the rows with ``data-k`` of the table ``rows`` and moves the ``cursors``."""
    return h(
        "div",
        h("label", label, for_=f"{name}-slider"),
        h("input", type="range", id=f"{name}-slider", min=0, max=count - 1, step=1, value=start),
        h("output", "", for_=f"{name}-slider", id=f"{name}-read"),
        class_="reader",
        data_rows=rows,
        data_cursors=" ".join(cursors),
        hidden=True,
    )


def said_at(plots: Sequence[Plot], points: Sequence[tuple[float, float] | None]) -> str:
    """Where a row's point is on each plot, for the script; - where it is on none."""
    return " ".join(
        "-" if point is None else "{:.1f},{:.1f}".format(*plot.place(*point))
        for plot, point in zip(plots, points, strict=True)
    )
