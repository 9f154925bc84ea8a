"""The parts of GRPO's loss, exactly: advantages of a group, and the k3 estimator."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.laws.base import exact_symbol

#: What public code adds to the standard deviation, and what it takes off the count.
EPSILON = Fraction(1, 10**6)
DDOF = 1

#: π_ref/π of a response, or of a token given its prefix.
ratio = sympy.Symbol("rho", positive=True)
#: The statement: Schulman's third estimator of KL(π ‖ π_ref), with ρ = π_ref/π.
K3 = ratio - sympy.log(ratio) - 1


def advantages(
    rewards: Sequence[RealInput], epsilon: RealInput = EPSILON, ddof: int = DDOF
) -> tuple[sympy.Expr, ...]:
    """Advantages of a group: A_i = (r_i − mean)/(std + ε), exactly.

    ``rewards`` are those of one group, at least ddof + 1 of them, in any unit; the standard
    deviation divides by G − ``ddof`` (1: the sample one, torch's default; 0: numpy's). From the
    paper: mean and standard deviation of the group; *from public code*: ε = 1e-6 and ddof = 1.
    Returns exact sympy numbers without a unit, all 0 where the rewards are equal and ε > 0. Raises
    InputError for ε < 0, too small a group, and equal rewards with ε = 0 (0/0).

    >>> advantages([1, 0, 0, 0], epsilon=0)
    (3/2, -1/2, -1/2, -1/2)

    Source: DeepSeekMath, arXiv 2402.03300, §4.1.
    """
    values = [rational(reward, "reward") for reward in rewards]
    shift = rational(epsilon, "epsilon")
    count = len(values)
    call = f"advantages({count} rewards, epsilon={short(shift)}, ddof={ddof})"
    if ddof not in (0, 1):
        raise must_be("ddof", ddof, "0 or 1", call)
    if shift < 0:
        raise must_be("epsilon", epsilon, "a real number >= 0", call)
    if count <= ddof:
        raise InputError(f"{count} rewards, but a group needs at least {ddof + 1} [{call}]")
    mean = sum(values, Fraction(0)) / count
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (count - ddof)
    if variance == 0 and shift == 0:
        raise InputError(
            f"all rewards are equal, and 0/0 is no advantage: take epsilon > 0 [{call}]"
        )
    scale = sympy.sqrt(exact_symbol(variance)) + exact_symbol(shift)
    return tuple(exact_symbol(value - mean) / scale for value in values)


def advantage(
    rewards: Sequence[RealInput], i: RealInput, epsilon: RealInput = EPSILON
) -> sympy.Expr:
    """The advantage of response ``i`` (from 0) of a group, as in `advantages` with ddof 1.

    >>> advantage([1, 0, 0, 0], 0, 0)
    3/2
    """
    place = rational(i, "i")
    if place.denominator != 1 or not 0 <= place < len(rewards):
        raise must_be("i", i, f"a whole number from 0 to {len(rewards) - 1}", "advantage(...)")
    return advantages(rewards, epsilon)[int(place)]


def binary_advantages(right: RealInput, group: RealInput) -> tuple[sympy.Expr, sympy.Expr]:
    """Advantages (of a right, of a wrong response) with ``right`` = c right ones of G, ε = 0.

    A₊ = √((G − c)(G − 1)/(Gc)), A₋ = −√(c(G − 1)/(G(G − c))), with the sample standard deviation.
    Raises InputError unless c and G are whole and 0 < c < G.

    >>> binary_advantages(1, 4)
    (3/2, -1/2)
    """
    c, size = rational(right, "right"), rational(group, "group")
    call = f"binary_advantages(right={right}, group={group})"
    if size.denominator != 1 or size < 2:
        raise must_be("group", group, "a whole number >= 2", call)
    if c.denominator != 1 or not 0 < c < size:
        raise must_be("right", right, f"a whole number from 1 to {int(size) - 1}", call)
    count, whole = exact_symbol(c), exact_symbol(size)
    wrong = whole - count
    return (
        sympy.sqrt(wrong * (whole - 1) / (whole * count)),
        -sympy.sqrt(count * (whole - 1) / (whole * wrong)),
    )


def right_advantage(right: RealInput, group: RealInput) -> sympy.Expr:
    """A₊ of `binary_advantages`."""
    return binary_advantages(right, group)[0]


def k_three(policy: RealInput, reference: RealInput) -> sympy.Expr:
    """k3 = ρ − ln ρ − 1 with ρ = π_ref/π, from the probabilities of one token or response, in nats.

    ``policy``, ``reference`` in (0, 1]. Non-negative, 0 only where both are equal; its mean under
    the policy is KL(π ‖ π_ref) where π gives mass to all that π_ref does. Raises InputError
    outside.

    >>> k_three("1/2", "1/4")
    -1/2 + log(2)

    Source: J. Schulman, Approximating KL divergence (2020); used by arXiv 2402.03300, eq. 4.
    """
    ours, theirs = rational(policy, "policy"), rational(reference, "reference")
    for name, value in (("policy", ours), ("reference", theirs)):
        if not 0 < value <= 1:
            call = f"k_three(policy={policy}, reference={reference})"
            raise must_be(name, short(value), "a probability in (0, 1]", call)
    quotient = exact_symbol(theirs / ours)
    return quotient - 1 - sympy.log(quotient)
