"""What an implementation of Feynman–Kac steering computes at each step, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.laws.base import exact_symbol

#: The published clamp of the weights.
CAP = Fraction(10**10)


def selection_probability(rewards: Sequence[RealInput], lam: RealInput) -> sympy.Expr:
    """The chance of the first particle in a resampling: e^{λr_1}/Σ e^{λr_j}.

    ``rewards`` at least one, real; ``lam`` >= 0. Returns a constant, 1/Σ e^{λ(r_j − r_1)}.
    Raises InputError outside. Source: arXiv 2501.06848.

    >>> selection_probability([0, 0, 0], 10)
    1/3
    """
    strength, values = _strength(lam), _values(rewards, "rewards")
    shifts = [exact_symbol(strength * (value - values[0])) for value in values]
    return 1 / sympy.Add(*map(sympy.exp, shifts))


def clamped_weight(difference: RealInput, lam: RealInput) -> sympy.Expr:
    """min(e^{λ·difference}, 1e10), the weight as published: constant from ln(1e10)/λ on.

    ``difference`` real, ``lam`` >= 0. Raises InputError outside. Source: the published code.

    >>> clamped_weight(3, 10), clamped_weight(0, 10)
    (10000000000, 1)
    """
    weight = sympy.exp(exact_symbol(_strength(lam) * rational(difference, "difference")))
    return sympy.Min(weight, exact_symbol(CAP))


def clamp_edge(lam: RealInput) -> sympy.Expr:
    """The difference of rewards ln(1e10)/λ from which on all weigh the same; ln 10 at λ = 10.

    ``lam`` > 0. Raises InputError outside. Source: this project.

    >>> clamp_edge(10).evalf(10)
    2.302585093
    """
    strength = _strength(lam)
    if strength == 0:
        raise must_be("lam", lam, "a real number > 0", f"clamp_edge(lam={lam})")
    return 10 * sympy.log(10) / exact_symbol(strength)


def effective_sample_size(weights: Sequence[RealInput]) -> Fraction:
    """(Σw)²/Σw², between 1 and the number of particles; resampling is skipped where >= k/2.

    ``weights`` >= 0, one at least positive. Raises InputError outside. Source: the published code.

    >>> effective_sample_size([1, 1, 2])
    Fraction(8, 3)
    """
    values = _values(weights, "weights")
    squares: Fraction = sum((w * w for w in values), Fraction(0))
    if min(values) < 0 or not squares:
        raise InputError("weights must be >= 0 and one of them positive [effective_sample_size]")
    return sum(values, Fraction(0)) ** 2 / squares


def _strength(lam: RealInput) -> Fraction:
    strength = rational(lam, "lam")
    if strength < 0:
        raise must_be("lam", lam, "a real number >= 0", f"fk(lam={lam})")
    return strength


def _values(values: Sequence[RealInput], name: str) -> list[Fraction]:
    found = [rational(value, name) for value in values]
    if not found:
        raise InputError(f"{name}=[], but must have at least one entry [fk]")
    return found
