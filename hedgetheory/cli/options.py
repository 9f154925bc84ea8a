"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import click

Option: TypeAlias = "Callable[[Callable[..., Any]], Callable[..., Any]]"

MAX_DIGITS = 10_000


def _option(*names: str, **settings: Any) -> Option:
    return click.option(*names, **settings)


def law(required: bool = True) -> Option:
    text = "Law of the proxy reward, such as normal(0,1)."
    return _option("--law", "law_text", metavar="LAW", required=required, help=text)


def family() -> Option:
    text = "Family, one parameter free: bon, bop, quantile_tilt, tilt, sbon(n=16)."
    return _option("--family", "family_text", metavar="FAMILY", required=True, help=text)


def digits(default: int) -> Option:
    return _option(
        "--digits",
        type=click.IntRange(1, MAX_DIGITS),
        default=default,
        show_default=True,
        metavar="D",
        help=f"Significant digits, up to {MAX_DIGITS}.",
    )


def workers() -> Option:
    text = "Processes to work on; -1 for one a core."
    return _option("--workers", type=int, default=1, show_default=True, metavar="K", help=text)


def examples(*lines: str) -> str:
    """The examples at the end of a ``--help``."""
    return "\b\nExamples:\n" + "\n".join(f"  hedgetheory {line}" for line in lines)
