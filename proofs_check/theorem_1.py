"""Theorem 1 as its summary states it, with nothing asked of g, is false.

Any number of interior extrema is possible. Under Best-of-n, E[x^k] = n/(n+k), so g = sum a_k x^k
has f(n) = sum a_k n/(n+k), k = 0..K. For any K + 1 numbers n_0 < ... < n_K the matrix n_i/(n_i+k)
is invertible (Cauchy's, times diagonals), so f(n_i) can be prescribed: let them alternate between
0 and 1. Between three neighbours there is an interior extremum: K - 1 of them. Best-of-n meets
every hypothesis: its mixed derivative of ln w is 1/x > 0, its score 1/n + ln x increases. Solved
exactly for K = 4 and K = 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import sympy

from proofs_check.tools import Check, Verdict, algebra, same_claim

ID = "paper.theorem-1-as-summarised"
EXPECTED: Verdict = "refuted"


def alternating(count: int) -> tuple[list[sympy.Rational], list[sympy.Rational]]:
    """Coefficients a_0, … and the values of f at n = 1, 2, 4, … which alternate 0, 1."""
    nodes = [sympy.Integer(2) ** i for i in range(count)]
    matrix = sympy.Matrix(count, count, lambda i, k: nodes[i] / (nodes[i] + k))
    target = sympy.Matrix([i % 2 for i in range(count)])
    solved = list(matrix.LUsolve(target))
    values = [sum(a * node / (node + k) for k, a in enumerate(solved)) for node in nodes]
    return solved, values


def checks() -> Iterator[Check]:
    x, n, k = sympy.symbols("x n k", positive=True)
    w = n * x ** (n - 1)
    yield algebra("BoN: mixed derivative of ln w is 1/x", sympy.diff(sympy.log(w), n, x) - 1 / x)
    yield algebra("BoN: score is 1/n + ln x", sympy.diff(sympy.log(w), n) - 1 / n - sympy.log(x))
    yield algebra(
        "E[x^k] = n/(n+k)", sympy.integrate(n * x ** (n + k - 1), (x, 0, 1)) - n / (n + k)
    )
    for count in (5, 10):
        _, values = alternating(count)
        rises = [b - a for a, b in pairwise(values)]
        yield Check(
            "counterexample",
            f"degree {count - 1}: f at 1, 2, 4, ... alternates 0, 1: {count - 2} interior extrema",
            all(a * b < 0 for a, b in pairwise(rises)),
        )
    yield same_claim(ID, EXPECTED)
