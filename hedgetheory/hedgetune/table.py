"""Tables of scored responses: reading and refusing, so that what comes after sees clean numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.engine import (
    RESPONSE,
    blank,
    cells,
    database,
    layout_of,
    number_parts,
    quoted,
    unreadable,
)
from hedgetheory.hedgetune.members import Ensemble, members_of
from hedgetheory.hedgetune.sources import Part, Source, opened, packaged_tables, show

if TYPE_CHECKING:
    import duckdb

__all__ = ["Array", "Source", "Table", "packaged_tables", "read_table", "table_columns"]

Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

#: The parts of a row that are the members of an ensemble: this and a number.
_MEMBER = "member_"
_HINT = "correct it, or have such rows dropped and counted (--drop-invalid, drop_invalid=True)"


@dataclass(frozen=True, slots=True)
class Table:
    """Scored responses, prompt after prompt: finite numbers, at least one response each.

    ``proxy`` and ``gold`` have one entry a response; the first ``sizes[0]`` belong to the first
    prompt, the next ``sizes[1]`` to the second. ``dropped`` counts the rows left out as invalid.
    ``weights``, one a prompt, are finite, ≥ 0 and not all zero; ``groups`` has for each prompt a
    place in ``group_names``, which are in order. Both None where they were not asked for.
    """

    name: str
    proxy: Array
    gold: Array
    sizes: NDArray[np.int64]
    dropped: int = 0
    weights: Array | None = None
    groups: Codes | None = None
    group_names: tuple[str, ...] = ()

    @classmethod
    def from_arrays(
        cls,
        prompt: ArrayLike,
        proxy: ArrayLike,
        gold: ArrayLike,
        *,
        weight: ArrayLike | None = None,
        group: ArrayLike | None = None,
        drop_invalid: bool = False,
        name: str = "arrays",
    ) -> Table:
        """A table from arrays of one length: prompt ids, proxy scores, gold scores.

        Rows of a prompt may be scattered. Prompts are ordered by id. Ids are compared as they are
        ("01" and "1" differ), so give all of them one type. ``weight`` (finite, ≥ 0) and ``group``
        have an entry a row too, the same for all rows of a prompt.

        Raises InputError for lengths that differ, no rows, and scores that are not finite and ids
        that are missing, unless ``drop_invalid``.

        >>> Table.from_arrays(["b", "a", "b"], [1, 2, 3], [0, 0, 1]).sizes
        array([1, 2])
        """
        scores = {"proxy": floats("proxy", proxy), "gold": floats("gold", gold)}
        labels = {"prompt": np.asarray(prompt).ravel()}
        if weight is not None:
            scores["weight"] = floats("weight", weight)
        if group is not None:
            labels["group"] = np.asarray(group).ravel()
        lengths = {column: len(x) for column, x in (labels | scores).items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"columns of different lengths: {lengths}")
        bad = {column: ~np.isfinite(x) for column, x in scores.items()}
        bad |= {column: _missing(x) for column, x in labels.items()}
        valid = ~np.logical_or.reduce(list(bad.values()))
        if not valid.all() and not drop_invalid:
            row = int(np.argmin(valid))
            column = next(c for c, x in bad.items() if x[row])
            cell = str(scores[column][row]) if column in scores else None
            raise invalid(name, row + 1, column, cell)
        try:
            first, prompts = np.unique(labels["prompt"][valid], return_inverse=True)
        except TypeError:
            raise InputError("prompt ids must be of one type that can be ordered") from None
        order = np.argsort(prompts, kind="stable")
        dropped = len(valid) - len(order)
        if len(order) == 0:
            raise no_rows(name, dropped)
        sizes = np.bincount(prompts, minlength=len(first)).astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        ranked = {column: x[valid][order] for column, x in (scores | labels).items()}
        weights = _constant(name, "weight", ranked.get("weight"), starts, ranked["prompt"])
        groups = _constant(name, "group", ranked.get("group"), starts, ranked["prompt"])
        names: list[str] = []
        codes = None
        if groups is not None:
            found, places = np.unique(np.array([str(g) for g in groups]), return_inverse=True)
            names, codes = [str(g) for g in found], places.astype(np.int64)
        check_weights(name, weights)
        return cls(
            name, ranked["proxy"], ranked["gold"], sizes, dropped, weights, codes, tuple(names)
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        prompt: str = "prompt_id",
        proxy: str | Sequence[str] = "proxy",
        gold: str = "true",
        weight: str | None = None,
        group: str | None = None,
        drop_invalid: bool = False,
        ensemble: Ensemble | None = None,
        name: str = "frame",
    ) -> Table:
        """A table from a dataframe: pandas, polars (lazy too), pyarrow, Hugging Face, or a mapping.

        Whatever narwhals knows is read through narwhals (``pip install "hedgetheory[frames]"``); a
        mapping of arrays needs nothing. Integer ids are compared as integers, all others as text,
        so that 1 and "1" are one prompt, as in a file; True and False count as 1 and 0, numbers
        written as text count as in a file. ``ensemble``: as in `read_table`.

        Raises InputError for a column that is missing or holds no numbers, and as ``from_arrays``.

        >>> scores = {"prompt_id": ["b", "a", "b"], "proxy": [1, 2, 3], "true": [True, False, True]}
        >>> Table.from_frame(scores).gold.tolist()
        [0.0, 1.0, 1.0]
        """
        from hedgetheory.hedgetune.frames import frame_columns

        wanted = column_names(prompt, proxy, gold, weight, group, ensemble)
        arrays = frame_columns(frame, wanted)
        if ensemble is not None:
            parts = [part for part in wanted if part.startswith(_MEMBER)]
            members = np.array([arrays.pop(part) for part in parts])
            valid = np.isfinite(members).all(axis=0)
            if not valid.all() and not drop_invalid:
                row = int(np.argmin(valid))
                place = int(np.argmin(np.isfinite(members[:, row])))
                raise invalid(name, row + 1, wanted[parts[place]], str(members[place, row]))
            arrays["proxy"] = np.full(len(valid), np.nan)
            arrays["proxy"][valid] = ensemble.of(members[:, valid])
        return cls.from_arrays(**arrays, drop_invalid=drop_invalid, name=name)


def read_table(
    source: Source,
    *,
    prompt: str = "prompt_id",
    proxy: str | Sequence[str] = "proxy",
    gold: str = "true",
    weight: str | None = None,
    group: str | None = None,
    drop_invalid: bool = False,
    ensemble: Ensemble | None = None,
) -> Table:
    """Read a table of scored responses: one row a response.

    ``source`` is a path, a folder (every table in it, at any depth), a glob, ``-`` for standard
    input, the bare name of a packaged table (``ridge_overfit``; a file of that name is reached as
    ``./ridge_overfit``), or a sequence of these. A file is CSV or TSV whose first line names the
    columns, JSON Lines, or Parquet; which, its content says. The text formats may be packed by
    gzip, zstd, bz2 or xz, Parquet by all but zstd. ``prompt``, ``proxy``, ``gold`` and, if given,
    ``weight`` and ``group`` say which columns to use. Ids are text, compared character by
    character; rows of a prompt may be scattered, over files too, and the order of rows and files
    changes nothing. True and False (in any case) count as 1 and 0. The weight of a prompt (finite,
    ≥ 0) and its group are the same in all its rows. Rows are counted from 1, a header not counted.
    With an ``ensemble``, ``proxy`` names the columns of its members, and the table has the one
    score that it makes of them; a row without a finite score of each is invalid.

    Returns a Table, prompts ordered by id. Nothing is silently left out: rows with an empty id or a
    score that is not a finite number are refused, or counted in ``dropped`` if ``drop_invalid``.

    Raises InputError, always one line: no such file, none of these formats in UTF-8, a damaged or
    truncated file, a missing or doubled column, ragged rows, an invalid cell, no rows, a (prompt,
    response_id) pair given twice, a prompt with two weights or groups. Nothing remote is read.

    >>> table = read_table("ridge_overfit")
    >>> len(table.sizes), len(table.proxy)
    (100, 6400)
    """
    columns = column_names(prompt, proxy, gold, weight, group, ensemble)
    numbers = number_parts(columns)
    scored = [part for part in numbers if part not in ("gold", "weight")]
    with opened(source) as (parts, name, private), database(parts, private) as connection:
        connection.execute(
            "CREATE TEMP TABLE rows (part INT, row BIGINT, prompt VARCHAR, response VARCHAR, "
            + "".join(f"{part}_cell VARCHAR, {part} DOUBLE, " for part in _with_weight(numbers))
            + '"group" VARCHAR)'
        )
        for place, part in enumerate(parts):
            _load(connection, part, place, columns)
        dropped = _refuse_or_drop(connection, columns, drop_invalid, parts)
        _refuse_duplicates(connection, prompt, parts)
        scores = connection.execute(
            f"SELECT {', '.join(scored)}, gold FROM rows "  # noqa: S608 (our own names)
            f"ORDER BY prompt, {', '.join(scored)}, gold"
        ).fetchnumpy()
        prompts = connection.execute(
            "SELECT any_value(prompt) AS prompt, count(*) AS size, min(weight) AS weight, "
            'min("group") AS "group", max(weight) AS weight_max, max("group") AS group_max '
            "FROM rows GROUP BY rows.prompt ORDER BY rows.prompt"
        ).fetchnumpy()
    if len(prompts["size"]) == 0:
        raise no_rows(name, dropped)
    weights = groups = None
    group_names: tuple[str, ...] = ()
    if weight is not None:
        weights = np.asarray(prompts["weight"], np.float64)
        differs(name, weight, prompts["prompt"], weights != prompts["weight_max"])
        check_weights(name, weights)
    if group is not None:
        labels = np.asarray(prompts["group"], object)
        differs(name, group, prompts["prompt"], labels != np.asarray(prompts["group_max"], object))
        group_names = tuple(sorted(set(labels)))
        places = {label: k for k, label in enumerate(group_names)}
        groups = np.array([places[label] for label in labels], np.int64)
    found = [np.asarray(scores[part], np.float64) for part in scored]
    return Table(
        name,
        found[0] if ensemble is None else ensemble.of(found),
        np.asarray(scores["gold"], np.float64),
        np.asarray(prompts["size"], np.int64),
        dropped,
        weights,
        groups,
        group_names,
    )


def table_columns(source: Source) -> list[str]:
    """The columns that every file of a source has, in the order of the first.

    Raises InputError as ``read_table``. A stream (``-``) is used up.

    >>> table_columns("ridge_overfit")
    ['prompt_id', 'response_id', 'proxy', 'true']
    """
    with opened(source) as (parts, _, private), database(parts, private) as connection:
        headers = [layout_of(connection, part).header for part in parts]
    return [column for column in headers[0] if all(column in header for header in headers)]


def column_names(
    prompt: str,
    proxy: str | Sequence[str],
    gold: str,
    weight: str | None,
    group: str | None,
    ensemble: Ensemble | None = None,
) -> dict[str, str]:
    """Which column each part of a row is in, the parts that were asked for.

    With an ensemble, a part for each member instead of ``proxy``.
    """
    members = members_of(proxy, ensemble)
    given = {f"{_MEMBER}{k}": member for k, member in enumerate(members)}
    if isinstance(proxy, str):
        given = {"proxy": proxy}
    given = {"prompt": prompt} | given | {"gold": gold}
    also = {"weight": weight, "group": group}
    return given | {part: column for part, column in also.items() if column is not None}


def _with_weight(numbers: Sequence[str]) -> list[str]:
    """The numbers of a row as it is loaded: a weight always, NULL where there is none."""
    return list(dict.fromkeys([*numbers, "weight"]))


# --- refusals, shared with the other ways in ------------------------------------------------------


def invalid(name: str, row: int, column: str, cell: str | None) -> InputError:
    if cell is None or not cell.strip():
        return InputError(f"{name}: row {row}, column {column!r} is empty; {_HINT}")
    what = f"'{show(cell)}' is not a finite number"
    return InputError(f"{name}: row {row}, column {column!r}: {what}; {_HINT}")


def no_rows(name: str, dropped: int) -> InputError:
    also = f" ({dropped} invalid ones dropped)" if dropped else ""
    return InputError(f"{name}: the table has no rows{also}; it needs one row a response")


def differs(name: str, column: str, prompts: Any, where: Any) -> None:
    """Raise for the first prompt whose weight or group is not the same in all its rows."""
    if np.any(where):
        shown = show(str(prompts[int(np.argmax(where))]))
        raise InputError(
            f"{name}: prompt '{shown}' has more than one {column!r}; its rows must have the same"
        )


def check_weights(name: str, weights: Array | None) -> None:
    if weights is None:
        return
    if (weights < 0).any():
        raise InputError(f"{name}: weight {weights.min():g} is negative; weights must be >= 0")
    if not weights.any():
        raise InputError(f"{name}: every weight is 0; some prompt must count")
    if weights.max() > 1e100:
        raise InputError(f"{name}: weight {weights.max():g} is beyond 1e100; rescale them")


def floats(column: str, values: ArrayLike) -> Array:
    """Real numbers as a flat float64 array, masked entries as NaN."""
    try:
        array = np.ma.filled(values, np.nan) if np.ma.isMaskedArray(values) else np.asarray(values)
        if array.dtype.kind == "c":
            raise TypeError
        return np.asarray(array, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise InputError(f"column {column!r} must be an array of real numbers") from None


def _missing(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Where an id is None, NaN, NaT, or nothing but white space."""
    if labels.dtype.kind in "f":
        return np.asarray(np.isnan(labels))
    if labels.dtype.kind in "mM":
        return np.asarray(np.isnat(labels))
    if labels.dtype.kind == "U":
        return np.asarray(np.char.str_len(np.char.strip(labels)) == 0)
    if labels.dtype.kind != "O":
        return np.zeros(len(labels), bool)
    return np.array(
        [
            x is None or (isinstance(x, float) and math.isnan(x)) or not str(x).strip()
            for x in labels
        ],
        bool,
    )


def _constant(
    name: str, column: str, values: NDArray[Any] | None, starts: Codes, prompts: NDArray[Any]
) -> NDArray[Any] | None:
    """One entry a prompt, from one a row."""
    if values is None:
        return None
    first = np.repeat(values[starts], np.diff(starts, append=len(values)))
    differs(name, column, prompts, values != first)
    return values[starts]


# --- loading and checking -------------------------------------------------------------------------


def _load(
    connection: duckdb.DuckDBPyConnection, part: Part, place: int, columns: Mapping[str, str]
) -> None:
    """Into table ``rows``: row number, ids and cells as text, scores as numbers (NULL: invalid)."""
    import duckdb

    layout = layout_of(connection, part)
    cell = cells(layout, columns, part.name)
    numbers = [
        sql
        for part in _with_weight(number_parts(columns))
        for sql in cell.numbers.get(part, ("NULL", "NULL"))
    ]
    query = f"""
        INSERT INTO rows SELECT {place}, row_number() OVER (), CAST({cell.prompt} AS VARCHAR),
            {cell.response or "NULL"}, {", ".join(numbers)}, {cell.group or "NULL"}
        FROM {layout.relation(quoted(str(part.link)), cell.used)}
    """  # noqa: S608 (the paths are ours and quoted, columns are named by their place)
    try:
        connection.execute(query)
    except duckdb.Error as error:
        raise unreadable(part, error) from None


def _refuse_or_drop(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, str],
    drop_invalid: bool,
    parts: list[Part],
) -> int:
    numbers = number_parts(columns)
    tests = {c: f"{c} IS NULL" for c in numbers}
    tests |= {c: blank(f'"{c}"') for c in ("prompt", "group") if c in columns}
    bad = " OR ".join(tests.values())
    if drop_invalid:
        found = connection.execute(f"DELETE FROM rows WHERE {bad}").fetchone()  # noqa: S608
        return int(found[0]) if found else 0
    cells_of = {c: f"{c}_cell" if c in numbers else f'"{c}"' for c in tests}
    fields = ", ".join(["part", "row", *cells_of.values(), *tests.values()])
    first = f"SELECT {fields} FROM rows WHERE {bad} ORDER BY part, row LIMIT 1"  # noqa: S608
    row = connection.execute(first).fetchone()
    if row is None:
        return 0
    shown, failed = row[2 : 2 + len(tests)], row[2 + len(tests) :]
    place = failed.index(True)
    column = columns[list(tests)[place]]
    raise invalid(parts[row[0]].name, row[1], column, shown[place])


def _refuse_duplicates(
    connection: duckdb.DuckDBPyConnection, prompt: str, parts: list[Part]
) -> None:
    twice = connection.execute(
        "SELECT prompt, response, min((part, row)), count(*) FROM rows WHERE response IS NOT NULL "
        "GROUP BY prompt, response HAVING count(*) > 1 ORDER BY min((part, row)) LIMIT 1"
    ).fetchone()
    if twice is None:
        return
    prompt_id, response_id, first, count = twice
    part, row = first.values() if isinstance(first, dict) else first
    raise InputError(
        f"{parts[part].name}: {prompt} '{show(prompt_id)}' with {RESPONSE} '{show(response_id)}' "
        f"appears {count} times, first in row {row}; each response must have its own id"
    )
