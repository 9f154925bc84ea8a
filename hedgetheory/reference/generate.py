"""Making tables: every case of the enumeration on several processes, resumable and comparable."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import hedgetheory
from hedgetheory.errors import HedgeTheoryError, InputError, nearest
from hedgetheory.reference import functions, samples
from hedgetheory.reference.cases import DIGITS, FEWER_DIGITS, TABLES, Job, definition, jobs
from hedgetheory.reference.compute import Outcome, outcome
from hedgetheory.reference.cross import REQUIRED
from hedgetheory.reference.model import Case, Json, canonical, checksum, value_to_json
from hedgetheory.reference.tables import SUFFIX, ReferenceTable, read
from hedgetheory.workers import in_order

#: As many cases as travel to a process, and into the cache, at once.
BATCH = 16

#: Tables whose cases come at once, checked; the others are enumerations of jobs.
WHOLE = {name: module for module in (samples, functions) for name in module.TABLES}

Progress = Callable[[str, int, int], None]


def table_names() -> list[str]:
    """Every table that can be made."""
    return [*TABLES, *WHOLE]


def generator() -> dict[str, str]:
    """The versions that compute the values."""
    packages = ("python-flint", "mpmath", "sympy")
    return {
        "hedgetheory": hedgetheory.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def generate(
    name: str,
    cache: Path,
    workers: int = 1,
    progress: Progress | None = None,
) -> ReferenceTable:
    """A table, computed on ``workers`` processes; what ``cache`` has already is not done again.

    The cache is one file a table, appended batch by batch: an interrupted run goes on where it
    stopped. It belongs to the versions and the enumeration that made it; another's is left alone.

    Raises InputError for an unknown table, HedgeTheoryError where two methods disagree on a case:
    that is a bug, and there is no table until it is mended.
    """
    compute([name], cache, workers, progress)
    if name in WHOLE:
        return _assembled(name, WHOLE[name].definition(name), WHOLE[name].cases(name), ())
    known = _cached(_cache_file(name, cache), failed=True)
    found = [known[job.id] for job in jobs(name)]
    wrong = [f"{each.id}: {each.disagreement}" for each in found if each.disagreement]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise HedgeTheoryError(f"two methods disagree, one has a bug: {wrong[0]}{more}")
    refused = tuple({"id": o.id, "reason": o.refused} for o in found if o.refused)
    cases = [o.case for o in found if o.case is not None]
    return _assembled(name, definition(name), cases, refused)


def compute(
    names: Sequence[str], cache: Path, workers: int = 1, progress: Progress | None = None
) -> None:
    """Fill the cache with the cases of several tables, those of one law and policy together.

    Much of what one quantity needs (the nodes of a race, a normalising constant) serves the others
    too, and a process keeps it. Raises InputError for an unknown table.
    """
    for name in names:
        if name not in table_names():
            raise InputError(f"unknown table {name}: {nearest(name, table_names())}")
    wanted = [(name, job) for name in names if name in TABLES for job in jobs(name)]
    files = {name: _cache_file(name, cache) for name in names}
    known = {name: _cached(files[name]) for name in names}
    missing = [(name, job) for name, job in wanted if job.id not in known[name]]
    done = len(wanted) - len(missing)
    for outcomes in in_order(_batch, _batches(missing), workers):
        by_table: dict[str, list[Outcome]] = {}
        for name, each in outcomes:
            by_table.setdefault(name, []).append(each)
        for name, each_table in by_table.items():
            _append(files[name], each_table)
        done += len(outcomes)
        if progress is not None:
            progress("cases", done, len(wanted))


def _batches(missing: Sequence[tuple[str, Job]]) -> list[list[tuple[str, Job]]]:
    """Jobs in batches: those of one law and policy in the same one, others up to `BATCH`."""
    groups: dict[tuple[str, str], list[tuple[str, Job]]] = {}
    for name, job in missing:
        groups.setdefault((job.law, job.policy), []).append((name, job))
    batches: list[list[tuple[str, Job]]] = []
    for group in groups.values():
        if batches and len(batches[-1]) + len(group) <= BATCH:
            batches[-1] += group
        else:
            batches.append(group)
    return batches


def _cache_file(name: str, cache: Path) -> Path:
    return cache / f"{name}-{checksum(generator())[:12]}.jsonl"


def _assembled(
    name: str,
    states: dict[str, str],
    cases: Iterable[Case],
    refused: tuple[dict[str, str], ...],
) -> ReferenceTable:
    return ReferenceTable(
        name,
        hedgetheory.__version__,
        states,
        generator(),
        {"digits": DIGITS, "fewer_digits": FEWER_DIGITS, "check_digits": REQUIRED},
        tuple(cases),
        refused,
    )


def _batch(batch: Sequence[tuple[str, Job]]) -> list[tuple[str, Outcome]]:
    return [(name, outcome(job)) for name, job in batch]


# -- the cache -------------------------------------------------------------------------------------


def _cached(file: Path, failed: bool = False) -> dict[str, Outcome]:
    """What earlier runs finished; a last line that was cut off is not counted.

    Cases on which two methods disagreed are computed again, unless ``failed`` asks for them.
    """
    if not file.exists():
        return {}
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["disagreement"] and not failed:
            continue
        case = Case.from_json(entry["case"]) if entry["case"] is not None else None
        found[entry["id"]] = Outcome(entry["id"], case, entry["refused"], entry["disagreement"])
    return found


def _append(file: Path, outcomes: Sequence[Outcome]) -> None:
    lines = "".join(
        canonical(
            {
                "id": each.id,
                "case": each.case.to_json() if each.case is not None else None,
                "refused": each.refused,
                "disagreement": each.disagreement,
            }
        )
        + "\n"
        for each in outcomes
    )
    # A last line that was cut off must not swallow the next one.
    with file.open("ab+") as stream:
        if stream.seek(0, os.SEEK_END):
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
        stream.write(lines.encode())


# -- what was published before ---------------------------------------------------------------------


def changed(old: ReferenceTable, new: ReferenceTable) -> list[str]:
    """The ids whose published value is not the same any more, or is gone.

    A ball may become narrower, or exact: what must hold is that the two have a number in common and
    the rounded double, where both have one, is the same.
    """
    found = []
    for case in old.cases:
        other = new.by_id.get(case.id)
        if other is None or case.inputs != other.inputs or not _same(case, other):
            found.append(case.id)
    return found


def _same(old: Case, new: Case) -> bool:
    if old.double is not None and new.double is not None and old.binary64 != new.binary64:
        return False
    special = [value_to_json(c.value)["kind"] in ("infinite", "undefined") for c in (old, new)]
    if any(special):
        return all(special) and old.value.infinite == new.value.infinite
    low, high = old.bounds
    lower, upper = new.bounds
    return low <= upper and lower <= high


def succeeding(
    new: ReferenceTable, old: ReferenceTable | None, erratum: str | None = None
) -> ReferenceTable:
    """The table with the history of the one that it replaces.

    Raises InputError where a published value changed or went and no ``erratum`` says why.
    """
    if old is None:
        return new
    wrong = changed(old, new)
    if wrong and not erratum:
        raise InputError(
            f"{len(wrong)} published values of {new.name} changed, such as {wrong[0]}: "
            "say why with --erratum TEXT"
        )
    before = checksum([case.to_json() for case in old.cases])
    if before == checksum([case.to_json() for case in new.cases]):
        return _with_history(new, old.errata, old.previous)
    errata: tuple[Json, ...] = tuple(old.errata)
    if wrong:
        entry = {"version": new.version, "text": erratum, "changed": wrong, "previous": before}
        errata = (*errata, entry)
    return _with_history(new, errata, before)


def _with_history(
    table: ReferenceTable, errata: Sequence[Json], previous: str | None
) -> ReferenceTable:
    return ReferenceTable(
        table.name, table.version, table.definition, table.generator, table.precision,
        table.cases, table.refused, tuple(errata), previous,
    )  # fmt: skip


def write(table: ReferenceTable, where: Path) -> Path:
    """Write a table whole or not at all, and read it back."""
    target = where / f"{table.name}{SUFFIX}"
    handle, name = tempfile.mkstemp(dir=where, prefix=".hedgetheory-")
    try:
        with open(handle, "wb") as file:
            file.write(table.packed())
            file.flush()
            os.fsync(file.fileno())
        if read(Path(name)) != table:
            raise HedgeTheoryError(f"{table.name} is not read back as it was written")
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def published(name: str, where: Path) -> ReferenceTable | None:
    """The table of a folder, None where it has none."""
    path = where / f"{name}{SUFFIX}"
    return read(path) if path.exists() else None


def all_of(names: Sequence[str]) -> Iterator[str]:
    """The tables to be made: those named, or every one."""
    yield from names or table_names()
