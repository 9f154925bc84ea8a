"""The command line, thin and lazy: see ``hedgetheory --help``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

#: Exponents and digit counts are bounded as they are read, so Python's own bound (4,300) may go up.
LONGEST_INTEGER = 100_000


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # stderr is for our one line
    if 0 < sys.get_int_max_str_digits() < LONGEST_INTEGER:
        sys.set_int_max_str_digits(LONGEST_INTEGER)
    try:
        from hedgetheory.cli.app import run

        code = run(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt:
        print("hedgetheory: interrupted", file=sys.stderr)
        code = 130
    raise SystemExit(code)
