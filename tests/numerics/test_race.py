"""The race's lemmas, each checked by numbers that do not use its bounds."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import atan, e, log, pi

import mpmath
import pytest

from hedgetheory.errors import NotCertified
from hedgetheory.functionals.soft.scenes import UnitScene
from hedgetheory.functionals.soft.strips import FREE, scanned_spread
from hedgetheory.functionals.soft.transforms import AtomTransform, UnitTransform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.race import Grid, Panels, Race, check_work, gathered
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def test_the_gauss_rule_is_within_its_bound() -> None:
    panels = Panels(Fraction(0), Fraction(1), 1, 6, Fraction(3))
    with balls.precision(100):
        total = sum(weight / (x + 1) for x, weight in panels.rule)
        # 1/(1 + x) on the ellipse of ρ = 3 around [0, 1]: its left end is 1/2 − 5/6, so 1/(2/3).
        bound = panels.error(balls.ball(Fraction(3, 2)))
        miss = abs(total - balls.ball(Fraction(2)).log())
        assert miss < bound
        assert not miss < bound / 10**6


def test_the_trapezoid_is_within_its_bound_and_the_bound_is_not_idle() -> None:
    # One draw: φ^0 = 1, and w = 1 exactly. A coarse step shows the discretisation.
    with balls.precision(64):
        for step in (Fraction(3, 2), Fraction(1), Fraction(1, 2)):
            grid = Grid(step, -120, 40, Fraction(3, 2))
            race = Race.of(grid, Fraction(1), [balls.ball(Fraction(1))] * grid.count)
            sums = [race.plain_sum(balls.ball(Fraction(k, 8))) for k in range(8)]
            worst = max(abs(float(x.mid()) - 1) for x in sums)
            assert worst < float(grid.relative_error.upper())
            assert worst > 1e-9 or step < 1
            assert 1 in race.ratio(balls.ball(Fraction(1, 8)))


@pytest.mark.parametrize("lam", [0.1, 1, 3, 10])
def test_the_uniform_transform_has_no_zero_in_its_sector(lam: float) -> None:
    # The argument along the boundary rays changes by less than π between close points, and its
    # total change around the sector is zero.
    mpmath.mp.dps = 20

    def scaled(t: complex) -> complex:
        return complex(mpmath.exp(t) * (mpmath.e1(t) - mpmath.e1(t * mpmath.exp(lam))) / lam)

    angle = float(UnitTransform(Fraction(lam)).sector())
    ray = [
        mpmath.exp(mpmath.mpc(-lam - 6 + k * (lam + 12 - log(min(lam, 1))) / 300, angle))
        for k in range(301)
    ]
    far = [abs(ray[-1]) * mpmath.exp(mpmath.mpc(0, angle * (1 - k / 30))) for k in range(31)]
    path = [scaled(t) for t in (*ray, *far)]
    change = sum(float(mpmath.arg(b / a)) for a, b in pairwise(path))
    # From φ ≈ 1 near t = 0 to the positive axis: no winding within half of the sector.
    assert abs(change + float(mpmath.arg(path[0]))) < 1e-6


def test_the_sector_of_two_atoms_stops_short_of_the_first_zero() -> None:
    # p e^{−te^λ} + (1 − p)e^{−t} = 0 at t(e^λ − 1) = ln(p/(1 − p)) + iπ: Re t > 0 iff p > 1/2.
    for percent in (60, 90):
        p = Fraction(percent, 100)
        angle = AtomTransform((Fraction(0), Fraction(1)), (1 - p, p)).sector()
        first = atan(pi / log(p / (1 - p)))
        assert float(angle) < first
        assert float(angle) > first / 2
    low = AtomTransform((Fraction(0), Fraction(1)), (Fraction(9, 10), Fraction(1, 10)))
    assert low.sector() == Fraction(3, 2)


def test_shared_exponentials_and_single_ones_give_the_same_balls() -> None:
    strength, draws = Fraction(6), Fraction(5)
    with balls.precision(80):
        panels = Panels.covering(Fraction(0), Fraction(1), Fraction(1, 20), 40, 5)
        grid = Grid.covering(Fraction(0), strength, draws, period=panels.width * strength)
        race = Race.of(grid, draws, UnitTransform(strength).values(grid))
        rows = race.ratios(panels, strength)
        for j in (0, 17, 39):
            for q in (0, panels.points - 1):
                z = balls.ball(strength) * (balls.ball(panels.left(j)) + panels.rule[q][0])
                assert rows[j][q].overlaps(race.ratio(z))
        ones = [[weight for _, weight in panels.rule]] * panels.count
        summed = gathered(grid, panels, strength, ones, False)
        for ours, closed in zip(summed, UnitTransform(strength).values(grid), strict=True):
            assert abs(ours - closed) < 1e-18


def test_the_kernel_is_x_times_its_exponential() -> None:
    with balls.precision(60):
        grid = Grid(Fraction(1, 2), -2, 2, Fraction(3, 2))
        damped, plain = (grid.kernel(balls.ball(Fraction(0)), 0, flag) for flag in (True, False))
        for k, (x, y) in enumerate(zip(damped, plain, strict=True)):
            big = e ** ((k - 2) / 2)
            assert float(x.mid()) == pytest.approx(big * e**-big)
            assert float(y.mid()) == pytest.approx(e**-big)


def test_too_much_work_is_refused_instead_of_done() -> None:
    with balls.precision(64), pytest.raises(NotCertified, match="fewer digits"):
        check_work(1e9, "the race")


def test_the_spread_of_two_atoms_is_the_square_of_half_their_log_odds() -> None:
    # V(τ) = τ²Δ² q(1 − q) with odds p/(1 − p)·e^{−τΔ}: at even odds τΔ = ln(p/(1 − p)).
    with balls.precision(64):
        for percent in (90, 99):
            p = Fraction(percent, 100)
            atoms = AtomTransform((Fraction(0), Fraction(1)), (1 - p, p))
            found = float(scanned_spread(atoms.moments, Fraction(1), Fraction(5), 2))
            grid = [k / 500 for k in range(1, 10_000)]
            odds = [float(p / (1 - p)) * e ** (-x) for x in grid]
            truth = max(x * x * o / (1 + o) ** 2 for x, o in zip(grid, odds, strict=True))
            assert truth * (1 - 1e-6) < found < 1.4 * truth


def test_a_bounded_strip_and_a_sector_give_the_same_ratios() -> None:
    scene = UnitScene(SoftBestOfN(Fraction(5, 2), 3))
    with balls.precision(70):
        z = balls.ball(Fraction(2))
        measured = scene.race_at(z, trim=False, strip=scene.measured(FREE))
        assert measured.grid.bounded
        assert measured.ratio(z).overlaps(scene.ratio(z))
        assert (measured.ratio(z) - scene.ratio(z)).abs_upper() < 1e-17
