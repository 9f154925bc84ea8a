"""Formulas from outside: exact, bounded, and never evaluated."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.expressions.formula import Formula, parse_formula
from hedgetheory.expressions.reading import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    Comparison,
    Name,
    Power,
    Product,
    Sum,
    Value,
    exact_value,
    read,
)
from hedgetheory.expressions.symbols import r, u

half = sympy.Rational(1, 2)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_formula(text)
    message = str(caught.value)
    assert message.isprintable()
    assert message.isascii()
    assert len(message) < 400
    return message


def accepted(text: str) -> bool:
    try:
        return isinstance(parse_formula(text), Formula)
    except InputError:
        return False


# Reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7.3", Fraction(73, 10)),
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("2.", Fraction(2)),
        ("1e-400", Fraction(1, 10**400)),
        ("0.30000000000000004", Fraction(30000000000000004, 10**17)),
        ("9007199254740993", Fraction(9007199254740993)),
    ],
)
def test_a_decimal_is_exactly_what_is_written(text: str, value: Fraction) -> None:
    assert read(text) == Value(value)


def test_a_ratio_is_exact() -> None:
    assert exact_value(read("1/3")) == Fraction(1, 3)


def test_subtraction_associates_to_the_left() -> None:
    one, two, three = (Value(Fraction(k)) for k in (1, 2, 3))
    assert read("1-2-3") == Sum(((1, one), (-1, two), (-1, three)))
    assert read("1/2/3") == Product(((1, one), (-1, two), (-1, three)))


def test_a_sign_binds_looser_than_a_power() -> None:
    assert read("-u**2") == Sum(((-1, Power(Name("u"), Value(Fraction(2)))),))


def test_comparisons_chain() -> None:
    want = Comparison(Value(Fraction(0)), (("<", Name("u")), ("<=", Value(Fraction(1)))))
    assert read("0 < u <= 1") == want


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 100_000 + "u" + ")" * 100_000,
        "(" * 2000 + "u" + ")" * 2000,
        "(" * 65 + "u" + ")" * 65,
        "{" * 2000,
        ")" * 4000,
        "-" * 4000 + "u",
        "-" * 65 + "u",
        "+-" * 2000 + "u",
        "u**" * 1300 + "u",
        "2**-" * 1000 + "2",
        "exp(" * 1000,
        "-(" * 2000,
        "u" * (MAX_CHARACTERS + 1),
        "u+" * 2040 + "u",
        "9" * 1001,
        "1e5001",
        "0." + "1" * 1001,
    ],
)
def test_long_and_deep_text_is_refused_in_one_line(text: str) -> None:
    refusal(text)


def test_depth_up_to_the_bound_is_read() -> None:
    assert parse_formula("(" * MAX_DEPTH + "u" + ")" * MAX_DEPTH).expr == u
    assert parse_formula("-" * MAX_DEPTH + "u").expr == u
    assert parse_formula("exp(" * 3 + "sin(" * 61 + "u" + ")" * 64).variable == "u"


def test_long_sums_and_products_are_read() -> None:
    assert parse_formula("+".join("u" * 1001)).expr == 1001 * u
    assert parse_formula("*".join("u" * 1001)).expr == u**1001


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_empty_text_says_so(text: str) -> None:
    assert refusal(text) == "formula is empty"


def test_white_space_of_any_kind_separates() -> None:
    assert parse_formula("  1 -\n\tu\r\n").expr == 1 - u


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__import__('os')", "names start with a letter"),
        ("u.real", "not a number"),
        ("u[0]", "unexpected '['"),
        ("'u'", "without quotes"),
        ("u # comment", "comments are refused"),
        ("u^2", "write ** for a power"),
        ("0x10", "0x10 at column 1: not a number"),
        ("1_000", "1_000 at column 1: not a number"),
        ("1if u else 2", "1if at column 1: not a number"),
        ("2u", "2u at column 1: not a number"),
        ("1j", "1j at column 1: not a number"),
        ("λ", "ASCII"),
        ("lambda: u", "may not contain lambda"),
        ("u if u else 1", "may not contain if"),
        ("(u := 1)", "may not contain an assignment"),
        ("(u for u in u)", "may not contain a comprehension"),
        ("f(**u)", "** unpacking"),
        ("max(*u)", "may not contain a star"),
        ("(u, 1)", "may not contain a tuple"),
        ("u and 1", "may not contain and or or"),
        ("True", "True, False, None"),
        ("u +", "not well formed"),
        ("exp(x=u, x=u)", "gives the argument x twice"),
    ],
)
def test_what_python_allows_beyond_formulas_is_refused(text: str, says: str) -> None:
    assert says in refusal(text)


def test_the_message_names_the_role_of_the_text() -> None:
    with pytest.raises(InputError, match=r"^gold has an unknown name foo: .*\[foo\]$"):
        parse_formula("foo", what="gold")


@pytest.mark.parametrize("thing", [None, 3, b"u", ["u"]])
def test_what_is_not_text_is_refused(thing: object) -> None:
    with pytest.raises(InputError, match="must be text"):
        read(thing)  # type: ignore[arg-type]


# Formulas -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("1 - 4*(u - 0.3)**2", 1 - 4 * (u - sympy.Rational(3, 10)) ** 2),
        ("u + u", 2 * u),
        ("u - u", sympy.Integer(0)),
        ("2*(u + 1)", 2 * u + 2),
        ("u*u**2/u", u**2),
        ("u/2 - u/3", u / 6),
        ("(2*u)**3", 8 * u**3),
        ("u**(2401/200)", u ** sympy.Rational(2401, 200)),
        ("u**-1", 1 / u),
        ("sqrt(4*u)", 2 * sympy.sqrt(u)),
        ("8**(1/3)", sympy.Integer(2)),
        ("sqrt(2)*sqrt(2)", sympy.Integer(2)),
        ("r**2 - 0.1*r**4", r**2 - r**4 / 10),
        ("r*exp(-r**2/2)", r * sympy.exp(-(r**2) / 2)),
        ("exp(-2*u)*exp(u)", sympy.exp(-u)),
        ("log(exp(u))", u),
        ("sin(9*u) + cos(pi*u)", sympy.sin(9 * u) + sympy.cos(sympy.pi * u)),
        ("tanh(3*(r - 1))", sympy.tanh(3 * r - 3)),
        ("erf(r)", sympy.erf(r)),
        ("abs(r)", sympy.Abs(r)),
        ("abs(-7.5)", sympy.Rational(15, 2)),
        ("min(u, 1/2, 0.3)", sympy.Min(u, sympy.Rational(3, 10))),
        ("max(1, 2, 3)", sympy.Integer(3)),
        ("where(u < 1/2, u, 1)", sympy.Piecewise((u, u < half), (1, True))),
        ("where(r >= 0, r, 0)", sympy.Piecewise((r, r >= 0), (0, True))),
        ("where(1 < 2, u, 1)", u),
        ("where(2 <= 1, u, 1)", sympy.Integer(1)),
        ("e**2*pi", sympy.exp(2) * sympy.pi),
        ("5*u*(1-u)**3", 5 * u * (1 - u) ** 3),
    ],
)
def test_a_formula_is_the_expression_that_sympy_would_build(text: str, expr: sympy.Expr) -> None:
    assert parse_formula(text).expr == expr


def test_chained_conditions_hold_together() -> None:
    expr = parse_formula("where(0.2 < u < 0.4, 1, 0)").expr
    assert [expr.subs(u, x) for x in (sympy.Rational(1, 10), sympy.Rational(3, 10), half)] == [
        0,
        1,
        0,
    ]


def test_the_variable_is_the_one_that_the_text_names() -> None:
    assert parse_formula("u**2").variable == "u"
    assert parse_formula("r").variable == "r"
    assert parse_formula("1/3 + pi").variable is None
    assert parse_formula("r - r").variable == "r"


def test_u_and_r_together_are_refused() -> None:
    assert "not both" in refusal("u + r")


def test_a_variable_outside_the_allowed_ones_is_unknown() -> None:
    with pytest.raises(InputError, match="unknown name r"):
        parse_formula("r", variables=("u",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("u**10**9", "exponent 1e+9: at most 10000"),
        ("(u+1)**1000000", "exponent 1e+6: at most 10000"),
        ("u**10001", "at most 10000"),
        ("u**6000*u**6000", "exponent 12000"),
        ("u**6000*(u+1)**6000", "degree 12000"),
        ("((u**2+1)**100+1)**100", "degree 20000"),
        ("(10**4000)**4000", "too large"),
        ("10**4000**4000", "too large"),
        ("7**9999", "too large"),
        ("(10**30*u)**9999", "too large"),
        ("exp(exp(exp(1e4000)))", "too large"),
        ("exp(exp(exp(10)))", "too large"),
        ("exp(10**4000*log(2)*u)", "too large"),
        ("exp(u + 10**6*log(2))", "too large"),
        ("sqrt(10**4000+1)", "256 bits"),
        ("sin(10**1000)", "10**15"),
        ("u**u", "variable in an exponent"),
        ("1/0", "divides by zero"),
        ("0**-1", "divides by zero"),
        ("1/(u-u)", "divides by zero"),
        ("1/min(0, tanh(1/2))", "divides by zero"),
        ("log(0)", "log of a number that is not positive"),
        ("log(-u)", "log of a number that is not positive"),
        ("sqrt(-1)", "root of a negative number"),
        ("sqrt(-u)", "root of a negative number"),
        ("(-8)**(1/3)", "root of a negative number"),
        ("log(sin(1)**2 + cos(1)**2 - 1)", "cannot be told from zero"),
        ("where(1 >= e, u, 1)", "two irrational constants"),
        ("where(where(u<1/2,1,0) < 1, u, 1)", "where() inside the condition"),
        ("where(u, 1, 2)", "otherwise than where(u < 1/2, a, b)"),
        ("u < 1/2", "only inside where()"),
        ("min(u)", "at least 2"),
        ("exp(u, u)", "exactly 1"),
        ("exp(x=u)", "without names"),
        ("exp", "without its arguments"),
        ("exq(u)", "did you mean exp?"),
    ],
)
def test_formulas_out_of_bounds_are_refused_with_the_reason(text: str, says: str) -> None:
    assert says in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        # Each of these once kept sympy's own constructors busy for longer than a minute.
        "*".join(f"sqrt(10**76+{k})" for k in range(1, 200)),
        "(" * 15 + "u" + "**2+1)" * 15,
        "exp(-" * 30 + "2" + "**2)" * 30,
        "(1+" * 30 + "2" + ")**sqrt(2)" * 30,
        "abs((log(u-1)+1)" + "".join(f"*(log(u-{k})+1)" for k in range(2, 60)) + ")",
    ],
)
def test_hostile_formulas_end_soon(text: str) -> None:
    assert accepted(text) or refusal(text)


def test_an_accepted_constant_can_be_printed() -> None:
    assert len(str(parse_formula("10**4000*u").expr)) > 4000


formulas = st.recursive(
    st.sampled_from(["u", "u", "1", "2", "0.5", "1/3", "7.3", "pi"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
        st.tuples(inner, st.integers(-3, 4)).map(lambda t: f"({t[0]})**({t[1]})"),
        st.tuples(st.sampled_from(["exp", "sin", "cos", "tanh", "erf"]), inner).map(
            lambda t: f"{t[0]}({t[1]})"
        ),
        st.tuples(inner, inner).map(lambda t: f"where(u < 2/5, {t[0]}, {t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"min({t[0]}, {t[1]})"),
    ),
    max_leaves=6,
)


def by_floats(text: str, x: float) -> float:
    """The value of a formula by Python itself, on text that this file has made."""
    import math

    scope = {name: getattr(math, name) for name in ("exp", "sin", "cos", "tanh", "erf", "pi")}
    scope |= {"u": x, "min": min}
    text = text.replace("where(u < 2/5,", "(lambda a, b: a if u < 2/5 else b)(")
    return float(eval(text, scope))  # noqa: S307


@given(formulas, st.sampled_from([0.25, 0.7]))
def test_a_formula_has_the_value_that_python_gives(text: str, x: float) -> None:
    try:
        formula = parse_formula(text)
        want = by_floats(text, x)
    except (InputError, ArithmeticError):
        return
    got = formula.expr.xreplace({u: sympy.Rational(x)}).evalf(30)
    if abs(want) < 1e6 and got.is_Float:
        assert abs(complex(got) - want) <= 1e-6 * max(1, abs(want))


@given(st.text(max_size=60) | st.text("ur0123456789.+-*/()<>=,e pi", max_size=80))
def test_any_text_is_a_formula_or_one_line(text: str) -> None:
    assert accepted(text) or refusal(text)


@given(formulas)
def test_reading_its_own_text_gives_the_formula_back(text: str) -> None:
    try:
        formula = parse_formula(text)
    except InputError:
        return
    assert parse_formula(str(formula)) == formula
