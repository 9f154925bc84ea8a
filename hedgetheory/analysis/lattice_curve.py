"""f and f′ of a rank family on countably many atoms, by truncated sums with bounded tails.

With Δ_k = g(k + 1) − g(k) and F_k the cdf at the atom k (gold in u is taken at u = F_k),
    f(θ) = g(first) + Σ_k Δ_k (1 − G_θ(F_k)),      f′(θ) = Σ_k Δ_k k_θ(F_k),     k = −∂_θ G.
The k_θ(F_k) are columns of the kernel k_θ(u): as totally positive as that is, so that the strict
sign changes of Δ bound the zeros of f′ as those of g′ do on a law without atoms. A later column
outgrows an earlier one, and the earlier ones are finitely many: f′ ends with the last sign of Δ.

**The tail.** 1 − G(u) and k_θ(u) are at most C·(1 − u), C = max w + 1 (see `SmoothCurve._tail`);
with S_k = 1 − F_k and |Δ_j| ≤ b(j) the sum beyond K is at most Σ_{j>K} C·S_{j−1} b(j), which
`Lattice.beyond` bounds for log-concave masses.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.gold import Change, Gold
from hedgetheory.analysis.gold_shape import GoldShape
from hedgetheory.analysis.lattice_shape import lattice_of, lattice_pattern
from hedgetheory.analysis.rank_kernels import KERNELS, RankKernel, plain_tilt
from hedgetheory.analysis.tilt_moments import supremum_from
from hedgetheory.effort import Rebuilt, spend
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import lam, u, ubar
from hedgetheory.functionals.atoms.lattice import Row
from hedgetheory.functionals.growth import Growth, growth
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics.ball import REAL, ball, current_bits, precision, symmetric
from hedgetheory.numerics.program import Program, compiled
from hedgetheory.policies.family import Family

_GUARD_BITS = 32


class LatticeCurve(Rebuilt):
    """f and f′ of a rank family on a countable law; ``exact_sign`` is never known."""

    def __init__(
        self, law: CountableLaw, family: Family, gold: Gold, rank: RankKernel | None = None
    ) -> None:
        self._travels_as(law, family, gold, rank)
        if rank is None and family.name not in KERNELS:
            raise NoExactForm(f"no certified sums for the family {family} on {law}")
        self.law, self.rank = law, rank or KERNELS[family.name]
        self.lower = family.domain.lower
        shape = GoldShape(law, gold)
        self.shape, self.in_reward = shape, shape.in_reward
        self.expr, self.x, self.low, self.high = shape.expr, shape.x, shape.low, shape.high
        self.pieces, self.values = shape.pieces, shape.values
        theta = self.rank.theta
        forms = {name: self.rank.forms()[name] for name in ("k", "S", "k+", "S+")}
        self.weights = {n: compiled(e, (u, ubar, theta)) for n, e in forms.items()}
        plain = {n: e for n, e in plain_tilt().items() if n in forms} if theta is lam else {}
        self.plain = {n: compiled(e, (u, ubar, theta)) for n, e in plain.items()}
        self.largest = compiled(self.rank.largest_ratio, (theta,))
        self.program: Program = compiled(shape.expr, (shape.x,))
        self._rows: dict[int, tuple[int, list[Row], list[Any]]] = {}

    @cached_property
    def pattern(self) -> tuple[list[int], list[Change]] | None:
        """The strict signs of the increments of g, and the atoms at which they change."""
        return lattice_pattern(self.law, self.shape)

    def exact_sign(self, x: Fraction) -> int | None:
        return None

    @cached_property
    def finite(self) -> bool:
        """Whether E[g] under the reference is certified to be finite: then so is every f(θ)."""
        try:
            with precision(64):
                return bool(self.value(ball(self.lower)).is_finite())
        except NotCertified:
            return False

    @cached_property
    def _step_bound(self) -> Growth:
        """b with |g(j + 1) − g(j)| ≤ b(j)."""
        if not self.in_reward:
            with precision(64):
                lowest = lattice_of(self.law).sides(self.law.first)[0]
                size = supremum_from(self.expr, lowest ** (ball(1) / self.shape.q))
            return Growth(2 * size.size)
        one = growth(self.expr, 1)
        # max(1, j + 1) ≤ 2 max(1, j), and e^{rate (j+1)} ≤ 3^{⌈rate⌉} e^{rate·j}.
        degree, rate = (-(-x.numerator // x.denominator) for x in (one.degree, one.rate))
        return Growth(one.size * (1 + 2**degree * 3**rate), one.degree, one.rate)

    def _table(self, last: int) -> tuple[list[Row], list[Any]]:
        """The atoms up to ``last`` and more, with the increments of g, at this precision."""
        bits = current_bits()
        known = self._rows.get(bits)
        if known is None or known[0] < last:
            if known is not None:
                last = max(last, known[0] + (known[0] - self.law.first) // 4)
            with precision(bits + _GUARD_BITS):
                rows = lattice_of(self.law).rows(self.law.first, last + 1)
                gold = [self._gold(row) for row in rows]
                steps = [b - a for a, b in pairwise(gold)]
            self._rows[bits] = known = (last, rows[:-1], steps)
        return known[1], known[2]

    def _gold(self, row: Row) -> Any:
        if self.in_reward:
            return self.program(REAL, ball(row.at))
        level = self.law.upto(row.at)
        at = row.upto if level is None else ball(level)
        q = self.shape.q
        return self.program(REAL, at if q == 1 else at ** (ball(1) / q))

    def _terms(self, weight: str, theta: Any) -> tuple[list[Any], Any]:
        """Δ_k·weight(F_k) by atom, and a ball around what is beyond them."""
        lattice = lattice_of(self.law)
        factor = self.largest(REAL, theta) + 1

        def tail(k: int) -> Any:
            return lattice.beyond(k, self._step_bound, Fraction(1), factor)

        last = lattice.last(tail)
        rows, steps = self._table(last)
        last = rows[-1].at
        spend(len(rows))
        plain = self.plain and theta > ball(Fraction(1, 16))
        forms = self.plain if plain else self.weights
        low, high, half = forms[weight], forms[f"{weight}+"], ball(Fraction(1, 2))
        out = [
            step * (low if row.upto < half else high)(REAL, row.upto, row.above, theta)
            for row, step in zip(rows, steps, strict=True)
        ]
        return out, symmetric(tail(last))

    def __call__(self, x: Any) -> Any:
        """f′ at a ball."""
        terms, beyond = self._terms("k", x)
        return sum(terms, beyond)

    def value(self, theta: Any) -> Any:
        """f at a ball."""
        terms, beyond = self._terms("S", theta)
        with precision(current_bits() + _GUARD_BITS):
            first = self._gold(lattice_of(self.law).rows(self.law.first, self.law.first)[0])
        return first + sum(terms, beyond)

    def parts(self, theta: Any, changes: list[Change]) -> list[Any]:
        """The sums of Δ_k k_θ(F_k) between the sign changes of Δ."""
        terms, beyond = self._terms("k", theta)
        cuts = [0, *(int(c.low) - self.law.first for c in changes), len(terms)]
        parts = [sum(terms[a:b], ball(0)) for a, b in pairwise(cuts)]
        return [*parts[:-1], parts[-1] + beyond]


__all__ = ["LatticeCurve"]
