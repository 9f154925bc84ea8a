"""A policy bound to a law: which plans compute each functional."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import alpha
from hedgetheory.functionals.closed_forms import (
    ClosedForm,
)
from hedgetheory.functionals.plans import (
    Bindings,
    Closed,
    Infinite,
    Plan,
    Undefined,
)
from hedgetheory.laws.base import Law
from hedgetheory.policies.base import Policy, RankPolicy
from hedgetheory.policies.tilt import Tilt


@dataclass(frozen=True)
class Point:
    """Where a pointwise quantity is asked for: at a reward, or at the reward of a quantile."""

    reward: Fraction | None = None
    quantile: Fraction | None = None


@dataclass(frozen=True)
class GoldCurve:
    """A gold curve as a formula in u or in r; ``variable`` is None for a constant."""

    expr: sympy.Expr
    variable: str | None

    @classmethod
    def of(cls, gold: Any) -> GoldCurve:
        """From anything with `expr` and `variable`, such as a parsed formula."""
        return cls(gold.expr, gold.variable)


class Bound(ABC):
    """A policy on a law. Each method returns plans of one quantity, the best first.

    The last plan is the definition (an integral or a sum over atoms); one before it is a closed
    form. Quantities that need arguments (an order, a point, a gold curve) take them.
    """

    policy: Policy
    law: Law

    @property
    def bindings(self) -> Bindings:
        return self.policy.bindings

    def _closed(self, form: ClosedForm, **extra: Fraction) -> Closed:
        more = {alpha: extra["order"]} if "order" in extra else {}
        return Closed(form.expr, {**self.bindings, **more}, form.title)

    # -- divergences from the reference ----------------------------------------------------------
    @abstractmethod
    def kl(self) -> Iterable[Plan]: ...
    @abstractmethod
    def chi2(self) -> Iterable[Plan]: ...
    @abstractmethod
    def renyi(self, order: Fraction) -> Iterable[Plan]: ...
    @abstractmethod
    def total_variation(self) -> Iterable[Plan]: ...

    # -- means -----------------------------------------------------------------------------------
    @abstractmethod
    def mean_reward(self) -> Iterable[Plan]: ...
    @abstractmethod
    def mean_quantile(self) -> Iterable[Plan]: ...
    @abstractmethod
    def win_rate(self) -> Iterable[Plan]: ...
    @abstractmethod
    def gold(self, curve: GoldCurve) -> Iterable[Plan]: ...

    # -- pointwise -------------------------------------------------------------------------------
    @abstractmethod
    def density(self, at: Point) -> Iterable[Plan]: ...
    @abstractmethod
    def ratio(self, at: Point) -> Iterable[Plan]: ...
    @abstractmethod
    def mass(self, at: Point) -> Iterable[Plan]: ...
    @abstractmethod
    def cdf(self, at: Point) -> Iterable[Plan]: ...
    @abstractmethod
    def quantile(self, level: Fraction) -> Iterable[Plan]: ...
    @abstractmethod
    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]: ...

    # -- cost ------------------------------------------------------------------------------------
    def expected_draws(self) -> Iterable[Plan]:
        """E[N], where the policy is best of a random number N of draws."""
        policy = self.policy
        if isinstance(policy, Tilt):
            return [Undefined("a tilt of the raw reward is not given as a best of N draws")]
        assert isinstance(policy, RankPolicy)
        if not policy.counts_draws:
            return [Undefined(f"{policy} is a rank policy with a real n, not a best of N draws")]
        if policy.mean_draws == sympy.oo:
            return [Infinite(1, "the number of draws has no finite mean")]
        return [Closed(policy.mean_draws, self.bindings)]


def require_parameter(policy: Policy, wrt: sympy.Symbol) -> None:
    if wrt not in policy.bindings:
        known = ", ".join(s.name for s in policy.bindings) or "none"
        raise InputError(f"wrt={wrt}, but the parameters of {policy} are: {known}")
