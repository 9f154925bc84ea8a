"""float64 Soft Best-of-n against certified balls on a grid of (n, λ); worst errors only go down.

    python tests/functionals/test_soft_float64_record.py

rewrites soft_float64_record.json beside this file with the errors that improved (``--force`` with
all). The references, soft_float64_reference.json, are balls of 15 digits or more from
`quantities.value`, which shares no code with float64; what it refuses (NotCertified, or more than
some seconds) is not in the file. Tests below certify a few of them again.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft_floating import continuous as soft_floats
from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
from hedgetheory.functionals.soft_floating.samples import SoftBestOfNSamples
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.spec.grammar import parse_law, parse_policy

RECORD = Path(__file__).with_name("soft_float64_record.json")
REFERENCE = Path(__file__).with_name("soft_float64_reference.json")
TARGET = 1e-10
#: Sums by BLAS and numpy's exp differ by processor.
SLACK = 2e-14


@lru_cache(maxsize=64)
def soft(law: str, n: str, lam: str) -> Any:
    read = parse_law(law)
    if isinstance(read, FiniteLaw):
        return SoftBestOfNSamples(n, lam, read)
    return SoftBestOfNFloats(n, lam, read)


def compute(law: str, row: list[str]) -> float:
    n, lam, quantity, at = row
    function = getattr(soft(law, n, lam), quantity)
    return float(function(float(Fraction(at))) if at else function())


@lru_cache
def references() -> dict[str, dict[str, str]]:
    """law → "n|lam|quantity|at" → decimal."""
    rows: dict[str, dict[str, str]] = json.loads(REFERENCE.read_text())
    return rows


def keys() -> list[str]:
    found = {f"{law}/{k.split('|')[2]}" for law, rows in references().items() for k in rows}
    return sorted(found)


def worst(key: str) -> dict[str, Any]:
    """The largest relative error of one quantity on one law, and where."""
    law, quantity = key.rsplit("/", 1)
    rows = [(k.split("|"), v) for k, v in references()[law].items()]
    rows = [(k, v) for k, v in rows if k[2] == quantity]
    found = [compute(law, k) for k, _ in rows]
    entry: dict[str, Any] = {"error": 0.0, "count": len(rows)}
    for f, (k, decimal) in zip(found, rows, strict=True):
        truth = Fraction(decimal)
        if abs(truth) < Fraction(1, 10**300):
            continue
        error = float(abs(Fraction(f) / truth - 1))
        if not error <= entry["error"]:
            entry = {"error": error, "count": len(rows), "n": k[0], "lam": k[1], "at": k[3]}
    return entry


@pytest.mark.parametrize("key", keys())
def test_the_error_is_below_the_target_and_the_record_only_improves(key: str) -> None:
    entry, recorded = worst(key), json.loads(RECORD.read_text())[key]
    assert entry["error"] <= TARGET
    assert entry["error"] <= recorded["error"] + SLACK
    assert entry["count"] == recorded["count"]


@pytest.mark.parametrize(
    ("law", "row"),
    [
        ("uniform", "16|3|kl|"),
        ("uniform", "1000|30|ratio|0.999"),
        ("normal(0,1)", "2|1/2|ratio|-1.5"),
        ("exponential(1)", "16|3|ratio|3"),
        ("finite({-1:1/10,0:1/2,1/3:1/10,1:1/4,7/2:1/20})", "1000000|30|ratio|1/3"),
    ],
)
def test_a_reference_is_what_is_certified_today(law: str, row: str) -> None:
    n, lam, quantity, at = row.split("|")
    where = {"at": at} if at else {}
    number = value(parse_law(law), parse_policy(f"sbon({n},{lam})"), quantity, digits=12, **where)
    low, high = number.bounds
    stored = Fraction(references()[law][row])
    assert low * (1 - Fraction(1, 10**14)) <= stored <= high * (1 + Fraction(1, 10**14))


def test_nodes_four_times_as_far_apart_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    soft.cache_clear()
    monkeypatch.setattr(soft_floats, "STEP", 1.0)
    assert worst("normal(0,1)/ratio")["error"] > TARGET
    soft.cache_clear()


def test_one_minus_the_ratio_would_be_caught() -> None:
    gentle = SoftBestOfNFloats(2, "1e-6")
    x, weight = gentle._points
    naive = float(weight @ (gentle.ratio(x) - 1) ** 2)
    assert abs(naive / float(references()["uniform"]["2|1e-6|chi2|"]) - 1) > 1e-10


def main() -> None:
    old = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    fresh = {}
    for key in keys():
        entry, before = worst(key), old.get(key)
        better = (
            before is None
            or entry["error"] < before["error"]
            or entry["count"] != before["count"]
            or "--force" in sys.argv
        )
        fresh[key] = entry if better else before
        print(f"{key:70} {entry}")
    RECORD.write_text(json.dumps(fresh, indent=1) + "\n")


if __name__ == "__main__":
    main()
