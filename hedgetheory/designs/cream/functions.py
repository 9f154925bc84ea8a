"""The consistency of two rankings, and what it does to the preference loss."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.vocabulary import log1p

#: Published defaults: the DPO temperature, and responses of a prompt (arXiv 2410.12735).
BETA = Fraction(1, 10)
RESPONSES = 5
MAX_RESPONSES = 1000

#: Kendall's τ of the two rankings, and the margin z of the preferred response.
tau = sympy.Symbol("tau", real=True)
z = sympy.Symbol("z", real=True)

#: C = (τ + 1)/2, the chance that the two rankings agree on a pair.
CONSISTENCY = (tau + 1) / 2
#: C(−ln σ(z)) + (1 − C)(−ln σ(−z)), with −ln σ(z) = ln(1 + e^{−z}).
LOSS = CONSISTENCY * log1p(sympy.exp(-z)) + (1 - CONSISTENCY) * log1p(sympy.exp(z))
#: The margin that minimises it.
MARGIN = 2 * sympy.atanh(tau)


def kendall_tau(first: Sequence[RealInput], second: Sequence[RealInput]) -> Fraction:
    """Kendall's τ of two lists of scores: (concordant − discordant pairs) / all pairs.

    Exact; a pair tied in either list counts as neither (τ-a). 2 to 1000 scores, equally many.
    Raises InputError.

    >>> kendall_tau([1, 2, 3], [1, 3, 2])
    Fraction(1, 3)
    """
    if len(first) != len(second) or not 2 <= len(first) <= MAX_RESPONSES:
        raise InputError(
            f"{len(first)} and {len(second)} scores, but must be equally many, "
            f"2 to {MAX_RESPONSES} [kendall_tau(...)]"
        )
    pairs = zip(
        (rational(x, "first") for x in first), (rational(y, "second") for y in second), strict=True
    )
    count = sum(
        _sign(ahead[0] - behind[0]) * _sign(ahead[1] - behind[1])
        for ahead, behind in combinations(pairs, 2)
    )
    return Fraction(2 * count, len(first) * (len(first) - 1))


def null_variance(responses: int = RESPONSES) -> Fraction:
    """Var τ of two independent rankings without ties: 2(2N + 5)/(9N(N − 1)). Exact.

    Raises InputError for fewer than two.

    >>> null_variance(5)
    Fraction(1, 6)
    """
    if not 2 <= responses <= MAX_RESPONSES:
        requirement = f"a whole number from 2 to {MAX_RESPONSES}"
        raise must_be("responses", responses, requirement, "null_variance(...)")
    return Fraction(2 * (2 * responses + 5), 9 * responses * (responses - 1))


def loss(margin: RealInput, tau_value: RealInput) -> sympy.Expr:
    """The loss at margin z = β ln(π/π_ref ratio of the pair), exact; −1 ≤ τ ≤ 1.

    Raises InputError.

    >>> loss(0, "1/3")
    log1p(1)
    """
    place = {z: sympy.Rational(rational(margin, "margin")), tau: _tau(tau_value, closed=True)}
    return LOSS.xreplace(place)


def optimal_margin(tau_value: RealInput) -> sympy.Expr:
    """z* = 2 artanh τ = ln((1 + τ)/(1 − τ)), exact; −1 < τ < 1.

    At τ = ±1 the loss has no minimum: the margin runs away. Raises InputError.

    >>> optimal_margin("1/3")
    log(2)
    """
    value = _tau(tau_value, closed=False)
    return sympy.log((1 + value) / (1 - value))


def multiplier(tau_value: RealInput, beta: RealInput = BETA) -> sympy.Expr:
    """((1 + τ)/(1 − τ))^{1/β}: by how much the optimum multiplies the pair's likelihood ratio.

    Exact; −1 < τ < 1, β > 0. Raises InputError.

    >>> multiplier("1/3", "1/2")
    4
    """
    value, temperature = _tau(tau_value, closed=False), rational(beta, "beta")
    if temperature <= 0:
        raise must_be("beta", beta, "a real number > 0", "multiplier(...)")
    return ((1 + value) / (1 - value)) ** (1 / sympy.Rational(temperature))


def _tau(given: RealInput, closed: bool) -> sympy.Rational:
    value = rational(given, "tau")
    if abs(value) > 1 or (abs(value) == 1 and not closed):
        signs = "<=" if closed else "<"
        raise must_be("tau", given, f"a real number, -1 {signs} tau {signs} 1", f"tau={given}")
    return sympy.Rational(value)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
