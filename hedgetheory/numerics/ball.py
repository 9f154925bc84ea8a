"""Ball arithmetic: the only module that imports flint, and the only one that sets its precision.

A ball is an `arb` (or `acb`): every operation encloses the true value. flint's precision is
process-global, so it is set in `precision`, with save and restore, and nowhere else; certified
work belongs in processes, not in threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from flint import acb, arb, arb_poly, ctx, fmpq, fmpz_mpoly_ctx, fmpz_poly

from hedgetheory.effort import spend
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number
from hedgetheory.numerics.incomplete import ComplexIncomplete, RealIncomplete
from hedgetheory.numerics.program import Operators

#: A number that is not certified within this working precision is given up as `NotCertified`.
MAX_BITS = 1 << 16
#: Evaluations times bits that one integral may cost: a few seconds.
INTEGRAL_WORK = 1 << 24
BITS_PER_DIGIT = math.log2(10)


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """The one place where flint's working precision changes, restored on the way out."""
    saved = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = saved


def current_bits() -> int:
    """The working precision in force."""
    return int(ctx.prec)


def ball(value: Fraction | int) -> arb:
    """The tightest ball around a rational at the current precision."""
    return arb(fmpq(value.numerator, value.denominator))


def symmetric(radius: arb) -> arb:
    """The ball [−radius, radius]."""
    return arb(0, radius.abs_upper())


def hull(low: arb, high: arb) -> arb:
    """A ball that contains both arguments and all between."""
    return low.union(high)


def unit_interval() -> arb:
    """A ball around [0, 1], which reaches a little beyond: radii are rounded up."""
    return arb(0.5, 0.5)


def no_bound() -> arb:
    """What a bound that could not be established returns: not a finite ball."""
    return arb.nan()


def upper_integer(x: arb) -> Fraction:
    """An integer upper bound of |x|, for a finite ball."""
    return Fraction(int(x.abs_upper().ceil().upper().fmpq().p)) + 1


class RealBalls(RealIncomplete, Operators):
    """Real balls; a result that is not finite says that the point is outside the domain."""

    def state(self) -> Hashable:
        return int(ctx.prec)

    def root(self, increasing: Callable[[Any], Any]) -> Any:
        return increasing_root(increasing)

    def constant(self, value: Fraction | str) -> Any:
        if isinstance(value, str):
            return {"pi": arb.pi, "e": arb.const_e, "euler": arb.const_euler}[value]()
        return ball(value)

    def integer_power(self, exponent: int) -> Callable[[Any], Any]:
        # x·x forgets that both factors are the same number: an even power is never negative. And
        # flint's own power of a ball around exactly 0 is NaN.
        if exponent % 2 == 0:
            return lambda x: (_magnitude(x) ** exponent).nonnegative_part()
        return lambda x: x * _magnitude(x) ** (exponent - 1)

    def pow(self, x: Any, y: Any) -> Any:
        if x > 0:
            return x**y
        # The closed end 0 of [0, h]: u^n is continuous there for n > 0, where exp(n ln u) is not.
        if x >= 0 and y > 0:
            return arb(0) if x.is_zero() else hull(arb(0), x.upper() ** y)
        if y.is_zero():
            return arb(1)
        if y.is_integer():
            return x**y
        return arb.nan()

    def sqrt(self, x: Any) -> Any:
        return x.sqrt()

    def exp(self, x: Any) -> Any:
        return x.exp()

    def log(self, x: Any) -> Any:
        return x.log()

    def sin(self, x: Any) -> Any:
        return x.sin()

    def cos(self, x: Any) -> Any:
        return x.cos()

    def tan(self, x: Any) -> Any:
        return x.tan()

    def sinh(self, x: Any) -> Any:
        return x.sinh()

    def cosh(self, x: Any) -> Any:
        return x.cosh()

    def tanh(self, x: Any) -> Any:
        return x.tanh()

    def erf(self, x: Any) -> Any:
        return x.erf()

    def erfc(self, x: Any) -> Any:
        return x.erfc()

    def erfinv(self, x: Any) -> Any:
        return x.erfinv()

    def erfcinv(self, x: Any) -> Any:
        return x.erfcinv()

    def gamma(self, x: Any) -> Any:
        return x.gamma()

    def lgamma(self, x: Any) -> Any:
        return x.lgamma()

    def digamma(self, x: Any) -> Any:
        return x.digamma()

    def harmonic(self, x: Any) -> Any:
        return (x + 1).digamma() + arb.const_euler()

    def ei(self, x: Any) -> Any:
        return x.ei()

    def log1p(self, x: Any) -> Any:
        return x.log1p()

    def expm1(self, x: Any) -> Any:
        return x.expm1()

    def phi1(self, x: Any) -> Any:
        return _series(x, lambda j: 1 / arb(j + 2)) if _is_small(x) else x.expm1() / x

    def phi2(self, x: Any) -> Any:
        # (e^x − 1 − x)/x² loses two factors of x near zero: the series has none to lose.
        if _is_small(x):
            return _series(x, lambda j: 1 / arb(j + 3)) / 2
        return (x.expm1() / x - 1) / x

    def phi3(self, x: Any) -> Any:
        if _is_small(x):
            return _series(x, lambda j: 1 / arb(j + 4)) / 6
        return (self.phi2(x) - arb(0.5)) / x

    def Ein(self, x: Any) -> Any:
        if _is_small(x):
            return x * _series(-x, lambda j: arb(j + 1) / arb(j + 2) ** 2)
        return self.constant("euler") + abs(x).log() - (-x).ei()

    def scaled_ei(self, x: Any) -> Any:
        return x.ei() * (-x).exp()

    def wright_omega(self, x: Any) -> Any:
        return x.exp().lambertw()

    def ndtr(self, x: Any) -> Any:
        return (-x / arb(2).sqrt()).erfc() / 2

    def absolute(self, x: Any) -> Any:
        return _magnitude(x)

    def minimum(self, x: Any, y: Any) -> Any:
        return x.min(y)

    def maximum(self, x: Any, y: Any) -> Any:
        return x.max(y)

    def less(self, x: Any, y: Any) -> bool | None:
        return True if x < y else False if x >= y else None

    def at_most(self, x: Any, y: Any) -> bool | None:
        return True if x <= y else False if x > y else None

    def both(self, x: bool | None, y: bool | None) -> bool | None:
        return False if x is False or y is False else None if x is None or y is None else True

    def either(self, x: bool | None, y: bool | None) -> bool | None:
        return True if x or y else None if x is None or y is None else False

    def where(self, condition: bool | None, x: Any, y: Any) -> Any:
        return hull(x, y) if condition is None else x if condition else y


def _magnitude(x: Any) -> Any:
    """A ball around |x| with nothing below zero, which flint's own abs does not promise."""
    return abs(x).nonnegative_part()


def _is_small(x: Any) -> bool:
    return bool(x.abs_upper() < 1)


def _series(x: Any, ratio: Callable[[int], arb]) -> Any:
    """Σ_j c_j x^j with c_0 = 1 and c_{j+1}/c_j = ratio(j) ≤ 1/2 decreasing, for |x| < 1."""
    term = total = x * 0 + 1
    bits, j = ctx.prec, 0
    while True:
        term = term * x * ratio(j)
        j += 1
        size = term.abs_upper()
        # The remainder is at most the last term times Σ 2^{−i} = 1 more of it, |x| < 1.
        if size < arb(2) ** (-bits - 4) or j > bits:
            error = symmetric(2 * size)
            return total + term + (error if isinstance(x, arb) else acb(error, error))
        total += term


class ComplexBalls(ComplexIncomplete, RealBalls):
    """Complex balls for contour bounds: with ``analytic``, NaN where a branch cut is touched."""

    def __init__(self, analytic: bool) -> None:
        self.analytic = analytic

    def constant(self, value: Fraction | str) -> Any:
        return acb(super().constant(value))

    def integer_power(self, exponent: int) -> Callable[[Any], Any]:
        return lambda x: x**exponent

    def pow(self, x: Any, y: Any) -> Any:
        if not self.analytic and x.contains(0) and y.imag.is_zero() and y.real > 0:
            # |x^y| = |x|^y, where exp(y ln x) is NaN: a range of integration may end at 0.
            size = symmetric(x.abs_upper() ** y.real)
            return acb(size, size)
        return x.pow(y, analytic=self.analytic)

    def sqrt(self, x: Any) -> Any:
        return x.sqrt(analytic=self.analytic)

    def log(self, x: Any) -> Any:
        return x.log(analytic=self.analytic)

    def log1p(self, x: Any) -> Any:
        y = 1 + x
        # Away from the cut a small x keeps its digits.
        return x.log1p() if y.real > 0 else y.log(analytic=self.analytic)

    def absolute(self, x: Any) -> Any:
        return x.real_abs(analytic=self.analytic)

    def minimum(self, x: Any, y: Any) -> Any:
        return x.real_min(y, analytic=self.analytic)

    def maximum(self, x: Any, y: Any) -> Any:
        return x.real_max(y, analytic=self.analytic)

    def less(self, x: Any, y: Any) -> bool | None:
        return super().less(x.real, y.real)

    def at_most(self, x: Any, y: Any) -> bool | None:
        return super().at_most(x.real, y.real)

    def where(self, condition: bool | None, x: Any, y: Any) -> Any:
        if condition is None:
            return acb(arb.nan()) if self.analytic else x.union(y)
        return x if condition else y

    def _real_only(self, name: str, x: Any) -> Any:
        if not x.imag.is_zero():
            return acb(arb.nan())
        return acb(getattr(RealBalls, name)(REAL, x.real))

    def Ein(self, x: Any) -> Any:
        if _is_small(x):
            return x * _series(-x, lambda j: arb(j + 1) / arb(j + 2) ** 2)
        return self._real_only("Ein", x)

    def ei(self, x: Any) -> Any:
        return self._real_only("ei", x)

    def scaled_ei(self, x: Any) -> Any:
        return self._real_only("scaled_ei", x)

    def wright_omega(self, x: Any) -> Any:
        return self._real_only("wright_omega", x)

    def erfinv(self, x: Any) -> Any:
        return self._real_only("erfinv", x)

    def erfcinv(self, x: Any) -> Any:
        return self._real_only("erfcinv", x)


class DefinedBalls(RealBalls):
    """Real balls for a bound over a box: roots and powers where their base is not negative."""

    def pow(self, x: Any, y: Any) -> Any:
        return super().pow(x.nonnegative_part(), y)

    def sqrt(self, x: Any) -> Any:
        return x.nonnegative_part().sqrt()


REAL, WHERE_DEFINED = RealBalls(), DefinedBalls()
ComplexBalls.real = REAL
_ANALYTIC, _PLAIN = ComplexBalls(True), ComplexBalls(False)


def complex_arithmetic(analytic: bool) -> ComplexBalls:
    """The complex arithmetic that an integrand is asked for."""
    return _ANALYTIC if analytic else _PLAIN


def number(x: arb, digits: int) -> Number:
    """A finite ball as a `Number`, a few digits wider than asked."""
    if x.is_zero():
        return Number.exact(0)
    mid, rad, exp10 = x.mid_rad_10exp(digits + 8)
    return Number.ball(int(mid), int(rad), int(exp10))


def certify(
    evaluate: Callable[[], arb], digits: int, what: str = "the value", costly: bool = False
) -> Number:
    """Evaluate at rising precision until ``digits`` significant digits are certain.

    The radius that is accepted is below 10^{−digits−1} of the value. Raises NotCertified with the
    best enclosure past 65,536 bits beyond those that the digits alone need, or, where each
    evaluation is ``costly`` as an integral is, past 1,024 + 8 times the digits' own bits.
    """
    target = math.ceil((digits + 1) * BITS_PER_DIGIT) + 2
    bits = target + 30
    limit = 1024 + 8 * target if costly else MAX_BITS + 2 * target
    best: arb | None = None
    while bits <= limit:
        with precision(bits):
            x = evaluate()
            if x.is_finite():
                best = x
                accuracy = x.rel_accuracy_bits()
                if x.is_zero() or accuracy >= target:
                    return number(x, digits)
                # Where the sign is certain the deficit is known; otherwise only doubling is safe.
                bits += 2 * bits if accuracy < 0 else target - accuracy + 30
                continue
        bits *= 2
    raise NotCertified(
        f"{what} is not certified to {digits} digits within {limit} bits; "
        + ("no enclosure was found" if best is None else f"best: {best}")
        + ("; a value of exactly 0 has no significant digits" if _may_vanish(best) else ""),
        number(best, digits) if best is not None else None,
    )


def _may_vanish(x: arb | None) -> bool:
    return x is not None and bool(x.contains(0))


def integral(function: Callable[[acb, bool], acb], low: arb, high: arb, cost: int = 1) -> arb:
    """∫ function over [low, high], certified: NaN where the integrand is not bounded by balls.

    Raises NotCertified after `INTEGRAL_WORK` evaluations times bits, each evaluation counted
    ``cost`` times: more bits cost only more.
    """
    limit = max(INTEGRAL_WORK // ctx.prec, 4 * ctx.prec) // cost
    count, raised = 0, None

    def counted(x: acb, analytic: bool) -> acb:
        # flint calls on after an exception, up to its limit: what was raised waits for the end.
        nonlocal count, raised
        count += 1
        if raised is not None:
            return acb(arb.nan())
        try:
            spend()
            return function(x, analytic)
        except BaseException as error:
            raised = error
            return acb(arb.nan())

    result = acb.integral(counted, acb(low), acb(high), eval_limit=limit).real
    if raised is not None:
        raise raised
    if count >= limit - 8:
        work = f"{limit} evaluations of {ctx.prec} bits"
        raise NotCertified(f"an integral is not certified with {work}")
    return result


def node_key(z: acb) -> tuple[Any, ...]:
    """A finite complex ball as something to look up, the same for identical balls only."""
    a, b = z.real, z.imag
    return a.mid().man_exp(), a.rad().man_exp(), b.mid().man_exp(), b.rad().man_exp()


def polynomial(coefficients: Sequence[Any]) -> arb_poly:
    """A polynomial with ball coefficients, the constant first; calling it evaluates or composes."""
    return arb_poly(list(coefficients))


def squarefree_factors(terms: dict[tuple[int, int], int]) -> list[tuple[dict[Any, int], int]]:
    """The squarefree decomposition of Σ terms[i, j] xⁱyʲ over the integers, units dropped."""
    context = fmpz_mpoly_ctx.get(("x", "y"), "lex")
    _, factors = context.from_dict(terms).factor_squarefree()
    return [
        ({tuple(map(int, key)): int(c) for key, c in factor.to_dict().items()}, int(multiplicity))
        for factor, multiplicity in factors
    ]


def irreducible_factors(coefficients: Sequence[int]) -> list[tuple[list[int], int]]:
    """The irreducible factors of an integer polynomial, each with its multiplicity."""
    _, factors = fmpz_poly(list(coefficients)).factor()
    return [([int(c) for c in factor.coeffs()], int(times)) for factor, times in factors]


def common_factor(polynomials: Sequence[Sequence[int]]) -> list[int]:
    """The primitive greatest common divisor of integer polynomials."""
    divisor = fmpz_poly([])
    for coefficients in polynomials:
        divisor = divisor.gcd(fmpz_poly(list(coefficients)))
    content = divisor.content()
    return [int(c // content) for c in divisor.coeffs()]


def exact_quotient(dividend: Sequence[int], divisor: Sequence[int]) -> list[int]:
    """dividend/divisor for integer polynomials that divide."""
    quotient, rest = divmod(fmpz_poly(list(dividend)), fmpz_poly(list(divisor)))
    if rest != 0:
        raise ArithmeticError("the division of polynomials leaves a remainder")
    return [int(c) for c in quotient.coeffs()]


def real_roots(coefficients: Sequence[int]) -> list[arb]:
    """Disjoint balls, one around each real root of a squarefree integer polynomial."""
    found = fmpz_poly(list(coefficients)).complex_roots()
    return [root.real for root, _ in found if root.imag.is_zero()]


def enclosing_rationals(x: arb) -> tuple[Fraction, Fraction]:
    """Rational bounds of a finite ball."""
    ends = []
    for end in (x.lower(), x.upper()):
        mantissa, exponent = end.man_exp()
        ends.append(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))
    return ends[0], ends[1]


def as_complex(x: arb) -> acb:
    """A real ball as a complex one."""
    return acb(x)


def current_precision() -> int:
    """The working precision in bits."""
    return int(ctx.prec)


def power_of_two(exponent: int) -> arb:
    """2^exponent, exactly."""
    return arb(2) ** exponent


def increasing_root(function: Callable[[arb], arb]) -> arb:
    """A ball around the root in [0, 1] of an increasing function.

    The bracket shrinks by bisection and by secants, whose guess is tried a little to both sides;
    the signs at the two ends of the result are certified. Where no sign can be decided at the
    working precision any more, the ball is as wide as what was decided.
    """
    low, high = arb(0), arb(1)
    at_low = at_high = None
    closer = 4
    for _ in range(8 * ctx.prec):
        width = high - low
        if width < high * power_of_two(4 - ctx.prec):
            break
        if at_low is not None and at_high is not None and closer > 1:
            guess = (low - width * at_low / (at_high - at_low)).mid()
            offset = (width * power_of_two(-closer)).mid()
            trial = [(guess - offset).mid(), (guess + offset).mid()]
        else:
            # The middle; where it is the root itself no precision tells its sign, but its
            # neighbours' signs close in on it.
            middle, aside = ((low + high) / 2).mid(), (width / 8).mid()
            trial = [middle, (middle - aside).mid(), (middle + aside).mid()]
        decided, bisecting = 0, len(trial) == 3
        for x in trial:
            if bisecting and decided and x is trial[1]:
                break
            if not low < x < high:
                continue
            value = function(x)
            if value > 0:
                high, at_high, decided = x, value.mid(), decided + 1
            elif value < 0:
                low, at_low, decided = x, value.mid(), decided + 1
            elif value.is_zero():
                return x
        if bisecting and not decided:
            break
        shrunk = bool((high - low) < width / 2)
        closer = min(2 * closer, ctx.prec) if shrunk and not bisecting else max(closer // 2, 1)
        if bisecting:
            closer = max(closer, 4)
    return hull(low, high)


def exponential_integral(order: arb, x: arb) -> arb:
    """E_order(x) = ∫₁^∞ e^{−xv} v^{−order} dv for x > 0."""
    return x.expint(order)


def complex_box(low_real: arb, high_real: arb, low_imag: arb, high_imag: arb) -> acb:
    """The rectangle [low_real, high_real] + i[low_imag, high_imag]."""
    return acb(low_real.union(high_real), low_imag.union(high_imag))


def correlation(short: Sequence[arb], long: Sequence[arb]) -> list[arb]:
    """Σ_k short[k]·long[k + i] for i = 0, …, len(long) − len(short), by one polynomial product."""
    product = arb_poly(list(reversed(short))) * arb_poly(list(long))
    start = len(short) - 1
    return [product[start + i] for i in range(len(long) - start)]


def gauss_legendre(points: int) -> list[tuple[arb, arb]]:
    """The nodes in (−1, 1), increasing, and weights of the Gauss–Legendre rule, as balls."""
    return [arb.legendre_p_root(points, points - 1 - k, True) for k in range(points)]
