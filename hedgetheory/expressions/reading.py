"""Text from outside, read through Python's ``ast`` with a whitelist and never evaluated.

``read`` turns text into a small tree of numbers, names, calls, tables, sums, products, powers and
comparisons, with every bound checked before the parser sees the text. sympy is not needed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from hedgetheory.errors import InputError
from hedgetheory.exact import rational

if TYPE_CHECKING:
    pass

MAX_CHARACTERS = 4096
MAX_DEPTH = 64
MAX_OPERATORS = 1000
#: Size of a folded constant: numerator and denominator together, and log2 of an irrational one.
#: Below the 4,300 digits that Python prints.
MAX_BITS = 14_000
#: Size of an exponent, and of the degree that nested powers reach together.
MAX_POWER = 10_000


@dataclass(frozen=True, slots=True)
class Value:
    """A number, exactly as written."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``name(arguments, named=...)``; no name is given twice."""

    name: str
    arguments: tuple[Node, ...]
    named: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``{key: value, ...}``."""

    items: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms with their signs; a negative is a sum of one term."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors, each with exponent 1 or −1."""

    factors: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """``base ** exponent``."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    """``first < a <= b ...``: what is compared, and each further operand with its operator."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


Node: TypeAlias = "Value | Name | Call | Table | Sum | Product | Power | Comparison"


def shown(text: str) -> str:
    """The text as it may stand in a one-line message: printable ASCII, at most 60 characters.

    >>> shown("a\\nb")
    'a\\\\nb'
    """
    escaped = ascii(text[:61])[1:-1]
    return escaped if len(text) <= 60 and len(escaped) <= 60 else escaped[:57] + "..."


# Reading ------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"(?P<space> +)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|<=|>=|[-+*/<>])"
    r"|(?P<open>[({])"
    r"|(?P<close>[)}])"
    r"|(?P<mark>[,:=])",
    re.ASCII,
)
_WORD = re.compile(r"[\w.]+", re.ASCII)
WHITESPACE = str.maketrans("\t\r\n", "   ")
_HINTS = {
    "^": ": write ** for a power",
    "#": ": comments are refused",
    "_": ": names start with a letter",
    "[": ": only round brackets, and braces for a table",
    '"': ": names stand without quotes",
    "'": ": names stand without quotes",
    "%": ": write 0.05 for 5 percent",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def read(text: str, what: str = "text") -> Node:
    """The tree of ``text``, whose role (``"law"``, ``"gold"``) ``what`` names in messages.

    At most 4,096 ASCII characters, depth 64 (brackets, signs and right-nested powers together),
    1,000 operators, 1,000 digits and decimal exponents up to 5,000 in a number. Decimals are exact.

    Raises InputError, with one line, for everything else.

    >>> read("7.3")
    Value(value=Fraction(73, 10))
    >>> read("bon(n=3)", "policy")
    Call(name='bon', arguments=(), named=(('n', Value(value=Fraction(3, 1))),))
    """
    if not isinstance(text, str):
        raise InputError(f"{what} must be text, not {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{what} is too long: {len(text)} characters, at most {MAX_CHARACTERS} [{shown(text)}]"
        )
    if not text.isascii():
        raise InputError(f"{what} may contain ASCII characters only [{shown(text)}]")
    text = text.translate(WHITESPACE).strip(" ")
    if not text:
        raise InputError(f"{what} is empty")
    reader = _Reader(text, what)
    reader.scan()
    try:
        return reader.convert(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise reader.refuse(f"is not well formed near column {error.offset}") from None
    except (RecursionError, MemoryError):
        raise reader.refuse("is nested too deeply") from None


class _Reader:
    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.what = what
        self.numbers: dict[int, Fraction] = {}

    def refuse(self, why: str) -> InputError:
        return InputError(f"{self.what} {why} [{shown(self.text)}]")

    def scan(self) -> None:
        """Check characters, numbers, depth and length before the parser sees the text."""
        position = operators = depth = 0
        pending = [0]  # for each open bracket: the signs and powers nested to the right so far
        operand = False  # whether the last token ends an operand, so that a sign is binary
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None:
                raise self.unexpected(position)
            kind, lexeme = match.lastgroup, match.group()
            if kind == "number":
                self.numbers[position] = rational(lexeme, f"{self.what}: number")
            elif kind == "open":
                pending.append(0)
                depth += 1
            elif kind == "close" and len(pending) > 1:
                depth -= 1 + pending.pop()
            elif kind == "operator":
                operators += 1
            if kind == "operator" and (lexeme == "**" or not operand):
                pending[-1] += 1
                depth += 1
            elif kind in {"operator", "mark"}:
                depth -= pending[-1]
                pending[-1] = 0
            if depth > MAX_DEPTH:
                raise self.refuse(f"is nested too deeply: at most {MAX_DEPTH} levels")
            if kind != "space":
                operand = kind in {"number", "name", "close"}
            position = match.end()
        if operators > MAX_OPERATORS:
            raise self.refuse(f"has {operators} operators: at most {MAX_OPERATORS}")

    def unexpected(self, position: int) -> InputError:
        character = self.text[position]
        word = _WORD.match(self.text, position)
        if word and (character.isdigit() or character == "."):
            return self.refuse(f"has {shown(word.group())} at column {position + 1}: not a number")
        return self.refuse(
            f"has an unexpected {character!a} at column {position + 1}" + _HINTS.get(character, "")
        )

    def convert(self, node: ast.expr) -> Node:
        match node:
            case ast.Constant() if node.col_offset in self.numbers:
                return Value(self.numbers[node.col_offset])
            case ast.Name():
                return Name(node.id)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.convert(node.operand)
            case ast.UnaryOp(op=ast.USub()):
                return Sum(((-1, self.convert(node.operand)),))
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return Sum(tuple(self.chain(node, ast.Add, ast.Sub)))
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return Product(tuple(self.chain(node, ast.Mult, ast.Div)))
            case ast.BinOp(op=ast.Pow()):
                return Power(self.convert(node.left), self.convert(node.right))
            case ast.Compare() if all(type(op) in _COMPARISONS for op in node.ops):
                rest = zip(node.ops, node.comparators, strict=True)
                return Comparison(
                    self.convert(node.left),
                    tuple((_COMPARISONS[type(op)], self.convert(right)) for op, right in rest),
                )
            case ast.Call(func=ast.Name(id=name)):
                return self.call(name, node)
            case ast.Dict():
                return self.table(node)
        raise self.refuse(f"may not contain {_DESCRIPTIONS.get(type(node), 'this construct')}")

    def chain(
        self, node: ast.expr, plus: type[ast.operator], minus: type[ast.operator]
    ) -> Iterable[tuple[int, Node]]:
        """The operands of a chain such as a − b + c, which nests on the left, without recursion."""
        parts: list[tuple[int, Node]] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, (plus, minus)):
            parts.append((1 if isinstance(node.op, plus) else -1, self.convert(node.right)))
            node = node.left
        parts.append((1, self.convert(node)))
        return reversed(parts)

    def call(self, name: str, node: ast.Call) -> Call:
        named: dict[str, Node] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.refuse("may not contain ** unpacking")
            if keyword.arg in named:
                raise self.refuse(f"gives the argument {shown(keyword.arg)} twice")
            named[keyword.arg] = self.convert(keyword.value)
        return Call(name, tuple(map(self.convert, node.args)), tuple(named.items()))

    def table(self, node: ast.Dict) -> Table:
        items = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise self.refuse("may not contain ** unpacking")
            items.append((self.convert(key), self.convert(value)))
        return Table(tuple(items))


_DESCRIPTIONS: dict[type[ast.expr], str] = {
    ast.Constant: "True, False, None or text",
    ast.Starred: "a star",
    ast.Tuple: "a tuple",
    ast.Set: "a set",
    ast.IfExp: "if: write where(u < 1/2, a, b)",
    ast.BoolOp: "and or or: write where(0.2 < u < 0.4, a, b)",
    ast.Compare: "a comparison other than < <= > >=",
    ast.UnaryOp: "not",
    ast.Lambda: "lambda",
    ast.NamedExpr: "an assignment",
    ast.DictComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Call: "a call of anything but a name",
}


def bits(value: Fraction) -> int:
    """The size of a rational in bits, numerator and denominator together."""
    return value.numerator.bit_length() + value.denominator.bit_length()


def exact_value(node: Node) -> Fraction | None:
    """The rational that a tree of numbers, + - * / and integer powers denotes; None for others.

    Raises InputError for a division by zero and for a result above 14,000 bits.

    >>> exact_value(read("1/3 - 2**-2"))
    Fraction(1, 12)
    """
    match node:
        case Value():
            return node.value
        case Sum():
            total = Fraction(0)
            for sign, term in node.terms:
                value = exact_value(term)
                if value is None:
                    return None
                total = bounded(total + sign * value)
            return total
        case Product():
            total = Fraction(1)
            for exponent, factor in node.factors:
                value = exact_value(factor)
                if value is None:
                    return None
                if exponent < 0 and value == 0:
                    raise InputError("divides by zero")
                total = bounded(total * value**exponent)
            return total
        case Power():
            base, power = exact_value(node.base), exact_value(node.exponent)
            if base is None or power is None or power.denominator != 1:
                return None
            if abs(power) > MAX_POWER:
                raise too_large()
            return rational_power(base, power)
    return None


def too_large() -> InputError:
    return InputError(f"has a number too large: at most {MAX_BITS} bits")


def bounded(value: Fraction) -> Fraction:
    if bits(value) > MAX_BITS:
        raise too_large()
    return value


def rational_power(base: Fraction, power: Fraction) -> Fraction:
    """base ** power for a whole power."""
    if base == 0 and power < 0:
        raise InputError("divides by zero")
    least = (base.numerator.bit_length() - 1, base.denominator.bit_length() - 1)
    if sum(least) * abs(power) > MAX_BITS:
        raise too_large()
    return bounded(Fraction(base**power.numerator))
