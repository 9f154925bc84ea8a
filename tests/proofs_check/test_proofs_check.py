"""The independent restatements: run as users run them, and made to fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import sympy

from hedgetheory.claims import gap_families, gap_tails
from hedgetheory.designs.systems import SYSTEMS
from hedgetheory.ledger import LEDGER
from proofs_check import __main__ as runner
from proofs_check import theorem_1, theorem_2
from proofs_check.tools import Check, agrees, algebra, verdict_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def document() -> dict[str, list[dict[str, object]]]:
    command = [sys.executable, "-W", "error", "-m", "proofs_check", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def test_every_result_has_its_expected_verdict(document: dict[str, list[dict[str, str]]]) -> None:
    assert [r["id"] for r in document["results"] if r["verdict"] != r["expected"]] == []


def test_every_file_is_in_the_ledger_of_results() -> None:
    tools = {"__init__", "__main__", "tools"}
    files = {path.stem for path in (ROOT / "proofs_check").glob("*.py")} - tools
    assert files == set(runner.RESULTS)


def test_every_claim_around_the_paper_is_met_by_some_file(
    document: dict[str, list[dict[str, list[dict[str, str]]]]],
) -> None:
    said = " ".join(c["says"] for r in document["results"] for c in r["checks"])
    # The related systems, and the gap on laws and families that the paper does not treat.
    beyond = {claim.id for system in SYSTEMS for claim in system.claims}
    beyond |= {claim.id for module in (gap_tails, gap_families) for claim in module.CLAIMS}
    ours = [claim.id for claim in LEDGER if claim.id not in beyond]
    assert [id for id in ours if f"{id} expects" not in said] == []


@pytest.mark.parametrize("module", [theorem_1, theorem_2])
def test_a_regressed_verdict_exits_1(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "checks", lambda: iter([Check("algebra", "broken", False)]))
    monkeypatch.setattr(runner, "RESULTS", (module.__name__.rsplit(".", 1)[1],))
    assert runner.main([]) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAIL undecided")
    assert "does not hold [algebra]: broken" in out


def test_a_file_that_breaks_off_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(theorem_1, "checks", breaks)
    assert runner.run("theorem_1")["verdict"] == "undecided"


def test_no_checks_or_only_citations_prove_nothing() -> None:
    assert verdict_of([]) == verdict_of([Check("cited", "x", True)]) == "undecided"
    assert verdict_of([Check("algebra", "x", True), Check("same", "y", False)]) == "undecided"


def test_algebra_refuses_near_misses() -> None:
    x, s = sympy.symbols("x s", positive=True)
    tiny = sympy.Rational(1, 10**12)
    for wrong in (
        x * tiny,
        x**s - x,
        sympy.exp(s * x) - sympy.exp(-s * x),
        sympy.nan,
        sympy.oo * x,
    ):
        assert not algebra("false", wrong).holds
    assert algebra("true", sympy.exp(s + x) - sympy.exp(s) * sympy.exp(x)).holds
    assert not agrees(sympy.log(x - 5), sympy.log(5 - x))
