"""Mixtures of continuous laws: contamination is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import sympy
from sympy import exp, log

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, clipped, exact_symbol

MAX_COMPONENTS = 32
_CALL = "mixture({...})"
_NOWHERE_BELOW = (sympy.S.Zero, sympy.S.Zero, sympy.S.One)
_NOWHERE_ABOVE = (sympy.S.Zero, sympy.S.One, sympy.S.Zero)


class Mixture(ContinuousLaw):
    """Continuous laws drawn with exact rational probabilities that sum to exactly one.

    F = Σ p_i F_i. A mixture in a mixture counts as its components. E[e^{λR}] is finite where it is
    for every component, the mean Σ p_i E_i[R]. Raises InputError for laws with atoms, weights <= 0
    or a sum other than one, and for more than 32 components.

    >>> from hedgetheory.laws.normal import Normal
    >>> Mixture({Normal(0, 1): "0.9", Normal(3, 1): "0.1"}).mean
    3/10
    """

    name = "mixture"
    log_concave = False

    def __init__(self, components: Mapping[ContinuousLaw, RealInput]) -> None:
        self.components = tuple(sorted(_checked(components).items(), key=lambda c: str(c[0])))
        laws = [law for law, _ in self.components]
        lows, highs = ([law.support[i] for law in laws] for i in (0, 1))
        low = None if None in lows else min(x for x in lows if x is not None)
        high = None if None in highs else max(x for x in highs if x is not None)
        self.support = (low, high)
        self.formulas = frozenset.intersection(*(law.formulas for law in laws)) - {"quantile"}
        limits = [law.mgf_limit for law in laws if law.mgf_limit is not None]
        self.mgf_limit = min(limits) if limits else None
        self.tail_index = tuple(  # type: ignore[assignment]
            min((x for x in (law.tail_index[i] for law in laws) if x is not None), default=None)
            for i in (0, 1)
        )
        self.pdf, self.cdf, self.survival = (
            _by_pieces(self.pieces, form) for form in ("pdf", "cdf", "survival")
        )
        if "log_mgf" in self.formulas and self.mgf_limit != 0:
            self.log_mgf = log(self._sum((law, exp(law.log_mgf)) for law in laws))
        if "mean" in self.formulas:
            self.mean = self._sum((law, law.mean) for law in laws)
        self.tilt_unknown = any(law.tilt_unknown for law in laws)
        self.evaluation_cost = sum(law.evaluation_cost for law in laws)
        widest = max(self.components, key=lambda c: c[1])[0]
        self.centre = widest.centre
        self.width = max(law.width for law in laws)
        self.end_density = {side: e for side in (-1, 1) if (e := self._end_density(side))}

    def _sum(self, terms: Iterable[tuple[ContinuousLaw, sympy.Expr]]) -> sympy.Expr:
        weights = dict(self.components)
        return sympy.Add(*(exact_symbol(weights[law]) * term for law, term in terms))

    def _end_density(self, side: int) -> tuple[sympy.Expr, Fraction] | None:
        """The leading term of the density at a finite end, of the components that end there."""
        end = self.support[(1 + side) // 2]
        if end is None:
            return None
        at = [law for law, _ in self.components if law.support[(1 + side) // 2] == end]
        if not any(side in law.end_density for law in at):
            return None
        ends = {
            law: law.end_density.get(side, (law.pdf.subs(r, exact_symbol(end)), Fraction(0)))
            for law in at
        }
        least = min(power for peak, power in ends.values())
        peaks = ((law, peak) for law, (peak, power) in ends.items() if power == least)
        return self._sum(peaks), least

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        cuts = {x for law, _ in self.components for p in law.pieces for x in (p.low, p.high)}
        finite = sorted(x for x in cuts if x is not None)
        ends = [*([None] if self.support[0] is None else []), *finite]
        ends += [None] if self.support[1] is None else []
        out = []
        for low, high in pairwise(ends):
            forms = [_forms_on(law, low, high) for law, _ in self.components]
            sums = [
                sympy.Add(
                    *(
                        exact_symbol(p) * f[i]
                        for f, (_, p) in zip(forms, self.components, strict=True)
                    )
                )
                for i in range(3)
            ]
            out.append(Piece(low, high, *sums))
        return tuple(out)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        out = []
        for law, weight in self.components:
            others = [(other, p) for other, p in self.components if other is not law]
            for strand in law.strands:
                for piece in self.pieces:
                    part = clipped(strand, piece.low, piece.high)
                    if part is not None:
                        out.append(_mixed(part, weight, others, piece))
        return tuple(out)

    @cached_property
    def quantile_bracket(self) -> tuple[sympy.Expr, sympy.Expr]:
        # F(min Q_i(u)) ≤ u ≤ F(max Q_i(u)).
        brackets = [
            (law.quantile, law.quantile) if "quantile" in law.formulas else law.quantile_bracket
            for law, _ in self.components
        ]
        return sympy.Min(*(b[0] for b in brackets)), sympy.Max(*(b[1] for b in brackets))

    def __str__(self) -> str:
        inside = ", ".join(f"{law}: {short(p)}" for law, p in self.components)
        return f"{self.name}({{{inside}}})"


def _checked(components: Mapping[ContinuousLaw, RealInput]) -> dict[ContinuousLaw, Fraction]:
    if not isinstance(components, Mapping):
        raise InputError(f"components={components!r}, but must map laws to weights [{_CALL}]")
    out: dict[ContinuousLaw, Fraction] = {}
    for law, given in components.items():
        if not isinstance(law, ContinuousLaw):
            raise InputError(f"a mixture is of laws without atoms, but {law!r} is none [{_CALL}]")
        weight = rational(given, "weight")
        if weight <= 0:
            raise must_be(f"the weight of {law}", given, "> 0", _CALL)
        inner = law.components if isinstance(law, Mixture) else ((law, Fraction(1)),)
        for part, share in inner:
            out[part] = out.get(part, Fraction(0)) + weight * share
    if not 0 < len(out) <= MAX_COMPONENTS:
        raise InputError(
            f"{len(out)} components, but there must be 1 to {MAX_COMPONENTS} [{_CALL}]"
        )
    total = sum(out.values(), Fraction(0))
    if total != 1:
        raise InputError(f"the weights sum to {short(total)}, but must sum to exactly 1 [{_CALL}]")
    return out


def _forms_on(
    law: ContinuousLaw, low: Fraction | None, high: Fraction | None
) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
    """pdf, cdf and survival of a component on an interval between two cuts."""
    for piece in law.pieces:
        starts = piece.low is None or (low is not None and piece.low <= low)
        stops = piece.high is None or (high is not None and high <= piece.high)
        if starts and stops:
            return piece.pdf, piece.cdf, piece.survival
    end = law.support[0]
    above = end is not None and (low is None or low < end)
    return _NOWHERE_BELOW if above else _NOWHERE_ABOVE


def _by_pieces(pieces: tuple[Piece, ...], form: str) -> sympy.Expr:
    *first, last = pieces
    cases = [
        (getattr(piece, form), r < exact_symbol(piece.high))
        for piece in first
        if piece.high is not None
    ]
    return sympy.Piecewise(*cases, (getattr(last, form), True)) if cases else getattr(last, form)


def _mixed(
    part: Strand, weight: Fraction, others: list[tuple[ContinuousLaw, Fraction]], piece: Piece
) -> Strand:
    """A component's strand on a piece, with the cdf of the whole mixture on it.

    The finite ends at which another component's formulas are singular are marked.
    """
    cdf, survival = exact_symbol(weight) * part.cdf, exact_symbol(weight) * part.survival
    flags = [False, False]
    for other, p in others:
        forms = _forms_on(other, piece.low, piece.high)
        _, below, above = (form.xreplace({r: part.reward}) for form in forms)
        cdf += exact_symbol(p) * below
        survival += exact_symbol(p) * above
        for i, (end, cut) in enumerate(zip(part.support, part.rewards, strict=True)):
            singular = any(
                side in other.end_density and cut == other.support[(1 + side) // 2]
                for side in (-1, 1)
            )
            flags[i] = flags[i] or (end is not None and singular)
    whole = weight * part.weight
    singular_ends = (flags[0], flags[1])
    return replace(part, cdf=cdf, survival=survival, weight=whole, singular=singular_ends)
