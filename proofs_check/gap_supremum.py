"""The sharp constant of the gap on the uniform law, by a cover of the whole half-line.

The same upper bound as in `gap_grid`, KL - l E + K(l) for any l, but in mean-value form: with l
fixed at the middle c of a box of half-width h, the bound there is at most U(c) + |U'(box)| h, where
U' = KL' - l E' nearly vanishes at the matched l: its error is of second order, and boxes of width
1e-4 near the maximum already tell 6.7507931e-4 from the truth. Below 1/20 the gap is at most
KL(1/20); beyond 16 it is at most 2/m^3 + 2 e^-m/m (`gap_grid`). The lower bound is the gap at one
point.

The package goes another way (gap'' < 0 around the maximum, and the sign of gap') and finds ten
digits; the enclosure here has seven, and contains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from flint import arb

from proofs_check.gap_grid import _tail, kl, lower, mean, newton, potential
from proofs_check.tools import Check, Verdict, ball, bits, same_claim

ID = "gap.supremum"
EXPECTED: Verdict = "certified"
ABOVE, BELOW = Fraction(67507931, 10**11), Fraction(675079308, 10**12)
AT = Fraction(335795347, 10**8)


def kl_slope(m: arb) -> arb:
    """d KL/dm: with S = e^{-m-1}(Ei(m+1) - Ei(1)), S' = 1/(m+1) - S and KL = S/m + ln(1+m) - 1."""
    s = (-m - 1).exp() * ((m + 1).ei() - ball(1).ei())
    return (1 / (m + 1) - s) / m - s / m**2 + 1 / (1 + m)


def mean_slope(m: arb) -> arb:
    return 1 / m**2 + (-m).exp() / m**2 - 2 * (1 - (-m).exp()) / m**3


def upper(low: Fraction, high: Fraction) -> arb:
    """A ball whose upper end bounds the gap on [low, high]."""
    centre, half = ball((low + high) / 2), ball((high - low) / 2)
    rate = ball(newton(float(mean(centre))))
    box = ball(low).union(ball(high))
    slope = abs(kl_slope(box) - rate * mean_slope(box)).upper()
    return kl(centre) - rate * mean(centre) + potential(rate) + slope * half


def cover(low: Fraction, high: Fraction, bound: Fraction, limit: int = 200_000) -> int | None:
    """How many boxes it takes to stay below the bound on [low, high]; None past the limit."""
    boxes, pending = 0, [(low, high)]
    while pending:
        left, right = pending.pop()
        boxes += 1
        if boxes > limit:
            return None
        if not upper(left, right) <= ball(bound):
            middle = (left + right) / 2
            pending += [(left, middle), (middle, right)]
    return boxes


def checks() -> Iterator[Check]:
    with bits(100):
        start = bool(kl(ball(Fraction(1, 20))) <= ball(BELOW))
        last = ball(16)
        end = bool(2 / last**3 + 2 * (-last).exp() / last <= ball(BELOW))
        yield Check("certified", "gap <= KL <= KL(1/20), below the supremum, on (0, 1/20]", start)
        yield Check("certified", "gap <= 2/m^3 + 2 e^-m/m, below it, beyond 16", end and _tail())
        boxes = cover(Fraction(1, 20), Fraction(16), ABOVE)
        yield Check("certified", f"gap <= {float(ABOVE)} on [1/20, 16], {boxes} boxes", bool(boxes))
        reached = bool(lower(AT) >= ball(BELOW))
        yield Check("certified", f"gap({float(AT)}) >= {float(BELOW)}", reached)
    yield Check("certified", "8e-4 is above the supremum by 18 %", Fraction(8, 100) > ABOVE * 118)
    from hedgetheory.claims.gap_supremum import SUPREMUM

    inside = SUPREMUM[0] >= BELOW and SUPREMUM[1] <= ABOVE
    yield Check("same", "the package's ten digits are inside", inside)
    yield same_claim(ID, EXPECTED)
    yield same_claim("popular.gap-is-8e-4", "refuted")
