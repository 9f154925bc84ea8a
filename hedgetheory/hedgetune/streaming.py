"""Tables larger than memory: the embedded engine parts them by prompt, each part fits, moments add.

The engine (DuckDB, its memory bounded) reads the files once and writes the rows in need into
buckets by a hash of the prompt, so that all rows of a prompt are in one bucket, wherever they came
from; then bucket after bucket is ranked in memory and reduced to `RankMoments`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.engine import (
    INTEGERS,
    RESPONSE,
    Cells,
    Layout,
    blank,
    cells,
    database,
    layout_of,
    quoted,
    unreadable,
)
from hedgetheory.hedgetune.moments import CROSS
from hedgetheory.hedgetune.progress import Report, progress_bar, silent
from hedgetheory.hedgetune.reduction import (
    Reduction,
    RepeatedResponse,
    Rows,
    merge_all,
    reduce_rows,
)
from hedgetheory.hedgetune.sources import Part, Source, opened, show
from hedgetheory.hedgetune.table import check_weights, column_names, invalid, no_rows

if TYPE_CHECKING:
    import duckdb

#: Rows of a bucket: some 200 MB where they are ranked.
BUCKET_ROWS = 1_500_000
MAX_BUCKETS = 256
#: What the engine may hold; numpy's part of a bucket comes on top.
ENGINE_MEMORY = "640MB"
ENGINE_THREADS = 2
#: The fewest bytes that a row takes in a file: for guessing how many rows it has.
_ROW_BYTES = {"csv": 12, "jsonl": 40}
_PACKED = 6


def reduce_table(
    source: Source,
    *,
    prompt: str = "prompt_id",
    proxy: str = "proxy",
    gold: str = "true",
    weight: str | None = None,
    group: str | None = None,
    drop_invalid: bool = False,
    cross: int = CROSS,
    buckets: int | None = None,
    progress: bool | None = None,
) -> Reduction:
    """Reduce a table of any size to its moments by rank, in bounded memory.

    For each number of responses S: how many prompts, the mean of gold by rank (ties sharing
    theirs), and its co-moments, from which come curves, standard errors and intervals
    (`Reduction.curve`). The files are read once; rows of a prompt may be scattered over them.

    ``source`` and the columns: as `read_table`. ``cross``: up to this S the co-moments are those
    of every pair of ranks, and the result is that of the table in memory up to rounding; beyond,
    ranks are binned. ``buckets``: how many parts to go through (default: as many as make
    `BUCKET_ROWS` rows each). ``progress``: a bar on stderr (default: if it is a terminal).

    Memory: a bucket at a time and what the engine may hold, under 2 GiB at 10⁸ rows, provided that
    a single prompt has at most some 10⁷ responses. Disk: some 24 bytes a row in the temporary
    folder (TMPDIR) while it runs; nothing is left, an interrupt included.

    Raises InputError, one line, as `read_table`.

    >>> reduction = reduce_table("ridge_overfit")
    >>> [(m.size, m.count) for m in reduction.sizes()]
    [(64, 100)]
    """
    check_cross(cross, "reduce_table")
    if buckets is not None and not 1 <= buckets <= MAX_BUCKETS:
        raise must_be("buckets", buckets, f"an integer from 1 to {MAX_BUCKETS}", "reduce_table")
    columns = column_names(prompt, proxy, gold, weight, group)
    with (
        opened(source) as (parts, name, private),
        database(parts, private, memory=ENGINE_MEMORY, threads=ENGINE_THREADS) as connection,
        progress_bar(progress) as report,
    ):
        view = View.of(connection, parts, columns)
        count = buckets or view.buckets(connection)
        found: list[Reduction] = []
        total = merge_all(name, 0, [])
        for rows, dropped in _bucket_rows(connection, view, private, count, report):
            if dropped and not drop_invalid:
                raise view.first_invalid(connection)
            try:
                found = [reduce_rows(rows, cross=cross, name=name)] if len(rows.prompt) else []
            except RepeatedResponse:
                view.refuse_duplicates(connection)
                found = [reduce_rows(replace(rows, response=None), cross=cross, name=name)]
            total = merge_all(name, dropped, [total, *found])
    return checked(total)


def checked(total: Reduction) -> Reduction:
    """The reduction of a whole table, or the refusal of one without rows or weight."""
    if total.rows == 0:
        raise no_rows(total.name, total.dropped)
    check_weights(total.name, np.array([m.first.weight for m in total.sizes()]))
    return total


def check_cross(cross: int, call: str) -> None:
    if isinstance(cross, bool) or not isinstance(cross, int) or not 8 <= cross <= 2048:
        raise must_be("cross", cross, "an integer from 8 to 2048", call)


@dataclass(frozen=True, slots=True)
class View:
    """The rows of all parts under one set of names: SQL, and what it needs to say what is wrong."""

    parts: list[Part]
    layouts: list[Layout]
    cells: list[Cells]
    columns: Mapping[str, str]

    @classmethod
    def of(
        cls,
        connection: duckdb.DuckDBPyConnection,
        parts: list[Part],
        columns: Mapping[str, str],
    ) -> View:
        layouts = [layout_of(connection, part) for part in parts]
        found = [
            cells(layout, columns, part.name) for layout, part in zip(layouts, parts, strict=True)
        ]
        return cls(parts, layouts, found, columns)

    @property
    def integers(self) -> bool:
        """Every part has integer ids, so that they are compared as such."""
        return all(cell.prompt_type in INTEGERS for cell in self.cells)

    @property
    def responses(self) -> bool:
        return any(cell.response is not None for cell in self.cells)

    def buckets(self, connection: duckdb.DuckDBPyConnection) -> int:
        rows = 0
        for part, layout in zip(self.parts, self.layouts, strict=True):
            if layout.format == "parquet":
                file = quoted(str(part.link))
                query = f"SELECT num_rows FROM parquet_file_metadata({file})"  # noqa: S608
                found = connection.execute(query).fetchone()
                rows += int(found[0]) if found else 0
            else:
                packed = 1 if layout.packing == "none" else _PACKED
                rows += packed * part.path.stat().st_size // _ROW_BYTES[layout.format]
        return int(np.clip(-(-rows // BUCKET_ROWS), 1, MAX_BUCKETS))

    def select(
        self, place: int, *also: int, rows: tuple[int, int] | None = None, text_ids: bool = False
    ) -> str:
        """Rows of parts that are laid out alike: columns prompt, proxy, gold, …

        In a row that is not valid proxy is NaN, and prompt may be NULL.
        """
        cell, layout = self.cells[place], self.layouts[place]
        kind = "BIGINT" if self.integers and not text_ids else "VARCHAR"
        fields = {"prompt": f"CAST({cell.prompt} AS {kind})"}
        real = {part: sql for part, (_, sql) in cell.numbers.items()}
        bad = [f"({sql}) IS NULL" for sql in real.values()]
        text = cell.prompt if self.integers else f"CAST({cell.prompt} AS VARCHAR)"
        bad.append(f"({cell.prompt}) IS NULL" if self.integers else blank(f"({text})"))
        if cell.group is not None:
            bad.append(blank(cell.group))
            fields["group"] = cell.group
        fields["proxy"] = (
            f"CASE WHEN {' OR '.join(bad)} THEN 'NaN'::DOUBLE ELSE {real['proxy']} END"
        )
        fields |= {part: f"CAST({real[part]} AS DOUBLE)" for part in real if part != "proxy"}
        if self.responses:
            response = cell.response or "NULL"
            fields["response"] = f"hash(coalesce({response}, CAST(uuid() AS VARCHAR)))"
        named = ", ".join(f'{sql} AS "{part}"' for part, sql in fields.items())
        listed = ", ".join(quoted(str(self.parts[k].link)) for k in [place, *also])
        return f"SELECT {named} FROM {layout.relation(f'[{listed}]', cell.used, rows)}"  # noqa: S608

    def all(self) -> str:
        """The rows of all parts; parts of one layout are read by one reader."""
        alike: dict[Layout, list[int]] = {}
        for place, layout in enumerate(self.layouts):
            alike.setdefault(layout, []).append(place)
        return " UNION ALL ".join(self.select(first, *also) for first, *also in alike.values())

    def unreadable(self, connection: duckdb.DuckDBPyConnection, error: Exception) -> InputError:
        """Which part it is that cannot be read: found by reading them one after the other."""
        import duckdb

        unreadable(self.parts[0], error)  # an interrupt is none
        for place, part in enumerate(self.parts):
            try:
                connection.execute(f"SELECT count(proxy), max(gold) FROM ({self.select(place)})")  # noqa: S608
            except duckdb.Error as found:
                return unreadable(part, found)
        return unreadable(self.parts[0], error)

    def first_invalid(self, connection: duckdb.DuckDBPyConnection) -> InputError:
        """The first row that is not valid: found by numbering the rows of each part."""
        for part, layout, cell in zip(self.parts, self.layouts, self.cells, strict=True):
            texts = {p: text for p, (text, _) in cell.numbers.items()}
            texts["prompt"] = f"CAST({cell.prompt} AS VARCHAR)"
            tests = {p: f"({sql}) IS NULL" for p, (_, sql) in cell.numbers.items()}
            tests["prompt"] = blank(f"({texts['prompt']})")
            if cell.group is not None:
                texts["group"], tests["group"] = cell.group, blank(cell.group)
            shown = ", ".join(f'{texts[p]} AS "{p}"' for p in tests)
            failed = ", ".join(f'{test} AS "{p}_failed"' for p, test in tests.items())
            either = " OR ".join(f'"{p}_failed"' for p in tests)
            source = layout.relation(quoted(str(part.link)), cell.used)
            query = (
                f"SELECT * FROM (SELECT row_number() OVER () AS row, {shown}, {failed} "  # noqa: S608
                f"FROM {source}) WHERE {either} ORDER BY row LIMIT 1"
            )
            row = connection.execute(query).fetchone()
            if row is not None:
                place = row[1 + len(tests) :].index(True)
                column = self.columns[list(tests)[place]]
                return invalid(part.name, row[0], column, row[1 + place])
        return InputError("a row is not valid")

    def refuse_duplicates(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Two hashes were equal: raise if two responses are."""
        selects = []
        for part, layout, cell in zip(self.parts, self.layouts, self.cells, strict=True):
            if cell.response is not None:
                source = layout.relation(quoted(str(part.link)), cell.used)
                selects.append(
                    f"SELECT CAST({cell.prompt} AS VARCHAR) AS prompt, "  # noqa: S608
                    f"{cell.response} AS response FROM {source} WHERE {cell.response} IS NOT NULL"
                )
        twice = connection.execute(
            f"SELECT prompt, response, count(*) FROM ({' UNION ALL '.join(selects)}) "  # noqa: S608
            "GROUP BY prompt, response HAVING count(*) > 1 ORDER BY prompt, response LIMIT 1"
        ).fetchone()
        if twice is not None:
            raise InputError(
                f"{self.parts[0].name}: {self.columns['prompt']} '{show(twice[0])}' with {RESPONSE}"
                f" '{show(twice[1])}' appears {twice[2]} times; each response must have its own id"
            )


def _bucket_rows(
    connection: duckdb.DuckDBPyConnection, view: View, private: Path, count: int, report: Report
) -> Iterator[tuple[Rows, int]]:
    """The rows of one bucket after the other, and how many of its rows were invalid."""
    import duckdb

    folder = private / "buckets"
    try:
        with _watched(connection, report):
            if count == 1:
                rows = fetch(connection, view.all(), view.integers, keep=True)
            else:
                place = f"hash(prompt) % {count}"
                options = "FORMAT parquet, PARTITION_BY (bucket), COMPRESSION 'uncompressed'"
                connection.execute(
                    f"COPY (SELECT *, {place} AS bucket FROM ({view.all()})) "  # noqa: S608
                    f"TO {quoted(str(folder))} ({options})"
                )
    except duckdb.Error as error:
        raise view.unreadable(connection, error) from None
    if count == 1:
        yield rows
        return
    buckets = sorted(folder.iterdir())
    for done, bucket in enumerate(buckets):
        report("ranking", done, len(buckets))
        files = sorted(bucket.glob("*.parquet"))
        listed = ", ".join(quoted(str(file)) for file in files)
        source = f"SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"  # noqa: S608
        yield fetch(connection, source, view.integers, keep=False)
        for file in files:
            file.unlink()
    report("ranking", len(buckets), max(len(buckets), 1))


@contextmanager
def _watched(connection: duckdb.DuckDBPyConnection, report: Report) -> Iterator[None]:
    """Report how far a query is, in per cent, while it runs."""
    if report is silent:
        yield
        return
    done = Event()

    def watch() -> None:
        while not done.wait(0.2):
            report("reading", int(max(connection.query_progress(), 0.0)), 100)

    report("reading", 0, 100)
    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    report("reading", 100, 100)


def fetch(
    connection: duckdb.DuckDBPyConnection, source: str, integers: bool, *, keep: bool
) -> tuple[Rows, int]:
    """The valid rows of a SELECT as arrays, and how many were not valid.

    Text ids are numbered by the engine, exactly, each with its hash, and stay in its table ``ids``;
    groups likewise. ``keep``: do not run the SELECT twice.
    """
    kept = "TABLE" if keep else "VIEW"
    connection.execute(f"CREATE OR REPLACE TEMP {kept} bucket AS {source}")
    present = {row[0] for row in connection.execute("DESCRIBE bucket").fetchall()}
    fields = [f for f in ("proxy", "gold", "weight", "response") if f in present]
    taken = [f"bucket.{field}" for field in fields]
    joins, hashes, names = "", None, []
    if integers:
        taken.append("coalesce(bucket.prompt, 0) AS prompt")
    else:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE ids AS SELECT prompt, row_number() OVER () - 1 AS id, "
            "md5_number_lower(prompt) AS hash FROM "
            "(SELECT DISTINCT prompt FROM bucket WHERE prompt IS NOT NULL)"
        )
        ids = connection.execute("SELECT id, hash FROM ids ORDER BY id").fetchnumpy()
        hashes = np.asarray(ids["hash"], np.uint64)
        taken.append("coalesce(ids.id, 0) AS prompt")
        joins += " LEFT JOIN ids ON bucket.prompt = ids.prompt"
    if "group" in present:
        connection.execute(
            'CREATE OR REPLACE TEMP TABLE labels AS SELECT "group" AS label, '
            'row_number() OVER () - 1 AS place FROM (SELECT DISTINCT "group" FROM bucket)'
        )
        found = connection.execute("SELECT label FROM labels ORDER BY place").fetchall()
        names = [str(row[0]) for row in found]
        taken.append('coalesce(labels.place, 0) AS "group"')
        joins += ' LEFT JOIN labels ON bucket."group" = labels.label'
    query = f"SELECT {', '.join(taken)} FROM bucket{joins}"  # noqa: S608
    arrays: dict[str, NDArray[Any]] = connection.execute(query).fetchnumpy()
    proxy = np.asarray(arrays["proxy"])
    valid = np.isfinite(proxy)
    dropped = int(len(proxy) - np.count_nonzero(valid))
    if dropped:
        arrays = {field: np.ma.getdata(values)[valid] for field, values in arrays.items()}
    rows = Rows(
        np.asarray(arrays["prompt"], np.int64),
        np.asarray(arrays["proxy"], np.float64),
        np.asarray(arrays["gold"], np.float64),
        hashes,
        np.asarray(arrays["weight"], np.float64) if "weight" in arrays else None,
        np.asarray(arrays["group"], np.int64) if "group" in arrays else None,
        tuple(names),
        np.asarray(arrays["response"], np.uint64) if "response" in arrays else None,
    )
    return rows, dropped
