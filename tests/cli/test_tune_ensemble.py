"""``tune --ensemble`` and ``--shape`` on the command line."""

from __future__ import annotations

import pytest

ROWS = ["prompt_id,a,b,true", "x,1,2,0", "x,2,4,1", "x,3,1,1", "y,1,2,0", "y,2,5,1", "y,3,1,0"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(ROWS) + "\n")
    return str(path)


def test_several_proxies_become_one(cli, table):
    # means 1.5, 3, 2 and 1.5, 3.5, 2: the best of all is the second of each prompt, with gold 1.
    done = cli("tune", table, "--proxy", "a,b", "--ensemble", "mean", "--json")
    assert done.code == 0
    found = done.document
    assert found["proxy"] == "a,b"
    assert found["ensemble"] == {"how": "mean", "weight": 1.0, "members": ["a", "b"]}
    assert [point["value"] for point in found["curve"]] == pytest.approx([1 / 2, 5 / 6, 1])


def test_without_an_ensemble_the_fields_are_null(cli, table):
    found = cli("tune", table, "--proxy", "a", "--json").document
    assert (found["ensemble"], found["shape"], found["proxy"]) == (None, None, "a")


def test_the_weight_and_ddof_are_those_asked_for(cli, table):
    def curve(how, weight):
        arguments = ("--proxy", "a,b", "--ensemble", how, "--ensemble-weight", weight)
        return [p["value"] for p in cli("tune", table, *arguments, "--json").document["curve"]]

    # Two members: mean − std (ddof 0) is the min, 1 2 1 and 1 2 1: the second is best.
    assert curve("mean_minus_std_ddof0", "1")[-1] == 1
    # ddof 1 takes √2 times as much: 0.79, 1.59, 0.59 and 0.79, 1.38, 0.59.
    assert curve("mean_minus_std_ddof1", "1")[-1] == 1
    # Much weight: the least spread is best, 1 2 2 and 1 3 2, so the first, with gold 0.
    assert curve("mean_minus_var_ddof1", "10")[-1] == 0


def test_a_shape_is_shown_and_its_ties_are_told(cli, table):
    # tanh(24) and tanh(36) are 1 in float64.
    found = cli("tune", table, "--proxy", "a", "--shape", "tanh(12*r)", "--json").document
    assert found["shape"] == "tanh(12*r)"
    assert any("joins 1 pairs" in text for text in found["warnings"])
    plain = cli("tune", table, "--proxy", "a", "--shape", "tanh(r/2)", "--json").document
    assert plain["curve"] == cli("tune", table, "--proxy", "a", "--json").document["curve"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--proxy", "a", "--shape", "-r"), "decreases from r = 1 to 2"),
        (("--proxy", "a,b", "--ensemble", "sum"), "ensemble='sum'"),
        (("--proxy", "a", "--ensemble", "mean"), "two proxies or more"),
        (("--proxy", "a,b", "--ensemble", "mean", "--large"), "--ensemble needs the table in mem"),
        (("--proxy", "a", "--shape", "2*r", "--large"), "--shape needs the table in memory"),
        (("--proxy", "a", "--ensemble-weight", "2", "--large"), "--ensemble-weight needs"),
        (("--proxy", "a", "--ensemble-weight", "2"), "without an ensemble"),
    ],
)
def test_bad_requests_are_one_line(cli, table, arguments, says):
    done = cli("tune", table, *arguments)
    assert done.is_refusal()
    assert says in done.err
