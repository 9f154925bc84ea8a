"""Best-of-n for real n from samples: the unbiased weights, continued."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import must_be
from hedgetheory.hedgetune.table import Array


def real_best_of_n_weights(n: ArrayLike, size: int) -> Array:
    """Weights on the ranks 1..S for Best-of-n at real n, where the policy has the rank cdf u^n.

    W_i(n) = n Γ(i) Γ(S−n+1) / (Γ(S+1) Γ(i−n+1)), which is C(i−1, n−1)/C(S, n) at integer n.

    E[Σ_i W_i g(U_(i))] = ∫ g(u) p(u) du, where p is the part with powers u^{i−1}, i ≥ 1, of
    n u^{n−1} (u + (1 − u))^{S−n} expanded in powers of 1 − u: what is missing lives where u ~ 1/S,
    weighs O(S^{−n}), zero at integer n, and goes to the lowest rank. So the bias is at most that
    times the oscillation of g near 0. (The plug-in G(i/S) − G((i−1)/S) errs by O(1/S).) Weights
    below rank n have both signs and are as small.

    ``n``: real, 1 ≤ n ≤ S, shape (k,). Returns (k, S), rows summing to one. Raises InputError
    outside the domain.

    >>> real_best_of_n_weights([2.0], 3).round(3).tolist()
    [[0.0, 0.333, 0.667]]

    Source: THEORY.md, section 8, continued in n.
    """
    draws = np.asarray(n, np.float64)
    if draws.ndim != 1 or not ((draws >= 1) & (draws <= size)).all():
        raise must_be("n", n, f"real numbers from 1 to S = {size}", "real_best_of_n_weights")
    # From W_S = n/S downwards by W_{i−1}/W_i = (i − n)/(i − 1), as for integers.
    rank = np.arange(size, 1, -1)
    weights = np.empty((len(draws), size))
    weights[:, 0] = draws / size
    weights[:, 1:] = (rank - draws[:, None]) / (rank - 1)
    np.cumprod(weights, axis=1, out=weights)
    weights[:, -1] += 1 - weights.sum(axis=1)
    return np.ascontiguousarray(weights[:, ::-1])
