"""Rows of a table as the embedded engine (DuckDB) reads them: formats, cells, numbers."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.sources import Packing, Part, near, show

if TYPE_CHECKING:
    import duckdb

#: The column that tells the responses of a prompt apart; looked at only where it is present.
RESPONSE = "response_id"
#: The header must end within this many bytes.
HEADER_BYTES = 1 << 20
#: A JSON line may leave a column out: its columns are those of this many first lines.
_JSON_LINES = 1000

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
#: Ids of these types are compared as integers, which is what their texts would say too.
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE = ("HUGEINT", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a part is written: all that a SELECT from it needs to know."""

    format: Literal["csv", "jsonl", "parquet"]
    packing: Packing
    delimiter: str
    header: tuple[str, ...]
    types: tuple[str, ...]

    def relation(self, files: str, used: Iterable[int], rows: tuple[int, int] | None = None) -> str:
        """SQL of the rows, column k named ``c{k}``; ``files`` is a quoted path or list of them.

        The columns ``used`` are there for certain; ``rows`` (Parquet): from the first to before the
        second of these.
        """
        names = [f"c{k}" for k in range(len(self.header))]
        if self.format == "parquet":
            columns = ", ".join(names)
            source, where = f"read_parquet({files}, hive_partitioning = false)", ""
            if rows is not None:
                source = source.replace(")", ", file_row_number = true)")
                where = f" WHERE file_row_number >= {rows[0]} AND file_row_number < {rows[1]}"
            return f"(FROM {source}{where}) AS rows_of_file({columns})"
        if self.format == "jsonl":
            columns = ", ".join(f"{quoted(self.header[k])}: 'VARCHAR'" for k in used)
            renamed = ", ".join(names[k] for k in used)
            packing = "uncompressed" if self.packing == "none" else self.packing
            source = (
                f"read_json({files}, auto_detect = false, format = 'newline_delimited', "
                f"records = 'true', columns = {{{columns}}}, hive_partitioning = false, "
                f"compression = '{packing}')"
            )
            return f"{source} AS rows_of_file({renamed})"
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        return (
            f"read_csv({files}, auto_detect = false, header = true, delim = '{self.delimiter}', "
            f"quote = '\"', escape = '\"', columns = {{{columns}}}, hive_partitioning = false, "
            f"compression = '{self.packing}')"
        )


@contextmanager
def database(
    parts: list[Part], private: Path, *, memory: str | None = None, threads: int | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that may read these files, spill into ``private``, and nothing else."""
    import duckdb

    off = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    connection = duckdb.connect(":memory:", config=off)
    try:
        spill = private / "spill"
        spill.mkdir(exist_ok=True)
        connection.execute(f"SET temp_directory = {quoted(str(spill))}")
        if memory is not None:
            connection.execute(f"SET memory_limit = {quoted(memory)}")
        if threads is not None:
            connection.execute(f"SET threads = {int(threads)}")
        with suppress(duckdb.InvalidInputException):  # in a notebook it wants widgets for its bar
            connection.execute("SET enable_progress_bar = true")  # so that query_progress knows
            connection.execute("SET enable_progress_bar_print = false")
        files = ", ".join(quoted(str(part.link)) for part in parts)
        connection.execute(f"SET allowed_paths = [{files}]")
        connection.execute(f"SET allowed_directories = [{quoted(str(private))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    except (RuntimeError, duckdb.InterruptException) as error:
        if "interrupt" in str(error).lower():  # how the engine passes SIGINT on
            raise KeyboardInterrupt from None
        raise
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise InputError(f"{parts[0].name}: {_plain(str(error))}") from None
    finally:
        connection.close()


def quoted(text: str) -> str:
    """A string literal of SQL.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


# --- layouts --------------------------------------------------------------------------------------


def layout_of(connection: duckdb.DuckDBPyConnection, part: Part) -> Layout:
    """Format, delimiter and columns of a part, from its first bytes (not from its name).

    Raises InputError for what is none of CSV, TSV, JSON Lines and Parquet, in UTF-8.
    """
    head, name = _head(connection, part), part.name
    if not head:
        raise InputError(f"{name}: the file is empty; it needs a header and one row a response")
    if head.startswith(b"PAR1"):
        if part.packing == "zstd":
            raise InputError(f"{name}: is Parquet within zstd; unpack it (Parquet packs itself)")
        return _parquet(connection, part)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name}: is UTF-16 text, but must be UTF-8; save it as UTF-8")
    if b"\0" in head:
        raise InputError(f"{name}: is a binary file, but must be CSV, TSV, JSON Lines or Parquet")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=False)
    except UnicodeDecodeError:
        raise InputError(f"{name}: is not UTF-8 text; save it as CSV in UTF-8") from None
    if text.lstrip().startswith("{"):
        return _json_lines(text, part, whole=len(head) < HEADER_BYTES)
    if text.lstrip().startswith("[{"):
        raise InputError(f"{name}: is one JSON array, but must be JSON Lines: one object a line")
    return _csv(text, part, whole=len(head) < HEADER_BYTES)


def _head(connection: duckdb.DuckDBPyConnection, part: Part) -> bytes:
    if part.packing == "zstd":  # the standard library learns zstd in Python 3.14 only
        with part.path.open("rb") as file:
            if not file.read(1):
                return b""
        lines = connection.execute(
            f"SELECT line FROM read_csv({quoted(str(part.link))}, auto_detect = false, "  # noqa: S608
            "header = false, columns = {'line': 'VARCHAR'}, delim = '\x1e', quote = '', "
            "escape = '', compression = 'zstd') LIMIT 100"
        )
        try:
            return "\n".join(row[0] or "" for row in lines.fetchall()).encode()[:HEADER_BYTES]
        except _errors() as error:
            raise unreadable(part, error) from None
    with gzip.open(part.path, "rb") if part.packing == "gzip" else part.path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _parquet(connection: duckdb.DuckDBPyConnection, part: Part) -> Layout:
    source = f"read_parquet({quoted(str(part.link))}, hive_partitioning = false)"
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608
    except _errors() as error:
        raise unreadable(part, error) from None
    names, types = tuple(row[0] for row in found), tuple(str(row[1]) for row in found)
    return Layout("parquet", "none", "", names, types)


def _json_lines(text: str, part: Part, whole: bool) -> Layout:
    lines = text.splitlines()
    if not whole:
        lines = lines[:-1]  # it may be cut
    names: dict[str, None] = {}
    for number, line in enumerate(lines[:_JSON_LINES], 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(
                f"{part.name}: line {number} is not JSON (one object a line)"
            ) from None
        if not isinstance(row, dict):
            raise InputError(f"{part.name}: line {number} is not a JSON object")
        names |= dict.fromkeys(row)
    if not lines:
        raise InputError(f"{part.name}: the first line is longer than {HEADER_BYTES} bytes")
    return Layout("jsonl", part.packing, "", tuple(names), ("VARCHAR",) * len(names))


def _csv(text: str, part: Part, whole: bool) -> Layout:
    name = part.name
    first = text.split("\n", 1)[0]
    delimiter = "\t" if "\t" in first and "," not in first else ","
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = next(reader, [])
    except csv.Error as error:
        raise InputError(f"{name}: the header is not CSV ({error})") from None
    if not whole and "\n" not in text and "\r" not in text:
        raise InputError(f"{name}: the first line is longer than {HEADER_BYTES} bytes")
    if not any(column.strip() for column in names):
        raise InputError(f"{name}: the first line is empty, but must name the columns")
    header = tuple(column.strip() for column in names)
    return Layout("csv", part.packing, delimiter, header, ("VARCHAR",) * len(header))


# --- cells ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cells:
    """SQL of the cells of a row; ``response``, ``weight`` and ``group`` None where not there.

    Scores and weight as (cell as text, number): the number is NULL where the cell is not finite.
    """

    prompt: str
    prompt_type: str
    response: str | None
    numbers: Mapping[str, tuple[str, str]]
    group: str | None
    used: tuple[int, ...]


def cells(layout: Layout, columns: Mapping[str, str], name: str) -> Cells:
    """Where the columns are in a layout. ``columns``: part → name, parts ``prompt``, ``proxy`` (or
    those of `members.members_of`), ``gold`` and, if wanted, ``weight`` and ``group``.

    Raises InputError for a column that is missing, doubled, or of a type that holds no numbers.
    """
    places = {part: _place(layout, column, name) for part, column in columns.items()}
    numbers: dict[str, tuple[str, str]] = {}
    for part in number_parts(columns):
        numbers[part] = _real(layout, places[part], columns[part], name)
    header = layout.header
    response = header.index(RESPONSE) if header.count(RESPONSE) == 1 else None
    prompt, kind = f"c{places['prompt']}", layout.types[places["prompt"]]
    if kind in {"FLOAT", "DOUBLE"}:  # how dataframes write integers where some are missing
        prompt = f"CASE WHEN isfinite({prompt}) THEN {prompt} END"
    used = {*places.values(), *([] if response is None else [response])}
    return Cells(
        prompt,
        kind,
        None if response is None else f"CAST(c{response} AS VARCHAR)",
        numbers,
        f"CAST(c{places['group']} AS VARCHAR)" if "group" in places else None,
        tuple(sorted(used)),
    )


def number_parts(columns: Iterable[str]) -> list[str]:
    """The parts of a row that are numbers, in order."""
    return [part for part in columns if part not in ("prompt", "group")]


def blank(cell: str) -> str:
    """SQL: the cell is NULL or nothing but white space."""
    return f"({cell} IS NULL OR NOT regexp_matches({cell}, '[^[:space:]]'))"


def _place(layout: Layout, column: str, name: str) -> int:
    header = list(layout.header)
    count = header.count(column)
    if count == 1:
        return header.index(column)
    if count > 1:
        raise InputError(f"{name}: column {column!r} appears {count} times in the header")
    known = [show(c) for c in header[:40]] + (["..."] if len(header) > 40 else [])
    alone = len(header) == 1 and layout.format == "csv"
    commas = "; columns are separated by commas or tabs" if alone else ""
    raise InputError(f"{name}: no column {column!r}{near(column, known)}{commas}")


def _real(layout: Layout, place: int, column: str, name: str) -> tuple[str, str]:
    cell, kind = f"c{place}", layout.types[place]
    if kind == "VARCHAR":
        return cell, _number(cell)
    if kind.split("(")[0] not in (*INTEGERS, *_WIDE):
        raise InputError(f"{name}: column {column!r} has type {show(kind)}, but must hold numbers")
    value = f"CAST({cell} AS DOUBLE)"
    return f"CAST({cell} AS VARCHAR)", f"CASE WHEN isfinite({value}) THEN {value} END"


def _number(cell: str) -> str:
    """SQL for a finite decimal number or True/False as 1/0, NULL otherwise.

    TRY_CAST alone takes 1_000, nan, inf and +-3.
    """
    value, decimal = f"TRY_CAST({cell} AS DOUBLE)", f"regexp_full_match(trim({cell}), '{_NUMBER}')"
    truth = (
        f"WHEN lower(trim({cell})) = 'true' THEN 1.0 WHEN lower(trim({cell})) = 'false' THEN 0.0"
    )
    return f"CASE WHEN {decimal} THEN CASE WHEN isfinite({value}) THEN {value} END {truth} END"


# --- refusals of the engine -----------------------------------------------------------------------


def _errors() -> tuple[type[Exception], ...]:
    import duckdb

    return (duckdb.Error,)


def unreadable(part: Part, error: Exception) -> InputError:
    """The engine's message in one plain line; an interrupt is passed on."""
    import duckdb

    if isinstance(error, duckdb.InterruptException):
        raise error
    return InputError(f"{part.name}: {_plain(str(error))}")


def _plain(message: str) -> str:
    line = re.search(r"(?:CSV Error on Line: |in line )(\d+)", message)
    where = f"line {line[1]}" if line else "the file"
    cell_counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if cell_counts:
        found, named = cell_counts[2], cell_counts[1]
        return f"{where} has {found} cells, but the header names {named} columns"
    if "unterminated quote" in message:
        return f'{where} opens a quote (") that is not closed as CSV asks'
    if "No space left" in message or "max_temp_directory_size" in message:
        return "the temporary folder is full; set TMPDIR to one with more space"
    if ("memory" in message.lower() and "limit" in message.lower()) or "Out of Memory" in message:
        return "the memory allowed is not enough for this table"
    if "unicode" in message or "utf-8" in message.lower():
        return f"{where} is not UTF-8 text; save it as CSV in UTF-8"
    if "Maximum line size" in message:
        return f"{where} is longer than the 2 MB that a line may have"
    if "has duplicate key" in message:
        return f"{where} gives a key twice"
    if "JSON" in message:
        return f"{where} is not one JSON object ({_short(message.rsplit(': ', 1)[-1])})"
    if "magic bytes" in message or "arquet" in message or "hrift" in message:
        return f"is damaged as Parquet: {_short(message)}"
    return f"{where} cannot be read: {_short(message)}"


def _short(message: str) -> str:
    without_paths = re.sub(r"""['"]?/\S*hedgetheory-[^'"\s]*['"]?""", "it", message)
    return show(" ".join(without_paths.split("LINE 1")[0].split()), 160)
