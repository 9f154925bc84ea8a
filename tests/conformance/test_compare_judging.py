"""What passes and what does not, to the last unit; files of answers; expected failures; reports."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction

import plain
import pytest
from conformance_support import kl_bon, mp, question
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.cli.pages.conformance import page
from hedgetheory.errors import InputError
from hedgetheory.exact import Number
from hedgetheory.reference import tables
from hedgetheory.reference.answers import parse_answer, parse_submission
from hedgetheory.reference.hints import hinted
from hedgetheory.reference.judge import (
    ExpectedFailures,
    Tolerance,
    judge,
    judge_submission,
    questions,
    ulp,
)
from hedgetheory.reference.report import decade, regions, summary
from hedgetheory.reference.worker import reply

EXACT = Tolerance(Fraction(0), Fraction(0), Fraction(0))
#: 0.5 ± 0.01
HALF = question("kl", "bon(4)", "uniform", Number.ball(50, 1, -2))
COMMON = {"schema", "version", "command"}
FIELDS = {"implementation", "verdict", "tolerance", "counts", "by_quantity", "by_policy", "by_law",
          "by_tag", "regions", "hints", "worst", "failures", "stale", "conversation"}  # fmt: skip
#: ln 2 - 1/2 rounded to binary64: mpmath, 60 digits.
KL_2 = float(kl_bon(2))


def status(asked, text, tolerance=EXACT):
    return judge(asked, parse_answer(text), tolerance).status


# -- the rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", "pass"), ("0.51", "pass"), ("0.49", "pass"), ("51/100", "pass"),
        ("0.51" + "0" * 900 + "1", "mismatch"), ("0.4899999999999999999999", "mismatch"),
        ("inf", "mismatch"), ("nan", "mismatch"), ("-0.5", "mismatch"), ("0x1p-1", "pass"),
        ("not supported", "unsupported"),
    ],
)  # fmt: skip
def test_without_tolerance_exactly_the_ball_passes(text, expected):
    assert status(HALF, text) == expected


def test_the_tolerances_add_to_the_radius_and_the_largest_counts():
    assert status(HALF, "0.52", Tolerance(Fraction(2, 100), Fraction(0), Fraction(0))) == "pass"
    assert status(HALF, "0.5201", Tolerance(Fraction(2, 100), Fraction(0), Fraction(0))) != "pass"
    assert status(HALF, "0.52", Tolerance(Fraction(0), Fraction(0), Fraction(1, 100))) == "pass"
    assert status(HALF, "0.5201", Tolerance(Fraction(0), Fraction(0), Fraction(1, 100))) != "pass"
    one = question("kl", "bon(4)", "uniform", Number.exact(1))
    four = Tolerance(Fraction(0), Fraction(4), Fraction(0))
    assert status(one, (1 + 4 * 2.0**-52).hex(), four) == "pass"
    assert status(one, (1 + 5 * 2.0**-52).hex(), four) == "mismatch"


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False, max_value=1e307))
def test_ulp_is_the_spacing_of_binary64(x):
    assert ulp(Fraction(x)) == math.ulp(x)
    assert ulp(-Fraction(x)) == math.ulp(x)


def test_what_underflows_may_be_zero_and_what_overflows_infinite():
    tiny = question("ratio", "bon(4)", "uniform", mp.mpf("1e-400"))
    assert status(tiny, "0", Tolerance()) == "pass"
    assert status(tiny, "0") == "mismatch"
    assert status(tiny, "1e-300", Tolerance()) == "mismatch"
    huge = question("ratio", "bon(4)", "uniform", mp.mpf("1e400"))
    assert status(huge, "inf") == "pass"
    assert status(huge, "-inf") == "mismatch"
    assert status(huge, "1.7976931348623157e308", Tolerance()) == "mismatch"
    # 2^1024 - 2^970 is the least that rounds to infinity, ties to even (IEEE 754, 4.3.1).
    edge = 2**1024 - 2**970
    assert status(question("kl", "bon(4)", "uniform", Number.exact(edge)), "inf") == "pass"
    assert status(question("kl", "bon(4)", "uniform", Number.exact(edge - 1)), "inf") != "pass"


def test_infinite_and_undefined_values_want_that_and_nothing_else():
    infinite = question("mean_reward", "bon(1)", "pareto(9/10)", Number.infinity())
    assert [status(infinite, t) for t in ("inf", "-inf", "nan", "1e308")] == [
        "pass", "mismatch", "mismatch", "mismatch"]  # fmt: skip
    undefined = question("mean_reward", "bon(1)", "student_t(1)", Number.undefined("no mean"))
    assert [status(undefined, t) for t in ("nan", "undefined", "inf", "0", None)] == [
        "pass", "pass", "mismatch", "mismatch", "unsupported"]  # fmt: skip


def test_an_exact_zero_wants_zero():
    zero = question("kl", "bon(1)", "uniform", Number.exact(0))
    assert status(zero, "0", Tolerance()) == "pass"
    assert status(zero, "-0x0p+0", Tolerance()) == "pass"
    assert status(zero, "1e-17", Tolerance()) == "mismatch"
    assert status(zero, "1e-17", Tolerance(atol=Fraction(1, 10**16))) == "pass"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1.8p+1", 3), ("0X1.8P1", 3), ("-0x.8p0", Fraction(-1, 2)), ("0x10", 16),
        (" 0.1 ", Fraction(1, 10)), ("1/3", Fraction(1, 3)), ("1e-5", Fraction(1, 10**5)),
        (0.1, Fraction(0.1)), (7, 7), (2**60, 2**60),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text, value):
    assert parse_answer(text).value == value


def test_a_json_number_is_the_double_nearest_to_it():
    answers = parse_submission(b'{"a": 0.1, "b": 1e400, "c": -5, "d": NaN}', "it").answers
    assert answers["a"].value == Fraction(0.1)
    assert (answers["b"].kind, answers["b"].sign) == ("infinite", 1)
    assert answers["c"].value == -5
    assert answers["d"].kind == "nan"


@pytest.mark.parametrize(
    "given",
    ["", "zero", "0x", "0x1.8p", "0x1p999999", "1e999999", "0x1.8p+1junk", "1/0", "1/2/3", True, [],
     {}, "9" * 3000, "٣", "0x1_0", "1_000", "infinite", b"1"],
)  # fmt: skip
def test_what_is_no_answer_is_refused(given):
    with pytest.raises(InputError):
        parse_answer(given)


# -- expected failures -----------------------------------------------------------------------------


def test_expected_failures_match_ids_and_stars():
    expected = ExpectedFailures.parse(
        "# known\nkl:bop(*)@uniform  # far out\n\nthreshold:bon@uniform#integer\n*:order=2\n", "f"
    )
    assert expected.patterns == ["kl:bop(*)@uniform", "threshold:bon@uniform#integer", "*:order=2"]
    assert expected.matches("kl:bop(mu=5)@uniform")
    assert not expected.matches("kl:bop(mu=5)@uniform:order=3")
    assert expected.matches("threshold:bon@uniform#integer")
    assert expected.matches("renyi:x:order=2")


@given(st.lists(st.text("ab*", max_size=6), min_size=1, max_size=1), st.text("ab", max_size=8))
def test_a_star_is_any_text(patterns, text):
    (pattern,) = patterns
    wanted = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    if pattern:
        assert ExpectedFailures([pattern]).matches(text) == wanted


# -- regions ---------------------------------------------------------------------------------------


@given(st.fractions(min_value=Fraction(1, 10**9), max_value=10**9).filter(bool))
def test_a_decade_holds_its_number(x):
    assert Fraction(10) ** decade(x) <= x < Fraction(10) ** (decade(x) + 1)
    assert decade(-x) == decade(x)


def test_the_region_where_code_breaks_down_is_named_by_decades():
    """ln n - 1 + 1/n in float64: right from n = 2 on, wrong near 1."""
    asked = [
        question("kl", f"bon({1 + Fraction(1, 2**k)})", "uniform", kl_bon(1 + mp.mpf(2) ** -k))
        for k in (40, 30, 20, 10, 0)
    ]
    found = [
        judge(q, parse_answer(math.log(n) - 1 + 1 / n), Tolerance())
        for q, n in zip(asked, (1 + 2.0**-k for k in (40, 30, 20, 10, 0)), strict=True)
    ]
    (region,) = regions(found)
    assert (region["quantity"], region["policy"], region["axis"]) == ("kl", "bon", "n - 1")
    assert [row["wrong"] for row in region["decades"]] == [1, 1, 1, 0, 0]
    assert region["breaks_down"] == "n - 1 in [1e-13, 1e-6): 3 of 3 wrong"


# -- the command -----------------------------------------------------------------------------------


def compare(cli, tmp_path, answers, *options):
    file = tmp_path / "results.json"
    file.write_text(answers if isinstance(answers, str) else json.dumps(answers))
    return cli("compare", str(file), "--table", "kl", *options)


def test_right_answers_are_exit_0_with_the_fields_of_the_report(cli, tmp_path):
    done = compare(cli, tmp_path, {"kl:bon(n=2)@uniform": KL_2.hex()}, "--json")
    assert (done.code, done.err) == (0, "")
    assert set(done.document) == COMMON | FIELDS
    assert done.document["schema"] == "hedgetheory/compare/1"
    assert done.document["verdict"] == "pass"
    counts = done.document["counts"]
    assert (counts["pass"], counts["mismatch"], counts["missing"]) == (1, 0, counts["asked"] - 1)


def test_a_wrong_answer_is_exit_1_and_says_quantity_input_given_true_and_bound(cli, tmp_path):
    done = compare(cli, tmp_path, {"kl:bop(mu=1024)@uniform": math.log(1025) - 1}, "--json")
    assert done.code == 1
    (worst,) = done.document["worst"]
    assert worst["quantity"] == "kl"
    assert worst["inputs"]["parameters"]["mu"]["rational"] == "1024"
    assert float.fromhex(worst["given"]) == math.log(1025) - 1
    # Theorem 2 by mpmath
    truth = mp.exp(-1025) * (mp.ei(1025) - mp.ei(1)) / 1024 + mp.log(1025) - 1
    assert abs(mp.mpf(worst["true"]["number"]["decimal"]) - truth) <= mp.mpf(
        worst["true"]["number"]["rad"]
    )
    assert "Ei(mu+1) - Ei(1)" in worst["hint"]
    text = compare(cli, tmp_path, {"kl:bop(mu=1024)@uniform": math.log(1025) - 1}).out
    for part in (
        "kl:bop(mu=1024)@uniform",
        "given",
        "true",
        " ± ",
        "relative",
        "ulps",
        "MUTANTS 17",
    ):
        assert part in text


def test_complete_wants_every_answer(cli, tmp_path):
    answers = {"kl:bon(n=2)@uniform": KL_2.hex(), "kl:bon(n=1)@uniform": "not supported"}
    assert compare(cli, tmp_path, answers).code == 0
    done = compare(cli, tmp_path, answers, "--complete", "--json")
    assert done.code == 1
    assert done.document["counts"]["failed"] == done.document["counts"]["asked"] - 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"kl:bon(n=2)@unifrom": 1}, "did you mean kl:bon(n=2)@uniform?"),
        ({"renyy:bon(n=2)@uniform": 1}, "did you mean renyi?"),
        ({"a": 1, "b": 1}, "(and 1 more)"),
        ('{"kl:bon(n=2)@uniform": 1, "kl:bon(n=2)@uniform": 2}', "given twice"),
        ({"kl:bon(n=2)@uniform": "three"}, "'kl:bon(n=2)@uniform': 'three'"),
        ({"kl:bon(n=2)@uniform": [1]}, "a list"),
        ({"kl:bon(n=2)@uniform": "not supported"}, "nothing was judged"),
        ({}, "nothing was judged"),
        ("[1, 2]", "not a JSON object"),
        ("not json", "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": ' * 50_000, "not JSON"),
        ('{"answers": {}, "more": 1}', "beside answers"),
        ('{"answers": {}, "implementation": 1}', "beside answers"),
    ],
)  # fmt: skip
def test_bad_results_are_one_line_and_exit_2(cli, tmp_path, answers, said):
    done = compare(cli, tmp_path, answers)
    assert done.is_refusal()
    assert said in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rtol", "-1"], "--rtol=-1, but must be a number >= 0"),
        (["--ulps", "many"], "--ulps=many"),
        (["--table", "renyy"], "did you mean renyi?"),
        (["--only", "nowhere"], "no case is chosen"),
        (["--tag", "nowhere"], "no case is chosen"),
        (["--expected-failures", "/nowhere/known.txt"], "No such file"),
        (["--html", "/nowhere/report.html"], "no folder"),
        (["--command", "true"], "one"),
    ],
)
def test_bad_options_are_one_line_and_exit_2(cli, tmp_path, options, said):
    done = compare(cli, tmp_path, {"kl:bon(n=2)@uniform": KL_2}, *options)
    assert done.is_refusal()
    assert said in done.err


def test_no_file_and_a_binary_file_are_refused(cli, tmp_path):
    assert cli("compare", str(tmp_path / "none.json")).is_refusal()
    assert cli("compare", str(tmp_path)).is_refusal()
    assert cli("compare").is_refusal()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert cli("compare", str(tmp_path / "binary"), "--table", "kl").is_refusal()


def test_a_file_too_long_is_refused_unread(cli, tmp_path, monkeypatch):
    from hedgetheory.reference import answers

    monkeypatch.setattr(answers.read_bounded, "__defaults__", (None, 10))
    done = compare(cli, tmp_path, {"kl:bon(n=2)@uniform": KL_2})
    assert done.is_refusal()
    assert "longer than" in done.err


def test_an_expected_failure_is_exit_0_and_a_stale_one_is_warned_of(cli, tmp_path):
    answers = {"kl:bon(n=2)@uniform": KL_2, "kl:bon(n=4)@uniform": 7}
    known = tmp_path / "known.txt"
    known.write_text("kl:bon(n=4)@*  # being fixed\n")
    done = compare(cli, tmp_path, answers, "--expected-failures", str(known), "--json")
    assert (done.code, done.err, done.document["stale"]) == (0, "", [])
    assert (done.document["counts"]["mismatch"], done.document["counts"]["expected"]) == (1, 1)
    known.write_text("kl:bon(n=4)@*\nkl:bon(n=2)@uniform\nkl:nothing\n")
    done = compare(cli, tmp_path, answers, "--expected-failures", str(known), "--json")
    assert done.code == 0
    assert done.err.splitlines() == [
        "hedgetheory compare: warning: expected failure kl:bon(n=2)@uniform no longer fails",
        "hedgetheory compare: warning: expected failure kl:nothing matches no case judged here",
    ]
    assert len(done.document["stale"]) == 2
    known.write_text("kl:bon(n=2)@uniform\n")
    assert compare(cli, tmp_path, answers, "--expected-failures", str(known)).code == 1


def test_the_page_stands_alone_and_escapes_what_it_shows(cli, tmp_path):
    file = tmp_path / "report.html"
    answers = {"implementation": "<script>alert(1)</script>", "answers": {"kl:bon(n=4)@uniform": 7}}
    done = compare(cli, tmp_path, answers, "--html", str(file))
    assert done.code == 1
    html = file.read_text()
    assert html.count("<script") == 1  # its own, which the policy names by its hash
    assert "&lt;script&gt;" in html
    assert not re.search(r"src\s*=|href\s*=\s*.(?!#)|@import|url\(", html)
    assert "Where it breaks down" in html
    assert "kl:bon(n=4)@uniform" in html


def test_the_cases_are_printed_as_a_live_program_gets_them(cli):
    done = cli("compare", "--print-cases", "--table", "kl", "--only", "bop(mu=5)@uniform")
    (line,) = done.out.splitlines()
    assert '"mu":{"binary64":"0x1.4000000000000p+2","rational":"5"}' in line
    assert set(json.loads(line)) == {"id", "inputs", "quantity"}


def test_answers_to_cases_that_are_not_asked_are_no_mistake(cli, tmp_path):
    other = next(case.id for case in tables.load("mean_quantile").cases)
    design = "kl:superhf(n=2, beta=0, rounds=1)@uniform"  # of the table of several quantities
    function = "function:grpo_k3:policy=0.5,reference=0.25"
    answers = {"kl:bon(n=2)@uniform": KL_2, other: 12, design: 12, function: 12}
    assert compare(cli, tmp_path, answers).code == 0


# -- a correct implementation ----------------------------------------------------------------------


#: Of a table so many cases, evenly spread; all of them: `compare --python plain:answer`, here.
ENOUGH = 150


@pytest.mark.parametrize("name", tables.names())
def test_a_correct_implementation_passes_what_it_covers(name):
    cases = tables.load(name).cases
    wrong = []
    for asked in questions(name, cases[:: max(1, len(cases) // ENOUGH)]):
        line = reply(plain.answer, asked.line())
        assert "error" not in line, line
        found = judge(asked, parse_answer(line["value"]), Tolerance())
        wrong += [(asked.id, line, found.relative)] if found.wrong else []
    assert wrong == []


@pytest.mark.parametrize("name", ["kl", "ratio", "cdf", "mean_quantile", "sample_best_of_n"])
def test_the_correct_implementation_covers_something(name):
    asked = list(questions(name, tables.load(name).cases))[:40]
    answered = sum(plain.answer(question.line()) is not None for question in asked)
    assert answered >= 20


def test_the_page_of_an_empty_report_is_a_page():
    assert page(summary([], Tolerance())).startswith("<!doctype html>")


@settings(max_examples=30)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_true_double_always_passes_at_half_an_ulp(x):
    asked = question("kl", "bon(4)", "uniform", Number.exact(Fraction(x)))
    assert status(asked, x.hex()) == "pass"


def test_an_integer_too_long_to_print_is_refused():
    with pytest.raises(InputError):
        parse_answer(10**5000)


def test_exponents_reach_as_far_as_the_tables():
    assert parse_answer("2.5e-12316").value == Fraction(5, 2) / 10**12316
    assert parse_answer("-1e+20000").value == -(10**20000)


_ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["0x1p3", "inf", "-inf", "nan", "1/3", "not supported", "1e99999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([HALF.id, "kl:other", ""]) | st.text(max_size=3), _ANSWERS))
def test_any_results_are_judged_and_reported_or_refused(document):
    try:
        submission = parse_submission(json.dumps(document).encode(), "it")
        verdicts = judge_submission([HALF], submission.answers, Tolerance(), known={HALF.id})
    except InputError:
        return
    fields = summary(hinted(verdicts), Tolerance(), implementation=submission.implementation)
    assert json.loads(json.dumps(fields, allow_nan=False))["counts"]["asked"] == 1
    assert page(fields).endswith("</html>\n")
