"""What a sampler is given: a generator, scores and whole numbers, checked."""

from __future__ import annotations

from fractions import Fraction
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError, must_be

Array = NDArray[np.float64]
Places = NDArray[np.int64]
Randomness: TypeAlias = "np.random.Generator | int"

#: Largest mean of a number of draws: beyond, numpy's own samplers of counts are too coarse.
MAX_COUNT = 10**12


def generator(rng: Randomness, call: str) -> np.random.Generator:
    """The generator itself, or a new one from a seed >= 0; there is no default.

    >>> generator(7, "sample").random() == np.random.default_rng(7).random()
    True
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, Integral) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise must_be("rng", rng, "a numpy Generator or a seed, an integer >= 0", call)


def whole(name: str, value: object, least: int, call: str) -> int:
    """A whole number >= ``least`` as an int; a float or a truth value is not one."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise must_be(name, value, f"an integer >= {least}", call)
    return int(value)


def scores(rewards: ArrayLike, call: str) -> Array:
    """The rewards as binary64, shape (..., S) with S >= 1, every one a finite number.

    Raises InputError that names the first entry that is NaN or infinite.

    >>> scores([[1, 2], [3, float("nan")]], "select")
    Traceback (most recent call last):
    hedgetheory.errors.InputError: rewards[1, 1]=nan, but must be a finite number [select]
    """
    try:
        given = np.asarray(rewards)
    except ValueError:
        raise InputError(
            f"the rows of rewards have different lengths: select prompt by prompt [{call}]"
        ) from None
    if given.dtype.kind not in "biuf":
        raise InputError(f"rewards are of type {given.dtype}, but must be real numbers [{call}]")
    if given.ndim == 0 or given.shape[-1] == 0:
        raise InputError(
            f"rewards have shape {given.shape}, but must be (S,) or (P, S) with S >= 1 [{call}]"
        )
    table = given.astype(np.float64)
    finite = np.isfinite(table)
    if not finite.all():
        place = np.unravel_index(int(np.argmin(finite)), table.shape)
        where = ", ".join(map(str, map(int, place)))
        raise must_be(f"rewards[{where}]", table[place], "a finite number", call)
    return table


def binary64(name: str, exact: Fraction, call: str) -> float:
    """A parameter as binary64, refused where that overflows or underflows."""
    number = lenient(exact)
    if not np.isfinite(number) or (exact != 0 and number == 0):
        raise InputError(f"{name} is outside the range of binary64, where samplers work [{call}]")
    return number


def lenient(exact: Fraction) -> float:
    """A parameter as binary64, infinite where it overflows: softmax(∞·r) is the maximum."""
    try:
        return float(exact)
    except OverflowError:
        return np.inf if exact > 0 else -np.inf


def count_within_reach(name: str, mean: float, call: str) -> None:
    """Refuse counts of which numpy cannot draw the law."""
    if not mean <= MAX_COUNT:
        raise InputError(
            f"{name} is {mean:.3g}, but samplers need it to be at most {MAX_COUNT:.0e} [{call}]"
        )


def rows_of(table: Array) -> Any:
    """Row numbers, to index one response of each prompt."""
    return np.arange(len(table))
