"""The pages of the documentation: Python examples give what they show, links lead on."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"made", "_build"} & {*path.parts})


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_python_examples_print_what_is_shown(page):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, None, None)
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_links_to_claims_are_to_claims_of_the_ledger(page):
    from hedgetheory.ledger import LEDGER

    known = {f"claim-{claim.id.replace('.', '-')}" for claim in LEDGER}
    asked = set(re.findall(r"\]\(#(claim-[a-z0-9-]+)\)", page.read_text("utf-8")))
    assert asked <= known


def test_links_between_files_lead_somewhere():
    for page in (*PAGES, DOCS.parent / "README.md"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "made/" not in target:  # written by the build, which checks those
                assert (page.parent / target).exists(), f"{page.name}: {target}"
