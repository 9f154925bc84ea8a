"""Strategies for tables of scored responses: ties, ragged prompts, numbers that break code."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from hedgetheory.errors import must_be
from hedgetheory.testing.optional import st

#: A table as a mapping of columns, which `hedgetheory.tune` and dataframes take as it is.
Columns: TypeAlias = "dict[str, list[Any]]"

_SIMPLE = st.integers(-8, 8).map(lambda k: k / 4)
_WILD = st.one_of(
    st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1 + 2**-52, 1e16, 1e150, -1e150]),
    st.floats(-1e150, 1e150),
)
_INVALID = st.sampled_from([math.nan, math.inf, -math.inf])
#: Ids that look alike: text that is a number, a blank, an accent, what a spreadsheet would run.
_WILD_IDS = ["1", "01", "1.0", "a b", "é", "e\u0301", "=1+1", '"', "a,b"]


@st.composite
def responses(
    draw: st.DrawFn,
    *,
    prompts: int = 4,
    size: int = 6,
    ragged: bool = True,
    ties: bool | None = None,
    adversarial: bool = False,
    invalid: bool = False,
) -> Columns:
    """Tables of scored responses as columns ``prompt_id``, ``proxy``, ``true``.

    Args:
        prompts: at most so many prompts, at least one.
        size: at most so many responses a prompt, at least one.
        ragged: prompts of different sizes; else all have the same.
        ties: True for few proxy scores, so that ties are sure to come; False for proxy scores that
            differ within a prompt; None for either.
        adversarial: numbers at the edge of binary64 (±0, subnormal, 1e±150, neighbours of 1), rows
            of a prompt scattered over the table, ids that look alike.
        invalid: at least one score that is NaN or infinite, to be refused or dropped.

    Shrinks to one prompt with one response of score 0; prints as a dict that can be pasted back.
    Raises InputError for prompts or size < 1.

    >>> from hypothesis import given, settings
    >>> from hedgetheory.hedgetune.table import Table
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(responses(ties=True, size=5))
    ... def test(table):
    ...     assert len(Table.from_frame(table).proxy) == len(table["true"])
    >>> test()
    """
    for name, value in (("prompts", prompts), ("size", size)):
        if value < 1:
            raise must_be(name, value, "an integer >= 1", "responses")
    count = draw(st.integers(1, prompts))
    same = draw(st.integers(1, size))
    sizes = [draw(st.integers(1, size)) if ragged else same for _ in range(count)]
    numbers = st.one_of(_SIMPLE, _WILD) if adversarial else _SIMPLE
    labels = draw(st.permutations(_WILD_IDS)) if adversarial else []
    names = labels[:count] + [f"p{k}" for k in range(len(labels[:count]), count)]
    rows = []
    for name, many in zip(names, sizes, strict=True):
        proxies = draw(_proxies(numbers, many, ties))
        rows += [(name, proxy, draw(numbers)) for proxy in proxies]
    if adversarial:
        rows = draw(st.permutations(rows))
    columns: Columns = {
        label: [row[place] for row in rows]
        for place, label in enumerate(("prompt_id", "proxy", "true"))
    }
    if invalid:
        column = columns[draw(st.sampled_from(["proxy", "true"]))]
        column[draw(st.integers(0, len(rows) - 1))] = draw(_INVALID)
    return columns


def _proxies(
    numbers: st.SearchStrategy[float], many: int, ties: bool | None
) -> st.SearchStrategy[list[float]]:
    if ties is None:
        return st.one_of(_proxies(numbers, many, False), _proxies(numbers, many, True))
    if ties:
        few = st.lists(numbers, min_size=1, max_size=max(many // 2, 1))
        return few.flatmap(
            lambda found: st.lists(st.sampled_from(found), min_size=many, max_size=many)
        )
    # −0 and 0 are one score.
    return st.lists(numbers, min_size=many, max_size=many, unique_by=lambda x: x + 0.0)
