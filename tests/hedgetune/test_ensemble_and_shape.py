"""Ensembles of proxies and shaped proxies: the exact definition in float64, by every way in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy

from hedgetheory import tune
from hedgetheory.designs.ensembles.aggregators import AGGREGATORS as EXACT
from hedgetheory.designs.ensembles.aggregators import aggregate
from hedgetheory.errors import InputError
from hedgetheory.hedgetune.estimator import HedgeTune
from hedgetheory.hedgetune.members import AGGREGATORS, Ensemble
from hedgetheory.hedgetune.shaping import shaped
from hedgetheory.hedgetune.table import Table, read_table


def rounded(how: str, rewards: np.ndarray, weight: float) -> float:
    """The exact aggregator of the float64 rewards, correctly rounded."""
    found = aggregate([Fraction(float(x)) for x in rewards], how, Fraction(weight))
    if found.is_Rational:
        return float(Fraction(int(found.p), int(found.q)))
    return float(sympy.N(found, 60))


def hard_members(rng: np.random.Generator, k: int) -> np.ndarray:
    """Columns that are plain, tied, nearly equal, far apart in size, huge and tiny."""
    plain = rng.standard_normal((k, 4))
    tied = rng.integers(1, 6, (k, 4)).astype(float)
    near = 1e9 + rng.standard_normal((k, 3)) * 1e-3
    apart = rng.standard_normal((k, 2)) * 10.0 ** rng.integers(-8, 8, (k, 2))
    return np.hstack([plain, tied, near, apart, plain[:, :1] * 1e140, plain[:, :1] * 1e-140])


def test_the_names_are_those_of_the_exact_definition():
    assert tuple(EXACT) == AGGREGATORS


@pytest.mark.parametrize("how", AGGREGATORS)
@pytest.mark.parametrize("k", [2, 3, 7])
def test_an_ensemble_is_the_exact_aggregator_rounded_once(how, k):
    weight = 0.3 if how.startswith("mean_minus") else 1.0
    members = hard_members(np.random.default_rng(k), k)
    wanted = [rounded(how, column, weight) for column in members.T]
    assert Ensemble(how, weight).of(members).tolist() == wanted


@pytest.mark.parametrize("std", [True, False])
def test_the_other_ddof_is_another_number(std):
    """The mutant: a swapped ddof cannot pass the test above."""
    kind = "std" if std else "var"
    one = [Ensemble(f"mean_minus_{kind}_ddof{d}").of([[1.0], [2.0], [4.0]])[0] for d in (0, 1)]
    spread = [(Fraction(14, 9)), Fraction(7, 3)]  # Σ (r − 7/3)² = 14/3, over 3 and over 2
    wanted = [7 / 3 - (float(v) ** 0.5 if std else float(v)) for v in spread]
    assert one == pytest.approx(wanted, rel=1e-15)
    assert one[0] > one[1]


def test_ensembles_that_are_equal_stay_tied():
    # {0, 4, 5} and {1, 2, 6}: sum 9 and sum of squares 41 both, and any order of them.
    members = np.array([[0, 4, 5], [5, 0, 4], [1, 2, 6], [6, 1, 2]], float).T / 8
    for how in ("mean", "mean_minus_std_ddof0", "mean_minus_std_ddof1", "mean_minus_var_ddof1"):
        assert len(set(Ensemble(how).of(members).tolist())) == 1


def test_an_ensemble_can_prefer_a_dominated_response():
    """t > 3/(2c): the mean less c variances prefers (0, 0, 0) to (0, 0, t)."""
    scores = Ensemble("mean_minus_var_ddof0").of([[0, 0], [0, 0], [0, 1.6]])
    assert scores[0] > scores[1]


FRAME = {
    "prompt_id": ["x", "x", "x", "y", "y", "y", "y"],
    "a": [1.0, 2, 3, 1, 2, 3, 9],
    "b": [2.0, 4, 1, 2, 5, 1, None],
    "true": [0, 1, 1, 0, 1, 0, 1],
}


def as_file(folder: Path) -> Path:
    lines = [",".join(FRAME)]
    for row in zip(*FRAME.values(), strict=True):
        lines.append(",".join("" if cell is None else str(cell) for cell in row))
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_files_and_frames_give_the_ensemble_of_the_complete_responses(tmp_path):
    ensemble = Ensemble("mean")
    read = read_table(as_file(tmp_path), proxy=["a", "b"], ensemble=ensemble, drop_invalid=True)
    frame = Table.from_frame(FRAME, proxy=["a", "b"], ensemble=ensemble, drop_invalid=True)
    assert sorted(read.proxy[:3]) == sorted(frame.proxy[:3]) == [1.5, 2.0, 3.0]
    assert sorted(read.proxy[3:]) == sorted(frame.proxy[3:]) == [1.5, 2.0, 3.5]
    assert read.dropped == frame.dropped == 1
    assert read.sizes.tolist() == frame.sizes.tolist() == [3, 3]


def test_a_missing_member_is_refused_by_its_column(tmp_path):
    for source in (as_file(tmp_path), FRAME):
        with pytest.raises(InputError, match=r"row 7, column 'b'"):
            tune(source, proxy=["a", "b"], ensemble="min")


def test_the_ensemble_of_a_table_is_tuned_as_its_column_would_be():
    rng = np.random.default_rng(1)
    a, b, gold = rng.standard_normal((3, 200))
    frame = {"prompt_id": np.repeat(np.arange(20), 10), "a": a, "b": b, "true": gold + a}
    joined = tune(frame, proxy=["b", "a"], ensemble="min", resamples=50)
    alone = tune(frame | {"c": np.minimum(a, b)}, proxy="c", resamples=50)
    assert joined.curve == alone.curve
    assert joined.theta_interval == alone.theta_interval
    assert joined.ensemble == {"how": "min", "weight": 1.0, "members": ["b", "a"]}
    assert (alone.ensemble, alone.shape) == (None, None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"proxy": ["a", "b"]}, "needs an ensemble"),
        ({"proxy": "a", "ensemble": "mean"}, "two proxies or more"),
        ({"proxy": ["a", "a"], "ensemble": "mean"}, "twice"),
        ({"proxy": ["a", "b"], "ensemble": "mena"}, "ensemble='mena'"),
        ({"proxy": ["a", "b"], "ensemble": "mean", "ensemble_weight": 2.0}, "which mean has not"),
        ({"proxy": ["a", "b"], "ensemble": "mean_minus_std_ddof0", "ensemble_weight": -1}, ">= 0"),
        ({"proxy": ["a", "b"], "ensemble": "mean_minus_std_ddof0", "ensemble_weight": "x"}, ">= 0"),
        ({"proxy": "a", "ensemble_weight": 2.0}, "without an ensemble"),
        ({"proxy": ["a", "z"], "ensemble": "mean"}, "no column 'z'"),
    ],
)  # fmt: skip
def test_what_is_no_ensemble_is_refused(options, says):
    with pytest.raises(InputError, match=says) as caught:
        tune(FRAME, drop_invalid=True, **options)
    assert "\n" not in str(caught.value)


def test_an_ensemble_beyond_float64_is_refused():
    with pytest.raises(InputError, match="overflows"):
        Ensemble("mean_minus_var_ddof1").of([[1e200], [-1e200]])
    assert Ensemble("mean").of([[1.7e308], [1.7e308]]).tolist() == [1.7e308]


def test_a_table_has_one_proxy():
    table = Table.from_arrays([0, 0], [1, 2], [0, 1])
    with pytest.raises(InputError, match="a Table has one proxy"):
        tune(table, proxy=["a", "b"], ensemble="mean")


# --- shaped proxies -------------------------------------------------------------------------------


def a_table(proxy: list[float]) -> Table:
    return Table.from_arrays([0] * len(proxy), proxy, [k % 2 for k in range(len(proxy))])


@pytest.mark.parametrize("shape", ["tanh(r/2)", "2*r - 7"])
def test_a_rank_policy_does_not_see_a_shape_and_the_tilt_does(shape):
    plain = tune("ridge_overfit", resamples=20)
    bent = tune("ridge_overfit", resamples=20, shape=shape)
    assert bent.curve == plain.curve
    assert bent.theta_interval == plain.theta_interval
    assert bent.shape == shape
    tilts = [tune("ridge_overfit", "tilt", resamples=0, shape=s) for s in (None, shape)]
    assert tilts[0].theta != pytest.approx(tilts[1].theta, rel=1e-3)


def test_a_shape_is_evaluated_by_its_formula():
    new, notes = shaped(a_table([0.5, -1, 2]), "tanh(r/2)")
    assert new.proxy == pytest.approx(np.tanh([0.25, -0.5, 1]), rel=1e-15)
    assert notes == []


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("-r", "decreases from r = 0 to 1"),
        ("(r - 2)**2", "decreases from r = 0 to 1"),
        ("min(r, 1)", "not shown to increase from r = 1 to 2"),
        ("log(r)", "no finite value at r = 0"),
        ("u", "unknown name u"),
        ("3", "must be a formula in r"),
        ("__import__('os')", "shape"),
    ],
)
def test_what_does_not_increase_is_refused(shape, says):
    """The mutants among shapes: a decreasing one, one that turns, one that is flat."""
    with pytest.raises(InputError, match=says.replace("(", r"\(")) as caught:
        shaped(a_table([0, 1, 2, 3, 4]), shape)
    assert "\n" not in str(caught.value)


def test_ties_that_rounding_makes_are_told_and_change_best_of_n():
    table = a_table([0, 1, 40, 50, 60])
    new, notes = shaped(table, "1/(1 + exp(-r))")
    assert new.proxy[2:].tolist() == [1.0, 1.0, 1.0]
    assert len(notes) == 1
    assert "joins 2 pairs" in notes[0]
    assert tune(table).curve != tune(table, shape="1/(1 + exp(-r))").curve


def test_a_wrong_order_by_rounding_is_joined_where_balls_show_the_increase():
    # e^r/(1 + e^r) near 1: float64 goes up and down by its last place.
    proxy = [34 + k / 100 for k in range(300)]
    with np.errstate(over="ignore"):
        plain = np.exp(proxy) / (1 + np.exp(proxy))
    assert (np.diff(plain) < 0).any()
    new, notes = shaped(a_table(proxy), "exp(r)/(1+exp(r))")
    assert (np.diff(new.proxy) >= 0).all()
    assert "ties" in notes[0]


def test_a_steep_shape_is_decided_in_time():
    new, _ = shaped(a_table([k / 1000 for k in range(1000)]), "1/(1+exp(-1000*(r-1/2)))")
    assert (np.diff(new.proxy) >= 0).all()


def test_hedgetune_takes_a_shape():
    model = HedgeTune("tilt", resamples=0, shape="r**3")
    fitted = model.fit("ridge_overfit")
    assert fitted.theta_ == tune("ridge_overfit", "tilt", resamples=0, shape="r**3").theta
    assert repr(model) == "HedgeTune(family='tilt', resamples=0, shape='r**3')"
