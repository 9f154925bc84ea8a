"""Tables of scored responses: reading and refusing, so that what comes after sees clean numbers."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError, must_be, nearest

if TYPE_CHECKING:
    import duckdb

Array: TypeAlias = NDArray[np.float64]
Source: TypeAlias = "str | os.PathLike[str]"

#: The column that tells the responses of a prompt apart; looked at only where it is present.
RESPONSE = "response_id"
#: The header must end within this many bytes.
HEADER_BYTES = 1 << 20

_GZIP = b"\x1f\x8b"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_HINT = "correct it, or have such rows dropped and counted (--drop-invalid, drop_invalid=True)"


@dataclass(frozen=True, slots=True)
class Table:
    """Scored responses, prompt after prompt: finite numbers, at least one response each.

    ``proxy`` and ``gold`` have one entry a response; the first ``sizes[0]`` belong to the first
    prompt, the next ``sizes[1]`` to the second. ``dropped`` counts the rows left out as invalid.
    """

    name: str
    proxy: Array
    gold: Array
    sizes: NDArray[np.int64]
    dropped: int = 0

    @classmethod
    def from_arrays(
        cls,
        prompt: ArrayLike,
        proxy: ArrayLike,
        gold: ArrayLike,
        *,
        drop_invalid: bool = False,
        name: str = "arrays",
    ) -> Table:
        """A table from three arrays of one length: prompt ids, proxy scores, gold scores.

        Rows of a prompt may be scattered. Prompts are ordered by id. Ids are compared as they are
        ("01" and "1" differ), so give all of them one type.

        Raises InputError for lengths that differ, no rows, and scores that are not finite, unless
        ``drop_invalid``.

        >>> Table.from_arrays(["b", "a", "b"], [1, 2, 3], [0, 0, 1]).sizes
        array([1, 2])
        """
        ids = np.asarray(prompt).ravel()
        scores = {"proxy": _floats("proxy", proxy), "gold": _floats("gold", gold)}
        lengths = {"prompt": len(ids), **{column: len(x) for column, x in scores.items()}}
        if len(set(lengths.values())) > 1:
            raise InputError(f"columns of different lengths: {lengths}")
        valid = np.isfinite(scores["proxy"]) & np.isfinite(scores["gold"])
        if not valid.all():
            row = int(np.argmin(valid))
            column = next(c for c, x in scores.items() if not np.isfinite(x[row]))
            if not drop_invalid:
                raise _invalid(name, row + 1, column, str(scores[column][row]))
        try:
            _, group = np.unique(ids[valid], return_inverse=True)
        except TypeError:
            raise InputError("prompt ids must be of one type that can be ordered") from None
        order = np.argsort(group, kind="stable")
        if len(order) == 0:
            raise _no_rows(name, len(ids))
        return cls(
            name,
            scores["proxy"][valid][order],
            scores["gold"][valid][order],
            np.bincount(group).astype(np.int64),
            int(len(ids) - len(order)),
        )


def read_table(
    source: Source,
    *,
    prompt: str = "prompt_id",
    proxy: str = "proxy",
    gold: str = "true",
    drop_invalid: bool = False,
) -> Table:
    """Read a table of scored responses from CSV, gzipped or not: one row a response.

    ``source`` is a path, ``-`` for standard input, or the bare name of a packaged table
    (``ridge_overfit``); a file of that name is reached as ``./ridge_overfit``. The first line names
    the columns; ``prompt``, ``proxy`` and ``gold`` say which to use. Ids are text, compared
    character by character; rows of a prompt may be scattered, and the order of rows changes
    nothing. Rows are counted from 1, the header not counted.

    Returns a Table, prompts ordered by id. Nothing is silently left out: rows with an empty id or a
    score that is not a finite number are refused, or counted in ``dropped`` if ``drop_invalid``.

    Raises InputError, always one line: no such file, not CSV in UTF-8, a damaged gzip, a missing or
    doubled column, ragged rows, an invalid cell, no rows, a (prompt, response_id) pair given twice.

    >>> table = read_table("ridge_overfit")
    >>> len(table.sizes), len(table.proxy)
    (100, 6400)
    """
    with ExitStack() as stack:
        path, name = stack.enter_context(_file(source))
        zipped = _is_gzip(path)
        if zipped:
            _check_gzip(path, name)
        header = _header(path, zipped, name)
        columns = {"prompt": prompt, "proxy": proxy, "gold": gold}
        places = {part: _place(header, column, name) for part, column in columns.items()}
        response = header.index(RESPONSE) if header.count(RESPONSE) == 1 else None
        database = stack.enter_context(_database(path))
        _load(database, path, zipped, len(header), places, response, name)
        dropped = _refuse_or_drop(database, columns, drop_invalid, name)
        if response is not None:
            _refuse_duplicates(database, prompt, name)
        scores = database.execute(
            "SELECT proxy, gold FROM rows ORDER BY prompt, proxy, gold"
        ).fetchnumpy()
        sizes = database.execute(
            "SELECT count(*) AS size FROM rows GROUP BY prompt ORDER BY prompt"
        ).fetchnumpy()
    if len(sizes["size"]) == 0:
        raise _no_rows(name, dropped)
    return Table(
        name,
        np.asarray(scores["proxy"], np.float64),
        np.asarray(scores["gold"], np.float64),
        np.asarray(sizes["size"], np.int64),
        dropped,
    )


def packaged_tables() -> list[str]:
    """The names of the tables that come with the package.

    >>> packaged_tables()
    ['ridge_overfit']
    """
    folder = resources.files("hedgetheory").joinpath("data")
    names = [entry.name for entry in folder.iterdir()]
    return sorted(n.removesuffix(".csv.gz") for n in names if n.endswith(".csv.gz"))


# --- refusals -------------------------------------------------------------------------------------


def _invalid(name: str, row: int, column: str, cell: str | None) -> InputError:
    if cell is None or not cell.strip():
        return InputError(f"{name}: row {row}, column {column!r} is empty; {_HINT}")
    what = f"'{_shown(cell)}' is not a finite number"
    return InputError(f"{name}: row {row}, column {column!r}: {what}; {_HINT}")


def _no_rows(name: str, dropped: int) -> InputError:
    also = f" ({dropped} invalid ones dropped)" if dropped else ""
    return InputError(f"{name}: the table has no rows{also}; it needs one row a response")


def _shown(text: str, length: int = 40) -> str:
    """Text from outside as it goes into a message: short and on one line."""
    short = text if len(text) <= length else text[: length - 3] + "..."
    return short if short.isprintable() else repr(short)[1:-1]


def _near(name: str, known: list[str]) -> str:
    hint = nearest(name, known)
    return ("; " if hint.startswith("did") else " ") + hint


def _floats(column: str, values: ArrayLike) -> Array:
    try:
        return np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise InputError(f"column {column!r} must be an array of real numbers") from None


# --- finding the file -----------------------------------------------------------------------------


@contextmanager
def _file(source: Source) -> Iterator[tuple[Path, str]]:
    """A regular file to read and the name to call it by; streams go through a temporary file."""
    text = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text or "\0" in text:
        shown = repr(source) if isinstance(source, str) else f"<{type(source).__name__}>"
        raise must_be("table", shown, "a path, a packaged table, or -", "read_table")
    if text == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise InputError("table - is standard input, but nothing is piped into it")
        with _copied(sys.stdin.buffer) as path:
            yield path, "standard input"
        return
    if text in packaged_tables():
        with resources.as_file(resources.files("hedgetheory") / "data" / f"{text}.csv.gz") as path:
            yield path, text
        return
    path, name = Path(text), _shown(text, 200)
    try:
        mode = path.stat().st_mode
        if stat.S_ISFIFO(mode):
            with path.open("rb") as stream, _copied(stream) as copy:
                yield copy, name
            return
        if stat.S_ISREG(mode):
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        hint = _near(text, packaged_tables()).replace("known", "packaged tables")
        raise InputError(f"{name}: no such file{hint}") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or 'cannot be opened'}") from None
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise InputError(f"{name}: is {kind}, but must be a CSV file, gzipped or not")
    yield path.absolute(), name


@contextmanager
def _copied(stream: IO[bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hedgetheory-") as folder:
        path = Path(folder) / "table.csv"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        yield path


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _check_gzip(path: Path, name: str) -> None:
    """Read to the end: the engine does not compare checksums."""
    try:
        with gzip.open(path, "rb") as file:
            while file.read(1 << 20):
                pass
    except EOFError:
        raise InputError(f"{name}: the gzip file is truncated; copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name}: the gzip file is damaged ({error})") from None


def _header(path: Path, zipped: bool, name: str) -> list[str]:
    with gzip.open(path, "rb") if zipped else path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if not head:
        raise InputError(f"{name}: the file is empty; it needs a header and one row a response")
    if head.startswith(b"PAR1"):
        raise InputError(f"{name}: is a Parquet file, but must be CSV, gzipped or not")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name}: is UTF-16 text, but must be UTF-8; save it as UTF-8")
    if b"\0" in head:
        raise InputError(f"{name}: is a binary file, but must be CSV, gzipped or not")
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head, final=False)
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except UnicodeDecodeError:
        raise InputError(f"{name}: is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{name}: the header is not CSV ({error})") from None
    if len(head) == HEADER_BYTES and "\n" not in text and "\r" not in text:
        raise InputError(f"{name}: the first line is longer than {HEADER_BYTES} bytes")
    if not any(column.strip() for column in names):
        raise InputError(f"{name}: the first line is empty, but must name the columns")
    return [column.strip() for column in names]


def _place(header: list[str], column: str, name: str) -> int:
    count = header.count(column)
    if count == 1:
        return header.index(column)
    if count > 1:
        raise InputError(f"{name}: column {column!r} appears {count} times in the header")
    known = [_shown(c) for c in header[:40]] + (["..."] if len(header) > 40 else [])
    commas = "; columns are separated by commas" if len(header) == 1 else ""
    raise InputError(f"{name}: no column {column!r}{_near(column, known)}{commas}")


# --- the engine -----------------------------------------------------------------------------------


@contextmanager
def _database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that may read this one file and nothing else."""
    import duckdb

    off = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    database = duckdb.connect(":memory:", config=off)
    try:
        database.execute(f"SET allowed_paths = [{_quoted(str(path))}]")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        yield database
    finally:
        database.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _load(  # noqa: PLR0917
    database: duckdb.DuckDBPyConnection,
    path: Path,
    zipped: bool,
    width: int,
    places: dict[str, int],
    response: int | None,
    name: str,
) -> None:
    """Table ``rows``: row number, ids and cells as text, scores as numbers (NULL where invalid)."""
    import duckdb

    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    prompt, proxy, gold = (f"c{places[part]}" for part in ("prompt", "proxy", "gold"))
    query = f"""
        CREATE TEMP TABLE rows AS
        SELECT row_number() OVER () AS row, {prompt} AS prompt,
            {"NULL" if response is None else f"c{response}"} AS response,
            {proxy} AS proxy_cell, {gold} AS gold_cell,
            {_number(proxy)} AS proxy, {_number(gold)} AS gold
        FROM read_csv({_quoted(str(path))}, auto_detect = false, header = true, delim = ',',
            quote = '"', escape = '"', columns = {{{columns}}},
            compression = '{"gzip" if zipped else "none"}')
    """  # noqa: S608 (the path is quoted, the rest is ours)
    try:
        database.execute(query)
    except duckdb.Error as error:
        raise InputError(f"{name}: {_plain(str(error))}") from None


def _number(cell: str) -> str:
    """SQL for a finite decimal number, NULL otherwise (TRY_CAST alone takes 1_000, nan and inf)."""
    value, decimal = f"TRY_CAST({cell} AS DOUBLE)", f"regexp_full_match(trim({cell}), '{_NUMBER}')"
    return f"CASE WHEN {decimal} AND isfinite({value}) THEN {value} END"


def _plain(message: str) -> str:
    """The engine's message in one plain line."""
    line = re.search(r"CSV Error on Line: (\d+)", message)
    where = f"line {line[1]}" if line else "the file"
    cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if cells:
        return f"{where} has {cells[2]} cells, but the header names {cells[1]} columns"
    if "unterminated quote" in message:
        return f'{where} opens a quote (") that is not closed as CSV asks'
    if "unicode" in message or "utf-8" in message:
        return f"{where} is not UTF-8 text; save it as CSV in UTF-8"
    if "Maximum line size" in message:
        return f"{where} is longer than the 2 MB that a line may have"
    return f"{where} cannot be read as CSV: " + " ".join(message.split())[:160]


def _refuse_or_drop(
    database: duckdb.DuckDBPyConnection, columns: dict[str, str], drop_invalid: bool, name: str
) -> int:
    nameless = "prompt IS NULL OR NOT regexp_matches(prompt, '[^[:space:]]')"
    invalid = f"proxy IS NULL OR gold IS NULL OR {nameless}"
    if drop_invalid:
        found = database.execute(f"DELETE FROM rows WHERE {invalid}").fetchone()  # noqa: S608
        return int(found[0]) if found else 0
    cells = "row, prompt, proxy_cell, gold_cell, proxy IS NULL, gold IS NULL"
    first = f"SELECT {cells} FROM rows WHERE {invalid} ORDER BY row LIMIT 1"  # noqa: S608
    bad = database.execute(first).fetchone()
    if bad is None:
        return 0
    row, prompt_id, proxy_cell, gold_cell, no_proxy, no_gold = bad
    if no_proxy:
        raise _invalid(name, row, columns["proxy"], proxy_cell)
    if no_gold:
        raise _invalid(name, row, columns["gold"], gold_cell)
    raise _invalid(name, row, columns["prompt"], prompt_id)


def _refuse_duplicates(database: duckdb.DuckDBPyConnection, prompt: str, name: str) -> None:
    twice = database.execute(
        "SELECT prompt, response, min(row), count(*) FROM rows WHERE response IS NOT NULL "
        "GROUP BY prompt, response HAVING count(*) > 1 ORDER BY min(row) LIMIT 1"
    ).fetchone()
    if twice is None:
        return
    prompt_id, response_id, first, count = twice
    raise InputError(
        f"{name}: {prompt} '{_shown(prompt_id)}' with {RESPONSE} '{_shown(response_id)}' "
        f"appears {count} times, first in row {first}; each response must have its own id"
    )
