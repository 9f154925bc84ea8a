"""What is known of a wrong answer, and when a wrong formula explains it.

An answer matches a wrong formula where it agrees with it to 10⁻⁶ and a thousand times better than
with the truth. Errors by rounding have no reproducible value; they are recognised by their size:
that of a few roundings of the largest term in the formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hedgetheory.reference.sample_mistakes import Rows
from hedgetheory.reference.wrong_laws import Asked, FloatLaw

#: Agreement with a wrong value, by itself and compared with the truth.
CLOSE, CLOSER = 1e-6, 1e-3
#: What a wrong formula is off by, at least.
FAR = 1e-5
EPSILON = 2.0**-52
#: Roundings that an error may consist of, to be told as one.
ROUNDINGS = 64
ATOMIC = ("bernoulli", "finite", "poisson", "geometric")


@dataclass(frozen=True)
class Facts:
    """A wrong answer in float64: what was asked, what was given, and the truth (NaN: undefined)."""

    quantity: str
    policy: str
    law: str
    p: dict[str, float]
    given: float
    truth: float
    float_law: FloatLaw | None
    scale: str = "reward"
    u: float | None = None
    reward: float | None = None
    order: float | None = None
    gold: str | None = None
    rows: Rows = ()
    #: As the case states them.
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on_uniform(self) -> bool:
        return self.law == "uniform" or self.scale == "quantile"

    @property
    def asked(self) -> Asked | None:
        law = self.float_law
        if law is None:
            return None
        return Asked(self.quantity, law, self.u, self.reward, self.order, self.gold)

    @property
    def lost(self) -> bool:
        """Whether the answer is no number where there is one."""
        return not math.isfinite(self.given) and math.isfinite(self.truth)


Values: TypeAlias = "Iterable[float | None]"


@dataclass(frozen=True)
class Mistake:
    """One mistake: its number in MUTANTS (0: not there), what it looks like, and its test.

    ``values`` gives the numbers that it would produce, ``matches`` decides by itself; both may
    return nothing for a case that it does not concern.
    """

    name: str
    number: int
    says: str
    values: Callable[[Facts], Values] | None = None
    matches: Callable[[Facts], bool] | None = None

    def explains(self, facts: Facts) -> bool:
        if self.matches is not None and self.matches(facts):
            return True
        return self.values is not None and any(
            wrong is not None and _agrees(facts, wrong) for wrong in self.values(facts)
        )


def _agrees(facts: Facts, wrong: float) -> bool:
    if not (math.isfinite(wrong) and math.isfinite(facts.given)):
        return False
    distance = abs(facts.given - wrong)
    if distance > CLOSE * abs(wrong):
        return False
    if not math.isfinite(facts.truth):
        return True
    off = abs(facts.given - facts.truth)
    # What is off by less may be rounding; a formula that is nearly right explains nothing.
    return off > FAR * abs(facts.truth) and distance <= CLOSER * off


def is_rounding(f: Facts, size: float) -> bool:
    """Whether the error is that of rounding a term of this size, and the value much smaller."""
    if not (math.isfinite(f.given) and math.isfinite(f.truth)):
        return False
    error = abs(f.given - f.truth)
    return error <= ROUNDINGS * EPSILON * size and abs(f.truth) <= 1e-3 * size
