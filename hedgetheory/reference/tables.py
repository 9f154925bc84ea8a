"""Reading tables of reference values, writing them the same way every time, and auditing them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Any

from hedgetheory.errors import InputError, nearest
from hedgetheory.reference.model import SCHEMA, Case, Json, canonical, checksum

SUFFIX = ".json.gz"
#: A table is not larger than this, unpacked; ours have a few megabytes.
MAX_BYTES = 1 << 27
#: Nothing in a table nests deeper.
MAX_DEPTH = 32

_FIELDS = {
    "schema", "table", "version", "definition", "generator", "precision", "cases", "refused",
    "errata", "checksums",
}  # fmt: skip


@dataclass(frozen=True)
class ReferenceTable:
    """A table: the cases of one quantity, and the cases that were refused with their reasons.

    ``previous`` is the checksum of the cases of the table that this one replaced, None for a first
    one; ``errata`` say which values were changed since, and why.
    """

    name: str
    version: str
    definition: Mapping[str, str]
    generator: Mapping[str, str]
    precision: Mapping[str, int]
    cases: tuple[Case, ...]
    refused: tuple[Mapping[str, str], ...] = ()
    errata: tuple[Mapping[str, Json], ...] = ()
    previous: str | None = None
    by_id: Mapping[str, Case] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {case.id: case for case in self.cases})

    def document(self) -> dict[str, Json]:
        """The JSON document, checksums included."""
        cases = [case.to_json() for case in self.cases]
        body: dict[str, Json] = {
            "schema": SCHEMA,
            "table": self.name,
            "version": self.version,
            "definition": dict(self.definition),
            "generator": dict(self.generator),
            "precision": dict(self.precision),
            "cases": cases,
            "refused": [dict(entry) for entry in self.refused],
            "errata": [dict(entry) for entry in self.errata],
        }
        return {**body, "checksums": _checksums(body, self.previous)}

    def packed(self) -> bytes:
        """The file: one case a line, gzip'd without a time or a name, so always the same."""
        document = self.document()
        cases = document.pop("cases")
        lines = ",\n".join(map(canonical, cases))
        head = canonical(document)
        text = f'{{"cases":[\n{lines}\n],{head[1:]}\n'
        return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def _checksums(body: Mapping[str, Json], previous: str | None) -> dict[str, Json]:
    """Of the cases, of their inputs alone, of everything else; and of the table before."""
    return {
        "cases": checksum(body["cases"]),
        "inputs": checksum([[case["id"], case["inputs"]] for case in body["cases"]]),
        "document": checksum({key: value for key, value in body.items() if key != "cases"}),
        "previous": previous,
    }


# -- reading ---------------------------------------------------------------------------------------


def folder() -> Path:
    """Where the packaged tables are."""
    return Path(str(resources.files("hedgetheory"))) / "data" / "reference"


def names(where: Path | None = None) -> list[str]:
    """The names of the tables, packaged or in a folder."""
    where = folder() if where is None else where
    return sorted(path.name.removesuffix(SUFFIX) for path in where.glob(f"*{SUFFIX}"))


@lru_cache(maxsize=32)
def load(name: str) -> ReferenceTable:
    """A packaged table.

    Raises InputError for an unknown name, and where the file is not what was packaged.

    >>> load("kl").by_id["kl:bon(n=1)@uniform"].value.fraction
    Fraction(0, 1)
    """
    if name not in names():
        raise InputError(f"unknown table {name}: {nearest(name, names())}")
    return read(folder() / f"{name}{SUFFIX}")


def packaged_cases() -> Iterator[tuple[str, Case]]:
    """(table, case) of every packaged case."""
    for name in names():
        for case in load(name).cases:
            yield name, case


def read(path: Path) -> ReferenceTable:
    """The table of a file, checksums verified.

    Raises InputError for a file that is no table of this schema, too large or nested too deeply,
    or whose checksums do not agree.
    """
    return from_document(read_document(path), path.name)


def read_document(path: Path) -> Json:
    """The JSON of a gzip'd file from outside: bounded in size and depth."""
    try:
        with gzip.open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name} is not a gzip'd table: {error}") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path.name} is longer than {MAX_BYTES:,} bytes")
    return parse_json(data, path.name)


def parse_json(data: bytes, what: str) -> Json:
    """JSON from outside: UTF-8, no duplicate keys, no NaN, at most `MAX_DEPTH` deep.

    >>> parse_json(b'{"a": 1, "a": 2}', "it")
    Traceback (most recent call last):
        ...
    hedgetheory.errors.InputError: it is not JSON: the key 'a' comes twice
    """
    try:
        text = data.decode("utf-8")
        _require_shallow(data)
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is not JSON: {str(error)[:200]}") from None


_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(b'[]{}"'))


def _require_shallow(data: bytes) -> None:
    # Without escaped backslashes and quotes, every second piece between quotes is outside of text.
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")
    outside = b"".join(plain.translate(None, _NO_BRACKETS_OR_QUOTES).split(b'"')[::2])
    steps = (1 if bracket in b"[{" else -1 for bracket in outside)
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise InputError(f"it nests deeper than {MAX_DEPTH}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise InputError(f"the key {twice[:40]!r} comes twice")
    return found


def _no_constant(text: str) -> Json:
    raise InputError(f"{text} is not a JSON number")


def from_document(document: Json, what: str) -> ReferenceTable:
    """The table of a JSON document. Raises InputError as `read`."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(f"{what} is not a table of schema {SCHEMA}")
    if set(document) != _FIELDS:
        odd = ", ".join(sorted(set(document) ^ _FIELDS))[:200]
        raise InputError(f"{what} has missing or unknown fields: {odd}")
    checksums = document["checksums"]
    body = {key: value for key, value in document.items() if key != "checksums"}
    cases = body["cases"]
    if not isinstance(cases, list) or not isinstance(checksums, dict):
        raise InputError(f"{what}: cases must be an array and checksums an object")
    _check_head(document, what)
    parsed = tuple(map(Case.from_json, cases))
    previous = checksums.get("previous")
    try:
        expected = _checksums(body, previous)
    except ValueError:  # an escape of half a character, a number beyond binary64
        raise InputError(f"{what}: it holds text or a number that JSON cannot write") from None
    if checksums != expected:
        raise InputError(f"{what}: its checksums do not agree with what is in it")
    return ReferenceTable(
        body["table"],
        body["version"],
        body["definition"],
        body["generator"],
        body["precision"],
        parsed,
        tuple(body["refused"]),
        tuple(body["errata"]),
        previous,
    )


def _check_head(document: dict[str, Json], what: str) -> None:
    """The types of all that is not a case."""
    for name in ("table", "version"):
        if not isinstance(document[name], str):
            raise InputError(f"{what}: {name} must be text")
    for name in ("definition", "generator", "precision"):
        if not isinstance(document[name], dict):
            raise InputError(f"{what}: {name} must be an object")
    for name in ("refused", "errata"):
        rows = document[name]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InputError(f"{what}: {name} must be an array of objects")
