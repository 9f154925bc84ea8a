"""The stretches of the reward over which a certified quadrature runs, each in its coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import cast

import sympy

from hedgetheory.analysis.curve import ONE, ZERO
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import ContinuousLaw, Strand


@dataclass(frozen=True)
class Coordinate:
    """x = T(y), y in [low, high]: where an integral over a stretch of x runs, and its tails.

    ``inverse`` is T⁻¹, and ``start`` and ``stop`` the stretch of x itself. Beyond a point 1 − F
    (and F below one) is Σ weight·(that of a law), over log-concave laws of Y: the ``parts``; where
    there are none the cdf itself serves, for gold with a limit. ``clipped`` is set where the
    formulas may be singular at finite ends. In formulas y is written as x is.
    """

    forward: sympy.Expr
    inverse: sympy.Expr
    cdf: sympy.Expr
    survival: sympy.Expr
    low: Fraction | None
    high: Fraction | None
    start: Fraction | None
    stop: Fraction | None
    parts: tuple[tuple[Fraction, ContinuousLaw], ...] = ()
    centre: Fraction = ZERO
    width: Fraction = ONE
    clipped: bool = False


def coordinates(law: ContinuousLaw) -> list[Coordinate]:
    """The strands of a law as stretches of the reward, or its pieces where they overlap."""
    single = len(law.strands) == 1
    out = []
    for strand in law.strands:
        if not all(end is None or isinstance(end, Fraction) for end in strand.support) or not (
            single or strand.reward == r
        ):
            return _by_pieces(law)
        out.append(_coordinate(law, strand, single))
    stretches = [(c.start, c.stop) for c in out]
    if any(a[1] is None or a[1] != b[0] for a, b in pairwise(stretches)):
        return _by_pieces(law)
    return out


def _by_pieces(law: ContinuousLaw) -> list[Coordinate]:
    """The reward itself, between the points at which the formula of the cdf changes."""
    out = []
    for piece in law.pieces:
        low, high, centre = piece.low, piece.high, law.centre
        parts: tuple[tuple[Fraction, ContinuousLaw], ...] = ()
        if low is None or high is None:
            side = 0 if low is None else 1
            # Only these reach beyond every point; in the reward itself all are log-concave or none.
            outer = [s for s in law.strands if s.rewards[side] is None]
            if all(s.reward == r and isinstance(s.weight, Fraction) for s in outer):
                parts = tuple((cast("Fraction", s.weight), s.law) for s in outer)
            centre = centre if low is None else max(centre, low)
            centre = centre if high is None else min(centre, high)
        ends = low, high, low, high
        forms = r, r, piece.cdf, piece.survival
        out.append(Coordinate(*forms, *ends, parts, centre, law.width, True))
    return out


def _coordinate(law: ContinuousLaw, strand: Strand, single: bool) -> Coordinate:
    low, high = cast("tuple[Fraction | None, Fraction | None]", strand.support)
    start, stop = law.support if single else (low, high)
    formulas = strand.reward, strand.coordinate, strand.cdf, strand.survival
    ends = low, high, start, stop
    return Coordinate(*formulas, *ends, ((ONE, strand.law),), strand.centre, strand.width)
