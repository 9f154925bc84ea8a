"""Formulas from outside: a tree that was read becomes a sympy expression, within bounds.

What would make sympy work for long is refused in one line. sympy itself is imported only when a
formula is parsed: spec strings never need it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, Literal

from hedgetheory.errors import InputError, nearest
from hedgetheory.expressions.reading import (
    MAX_BITS,
    MAX_DEPTH,
    MAX_POWER,
    WHITESPACE,
    Call,
    Comparison,
    Name,
    Node,
    Power,
    Product,
    Sum,
    Table,
    Value,
    bits,
    bounded,
    rational_power,
    read,
    shown,
)

if TYPE_CHECKING:
    import sympy

#: Roots are taken only of numbers this small, because sympy looks for their factors.
MAX_ROOT_BITS = 256
#: sin and cos of a larger constant would need more than the working precision to be placed.
MAX_ANGLE = 10**15
#: Working precision for sizes and signs of constants, and the share of it a sum may cancel.
_PRECISION = 400
_RESOLVED = 200

FUNCTIONS = ("abs", "cos", "erf", "exp", "log", "max", "min", "sin", "sqrt", "tanh", "where")
CONSTANTS = ("e", "pi")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula from outside: its text, the variable that the text names, and its expression."""

    text: str
    variable: Literal["u", "r"] | None
    expr: sympy.Expr

    def __str__(self) -> str:
        return self.text


def parse_formula(
    text: str, variables: Sequence[str] = ("u", "r"), what: str = "formula"
) -> Formula:
    """The formula that ``text`` denotes, in one of ``variables`` (u a quantile, r a reward).

    ``+ - * / **``, ``exp log sqrt sin cos tanh erf abs min max``, ``where(condition, a, b)`` with a
    condition such as ``u < 1/2`` or ``0.2 < u <= 0.4``, and the constants ``pi`` and ``e``.
    Decimals are exact. Exponents are constants, at most 10,000 in size, as is the degree that
    nested powers and products reach; constants have at most 14,000 bits; roots are taken of numbers
    of at most 256 bits; sin and cos of constants of at most 10¹⁵. ``abs``, ``min``, ``max`` and
    ``where`` are left unevaluated unless rational.

    Raises InputError, with one line, for everything else, and where a constant is plainly outside
    the domain of a function, as in ``1/0``, ``log(0)`` or ``sqrt(-1)``.

    >>> parse_formula("1 - 4*(u - 0.3)**2").expr
    1 - 4*(u - 3/10)**2
    >>> parse_formula("u**10**9")
    Traceback (most recent call last):
        ...
    hedgetheory.errors.InputError: formula has the exponent 1e+9: at most 10000 [u**10**9]
    """
    tree = read(text, what)
    text = text.translate(WHITESPACE).strip(" ")
    builder = _Builder(variables)
    try:
        part = builder.build(tree)
    except InputError as error:
        raise InputError(f"{what} {error} [{shown(text)}]") from None
    except RecursionError:
        raise InputError(f"{what} is nested too deeply [{shown(text)}]") from None
    return Formula(text, builder.variable, part.expr)


@dataclass(frozen=True, slots=True)
class _Part:
    """An expression, its value if it is constant, and its degree."""

    expr: Any
    value: Any
    degree: Any


class _Builder:
    """Builds a sympy expression bottom up, in sympy's own normal form but without its evaluation.

    sympy's constructors ask for signs and factors, which for hostile text takes for ever. Here
    rationals fold, like terms and like powers meet, and nothing else happens. Values of constants
    are mpmath numbers of 400 bits: they serve only to refuse (too large, not real, not told from
    zero), never to decide what the formula means.
    """

    def __init__(self, variables: Sequence[str]) -> None:
        import mpmath
        import sympy

        from hedgetheory.expressions import symbols

        self.sympy = sympy
        self.mp = mpmath.MPContext()
        self.mp.prec = _PRECISION
        self.symbols = {name: getattr(symbols, name) for name in variables}
        self.variable: Any = None

    # Parts

    def part(self, expr: Any, value: Any, degree: Any) -> _Part:
        if expr.is_Rational:
            fraction = _fraction(expr)
            return _Part(expr, self.mp.mpf(fraction.numerator) / fraction.denominator, 0)
        if expr.free_symbols:
            if degree > MAX_POWER:
                raise InputError(f"has degree {self.show(degree)}: at most {MAX_POWER}")
            return _Part(expr, None, degree)
        if value is None:
            raise InputError("has a part in which the variable cancels: simplify it")
        if not isinstance(value, self.mp.mpf) or not self.mp.isfinite(value):
            raise InputError("has a constant that is not real")
        if value and abs(self.mp.mag(value)) > MAX_BITS:
            raise InputError(f"has a constant too large or too small: at most 2**{MAX_BITS}")
        return _Part(expr, value, 0)

    def resolved(self, part: _Part, scale: Any) -> _Part:
        """Refuse a constant that may be zero: its sign could not be told by any evaluator."""
        if part.value is None or part.expr.is_Rational:
            return part
        if abs(part.value) <= scale * self.mp.ldexp(1, -_RESOLVED):
            raise InputError("has a constant that cannot be told from zero: simplify it")
        return part

    def show(self, value: Any) -> str:
        text: str = self.mp.nstr(self.mp.mpf(value), 6, strip_zeros=True)
        return text.removesuffix(".0").replace(".0e", "e")

    def rational(self, value: Fraction) -> Any:
        bounded(value)
        return self.sympy.Rational(value.numerator, value.denominator)

    def number(self, value: Fraction) -> _Part:
        return self.part(self.rational(value), None, 0)

    # Trees

    def build(self, node: Node) -> _Part:
        match node:
            case Value():
                return self.number(node.value)
            case Name():
                return self.name(node.name)
            case Sum():
                return self.sum([(sign, self.build(term)) for sign, term in node.terms])
            case Product():
                return self.product([(power, self.build(factor)) for power, factor in node.factors])
            case Power():
                return self.power(self.build(node.base), self.build(node.exponent))
            case Call():
                return self.call(node)
            case Comparison():
                raise InputError("may compare only inside where(), as in where(u < 1/2, a, b)")
            case Table():
                raise InputError("may not contain a table")

    def name(self, name: str) -> _Part:
        if name in self.symbols:
            if self.variable not in {None, name}:
                raise InputError("may use u or r, but not both")
            self.variable = name
            return self.part(self.symbols[name], None, 1)
        if name == "pi":
            return self.part(self.sympy.pi, +self.mp.pi, 0)
        if name == "e":
            return self.part(self.sympy.E, +self.mp.e, 0)
        if name in FUNCTIONS:
            raise InputError(f"names the function {name} without its arguments")
        known = [*self.symbols, *CONSTANTS, *FUNCTIONS]
        raise InputError(f"has an unknown name {shown(name)}: {nearest(name[:60], known)}")

    # Arithmetic

    def sum(self, terms: list[tuple[int, _Part]]) -> _Part:
        value = None
        if all(part.value is not None for _, part in terms):
            value = self.mp.fsum(sign * part.value for sign, part in terms)
        expr = self.add([(Fraction(sign), part.expr) for sign, part in terms])
        scale = max((abs(part.value) for _, part in terms if part.value is not None), default=0)
        degree = max(part.degree for _, part in terms)
        return self.resolved(self.part(expr, value, degree), scale)

    def add(self, terms: Iterable[tuple[Fraction, Any]]) -> Any:
        """Σ coefficient · term, like terms together."""
        constant = Fraction(0)
        like: dict[Any, Fraction] = {}
        for scale, expr in terms:
            for term in self.sympy.Add.make_args(expr):
                coefficient, rest = self.split(term)
                if rest is None:
                    constant = bounded(constant + scale * coefficient)
                else:
                    like[rest] = bounded(like.get(rest, Fraction(0)) + scale * coefficient)
        args = [self.scaled(factor, rest) for rest, factor in like.items() if factor]
        args = self.ordered(args)
        if constant or not args:
            args.insert(0, self.rational(constant))
        return args[0] if len(args) == 1 else self.sympy.Add._from_args(args)

    def split(self, term: Any) -> tuple[Fraction, Any]:
        """The rational coefficient of a term and the rest, None where there is none."""
        if term.is_Rational:
            return _fraction(term), None
        if term.is_Mul and term.args[0].is_Rational:
            rest = term.args[1:]
            return _fraction(term.args[0]), (
                rest[0] if len(rest) == 1 else self.sympy.Mul._from_args(rest)
            )
        return Fraction(1), term

    def scaled(self, factor: Fraction, expr: Any) -> Any:
        """factor · expr, for an expression without a coefficient."""
        if factor == 1:
            return expr
        rest = expr.args if expr.is_Mul else (expr,)
        return self.sympy.Mul._from_args((self.rational(factor), *rest))

    def ordered(self, exprs: Iterable[Any]) -> list[Any]:
        """In sympy's own order, so that the result equals what sympy would have built."""
        return sorted(exprs, key=cmp_to_key(self.sympy.Basic.compare))

    def product(self, factors: list[tuple[int, _Part]]) -> _Part:
        if any(power < 0 and part.value == 0 for power, part in factors):
            raise InputError("divides by zero")
        value = None
        if all(part.value is not None for _, part in factors):
            value = self.mp.fprod(part.value**power for power, part in factors)
        expr = self.multiply([(Fraction(power), part.expr) for power, part in factors])
        return self.part(expr, value, sum(part.degree for _, part in factors))

    def multiply(self, factors: Iterable[tuple[Fraction, Any]]) -> Any:
        """Π factor ** power for whole powers, like bases together."""
        coefficient = Fraction(1)
        like: dict[Any, Fraction] = {}
        exponents: list[tuple[Fraction, Any]] = []  # of the exponentials
        for outer, expr in factors:
            for factor in self.sympy.Mul.make_args(expr):
                base, inner = factor, outer
                if factor.is_Pow and factor.exp.is_Rational:
                    base, inner = factor.base, outer * _fraction(factor.exp)
                if factor.is_Rational:
                    coefficient = bounded(coefficient * rational_power(_fraction(factor), outer))
                elif factor.func is self.sympy.exp:
                    exponents.append((outer, factor.args[0]))
                else:
                    like[base] = like.get(base, Fraction(0)) + inner
        if exponents:
            exponent = self.add(exponents)
            if exponent != 0:
                like[self.sympy.exp(exponent, evaluate=False)] = Fraction(1)
        args = []
        for base, power in like.items():
            if base.is_Rational and power.denominator == 1:
                coefficient = bounded(coefficient * rational_power(_fraction(base), power))
            elif power:
                args.append(self.raised(base, power))
        if not coefficient:
            return self.sympy.Integer(0)
        if not args:
            return self.rational(coefficient)
        if len(args) > 1:
            return self.scaled(coefficient, self.sympy.Mul._from_args(self.ordered(args)))
        if args[0].is_Add:
            return self.add([(coefficient, args[0])])
        return self.scaled(coefficient, args[0])

    def raised(self, base: Any, power: Fraction) -> Any:
        if power == 1:
            return base
        if abs(power) > MAX_POWER:
            raise InputError(f"has the exponent {self.show_fraction(power)}: at most {MAX_POWER}")
        return self.sympy.Pow(base, self.rational(power), evaluate=False)

    def show_fraction(self, value: Fraction) -> str:
        return self.show(self.mp.mpf(value.numerator) / value.denominator)

    def power(self, base: _Part, exponent: _Part) -> _Part:
        power = exponent.value
        if power is None:
            raise InputError("has a variable in an exponent: write exp(x*log(a)) for a**x")
        if abs(power) > MAX_POWER:
            raise InputError(f"has the exponent {self.show(power)}: at most {MAX_POWER}")
        if base.expr == self.sympy.E:
            return self.exp(exponent)
        whole = bool(exponent.expr.is_Integer)
        if base.value is not None:
            if base.value == 0 and power < 0:
                raise InputError("divides by zero")
            if base.value < 0 and not whole:
                raise InputError("takes a root of a negative number")
            if base.value and abs(self.mp.log(abs(base.value), 2) * power) > MAX_BITS:
                raise InputError(f"has a power too large or too small: at most 2**{MAX_BITS}")
        if not whole and self.is_negative(base.expr):
            raise InputError("takes a root of a negative number")
        degree = base.degree * abs(power)
        if degree > MAX_POWER:
            raise InputError(f"has degree {self.show(degree)}: at most {MAX_POWER}")
        value = None if base.value is None else base.value**power
        return self.part(self.powered(base.expr, exponent.expr), value, degree)

    def powered(self, base: Any, exponent: Any) -> Any:
        """base ** exponent for a constant exponent and, unless it is whole, a base not negative."""
        sympy = self.sympy
        if exponent.is_Integer:
            return self.multiply([(_fraction(exponent), base)])
        if base.is_Rational:
            return self.root(_fraction(base), exponent)
        if not exponent.is_Rational:
            return sympy.Pow(base, exponent, evaluate=False)
        power = _fraction(exponent)
        if bits(power) > MAX_ROOT_BITS:
            raise InputError(f"has an exponent of more than {MAX_ROOT_BITS} bits")
        if base.func is sympy.exp:
            return sympy.exp(self.add([(power, base.args[0])]), evaluate=False)
        apart, together = [], []
        for factor in sympy.Mul.make_args(base):
            if factor.is_Rational and factor.is_positive:
                apart.append((Fraction(1), self.root(_fraction(factor), exponent)))
            elif self.is_positive_power(factor):
                symbol, inner = factor.as_base_exp()
                apart.append((Fraction(1), self.raised(symbol, _fraction(inner) * power)))
            else:
                together.append(factor)
        if together:
            rest = together[0] if len(together) == 1 else sympy.Mul._from_args(together)
            # A number put in for the variable later would make it a root of a number.
            if any(bits(_fraction(x)) > MAX_ROOT_BITS for x in rest.atoms(sympy.Rational)):
                raise InputError(
                    f"takes a root of what holds a number of more than {MAX_ROOT_BITS} bits"
                )
            apart.append((Fraction(1), sympy.Pow(rest, exponent, evaluate=False)))
        return self.multiply(apart)

    def root(self, base: Fraction, exponent: Any) -> Any:
        """base ** exponent for a rational base >= 0 and an exponent that is not whole."""
        if base in {0, 1}:
            return self.rational(base)
        if bits(base) > MAX_ROOT_BITS:  # sympy, if ever asked to, would look for its factors
            raise InputError(f"takes a root of a number of more than {MAX_ROOT_BITS} bits")
        if exponent.is_Rational and exponent.q <= MAX_DEPTH:
            roots = [
                self.sympy.integer_nthroot(whole, int(exponent.q))
                for whole in (base.numerator, base.denominator)
            ]
            if all(exact for _, exact in roots):
                root = Fraction(int(roots[0][0]), int(roots[1][0]))
                return self.rational(rational_power(root, Fraction(int(exponent.p))))
        return self.sympy.Pow(self.rational(base), exponent, evaluate=False)

    def is_positive_power(self, expr: Any) -> bool:
        """Whether this is u or a rational power of it."""
        base = expr.base if expr.is_Pow and expr.exp.is_Rational else expr
        return bool(base.is_Symbol and base.is_positive)

    def is_negative(self, expr: Any) -> bool:
        """Whether this is plainly negative: a negative number times powers of u."""
        first, *rest = self.sympy.Mul.make_args(expr)
        return bool(first.is_Rational and first < 0 and all(map(self.is_positive_power, rest)))

    # Functions

    def call(self, node: Call) -> _Part:
        name, arguments = node.name, node.arguments
        if name not in FUNCTIONS:
            raise InputError(
                f"has an unknown function {shown(name)}: {nearest(name[:60], list(FUNCTIONS))}"
            )
        if node.named:
            raise InputError(f"names an argument of {name}(): its arguments stand without names")
        if name in {"min", "max"}:
            if len(arguments) < 2:
                raise InputError(f"calls {name}() with {len(arguments)} arguments: at least 2")
            return self.extreme(name, [self.build(argument) for argument in arguments])
        if name == "where":
            if len(arguments) != 3 or not isinstance(arguments[0], Comparison):
                raise InputError("calls where() otherwise than where(u < 1/2, a, b)")
            return self.where(arguments[0], self.build(arguments[1]), self.build(arguments[2]))
        if len(arguments) != 1:
            raise InputError(f"calls {name}() with {len(arguments)} arguments: exactly 1")
        part = self.build(arguments[0])
        match name:
            case "exp":
                return self.exp(part)
            case "log":
                return self.log(part)
            case "sqrt":
                return self.power(part, self.number(Fraction(1, 2)))
            case "abs":
                value = None if part.value is None else abs(part.value)
                if part.expr.is_Rational:
                    return self.number(abs(_fraction(part.expr)))
                if self.is_positive_power(part.expr):
                    return part
                return self.part(self.sympy.Abs(part.expr, evaluate=False), value, part.degree)
            case "cos":
                return self.resolved(self.odd_or_even("cos", part, 1), 1)
            case "sin":
                scale = min(abs(part.value), 1) if part.value is not None else 0
                return self.resolved(self.odd_or_even("sin", part, 0), scale)
        return self.odd_or_even(name, part, 0)

    def odd_or_even(self, name: str, part: _Part, at_zero: int) -> _Part:
        """sin, cos, tanh or erf."""
        value = None
        if part.value is not None:
            if name in {"sin", "cos"} and abs(part.value) > MAX_ANGLE:
                raise InputError(f"takes the {name} of a constant above 10**15 in size")
            value = getattr(self.mp, name)(part.value)
        if part.expr == 0:
            return self.number(Fraction(at_zero))
        expr = getattr(self.sympy, name)(part.expr, evaluate=False)
        return self.part(expr, value, part.degree)

    def exp(self, part: _Part) -> _Part:
        value = None
        if part.value is not None:
            if abs(part.value) > MAX_BITS * self.mp.ln2:
                raise InputError(
                    f"has an exponential too large or too small: at most 2**{MAX_BITS}"
                )
            value = self.mp.exp(part.value)
        if part.expr == 0:
            return self.number(Fraction(1))
        if part.expr == 1:
            return self.part(self.sympy.E, value, 0)
        if part.expr.func is self.sympy.log:
            return self.part(part.expr.args[0], value, part.degree)
        if part.expr.has(self.sympy.log):
            self.check_power_in_disguise(part.expr)
        return self.part(self.sympy.exp(part.expr, evaluate=False), value, part.degree)

    def check_power_in_disguise(self, expr: Any) -> None:
        """Bound exp(c·log(a)), which sympy, whenever it evaluates, turns into a**c."""
        size = total = Fraction(0)
        walk = self.sympy.preorder_traversal(expr)
        for node in walk:
            if node.func is self.sympy.log:
                atoms = node.atoms(self.sympy.Rational)
                size = max([size, *(Fraction(bits(_fraction(atom))) for atom in atoms)])
                walk.skip()
            elif node.is_Rational:
                total += abs(_fraction(node))
        if total > MAX_POWER or total * size > MAX_BITS:
            raise InputError("has a power too large, written as exp of a log")

    def log(self, part: _Part) -> _Part:
        value = None
        if part.value is not None and part.value > 0:
            value = self.mp.log(part.value)
        elif part.value is not None or self.is_negative(part.expr):
            raise InputError("takes the log of a number that is not positive")
        if part.expr == 1:
            return self.number(Fraction(0))
        if part.expr == self.sympy.E:
            return self.number(Fraction(1))
        if part.expr.func is self.sympy.exp:
            return self.part(part.expr.args[0], value, part.degree)
        result = self.part(self.sympy.log(part.expr, evaluate=False), value, part.degree)
        return result if part.expr.is_Rational else self.resolved(result, 1)

    def extreme(self, name: str, parts: list[_Part]) -> _Part:
        pick = min if name == "min" else max
        rationals = [_fraction(part.expr) for part in parts if part.expr.is_Rational]
        exprs = [part.expr for part in parts if not part.expr.is_Rational]
        if rationals:
            exprs.append(self.rational(pick(rationals)))
        exprs = list(dict.fromkeys(exprs))
        value = None
        if all(part.value is not None for part in parts):
            value = pick(part.value for part in parts)
        function = self.sympy.Min if name == "min" else self.sympy.Max
        expr = exprs[0] if len(exprs) == 1 else function(*exprs, evaluate=False)
        return self.part(expr, value, max(part.degree for part in parts))

    def where(self, condition: Comparison, yes: _Part, no: _Part) -> _Part:
        sympy = self.sympy
        relations = {
            "<": (sympy.StrictLessThan, operator.lt),
            "<=": (sympy.LessThan, operator.le),
            ">": (sympy.StrictGreaterThan, operator.gt),
            ">=": (sympy.GreaterThan, operator.ge),
        }
        left = self.build(condition.first)
        compared = [left]
        conditions = []
        false = False
        for symbol, node in condition.rest:
            right = self.build(node)
            if left.expr.has(sympy.Piecewise) or right.expr.has(sympy.Piecewise):
                raise InputError("has where() inside the condition of where()")
            relation, decide = relations[symbol]
            if left.expr.is_Rational and right.expr.is_Rational:
                false |= not decide(_fraction(left.expr), _fraction(right.expr))
            elif left.value is not None and right.value is not None:
                raise InputError("compares two irrational constants in where()")
            else:
                conditions.append(relation(left.expr, right.expr, evaluate=False))
            compared.append(right)
            left = right
        if false:
            return no
        if not conditions:
            return yes
        test = conditions[0] if len(conditions) == 1 else sympy.And(*conditions, evaluate=False)
        expr = sympy.Piecewise((yes.expr, test), (no.expr, True), evaluate=False)
        value = None if yes.value is None or no.value is None else max(yes.value, no.value)
        return self.part(expr, value, max(part.degree for part in (yes, no, *compared)))


def _fraction(expr: Any) -> Fraction:
    """The fraction of a sympy rational."""
    return Fraction(int(expr.p), int(expr.q))
