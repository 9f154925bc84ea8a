"""Every command explains itself, and every example it gives is one that it accepts."""

from __future__ import annotations

import shlex

import click
import pytest

from hedgetheory.cli.app import COMMANDS, application


def test_the_bare_command_and_help_list_every_command(cli):
    bare, asked = cli(), cli("--help")
    assert bare.code == asked.code == 0
    assert bare.out == asked.out
    assert all(f"  {name} " in asked.out for name in COMMANDS)


@pytest.mark.parametrize("name", ["verify", "export", "generate"])
def test_every_command_of_a_command_has_examples_that_it_accepts(cli, name):
    shown = cli("reference", name, "--help")
    assert shown.code == 0
    group = application.get_command(click.Context(application), "reference")
    assert isinstance(group, click.Group)
    assert name in group.commands
    assert set(group.commands) == {"verify", "export", "generate"}
    examples = [
        line.strip() for line in shown.out.split("Examples:")[1].splitlines() if line.strip()
    ]
    assert examples
    for example in examples:
        program, first, second, *argv = shlex.split(example)
        assert (program, first, second) == ("hedgetheory", "reference", name)
        group.commands[name].make_context(name, argv)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_it_accepts(cli, name):
    shown = cli(name, "--help")
    assert shown.code == 0
    examples = [
        line.strip().removeprefix("hedgetheory ")
        for line in shown.out.split("Examples:")[1].splitlines()
        if line.strip()
    ]
    assert examples
    command = application.get_command(click.Context(application), name)
    assert command is not None
    for example in examples:
        called, *argv = shlex.split(example.split(" < ")[0])
        assert called == name
        command.make_context(name, argv)
