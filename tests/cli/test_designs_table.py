"""The one table of the related systems."""

from __future__ import annotations

import json

from hedgetheory.designs.systems import SYSTEMS


def test_every_system_has_claims_an_effect_functions_and_reference_cases_in_json(cli):
    document = json.loads(cli("list", "designs", "--json").out)
    items = {item["name"]: item for item in document["items"]}
    assert list(items) == [system.id for system in SYSTEMS]
    for system in SYSTEMS:
        item = items[system.id]
        assert item["reference_cases"] > 0
        assert item["threshold_claim"] in item["proved"] + item["refuted"] + item["other"]
        assert [f["name"] for f in item["functions"]] == [f.name for f in system.functions]
        assert len(item["proved"] + item["refuted"] + item["other"]) == len(system.claims)


def test_people_see_counts_and_the_effect(cli):
    header, *rows = cli("list", "designs").out.splitlines()
    assert " ".join(header.split()) == (
        "name kind proved refuted effect on the threshold reference cases"
    )
    assert len(rows) == len(SYSTEMS)


def test_the_markdown_has_as_many_cells_in_every_row(cli):
    lines = cli("list", "designs", "--markdown").out.splitlines()
    cells = {line.replace("\\|", "").count("|") for line in lines}
    assert (len(lines), len(cells)) == (len(SYSTEMS) + 2, 1)


def test_only_designs_are_written_in_markdown(cli):
    done = cli("list", "laws", "--markdown")
    assert (done.code, done.out) == (2, "")
    assert "--markdown is for list designs" in done.err
