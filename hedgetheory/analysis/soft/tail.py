"""f′(λ) of Soft Best-of-n for λ → ∞ on finitely many atoms: an exponential sum with its remainder.

Given the draws let atom i be the largest, k of each atom drawn, ρ_j = (k_j/k_i)e^{−λ(x_i − x_j)},
ρ = Σ_{j<i} ρ_j ≤ (n − 1)e^{−λδ}, δ the least gap of neighbouring atoms. Then p_i p_j = ρ_j/(1 + ρ)²
differs from ρ_j by at most 2ρρ_j, and Σ p_j p_l over pairs below i is at most ρ²/2, so that
    Cov_p(g, x) = Σ_{j<i} ρ_j (g_i − g_j)(x_i − x_j) ± (5/2) Γ (max x − min x) ρ²,
    f′(λ) = Σ_{i>j} A_ij (g_i − g_j)(x_i − x_j) e^{−λ(x_i − x_j)}
            ± (5/2) Γ (max x − min x)(n − 1)² e^{−2λδ},
with A_ij = E[k_j/k_i; i the largest] = Σ_k C(n, k) p_i^k F^{n−k} (n − k) p_j/(F k), F = P(R < x_i),
exactly. Divided by its slowest exponential all else decreases in λ: one λ₁ settles the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb

from hedgetheory.analysis.expsum import Coefficient, canonical, constant_ball, is_zero, symbolic
from hedgetheory.analysis.zeros import sign_of
from hedgetheory.laws.base import exact_symbol
from hedgetheory.numerics.ball import ball, precision

#: Atoms and draws up to which the exact coefficients are written down.
MAX_ATOMS = 24
MAX_DRAWS = 256
_BITS = 192
_DOUBLINGS = 40


def tail_of_slope(
    places: Sequence[Fraction], masses: Sequence[Fraction], golds: Sequence[Coefficient], draws: int
) -> tuple[Fraction, int] | None:
    """(λ₁, s): f′ has the sign s for every λ ≥ λ₁; None where the leading terms do not decide.

    ``places`` are what the softmax sees, increasing; ``golds`` exact.
    """
    if len(places) > MAX_ATOMS or draws > MAX_DRAWS or len(places) < 2:
        return None
    terms: dict[Fraction, Coefficient] = {}
    below = Fraction(0)
    for i, mass in enumerate(masses):
        # Σ_k C(n, k) p_i^k F^{n−k−1} (n − k)/k, to be multiplied by p_j.
        factor = sum(
            (
                comb(draws, k) * mass**k * below ** (draws - k - 1) * Fraction(draws - k, k)
                for k in range(1, draws)
            ),
            Fraction(0),
        )
        for j in range(i):
            gap = places[i] - places[j]
            rise = canonical(symbolic(golds[i]) - symbolic(golds[j]))
            term = symbolic(rise) * exact_symbol(factor * masses[j] * gap)
            terms[gap] = canonical(symbolic(terms.get(gap, Fraction(0))) + term)
        below += mass
    least = min(b - a for a, b in pairwise(places))
    gaps = sorted(gap for gap, term in terms.items() if not is_zero(term))
    if not gaps or gaps[0] >= 2 * least:
        return None
    return _from(terms, gaps, least, draws, places, golds)


def _from(
    terms: dict[Fraction, Coefficient],
    gaps: list[Fraction],
    least: Fraction,
    draws: int,
    places: Sequence[Fraction],
    golds: Sequence[Coefficient],
) -> tuple[Fraction, int] | None:
    slowest, *rest = gaps
    with precision(_BITS):
        values = [constant_ball(g) for g in golds]
        spread = max((a - b).abs_upper() for a in values for b in values)
        lead = constant_ball(terms[slowest])
        remainder = (
            ball(Fraction(5, 2)) * spread * ball((places[-1] - places[0]) * (draws - 1) ** 2)
        )
        strength = 1 / (places[-1] - places[0])
        for _ in range(_DOUBLINGS):
            at = ball(strength)
            others = remainder * (-at * ball(2 * least - slowest)).exp()
            for gap in rest:
                others += abs(constant_ball(terms[gap])) * (-at * ball(gap - slowest)).exp()
            if abs(lead) > others:
                return strength, sign_of(lead)
            strength *= Fraction(5, 4)
    return None
