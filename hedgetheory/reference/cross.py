"""The second method of a case, and to how many digits it agrees with the first.

In this order, the first that applies: the method of its own that `OWN` names; the definition in
mpmath, written down once more in `definitions` (pointwise quantities, sums over atoms, closed
moment generating functions); another plan of the same quantity in balls (the definition as an
integral, where the value is a closed form); the definition by panels in mpmath; and the last plan
in mpmath, which shares the formula and not the arithmetic. What does not agree to `REQUIRED` digits
is a bug, of the value or of the check: it is raised, never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from hedgetheory.errors import HedgeTheoryError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.functionals.estimates import highprec
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Infinite, Plan, Undefined
from hedgetheory.reference import second_curves, second_designs, soft_check
from hedgetheory.reference.cases import Job
from hedgetheory.reference.definitions import written_down
from hedgetheory.reference.model import Check
from hedgetheory.reference.second import defined, inverted, panelled

#: Significant digits to which two methods must agree.
REQUIRED = 20
#: Name of a policy (a family for thresholds) or of a law -> its own second method: the name of the
#: method and its value, a `Number` or an mpmath one, for a case and the value to be checked; None
#: for a case that it does not know.
OWN: dict[str, Callable[[Job, Number], tuple[str, Any] | None]] = {
    "sbon": soft_check.estimate,
    **dict.fromkeys(second_designs.NAMES, second_designs.estimate),
}
#: As many as are counted, and those that estimates in mpmath work with.
WORKING = 30


class Disagreement(HedgeTheoryError):
    """Two methods give different values: one of them is wrong."""


def check(job: Job, value: Number, plans: Callable[[], list[Plan]]) -> Check:
    """How a second method agrees. Raises Disagreement where it does not to `REQUIRED` digits."""
    own = _own(job, value)
    if own is not None:
        return _compared(*own, value)
    found = inverted(job, value) if job.quantity == "quantile" and written_down(job) else None
    if found is not None:
        return _accepted("inverse of the definition in mpmath", found, value, "its error")
    if job.quantity in ("threshold", "gap", "gap_strength"):
        method, estimate = second_curves.estimate(job, value)
        return _compared(method, estimate, value)
    worst: Disagreement | None = None
    for method, estimate in _estimates(job, plans):
        try:
            return _compared(method, estimate, value)
        except Disagreement as error:
            worst = worst or error
            if method != "definition by panels in mpmath":  # an estimate that may not converge
                raise
    raise worst or Disagreement(f"{value}, with no second method")


def check_integers(
    job: Job, candidates: tuple[tuple[int, Number], ...], best: tuple[int, ...]
) -> None:
    """Compare f at integers with its exact value, and with all their neighbours."""
    for n, value in candidates:
        _compared("exact moments", second_curves.best_of_n_value(job, n), value)
    wanted = second_curves.best_integers(job, [n for n, _ in candidates])
    if list(best) != wanted:
        raise Disagreement(f"the best integers are {best}, and {wanted} by exact moments")


def _own(job: Job, value: Number) -> tuple[str, Any] | None:
    for spec in (job.policy, job.law, job.joint or ""):
        method = OWN.get(spec.partition("(")[0])
        found = method(job, value) if method is not None else None
        if found is not None:
            return found
    return None


def _estimates(job: Job, plans: Callable[[], list[Plan]]) -> Iterator[tuple[str, Any]]:
    known_there = written_down(job)
    found = defined(job) if known_there else None
    if found is not None:
        yield "definition in mpmath", found
        return
    known = plans()
    if len(known) > 1 and not isinstance(known[-1], (Infinite, Undefined)):
        try:
            yield "definition in balls", number(known[-1], REQUIRED + 4)
            return
        except NotCertified:
            pass
    special = isinstance(known[-1], (Infinite, Undefined))
    found = panelled(job) if known_there and not special else None
    if found is not None:
        yield "definition by panels in mpmath", found
    yield "plan in mpmath", highprec(known[-1], WORKING)


def _compared(method: str, estimate: Any, value: Number) -> Check:
    if isinstance(estimate, Number):
        low, high = value.bounds
        lower, upper = estimate.bounds
        if high < lower or upper < low:
            raise Disagreement(f"{value} and {estimate} by the {method}")
        return _accepted(method, agreement(value, (lower + upper) / 2), value, estimate)
    text = str(estimate)
    if text in ("+inf", "-inf", "nan"):
        same = value.infinite == {"+inf": 1, "-inf": -1}.get(text) or value.is_undefined
        if not same:
            raise Disagreement(f"{value} and {text} by the {method}")
        return Check(method)
    if value.infinite or value.is_undefined:
        raise Disagreement(f"{value} and {text} by the {method}")
    return _accepted(method, agreement(value, as_fraction(estimate)), value, estimate)


def _accepted(method: str, digits: int, value: Number, other: Any) -> Check:
    if digits < REQUIRED:
        raise Disagreement(f"{value} and {other} by the {method}: {digits} digits")
    return Check(method, digits)


def agreement(value: Number, other: Fraction) -> int:
    """Significant digits to which ``other`` agrees with a finite value, at most `WORKING`."""
    low, high = value.bounds
    distance = max(abs(other - low), abs(high - other))
    if low == high == 0 and distance < Fraction(1, 10**WORKING):
        return WORKING  # an exact zero has no significant digits: compared absolutely
    size = max(abs(low), abs(high))
    digits = 0
    while digits < WORKING and distance * 10 ** (digits + 1) <= size:
        digits += 1
    return digits


def as_fraction(x: Any) -> Fraction:
    """The exact value of a finite mpmath number."""
    sign, mantissa, exponent, _ = x._mpf_
    if abs(exponent) > 200_000:
        raise Disagreement(f"{x} by mpmath, beyond every table")
    value = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -value if sign else value
