"""Completion in a shell: commands, options, and the names of laws, policies, families, tables.

``_HEDGETHEORY_COMPLETE=bash_source hedgetheory`` prints what a shell needs (``zsh_source``,
``fish_source``). What a value may be is told by how the help calls it: LAW, FAMILY, FILE, ….
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, shell_complete

if TYPE_CHECKING:
    from hedgetheory.spec.registry import Kind

VARIABLE = "_HEDGETHEORY_COMPLETE"
#: (name, what it is)
Names = list[tuple[str, str]]


def _registered(kind: Kind) -> Names:
    from hedgetheory.spec.registry import items

    return [(str(item["name"]), str(item["summary"])) for item in items(kind)]


def _families() -> Names:
    from hedgetheory.spec.registry import families

    return [(entry["form"], f"{entry['free']} free") for entry in families()]


def _quantities() -> Names:
    from hedgetheory.functionals.quantities import QUANTITIES

    return [(quantity.name, quantity.summary) for quantity in QUANTITIES.values()]


def _tables() -> Names:
    from hedgetheory.hedgetune.sources import packaged_tables

    return [(name, "of the package") for name in packaged_tables()]


def _lists() -> Names:
    from hedgetheory.cli.list import KINDS

    return [(name, "") for name in KINDS]


#: The word in the help, or the name of an argument -> the names that it may be.
NAMES: Mapping[str, Callable[[], Names]] = {
    "LAW": lambda: _registered("law"),
    "POLICY": lambda: _registered("policy"),
    "FAMILY": _families,
    "MODEL": lambda: _registered("joint"),
    "QUANTITY": _quantities,
    "table": _tables,
    "kind": _lists,
}
PATHS = {"FILE": "file", "DIR": "dir", "table": "file", "results": "file", "directory": "dir"}


class Named(click.types.StringParamType):
    """Text that is one of some names, a path, or anything else."""

    def __init__(self, word: str) -> None:
        self.word = word

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = NAMES[self.word]() if self.word in NAMES else []
        found = [CompletionItem(n, help=said) for n, said in names if n.startswith(incomplete)]
        if self.word in PATHS:
            found.append(CompletionItem(incomplete, type=PATHS[self.word]))
        return found


def completing(command: click.Command) -> click.Command:
    """The command with what its values may be."""
    for param in command.params:
        word = param.metavar if param.metavar in {*NAMES, *PATHS} else param.name
        if word in {*NAMES, *PATHS} and isinstance(param.type, click.types.StringParamType):
            param.type = Named(word)
    return command


def completion(application: click.Command, name: str) -> int | None:
    """The exit code where a shell asks, by the environment, to complete; else None."""
    instruction = os.environ.get(VARIABLE)
    if not instruction:
        return None
    return shell_complete(application, {}, name, VARIABLE, instruction)
