"""Dataframes of any make as arrays, through narwhals, which is imported when one is given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.sources import near, show

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_TRUTH = {"true": 1.0, "false": 0.0}


def is_frame(thing: Any) -> bool:
    """Whether it has columns, as no path has: a mapping, or a dataframe of any make."""
    return isinstance(thing, Mapping) or any(
        hasattr(thing, name) for name in ("columns", "column_names", "collect_schema")
    )


def frame_columns(frame: Any, columns: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """The columns asked for, as arrays: scores and weights as float64, ids as integers or text.

    ``frame``: a mapping of arrays, a Hugging Face dataset (one split), or anything that narwhals
    reads: pandas, polars, pyarrow, lazy frames (of which only these columns are collected).
    ``columns``: part → column. Missing numbers come back as NaN, missing ids as None.

    Raises InputError for what is none of these, a missing column, and cells that are not numbers.

    >>> frame_columns({"id": [1, 2], "score": ["0.5", True]}, {"prompt": "id", "proxy": "score"})
    {'prompt': array([1, 2]), 'proxy': array([0.5, 1. ])}
    """
    if isinstance(frame, Mapping):
        if frame and all(hasattr(split, "with_format") for split in frame.values()):
            raise InputError(f"this dataset has splits; give one of them: {', '.join(frame)}")
        known = {str(name): values for name, values in frame.items()}
        taken = {part: known[_known(column, list(known))] for part, column in columns.items()}
        arrays = {part: _plain_array(values) for part, values in taken.items()}
    else:
        arrays = _through_narwhals(frame, columns)
    return {
        part: _labels(array) if part in ("prompt", "group") else _reals(columns[part], array)
        for part, array in arrays.items()
    }


def _through_narwhals(frame: Any, columns: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    try:
        import narwhals as nw
    except ImportError:
        hint = 'pip install "hedgetheory[frames]"'
        raise InputError(f"dataframes are read through narwhals, not installed: {hint}") from None
    if hasattr(frame, "with_format"):  # Hugging Face; the rows selected or shuffled, in their order
        if not hasattr(frame, "num_rows"):
            raise InputError("a streamed dataset cannot be read; download it (streaming=False)")
        names = list(frame.column_names)
        wanted = list(dict.fromkeys(_known(column, names) for column in columns.values()))
        frame = frame.select_columns(wanted).with_format("arrow")[:]
    try:
        table: Any = nw.from_native(frame)
    except TypeError:
        kind = type(frame).__name__
        raise InputError(f"frame=<{kind}> is no dataframe that narwhals knows") from None
    except nw.exceptions.DuplicateError as error:
        raise InputError(f"the frame has a column twice: {show(str(error), 160)}") from None
    names = list(table.collect_schema().names())
    wanted = list(dict.fromkeys(_known(column, names) for column in columns.values()))
    try:
        table = table.select(wanted)
    except nw.exceptions.DuplicateError as error:
        raise InputError(f"the frame has a column twice: {show(str(error), 160)}") from None
    if isinstance(table, nw.LazyFrame):
        table = table.collect()
    arrays = {}
    for part, column in columns.items():
        series = table[column]
        if series.dtype.is_numeric() and part not in ("prompt", "group"):
            arrays[part] = series.cast(nw.Float64).to_numpy()
        elif series.dtype.is_integer() and not bool(series.is_null().any()):
            arrays[part] = series.to_numpy()
        else:
            arrays[part] = _objects(series.to_list())
    return arrays


def _known(column: str, names: list[str]) -> str:
    if names.count(column) > 1:
        raise InputError(f"column {column!r} appears {names.count(column)} times in the frame")
    if column not in names:
        raise InputError(
            f"frame: no column {column!r}{near(column, [show(n) for n in names[:40]])}"
        )
    return column


def _objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _plain_array(values: Any) -> NDArray[Any]:
    if np.ma.isMaskedArray(values):
        return _objects(np.asarray(values, object).ravel().tolist())
    if isinstance(values, np.ndarray):
        return values.ravel()
    return _objects(list(values))


def _labels(array: NDArray[Any]) -> NDArray[Any]:
    """Integers as they are, all others as text; what is missing as None."""
    if array.dtype.kind in "iu":
        return array
    items = array.tolist()
    if all(isinstance(x, int) and not isinstance(x, bool) and abs(x) < 2**63 for x in items):
        return np.array(items, np.int64)
    return _objects([None if _missing(x) else str(x) for x in items])


def _missing(x: Any) -> bool:
    """None, NaN, and the markers of pandas, which refuse to be compared."""
    if isinstance(x, float):
        return math.isnan(x)
    return x is None or type(x).__name__ in {"NAType", "NaTType"}


def _reals(column: str, array: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers, truths, and texts that a file could hold; None and empty text as NaN."""
    if array.dtype.kind in "fiub":
        return array.astype(np.float64)
    found = np.empty(len(array))
    for row, cell in enumerate(array.tolist()):
        found[row] = _real(column, row, cell)
    return found


def _real(column: str, row: int, cell: Any) -> float:
    if _missing(cell):
        return math.nan
    if isinstance(cell, str):
        text = cell.strip().lower()
        if text in _TRUTH:
            return _TRUTH[text]
        # What else is written is invalid, and may be dropped, as in a file.
        return float(text) if _NUMBER.fullmatch(text) else math.nan
    if isinstance(cell, (list, tuple, dict, bytes, complex)):
        kind = type(cell).__name__
        raise InputError(f"frame: row {row + 1}, column {column!r} holds <{kind}>, not a number")
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan
