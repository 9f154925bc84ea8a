"""One reference value with its inputs, and its JSON: strict both ways, canonical, checksummed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isnan
from typing import Any, Literal

from hedgetheory.errors import InputError
from hedgetheory.exact import Number, rational
from hedgetheory.spec.grammar import Pairs, SpecCall, parse_family_spec, parse_spec

SCHEMA = "https://hedgetheory.org/schema/reference/1"
#: Bounds of what a table holds, so that reading one never takes long.
MAX_EXPONENT = 20_000
MAX_RATIONAL = 1_000
MAX_MANTISSA = 400

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_RATIO = re.compile(r"-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?", re.ASCII)

Json = Any


@dataclass(frozen=True, slots=True)
class Check:
    """The second method of a case and to how many significant digits it agrees.

    ``digits`` is None where agreement is not a matter of digits: the same rational, ∞ or reason.
    """

    method: str
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A value: a stable ``id``, JSON ``inputs``, the exact or certified ``value``.

    ``binary64`` is the correctly rounded double in hexadecimal (``inf`` where it overflows), None
    where the ball does not decide it. ``integer`` belongs to thresholds of Best-of-n: the
    candidates (n, f(n)) and the best of them.
    """

    id: str
    inputs: Mapping[str, Json]
    value: Number
    binary64: str | None
    check: Check
    tags: tuple[str, ...]
    integer: tuple[tuple[tuple[int, Number], ...], tuple[int, ...]] | None = None

    @property
    def double(self) -> float | None:
        """The correctly rounded double."""
        return None if self.binary64 is None else float.fromhex(self.binary64)

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Rational lower and upper bounds of a finite value."""
        return self.value.bounds

    def to_json(self) -> dict[str, Json]:
        entry: dict[str, Json] = {
            "id": self.id,
            "inputs": self.inputs,
            "value": value_to_json(self.value),
            "binary64": self.binary64,
            "check": {"method": self.check.method, "digits": self.check.digits},
            "tags": list(self.tags),
        }
        if self.integer is not None:
            candidates, best = self.integer
            entry["integer"] = {
                "candidates": [{"n": n, "value": value_to_json(v)} for n, v in candidates],
                "best": list(best),
            }
        return entry

    @classmethod
    def from_json(cls, entry: Json) -> Case:
        """The case of a JSON object. Raises InputError for anything that is not one."""
        optional = {"integer"} & set(_object(entry, "case"))
        _keys(entry, {"id", "inputs", "value", "binary64", "check", "tags"} | optional, "case")
        name = _string(entry["id"], "id")
        check = entry["check"]
        _keys(check, {"method", "digits"}, f"check of {name}")
        digits = check["digits"]
        if digits is not None:
            _whole(digits, "digits")
        double = entry["binary64"]
        if double is not None:
            parsed_double(_string(double, "binary64"))
        integer = None
        if optional:
            found = entry["integer"]
            _keys(found, {"candidates", "best"}, f"integer of {name}")
            candidates = _array(found["candidates"], "candidates")
            integer = (tuple(map(_candidate, candidates)), _wholes(found["best"]))
        return cls(
            name,
            _object(entry["inputs"], f"inputs of {name}"),
            value_from_json(entry["value"]),
            double,
            Check(_string(check["method"], "method"), digits),
            tuple(_string(tag, "tag") for tag in _array(entry["tags"], "tags")),
            integer,
        )


# -- values ----------------------------------------------------------------------------------------


def value_to_json(value: Number) -> dict[str, Json]:
    """A ball, a rational, an infinity or an undefined value as JSON.

    >>> value_to_json(Number.exact(Fraction(3, 4)))
    {'kind': 'rational', 'value': '3/4'}
    """
    if value.is_undefined:
        return {"kind": "undefined", "reason": value.reason}
    if value.infinite:
        return {"kind": "infinite", "sign": value.infinite}
    if value.fraction is not None:
        return {"kind": "rational", "value": str(value.fraction)}
    return {"kind": "ball", "mid": str(value.mid), "rad": str(value.rad), "exp10": value.exp10}


def value_from_json(entry: Json) -> Number:
    """The value of its JSON. Raises InputError for anything else, or for too long a number."""
    kind = _object(entry, "value").get("kind")
    if kind == "rational":
        _keys(entry, {"kind", "value"}, "value")
        return Number.exact(parsed_rational(entry["value"]))
    if kind == "infinite":
        _keys(entry, {"kind", "sign"}, "value")
        if entry["sign"] not in (1, -1) or isinstance(entry["sign"], bool):
            raise InputError("the sign of an infinite value must be 1 or -1")
        return Number.infinity(entry["sign"])
    if kind == "undefined":
        _keys(entry, {"kind", "reason"}, "value")
        return Number.undefined(_string(entry["reason"], "reason"))
    if kind != "ball":
        raise InputError("the kind of a value must be ball, rational, infinite or undefined")
    _keys(entry, {"kind", "mid", "rad", "exp10"}, "value")
    exponent = _whole(entry["exp10"], "exp10")
    if abs(exponent) > MAX_EXPONENT:
        raise InputError(f"exp10={exponent}, but must be at most {MAX_EXPONENT} in size")
    mid, rad = (_integer(entry[key], key) for key in ("mid", "rad"))
    if rad < 0:
        raise InputError("rad must be >= 0")
    return Number.ball(mid, rad, exponent)


def number_to_json(value: Fraction) -> dict[str, Json]:
    """An input: its rational, and the same number in binary64 where it is one.

    >>> number_to_json(Fraction(5)), number_to_json(Fraction(1, 3))["binary64"]
    ({'rational': '5', 'binary64': '0x1.4000000000000p+2'}, None)
    """
    double = _as_double(value)
    same = double is not None and Fraction(double) == value
    hexadecimal = double.hex() if same and double is not None else None
    return {"rational": str(value), "binary64": hexadecimal}


def number_from_json(entry: Json) -> Fraction:
    """The exact value of an input."""
    _keys(entry, {"rational", "binary64"}, "number")
    return parsed_rational(entry["rational"])


def rounded(value: Number) -> str | None:
    """The correctly rounded double as hexadecimal text, where the value decides it.

    Rounding to nearest, ties to even, is monotone: where both ends of the ball round alike, so
    does everything between.
    """
    if value.is_undefined:
        return None
    if value.infinite:
        return "inf" if value.infinite > 0 else "-inf"
    low, high = (_nearest(end) for end in value.bounds)
    return low if low == high else None


def parsed_double(text: str) -> float:
    """The double of its hexadecimal text. Raises InputError for anything else."""
    if text in ("inf", "-inf"):
        return float(text)
    try:
        double = float.fromhex(text)
    except (ValueError, OverflowError):
        raise InputError(f"binary64={text[:40]!r}, but must be a hexadecimal double") from None
    if isnan(double) or double.hex() != text:
        raise InputError(f"binary64={text[:40]!r}, but must be written as {double.hex()}")
    return double


def parsed_rational(text: Json) -> Fraction:
    """The exact rational of text ``p/q`` in lowest terms. Raises InputError for anything else."""
    text = _string(text, "rational")
    if len(text) > 2 * MAX_RATIONAL or not _RATIO.fullmatch(text):
        raise InputError(
            f"rational={text[:40]!r}, but must be p/q of at most {MAX_RATIONAL} digits"
        )
    return rational(text)


def _nearest(value: Fraction) -> str:
    double = _as_double(value)
    if double is None:
        return "inf" if value > 0 else "-inf"
    # −0.0 where a negative number underflows.
    return "-0x0.0p+0" if double == 0 and value < 0 else double.hex()


def _as_double(value: Fraction) -> float | None:
    """The nearest double, ties to even; None where it is infinite."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return None


# -- inputs ----------------------------------------------------------------------------------------


def spec_inputs(kind: str, text: str) -> dict[str, Json]:
    """Name, parameters and canonical text of a ``law``, ``joint`` model, ``policy`` or ``family``.

    A family has the parameters that it fixes.
    """
    field: Literal["law", "joint", "policy"] = "policy"
    if kind in ("law", "joint"):
        field = "law" if kind == "law" else "joint"
    prefix = "" if field == "policy" else f"{field}_"
    if kind == "family":
        call, canonical = parse_family_spec(text).spec, str(parse_family_spec(text))
    else:
        call = parse_spec(text, field)
        canonical = str(call)
    return {
        field: call.name,
        f"{prefix}parameters": _parameters(call),
        f"{field}_spec": canonical,
    }


def _parameters(call: SpecCall) -> dict[str, Json]:
    return {name: _argument(value) for name, value in call.arguments}


def _argument(value: Fraction | str | SpecCall | Pairs) -> Json:
    if isinstance(value, Fraction):
        return number_to_json(value)
    if isinstance(value, SpecCall):
        return {"name": value.name, "parameters": _parameters(value)}
    if isinstance(value, Pairs):
        return {"pairs": [[_argument(key), _argument(weight)] for key, weight in value.items]}
    return value


# -- text ------------------------------------------------------------------------------------------


def canonical(thing: Json) -> str:
    """Canonical JSON: sorted keys, no spaces, UTF-8; no NaN."""
    return json.dumps(
        thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def checksum(thing: Json) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(thing).encode()).hexdigest()


# -- what is refused -------------------------------------------------------------------------------


def _object(entry: Json, what: str) -> dict[str, Json]:
    if not isinstance(entry, dict):
        raise InputError(f"{what} must be a JSON object")
    return entry


def _array(entry: Json, what: str) -> list[Json]:
    if not isinstance(entry, list):
        raise InputError(f"{what} must be a JSON array")
    return entry


def _keys(entry: Json, expected: set[str], what: str) -> None:
    found = set(_object(entry, what))
    if found != expected:
        odd = ", ".join(sorted(map(str, found ^ expected)))[:200]
        raise InputError(f"{what} has missing or unknown fields: {odd}")


def _string(entry: Json, what: str) -> str:
    if not isinstance(entry, str):
        raise InputError(f"{what} must be text")
    return entry


def _whole(entry: Json, what: str) -> int:
    if isinstance(entry, bool) or not isinstance(entry, int):
        raise InputError(f"{what} must be a whole number")
    return entry


def _wholes(entry: Json) -> tuple[int, ...]:
    return tuple(_whole(each, "best") for each in _array(entry, "best"))


def _integer(entry: Json, what: str) -> int:
    text = _string(entry, what)
    if len(text) > MAX_MANTISSA or not _INTEGER.fullmatch(text):
        raise InputError(f"{what} must be an integer of at most {MAX_MANTISSA} digits")
    return int(text)


def _candidate(entry: Json) -> tuple[int, Number]:
    _keys(entry, {"n", "value"}, "candidate")
    return _whole(entry["n"], "n"), value_from_json(entry["value"])


def ids(cases: Sequence[Case]) -> list[str]:
    return [case.id for case in cases]
