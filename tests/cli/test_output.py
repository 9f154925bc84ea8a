"""Where answers go: a file whole or not at all, text without ANSI, tables on a terminal."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from hedgetheory.cli import output
from hedgetheory.cli.text import Grid, one_line, printable

GAP = ("gap", "--law", "uniform", "--at", "4")


def test_a_file_gets_what_stdout_would_have(cli, tmp_path):
    target = tmp_path / "gap.json"
    done = cli(*GAP, "--json", "-o", str(target))
    assert (done.code, done.out, done.err) == (0, "", "")
    assert target.read_text() == cli(*GAP, "--json").out
    assert [path.name for path in tmp_path.iterdir()] == ["gap.json"]


def test_a_dash_is_stdout(cli):
    assert cli(*GAP, "-o", "-").out == cli(*GAP).out


def test_a_new_file_has_the_mode_of_any_new_file(cli, tmp_path):
    (tmp_path / "other").touch()
    cli(*GAP, "-o", str(tmp_path / "gap"))
    assert (tmp_path / "gap").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_old_file_keeps_its_mode_and_a_link_stays_a_link(cli, tmp_path):
    target, link = tmp_path / "gap", tmp_path / "link"
    target.touch(mode=0o600)
    link.symlink_to(target)
    assert cli(*GAP, "--json", "-o", str(link)).code == 0
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert json.loads(target.read_text())["command"] == "gap"


def test_a_write_that_fails_leaves_the_old_file(cli, tmp_path, monkeypatch):
    target = tmp_path / "gap.json"
    target.write_text("old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert cli(*GAP, "-o", str(target)).is_refusal()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failing_command_leaves_the_old_file(cli, tmp_path):
    target = tmp_path / "gap.json"
    target.write_text("old")
    assert cli("gap", "--law", "uniform", "--at", "-1", "-o", str(target)).is_refusal()
    assert target.read_text() == "old"


def test_a_device_is_written_to_and_not_replaced(cli):
    assert cli(*GAP, "-o", os.devnull).code == 0
    assert Path(os.devnull).is_char_device()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _on_terminal(cli, monkeypatch, *argv):
    screen = _Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", screen)
    assert cli(*argv).code == 0
    return screen.getvalue()


CHECK = ("check", "--law", "uniform", "--family", "bon", "--gold", "u*(1 - u)")


def test_colours_are_for_terminals_only(cli, monkeypatch):
    assert "\x1b" not in cli(*CHECK).out
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m" in _on_terminal(cli, monkeypatch, *CHECK)


def test_no_color_is_respected(cli, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in _on_terminal(cli, monkeypatch, *CHECK)


def test_json_on_a_terminal_is_json(cli, monkeypatch):
    assert json.loads(_on_terminal(cli, monkeypatch, *GAP, "--json"))["command"] == "gap"


def test_a_narrow_encoding_gets_escapes_and_no_error(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    output.write_stdout("1 ± 2\n")
    assert raw.getvalue() == b"1 \\xb1 2\n"


def test_a_plain_table_is_aligned():
    assert list(Grid(["a", "b"], [["xx", "y"], ["x", "yyy"]]).plain()) == [
        "a   b",
        "xx  y",
        "x   yyy",
    ]


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "a\u202eb", "a\x00b", "\u2028"])
def test_messages_are_one_printable_line(text):
    assert printable(text).isprintable()
    assert "\n" not in printable(text)


def test_messages_are_bounded():
    assert len(one_line("x" * 10**6)) == 1000
