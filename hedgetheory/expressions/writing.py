"""The canonical text of a tree that was read: the same tree is read from it again."""

from __future__ import annotations

from hedgetheory.exact import short
from hedgetheory.expressions.reading import (
    Call,
    Comparison,
    Name,
    Node,
    Power,
    Product,
    Sum,
    Table,
    Value,
)

#: How tightly a node binds: what binds less stands in brackets inside of it.
_COMPARE, _ADD, _MULTIPLY, _RAISE, _ATOM = range(5)


def written(node: Node) -> str:
    """One text for a tree, numbers and brackets in one style.

    >>> from hedgetheory.expressions.reading import read
    >>> written(read("6*r *(1-r)"))
    '6*r*(1 - r)'
    >>> written(read("exp(-r) / (r - 0.5) **2"))
    'exp(-r)/(r - 0.5)**2'
    """
    return _written(node)[0]


def _within(node: Node, least: int) -> str:
    text, binds = _written(node)
    return text if binds >= least else f"({text})"


def _written(node: Node) -> tuple[str, int]:
    match node:
        case Value():
            text = short(node.value)
            if node.value < 0:
                return text, _ADD
            return text, _MULTIPLY if "/" in text else _ATOM
        case Name():
            return node.name, _ATOM
        case Call():
            inside = [_within(part, _COMPARE) for part in node.arguments]
            inside += [f"{name}={_within(part, _COMPARE)}" for name, part in node.named]
            return f"{node.name}({', '.join(inside)})", _ATOM
        case Table():
            pairs = (f"{_within(k, _COMPARE)}: {_within(v, _COMPARE)}" for k, v in node.items)
            return f"{{{', '.join(pairs)}}}", _ATOM
        case Sum():
            text = ""
            for sign, term in node.terms:
                mark = (" - " if sign < 0 else " + ") if text else ("-" if sign < 0 else "")
                text += mark + _within(term, _MULTIPLY)
            return text, _ADD
        case Product():
            text, binds = "", _MULTIPLY
            for power, factor in node.factors:
                if not text and power > 0 and isinstance(factor, Sum) and len(factor.terms) == 1:
                    # -a/2 is read as (-a)/2.
                    text, binds = f"-{_within(factor.terms[0][1], _RAISE)}", _ADD
                    continue
                mark = ("/" if power < 0 else "*") if text else ("1/" if power < 0 else "")
                # A leading 1/3 needs no brackets, and would lose them when it is read again.
                least = _MULTIPLY if not text and isinstance(factor, Value) else _RAISE
                text += mark + _within(factor, least)
            return text, binds
        case Power():
            return f"{_within(node.base, _ATOM)}**{_within(node.exponent, _ATOM)}", _RAISE
        case Comparison():
            text = _within(node.first, _ADD)
            for symbol, part in node.rest:
                text += f" {symbol} {_within(part, _ADD)}"
            return text, _COMPARE
