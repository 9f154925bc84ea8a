"""The command ``randomised``: documents, exit codes, refusals."""

from __future__ import annotations

import pytest


def test_a_positive_answer_carries_the_law_of_n(cli):
    told = cli("randomised", "--law", "exponential(1)", "--policy", "tilt(1/2)", "--json")
    assert told.code == 0
    document = told.document
    assert document["schema"] == "hedgetheory/randomised/1"
    assert (document["verdict"], document["witness"]) == ("proved", None)
    assert document["draws"]["name"] == "sibuya(a=0.5)"
    assert document["draws"]["mean"]["decimal"] == "inf"
    assert document["draws"]["unique"] is True


def test_masses_on_atoms_sum_to_one(cli):
    told = cli("randomised", "--law", "finite({0: 1/3, 1: 1/3, 2: 1/3})", "--policy", "tilt(1)",
               "--json")  # fmt: skip
    draws = told.document["draws"]
    assert told.document["verdict"] == "certified"
    assert sum(float(m["mass"]["decimal"]) for m in draws["masses"]) == pytest.approx(1, abs=1e-13)
    assert draws["unique"] is False


def test_a_negative_answer_is_an_answer_with_a_witness(cli):
    told = cli("randomised", "--law", "normal", "--policy", "tilt(1)", "--json")
    assert told.code == 0
    assert told.document["verdict"] == "refuted"
    assert told.document["draws"] is None
    assert told.document["witness"]["value"]["decimal"].startswith("-")
    assert "refuted" in cli("randomised", "--law", "normal", "--policy", "tilt(1)").out


def test_undecided_is_exit_3(cli):
    told = cli("randomised", "--law", "poisson(20)", "--policy", "tilt(1)", "--json")
    assert told.code == 3
    assert told.document["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("law", "policy"),
    [
        ("exponential(1)", "tilt(1)"),
        ("uniform", "bon(3)"),
        ("uniform", "tilt(-1)"),
        ("x", "tilt(1)"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(cli, law, policy):
    assert cli("randomised", "--law", law, "--policy", policy).is_refusal(2)
