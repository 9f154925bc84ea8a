"""`gap --sup` over other families, and on laws where the answer is no number."""

from __future__ import annotations


def test_the_supremum_over_a_family_names_it_and_what_it_rests_on(cli):
    done = cli(
        "gap", "--law", "uniform", "--sup", "--family", "best_of_random(geometric)", "--json"
    )
    assert done.code == 0
    assert done.document["family"] == "best_of_random(geometric)"
    assert done.document["verdict"] == "unbounded"
    assert done.document["argmax"] is None
    assert "gap.unbounded-geometric" in done.document["why"]


def test_the_supremum_on_atoms_is_a_certified_number(cli):
    done = cli(
        "gap", "--law", "finite({0: 1/3, 1: 1/3, 3: 1/3})", "--sup", "--digits", "5", "--json"
    )
    assert done.code == 0
    assert done.document["verdict"] == "attained"
    assert done.document["sup"]["guarantee"] == "certified"
    # 0.0111417 at 3.40997, by the float64 scan of tests/functionals/test_gap_tails.py
    assert abs(float(done.document["sup"]["decimal"]) - 0.0111417) < 1e-6
    assert abs(float(done.document["argmax"]["decimal"]) - 3.40997) < 1e-3


def test_an_undecided_supremum_exits_3_and_bad_families_2(cli):
    assert cli("gap", "--law", "beta(2, 3)", "--sup", "--json").code == 3
    assert cli("gap", "--law", "uniform", "--sup", "--family", "sbon(n=3)").code == 2
    assert cli("gap", "--law", "uniform", "--at", "4", "--family", "bon").code == 2
