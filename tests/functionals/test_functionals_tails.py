"""What certified integrals leave out: growth bounds, tails and omitted ends really bound."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy
import typed
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import a, alpha, r
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.continuous import _sibuya_omitted
from hedgetheory.functionals.growth import growth
from hedgetheory.functionals.plans import LineIntegral, UnitIntegral, eps
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.random_draws import FinitePmf, NegativeBinomial, Sibuya
from hedgetheory.policies.tilt import Tilt

MP = mpmath.MPContext()
MP.dps = 15

_LEAVES = [r, r, sympy.Integer(2), sympy.Rational(-1, 3), sympy.pi, sympy.sqrt(2)]
formulas = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: st.one_of(
        st.builds(lambda f, x: f(x), st.sampled_from([sympy.sin, sympy.cos, sympy.tanh, sympy.erf,
                                                      sympy.Abs]), inner),
        st.builds(lambda f, x, y: f(x, y), st.sampled_from([
            sympy.Add, sympy.Mul, sympy.Min, sympy.Max,
            lambda x, y: sympy.Piecewise((x, r < 1), (y, True))]), inner, inner),
        st.builds(lambda x, k: x**k, inner, st.integers(1, 3)),
        st.builds(lambda x, k: sympy.Abs(x) ** (sympy.Rational(1, k)), inner, st.integers(2, 3)),
        st.builds(lambda p, q: sympy.exp(p * r + q), st.sampled_from([sympy.Rational(1, 2), -1, 1]),
                  st.sampled_from([0, sympy.Rational(3, 2), -2])),
        st.just(sympy.exp(-(r**2))), st.just(sympy.exp(-3 * r**4)),
    ),
    max_leaves=5,
)  # fmt: skip


@pytest.mark.parametrize(
    "expr",
    [r**2 * sympy.Abs(r), r * sympy.exp(2 * r) * sympy.exp(r),
     r * sympy.Abs(r) ** sympy.Rational(1, 2),
     (r + 3) ** 3 * (r - 1), 7 * r * sympy.Max(r, 2) * sympy.Abs(r)],
    ids=str,
)  # fmt: skip
def test_growth_of_a_product_bounds_it(expr):
    bound = growth(expr)
    for x in (-40, -1, 0, 1, 40):
        reach = max(abs(x), 1)
        height = float(bound.size) * reach ** float(bound.degree)
        height *= float(sympy.exp(min(float(bound.rate) * reach, 600)))
        assert abs(float(expr.subs(r, x))) <= height * (1 + 1e-12)


@given(formulas)
@settings(max_examples=120, deadline=None)
def test_growth_bounds_the_formula_everywhere(expr):
    try:
        bound = growth(expr)
    except NotCertified:
        return
    program = compiled(expr, (r,))
    for x in ("-30", "-5/2", "-1", "-1/2", "0", "1/3", "1", "3/2", "7", "40"):
        at = Fraction(x)
        reach = ball(max(abs(at), Fraction(1)))
        height = (ball(bound.size) * REAL.pow(reach, ball(bound.degree))
                  * (ball(bound.rate) * reach).exp())  # fmt: skip
        assert not abs(program(REAL, ball(at))) > height, (expr, at)


@pytest.mark.parametrize("expr", [sympy.exp(r**2), 1 / r, sympy.log(sympy.Abs(r)),
                                  sympy.exp(sympy.sin(r)), sympy.exp(r**3 - r**4)],
                         ids=str)  # fmt: skip
def test_a_formula_without_a_structural_bound_is_refused(expr):
    with pytest.raises(NotCertified):
        growth(expr)


def _mp(x):
    low, high = x.lower(), x.upper()
    return [MP.ldexp(MP.mpf(int(m)), int(e)) for m, e in (low.man_exp(), high.man_exp())]


#: law, pdf and cdf typed in mpmath, an end far out on each side
TYPED = [
    (Normal(), MP.npdf, MP.ncdf, 60),
    (Normal(-20, 1), lambda x: MP.npdf(x, -20, 1), lambda x: MP.ncdf(x, -20, 1), 60),
    (Normal(0, "1/50"), lambda x: MP.npdf(x, 0, 0.02), lambda x: MP.ncdf(x, 0, 0.02), 3),
    (Exponential(2), lambda x: 2 * MP.exp(-2 * x), lambda x: -MP.expm1(-2 * x), 90),
    (Logistic(1, "1/2"), lambda x: MP.sech(x - 1) ** 2 / 2,
     lambda x: 1 / (1 + MP.exp(2 - 2 * x)), 90),
]  # fmt: skip


@pytest.mark.parametrize("case", TYPED, ids=[str(t[0]) for t in TYPED])
@pytest.mark.parametrize("gold", [r**3 + 1, sympy.exp(r / 3)], ids=str)
def test_the_tail_bound_is_above_the_tail(case, gold):
    law, pdf, cdf, far = case
    h = sympy.lambdify(r, gold, MP)
    policies = [(BestOfN(4), ("bon", 4)),
                (BestOfRandom(Sibuya("1/2")), ("sibuya", "0.5")),
                (Tilt("1/5"), None)]  # fmt: skip
    for policy, again in policies:
        plan = next(
            p for p in bind(policy, law).gold(GoldCurve(gold, "r")) if isinstance(p, LineIntegral)
        )
        if again is None:
            ends = [float(law.centre) - far if law.support[0] is None else 0, float(law.centre),
                    float(law.centre) + far]  # fmt: skip
            norm = MP.quad(lambda x: MP.exp(x / 5) * pdf(x), ends)
            density = lambda x: MP.exp(x / 5) * pdf(x) / norm  # noqa: E731, B023
        else:
            w, _ = typed.ratio(*again)
            # w(F(x)) for Sibuya from the survival function: 1 − F cancels far out.
            density = (
                (lambda x: pdf(x) / (2 * MP.sqrt(_survival(law, x))))
                if again[0] == "sibuya"
                else (lambda x: w(cdf(x)) * pdf(x))  # noqa: B023
            )
        for side in (-1, 1):
            if side < 0 and law.support[0] is not None:
                continue
            for steps in ("1/4", "2", "9"):
                x = law.centre + side * law.width * Fraction(steps)
                bound = plan.tail(ball(x), side)
                if not bound.is_finite():
                    continue
                start = float(x)
                out = start + side * far
                nodes = [start, start + side * far / 20, start + side * far / 4, out]
                tail = abs(MP.quad(lambda y: abs(h(y)) * density(y), nodes))  # noqa: B023
                assert _mp(bound)[1] >= tail * (1 - MP.mpf("1e-9")), (policy, side, steps)


def _survival(law, x):
    if law.name == "normal":
        return MP.ncdf(-(x - float(law.mean)) / float(law.sd))
    if law.name == "exponential":
        return MP.exp(-float(law.rate) * x)
    return 1 / (1 + MP.exp((x - float(law.loc)) / float(law.scale)))


@pytest.mark.parametrize("shape", ["1/20", "2/5", "3/4", "0.95"])
@pytest.mark.parametrize("size", ["0.3", "1e-3", "1e-20"])
def test_what_sibuya_leaves_out_is_below_its_bound(shape, size):
    s, e = Fraction(shape), Fraction(size)
    sm, em = MP.mpf(s.numerator) / s.denominator, MP.mpf(size)
    bounds = {
        "kl": (lambda w: sympy.Max(sympy.exp(-1), sympy.Abs(w * sympy.log(w))), 1,
               lambda w: max(MP.exp(-1), abs(w * MP.log(w)))),
        "total_variation": (lambda w: w + 1, 1, lambda w: w + 1),
        "chi2": (lambda w: w**2 + 1, 2, lambda w: w**2 + 1),
        "renyi": (lambda w: w**alpha, 1.5, lambda w: w ** MP.mpf(1.5)),
    }  # fmt: skip
    for name, (bound, order, h) in bounds.items():
        if order * (1 - s) >= 1:
            continue
        formula = _sibuya_omitted(bound)
        program = compiled(formula, (eps, a, alpha))
        found = program(REAL, ball(e), ball(s), ball(Fraction(3, 2)))
        # v = ε e^{−t} makes the integral over the top ε one over a half-line.
        tail = MP.quad(lambda t, h=h: h(sm * (em * MP.exp(-t)) ** (sm - 1)) * em * MP.exp(-t),
                       [0, 5, 50, 400, 4000])  # fmt: skip
        assert _mp(found)[0] >= tail * (1 - MP.mpf("1e-6")), (name, shape, size)


@pytest.mark.parametrize(
    "policy", [BestOfN("1.5"), BestOfN(7), BestOfRandom(FinitePmf({2: "1/2", 9: "1/2"}))], ids=str
)
@pytest.mark.parametrize("name", ["kl", "chi2", "renyi", "total_variation", "mean_quantile"])
def test_what_a_vanishing_ratio_leaves_out_is_below_its_bound(policy, name):
    arguments = {"order": "1/2"} if name == "renyi" else {}
    plan = list(plans(Uniform(), policy, name, **arguments))[-1]
    assert isinstance(plan, UnitIntegral)
    assert plan.omitted_left is not None
    again = (
        ("bon", str(float(policy.bindings[next(iter(policy.bindings))])))
        if policy.bindings
        else None
    )
    w = typed.ratio(*again)[0] if again else lambda v: v + MP.mpf(4.5) * v**8
    h = {"kl": lambda v: abs(w(v) * MP.log(w(v))), "chi2": lambda v: abs(w(v) ** 2 - 1),
         "renyi": lambda v: MP.sqrt(w(v)), "total_variation": lambda v: abs(w(v) - 1) / 2,
         "mean_quantile": lambda v: v * w(v)}[name]  # fmt: skip
    program = compiled(plan.omitted_left, (eps, *plan.bindings))
    for size in ("1/4", "1/1000"):
        found = program(REAL, ball(Fraction(size)), *map(ball, plan.bindings.values()))
        tail = MP.quad(h, [0, MP.mpf(Fraction(size).numerator) / Fraction(size).denominator])
        assert _mp(found)[0] >= tail * (1 - MP.mpf("1e-12"))


def test_a_ratio_positive_at_zero_needs_nothing_left_out():
    for policy in (BestOfPoisson(2), BestOfRandom(NegativeBinomial(2, "1/3"))):
        plan = list(plans(Uniform(), policy, "kl"))[-1]
        assert plan.omitted_left is None
        assert plan.omitted_right is None
