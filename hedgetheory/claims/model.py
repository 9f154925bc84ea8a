"""A claim and its checked steps; the verdict is computed from the steps and from nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Verdict = Literal["proved", "certified", "supported", "refuted", "undecided"]
Kind = Literal["proved", "certified", "searched", "confirmed", "words", "cited", "witness"]


@dataclass(frozen=True)
class Evidence:
    """One step of a check.

    ``kind`` says what a step that holds is worth: `proved` for all parameters by algebra,
    `certified` by balls or exact rationals on the stated points or boxes, `searched` nothing found
    by a search, `confirmed` a ball check of what is proved otherwise, `words` a short deduction
    from the steps around it, `cited` a theorem that is relied on, `witness` a certified
    counterexample to the claim.
    """

    kind: Kind
    says: str
    by: str
    holds: bool
    data: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "kind": self.kind,
            "says": self.says,
            "by": self.by,
            "holds": self.holds,
        }
        return {**entry, "data": self.data} if self.data else entry


Checker: TypeAlias = Callable[[], Iterable[Evidence]]

#: A step of these kinds examines something; words and citations alone examine nothing.
_EXAMINES: tuple[Kind, ...] = ("proved", "certified", "searched")


def verdict_of(evidence: Iterable[Evidence]) -> Verdict:
    """The verdict that the steps support: never more than the weakest of them.

    >>> verdict_of([])
    'undecided'
    """
    steps = list(evidence)
    if not all(step.holds for step in steps):
        return "undecided"
    if any(step.kind == "witness" for step in steps):
        return "refuted"
    examined = {step.kind for step in steps if step.kind in _EXAMINES}
    if not examined:
        return "undecided"
    if "searched" in examined:
        return "supported"
    return "certified" if "certified" in examined else "proved"


@dataclass(frozen=True)
class Claim:
    """A statement with its hypotheses, its source, and the check that decides it.

    ``id`` is permanent. ``expected`` is what we stand for: a popular false claim expects `refuted`.
    """

    id: str
    title: str
    statement: str
    hypotheses: tuple[str, ...]
    source: str
    expected: Verdict
    checker: Checker

    def check(self) -> ClaimResult:
        """Run the check. It never raises: a step that cannot be taken does not hold."""
        start = time.perf_counter()
        steps: list[Evidence] = []
        try:
            for step in self.checker():
                steps.append(step)  # one by one: what was done before an error is kept
        except Exception as error:  # whatever goes wrong, this claim alone is undecided
            reason = f"{type(error).__name__}: {error}"
            steps.append(Evidence("proved", "the check ran to its end", reason, holds=False))
        return ClaimResult(self, verdict_of(steps), tuple(steps), time.perf_counter() - start)


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its verdict and the evidence for it."""

    claim: Claim
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    seconds: float

    @property
    def as_expected(self) -> bool:
        return self.verdict == self.claim.expected

    def to_json(self) -> dict[str, Any]:
        """The entry of the command-line contract, with exactly its fields."""
        return {
            "id": self.claim.id,
            "title": self.claim.title,
            "statement": self.claim.statement,
            "hypotheses": list(self.claim.hypotheses),
            "source": self.claim.source,
            "expected": self.claim.expected,
            "verdict": self.verdict,
            "evidence": [step.to_json() for step in self.evidence],
        }


def claim(
    id: str,
    title: str,
    statement: str,
    *,
    hypotheses: tuple[str, ...] = (),
    source: str,
    expected: Verdict = "proved",
) -> Callable[[Callable[[], Iterator[Evidence]]], Claim]:
    """Make a claim of the generator of its steps."""

    def make(checker: Callable[[], Iterator[Evidence]]) -> Claim:
        return Claim(id, title, statement, hypotheses, source, expected, checker)

    return make


def words(says: str) -> Evidence:
    """A deduction in words from the steps around it."""
    return Evidence("words", says, "argument", holds=True)


def cited(says: str, source: str) -> Evidence:
    """A theorem that the claim rests on."""
    return Evidence("cited", says, source, holds=True)
