"""A shell completes commands, options, and the names of laws, policies, families and tables."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hedgetheory.cli.app import COMMANDS, application
from hedgetheory.cli.completion import NAMES, PATHS, VARIABLE


@pytest.fixture
def completed(cli, monkeypatch):
    """What a shell is told after some words: (kind, word) each."""

    def complete(*words: str) -> list[tuple[str, str]]:
        monkeypatch.setenv(VARIABLE, "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["hedgetheory", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        done = cli()
        monkeypatch.delenv(VARIABLE)
        assert (done.code, done.err) == (0, "")
        return [tuple(line.split(",", 1)) for line in done.out.splitlines()]

    return complete


def test_commands_are_completed(completed):
    assert completed("") == [("plain", name) for name in COMMANDS]
    assert completed("re") == [("plain", "report"), ("plain", "reference")]
    assert completed("--ver") == [("plain", "--version")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("check", "--fam"), [("plain", "--family")]),
        (("check", "--law", "norm"), [("plain", "normal")]),
        (("check", "--family", "quan"), [("plain", "quantile_tilt")]),
        (("value", "--policy", "bop"), [("plain", "bop")]),
        (("value", "--quantity", "win"), [("plain", "win_rate")]),
        (("check", "--joint", "conta"), [("plain", "contaminated")]),
        (("tune", "ridge"), [("plain", "ridge_overfit"), ("file", "ridge")]),
        (("report", "--html", "out"), [("file", "out")]),
        (("list", "de"), [("plain", "designs")]),
        (("figure", "fr"), [("plain", "frontier")]),
    ],
)
def test_options_and_their_values_are_completed(completed, words, found):
    assert completed(*words) == found


def test_an_unknown_command_is_no_trouble_while_it_is_typed(completed):
    assert ("plain", "tune") in completed("nosuchcommand", "")


def test_every_name_that_is_offered_is_one_that_exists():
    from hedgetheory.spec.grammar import parse_family
    from hedgetheory.spec.registry import lookup

    for name, _ in NAMES["LAW"]():
        assert lookup("law", name).load()
    for name, _ in NAMES["FAMILY"]():
        if "=..." not in name:
            assert parse_family(name)


def test_the_words_that_are_completed_are_those_of_the_help():
    words = set()
    for name in COMMANDS:
        command = application.get_command(application.make_context("hedgetheory", ["list"]), name)
        for param in [*command.params, *(p for c in getattr(command, "commands", {}).values()
                                         for p in c.params)]:  # fmt: skip
            words |= {param.metavar, param.name}
    assert {*NAMES, *PATHS} <= words


def test_the_line_in_the_help_works_in_a_real_bash(cli):
    bash = shutil.which("bash")
    program = Path(sys.executable).with_name("hedgetheory")
    if bash is None or not program.exists():
        pytest.skip("no bash, or hedgetheory is not installed as a command")
    help_text = cli("--help").out
    line = next(line.strip() for line in help_text.splitlines() if VARIABLE in line)
    script = f"""
        PATH={program.parent}:$PATH
        {line}
        COMP_WORDS=(hedgetheory ver) COMP_CWORD=1
        _hedgetheory_completion hedgetheory
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [bash, "--norc", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "verify\n", done.stderr
