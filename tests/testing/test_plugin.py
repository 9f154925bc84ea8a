"""The pytest plugin: registered, light, fixtures, and conformance as parametrised tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hedgetheory.errors import InputError
from hedgetheory.reference.tables import load, names
from hedgetheory.testing import Disagreement, assert_conforms
from hedgetheory.testing.plugin import MARK

pytestmark = pytest.mark.skipif("kl" not in names(), reason="the tables are not packaged")

#: The cases that `right` answers.
BON = "bon and uniform and not best_of_random and not sbon"
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
    done = kl_tests(tmp_path, "wrong_at_two", "-k", BON)
    assert done.returncode == 1, done.stderr
    assert re.search(r"1 failed, \d+ passed", done.stdout)
    assert "kl disagrees with the reference" in done.stdout
    assert "kl:bon(n=2)@uniform" in done.stdout
    assert "hedgetheory value --law uniform --policy 'bon(n=2)' --quantity kl" in done.stdout


def kl_tests(tmp_path, function, *more):
    table = ["--hedgetheory-table", "kl"]
    return run(tmp_path, "--hedgetheory-conformance", f"mine:{function}", *table, *more)


def test_words_marks_and_text_choose_among_the_cases(tmp_path):
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n", encoding="utf-8")
    done = kl_tests(tmp_path, "right", "-k", BON)
    answered = re.search(r"(\d+) of \1 cases answered", done.stdout)
    assert answered
    assert f"{answered[1]} passed" in done.stdout
    assert "skipped" not in done.stdout
    one = ["--hedgetheory-only", "kl:bon(n=2)@uniform"]
    done = kl_tests(tmp_path, "right", *one, "-m", MARK)
    assert "1 passed, 1 deselected" in done.stdout  # without the project's own test


def test_a_run_that_examines_nothing_fails(tmp_path):
    done = kl_tests(tmp_path, "right", "--hedgetheory-only=@normal")
    assert done.returncode == 1
    assert "nothing was examined" in done.stdout


@pytest.mark.parametrize(("function", "only", "said"), [
    ("mine", "", "write module:function"), ("mine:right", "nowhere", "contains 'nowhere'"),
])  # fmt: skip
def test_what_cannot_be_collected_is_told(tmp_path, function, only, said):
    done = run(tmp_path, "--hedgetheory-conformance", function, "--hedgetheory-only", only,
               "--hedgetheory-table", "gap")  # fmt: skip
    assert done.returncode == 4
    assert said in done.stderr


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
