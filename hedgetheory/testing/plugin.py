"""The pytest plugin: reference tables as fixtures, and conformance as parametrised tests.

``pytest --hedgetheory-conformance module:function`` adds one test for each case of the reference
tables: the function takes the case, a dict, and returns its value, as for `hedgetheory compare
--python`. Choose among them with ``--hedgetheory-table kl``, ``--hedgetheory-only "bon(n=2)@"``
(text in a case's id) or ``-k`` (words), and run nothing else with ``-m hedgetheory_conformance``. A
case that the function does not support is skipped; the last lines say how many were answered, and a
run in which none was fails.

Importing this module imports pytest and nothing else: every pytest run pays for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hedgetheory.reference.model import Case

OPTION = "--hedgetheory-conformance"
MARK = "hedgetheory_conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hedgetheory")
    group.addoption(
        OPTION,
        metavar="MODULE:FUNCTION",
        default=None,
        help="test a function, case -> value, against hedgetheory's reference tables",
    )
    group.addoption(
        "--hedgetheory-table",
        metavar="NAME",
        action="append",
        default=[],
        help="only this table, such as kl; may be given several times",
    )
    group.addoption(
        "--hedgetheory-only",
        metavar="TEXT",
        default="",
        help="only cases whose id contains this text, such as 'bon(n=2)@uniform' "
        "(write --hedgetheory-only=@normal where it starts with @)",
    )
    group.addoption(
        "--hedgetheory-rtol",
        metavar="TOLERANCE",
        default="1e-10",
        help="relative error allowed in conformance tests (1e-10)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}: a case of hedgetheory's reference tables")
    if config.getoption(OPTION) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Tally(), "hedgetheory-tally")


class _Tally:
    """Counts the cases that were answered: a run that examined nothing must not pass."""

    def __init__(self) -> None:
        self.answered = self.skipped = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if MARK in report.keywords and report.when == "call":
            self.skipped += report.skipped
            self.answered += not report.skipped

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and not self.answered:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.answered or self.skipped:
            asked = self.answered + self.skipped
            none = "" if self.answered else ": nothing was examined, which counts as a failure"
            line = f"hedgetheory conformance: {self.answered} of {asked} cases answered{none}"
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def hedgetheory_cases() -> Callable[..., list[Case]]:
    """``hedgetheory_cases(table, policy=None, law=None, tag=None)``: cases of a reference table.

    ``policy`` and ``law`` are names (``bop``, ``uniform``), ``tag`` one of the case's tags
    (``easy``, ``hard``, ``extreme``). Fails where there are none, so that a test that uses them
    always examines something.
    """
    return cases


def cases(
    table: str, policy: str | None = None, law: str | None = None, tag: str | None = None
) -> list[Case]:
    """What the fixture `hedgetheory_cases` calls.

    Raises InputError for an unknown table, and where no case is like that.

    >>> [case.double for case in cases("kl", "bon", "uniform")][:1]
    [0.0]
    """
    from hedgetheory.errors import InputError
    from hedgetheory.reference.tables import load

    found = [
        case
        for case in load(table).cases
        if (policy is None or case.inputs.get("policy") == policy)
        and (law is None or case.inputs.get("law") == law)
        and (tag is None or tag in case.tags)
    ]
    if not found:
        asked = {"policy": policy, "law": law, "tag": tag}
        what = ", ".join(f"{name}={text}" for name, text in asked.items() if text is not None)
        raise InputError(f"no case of the table {table} has {what}")
    return found


class Conformance(pytest.Collector):
    """All cases that are asked of one function."""

    def __init__(self, function: str, **more: Any) -> None:
        super().__init__(**more)
        self.function = function

    def collect(self) -> Iterator[pytest.Item]:
        import sys

        from hedgetheory.errors import InputError
        from hedgetheory.reference.tables import load, names
        from hedgetheory.reference.worker import load as imported

        chosen = self.config.getoption("--hedgetheory-table") or names()
        only = self.config.getoption("--hedgetheory-only")
        if not all(self.function.partition(":")):
            raise pytest.UsageError(f"{OPTION} {self.function}: write module:function")
        sys.path.insert(0, str(self.config.invocation_params.dir))
        try:
            function = imported(self.function)
            found = [case for name in chosen for case in load(name).cases if only in case.id]
            if not found:
                raise InputError(f"no case's id contains {only!r}")
        except (ImportError, AttributeError, ValueError, InputError) as error:
            raise pytest.UsageError(f"{OPTION} {self.function}: {error}") from None
        finally:
            sys.path.pop(0)
        for case in found:
            yield CaseItem.from_parent(self, name=case.id, case=case, function=function)


class CaseItem(pytest.Item):
    """One case as a test."""

    def __init__(self, case: Case, function: Callable[..., object], **more: Any) -> None:
        super().__init__(**more)
        self.case, self.function = case, function
        self.add_marker(MARK)

    def runtest(self) -> None:
        from hedgetheory.errors import InputError
        from hedgetheory.testing.matching import assert_conforms

        rtol = self.config.getoption("--hedgetheory-rtol")
        try:
            assert_conforms(self.function, [self.case], rtol=rtol)
        except InputError as error:
            if "is supported" not in str(error):
                raise
            pytest.skip("the function does not support this case")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from hedgetheory.testing.failures import Disagreement

        if isinstance(excinfo.value, Disagreement):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return self.nodeid, None, self.case.id


# First, so that -k and -m choose among the cases too.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Nothing without the option; with it the cases join the tests that were collected."""
    function = config.getoption(OPTION)
    if function:
        parent = Conformance.from_parent(session, name="hedgetheory", function=function)
        items.extend(parent.collect())
