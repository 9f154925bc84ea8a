"""The laws against scipy.stats, quadrature, and their own defining identities."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import pytest
import scipy.stats as ss
import sympy

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify
from hedgetheory.numerics.program import compiled

#: law, the same in scipy, rewards at which they are compared
CASES = [
    (Uniform(), ss.uniform(), ["0.001", "0.3", "0.999"]),
    (Normal(), ss.norm(), ["-8", "-0.5", "0", "1", "8"]),
    (Normal("-2.5", "0.3"), ss.norm(-2.5, 0.3), ["-4", "-2.5", "-2"]),
    (Exponential(), ss.expon(), ["0.001", "1", "30"]),
    (Exponential("7/2"), ss.expon(scale=2 / 7), ["0.001", "1", "9"]),
    (Logistic(), ss.logistic(), ["-30", "0", "2.5", "30"]),
    (Logistic(3, "1/4"), ss.logistic(3, 0.25), ["-1", "3", "3.1"]),
]
LAWS = pytest.mark.parametrize(("law", "other", "rewards"), CASES, ids=[str(c[0]) for c in CASES])


def at(expr: sympy.Expr, digits: int = 16, **values: Fraction) -> float:
    symbols = {"r": r, "u": u, "ubar": ubar, "lam": lam}
    names = tuple(symbols[name] for name in values)
    program = compiled(sympy.sympify(expr), names)
    return float(certify(lambda: program(REAL, *map(ball, values.values())), digits))


@LAWS
def test_pdf_cdf_and_survival_agree_with_scipy(law, other, rewards):
    for text in rewards:
        x = Fraction(text)
        for mine, scipys in ((law.pdf, other.pdf), (law.cdf, other.cdf), (law.survival, other.sf)):
            assert at(mine, r=x) == pytest.approx(scipys(float(x)), rel=1e-12), (text, mine)


@LAWS
def test_the_density_is_the_derivative_of_the_cdf_and_has_the_stated_slope(law, other, rewards):
    for text in rewards:
        x = Fraction(text)
        derivative = at(sympy.diff(law.cdf, r), r=x)
        assert derivative == pytest.approx(other.pdf(float(x)), rel=1e-11)
        slope = sympy.diff(law.pdf, r) / law.pdf
        if slope != 0 and x != law.centre:
            assert at(slope, r=x) == pytest.approx(at(law.log_density_slope, r=x), rel=1e-13)


@LAWS
def test_the_logarithmic_slope_of_the_density_does_not_increase(law, other, rewards):
    # Log-concavity is what the tails of certified integrals rest on.
    grid = [law.centre + law.width * Fraction(k, 7) for k in range(-30, 31)]
    program = compiled(sympy.sympify(law.log_density_slope), (r,))
    values = [program(REAL, ball(x)) for x in grid]
    assert all(not right > left for left, right in pairwise(values))


@LAWS
@pytest.mark.parametrize("tail", ["1e-300", "1e-30", "0.01", "0.3", "0.5"])
def test_quantile_inverts_the_cdf_in_both_tails(law, other, rewards, tail):
    low = Fraction(tail)
    for level, rest in ((low, 1 - low), (1 - low, low)):
        inner = law.quantile.xreplace({})
        for side in (law.cdf, law.survival):
            program = compiled(side.xreplace({r: inner}), (u, ubar))
            value = certify(lambda p=program, a=level, b=rest: p(REAL, ball(a), ball(b)), 30)
            truth = level if side is law.cdf else rest
            lower, upper = value.bounds
            assert lower <= truth <= upper
    assert (
        at(law.quantile, u=low, ubar=1 - low)
        == pytest.approx(other.ppf(float(low)), rel=1e-11, abs=1e-15)
        if low > Fraction("1e-200") and other.ppf(float(low))
        else True
    )


@LAWS
def test_log_mgf_is_the_logarithm_of_the_integral(law, other, rewards):
    ends = {"uniform": (0, 1), "exponential": (0, mpmath.inf)}.get(
        law.name, (-mpmath.inf, float(law.centre), mpmath.inf)
    )
    top = law.mgf_limit if law.mgf_limit is not None else Fraction(2)
    for share in ("1/1000000", "1/3", "9/10"):
        strength = top * Fraction(share)
        s = float(strength)
        truth = mpmath.log(mpmath.quad(lambda x, s=s: mpmath.exp(s * x) * _pdf(law, x), ends))
        assert at(law.log_mgf, lam=strength) == pytest.approx(float(truth), rel=1e-9, abs=1e-13)


def _pdf(law, x):
    """The density typed again."""
    if law.name == "uniform":
        return 1
    if law.name == "normal":
        m, s = float(law.mean), float(law.sd)
        return mpmath.exp(-(((x - m) / s) ** 2) / 2) / (s * mpmath.sqrt(2 * mpmath.pi))
    if law.name == "exponential":
        return float(law.rate) * mpmath.exp(-float(law.rate) * x)
    z = (x - float(law.loc)) / float(law.scale)
    return mpmath.sech(z / 2) ** 2 / (4 * float(law.scale))


@LAWS
def test_the_mean_is_scipys_and_the_slope_of_the_log_mgf_at_zero(law, other, rewards):
    assert float(law.mean) == pytest.approx(other.mean(), rel=1e-14, abs=1e-300)
    slope = at(sympy.diff(law.log_mgf, lam), lam=Fraction(1, 10**12))
    assert slope == pytest.approx(float(law.mean), rel=1e-10, abs=1e-10)


@LAWS
def test_a_tilted_law_has_the_tilted_density(law, other, rewards):
    strength = Fraction(1, 3) if law.mgf_limit is None else law.mgf_limit / 3
    tilted = law.tilted(strength)
    if tilted is None:
        return
    for text in rewards:
        x = Fraction(text)
        weight = sympy.exp(lam * r - law.log_mgf) * law.pdf
        assert at(tilted.pdf, r=x) == pytest.approx(at(weight, r=x, lam=strength), rel=1e-14)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Normal(0, 0), "sd=0, but must be a real number > 0 [normal(sd=0)]"),
        (lambda: Normal(0, -1), "sd=-1, but must be"),
        (lambda: Exponential(0), "rate=0, but must be a real number > 0 [exponential(rate=0)]"),
        (lambda: Logistic(0, "-1/2"), "scale=-1/2, but must be"),
        (lambda: Normal("nan"), "mean=nan, but must be"),
        (lambda: Bernoulli(0), "p=0, but must be a real number in (0, 1) [bernoulli(p=0)]"),
        (lambda: Bernoulli(1), "p=1, but must be"),
        (lambda: Bernoulli("3/2"), "p=3/2, but must be"),
        (lambda: Finite({}), "0 atoms"),
        (lambda: Finite({0: "1/2", 1: "1/3"}), "the masses sum to 5/6, but must sum to exactly 1"),
        (lambda: Finite({0: 1, 1: 0}), "mass at 1=0, but must be > 0"),
        (lambda: Finite({0: "3/2", 1: "-1/2"}), "mass at 1=-1/2, but must be > 0"),
        (lambda: Finite({0: 0.1, 1: 0.9}), "but must sum to exactly 1"),
        (lambda: Finite({1: "1/2", "1.0": "1/2"}), "the value 1 is given twice"),
        (lambda: Finite(dict.fromkeys(range(10_001), "1/10001")), "10001 atoms"),
    ],
)
def test_arguments_out_of_domain_are_refused_with_the_one_wording(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert message in str(caught.value)


def test_finite_laws_are_sorted_and_exact():
    law = Finite({1: "1/2", "-1/2": "1/4", 0: "1/4"})
    assert law.atoms == (
        (Fraction(-1, 2), Fraction(1, 4)), (Fraction(0), Fraction(1, 4)),
        (Fraction(1), Fraction(1, 2)))  # fmt: skip
    assert law.cumulative == (Fraction(1, 4), Fraction(1, 2), Fraction(1))
    assert law.mean == Fraction(3, 8)
    assert Bernoulli("1/3").atoms == ((0, Fraction(2, 3)), (1, Fraction(1, 3)))


def test_laws_are_equal_by_class_and_exact_parameters():
    assert Normal("0.5", 1) == Normal("1/2", 1)
    assert len({Normal(0, 1), Normal(), Logistic(), Exponential(1)}) == 3
    assert Normal(0, 1) != Logistic(0, 1)
    assert Finite({0: 1}) != Finite({1: 1})


def test_the_median_of_a_narrow_law_keeps_its_digits():
    law = Normal(0, "1e-200")
    number = certify(lambda: compiled(law.quantile, (u, ubar))(
        REAL, ball(Fraction(3, 4)), ball(Fraction(1, 4))), 15)  # fmt: skip
    # Φ⁻¹(3/4) = 0.67448975019608174…
    assert number.decimal(15)[0] == "6.74489750196082e-201"
    assert balls.current_bits() == 53
