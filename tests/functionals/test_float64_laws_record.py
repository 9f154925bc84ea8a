"""float64 on the laws of float64_laws_references.py against its balls; worst errors only go down.

    python tests/functionals/test_float64_laws_record.py

rewrites float64_laws_record.json beside this file with the errors that improved (``--force`` with
all of them). A sample of the references is certified again below.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import float64_laws_references as references
import numpy as np
import pytest
from test_float64_record import SIGNED_ULP, TARGET, ULP, relative_error

from hedgetheory.exact import Number
from hedgetheory.functionals.float64 import evaluate
from hedgetheory.spec.grammar import parse_law

RECORD = Path(__file__).with_name("float64_laws_record.json")
#: Libraries' exp, log and Γ differ in the last places by processor and version.
SLACK = 4 * ULP


@lru_cache
def stored() -> dict[str, references.Rows]:
    rows: dict[str, references.Rows] = json.loads(references.REFERENCE.read_text())
    return rows


def recorded() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(RECORD.read_text())
    return found


def quantities(key: str) -> list[str]:
    return [name for name in stored()[key] if name not in {"theta", "at"}]


def floats(texts: list[str]) -> np.ndarray:
    return np.array([float.fromhex(text) for text in texts])


def as_number(decimal: str) -> Number:
    return Number.infinity() if decimal == "inf" else Number.exact(Fraction(decimal))


def worst(key: str, quantity: str, function: Any = evaluate) -> dict[str, Any]:
    """The largest error of one quantity, and where."""
    law, family, rows = law_of(key), family_of(key), stored()[key]
    theta = floats(rows["theta"])
    at = floats(rows["at"]) if "at" in rows else None
    found = function(quantity, family, theta, parse_law(law), at=at)
    entry: dict[str, Any] = {"error": 0.0}
    for i, (value, decimal) in enumerate(zip(found, rows[quantity], strict=True)):
        error = relative_error(float(value), as_number(decimal))
        if not error <= entry["error"]:
            entry = {"error": error, "theta": rows["theta"][i]}
            if at is not None:
                entry["at"] = rows["at"][i]
    return entry


def law_of(key: str) -> str:
    return key[: key.index(")") + 1]


def family_of(key: str) -> str:
    return key[key.index(")") + 2 :].split("/", maxsplit=1)[0]


@pytest.mark.parametrize("key", stored())
def test_the_error_is_below_the_target_and_the_record_only_improves(key: str) -> None:
    for quantity in quantities(key):
        error = worst(key, quantity)["error"]
        assert error <= TARGET, quantity
        assert error <= recorded()[f"{key}:{quantity}"]["error"] + SLACK, quantity


def test_the_record_holds_exactly_what_is_compared_and_nothing_above_the_target() -> None:
    assert list(recorded()) == [f"{key}:{q}" for key in stored() for q in quantities(key)]
    assert all(entry["error"] <= TARGET for entry in recorded().values())


def test_the_references_hold_what_their_generator_makes() -> None:
    pointwise = [
        f"{law}/{family}"
        for law in references.PROPOSALS
        for family in (
            (*references.RANK, "tilt") if law.startswith(references.TILTED) else references.RANK
        )
    ]
    others = ["/".join(key) for key in references.functionals()]
    assert list(stored()) == [*pointwise, *others]


def test_a_sample_of_the_references_is_what_is_certified_today() -> None:
    rng, keys = np.random.default_rng(20250712), list(stored())
    for key in rng.choice(keys, 40):
        rows = stored()[key]
        quantity = str(rng.choice(quantities(key)))
        i = int(rng.integers(len(rows["theta"])))
        at = float.fromhex(rows["at"][i]) if "at" in rows else None
        theta = float.fromhex(rows["theta"][i])
        number = references.certified(law_of(key), family_of(key), quantity, theta, at)
        if number.infinite:
            assert rows[quantity][i] == "inf"
            continue
        # The decimal is the ball's middle rounded to its last digit.
        low, high = number.bounds
        last = abs(Fraction(rows[quantity][i])) / 10 ** (references.DIGITS - 2)
        assert low - last <= Fraction(rows[quantity][i]) <= high + last


def test_a_power_of_the_cdf_of_scipy_would_be_caught() -> None:
    def naive(quantity: str, family: str, theta: Any, law: Any, at: Any) -> Any:
        dist = references.PROPOSALS["gamma(5/2,1)"]
        with np.errstate(all="ignore"):
            return theta * dist.cdf(at) ** (theta - 1)

    assert not worst("gamma(5/2,1)/bon", "ratio", naive)["error"] <= TARGET


def test_a_survival_as_one_minus_the_cdf_would_be_caught() -> None:
    def naive(quantity: str, family: str, theta: Any, law: Any, at: Any) -> Any:
        return 1.0 - evaluate("cdf", family, theta, law, at=at)

    for law in ("pareto(5/2)", "student_t(3)", "gumbel(0,1)"):
        assert not worst(f"{law}/bon", "survival", naive)["error"] <= TARGET


@pytest.mark.parametrize("law", ["gumbel(-1/3,0.3)", "weibull(0.3,1/3)", "beta(30,20)"])
def test_the_score_is_right_within_sixteen_ulp_of_its_largest_term(law: str) -> None:
    dist = references.PROPOSALS[law]
    for family in references.RANK:
        theta, at = references.arguments(law, family, 12, seed=3)
        found = evaluate("score", family, theta, parse_law(law), at=at)
        for f, t, x in zip(found, theta, at, strict=True):
            truth = references.certified(law, family, "score", float(t), float(x))
            u, ubar = float(dist.cdf(x)), float(dist.sf(x))
            # Of the difference a − b the larger term is at least a, which is stated here.
            largest = {"bon": 1 / t, "bop": u / (1 + t * u), "quantile_tilt": ubar}[family]
            assert relative_error(float(f), truth, largest) <= SIGNED_ULP * ULP


def main() -> None:
    old, fresh = recorded() if RECORD.exists() else {}, {}
    for key in stored():
        for quantity in quantities(key):
            name, entry = f"{key}:{quantity}", worst(key, quantity)
            before = old.get(name)
            better = before is None or entry["error"] < before["error"] or "--force" in sys.argv
            fresh[name] = entry if better else before
            print(f"{name:45} {entry['error']:.2e}")
    RECORD.write_text(json.dumps(fresh, indent=1) + "\n")


if __name__ == "__main__":
    main()
