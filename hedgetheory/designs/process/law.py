"""The law of a response's summed process reward when its length is geometric."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any

from hedgetheory.designs.process.functions import SHAPES, clip_rewards, delta_rewards
from hedgetheory.errors import InputError, NotCertified, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.geometric import Geometric

#: A response is cut at this many steps at most, where it is cut.
MAX_CUT = 1000


class ProcessSum(FiniteLaw):
    """The sum of the process rewards of K steps of score c each, K geometric: P(K > k) = ρ^k.

    raw: cK. clip: K min(c − η, 0). delta: c where K >= 2, and 0 for one step, whatever K is beyond.
    Generation is cut after ``steps`` steps, which then has P(K = steps) = ρ^{steps−1}. From the
    paper: the three shapes; *modelling choice*: a geometric length and one score for all steps, as
    of a response that repeats itself.

    ``rho`` in (0, 1), ``c`` > 0 in the unit of the reward, ``steps`` whole from 1 to 1000 or oo,
    ``shape`` raw, clip or delta, ``eta`` real (used by clip alone). Without a cut the raw sum is
    built for c = 1, where it is geometric(1 − ρ), and delta for every c. Raises InputError outside,
    NotCertified for other sums without a cut.

    >>> ProcessSum("1/2", steps=3).atoms
    ((Fraction(1, 1), Fraction(1, 2)), (Fraction(2, 1), Fraction(1, 4)), \
(Fraction(3, 1), Fraction(1, 4)))
    >>> ProcessSum("1/2")
    geometric(p=0.5)

    Source: a modelling choice for arXiv 2410.15115.
    """

    name = "process"
    parameters = ("rho", "c", "steps", "eta")

    def __new__(
        cls,
        rho: RealInput,
        c: RealInput = 1,
        steps: RealInput = "oo",
        shape: str = "raw",
        eta: RealInput = 1,
    ) -> Any:
        if steps != "oo":
            return super().__new__(cls)
        share, score, _ = _checked(rho, c, shape, eta)
        if shape == "raw" and score == 1:
            return Geometric(1 - share)
        if shape == "delta":
            return Finite({0: 1 - share, score: share})
        raise NotCertified(
            f"process(shape={shape}, c={short(score)}) without a cut is not built: give steps=..., "
            "or take c=1 and the raw sum, with lam in units of 1/c"
        )

    def __init__(
        self,
        rho: RealInput,
        c: RealInput = 1,
        steps: RealInput = "oo",
        shape: str = "raw",
        eta: RealInput = 1,
    ) -> None:
        self.rho, self.c, self.eta = _checked(rho, c, shape, eta)
        self.steps, self.shape = rational(steps, "steps"), shape
        if self.steps.denominator != 1 or not 1 <= self.steps <= MAX_CUT:
            call = f"process(steps={short(self.steps)})"
            raise must_be("steps", short(self.steps), f"a whole number from 1 to {MAX_CUT}", call)

    @cached_property
    def atoms(self) -> tuple[tuple[Fraction, Fraction], ...]:
        masses: dict[Fraction, Fraction] = {}
        going, last = Fraction(1), int(self.steps)
        for k in range(1, last + 1):
            here = going if k == last else going * (1 - self.rho)
            going -= here
            total = self._sum(k)
            masses[total] = masses.get(total, Fraction(0)) + here
        return tuple(sorted(masses.items()))

    def _sum(self, k: int) -> Fraction:
        """The sum of k steps: every step of Clip is alike, and Delta telescopes from two on."""
        if self.shape == "raw":
            return k * self.c
        if self.shape == "clip":
            return k * clip_rewards([self.c], self.eta)[0]
        return sum(delta_rewards([self.c] * min(k, 2)), Fraction(0))

    def __str__(self) -> str:
        inside = f"rho={short(self.rho)}, c={short(self.c)}, steps={short(self.steps)}"
        return f"{self.name}({inside}, shape={self.shape}, eta={short(self.eta)})"


def _checked(
    rho: RealInput, c: RealInput, shape: str, eta: RealInput
) -> tuple[Fraction, Fraction, Fraction]:
    share, score, bound = rational(rho, "rho"), rational(c, "c"), rational(eta, "eta")
    call = f"process(rho={rho}, c={c}, shape={shape})"
    if not 0 < share < 1:
        raise must_be("rho", rho, "a real number in (0, 1)", call)
    if score <= 0:
        raise must_be("c", c, "a real number > 0", call)
    if shape not in SHAPES:
        raise InputError(f"shape={shape}, but must be raw, clip or delta [{call}]")
    return share, score, bound
