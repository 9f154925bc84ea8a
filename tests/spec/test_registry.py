"""The registry says what the classes take, without importing them."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from hedgetheory.errors import InputError
from hedgetheory.spec.grammar import parse_family, parse_law
from hedgetheory.spec.registry import REGISTRY, Entry, families, items, lookup

ENTRIES = [entry for kind in REGISTRY.values() for entry in kind.values()]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.target)
def test_an_entry_says_what_its_class_takes(entry: Entry) -> None:
    constructor = entry.load()
    assert getattr(constructor, "name", constructor.__name__) == entry.name
    assert list(inspect.signature(constructor).parameters) == [p.name for p in entry.parameters]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.target)
def test_an_entry_is_described_on_one_line(entry: Entry) -> None:
    assert entry.summary.isprintable()
    assert entry.domain.isascii()


def test_bare_names_of_laws_with_defaults_are_standard() -> None:
    assert parse_law("normal") == parse_law("normal(0, 1)")
    assert parse_law("exponential") == parse_law("exponential(1)")


def test_every_family_form_with_nothing_to_fix_is_read() -> None:
    forms = [item["form"] for item in families() if "..." not in item["form"]]
    assert {"bon", "bop", "quantile_tilt", "tilt", "best_of_random(geometric)"} <= set(forms)
    for form in forms:
        # The canonical name says the defaults too, as in grpo(scale=reward).
        name = parse_family(form).name
        assert name == form or (name.startswith(f"{form}(") and parse_family(name).name == name)


def test_every_family_form_is_read_once_the_rest_is_fixed() -> None:
    for item in families():
        # Fixed values: p in (0, 1), and a number of draws of at least one.
        value = "1/2" if item["free"] == "m" or "p=" in item["form"] else "3"
        assert parse_family(item["form"].replace("...", value)).symbol is not None


def test_an_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"unknown policy quantile_tlt: did you mean quantile_tilt"
    ):
        lookup("policy", "quantile_tlt")


def test_items_say_name_signature_and_domain() -> None:
    item = {entry["name"]: entry for entry in items("law")}["normal"]
    assert item["signature"] == "normal(mean=0, sd=1)"
    assert item["domain"] == "sd > 0"


def test_listing_imports_neither_sympy_nor_a_law() -> None:
    code = (
        "import sys; import hedgetheory.spec.grammar as g, hedgetheory.spec.registry as r;"
        "r.items('law'); r.families(); g.parse_spec('normal(0, 1)', 'law');"
        "heavy = {'sympy', 'mpmath', 'flint', 'numpy', 'hedgetheory.laws.normal'};"
        "heavy &= set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
