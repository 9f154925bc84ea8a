"""The rank reduction on a Dask cluster that is there already: the same moments, by many workers.

Each file (each run of row groups of a large Parquet file) is split by prompt into buckets on a
worker; a bucket's pieces meet on a worker, which reduces them; the moments are merged here. Pieces
are results that Dask keeps and computes again where a worker that held them is lost.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.engine import INTEGERS, database, quoted
from hedgetheory.hedgetune.moments import CROSS
from hedgetheory.hedgetune.progress import Report, progress_bar
from hedgetheory.hedgetune.reduction import (
    Reduction,
    RepeatedResponse,
    Rows,
    hash_integers,
    hash_texts,
    merge_all,
    reduce_rows,
)
from hedgetheory.hedgetune.sources import Source, files_of, opened, show
from hedgetheory.hedgetune.streaming import (
    BUCKET_ROWS,
    ENGINE_MEMORY,
    MAX_BUCKETS,
    View,
    check_cross,
    checked,
    fetch,
)
from hedgetheory.hedgetune.table import column_names

_CONNECT = "10s"


def reduce_distributed(
    source: Source,
    *,
    scheduler: Any,
    prompt: str = "prompt_id",
    proxy: str = "proxy",
    gold: str = "true",
    weight: str | None = None,
    group: str | None = None,
    drop_invalid: bool = False,
    cross: int = CROSS,
    piece_rows: int = BUCKET_ROWS,
    progress: bool | Report | None = None,
) -> Reduction:
    """`reduce_table` on a running Dask cluster: the same moments up to rounding.

    ``scheduler``: its address (``tcp://host:8786``) or a ``distributed.Client``. The files must be
    readable under the same path on every worker, and hedgetheory installed there. A worker lost in
    the middle costs time only: Dask computes again what it held. ``piece_rows``: rows of a piece of
    Parquet; a file in another format is one piece. The rest as `reduce_table`; ``progress`` may be
    a function too, called as ``progress(what, done, total)``.

    Raises InputError, one line: as `reduce_table`, no scheduler at the address, workers that keep
    dying, Dask not installed (``pip install "hedgetheory[distributed]"``).
    """
    check_cross(cross, "reduce_distributed")
    columns = column_names(prompt, proxy, gold, weight, group)
    files, name = files_of(source, None)
    with _client(scheduler) as client, _reporter(progress) as report:
        job = _Job(client, [(str(path), shown) for path, shown in files.items()], name, report)
        try:
            return checked(job.run(columns, drop_invalid, cross, piece_rows))
        except RepeatedResponse:
            _refuse_duplicates(source, columns)
            return checked(job.run(columns, drop_invalid, cross, piece_rows, responses=False))


@contextmanager
def _client(scheduler: Any) -> Iterator[Any]:
    try:
        import distributed
    except ImportError:
        hint = 'pip install "hedgetheory[distributed]"'
        raise InputError(f"a scheduler needs Dask, which is not installed: {hint}") from None
    if isinstance(scheduler, distributed.Client):
        yield scheduler
        return
    if not isinstance(scheduler, str) or not scheduler:
        raise InputError(f"scheduler=<{type(scheduler).__name__}>, but must be an address")
    shown = show(scheduler, 80)
    try:
        client = distributed.Client(scheduler, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {shown} ({type(error).__name__})") from None
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _reporter(progress: bool | Report | None) -> Iterator[Report]:
    if callable(progress):
        yield progress
        return
    with progress_bar(progress) as report:
        yield report


@dataclass(frozen=True, slots=True)
class _Job:
    client: Any
    files: list[tuple[str, str]]
    name: str
    report: Report

    def run(
        self,
        columns: Mapping[str, str],
        drop_invalid: bool,
        cross: int,
        piece_rows: int,
        *,
        responses: bool = True,
    ) -> Reduction:
        surveys = self._all("surveying", [(_survey, path, columns) for path, _ in self.files])
        integers = all(integer for integer, _ in surveys)
        pieces = [
            (path, start, min(start + piece_rows, rows) if rows is not None else None)
            for (path, _), (_, rows) in zip(self.files, surveys, strict=True)
            for start in range(0, max(rows or 1, 1), piece_rows)
        ]
        buckets = int(np.clip(len(pieces), 1, MAX_BUCKETS))
        how = _How(columns, drop_invalid, integers, responses, buckets)
        splits = [self._submit(_split, *piece, how) for piece in pieces]
        counts = [self._submit(operator.itemgetter(buckets), split) for split in splits]
        reduced = [
            self._submit(
                _reduce,
                [self._submit(operator.itemgetter(b), split) for split in splits],
                cross,
                self.name,
            )
            for b in range(buckets)
        ]
        del splits  # Dask keeps what is still needed
        dropped = sum(self._results("splitting", counts))
        found = self._in_order("ranking", reduced)
        return merge_all(self.name, dropped, (one for one in found if one is not None))

    def _submit(self, function: Any, *arguments: Any) -> Any:
        return self.client.submit(function, *arguments, pure=False)

    def _all(self, what: str, calls: list[tuple[Any, ...]]) -> list[Any]:
        return self._results(what, [self._submit(*call) for call in calls])

    def _results(self, what: str, futures: list[Any]) -> list[Any]:
        return list(self._in_order(what, futures))

    def _in_order(self, what: str, futures: list[Any]) -> Iterator[Any]:
        """Results in the order of ``futures``, so that sums are the same in every run."""
        import distributed

        place = {future.key: k for k, future in enumerate(futures)}
        waiting: dict[int, Any] = {}
        due = 0
        self.report(what, 0, len(futures))
        done = distributed.as_completed(futures, loop=self.client.loop, with_results=True)
        futures.clear()  # what has been taken may be forgotten by the cluster
        try:
            for count, (future, result) in enumerate(done, 1):
                waiting[place[future.key]] = result
                self.report(what, count, len(place))
                while due in waiting:
                    yield waiting.pop(due)
                    due += 1
        except distributed.KilledWorker:
            raise InputError(
                "the workers of the cluster keep dying (out of memory?); take smaller pieces"
            ) from None


# --- what runs on workers -------------------------------------------------------------------------


def _survey(path: str, columns: Mapping[str, str]) -> tuple[bool, int | None]:
    """Whether the ids are integers, and the number of rows where the file says it."""
    with opened(path) as (parts, _, private), database(parts, private) as connection:
        view = View.of(connection, parts, columns)
        if view.layouts[0].format != "parquet":
            return False, None
        query = f"SELECT num_rows FROM parquet_file_metadata({quoted(str(parts[0].link))})"  # noqa: S608
        found = connection.execute(query).fetchone()
        return view.cells[0].prompt_type in INTEGERS, int(found[0]) if found else 0


@dataclass(frozen=True, slots=True)
class _How:
    columns: Mapping[str, str]
    drop_invalid: bool
    integers: bool
    responses: bool
    buckets: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of one bucket from one piece: places in ``ids`` where ids are text."""

    rows: Rows
    ids: NDArray[Any] | None


def _split(path: str, start: int, stop: int | None, how: _How) -> list[Any]:
    """The rows of a piece by bucket, and at the end of the list how many were dropped."""
    import duckdb

    with (
        opened(path) as (parts, _, private),
        database(parts, private, memory=ENGINE_MEMORY, threads=1) as connection,
    ):
        view = View.of(connection, parts, how.columns)
        some = None if stop is None else (start, stop)
        try:
            query = view.select(0, rows=some, text_ids=not how.integers)
            rows, dropped = fetch(connection, query, how.integers, keep=True)
        except duckdb.Error as error:
            raise view.unreadable(connection, error) from None
        if dropped and not how.drop_invalid:
            raise view.first_invalid(connection)
        ids = None
        if not how.integers:
            texts = connection.execute("SELECT prompt FROM ids ORDER BY id").fetchnumpy()
            ids = np.asarray(texts["prompt"], object)
    if not how.responses:
        rows = replace(rows, response=None)
    hashed = hash_integers(rows.prompt) if rows.hashes is None else rows.hashes[rows.prompt]
    # The low bits choose the fold.
    bucket = (hashed >> np.uint64(16)) % np.uint64(how.buckets)
    order = np.argsort(bucket, kind="stable")
    ends = np.cumsum(np.bincount(bucket.astype(np.int64), minlength=how.buckets))
    pieces: list[Any] = [
        _piece(rows, ids, order[first:end])
        for first, end in zip(chain([0], ends[:-1]), ends, strict=True)
    ]
    return [*pieces, dropped]


def _piece(rows: Rows, ids: NDArray[Any] | None, here: NDArray[np.intp]) -> _Piece:
    prompt = rows.prompt[here]
    if ids is not None:
        kept, prompt = np.unique(prompt, return_inverse=True)
        ids = ids[kept]
    return _Piece(
        Rows(
            prompt,
            rows.proxy[here],
            rows.gold[here],
            None,
            None if rows.weight is None else rows.weight[here],
            None if rows.group is None else rows.group[here],
            rows.group_names,
            None if rows.response is None else rows.response[here],
        ),
        ids,
    )


def _reduce(pieces: list[_Piece], cross: int, name: str) -> Reduction | None:
    """One bucket: its pieces together, ids and groups numbered anew; None without rows."""
    pieces = [piece for piece in pieces if len(piece.rows.prompt)]
    if not pieces:
        return None
    ids: dict[str, int] = {}
    groups: dict[str, int] = {}

    def joined(arrays: list[NDArray[Any] | None]) -> NDArray[Any] | None:
        present = [array for array in arrays if array is not None]
        return np.concatenate(present) if len(present) == len(pieces) else None

    def renumbered(
        known: dict[str, int], names: Any, codes: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        places = [known.setdefault(str(text), len(known)) for text in names]
        return np.array(places, np.int64)[codes]

    every = [piece.rows for piece in pieces]
    if any(r.response is not None for r in every):
        every = [
            r if r.response is not None else _with_responses(r, k) for k, r in enumerate(every)
        ]
    prompt = np.concatenate(
        [
            piece.rows.prompt
            if piece.ids is None
            else renumbered(ids, piece.ids, piece.rows.prompt)
            for piece in pieces
        ]
    )
    group = joined(
        [None if r.group is None else renumbered(groups, r.group_names, r.group) for r in every]
    )
    together = Rows(
        prompt,
        np.concatenate([r.proxy for r in every]),
        np.concatenate([r.gold for r in every]),
        hash_texts(ids) if ids else None,
        joined([r.weight for r in every]),
        group,
        tuple(groups),
        joined([r.response for r in every]),
    )
    return reduce_rows(together, cross=cross, name=name)


def _with_responses(rows: Rows, piece: int) -> Rows:
    """Rows of a file without response ids repeat nothing: each gets a hash of its place."""
    places = np.arange(len(rows.prompt)) - (piece + 1) * 2**40
    return replace(rows, response=hash_integers(places))


def _refuse_duplicates(source: Source, columns: Mapping[str, str]) -> None:
    with opened(source) as (parts, _, private), database(parts, private) as connection:
        View.of(connection, parts, columns).refuse_duplicates(connection)
