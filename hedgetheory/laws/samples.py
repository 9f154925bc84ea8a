"""The empirical law of a sample of rewards."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hedgetheory.errors import InputError
from hedgetheory.laws.base import FiniteLaw

MAX_SAMPLES = 100_000
_CALL = "Samples.from_array"


class Samples(FiniteLaw):
    """The empirical law of up to 100,000 finite numbers: equal values share an atom.

    Each atom is the exact rational of its binary64 value, its mass count/size. Drawing n from it is
    drawing with replacement. Build it with `from_array`; two are equal when their values are.

    >>> law = Samples.from_array([0.5, 1, 0.5, 2])
    >>> law.atoms[0], law.mean
    ((Fraction(1, 2), Fraction(1, 2)), Fraction(1, 1))
    """

    name = "samples"

    def __init__(self, counts: Sequence[tuple[float, int]]) -> None:
        size = sum(count for _, count in counts)
        self.size = size
        self._atoms = tuple((Fraction(value), Fraction(count, size)) for value, count in counts)
        text = ";".join(f"{value.hex()}:{count}" for value, count in counts)
        self._digest = hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def from_array(cls, values: Any) -> Samples:
        """From anything that numpy reads as one row of real numbers.

        Raises InputError for NaN or infinite values, naming the first, for other shapes and types,
        and for fewer than one or more than 100,000 values.
        """
        import numpy as np

        try:
            given = np.asarray(values)
        except ValueError:
            raise InputError(f"values of different lengths [{_CALL}]") from None
        if given.dtype.kind not in "iuf" or given.ndim != 1:
            raise InputError(
                f"values of type {given.dtype} and shape {given.shape}, but must be one row of "
                f"real numbers [{_CALL}]"
            )
        if not 1 <= len(given) <= MAX_SAMPLES:
            raise InputError(
                f"{len(given)} values, but there must be 1 to {MAX_SAMPLES} [{_CALL}]; a larger "
                "sample can be thinned, or binned as finite({...})"
            )
        numbers = given.astype(np.float64)
        for place in np.flatnonzero(~np.isfinite(numbers))[:1]:
            raise InputError(
                f"values[{place}]={numbers[place]}, but must be a finite number [{_CALL}]"
            )
        # −0 is 0: one atom, one text.
        found, counts = np.unique(numbers + 0.0, return_counts=True)
        return cls([(float(v), int(c)) for v, c in zip(found, counts, strict=True)])

    @classmethod
    def from_lines(cls, lines: Sequence[str], source: str) -> Samples:
        """From text with one number a line; blank lines are skipped.

        Raises InputError that names the first line that is no finite number.
        """
        numbers: list[float] = []
        for place, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                number = float(line)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                shown = line.strip()[:40]
                raise InputError(
                    f"{source}, line {place}: {shown!r}, but must be a finite number (one a line; "
                    "name a column of a table as @FILE:COLUMN)"
                )
            numbers.append(number)
        if not numbers:
            raise InputError(f"{source} has no numbers")
        return cls.from_array(numbers)

    @property
    def atoms(self) -> tuple[tuple[Fraction, Fraction], ...]:
        return self._atoms

    def __str__(self) -> str:
        return f"samples(size={self.size}, atoms={len(self._atoms)}, sha256={self._digest})"
