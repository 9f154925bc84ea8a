"""The small tools of these files: checks, plain algebra, balls with the precision restored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import sympy
from flint import acb, arb, ctx, fmpq

Kind = Literal["algebra", "certified", "counterexample", "confirmed", "cited", "same"]
Verdict = Literal["proved", "certified", "refuted", "undecided"]


@dataclass(frozen=True)
class Check:
    """One step: what it says, how it was checked, and whether it holds.

    `algebra` is exact for all parameters, `certified` exact or by balls at what it states,
    `counterexample` refutes, `confirmed` repeats by numbers what is proved otherwise, `cited` names
    a theorem, `same` compares with the package.
    """

    kind: Kind
    says: str
    holds: bool

    def __post_init__(self) -> None:
        # sympy's own true is not Python's; a relation that sympy leaves open raises here.
        object.__setattr__(self, "holds", bool(self.holds))


def verdict_of(checks: Iterable[Check]) -> Verdict:
    """What the checks support; a file without an exact or certified check supports nothing."""
    checks = list(checks)
    kinds = {check.kind for check in checks}
    if not all(check.holds for check in checks) or not kinds & {
        "algebra",
        "certified",
        "counterexample",
    }:
        return "undecided"
    if "counterexample" in kinds:
        return "refuted"
    return "certified" if "certified" in kinds else "proved"


# -- plain algebra -------------------------------------------------------------------------------


def vanishes(expr: sympy.Expr) -> bool:
    """Zero as an expanded numerator or by sympy's simplifier, and to 40 digits at three points."""
    expr = sympy.sympify(expr)
    if not agrees(expr, sympy.S.Zero):
        return False
    plain = sympy.expand(sympy.numer(sympy.together(sympy.expand(expr)))) == 0
    return bool(plain or sympy.simplify(sympy.expand(expr)) == 0)


def algebra(says: str, difference: sympy.Expr) -> Check:
    """The step that ``difference`` is zero for all parameters."""
    return Check("algebra", says, bool(vanishes(difference)))


def agrees(one: sympy.Expr, other: sympy.Expr, points: int = 3) -> bool:
    """Equal to 40 digits at a few rational points of (0, 1) for x and of (1, 8) for the rest."""
    difference = sympy.sympify(one) - sympy.sympify(other)
    symbols = sorted(difference.free_symbols, key=str)
    for i in range(points):
        point = {
            s: sympy.Rational(3 + 2 * i + 5 * j, 23) if s.name in ("x", "u", "y")
            else sympy.Rational(31 + 14 * i + 9 * j, 11)
            for j, s in enumerate(symbols)
        }  # fmt: skip
        size = abs(difference.subs(point).evalf(60, chop=False))
        # NaN, infinities and what stays unevaluated are not small.
        if not (size.is_Float or size.is_Rational) or size > sympy.Float(10) ** -40:
            return False
    return True


def by_name(expr: sympy.Expr, **symbols: sympy.Expr) -> sympy.Expr:
    """A package formula in plain functions, its symbols replaced by name."""
    from hedgetheory.expressions.vocabulary import spell_out

    plain = spell_out(sympy.sympify(expr))
    return plain.subs({s: symbols[s.name] for s in plain.free_symbols if s.name in symbols})


# -- balls ---------------------------------------------------------------------------------------


@contextmanager
def bits(precision: int) -> Iterator[None]:
    """A working precision for flint, restored on the way out."""
    saved = ctx.prec
    ctx.prec = precision
    try:
        yield
    finally:
        ctx.prec = saved


def ball(value: Fraction | int | str) -> arb:
    """The tightest ball around a rational."""
    exact = Fraction(value)
    return arb(fmpq(exact.numerator, exact.denominator))


def integral(f: Callable[[Any], Any], low: arb, high: arb) -> arb:
    """∫ f for an f that is entire near the interval: acb.integral with its rigorous error."""
    return acb.integral(lambda z, _: f(z), acb(low), acb(high)).real


# -- counting ------------------------------------------------------------------------------------

Atoms = Sequence[tuple[Fraction, Fraction]]


def best_of(law: Atoms, draws: int) -> dict[Fraction, Fraction]:
    """The law of the best of ``draws``, by enumerating every outcome with its probability."""
    masses: dict[Fraction, Fraction] = {value: Fraction(0) for value, _ in law}
    for outcome in product(law, repeat=draws):
        probability = Fraction(1)
        for _, mass in outcome:
            probability *= mass
        masses[max(value for value, _ in outcome)] += probability
    return masses


# -- the package -----------------------------------------------------------------------------------


def same_claim(id: str, expected: Verdict) -> Check:
    """The package's ledger has a claim of this id, and its own check reaches the same verdict."""
    from hedgetheory.ledger import find

    claim = find(id)
    verdict = claim.check().verdict
    says = f"the package's {id} expects {claim.expected} and is {verdict}"
    return Check("same", says, claim.expected == verdict == expected)


def same_formula(says: str, mine: sympy.Expr, theirs: sympy.Expr) -> Check:
    """The package's formula and the one of this file agree."""
    return Check("same", f"the package's {says} is the one above", agrees(mine, theirs, 5))
