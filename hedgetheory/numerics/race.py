"""The exponential race of Soft Best-of-n, certified: one set of nodes for every reward.

With t = e^s the race is
    w(z) = n ∫ X e^{−X} φ(e^s)^{n−1} ds,  X = e^{s+z}, z = λr, φ(t) = E[exp(−t e^{λR})].

**Trapezoid.** For |y| < π/2, |φ(t e^{iy})| ≤ φ(t cos y) since |exp(−t e^{iy} x)| = exp(−t x cos y).
Where φ^{n−1} is analytic on |Im s| ≤ d < π/2 (for integer n always; for real n where φ has no
zero there), the integrand's L¹ norm on the lines Im s = ±d is at most w(z)/cos d (shift s by
ln cos d), so that the rule of step h has *relative* error at most ε = 2/(cos d (e^{2πd/h} − 1)).
Being relative, it carries over to every mixture of w over z with weights of one sign.

**Truncation.** Left out below the first node: at most n X_first, as h Σ_{k≥1} e^{−kh} ≤ 1. Above
the last node φ^{n−1} ≤ φ(t_last)^{n−1} and h Σ X e^{−X} ≤ e^{−X_last} where X_last ≥ 1 (decreasing
terms), and ≤ 1 + h/e always.

**Where zeros of φ are excluded only up to the last node** (a `Strip` with ``bounded``), the same
contour integral is taken around the rectangle [a, b] × [−d, d] that ends half a step beyond the
nodes, with the kernel 1/(e^{∓2πis/h} − 1) of modulus at most 1/(e^{2πd/h} − 1) on the lines and
1/(1 + e^{2π|y|/h}) on the ends. The left end adds at most 0.23 h n X_a. On the right one the
integrand is at most n X e^{−X cos y} φ(e^b cos y)^{n−1} with φ(t cos y) ≤ φ(t)^{cos y} (−ln φ is
concave and 0 at 0), X e^{−X cos y/8} ≤ 8/(e cos d), and A cos y + 2πy/h is concave in y: both sides
together add at most 16 d n/(e cos d)·exp(−min(A, A cos d + 2πd/h)), A = 7X/8 − (n − 1) ln φ(e^b).

**In z.** w(x + iy) is analytic for |y| < π/2 with |w(x + iy)| ≤ w(x)/cos y. Since 0 ≤ w′ ≤ w on the
line and the Taylor coefficients at x are below (e/cos 1)·w(x) (Cauchy on the unit circle), for
|y| ≤ 0.3: Re w(x + iy) ≥ w(x)(1 − 5.04 y²/(1 − y)) ≥ 0.35 w(x). So ln w is analytic there too, with
|ln w(x + iy)| ≤ |ln w(x)| + 1.1 + π/2, and |w(x + iy)| ≤ 1.05 w(x).

**Gauss–Legendre.** N points on an interval of length δ, for a function bounded by M in the
Bernstein ellipse of parameter ρ: error at most (δ/2)(64/15) M ρ^{−2N}/(1 − ρ^{−2}) for N ≥ 2 (its
Chebyshev coefficients are at most 2Mρ^{−k}; the rule is exact below degree 2N and odd ones vanish).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from hedgetheory.effort import spend
from hedgetheory.errors import NotCertified
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric

#: Half-width of the strip |Im z| where the bounds on w and ln w in the docstring hold.
TILT = Fraction(3, 10)
#: Half-width of the strip |Im s| that the trapezoid uses where nothing narrows it (below π/2).
STRIP = Fraction(3, 2)
#: More work than this, in exponentials at 64 bits, is not done: `NotCertified` says so instead of
#: hanging. It is some ten seconds.
MAX_WORK = 4_000_000
#: Of these many one unit of work is made (`effort.spend`): an integrand costs some fifty.
_EXPONENTIALS_A_UNIT = 50


def nats() -> float:
    """The logarithm of the accuracy that the working precision asks of each error term."""
    return (balls.current_bits() + 12) * math.log(2)


def check_work(count: float, what: str) -> None:
    """Raise NotCertified where ``count`` exponentials at this precision exceed `MAX_WORK`."""
    bits = balls.current_bits()
    if count * (bits / 64) ** 2 > MAX_WORK:
        raise NotCertified(
            f"{what} at {bits} bits needs {count:.1g} exponentials, more than are computed here: "
            "ask for fewer digits or a smaller lam (a value that is exactly 0 has no digits)"
        )
    spend(int(count) // _EXPONENTIALS_A_UNIT)


@dataclass(frozen=True)
class Strip:
    """|Im s| ≤ half, where φ^{n−1} is analytic: for all Re s, or (``bounded``) up to the last node.

    ``free`` is the half-width where φ is free of zeros (in a bounded strip, up to what was asked of
    it beyond the last node), ``extra`` what a bounded strip's step is made finer for, in nats.
    """

    half: Fraction = STRIP
    bounded: bool = False
    extra: float = 0.0
    free: Fraction = STRIP

    @property
    def step(self) -> Fraction:
        """The step at which the trapezoid's relative error is about e^{−nats}."""
        size = nats() + self.extra
        return Fraction(2 * math.pi * float(self.half) / size).limit_denominator(10**6)


WHOLE = Strip()


def last_abscissa(low: Fraction) -> Fraction:
    """An upper bound of Re s in the rectangle of a bounded grid for z from ``low`` on."""
    # The last node is less than a step beyond `_ends`, a finer grid one more, and the end half one.
    return Fraction(math.ceil(64 * _ends(low, low, 1.0)[1]), 64) + 3 * WHOLE.step


@dataclass(frozen=True)
class Grid:
    """The trapezoid's abscissae s_k = k·step, first ≤ k ≤ last, and the strip |Im s| ≤ strip."""

    step: Fraction
    first: int
    last: int
    strip: Fraction
    bounded: bool = False

    @classmethod
    def covering(
        cls,
        low: Fraction,
        high: Fraction,
        draws: Fraction,
        strip: Strip = WHOLE,
        period: Fraction | None = None,
    ) -> Grid:
        """A grid for every z in [low, high], its step dividing ``period`` where that is cheap."""
        target = strip.step
        if period is not None and 2 * period <= target:
            period = None
        step = target if period is None else period / math.ceil(period / target)
        start, stop = _ends(low, high, float(draws))
        check_work((stop - start) / float(step), "the race")
        first, last = math.floor(start / step), math.ceil(stop / step)
        return cls(step, first, last, strip.half, strip.bounded)

    def refined(self, period: Fraction | None) -> Grid:
        """The same range with a step that divides ``period``, unless that is far finer."""
        if period is None or 2 * period <= self.step:
            return self
        step = period / math.ceil(period / self.step)
        first, last = math.floor(self.first * self.step / step), self.last * self.step / step
        return Grid(step, first, math.ceil(last), self.strip, self.bounded)

    def within(self, low: Fraction, high: Fraction, draws: float) -> Grid:
        """The part of the grid that z in [low, high] needs."""
        start, stop = _ends(low, high, draws)
        last = max(self.first, min(self.last, math.ceil(stop / self.step)))
        first = min(last, max(self.first, math.floor(start / self.step)))
        return Grid(self.step, first, last, self.strip, self.bounded)

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def times(self) -> list[Any]:
        h = ball(self.step)
        return [(h * k).exp() for k in range(self.first, self.last + 1)]

    @cached_property
    def relative_error(self) -> Any:
        """A bound ε/(1 − ε): w = S·(1 ± this) for the infinite trapezoid sum S."""
        d, h = ball(self.strip), ball(self.step)
        e = 2 / (d.cos() * ((2 * REAL.constant("pi") * d / h).exp() - 1))
        return (e / (1 - e)).upper() if e < 1 else balls.no_bound()

    def end_factor(self, size: Any) -> Any:
        """exp(−min(A, A cos d + 2πd/h)) for A ≥ ``size``: the largest on a rectangle's end."""
        d = ball(self.strip)
        far = size * d.cos() + 2 * REAL.constant("pi") * d / ball(self.step)
        return (-REAL.minimum(REAL.minimum(size, far), size * 0 + 64 * math.ceil(nats()))).exp()

    def kernel(self, shift: Any, extra: int, damped: bool, depth: int = 8) -> list[Any]:
        """X e^{−X} (e^{−X} where not ``damped``) at X = e^{ih + shift}, first ≤ i ≤ last + extra.

        Where X > depth·nats the value is a ball at zero: e^{−7·depth·nats/8} or less.
        """
        h = ball(self.step)
        cut = depth * nats()
        rest = hull(ball(Fraction(0)), ball(Fraction(-math.floor(cut * 7 / 8))).exp())
        out = []
        for i in range(self.first, self.last + extra + 1):
            x = (h * i + shift).exp()
            if x > cut:
                # X e^{−X} and e^{−X} decrease from here on, and X e^{−X} < e^{−7X/8}.
                out += [rest] * (self.last + extra + 1 - i)
                break
            out.append(x * (-x).exp() if damped else (-x).exp())
        return out


def _ends(low: Fraction, high: Fraction, draws: float) -> tuple[float, float]:
    """Where s may begin (n X < e^{−nats}) and end (7X/8 > nats) for z in [low, high]."""
    size = nats()
    return -size - float(high) - math.log(draws), math.log(1.2 * size) + 0.1 - float(low)


@dataclass(frozen=True)
class Panels:
    """Gauss–Legendre in ``count`` panels of [start, start + count·width], ``points`` in each.

    ``rho`` is the Bernstein ellipse that the error bound uses, ``half_height`` bounds its |Im|.
    """

    start: Fraction
    width: Fraction
    count: int
    points: int
    rho: Fraction

    @classmethod
    def covering(
        cls, low: Fraction, high: Fraction, half_height: Fraction, count: int, extra: float = 0.0
    ) -> Panels:
        """``count`` panels whose ellipses stay within |Im| ≤ half_height; e^{extra} bounds M."""
        width = (high - low) / count
        ratio = min(2 * float(half_height) / float(width), 6.0)
        rho = Fraction(math.floor((ratio + math.hypot(ratio, 1.0)) * 1000 - 1), 1000)
        while (width / 4) * (rho - 1 / rho) > half_height:
            rho -= Fraction(1, 1000)
        if rho <= 1:
            raise NotCertified("the integrand is analytic in too narrow a strip for this range")
        points = math.ceil((nats() + extra + 2) / (2 * math.log(rho))) + 2
        check_work(points, "a Gauss rule")
        return cls(low, width, count, points, rho)

    @property
    def half_height(self) -> Fraction:
        return self.width / 4 * (self.rho - 1 / self.rho)

    @property
    def half_length(self) -> Fraction:
        """Half the length of the ellipse: it overhangs a panel by this less width/2."""
        return self.width / 4 * (self.rho + 1 / self.rho)

    @cached_property
    def rule(self) -> list[tuple[Any, Any]]:
        """(offset from a panel's start, weight), the weights summing to the width."""
        half = ball(self.width / 2)
        base = _legendre(self.points, balls.current_bits())
        return [(half * (1 + x), half * weight) for x, weight in base]

    def left(self, panel: int) -> Fraction:
        return self.start + panel * self.width

    def error(self, sup: Any) -> Any:
        """A bound of one panel's error for an integrand bounded by ``sup`` on its ellipse."""
        rho = ball(self.rho)
        decay = rho ** (-2 * self.points) / (1 - rho ** (-2))
        return ball(self.width / 2) * 64 / 15 * sup * decay


@lru_cache(maxsize=16)
def _legendre(points: int, bits: int) -> list[tuple[Any, Any]]:
    return balls.gauss_legendre(points)


def panel_count(length: Fraction, strength: Fraction) -> int:
    """How many panels of one wide trapezoid step in z fill a range of this length, 1 if short."""
    count = math.ceil(length * strength / WHOLE.step)
    return count if count >= 2 else 1


@dataclass(frozen=True)
class Race:
    """Nodes t_k and weights h·n·φ(t_k)^{n−1} of a grid: w(z) = Σ_k weight_k X_k e^{−X_k}."""

    grid: Grid
    draws: Any
    transform: Sequence[Any]
    #: φ^{n−1}
    powers: Sequence[Any]

    @classmethod
    def of(
        cls, grid: Grid, draws: Fraction, transform: Sequence[Any], *, trim: bool = True
    ) -> Race:
        """From φ at the nodes; ``trim`` drops the top nodes where φ^{n−1} is far below all else."""
        powers = []
        floor = ball(Fraction(-math.ceil(2 * nats() + math.log(draws)))).exp()
        for x in transform:
            powers.append(power(x, draws - 1))
            # φ decreases: what is left out from here on is bounded by this power.
            if trim and powers[-1] < floor:
                break
        last = grid.first + len(powers) - 1
        shorter = Grid(grid.step, grid.first, last, grid.strip, grid.bounded)
        return cls(shorter, ball(draws), transform[: len(powers)], powers)

    @cached_property
    def times(self) -> list[Any]:
        return self.grid.times

    @cached_property
    def weights(self) -> list[Any]:
        factor = ball(self.grid.step) * self.draws
        return [factor * x for x in self.powers]

    @property
    def last_power(self) -> Any:
        """An upper bound of φ^{n−1} at and beyond the last node."""
        return self.powers[-1].upper()

    def close(self, total: Any, low: Any, high: Any, x: Any = None) -> Any:
        """The integral from the finite sum: truncated parts in [0, low + high], then ±ε.

        On a bounded grid the ends of the rectangle add to it; x is X at the last node or less.
        """
        whole = total + hull(low * 0, (low + high).upper())
        if self.grid.bounded:
            whole += symmetric(low + self.end(x))
        return whole * (1 + symmetric(self.grid.relative_error))

    def end(self, x: Any) -> Any:
        """What the right end of the rectangle adds: see the module's docstring."""
        c = ball(self.grid.strip).cos()
        size = 16 * ball(self.grid.strip) * self.draws / (REAL.constant("e") * c)
        return size * self.grid.end_factor(x * 7 / 8 - self.last_power.log())

    def ratio(self, z: Any) -> Any:
        """w at a real ball z inside the grid's range."""
        return self._closed_at(self.plain_sum(z), z.exp())

    def near(self, z: Any) -> Any:
        """`ratio` by the nodes where X is neither tiny nor huge: an absolute error of e^{−nats}."""
        rate, place = z.exp(), Fraction(float(z.mid()))
        inner = self.grid.within(place - 1, place + 1, float(self.draws.upper()))
        first = inner.first - self.grid.first
        total = rate * 0
        for k in range(first, first + inner.count):
            x = self.times[k] * rate
            total += self.weights[k] * x * (-x).exp()
        last = first + inner.count - 1
        tail = _tail(self.times[last] * rate, self.grid.step)
        high = self.draws * self.powers[last].upper() * tail
        low = self.draws * self.times[first] * rate
        return self.close(total, low, high, self.times[-1] * rate)

    def plain_sum(self, z: Any) -> Any:
        """The finite trapezoid sum at z, without its errors."""
        rate = z.exp()
        total = rate * 0
        for time, weight in zip(self.times, self.weights, strict=True):
            x = time * rate
            total += weight * x * (-x).exp()
        return total

    def _closed_at(self, total: Any, rate: Any) -> Any:
        low = self.draws * self.times[0] * rate
        x = self.times[-1] * rate
        return self.close(total, low, self.draws * self.last_power * _tail(x, self.grid.step), x)

    def ratios(self, panels: Panels, strength: Fraction) -> list[list[Any]]:
        """w at z = λ·x for every point x of the panels: a list for each panel.

        Where the panels are as far apart as a whole number of steps, all panels share the nodes'
        exponentials and each Gauss point is one polynomial product.
        """
        lam = ball(strength)
        offsets = [lam * offset for offset, _ in panels.rule]
        stride = panels.width * strength / self.grid.step
        if panels.count == 1 or stride.denominator != 1:
            check_work(panels.points * panels.count * self.grid.count, "the race")
            starts = [lam * ball(panels.left(j)) for j in range(panels.count)]
            return [[self.ratio(start + offset) for offset in offsets] for start in starts]
        check_work(panels.points * (self.grid.count + panels.count * float(stride)), "the race")
        # In blocks of panels, each with the nodes where its X is neither tiny nor huge.
        size = max(1, int(80 / float(panels.width * strength)))
        rows: list[list[Any]] = []
        for start in range(0, panels.count, size):
            rows += self._block(panels, strength, offsets, start, min(size, panels.count - start))
        return rows

    def _block(
        self, panels: Panels, strength: Fraction, offsets: list[Any], start: int, count: int
    ) -> list[list[Any]]:
        low, high = strength * panels.left(start), strength * panels.left(start + count)
        inner = self.grid.within(low, high, float(self.draws.upper()))
        first = inner.first - self.grid.first
        weights = self.weights[first : first + inner.count]
        stride = int(panels.width * strength / inner.step)
        # One bound for the block: the low part is largest at its top, the high part at its bottom.
        below = self.draws * self.times[first] * ball(high).exp()
        x = self.times[first + inner.count - 1] * ball(low).exp()
        above = self.draws * self.powers[first + inner.count - 1].upper() * _tail(x, inner.step)
        columns, end = [], self.times[-1] * ball(low).exp()
        for offset in offsets:
            kernel = inner.kernel(ball(low) + offset, stride * (count - 1), True, 2)
            sums = balls.correlation(weights, kernel)[::stride]
            columns.append([self.close(value, below, above, end) for value in sums])
        return [[column[j] for column in columns] for j in range(count)]


def _tail(x: Any, step: Fraction) -> Any:
    """A bound of h Σ X e^{−X} over the nodes beyond X = x."""
    # e^{−x} where the terms decrease, 1 + h/e in any case; capped, since the exponential of
    # −e^{1000} would take long to say nothing more.
    return (-REAL.minimum(x, x * 0 + 64 * math.ceil(nats()))).exp() if x > 1 else 1 + ball(step)


def power(x: Any, exponent: Fraction) -> Any:
    """x^exponent for a ball around a number in (0, 1], exponent ≥ 0; the ball may touch 0."""
    if exponent == 0:
        return x * 0 + 1
    if exponent == 1:
        return x
    if x > 0:
        return x ** ball(exponent)
    return hull(x * 0, x.upper() ** ball(exponent))


def gathered(
    grid: Grid, panels: Panels, strength: Fraction, values: Sequence[Sequence[Any]], damped: bool
) -> list[Any]:
    """Σ_{j,q} values[j][q]·K(t_k e^{λ x_{jq}}) at each node, K(X) = e^{−X}, or X e^{−X} if damped.

    ``values`` holds density times Gauss weight at every point of the panels.
    """
    lam = ball(strength)
    period = panels.width * strength / grid.step
    shared = panels.count > 1 and period.denominator == 1
    total = [ball(Fraction(0))] * grid.count
    work = panels.points * (grid.count + panels.count * float(period) if shared else 0)
    check_work(work or panels.points * panels.count * grid.count, "the race")
    for q, (offset, _) in enumerate(panels.rule):
        if shared:
            stride = period.numerator
            spread = [ball(Fraction(0))] * (stride * (panels.count - 1) + 1)
            for j in range(panels.count):
                spread[j * stride] = values[j][q]
            shift = lam * (ball(panels.start) + offset)
            kernel = grid.kernel(shift, stride * (panels.count - 1), damped, 2)
            total = [a + b for a, b in zip(total, balls.correlation(spread, kernel), strict=True)]
            continue
        for j in range(panels.count):
            kernel = grid.kernel(lam * (ball(panels.left(j)) + offset), 0, damped, 2)
            value = values[j][q]
            total = [a + value * b for a, b in zip(total, kernel, strict=True)]
    return total


Transform = Callable[[Grid], list[Any]]
