"""Text for people: one-line messages, numbers, plain tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hedgetheory.exact import Number

#: The longest message; what is longer came from the input.
LONGEST = 1000
#: A rational longer than this is shown by its decimal alone.
LONGEST_RATIONAL = 40


def printable(text: str) -> str:
    """``text`` on one line, with what would move the cursor or change colours spelled out.

    >>> printable("a\\n\\x1b[31mb")
    'a \\\\x1b[31mb'
    """
    spaced = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spaced)


def one_line(message: str) -> str:
    line = printable(message)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def shown(number: Number, digits: int) -> str:
    """A number as people read it, with how sure it is.

    >>> from fractions import Fraction
    >>> from hedgetheory.exact import Number
    >>> shown(Number.exact(Fraction(1, 3)), 6)
    '1/3 exactly (about 0.333333)'
    >>> shown(Number.exact(Fraction(3, 4)), 6)
    '3/4 exactly (0.75)'
    """
    if number.is_undefined:
        return f"undefined: {number.reason}"
    decimal, rad = number.decimal(digits)
    if number.fraction is not None:
        rational = str(number.fraction)
        if number.fraction.denominator == 1 and len(rational) <= LONGEST_RATIONAL:
            return f"{rational} exactly"
        plain = rad == "0" and "." in decimal and "e" not in decimal
        text = decimal.rstrip("0").rstrip(".") if plain else decimal
        about = text if rad == "0" else f"about {text}"
        if len(rational) > LONGEST_RATIONAL:
            return f"{about}, an exact rational"
        return f"{rational} exactly ({about})"
    if number.guarantee == "exact":
        return f"{decimal} exactly"
    return f"{decimal} ± {rad} {number.guarantee}"


def real(value: float | str | None) -> str:
    """A statistic for people: five digits, - where it is undefined.

    >>> real(0.1234567), real(3), real(None)
    ('0.12346', '3', '-')
    """
    return "-" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


_FAMILIES = {
    "bon": "Best-of-n",
    "bop": "Best-of-Poisson",
    "tilt": "the tilt",
    "quantile_tilt": "the quantile tilt",
}
_SYMBOLS = {"mu": "μ", "lam": "λ"}


def family_name(spec: str) -> str:
    """A family as people call it, where it has such a name.

    >>> family_name("bon"), family_name("sbon(n=16)")
    ('Best-of-n', 'sbon(n=16)')
    """
    return _FAMILIES.get(spec, spec)


def symbol_name(symbol: str) -> str:
    """A parameter as people write it.

    >>> symbol_name("lam"), symbol_name("n")
    ('λ', 'n')
    """
    return _SYMBOLS.get(symbol, symbol)


def witness_text(witness: object) -> str:
    """What shows a hypothesis to hold or not, in words.

    >>> witness_text({"count": 1, "changes at": ["12/13"], "between": []})
    'count 1, changes at 12/13'
    """
    if isinstance(witness, dict):
        said = {name: value for name, value in witness.items() if value not in ([], None)}
        return ", ".join(f"{name} {witness_text(value)}" for name, value in said.items())
    if isinstance(witness, list):
        return "; ".join(map(witness_text, witness))
    return "" if witness is None else str(witness)


@dataclass(frozen=True)
class Grid:
    """A table: headers and rows of text."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def plain(self) -> Iterable[str]:
        """Aligned columns, two blanks apart, with nothing but text."""
        table = [self.headers, *self.rows]
        widths = [max(len(row[k]) for row in table) for k in range(len(self.headers))]
        for row in table:
            yield "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
