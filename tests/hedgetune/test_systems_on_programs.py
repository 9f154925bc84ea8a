"""The recorded study of the related systems on real tables, and cheap rows of it made again."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from tune_support import DATA

ROOT = Path(__file__).resolve().parents[2]
here = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not in this checkout")


@pytest.fixture(scope="module")
def study():
    path = ROOT / "experiments" / "systems_on_programs.py"
    spec = importlib.util.spec_from_file_location("systems_on_programs", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def record():
    return json.loads((ROOT / "experiments/systems_on_programs.json").read_text(encoding="utf-8"))


def best_of_n(prompts: np.ndarray, proxy: np.ndarray, gold: np.ndarray, n: int) -> float:
    """Mean over prompts of the mean over all n-subsets, by counting subsets below each score."""
    values = []
    for prompt in np.unique(prompts):
        scores, truth = proxy[prompts == prompt], gold[prompts == prompt]
        total = 0.0
        for score in np.unique(scores):
            below, upto = int((scores < score).sum()), int((scores <= score).sum())
            chance = (math.comb(upto, n) - math.comb(below, n)) / math.comb(len(scores), n)
            total += chance * float(truth[scores == score].mean())
        values.append(total)
    return sum(values) / len(values)


def test_the_record_has_every_row_and_the_page_is_made_from_it(study, record):
    assert [row["id"] for row in record["rows"]] == [plan.id for plan in study.plans()]
    assert study.page(record) == study.PAGE.read_text(encoding="utf-8")


def test_a_shape_leaves_best_of_n_unless_rounding_ties_it(record):
    rows = [r for r in record["rows"] if r["system"] == "par" and r["family"] == "bon"]
    plain, *bent, saturated = rows
    for row in bent:
        assert row["warnings"] == plain["warnings"]
        for field in ("theta", "threshold", "threshold_interval", "value", "kl"):
            assert row[field] == plain[field]
    assert any("they are ties now" in text for text in saturated["warnings"])
    assert saturated["theta"] != plain["theta"]


@here
def test_a_row_of_an_ensemble_is_what_counting_subsets_gives(study, record):
    wanted = next(r for r in record["rows"] if "min of 3 test shares" in r["id"])
    table = study.columns(DATA / study.CODET)
    lowest = np.minimum.reduce([table[name] for name in study.SHARES])
    value = best_of_n(table["prompt_id"], lowest, table["true"], wanted["theta"])
    assert value == pytest.approx(wanted["value"], rel=1e-12)


@here
@pytest.mark.parametrize("part", ["min of 9 reward models", "proxy_gpt4, bon"])
def test_a_recorded_row_is_made_again(study, record, part):
    wanted = next(r for r in record["rows"] if part in r["id"])
    plan = next(p for p in study.plans() if p.id == wanted["id"])
    found = json.loads(json.dumps(study.measure(plan)))
    for key, value in wanted.items():
        if isinstance(value, float):
            assert found[key] == pytest.approx(value, rel=1e-9)
        elif key not in ("threshold_interval", "regret_interval"):
            assert found[key] == value
