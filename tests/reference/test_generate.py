"""Making tables: two methods a case, resumed where it stopped, the same bytes every time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest

from hedgetheory.errors import HedgeTheoryError, InputError
from hedgetheory.exact import Number
from hedgetheory.reference import compute, cross, generate, tables
from hedgetheory.reference.audit import INDEX, audit, index, index_entry
from hedgetheory.reference.cases import Job, jobs

FEW = (
    Job("kl", "bop(5)", "uniform"),
    Job("kl", "bon(4)", "bernoulli(1/4)"),
    Job("ratio", "bop(5)", "normal", ("reward", Fraction(3, 2))),
    Job("quantile", "bon(4)", "exponential", ("probability", Fraction(3, 4))),
    Job("mean_reward", "bon(4)", "pareto(7/8)"),
    Job("mean_reward", "bon(1)", "student_t(1)"),
    Job("kl", "tilt(1)", "exponential"),
    Job("threshold", "bon", "uniform", gold="u**12*(1 - u)"),
    Job("threshold", "bon", "uniform", gold="u**(2401/200)*(1 - u)"),
    Job("gap", "bop(4)", "uniform"),
    Job("mass", "sbon(4, 2)", "bernoulli(1/4)", ("reward", Fraction(1)), digits=25),
    Job("expected_draws", "best_of_random(geometric(1/8))", "uniform"),
)


@pytest.fixture(scope="module")
def few():
    return {job: compute.outcome(job) for job in FEW}


@pytest.mark.parametrize("job", FEW, ids=lambda job: job.id)
def test_a_second_method_agrees(few, job):
    outcome = few[job]
    assert outcome.disagreement == outcome.refused == ""
    assert outcome.case.id == job.id
    digits = outcome.case.check.digits
    assert digits is None or digits >= 20


def test_the_kl_of_best_of_poisson_is_that_of_theorem_two(few):
    with mpmath.workdps(60):
        mu = mpmath.mpf(5)
        kl = mpmath.exp(-mu - 1) * (mpmath.ei(mu + 1) - mpmath.ei(1)) / mu + mpmath.log(1 + mu) - 1
        low, high = few[FEW[0]].case.bounds
        assert low < Fraction(str(kl)) + Fraction(1, 10**50)
        assert high > Fraction(str(kl)) - Fraction(1, 10**50)
        assert high - low < Fraction(1, 10**50)


def test_an_infinite_mean_is_infinite_and_one_that_is_not_is_undefined(few):
    # E[max of 4] of P(R > r) = r^(−7/8) is infinite; Cauchy's mean does not exist.
    assert few[FEW[4]].case.value.infinite == 1
    assert few[FEW[4]].case.binary64 == "inf"
    assert few[FEW[5]].case.value.is_undefined
    # E[e^R] is infinite on Exponential(1).
    assert few[FEW[6]].case.value.is_undefined


def test_thresholds_have_both_neighbours():
    # f(12) = 12/24 − 12/25 = 1/50 = f(13): a tie; by THEORY §6 the other's best is 13.
    candidates, best = compute.outcome(FEW[7]).case.integer
    assert best == (12, 13)
    assert {n for n, _ in candidates} >= {12, 13}
    assert compute.outcome(FEW[8]).case.integer[1] == (13,)


@pytest.mark.parametrize("job", FEW[:4] + FEW[7:], ids=lambda job: job.id)
def test_a_wrong_digit_is_caught(few, job):
    value = few[job].case.value
    if value.fraction is not None:
        wrong = Number.exact(value.fraction * (1 + Fraction(1, 10**19)))
    else:
        digits = len(str(abs(value.mid)))
        wrong = replace(value, mid=value.mid + 10 ** (digits - 19))
    with pytest.raises(cross.Disagreement):
        cross.check(job, wrong, lambda: compute._plans(job))


def test_a_finite_value_for_an_infinite_one_is_caught():
    job = FEW[4]
    with pytest.raises(cross.Disagreement):
        cross.check(job, Number.exact(10**6), lambda: compute._plans(job))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(generate, "jobs", lambda name: jobs(name)[3:40:9])


def test_a_run_goes_on_where_it_stopped(small, tmp_path, monkeypatch):
    whole = generate.generate("kl", tmp_path)
    (cache,) = tmp_path.glob("*.jsonl")
    lines = cache.read_text().splitlines(keepends=True)
    cache.write_text("".join(lines[:2]) + lines[2][:50])  # killed while it wrote the third
    seen = []
    monkeypatch.setattr(
        generate,
        "_batch",
        lambda batch: [(n, seen.append(j.id) or compute.outcome(j)) for n, j in batch],
    )
    again = generate.generate("kl", tmp_path)
    assert again == whole
    assert len(seen) == len(whole.cases) - 2


def test_the_same_table_is_the_same_bytes(small, tmp_path):
    (tmp_path / "a").mkdir()
    first = generate.generate("kl", tmp_path / "a")
    (tmp_path / "b").mkdir()
    second = generate.generate("kl", tmp_path / "b")
    assert first.packed() == second.packed()


def test_two_methods_that_disagree_stop_the_table(small, tmp_path, monkeypatch):
    monkeypatch.setattr(compute, "_value", lambda job: Number.exact(Fraction(1, 7)))
    with pytest.raises(HedgeTheoryError, match="two methods disagree, one has a bug"):
        generate.generate("kl", tmp_path)


def altered(table: tables.ReferenceTable, value: Number) -> tables.ReferenceTable:
    first, *rest = table.cases
    changed = replace(first, value=value, binary64=float(value).hex())
    return replace(table, cases=(changed, *rest))


def test_a_changed_value_needs_an_erratum(small, tmp_path):
    old = generate.generate("kl", tmp_path)
    new = altered(old, Number.exact(Fraction(1, 8)))
    with pytest.raises(InputError, match="say why with --erratum"):
        generate.succeeding(new, old)
    said = generate.succeeding(new, old, "the first one was wrong")
    (erratum,) = said.errata
    assert erratum["changed"] == [old.cases[0].id]
    assert said.previous == erratum["previous"]
    assert generate.succeeding(old, old).previous is None
    fewer = replace(old, cases=old.cases[1:])
    with pytest.raises(InputError, match="1 published values"):
        generate.succeeding(fewer, old)


def test_more_cases_are_no_erratum_and_go_into_the_chain(small, tmp_path):
    new = generate.generate("kl", tmp_path)
    old = replace(new, cases=new.cases[1:])
    assert generate.succeeding(new, old).previous is not None
    assert generate.succeeding(new, old).errata == ()


# -- audit -----------------------------------------------------------------------------------------


def folder_with(table: tables.ReferenceTable, where: Path) -> Path:
    generate.write(table, where)
    (where / INDEX).write_text(index({table.name: index_entry(table)}))
    return where


def test_an_audit_finds_nothing_in_a_sound_folder_and_recomputes(small, tmp_path):
    table = generate.generate("kl", tmp_path)
    found = audit(folder_with(table, tmp_path), recompute=2, seed=3)
    assert found.problems == []
    assert (found.tables, found.cases, found.recomputed) == (1, len(table.cases), 2)
    assert found.schema_checked


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"binary64": (0.75).hex()}, "rounds to"),
        ({"check": replace(compute.outcome(FEW[0]).case.check, digits=19)}, "19 digits only"),
        ({"value": Number.ball(10**9, 1, -9)}, "fewer than 20 digits"),
        ({"tags": ("easy", "easy")}, "non-unique"),
    ],
)
def test_an_audit_says_what_is_wrong_with_a_case(small, tmp_path, changes, says):
    table = generate.generate("kl", tmp_path)
    first, *rest = table.cases
    found = audit(folder_with(replace(table, cases=(replace(first, **changes), *rest)), tmp_path))
    assert any(says in line for line in found.problems)


def test_an_audit_evaluates_anew(small, tmp_path):
    table = altered(generate.generate("kl", tmp_path), Number.exact(Fraction(1, 8)))
    found = audit(folder_with(table, tmp_path), recompute=100)
    assert [line for line in found.problems if "evaluated anew" in line]


def test_a_case_that_comes_twice_and_an_index_of_another_table_are_found(small, tmp_path):
    table = generate.generate("kl", tmp_path)
    folder_with(table, tmp_path)
    generate.write(replace(table, cases=(*table.cases, table.cases[0])), tmp_path)
    problems = audit(tmp_path).problems
    assert any("comes twice" in line for line in problems)
    assert "index.json does not agree with kl" in problems


def test_a_changed_digit_in_a_file_is_refused_by_its_checksum(small, tmp_path):
    import gzip

    path = generate.write(generate.generate("kl", tmp_path), tmp_path)
    text = gzip.decompress(path.read_bytes()).decode()
    place = text.index('"mid":"') + 12
    wrong = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    path.write_bytes(gzip.compress(wrong.encode()))
    with pytest.raises(InputError, match="checksums do not agree"):
        tables.read(path)
