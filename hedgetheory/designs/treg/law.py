"""T-REG's token reward σ(log-ratio) − ½: its weights, and its law where the log-ratio has one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy

from hedgetheory.designs.par.law import SIGMOID, k, reference, sigmoid
from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.base import ContinuousLaw, Law

MAX_TOKENS = 1000

#: r̂ = σ(x) − ½ of the log-ratio x = ln π_better/π_worse, PAR's sigmoid with one reference at 0.
TOKEN_REWARD = SIGMOID.xreplace({k: sympy.S.One, reference: sympy.S.Zero}) - sympy.Rational(1, 2)
#: Probabilities of one token under the two policies.
better, worse = sympy.symbols("pi_b pi_w", positive=True)
#: r̂ in those, where both are positive.
IN_PROBABILITIES = (better - worse) / (2 * (better + worse))


def treg(law: Law) -> Law:
    """The law of T-REG's token reward σ(X) − ½, X the log-ratio with the given law.

    In (−½, ½). A ``law`` without atoms, and without a finite end other than 0 (NotCertified
    elsewhere). Its tilt exists for every λ. Raises InputError. Source: arXiv 2412.02685.

    >>> from hedgetheory.laws.normal import Normal
    >>> treg(Normal(0, 2))
    affine(sigmoid(normal(mean=0, sd=2), at=0, k=1), loc=-0.5, scale=1)
    """
    shaped = sigmoid(law)
    assert isinstance(shaped, ContinuousLaw)
    return Affine(shaped, "-1/2", 1)


def token_reward(better: RealInput, worse: RealInput) -> sympy.Rational:
    """r̂ = σ(ln(π_b/π_w)) − ½ = (π_b − π_w)/(2(π_b + π_w)), exact, from two probabilities.

    Both in [0, 1], not both 0: a token that one policy never writes gets ±½. Raises InputError.

    >>> token_reward("3/4", "1/4")
    1/4
    """
    b, w = (_probability(value, name) for value, name in ((better, "better"), (worse, "worse")))
    if b + w == 0:
        raise InputError("better=0 and worse=0, but one must be positive [token_reward(...)]")
    return sympy.Rational((b - w) / (2 * (b + w)))


def token_weights(
    rewards: Sequence[RealInput], alpha: RealInput, chosen: bool = True
) -> tuple[sympy.Rational, ...]:
    """1 + α r̂_t for the chosen response, 1 − α r̂_t for the rejected one, exact.

    ``rewards`` in [−½, ½], 1 to 1000 of them; α >= 0. No gradient runs through them
    (*modelling choice*: stop-gradient, as the paper's code is not at hand). Raises InputError.

    >>> token_weights(["1/2", "-1/4"], 1)
    (3/2, 3/4)
    """
    strength = rational(alpha, "alpha")
    if strength < 0:
        raise must_be("alpha", alpha, "a real number >= 0", "token_weights(...)")
    if not 1 <= len(rewards) <= MAX_TOKENS:
        raise InputError(f"{len(rewards)} rewards, but must be 1 to {MAX_TOKENS} [token_weights]")
    sign = 1 if chosen else -1
    out = []
    for given in rewards:
        reward = rational(given, "reward")
        if abs(reward) > Fraction(1, 2):
            raise must_be("reward", given, "a real number from -1/2 to 1/2", "token_weights(...)")
        out.append(sympy.Rational(1 + sign * strength * reward))
    return tuple(out)


def _probability(value: RealInput, name: str) -> Fraction:
    exact = rational(value, name)
    if not 0 <= exact <= 1:
        raise must_be(name, value, "a probability from 0 to 1", "token_reward(...)")
    return exact
