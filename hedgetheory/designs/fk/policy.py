"""Feynman–Kac steering with one resampling: importance sampling, which is Soft Best-of-n."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

from hedgetheory.errors import InputError, NotOnThisLaw, must_be
from hedgetheory.exact import RealInput, short
from hedgetheory.expressions.symbols import k, lam, n
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.bound import Bound
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.policies.base import Domain, Policy
from hedgetheory.policies.family import Family
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

Potential = Literal["difference", "max", "sum", "terminal"]
POTENTIALS: tuple[Potential, ...] = ("difference", "max", "sum", "terminal")
PAPER = "arXiv 2501.06848"
#: The published value of the reward that everything starts from.
FLOOR = Fraction(0)


class FeynmanKac(Policy):
    """k particles reweighted once by e^{λ·potential} at the end, one of them drawn: SBoN(k, λ).

    With one resampling step and the reward starting from 0, the exponent is r − 0 (difference),
    0 + r (sum), r (terminal) or max(0, r) (max): the first three *are* Soft Best-of-k, and so is
    max where no reward is below 0; elsewhere it does not tell rewards below 0 apart and is refused.
    The ratio to the reference is at most k. For paths with several steps see `chain`.

    From the paper and its code: potentials, k = 4, λ = 10. *Modelling choices*: the law given is
    that of the terminal reward; one of the k particles is drawn, not the best of them; the last
    resampling is not skipped, and weights are not clamped at 1e10 (see the claims for both).

    ``k`` an integer >= 1, ``lam`` >= 0, ``potential`` a word. Raises InputError outside, and
    NotOnThisLaw for max where rewards can be below 0. Source: arXiv 2501.06848.

    >>> FeynmanKac(4, 10), FeynmanKac(4, 10).simplest()
    (fk(k=4, lam=10, potential=difference), sbon(n=4, lam=10))
    """

    name = "fk"
    symbols = (k, lam)
    domains = (Domain(Fraction(1)), Domain(Fraction(0)))

    def __init__(self, k: RealInput, lam: RealInput, potential: Potential = "difference") -> None:
        self._set(k, lam)
        call = f"fk(k={k}, lam={lam}, potential={potential})"
        if self.particles.denominator != 1:
            raise must_be("k", k, "an integer >= 1: a number of particles", call)
        if potential not in POTENTIALS:
            raise must_be("potential", potential, f"one of {', '.join(POTENTIALS)}", call)
        self.potential = potential

    def __str__(self) -> str:
        return f"{super().__str__()[:-1]}, potential={self.potential})"

    @property
    def particles(self) -> Fraction:
        """k."""
        return self.bindings[k]

    @property
    def strength(self) -> Fraction:
        """λ."""
        return self.bindings[lam]

    def simplest(self) -> Policy:
        return self if self.potential == "max" else self.soft()

    def soft(self) -> SoftBestOfN:
        """SBoN(k, λ)."""
        return SoftBestOfN(self.particles, self.strength)

    def bound_on(self, law: Law) -> Bound | None:
        """The max potential, on a law of rewards ≥ 0."""
        low = lowest_reward(law)
        if low is None or low < FLOOR:
            known = "unbounded below" if low is None else f"as low as {short(low)}"
            raise NotOnThisLaw(
                f"{self} on {law}: rewards are {known}, and the max potential starts from "
                f"{short(FLOOR)}, so that it ties all rewards below; take a law of rewards >= 0, "
                "or another potential"
            )
        return bind(self.soft(), law)

    @property
    def is_reference(self) -> bool:
        return self.soft().is_reference

    @classmethod
    def known_as(cls, family: Family, fixed: Mapping[str, Any]) -> Family:
        """The family of Soft Best-of-n that it is, under its own name."""
        if fixed["potential"] == "max":
            raise InputError(
                f"{family}: the max potential has no family of its own; where no reward is below 0 "
                "it is that of potential=difference"
            )
        if family.symbol == lam:
            particles = cls(fixed["k"], 0).particles
            return Family(
                family.name, lambda x: SoftBestOfN(particles, x), lam, SoftBestOfN.domains[1]
            )
        strength = cls(1, fixed["lam"]).strength
        return Family(family.name, lambda x: SoftBestOfN(x, strength), n, SoftBestOfN.domains[0])


def lowest_reward(law: Law) -> Fraction | None:
    """The lower end of a law's rewards, None for −∞ and where it is not known."""
    if isinstance(law, FiniteLaw):
        return law.atoms[0][0]
    if isinstance(law, CountableLaw):
        return Fraction(law.first)
    return law.support[0] if isinstance(law, ContinuousLaw) else None
