"""Polynomial gold in the reward: exact under the reference, linear in the mean elsewhere."""

from __future__ import annotations

from fractions import Fraction

import pytest
import scipy.stats as ss

from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.spec.grammar import parse_gold, parse_law, parse_policy

REFERENCE = parse_policy("bon(1)")


@pytest.mark.parametrize(
    ("law", "moments"),
    [
        ("normal(0, 1)", [0, 1, 0, 3]),
        ("normal(1, 2)", [1, 5, 13, 73]),
        ("exponential(2)", [Fraction(1, 2), Fraction(1, 2), Fraction(3, 4), Fraction(3, 2)]),
        ("laplace(0, 1)", [0, 2, 0, 24]),
        ("gamma(1/2, 3)", [Fraction(1, 6), Fraction(1, 12), Fraction(5, 72), Fraction(35, 432)]),
        ("beta(2, 3)", [Fraction(2, 5), Fraction(1, 5), Fraction(4, 35), Fraction(1, 14)]),
        ("affine(gamma(2, 1), 1, 3)", [7, 67, 829, 12661]),
    ],
)
def test_moments_of_the_reference_are_exact(law, moments):
    for k, moment in enumerate(moments, 1):
        found = value(parse_law(law), REFERENCE, "gold", gold=parse_gold(f"r**{k}"))
        assert found.fraction == moment


@pytest.mark.parametrize(
    ("law", "frozen"),
    [("gumbel(1, 2)", ss.gumbel_r(1, 2)), ("logistic(1, 2)", ss.logistic(1, 2)),
     ("weibull(2, 1)", ss.weibull_min(2)), ("pareto(7)", ss.pareto(7))],
)  # fmt: skip
def test_moments_of_the_reference_are_those_of_scipy(law, frozen):
    for k in (1, 2, 3):
        found = value(parse_law(law), REFERENCE, "gold", gold=parse_gold(f"r**{k}"))
        assert float(found) == pytest.approx(frozen.moment(k), rel=1e-10)


@pytest.mark.parametrize("law", ["exponential(2)", "gumbel(0, 1)", "logistic(1, 2)", "pareto(7)"])
def test_a_line_has_the_mean_by_closed_form_and_by_quadrature(law):
    first, second = (
        number(plan, 15, "gold")
        for plan in plans(
            parse_law(law), parse_policy("bon(3)"), "gold", gold=parse_gold("1/2 - 3*r")
        )
    )
    assert max(first.bounds[0], second.bounds[0]) <= min(first.bounds[1], second.bounds[1])


def test_a_mean_that_does_not_exist_has_no_line():
    found = value(parse_law("pareto(1/2)"), parse_policy("bon(3)"), "gold", gold=parse_gold("-r"))
    assert found.infinite == -1
