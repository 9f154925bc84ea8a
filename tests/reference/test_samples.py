"""Sample-level tables: exact values by enumeration."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.at_k import pass_at_k
from hedgetheory.reference import samples

CASES = {name: {case.id: case for case in samples.cases(name)} for name in samples.TABLES}


def test_pass_at_k_of_one_right_of_two_is_a_half():
    case = CASES["sample_pass_at_k"]["sample_pass_at_k:bon(n=1)@S=2,c=1"]
    assert case.value.fraction == Fraction(1, 2)


def test_nothing_right_never_passes_and_is_no_one():
    # Public code returns 1.0 there where k > S: that is undefined, and k ≤ S gives 0.
    for case in CASES["sample_pass_at_k"].values():
        if case.id.endswith("c=0") and not case.value.is_undefined:
            assert case.value.fraction == 0


def test_best_of_one_is_the_mean_and_best_of_all_the_top():
    table = CASES["sample_best_of_n"]
    assert table["sample_best_of_n:bon(n=1)@top_tied"].value.fraction == Fraction(15, 32)
    # Three tied at the top share (1 + 2 + 4)/3 eighths.
    assert table["sample_best_of_n:bon(n=4)@top_tied"].value.fraction == Fraction(7, 24)


def test_the_first_n_responses_are_another_number():
    rows = samples.tables()["reversed"]
    case = CASES["sample_best_of_n"]["sample_best_of_n:bon(n=2)@reversed"]
    assert case.value.fraction != samples.best_of_subset(rows[:2])


@pytest.mark.parametrize("name", list(samples.tables()))
def test_the_mean_over_subsets_is_the_sum_over_ranks(name):
    rows = samples.tables()[name]
    for n in range(1, len(rows) + 1):
        assert samples.by_subsets(rows, n) == samples.by_ranks(rows, n)


def test_the_estimators_of_hedgetune_give_these_values():
    for case in CASES["sample_pass_at_k"].values():
        outcomes = [float(Fraction(row[0]["rational"])) for row in case.inputs["responses"]]
        k = int(Fraction(case.inputs["parameters"]["n"]["rational"]))
        if case.value.is_undefined:
            assert k > len(outcomes)
            with pytest.raises(InputError):
                pass_at_k([outcomes], [k])
            continue
        assert pass_at_k([outcomes], [k])[0, 0] == pytest.approx(case.double, rel=1e-15, abs=1e-15)


def test_the_plug_in_of_best_of_two_by_hand():
    # Golds 0 and 1/2 in order: G(1/2) = 1/4, so 3/4·1/2.
    case = CASES["sample_plug_in"]["sample_plug_in:bon(n=2)@two"]
    assert case.value.fraction == Fraction(3, 8)


def test_subsets_are_counted_with_multiplicity():
    rows = [(Fraction(1), Fraction(0))] * 3 + [(Fraction(2), Fraction(1))]
    assert samples.by_subsets(rows, 2) == Fraction(3, comb(4, 2))
