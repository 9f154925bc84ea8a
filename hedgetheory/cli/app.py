"""The commands, each loaded when it is called, and the one place where an error becomes a line."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

import hedgetheory
from hedgetheory.cli.completion import completing, completion
from hedgetheory.cli.text import one_line
from hedgetheory.errors import HedgeTheoryError, InputError, nearest

#: command -> what it does, in one line; each lives in the module of its name.
COMMANDS = {
    "verify": "Check the ledger of claims, each with its proof or its counterexample.",
    "value": "Any quantity of a policy on a law, exact or certified to the digits asked for.",
    "derive": "The closed form of a quantity, with its proof.",
    "gap": "What Best-of-Poisson loses to the tilt of equal mean reward, in nats.",
    "randomised": "Is a tilt exactly the best of a random number of draws? Of which, or why not.",
    "check": "Does a family hack a gold curve? Every peak, the best parameter, the hypotheses.",
    "construct": "A gold curve that turns exactly where you want: why Theorem 1 needs a condition.",
    "tune": "HedgeTune: the best n or mu on a table of scored responses.",
    "report": "A tune or a check as one page to send: answer, curve, guarantees, command.",
    "reference": "Exact reference tables: audit, export, or compute them anew.",
    "compare": "Judge an implementation in any language against certified values.",
    "figure": "The paper's figures: gold against KL along every family, and the gap.",
    "list": "What there is: laws, policies, families, quantities, claims, designs, tables.",
    "doctor": "Is this installation sound? Versions, evaluators, packaged data.",
}

#: What is neither an answer nor bad input.
INTERNAL_ERROR, INTERRUPTED, BROKEN_PIPE = 70, 130, 141

HELP = """Exact theory of inference-time reward hacking.

Exit codes: 0 done; 1 a verdict differs from what is expected; 2 bad input or usage;
3 undecided, or not certified to the digits asked for.
"""
EXAMPLES = """\b
Examples:
  hedgetheory verify
  hedgetheory value --law normal --policy "bop(5)" --quantity kl --digits 30
  hedgetheory check --law uniform --family bon --gold "u**12*(1 - u)"
  hedgetheory tune ridge_overfit
  hedgetheory report ridge_overfit --html report.html

\b
Completion, in bash (or zsh, fish: zsh_source, fish_source):
  eval "$(_HEDGETHEORY_COMPLETE=bash_source hedgetheory)"
"""


class _Commands(click.Group):
    """Lists and suggests commands by name alone, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"hedgetheory.cli.{cmd_name}").command
        return completing(command) if ctx.resilient_parsing else command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        named = [CompletionItem(n, help=s) for n, s in COMMANDS.items() if n.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"unknown command {name}: {nearest(name, list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    help=HELP,
    epilog=EXAMPLES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(hedgetheory.__version__, prog_name="hedgetheory")
@click.pass_context
def application(ctx: click.Context, debug: bool) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(argv: Sequence[str]) -> int:
    """Run one command line; returns its exit code and never raises."""
    debug = "--debug" in argv
    try:
        asked = completion(application, "hedgetheory")
        code = _invoke(argv) if asked is None else asked
        sys.stdout.flush()
        return code
    except BaseException as error:  # nothing leaves the command line as a traceback
        if debug:
            import traceback

            traceback.print_exception(error, file=sys.stderr)
        return _failed(error, argv)


def _invoke(argv: Sequence[str]) -> int:
    try:
        with application.make_context("hedgetheory", list(argv)) as ctx:
            code: Any = application.invoke(ctx)
    except click.exceptions.Exit as left:
        return left.exit_code
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, argv: Sequence[str]) -> int:
    """Say in one line on stderr what went wrong; the exit code."""
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        return BROKEN_PIPE
    if isinstance(error, OSError):
        _silence_stdout()  # a full device would fail once more at the flush on the way out
    message, code = described(error)
    command = next((word for word in argv if word in COMMANDS), "")
    print(one_line(f"{f'hedgetheory {command}'.strip()}: {message}"), file=sys.stderr)
    return code


def described(error: BaseException) -> tuple[str, int]:
    """The message of an error and its exit code."""
    if isinstance(error, InputError):
        return str(error), 2
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "hedgetheory"
        return f"{error.format_message()} (see {path} --help)", 2
    if isinstance(error, click.ClickException):
        return error.format_message(), 2
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        known = "; ".join(getattr(error, "__notes__", []))
        return f"interrupted{known and f'; known by then: {known}'}", INTERRUPTED
    if isinstance(error, MemoryError):
        return "out of memory: ask for fewer digits or a smaller input", 3
    if isinstance(error, RecursionError):
        return "the input nests too deeply to be computed", 3
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 2
    if isinstance(error, HedgeTheoryError):  # above all NotCertified
        return str(error), 3
    kind = type(error).__name__
    return (
        f"internal error, please report it: {kind}: {error} (--debug shows where)",
        INTERNAL_ERROR,
    )


def _silence_stdout() -> None:
    """Point stdout at nothing, so that Python's own flush at the end has nothing to say."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
