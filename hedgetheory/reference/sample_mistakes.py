"""What wrong estimators make of a prompt's scored responses, in exact rationals.

Each takes responses (proxy, gold) in the order given and n, and returns the number that somebody
who makes that mistake would report for Best-of-n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb
from typing import TypeAlias

Rows: TypeAlias = Sequence[tuple[Fraction, Fraction]]


def _by_weights(golds: Sequence[Fraction], weights: Sequence[Fraction]) -> Fraction:
    return sum((w * g for w, g in zip(weights, golds, strict=True)), Fraction(0))


def unbiased_weights(size: int, n: int) -> list[Fraction]:
    """C(i−1, n−1)/C(S, n), i = 1 … S."""
    return [Fraction(comb(i, n - 1), comb(size, n)) for i in range(size)]


def plug_in_weights(size: int, n: int) -> list[Fraction]:
    """(i/S)ⁿ − ((i−1)/S)ⁿ: draws with replacement."""
    return [Fraction((i + 1) ** n - i**n, size**n) for i in range(size)]


def by_proxy(rows: Rows) -> list[Fraction]:
    """Gold in the order of the proxy, tied responses sharing their mean."""
    golds: dict[Fraction, list[Fraction]] = {}
    for proxy, gold in rows:
        golds.setdefault(proxy, []).append(gold)
    return [sum(golds[p], Fraction(0)) / len(golds[p]) for p, _ in sorted(rows)]


def as_given(rows: Rows) -> list[Fraction]:
    """Gold in the order of the file, as if it were sorted."""
    return [gold for _, gold in rows]


def sorted_apart(rows: Rows) -> list[Fraction]:
    """Gold sorted by itself, the proxy forgotten."""
    return sorted(gold for _, gold in rows)


def first_n(rows: Rows, n: int) -> Fraction:
    """The gold of the best of the first n responses, instead of the mean over all subsets."""
    top = max(proxy for proxy, _ in rows[:n])
    golds = [gold for proxy, gold in rows[:n] if proxy == top]
    return sum(golds, Fraction(0)) / len(golds)


def ties_by_place(rows: Rows, last: bool) -> list[Fraction]:
    """Gold in the order of the proxy where a tie goes to the first, or the last, of the file."""
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0], i if last else -i))
    return [rows[i][1] for i in order]


Weights: TypeAlias = Callable[[int, int], Sequence[Fraction]]
#: quantity -> its own weights, and those that it is confused with.
WEIGHTS: dict[str, tuple[Weights, Weights]] = {
    "sample_best_of_n": (unbiased_weights, plug_in_weights),
    "sample_pass_at_k": (unbiased_weights, plug_in_weights),
    "sample_plug_in": (plug_in_weights, unbiased_weights),
}


def unsorted(quantity: str, rows: Rows, n: int) -> list[Fraction]:
    weights = WEIGHTS[quantity][0](len(rows), n)
    return [_by_weights(golds, weights) for golds in (as_given(rows), sorted_apart(rows))]


def other_weights(quantity: str, rows: Rows, n: int) -> Fraction:
    return _by_weights(by_proxy(rows), WEIGHTS[quantity][1](len(rows), n))


def ties_unshared(quantity: str, rows: Rows, n: int) -> list[Fraction]:
    weights = WEIGHTS[quantity][0](len(rows), n)
    return [_by_weights(ties_by_place(rows, last), weights) for last in (False, True)]
