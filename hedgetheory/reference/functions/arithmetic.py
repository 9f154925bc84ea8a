"""The arithmetic of second methods: exact rationals, and 120 digits that pay for what cancels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import mpmath

mp = mpmath.mp.clone()
mp.dps = 120

Rows = Sequence[Fraction]


def real(value: Fraction) -> Any:
    """A rational as an mpmath number."""
    return mp.mpf(value.numerator) / value.denominator


def total(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction(0))
