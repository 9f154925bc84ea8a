"""The one table of the related systems, for ``hedgetheory list designs`` and the README."""

from __future__ import annotations

from typing import Any

#: Columns of the table for people, and what each shows of an item.
HEADERS = ("name", "kind", "proved", "refuted", "effect on the threshold", "reference cases")
_MARKDOWN = ("system", "definition", *HEADERS[2:])


def items() -> list[dict[str, Any]]:
    """What each system is, its claims by verdict, and how many packaged reference cases it has."""
    from hedgetheory.designs.systems import SYSTEMS
    from hedgetheory.reference.tags import counts

    cases = counts("design")
    return [
        {
            **system.item(),
            "functions": [
                {"name": f.name, "arguments": list(f.arguments), "summary": f.summary}
                for f in system.functions
            ],
            "reference_cases": cases[system.id],
        }
        for system in SYSTEMS
    ]


def rows(found: list[dict[str, Any]]) -> list[list[str]]:
    """The cells under `HEADERS`: claims by their number, proved or certified and refuted."""
    return [[item["name"], item["kind"], *_counted(item)] for item in found]


def markdown(found: list[dict[str, Any]]) -> list[str]:
    """The lines of the table in Markdown, its ids as `verify --only` takes them."""
    body = [[f"{item['title']} (`{item['name']}`)", item["definition"], *_counted(item)]
            for item in found]  # fmt: skip
    return [
        _line(_MARKDOWN),
        "|" + "---|" * len(_MARKDOWN),
        *(_line([cell.replace("|", "\\|") for cell in row]) for row in body),
    ]


def _counted(item: dict[str, Any]) -> list[str]:
    return [
        str(len(item["proved"])),
        str(len(item["refuted"])),
        item["threshold"],
        str(item["reference_cases"]),
    ]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
