"""Exact numbers: text to rationals, and decimals whose stated radius is honest."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.exact import Number, rational, short

few = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7.3", Fraction(73, 10)),
        ("-1/3", Fraction(-1, 3)),
        (" 1.5 / 0.5 ", Fraction(3)),
        ("1e-3", Fraction(1, 1000)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("1e5000", Fraction(10**5000)),
        (0.1, Fraction(3602879701896397, 36028797018963968)),
        (Decimal("0.1"), Fraction(1, 10)),
        (np.int64(3), Fraction(3)),
        (np.float64(0.25), Fraction(1, 4)),
        (10**30, Fraction(10**30)),
    ],
)
def test_a_number_denotes_its_exact_rational(text, value):
    assert rational(text) == value


@pytest.mark.parametrize(
    "bad",
    [
        "nan", "inf", "-inf", "", "1/0", "0/0", "1//2", "1/2/3", "1_000", "0x10", "1e", "٣", "1 2",
        "1e5001", "1e" + "9" * 5000, "9" * 1001, "sqrt(2)", True, False, None, [], 1j,
        float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), np.float64("nan"),
    ],
)  # fmt: skip
def test_what_is_not_a_finite_number_is_refused_by_name(bad):
    with pytest.raises(InputError, match=r"^n"):
        rational(bad, "n")


def test_refusals_of_long_text_are_short():
    with pytest.raises(InputError) as caught:
        rational("9" * 100_000, "n")
    assert len(str(caught.value)) < 200


@given(st.fractions())
@few
def test_short_text_denotes_the_same_rational(value):
    assert rational(short(value)) == value if len(short(value)) < 900 else True


def test_short_text_of_a_rational_beyond_4300_digits_exists():
    assert short(Fraction(10) ** 4500) == "1" + "0" * 4500


def _honest(number: Number, digits: int, low: Fraction, high: Fraction) -> None:
    decimal, rad = map(Fraction, number.decimal(digits))
    assert abs(low - decimal) <= rad
    assert abs(high - decimal) <= rad


@given(st.integers(-(10**30), 10**30), st.integers(0, 10**20), st.integers(-60, 60),
       st.integers(1, 40))  # fmt: skip
@few
def test_decimal_and_radius_enclose_a_ball(mid, rad, exp10, digits):
    number = Number.ball(mid, rad, exp10)
    scale = Fraction(10) ** exp10
    _honest(number, digits, (mid - rad) * scale, (mid + rad) * scale)
    assert number.bounds == ((mid - rad) * scale, (mid + rad) * scale)


@given(st.fractions(), st.integers(-300, 300), st.integers(1, 60))
@few
def test_decimal_and_radius_enclose_a_fraction(value, exponent, digits):
    value *= Fraction(10) ** exponent
    number = Number.exact(value)
    _honest(number, digits, value, value)
    decimal, rad = number.decimal(digits)
    # The radius is what rounding to the digits costs, and no more.
    assert Fraction(rad) <= Fraction(10) ** (1 - digits) * abs(value)
    shown = decimal.lower().split("e")[0].replace("-", "").replace(".", "").lstrip("0")
    assert value == 0 or len(shown) <= max(digits, 21)


@given(st.integers(-(10**6), 10**6).filter(bool), st.integers(0, 1000),
       st.sampled_from([-(10**12), -4321, 4321, 10**12]), st.integers(1, 12))  # fmt: skip
@few
def test_huge_exponents_are_written_down_without_being_expanded(mid, rad, exponent, digits):
    decimal, radius = Number.ball(mid, rad, exponent).decimal(digits)
    # Both shifted back by the exponent, in text, so that rational arithmetic can compare them.
    shifted = []
    for text in (decimal, radius):
        lead, _, power = text.partition("e")
        if Fraction(lead):
            lead_value = Fraction(lead) * Fraction(10) ** (int(power) - exponent)
        shifted.append(lead_value if Fraction(lead) else Fraction(0))
    assert abs(mid - shifted[0]) + rad <= shifted[1] or (rad == 0 and mid == shifted[0])


@pytest.mark.parametrize(
    ("rad", "exp10", "text"),
    [(0, -9, "0"), (3, -9, "3e-9"), (34, -10, "3.4e-9"), (340, -11, "3.4e-9"), (991, -11, "1e-8"),
     (331, -11, "3.4e-9"), (10, 0, "1e1"), (999, 3, "1e6"), (101, 0, "1.1e2")],
)  # fmt: skip
def test_a_radius_is_rounded_up_to_two_digits_in_scientific_notation(rad, exp10, text):
    # The middle is short enough that no rounding is added.
    assert Number.ball(7, rad, exp10).decimal(12)[1] == text


def test_json_of_each_kind_of_number_is_the_contract():
    third = Number.exact(Fraction(1, 3)).to_json(5)
    assert third == {"decimal": "0.33333", "rad": third["rad"], "guarantee": "exact",
                     "rational": "1/3"}  # fmt: skip
    assert Fraction(1, 3) - Fraction("0.33333") <= Fraction(third["rad"]) < Fraction(1, 10**5)
    assert Number.exact(2).to_json(3) == {
        "decimal": "2.00", "rad": "0", "guarantee": "exact", "rational": "2"}  # fmt: skip
    assert Number.exact(0).to_json(9)["decimal"] == "0"
    assert Number.ball(1234, 3, -4).to_json(8) == {
        "decimal": "0.12340000", "rad": "3e-4", "guarantee": "certified"}  # fmt: skip
    assert Number.infinity(-1).to_json(3) == {
        "decimal": "-inf", "rad": "0", "guarantee": "exact"}  # fmt: skip
    assert Number.undefined("why").to_json(3) is None
    assert Number.estimate(0.5).to_json(3)["guarantee"] == "estimated"
    json.dumps([third])


def test_more_than_4300_digits_are_written():
    value = Fraction(1, 3)
    decimal, rad = Number.exact(value).decimal(5000)
    assert decimal == "0." + "3" * 5000
    assert 0 < Fraction(rad) < Fraction(10) ** -5000
    assert Number.ball(10**5000, 1, -5000).decimal(4900)[0].startswith("1.000")
    assert Number.exact(Fraction(1, 10**4999)).to_json(3)["rational"] == "1/1" + "0" * 4999
    assert str(Number.exact(10**4999)).endswith("0 exactly")


def test_a_numpy_float_can_be_an_estimate_and_a_nan_cannot():
    assert Number.estimate(np.float64(0.25)).bounds == (Fraction(1, 4), Fraction(1, 4))
    with pytest.raises(InputError):
        Number.estimate(float("nan"))


def test_a_number_as_float_is_the_nearest_double_or_infinite():
    assert float(Number.exact(Fraction(1, 3))) == 1 / 3
    assert float(Number.exact(-(10**400))) == -np.inf
    assert float(Number.ball(1, 0, -(10**6))) == 0.0
    assert float(Number.infinity()) == np.inf
    assert np.isnan(float(Number.undefined("why")))
    with pytest.raises(InputError):
        _ = Number.infinity().bounds


def test_text_of_a_number_states_its_guarantee():
    assert str(Number.exact(Fraction(3, 4))) == "3/4 exactly"
    assert "±" in str(Number.ball(5, 1, -3))
    assert "estimated" in str(Number.estimate(0.1))
    assert str(Number.undefined("no mean")) == "undefined: no mean"
    assert Number.undefined("no mean").is_undefined
