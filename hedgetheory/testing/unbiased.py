"""Whether an estimator from samples is unbiased: exactly, over all subsets of small tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from typing import TypeAlias

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.numerics.ball import ball, enclosing_rationals, precision
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_policy
from hedgetheory.testing.failures import Disagreement, name_of

#: (proxy, gold) of the responses of one prompt.
Table: TypeAlias = "tuple[tuple[Fraction, Fraction], ...]"
#: Softmax weights are enclosed at this precision: far beyond any tolerance on a double.
_BITS = 160
MAX_RESPONSES = 7
RTOL = Fraction(1, 10**10)


def _table(proxies: Sequence[int], golds: Sequence[int]) -> Table:
    return tuple((Fraction(p), Fraction(g)) for p, g in zip(proxies, golds, strict=True))


#: Unsorted, tied in part or wholly, gold against the proxy, pass and fail, two responses.
TABLES: tuple[Table, ...] = (
    _table([3, 1, 4, 0, 5], [2, 7, -1, 8, 2]),
    _table([1, 2, 2, 0, 2, 1], [4, 0, 8, -4, 1, 16]),
    _table([1, 1, 1, 1], [0, 1, 5, 2]),
    _table([4, 3, 2, 1, 0], [0, 1, 2, 3, 4]),
    _table([0, 0, 1, 0], [0, 0, 1, 0]),
    _table([2, 1], [1, 3]),
)


def assert_unbiased(
    estimator: Callable[[list[float], list[float]], object],
    policy: Policy | str,
    tables: Iterable[Sequence[tuple[RealInput, RealInput]]] = TABLES,
    *,
    every_order: bool = True,
    refuses: bool = True,
    nan: bool = False,
    rtol: RealInput = RTOL,
) -> None:
    """An estimate from S responses is unbiased for the value of a policy that draws n of them.

    A symmetric estimator is unbiased, whatever the law of the responses, iff on every table it is
    the mean over all C(S, n) subsets of what the policy gains from the subset. That mean is
    computed by enumeration, rational for Best-of-n (tied proxies share their gold), in balls for
    Soft Best-of-n, and must be met on every table of S ≥ n responses, in the order given, reversed
    and rotated. With ``every_order=False`` only the mean over all S! orders must be met: that is
    unbiasedness for independent responses, and passes an estimator that wastes all but n of them.

    Args:
        estimator: takes the proxies and the golds of one prompt, lists of floats, in no order.
            A Fraction that it returns must be right exactly.
        policy: ``bon(n)`` or ``sbon(n, lam)`` on the reward, with an integer n.
        tables: (proxy, gold) pairs, 1 to 7 of them a table, binary64 numbers. By default six, with
            ties, negative gold, gold against the proxy, and pass/fail.
        refuses: whether on tables with S < n, where no unbiased estimate exists, it must return
            None or NaN or raise ValueError.
        nan: whether a NaN among the proxies is tried too, in each place of the first table: what
            comes back (no number, as when it refuses, or one) must be the same wherever it stands.
        rtol: error allowed to a float, relative to the largest |gold| of the table.

    Raises Disagreement for the first table that is off; InputError for another policy, a table out
    of bounds, and where no table has n responses.

    >>> def first_two(proxies, golds):
    ...     return max(zip(proxies[:2], golds[:2]))[1]
    >>> assert_unbiased(first_two, "bon(2)", [[(3, 2), (1, 7), (4, 6)]], every_order=False)
    >>> assert_unbiased(first_two, "bon(2)", [[(3, 2), (1, 7), (4, 6)]])
    Traceback (most recent call last):
        ...
    hedgetheory.testing.failures.Disagreement: the estimate of bon(n=2) is not the mean over subsets
      input      proxies [3.0, 1.0, 4.0], golds [2.0, 7.0, 6.0]
      got        2.0
      want       14/3 (about 4.666666666666667)
      bound      |got - want| <= 7e-10
      because    the mean over all orders is 14/3: unbiased, but it depends on the order
      reproduce  first_two([3.0, 1.0, 4.0], [2.0, 7.0, 6.0])

    Source: Halmos, The theory of unbiased estimation, Ann. Math. Statist. 17 (1946).
    """
    __tracebackhide__ = True  # pytest shows the message, not this function
    chosen = parse_policy(policy) if isinstance(policy, str) else policy
    n = _draws(chosen)
    relative = rational(rtol, "rtol")
    examined = 0
    for given in tables:
        table = tuple((rational(p, "proxy"), rational(g, "gold")) for p, g in given)
        if not 1 <= len(table) <= MAX_RESPONSES:
            raise must_be(
                "S", len(table), f"from 1 to {MAX_RESPONSES} responses", "assert_unbiased"
            )
        if len(table) < n:
            if refuses:
                _must_refuse(estimator, table, chosen)
            continue
        low, high = subset_mean(table, chosen)
        slack = relative * max(abs(g) for _, g in table)
        examined += 1
        if every_order:
            turned = (table, table[::-1], *(table[k:] + table[:k] for k in range(1, len(table))))
            for order in turned:
                _must_be_near(estimator, chosen, order, (low, high), slack)
        else:
            _mean_must_be_near(estimator, chosen, table, (low, high), slack)
        if nan and examined == 1:
            _must_not_see_places(estimator, chosen, table, slack)
    if not examined:
        raise InputError(f"nothing to examine: no table has the {n} responses of {chosen}")


def subset_mean(table: Table, policy: Policy) -> tuple[Fraction, Fraction]:
    """Bounds of the mean over all n-subsets of the gold that the policy selects; equal for BoN."""
    subsets = list(combinations(table, _draws(policy)))
    if isinstance(policy, BestOfN):
        exact = sum(map(_best, subsets), Fraction(0)) / len(subsets)
        return exact, exact
    assert isinstance(policy, SoftBestOfN)
    bounds = [_softly(subset, policy.strength) for subset in subsets]
    return tuple(sum(side, Fraction(0)) / len(subsets) for side in zip(*bounds, strict=True))  # type: ignore[return-value]


def _best(subset: Table) -> Fraction:
    """The mean gold of the responses with the highest proxy."""
    top = max(proxy for proxy, _ in subset)
    golds = [gold for proxy, gold in subset if proxy == top]
    return sum(golds, Fraction(0)) / len(golds)


def _softly(subset: Table, strength: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds of Σ g e^{λp} / Σ e^{λp}, the largest exponent taken out."""
    top = max(proxy for proxy, _ in subset)
    with precision(_BITS):
        weights = [ball(strength * (proxy - top)).exp() for proxy, _ in subset]
        gained = sum(w * ball(gold) for w, (_, gold) in zip(weights, subset, strict=True))
        return enclosing_rationals(gained / sum(weights))


def _draws(policy: Policy) -> int:
    soft = isinstance(policy, SoftBestOfN) and policy.scale == "reward"
    if not (soft or isinstance(policy, BestOfN)):
        raise InputError(f"{policy}, but an unbiased estimate is of bon(n) or sbon(n, lam)")
    n = policy.draws if isinstance(policy, SoftBestOfN) else next(iter(policy.bindings.values()))
    if n.denominator != 1:
        raise must_be("n", short(n), "an integer", f"assert_unbiased({policy})")
    return int(n)


def _floats(table: Table) -> tuple[list[float], list[float]]:
    columns = [float(p) for p, _ in table], [float(g) for _, g in table]
    if any(Fraction(x) != y for x, (y, _) in zip(columns[0], table, strict=True)) or any(
        Fraction(x) != y for x, (_, y) in zip(columns[1], table, strict=True)
    ):
        raise InputError(f"the scores of a table must be binary64 numbers, not {table}")
    return columns


def _estimate(
    estimator: Callable[[list[float], list[float]], object], table: Table
) -> Fraction | float | None:
    """What the estimator returns; None where it refuses."""
    return _called(estimator, _floats(table))


def _called(
    estimator: Callable[[list[float], list[float]], object],
    columns: tuple[list[float], list[float]],
) -> Fraction | float | None:
    try:
        found = estimator(*columns)
    except ValueError:
        return None
    if found is None or isinstance(found, Fraction):
        return found
    number = float(found)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


def _must_be_near(
    estimator: Callable[[list[float], list[float]], object],
    policy: Policy,
    table: Table,
    bounds: tuple[Fraction, Fraction],
    slack: Fraction,
) -> None:
    found = _estimate(estimator, table)
    if found is not None and _near(found, bounds, slack):
        return
    raise _biased(
        estimator, policy, table, (found, bounds, slack), _why(estimator, table, bounds, slack)
    )


def _mean_must_be_near(
    estimator: Callable[[list[float], list[float]], object],
    policy: Policy,
    table: Table,
    bounds: tuple[Fraction, Fraction],
    slack: Fraction,
) -> None:
    mean = _mean_over_orders(estimator, table)
    if mean is None or not _near(mean, bounds, slack):
        why = "this is the mean over all orders of the responses: the estimator is biased"
        raise _biased(estimator, policy, table, (mean, bounds, slack), why)


def _near(found: Fraction | float, bounds: tuple[Fraction, Fraction], slack: Fraction) -> bool:
    # A Fraction is meant exactly, but for the width of the balls.
    grace = Fraction(0) if isinstance(found, Fraction) and bounds[0] == bounds[1] else slack
    return bounds[0] - grace <= Fraction(found) <= bounds[1] + grace


def _mean_over_orders(
    estimator: Callable[[list[float], list[float]], object], table: Table
) -> Fraction | float | None:
    total, count = Fraction(0), 0
    exact = True
    for order in permutations(table):
        found = _estimate(estimator, order)
        if found is None:
            return None
        exact = exact and isinstance(found, Fraction)
        total, count = total + Fraction(found), count + 1
    return total / count if exact else float(total / count)


def _why(
    estimator: Callable[[list[float], list[float]], object],
    table: Table,
    bounds: tuple[Fraction, Fraction],
    slack: Fraction,
) -> str:
    mean = _mean_over_orders(estimator, table)
    if mean is None:
        return "it gives no number, though an unbiased estimate exists"
    text = str(Fraction(mean).limit_denominator(10**6))
    if _near(mean, bounds, slack):
        return f"the mean over all orders is {text}: unbiased, but it depends on the order"
    return f"it is biased: its mean over all orders of the responses is about {float(mean):.6g}"


def _biased(
    estimator: Callable[[list[float], list[float]], object],
    policy: Policy,
    table: Table,
    found: tuple[Fraction | float | None, tuple[Fraction, Fraction], Fraction],
    why: str,
) -> Disagreement:
    got, (low, high), slack = found
    proxies, golds = _floats(table)
    exact = f"{short(low)} (about {float(low)!r})" if low == high else repr(float(low))
    return Disagreement(
        f"the estimate of {policy} is not the mean over subsets",
        [
            ("input", f"proxies {proxies}, golds {golds}"),
            ("got", "no number" if got is None else got),
            ("want", exact),
            ("bound", f"|got - want| <= {float(slack):.2g}"),
            ("because", why),
            ("reproduce", f"{name_of(estimator)}({proxies}, {golds})"),
        ],
    )


def _must_not_see_places(
    estimator: Callable[[list[float], list[float]], object],
    policy: Policy,
    table: Table,
    slack: Fraction,
) -> None:
    """The last proxy becomes NaN: each turn of the table must give the same."""
    proxies, golds = _floats(table)
    proxies[-1] = math.nan
    first: Fraction | float | None = None
    for k in range(len(table)):
        columns = proxies[k:] + proxies[:k], golds[k:] + golds[:k]
        found = _called(estimator, columns)
        if k == 0:
            first = found
        elif not _same(found, first, slack):
            name = name_of(estimator)
            raise Disagreement(
                f"the estimate of {policy} depends on where a NaN stands",
                [
                    ("input", f"proxies {columns[0]}, golds {columns[1]}"),
                    ("got", "no number" if found is None else found),
                    ("want", "no number" if first is None else first),
                    ("because", f"{name}({proxies}, {golds}) gives that: the same responses"),
                    ("reproduce", f"{name}({columns[0]}, {columns[1]})"),
                ],
            )


def _same(one: Fraction | float | None, two: Fraction | float | None, slack: Fraction) -> bool:
    if one is None or two is None:
        return one is two
    return abs(Fraction(one) - Fraction(two)) <= slack


def _must_refuse(
    estimator: Callable[[list[float], list[float]], object], table: Table, policy: Policy
) -> None:
    found = _estimate(estimator, table)
    if found is not None:
        proxies, golds = _floats(table)
        raise Disagreement(
            f"an estimate of {policy} from {len(table)} responses",
            [
                ("input", f"proxies {proxies}, golds {golds}"),
                ("got", found),
                ("want", "None, NaN or a ValueError"),
                ("because", "no unbiased estimate exists with fewer responses than draws"),
                ("reproduce", f"{name_of(estimator)}({proxies}, {golds})"),
            ],
        )
