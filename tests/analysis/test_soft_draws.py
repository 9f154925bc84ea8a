"""Soft Best-of-n along n: the shape that total positivity leaves, against quadrature by mpmath."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.analysis.soft.slopes import slope_in_draws
from hedgetheory.errors import NotCertified
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import precision
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

THREE = {Fraction(0): Fraction(3, 10), Fraction(1, 2): Fraction(2, 5), Fraction(1): Fraction(3, 10)}

THREE_TEXT = "finite({0: 3/10, 1/2: 2/5, 1: 3/10})"


def slope_by_mpmath(n: float, strength: int, golds: tuple[float, float, float]) -> mpmath.mpf:
    """d/dn of n ∫ E[g X e^{−X}] φ^{n−1} dt/t on three atoms, by the trapezoid rule in ln t."""
    with mpmath.workdps(30):
        rates = [mpmath.exp(strength * mpmath.mpf(x.numerator) / x.denominator) for x in THREE]
        masses = [mpmath.mpf(p.numerator) / p.denominator for p in THREE.values()]

        def integrand(s: mpmath.mpf) -> mpmath.mpf:
            t = mpmath.exp(s)
            phi = mpmath.fsum(p * mpmath.exp(-t * x) for p, x in zip(masses, rates, strict=True))
            moment = mpmath.fsum(
                p * g * t * x * mpmath.exp(-t * x)
                for p, g, x in zip(masses, golds, rates, strict=True)
            )
            return moment * phi ** (n - 1) * (1 + n * mpmath.log(phi))

        # The trapezoid rule on a wide range: doubly exponential decay on both sides.
        step = mpmath.mpf(1) / 16
        return step * mpmath.fsum(integrand(step * k) for k in range(-1200, 100))


@pytest.mark.parametrize(("n", "strength"), [(1, 2), (1.5, 3), (30, 3)])
def test_the_slope_encloses_the_integral(n: float, strength: int) -> None:
    golds = (0.0, 0.125, -0.25)
    curve = GoldCurve.of(parse_gold("r*(3/4 - r)"))
    with precision(96):
        slope = slope_in_draws(SoftBestOfN(Fraction(n), strength), parse_law(THREE_TEXT), curve)
        assert slope.rel_accuracy_bits() > 40
    expected = slope_by_mpmath(n, strength, golds)
    assert abs(float(slope.mid()) - float(expected)) < 1e-12


def test_the_slope_on_the_uniform_law_is_that_of_values() -> None:
    curve = GoldCurve.of(parse_gold("u**2*(1-u)"))
    from hedgetheory.functionals.quantities import value

    step = Fraction(1, 256)
    sides = [
        value(Uniform(), SoftBestOfN(3 + k * step, 2), "gold", gold=curve, digits=12).bounds[0]
        for k in (-1, 1)
    ]
    with precision(64):
        slope = slope_in_draws(SoftBestOfN(3, 2), Uniform(), curve)
    difference = float(sides[1] - sides[0]) / (2 / 256)
    assert abs(float(slope.mid()) - difference) < 1e-5 * abs(difference)


def found_for(law: str, family: str, gold: str) -> CheckResult:
    return check(parse_law(law), parse_family(family), parse_gold(gold), digits=4)


def test_an_increasing_regime_is_decided_by_two_values_of_the_tilt() -> None:
    found = found_for("uniform", "sbon(lam=3)", "u**12*(1-u)")
    assert (found.regime, found.complete, found.hacking) == ("increasing", "certified", "refuted")
    assert found.integer is not None
    assert found.integer.best == []
    # The limit is the tilt at λ: E[g] by mpmath.
    with mpmath.workdps(20):
        top = mpmath.quad(lambda u: u**12 * (1 - u) * mpmath.exp(3 * u), [0, 1])
        expected = top / mpmath.quad(lambda u: mpmath.exp(3 * u), [0, 1])
    assert float(found.ends[1].value) == pytest.approx(float(expected), rel=1e-10)


def test_a_peak_in_n_on_atoms_with_its_best_integer() -> None:
    found = found_for("finite({0: 3/10, 1/2: 2/5, 1: 3/10})", "sbon(lam=4)", "r*(21/20 - r)")
    assert (found.regime, [e.kind for e in found.extrema]) == ("peak", ["max"])
    theta = float(found.extrema[0].theta)
    golds = (0.0, 0.275, 0.05)
    assert slope_by_mpmath(theta - 1e-3, 4, golds) > 0 > slope_by_mpmath(theta + 1e-3, 4, golds)
    assert found.integer is not None
    assert found.integer.best
    assert all(abs(best - theta) < 1 for best in found.integer.best)
    assert found.hacking == "certified"


def test_the_gold_of_a_pair_is_the_same_for_one_draw_and_two_where_it_is_symmetric() -> None:
    # g(u) = g(1 − u): of two draws either is picked with mirrored odds, so f(2) = f(1) = 1/6; a
    # peak lies between, and the two integers tie.
    found = found_for("uniform", "sbon(lam=3)", "u*(1-u)")
    assert found.regime == "peak"
    assert 1 < float(found.extrema[0].theta) < 2
    assert found.integer is not None
    assert found.integer.best == [1, 2]


def test_on_a_line_values_at_integers_show_the_peak() -> None:
    found = found_for("normal(0,1)", "sbon(lam=1/2)", "r - r**2")
    assert found.regime == "peak"
    assert found.integer is not None
    low, high = found.extrema[0].theta.bounds
    assert all(low - 1 <= best <= high + 1 for best in found.integer.best)
    assert found.extrema[0].value.is_undefined


def test_monotone_and_constant_gold() -> None:
    assert found_for("logistic(0,1)", "sbon(lam=1/2)", "-r").regime == "decreasing"
    assert found_for("uniform", "sbon(lam=0)", "u*(1-u)").regime == "constant"
    found = found_for("finite({0: 1/2, 1: 1/2})", "sbon(lam=2, scale=quantile)", "r")
    assert found.regime == "increasing"


def test_more_turns_of_gold_than_one_stay_undecided() -> None:
    found = found_for("uniform", "sbon(lam=1)", "u*(1/2 - u)*(1 - u)")
    assert (found.regime, found.complete) == ("undecided", "undecided")
    assert "2 turns" in found.complete_reason


def test_hypotheses_along_n_are_proved_by_composition() -> None:
    found = found_for("uniform", "sbon(lam=3)", "u")
    verdicts = {h.id: h.verdict for h in found.hypotheses}
    assert verdicts["mlr"] == verdicts["kl_increasing"] == verdicts["proxy_increasing"] == "proved"


def test_no_slope_is_claimed_on_an_unbounded_scale() -> None:
    with pytest.raises(NotCertified, match="bounded scales"):
        slope_in_draws(SoftBestOfN(3, 1), Normal(0, 1), GoldCurve.of(parse_gold("r")))
