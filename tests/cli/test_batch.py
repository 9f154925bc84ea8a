"""`value --batch`: one line of answer for each request, whatever the request."""

from __future__ import annotations

import io
import json
import sys

import pytest

from hedgetheory.cli.value import LONGEST_LINE

GOOD = {"law": "uniform", "policy": "bon(4)", "quantity": "win_rate"}


@pytest.fixture
def batch(cli, tmp_path):
    def answer(*lines, more=()):
        source = tmp_path / "requests.jsonl"
        source.write_bytes(b"".join(_bytes(line) + b"\n" for line in lines))
        done = cli("value", "--batch", str(source), *more)
        return done.code, [json.loads(line) for line in done.out.splitlines()]

    return answer


def _bytes(line):
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line)).encode()


def test_each_request_has_the_answer_of_the_single_command(batch, cli):
    code, answers = batch(GOOD, {**GOOD, "quantity": "kl", "digits": 30})
    assert code == 0
    single = cli("value", "--law", "uniform", "--policy", "bon(4)", "--quantity", "win_rate",
                 "--json")  # fmt: skip
    assert answers[0] == single.document
    assert answers[1]["digits"] == 30


def test_json_numbers_are_exact_decimals(batch):
    code, (answer,) = batch(
        '{"law": "uniform", "policy": "bon(1)", "quantity": "quantile", "at": 0.3}'
    )
    assert code == 0
    assert answer["at"] == "0.3"
    assert float(answer["number"]["decimal"]) == 0.3


def test_a_bad_line_is_answered_and_the_next_one_read(batch):
    code, answers = batch({**GOOD, "policy": "bon(0)"}, GOOD)
    assert code == 2
    assert set(answers[0]) == {"schema", "version", "command", "error", "exit"}
    assert answers[0]["exit"] == 2
    assert "n=0" in answers[0]["error"]
    assert answers[1]["number"]["rational"] == "4/5"


def test_blank_lines_are_not_requests(batch):
    code, answers = batch(GOOD, "", "   ", GOOD)
    assert code == 0
    assert len(answers) == 2


BAD = {
    "not JSON": "{",
    "not UTF-8": b'{"law": "\xff"}',
    "not an object": "[1]",
    "deep": "[" * 60_000,
    "unknown field": {**GOOD, "lwa": "uniform"},
    "missing field": {"law": "uniform", "policy": "bon(2)"},
    "law a number": '{"law": 1, "policy": "bon(2)", "quantity": "kl"}',
    "law an object": {**GOOD, "law": {"normal": 1}},
    "at true": {**GOOD, "quantity": "density", "at": True},
    "at NaN": '{"law": "uniform", "policy": "bon(2)", "quantity": "density", "at": NaN}',
    "at huge": '{"law": "uniform", "policy": "bon(2)", "quantity": "density", "at": 1e999999}',
    "digits a fraction": {**GOOD, "digits": 2.5},
    "digits negative": {**GOOD, "digits": -3},
    "digits huge": '{"law": "uniform", "policy": "bon(2)", "quantity": "kl", "digits": 1'
    + "0" * 9999 + "}",
    "a field twice": '{"law": "uniform", "law": "normal", "policy": "bon(2)", "quantity": "kl"}',
    "a long line": json.dumps({**GOOD, "law": "x" * LONGEST_LINE}),
    "a very long line": b" " * (5 * LONGEST_LINE) + b"{}",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_one_error_object_and_harms_no_other(batch, name):
    code, answers = batch(GOOD, BAD[name], GOOD)
    assert code == 2
    assert [answer.get("exit", 0) for answer in answers] == [0, 2, 0]


def test_stdin_is_a_batch_too(cli, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(_bytes(GOOD))))
    done = cli("value", "--batch", "-")
    assert done.code == 0
    assert json.loads(done.out)["number"]["rational"] == "4/5"


def test_a_batch_goes_to_a_file_whole(batch, tmp_path):
    target = tmp_path / "answers.jsonl"
    code, on_stdout = batch(GOOD, GOOD, more=("-o", str(target)))
    assert code == 0
    assert on_stdout == []
    assert len(target.read_text().splitlines()) == 2


def test_an_empty_batch_has_no_answers(batch):
    assert batch() == (0, [])
