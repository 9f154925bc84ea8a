"""Derived formulas: every proof holds, and each formula equals the definition's quadrature."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.expressions.symbols import alpha, lam, n, r, u
from hedgetheory.functionals.derive import derive
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Closed
from hedgetheory.functionals.quantities import QUANTITIES, plans
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.program import compiled
from hedgetheory.spec.grammar import parse_family, parse_law

CONTINUOUS = ("uniform", "normal(1,2)", "exponential(2)", "logistic(1,2)")
LAWS = (*CONTINUOUS, "bernoulli(1/3)", "finite({0: 1/4, 1: 1/4, 3: 1/2})")
FAMILIES = ("bon", "bop", "quantile_tilt", "tilt", "best_of_random(ztp)")
FAMILIES += ("best_of_random(geometric)", "best_of_random(sibuya)")
FAMILIES += ("best_of_random(binomial(m=3))", "best_of_random(negative_binomial(r=2))")


def derivations(law, family):
    for quantity in QUANTITIES:
        try:
            yield quantity, derive(parse_law(law), parse_family(family), quantity)
        except InputError as refused:
            if "no closed form here" not in str(refused):
                raise


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("law", LAWS)
def test_every_derivation_is_proved_and_mentions_only_its_own_symbols(law, family):
    found = dict(derivations(law, family))
    assert found
    own = {parse_family(family).symbol, alpha, u, r}
    for quantity, derivation in found.items():
        assert derivation.proof.holds, (quantity, derivation.proof)
        assert derivation.expr.free_symbols <= own, quantity
        assert derivation.latex


AT = {"bon": Fraction(7, 2), "bop": Fraction(5, 2), "quantile_tilt": Fraction(3, 2)}
AT |= {"tilt": Fraction(1, 5), "best_of_random(ztp)": Fraction(2)}
AT |= {"best_of_random(geometric)": Fraction(1, 3), "best_of_random(sibuya)": Fraction(4, 5)}


def evaluated(expr, values):
    """A formula as a ball, at exact values of its symbols."""
    with precision(200):
        return compiled(sympy.sympify(expr), tuple(values))(REAL, *map(ball, values.values()))


@pytest.mark.parametrize("family", AT)
@pytest.mark.parametrize("law", CONTINUOUS)
def test_a_closed_form_equals_the_definition(law, family):
    theta = AT[family]
    member = parse_family(family)
    compared = 0
    for quantity in ("kl", "chi2", "renyi", "total_variation", "mean_reward", "mean_quantile"):
        order = Fraction(3, 2) if quantity == "renyi" else None
        definition = list(plans(parse_law(law), member.at(theta), quantity, order=order))[-1]
        if isinstance(definition, Closed):
            continue
        try:
            derived = derive(parse_law(law), member, quantity)
        except InputError:
            continue
        values = {member.symbol: theta} | ({alpha: order} if order else {})
        low, high = number(definition, 20).bounds
        value = evaluated(derived.expr, values)
        with precision(200):
            assert value > ball(low) - ball(Fraction(1, 10**25))
            assert value < ball(high) + ball(Fraction(1, 10**25))
        compared += 1
    assert compared >= 1


def test_atoms_are_written_out():
    found = derive(parse_law("bernoulli(1/3)"), parse_family("bon"), "mean_reward")
    # the best of n is 0 only if all n are: 1 - (2/3)^n
    assert sympy.simplify(found.expr - (1 - sympy.Rational(2, 3) ** n)) == 0


def test_fixed_parameters_are_numbers():
    found = derive(parse_law("uniform"), parse_family("best_of_random(binomial(m=3))"), "cdf")
    assert {s.name for s in found.expr.free_symbols} == {"p", "u"}


def test_the_tilt_of_a_normal_law_moves_its_mean():
    found = derive(parse_law("normal(1,2)"), parse_family("tilt"), "mean_reward")
    assert sympy.expand(found.expr - (1 + 4 * lam)) == 0


def test_what_has_no_closed_form_says_so():
    with pytest.raises(InputError, match="no closed form here"):
        derive(parse_law("normal"), parse_family("bon"), "mean_reward")
    assert issubclass(NotOnThisLaw, InputError)


def test_soft_best_of_two_has_a_proved_ratio_and_the_rest_is_refused(cli):
    done = cli(
        "derive", "--law", "uniform", "--family", "sbon(n=2)", "--quantity", "ratio", "--json"
    )
    assert done.code == 0
    assert done.document["proof"]["holds"]
    for family, quantity in (("sbon(n=2)", "kl"), ("sbon(n=3)", "ratio"), ("sbon(lam=2)", "ratio")):
        done = cli("derive", "--law", "uniform", "--family", family, "--quantity", quantity)
        assert done.is_refusal(), done
        assert "no closed form" in done.err
