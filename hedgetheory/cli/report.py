"""``hedgetheory report``: a ``tune`` or a ``check`` as one page that can be sent."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Iterator
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import click

import hedgetheory
from hedgetheory.cli import check, options, tune
from hedgetheory.cli.output import Report, checked_target, command_options, write_file
from hedgetheory.cli.text import Grid, symbol_name
from hedgetheory.errors import InputError

#: Packages whose version may move a digit of one kind of report.
PACKAGES = {
    "tune": ("numpy", "duckdb"),
    "check": ("sympy", "mpmath", "python-flint"),
}
#: Beyond so many files their checksums are not listed.
MAX_FILES = 20
_CHUNK = 1 << 20
#: Options of one kind alone; what is in neither goes with both.
_OF_CHECK = ("law_text", "joint", "digits", "bound", "workers")
_SHARED = {"table", "family", "gold", "as_json", "output", "debug"}
_OF_TUNE = {parameter.name for parameter in tune.command.params} - _SHARED


@click.command(
    "report",
    epilog=options.examples(
        "report ridge_overfit --html report.html",
        "report scores.csv --proxy judge,reward --gold passed --family bop --html report.html",
        'report --law uniform --family bon --gold "u**12*(1 - u)" --html check.html',
        'report --law uniform --family bon --joint "contaminated(eps=1/100, h=0)" --html c.html',
    ),
)
@click.argument("table", required=False)
@click.option("--html", metavar="FILE", required=True, help="The page: .html or .htm.")
@click.option("--date", "on", metavar="YYYY-MM-DD", help="A date to print on it; none without.")
@click.option("--family", metavar="FAMILY", help="As for tune (bon without it), or for check.")
@click.option("--gold", metavar="COLUMN|FORMULA", help="Column of the gold score (true without it);"
              " with --law, the gold curve in u or r.")  # fmt: skip
@options.law(required=False)
@click.option("--joint", metavar="MODEL", help="With --law: a joint model instead of --gold.")
@options.digits(12)
@options.workers()
@click.option("--bound", type=click.IntRange(min=1), metavar="UNITS",
              help="With --law: at most so much work, some 10^4 units a second.")  # fmt: skip
@tune.table_options
@command_options
def command(table: str | None, html: str, on: str | None, **given: Any) -> Report:
    """One self-contained page: of a tune on TABLE, or with --law of a check.

    It holds the answer, the curve with its intervals, verdicts, numbers with their guarantees, and
    the command that makes it again; it loads nothing, and works without a script. The same input
    gives the same bytes: no date unless one is given.

    Exit code 3, with the page, where the regime of a check is undecided.
    """
    if not html.lower().endswith((".html", ".htm")):
        raise InputError(f"--html {html}: the name must end in .html or .htm")
    target = checked_target(html)
    if target is None:
        raise InputError(f"--html {html!r}, but must be a file")
    _refuse_mixed(table, given["law_text"])
    made_on = None if on is None else _checked_date(on)
    if table is not None:
        page, fields, blocks, code = _of_table(table, html, made_on, given)
    else:
        page, fields, blocks, code = _of_law(html, made_on, given)
    data = page.encode()
    write_file(target, data)
    head = {"html": html, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    said = f"{html}: {len(data):,} bytes"
    return Report("report", {**head, **fields}, [said, "", *blocks], code)


Made = tuple[str, dict[str, Any], list[str | Grid], int]


def _of_table(table: str, html: str, on: str | None, given: dict[str, Any]) -> Made:
    from hedgetheory.cli.pages import tuned
    from hedgetheory.cli.pages.shell import page, reproduce

    given["family"], given["gold"] = given["family"] or "bon", given["gold"] or "true"
    columns = tune.column_names(given.pop("proxies"))
    chosen = {key: value for key, value in given.items() if key not in _OF_CHECK}
    line = _command_line([table], html, on, {**chosen, "proxy": ",".join(columns)})
    run = tune.tuner({**chosen, "large": False, "scheduler": None})
    with tune.readable(table, 2) as source:  # twice: standard input is a file then, to be hashed
        results = tune.by_proxy(run, source, columns, given["ensemble"] is not None)
        files = list(_checksums(source, table))
    name, note = table, ""
    if table == "-":
        name, note = "standard input", "It reads the table from its standard input."
    whole = page(
        tuned.title(name, results),
        tuned.content(name, results),
        reproduce(line, _versions("tune"), files, note),
        footer=_footer(on),
    )
    fields, blocks = tune.told(table, results)
    inputs = [{"file": n, "bytes": size, "sha256": digest} for n, size, digest in files]
    head = {"kind": "tune", "reproduce": line, "inputs": inputs}
    return whole, {**head, "result": fields}, blocks, 0


def _of_law(html: str, on: str | None, given: dict[str, Any]) -> Made:
    from hedgetheory.cli.pages import checked
    from hedgetheory.cli.pages.sampled import sampled
    from hedgetheory.cli.pages.shell import page, reproduce

    if given["family"] is None:
        raise click.UsageError("missing --family FAMILY")
    law_text, digits = given["law_text"], given["digits"]
    asked = check.question(law_text, given["family"], given["gold"], given["joint"])
    found = asked.checked(digits, workers=given["workers"], bound=given["bound"])
    points = sampled(asked.law, asked.family, asked.curve, found)
    symbol = symbol_name(str(asked.family.symbol))
    chosen = {"law": law_text, **{k: given[k] for k in ("family", "gold", "joint", "digits",
                                                        "bound")}}  # fmt: skip
    line = _command_line([], html, on, chosen)
    files = list(_checksums(law_text[1:], law_text[1:])) if law_text.startswith("@") else []
    whole = page(
        checked.title(asked.subject),
        checked.content(asked.subject, found, points, symbol, digits),
        reproduce(line, _versions("check"), files),
        footer=_footer(on),
    )
    inputs = [{"file": n, "bytes": size, "sha256": digest} for n, size, digest in files]
    fields = {
        "kind": "check",
        "reproduce": line,
        "inputs": inputs,
        "result": {**asked.subject, "digits": digits, **found.to_json()},
        "curve": checked.curve_json(points),
    }
    return whole, fields, check.blocks(asked.subject, found, digits), check.exit_code(found)


def _refuse_mixed(table: str | None, law: str | None) -> None:
    """A table or a law, and only the options that go with it."""
    if (table is None) == (law is None):
        raise click.UsageError("give a TABLE (a tune) or --law LAW (a check): one of them")
    context = click.get_current_context()
    kind, other, needs = (
        ("a table", _OF_CHECK, "--law") if law is None else ("--law", _OF_TUNE, "a table")
    )
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in other and source is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(f"{parameter.opts[-1]} goes with {needs}, not with {kind}")


def _checked_date(on: str) -> str:
    try:
        return date.fromisoformat(on).isoformat()
    except ValueError:
        raise InputError(f"--date {on}: must be a date such as 2026-01-31") from None


def _command_line(arguments: list[str], html: str, on: str | None, chosen: dict[str, Any]) -> str:
    """The command that makes the page again; of the page's path the name alone, which is nobody's
    folder."""
    words = ["hedgetheory", "report", *arguments]
    for key, value in chosen.items():
        option = f"--{key.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [option, str(value)]
    if on is not None:
        words += ["--date", on]
    return shlex.join([*words, "--html", Path(html).name])


def _checksums(source: str, shown: str) -> Iterator[tuple[str, int, str]]:
    """(name, bytes, SHA-256) of each file of a table, unless they are many."""
    from hedgetheory.hedgetune.sources import files_of

    try:
        files, _ = files_of(source, None)
    except InputError:  # @TABLE:COLUMN, which was read by its column
        files, _ = files_of(source.rpartition(":")[0], None)
    if len(files) > MAX_FILES:
        return
    for path, name in files.items():
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        yield ("standard input" if shown == "-" else name), size, digest.hexdigest()


def _versions(kind: str) -> list[tuple[str, str]]:
    return [
        ("hedgetheory", hedgetheory.__version__),
        ("Python", platform.python_version()),
        *((name, metadata.version(name)) for name in PACKAGES[kind]),
    ]


def _footer(on: str | None) -> str:
    when = f" on {on}" if on else ""
    return (
        f"Made by hedgetheory {hedgetheory.__version__}{when}. This page is one file: it loads "
        "nothing and sends nothing."
    )
