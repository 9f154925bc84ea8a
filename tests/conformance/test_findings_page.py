"""The page of findings was measured on the tables that there are, by the script beside it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PAGE = (EXAMPLES / "conformance_findings.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def findings():
    spec = importlib.util.spec_from_file_location(
        "conformance_findings", EXAMPLES / "conformance_findings.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_was_measured_on_the_present_tables(findings):
    asked = findings.asked_of_tables()
    stated = re.search(r"(\d+) cases of the\s+tables ([\w, ]+)\s+\(checksum (\w+)\)", PAGE)
    assert stated is not None
    tables = ", ".join(sorted({question.table for question in asked}))
    assert stated.groups() == (str(len(asked)), tables, findings.checksum_of(asked)), (
        "stale: run .venv/bin/python examples/conformance_findings.py (about five minutes)"
    )


def test_a_changed_value_or_case_changes_the_checksum(findings):
    asked = findings.asked_of_tables()[:20]
    changed = [*asked[:-1], findings.probe("kl", "bon(3)", "uniform", None)]
    assert len({findings.checksum_of(some) for some in (asked, asked[:-1], changed)}) == 3


def test_every_row_names_a_library_with_its_version():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and " of b" in line]
    assert len(rows) > 20
    assert all(re.match(r"\| (scipy|numpy|mpmath|sympy) \d+\.\d", row) for row in rows)
    assert {row.split()[1] for row in rows} == {"scipy", "numpy", "mpmath", "sympy"}


def test_no_row_counts_what_a_library_was_not_asked():
    """A row of nothing but errors is a fault of the adapter, not a finding."""
    for row in (line for line in PAGE.splitlines() if line.startswith("| ") and " of b" in line):
        right, wrong, _ = (int(cell) for cell in row.split("|")[3:6])
        assert right + wrong > 0, row
