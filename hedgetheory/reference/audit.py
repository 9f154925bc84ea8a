"""Auditing tables: everything that can be known of a file without trusting what wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from random import Random

from hedgetheory.errors import InputError
from hedgetheory.reference.cases import Job, jobs
from hedgetheory.reference.compute import Outcome, outcome
from hedgetheory.reference.cross import REQUIRED
from hedgetheory.reference.generate import WHOLE
from hedgetheory.reference.model import SCHEMA, Case, Json, canonical, checksum, rounded
from hedgetheory.reference.tables import (
    SUFFIX,
    ReferenceTable,
    folder,
    from_document,
    names,
    parse_json,
    read_document,
)
from hedgetheory.workers import in_order

INDEX = "index.json"
INDEX_SCHEMA = "https://hedgetheory.org/schema/reference-index/1"


@dataclass
class Audit:
    """What an audit looked at and what it found wrong."""

    tables: int = 0
    cases: int = 0
    refused: int = 0
    doubles: int = 0
    recomputed: int = 0
    schema_checked: bool = False
    problems: list[str] = field(default_factory=list)


def audit(
    where: Path | None = None,
    recompute: int = 0,
    seed: int = 0,
    workers: int = 1,
    step: Callable[[str], None] = lambda name: None,
) -> Audit:
    """Parse every table of a folder back and check all of it.

    The JSON Schema (where jsonschema is installed), the checksums of each file and those of the
    index over all of them, ids unique over all tables, every value finite or said not to be, the
    double the nearest one to both ends of its ball in exact rational arithmetic, checks to the
    digits required; and ``recompute`` cases, drawn with ``seed``, evaluated anew and compared
    whole.

    Raises InputError where the folder has no tables or one is not read at all.
    """
    where = folder() if where is None else where
    found = Audit()
    validate = _validator()
    found.schema_checked = validate is not None
    seen: set[str] = set()
    drawn: list[tuple[str, Case]] = []
    listed = names(where)
    if not listed:
        raise InputError(f"{where} has no tables (*{SUFFIX})")
    entries = {}
    for name in listed:
        document = read_document(where / f"{name}{SUFFIX}")
        table = from_document(document, name)
        entries[name] = index_entry(table)
        found.tables += 1
        found.cases += len(table.cases)
        found.refused += len(table.refused)
        if table.name != name:
            found.problems.append(f"{name}: the table calls itself {table.name}")
        found.problems += [f"{name}: {line}" for line in (validate or _nothing)(document)]
        for case in table.cases:
            found.doubles += case.binary64 is not None
            found.problems += [f"{case.id}: {line}" for line in _problems(case)]
            if case.id in seen:
                found.problems.append(f"{case.id}: comes twice")
            seen.add(case.id)
        drawn += [(name, case) for case in table.cases if name not in WHOLE]
        step(name)
    found.problems += _against_index(where, entries)
    chosen = Random(seed).sample(drawn, min(recompute, len(drawn)))  # noqa: S311
    found.problems += _recomputed(chosen, workers)
    found.recomputed = len(chosen)
    return found


def _problems(case: Case) -> Iterator[str]:
    """What is wrong with one case, by exact rational arithmetic."""
    value = case.value
    if case.check.digits is not None and case.check.digits < REQUIRED:
        yield f"checked to {case.check.digits} digits only"
    if case.binary64 != rounded(value):
        yield f"binary64={case.binary64}, but the value rounds to {rounded(value)}"
    if value.is_undefined or value.infinite:
        if case.check.digits is not None:
            yield "an infinite or undefined value has no digits"
        return
    low, high = value.bounds
    middle = (low + high) / 2
    if value.guarantee == "certified" and (high - low) * 10**REQUIRED > 2 * abs(middle):
        yield f"the ball has fewer than {REQUIRED} digits"
    double = case.double
    if double is not None and abs(double) != float("inf"):
        # Half a unit in the last place bounds the rounding; the least normal has the least unit.
        unit = Fraction(2) ** max(_exponent(double) - 52, -1074)
        if abs(Fraction(double) - middle) > unit / 2 + (high - low) / 2:
            yield f"binary64={case.binary64} is farther than half a unit in the last place"


def _exponent(double: float) -> int:
    return (
        Fraction(abs(double)).numerator.bit_length()
        - Fraction(abs(double)).denominator.bit_length()
        if double
        else -1074
    )


def _nothing(_: Json) -> list[str]:
    return []


def schema() -> Json:
    """The JSON Schema of a table, as it is shipped."""
    return parse_json((folder() / "schema-1.json").read_bytes(), "schema-1.json")


def _validator() -> Callable[[Json], list[str]] | None:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        return None
    checker = Draft202012Validator(schema())

    def problems(document: Json) -> list[str]:
        return [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in checker.iter_errors(document)
        ]

    return problems


# -- the index -------------------------------------------------------------------------------------


def index_entry(table: ReferenceTable) -> dict[str, Json]:
    """What the index says of a table: how many cases, and the checksum of the whole document."""
    document = table.document()
    return {
        "cases": len(table.cases),
        "refused": len(table.refused),
        "sha256": checksum(document),
        "version": table.version,
    }


def index(entries: dict[str, dict[str, Json]]) -> str:
    """The index over all tables, whose own checksum closes the chain."""
    body = {"schema": INDEX_SCHEMA, "tables": entries, "table_schema": SCHEMA}
    return canonical({**body, "sha256": checksum(body)}) + "\n"


def _against_index(where: Path, entries: dict[str, dict[str, Json]]) -> list[str]:
    path = where / INDEX
    if not path.exists():
        return [f"{INDEX} is missing"]
    if path.read_text(encoding="utf-8") == index(entries):
        return []
    stated = json.loads(path.read_text(encoding="utf-8")).get("tables", {})
    wrong = sorted(name for name in {*stated, *entries} if stated.get(name) != entries.get(name))
    return [f"{INDEX} does not agree with {', '.join(wrong) or 'its own checksum'}"]


# -- evaluating anew -------------------------------------------------------------------------------


def _recomputed(chosen: Sequence[tuple[str, Case]], workers: int) -> list[str]:
    by_table = {name: {job.id: job for job in jobs(name)} for name, _ in chosen}
    known: list[tuple[Job, Case]] = []
    problems = []
    for name, case in chosen:
        job = by_table[name].get(case.id)
        if job is None:
            problems.append(f"{case.id}: no case of this version")
        else:
            known.append((job, case))
    results: Iterator[Outcome] = in_order(outcome, [job for job, _ in known], workers)
    for (_, case), result in zip(known, results, strict=True):
        if result.case is None or result.case.to_json() != case.to_json():
            why = result.disagreement or result.refused or "another value"
            problems.append(f"{case.id}: evaluated anew it is not the same: {why}")
    return problems
