"""Cases whose true values come from mpmath or by hand, and what compare makes of a function."""

from __future__ import annotations

from fractions import Fraction

import mpmath

from hedgetheory.exact import Number
from hedgetheory.reference.answers import Answer, parse_answer
from hedgetheory.reference.hints import mistake_of
from hedgetheory.reference.judge import Question, Tolerance, Verdict, judge
from hedgetheory.reference.model import number_to_json, spec_inputs
from hedgetheory.reference.worker import reply

mp = mpmath.mp.clone()
mp.dps = 60


def kl_bon(n):
    """ln n - 1 + 1/n, in 60 digits."""
    n = mp.mpf(n)
    return mp.log(n) - 1 + 1 / n


def ball(value) -> Number:
    """A ball of some forty digits around an mpmath number or numeric text."""
    value = mp.mpf(value)
    exponent = int(mp.floor(mp.log10(abs(value)))) - 40
    return Number.ball(int(mp.nint(value * mp.mpf(10) ** -exponent)), 1, exponent)


def question(quantity, policy, law, value, *, at=None, order=None, gold=None, kind="policy"):
    """A case: ``at`` is (kind, number); the value a Number, or what mpmath makes of it."""
    inputs = {**spec_inputs(kind, policy), **spec_inputs("law", law)}
    name = f"{quantity}:{inputs['policy_spec']}@{inputs['law_spec']}"
    if at is not None:
        inputs["at"] = {at[0]: number_to_json(Fraction(at[1]))}
        name += f":at={at[1]}"
    if order is not None:
        inputs["order"] = number_to_json(Fraction(order))
    if gold is not None:
        inputs["gold"] = gold
    values = value if isinstance(value, tuple) else (value,)
    numbers = tuple(v if isinstance(v, Number) else ball(v) for v in values)
    return Question(name, quantity, quantity, inputs, numbers)


def answer_of(function, asked: Question) -> Answer:
    """What a function answers, through the same door as a live implementation."""
    line = reply(function, asked.line())
    assert "error" not in line, line
    return parse_answer(line["value"])


def verdict_of(function, asked: Question, tolerance=Tolerance()) -> Verdict:  # noqa: B008 - frozen
    return judge(asked, answer_of(function, asked), tolerance)


def recognised(verdict: Verdict) -> str | None:
    found = mistake_of(verdict)
    return found and found.name


def parameter(case, name):
    return float(Fraction(case["inputs"]["parameters"][name]["rational"]))


def point(case):
    (entry,) = case["inputs"]["at"].values()
    return float(Fraction(entry["rational"]))
