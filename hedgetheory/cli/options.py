"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

if TYPE_CHECKING:
    from hedgetheory.laws.base import Law

Option: TypeAlias = "Callable[[Callable[..., Any]], Callable[..., Any]]"

MAX_DIGITS = 10_000
#: The longest file of sampled rewards.
MAX_BYTES = 1 << 24


def _option(*names: str, **settings: Any) -> Option:
    return click.option(*names, **settings)


def law(required: bool = True) -> Option:
    text = (
        "Law of the proxy reward, such as normal(0,1); @FILE has one sampled reward a line, "
        "@TABLE:COLUMN a column of them."
    )
    return _option("--law", "law_text", metavar="LAW", required=required, help=text)


def read_law(text: str) -> Law:
    """The law that ``--law`` gives: a spec, ``@FILE`` of numbers, or ``@TABLE:COLUMN``.

    Raises InputError, in one line, for a bad spec, file or column.
    """
    from hedgetheory.errors import InputError

    if not text.startswith("@"):
        from hedgetheory.spec.grammar import parse_law

        return parse_law(text)
    from hedgetheory.laws.samples import Samples

    name = text[1:]
    try:
        if not Path(name).exists() and ":" in name:
            from hedgetheory.hedgetune.table import read_table

            table, _, column = name.rpartition(":")
            read = read_table(table, prompt=column, proxy=column, gold=column)
            return Samples.from_array(read.proxy)
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(f"{name} is longer than the {MAX_BYTES:,} bytes that are read")
        return Samples.from_lines(data.decode("utf-8-sig").splitlines(), name)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or "not a text file in UTF-8"
        raise InputError(f"--law {text}: {reason}") from None


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
