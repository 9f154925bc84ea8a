"""Empirical laws: exact atoms, agreement with the same law typed by hand, refusals, speed."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest

from hedgetheory.errors import InputError
from hedgetheory.exact import Number
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.samples import Samples
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.tilt import Tilt


def test_an_atom_is_the_exact_binary64_and_its_mass_a_count():
    law = Samples.from_array([0.1, 3, 0.1, -0.0, 0.0])
    assert law.atoms == (
        (Fraction(0), Fraction(2, 5)),
        (Fraction(0.1), Fraction(2, 5)),
        (Fraction(3), Fraction(1, 5)),
    )
    assert Fraction(0.1) != Fraction(1, 10)


def test_it_is_the_finite_law_of_the_same_masses():
    law = Samples.from_array([2.0, 1.0, 2.0, 0.25])
    finite = Finite({"1/4": "1/4", 1: "1/4", 2: "1/2"})
    for policy in (BestOfN(3), BestOfPoisson(2), Tilt(1)):
        for what in ("kl", "chi2", "mean_reward", "win_rate"):
            assert value(law, policy, what) == value(finite, policy, what)


def test_equal_samples_are_equal_laws_in_any_order_and_others_are_not():
    a, b = Samples.from_array([1.0, 2.0, 2.0]), Samples.from_array(np.array([2, 1, 2]))
    assert a == b
    assert hash(a) == hash(b)
    assert a != Samples.from_array([1.0, 2.0, 2.0 + 2**-51])
    assert a != Samples.from_array([1.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1.0, float("nan")], r"values\[1\]=nan"),
        ([float("inf")], r"values\[0\]=inf"),
        ([], "1 to 100000"),
        ([[1.0, 2.0]], "one row"),
        (["a"], "real numbers"),
        ([True, False], "real numbers"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
        (np.zeros(100_001), "100001 values"),
    ],
    ids=range(8),
)
def test_what_is_no_sample_is_refused(values, says):
    with pytest.raises(InputError, match=says):
        Samples.from_array(values)


def test_ten_thousand_atoms_take_a_second_or_so():
    x = np.random.default_rng(1).normal(size=10_000)
    law = Samples.from_array(x)
    start = time.perf_counter()
    number = value(law, BestOfN(8), "kl")
    assert time.perf_counter() - start < 10  # measured 0.6 s on an idle core
    # All masses equal: KL = Σ ((i/S)^8 − ((i−1)/S)^8) ln(S·that), whatever the values.
    i = np.arange(1, 10_001, dtype=np.longdouble) / 10_000
    masses = i**8 - (i - np.longdouble(1) / 10_000) ** 8
    assert float(number) == pytest.approx(float((masses * np.log(10_000 * masses)).sum()), 1e-13)
    # Rationals of ten thousand digits are not attempted.
    assert value(law, BestOfN(1000), "win_rate").guarantee == "certified"


@pytest.mark.parametrize("policy", [BestOfN(3), BestOfPoisson(2), Tilt(1)], ids=str)
def test_a_quantile_is_the_first_atom_whose_cdf_reaches_the_level(policy):
    law = Samples.from_array([0.5, 1.0, 1.0, 2.0, 3.5, 3.5, 8.0])
    for level in ("1/100", "3/10", "1/2", "9/10", "999/1000"):
        found = value(law, policy, "quantile", at=level).fraction
        reached = [x for x, _ in law.atoms
                   if float(value(law, policy, "cdf", at=x)) >= Fraction(level)]  # fmt: skip
        assert found == reached[0]
    # BoN: the level F^3 itself is attained at its atom.
    assert value(law, BestOfN(3), "quantile", at="27/343") == Number.exact(1)


def test_the_command_line_reads_a_file_and_a_column(cli, tmp_path):
    lines = tmp_path / "rewards.txt"
    lines.write_text("0.5\n1\n\n0.5\n2\n")
    table = tmp_path / "scores.csv"
    table.write_text("a,b\n1,0.5\n2,1\n3,0.5\n4,2\n")
    exact = Number.exact(Fraction(21, 16)).to_json(15)
    for text in (f"@{lines}", f"@{table}:b"):
        told = cli("value", "--law", text, "--policy", "bon(2)", "--quantity", "mean_reward",
                   "--json")  # fmt: skip
        assert told.code == 0
        assert told.document["number"] == exact
        assert told.document["law"].startswith("samples(size=4, atoms=3, sha256=")
    assert cli("check", "--law", f"@{lines}", "--family", "bon", "--gold", "r").code == 0


@pytest.mark.parametrize("content", ["1\nx\n", "1\nnan\n", "", "1 2\n", "\xff"], ids=range(5))
def test_a_bad_file_is_one_line_and_exit_2(cli, tmp_path, content):
    path = tmp_path / "bad.txt"
    path.write_bytes(content.encode("latin-1"))
    for text in (f"@{path}", f"@{path}:a", f"@{tmp_path / 'absent'}", "@", "@/dev/zero"):
        told = cli("value", "--law", text, "--policy", "bon(2)", "--quantity", "kl")
        assert told.is_refusal(2), text


def test_a_batch_reads_no_files(cli, tmp_path):
    path = tmp_path / "rewards.txt"
    path.write_text("1\n2\n")
    batch = tmp_path / "batch.jsonl"
    batch.write_text(f'{{"law": "@{path}", "policy": "bon(2)", "quantity": "kl"}}\n')
    told = cli("value", "--batch", str(batch))
    assert told.code == 2
    assert "reads no files" in told.document["error"]
