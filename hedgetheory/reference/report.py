"""The report on an implementation: counts, where it breaks down, the worst cases.

`summary` gives the fields of the JSON document, described in ``examples/drivers/README.md``;
`hedgetheory.cli.pages.conformance` makes a page of them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from hedgetheory.exact import Number
from hedgetheory.reference.drivers import Conversation
from hedgetheory.reference.judge import ExpectedFailures, Question, Tolerance, Verdict

STATUSES = ("pass", "mismatch", "failed", "unsupported", "missing")
#: Digits of the true value in a report: more than any double has.
DIGITS = 25
#: Axes along which an implementation may break down and which are distances from a special value.
_SHIFTED = {"n": ("n - 1", 1)}


def summary(
    verdicts: Sequence[Verdict],
    tolerance: Tolerance,
    *,
    implementation: str = "",
    worst: int = 10,
    expected: ExpectedFailures | None = None,
    conversation: Conversation | None = None,
) -> dict[str, Any]:
    """The report's fields. ``verdict`` is "pass" where nothing unexpected is wrong."""
    wrong = [verdict for verdict in verdicts if verdict.wrong]
    unexpected = [verdict for verdict in wrong if not verdict.expected]
    ranked = sorted(wrong, key=lambda v: (v.expected, -v.severity, v.question.id))
    stale = expected.stale() if expected else []
    return {
        "implementation": implementation,
        "verdict": "mismatch" if unexpected else "pass",
        "tolerance": {
            "rtol": str(float(tolerance.rtol)),
            "ulps": str(float(tolerance.ulps)),
            "atol": str(float(tolerance.atol)),
        },
        "counts": _counts(verdicts),
        "by_quantity": _grouped(verdicts, lambda v: [v.question.quantity]),
        "by_policy": _grouped(verdicts, lambda v: [v.question.policy]),
        "by_law": _grouped(verdicts, lambda v: [v.question.law]),
        "by_tag": _grouped(verdicts, lambda v: v.question.tags),
        "regions": regions(verdicts),
        "hints": [
            {"hint": text, "count": count}
            for text, count in Counter(v.hint for v in wrong if v.hint).most_common()
        ],
        "worst": [entry(verdict) for verdict in ranked[:worst]],
        "failures": [_brief(verdict) for verdict in wrong],
        "stale": [{"pattern": pattern, "reason": reason} for pattern, reason in stale],
        "conversation": conversation.fields() if conversation else None,
    }


def _counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    found = Counter(str(verdict.status) for verdict in verdicts)
    expected = sum(verdict.expected for verdict in verdicts)
    return {
        "asked": sum(found.values()),
        **{status: found[status] for status in STATUSES},
        "expected": expected,
    }


def _grouped(
    verdicts: Sequence[Verdict], names: Callable[[Verdict], Iterable[str]]
) -> list[dict[str, Any]]:
    """Counts and the worst error that passed or not, by each name of a verdict."""
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        for name in names(verdict):
            groups[name].append(verdict)
    return [
        {
            "name": name,
            **_counts(group),
            "worst_relative": _largest(v.relative for v in group),
            "worst_ulps": _largest(v.ulps for v in group),
        }
        for name, group in sorted(groups.items())
    ]


def _largest(values: Iterable[float | None]) -> float | None:
    """The largest finite value, None without one."""
    return max((v for v in values if v is not None and math.isfinite(v)), default=None)


# -- where it breaks down --------------------------------------------------------------------------


def regions(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """For each quantity, policy and axis on which something is wrong: right and wrong by decade."""
    table: dict[tuple[str, str, str], dict[int | None, list[Verdict]]] = {}
    for verdict in verdicts:
        if verdict.status not in ("pass", "mismatch", "failed"):
            continue
        question = verdict.question
        for axis, place in axes(question):
            cells = table.setdefault((question.quantity, question.policy, axis), {})
            cells.setdefault(decade(place), []).append(verdict)
    found = []
    for (quantity, policy, axis), cells in sorted(table.items()):
        rows = [
            {
                "decade": key,
                "pass": sum(not v.wrong for v in cells[key]),
                "wrong": sum(v.wrong for v in cells[key]),
                "worst_relative": _largest(v.relative for v in cells[key]),
            }
            for key in sorted(cells, key=lambda key: -math.inf if key is None else key)
        ]
        if any(row["wrong"] for row in rows):
            region = {"quantity": quantity, "policy": policy, "axis": axis, "decades": rows}
            found.append({**region, "breaks_down": in_words(axis, rows)})
    return found


def axes(question: Question) -> Iterator[tuple[str, Fraction]]:
    """Where a case lies: its parameters (n by its distance from 1), the point, the order."""
    for name, value in question.parameters.items():
        axis, shift = _SHIFTED.get(name, (name, 0))
        yield axis, value - shift
    at = question.inputs.get("at") or {}
    for kind, name in (("quantile", "u"), ("probability", "p")):
        if kind in at:
            level = Fraction(at[kind]["rational"])
            yield (name, level) if level <= Fraction(1, 2) else (f"1 - {name}", 1 - level)
    if "reward" in at:
        yield "|r|", abs(Fraction(at["reward"]["rational"]))
    if "order" in question.inputs:
        yield "order", Fraction(question.inputs["order"]["rational"])


def decade(value: Fraction) -> int | None:
    """The k of 10^k <= |value| < 10^(k+1), exactly; None for 0.

    >>> decade(Fraction(1, 1000)), decade(Fraction(999)), decade(Fraction(0))
    (-3, 2, None)
    """
    size = abs(value)
    if size == 0:
        return None
    k = len(str(size.numerator)) - len(str(size.denominator))
    return k if Fraction(10) ** k <= size else k - 1


def in_words(axis: str, rows: Sequence[dict[str, Any]]) -> str:
    """Runs of decades with something wrong: ``mu in [1e-13, 1e-3): 4 of 5 wrong``."""
    total, wrong = (sum(row["pass"] + row["wrong"] for row in rows), sum(r["wrong"] for r in rows))
    if all(row["wrong"] for row in rows):
        return f"at every {axis}: {wrong} of {total} wrong"
    runs: list[list[dict[str, Any]]] = []
    for before, row in zip([None, *rows], rows, strict=False):
        if row["wrong"]:
            if before is not None and before["wrong"]:
                runs[-1].append(row)
            else:
                runs.append([row])
    return "; ".join(_run(axis, run) for run in runs)


def _run(axis: str, run: Sequence[dict[str, Any]]) -> str:
    wrong, asked = sum(r["wrong"] for r in run), sum(r["wrong"] + r["pass"] for r in run)
    first, last = run[0]["decade"], run[-1]["decade"]
    if last is None:
        where = f"{axis} = 0"
    elif first is None:
        where = f"0 <= {axis} < 1e{last + 1}"
    else:
        where = f"{axis} in [1e{first}, 1e{last + 1})"
    return f"{where}: {wrong} of {asked} wrong"


# -- single cases ----------------------------------------------------------------------------------


def true_value(number: Number | None) -> dict[str, Any]:
    """The true value as in the command-line contract, the reason where it is undefined."""
    if number is None:
        return {"number": None}
    if number.is_undefined:
        return {"number": None, "reason": number.reason}
    return {"number": number.to_json(DIGITS)}


def entry(verdict: Verdict) -> dict[str, Any]:
    """A wrong answer in full: the exact input, what was given, the truth, how far off, a hint."""
    question = verdict.question
    return {
        **_brief(verdict),
        "quantity": question.quantity,
        "inputs": question.inputs,
        "tags": list(question.tags),
        "true": true_value(verdict.value or question.values[0]),
    }


def _brief(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.question.id,
        "given": None if verdict.answer is None else verdict.answer.given[:200],
        "reason": verdict.reason,
        "relative": _finite(verdict.relative),
        "ulps": _finite(verdict.ulps),
        "hint": verdict.hint,
        "expected": verdict.expected,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def in_short(value: float | None) -> str:
    """An error for people.

    >>> in_short(1.5e-11), in_short(0.0), in_short(None)
    ('1.5e-11', '0', '-')
    """
    return "-" if value is None else "0" if value == 0 else f"{value:.1e}"


def true_text(true: dict[str, Any]) -> str:
    """The true value of an `entry` for people."""
    number = true["number"]
    if number is None:
        return f"undefined: {true.get('reason', '')}"
    if number["rad"] == "0":
        return f"{number.get('rational', number['decimal'])} exactly"
    return f"{number['decimal']} ± {number['rad']}"
