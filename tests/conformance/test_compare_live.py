"""Live implementations: the drivers run for real, and programs that misbehave in every way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.reference.answers import parse_answer, parse_submission, strict_json
from hedgetheory.reference.drivers import (
    LONGEST_LINE,
    MOST_NOISE,
    PROTOCOL,
    Program,
    case_line,
    command_argv,
    python_argv,
)
from hedgetheory.reference.worker import reply

ROOT = Path(__file__).parents[2]
DRIVERS = ROOT / "examples" / "drivers"
#: What the drivers say that they cover, of the tables that there are.
COVERED = ("kl", "mean_quantile", "ratio", "cdf")

HELLO = f"""
import json, os, sys, time
def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()
json.loads(sys.stdin.readline())
say('{{"protocol": "{PROTOCOL}", "implementation": "test"}}\\n')
def answer(line, value=1):
    return json.dumps({{"id": json.loads(line)["id"], "value": value}}) + "\\n"
"""
CASES = [{"id": f"case {k}", "quantity": "kl", "inputs": {}} for k in range(4)]


def talk(script, *, timeout=5.0, restarts=5, cases=CASES, hello=HELLO):
    """The replies to the cases, and the log."""
    with Program([sys.executable, "-S", "-c", hello + script], timeout, restarts) as program:
        replies = list(program.ask_all(cases, len(cases)))
    return replies, program.log


def failures(replies):
    return [reply.failure for reply in replies]


# -- the drivers -----------------------------------------------------------------------------------


def assert_driver_passes(cli, command):
    options = [word for name in COVERED for word in ("--table", name)]
    options += ["--only", "@uniform", "--json", "--timeout", "60"]
    done = cli("compare", "--command", command, *options)
    document = done.document
    assert done.code == 0, document["worst"]
    assert document["counts"]["failed"] == document["conversation"]["noise"] == 0
    judged = {group["name"]: group["pass"] for group in document["by_quantity"]}
    assert all(judged[name] >= 40 for name in COVERED)
    return document


def test_the_c_driver_passes_all_that_it_covers(cli, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler here: the C driver is not tested")
    source, built = DRIVERS / "c" / "driver.c", tmp_path / "driver"
    flags = ["-O2", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    subprocess.run([compiler, *flags, "-o", built, source, "-lm"], check=True, timeout=120)
    assert assert_driver_passes(cli, str(built))["implementation"] == "C driver"


def test_the_javascript_driver_passes_all_that_it_covers(cli):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here: the JavaScript driver is not tested")
    document = assert_driver_passes(cli, f"{node} {DRIVERS / 'javascript' / 'driver.mjs'}")
    assert document["implementation"].startswith("JavaScript driver")


def test_the_python_driver_passes_all_that_it_covers(cli):
    assert_driver_passes(cli, f"{sys.executable} {DRIVERS / 'python' / 'driver.py'}")


def test_a_python_function_is_imported_from_the_current_folder(cli, monkeypatch):
    monkeypatch.chdir(DRIVERS / "python")
    done = cli("compare", "--python", "driver:answer", "--table", "kl", "--only", "bop", "--json")
    assert done.code == 0
    assert done.document["implementation"] == "driver:answer"
    assert done.document["counts"]["pass"] >= 15


# -- the protocol ----------------------------------------------------------------------------------


def test_lines_are_compact_ascii_with_sorted_keys():
    line = case_line({"quantity": "kl", "id": "λ", "inputs": {"b": None, "a": "1"}})
    assert line == '{"id":"\\u03bb","inputs":{"a":"1","b":null},"quantity":"kl"}\n'


def test_a_right_conversation_answers_every_case_and_ends_by_itself(tmp_path):
    ended = tmp_path / "ended"
    replies, log = talk(f"""
for line in sys.stdin:
    say(answer(line, "0x1.8p+1"))
open({str(ended)!r}, "w").close()
""")
    assert [found.answer.value for found in replies] == [3] * 4
    assert (log.implementation, log.asked, log.crashes, log.noise) == ("test", 4, 0, 0)
    assert ended.exists()


def test_a_time_out_fails_one_case_and_the_program_starts_anew():
    replies, log = talk("""
for line in sys.stdin:
    if "case 1" in line:
        time.sleep(60)
    say(answer(line))
""", timeout=3)  # fmt: skip
    assert failures(replies) == ["", "no answer within 3 s", "", ""]
    assert (log.timeouts, log.crashes, log.gave_up) == (1, 0, False)


def test_a_crash_fails_one_case_and_says_the_last_words():
    replies, log = talk("""
for line in sys.stdin:
    if "case 1" in line:
        raise ValueError("cannot take it")
    say(answer(line))
""")  # fmt: skip
    assert failures(replies)[1] == "it ended with exit code 1: ValueError: cannot take it"
    assert [found.answer is None for found in replies] == [False, True, False, False]
    assert (log.timeouts, log.crashes) == (0, 1)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_death_by_signal_is_told():
    replies, _ = talk("import signal\nsys.stdin.readline()\nos.kill(os.getpid(), 9)", restarts=0)
    assert replies[0].failure == "it ended by signal 9"


def test_a_line_cut_short_is_a_crash():
    replies, log = talk("""
line = sys.stdin.readline()
say(answer(line)[:-6])
""", restarts=0)  # fmt: skip
    assert "in the middle of a line" in replies[0].failure
    assert log.crashes == 1


def test_after_too_many_failures_the_rest_is_not_asked():
    replies, log = talk("sys.stdin.readline()", restarts=1)
    assert [found.failure.startswith("it ended") for found in replies] == [True, True, False, False]
    assert failures(replies)[2:] == ["not asked: it had failed 2 times"] * 2
    assert (log.gave_up, log.asked, log.crashes) == (True, 2, 2)


def test_noise_is_skipped_and_counted():
    replies, log = talk("""
for line in sys.stdin:
    say("debug: working\\n[1, 2]\\n" + json.dumps({"id": "another", "value": 2}) + "\\n")
    say(answer(line))
""")
    assert [found.answer.value for found in replies] == [1] * 4
    assert (log.noise, log.first_noise) == (12, "'debug: working'")


def test_an_answer_that_is_none_fails_its_case_alone():
    replies, log = talk("""
for line, value in zip(sys.stdin, ["three", [1], 2, {"a": 1}]):
    say(answer(line, value))
""")
    assert [found.failure.partition(":")[0] for found in replies] == ["garbage", "garbage", "",
                                                                        "garbage"]  # fmt: skip
    assert log.garbage == 3


def test_an_error_is_told():
    replies, log = talk("""
for line in sys.stdin:
    say(json.dumps({"id": json.loads(line)["id"], "error": "no convergence"}) + "\\n")
""")
    assert failures(replies) == ["error: no convergence"] * 4
    assert log.errors == 4


def test_a_flood_ends_it():
    replies, log = talk(f"""
sys.stdin.readline()
while True:
    say("x\\n" * {MOST_NOISE})
""", restarts=0)  # fmt: skip
    assert "lines that answer nothing" in replies[0].failure
    assert log.noise == MOST_NOISE


def test_an_endless_line_ends_it_too():
    replies, _ = talk(f"""
sys.stdin.readline()
while True:
    say("x" * {LONGEST_LINE})
""", restarts=0)  # fmt: skip
    assert "lines that answer nothing" in replies[0].failure


def test_a_program_that_reads_nothing_does_not_block_us():
    long = [{"id": "long", "quantity": "kl", "inputs": {"gold": "u" * 300_000}}]
    replies, _ = talk("time.sleep(60)", cases=long, timeout=0.3, restarts=0)
    assert failures(replies) == ["no answer within 0.3 s"]


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_what_it_started_ends_with_it(tmp_path):
    file = tmp_path / "pid"
    replies, _ = talk(f"""
import subprocess
sys.stdin.readline()
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
open({str(file)!r}, "w").write(str(child.pid))
time.sleep(300)
""", cases=CASES[:1], timeout=3, restarts=0)  # fmt: skip
    assert replies[0].answer is None
    pid = int(file.read_text())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and _runs(pid):
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # a zombie that nobody waits for has ended too
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ("raise SystemExit('no licence')", "it ended with exit code 1: no licence, before"),
        (f'print(\'{{"protocol": "{PROTOCOL[:-1]}9"}}\', flush=True); input()', "speaks"),
        ("", "it ended"),
    ],
)
def test_a_program_that_does_not_shake_hands_is_a_mistake_in_the_command(hello, said):
    with pytest.raises(InputError, match=said):
        talk("", hello=hello)


def test_the_command_line_refuses_what_cannot_run(cli):
    for options in (
        ["--command", "/nowhere/impl"],
        ["--command", ""],
        ["--command", "'unclosed"],
        ["--command", f"{sys.executable} -c pass"],
        ["--python", "no colon"],
        ["--python", "os; rm:x"],
        ["--python", "no_such_module_here:answer"],
        ["--python", "math:no_such_function"],
        ["--command", "x", "--python", "math:sin"],
    ):
        done = cli("compare", "--table", "kl", "--only", "bop(mu=5)@uniform", *options)
        assert done.is_refusal(), (options, done)


def test_a_command_is_split_but_never_given_to_a_shell():
    assert command_argv("./impl 'a b' $HOME; ls") == ["./impl", "a b", "$HOME;", "ls"]
    assert python_argv("a.b:c")[-1] == "a.b:c"


# -- Python functions ------------------------------------------------------------------------------


def raises(case):
    raise ArithmeticError("diverged")


def not_yet(case):
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (raises, {"id": "x", "error": "ArithmeticError: diverged"}),
        (not_yet, {"id": "x", "value": "not supported"}),
        (lambda case: 0.5, {"id": "x", "value": "0x1.0000000000000p-1"}),
        (lambda case: float("inf"), {"id": "x", "value": "inf"}),
        (lambda case: True, {"id": "x", "error": "TypeError: the function returned True, but a "
                             "real number is wanted"}),
    ],
    ids=("raises", "not yet", "half", "inf", "truth value"),
)  # fmt: skip
def test_whatever_a_function_does_is_its_answer(function, line):
    assert reply(function, CASES[0] | {"id": "x"}) == line


def test_numbers_of_numpy_and_mpmath_are_numbers():
    import mpmath
    import numpy as np

    for value in (np.float64(0.5), np.float32(0.5), np.array(0.5), mpmath.mpf("0.5")):
        line = reply(lambda case, value=value: value, CASES[0])
        assert parse_answer(line["value"]).value == 0.5


# -- anything at all -------------------------------------------------------------------------------

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def read_or_refused(function, *arguments):
    """What a reader returns, None where it refuses; nothing else may happen."""
    try:
        return function(*arguments)
    except InputError:
        return None


@given(_JSON)
def test_any_json_value_is_an_answer_or_refused(value):
    found = read_or_refused(parse_answer, value)
    assert found is None or found.kind in ("finite", "infinite", "nan", "unsupported")


@given(st.text("0123456789abcdefxp.+-/einfINF _", max_size=30))
def test_any_numeral_is_read_as_python_reads_it_or_refused(text):
    try:
        found = parse_answer(text)
    except InputError:
        return
    if found.kind == "finite" and "/" not in text:
        plain = float.fromhex(text) if "x" in text.lower() else float(text)
        nearest = float(found.value) if abs(found.value) < 2**1023 else plain
        assert nearest == plain


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_json_or_refused(data):
    read_or_refused(strict_json, data, "it")


@pytest.mark.parametrize(
    "data",
    [b"[" * 10**6, b'{"a":' * 10**5, b"1" * 10**6, b"1e" + b"9" * 10**5, b'"' + b"\\u0000" * 10**5,
     b"\xef\xbb\xbf{}", b"\x00", b"{}{}", b'{"a":1,"a":1}', b"-", b"Infinity", b'"\\ud800"'],
    ids=range(12),
)  # fmt: skip
def test_hostile_json_is_read_or_refused(data):
    found = read_or_refused(strict_json, data, "it")
    read_or_refused(parse_answer, found)
    read_or_refused(parse_submission, data, "it")
