"""Putting a name to an error: the first known mistake that explains a wrong answer, as a guess."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from hedgetheory.reference.judge import Verdict
from hedgetheory.reference.mistakes import MISTAKES, ROUNDED, Facts, Mistake
from hedgetheory.reference.wrong_laws import float_law

#: At most so many hints for one quantity of one policy.
MOST_HINTS = 40


def hint(verdict: Verdict) -> str:
    """What a wrong answer looks like, or nothing: ``looks like … (MUTANTS 1)``."""
    found = mistake_of(verdict)
    if found is None:
        return ""
    return f"looks like {found.says}" + (f" (MUTANTS {found.number})" if found.number else "")


def mistake_of(verdict: Verdict) -> Mistake | None:
    """The first known mistake that explains a wrong answer."""
    if verdict.status != "mismatch" or verdict.answer is None or verdict.value is None:
        return None
    if verdict.question.quantity == "best_integer":
        # The candidates are the neighbours of n†: the wrong one is what rounding gives, or worse.
        off = min(
            (abs(verdict.answer.value - v.bounds[0]) for v in verdict.question.values), default=9
        )
        return ROUNDED if off == 1 else None
    facts = _facts(verdict)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for mistake in MISTAKES:
            try:
                if mistake.explains(facts):
                    return mistake
            except (KeyError, OverflowError, ZeroDivisionError, ValueError):
                continue  # the wrong formula breaks down here, or lacks a parameter: no hint
    return None


def hinted(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts with hints, up to `MOST_HINTS` for each quantity of each policy."""
    done: dict[tuple[str, str], int] = {}
    found = []
    for verdict in verdicts:
        key = (verdict.question.quantity, verdict.question.policy)
        if verdict.status == "mismatch" and done.get(key, 0) < MOST_HINTS:
            done[key] = done.get(key, 0) + 1
            found.append(replace(verdict, hint=hint(verdict)))
        else:
            found.append(verdict)
    return found


def _facts(verdict: Verdict) -> Facts:
    question = verdict.question
    inputs: Any = question.inputs
    assert verdict.answer is not None
    assert verdict.value is not None
    given = verdict.answer
    number = {"nan": math.nan, "infinite": math.inf * (given.sign or 1)}.get(given.kind)
    law_parameters = {
        name: _double(value)
        for name, value in inputs.get("law_parameters", {}).items()
        if isinstance(value, dict) and "rational" in value
    }
    law = float_law(question.law, law_parameters)
    at = inputs.get("at") or {}
    reward = _double(at["reward"]) if "reward" in at else None
    u = _double(at["quantile"]) if "quantile" in at else None
    if u is None and reward is not None and law is not None:
        u = law.cdf(reward)
    return Facts(
        question.quantity,
        question.policy,
        question.law,
        {name: _float(value) for name, value in question.parameters.items()},
        _float(given.value) if number is None else number,
        float(verdict.value),
        law,
        str(inputs.get("parameters", {}).get("scale", "reward")),
        u,
        reward,
        _double(inputs["order"]) if "order" in inputs else None,
        inputs.get("gold"),
        tuple(
            (Fraction(proxy["rational"]), Fraction(gold["rational"]))
            for proxy, gold in inputs.get("responses", ())
        ),
        inputs,
    )


def _double(entry: Any) -> float:
    return _float(Fraction(entry["rational"]))


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
