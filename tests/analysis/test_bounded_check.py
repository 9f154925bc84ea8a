"""check on several processes, within bounds, and where a law or gold curve is at its limits."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from hedgetheory.analysis.check import check
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.truncated import Truncated

from .support import FAMILIES, found, gold, thetas, uniform

mp = mpmath.MPContext()
mp.dps = 30
QUESTION = Normal(0, 1), FAMILIES["bon"], gold(r - r**2 / 4)


def test_two_processes_and_a_pools_map_give_what_one_process_gives():
    from multiprocessing import get_context

    alone = check(*QUESTION).to_json()
    assert check(*QUESTION, workers=2).to_json() == alone
    with get_context("spawn").Pool(1) as pool:
        assert check(*QUESTION, workers=pool.imap).to_json() == alone


def test_a_map_of_futures_gives_the_same():
    # As Dask's and Ray's: client.gather(client.map(function, items)).
    # One thread beside a waiting one: a precision is of a whole process.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:

        def gathered(function, items):
            return [future.result() for future in [pool.submit(function, x) for x in items]]

        assert check(*QUESTION, workers=gathered).to_json() == check(*QUESTION).to_json()


def test_a_small_bound_leaves_an_undecided_document_with_the_hypotheses():
    result = check(*QUESTION, bound=50)
    assert (result.regime, result.complete, result.extrema) == ("undecided", "undecided", ())
    assert "50 units of work" in result.complete_reason
    verdicts = {h.id: h.verdict for h in result.hypotheses}
    assert verdicts["gold_sign_changes"] == verdicts["mlr"] == "proved"
    assert result.threshold.is_undefined


def test_a_bound_ends_at_the_same_place_with_every_number_of_processes():
    # `map` runs what processes would, here.
    for bound in (50, 1_500, 6_000):
        assert check(*QUESTION, bound=bound).to_json() == (
            check(*QUESTION, bound=bound, workers=map).to_json()
        )


def test_a_bound_after_the_shape_keeps_the_regime_and_the_place_of_the_turn():
    whole = check(*QUESTION)
    spent = []
    check(*QUESTION, progress=lambda what, units: spent.append((what, units)))
    begun = [units for what, units in spent if "digits" in what]
    result = check(*QUESTION, bound=(begun or [3_000])[0] + 500)
    if result.regime == "undecided":
        pytest.skip("no progress was told while the digits were computed")
    assert result.regime == whole.regime == "peak"
    below, above = result.extrema[0].theta.bounds
    assert below <= whole.extrema[0].theta.bounds[0] < above
    assert any("units of work" in note for note in result.notes)


def test_turns_found_before_the_bound_are_kept():
    from hedgetheory.analysis.found import stopped_picture

    picture = stopped_picture(FAMILIES["bon"], [(sympy.Rational(2), 3, 1)], "the bound")
    assert (picture.regime, [e.kind for e in picture.extrema]) == ("undecided", ["max"])
    assert picture.extrema[0].theta(6).bounds == (2, 3)


def test_best_of_n_on_a_truncated_law_is_decided_at_one_draw():
    # E[g(max of n)] on N(0, 1) given [−1, 2], by mpmath.
    result = found(Truncated(Normal(0, 1), -1, 2), "bon", r - r**2)
    assert result.regime == "peak"
    low, high = mp.ncdf(-1), mp.ncdf(2)
    level = lambda x: (mp.ncdf(x) - low) / (high - low)  # noqa: E731

    def slope(n):
        k = lambda x: -(level(x) ** n) * mp.log(level(x)) if x > -1 else 0  # noqa: E731
        return mp.quad(lambda x: (1 - 2 * x) * k(x), [-1, -0.5, 0.5, 2])

    assert thetas(result) == pytest.approx([float(mp.findroot(slope, 2.1))], rel=1e-9)


def test_a_symmetric_gold_curve_ties_one_draw_with_two():
    # E[g(U)(2U − 1)] = 0 for g(1 − u) = g(u).
    for law_found in (
        uniform("bon", sympy.sin(3 * u * (1 - u))),
        found(Normal(0, 1), "bon", sympy.exp(-(r**2))),
    ):
        assert (law_found.integer.best, law_found.integer.certain) == ([1, 2], True)


def test_a_tie_on_atoms_with_irrational_gold_is_exact():
    law = Finite({0: "1/4", 1: "1/4", 2: "1/4", 3: "1/4"})
    inner = sympy.Piecewise((1, (r < 1) | (r > 2)), (sympy.sqrt(2), True))
    result = found(law, "bon", inner)
    assert (result.integer.best, result.integer.certain) == ([1, 2], True)


def test_gold_that_is_nearly_symmetric_ties_nothing():
    bent = sympy.sin(3 * u * (1 - u)) + u / 10**12
    assert uniform("bon", bent).integer.best == [2]


def test_a_mean_that_is_plainly_infinite_is_said_to_be():
    result = found(Pareto(2), "bon", r**2)
    assert result.regime == "undecided"
    assert "E[g] is not finite" in result.complete_reason


def test_a_symmetric_corner_is_stationary_under_the_tilt():
    corner = sympy.Piecewise((r, r < sympy.Rational(1, 2)), (1 - r, True))
    assert found(Beta("1/2", "1/2"), "tilt", corner).regime == "decreasing"


def test_soft_draws_on_a_half_line_take_no_minutes():
    # r e^{−r} grows on the half-line without responses only. λ = 1/4, n → ∞: the tilt, a
    # Gamma(1, 3/4), with E[r e^{−r}] = (3/4)/(7/4)².
    from hedgetheory.spec.grammar import parse_family

    family = parse_family("sbon(lam=1/4)")
    result = check(Exponential(1), family, gold(r * sympy.exp(-r)), bound=300_000)
    assert result.regime == "peak"
    assert float(result.ends[0].value) == pytest.approx(0.25, rel=1e-12)
    assert float(result.ends[1].value) == pytest.approx(0.75 / 1.75**2, rel=1e-9)
