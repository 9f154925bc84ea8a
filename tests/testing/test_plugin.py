"""The pytest plugin: registered, light, fixtures, and conformance as parametrised tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hedgetheory.errors import InputError
from hedgetheory.reference.tables import load, names
from hedgetheory.testing import Disagreement, assert_conforms

pytestmark = pytest.mark.skipif("kl" not in names(), reason="the tables are not packaged")

MINE = """
import math
import sys


def right(case):
    inputs = case["inputs"]
    if inputs["policy"] != "bon" or inputs["law"] != "uniform":
        return None
    x = float.fromhex(inputs["parameters"]["n"]["binary64"]) - 1
    if x < 1e-4:
        return x * x * (0.5 - x * (2 / 3 - x * 0.75))
    return math.log1p(x) - x / (1 + x)


def wrong_at_two(case):
    found = right(case)
    return 0.25 if case["id"] == "kl:bon(n=2)@uniform" else found
"""


def run(tmp_path, *argv):
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    # By its module, whether or not this checkout was installed with its entry point.
    plugins = ["no:cacheprovider", "no:xdist", "no:hedgetheory", "hedgetheory.testing.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", *(x for p in plugins for x in ("-p", p))]
    return subprocess.run(
        [*command, "--rootdir", str(tmp_path), *argv],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )  # fmt: skip


def test_the_plugin_is_an_entry_point_of_the_package():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    declared = project["project"]["entry-points"]["pytest11"]
    assert declared == {"hedgetheory": "hedgetheory.testing.plugin"}


def test_the_plugin_imports_nothing_of_ours_but_itself():
    code = (
        "import pytest, sys, hedgetheory.testing.plugin\n"
        "heavy = {'sympy', 'flint', 'numpy', 'scipy', 'mpmath', 'hypothesis', 'duckdb'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_function_is_run_against_the_tables_as_tests(tmp_path):
    chosen = ["--hedgetheory-table", "kl", "-k", "bon and uniform and not best_of_random"]
    done = run(tmp_path, "--hedgetheory-conformance", "mine:wrong_at_two", *chosen)
    assert done.returncode == 1, done.stderr
    assert "1 failed, 17 passed" in done.stdout
    assert "kl disagrees with the reference" in done.stdout
    assert "kl:bon(n=2)@uniform" in done.stdout
    assert "hedgetheory value --law uniform --policy 'bon(n=2)' --quantity kl" in done.stdout


def test_a_module_that_is_not_there_is_one_clear_error(tmp_path):
    done = run(tmp_path, "--hedgetheory-conformance", "nowhere:function")
    assert done.returncode == 4
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_option_nothing_is_added(tmp_path):
    assert run(tmp_path).returncode == 5  # no tests


def test_the_fixture_gives_cases_by_table_policy_law_and_tag():
    from hedgetheory.testing.plugin import cases

    found = cases("kl", "bon", "uniform")
    assert {case.inputs["policy"] for case in found} == {"bon"}
    assert all("extreme" in case.tags for case in cases("kl", tag="extreme"))
    with pytest.raises(InputError, match="no case"):
        cases("kl", "no_policy")


def test_conformance_counts_what_was_answered():
    cases = [case for case in load("kl").cases if case.inputs["policy"] == "bon"][:20]
    truth = {case.id: case.value for case in cases}

    def answers(case):
        return None if case["id"] == cases[0].id else float(truth[case["id"]])

    assert assert_conforms(answers, cases) == len(cases) - 1
    with pytest.raises(Disagreement, match="not supported"):
        assert_conforms(answers, cases, unsupported=False)
    with pytest.raises(InputError, match="nothing was examined"):
        assert_conforms(lambda case: None, cases)
    with pytest.raises(Disagreement):
        assert_conforms(lambda case: 1e9, cases)
