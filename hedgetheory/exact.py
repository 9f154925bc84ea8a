"""Exact rationals from text, and the numbers that leave the toolkit: each says how sure it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Rational
from typing import Literal, TypeAlias

from hedgetheory.errors import InputError

#: Bounds on numbers that come from outside, so that text cannot hang the process.
MAX_DIGITS = 1000
MAX_EXPONENT = 5000
#: Rational bounds of a number are given up to this decimal exponent.
MAX_SCALE = 1_000_000

Guarantee = Literal["exact", "certified", "estimated"]
RealInput: TypeAlias = "int | float | str | Fraction | Decimal | Rational"

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)


def rational(value: RealInput, name: str = "value") -> Fraction:
    """The exact rational that ``value`` denotes.

    A string is read as text (``"7.3"`` is 73/10, ``"1/3"`` one third); a float denotes its exact
    binary64 value. At most 1,000 digits and decimal exponents up to 5,000 in size.

    Raises InputError for NaN, infinities and text that is not a number.

    >>> rational("7.3"), rational("1/3"), rational(0.5)
    (Fraction(73, 10), Fraction(1, 3), Fraction(1, 2))
    """
    if isinstance(value, bool):
        raise InputError(f"{name}={value}, but must be a real number, not a truth value")
    if isinstance(value, (Integral, Rational)):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, str):
        return _rational_from_text(value, name)
    try:
        return Fraction(value)
    except (ValueError, OverflowError):
        raise InputError(f"{name}={value}, but must be a finite real number") from None
    except TypeError:
        raise InputError(
            f"{name}={value!r}, but must be an int, float, Fraction, Decimal or numeric text"
        ) from None


def _rational_from_text(text: str, name: str) -> Fraction:
    parts = text.strip().split("/")
    shown = text if len(text) <= 40 else text[:37] + "..."
    shown = shown if shown.isprintable() else ascii(shown)[1:-1]
    if len(parts) > 2 or not all(_NUMBER.fullmatch(part.strip()) for part in parts):
        raise InputError(f"{name}={shown}, but must be a finite decimal or a ratio such as 1/3")
    values = []
    for part in parts:
        mantissa, _, exponent = part.strip().lower().partition("e")
        if len(mantissa) > MAX_DIGITS or abs(int(exponent or "0")) > MAX_EXPONENT:
            raise InputError(
                f"{name}={shown} is too long: at most {MAX_DIGITS} digits "
                f"and exponents up to {MAX_EXPONENT}"
            )
        values.append(Fraction(part.strip()))
    if len(values) == 2 and values[1] == 0:
        raise InputError(f"{name}={shown} divides by zero")
    return values[0] if len(values) == 1 else values[0] / values[1]


def short(value: Fraction) -> str:
    """A rational as people write it: an integer, a short decimal, or a ratio.

    >>> short(Fraction(73, 10)), short(Fraction(1, 3)), short(Fraction(4))
    ('7.3', '1/3', '4')
    """
    if value.denominator == 1:
        return _ratio(value)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1 and value.denominator <= 10**12:
        text = f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
        if Fraction(text) == value:
            return text
    return _ratio(value)


@dataclass(frozen=True, slots=True)
class Number:
    """A mathematical value with its guarantee; build it with the class methods.

    ``exact`` carries a ``fraction`` or an ``infinite`` sign, ``certified`` and ``estimated`` the
    integers of |x − mid·10^exp10| ≤ rad·10^exp10 (rad = 0 and no promise when estimated), and an
    undefined value its ``reason``.
    """

    guarantee: Guarantee
    fraction: Fraction | None = None
    mid: int = 0
    rad: int = 0
    exp10: int = 0
    infinite: int = 0
    reason: str = ""

    @classmethod
    def exact(cls, value: Fraction | int) -> Number:
        return cls("exact", fraction=Fraction(value))

    @classmethod
    def infinity(cls, sign: int = 1) -> Number:
        return cls("exact", infinite=sign)

    @classmethod
    def undefined(cls, reason: str) -> Number:
        return cls("exact", reason=reason)

    @classmethod
    def ball(cls, mid: int, rad: int, exp10: int) -> Number:
        return cls("certified", mid=mid, rad=rad, exp10=exp10)

    @classmethod
    def estimate(cls, value: float) -> Number:
        sign, digits, exponent = Decimal(repr(float(value))).as_tuple()
        if not isinstance(exponent, int):
            raise InputError(f"an estimate must be finite, not {value}")
        mid = int("".join(map(str, digits)))
        return cls("estimated", mid=-mid if sign else mid, exp10=exponent)

    @property
    def is_undefined(self) -> bool:
        return bool(self.reason)

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Rational lower and upper bounds of a finite value (mind a huge exp10)."""
        if self.fraction is not None:
            return self.fraction, self.fraction
        if self.infinite or self.reason:
            raise InputError(f"{self} has no finite bounds")
        if abs(self.exp10) > MAX_SCALE:
            raise InputError(f"{self} has bounds too long to write as rationals")
        scale = Fraction(10) ** self.exp10
        return (self.mid - self.rad) * scale, (self.mid + self.rad) * scale

    def __float__(self) -> float:
        if self.reason:
            return float("nan")
        if self.infinite:
            return self.infinite * float("inf")
        if self.fraction is not None:
            try:
                return float(self.fraction)
            except OverflowError:
                return float("inf") if self.fraction > 0 else float("-inf")
        return float(f"{Decimal(self.mid)}e{self.exp10}")

    def decimal(self, digits: int) -> tuple[str, str]:
        """``(decimal, rad)`` with |x − decimal| ≤ rad, the rounding to ``digits`` included."""
        if self.infinite:
            return ("inf" if self.infinite > 0 else "-inf"), "0"
        if self.fraction is not None:
            mid, rad, exp10 = _decimal_ball(self.fraction, digits)
        else:
            mid, rad, exp10 = self.mid, self.rad, self.exp10
        drop = len(_text(mid)) - digits
        if drop > 0:
            unit = 10**drop
            rounded = (2 * mid + unit) // (2 * unit)
            rad += abs(mid - rounded * unit)
            return _place(rounded, exp10 + drop), _round_up(rad, exp10)
        return _place(mid * 10**-drop if mid else 0, exp10 + drop if mid else 0), _round_up(
            rad, exp10
        )

    def to_json(self, digits: int) -> dict[str, str] | None:
        """The number object of the command-line contract; None where undefined."""
        if self.reason:
            return None
        decimal, rad = self.decimal(digits)
        entry = {"decimal": decimal, "rad": rad, "guarantee": str(self.guarantee)}
        if self.fraction is not None:
            entry["rational"] = _ratio(self.fraction)
        return entry

    def __str__(self) -> str:
        if self.reason:
            return f"undefined: {self.reason}"
        decimal, rad = self.decimal(20)
        if self.guarantee == "certified":
            return f"{decimal} ± {rad}"
        if self.guarantee == "exact":
            return f"{_ratio(self.fraction)} exactly" if self.fraction is not None else decimal
        return f"{decimal} (estimated)"


def _text(value: int) -> str:
    """The digits of |value|, of which ``str`` refuses more than 4,300."""
    return str(Decimal(abs(value)))


def _ratio(value: Fraction) -> str:
    """``str(value)`` at any length."""
    top, bottom = Decimal(value.numerator), Decimal(value.denominator)
    return f"{top}" if bottom == 1 else f"{top}/{bottom}"


def _decimal_ball(value: Fraction, digits: int) -> tuple[int, int, int]:
    """A decimal ball around a rational, a few digits wider than asked; rad 0 where it is exact."""
    if value == 0:
        return 0, 0, 0
    size = len(_text(value.numerator)) - len(_text(value.denominator))
    exp10 = min(0, size - digits - 5)
    scaled = value / Fraction(10) ** exp10
    mid = scaled.numerator // scaled.denominator
    return mid, int(mid != scaled), exp10


def _place(mid: int, exp10: int) -> str:
    """``mid·10^exp10`` as plain text where it is short, in scientific notation otherwise."""
    sign = "-" if mid < 0 else ""
    text = _text(mid)
    point = len(text) + exp10
    if mid == 0:
        return "0"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{text}"
    if 0 < point <= len(text):
        return f"{sign}{text[:point]}" + (f".{text[point:]}" if point < len(text) else "")
    if len(text) < point <= 21:
        return sign + text + "0" * exp10
    tail = f".{text[1:]}" if len(text) > 1 else ""
    return f"{sign}{text[0]}{tail}e{point - 1}"


def _round_up(rad: int, exp10: int) -> str:
    """An upper bound of ``rad·10^exp10`` with two significant digits."""
    if rad == 0:
        return "0"
    drop = max(len(_text(rad)) - 2, 0)
    # 99.1 rounds up to 100, which is again two digits and a power of ten.
    lead = -(-rad // 10**drop)
    point = exp10 + drop + len(str(lead)) - 1
    tail = str(lead)[1:].rstrip("0") if lead >= 10 else ""
    return f"{str(lead)[0]}{'.' + tail if tail else ''}e{point}"
