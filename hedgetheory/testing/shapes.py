"""Assertions on shapes: a monotone likelihood ratio, and a curve with a single peak."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations, pairwise
from typing import TypeAlias

from hedgetheory.errors import InputError
from hedgetheory.exact import Number, RealInput, rational
from hedgetheory.testing.failures import Disagreement, name_of

#: A value with its bounds.
Enclosed: TypeAlias = "tuple[Fraction, Fraction]"
#: Relative error that is granted to every value of a function of floats.
RTOL = Fraction(1, 10**12)


def assert_mlr(
    ratio: Callable[[float, float], object],
    thetas: Iterable[float],
    points: Iterable[float],
    *,
    strict: bool = False,
    rtol: RealInput = RTOL,
) -> None:
    """A family has a monotone likelihood ratio on a grid: its 2×2 minors are not negative.

    w(θ₁, r₁) w(θ₂, r₂) ≥ w(θ₁, r₂) w(θ₂, r₁) for θ₁ < θ₂, r₁ < r₂: selecting harder moves weight
    to higher rewards. Every pair of parameters and of points is looked at, in exact arithmetic on
    the values returned, each of which is granted a relative error ``rtol``. A failure is a
    refutation up to that error; a pass is evidence on this grid and no proof (`hedgetheory.check`
    has proofs).

    Args:
        ratio: w(θ, r) ≥ 0, or a density (the reference's cancels), as a number or a
            `hedgetheory.Number`, whose own bounds are used.
        thetas, points: at least two of each; sorted here.
        strict: whether a minor must be positive, surely: equal products fail too.
        rtol: relative error of a returned float, in [0, 1).

    Raises Disagreement with the four values of the worst minor, and for values that are negative
    or not finite; InputError for fewer than two parameters or points.

    >>> import math
    >>> points = [0.1, 0.5, 0.9]
    >>> assert_mlr(lambda mu, u: (1 + mu * u) * math.exp(mu * (u - 1)), [0.5, 2, 8], points)
    >>> assert_mlr(lambda mu, u: (1 + mu * u) * math.exp(mu * (1 - u)), [0.5, 2], [0.1, 0.9])
    Traceback (most recent call last):
        ...
    hedgetheory.testing.failures.Disagreement: the likelihood ratio is not monotone
      input      theta = 0.5 < 2, at 0.1 < 0.9
      got        minor/(w w + w w) = -0.33 from [[1.65, 1.52], [7.26, 3.42]]
      want       w(0.5, 0.1) w(2, 0.9) >= w(0.5, 0.9) w(2, 0.1)
      bound      relative error 1e-12 of each value
      reproduce  function(0.5, 0.1), function(0.5, 0.9), function(2, 0.1), function(2, 0.9)
    """
    __tracebackhide__ = True  # pytest shows the message, not this function
    first, second = _ordered("thetas", thetas), _ordered("points", points)
    slack = rational(rtol, "rtol")
    name = name_of(ratio)
    table = {(t, x): _enclosed(ratio(t, x), slack, f"{name}({t!r}, {x!r})")
             for t in first for x in second}  # fmt: skip
    worst: tuple[Fraction, tuple[float, float, float, float]] | None = None
    for t1, t2 in combinations(first, 2):
        for x1, x2 in combinations(second, 2):
            a, b, c, d = (table[key] for key in ((t1, x1), (t1, x2), (t2, x1), (t2, x2)))
            # The minor is surely negative where even its largest value is.
            high = a[1] * d[1] - b[0] * c[0]
            failed = high < 0 or (strict and a[0] * d[0] <= b[1] * c[1])
            size = a[1] * d[1] + b[1] * c[1]
            share = high / size if size else Fraction(0)
            if failed and (worst is None or share < worst[0]):
                worst = (share, (t1, t2, x1, x2))
    if worst is None:
        return
    share, (t1, t2, x1, x2) = worst
    values = [[float(table[t, x][1]) for x in (x1, x2)] for t in (t1, t2)]
    shown = ", ".join(f"[{a:.3g}, {b:.3g}]" for a, b in values)
    calls = ", ".join(f"{name}({t!r}, {x!r})" for t in (t1, t2) for x in (x1, x2))
    raise Disagreement(
        "the likelihood ratio is not monotone",
        [
            ("input", f"theta = {t1!r} < {t2!r}, at {x1!r} < {x2!r}"),
            ("got", f"minor/(w w + w w) = {float(share):.2g} from [{shown}]"),
            ("want", f"w({t1!r}, {x1!r}) w({t2!r}, {x2!r}) >{'' if strict else '='} "
                     f"w({t1!r}, {x2!r}) w({t2!r}, {x1!r})"),
            ("bound", f"relative error {float(slack):.3g} of each value"),
            ("reproduce", calls),
        ],
    )  # fmt: skip


def assert_single_peak(
    curve: Callable[[float], object],
    thetas: Iterable[float],
    *,
    atol: RealInput = 0,
    rtol: RealInput = RTOL,
) -> None:
    """A curve on a grid rises, then falls; either part may be missing.

    There are no θ₁ < θ₂ < θ₃ with f(θ₂) below both others by more than the errors of the values:
    no trough, so that golden section or the first sign change of f′ finds the best θ. Soft
    Best-of-n in λ does have troughs, for gold with one peak too: there search globally.

    Args:
        curve: f(θ), as a number or a `hedgetheory.Number`, whose own bounds are used.
        thetas: at least three; sorted here.
        atol, rtol: the absolute and the relative error of a returned float, ≥ 0.

    Raises Disagreement with the deepest trough, and for values that are not finite; InputError for
    fewer than three parameters.

    >>> assert_single_peak(lambda n: n * 0.5**n, [1, 2, 4, 8])
    >>> assert_single_peak(lambda x: (x - 1) ** 2, [0, 1, 2])
    Traceback (most recent call last):
        ...
    hedgetheory.testing.failures.Disagreement: the curve has a trough: more than one peak
      input      theta = 0 < 1 < 2
      got        f = 1.0, 0.0, 1.0
      want       f(1) >= min(f(0), f(2))
      bound      absolute error 0, relative error 1e-12 of each value
      reproduce  function(0), function(1), function(2)
    """
    __tracebackhide__ = True  # pytest shows the message, not this function
    grid = _ordered("thetas", thetas, least=3)
    relative, absolute = rational(rtol, "rtol"), rational(atol, "atol")
    name = name_of(curve)
    values = [_enclosed(curve(t), relative, f"{name}({t!r})", absolute, False) for t in grid]
    # The largest lower bound to the left and to the right of each place: a trough is surely one
    # where the upper bound is below both.
    left, right = _running_best(values), _running_best(values[::-1])
    worst: tuple[Fraction, int, int, int] | None = None
    for k in range(1, len(grid) - 1):
        i, j = left[k - 1], len(grid) - 1 - right[len(grid) - 2 - k]
        depth = min(values[i][0], values[j][0]) - values[k][1]
        if depth > 0 and (worst is None or depth > worst[0]):
            worst = (depth, i, k, j)
    if worst is None:
        return
    at = [grid[k] for k in worst[1:]]
    found = [sum(values[k]) / 2 for k in worst[1:]]
    raise Disagreement(
        "the curve has a trough: more than one peak",
        [
            ("input", f"theta = {' < '.join(map(repr, at))}"),
            ("got", f"f = {', '.join(repr(float(x)) for x in found)}"),
            ("want", f"f({at[1]!r}) >= min(f({at[0]!r}), f({at[2]!r}))"),
            ("bound", f"absolute error {float(absolute):.3g}, "
                      f"relative error {float(relative):.3g} of each value"),
            ("reproduce", ", ".join(f"{name}({t!r})" for t in at)),
        ],
    )  # fmt: skip


def _running_best(values: list[Enclosed]) -> list[int]:
    """At each place the index of the largest lower bound up to it."""
    best = [0]
    for k, _ in pairwise(range(len(values))):
        best.append(k + 1 if values[k + 1][0] > values[best[-1]][0] else best[-1])
    return best


def _ordered(name: str, values: Iterable[float], least: int = 2) -> list[float]:
    found = sorted(set(values))
    if len(found) < least:
        raise InputError(f"{len(found)} different {name}, but at least {least} are needed")
    return found


def _enclosed(
    found: object, rtol: Fraction, call: str, atol: Fraction = Fraction(0), ratio: bool = True
) -> Enclosed:
    """Bounds of a value; a ratio is ≥ 0."""
    if isinstance(found, Number):
        if found.is_undefined or found.infinite:
            raise _not_finite(found, call)
        low, high = found.bounds
    else:
        number = float(found)  # type: ignore[arg-type]
        if not math.isfinite(number):
            raise _not_finite(number, call)
        exact = found if isinstance(found, Fraction) else Fraction(number)
        error = abs(exact) * rtol + atol
        low, high = exact - error, exact + error
    if ratio and high < 0:
        raise Disagreement("a ratio is negative", [("got", float(high)), ("reproduce", call)])
    return (max(low, Fraction(0)) if ratio else low), high


def _not_finite(found: object, call: str) -> Disagreement:
    return Disagreement("a value is not finite", [("got", found), ("reproduce", call)])
