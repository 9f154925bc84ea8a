"""``hedgetheory check``: the whole shape of a gold curve along a family."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, shown, witness_text

if TYPE_CHECKING:
    from hedgetheory.analysis.check import CheckResult
    from hedgetheory.expressions.formula import Formula
    from hedgetheory.laws.base import Law
    from hedgetheory.laws.joint import Implied
    from hedgetheory.policies.family import Family


#: Nothing is shown before so many seconds.
_QUIET = 1.0


@click.command(
    "check",
    epilog=options.examples(
        'check --law uniform --family bon --gold "u**12*(1 - u)"',
        'check --law normal --family bop --gold "4*u*(1 - u)" --json',
        'check --law "normal(0,1)" --family tilt --gold "r - r**2/4"',
        'check --law uniform --family bon --joint "contaminated(eps=1/100, h=0)"',
        'check --law "student_t(5)" --family bon --gold "r*exp(-r**2)" --workers -1 --seconds 60',
    ),
)
@options.law()
@options.family()
@click.option("--gold", metavar="FORMULA", help="Gold curve in u (quantile) or r (reward).")
@click.option("--joint", metavar="MODEL", help="A joint model of proxy and true reward instead.")
@options.digits(12)
@options.workers()
@click.option("--bound", type=click.IntRange(min=1), metavar="UNITS",
              help="At most so much work, some 10^4 units a second.")  # fmt: skip
@click.option("--seconds", type=float, metavar="S", help="At most so long on the clock.")
@command_options
def command(
    law_text: str,
    family_text: str,
    gold: str | None,
    joint: str | None,
    digits: int,
    **effort: Any,
) -> Report:
    """Regime, all interior extrema, ends, best parameter, hypotheses, and the hacking verdict.

    Exit code 3 where the regime is undecided. Beyond --bound or --seconds the answer is what is
    known by then; an interrupt (Ctrl-C) says in one line what was, and exits 130.

    Joint models: contaminated(eps, h), a share eps of hacked responses at the top of the proxy
    with true reward h; bivariate_normal(rho), on a normal law; noisy_proxy(noise), where --law is
    that of the TRUE reward and the proxy is it plus the noise.
    """
    asked = question(law_text, family_text, gold, joint)
    found = asked.checked(digits, **effort)
    return Report(
        "check",
        {**asked.subject, "digits": digits, **found.to_json()},
        blocks(asked.subject, found, digits),
        exit_code(found),
    )


@dataclass(frozen=True)
class Question:
    """What is checked: as objects, and in the words of the document."""

    law: Law
    family: Family
    curve: Formula | Implied
    subject: dict[str, str]

    def checked(self, digits: int, **effort: Any) -> CheckResult:
        from hedgetheory.analysis.check import check

        with _progress() as tell:
            return check(self.law, self.family, self.curve, digits, progress=tell, **effort)


def question(law_text: str, family_text: str, gold: str | None, joint: str | None) -> Question:
    """The question that the options ask. Raises UsageError, InputError."""
    if joint is not None and gold is not None:
        raise click.UsageError("--joint and --gold exclude each other")
    if joint is None and gold is None:
        raise click.UsageError("missing --gold FORMULA or --joint MODEL")
    from hedgetheory.spec.grammar import parse_family, parse_gold, parse_joint

    law, family = options.read_law(law_text), parse_family(family_text)
    subject = {"law": str(law), "family": str(family)}
    curve: Formula | Implied
    if joint is None:
        curve = parse_gold(gold or "")
        subject["gold"] = str(curve)
    else:
        model = parse_joint(joint)
        curve = model.implied(law)
        law = curve.law
        subject |= {"gold": str(curve), "joint": str(model), "proxy_law": str(law)}
        if curve.unit is not None:
            subject["unit"] = curve.unit
    return Question(law, family, curve, subject)


def exit_code(found: CheckResult) -> int:
    return 3 if found.regime == "undecided" else 0


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None] | None]:
    """What is done now, on stderr, where it takes long and on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    start, bar = time.monotonic(), None

    def tell(what: str, spent: int) -> None:
        nonlocal bar
        if bar is None and time.monotonic() - start > _QUIET:
            from rich.console import Console
            from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.add_task(what)
            bar.start()
        if bar is not None:
            bar.update(bar.task_ids[0], description=f"{what} ({spent:,} units of work)")

    try:
        yield tell
    finally:
        if bar is not None:
            bar.stop()


def blocks(subject: dict[str, str], found: CheckResult, digits: int) -> list[str | Grid]:
    title = (
        f"{subject['gold']} under {subject['family']} on {subject.get('proxy_law', subject['law'])}"
    )
    summary = [
        *([name.replace("_", " "), subject[name]] for name in ("joint", "unit") if name in subject),
        ["regime", found.regime],
        ["hacking", f"{found.hacking}; threshold {shown(found.threshold, digits)}"],
        ["complete", f"{found.complete} on {found.domain}: {found.complete_reason}"],
    ]
    if found.best is not None:
        theta, value = shown(found.best.theta, digits), shown(found.best.value, digits)
        summary.append(["best parameter", f"{theta}; value {value}"])
    if found.integer is not None and found.integer.best:
        best = " and ".join(map(str, found.integer.best))
        summary.append(["best integer n", best])
    points = [
        *((e.kind, e.theta, e.value) for e in found.extrema),
        *(("end" if e.attained else "end (limit)", e.theta, e.value) for e in found.ends),
    ]
    return [
        Grid(["gold curve", title], summary),
        "",
        Grid(
            ["point", "theta", "value"],
            [[kind, shown(theta, digits), shown(value, digits)] for kind, theta, value in points],
        ),
        "",
        Grid(
            ["hypothesis", "verdict", "witness"],
            [[h.id, h.verdict, witness_text(h.to_json()["witness"])] for h in found.hypotheses],
        ),
        *found.notes,
    ]
