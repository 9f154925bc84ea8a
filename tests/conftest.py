"""Hypothesis profiles, and the command line in this process.

The profile `ci`, the default, is derandomised, so that a red run is red again everywhere; to search
anew set HYPOTHESIS_PROFILE=dev. No deadlines on a shared machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("dev", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names that workers agree on: a gzip holds the time, and a repr may hold an address."""
    if isinstance(val, bytes):
        return f"{argname}-{len(val)}-bytes"
    return argname if callable(val) and " at 0x" in repr(val) else None


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    def is_refusal(self, code: int = 2) -> bool:
        """The exit code, nothing on stdout, and one line on stderr."""
        one_line = self.err.endswith("\n") and self.err.count("\n") == 1
        return self.code == code and self.out == "" and one_line and "Traceback" not in self.err


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli(...)` runs one command line: exit code, stdout, stderr."""
    from hedgetheory.cli.app import run

    def invoke(*argv: str) -> Outcome:
        capsys.readouterr()
        code = run(argv)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return invoke
