"""Sample-level tables: exact estimator values on small tables of scored responses.

Best-of-n is the mean over all subsets of n of the S responses of the gold of the best by proxy,
tied ones sharing their mean gold; it is enumerated, subset by subset, in rationals. pass@k is
1 − C(S − c, k)/C(S, k), and the enumeration checks it. The plug-in of a rank policy is
Σ_i [G(i/S) − G((i−1)/S)] g_(i) over the ordered responses, tied ones with their mean gold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb
from random import Random
from typing import TypeAlias

from hedgetheory.exact import Number, short
from hedgetheory.reference.model import Case, Check, Json, number_to_json, rounded, spec_inputs

Response: TypeAlias = tuple[Fraction, Fraction]

TABLES = {
    "sample_best_of_n": {
        "formula": "mean over all n-subsets of the gold of the best by proxy",
        "units": "gold",
        "assumptions": "one prompt of S scored responses; tied proxies share their mean "
        "gold; undefined for n > S",
    },
    "sample_pass_at_k": {
        "formula": "1 − C(S − c, k)/C(S, k)",
        "units": "1",
        "assumptions": "one prompt of S outcomes, c of them 1; proxy and gold are the outcome; "
        "undefined for k > S",
    },
    "sample_plug_in": {
        "formula": "Σ_i [G(i/S) − G((i−1)/S)] g_(i)",
        "units": "gold",
        "assumptions": "one prompt of S responses in the order of the proxy; tied proxies share "
        "their mean gold; G a polynomial, so that the value is rational",
    },
}


def definition(name: str) -> dict[str, str]:
    """What the values of a table are."""
    return {"quantity": name, **TABLES[name], "source": "arXiv 2107.03374; arXiv 2506.19248"}


def cases(name: str) -> list[Case]:
    """The cases of a sample-level table, in a fixed order."""
    makers: dict[str, Callable[[], Iterator[Case]]] = {
        "sample_best_of_n": _best_of_n,
        "sample_pass_at_k": _pass_at_k,
        "sample_plug_in": _plug_in,
    }
    return list(makers[name]())


def tables() -> dict[str, tuple[Response, ...]]:
    """Small prompts: by hand, and drawn once with a fixed seed from a few dyadic scores."""
    by_hand: dict[str, Sequence[tuple[int, int]]] = {
        "one": [(3, 5)],
        "two": [(1, 0), (2, 4)],
        "all_tied": [(1, 0), (1, 4), (1, 8)],
        "top_tied": [(0, 8), (4, 1), (4, 2), (4, 4)],
        "bottom_tied": [(0, 1), (0, 2), (3, 4), (8, 0)],
        "reversed": [(8, 0), (4, 1), (2, 4), (1, 8)],
        "negative": [(-4, -8), (-2, 4), (0, -1), (2, 0), (4, 8)],
        "equal_gold": [(1, 4), (2, 4), (3, 4), (3, 4)],
    }
    found = {
        name: tuple((Fraction(p, 4), Fraction(g, 8)) for p, g in rows)
        for name, rows in by_hand.items()
    }
    random = Random(20250619)  # noqa: S311
    for index in range(24):
        size, levels = random.randrange(3, 10), random.choice((2, 4, 64))
        found[f"drawn_{index:02d}"] = tuple(
            (Fraction(random.randrange(levels), 16), Fraction(random.randrange(-32, 33), 32))
            for _ in range(size)
        )
    return found


def best_of_subset(subset: Sequence[Response]) -> Fraction:
    """The gold of the best by proxy, its mean among tied ones."""
    top = max(proxy for proxy, _ in subset)
    best = [gold for proxy, gold in subset if proxy == top]
    return sum(best, Fraction(0)) / len(best)


def by_subsets(responses: Sequence[Response], n: int) -> Fraction:
    """The mean over all subsets, taken by place, so that equal responses count apart."""
    values = [best_of_subset(subset) for subset in combinations(responses, n)]
    return sum(values, Fraction(0)) / len(values)


def by_ranks(responses: Sequence[Response], n: int) -> Fraction:
    """Σ_i C(i−1, n−1)/C(S, n) g_(i) with the mean gold of tied proxies."""
    size = len(responses)
    golds = _ordered(responses)
    weights = [Fraction(comb(i, n - 1), comb(size, n)) for i in range(size)]
    return sum((w * g for w, g in zip(weights, golds, strict=True)), Fraction(0))


def _ordered(responses: Sequence[Response]) -> list[Fraction]:
    ordered = sorted(responses)
    means = {}
    for proxy in {p for p, _ in responses}:
        golds = [g for p, g in responses if p == proxy]
        means[proxy] = sum(golds, Fraction(0)) / len(golds)
    return [means[proxy] for proxy, _ in ordered]


def _best_of_n() -> Iterator[Case]:
    for name, rows in tables().items():
        for n in range(1, len(rows) + 1):
            value = by_subsets(rows, n)
            other = by_ranks(rows, n)
            yield _case("sample_best_of_n", name, f"bon({n})", rows, value, other)
        for n in (len(rows) + 1, 2 * len(rows) + 1):
            yield _beyond("sample_best_of_n", name, n, rows)


def _pass_at_k() -> Iterator[Case]:
    for size, right in product((1, 2, 3, 5, 8), range(9)):
        if right > size:
            continue
        rows = tuple((Fraction(int(i < right)), Fraction(int(i < right))) for i in range(size))
        for k in range(1, size + 1):
            value = 1 - Fraction(comb(size - right, k), comb(size, k))
            other = by_subsets(rows, k)
            yield _case("sample_pass_at_k", f"S={size},c={right}", f"bon({k})", rows, value, other)
        for k in (size + 1, size + 3, 100):
            yield _beyond("sample_pass_at_k", f"S={size},c={right}", k, rows)


def _plug_in() -> Iterator[Case]:
    powers = {
        "bon(1)": ((1, 1),),
        "bon(2)": ((2, 1),),
        "bon(7)": ((7, 1),),
        "best_of_random(finite({1: 1/2, 3: 1/2}))": ((1, 2), (3, 2)),
    }
    for (name, rows), (policy, terms) in product(tables().items(), powers.items()):
        size = len(rows)
        value = Fraction(0)
        for place, gold in enumerate(_ordered(rows)):
            low, high = Fraction(place, size), Fraction(place + 1, size)
            value += gold * sum((high**k - low**k) / share for k, share in terms)
        # With replacement: all S^n draws, enumerated where they are few.
        draws = max(k for k, _ in terms)
        second = _drawn if size**draws <= 4000 else _by_atoms
        other = sum((second(rows, k) / share for k, share in terms), Fraction(0))
        yield _case("sample_plug_in", name, policy, rows, value, other)


def _drawn(rows: Sequence[Response], n: int) -> Fraction:
    """The mean over all draws with replacement; the winner's gold is the mean of its ties."""
    golds = dict(zip([p for p, _ in sorted(rows)], _ordered(rows), strict=True))
    values = [golds[max(p for p, _ in draw)] for draw in product(rows, repeat=n)]
    return sum(values, Fraction(0)) / len(values)


def _by_atoms(rows: Sequence[Response], n: int) -> Fraction:
    """The same by the empirical cdf: Σ over distinct proxies of [F(p)^n − F(p−)^n] times gold."""
    value, below, size = Fraction(0), Fraction(0), len(rows)
    for proxy in sorted({p for p, _ in rows}):
        golds = [g for p, g in rows if p == proxy]
        upto = below + Fraction(len(golds), size)
        value += (upto**n - below**n) * sum(golds, Fraction(0)) / len(golds)
        below = upto
    return value


def _beyond(table: str, name: str, n: int, rows: Sequence[Response]) -> Case:
    """More draws than there are responses: no subset of n, and no unbiased estimate.

    E of an estimator is a polynomial of degree S in the law's masses; the success of n > S draws,
    1 − (1 − p)^n, is of degree n.
    """
    inputs = _inputs(f"bon({n})", rows)
    reason = f"{n} of {len(rows)} responses: there is no such subset, and no unbiased estimate"
    return Case(
        f"{table}:{inputs['policy_spec']}@{name}",
        inputs,
        Number.undefined(reason),
        None,
        Check("there are no subsets of so many"),
        ("easy", "undefined", *_ties(rows)),
    )


def _inputs(policy: str, rows: Sequence[Response]) -> dict[str, Json]:
    return {
        **spec_inputs("policy", policy),
        "responses": [[number_to_json(p), number_to_json(g)] for p, g in rows],
    }


def _ties(rows: Sequence[Response]) -> tuple[str, ...]:
    return () if len({p for p, _ in rows}) == len(rows) else ("tie",)


def _case(
    table: str,
    name: str,
    policy: str,
    rows: Sequence[Response],
    *values: Fraction,
) -> Case:
    value, other = values
    if other != value:
        raise ArithmeticError(f"{table} of {policy} on {name}: {value} and {other}")
    number = Number.exact(value)
    inputs = _inputs(policy, rows)
    check = Check("a second sum in rationals")
    return Case(
        f"{table}:{inputs['policy_spec']}@{name}",
        inputs,
        number,
        rounded(number),
        check,
        ("easy", *_ties(rows)),
    )


__all__ = ["TABLES", "by_ranks", "by_subsets", "cases", "definition", "short", "tables"]
