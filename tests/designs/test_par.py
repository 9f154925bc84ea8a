"""PAR against SciPy's quadrature, the uniform law, and the raw law."""

from __future__ import annotations

import math
from fractions import Fraction as F

import numpy as np
import pytest
from scipy import integrate, special, stats

import hedgetheory as ht
from hedgetheory.designs.par.law import Par, Sigmoid, par, sigmoid
from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw


def by_hand(pdf, references, k, h):
    """∫ h(s(r)) f(r) dr by SciPy, an estimate."""

    def s(r):
        return np.mean([special.expit(k * (r - place)) for place in references])

    return integrate.quad(lambda r: h(s(r)) * pdf(r), -math.inf, math.inf, epsabs=1e-12, limit=400)[
        0
    ]


@pytest.mark.parametrize(
    ("law", "pdf"),
    [
        (ht.normal(), stats.norm.pdf),
        (ht.student_t(2), stats.t(2).pdf),
        (ht.gumbel(), lambda r: math.exp(-r - math.exp(-r)) if r > -9 else 0.0),
    ],
)
def test_the_tilt_is_the_integral_over_the_raw_reward(law, pdf):
    shaped = Par(law, k="3/2", m=3)
    places = [float(place) for place in shaped.references]
    mass = by_hand(pdf, places, 1.5, lambda s: math.exp(4 * s))
    mean = by_hand(pdf, places, 1.5, lambda s: s * math.exp(4 * s)) / mass
    assert float(ht.value(shaped, ht.tilt(4), "mean_reward")) == pytest.approx(mean, rel=1e-9)
    kl = 4 * mean - math.log(mass)
    assert float(ht.value(shaped, ht.tilt(4), "kl")) == pytest.approx(kl, rel=1e-8)


def test_references_stand_at_the_quantiles_of_the_law():
    places = [float(place) for place in Par(ht.normal(1, 2), m=10).references]
    assert places == pytest.approx(stats.norm(1, 2).ppf((np.arange(10) + 0.5) / 10), abs=1e-5)


@pytest.mark.parametrize("text", ["bon(7)", "bop(2)", "quantile_tilt(3)"])
def test_rank_policies_do_not_see_the_shape(text):
    law, policy = ht.student_t(3), ht.parse_policy(text)
    gold = ht.parse_gold("u**3*(1 - u)")
    raw, shaped = (ht.value(x, policy, "gold", gold=gold) for x in (law, par(law, m=2)))
    assert raw.bounds[0] <= shaped.bounds[1]
    assert shaped.bounds[0] <= raw.bounds[1]


def test_on_its_logistic_law_it_is_uniform_and_next_to_it_not():
    assert str(sigmoid(ht.logistic(3, "1/2"), at=3, k=2)) == "uniform"
    near = sigmoid(ht.logistic(3, "1/2"), at=3, k="2.000001")
    assert isinstance(near, Sigmoid)
    kl = float(ht.value(near, ht.tilt(2), "kl", digits=8))
    assert kl == pytest.approx(float(ht.value(ht.uniform(), ht.quantile_tilt(2), "kl")), rel=1e-5)
    assert kl != float(ht.value(ht.uniform(), ht.quantile_tilt(2), "kl", digits=8))


def test_a_tilt_exists_where_the_raw_reward_has_none():
    with pytest.raises(NotOnThisLaw):
        ht.value(ht.pareto(2), ht.tilt(1), "kl")
    assert 0 < float(ht.value(sigmoid(ht.pareto(2), at=1), ht.tilt(1), "kl")) < 1 / 8


def test_the_density_at_a_reward_is_that_of_the_inverse():
    density = float(ht.value(sigmoid(ht.normal()), ht.best_of_n(1), "density", at="3/4"))
    assert density == pytest.approx(stats.norm.pdf(math.log(3)) * 16 / 3, rel=1e-12)


def test_names_of_the_grammar_read_back():
    for text in (
        "par(normal(mean=0, sd=1), k=0.5, m=4)",
        "sigmoid(gumbel(loc=0, scale=1), at=-1, k=3)",
    ):
        law = ht.parse_law(text)
        assert str(law) == text
        assert ht.parse_law(str(law)) == law
    assert ht.parse_law("par(student_t(3))").references[0] < F(-1)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: par(ht.bernoulli("1/2")), InputError, "must be a law without atoms"),
        (lambda: par(ht.normal(), k=0), InputError, "k=0, but must be a real number > 0"),
        (
            lambda: par(ht.normal(), m=65),
            InputError,
            "m=65, but must be a whole number",
        ),
        (lambda: par(ht.exponential()), NotCertified, r"sigmoid\(exponential\(rate=1\), at=0\)"),
    ],
)
def test_what_is_refused_says_why(call, error, says):
    with pytest.raises(error, match=says):
        call()
