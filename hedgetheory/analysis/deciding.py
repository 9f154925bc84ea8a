"""The picture of f from certified signs of f′ alone: variation diminishing closes what it can.

Let u₁ < … < u_s be the strict sign changes of g′, and H_T(c) = ∫_c g′ k_T. For θ > T the ratio
k_θ/k_T increases in u, so f′(θ) = H_T(0) (k_θ/k_T)(0) + ∫ H_T d(k_θ/k_T): where H_T has one sign,
f′ keeps it on (T, ∞). For Best-of-n and Best-of-Poisson k_θ/k_T is e^{−(θ−T)s}, s = −ln u or 1 − u,
so that f′(θ)/(θ − T) is a Laplace transform of H_T, and has at most as many zeros as H_T has sign
changes (Descartes for Laplace transforms: Pólya and Szegő, part V; Karlin 1968). H_T is monotone
between the u_i, so finitely many signs count them. Below T the same holds from the bottom.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias

from hedgetheory.analysis.expsum import canonical, constant_ball
from hedgetheory.analysis.gold import Change
from hedgetheory.analysis.gold_signs import limit_at_infinity
from hedgetheory.analysis.lattice_curve import LatticeCurve
from hedgetheory.analysis.picture import Extremum, Picture, Point, TiedValues, settled
from hedgetheory.analysis.remembered import FIRST_DIGITS, Remembered, RememberedValues
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import Shaped, is_symmetric
from hedgetheory.analysis.zeros import Zero, level, sign_at, sign_of
from hedgetheory.effort import doing, each, found, is_spread
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics.ball import REAL, ball, current_bits, hull, precision, symmetric
from hedgetheory.policies.family import Family

#: f and f′ of a rank family, on a law without atoms or on countably many.
RankCurve: TypeAlias = SmoothCurve | LatticeCurve

_BITS, _LIMIT = 64, 400
#: Integrals while a zero is narrowed from a wide interval: more bits as it closes.
_ZERO_BITS = 48
_MAX_DOUBLINGS = 60
_MAX_GRID = 60
_GRID_START = Fraction(1, 8)
#: Values by quadrature are refused beyond some hundred digits: each costs seconds there.
_MAX_VALUE_BITS = 400


def smooth_picture(
    curve: RankCurve, family: Family, pattern: tuple[list[int], list[Change]] | None
) -> Picture:
    """The picture of a curve known by quadrature; complete only where a bound is attained."""
    if pattern is not None:
        found(f"g' changes sign {len(pattern[1])} time(s)", changes=pattern[1])
    doing("the sign of f' at the lower end")
    decision = _Decision(curve, family, pattern)
    signs, zeros, reason = decision.run()
    extrema = [turn_at(curve, zero) for zero in zeros]
    route = (
        f"g' has {len(pattern[1])} certified sign change(s); variation diminishing (Karlin 1968) "
        "with certified signs of f' leaves no other zero"
        if pattern
        else ""
    )
    values = RememberedValues(partial(valued, curve))
    picture = Picture(
        signs,
        extrema,
        Point(lambda _: Number.exact(curve.lower), values.of(curve.lower)),
        Point(
            lambda _: Number.infinity(), lambda digits: limit_at_top(curve, digits), attained=False
        ),
        values,
        reason,
        route,
    )
    counted = family.name == "bon"
    if counted and symmetric_in_quantile(curve):
        # f(2) − f(1) = E[g·(2U − 1)], an odd function about the middle.
        picture.value_at = TiedValues(values, lambda first, second: (first, second) == (1, 2))
    picture.ahead = lambda digits: compute_ahead(curve, picture.extrema, values, digits, counted)
    return picture


def valued(curve: RankCurve, x: Fraction) -> Callable[[int], Number]:
    return lambda digits: _quadrature(lambda: curve.value(ball(x)), digits)


def _quadrature(evaluate: Callable[[], Any], digits: int) -> Number:
    def at_level() -> Any:
        with precision(level(current_bits())):
            return evaluate()

    try:
        return settled(at_level, digits, _MAX_VALUE_BITS, zero_factor=2)
    except NotCertified:
        return Number.undefined("the quadrature of this value is not certified")


def limit_at_top(curve: Shaped, digits: int) -> Number:
    """lim f(θ), θ → ∞: the limit of g at the top of the support."""
    last = curve.pieces[-1].value
    if curve.high is not None:
        exact = canonical(last.subs(curve.x, exact_symbol(curve.high)))
        if isinstance(exact, Fraction):
            return Number.exact(exact)
        if not exact.is_finite:
            return Number.undefined(f"g is {exact} at the top")
        return settled(lambda: curve.values[-1](REAL, ball(curve.high or 0)), digits)
    limit = limit_at_infinity(last, curve.x)
    if limit is None:
        return Number.undefined("the limit of g at the top is not known")
    if isinstance(limit, int):
        return Number.infinity(limit)
    if isinstance(limit, Fraction):
        return Number.exact(limit)
    return settled(lambda: constant_ball(limit), digits)


def turn_at(curve: RankCurve, zero: Zero) -> Extremum:
    def near() -> Any:
        # `settled` works with 60 bits more than it needs, of which 12 are enough here.
        size = max(abs(zero.low), abs(zero.high))
        zero.narrow(size / 2 ** max(current_bits() - 48, 8))
        return hull(ball(zero.low), ball(zero.high))

    return Extremum(
        Remembered(lambda digits: settled(near, digits)),
        Remembered(lambda digits: _quadrature(lambda: curve.value(near()), digits)),
        True,
        "max" if zero.sign_low > 0 else "min",
        zero,
    )


#: A turn of f, as it travels: where it is, and the sign of f′ before it.
Turn: TypeAlias = "tuple[Fraction, Fraction, int]"


def compute_ahead(
    curve: RankCurve,
    extrema: list[Extremum],
    values: RememberedValues,
    digits: int,
    counted: bool,
) -> None:
    """The numbers of a picture on several processes, where there are some; else nothing."""
    if not is_spread():
        return
    asked = max(digits, FIRST_DIGITS)
    zeros = [e.zero for e in extrema if e.zero is not None and isinstance(e.theta, Remembered)]
    jobs: list[Turn | Fraction] = [(z.low, z.high, z.sign_low) for z in zeros]
    done = list(each(partial(_numbers_of, curve, asked), [*jobs, curve.lower]))
    values.of(curve.lower).learn(asked, done[-1][0])
    around: set[Fraction] = set()
    for extremum, (theta, height, low, high) in zip(extrema, done, strict=False):
        if extremum.zero is None or not isinstance(extremum.theta, Remembered):
            continue
        extremum.theta.learn(asked, theta)
        assert isinstance(extremum.value, Remembered)
        extremum.value.learn(asked, height)
        extremum.zero.low, extremum.zero.high = low, high
        around |= {Fraction(k) for k in (low.__floor__(), low.__floor__() + 1) if k >= curve.lower}
    if counted:
        places = sorted(around - {curve.lower})
        for x, found_there in zip(
            places, each(partial(_numbers_of, curve, asked), places), strict=True
        ):
            values.of(x).learn(asked, found_there[0])


def _numbers_of(
    curve: RankCurve, digits: int, job: Turn | Fraction
) -> tuple[Number, Number, Fraction, Fraction]:
    """(θ, f, and the interval of θ) of a turn; (f, f, θ, θ) at a rational θ."""
    if isinstance(job, Fraction):
        number = valued(curve, job)(digits)
        return number, number, job, job
    low, high, before = job
    zero = Zero(curve, low, high, 1, before, _ZERO_BITS, True)
    extremum = turn_at(curve, zero)
    return extremum.theta(digits), extremum.value(digits), zero.low, zero.high


class _Decision:
    def __init__(
        self,
        curve: RankCurve,
        family: Family,
        pattern: tuple[list[int], list[Change]] | None,
    ) -> None:
        self.curve = curve
        self.family = family
        self.pattern = pattern

    def run(self) -> tuple[list[int], list[Zero], str]:
        """(signs, zeros, why it is open)."""
        if self.pattern is None:
            return [], [], "the sign changes of g' are not certified"
        if not self.curve.finite:
            return [], [], "E[g] is not certified to be finite"
        signs, changes = self.pattern
        if not changes:
            return signs, [], ""
        last = signs[-1]
        start = start_sign(self.curve, self.family)
        if len(changes) == 1:
            if start is None:
                return [], [], "the sign of f' at the lower end is not certain"
            if start in (0, last):
                # f′/k(u₁) is strictly monotone towards the last sign.
                return [last], [], ""
            return self._single(start, last)
        if not start:
            return [], [], "the sign of f' at the lower end is not certain"
        return self._several(start, last, changes)

    def _single(self, start: int, last: int) -> tuple[list[int], list[Zero], str]:
        low, step = self.curve.lower, Fraction(1)
        for _ in range(_MAX_DOUBLINGS):
            high = self.curve.lower + step
            doing(f"the sign of f' at {float(high):.6g}")
            sign = sign_at(self.curve, high, _BITS, _LIMIT)
            if sign == last:
                found(f"f' changes sign in ({low}, {high})", turn=(low, high, start))
                return [start, last], [Zero(self.curve, low, high, 1, start, _ZERO_BITS, True)], ""
            if sign == start:
                low = high
            step *= 2
        return [start], [], "the sign change of f' is certain but was not located"

    def _several(
        self, start: int, last: int, changes: list[Change]
    ) -> tuple[list[int], list[Zero], str]:
        """Signs of f′ on a geometric grid against the least proved bound on its zeros."""
        grid: list[tuple[Fraction, int]] = []
        bound, beyond, known_sign = len(changes), False, start
        lower = self.curve.lower
        places = [lower, *(lower + _GRID_START * 2**i for i in range(_MAX_GRID - 1))]
        for theta, (above, below, sign) in zip(
            places, each(partial(_at_place, self, changes), places), strict=False
        ):
            doing(f"the zeros of f' beyond {float(theta):.6g}")
            grid.append((theta, sign if theta > lower else start))
            if theta > lower and sign:
                if sign != known_sign:
                    place = next(x for x, s in reversed(grid) if s == known_sign)
                    turn = (place, theta, known_sign)
                    found(f"f' changes sign in ({place}, {theta})", turn=turn)
                known_sign = sign
            if above is not None and below is not None:
                bound = min(bound, above + below)
            if above == 0:
                beyond = True
                break
        known = [(theta, sign) for theta, sign in grid if sign]
        zeros = [
            Zero(self.curve, low, high, 1, before, _ZERO_BITS, True)
            for (low, before), (high, after) in pairwise(known)
            if before != after
        ]
        signs = [start, *[-zero.sign_low for zero in zeros]]
        if not beyond or signs[-1] != last:
            return [], [], "no bound was found beyond which f' keeps its sign"
        total_positivity = self.family.name in ("bon", "bop")
        if bound == 0 or (total_positivity and len(zeros) >= bound - 1):
            # As many zeros as there may be, or one fewer: what is left over is even, so none.
            return signs, zeros, ""
        seen = f"f' changes sign {len(zeros)} time(s) on a grid up to {float(grid[-1][0]):.6g}"
        return [], [], f"{seen}, but may have up to {bound} zeros"

    def counts(self, theta: Fraction, changes: list[Change]) -> tuple[int | None, int | None, int]:
        """Proved bounds on the zeros of f′ above and below θ, None where a sign is not certain.

        And the sign of f′ there, the sum of all parts, 0 where it is not certain.

        Sign changes of the partial integrals of g′ k_θ from the top (above) and from the bottom.
        """
        with precision(_BITS):
            spread, parts = self._parts(ball(theta), changes)
            above, below, total = [], [], ball(0)
            for i, part in enumerate(reversed(parts)):
                total += part
                above.append(total + (spread[-1 - i] if i < len(spread) else 0))
            total = ball(0)
            for i, part in enumerate(parts):
                total += part
                below.append(total + (spread[i] if i < len(spread) else 0))
            return _sign_changes(above), _sign_changes(below), sign_of(total)

    def _parts(self, at: Any, changes: list[Change]) -> tuple[list[Any], list[Any]]:
        """∫ g′ k_θ between the sign changes of g′, and how far each of these may be off."""
        curve = self.curve
        if isinstance(curve, LatticeCurve):
            return [ball(0)] * len(changes), curve.parts(at, changes)
        spread = [symmetric(_slope_bound(curve, change)) for change in changes]
        places = [curve.low, *[c.high for c in changes], curve.high]
        return spread, [curve.integral("k", at, low, high) for low, high in pairwise(places)]


def _at_place(
    decision: _Decision, changes: list[Change], theta: Fraction
) -> tuple[int | None, int | None, int]:
    """Bounds of the zeros of f′ above and below θ, and the sign of f′ there."""
    above, below, sign = decision.counts(theta, changes)
    if theta == decision.curve.lower:
        return above, below, 0
    return above, below, sign or sign_at(decision.curve, theta, _BITS, _LIMIT)


def start_sign(curve: RankCurve, family: Family) -> int | None:
    """The sign of f′ at the lower end; None where it is not certain."""
    sign = sign_at(curve, curve.lower, _BITS, _LIMIT)
    if sign:
        return sign
    # At θ = 0 these k are symmetric in the quantile: gold with that symmetry is stationary.
    if family.name not in ("bop", "quantile_tilt", "geometric_odds"):
        return None
    return 0 if symmetric_in_quantile(curve) else None


def symmetric_in_quantile(curve: RankCurve) -> bool:
    """Whether g(1 − u) = g(u), where that is seen."""
    if not isinstance(curve, SmoothCurve) or curve.q > 1:
        return False
    centre = Fraction(1, 2)
    if curve.in_reward:
        if not isinstance(curve.law, (Normal, Logistic)):
            return False
        centre = curve.law.centre
    return is_symmetric(curve.pieces, curve.x, centre)


def zeros_above(
    curve: RankCurve, family: Family, theta: Fraction, pattern: tuple[list[int], list[Change]]
) -> int | None:
    """A proved bound on the zeros of f′ above θ where k is totally positive of every order.

    None where a sign is not certain.
    """
    return _Decision(curve, family, pattern).counts(theta, pattern[1])[0]


def _slope_bound(curve: SmoothCurve, change: Change) -> Any:
    """A bound of |∫ g′ k| (k ≤ 1) and of jumps over the place of a sign change."""
    total = ball(0)
    box = hull(ball(change.low), ball(change.high))
    for i, (piece, slope) in enumerate(zip(curve.pieces, curve.slopes, strict=True)):
        if _meets(piece.low, piece.high, change):
            total += abs(slope(REAL, box)) * ball(change.high - change.low)
        if i and piece.low is not None and change.low <= piece.low <= change.high:
            at = ball(piece.low)
            values = curve.values
            total += abs(values[i](REAL, at) - values[i - 1](REAL, at))
    return total


def _sign_changes(values: list[Any]) -> int | None:
    signs = [sign_of(value) for value in values]
    return None if 0 in signs else sum(a != b for a, b in pairwise(signs))


def _meets(low: Fraction | None, high: Fraction | None, change: Change) -> bool:
    return (low is None or low <= change.high) and (high is None or high >= change.low)
