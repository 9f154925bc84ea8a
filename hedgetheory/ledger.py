"""The ledger: every claim in order, and `verify`."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from hedgetheory.claims import (
    atoms,
    definition,
    densities,
    divergences,
    gap,
    gap_families,
    gap_supremum,
    gap_tails,
    invariance,
    likelihood,
    peaks,
    popular,
    randomised,
    soft,
    soft_shape,
)
from hedgetheory.claims.model import Claim, ClaimResult, Evidence, Verdict
from hedgetheory.designs.systems import SYSTEMS
from hedgetheory.errors import InputError
from hedgetheory.workers import Workers, in_order

#: The paper's claims and our own first, then those of each related system.
LEDGER: tuple[Claim, ...] = (
    *definition.CLAIMS,
    *peaks.CLAIMS,
    *divergences.CLAIMS,
    *likelihood.CLAIMS,
    *densities.CLAIMS,
    *atoms.CLAIMS,
    *invariance.CLAIMS,
    *gap.CLAIMS,
    *gap_supremum.CLAIMS,
    *gap_tails.CLAIMS,
    *gap_families.CLAIMS,
    *soft.CLAIMS,
    *randomised.CLAIMS,
    *soft_shape.CLAIMS,
    *popular.CLAIMS,
    *(claim for system in SYSTEMS for claim in system.claims),
)


def find(id: str) -> Claim:
    """The claim of an id. Raises InputError where there is none."""
    for claim in LEDGER:
        if claim.id == id:
            return claim
    raise InputError(f"no claim {id}; {_hint(id)}")


def _hint(text: str) -> str:
    """The nearest ids, or where to find them all: thirty ids are no help in an error message."""
    ids = [claim.id for claim in LEDGER]
    short = {id.partition(".")[2]: id for id in ids}
    near = get_close_matches(text, ids, n=3) or get_close_matches(text, list(short), n=3)
    if not near:
        return "`hedgetheory list claims` shows all"
    return f"did you mean {' or '.join(short.get(name, name) for name in near)}?"


def select(only: str | None = None) -> tuple[Claim, ...]:
    """The claims whose id or title contains ``only``, case-insensitively; all where it is None.

    A whole id selects its claim alone, and its first part, as in ``par``, its group alone.
    Raises InputError where nothing matches.
    """
    if only is None:
        return LEDGER
    wanted = only.casefold()
    named = tuple(claim for claim in LEDGER if claim.id == wanted)
    group = tuple(claim for claim in LEDGER if claim.id.partition(".")[0] == wanted)
    if named or group:
        return named or group
    found = tuple(c for c in LEDGER if wanted in c.id.casefold() or wanted in c.title.casefold())
    if not wanted.strip() or not found:
        shown = only if len(only) <= 60 else only[:57] + "..."
        raise InputError(f"no claim matches {shown!r}; {_hint(only)}")
    return found


def verify(
    only: str | None = None,
    progress: Callable[[ClaimResult], None] | None = None,
    workers: Workers = 1,
) -> list[ClaimResult]:
    """Check the claims and return their results in the ledger's order.

    ``progress`` is called with each result as it comes; ``workers`` as in `workers.in_order`. A
    claim whose check fails is undecided; no check raises. Raises InputError where ``only`` matches
    nothing.

    >>> [result.verdict for result in verify("theorem-2")]
    ['proved']
    """
    claims = select(only)
    results = []
    outcomes = in_order(_outcome, [claim.id for claim in claims], workers)
    for claim, (verdict, steps, seconds) in zip(claims, outcomes, strict=True):
        result = ClaimResult(claim, verdict, steps, seconds)
        if progress is not None:
            progress(result)
        results.append(result)
    return results


def _outcome(id: str) -> tuple[Verdict, tuple[Evidence, ...], float]:
    """What travels between processes: a claim itself holds its check, which does not."""
    result = find(id).check()
    return result.verdict, result.evidence, result.seconds


def exit_code(results: list[ClaimResult]) -> int:
    """0 as expected, 1 where a decided verdict differs, 3 where one is unexpectedly undecided."""
    wrong = [result for result in results if not result.as_expected]
    if not results or any(result.verdict == "undecided" for result in wrong):
        return 1 if any(result.verdict != "undecided" for result in wrong) else 3
    return 1 if wrong else 0


def to_json(results: list[ClaimResult]) -> list[dict[str, Any]]:
    """The `claims` array of the command-line contract."""
    return [result.to_json() for result in results]
