"""``hedgetheory compare``: somebody's results, or a live implementation, against the tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, checked_target, command_options, envelope, write_file
from hedgetheory.cli.text import Grid, one_line, printable
from hedgetheory.errors import InputError

if TYPE_CHECKING:
    from hedgetheory.reference.drivers import Conversation
    from hedgetheory.reference.judge import Question, Tolerance, Verdict

#: The longest file of expected failures.
MAX_EXPECTED_BYTES = 1 << 24
#: Tables whose cases' ids do not start with the name of the table.
MIXED = ("designs", "functions")


@click.command(
    "compare",
    epilog=options.examples(
        "compare results.json",
        "compare results.json --only kl --html report.html",
        "compare --command ./impl --table kl --table ratio",
        "compare --python mymodule:answer --expected-failures known.txt --json",
        "compare --print-cases --table kl",
    ),
)
@click.argument("results", required=False, metavar="[RESULTS.json]")
@click.option("--command", "program", metavar="COMMAND", help="A program that answers cases live.")
@click.option("--python", "function", metavar="MODULE:FUNCTION", help="A Python function, live.")
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table; repeat.")
@click.option("--only", metavar="TEXT", help="Only cases whose id contains TEXT.")
@click.option("--tag", metavar="TAG", help="Only cases with this tag: easy, hard, extreme, …")
@click.option("--rtol", default="1e-10", show_default=True, help="Relative tolerance.")
@click.option("--ulps", default="4", show_default=True, help="Tolerance in units of binary64.")
@click.option("--atol", default="0", show_default=True, help="Absolute tolerance.")
@click.option("--expected-failures", metavar="FILE", help="Case ids that may fail, * for any text.")
@click.option("--complete", is_flag=True, help="A case without an answer is a mismatch.")
@click.option("--worst", type=click.IntRange(0, 1000), default=10, show_default=True, metavar="K",
              help="Show the K worst cases.")  # fmt: skip
@click.option("--html", metavar="FILE", help="Write a self-contained page too.")
@click.option("--timeout", type=click.FloatRange(0.01, 3600), default=10.0, show_default=True,
              metavar="SECONDS", help="For one live answer.")  # fmt: skip
@click.option("--restarts", type=click.IntRange(0, 1000), default=5, show_default=True, metavar="K",
              help="Restart a live program at most K times.")  # fmt: skip
@click.option("--print-cases", is_flag=True, help="Print the cases as a live program gets them.")
@command_options
def command(results: str | None, program: str | None, function: str | None, **given: Any) -> Report:
    """Judge an implementation: exit code 0 all pass, 1 mismatch, 2 bad input.

    RESULTS.json is one object of case id and answer: "0x1.8p+1", "3.25", "1/3", "inf", "nan" where
    undefined, a number, or "not supported"; - is stdin. Only cases with an answer are judged,
    unless --complete.
    """
    from hedgetheory.reference.drivers import case_line
    from hedgetheory.reference.judge import Tolerance

    given["only"] = given["only"] or ""
    tolerance = Tolerance.of(given["rtol"], given["ulps"], given["atol"])
    ways = [way for way in (results, program, function, given["print_cases"] or None) if way]
    if len(ways) != 1:
        raise click.UsageError("give RESULTS.json, --command, --python or --print-cases: one")
    html = checked_target(given["html"]) if given["html"] else None
    expected = _expected(given["expected_failures"])
    asked = _chosen(given)
    if given["print_cases"]:
        lines = [question.line() for question in asked]
        return Report("compare", {"cases": lines}, [case_line(line).rstrip() for line in lines])
    if results is not None:
        verdicts, name = _judged_file(results, asked, tolerance)
        conversation = None
    else:
        verdicts, conversation = _judged_live(program, function, asked, tolerance, given)
        name = conversation.implementation
    return _report(verdicts, given | {
        "tolerance": tolerance, "implementation": name, "conversation": conversation,
        "expected": expected, "html": html,
    })  # fmt: skip


def _report(verdicts: list[Verdict], given: dict[str, Any]) -> Report:
    from dataclasses import replace

    from hedgetheory.cli.pages.conformance import page
    from hedgetheory.reference.hints import hinted
    from hedgetheory.reference.report import summary

    expected, html = given["expected"], given["html"]
    if given["complete"]:
        verdicts = [
            replace(v, status="failed", reason="no answer")
            if v.status in ("missing", "unsupported")
            else v
            for v in verdicts
        ]
    if not any(verdict.wrong or verdict.status == "pass" for verdict in verdicts):
        raise InputError("there is no answer to any case asked: nothing was judged")
    verdicts = hinted(verdicts)
    if expected is not None:
        verdicts = expected.marked(verdicts)
    fields = summary(
        verdicts,
        given["tolerance"],
        implementation=given["implementation"],
        worst=given["worst"],
        expected=expected,
        conversation=given["conversation"],
    )
    for stale in fields["stale"]:
        line = f"warning: expected failure {stale['pattern']} {stale['reason']}"
        print(one_line(f"hedgetheory compare: {line}"), file=sys.stderr)
    if html is not None:
        write_file(html, page({**envelope("compare"), **fields}))
    code = 1 if fields["verdict"] == "mismatch" else 0
    return Report("compare", fields, _blocks(fields), code)


# -- what is asked, and what came ------------------------------------------------------------------


def _questions(names: Sequence[str]) -> list[Question]:
    from hedgetheory.reference import tables
    from hedgetheory.reference.judge import questions

    return [q for name in names for q in questions(name, tables.load(name).cases)]


def _chosen(given: dict[str, Any]) -> list[Question]:
    from hedgetheory.errors import nearest
    from hedgetheory.reference import tables

    known = tables.names()
    for name in given["tables"]:
        if name not in known:
            raise InputError(f"unknown table {name}: {nearest(name, known)}")
    found = [
        question
        for question in _questions(
            [n for n in known if not given["tables"] or n in given["tables"]]
        )
        if given["only"] in question.id and (given["tag"] is None or given["tag"] in question.tags)
    ]
    if not found:
        raise InputError("no case is chosen: loosen --table, --only or --tag")
    return found


def _expected(source: str | None) -> Any:
    if source is None:
        return None
    from hedgetheory.reference.answers import read_bounded
    from hedgetheory.reference.judge import ExpectedFailures

    data = read_bounded(source, limit=MAX_EXPECTED_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{source} is not text in UTF-8") from None
    return ExpectedFailures.parse(text, source)


def _judged_file(
    source: str, asked: Sequence[Question], tolerance: Tolerance
) -> tuple[list[Verdict], str]:
    from hedgetheory.reference import tables
    from hedgetheory.reference.answers import parse_submission, read_bounded
    from hedgetheory.reference.judge import judge_submission

    submission = parse_submission(read_bounded(source, sys.stdin.buffer), source)
    ids = {question.id for question in asked}
    names = tables.names()
    # An answer to a case that is not asked is no mistake: look into the tables that it names.
    others = {name.partition(":")[0] for name in submission.answers if name not in ids}
    others |= set(MIXED) if others else set()
    ids |= {question.id for question in _questions([name for name in names if name in others])}
    verdicts = judge_submission(asked, submission.answers, tolerance, known=ids, names=names)
    return verdicts, submission.implementation


def _judged_live(
    program: str | None,
    function: str | None,
    asked: Sequence[Question],
    tolerance: Tolerance,
    given: dict[str, Any],
) -> tuple[list[Verdict], Conversation]:
    from hedgetheory.reference.drivers import Program, command_argv, python_argv

    argv = python_argv(function) if function is not None else command_argv(program or "")
    with Program(argv, given["timeout"], given["restarts"]) as live:
        verdicts = list(_asked_live(live, asked, tolerance))
    return verdicts, live.log


def _asked_live(live: Any, asked: Sequence[Question], tolerance: Tolerance) -> Iterator[Verdict]:
    from hedgetheory.reference.judge import Verdict, judge

    replies = live.ask_all((question.line() for question in asked), len(asked))
    for question, reply in zip(asked, replies, strict=True):
        if reply.answer is None:
            yield Verdict(question, "failed", reason=reply.failure)
        else:
            yield judge(question, reply.answer, tolerance)


# -- text ------------------------------------------------------------------------------------------


def _blocks(fields: dict[str, Any]) -> list[str | Grid]:
    from hedgetheory.reference.report import in_short, true_text

    counts, tolerance = fields["counts"], fields["tolerance"]
    wrong = counts["mismatch"] + counts["failed"]
    judged = counts["pass"] + wrong
    expected = f", {counts['expected']} of them expected" if counts["expected"] else ""
    blocks: list[str | Grid] = [
        f"implementation  {printable(fields['implementation']) or '(no name given)'}",
        f"tolerance       relative {tolerance['rtol']}, {tolerance['ulps']} ulps, "
        f"absolute {tolerance['atol']}",
        f"verdict         {fields['verdict']}: {wrong} of {judged} answers wrong{expected}; "
        f"{counts['unsupported']} not supported, {counts['missing']} missing",
    ]
    talk = fields["conversation"]
    if talk and (talk["timeouts"] or talk["crashes"] or talk["noise"] or talk["errors"]):
        blocks.append(
            f"conversation    {talk['timeouts']} time-outs, {talk['crashes']} crashes, "
            f"{talk['errors']} errors, {talk['garbage']} answers that are none, "
            f"{talk['noise']} lines of noise {printable(talk['first_noise'])}".rstrip()
        )
    for title in ("quantity", "policy"):
        rows = [
            [g["name"], *(str(g[k]) for k in _COUNTED), in_short(g["worst_relative"]),
             in_short(g["worst_ulps"])]
            for g in fields[f"by_{title}"]
            if g["missing"] < g["asked"]
        ]  # fmt: skip
        headers = [title, *_COUNTED, "worst relative", "ulps"]
        blocks += ["", Grid(headers, rows)]
    if fields["regions"]:
        rows = [[f"{r['quantity']} of {r['policy']}", r["breaks_down"]] for r in fields["regions"]]
        blocks += ["", Grid(["where it breaks down", ""], rows)]
    if fields["hints"]:
        rows = [[str(h["count"]), h["hint"]] for h in fields["hints"]]
        blocks += ["", Grid(["cases", "what it looks like"], rows)]
    if fields["worst"]:
        blocks += ["", "worst cases"]
    for case in fields["worst"]:
        why = "; ".join(filter(None, (case["reason"], case["hint"])))
        blocks += [
            "",
            case["id"],
            f"  given  {printable(str(case['given'])) if case['given'] is not None else 'nothing'}",
            f"  true   {true_text(case['true'])}",
            f"  off    relative {in_short(case['relative'])}, {in_short(case['ulps'])} ulps",
            f"  why    {printable(why)}",
        ]
    return blocks


_COUNTED = ("asked", "pass", "mismatch", "failed", "unsupported", "missing", "expected")
