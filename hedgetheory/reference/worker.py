"""``python -m hedgetheory.reference.worker module:function``: a function as a live program.

It speaks the protocol of `hedgetheory.reference.drivers`; what the function prints goes to the
error output, where it disturbs nothing.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import IO, Any

from hedgetheory.reference.answers import NOT_SUPPORTED
from hedgetheory.reference.drivers import PROTOCOL

Function = Callable[[dict[str, Any]], object]


def load(name: str) -> Function:
    """The function ``module:function``; the module is imported, as the user asked."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    function: Function = found
    return function


def written(value: object) -> str:
    """A returned value as an answer: floats exactly, in hexadecimal.

    >>> written(0.5), written(Fraction(3, 4)), written(None)
    ('0x1.0000000000000p-1', '3/4', 'not supported')
    """
    if value is None:
        return NOT_SUPPORTED
    if isinstance(value, (bool, complex)):
        raise TypeError(f"the function returned {value!r}, but a real number is wanted")
    if isinstance(value, (str, int, Fraction, Decimal)):
        return str(value)
    if isinstance(value, float):
        return float.hex(value)
    # numpy's scalars and arrays of one element are doubles; any other number is known by its text.
    if type(value).__module__.partition(".")[0] == "numpy":
        return float.hex(float(value))  # type: ignore[arg-type]
    return str(value)


def reply(function: Function, case: Mapping[str, Any]) -> dict[str, str]:
    """The line that answers a case: its value, or what the function raised."""
    try:
        return {"id": case["id"], "value": written(function(dict(case)))}
    except NotImplementedError:
        return {"id": case["id"], "value": NOT_SUPPORTED}
    except Exception as error:  # whatever somebody's function raises is its answer
        return {"id": case["id"], "error": f"{type(error).__name__}: {error}"[:500]}


def serve(function: Function, name: str, source: IO[str], target: IO[str]) -> None:
    """Answer line by line until the input ends."""
    hello = json.loads(source.readline())
    if hello.get("protocol") != PROTOCOL:
        raise SystemExit(f"this speaks {PROTOCOL}, not {hello.get('protocol')}")
    print(json.dumps({"protocol": PROTOCOL, "implementation": name}), file=target, flush=True)
    for line in source:
        print(json.dumps(reply(function, json.loads(line))), file=target, flush=True)


def main(argv: list[str]) -> None:
    answers = sys.stdout
    sys.stdout = sys.stderr
    serve(load(argv[0]), argv[0], sys.stdin, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
