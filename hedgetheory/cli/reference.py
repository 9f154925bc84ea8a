"""``hedgetheory reference``: exact reference tables, made, audited and exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, checked_target, write_file, write_stdout
from hedgetheory.cli.text import Grid
from hedgetheory.errors import InputError


@click.group(
    "reference",
    epilog=options.examples(
        "reference verify",
        "reference verify --recompute 100 --json",
        "reference export kl --format csv",
        "reference generate --table kl --workers 2 -o tables",
    ),
)
def command() -> None:
    """Exact reference tables: certified values with their rounding to binary64.

    The tables are JSON (schema-1.json beside them), packaged with hedgetheory.
    """


def _written(report: Report, as_json: bool) -> int:
    write_stdout(report.json() if as_json else report.plain())
    return report.exit_code


def _json_option() -> options.Option:
    return click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


def _folder(text: str | None) -> Path:
    from hedgetheory.reference.tables import folder

    if text is None:
        return folder()
    path = Path(text)
    if not path.is_dir():
        raise InputError(f"{text} is not a folder")
    return path


@command.command(
    "verify", epilog=options.examples("reference verify", "reference verify --recompute 100 --json")
)
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--recompute", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Evaluate N cases anew and compare.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Which cases these are.")
@options.workers()
@_json_option()
def verify(directory: str | None, as_json: bool, **given: Any) -> int:
    """Audit the packaged tables, or those of a folder; exit code 1 where something is wrong."""
    from hedgetheory.reference.audit import audit

    found = audit(_folder(directory), step=_said, **given)
    fields = {
        "tables": found.tables,
        "cases": found.cases,
        "refused": found.refused,
        "doubles": found.doubles,
        "recomputed": found.recomputed,
        "schema_checked": found.schema_checked,
        "problems": found.problems,
    }
    schema = "" if found.schema_checked else " (the schema was not: jsonschema is not installed)"
    summary = (
        f"{found.tables} tables, {found.cases} cases, {found.refused} refused, "
        f"{found.doubles} doubles, {found.recomputed} evaluated anew{schema}: "
        f"{len(found.problems) or 'no'} problem{'s' if len(found.problems) != 1 else ''}"
    )
    code = 1 if found.problems else 0
    return _written(Report("reference", fields, [*found.problems[:50], summary], code), as_json)


def _said(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


@command.command(
    "export",
    epilog=options.examples(
        "reference export kl --format csv", "reference export --format parquet -o tables.parquet"
    ),
)
@click.argument("names", nargs=-1, metavar="[TABLE]...")
@click.option("--format", "form", type=click.Choice(("csv", "parquet")), required=True)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, whole or not at all.")
def export(names: tuple[str, ...], form: str, output: str | None) -> int:
    """Tables as CSV or Parquet, marked lossy: the JSON is the source of truth."""
    from hedgetheory.reference import tables
    from hedgetheory.reference.export import exported

    target = checked_target(output)
    if form == "parquet" and target is None:
        raise InputError("a Parquet file needs -o FILE")
    data = exported([tables.load(name) for name in names or tables.names()], form)
    if target is None:
        write_stdout(data.decode())
    else:
        write_file(target, data)
    return 0


@command.command(
    "generate", epilog=options.examples("reference generate --table kl --workers 2 -o tables")
)
@click.option("--table", "names", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@options.workers()
@click.option("-o", "--output", metavar="DIR", help="The folder to write to; ./reference-tables.")
@click.option("--cache", metavar="DIR", help="Finished cases, to resume from; DIR/.cache.")
@click.option("--erratum", metavar="TEXT", help="Why published values change.")
@_json_option()
def generate(
    names: tuple[str, ...],
    workers: int,
    as_json: bool,
    **given: str | None,
) -> int:
    """Compute the tables, each case by two methods; a finished case is not computed twice.

    A published value that changes is refused without --erratum.
    """
    from hedgetheory.reference import generate as making
    from hedgetheory.reference.audit import INDEX, index, index_entry
    from hedgetheory.reference.tables import folder, read
    from hedgetheory.reference.tables import names as table_names

    output, cache = given["output"], given["cache"]
    where = Path(output or "reference-tables")
    kept = Path(cache) if cache else where / ".cache"
    kept.mkdir(parents=True, exist_ok=True)
    where.mkdir(parents=True, exist_ok=True)
    rows = []
    wanted = list(making.all_of(names))
    making.compute(wanted, kept, workers, _progress)
    for name in wanted:
        table = making.generate(name, kept, workers)
        old = making.published(name, where) or making.published(name, folder())
        table = making.succeeding(table, old, given["erratum"])
        path = making.write(table, where)
        rows.append([name, len(table.cases), len(table.refused), path.stat().st_size])
    entries = {}
    for name in table_names(where):
        entries[name] = index_entry(read(where / f"{name}.json.gz"))
    write_file(where / INDEX, index(entries))
    headers = ["table", "cases", "refused", "bytes"]
    fields = {"tables": [dict(zip(headers, row, strict=True)) for row in rows]}
    grid = Grid(headers, [[str(cell) for cell in row] for row in rows])
    return _written(Report("reference", fields, [grid]), as_json)


def _progress(name: str, done: int, whole: int) -> None:
    end = "\n" if done == whole or not sys.stderr.isatty() else ""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{name} {done}/{whole}", end=end, file=sys.stderr, flush=True)
    else:
        print(f"{name} {done}/{whole}", file=sys.stderr, flush=True)
