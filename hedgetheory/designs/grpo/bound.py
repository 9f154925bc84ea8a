"""GRPO's optimum on a law: closed forms on the quantile, a certified root on finite laws."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property

import sympy
from sympy import log

from hedgetheory.designs.grpo.policy import Grpo, QuantileGrpo, strength
from hedgetheory.errors import NotCertified, NotOnThisLaw
from hedgetheory.expressions.symbols import alpha, beta, total, u
from hedgetheory.expressions.vocabulary import phi1, phi2
from hedgetheory.functionals.atoms.finite import OnFinite, RankOnFinite, mass, peak, reward
from hedgetheory.functionals.bound import Bound, GoldCurve
from hedgetheory.functionals.continuous import RankOnContinuous
from hedgetheory.functionals.plans import AtomSum, Bindings, Closed, Inverse, Plan, Undefined
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN

#: On a law without atoms, on the quantile. Each is proved in the claim `grpo.closed-forms`.
_LOWER, _UPPER = phi1(-strength), phi1(strength)
MEAN_QUANTILE = phi2(-strength) / _LOWER
KL = strength / 2 + log(_LOWER)
REVERSE_KL = MEAN_QUANTILE / beta - log(_UPPER)
CHI2 = _LOWER * _UPPER - 1
RENYI = log(_LOWER) + log(phi1((alpha - 1) * strength)) / (alpha - 1)
TOTAL_VARIATION = MEAN_QUANTILE + beta * log(_LOWER)
PROOF = "claim grpo.closed-forms"

#: Polynomial gold in the quantile is summed up to this degree.
MAX_DEGREE = 64
#: (η − r_max)/β, in (0, 1] on finitely many atoms.
room = sympy.Symbol("room", positive=True)
_slope = sympy.Symbol("room_slope", real=True)


def moment(k: int) -> sympy.Expr:
    """E[U^k] = η^k − β Σ_{j=1}^{k} η^{k−j}/j, from ∫ βu^k/(η − u) = η ∫ βu^{k−1}/(η − u) − β/k."""
    eta = beta / _LOWER
    return eta**k - beta * sympy.Add(*(eta ** (k - j) / j for j in range(1, k + 1)))


def quantile_bound(policy: QuantileGrpo, law: Law) -> Bound | None:
    """The rank policy on a law, with its closed forms where there are no atoms."""
    if isinstance(law, ContinuousLaw) and not isinstance(law, EstimatedLaw):
        return GrpoOnContinuous(policy, law)
    return None


def reward_bound(policy: Grpo, law: Law) -> Bound:
    """The optimum on the raw reward. Raises NotOnThisLaw where there is none."""
    if isinstance(law, Uniform):
        return GrpoOnContinuous(QuantileGrpo(policy.bindings[beta], "quantile"), law)
    if isinstance(law, FiniteLaw):
        one = len(law.atoms) == 1
        return RankOnFinite(BestOfN(1), law) if one else GrpoOnFinite(policy, law)
    unbounded = isinstance(law, CountableLaw) or (
        isinstance(law, ContinuousLaw) and law.support[1] is None
    )
    if unbounded and not isinstance(law, EstimatedLaw):
        raise NotOnThisLaw(
            f"{policy} does not exist on {law}: rewards without an upper bound have no optimum of "
            "E[R] - beta KL(ref || policy), a small mass moved far up gains without end; "
            "take scale=quantile"
        )
    raise NotCertified(
        f"{policy} on {law} is not built: the raw reward is certified on finitely many atoms and "
        "on the uniform law; take scale=quantile"
    )


class GrpoOnContinuous(RankOnContinuous):
    """On the quantile of a law without atoms: everything that does not see F in closed form."""

    policy: QuantileGrpo

    def _form(self, expr: sympy.Expr, **more: Fraction) -> Closed:
        extra = {alpha: more["order"]} if more else {}
        return Closed(expr, {**self.bindings, **extra}, PROOF)

    def kl(self) -> Iterable[Plan]:
        yield self._form(KL)
        yield from super().kl()

    def chi2(self) -> Iterable[Plan]:
        yield self._form(CHI2)
        yield from super().chi2()

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        yield self._form(RENYI, order=order)
        yield from super().renyi(order)

    def total_variation(self) -> Iterable[Plan]:
        yield self._form(TOTAL_VARIATION)
        yield from super().total_variation()

    def mean_quantile(self) -> Iterable[Plan]:
        yield self._form(MEAN_QUANTILE)
        yield from super().mean_quantile()

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        expr = curve.expr
        if expr.has(u) and expr.is_polynomial(u) and sympy.degree(expr, u) <= MAX_DEGREE:
            terms = sympy.Poly(expr, u).terms()
            yield self._form(sympy.Add(*(c * moment(k) for (k,), c in terms)))
        yield from super().gold(curve)


class GrpoOnFinite(OnFinite):
    """On the raw reward of finitely many atoms: mass·β/(η − r), η the one root above the top.

    With x = (η − r_max)/β and d_i = (r_max − r_i)/β ≥ 0 the policy has mass p_i/(x + d_i) at r_i,
    and x solves Σ p_i/(x + d_i) = 1. The sum falls in x from ∞ at 0 to at most Σ p_i = 1 at x = 1:
    one root, in (0, 1), since not all atoms are the top. There is no atom beyond this one.
    """

    policy: Grpo

    def __init__(self, policy: Grpo, law: FiniteLaw) -> None:
        self.policy, self.law = policy, law

    @cached_property
    def _bindings(self) -> Bindings:
        top = self.law.atoms[-1][0]
        spread = sympy.Add(
            *(exact_symbol(p) / (room + exact_symbol(top - r) / beta) for r, p in self.law.atoms)
        )
        root = Inverse(1 / spread, room, Fraction(1), dict(self.policy.bindings))
        return {**self.policy.bindings, peak: top, room: root}

    @cached_property
    def _mass(self) -> sympy.Expr:
        return mass / (room + (peak - reward) / beta)

    def expected_draws(self) -> Iterable[Plan]:
        return [Undefined("grpo on the raw reward is not given as a best of N draws")]

    def _score_at(self, row: tuple[Fraction, ...], wrt: sympy.Symbol) -> Plan:
        # With y = x + d: Σ p/y = 1 gives x′ = Σ (p/y²)(d/β)/Σ (p/y²), and ∂_β ln w = (d/β − x′)/y.
        distance = (peak - reward) / beta
        squared = mass / (room + distance) ** 2
        above = AtomSum(squared * distance / beta, self._columns, self._rows, self._bindings)
        below = AtomSum(squared, self._columns, self._rows, self._bindings)
        slope = Closed(total / _slope, {total: above, _slope: below})
        bindings = {**self._bindings, **dict(zip(self._columns, row, strict=True)), _slope: slope}
        return Closed((distance / beta - _slope) / (room + distance), bindings)


__all__ = ["GrpoOnContinuous", "GrpoOnFinite", "quantile_bound", "reward_bound"]
