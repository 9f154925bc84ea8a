"""The command line, thin and lazy: see ``hedgetheory --help``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    try:
        from hedgetheory.cli.app import run

        code = run(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt:
        print("hedgetheory: interrupted", file=sys.stderr)
        code = 130
    raise SystemExit(code)
