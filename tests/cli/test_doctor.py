"""`doctor` says that all is well only where it is."""

from __future__ import annotations

from hedgetheory.cli import doctor


def test_all_is_well_here(cli):
    done = cli("doctor", "--json")
    assert done.code == 0
    assert done.document["ok"] is True
    assert set(done.document) == {"schema", "version", "command", "versions", "checks", "ok"}
    assert len(done.document["checks"]) == len(doctor.CASES) + len(doctor.CHECKSUMS)
    assert {"python", "numpy", "sympy", "python-flint"} <= set(done.document["versions"])


def test_an_evaluator_that_is_wrong_is_found(cli, monkeypatch):
    from hedgetheory.functionals import estimates

    right = estimates.float64
    monkeypatch.setattr(estimates, "float64", lambda plan: right(plan) * (1 + 1e-8))
    done = cli("doctor", "--json")
    assert done.code == 1
    details = {check["detail"] for check in done.document["checks"] if not check["ok"]}
    assert details == {"disagree: float64"}


def test_an_evaluator_that_fails_is_found(cli, monkeypatch):
    from hedgetheory.functionals import estimates

    def fails(_plan, _digits):
        raise ZeroDivisionError("no")

    monkeypatch.setattr(estimates, "highprec", fails)
    done = cli("doctor")
    assert done.code == 1
    assert "ZeroDivisionError: no" in done.out


def test_a_changed_table_is_found(cli, monkeypatch):
    monkeypatch.setitem(doctor.CHECKSUMS, "ridge_overfit", "0" * 64)
    done = cli("doctor", "--json")
    assert done.code == 1
    assert [check["check"] for check in done.document["checks"] if not check["ok"]] == [
        "packaged table ridge_overfit"
    ]


def test_every_packaged_table_has_a_checksum():
    from hedgetheory.hedgetune.table import packaged_tables

    assert sorted(doctor.CHECKSUMS) == packaged_tables()
