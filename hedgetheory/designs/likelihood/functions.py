"""JEPO's bound, and what standardisation does to a reward."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, factorial

import sympy

from hedgetheory.designs.grpo.functions import advantages
from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import r

MAX_GROUP = 200


def jepo_uniform(group: int) -> sympy.Expr:
    """E ln of the mean of G independent uniform probabilities, exact.

    Σ_{k=1}^{G} (−1)^{G−k} C(G, k) k^G ln k / G! − H_G − ln G: −1 at G = 1, growing to ln ½. Whole
    G from 1 to 200; raises InputError. Source: JEPO's multi-sample bound.

    >>> jepo_uniform(2)
    -3/2 + log(2)
    """
    if not 1 <= group <= MAX_GROUP:
        requirement = f"a whole number from 1 to {MAX_GROUP}"
        raise must_be("group", group, requirement, f"jepo_uniform({group})")
    powers = [
        sympy.Integer((-1) ** (group - k) * comb(group, k) * k**group) * sympy.log(k)
        for k in range(2, group + 1)
    ]
    rest = sympy.harmonic(group) + sympy.log(group)
    return sympy.Add(*powers) / factorial(group) - rest


def standardised(
    rewards: Sequence[RealInput], index: int, epsilon: RealInput = 0, ddof: int = 1
) -> sympy.Expr:
    """(r_i − mean)/(std + ε) of one of several rewards, exact, as `grpo.functions.advantages`.

    With ε = 0 it does not change when all rewards are multiplied by a > 0. 2 to 1000 rewards, not
    all equal where ε = 0; ``index`` from 0; ε >= 0. Raises InputError.

    >>> standardised([1, 2, 3], 2)
    1
    """
    if not 2 <= len(rewards) <= 1000 or not 0 <= index < len(rewards):
        raise InputError(
            f"{len(rewards)} rewards, index={index}, but must be 2 to 1000 rewards and an index "
            "among them [standardised(...)]"
        )
    if rational(epsilon, "epsilon") == 0 and len({rational(x, "rewards") for x in rewards}) == 1:
        raise InputError("all rewards are equal and epsilon=0: 0/0 [standardised(...)]")
    return advantages(rewards, epsilon, ddof)[index]


#: The reward of an answer's probability p = e^r, as functions of r = ln p.
LOG_PROB, PROB = r, sympy.exp(r)
