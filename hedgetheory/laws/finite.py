"""Laws on finitely many atoms; the Bernoulli law is a pass/fail reward."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.laws.base import FiniteLaw

MAX_ATOMS = 10_000


def checked_masses(
    masses: Mapping[RealInput, RealInput], call: str
) -> tuple[tuple[Fraction, Fraction], ...]:
    """Sorted (value, mass) pairs; masses must be positive and sum to exactly one."""
    if not isinstance(masses, Mapping):
        raise InputError(f"masses={masses!r}, but must be a mapping of values to masses [{call}]")
    if not 0 < len(masses) <= MAX_ATOMS:
        raise InputError(f"{len(masses)} atoms, but there must be 1 to {MAX_ATOMS} [{call}]")
    pairs: dict[Fraction, Fraction] = {}
    for key, mass in masses.items():
        value, weight = rational(key, "value"), rational(mass, "mass")
        if value in pairs:
            raise InputError(f"the value {short(value)} is given twice [{call}]")
        if weight <= 0:
            raise must_be(f"mass at {short(value)}", mass, "> 0", call)
        pairs[value] = weight
    total = sum(pairs.values(), Fraction(0))
    if total != 1:
        raise InputError(f"the masses sum to {short(total)}, but must sum to exactly 1 [{call}]")
    return tuple(sorted(pairs.items()))


class Finite(FiniteLaw):
    """Finitely many reward values with exact rational masses that sum to exactly one.

    Raises InputError for repeated values, masses <= 0, or a sum other than one.

    >>> str(Finite({0: "1/4", "1/2": "1/4", 1: "1/2"}))
    'finite({0: 0.25, 0.5: 0.25, 1: 0.5})'
    """

    name = "finite"

    def __init__(self, masses: Mapping[RealInput, RealInput]) -> None:
        self._atoms = checked_masses(masses, "finite({...})")

    @property
    def atoms(self) -> tuple[tuple[Fraction, Fraction], ...]:
        return self._atoms

    def __str__(self) -> str:
        inside = ", ".join(f"{short(v)}: {short(p)}" for v, p in self.atoms)
        return f"finite({{{inside}}})"


class Bernoulli(FiniteLaw):
    """A pass/fail reward: 1 with probability p, 0 otherwise, 0 < p < 1.

    Raises InputError for p outside (0, 1): a certain reward leaves nothing to select.

    >>> Bernoulli("1/4").mean
    Fraction(1, 4)
    """

    name = "bernoulli"
    parameters = ("p",)

    def __init__(self, p: RealInput) -> None:
        self.p = rational(p, "p")
        if not 0 < self.p < 1:
            raise must_be("p", p, "a real number in (0, 1)", f"bernoulli(p={p})")

    @property
    def atoms(self) -> tuple[tuple[Fraction, Fraction], ...]:
        return ((Fraction(0), 1 - self.p), (Fraction(1), self.p))
