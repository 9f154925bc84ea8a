"""The packaged tables: what they hold, against numbers from elsewhere."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import mpmath
import pytest
from scipy import stats

from hedgetheory.reference import tables
from hedgetheory.reference.audit import INDEX, schema
from hedgetheory.reference.model import SCHEMA

MEGABYTES = 4


def test_the_packaged_files_fit_their_budget():
    assert sum(path.stat().st_size for path in tables.folder().iterdir()) <= MEGABYTES * 10**6


def test_the_schema_is_the_one_that_the_tables_name():
    assert schema()["$id"] == SCHEMA


def test_there_are_twenty_thousand_cases():
    index = tables.parse_json((tables.folder() / INDEX).read_bytes(), INDEX)
    assert sum(entry["cases"] for entry in index["tables"].values()) >= 20_000
    assert set(index["tables"]) == set(tables.names())


@pytest.mark.parametrize("name", ["kl", "gap", "threshold", "mean_reward"])
def test_a_table_has_easy_hard_and_extreme_cases_each_checked(name):
    table = tables.load(name)
    tags = Counter(tag for case in table.cases for tag in case.tags)
    if name != "threshold":
        assert min(tags["easy"], tags["hard"], tags["extreme"]) > 0
    for case in table.cases:
        digits = case.check.digits
        special = case.value.infinite or case.value.is_undefined
        assert digits is None if special else digits >= 20


def value(name, case_id):
    return tables.load(name).by_id[case_id]


def test_best_of_n_has_the_kl_of_beirami_et_al():
    for n in (2, 3, 100, 2**40):
        with mpmath.workdps(80):
            expected = mpmath.log(n) - mpmath.mpf(n - 1) / n
            low, high = value("kl", f"kl:bon(n={n})@uniform").bounds
            assert low <= Fraction(mpmath.nstr(expected, 70)) <= high
            assert (high - low) * 10**50 < low


def test_on_pass_or_fail_the_kl_is_not_the_continuous_one():
    # ln n − 1 + 1/n is 3.86 at n = 128; the truth is ln 2 up to 2^−128·(…).
    case = value("kl", "kl:bon(n=128)@bernoulli(p=0.5)")
    assert case.double == pytest.approx(0.6931471805599453, abs=1e-15)


def test_infinite_means_are_infinite_and_undefined_ones_are_undefined():
    for n in (1, 4):
        assert value("mean_reward", f"mean_reward:bon(n={n})@pareto(alpha=0.875)").value.infinite
    assert value("mean_reward", "mean_reward:bon(n=1)@student_t(df=1)").value.is_undefined
    assert value("mean_reward", "mean_reward:bon(n=4)@student_t(df=1)").value.infinite == 1
    assert value("kl", "kl:tilt(lam=1)@exponential(rate=1)").value.is_undefined


def test_ties_and_misleading_roundings_of_thresholds():
    tied = value("threshold", "threshold:bon@uniform:gold=u**12*(1 - u)")
    assert tied.integer is not None
    assert tied.integer[1] == (12, 13)
    # E[U^c] = n/(n+c): f′ = 0 at n = √(c(c+1)) for u^c(1−u).
    assert tied.double == pytest.approx(156**0.5, rel=1e-15)
    rounded = value("threshold", "threshold:bon@uniform:gold=u**(2401/200)*(1 - u)")
    assert rounded.integer is not None
    assert rounded.double is not None
    assert (round(rounded.double), rounded.integer[1]) == (12, (13,))


def test_the_maximum_of_four_normals_has_its_known_mean():
    # scipy's quadrature of the definition.
    expected = stats.norm.expect(lambda r: 4 * r * stats.norm.cdf(r) ** 3)
    case = value("mean_reward", "mean_reward:bon(n=4)@normal(mean=0, sd=1)")
    assert case.double == pytest.approx(expected, rel=1e-9)


def test_the_gap_starts_like_the_fourth_power():
    # THEORY §4: μ⁴/1440 near 0 and 1/(2μ⁴) at infinity, on the uniform law.
    small, large = 2.0**-40, 2.0**40
    near = value("gap", "gap:bop(mu=1/1099511627776)@uniform").double
    far = value("gap", "gap:bop(mu=1099511627776)@uniform").double
    assert near == pytest.approx(small**4 / 1440, rel=1e-9)
    assert far == pytest.approx(1 / (2 * large**4), rel=1e-9)
    assert value("gap", "gap:bop(mu=5)@bernoulli(p=0.25)").value.fraction == 0
