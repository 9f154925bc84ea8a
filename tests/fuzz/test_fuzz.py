"""What once broke a reader stays mended, and a short fuzz of all of them finds nothing new.

The readers, their seeds and the mutations are those of `experiments/fuzz.py`, whose recorded run
of more than a million inputs is `experiments/fuzz.json`. Files of the corpus are named
``target-what``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.errors import InputError

ROOT = Path(__file__).parents[2]
CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
#: Inputs of the short run, by what one costs.
FEW = {"scored": 8, "parquet": 8, "value": 15, "law": 40, "gold": 80}
MANY = 250
#: Of the texts of the tests, so many as seeds.
TEXTS = 250


@pytest.fixture(scope="module")
def targets():
    sys.path.insert(0, str(ROOT / "experiments"))
    import fuzz_targets

    texts = fuzz_targets.texts
    formulas = [text for text in texts() if "(" in text or "*" in text]
    numbers = [text for text in texts() if text[0] in "0123456789-+."]
    fuzz_targets.texts = lambda: (*formulas[:: len(formulas) // TEXTS], *numbers[:TEXTS])
    yield fuzz_targets.TARGETS
    fuzz_targets.texts = texts
    sys.path.remove(str(ROOT / "experiments"))


NAMES = (
    "spec", "family", "gold", "number", "policy", "law", "joint", "batch", "answer", "submission",
    "replies", "expected", "reference", "packed_reference", "samples", "scored", "parquet", "value",
)  # fmt: skip


def test_every_target_is_run(targets):
    assert tuple(targets) == NAMES


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_once_broke_is_read_or_refused(targets, path):
    target = targets[path.name.partition("-")[0]]
    assert target(path.read_bytes()) in ("ok", "refused")


@pytest.mark.parametrize("name", NAMES)
def test_mutated_inputs_are_read_or_refused(targets, name):
    from fuzz_mutation import mutated

    target, rng = targets[name], Random(name)  # noqa: S311
    seeds = target.seeds()
    outcomes = [target(seed) for seed in seeds[:5]]
    for _ in range(FEW.get(name, MANY)):
        data = mutated(
            rng, rng.choice(seeds), seeds, target.words, target.kind, min(target.longest, 3000)
        )
        outcomes.append(target(data))
    assert set(outcomes) <= {"ok", "refused"}
    assert "ok" in outcomes


@settings(max_examples=120)
@given(name=st.sampled_from(["spec", "gold", "number", "answer", "expected", "batch"]),
       text=st.text(max_size=60))  # fmt: skip
def test_any_text_is_read_or_refused(targets, name, text):
    targets[name](text.encode("utf-8", "surrogatepass"))


@settings(max_examples=60)
@given(name=st.sampled_from(["submission", "replies", "reference", "samples"]),
       data=st.binary(max_size=60))  # fmt: skip
def test_any_bytes_are_read_or_refused(targets, name, data):
    targets[name](data)


def test_a_reader_that_breaks_its_promise_is_found(targets):
    """The fuzzer's own judgement: another error, a message of two lines, a text read otherwise."""
    from fuzz_targets import Target, _same

    def raising(error):
        def run(data):
            raise error

        return Target("broken", run, list)

    for error in (
        ValueError("x"),
        KeyError("x"),
        InputError("two\nlines"),
        InputError("x" * 10_000),
    ):
        with pytest.raises((ValueError, KeyError, AssertionError)) as found:
            raising(error)(b"")
        assert not isinstance(found.value, InputError)
    assert raising(InputError("one line"))(b"") == "refused"
    with pytest.raises(AssertionError):
        _same("1/3*r", "(1/3)*r")


def test_a_session_keeps_the_shortest_input_of_each_finding(targets, tmp_path):
    from fuzz import Session
    from fuzz_targets import Target

    def run(data):
        if b"!" in data:
            raise KeyError(data)

    session = Session(Target("broken", run, list), tmp_path)
    for data in (b"a", b"bb!", b"!", b"ccc!", b"d"):
        session.one(data)
    session.write()
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["counts"] == {"ok": 2, "finding": 3}
    (found,) = state["findings"].values()
    assert (found["count"], bytes.fromhex(found["input"])) == (3, b"!")


def test_the_recorded_run_has_a_million_inputs_and_no_finding():
    record = json.loads((ROOT / "experiments" / "fuzz.json").read_text(encoding="utf-8"))
    rows = record["rows"]
    assert {row["target"] for row in rows} == set(NAMES)
    assert sum(row["inputs"] for row in rows) == record["total"]["inputs"] >= 10**6
    assert all(row["ok"] + row["refused"] + row["in findings"] == row["inputs"] for row in rows)
    assert all(row["findings"] == {} and row["slow"] == 0 for row in rows)
    assert {"python", "hedgetheory", "atheris"} <= set(record["versions"])
    assert set(record["corpus"]) <= {path.name for path in CORPUS}
