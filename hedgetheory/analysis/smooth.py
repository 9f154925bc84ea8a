"""f′ by certified quadrature, for gold curves that have no exact form.

f′(θ) = ∫ g′(x) k_θ(F(x)) dx + Σ jumps · k_θ, on x = u (or x = u^{1/q}, where g is smooth at 0 only
in that) or on x = r with explicit tails. f(θ) = g(c) + ∫_c g′ (1 − G) − ∫^c g′ G likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial, lcm
from typing import Any

import sympy

from hedgetheory.analysis.curve import ONE, ZERO, NoExactForm
from hedgetheory.analysis.expsum import constant_ball
from hedgetheory.analysis.gold import (
    Change,
    Gold,
    NotPolynomial,
    pieces_of,
    slope_pattern,
    smooth_pieces,
)
from hedgetheory.analysis.zeros import sign_of
from hedgetheory.expressions.symbols import lam, mu, n, r, u, ubar
from hedgetheory.expressions.vocabulary import phi1, phi2
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import (
    REAL,
    ball,
    complex_arithmetic,
    current_bits,
    hull,
    integral,
    precision,
    symmetric,
)
from hedgetheory.numerics.program import Program, UnsupportedExpression, compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt

#: Narrowest box, as a power of two of the whole, in the search for sign changes of g′.
_NARROWEST = Fraction(1, 2**40)
_MAX_BOXES = 2_000


@dataclass(frozen=True)
class RankKernel:
    """G, 1 − G and k = −∂_θ G in (u, ū, θ), with max w for the tails."""

    theta: sympy.Symbol
    below: sympy.Expr
    above: sympy.Expr
    kernel: sympy.Expr
    largest_ratio: sympy.Expr
    #: Is k analytic in u at u = 0?
    analytic_at_zero: bool


def _quantile_tilt_kernel() -> sympy.Expr:
    # k = [a(u) M′ − a′(u) M]/M² with a(u) = ∫₀ᵘ e^{λx} dx = uφ₁(λu), a′ = ∫₀ᵘ x e^{λx} dx, in the
    # form that neither cancels nor divides by zero at λ = 0: ∫₀¹ x e^{λx} dx = e^λ φ₂(−λ).
    inner = u**2 * sympy.exp(lam * u) * phi2(-lam * u)
    whole = sympy.exp(lam) * phi2(-lam)
    return (u * phi1(lam * u) * whole - inner * phi1(lam)) / phi1(lam) ** 2


def _plain_tilt() -> dict[str, sympy.Expr]:
    """The same G, 1 − G and k in plain exponentials: faster, for λ away from zero."""
    whole = 1 - sympy.exp(-lam)
    below = (sympy.exp(-lam * ubar) - sympy.exp(-lam)) / whole
    above = (1 - sympy.exp(-lam * ubar)) / whole
    return {"k": -sympy.diff(below, lam), "G": below, "S": above}


KERNELS = {
    # 1 − uⁿ and not its conditioned form: near u = 0 that one is the logarithm of a cancellation.
    "bon": RankKernel(n, BestOfN.cdf, 1 - BestOfN.cdf, -(u**n) * sympy.log(u), n, False),
    "bop": RankKernel(
        mu,
        BestOfPoisson.cdf,
        BestOfPoisson.survival,
        u * ubar * sympy.exp(-mu * ubar),
        1 + mu,
        True,
    ),
    "quantile_tilt": RankKernel(
        lam,
        QuantileTilt.cdf,
        QuantileTilt.survival,
        _quantile_tilt_kernel(),
        1 / phi1(-lam),
        True,
    ),
}


@dataclass(frozen=True)
class SmoothPiece:
    """g on [low, high] (in x, an end None infinite) with its first two derivatives."""

    low: Fraction | None
    high: Fraction | None
    value: sympy.Expr
    slope: sympy.Expr
    curvature: sympy.Expr


class SmoothCurve:
    """f and f′ of a rank family by certified quadrature; ``exact_sign`` is never known."""

    def __init__(self, law: ContinuousLaw, family: Family, gold: Gold) -> None:
        if family.name not in KERNELS:
            raise NoExactForm(f"no certified quadrature for the family {family}")
        self.rank = KERNELS[family.name]
        self.lower = family.domain.lower
        expr = gold.expr
        self.in_reward = expr.has(r) and not isinstance(law, Uniform)
        self.law: ContinuousLaw = law if self.in_reward else Uniform()
        if self.in_reward:
            self.x, self.low, self.high = r, *law.support
            q = 1
            cdf, survival = law.cdf, law.survival
        else:
            expr = expr.xreplace({r: u})
            q = lcm(*(int(p.exp.q) for p in expr.atoms(sympy.Pow) if p.exp.is_Rational), 1)
            self.x, self.low, self.high = u, ZERO, ONE
            expr = expr.subs(u, u**q) if q > 1 else expr
            cdf, survival = u**q, 1 - u**q
        #: The integrals run over x = u^{1/q}, or x = r; g in x is `expr`.
        self.q, self.expr = q, expr
        try:
            self.pieces = [
                SmoothPiece(a, b, e, sympy.diff(e, self.x), sympy.diff(e, self.x, 2))
                for a, b, e in smooth_pieces(expr, self.x, self.low, self.high)
            ]
            self._compile(cdf, survival)
        except (UnsupportedExpression, NotPolynomial) as why:
            raise NoExactForm(str(why)) from None
        if self.in_reward:
            # The tail bounds are proved for log-concave densities and polynomials.
            if not isinstance(law, (Normal, Exponential, Logistic)):
                raise NoExactForm(f"no tail bounds are known here for {law.name}")
            if not all(piece.slope.is_polynomial(r) for piece in self.pieces):
                raise NoExactForm(f"gold in r on {law.name} is integrated for polynomials only")
            self.poly = [
                [abs(c) for c in sympy.Poly(piece.slope, r).all_coeffs()[::-1]]
                for piece in (self.pieces[0], self.pieces[-1])
            ]

    def _compile(self, cdf: sympy.Expr, survival: sympy.Expr) -> None:
        at = {u: cdf, ubar: survival}
        theta = self.rank.theta
        kernel = self.rank.kernel.xreplace(at)
        forms = {"k": kernel, "G": self.rank.below.xreplace(at), "S": self.rank.above.xreplace(at)}
        self.weight = {name: compiled(form, (self.x, theta)) for name, form in forms.items()}
        plain = _plain_tilt() if theta is lam else {}
        self.plain = {k: compiled(e.xreplace(at), (self.x, theta)) for k, e in plain.items()}
        self.slopes = [compiled(piece.slope, (self.x,)) for piece in self.pieces]
        self.values = [compiled(piece.value, (self.x,)) for piece in self.pieces]

    def exact_sign(self, x: Fraction) -> int | None:
        return None

    def _weight(self, name: str, theta: Any) -> Program:
        plain = self.plain and theta > ball(Fraction(1, 16))
        return self.plain[name] if plain else self.weight[name]

    # The integrals -----------------------------------------------------------------------------

    def __call__(self, x: Any) -> Any:
        """f′ at a ball."""
        return self.integral("k", x, self.low, self.high)

    def value(self, theta: Any) -> Any:
        """f at a ball."""
        if self.high is not None:
            top = self.values[-1](REAL, ball(self.high))
            return top - self.integral("G", theta, self.low, self.high)
        if self.low is not None:
            bottom = self.values[0](REAL, ball(self.low))
            return bottom + self.integral("S", theta, self.low, self.high)
        centre = self.law.centre
        middle = self._at(centre)
        above = self.integral("S", theta, centre, None)
        return middle + above - self.integral("G", theta, None, centre)

    def _at(self, x: Fraction) -> Any:
        for piece, program in zip(self.pieces, self.values, strict=True):
            if piece.high is None or x <= piece.high:
                return program(REAL, ball(x))
        raise ArithmeticError("a point outside the support")

    def integral(self, weight: str, theta: Any, low: Fraction | None, high: Fraction | None) -> Any:
        """∫ g′·weight + Σ jumps·weight over [low, high], with both tails enclosed."""
        total = ball(0)
        for i, piece in enumerate(self.pieces):
            a, b = _larger(piece.low, low), _smaller(piece.high, high)
            if a is not None and b is not None and a >= b:
                continue
            total += self._one(self.slopes[i], weight, theta, a, b)
            cut = piece.low
            if i and cut is not None and (low is None or cut >= low):
                jump = self.values[i](REAL, ball(cut)) - self.values[i - 1](REAL, ball(cut))
                total += jump * self._weight(weight, theta)(REAL, ball(cut), theta)
        return total

    def _one(
        self,
        slope: Program,
        weight: str,
        theta: Any,
        low: Fraction | None,
        high: Fraction | None,
    ) -> Any:
        factor = self._weight(weight, theta)
        total = ball(0)
        if low is None:
            low, tail = self._tail(-1, theta, weight)
            total += tail
        if high is None:
            high, tail = self._tail(1, theta, weight)
            total += tail
        if low == self.low and not self.rank.analytic_at_zero and low < high:
            cut = min(low + Fraction(1, 2 ** (current_bits() + 8)), high)
            box = hull(ball(low), ball(cut))
            # k, G and 1 − G are at most one for every n ≥ 1, on [0, cut].
            total += symmetric(slope(REAL, box) * (ball(cut) - ball(low)))
            low = cut

        if not all(slope(REAL, ball(end)).is_finite() for end in (low, high)):
            return ball(0) / ball(0)

        def integrand(z: Any, analytic: bool) -> Any:
            arithmetic = complex_arithmetic(analytic)
            return slope(arithmetic, z) * factor(arithmetic, z, theta + z * 0)

        return total + integral(integrand, ball(low), ball(high))

    def _tail(self, side: int, theta: Any, weight: str) -> tuple[Fraction, Any]:
        """A cut and a ball around the integral beyond it, for log-concave laws.

        S(x + t) ≤ S(x) e^{−ρt}, ρ = f(x)/S(x): the hazard increases. Above, every weight is at most
        C·(1 − u) with C = max w ≥ 1: 1 − G by w ≤ C; −u ln u ≤ 1 − u; and the tilt's
        k is Cov_λ(1{U > u}, U) ≤ 1 − G. Below, at most 3√u: G ≤ u, k ≤ G for the tilt,
        −u ln u ≤ (2/e)√u.
        """
        law, degree = self.law, len(self.poly[0 if side < 0 else 1]) - 1
        coefficients = self.poly[0 if side < 0 else 1]
        mass_form = law.survival if side > 0 else law.cdf
        density, mass = compiled(law.pdf, (r,)), compiled(mass_form, (r,))
        target = ball(Fraction(1, 2 ** (current_bits() + 8)))
        x = law.centre + side * law.width
        tail = ball(0)
        for _ in range(64):
            at = ball(x)
            beyond = mass(REAL, at)
            rate = density(REAL, at) / beyond
            if side > 0:
                scale = compiled(self.rank.largest_ratio, (self.rank.theta,))(REAL, theta) + 1
            else:
                # √F falls at half the rate.
                scale, beyond, rate = ball(3), beyond.sqrt(), rate / 2
            tail = ball(0)
            for k in range(degree + 1):
                # ∫ (|x| + t)^k e^{−ρt} dt = Σ_j k!/(k − j)! |x|^{k−j}/ρ^{j+1}.
                moment = ball(0)
                for j in range(k + 1):
                    count = Fraction(factorial(k), factorial(k - j))
                    moment += ball(count) * abs(at) ** (k - j) / rate ** (j + 1)
                tail += constant_ball_of(coefficients[k]) * moment
            tail = tail * beyond * scale
            if tail < target:
                break
            x = law.centre + (x - law.centre) * 2
        return x, symmetric(tail)


def constant_ball_of(value: sympy.Expr) -> Any:
    if value.is_Rational:
        return ball(Fraction(int(value.p), int(value.q)))
    return constant_ball(value)


def _larger(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return b if a is None else a if b is None else max(a, b)


def _smaller(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return b if a is None else a if b is None else min(a, b)


# Sign changes of g′ -----------------------------------------------------------------------------


def smooth_pattern(curve: SmoothCurve) -> tuple[list[int], list[Change]] | None:
    """The strict signs of dg and where they change, exact or in balls; None where open."""
    try:
        return slope_pattern(pieces_of(curve.expr, curve.x, curve.low, curve.high))
    except NotPolynomial:
        pass
    marks: list[tuple[Fraction, Fraction, int]] = []
    for i, piece in enumerate(curve.pieces):
        if i and piece.low is not None:
            before, after = curve.pieces[i - 1].value, piece.value
            at = {curve.x: exact_symbol(piece.low)}
            jump = sympy.simplify(after.subs(at) - before.subs(at))
            if jump != 0:
                with precision(256):
                    sign = sign_of(compiled(jump, ())(REAL))
                if not sign:
                    return None
                marks.append((piece.low, piece.low, sign))
        found = _signs_on(piece, curve.x)
        if found is None:
            return None
        marks += found
    signs: list[int] = []
    changes: list[Change] = []
    for low, high, sign in marks:
        if signs and signs[-1] != sign:
            changes.append(Change(low, high, signs[-1], sign))
        if not signs or signs[-1] != sign:
            signs.append(sign)
    return signs, changes


def _signs_on(piece: SmoothPiece, x: sympy.Symbol) -> list[tuple[Fraction, Fraction, int]] | None:
    """(low, high of the place, the sign of g′ from there on) along one piece."""
    low, high = piece.low, piece.high
    if low is None or high is None:
        return None
    if sympy.simplify(piece.slope) == 0:
        return []
    slope, curvature = compiled(piece.slope, (x,)), compiled(piece.curvature, (x,))
    stack, out, boxes = [(low, high)], [], 0

    def end_sign(point: Fraction) -> int | None:
        with precision(256):
            sign = sign_of(slope(REAL, ball(point)))
        if sign:
            return sign
        exact = piece.slope.subs(x, exact_symbol(point))
        return 0 if sympy.simplify(exact) == 0 else None

    with precision(96):
        while stack:
            a, b = stack.pop()
            boxes += 1
            box = hull(ball(a), ball(b))
            middle = (a + b) / 2
            bend = curvature(REAL, box)
            sign = sign_of(slope(REAL, box)) or sign_of(
                slope(REAL, ball(middle)) + bend * symmetric(ball((b - a) / 2))
            )
            if sign:
                out.append((a, a, sign))
                continue
            turn = sign_of(bend)
            if turn:
                left, right = end_sign(a), end_sign(b)
                if left is not None and right is not None:
                    # g′ is strictly monotone here: a zero at an end leaves one sign inside.
                    if left * right < 0:
                        place = _narrowed(slope, a, b, left)
                        out += [(a, a, left), (*place, right)]
                    else:
                        out.append((a, a, left or right))
                    continue
            if boxes > _MAX_BOXES or b - a < _NARROWEST * (high - low):
                return None
            stack += [(middle, b), (a, middle)]
    return out


def _narrowed(
    slope: Program, low: Fraction, high: Fraction, left: int
) -> tuple[Fraction, Fraction]:
    for _ in range(60):
        middle = (low + high) / 2
        sign = sign_of(slope(REAL, ball(middle)))
        if not sign:
            break
        low, high = (middle, high) if sign == left else (low, middle)
    return low, high
