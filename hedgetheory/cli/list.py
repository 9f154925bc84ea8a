"""``hedgetheory list``: what there is, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid
from hedgetheory.errors import InputError, nearest

Items = list[dict[str, Any]]


def _laws() -> Items:
    from hedgetheory.spec.registry import items

    return items("law")


def _policies() -> Items:
    from hedgetheory.spec.registry import items

    return items("policy")


def _joints() -> Items:
    from hedgetheory.spec.registry import items

    return items("joint")


def _families() -> Items:
    from hedgetheory.spec.registry import families

    return [{"name": family["form"], "free": family["free"]} for family in families()]


def _quantities() -> Items:
    from hedgetheory.functionals.quantities import QUANTITIES

    needs = {"level": "at"}
    found: Items = [
        {
            "name": quantity.name,
            "needs": [needs.get(name, name) for name in quantity.needs],
            "summary": quantity.summary,
        }
        for quantity in QUANTITIES.values()
    ]
    summary = "hacking threshold of a family: beyond it the gold curve decreases"
    return [*found, {"name": "threshold", "needs": ["gold"], "summary": summary}]


def _claims() -> Items:
    from hedgetheory.ledger import LEDGER

    return [
        {"name": claim.id, "expected": claim.expected, "summary": claim.title} for claim in LEDGER
    ]


def _designs() -> Items:
    from hedgetheory.cli.designs_table import items

    return items()


def _tables() -> Items:
    from hedgetheory.hedgetune.table import packaged_tables

    return [{"name": name} for name in packaged_tables()]


KINDS: dict[str, Callable[[], Items]] = {
    "laws": _laws,
    "policies": _policies,
    "families": _families,
    "joints": _joints,
    "quantities": _quantities,
    "claims": _claims,
    "designs": _designs,
    "tables": _tables,
}


@click.command(
    "list",
    epilog=options.examples("list laws", "list quantities --json", "list designs --markdown"),
)
@click.argument("kind", metavar=f"[{'|'.join(KINDS)}]")
@click.option("--markdown", is_flag=True, help="The table of designs in Markdown.")
@command_options
def command(kind: str, markdown: bool) -> Report:
    """What there is, by name: each with what it takes, its domain and what it is."""
    if markdown and kind != "designs":
        raise click.UsageError("--markdown is for list designs")
    if kind not in KINDS:
        raise InputError(f"unknown list {kind}: {nearest(kind, list(KINDS))}")
    items = KINDS[kind]()
    if not items:
        return Report("list", {"kind": kind, "items": items}, [f"no {kind} yet"])
    if kind == "designs":
        return Report("list", {"kind": kind, "items": items}, _systems(items, markdown))
    columns = [name for name in items[0] if name not in ("name", "parameters")]
    first = "signature" if "signature" in columns else "name"
    shown = [first, *(name for name in columns if name != first)]
    rows = [[_text(item[name]) for name in shown] for item in items]
    return Report("list", {"kind": kind, "items": items}, [Grid(shown, rows)])


def _systems(items: Items, markdown: bool) -> list[str | Grid]:
    from hedgetheory.cli import designs_table

    if markdown:
        return [*designs_table.markdown(items)]
    return [Grid(designs_table.HEADERS, designs_table.rows(items))]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
