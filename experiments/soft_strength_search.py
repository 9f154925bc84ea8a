"""How far the search for a second turn of f(λ) under Soft Best-of-n went, on the uniform law.

    python experiments/soft_strength_search.py [--quick]

Two searches in float64, for each n:
- the smallest mixed difference of ln k_λ(c) over a grid of λ and c (`analysis.soft_kernel`): a
  negative one is a failure of TP2, so that some step-like unimodal gold has f turning back;
- linear programs over unimodal polynomials of degree 13 (g′ in Bernstein form of degree 12 with one
  change of sign in its coefficients, so at most one in g′): f′ with prescribed signs (−, +), or
  (+, −, +), (−, +, −), at λ from a grid. The margin is relative to the largest |f′| of one basis
  function; a margin of 0 means that none was found.

Recorded, November 2026, with --quick (4 places of λ for the programs; λ from 1/4 to 200, 28 places
of λ and 31 of c for the differences); the witnesses of n = 2 and 3 came from a finer grid of λ:
    n = 2: difference −0.10; margins (−, +) 0.21, (+, −, +) 0.028, (−, +, −) 0.028
    n = 3: difference −0.043; (−, +) and (+, −, +) 0.003, none for (−, +, −)
    n = 4, 5: differences −2e-3 and −4e-4 (near c = 1, λ about 4); no polynomial of degree 13
    n = 6, 8, 10, 12, 16, 24, 32, 64: all differences positive, where k is at least 1e-8 of its
    largest (654 to 810 of them an n); no polynomial
Two of them are certified in the ledger: popular.soft-best-of-n-peaks-once-in-strength.
"""

from __future__ import annotations

import itertools
import sys

import numpy as np
from scipy.optimize import linprog
from scipy.stats import binom

from hedgetheory.analysis.soft.kernel import smallest_minor, strength_kernel

DEGREE = 12


def best_margin(draws: int, strengths: list[float], pattern: tuple[int, ...]) -> float:
    """The largest margin t with pattern·f′(λ) ≥ t at some increasing λ; 0 where there is none."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    x, weights = (nodes + 1) / 2, weights / 2
    basis = np.array([binom.pmf(i, DEGREE, x) for i in range(DEGREE + 1)])
    rows = np.array([(strength_kernel(draws, s, list(x)) * weights) @ basis.T for s in strengths])
    rows /= np.abs(rows).max(axis=1, keepdims=True)
    best = 0.0
    objective = np.zeros(DEGREE + 2)
    objective[-1] = -1
    for turn in range(DEGREE):
        signs = np.where(np.arange(DEGREE + 1) <= turn, 1, -1)
        for chosen in itertools.combinations(range(len(strengths)), len(pattern)):
            matrix = rows[list(chosen)] * signs * np.array(pattern)[:, None]
            found = linprog(
                objective,
                A_ub=np.hstack([-matrix, np.ones((len(pattern), 1))]),
                b_ub=np.zeros(len(pattern)),
                A_eq=[[1.0] * (DEGREE + 1) + [0.0]],
                b_eq=[1.0],
                bounds=[(0, None)] * (DEGREE + 1) + [(None, None)],
            )
            if found.status == 0:
                best = max(best, -float(found.fun))
    return best


def main(quick: bool) -> None:
    strengths = [0.25 * 800 ** (i / 27) for i in range(28)]
    places = [i / 32 for i in range(1, 32)]
    coarse = strengths[:: 9 if quick else 3]
    for draws in (2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64):
        worst, count = smallest_minor(draws, strengths, places)
        margins = {
            pattern: round(best_margin(draws, coarse, pattern), 5)
            for pattern in ((-1, 1), (1, -1, 1), (-1, 1, -1))
        }
        print(
            f"n = {draws}: smallest of {count} mixed differences {worst:.2e}; {margins}", flush=True
        )


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
