"""Thresholds and gaps once more: polynomial gold by exact moments, the gap by its own formulas."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import u
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.evaluate import number
from hedgetheory.reference.cases import Job
from hedgetheory.reference.definitions import Atoms, exact, law_of, mp, rank_of
from hedgetheory.spec.grammar import parse_gold, parse_law, parse_policy


def estimate(job: Job, value: Number) -> tuple[str, Any]:
    """(method, estimate) of a threshold, a gap or the strength of the matched tilt."""
    if job.quantity == "threshold":
        return "Newton step by exact moments", _threshold(job, value)
    return "Newton step by closed forms in mpmath", _gap(job, value)


# -- thresholds ------------------------------------------------------------------------------------


def _powers(job: Job) -> list[tuple[Fraction, Fraction]]:
    """g = Σ c u^k as (c, k)."""
    terms = []
    for term in sympy.Add.make_args(sympy.expand(parse_gold(job.gold or "").expr)):
        coefficient, rest = term.as_coeff_Mul()
        base, power = rest.as_base_exp() if rest != 1 else (u, sympy.S.Zero)
        if base != u:
            raise ArithmeticError(f"{job.gold} is no sum of powers")
        terms.append((_fraction(coefficient), _fraction(power)))
    return terms


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _moment(family: str, power: Any, theta: Any) -> Any:
    """E[U^k] = 1 − k ∫ u^{k−1} G(u) du."""
    if family == "bon":
        return theta / (theta + power)
    if family == "bop":
        integral = mp.exp(-theta) * mp.hyp1f1(power + 1, power + 2, theta) / (power + 1)
        return 1 - power * integral
    return theta / mp.expm1(theta) * mp.hyp1f1(power + 1, power + 2, theta) / (power + 1)


def _threshold(job: Job, value: Number) -> Any:
    """θ − f′(θ)/f″(θ), or where f does not turn the same verdict from its slope on a grid."""
    powers = [(exact(c), exact(k)) for c, k in _powers(job)]

    def curve(theta: Any) -> Any:
        return mp.fsum(c * _moment(job.policy, k, theta) for c, k in powers)

    with mp.workdps(80):
        if value.is_undefined or value.infinite:
            start = mp.one if job.policy == "bon" else mp.mpf(10) ** -6
            slopes = [mp.diff(curve, start + mp.mpf(2) ** k) for k in range(-8, 9)]
            falls = [slope < 0 for slope in slopes]
            # Never falling after a rise: constant, increasing, or decreasing from the start.
            if any(falls) and not all(falls):
                return mp.mpf(0)
            return mp.nan if value.is_undefined else mp.inf * value.infinite
        low, high = value.bounds
        theta = exact((low + high) / 2)
        if theta == (1 if job.policy == "bon" else 0):
            return theta if mp.diff(curve, theta + mp.mpf(10) ** -9) < 0 else mp.nan
        return theta - mp.diff(curve, theta) / mp.diff(curve, theta, 2)


def best_of_n_value(job: Job, n: int) -> Any:
    """f(n) = Σ c n/(n + k), exactly."""
    return exact(_exact_value(job, n))


def _exact_value(job: Job, n: int) -> Fraction:
    return sum((c * Fraction(n) / (n + k) for c, k in _powers(job)), Fraction(0))


def best_integers(job: Job, candidates: list[int]) -> list[int]:
    """The best among the candidates and all within 3 of one, exactly; none where n = ∞ is better.

    Where f has one peak these are the best of all.
    """
    near = sorted({m for n in candidates for m in range(max(n - 3, 1), n + 4)})
    values = {n: _exact_value(job, n) for n in near}
    top = max(values.values())
    limit = sum((c for c, _ in _powers(job)), Fraction(0))
    if limit > top:
        return []
    found = [n for n in near if values[n] == top]
    # A constant curve is as good everywhere: the candidates stand for it.
    return [n for n in found if n in candidates] if len(found) == len(near) else found


# -- the gap ---------------------------------------------------------------------------------------


def _gap(job: Job, value: Number) -> Any:
    mu = rank_of(job.policy).parameters[0]
    law = law_of(job.law)
    mean = _mean(job, law)
    potential = _potential(law)
    if value.fraction == 0 and isinstance(law, Atoms):
        # Two atoms: one mean, one law. The matched tilt is the same law.
        return mp.zero
    strength = _matched(job, potential, mean, value)
    if job.quantity == "gap_strength":
        return strength
    return _divergence(job, law, mu) - strength * mean + potential(strength)


def _potential(law: Any) -> Any:
    if isinstance(law, Atoms):
        return lambda t: mp.log(mp.fsum(p * mp.exp(t * r) for r, p in law.atoms))
    return lambda t: mp.log(law.mgf(t))


def _matched(job: Job, potential: Any, mean: Any, value: Number) -> Any:
    """λ with K′(λ) = mean, by Newton's method from a value in double precision."""
    from hedgetheory.functionals.gap import gap_at

    bindings = parse_policy(job.policy).bindings
    found = gap_at(parse_law(job.law), next(iter(bindings.values())), 30).lam
    strength = exact(sum(found.bounds, Fraction(0)) / 2)
    for _ in range(3):
        slope, second = mp.diff(potential, strength), mp.diff(potential, strength, 2)
        strength -= (slope - mean) / second
    return strength


def _mean(job: Job, law: Any) -> Any:
    """E[R] under BoP: a sum over atoms, a moment, else the certified mean (its table checks it)."""
    policy = rank_of(job.policy)
    if isinstance(law, Atoms):
        steps = law.by_rank(policy)
        return mp.fsum(r * m for (r, _), m in zip(law.atoms, steps, strict=True))
    if job.law == "uniform":
        mu = policy.parameters[0]
        return 1 - 1 / mu + (1 - mp.exp(-mu)) / mu**2
    bound = bind(parse_policy(job.policy), parse_law(job.law))
    found = number(next(iter(bound.mean_reward())), 120)
    return exact(sum(found.bounds, Fraction(0)) / 2)


def _divergence(job: Job, law: Any, mu: Any) -> Any:
    """KL(BoP): over atoms, or the paper's Theorem 2 at 300 digits."""
    if isinstance(law, Atoms):
        steps = law.by_rank(rank_of(job.policy))
        return mp.fsum(m * mp.log(m / p) for (_, p), m in zip(law.atoms, steps, strict=True))
    exponential = mp.exp(-mu - 1) * (mp.ei(mu + 1) - mp.ei(1)) / mu
    return exponential + mp.log(1 + mu) - 1
