"""Each command's document has exactly the contract's fields, and the right exit code."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

import hedgetheory
from hedgetheory.cli.value import family_of

COMMON = {"schema", "version", "command"}
HYPOTHESES = ["mlr", "kernel_tp2", "score_monotone", "gold_sign_changes"]
HYPOTHESES += ["kl_increasing", "proxy_increasing"]
UNIFORM_BON = ("--law", "uniform", "--policy", "bon(4)")
VALUE_FIELDS = {"law", "policy", "quantity", "gold", "at", "order", "wrt", "digits", "number"}
CHECK_FIELDS = {"law", "family", "gold", "digits", "regime", "extrema", "ends", "best"}
CHECK_FIELDS |= {"complete", "hacking", "hypotheses"}


def assert_common(document, command):
    assert document["schema"] == f"hedgetheory/{command}/1"
    assert document["version"] == hedgetheory.__version__
    assert document["command"] == command


def test_value_has_the_fields_of_the_contract(cli):
    done = cli("value", *UNIFORM_BON, "--quantity", "kl", "--digits", "20", "--json")
    assert done.code == 0
    assert done.err == ""
    assert_common(done.document, "value")
    assert set(done.document) == COMMON | VALUE_FIELDS
    assert set(done.document["number"]) == {"decimal", "rad", "guarantee"}
    # ln 4 - 3/4 = 0.63629436111989061883... (arXiv 2506.19248, section 2; ln 4 from DLMF 4.2)
    assert done.document["number"]["decimal"] == "0.63629436111989061883"
    assert float(done.document["number"]["rad"]) <= 1e-20


def test_an_exact_rational_says_so(cli):
    number = cli("value", *UNIFORM_BON, "--quantity", "win_rate", "--json").document["number"]
    assert number == {
        "decimal": "0.800000000000000",
        "rad": "0",
        "guarantee": "exact",
        "rational": "4/5",
    }


def test_an_infinite_value_is_exact(cli):
    done = cli("value", "--law", "uniform", "--policy", "best_of_random(sibuya(1/2))",
               "--quantity", "expected_draws", "--json")  # fmt: skip
    assert done.code == 0
    assert done.document["number"] == {"decimal": "inf", "rad": "0", "guarantee": "exact"}


def test_an_undefined_value_is_null_with_a_reason(cli):
    done = cli("value", "--law", "bernoulli(1/2)", "--policy", "bon(2)", "--quantity", "density",
               "--at", "1", "--json")  # fmt: skip
    assert done.code == 0
    assert done.document["number"] is None
    assert set(done.document) == COMMON | VALUE_FIELDS | {"reason"}
    assert "mass" in done.document["reason"]


@pytest.mark.parametrize("at", ["-1.5", "-3/2", "u=0.3"])
def test_at_takes_negative_numbers_and_quantiles(cli, at):
    done = cli("value", "--law", "normal", "--policy", "bon(4)", "--quantity", "density",
               "--at", at, "--json")  # fmt: skip
    assert done.code == 0
    assert done.document["at"] == at


def test_decimals_are_exact_not_floats(cli):
    done = cli("value", "--law", "uniform", "--policy", "bon(7.3)", "--quantity", "win_rate",
               "--json")  # fmt: skip
    assert done.document["number"]["rational"] == "73/83"


@pytest.mark.parametrize("policy", ["bon", "bon(3)"])
def test_threshold_takes_a_family_or_a_member_of_it(cli, policy):
    done = cli("value", "--law", "uniform", "--policy", policy, "--quantity", "threshold",
               "--gold", "u**12*(1 - u)", "--json")  # fmt: skip
    assert done.code == 0
    assert done.document["policy"] == "bon"
    # sqrt(156): paper, the example after Definition 1
    assert math.isclose(float(done.document["number"]["decimal"]), math.sqrt(156), rel_tol=1e-14)


@pytest.mark.parametrize(
    ("policy", "family"),
    [
        ("bop(3)", "bop"),
        ("best_of_random(ztp(3))", "best_of_random(ztp)"),
        ("best_of_random(binomial(m=3))", "best_of_random(binomial(m=3))"),
    ],
)
def test_the_family_of_a_member_leaves_its_parameter_free(policy, family):
    assert str(family_of(policy)) == family


def test_derive_has_the_fields_of_the_contract(cli):
    done = cli("derive", "--law", "uniform", "--family", "bon", "--quantity", "kl", "--json")
    assert done.code == 0
    assert_common(done.document, "derive")
    fields = {"law", "family", "quantity", "formula", "latex", "where", "proof"}
    assert set(done.document) == COMMON | fields
    assert set(done.document["proof"]) == {"statement", "holds", "steps", "rests_on"}
    assert done.document["proof"]["holds"] is True
    assert done.document["proof"]["steps"]


def test_derive_prints_latex_on_request(cli):
    plain = cli("derive", "--law", "uniform", "--family", "tilt", "--quantity", "chi2")
    latex = cli("derive", "--law", "uniform", "--family", "tilt", "--quantity", "chi2", "--latex")
    assert r"\lambda" in latex.out.splitlines()[0]
    assert r"\lambda" not in plain.out.splitlines()[0]


def test_gap_has_the_fields_of_the_contract(cli):
    done = cli("gap", "--law", "uniform", "--at", "4", "--digits", "12", "--json")
    assert done.code == 0
    assert_common(done.document, "gap")
    assert set(done.document) == COMMON | {"law", "policy", "at", "digits", "number", "lam", "mean"}
    assert 0 < float(done.document["number"]["decimal"]) < 8e-4


@pytest.mark.parametrize(
    ("law", "verdict"),
    [("uniform", "attained"), ("bernoulli(1/3)", "zero"), ("exponential", "unbounded")],
)
def test_the_supremum_of_the_gap_has_the_fields_of_the_contract(cli, law, verdict):
    done = cli("gap", "--law", law, "--sup", "--digits", "6", "--json")
    assert done.code == 0
    assert_common(done.document, "gap")
    own = {"law", "family", "digits", "sup", "argmax", "verdict", "why"}
    assert set(done.document) == COMMON | own
    assert done.document["verdict"] == verdict
    assert (done.document["argmax"] is not None) == (verdict == "attained")
    if verdict == "unbounded":
        assert done.document["sup"] == {"decimal": "inf", "rad": "0", "guarantee": "exact"}


def test_check_has_the_fields_of_the_contract(cli):
    done = cli("check", "--law", "uniform", "--family", "bon", "--gold", "u**12*(1 - u)", "--json")
    assert done.code == 0
    assert_common(done.document, "check")
    assert set(done.document) == COMMON | CHECK_FIELDS | {"integer"}
    assert done.document["regime"] == "peak"
    assert [set(e) for e in done.document["extrema"]] == [{"theta", "value", "kind"}]
    assert [set(e) for e in done.document["ends"]] == [{"theta", "value", "attained"}] * 2
    assert set(done.document["best"]) == {"theta", "value"}
    assert done.document["integer"]["best"] == [12, 13]
    assert all(set(c) == {"n", "value"} for c in done.document["integer"]["candidates"])
    assert {"verdict", "domain"} <= set(done.document["complete"])
    assert {"verdict", "threshold"} <= set(done.document["hacking"])
    assert [h["id"] for h in done.document["hypotheses"]] == HYPOTHESES
    assert all(set(h) == {"id", "verdict", "witness"} for h in done.document["hypotheses"])


def test_check_has_no_integer_field_beyond_bon(cli):
    done = cli("check", "--law", "uniform", "--family", "bop", "--gold", "u", "--json")
    assert done.code == 0
    assert set(done.document) == COMMON | CHECK_FIELDS


def test_an_undecided_regime_is_exit_3_with_its_document(cli, monkeypatch):
    from hedgetheory.analysis import check as module

    right = module.check

    def undecided(*given, **more):
        return replace(right(*given, **more), regime="undecided")

    monkeypatch.setattr(module, "check", undecided)
    done = cli("check", "--law", "uniform", "--family", "bon", "--gold", "u", "--json")
    assert done.document["regime"] == "undecided"
    assert done.code == 3


def test_an_undecided_threshold_is_exit_3(cli, monkeypatch):
    from hedgetheory.analysis import check as module

    right = module.check

    def undecided(*given, **more):
        return replace(right(*given, **more), hacking="undecided")

    monkeypatch.setattr(module, "check", undecided)
    done = cli("value", "--law", "uniform", "--policy", "bon", "--quantity", "threshold",
               "--gold", "u", "--json")  # fmt: skip
    assert done.is_refusal(3)


def test_a_threshold_that_is_not_there_is_null_with_a_reason(cli):
    done = cli("value", "--law", "uniform", "--policy", "bon", "--quantity", "threshold",
               "--gold", "u", "--json")  # fmt: skip
    assert done.code == 0
    assert done.document["number"] is None
    assert "increases" in done.document["reason"]


def test_tune_has_the_fields_of_the_contract(cli):
    done = cli("tune", "ridge_overfit", "--resamples", "20", "--json")
    assert done.code == 0
    assert done.err == ""
    assert_common(done.document, "tune")
    fields = {"family", "theta", "theta_interval", "value", "value_heldout", "regime"}
    fields |= {"regime_support", "n_prompts", "n_responses", "dropped", "curve", "warnings"}
    assert COMMON | {"table"} | fields <= set(done.document)
    assert isinstance(done.document["theta"], int)
    assert {"theta", "value", "se"} <= set(done.document["curve"][0])
    assert [point["theta"] for point in done.document["curve"]] == list(range(1, 65))


def test_verify_has_the_fields_of_the_contract(cli):
    done = cli("verify", "--only", "theorem-2", "--json")
    assert done.code == 0
    assert done.err == ""
    assert_common(done.document, "verify")
    assert set(done.document) == COMMON | {"claims"}
    (claim,) = done.document["claims"]
    fields = {"id", "title", "statement", "hypotheses", "source", "expected", "verdict"}
    assert set(claim) == fields | {"evidence"}


def _ledger(monkeypatch, expected, holds):
    from hedgetheory import ledger
    from hedgetheory.claims.model import Claim, Evidence

    step = Evidence("proved", "a step", "the test", holds)
    claim = Claim("test.claim", "A claim", "Something", (), "tests", expected, lambda: [step])
    monkeypatch.setattr(ledger, "LEDGER", (claim,))


@pytest.mark.parametrize(
    ("expected", "holds", "code"),
    [("proved", True, 0), ("refuted", True, 1), ("proved", False, 3)],
)
def test_verify_exits_by_its_worst_verdict(cli, monkeypatch, expected, holds, code):
    _ledger(monkeypatch, expected, holds)
    done = cli("verify", "--json")
    assert done.code == code
    assert len(done.document["claims"]) == 1


@pytest.mark.parametrize(
    "kind", ["laws", "policies", "families", "quantities", "claims", "designs", "tables"]
)
def test_list_has_items_with_names(cli, kind):
    done = cli("list", kind, "--json")
    assert done.code == 0
    assert_common(done.document, "list")
    assert set(done.document) == COMMON | {"kind", "items"}
    assert all(item["name"] for item in done.document["items"])


QUANTITIES = {"density", "ratio", "mass", "cdf", "quantile", "score", "kl", "chi2", "renyi"}
QUANTITIES |= {"total_variation", "mean_reward", "mean_quantile", "win_rate", "gold"}
QUANTITIES |= {"expected_draws", "threshold"}


def test_list_quantities_is_the_contracts_list(cli):
    names = [item["name"] for item in cli("list", "quantities", "--json").document["items"]]
    assert len(names) == len(QUANTITIES)
    assert set(names) == QUANTITIES


@pytest.mark.parametrize("kind", ["laws", "policies", "families"])
def test_every_listed_name_is_accepted_by_the_grammar(cli, kind):
    from hedgetheory.spec.grammar import parse_family
    from hedgetheory.spec.registry import lookup

    for item in cli("list", kind, "--json").document["items"]:
        if kind == "families":
            if "=..." not in item["name"]:
                text = str(parse_family(item["name"]))  # defaults are said
                assert str(parse_family(text)) == text
                assert text.startswith(item["name"].rstrip(")"))
        else:
            assert lookup("law" if kind == "laws" else "policy", item["name"]).load()


def test_people_get_the_same_answer_as_scripts(cli):
    spoken = cli("value", *UNIFORM_BON, "--quantity", "kl")
    number = cli("value", *UNIFORM_BON, "--quantity", "kl", "--json").document["number"]
    assert f"{number['decimal']} ± {number['rad']} certified" in spoken.out


def test_json_is_one_document_and_plain_ascii(cli):
    done = cli("check", "--law", "uniform", "--family", "bon", "--gold", "u*(1 - u)", "--json")
    json.loads(done.out)
    assert done.out.isascii()
    assert done.out.endswith("}\n")
