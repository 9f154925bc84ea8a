"""A page put together: its head with the policy that forbids all loading, header, main, footer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from hedgetheory.cli.pages.markup import Child, Markup, h, join
from hedgetheory.cli.pages.script import SCRIPT
from hedgetheory.cli.pages.style import COLOURS, STYLE

Tone = Literal["good", "bad", "open", "plain"]
#: A sign beside the word, so that a verdict does not rest on colour.
_SIGNS: dict[Tone, str] = {"good": "✓", "bad": "✗", "open": "?", "plain": "·"}
VERDICTS: dict[str, Tone] = {
    **dict.fromkeys(("proved", "certified", "exact", "pass"), "good"),
    **dict.fromkeys(("refuted", "mismatch", "failed"), "bad"),
    **dict.fromkeys(("undecided", "supported", "estimated"), "open"),
}


def page(title: str, *main: Child, footer: Child, subject: str = "report") -> str:
    """The whole document. Only the style and the script that are in it may run: by their hashes."""
    policy = (
        f"default-src 'none'; style-src '{_hash(STYLE)}'; script-src '{_hash(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("meta", name="color-scheme", content="light dark"),
        *(
            h("meta", name="theme-color", content=colour, media=f"(prefers-color-scheme:{scheme})")
            for scheme, colour in zip(("light", "dark"), COLOURS["ground"], strict=True)
        ),
        h("title", title),
        h("style", Markup(STYLE)),
    )
    body = h(
        "body",
        h("a", "Skip to the report", href="#main", class_="skip"),
        "\n",
        h("header", h("span", f"hedgetheory {subject}"), _themes()),
        "\n",
        h("main", *main, id="main"),
        "\n",
        h("footer", footer),
        h("script", Markup(SCRIPT)),
    )
    return f"<!doctype html>\n{h('html', head, body, lang='en')}\n"


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _themes() -> Markup:
    choices = [("auto", "Auto"), ("light", "Light"), ("dark", "Dark")]
    return h(
        "fieldset",
        h("legend", "Theme"),
        *(
            h(
                "label",
                h("input", type="radio", name="theme", id=f"theme-{key}", checked=key == "auto"),
                name,
            )
            for key, name in choices
        ),
    )


# -- parts -----------------------------------------------------------------------------------------


def badge(verdict: str, tone: Tone | None = None) -> Markup:
    kind = tone or VERDICTS.get(verdict, "plain")
    return h("span", h("span", f"{_SIGNS[kind]} ", aria_hidden="true"), verdict,
             class_=f"badge {kind}")  # fmt: skip


def number(said: str) -> Markup:
    return h("span", said, class_="num")


@dataclass(frozen=True)
class Cell:
    """A cell with the number that it is sorted by; None sorts by its text."""

    said: Child
    value: float | None = None
    tone: str | None = None


@dataclass(frozen=True)
class Row:
    """Cells, the first of which names the row; ``more`` are attributes of the row."""

    cells: Sequence[Cell | Child]
    more: dict[str, str | int | None] | None = None


def table(
    caption: str,
    headers: Sequence[Child],
    rows: Iterable[Row],
    *,
    id_: str | None = None,
    words: bool = False,
    sortable: bool = True,
    quiet: bool = False,
) -> Markup:
    """A table that scrolls by itself where it is wide, by keyboard too.

    ``words``: of text, not of numbers; ``quiet``: a heading says already what the caption does.
    """
    wanted = (("words", words), ("sortable", sortable), ("quiet", quiet))
    kinds = " ".join(name for name, want in wanted if want)
    inside = h(
        "table",
        h("caption", h("span", caption)),
        h("thead", h("tr", *(h("th", header, scope="col") for header in headers))),
        h("tbody", *(_row(row) for row in rows)),
        class_=kinds or None,
        id=id_,
    )
    return h("div", inside, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _row(row: Row) -> Markup:
    cells = []
    for place, given in enumerate(row.cells):
        cell = given if isinstance(given, Cell) else Cell(given)
        value = None if cell.value is None else _javascript(float(cell.value))
        kind = "td" if place else "th"
        cells.append(h(kind, cell.said, scope=None if place else "row", data_v=value,
                       class_=cell.tone))  # fmt: skip
    return join(h("tr", *cells, **(row.more or {})), "\n")


def _javascript(value: float) -> str:
    return repr(value).replace("inf", "Infinity")


def keys(pairs: Iterable[tuple[str, Child, Child]]) -> Markup:
    """Numbers to find at a glance: each with its name, and what to know of it."""
    return h(
        "dl",
        *(
            h("div", h("dt", name), h("dd", said, note and h("small", note)))
            for name, said, note in pairs
        ),
        class_="keys",
    )


def bullets(items: Iterable[Child], class_: str | None = None) -> Markup:
    return h("ul", *(h("li", item) for item in items), class_=class_)


def reproduce(
    command: str,
    versions: Iterable[tuple[str, str]],
    inputs: Iterable[tuple[str, int, str]],
    note: str = "",
) -> Markup:
    """The command that makes this page again, and what it was made with."""
    made = [Row([name, f"{size:,}", number(digest)]) for name, size, digest in inputs]
    return join(
        h("h2", "Reproduce", id="reproduce"),
        h(
            "p",
            "This command writes this page again, byte for byte, from the same input and with "
            f"the same versions. {note}".rstrip(),
        ),
        h("pre", h("code", command, id="command")),
        h(
            "p",
            h(
                "button",
                "Copy the command",
                type="button",
                class_="copy",
                data_copies="command",
                hidden=True,
            ),
            h("span", role="status", class_="note"),
            class_="copying",
        ),
        table(
            "Input",
            ["input file", "bytes", "SHA-256 of the file"],
            made,
            words=True,
            sortable=False,
            quiet=True,
        )
        if made
        else None,
        h(
            "p",
            "Made with ",
            ", ".join(f"{name} {version}" for name, version in versions),
            ".",
            class_="note",
        ),
    )
