"""A case and its JSON: exact both ways, and nothing else is read."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.exact import Number
from hedgetheory.reference import model, tables
from hedgetheory.reference.cases import Job, jobs
from hedgetheory.reference.model import Case, Check

HALF = Fraction(1, 2**1075)  # half of the least positive double


def case_of(value, name="kl:bon(n=2)@uniform", digits=25):
    inputs = {**model.spec_inputs("policy", "bon(2)"), **model.spec_inputs("law", "uniform")}
    return Case(name, inputs, value, model.rounded(value), Check("by hand", digits), ("easy",))


@pytest.mark.parametrize(
    "value",
    [
        Number.exact(Fraction(-3, 7)),
        Number.exact(0),
        Number.infinity(-1),
        Number.undefined("no mean"),
        Number.ball(-(10**57), 3, -77),
    ],
    ids=str,
)
def test_a_case_survives_its_json(value):
    case = case_of(value)
    assert Case.from_json(json.loads(model.canonical(case.to_json()))) == case


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Number.exact(Fraction(1, 10)), (0.1).hex()),
        # Halfway between 1 and the next double: to even.
        (Number.exact(1 + Fraction(1, 2**53)), (1.0).hex()),
        (Number.exact(1 + Fraction(3, 2**53)), (1 + 2**-51).hex()),
        (Number.exact(HALF), "0x0.0p+0"),
        (Number.exact(-HALF), "-0x0.0p+0"),
        (Number.exact(HALF + Fraction(1, 2**1200)), (5e-324).hex()),
        (Number.exact(Fraction(2) ** 1024 - Fraction(2) ** 970), "inf"),
        (
            Number.exact(Fraction(2) ** 1024 - Fraction(2) ** 970 - 1),
            (1.7976931348623157e308).hex(),
        ),
        (Number.infinity(-1), "-inf"),
        (Number.undefined("why"), None),
        # 1 + 2^−53 ± 1e-40 lies on both sides of the tie.
        (Number.ball(int((1 + Fraction(1, 2**53)) * 10**60), 10**20, -60), None),
    ],
)
def test_the_rounding_is_to_nearest_even_and_none_where_the_ball_leaves_it_open(value, expected):
    assert model.rounded(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_an_input_in_both_forms(x):
    entry = model.number_to_json(Fraction(x))
    assert model.number_from_json(entry) == Fraction(x)
    assert float.fromhex(entry["binary64"]) == x


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "ball", "mid": "1", "rad": "-1", "exp10": 0},
        {"kind": "ball", "mid": "1.5", "rad": "1", "exp10": 0},
        {"kind": "ball", "mid": "1", "rad": "1", "exp10": 10**9},
        {"kind": "ball", "mid": "9" * 401, "rad": "1", "exp10": 0},
        {"kind": "ball", "mid": 1, "rad": "1", "exp10": 0},
        {"kind": "ball", "mid": "1", "rad": "1", "exp10": True},
        {"kind": "rational", "value": "1/0"},
        {"kind": "rational", "value": "0.5"},
        {"kind": "rational", "value": "1" * 3000},
        {"kind": "infinite", "sign": 2},
        {"kind": "infinite", "sign": True},
        {"kind": "undefined"},
        {"kind": "rational", "value": "1", "more": 1},
        {"kind": "guess"},
        [],
    ],
)
def test_what_is_no_value_is_refused(value):
    with pytest.raises(InputError):
        model.value_from_json(value)


@pytest.mark.parametrize("text", ["1.5", "0x1p+0", "nan", "0x1.8p+99999", "INF"])
def test_a_double_is_written_in_one_way_only(text):
    with pytest.raises(InputError):
        model.parsed_double(text)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b'{"a": NaN}',
        b'{"a": 1, "a": 1}',
        b"\xff",
        b"[" * 100_000,
        b'{"a": "' + b"[" * 100 + b'"',
    ],
    ids=["cut", "nan", "twice", "not utf-8", "deep", "text"],
)
def test_what_is_no_json_is_refused_in_one_line(data):
    with pytest.raises(InputError, match="is not JSON") as raised:
        tables.parse_json(data, "it")
    assert "\n" not in str(raised.value)


def test_brackets_in_text_are_not_depth():
    assert tables.parse_json(b'{"a": "' + b"[" * 100 + b'"}', "it") == {"a": "[" * 100}


def test_a_file_that_is_no_gzip_or_too_long_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "kl.json.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(InputError, match="not a gzip'd table"):
        tables.read(path)
    path.write_bytes(gzip.compress(b" " * 1000)[:-4])
    with pytest.raises(InputError, match="not a gzip'd table"):
        tables.read(path)
    monkeypatch.setattr(tables, "MAX_BYTES", 999)
    path.write_bytes(gzip.compress(b" " * 1000))
    with pytest.raises(InputError, match="longer than"):
        tables.read(path)


def test_ids_name_the_case_and_are_unique():
    found = [job.id for name in ("kl", "ratio", "gold", "renyi", "gap") for job in jobs(name)]
    assert len(found) == len(set(found))
    job = Job("ratio", "bon(4)", "normal", ("quantile", Fraction(1, 4)))
    assert job.id == "ratio:bon(n=4)@normal(mean=0, sd=1):at=u=0.25"


def test_every_parameter_is_a_double_too():
    def numbers(entry):
        if isinstance(entry, dict):
            if set(entry) == {"rational", "binary64"}:
                yield entry
            else:
                for inner in entry.values():
                    yield from numbers(inner)
        elif isinstance(entry, list):
            for inner in entry:
                yield from numbers(inner)

    inputs = [job.inputs for name in ("ratio", "mean_reward", "threshold") for job in jobs(name)]
    found = [number for entry in inputs for number in numbers(entry)]
    assert len(found) > 1000
    for number in found:
        assert number["binary64"] is not None
        assert Fraction(float.fromhex(number["binary64"])) == Fraction(number["rational"])
