"""f and f′ of a rank family on finitely many atoms by balls, where no exact form decides.

With Δ_i = g_{i+1} − g_i and F_i the cdf at an atom f = g_1 + Σ Δ_i (1 − G(F_i)) and
f′ = Σ Δ_i k(F_i): columns of k, as totally positive as that is.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy

from hedgetheory.analysis.curve import gold_on_atoms
from hedgetheory.analysis.expsum import Coefficient, canonical, constant_ball, is_zero, symbolic
from hedgetheory.analysis.gold import Change, Gold, NotPolynomial, constant_sign
from hedgetheory.analysis.rank_kernels import RankKernel
from hedgetheory.analysis.soft.pattern import gold_pattern
from hedgetheory.expressions.symbols import u, ubar
from hedgetheory.laws.base import FiniteLaw, exact_symbol
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.program import compiled


class AtomCurve:
    """f and a positive multiple of f′; ``exact_sign`` is never known."""

    in_reward = False
    finite = True

    def __init__(self, law: FiniteLaw, gold: Gold, rank: RankKernel, lower: Fraction) -> None:
        self.lower, self.rank = lower, rank
        self.gold = gold_on_atoms(law, gold)
        self.pattern: tuple[list[int], list[Change]] | None = gold_pattern(law, gold)[0]
        steps = [canonical(symbolic(b) - symbolic(a)) for a, b in pairwise(self.gold)]
        self.steps = {
            F: step for F, step in zip(law.cumulative[:-1], steps, strict=True) if not is_zero(step)
        }
        self.programs = {
            name: compiled(form, (u, ubar, rank.theta))
            for name, form in (("k", rank.kernel), ("S", rank.above))
        }

    def exact_sign(self, x: Fraction) -> int | None:
        return None

    def _sum(self, name: str, theta: Any) -> Any:
        total = ball(0)
        for F, step in self.steps.items():
            weight = self.programs[name](REAL, ball(F), ball(1 - F), theta)
            total += constant_ball(step) * weight
        return total

    def __call__(self, x: Any) -> Any:
        return self._sum("k", x)

    def value(self, theta: Any) -> Any:
        return constant_ball(self.gold[0]) + self._sum("S", theta)

    def covariance_sign(self) -> int | None:
        """The sign of Σ Δ F(1 − F): that of f′ next to the reference along a power-series law."""
        terms = [symbolic(step) * exact_symbol(F * (1 - F)) for F, step in self.steps.items()]
        total: Coefficient = canonical(sympy.Add(*terms))
        try:
            return constant_sign(total)
        except NotPolynomial:
            return None


__all__ = ["AtomCurve"]
