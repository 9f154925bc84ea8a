"""The prover: identities reduced to zero, and antiderivatives differentiated back.

Nothing here trusts a one-shot `integrate` or `simplify`. An identity holds when its spelled-out
difference expands to the zero of a rational function in independent-looking generators: a zero
there is a zero whatever relations hold between the generators. What does not reduce is not
proved. Callers confirm each identity by balls at random exact points (`numerics.confirm`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from hedgetheory.expressions.signs import (
    continuous_where_defined,
    inside,
    shown_continuous,
    shown_positive,
)
from hedgetheory.expressions.vocabulary import spell_out


@dataclass(frozen=True)
class Step:
    """One machine-checked step: what it says, how it was checked, whether it holds."""

    says: str
    by: str
    holds: bool


@dataclass(frozen=True)
class Proof:
    """Steps that together prove a statement; ``rests_on`` names the theorems that are cited."""

    statement: str
    steps: tuple[Step, ...]
    rests_on: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Every step holds, and there is at least one: an empty proof proves nothing."""
        return bool(self.steps) and all(step.holds for step in self.steps)

    def to_json(self) -> dict[str, object]:
        return {
            "statement": self.statement,
            "holds": self.holds,
            "steps": [{"says": s.says, "by": s.by, "holds": s.holds} for s in self.steps],
            "rests_on": list(self.rests_on),
        }


def reduces_to_zero(expr: sympy.Expr) -> bool:
    """Whether ``expr`` is identically zero, shown by expansion; False means "not shown".

    >>> x = sympy.Symbol("x", positive=True)
    >>> reduces_to_zero(sympy.exp(x + 1) - sympy.E * sympy.exp(x))
    True
    >>> reduces_to_zero(sympy.exp(x) - 1)
    False
    """
    expr = sympy.sympify(expr)
    # A float is not the number it was rounded from, and the special functions are real only:
    # the definition of Ein at a negative argument differs from it by iπ.
    if expr.has(sympy.Float, sympy.I):
        return False
    spelled = sympy.expand_log(spell_out(expr))
    if spelled == 0:
        return True
    numerator = sympy.numer(sympy.together(_generators(spelled)))
    return bool(sympy.expand(numerator) == 0)


class _power(sympy.Function):  # type: ignore[misc]
    """b^s kept as one opaque generator, so that sympy does not merge b^{s−1} back together."""


def _generators(expr: sympy.Expr) -> sympy.Expr:
    """``expr`` as a rational function of symbols, functions and opaque powers b^s.

    b^{s₁+s₂} = b^{s₁}b^{s₂} and b^{ks} = (b^s)^k, integer k, hold for every base; (b^s)^t = b^{st}
    is used for positive b and real s, and e^{c ln b} = b^c.
    """
    if not expr.args:
        return _power(sympy.E, sympy.S.One) if expr == sympy.E else expr
    if isinstance(expr, (sympy.Pow, sympy.exp)):
        base, exponent = expr.as_base_exp()
        if isinstance(base, sympy.Pow) and base.base.is_positive and base.exp.is_real:
            base, exponent = base.base, base.exp * exponent
        return _split_power(base, sympy.expand(sympy.cancel(sympy.expand(exponent))))
    return expr.func(*map(_generators, expr.args))


def _split_power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    factors = []
    for term in sympy.Add.make_args(exponent):
        coefficient, rest = term.as_coeff_Mul()
        if base == sympy.E:
            logs = [f for f in sympy.Mul.make_args(term) if isinstance(f, sympy.log)]
            if len(logs) == 1:
                factors.append(_split_power(logs[0].args[0], sympy.expand(term / logs[0])))
                continue
        if term.is_Rational and base != sympy.E:
            factors.append(_generators(base) ** term)
        elif coefficient.is_Integer:
            factors.append(_power(_canonical(base), rest) ** coefficient)
        else:
            factors.append(_power(_canonical(base), rest / coefficient.q) ** coefficient.p)
    return sympy.Mul(*factors)


def _canonical(base: sympy.Expr) -> sympy.Expr:
    return sympy.expand(base)


def identity(says: str, difference: sympy.Expr) -> Step:
    """The step that ``difference`` is identically zero."""
    return Step(says, "reduced to zero", reduces_to_zero(difference))


def positive(says: str, expr: sympy.Expr) -> Step:
    """The step that ``expr`` > 0 on the open domain of every parameter in it, and 0 < u < 1."""
    return Step(says, "sign by structure", shown_positive(inside(expr)))


#: Functions with jumps, whose one-sided limits sympy gets wrong.
_STEPS = (sympy.Piecewise, sympy.floor, sympy.ceiling, sympy.sign, sympy.Heaviside, sympy.Mod)


def limit_is(
    says: str, expr: sympy.Expr, symbol: sympy.Symbol, at: sympy.Expr, value: sympy.Expr
) -> Step:
    """The step that ``expr`` tends to ``value`` as ``symbol`` → ``at`` from inside (0, 1) or ∞."""
    if continuous_where_defined(expr, symbol, at):
        direct = expr.subs(symbol, at)
        zero_power = any(e.base == 0 for e in direct.atoms(sympy.Pow))
        if not zero_power and not direct.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            by = "substitution in a continuous expression"
            return Step(says, by, reduces_to_zero(direct - value))
    if expr.has(*_STEPS):
        return Step(says, "no limit found: sympy takes the value of a piecewise formula", False)
    try:
        found = sympy.limit(expr, symbol, at, "+" if at == 0 else "-")
    except (NotImplementedError, ValueError) as error:  # for instance an exponent of unknown sign
        return Step(says, f"no limit found: {error}", False)
    return Step(says, "limit", reduces_to_zero(found - value))


def plain_exponents(expr: sympy.Expr) -> sympy.Expr:
    """The same expression with each exponent simplified, so that its sign can be read."""
    return expr.replace(sympy.Pow, lambda base, power: base ** sympy.factor(power))


@dataclass(frozen=True)
class Antiderivative:
    """∫ integrand over (low, high) = value, by a proposed antiderivative.

    The antiderivative must be continuous on the open interval (a pole inside would pass every
    other step); its limits are taken at the ends.
    """

    integrand: sympy.Expr
    antiderivative: sympy.Expr
    variable: sympy.Symbol
    value: sympy.Expr
    low: sympy.Expr = field(default=sympy.S.Zero)
    high: sympy.Expr = field(default=sympy.S.One)
    #: limits at the ends where substitution does not give them
    ends: Mapping[sympy.Expr, sympy.Expr] = field(default_factory=dict)
    #: parameters restated for the limits, so that the signs of exponents are plain to sympy
    domain: Mapping[sympy.Symbol, sympy.Expr] = field(default_factory=dict)

    def prove(self, statement: str) -> Proof:
        x, a = self.variable, self.antiderivative
        at = {end: self.ends.get(end, a.subs(x, end)) for end in (self.low, self.high)}
        steps = [
            identity(f"d/d{x} [{a}] = {self.integrand}", sympy.diff(a, x) - self.integrand),
            Step(
                f"the antiderivative is continuous for {self.low} < {x} < {self.high}",
                "domains of its parts",
                shown_continuous(a, x, self.low, self.high),
            ),
            *(
                limit_is(
                    f"limit at {x} = {end} is {value}",
                    plain_exponents(a.xreplace(dict(self.domain))),
                    x,
                    end,
                    value.xreplace(dict(self.domain)),
                )
                for end, value in at.items()
            ),
            identity(
                f"difference of the limits = {self.value}",
                at[self.high] - at[self.low] - self.value,
            ),
        ]
        return Proof(statement, tuple(steps))
