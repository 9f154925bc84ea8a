"""Laws with atoms and a density together: contamination at one value, zero-inflated rewards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import (
    ContinuousLaw,
    FiniteLaw,
    Law,
    Piece,
    Strand,
    clipped,
    exact_symbol,
)
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.mixture import MAX_COMPONENTS, Mixture

#: Atoms of a law that has a density too.
MAX_MIXED_ATOMS = 1_000
_CALL = "mixture({...})"
_ZERO, _ONE = Fraction(0), Fraction(1)

#: A probability: rational, or a formula of constants such as a normal cdf at an atom.
Level: TypeAlias = "Fraction | sympy.Expr"


class MixedLaw(Law):
    """Finitely many atoms and a density: R is an atom with its exact mass, else drawn from `part`.

    F(r) = weight·F_part(r) + Σ_{a ≤ r} mass_a. `atoms` are (value, mass) pairs by increasing value
    with masses that sum to 1 − weight; `part` is the law of R given that it is no atom.

    Two are equal when atoms, weight and part are. Built by `mixture`.

    >>> from hedgetheory.laws.uniform import Uniform
    >>> law = mixture({Uniform(): "0.9", Finite({1: 1}): "0.1"})
    >>> law
    mixture({finite({1: 1}): 0.1, uniform: 0.9})
    >>> law.atoms, law.levels
    (((Fraction(1, 1), Fraction(1, 10)),), ((Fraction(9, 10), Fraction(1, 1)),))
    """

    name = "mixture"

    def __init__(
        self,
        continuous: Mapping[ContinuousLaw, Fraction],
        atoms: Mapping[Fraction, Fraction],
    ) -> None:
        """From checked weights of continuous laws and masses of atoms, together exactly one."""
        self.weight = sum(continuous.values(), _ZERO)
        self.atoms = tuple(sorted(atoms.items()))
        if len(continuous) == 1:
            self.part: ContinuousLaw = next(iter(continuous))
        else:
            self.part = Mixture({law: p / self.weight for law, p in continuous.items()})
        self.continuous = dict(continuous)
        ends = [self.atoms[0][0], self.atoms[-1][0]]
        low, high = self.part.support
        self.support: tuple[Fraction | None, Fraction | None] = (
            None if low is None else min(low, ends[0]),
            None if high is None else max(high, ends[1]),
        )
        self.mgf_limit = self.part.mgf_limit

    def __str__(self) -> str:
        share = 1 - self.weight
        inside = ", ".join(f"{short(v)}: {short(p / share)}" for v, p in self.atoms)
        texts = {str(law): p for law, p in self.continuous.items()}
        texts[f"finite({{{inside}}})"] = share
        return f"{self.name}({{{', '.join(f'{t}: {short(p)}' for t, p in sorted(texts.items()))}}})"

    def atoms_below(self, reward: Fraction) -> Fraction:
        """The mass of the atoms at values < reward."""
        return sum((p for value, p in self.atoms if value < reward), _ZERO)

    def part_cdf(self, reward: Fraction) -> Level:
        """F_part(reward), as a Fraction where it is visibly rational."""
        return self._part_level(reward, "cdf")

    def part_survival(self, reward: Fraction) -> Level:
        """1 − F_part(reward), from the formula of the survival."""
        return self._part_level(reward, "survival")

    def _part_level(self, reward: Fraction, form: str) -> Level:
        low, high = self.part.support
        above = high is not None and reward >= high
        if above or (low is not None and reward <= low):
            return _ONE if above == (form == "cdf") else _ZERO
        piece = next(p for p in self.part.pieces if p.high is None or reward <= p.high)
        return rational_level(getattr(piece, form).xreplace({r: exact_symbol(reward)}))

    @cached_property
    def levels(self) -> tuple[tuple[Level, Level], ...]:
        """(F(a−), F(a)) of each atom a."""
        out: list[tuple[Level, Level]] = []
        before = _ZERO
        for value, mass in self.atoms:
            inner = self.part_cdf(value)
            out.append((self._level(inner, before), self._level(inner, before + mass)))
            before += mass
        return tuple(out)

    def _level(self, inner: Level, atoms: Fraction) -> Level:
        if isinstance(inner, Fraction):
            return self.weight * inner + atoms
        return exact_symbol(self.weight) * inner + exact_symbol(atoms)

    @cached_property
    def stretches(self) -> tuple[tuple[Level, Level], ...]:
        """The intervals of quantiles that no atom covers, those of visibly no length left out."""
        lows: list[Level] = [_ZERO, *(upper for _, upper in self.levels)]
        highs: list[Level] = [*(lower for lower, _ in self.levels), _ONE]
        return tuple(pair for pair in zip(lows, highs, strict=True) if pair[0] != pair[1])

    @cached_property
    def within(self) -> PartWithin:
        """The part inside of the law: its strands cut at the atoms, with the whole law's cdf."""
        return PartWithin(self)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The stretches of rewards between the ends of the support, cut at atoms and pieces.

        Each has the density of the part times its weight, and the cdf and survival of the whole.
        """
        cuts = {value for value, _ in self.atoms}
        cuts |= {x for p in self.part.pieces for x in (p.low, p.high) if x is not None}
        low, high = self.support
        ends = [*([None] if low is None else []), *sorted(cuts), *([None] if high is None else [])]
        return tuple(self._piece(a, b) for a, b in pairwise(ends))

    def _piece(self, low: Fraction | None, high: Fraction | None) -> Piece:
        pdf, cdf, survival = sympy.S.Zero, sympy.S.Zero, sympy.S.One
        for piece in self.part.pieces:
            starts = piece.low is None or (low is not None and piece.low <= low)
            stops = piece.high is None or (high is not None and high <= piece.high)
            if starts and stops:
                pdf, cdf, survival = piece.pdf, piece.cdf, piece.survival
                break
        else:
            top = self.part.support[1]
            if top is not None and low is not None and low >= top:
                cdf, survival = sympy.S.One, sympy.S.Zero
        below, above = self.around(low)
        weight = exact_symbol(self.weight)
        return Piece(low, high, weight * pdf, weight * cdf + below, weight * survival + above)

    def around(self, low: Fraction | None) -> tuple[sympy.Expr, sympy.Expr]:
        """The masses of the atoms up to ``low``, that included, and of those above it."""
        below = _ZERO
        if low is not None:
            below = sum((p for value, p in self.atoms if value <= low), _ZERO)
        return exact_symbol(below), exact_symbol(1 - self.weight - below)


class PartWithin(ContinuousLaw):
    """The density of a `MixedLaw` alone: a measure of mass ``weight`` < 1, not a law by itself.

    Its strands are those of the part cut at the atoms, their weights times that of the part, and
    their cdf and survival those of the whole law: F ≥ weight·(cdf of Y) and 1 − F ≥
    weight·(survival of Y) on each, as what bounds tails rests on. It has no pdf, cdf or quantile of
    its own, so that nothing can be asked of it but integrals over its strands.
    """

    name = "part"
    log_concave = False
    formulas = frozenset()

    def __init__(self, law: MixedLaw) -> None:
        part = law.part
        self.law = law
        self.support, self.mgf_limit = part.support, part.mgf_limit
        self.tail_index, self.tilt_unknown = part.tail_index, part.tilt_unknown
        self.evaluation_cost = part.evaluation_cost
        self.centre, self.width = part.centre, part.width

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        law, out = self.law, []
        weight = exact_symbol(law.weight)
        ends: list[Fraction | None] = [None, *(value for value, _ in law.atoms), None]
        for strand in law.part.strands:
            for low, high in pairwise(ends):
                cut = clipped(strand, low, high)
                if cut is not None:
                    below, above = law.around(low)
                    cdf, survival = weight * cut.cdf + below, weight * cut.survival + above
                    share = law.weight * cut.weight
                    out.append(replace(cut, cdf=cdf, survival=survival, weight=share))
        return tuple(out)

    def __str__(self) -> str:
        return f"the part without atoms of {self.law}"


def rational_level(value: sympy.Expr) -> Level:
    """A constant as a Fraction where it is visibly rational."""
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else value


def mixture(components: Mapping[Law, RealInput]) -> Law:
    """The law of a reward drawn from one of several laws, with exact rational probabilities.

    F = Σ p_i F_i. Components are continuous laws, laws on finitely many atoms, and mixtures of
    these, which count as their components. The result is a `Mixture` where none has atoms, a
    `Finite` law where all have (masses at one value add up), and a `MixedLaw` otherwise.

    ``components``: laws to weights > 0 that sum to exactly 1, at most 32 of them and, where there
    is a density too, 1,000 atoms. Raises InputError otherwise, and for laws on countably many atoms
    or known by floats only.

    >>> from hedgetheory.laws.finite import Bernoulli
    >>> from hedgetheory.laws.normal import Normal
    >>> mixture({Bernoulli("1/2"): "0.3", Normal(0, 1): "0.7"})
    mixture({finite({0: 0.5, 1: 0.5}): 0.3, normal(mean=0, sd=1): 0.7})
    >>> mixture({Bernoulli("1/2"): "1/2", Finite({1: 1}): "1/2"})
    finite({0: 0.25, 1: 0.75})
    """
    if not isinstance(components, Mapping):
        raise InputError(f"components={components!r}, but must map laws to weights [{_CALL}]")
    if all(isinstance(law, ContinuousLaw) for law in components):
        return Mixture({law: p for law, p in components.items() if isinstance(law, ContinuousLaw)})
    if len(components) > MAX_COMPONENTS:
        raise InputError(
            f"{len(components)} components, but there must be 1 to {MAX_COMPONENTS} [{_CALL}]"
        )
    continuous: dict[ContinuousLaw, Fraction] = {}
    atoms: dict[Fraction, Fraction] = {}
    total = _ZERO
    for law, given in components.items():
        weight = rational(given, "weight")
        if weight <= 0:
            raise must_be(f"the weight of {law}", given, "> 0", _CALL)
        total += weight
        for inner, share in _continuous_parts(law):
            continuous[inner] = continuous.get(inner, _ZERO) + weight * share
        for value, mass in law.atoms if isinstance(law, (FiniteLaw, MixedLaw)) else ():
            atoms[value] = atoms.get(value, _ZERO) + weight * mass
    if total != 1:
        raise InputError(f"the weights sum to {short(total)}, but must sum to exactly 1 [{_CALL}]")
    if not continuous:
        return Finite(dict(atoms.items()))
    if len(atoms) > MAX_MIXED_ATOMS:
        raise InputError(
            f"{len(atoms)} atoms, but there must be at most {MAX_MIXED_ATOMS} beside a density "
            f"[{_CALL}]"
        )
    return MixedLaw(continuous, atoms)


def _continuous_parts(law: object) -> list[tuple[ContinuousLaw, Fraction]]:
    """The continuous laws in a component, with their shares of it."""
    if isinstance(law, FiniteLaw):
        return []
    if isinstance(law, MixedLaw):
        return [(inner, p) for inner, p in law.continuous.items()]
    if isinstance(law, Mixture):
        return list(law.components)
    if isinstance(law, ContinuousLaw) and not isinstance(law, EstimatedLaw):
        return [(law, _ONE)]
    raise InputError(
        f"a mixture is of continuous laws and laws on finitely many atoms, but {law!r} is neither "
        f"[{_CALL}]"
    )


__all__ = ["Level", "MixedLaw", "PartWithin", "mixture", "rational_level"]
