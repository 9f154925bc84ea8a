"""Runs `hedgetheory compare` on what exists and writes ``conformance_findings.md`` beside it.

    .venv/bin/python examples/conformance_findings.py

About five minutes. The page names the versions and a checksum of the cases asked and of their
values: a test compares it with the tables, so that a page measured on other ones is told.

Every row is measured by this script: the library's answer, judged against a certified value. An
implementation answers the packaged tables in a process of its own, with a time limit a case; then
some single cases are put to them by hand.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy
import scipy
import sympy

import hedgetheory as ht
from hedgetheory.reference import tables
from hedgetheory.reference.drivers import Program, python_argv
from hedgetheory.reference.hints import hinted
from hedgetheory.reference.judge import Question, Tolerance, Verdict, judge, questions
from hedgetheory.reference.model import checksum, number_to_json, spec_inputs, value_to_json
from hedgetheory.reference.report import entry, regions, true_text

HERE = Path(__file__).parent
SECONDS = 10.0
TABLES = ("kl", "chi2", "mean_reward", "mean_quantile", "win_rate", "ratio", "density", "cdf",
          "quantile")  # fmt: skip
POLICIES = ("bon", "bop", "quantile_tilt")
IMPLEMENTATIONS = {
    "scipy_beta": f"scipy {scipy.__version__}, `stats.beta(n, 1)`",
    "scipy_order_statistic": f"scipy {scipy.__version__}, `stats.order_statistic`",
    "scipy_quad": f"scipy {scipy.__version__}, `integrate.quad` of the definition",
    "numpy_closed_forms": f"numpy {numpy.__version__}, scipy {scipy.__version__}: printed closed "
    "forms in binary64",
    "mpmath_closed_forms": f"mpmath {mpmath.__version__} (15 digits), printed closed forms",
    "mpmath_quad": f"mpmath {mpmath.__version__} (15 digits), `quad` of the definition",
    "sympy_stats": f"sympy {sympy.__version__}, `stats.Beta(n, 1)`",
}
#: Single cases: implementation, quantity, policy, law, place.
PROBES = [
    ("scipy_order_statistic", "mean_reward", "bon(4)", "pareto(9/10)", None),
    ("scipy_order_statistic", "mean_reward", "bon(1)", "pareto(9/10)", None),
    ("scipy_order_statistic", "mean_reward", "bon(2)", "student_t(1)", None),
    ("scipy_order_statistic", "mean_reward", "bon(1)", "student_t(1)", None),
    ("scipy_order_statistic", "mean_reward", "bon(4)", "student_t(1)", None),
    ("scipy_order_statistic", "mass", "bon(4)", "bernoulli(1/2)", ("reward", Fraction(1))),
    ("scipy_order_statistic", "mean_reward", "bon(1024)", "uniform", None),
    ("scipy_order_statistic", "mean_reward", "bon(1048576)", "uniform", None),
    ("scipy_order_statistic", "mean_reward", "bon(1048576)", "normal", None),
    ("scipy_order_statistic", "density", "bon(1099511627776)", "normal", ("reward", Fraction(8))),
    ("scipy_order_statistic", "density", "bon(64)", "normal", ("reward", Fraction(30))),
    ("scipy_order_statistic", "density", "bon(4)", "logistic", ("reward", Fraction(-40))),
    ("scipy_beta", "kl", "bon(1048577/1048576)", "uniform", None),
    ("scipy_beta", "kl", "bon(1099511627777/1099511627776)", "uniform", None),
    ("scipy_beta", "kl", "bon(1099511627776)", "uniform", None),
    ("scipy_quad", "kl", "bop(32768)", "uniform", None),
    ("scipy_quad", "kl", "bop(1048576)", "uniform", None),
    ("scipy_quad", "mean_reward", "bop(1048576)", "uniform", None),
    ("numpy_closed_forms", "kl", "bop(1/1048576)", "uniform", None),
    ("numpy_closed_forms", "kl", "bop(1024)", "uniform", None),
    ("numpy_closed_forms", "mean_reward", "bop(1/1048576)", "uniform", None),
    ("numpy_closed_forms", "kl", "quantile_tilt(1024)", "uniform", None),
    ("mpmath_closed_forms", "kl", "bop(1/1048576)", "uniform", None),
    ("mpmath_quad", "kl", "bop(1048576)", "uniform", None),
    ("mpmath_quad", "kl", "bon(1048576)", "uniform", None),
    ("sympy_stats", "kl", "bon(4)", "uniform", None),
]


def asked_of_tables() -> list[Question]:
    """The cases of three families in the tables that there are."""
    return [
        question
        for name in tables.names()
        if name in TABLES
        for question in questions(name, tables.load(name).cases)
        if question.policy in POLICIES
    ]


def checksum_of(asked: list[Question]) -> str:
    """Of the ids asked and their true values, whatever else the tables hold."""
    return checksum([[q.id, *map(value_to_json, q.values)] for q in asked])[:16]


def probe(quantity: str, policy: str, law: str, at: tuple[str, Fraction] | None) -> Question:
    """A single case with its certified value."""
    inputs = {**spec_inputs("policy", policy), **spec_inputs("law", law)}
    if at is not None:
        inputs["at"] = {at[0]: number_to_json(at[1])}
    value = ht.value(
        ht.parse_law(law), ht.parse_policy(policy), quantity, at=at and at[1], digits=25
    )
    place = "" if at is None else f", at {at[1]}"
    name = f"{quantity}, {inputs['policy_spec']}, {inputs['law_spec']}{place}"
    return Question(name, quantity, quantity, inputs, (value,))


def judged(name: str, asked: list[Question]) -> list[Verdict]:
    """The verdicts on an implementation, asked live."""
    found = []
    argv = python_argv(f"conformance_implementations:{name}")
    with Program(argv, SECONDS, restarts=50) as program:
        replies = program.ask_all((question.line() for question in asked), len(asked))
        for question, reply in zip(asked, replies, strict=True):
            if reply.answer is None:
                found.append(Verdict(question, "failed", reason=reply.failure))
            else:
                found.append(judge(question, reply.answer, Tolerance()))
    return hinted(found)


def table_rows(name: str, verdicts: list[Verdict]) -> Iterator[str]:
    """One row for each quantity and policy that it answers at all."""
    where: dict[tuple[str, str], list[str]] = {}
    for region in regions([verdict for verdict in verdicts if verdict.status != "failed"]):
        where.setdefault((region["quantity"], region["policy"]), []).append(region["breaks_down"])
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        key = (verdict.question.quantity, verdict.question.policy)
        groups.setdefault(key, []).append(verdict)
    for key, group in sorted(groups.items()):
        right = sum(verdict.status == "pass" for verdict in group)
        wrong = sum(verdict.status == "mismatch" for verdict in group)
        none = sum(verdict.status == "failed" for verdict in group)
        if right + wrong + none:
            words = where.get(key, ["-"])[0]
            laws = Counter(v.question.law for v in group if v.status == "mismatch")
            if len({v.question.law for v in group if v.status != "unsupported"}) > 1 and laws:
                words += f" ({', '.join(f'{law} {count}' for law, count in laws.most_common())})"
            yield f"| {name} | {key[0]} of {key[1]} | {right} | {wrong} | {none} | {words} |"


def probe_row(verdict: Verdict) -> str:
    shown = entry(verdict)
    given = verdict.reason if verdict.answer is None else verdict.answer.given
    if verdict.answer is not None and verdict.answer.kind == "finite":
        given = f"{float(verdict.answer.value):.17g}"
    if verdict.status == "unsupported":
        given = "refused (NotImplementedError)"
    off = "" if verdict.relative is None else f"{verdict.relative:.1e}"
    said = {"pass": "right", "unsupported": "refused"}.get(verdict.status, "wrong")
    hint = verdict.hint or ("" if said != "wrong" or verdict.answer is None else verdict.reason)
    true = true_text(shown["true"])
    return f"| {verdict.question.id} | {given} | {true} | {said} | {off} | {hint} |"


def main() -> None:
    asked = asked_of_tables()
    lines = [
        "# What existing libraries give",
        "",
        "Measured by `examples/conformance_findings.py`; generated, not edited. An answer is right",
        "within relative 1e-10 or 4 ulps of the certified value; what underflows may be 0. These",
        "are general tools asked at the edges of their domain, with default settings, by",
        "`examples/conformance_implementations.py`: *wrong* means that the number cannot be used",
        f"here, not that a library breaks a promise. *None*: an error, or {SECONDS:g} s. Where the",
        "value is exactly 0, as a symmetric law's mean is, nothing but 0 is right.",
        "",
        f"Python {sys.version.split()[0]}, hedgetheory {ht.__version__}, {len(asked)} cases of the",
        f"tables {', '.join(sorted({question.table for question in asked}))}",
        f"(checksum {checksum_of(asked)}); a library is asked what it has a means for, and is",
        "counted only there.",
        "",
        "## On the tables",
        "",
        "| implementation | what | right | wrong | none | where the wrong ones are |",
        "|---|---|---|---|---|---|",
    ]
    single: list[str] = []
    for name, title in IMPLEMENTATIONS.items():
        chosen = [probe(*rest) for who, *rest in PROBES if who == name]
        verdicts = judged(name, asked + chosen)
        lines += table_rows(title, verdicts[: len(asked)])
        rows = [probe_row(verdict) for verdict in verdicts[len(asked) :]]
        if rows:
            headers = "| case | given | true | verdict | relative | note |"
            single += ["", f"### {title}", "", headers, "|---|---|---|---|---|---|", *rows]
        print(name, len(verdicts), file=sys.stderr)
    lines += ["", "## Single cases", *single]
    (HERE / "conformance_findings.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
