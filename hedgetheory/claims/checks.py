"""The steps that checkers are made of: algebra, balls at exact points, and the two together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.claims.model import Evidence, cited
from hedgetheory.exact import short
from hedgetheory.expressions import prover
from hedgetheory.expressions.prover import Antiderivative, Proof, Step
from hedgetheory.expressions.symbols import a, lam, m, mu, n, p, u, ubar
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.plans import UnitIntegral
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.program import compiled

#: Points are exact rationals with this denominator, drawn by a hash of what is confirmed.
_DENOMINATOR = 997
_RANGES: dict[sympy.Symbol, tuple[int, int]] = {
    **{u: (0, 1), p: (0, 1), a: (0, 1)},
    **{n: (1, 30), m: (1, 30), mu: (0, 30), lam: (0, 30)},
}
_BITS = 300
_CONFIRMATIONS = 4

Point = Mapping[sympy.Symbol, Fraction]


def random_point(seed: str, symbols: Sequence[sympy.Symbol]) -> dict[sympy.Symbol, Fraction]:
    """An exact rational point in the open domain of every symbol, the same on every machine."""
    point = {}
    for symbol in symbols:
        low, high = _RANGES.get(symbol, (0, 5) if symbol.is_positive else (-3, 3))
        digest = hashlib.sha256(f"{seed}|{symbol.name}".encode()).digest()
        part = Fraction(1 + int.from_bytes(digest[:4], "big") % (_DENOMINATOR - 1), _DENOMINATOR)
        point[symbol] = low + (high - low) * part
    return point


def in_u(expr: sympy.Expr) -> sympy.Expr:
    """An expression in u and ū as one in u alone."""
    return sympy.sympify(expr).xreplace({ubar: 1 - u})


def shown(point: Point) -> dict[str, str]:
    """A point as JSON."""
    return {symbol.name: short(value) for symbol, value in point.items()}


def ball_at(expr: sympy.Expr, point: Point, bits: int = _BITS) -> Any:
    """The ball of an expression at an exact point."""
    symbols = tuple(point)
    with precision(bits):
        return compiled(expr, symbols)(REAL, *(ball(point[s]) for s in symbols))


def as_json(x: Any, digits: int = 20) -> dict[str, str] | None:
    """A ball as the number object of the command line."""
    return balls.number(x, digits).to_json(digits) if x.is_finite() else None


def unit_integral(expr: sympy.Expr, point: Point, bits: int = 128, **omitted: sympy.Expr) -> Any:
    """∫₀¹ expr du as a ball; ``omitted_left``, ``omitted_right`` as in `UnitIntegral`."""
    plan = UnitIntegral(expr, point, **omitted)
    with precision(bits):
        return enclosure(plan)


# -- algebra, confirmed by balls -----------------------------------------------------------------


def of_step(step: Step) -> Evidence:
    return Evidence("proved", step.says, step.by, step.holds)


def of_proof(proof: Proof) -> Iterator[Evidence]:
    """The steps of a proof, and what it cites."""
    yield from map(of_step, proof.steps)
    for theorem in proof.rests_on:
        yield cited(theorem, "see the statement")


def identity(says: str, difference: sympy.Expr) -> Iterator[Evidence]:
    """``difference`` = 0 for all parameters: by algebra, and by balls at random exact points.

    A ball that excludes zero where algebra has shown nothing refutes the claim.
    """
    difference = in_u(difference)
    step = prover.identity(says, difference)
    contradiction, close = _contradiction(says, difference)
    if contradiction is not None and not step.holds:
        yield Evidence("witness", f"not so: {says}", "ball at an exact point", True, contradiction)
        return
    yield of_step(step)
    yield Evidence(
        "confirmed",
        f"zero at {_CONFIRMATIONS} random exact points: {says}",
        f"balls of {_BITS} bits",
        close and contradiction is None,
        contradiction or {},
    )


def _contradiction(says: str, difference: sympy.Expr) -> tuple[dict[str, Any] | None, bool]:
    """A point where the difference is certainly not zero, and whether all were close to zero."""
    symbols = sorted(difference.free_symbols, key=str)
    close = True
    for i in range(_CONFIRMATIONS):
        point = random_point(f"{says}|{i}", symbols)
        x = ball_at(difference, point)
        if x.is_finite() and 0 not in x:
            return {"at": shown(point), "difference": as_json(x)}, False
        with precision(_BITS):
            close &= bool(x.is_finite() and abs(x) < balls.power_of_two(-_BITS // 3))
    return None, close


def positive(says: str, expr: sympy.Expr) -> Iterator[Evidence]:
    """``expr`` > 0 on the open domain of every parameter: by structure, confirmed by balls."""
    expr = in_u(expr)
    step = prover.positive(says, expr)
    symbols = sorted(expr.free_symbols, key=str)
    all_positive = True
    for i in range(_CONFIRMATIONS):
        point = random_point(f"{says}|{i}", symbols)
        x = ball_at(expr, point)
        if not step.holds and x <= 0:
            data = {"at": shown(point), "value": as_json(x)}
            yield Evidence("witness", f"not so: {says}", "ball at an exact point", True, data)
            return
        all_positive &= bool(x > 0)
    yield of_step(step)
    yield Evidence(
        "confirmed",
        f"positive at {_CONFIRMATIONS} random exact points: {says}",
        f"balls of {_BITS} bits",
        all_positive,
    )


def limit(
    says: str, expr: sympy.Expr, symbol: sympy.Symbol, at: sympy.Expr, value: sympy.Expr
) -> Evidence:
    """``expr`` → ``value`` as ``symbol`` → ``at`` from inside its domain."""
    return of_step(
        prover.limit_is(says, in_u(expr), symbol, sympy.sympify(at), sympy.sympify(value))
    )


def integral_is(
    says: str,
    integrand: sympy.Expr,
    antiderivative: sympy.Expr,
    value: sympy.Expr,
    ends: Mapping[Any, Any] | None = None,
) -> Iterator[Evidence]:
    """∫₀¹ integrand du = value, by differentiating a proposed antiderivative back."""
    proof = Antiderivative(
        in_u(integrand), in_u(antiderivative), u, sympy.sympify(value), ends=ends or {}
    )
    yield from of_proof(proof.prove(says))


def strictly_convex_from(
    says: str, expr: sympy.Expr, symbol: sympy.Symbol, at: int, shift: sympy.Expr
) -> Iterator[Evidence]:
    """``expr`` ≥ 0 with equality only at ``symbol`` = ``at``: value and slope 0 there, convex.

    ``shift`` writes the symbol in one that is merely positive, over its whole domain.
    """
    slope = sympy.diff(expr, symbol)
    yield of_step(prover.identity(f"{says}: value 0 at {at}", expr.subs(symbol, at)))
    yield of_step(prover.identity(f"{says}: slope 0 at {at}", slope.subs(symbol, at)))
    curvature = sympy.diff(slope, symbol).xreplace({symbol: shift})
    yield of_step(prover.positive(f"{says}: second derivative > 0", curvature))


# -- certified at exact points --------------------------------------------------------------------


def certified(says: str, by: str, holds: bool, **data: Any) -> Evidence:
    """A step decided by balls or by exact rationals on what it states."""
    return Evidence("certified", says, by, bool(holds), data)


def witness(says: str, by: str, holds: bool, **data: Any) -> Evidence:
    """A counterexample; one that is not certain does not hold."""
    return Evidence("witness", says, by, bool(holds), data)


def confirmed(says: str, by: str, holds: bool, **data: Any) -> Evidence:
    """A numerical check of what is proved otherwise."""
    return Evidence("confirmed", says, by, bool(holds), data)


def agree(x: Any, y: Any, bits: int = 60) -> bool:
    """Whether two balls overlap and are both tight: equal as far as they tell."""
    with precision(256):
        scale = abs(x) + balls.power_of_two(-40)
        return bool(
            x.is_finite()
            and y.is_finite()
            and x.overlaps(y)
            and abs(x - y) < scale * balls.power_of_two(-bits)
        )
