"""The hypotheses of the theorems for best of a random number of draws, proved by algebra.

**k of a power-series law.** Let P(N = j) ∝ c_j x^j, j ≥ 1, C(x) = Σ c_j x^j and η(y) = yC′(y)/C(y),
the mean of N at y. Then G = C(xu)/C(x) and x∂_x(1 − G) = G·(η(x) − η(xu)). With S(η) = E[N²] as a
function of the mean, and y = xu, D = η(x) − η(y),
    D²·x u ∂_x∂_u ln k = Var_y(N)·[S(η(x)) − S(η(y)) − S′(η(y)) D],
so that k is (strictly) totally positive of order two iff E[N²] is a (strictly) convex function of
E[N]. With E[N²] = E[N](1 + cτ), c > 0 and τ increasing in x, that is so where 1/E[N] is convex in
τ. Binomial: τ = p, τ/E[N] = ∫₀^τ (1 − z)^{m−1} dz; negative binomial: τ = (1 − p)/p,
τ/E[N] = ∫₀^τ (1 + z)^{−r−1} dz: convex, strictly but for m ≤ 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sympy

from hedgetheory.analysis.gold import Change
from hedgetheory.analysis.hypotheses import Hypothesis, hypotheses, quantile_tilt_kernel_is_tp2
from hedgetheory.analysis.random_draws.lines import Line
from hedgetheory.expressions.symbols import a, beta, k, m, p, u, ubar
from hedgetheory.expressions.vocabulary import spell_out
from hedgetheory.laws.base import FiniteLaw, Law, exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.policies.random_draws import (
    Binomial,
    Draws,
    Geometric,
    LogarithmicSeries,
    NegativeBinomial,
    Sibuya,
)

_Q = 1 - p
#: (law of N, free parameter) -> the claimed ∂θ∂u log w, visibly of one sign for 0 < u < 1.
_MIXED = {
    (Geometric, p): -2 / (1 - _Q * u) ** 2,
    (NegativeBinomial, p): -(k + 1) / (1 - _Q * u) ** 2,
    (NegativeBinomial, k): _Q / (1 - _Q * u),
    (Binomial, p): (m - 1) / (1 - p * (1 - u)) ** 2,
    (Binomial, m): p / (1 - p * (1 - u)),
    (Sibuya, a): -1 / (1 - u),
    (LogarithmicSeries, beta): -sympy.exp(-1 / beta)
    / (beta * (1 - u * (1 - sympy.exp(-1 / beta)))) ** 2,
}

_ODDS = (1 - p) / p
#: E[N(N − 1)] = E[N]·factor·τ and τ/E[N] = ∫₀^τ density, as a density in τ: (N, τ, the two).
MOMENTS: tuple[tuple[type[Draws], sympy.Expr, sympy.Expr, sympy.Expr], ...] = (
    (Binomial, p, m - 1, (1 - p) ** (m - 1)),
    (NegativeBinomial, _ODDS, k + 1, (1 + _ODDS) ** (-k - 1)),
    (LogarithmicSeries, sympy.exp(1 / beta) - 1, sympy.S.One, sympy.exp(-1 / beta)),
)


@lru_cache(maxsize=16)
def mixed_derivative(draws: type[Draws], free: sympy.Symbol) -> sympy.Expr | None:
    """∂θ∂u log w = ∂θ∂u log G′ of a family, proved equal to its simple form; None if not."""
    claimed = _MIXED[draws, free]
    slope = draws.slope.subs(ubar, 1 - u)
    # log(product) is differentiated factor by factor: ∂_u first drops what has no u.
    bend = sympy.diff(sympy.diff(slope, u) / slope, free)
    return claimed if sympy.simplify(bend - claimed) == 0 else None


@lru_cache(maxsize=1)
def power_series_kernel_is_tp2() -> bool:
    """The machine-checkable steps of the proof above, for the binomial and negative binomial."""
    x, y, t = sympy.symbols("x y t", positive=True)
    mass, mean, second = sympy.Function("C"), sympy.Function("eta"), sympy.Function("S")
    # k from the pgf, with η written out.
    ratio = mass(x * u) / mass(x)
    log_slope = x * sympy.diff(sympy.log(mass(x)), x)
    log_slope_inside = x * sympy.diff(sympy.log(mass(x * u)), x)
    kernel = sympy.simplify(-x * ratio.diff(x) - ratio * (log_slope - log_slope_inside))
    # ln k = ln C(xu) + ln(η(x) − η(xu)) + …: x u ∂_x∂_u ln C(xu) = yη′(y) =: V(y).
    gap = mean(x) - mean(x * u)
    bend = (x * u * sympy.diff(sympy.log(gap), u, x)).doit()
    inner, outer = y * mean(y).diff(y), x * mean(x).diff(x)
    claimed = (
        -y * inner.diff(y) / (mean(x) - mean(y))
        + inner * (outer - inner) / (mean(x) - mean(y)) ** 2
    )
    bends = sympy.simplify((bend.subs(u, y / x) - claimed).doit())
    # V = S(η) − η² along the family, yV′ = (dV/dη)V: what is left is the tangent of S.
    e1, e2 = sympy.symbols("e1 e2", positive=True)
    variance = second(e1) - e1**2
    above = second(e2) - e2**2
    tangent = (e2 - e1) ** 2 - variance.diff(e1) * (e2 - e1) + above - variance
    convex = sympy.expand(tangent - (second(e2) - second(e1) - second(e1).diff(e1) * (e2 - e1)))
    # S = η(1 + cτ): dS/dη = 1 + cτ + cη/η′ increases in τ iff 1/η is convex.
    eta, c = mean(t), sympy.Symbol("c", positive=True)
    slope = (eta * (1 + c * t)).diff(t) / eta.diff(t)
    rises = sympy.simplify(slope.diff(t) - c * eta**2 / eta.diff(t) * (1 / eta).diff(t, 2) * eta
                           / eta.diff(t))  # fmt: skip
    steps = [kernel, bends, convex, rises]
    for draws, tau, factor, density in MOMENTS:
        bend_at_one = sympy.diff(spell_out(draws.slope).subs(ubar, 1 - u), u).subs(u, 1)
        mean_, free = spell_out(draws.mean), draws.symbols[-1]
        steps.append(sympy.simplify(bend_at_one / mean_ - factor * tau))
        integral = sympy.diff(tau / mean_, free) / sympy.diff(tau, free)
        steps.append(sympy.simplify(integral - density))
    return all(step == 0 for step in steps)


def drawn_hypotheses(
    law: Law, line: Line, changes: list[Change] | None, why_not: str
) -> list[Hypothesis]:
    """The hypotheses of a family of best of random draws, in its own parameter."""
    told = {h.id: h for h in hypotheses(law, line.family, changes, why_not)}
    name = _free(line)
    atoms = isinstance(law, (FiniteLaw, CountableLaw))
    averaged = "; averaged over the atoms' intervals, which keeps it" if atoms else ""
    mixed = mixed_derivative(line.draws, line.free)
    assert mixed is not None
    bend = f"d/d{name} d/du log w = {_written(line, mixed)}"
    single = isinstance(law, FiniteLaw) and len(law.atoms) == 1
    nothing = single or line.constant
    found = [*_ratio(line, name, bend, averaged, mixed, nothing), _kernel(line, name, atoms)]
    if nothing:
        why = "the law has one atom" if single else "one draw"
        text = f"{why}: w = 1, and nothing changes with {name}"
        found += [Hypothesis(i, "refuted", text) for i in ("kl_increasing", "proxy_increasing")]
    else:
        found += _increasing(line, name)
    told |= {h.id: h for h in found}
    return list(told.values())


def _ratio(
    line: Line, name: str, bend: str, averaged: str, mixed: sympy.Expr, nothing: bool
) -> Sequence[Hypothesis]:
    if nothing:
        text = "w = 1 throughout, and its derivatives vanish"
        return [Hypothesis("mlr", "proved", text), Hypothesis("score_monotone", "proved", text)]
    if not line.falls:
        text = "the score d/dtheta log w increases in r: its r-derivative is that of the mlr"
        return [
            Hypothesis("mlr", "proved", f"{bend} > 0 for 0 < u < 1{averaged}"),
            Hypothesis("score_monotone", "proved", f"{text} witness"),
        ]
    text = f"{bend} < 0: greedier as {name} falls, so MLR holds in -{name}, not in {name}"
    half = {line.free: sympy.Rational(1, 2), u: sympy.Rational(1, 2)}
    value = _at_fixed(line, mixed).subs(half)
    witness = {
        "argument": text + averaged,
        "point": {name: "1/2", "u": "1/2"},
        "value": str(value),
    }
    text = f"the score in {name} decreases strictly in u"
    return [Hypothesis("mlr", "refuted", witness), Hypothesis("score_monotone", "proved", text)]


def _kernel(line: Line, name: str, atoms: bool) -> Hypothesis:
    at_atoms = " (taken at u = F(r))" if atoms else ""
    sense = f"-{name}" if line.falls else name
    if line.constant:
        text = "one draw: k = 0"
    elif line.draws is Sibuya:
        text = "|k| = (1-u)^a ln(1/(1-u)): strictly TP of every order in (-a, u)" + at_atoms
    elif line.is_tilt and quantile_tilt_kernel_is_tp2():
        form = "1 - p(1-u) = (1-p)^(1-v)" if line.whole else "1 - (1-p)u = p^v"
        text = f"k is that of the quantile tilt at the quantile v(u), {form}: TP2 in ({name}, u)"
        text += at_atoms
    elif line.is_power_series and power_series_kernel_is_tp2():
        text = (
            f"|k| is TP2 in ({sense}, u): E[N^2] is a convex function of E[N] along the family, as "
            f"E[N^2] = E[N](1 + c tau) and 1/E[N] is convex in tau" + at_atoms
        )
    else:
        return Hypothesis("kernel_tp2", "undecided", f"no proof is known here for {line.family}")
    return Hypothesis("kernel_tp2", "proved", text)


def _increasing(line: Line, name: str) -> list[Hypothesis]:
    names = ("kl_increasing", "proxy_increasing")
    if line.falls:
        text = f"decreasing in {name}: greedier as {name} falls (strict MLR in -{name})"
        return [Hypothesis(i, "refuted", text) for i in names]
    kl = "strict MLR and w non-decreasing in r: KL rises by a divergence and more"
    proxy = "strict MLR makes the family strictly stochastically increasing in r"
    return [Hypothesis(i, "proved", text) for i, text in zip(names, (kl, proxy), strict=True)]


def _free(line: Line) -> str:
    """The free parameter as the grammar names it: the k of formulas is r there."""
    return "r" if line.free == k else str(line.free)


def _at_fixed(line: Line, expr: sympy.Expr) -> sympy.Expr:
    fixed = exact_symbol(line.fixed)
    return expr.xreplace({s: fixed for s in line.draws.symbols if s != line.free})


def _written(line: Line, expr: sympy.Expr) -> str:
    return str(_at_fixed(line, expr))


__all__ = ["drawn_hypotheses", "mixed_derivative", "power_series_kernel_is_tp2"]
