"""The table ``functions``: values of functions that related systems define, at given arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from hedgetheory.designs.model import Function
from hedgetheory.designs.systems import SYSTEMS
from hedgetheory.errors import InputError
from hedgetheory.exact import Number, short
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Closed
from hedgetheory.reference.cases import DIGITS
from hedgetheory.reference.compute import shortened
from hedgetheory.reference.cross import REQUIRED, WORKING, Disagreement, agreement, as_fraction
from hedgetheory.reference.functions.arguments import ARGUMENTS
from hedgetheory.reference.functions.second import SECOND
from hedgetheory.reference.model import Case, Check, Json, number_to_json, rounded

TABLES = {
    "functions": {
        "formula": "function(arguments), as `hedgetheory list designs --json` says of each",
        "units": "those of the function; nats for k3 and divergences",
        "assumptions": "arguments exactly as given; undefined where the function has no value, as "
        "0/0 has none",
    }
}
#: A longer list of arguments has a label in its id.
MAX_ID = 160

Exact: TypeAlias = "Fraction | tuple[Fraction, ...]"
Arguments: TypeAlias = Mapping[str, Exact]


def definition(table: str) -> dict[str, str]:
    """What the values of the table are."""
    source = "the systems' papers, as hedgetheory.designs states them"
    return {"quantity": table, **TABLES[table], "source": source}


def cases(table: str) -> list[Case]:
    """Every case of the table. Raises Disagreement where the second method gives another value."""
    return [
        case_of(design, function, arguments, label)
        for design, function in functions()
        for arguments, label in asked(function.name)
    ]


def functions() -> Iterator[tuple[str, Function]]:
    """(id of the system, function) of all that systems define."""
    for system in SYSTEMS:
        for function in system.functions:
            yield system.id, function


def asked(name: str) -> Iterator[tuple[Arguments, str]]:
    """The exact arguments of the cases of a function, each with a text for its id."""
    for given, label in ARGUMENTS[name]:
        arguments: dict[str, Exact] = {
            key: Fraction(value) if isinstance(value, str) else tuple(map(Fraction, value))
            for key, value in given.items()
        }
        text = label or ",".join(f"{key}={_said(value)}" for key, value in arguments.items())
        if len(text) > MAX_ID:
            raise InputError(f"arguments of {name} of {len(text)} characters need a label")
        yield arguments, text


def case_of(design: str, function: Function, arguments: Arguments, text: str) -> Case:
    """One case, its value compared with that of the second method."""
    value = value_of(function, arguments)
    inputs: dict[str, Json] = {
        "function": function.name,
        "arguments": {key: _json(value) for key, value in arguments.items()},
    }
    return Case(
        f"function:{function.name}:{text}",
        inputs,
        value,
        rounded(value),
        checked(function.name, arguments, value),
        (*_tags(arguments, value), f"design:{design}"),
    )


def value_of(function: Function, arguments: Arguments) -> Number:
    """The exact or certified value; undefined where the function refuses the arguments."""
    try:
        constant = function.value(*(arguments[name] for name in function.arguments))
    except InputError as error:
        return Number.undefined(str(error))
    return shortened(number(Closed(constant), DIGITS), DIGITS)


def checked(name: str, arguments: Arguments, value: Number) -> Check:
    """How the second method agrees. Raises Disagreement where it does not to 20 digits."""
    method, function = SECOND[name]
    other = function(**arguments)
    if other is None or value.is_undefined:
        if other is None and value.is_undefined:
            return Check(method)
        raise Disagreement(f"{name}: {value} and {other} by the second method")
    exactly = other if isinstance(other, (int, Fraction)) else as_fraction(other)
    if value.fraction is not None and isinstance(other, (int, Fraction)):
        if value.fraction != exactly:
            raise Disagreement(f"{name}: {value} and {exactly} by the second method")
        return Check(method, WORKING)
    digits = agreement(value, Fraction(exactly))
    if digits < REQUIRED:
        raise Disagreement(f"{name}: {value} and {other} by the second method: {digits} digits")
    return Check(method, digits)


def _tags(arguments: Arguments, value: Number) -> tuple[str, ...]:
    """How hard a case is: by the reach of its numbers, as of every other case, and its ties."""
    lists = [list(x) for x in arguments.values() if isinstance(x, tuple)]
    numbers = [x for x in arguments.values() if isinstance(x, Fraction)]
    numbers += [x for row in lists for x in row]
    reach = max((_reach(x) for x in numbers), default=0)
    found = ["extreme" if reach > 19 else "hard" if reach > 8 or len(numbers) > 99 else "easy"]
    if value.is_undefined:
        found.append("undefined")
    if value.fraction == 0:
        found.append("zero")
    if any(len(set(row)) < len(row) for row in lists):
        found.append("tie")
    return tuple(found)


def _reach(x: Fraction) -> int:
    return max(abs(x.numerator).bit_length(), x.denominator.bit_length()) - 1


def _json(value: Exact) -> Json:
    return number_to_json(value) if isinstance(value, Fraction) else [*map(number_to_json, value)]


def _said(value: Exact | Sequence[Fraction]) -> str:
    if isinstance(value, Fraction):
        return short(value)
    return f"[{','.join(map(short, value))}]"


def named(name: str) -> Function:
    """The function of a name. Raises InputError for another."""
    for _, function in functions():
        if function.name == name:
            return function
    raise InputError(f"unknown function {name}")


__all__ = ["TABLES", "asked", "cases", "definition", "functions", "named", "value_of"]
