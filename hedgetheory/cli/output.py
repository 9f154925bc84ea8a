"""What a command hands back, and the one place that writes it: JSON, plain text, or a terminal."""

from __future__ import annotations

import functools
import json
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

import hedgetheory
from hedgetheory.cli.text import Grid, printable
from hedgetheory.errors import InputError

_STYLES = {
    **dict.fromkeys(("proved", "certified", "exact", "ok", "peak"), "green"),
    **dict.fromkeys(("undecided", "supported"), "yellow"),
    **dict.fromkeys(("refuted", "FAILED"), "red"),
}


@dataclass
class Report:
    """The answer of a command: the fields of its document, and the same for people."""

    command: str
    fields: dict[str, Any]
    blocks: list[str | Grid] = field(default_factory=list)
    exit_code: int = 0

    def document(self) -> dict[str, Any]:
        return {**envelope(self.command), **self.fields}

    def json(self) -> str:
        return json.dumps(self.document(), indent=2, allow_nan=False) + "\n"

    def plain(self) -> str:
        lines: list[str] = []
        for block in self.blocks:
            lines += [block] if isinstance(block, str) else _cleaned(block).plain()
        return "".join(f"{line}\n" for line in lines)


@dataclass
class Lines:
    """The answers of a batch: JSON lines, each with its exit code; the worst is the batch's."""

    answers: Iterator[tuple[dict[str, Any], int]]

    def write(self, target: Path | None) -> int:
        """To stdout line by line as they come, to a file at the end."""
        worst, kept = 0, []
        for answer, code in self.answers:
            line = json.dumps(answer, allow_nan=False) + "\n"
            worst = max(worst, code)
            if target is None:
                write_stdout(line)
            else:
                kept.append(line)
        if target is not None:
            write_file(target, "".join(kept))
        return worst


def envelope(command: str) -> dict[str, str]:
    """The fields that every document has."""
    return {
        "schema": f"hedgetheory/{command}/1",
        "version": hedgetheory.__version__,
        "command": command,
    }


def command_options(function: Callable[..., Report | Lines]) -> Callable[..., int]:
    """Give a command ``--json``, ``-o`` and ``--debug``, and write the report that it returns."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @click.option("-o", "--output", metavar="FILE", help="Write to FILE, whole or not at all.")
    @click.option("--debug", is_flag=True, help="Show tracebacks.")
    @functools.wraps(function)
    def wrapped(*args: Any, as_json: bool, output: str | None, debug: bool, **given: Any) -> int:
        target = checked_target(output)
        report = function(*args, **given)
        if isinstance(report, Lines):
            return report.write(target)
        if target is not None:
            write_file(target, report.json() if as_json else report.plain())
        elif not as_json and sys.stdout is not None and sys.stdout.isatty():
            _on_terminal(report)
        else:
            write_stdout(report.json() if as_json else report.plain())
        return report.exit_code

    return wrapped


def checked_target(output: str | None) -> Path | None:
    """Where ``-o`` writes, refused before any work where it cannot; None is standard output."""
    # A redirected stream is not a file to be put in its place: what is already in it stays.
    if output is None or output in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        return None
    if not output or output.startswith(("/dev/fd/", "/dev/stderr", "/proc/")):
        raise InputError(f"-o {output!r}, but must be a file, or - for standard output")
    try:
        target = Path(output).resolve()
        if target.is_dir():
            raise InputError(f"-o {output} is a folder")
        if not target.parent.is_dir():
            raise InputError(f"-o {output}: there is no folder {target.parent}")
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"-o {output}: {error}") from None
    writable = target if _is_device(target) else target.parent
    if not os.access(writable, os.W_OK):
        raise InputError(f"-o {output}: {writable} is not writable")
    return target


def _is_device(path: Path) -> bool:
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)


def write_file(target: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: beside it first, then in its place."""
    data = content.encode() if isinstance(content, str) else content
    if _is_device(target):
        target.write_bytes(data)
        return
    if target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".hedgetheory-")
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_stdout(text: str) -> None:
    """Write and flush; a terminal that cannot show a character gets its escape."""
    if sys.stdout is None:
        raise InputError("standard output is closed: write to a file by -o FILE")
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _cleaned(grid: Grid) -> Grid:
    rows = [[printable(cell) for cell in row] for row in grid.rows]
    return Grid(grid.headers, rows)


def _on_terminal(report: Report) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for block in report.blocks:
        if isinstance(block, str):
            console.print(Text(block), soft_wrap=True)
            continue
        table = Table(box=SIMPLE, pad_edge=False)
        for place, header in enumerate(block.headers):
            table.add_column(Text(header), no_wrap=place == 0, overflow="fold")  # names stay whole
        for row in _cleaned(block).rows:
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        console.print(table)
