"""pass@k and best@k: Best-of-n under names that others use."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.estimators import best_of_n_values
from hedgetheory.hedgetune.ranks import rank_gold
from hedgetheory.hedgetune.table import Array


def pass_at_k(passed: ArrayLike, k: ArrayLike) -> Array:
    """Unbiased chance that one of k responses passes, on each prompt.

    1 − C(S − c, k)/C(S, k), c the number that pass: Best-of-k with the outcome as its own proxy.

    ``passed``: (P, S) of 0 and 1; ``k``: integers 1 ≤ k ≤ S. Returns (P, len(k)). Raises InputError
    for other outcomes and for k > S, which S responses cannot say (not even if all fail, and not
    that it is 1).

    >>> pass_at_k([[0, 1]], [1, 2]).tolist()
    [[0.5, 1.0]]

    Source: Chen et al., arXiv 2107.03374.
    """
    outcomes = np.asarray(passed, np.float64)
    if not np.isin(outcomes, (0.0, 1.0)).all():
        raise InputError("passed must hold 0 and 1 only")
    return best_at_k(outcomes, k)


def best_at_k(scores: ArrayLike, k: ArrayLike) -> Array:
    """Unbiased mean of the best score among k responses drawn *without* replacement.

    Σ_i C(i−1, k−1)/C(S, k) s_(i) over the ordered scores; ties need no rule, equal scores being
    equally good. (The bootstrap with replacement sees duplicates and is biased downwards.)

    ``scores``: (P, S), finite; ``k``: integers 1 ≤ k ≤ S. Returns (P, len(k)). Raises InputError as
    ``best_of_n_values``, for k > S among others.

    >>> best_at_k([[3.0, 1.0, 2.0]], [1, 2, 3]).round(4).tolist()
    [[2.0, 2.6667, 3.0]]
    """
    return best_of_n_values(rank_gold(scores, scores), k)
