"""Slopes on finitely many atoms: numerical derivatives, in 300 digits, of a sum over all counts."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r as reward_symbol
from hedgetheory.expressions.symbols import u as quantile_symbol
from hedgetheory.numerics.program import compiled
from hedgetheory.reference.cases import Job
from hedgetheory.reference.definitions import Atoms, arithmetic, exact, law_of, mp
from hedgetheory.spec.grammar import parse_gold

METHOD = "derivative of the definition in mpmath"


def on_atoms(job: Job, parameters: dict[str, Any], value: Number) -> tuple[str, Any] | None:
    """What has a slope in λ; the rest is summed by the definitions that every policy shares."""
    law, n = law_of(job.law), parameters["n"]
    assert isinstance(law, Atoms)
    if job.quantity not in ("slope", "score_strength", "first_peak") or n.denominator > 1:
        return None
    if job.quantity == "score_strength":
        assert job.at is not None
        place = [r for r, _ in law.atoms].index(exact(job.at[1]))
        logarithm = lambda lam: mp.log(law.soft(int(n), lam)[place])  # noqa: E731
        return METHOD, mp.diff(logarithm, exact(parameters["lam"]))
    curve = _value(job, law, int(n))
    if job.quantity == "slope":
        return METHOD, mp.diff(curve, exact(parameters["lam"]))
    if value.is_undefined:
        return METHOD, none_if_it_turns([mp.diff(curve, mp.mpf(2) ** k) for k in range(-7, 8)])
    theta = exact(sum(value.bounds, Fraction(0)) / 2)
    return METHOD, theta - mp.diff(curve, theta) / mp.diff(curve, theta, 2)


def none_if_it_turns(slopes: list[Any]) -> Any:
    """NaN where f never falls after it rose, as far as a grid of its slopes tells; else 0."""
    signs = [mp.sign(slope) for slope in slopes if slope]
    rose = [i for i, sign in enumerate(signs) if sign > 0]
    falls = rose and any(sign < 0 for sign in signs[rose[0] :])
    return mp.zero if falls else mp.nan


def _value(job: Job, law: Atoms, n: int) -> Callable[[Any], Any]:
    """E[g] as a function of λ."""
    program = compiled(parse_gold(job.gold or "").expr, (quantile_symbol, reward_symbol))
    pairs = zip(law.atoms, law.cumulative[1:], strict=True)
    golds = [program(arithmetic, upto, r) for (r, _), upto in pairs]
    return lambda lam: mp.fsum(m * g for m, g in zip(law.soft(n, lam), golds, strict=True))
