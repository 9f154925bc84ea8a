"""The number of draws behind SuperHF with an integer n: the leaves of a random tree."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational

#: A tree may have as many leaves.
MAX_LEAVES = 4096


def draws_pmf(n: int, beta: RealInput, rounds: int = 1) -> dict[int, Fraction]:
    """P(N = k) for SuperHF as best of N draws: N is the number of leaves of a random tree.

    N₀ = 1; N_{t+1} = 1 with probability β/(1 + β) (the prior), else the sum of n independent N_t.

    ``n`` an integer >= 1, ``beta`` >= 0, ``rounds`` an integer >= 0 with n^rounds <= 4,096. Returns
    the masses that are not 0, exactly. Raises InputError outside. Source: this project.

    >>> draws_pmf(2, 1, rounds=2)
    {1: Fraction(1, 2), 2: Fraction(1, 8), 3: Fraction(1, 4), 4: Fraction(1, 8)}
    """
    prior = rational(beta, "beta")
    _admit(n, prior, rounds)
    mass = [Fraction(0), Fraction(1)]
    for _ in range(rounds):
        mass = [c / (1 + prior) for c in _power(mass, n)]
        mass[1] += prior / (1 + prior)
    return {k: c for k, c in enumerate(mass) if c}


def draws_masses(n: int, beta: float, rounds: int) -> NDArray[np.float64]:
    """The same as floats, P(N = k) for k = 1, …, n^rounds: sums of non-negative terms only."""
    _admit(n, Fraction(beta), rounds)
    mass = np.array([1.0])
    for _ in range(rounds):
        # N ≥ 1 leaves of each of n trees: Σ N_i starts at n.
        grown = np.zeros(len(mass) * n)
        power = np.array([1.0])
        for _ in range(n):
            power = np.convolve(power, mass)
        grown[n - 1 :] = power
        mass = grown / (1 + beta)
        mass[0] += beta / (1 + beta)
    return mass


def expected_leaves(n: RealInput, beta: RealInput, rounds: int = 1) -> Fraction:
    """E[N] by its recursion m_{t+1} = (n m_t + β)/(1 + β), m₀ = 1.

    For n = 1 + β it is 1 + rounds·β/(1 + β), else m* + (1 − m*) (n/(1 + β))^rounds with m* =
    β/(1 + β − n): it converges as rounds → ∞ iff n < 1 + β (or n = 1).

    ``n`` >= 1 real (a real n is the growth of w(1) only), ``beta`` >= 0, ``rounds`` >= 0 an
    integer. Raises InputError outside. Source: this project.

    >>> expected_leaves(4, "0.23", 2)
    Fraction(57343, 5043)
    """
    size, prior = rational(n, "n"), rational(beta, "beta")
    call = f"expected_leaves(n={n}, beta={beta}, rounds={rounds})"
    if size < 1:
        raise must_be("n", n, "a real number >= 1", call)
    if prior < 0:
        raise must_be("beta", beta, "a real number >= 0", call)
    _check_rounds(rounds, call)
    mean = Fraction(1)
    for _ in range(rounds):
        mean = (size * mean + prior) / (1 + prior)
    return mean


def _admit(n: int, beta: Fraction, rounds: int) -> None:
    call = f"draws_pmf(n={n}, beta={float(beta):g}, rounds={rounds})"
    if int(n) != n or n < 1:
        raise must_be("n", n, "an integer >= 1", call)
    if beta < 0:
        raise must_be("beta", beta, "a real number >= 0", call)
    _check_rounds(rounds, call)
    if rounds * np.log2(n) > 12:
        raise must_be("n", n, f"an integer with n**rounds <= {MAX_LEAVES}", call)


def _check_rounds(rounds: int, call: str) -> None:
    if int(rounds) != rounds or not 0 <= rounds <= 64:
        raise must_be("rounds", rounds, "an integer from 0 to 64", call)


def _power(mass: list[Fraction], n: int) -> list[Fraction]:
    result = [Fraction(1)]
    for _ in range(n):
        grown = [Fraction(0)] * (len(result) + len(mass) - 1)
        for i, x in enumerate(result):
            if x:
                for j, y in enumerate(mass):
                    if y:
                        grown[i + j] += x * y
        result = grown
    return result
