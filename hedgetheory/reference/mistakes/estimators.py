"""Wrong estimates from scored responses."""

from __future__ import annotations

from hedgetheory.reference import sample_mistakes as samples
from hedgetheory.reference.mistakes.facts import Facts, Values


def _draws(f: Facts) -> int:
    """The n of Best-of-n on responses; 0 where that is not what is asked."""
    n = f.p.get("n", 0.0) if f.policy == "bon" and f.quantity in samples.WEIGHTS else 0.0
    return int(n) if 1 <= n <= len(f.rows) or (n >= 1 and f.quantity == "sample_plug_in") else 0


def unsorted_ranks(f: Facts) -> Values:
    if n := _draws(f):
        yield from map(float, samples.unsorted(f.quantity, f.rows, n))


def first_n(f: Facts) -> Values:
    if n := _draws(f):
        yield float(samples.first_n(f.rows, n))


def with_replacement(f: Facts) -> Values:
    if (n := _draws(f)) and f.quantity != "sample_plug_in":
        yield float(samples.other_weights(f.quantity, f.rows, n))


def without_replacement(f: Facts) -> Values:
    n = _draws(f)
    if f.quantity == "sample_plug_in" and 1 <= n <= len(f.rows):
        yield float(samples.other_weights(f.quantity, f.rows, n))


def ties_unshared(f: Facts) -> Values:
    if n := _draws(f):
        yield from map(float, samples.ties_unshared(f.quantity, f.rows, n))


def more_than_there_are(f: Facts) -> bool:
    return f.quantity == "sample_pass_at_k" and f.p["n"] > len(f.rows) and f.given == 1
