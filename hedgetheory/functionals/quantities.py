"""The quantities: one name each, what it needs, and `value`, which computes any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.errors import InputError, must_be, nearest
from hedgetheory.exact import Number, RealInput, rational
from hedgetheory.expressions import symbols as names
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.bound import Bound, GoldCurve, Point
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Plan
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.base import Policy, RankPolicy

_NOWHERE, _NO_GOLD = Point(), GoldCurve(sympy.S.Zero, None)


@dataclass(frozen=True)
class Request:
    """The arguments of a quantity, checked; those it does not use are absent."""

    at: Point = _NOWHERE
    level: Fraction = Fraction(0)
    order: Fraction = Fraction(2)
    gold: GoldCurve = _NO_GOLD
    wrt: sympy.Symbol | None = None


@dataclass(frozen=True)
class Quantity:
    """A quantity: its name, what it is, what it needs beside law and policy, and its plans."""

    name: str
    summary: str
    needs: tuple[str, ...]
    plans: Callable[[Bound, Request], Iterable[Plan]]


def _simple(name: str, summary: str) -> Quantity:
    return Quantity(name, summary, (), lambda bound, _: getattr(bound, name)())


def _pointwise(name: str, summary: str) -> Quantity:
    return Quantity(name, summary, ("at",), lambda bound, q: getattr(bound, name)(q.at))


def _score(bound: Bound, request: Request) -> Iterable[Plan]:
    wrt = request.wrt
    if wrt is None:
        if not bound.policy.bindings:
            raise InputError(f"{bound.policy} has no parameter to take a score in")
        wrt = next(iter(bound.policy.bindings))
    return bound.score(request.at, wrt)


_ALL = (
    _pointwise("density", "density of the selected reward, with respect to Lebesgue measure"),
    _pointwise("ratio", "w = dπ/dπ_ref at a reward"),
    _pointwise("mass", "probability of an atom under the policy"),
    _pointwise("cdf", "P(selected reward <= at)"),
    Quantity("quantile", "smallest reward whose policy cdf is at least `at`", ("level",),
             lambda bound, q: bound.quantile(q.level)),
    Quantity("score", "derivative of ln w in the parameter, at a reward", ("at", "wrt"), _score),
    _simple("kl", "KL(policy‖reference), in nats"),
    _simple("chi2", "E[w²] − 1"),
    Quantity("renyi", "Rényi divergence of the given order, in nats", ("order",),
             lambda bound, q: bound.renyi(q.order)),
    _simple("total_variation", "½ E|w − 1|"),
    _simple("mean_reward", "E[R], the mean proxy reward"),
    _simple("mean_quantile", "E[F(R)]"),
    _simple("win_rate", "P(beats one reference draw), ties counted ½"),
    Quantity("gold", "E[g], the value of the policy", ("gold",),
             lambda bound, q: bound.gold(q.gold)),
    _simple("expected_draws", "E[N], the mean number of draws"),
)  # fmt: skip
QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}


def plans(
    law: Law,
    policy: Policy,
    quantity: str,
    *,
    at: RealInput | str | None = None,
    order: RealInput | None = None,
    gold: Any = None,
    wrt: str | None = None,
) -> Iterable[Plan]:
    """The plans of a quantity, the best first and the definition last. Arguments as `value`."""
    _require_objects(law, policy)
    if quantity == "threshold":
        raise InputError("threshold belongs to a family: use hedgetheory.threshold(law, family, …)")
    if quantity not in QUANTITIES:
        raise InputError(f"unknown quantity {quantity}: {nearest(quantity, list(QUANTITIES))}")
    spec = QUANTITIES[quantity]
    given = {"at": at, "order": order, "gold": gold, "wrt": wrt}
    call = f"{quantity} of {policy} on {law}"
    for name, argument in given.items():
        needed = name in spec.needs or (name == "at" and "level" in spec.needs)
        if argument is not None and not needed:
            raise InputError(f"{quantity} takes no {name} [{call}]")
        if argument is None and needed and name != "wrt":
            raise InputError(f"{quantity} needs {name} [{call}]")
    request = Request(
        _point(at, call) if "at" in spec.needs else Point(),
        _level(at, call) if "level" in spec.needs else Fraction(0),
        _order(order, call) if order is not None else Fraction(2),
        _gold(gold, call),
        _parameter(wrt, policy) if wrt is not None else None,
    )
    bound = bind(policy, law)
    if spec.name == "renyi" and request.order == 1:
        return bound.kl()
    return spec.plans(bound, request)


def value(
    law: Law,
    policy: Policy,
    quantity: str,
    *,
    at: RealInput | str | None = None,
    order: RealInput | None = None,
    gold: Any = None,
    wrt: str | None = None,
    digits: int = 15,
) -> Number:
    """A quantity of a policy on a law, exact or certified to ``digits`` significant digits.

    Args:
        law: the reference law of the proxy reward.
        policy: the selection policy.
        quantity: a name of `QUANTITIES`; divergences are in nats.
        at: for pointwise quantities, a reward, or text such as ``"u=0.3"`` for the reward at that
            reference quantile; for ``quantile``, a probability in (0, 1).
        order: of the Rényi divergence, > 0 (order 1 is the KL divergence).
        gold: for ``gold``, an object with `expr` and `variable`, such as a parsed formula.
        wrt: for ``score``, the name of the parameter; the policy's first by default.
        digits: significant digits, 1 to 10,000.

    Returns an exact number (rational, ±∞, or undefined with a reason) or a certified ball.
    Raises InputError for arguments out of domain, NotOnThisLaw where the policy does not exist on
    the law, NotCertified where the digits cannot be reached.

    >>> from hedgetheory.policies.best_of_n import BestOfN
    >>> print(value(Uniform(), BestOfN(3), "mean_quantile"))
    3/4 exactly
    """
    if not 1 <= digits <= 10_000:
        raise must_be("digits", digits, "an integer from 1 to 10000", f"value({quantity})")
    plan = next(iter(plans(law, policy, quantity, at=at, order=order, gold=gold, wrt=wrt)))
    one_atom = isinstance(law, FiniteLaw) and len(law.atoms) == 1
    if (policy.is_reference or one_atom) and quantity in _ZERO_AT_REFERENCE:
        return Number.exact(0)
    return number(plan, digits, quantity)


_ZERO_AT_REFERENCE = {"kl", "chi2", "renyi", "total_variation"}


def kl_divergence(policy: Policy, law: Law | None = None, digits: int = 15) -> Number:
    """KL(policy‖reference) in nats, exact or certified.

    For a rank policy it is the same on every law without atoms, which is the default; any other
    policy needs its law. Raises as `value` does.

    >>> from hedgetheory.policies.best_of_poisson import BestOfPoisson
    >>> kl_divergence(BestOfPoisson(5)).decimal(12)[0]
    '0.833449425762'
    """
    _require_objects(law or _UNIFORM, policy)
    if policy.is_reference:
        return Number.exact(0)
    if law is None:
        if not isinstance(policy, RankPolicy):
            raise InputError(f"the KL of {policy} depends on the law: give one")
        law = _UNIFORM
    return number(next(iter(bind(policy, law).kl())), digits, "kl")


_UNIFORM = Uniform()


def _require_objects(law: object, policy: object) -> None:
    if not isinstance(law, Law):
        raise InputError(f"law={law!r}, but must be a law: hedgetheory.parse_law reads text")
    if not isinstance(policy, Policy):
        raise InputError(
            f"policy={policy!r}, but must be a policy: hedgetheory.parse_policy reads text"
        )


def _gold(gold: Any, call: str) -> GoldCurve:
    if gold is None:
        return _NO_GOLD
    if not (hasattr(gold, "expr") and hasattr(gold, "variable")):
        raise InputError(
            f"gold={gold!r}, but must be a formula: hedgetheory.parse_gold reads text [{call}]"
        )
    return GoldCurve.of(gold)


def _point(at: RealInput | str | None, call: str) -> Point:
    if isinstance(at, str) and at.replace(" ", "").startswith("u="):
        level = rational(at.split("=", 1)[1], "u")
        if not 0 < level < 1:
            raise must_be("u", level, "a quantile in (0, 1)", call)
        return Point(quantile=level)
    assert at is not None
    return Point(reward=rational(at, "at"))


def _level(at: RealInput | str | None, call: str) -> Fraction:
    assert at is not None
    level = rational(at, "at")
    if not 0 < level < 1:
        raise must_be("at", at, "a probability in (0, 1)", call)
    return level


def _order(order: RealInput, call: str) -> Fraction:
    exact = rational(order, "order")
    if exact <= 0:
        raise must_be("order", order, "a real number > 0", call)
    return exact


def _parameter(wrt: str, policy: Policy) -> sympy.Symbol:
    # The reward is r in formulas, so the r of negative_binomial(r, p) is the symbol k.
    symbol = names.k if wrt == "r" else getattr(names, wrt, None)
    if symbol not in policy.bindings:
        known = ", ".join(s.name for s in policy.bindings) or "none"
        raise InputError(f"wrt={wrt}, but the parameters of {policy} are: {known}")
    return symbol
