"""The prover under attack: false identities, signs and limits that look right."""

from __future__ import annotations

import pytest
import sympy
from sympy import Float, I, Piecewise, Rational, S, exp, log, pi, sqrt

from hedgetheory.expressions.prover import Antiderivative, limit_is, positive, reduces_to_zero
from hedgetheory.expressions.signs import INSIDE, inside, shown_continuous, shown_positive
from hedgetheory.expressions.symbols import k, lam, m, mu, n, p, r, u, ubar
from hedgetheory.expressions.vocabulary import Ein, expm1, log1p, phi1

Y = sympy.Symbol("y", real=True)


@pytest.mark.parametrize(
    "false",
    [
        sqrt(Y**2) - Y,
        log(Y**2) - 2 * log(Y),
        (Y**2) ** (u / 2) - Y**u,
        (Y * n) ** u - Y**u * n**u,
        ((u - 2) ** 3) ** Rational(1, 3) - (u - 2),
        sqrt(1 - u) * sqrt(u - 2) - sqrt((1 - u) * (u - 2)),
        (1 - u) ** u * (u - 1) ** -u - 1,
        exp(2 * pi * I * u) - 1,
        Ein(-lam) - (sympy.EulerGamma + log(lam) + I * pi - sympy.Ei(lam)),
        phi1(mu) - phi1(-mu),
        log1p(u) - log(u),
        exp(mu * u) - exp(mu) ** u - Rational(1, 10**30),
        n ** (u + 1) - n**u,
        Float("0.3") * u - Float("0.1") * u * 3,
    ],
    ids=str,
)
def test_a_false_identity_is_not_shown(false: sympy.Expr) -> None:
    assert not reduces_to_zero(false)


@pytest.mark.parametrize(
    "true",
    [
        exp(lam + 1) - S.Exp1 * exp(lam),
        u**n - u * u ** (n - 1),
        expm1(2 * mu) - expm1(mu) * (exp(mu) + 1),
        log(mu * u) - log(mu) - log(u),
        exp(n * log(u)) - u**n,
        phi1(mu) * mu + 1 - exp(mu),
    ],
    ids=str,
)
def test_a_true_identity_beside_them_is_shown(true: sympy.Expr) -> None:
    assert reduces_to_zero(true)


@pytest.mark.parametrize(
    "expr",
    [
        *(u - 1, 1 - 2 * u, u - Rational(1, 2), 1 - mu, mu - lam, n - m, 1 - u - p, 2 - n),
        *(log(mu), log(1 - u), -log(n), 1 + log(u), -log(1 - mu)),
        *(1 - exp(mu), 2 - exp(mu), exp(r) - 1, 1 - 2 * exp(-mu), 1 - exp(-r)),
        *(u**n - 1, 1 - u**-n, 1 - n**u, n**-mu - 1, p**k - 1),
        *(exp(log1p(p + r)), exp(log(mu - 1)), exp(1 / r), sqrt(r) ** 2 * exp(r)),
        *(r, r**2, (1 - 2 * u) ** 2, Float(1.0), I, S.NaN, S.Infinity, S.Zero),
    ],
    ids=str,
)
def test_what_is_not_positive_everywhere_is_not_shown_positive(expr: sympy.Expr) -> None:
    assert not shown_positive(inside(expr))
    assert not positive("", expr).holds


@pytest.mark.parametrize(
    "expr",
    [
        *(1 - u, 1 - u**n, 1 - exp(-mu), exp(mu * (1 - u)) - 1, -log(u), log(1 + mu)),
        *(-(u**n) * log(u), 1 - (1 - p) ** m, (1 - p * ubar) ** m, 1 - p * u, expm1(lam * u)),
    ],
    ids=str,
)
def test_what_is_positive_beside_them_is_shown(expr: sympy.Expr) -> None:
    assert shown_positive(inside(expr))


def test_stand_ins_of_different_parameters_stay_different() -> None:
    free = [INSIDE[s].free_symbols for s in (n, m, p)]
    assert not (free[0] & free[1])
    assert not (free[1] & free[2])
    assert not (free[0] & free[2])
    assert not shown_positive(inside(n - m + 1))


@pytest.mark.parametrize(
    ("antiderivative", "value"),
    [
        (-1 / (u - Rational(1, 2)), S(-4)),
        (sympy.atan(1 / (2 * u - 1)), pi / 2),
        (log((2 * u - 1) ** 2) / 2, S.Zero),
        (sympy.floor(2 * u), S(2)),
        (Piecewise((u, u < Rational(1, 2)), (u + 1, True)), S(2)),
        (1 / log(2 * u), 1 / log(2)),
        (sympy.tan(pi * u), S.Zero),
    ],
    ids=str,
)
def test_an_antiderivative_that_breaks_inside_proves_nothing(
    antiderivative: sympy.Expr, value: sympy.Expr
) -> None:
    proof = Antiderivative(sympy.diff(antiderivative, u), antiderivative, u, value)
    assert not proof.prove("false").holds


def test_u_and_its_complement_are_not_integrated_as_if_apart() -> None:
    assert not Antiderivative(ubar, u * ubar, u, ubar).prove("E[1 - U]").holds
    assert not shown_continuous(u * ubar, u, S.Zero, S.One)


@pytest.mark.parametrize(
    ("expr", "at", "false"),
    [
        (sympy.floor(u), S.One, S.One),
        (Piecewise((0, u < 1), (1, True)), S.One, S.One),
        (u ** (1 / log(u)), S.Zero, S.One),
        (u ** (n - 1), S.Zero, S.Zero),
        (sympy.sin(1 / u), S.Zero, S.Zero),
        (u**n * log(u), S.Zero, S.One),
    ],
    ids=str,
)
def test_a_false_limit_is_not_shown(expr: sympy.Expr, at: sympy.Expr, false: sympy.Expr) -> None:
    assert not limit_is("false", expr, u, at, false).holds
