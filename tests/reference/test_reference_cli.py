"""`hedgetheory reference`: verify, export and generate."""

from __future__ import annotations

import csv
import json

import pytest
from pyarrow import parquet

from hedgetheory.cli.app import run
from hedgetheory.reference import tables
from hedgetheory.reference.export import COLUMNS


@pytest.fixture
def made(tmp_path):
    where = tmp_path / "made"
    assert run(["reference", "generate", "--table", "sample_pass_at_k", "-o", str(where)]) == 0
    return where


def answer(capsys, *argv):
    capsys.readouterr()
    code = run(["reference", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def test_what_generate_writes_verify_accepts(made, capsys):
    code, out, _ = answer(capsys, "verify", str(made), "--json")
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "hedgetheory/reference/1"
    assert document["problems"] == []
    assert document["cases"] == len(tables.read(made / "sample_pass_at_k.json.gz").cases)


def test_generating_again_gives_the_same_bytes(made, capsys):
    before = {path.name: path.read_bytes() for path in made.iterdir() if path.is_file()}
    code, _, _ = answer(capsys, "generate", "--table", "sample_pass_at_k", "-o", str(made))
    assert code == 0
    assert {path.name: path.read_bytes() for path in made.iterdir() if path.is_file()} == before


def test_a_missing_index_is_a_problem(made, capsys):
    (made / "index.json").unlink()
    code, out, _ = answer(capsys, "verify", str(made))
    assert code == 1
    assert "index.json is missing" in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("verify", "/nowhere"), "is not a folder"),
        (("generate", "--table", "kk"), "unknown table kk"),
        (("export", "kk", "--format", "csv"), "unknown table kk"),
        (("export", "kl", "--format", "parquet"), "needs -o FILE"),
        (("export", "kl", "--format", "xls"), "xls"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_two(argv, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = answer(capsys, *argv)
    assert code == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_an_empty_folder_is_refused(tmp_path, capsys):
    code, _, err = answer(capsys, "verify", str(tmp_path))
    assert code == 2
    assert "has no tables" in err


def test_a_csv_says_that_it_is_lossy_and_has_every_case(capsys):
    code, out, _ = answer(capsys, "export", "sample_pass_at_k", "--format", "csv")
    assert code == 0
    note, *lines = out.splitlines()
    assert note.startswith("# lossy export")
    found = list(csv.DictReader(lines))
    assert len(found) == len(tables.load("sample_pass_at_k").cases)
    assert found[0]["decimal"] == "0"


def test_a_parquet_file_says_that_it_is_lossy(tmp_path, capsys):
    target = tmp_path / "kl.parquet"
    code, _, _ = answer(capsys, "export", "kl", "--format", "parquet", "-o", str(target))
    assert code == 0
    table = parquet.read_table(target)
    assert table.column_names == list(COLUMNS)
    assert b"lossy" in table.schema.metadata[b"lossy"]
    doubles = dict(zip(table["id"].to_pylist(), table["double"].to_pylist(), strict=True))
    case = tables.load("kl").by_id["kl:bop(mu=5)@uniform"]
    assert doubles[case.id] == case.double
