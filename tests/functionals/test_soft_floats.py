"""float64 Soft Best-of-n against certified balls over the whole range of n and λ."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from hedgetheory.errors import InputError
from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft_floats import SoftBestOfNFloats
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

UNIFORM = Uniform()
#: The worst error that is accepted: a record that may only improve (measured: 8.5e-13 and 8e-14).
RATIO_ERROR, SCALAR_ERROR = 2e-12, 2e-13


@pytest.mark.parametrize("n", ["2", "5/2", "16", "1000", "1000000"])
@pytest.mark.parametrize("lam", ["1e-6", "1e-2", "0.99", "1", "30", "1000"])
def test_the_logarithm_of_the_ratio_is_within_its_record(n: str, lam: str) -> None:
    floats = SoftBestOfNFloats(n, lam)
    for u in (0.0009765625, 0.5, 0.9990234375):
        low, _ = value(UNIFORM, SoftBestOfN(n, lam), "ratio", at=u, digits=13).bounds
        truth = log(low.numerator) - log(low.denominator)
        assert abs(float(floats.log_ratio(u)) - truth) < RATIO_ERROR


@pytest.mark.parametrize(
    ("n", "lam"), [("2", "1e-6"), ("16", "0.5"), ("5/2", "3"), ("1000000", "40")]
)
def test_functionals_are_within_their_record(n: str, lam: str) -> None:
    floats = SoftBestOfNFloats(n, lam)
    for quantity in ("kl", "chi2", "total_variation", "mean_quantile"):
        truth = float(value(UNIFORM, SoftBestOfN(n, lam), quantity))
        assert abs(getattr(floats, quantity)() / truth - 1) < SCALAR_ERROR, quantity
    truth = float(value(UNIFORM, SoftBestOfN(n, lam), "cdf", at=0.25))
    assert abs(float(floats.cdf(0.25)) / truth - 1) < SCALAR_ERROR


def test_arrays_of_any_shape_are_vectorised() -> None:
    floats = SoftBestOfNFloats(16, 5)
    u = np.linspace(0, 1, 12).reshape(3, 4)
    assert floats.ratio(u).shape == (3, 4)
    assert np.all(np.diff(floats.ratio(np.linspace(0, 1, 1001))) > 0)
    assert float(floats.cdf(1.0)) == pytest.approx(1, abs=1e-14)


def test_arguments_out_of_domain_are_refused() -> None:
    for n, lam in ((0.5, 1), (2, 0), (2, -1)):
        with pytest.raises(InputError, match="must be"):
            SoftBestOfNFloats(n, lam)
    with pytest.raises(InputError, match="NaN"):
        SoftBestOfNFloats(2, 1).ratio([0.5, np.nan])
    assert np.isnan(SoftBestOfNFloats(2, 1).ratio([0.5, 1.5])[1])
    assert SoftBestOfNFloats(2, 1).density([0.5, 1.5])[1] == 0
