"""The page of a ``compare``: what passes, where an implementation breaks down, the worst cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hedgetheory.cli.pages import shell
from hedgetheory.cli.pages.markup import Markup, h, join
from hedgetheory.cli.pages.shell import Cell, Row, badge, bullets, number, table
from hedgetheory.reference.report import STATUSES, in_short, true_text


def page(document: dict[str, Any]) -> str:
    """The page of the document of a ``compare``."""
    name = document["implementation"] or "an implementation"
    return shell.page(
        f"Conformance of {name}",
        h("h1", f"Conformance of {name}"),
        _answer(document),
        [
            join(h("h2", f"By {title}"), _counts(title, document[key]))
            for title, key in (("quantity", "by_quantity"), ("policy", "by_policy"),
                               ("law", "by_law"), ("tag", "by_tag"))
        ],
        _regions(document["regions"]),
        _hints(document["hints"]),
        [h("h2", "Worst cases"), *map(_case, document["worst"])] if document["worst"] else None,
        _stale(document["stale"]),
        footer=f"Made by hedgetheory {document.get('version', '')}. This page is one file: it "
        "loads nothing and sends nothing.",
        subject="compare",
    )  # fmt: skip


def _answer(document: dict[str, Any]) -> Markup:
    counts, tolerance = document["counts"], document["tolerance"]
    wrong = counts["mismatch"] + counts["failed"]
    judged = counts["pass"] + wrong
    others = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return h(
        "div",
        h("p", h("strong", f"{wrong:,} of {judged:,} answers are wrong. "),
          badge(document["verdict"])),
        h("p", f"{others}."),
        h("p", f"An answer passes within relative {tolerance['rtol']}, {tolerance['ulps']} ulps "
               f"or absolute {tolerance['atol']} of the certified value."),
        class_="answer",
    )  # fmt: skip


def _counts(title: str, groups: Sequence[dict[str, Any]]) -> Markup:
    headers = [title, "asked", *STATUSES, "expected", "worst relative", "worst ulps"]
    rows = [
        Row([
            h("code", group["name"]),
            *(Cell(str(group[key]), group[key]) for key in ("asked", *STATUSES, "expected")),
            *(Cell(in_short(group[key]), group[key]) for key in ("worst_relative", "worst_ulps")),
        ])
        for group in groups
        if group["missing"] < group["asked"]
    ]  # fmt: skip
    silent = len(groups) - len(rows)
    note = f"{silent} more have no answer at all." if silent else ""
    return join(
        table(f"Answers by {title}", headers, rows, quiet=True) if rows else None,
        h("p", note, class_="note") if note else None,
    )


def _regions(found: Sequence[dict[str, Any]]) -> Markup | None:
    """In words, and a row for each quantity, policy and axis with a cell for each decade."""
    if not found:
        return None
    keys = sorted({row["decade"] for region in found for row in region["decades"]
                   if row["decade"] is not None})  # fmt: skip
    rows = []
    for region in found:
        cells = {row["decade"]: row for row in region["decades"]}
        name = f"{region['quantity']} of {region['policy']}, {region['axis']}"
        rows.append(Row([h("code", name), *(_decade(cells.get(key)) for key in (None, *keys))]))
    said = bullets(
        join(h("code", f"{r['quantity']} of {r['policy']}"), f": {r['breaks_down']}") for r in found
    )
    grid = table(
        "Wrong answers of those asked, by decade; ✗ all wrong, ! some wrong",
        ["where", "0", *(number(f"1e{key}") for key in keys)], rows, sortable=False,
    )  # fmt: skip
    return join(h("h2", "Where it breaks down"), said, grid)


def _decade(cell: dict[str, Any] | None) -> Cell:
    if cell is None:
        return Cell("")
    wrong, asked = cell["wrong"], cell["wrong"] + cell["pass"]
    kind, sign = ("ok", "") if not wrong else ("some", "! ") if cell["pass"] else ("wrong", "✗ ")
    worst = f"worst relative {in_short(cell['worst_relative'])}"
    return Cell(h("span", f"{sign}{wrong}/{asked}", title=worst), tone=kind)


def _hints(hints: Sequence[dict[str, Any]]) -> Markup | None:
    if not hints:
        return None
    rows = [Row([one["hint"], Cell(str(one["count"]), one["count"])]) for one in hints]
    return join(h("h2", "What it looks like"), table("Hints", ["hint", "cases"], rows, quiet=True))


def _case(case: dict[str, Any]) -> Markup:
    given = "nothing" if case["given"] is None else h("code", case["given"])
    rows = [
        Row(["given", given]),
        Row(["true", h("code", true_text(case["true"]))]),
        Row(["off", f"relative {in_short(case['relative'])}, {in_short(case['ulps'])} ulps"]),
        Row(["why", "; ".join(filter(None, (case["reason"], case["hint"])))]),
    ]
    grid = table(
        f"Case {case['id']}", ["part", "answer"], rows, words=True, sortable=False, quiet=True
    )
    return join(h("h3", h("code", case["id"])), grid)


def _stale(stale: Sequence[dict[str, Any]]) -> Markup | None:
    if not stale:
        return None
    rows = [Row([h("code", one["pattern"]), one["reason"]]) for one in stale]
    return join(
        h("h2", "Stale expected failures"),
        table("Lines that nothing needs", ["line", "why"], rows, words=True, quiet=True),
    )
