"""The ledger: every verdict as expected, and the contract's JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from hedgetheory.claims.model import Claim, ClaimResult, Evidence, verdict_of
from hedgetheory.errors import InputError
from hedgetheory.ledger import LEDGER, exit_code, find, select, to_json, verify

FIELDS = ["id", "title", "statement", "hypotheses", "source", "expected", "verdict", "evidence"]


@pytest.fixture(scope="module")
def results() -> list[ClaimResult]:
    return verify()


def test_every_verdict_is_as_expected(results: list[ClaimResult]) -> None:
    assert [r.claim.id for r in results if not r.as_expected] == []
    assert exit_code(results) == 0


def test_ids_are_unique_and_of_one_form() -> None:
    ids = [claim.id for claim in LEDGER]
    assert len(ids) == len(set(ids)) >= 18
    assert all(re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", id) for id in ids)


def test_every_claim_says_its_hypotheses_and_its_source() -> None:
    assert all(claim.hypotheses and claim.source and claim.statement for claim in LEDGER)


def test_every_json_entry_has_exactly_the_contract_fields(results: list[ClaimResult]) -> None:
    for entry in json.loads(json.dumps(to_json(results))):
        assert list(entry) == FIELDS
        assert all({"kind", "says", "by", "holds"} <= set(step) for step in entry["evidence"])


def test_every_proved_claim_is_also_confirmed_by_numbers(results: list[ClaimResult]) -> None:
    for result in results:
        if result.verdict == "proved":
            assert any(step.kind == "confirmed" for step in result.evidence), result.claim.id


def test_every_refuted_claim_carries_its_witness_as_data(results: list[ClaimResult]) -> None:
    for result in results:
        if result.verdict == "refuted":
            assert any(step.kind == "witness" and step.data for step in result.evidence)


def test_only_matches_id_or_title_in_any_case() -> None:
    assert {claim.id for claim in select("THEOREM-2")} == {"paper.theorem-2"}
    assert "paper.theorem-2" in {claim.id for claim in select("mean and kl of best-of-poisson")}


@pytest.mark.parametrize("only", ["paper.theorm-2", "", "  ", "é" * 1000])
def test_only_that_matches_nothing_is_bad_input(only: str) -> None:
    with pytest.raises(InputError, match="no claim matches"):
        verify(only)


def test_an_id_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(InputError, match=r"did you mean paper\.theorem-2\b"):
        verify("paper.theorm-2")
    with pytest.raises(InputError, match=r"did you mean paper\.theorem-2\b"):
        find("theorem2")
    with pytest.raises(InputError, match="`hedgetheory list claims` shows all"):
        verify("zzzzzz")


def test_progress_hears_of_each_result_in_order() -> None:
    heard: list[str] = []
    verify("popular", progress=lambda result: heard.append(result.claim.id))
    assert heard == [claim.id for claim in select("popular")]


def _step(kind: str, holds: bool = True) -> Evidence:
    return Evidence(kind, "", "", holds)  # type: ignore[arg-type]


def test_a_verdict_is_never_more_than_its_weakest_step() -> None:
    assert verdict_of([_step("proved"), _step("certified")]) == "certified"
    assert verdict_of([_step("proved"), _step("searched")]) == "supported"
    assert verdict_of([_step("proved"), _step("confirmed", False)]) == "undecided"
    assert verdict_of([_step("proved"), _step("cited"), _step("words")]) == "proved"


def test_a_check_that_examined_nothing_is_undecided() -> None:
    assert verdict_of([]) == verdict_of([_step("words"), _step("cited")]) == "undecided"
    assert verdict_of([_step("confirmed")]) == "undecided"


def test_a_witness_counts_only_when_every_step_holds() -> None:
    assert verdict_of([_step("proved"), _step("witness")]) == "refuted"
    assert verdict_of([_step("proved", False), _step("witness")]) == "undecided"
    assert verdict_of([_step("witness", False)]) == "undecided"


def _result(expected: str, steps: list[Evidence]) -> ClaimResult:
    claim = Claim("t.t", "t", "t", ("t",), "t", expected, lambda: steps)  # type: ignore[arg-type]
    return claim.check()


def test_exit_codes_tell_a_wrong_verdict_from_an_undecided_one() -> None:
    good, wrong = _result("proved", [_step("proved")]), _result("refuted", [_step("proved")])
    undecided = _result("proved", [])
    assert exit_code([good]) == 0
    assert exit_code([good, wrong]) == 1
    assert exit_code([good, undecided]) == 3
    assert exit_code([wrong, undecided]) == 1
    assert exit_code([]) == 3


def test_importing_the_package_of_claims_loads_neither_sympy_nor_flint() -> None:
    code = "import sys, hedgetheory.claims; print({'sympy', 'flint'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
