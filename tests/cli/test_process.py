"""The command line as a process: entry points, signals, pipes, and what it does not import."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = ("sympy", "scipy", "flint", "numpy", "matplotlib", "duckdb", "mpmath", "rich")


def process(*argv, **settings):
    return subprocess.run(
        [sys.executable, "-m", "hedgetheory", *argv],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **settings,
    )


def test_the_console_script_is_the_module():
    script = Path(sys.executable).with_name("hedgetheory")
    if not script.exists():
        pytest.skip("hedgetheory is not installed beside this interpreter")
    found = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert found.stdout == process("--version").stdout


def test_bad_input_is_one_line_and_exit_2():
    done = process("value", "--law", "uniform", "--policy", "bon(0)", "--quantity", "kl")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("hedgetheory value: n=0, but must be a real number >= 1 [bon(n=0)]\n")


def test_brackets_by_the_ten_thousands_are_refused():
    gold = "(" * 50_000 + "u" + ")" * 50_000
    done = process("check", "--law", "uniform", "--family", "bon", "--gold", gold)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_piped_answer_has_no_ansi_even_when_colour_is_forced():
    import os

    environment = {**os.environ, "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    done = process("list", "laws", env=environment)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_five_thousand_digits_are_printed():
    done = process("value", "--law", "uniform", "--policy", "bon(3)", "--quantity", "kl",
                   "--digits", "5000", "--json")  # fmt: skip
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["number"]["decimal"]) == len("0.") + 5000


def test_a_number_of_five_thousand_digits_is_accepted():
    done = process("value", "--law", "normal", "--policy", "bop(5)", "--quantity", "density",
                   "--at", "1e4900", "--json")  # fmt: skip
    assert done.returncode in (0, 3)
    assert "internal error" not in done.stderr


def test_stdin_is_a_table():
    table = "prompt_id,proxy,true\na,1,0\na,2,1\nb,1,0\nb,2,1\n"
    done = process("tune", "-", "--json", input=table)
    assert done.returncode == 0
    assert json.loads(done.stdout)["theta"] == 2


def test_a_closed_pipe_is_silent():
    reader = "import sys; sys.stdin.close()"
    writer = subprocess.Popen(
        [sys.executable, "-m", "hedgetheory", "list", "claims", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.close()
    subprocess.run([sys.executable, "-c", reader], stdin=subprocess.DEVNULL, check=True)
    errors = writer.stderr.read()
    writer.stderr.close()
    assert writer.wait(timeout=60) == 141
    assert errors == b""


def test_a_full_device_is_one_line():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("w") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "hedgetheory", "list", "laws"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "hedgetheory list: No space left on device\n"


def test_an_interrupt_is_one_line_and_exit_130():
    running = subprocess.Popen(
        [sys.executable, "-m", "hedgetheory", "value", "--batch", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(b"{}\n")
    running.stdin.flush()
    assert running.stdout.readline()  # it answers, so it is now waiting for more
    running.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 60
    out, errors = running.communicate(timeout=deadline - time.monotonic())
    assert running.returncode == 130
    assert out == b""
    assert errors == b"hedgetheory value: interrupted\n"


def imported_by(*statements):
    code = "; ".join([*statements, "import sys; print(*sys.modules)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_hedgetheory_loads_nothing_heavy():
    assert not imported_by("import hedgetheory") & {*HEAVY, "click"}


@pytest.mark.parametrize(
    "argv", [["--help"], ["value", "--help"], ["verify", "--help"], ["tune", "--help"]]
)
def test_help_loads_nothing_heavy(argv):
    run = f"from hedgetheory.cli.app import run; run({argv!r})"
    assert not imported_by(run) & set(HEAVY)


@pytest.mark.parametrize("kind", ["laws", "policies", "families"])
def test_names_are_listed_without_loading_anything_heavy(kind):
    run = f"from hedgetheory.cli.app import run; run(['list', '{kind}'])"
    assert not imported_by(run) & set(HEAVY)


def test_every_public_name_is_there():
    import hedgetheory

    assert set(hedgetheory.__all__) <= set(dir(hedgetheory))
    for name in hedgetheory.__all__:
        assert getattr(hedgetheory, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = hedgetheory.no_such_name
