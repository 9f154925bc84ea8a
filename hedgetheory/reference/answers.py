"""What an implementation answered: text from outside, read exactly, within bounds.

An answer to a case is one of

- a finite number: a hexadecimal double ``"0x1.8p+1"`` (C's ``%a``, Python's ``float.hex``), decimal
  text ``"0.1"`` (exactly that number), a ratio ``"3/4"``, or a JSON number (the binary64 nearest
  to it, as every reader of JSON takes it);
- ``"inf"`` or ``"-inf"``; ``"nan"``, which says that the value is undefined;
- ``"not supported"`` or null: no answer.

A file of answers is one JSON object, case id → answer, or ``{"implementation": name, "answers":
{…}}``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from hedgetheory.errors import InputError
from hedgetheory.exact import rational

#: The longest file of answers, and the longest numeral (a ratio of two of 1,000 digits).
MAX_BYTES = 1 << 26
MAX_NUMERAL = 2100
#: Exponents of two: beyond those of every IEEE format, quadruple precision included.
MAX_BINARY_EXPONENT = 20_000
#: Of ten: a little beyond what the tables hold.
MAX_EXPONENT = 20_500
NOT_SUPPORTED = "not supported"
Kind: TypeAlias = Literal["finite", "infinite", "nan", "unsupported"]

_HEX = re.compile(
    r"(?P<sign>[+-]?)0x(?P<whole>[0-9a-f]{0,40})(\.(?P<part>[0-9a-f]{0,40}))?"
    r"(p(?P<exponent>[+-]?[0-9]{1,6}))?",
    re.ASCII,
)
_EXPONENT = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_WORDS: dict[str, tuple[Kind, int]] = {
    **dict.fromkeys(("inf", "+inf", "infinity", "+infinity"), ("infinite", 1)),
    **dict.fromkeys(("-inf", "-infinity"), ("infinite", -1)),
    **dict.fromkeys(("nan", "+nan", "-nan", "undefined"), ("nan", 0)),
    NOT_SUPPORTED: ("unsupported", 0),
}


class Numeral(str):
    """A JSON number by its text, so that none is too long to read or loses a digit."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: what kind, its exact ``value`` or ``sign``, and the text as ``given``."""

    kind: Kind
    given: str
    value: Fraction = Fraction(0)
    sign: int = 0


def parse_answer(given: object) -> Answer:
    """The answer that a JSON value denotes; a float (from a Python function) is its binary64 value.

    Raises InputError for anything that is not an answer.

    >>> parse_answer("0x1.8p+1").value, parse_answer("0.1").value, parse_answer("-inf").sign
    (Fraction(3, 1), Fraction(1, 10), -1)
    """
    if given is None:
        return Answer("unsupported", NOT_SUPPORTED)
    if isinstance(given, float):
        return parse_answer(float.hex(given))
    if isinstance(given, int) and not isinstance(given, bool):
        if given.bit_length() > 3 * MAX_NUMERAL:
            raise InputError("an integer too long to be an answer")
        return Answer("finite", str(given), Fraction(given))
    if not isinstance(given, str):
        raise InputError(f"a {_kind(given)}, but an answer is a number, text or null")
    if len(given) > MAX_NUMERAL:
        raise InputError(f"an answer of {len(given)} characters: at most {MAX_NUMERAL} are read")
    text = given.strip().lower()
    if text in _WORDS:
        kind, sign = _WORDS[text]
        return Answer(kind, given.strip(), sign=sign)
    if isinstance(given, Numeral):
        return parse_answer(float(text))
    if text.lstrip("+-").startswith("0x"):
        return Answer("finite", given.strip(), _hexadecimal(text))
    try:
        return Answer("finite", given.strip(), _decimal(text))
    except InputError as error:
        reason = str(error).partition(", but ")[2] or str(error).partition(" is ")[2]
        raise InputError(f"{_short(given)}: {reason or error}") from None


def _decimal(text: str) -> Fraction:
    """A decimal, or a ratio of two; exponents may reach as far as those of the tables."""
    mantissa, _, exponent = text.partition("e")
    if "/" in text or not _EXPONENT.fullmatch(exponent) or abs(int(exponent)) > MAX_EXPONENT:
        return rational(text)
    return rational(mantissa) * Fraction(10) ** int(exponent)


def _hexadecimal(text: str) -> Fraction:
    found = _HEX.fullmatch(text)
    digits = "" if found is None else found["whole"] + (found["part"] or "")
    exponent = 0 if found is None else int(found["exponent"] or 0)
    if found is None or not digits or abs(exponent) > MAX_BINARY_EXPONENT:
        raise InputError(f"{_short(text)}, but a hexadecimal double is such as 0x1.8p+1")
    scale = exponent - 4 * len(found["part"] or "")
    size = int(digits, 16) * Fraction(2) ** scale
    return -size if found["sign"] == "-" else size


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _kind(given: object) -> str:
    names = {dict: "object", list: "list", bool: "truth value"}
    return names.get(type(given), type(given).__name__)


def strict_json(text: bytes, what: str) -> Any:
    """JSON in UTF-8 with its numbers as `Numeral` and no name twice; InputError in one line."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
            raise InputError(f"{what}: {_short(twice)} is given twice")
        return found

    try:
        return json.loads(
            text.decode("utf-8-sig"),
            parse_float=Numeral,
            parse_int=Numeral,
            parse_constant=Numeral,
            object_pairs_hook=unique,
        )
    except InputError:
        raise
    except UnicodeDecodeError:
        raise InputError(f"{what} is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{what} is not JSON: {error.msg} at line {error.lineno}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{what} is not JSON that can be read: it nests too deeply") from None


def read_bounded(source: str, stdin: IO[bytes] | None = None, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file, ``-`` for ``stdin``; InputError where there are none or too many."""
    try:
        if source == "-" and stdin is not None:
            data = stdin.read(limit + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{source}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > limit:
        raise InputError(f"{source} is longer than the {limit:,} bytes that are read")
    return data


@dataclass(frozen=True)
class Submission:
    """Somebody's results: the answers by case id, and the implementation's name if given."""

    answers: Mapping[str, Answer]
    implementation: str = ""


def parse_submission(data: bytes, what: str) -> Submission:
    """A file of answers, its numbers read exactly.

    Raises InputError, in one line that names the file and the first thing wrong.

    >>> found = parse_submission(b'{"kl:bon(n=2)@uniform": "0x1.8bp-3"}', "results.json")
    >>> found.answers["kl:bon(n=2)@uniform"].value
    Fraction(395, 2048)
    """
    document = strict_json(data, what)
    name: object = ""
    if isinstance(document, dict) and isinstance(document.get("answers"), dict):
        name = document.get("implementation", "")
        surplus = set(document) - {"answers", "implementation"}
        if surplus or type(name) is not str:
            raise InputError(f"{what}: beside answers only implementation, a name, is read")
        document = document["answers"]
    if not isinstance(document, dict):
        raise InputError(f"{what} is not a JSON object of case id and answer")
    answers = {}
    for case_id, given in document.items():
        try:
            answers[case_id] = parse_answer(given)
        except InputError as error:
            raise InputError(f"{what}: {_short(case_id)}: {error}") from None
    return Submission(answers, str(name))
