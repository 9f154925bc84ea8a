"""The sharp constant: against a dense scan by mpmath, and mutants of each piece of the cover."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from hedgetheory.errors import NotCertified
from hedgetheory.functionals import gap_supremum as module
from hedgetheory.functionals.gap import gap_at
from hedgetheory.functionals.gap_supremum import gap_supremum
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls


def by_mpmath(mu: float) -> mpmath.mpf:
    """The gap by the definition: quadrature of both divergences, and a root finder."""
    with mpmath.workdps(25):
        m = mpmath.mpf(mu)

        def w(u: mpmath.mpf) -> mpmath.mpf:
            return (1 + m * u) * mpmath.exp(m * (u - 1))

        mean = mpmath.quad(lambda u: u * w(u), [0, 1])
        kl = mpmath.quad(lambda u: w(u) * mpmath.log(w(u)), [0, 1])
        lam = mpmath.findroot(lambda x: 1 / (1 - mpmath.exp(-x)) - 1 / x - mean, m + 1)
        return kl - lam * mean + mpmath.log(mpmath.expm1(lam) / lam)


def test_the_supremum_is_the_value_at_the_maximiser_by_mpmath() -> None:
    found = gap_supremum(Uniform(), 10)
    assert found.argmax is not None
    assert abs(float(found.supremum) - by_mpmath(float(found.argmax))) < 1e-15


def test_no_point_of_a_scan_exceeds_the_supremum() -> None:
    top = float(gap_supremum(Uniform(), 10).supremum)
    scan = [by_mpmath(mu) for mu in (0.1, 1, 2, 3, 3.2, 3.35, 3.357, 3.36, 3.4, 5, 10, 40)]
    assert max(scan) <= top
    assert max(scan) > top * (1 - 1e-6)


def test_ten_digits_are_reached() -> None:
    found = gap_supremum(Uniform(), 10)
    low, high = found.supremum.bounds
    assert high - low < low * Fraction(1, 10**10)
    assert found.argmax is not None
    low, high = found.argmax.bounds
    assert high - low < low * Fraction(1, 10**10)


@pytest.mark.parametrize("mu", ["1/1000", "1/50", "1/32"])
def test_the_small_bound_is_above_the_gap(mu: str) -> None:
    with balls.precision(80):
        bound = module.small_mu_bound(Fraction(mu))
    assert float(gap_at(Uniform(), mu, 8).gap) < float(bound)


@pytest.mark.parametrize("mu", [16, 20, 100, 10**6])
def test_the_large_bound_is_above_the_gap(mu: int) -> None:
    with balls.precision(80):
        bound = module.large_mu_bound(Fraction(mu))
    assert float(gap_at(Uniform(), mu, 8).gap) < float(bound)


def test_a_neighbourhood_without_the_maximiser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEIGHBOURHOOD", (Fraction(17, 5), Fraction(7, 2)))
    with pytest.raises(NotCertified, match="sign"):
        module._on_uniform.__wrapped__(6)


def test_a_floor_above_the_truth_below_a_box_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # A cover that left out [0.03, 3.25] would not notice a larger gap there: each box is asked.
    monkeypatch.setattr(module, "MAX_BOXES", 50)
    floor = balls.ball(Fraction(6, 10**4))
    with balls.precision(80), pytest.raises(NotCertified):
        module._cover(Fraction(3), Fraction(7, 2), floor)


def test_the_large_bound_is_refused_where_its_majorant_is_not_valid() -> None:
    with pytest.raises(NotCertified):
        module.large_mu_bound(Fraction(10))


def test_laws_without_a_finite_or_positive_gap_say_so() -> None:
    assert gap_supremum(Normal()).verdict == "unbounded"
    assert gap_supremum(Exponential(3)).verdict == "unbounded"
    assert gap_supremum(Bernoulli("1/3")).verdict == "zero"
    with pytest.raises(NotCertified, match="not decided"):
        gap_supremum(Beta(2, 3))
