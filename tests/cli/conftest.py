"""The command line in this process: `cli(...)` gives the exit code, stdout and stderr."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hedgetheory.cli.app import run


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
    def invoke(*argv: str) -> Outcome:
        capsys.readouterr()
        code = run(argv)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return invoke
