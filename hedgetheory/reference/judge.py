"""Judging answers against the tables, in exact rational arithmetic.

A finite value x lies in mid ± rad. An answer y passes iff |y − mid| ≤ rad + tolerance with

    tolerance = max(rtol·|mid|, ulps·ulp(mid), atol),

ulp(mid) being the spacing of binary64 at mid, 2⁻¹⁰⁷⁴ at least: so a value that underflows may be
answered by 0. An infinite answer passes where the value is that infinity, or rounds to it in
binary64. Where the value is undefined, "nan" passes and a number does not. A threshold of
Best-of-n has a second question, ``<id>#integer``: the best integer n, any of them on a tie.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from hedgetheory.errors import InputError, nearest
from hedgetheory.exact import Number, rational
from hedgetheory.reference.answers import Answer
from hedgetheory.reference.model import Case

INTEGER = "#integer"
Status: TypeAlias = Literal["pass", "mismatch", "failed", "unsupported", "missing"]
#: What counts against an implementation: a wrong answer, or none because it broke down.
WRONG: tuple[Status, ...] = ("mismatch", "failed")
#: Among so many ids a near one is looked for.
MOST_ALIKE = 2000
#: The smallest normal double.
NORMAL = Fraction(2) ** -1022
#: Every finite double is below this, and rounding to nearest leaves them here.
OVERFLOW = Fraction(2) ** 1024 - Fraction(2) ** 970


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far an answer may be off beyond the radius of the true value; all are >= 0."""

    rtol: Fraction = Fraction(1, 10**10)
    ulps: Fraction = Fraction(4)
    atol: Fraction = Fraction(0)

    @classmethod
    def of(cls, rtol: str, ulps: str, atol: str) -> Tolerance:
        """From text, exactly. Raises InputError for what is not a number >= 0."""
        found = []
        for name, text in (("rtol", rtol), ("ulps", ulps), ("atol", atol)):
            value = rational(text, f"--{name}")
            if value < 0:
                raise InputError(f"--{name}={text}, but must be a number >= 0")
            found.append(value)
        return cls(*found)

    def around(self, mid: Fraction) -> Fraction:
        return max(self.rtol * abs(mid), self.ulps * ulp(mid), self.atol)


def ulp(value: Fraction) -> Fraction:
    """The spacing of binary64 at |value|, as if its exponents had no upper end.

    >>> ulp(Fraction(1)) == Fraction(2) ** -52, ulp(Fraction(0)) == Fraction(2) ** -1074
    (True, True)
    """
    size = abs(value)
    if size == 0:
        return Fraction(1, 2**1074)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    return Fraction(2) ** (max(exponent, -1022) - 52)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an implementation: an id, a quantity, its inputs, and the true value.

    Where ``values`` has several, any of them is right (integers that tie).
    """

    id: str
    table: str
    quantity: str
    inputs: Mapping[str, Any]
    values: tuple[Number, ...]
    tags: tuple[str, ...] = ()

    def line(self) -> dict[str, Any]:
        """The case as a live implementation gets it."""
        return {"id": self.id, "quantity": self.quantity, "inputs": self.inputs}

    @property
    def policy(self) -> str:
        """Its name, or that of the function that is asked."""
        return str(self.inputs.get("policy", self.inputs.get("function", "-")))

    @property
    def law(self) -> str:
        return str(self.inputs.get("law", "-"))

    @property
    def parameters(self) -> dict[str, Fraction]:
        """The policy's numeric parameters, exactly; those of its law of draws included."""
        return dict(_numbers(self.inputs.get("parameters", {})))


def _numbers(parameters: Any) -> Iterator[tuple[str, Fraction]]:
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if isinstance(value, dict) and "rational" in value:
            yield name, Fraction(value["rational"])
        elif isinstance(value, dict):
            yield from _numbers(value.get("parameters"))


def questions(table: str, cases: Iterable[Case]) -> Iterator[Question]:
    """The questions that the cases of a table ask."""
    for case in cases:
        quantity = case.id.partition(":")[0]
        yield Question(case.id, table, quantity, case.inputs, (case.value,), case.tags)
        if case.integer is not None:
            best = tuple(Number.exact(n) for n in case.integer[1])
            name = f"{case.id}{INTEGER}"
            yield Question(name, table, "best_integer", case.inputs, best, case.tags)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a question.

    ``reason`` says in words what is wrong, ``relative`` and ``ulps`` how far off a finite answer to
    a finite value is (each less its radius; infinite where the value is 0). ``expected`` marks a
    failure that was announced.
    """

    question: Question
    status: Status
    answer: Answer | None = None
    reason: str = ""
    value: Number | None = None
    relative: float | None = None
    ulps: float | None = None
    hint: str = ""
    expected: bool = False

    @property
    def wrong(self) -> bool:
        return self.status in WRONG

    @property
    def severity(self) -> float:
        """Larger is worse: an answer of the wrong kind, then by relative error."""
        return math.inf if self.relative is None else self.relative


def judge(question: Question, answer: Answer, tolerance: Tolerance) -> Verdict:
    """The verdict on one answer: the most favourable one where several values are right."""
    if answer.kind == "unsupported":
        return Verdict(question, "unsupported", answer)
    found = [_against(question, value, answer, tolerance) for value in question.values]
    return min(found, key=lambda verdict: (verdict.wrong, verdict.severity))


def _against(question: Question, value: Number, answer: Answer, tolerance: Tolerance) -> Verdict:
    def wrong(reason: str) -> Verdict:
        return Verdict(question, "mismatch", answer, reason, value)

    right = Verdict(question, "pass", answer, value=value)
    if value.is_undefined:
        return right if answer.kind == "nan" else wrong("a number where there is none")
    if answer.kind == "nan":
        return wrong("not a number where there is one")
    if value.infinite:
        same = answer.kind == "infinite" and answer.sign == value.infinite
        return right if same else wrong("not the infinity that it is")
    low, high = value.bounds
    if answer.kind == "infinite":
        overflows = low >= OVERFLOW if answer.sign > 0 else high <= -OVERFLOW
        return right if overflows else wrong("infinite where the value is finite")
    mid, rad = (low + high) / 2, (high - low) / 2
    error = abs(answer.value - mid)
    relative = _as_float(max(error - rad, Fraction(0)), abs(mid))
    off = _as_float(max(error - rad, Fraction(0)), ulp(mid))
    if error <= rad + tolerance.around(mid):
        # Below the normal doubles a relative error says nothing.
        return replace(right, relative=relative if abs(mid) >= NORMAL else None, ulps=off)
    return Verdict(question, "mismatch", answer, "too far from the value", value, relative, off)


def _as_float(top: Fraction, bottom: Fraction) -> float:
    if top == 0:
        return 0.0
    if bottom == 0:
        return math.inf
    ratio = top / bottom
    return float(ratio) if ratio < OVERFLOW else math.inf


def judge_submission(
    asked: Sequence[Question],
    answers: Mapping[str, Answer],
    tolerance: Tolerance,
    *,
    known: set[str],
    names: Sequence[str] = (),
) -> list[Verdict]:
    """The verdicts on a file of answers; a question without an answer is "missing".

    ``known`` are the ids that there are, asked now or not, ``names`` those of the tables. Raises
    InputError, naming the first, for ids that are none.
    """
    unknown = [name for name in answers if name not in known]
    if unknown:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise InputError(f"{_unknown(unknown[0], known, names)}{more}")
    return [
        judge(question, answers[question.id], tolerance)
        if question.id in answers
        else Verdict(question, "missing")
        for question in asked
    ]


def _unknown(name: str, ids: set[str], names: Sequence[str]) -> str:
    table = name.partition(":")[0]
    alike = sorted(known for known in ids if known.startswith(f"{table}:"))
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    if not alike:
        return f"unknown case {shown!r}: {nearest(table[:80], list(names))}"
    suggestion = nearest(name[:200], alike[:MOST_ALIKE]).partition("(known")[0].strip()
    return f"unknown case {shown!r}: {suggestion or f'none of the {len(alike)} of {table}'}"


# -- expected failures -----------------------------------------------------------------------------


@dataclass
class ExpectedFailures:
    """Failures that somebody knows of: one case id a line, ``*`` for any text, ``#`` starts a note.

    The ``#`` of a note follows a blank or starts the line, so that ``id#integer`` is an id.

    >>> expected = ExpectedFailures.parse("kl:bop(*)@uniform  # Ei overflows", "known.txt")
    >>> expected.matches("kl:bop(mu=1024)@uniform"), expected.matches("kl:bon(n=2)@uniform")
    (True, False)
    """

    patterns: list[str]
    used: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    @classmethod
    def parse(cls, text: str, what: str) -> ExpectedFailures:
        """Raises InputError for a line that cannot be an id."""
        patterns = []
        for number, line in enumerate(text.splitlines(), 1):
            pattern = f" {line}".partition(" #")[0].strip()
            if len(pattern) > 4096 or pattern.count("*") > 20:
                raise InputError(f"{what}, line {number}: no case id is that long")
            if pattern and pattern not in patterns:
                patterns.append(pattern)
        return cls(patterns)

    def matches(self, case_id: str) -> bool:
        return any(_matches(pattern, case_id) for pattern in self.patterns)

    def marked(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """The verdicts, with the announced failures marked."""
        found = []
        for verdict in verdicts:
            hits = [p for p in self.patterns if _matches(p, verdict.question.id)]
            self.seen.update(hits)
            self.used.update(hits if verdict.wrong else ())
            found.append(replace(verdict, expected=True) if verdict.wrong and hits else verdict)
        return found

    def stale(self) -> list[tuple[str, str]]:
        """The lines that no failure needs, each with why."""
        return [
            (pattern, "no longer fails" if pattern in self.seen else "matches no case judged here")
            for pattern in self.patterns
            if pattern not in self.used
        ]


def _matches(pattern: str, text: str) -> bool:
    """Whether ``text`` fits the pattern; linear, since the first fit of each piece will do."""
    head, *rest = pattern.split("*")
    if not rest:
        return text == head
    if not text.startswith(head):
        return False
    *middle, tail = rest
    place = len(head)
    for piece in middle:
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return text.endswith(tail) and len(text) - len(tail) >= place
