"""``figure``: the paper's two figures, their data in JSON, a file drawn whole or not at all."""

from __future__ import annotations

import json

import pytest

from hedgetheory.analysis.frontier import frontier
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.laws.uniform import Uniform
from hedgetheory.spec.grammar import parse_gold


def test_the_gap_curve_has_its_asymptotes_and_its_peak(cli, tmp_path):
    target = tmp_path / "gap.svg"
    done = cli("figure", "gap", "--points", "30", "--plot", str(target), "--json")
    assert done.code == 0
    (curve,) = json.loads(done.out)["curves"]
    first, last = curve["points"][0], curve["points"][-1]
    assert first[2] == pytest.approx(first[0] ** 4 / 1440, rel=0.05)
    assert last[2] == pytest.approx(1 / (2 * last[0] ** 4), rel=0.05)
    assert 6.5e-4 < max(y for _, _, y in curve["points"]) < 6.7508e-4
    assert target.read_bytes().startswith(b"<?xml")
    assert [path.name for path in tmp_path.iterdir()] == ["gap.svg"]


def test_the_same_figure_has_the_same_bytes(cli, tmp_path):
    names = [tmp_path / "a.png", tmp_path / "b.png"]
    for name in names:
        assert cli("figure", "gap", "--points", "8", "--plot", str(name)).code == 0
    assert names[0].read_bytes() == names[1].read_bytes()
    assert names[0].read_bytes().startswith(b"\x89PNG")


def test_every_family_of_the_frontier_starts_at_the_reference_and_rises_then_falls():
    gold = GoldCurve.of(parse_gold("u**12*(1-u)"))
    curves = {curve.name: curve for curve in frontier(Uniform(), gold, 6)}
    assert len(curves) == 7
    for curve in curves.values():
        # The reference: KL = 0 and E[u^12 (1-u)] = 1/13 - 1/14.
        assert curve.points[0][1:] == pytest.approx((0, 1 / 182), rel=1e-4, abs=1e-12)
        kls = [kl for _, kl, _ in curve.points]
        assert kls == sorted(kls)
    for name in ("Best-of-n", "Best-of-Poisson", "tilt"):
        assert curves[name].best not in (curves[name].points[0], curves[name].points[-1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("figure", "frontier", "--plot", "x.docx"), ".png"),
        (("figure", "gap", "--plot", "/nowhere/x.png"), "no folder"),
        (("figure", "gap", "--points", "3"), "points=3"),
        (("figure", "gap", "--gold", "u"), "frontier"),
        (("figure", "other"), "other"),
    ],
)
def test_bad_requests_are_one_line(cli, arguments, says):
    done = cli(*arguments)
    assert done.is_refusal(), done
    assert says in done.err
