"""What the README shows is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n\$ hedgetheory ([^\n]*)\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize(("line", "shown"), CONSOLE, ids=[line for line, _ in CONSOLE])
def test_console_examples_print_what_is_shown(cli, line, shown):
    done = cli(*shlex.split(line))
    assert done.code == 0
    assert done.out == shown


def test_there_is_an_example_of_check_value_and_tune():
    assert [line.split()[0] for line, _ in CONSOLE] == ["check", "value", "tune"]


def test_python_examples_print_what_is_shown():
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 4
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README.md", None, None)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_the_table_of_verdicts_is_the_ledger():
    from hedgetheory.ledger import LEDGER

    rows = re.findall(r"^\| (.*) \| (\w+) \| `(\S+)` \|$", README, flags=re.MULTILINE)
    ledger = {claim.id: (claim.title, claim.expected) for claim in LEDGER}
    assert {id: (title, verdict) for title, verdict, id in rows}.items() <= ledger.items()
    told = {id for _, _, id in rows}
    missing = [
        f"| {title} | {verdict} | `{id}` |"
        for id, (title, verdict) in ledger.items()
        if id.startswith(("paper.", "popular.")) and id not in told
    ]
    assert missing == []


def test_the_table_of_related_systems_is_the_one_that_is_made(cli):
    made = README.split("<!-- made by: hedgetheory list designs --markdown -->\n")[1]
    shown, _, _ = made.partition("<!-- end of what is made -->\n")
    assert shown == cli("list", "designs", "--markdown").out


def test_the_quick_start_is_one_block_of_two_lines():
    section = README.split("\n## Quick start\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"```\w*\n(.*?)```", section, flags=re.DOTALL)
    job, tests = block.splitlines()
    assert "hedgetheory verify" in job
    assert "hedgetheory tune" in job
    assert "pytest" in tests
