"""Joint models of proxy and true reward, against Bayes' rule by quadrature and exact sums."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.joint import BivariateNormal, Contaminated, NoisyProxy
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.spec.grammar import parse_joint


@pytest.mark.parametrize(
    ("true", "noise"),
    [((0, 3), (0, 4)), ((1, 1), (Fraction(-1, 2), 1)), ((2, Fraction(1, 3)), (5, 7))],
)
@pytest.mark.parametrize("at", [-2, 0.25, 6])
def test_noisy_proxy_is_bayes_rule(true, noise, at):
    implied = NoisyProxy(Normal(*noise)).implied(Normal(*true))
    (m, s), (m2, s2) = (
        [mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in pair]
        for pair in (true, noise)
    )

    def joint(t):
        return mpmath.npdf(t, m, s) * mpmath.npdf(at - t, m2, s2)

    line = [m - 12 * s, m, m + 12 * s]
    expected = mpmath.quad(lambda t: t * joint(t), line) / mpmath.quad(joint, line)
    place = at
    if implied.unit is not None:
        place = (at - m - m2) / mpmath.sqrt(s**2 + s2**2)
    got = implied.expr.evalf(20, subs={r: place})
    assert abs(mpmath.mpf(str(got)) - expected) < 1e-9


def test_noisy_proxy_keeps_the_proxys_own_unit_where_it_is_rational():
    implied = NoisyProxy(Normal(0, 4)).implied(Normal(1, 3))
    assert (str(implied.law), implied.unit) == ("normal(mean=1, sd=5)", None)


def test_bivariate_normal_has_the_regression_line():
    implied = BivariateNormal(Fraction(1, 2)).implied(Normal(1, 2))
    # E[gold | proxy = 1 + 2z] = z/2.
    assert implied.expr.subs(r, 5) == 1
    assert BivariateNormal(0).implied(Normal()).variable is None


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_contaminated_value_under_best_of_n_is_the_closed_form(n):
    eps, h = Fraction(1, 50), Fraction(-1, 3)
    implied = Contaminated(eps, h).implied(Uniform())
    clean = (1 - eps) ** n
    expected = clean * Fraction(n, n + 1) + h * (1 - clean)
    found = value(Uniform(), BestOfN(n), "gold", gold=GoldCurve(implied.expr, "u"), digits=20)
    low, high = found.bounds
    assert low <= expected <= high


@pytest.mark.parametrize(
    "text",
    [
        "bivariate_normal(2)",
        "contaminated(0, 1)",
        "contaminated(1/2)",
        "noisy_proxy(bernoulli(1/2))",
        "noisy_proxy(3)",
        "nosy(1)",
        "bivariate_normal(rho=1/2, rho=1/3)",
    ],
)
def test_a_joint_model_outside_its_domain_is_refused(text):
    with pytest.raises(InputError):
        parse_joint(text)


def test_a_joint_model_says_on_which_laws_it_is_built():
    with pytest.raises(InputError, match="needs a normal law"):
        parse_joint("bivariate_normal(1/2)").implied(Uniform())
    assert not Contaminated(Fraction(1, 2), 1).implied(Uniform()).expr.has(r)
    assert Contaminated(Fraction(1, 2), 1).implied(Uniform()).expr.has(u)
