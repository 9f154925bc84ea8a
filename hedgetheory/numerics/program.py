"""One formula, several arithmetics: a sympy expression as a straight-line program.

A `Program` is compiled once and run by any arithmetic: balls, complex balls, mpmath, float64
arrays, exact rationals. Nothing is evaluated as text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import sympy

#: sympy function name -> method name of an arithmetic, where the two differ.
_METHOD = {"Abs": "absolute", "loggamma": "lgamma", "Ei": "ei"}
_UNARY = {
    *(
        "exp",
        "log",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "erf",
        "erfc",
        "erfinv",
        "erfcinv",
    ),
    *("Abs", "gamma", "loggamma", "digamma", "harmonic", "Ei"),
    *("log1p", "expm1", "phi1", "phi2", "phi3", "Ein", "scaled_ei", "wright_omega", "ndtr"),
}
#: Functions of several arguments.
_OF_SEVERAL = {
    *("log_gamma_cdf", "log_gamma_sf", "log_gamma_ppf"),
    *("logit_beta_cdf", "logit_beta_ppf", "kummer"),
}
_CONSTANTS = {sympy.pi: "pi", sympy.E: "e", sympy.EulerGamma: "euler"}
#: relation -> the step that decides it, and whether its sides are exchanged to read that way
_RELATIONS = {
    sympy.StrictLessThan: ("less", False),
    sympy.LessThan: ("at_most", False),
    sympy.StrictGreaterThan: ("less", True),
    sympy.GreaterThan: ("at_most", True),
}
_NARY = {sympy.Min: "minimum", sympy.Max: "maximum", sympy.And: "both", sympy.Or: "either"}


class Arithmetic(Protocol):
    """What a program needs of an arithmetic: constants, and a method for each step's name."""

    def constant(self, value: Fraction | str) -> Any: ...
    def state(self) -> Hashable: ...
    def integer_power(self, exponent: int) -> Callable[[Any], Any]: ...


class Operators:
    """The steps that Python's own operators do in every arithmetic of objects."""

    add, sub, mul = (
        staticmethod(operator.add),
        staticmethod(operator.sub),
        staticmethod(operator.mul),
    )
    div, neg = staticmethod(operator.truediv), staticmethod(operator.neg)


class UnsupportedExpression(TypeError):
    """The expression contains a function that no arithmetic implements."""


#: A step while compiling: the method's name and the slots of its arguments.
Step: TypeAlias = tuple[str, tuple[int, ...]]


class Program:
    """A sympy expression compiled for the given argument symbols, in their order."""

    def __init__(self, expr: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> None:
        self.expr = expr
        self.symbols = tuple(symbols)
        self.constants: list[Fraction | str | Step] = []
        # While compiling, argument i and step t are slots i and len(symbols) + t, and constant j
        # is slot −1 − j; `_place` then lays them out as arguments, constants, steps.
        self._steps: list[tuple[str, tuple[int, ...]]] = []
        self._slot: dict[Any, int] = {s: i for i, s in enumerate(self.symbols)}
        result = self._emit(sympy.sympify(expr))
        self._steps = [(name, tuple(map(self._place, args))) for name, args in self._steps]
        self._result = self._place(result)
        self._bound: dict[Arithmetic, list[tuple[Callable[..., Any], tuple[int, ...]]]] = {}
        self._held: dict[tuple[Arithmetic, Hashable], list[Any]] = {}

    def _place(self, slot: int) -> int:
        arguments = len(self.symbols)
        if slot < 0:
            return arguments - 1 - slot
        return slot if slot < arguments else slot + len(self.constants)

    def _constant(self, value: Fraction | str | Step) -> int:
        if value not in self.constants:
            self.constants.append(value)
        return -1 - self.constants.index(value)

    def _step(self, name: str, *args: int) -> int:
        step = (name, args)
        if all(slot < 0 for slot in args):
            # Of constants alone: computed once for each arithmetic and precision.
            return self._constant(step)
        if step not in self._slot:
            self._slot[step] = len(self.symbols) + len(self._steps)
            self._steps.append(step)
        return self._slot[step]

    def _fold(self, name: str, terms: Sequence[sympy.Expr]) -> int:
        slot = self._emit(terms[0])
        for term in terms[1:]:
            slot = self._step(name, slot, self._emit(term))
        return slot

    def _emit(self, expr: sympy.Expr) -> int:
        if expr not in self._slot:
            self._slot[expr] = self._emit_new(expr)
        return self._slot[expr]

    def _emit_new(self, expr: sympy.Expr) -> int:
        if isinstance(expr, sympy.Rational):
            return self._constant(Fraction(int(expr.p), int(expr.q)))
        if expr in _CONSTANTS:
            return self._constant(_CONSTANTS[expr])
        if isinstance(expr, sympy.Add):
            return self._emit_sum(expr)
        if isinstance(expr, sympy.Mul):
            return self._emit_product(expr)
        if isinstance(expr, sympy.Pow):
            return self._emit_power(expr)
        if isinstance(expr, sympy.Piecewise):
            return self._emit_piecewise(expr)
        for kind, name in _NARY.items():
            if isinstance(expr, kind):
                return self._fold(name, list(expr.args))
        for relation, (step, exchanged) in _RELATIONS.items():
            if isinstance(expr, relation):
                left, right = expr.args[::-1] if exchanged else expr.args
                return self._step(step, self._emit(left), self._emit(right))
        head = type(expr).__name__
        if head == "polygamma" and expr.args[0] == 0:
            return self._step("digamma", self._emit(expr.args[1]))
        if head in _OF_SEVERAL:
            return self._step(head, *map(self._emit, expr.args))
        if head not in _UNARY:
            raise UnsupportedExpression(f"no arithmetic for {head} in {self.expr}")
        return self._step(_METHOD.get(head, head), self._emit(expr.args[0]))

    def _emit_sum(self, expr: sympy.Add) -> int:
        plus = [t for t in expr.args if not t.could_extract_minus_sign()]
        minus = [-t for t in expr.args if t.could_extract_minus_sign()]
        if not plus:
            return self._step("neg", self._fold("add", minus))
        slot = self._fold("add", plus)
        for term in minus:
            slot = self._step("sub", slot, self._emit(term))
        return slot

    def _emit_product(self, expr: sympy.Mul) -> int:
        above, below, negative = [], [], False
        for factor in expr.args:
            if factor is sympy.S.NegativeOne:
                negative = True
            elif isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp < 0:
                below.append(factor.base**-factor.exp)
            else:
                above.append(factor)
        slot = self._fold("mul", above or [sympy.S.One])
        for factor in below:
            slot = self._step("div", slot, self._emit(factor))
        return self._step("neg", slot) if negative else slot

    def _emit_power(self, expr: sympy.Pow) -> int:
        base, exponent = expr.args
        if exponent.is_Rational and exponent < 0:
            return self._step("div", self._emit(sympy.S.One), self._emit(base**-exponent))
        if exponent == sympy.Rational(1, 2):
            return self._step("sqrt", self._emit(base))
        if exponent.is_Integer:
            return self._step(f"power:{int(exponent)}", self._emit(base))
        return self._step("pow", self._emit(base), self._emit(exponent))

    def _emit_piecewise(self, expr: sympy.Piecewise) -> int:
        *pieces, last = expr.args
        if last.cond != sympy.true:
            raise UnsupportedExpression(f"a piecewise formula must cover every case: {expr}")
        slot = self._emit(last.expr)
        for piece in reversed(pieces):
            slot = self._step("where", self._emit(piece.cond), self._emit(piece.expr), slot)
        return slot

    def _bind(self, arithmetic: Arithmetic) -> list[tuple[Callable[..., Any], tuple[int, ...]]]:
        return [(_function(arithmetic, name), args) for name, args in self._steps]

    def _hold(self, arithmetic: Arithmetic) -> list[Any]:
        """The constants and what is computed of them alone, in order."""
        held: list[Any] = []
        for value in self.constants:
            if isinstance(value, tuple):
                function = _function(arithmetic, value[0])
                held.append(function(*[held[-1 - slot] for slot in value[1]]))
            else:
                held.append(arithmetic.constant(value))
        return held

    def __call__(self, arithmetic: Arithmetic, *values: Any) -> Any:
        """The value at ``values`` (in the order of the symbols) in the given arithmetic."""
        # Keyed by the object, which is thereby kept: an id comes back after its object is gone.
        bound = self._bound.get(arithmetic)
        if bound is None:
            bound = self._bound[arithmetic] = self._bind(arithmetic)
        held = self._held.get((arithmetic, arithmetic.state()))
        if held is None:
            held = self._hold(arithmetic)
            self._held[arithmetic, arithmetic.state()] = held
        slots = [*values, *held]
        for function, args in bound:
            if len(args) == 1:
                slots.append(function(slots[args[0]]))
            elif len(args) == 2:
                slots.append(function(slots[args[0]], slots[args[1]]))
            else:
                slots.append(function(*[slots[i] for i in args]))
        return slots[self._result]


def _function(arithmetic: Arithmetic, name: str) -> Callable[..., Any]:
    """The method that does a step: "power:3" is the third power."""
    if name.startswith("power:"):
        return arithmetic.integer_power(int(name[6:]))
    method: Callable[..., Any] = getattr(arithmetic, name)
    return method


@lru_cache(maxsize=4096)
def compiled(expr: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> Program:
    """The program of an expression, compiled once."""
    return Program(expr, symbols)
