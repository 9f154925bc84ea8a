"""check --bound, --seconds, --workers, progress on a terminal, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from hedgetheory.cli.app import described, run

ASKED = ["check", "--law", "normal", "--family", "bon", "--gold", "r - r**2/4"]


def test_beyond_the_bound_the_document_is_undecided_and_the_exit_code_three(capsys):
    assert run([*ASKED, "--bound", "50", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["regime"] == "undecided"
    assert "50 units of work" in document["complete"]["reason"]
    assert {h["id"] for h in document["hypotheses"]} >= {"mlr", "gold_sign_changes"}


@pytest.mark.parametrize("extra", [["--bound", "0"], ["--seconds", "0"], ["--workers", "0"]])
def test_bounds_that_are_none_are_bad_input(capsys, extra):
    assert run([*ASKED, *extra]) == 2
    assert capsys.readouterr().out == ""


def test_an_interrupt_says_in_one_line_what_was_known():
    stopped = KeyboardInterrupt()
    stopped.add_note("g' changes sign 1 time(s)")
    assert described(stopped) == (
        "interrupted; known by then: g' changes sign 1 time(s)",
        130,
    )
    assert described(KeyboardInterrupt()) == ("interrupted", 130)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_ctrl_c_ends_a_long_check_that_shows_its_progress():
    asked = ["check", "--law", "student_t(5)", "--family", "bop"]
    gold = ["--gold", "tanh(r) - r**2/(1+r**2)", "--digits", "60"]
    terminal, other = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hedgetheory", *asked, *gold], stdout=subprocess.PIPE, stderr=other
    )
    os.close(other)
    shown, deadline = b"", time.monotonic() + 60
    while b"units of work" not in shown and time.monotonic() < deadline:
        shown += os.read(terminal, 1 << 16)
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=60)[0]
    os.set_blocking(terminal, False)
    said = os.read(terminal, 1 << 16)
    os.close(terminal)
    assert (process.returncode, out) == (130, b"")
    assert b"hedgetheory check: interrupted" in said
    assert b"Traceback" not in said
