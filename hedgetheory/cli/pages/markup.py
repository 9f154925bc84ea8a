"""HTML that is built, not pasted: text is escaped wherever it goes, unless it was built here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias, Union

#: What goes into an element; None is left out.
Child: TypeAlias = Union["Markup", str, int, Iterable["Child"], None]
_VOID = frozenset(("meta", "input", "br", "link"))
#: Spelled with a capital in SVG, where spelling counts.
_CAPITALS = {"viewbox": "viewBox", "patternunits": "patternUnits"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(thing: object) -> str:
    """Escaped for HTML; a character that could hide or reorder others is spelled out.

    >>> text("<b>&\\u202e\\"")
    '&lt;b&gt;&amp;\\\\u202e&quot;'
    """
    said = str(thing)
    if not said.isprintable():
        said = "".join(c if c.isprintable() or c == "\n" else _spelled(c) for c in said)
    return escape(said, quote=True)


def _spelled(character: str) -> str:
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def join(*children: Child) -> Markup:
    """Children one after the other."""
    return Markup("".join(_pieces(children)))


def _pieces(child: Child) -> Iterable[str]:
    if child is None:
        return
    if isinstance(child, Markup):
        yield child
    elif isinstance(child, (str, int)):
        yield text(child)
    else:
        for one in child:
            yield from _pieces(one)


def h(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """An element; ``class_`` is class, ``aria_label`` is aria-label; False and None are left out.

    >>> h("p", "1 < 2", class_="a", hidden=True, title=None)
    '<p class="a" hidden>1 &lt; 2</p>'
    >>> h("td", h("code", "x&y"), data_v="<")
    '<td data-v="&lt;"><code>x&amp;y</code></td>'
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = join(*children)
    return Markup(f"<{name}{given}>" if name in _VOID else f"<{name}{given}>{inside}</{name}>")


def _attribute(key: str, value: str | int | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    name = _CAPITALS.get(name, name)
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(value)}"'
