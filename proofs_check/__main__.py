"""`python -m proofs_check [--json]`: every result, its verdict, and 1 where one has regressed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from proofs_check.tools import Check, verdict_of

#: One file for each result, in the order of the paper and then of what goes beyond it.
RESULTS = (
    "definition_1",
    "theorem_1",
    "corollary_1",
    "corollary_2",
    "corollary_3",
    "theorem_2",
    "theorem_3",
    "likelihood_ratio",
    "densities",
    "closed_forms",
    "quantile_tilt_is_best_of_n",
    "tilt_optimal",
    "win_rate",
    "atoms",
    "monotone_invariance",
    "unimodal_is_not_enough",
    "gap_grid",
    "gap_supremum",
    "gap_unbounded",
    "soft_best_of_n",
    "soft_shape",
    "soft_example",
    "randomised_best_of_n",
)


def run(name: str) -> dict[str, Any]:
    """One file's result as plain data; a check that breaks off leaves the result undecided."""
    module = import_module(f"proofs_check.{name}")
    start, checks = time.perf_counter(), []
    try:
        for check in module.checks():
            checks.append(check)  # one by one: what was checked before an error is shown
    except Exception as error:
        checks.append(Check("algebra", f"broke off: {type(error).__name__}: {error}", False))
    return {
        "file": f"{name}.py",
        "id": module.ID,
        "result": (module.__doc__ or "").strip().splitlines()[0],
        "expected": module.EXPECTED,
        "verdict": verdict_of(checks),
        "checks": [{"kind": c.kind, "says": c.says, "holds": c.holds} for c in checks],
        "seconds": round(time.perf_counter() - start, 2),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the ledger; 0 where every verdict is the expected one, else 1."""
    parser = argparse.ArgumentParser(prog="python -m proofs_check", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    wants_json = parser.parse_args(arguments).json
    done = []
    for name in RESULTS:
        result = run(name)
        done.append(result)
        if not wants_json:
            _show(result)
    wrong = [r["id"] for r in done if r["verdict"] != r["expected"]]
    if wants_json:
        print(json.dumps({"schema": "hedgetheory/proofs-check/1", "results": done}, indent=2))
    else:
        print(f"{len(done)} results, {sum(len(r['checks']) for r in done)} checks, "
              f"{len(wrong)} not as expected")  # fmt: skip
    return 1 if wrong or not done else 0


def _show(result: dict[str, Any]) -> None:
    mark = "ok  " if result["verdict"] == result["expected"] else "FAIL"
    print(f"{mark} {result['verdict']:<10} {result['id']:<34} {result['result']}")
    for check in result["checks"]:
        if not check["holds"]:
            print(f"       does not hold [{check['kind']}]: {check['says']}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
