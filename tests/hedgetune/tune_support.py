"""Independent oracles: averages over all subsets, in exact rational arithmetic."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import exp, factorial
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def all_subsets(proxy: Sequence[float], gold: Sequence[float], n: int) -> Fraction:
    """Mean over the n-subsets of the mean gold among the best by proxy: fair ties."""
    total, count = Fraction(0), 0
    for chosen in combinations(range(len(proxy)), n):
        top = max(proxy[i] for i in chosen)
        best = [Fraction(gold[i]) for i in chosen if proxy[i] == top]
        total += sum(best) / len(best)
        count += 1
    return total / count


def poisson_draws(proxy: Sequence[float], gold: Sequence[float], mu: float) -> float:
    """Best of min(1 + Poisson(μ), S), term by term, with the all-subsets values."""
    size = len(proxy)
    below = [exp(-mu) * mu**k / factorial(k) for k in range(size - 1)]
    value = sum(p * float(all_subsets(proxy, gold, k + 1)) for k, p in enumerate(below))
    return value + (1 - sum(below)) * float(all_subsets(proxy, gold, size))


def gold_by_rank(size: int, power: float) -> np.ndarray:
    """E[g(U_(i))] for g(u) = u^a (1 − u) and S uniforms, so that v_n is the population's f(n).

    E[U_(i)^a] = Γ(i+a) Γ(S+1) / (Γ(i) Γ(S+1+a)), and f(n) = n/((n+a)(n+a+1)).
    """
    from scipy.special import gammaln

    i = np.arange(1, size + 1)

    def moment(a: float) -> np.ndarray:
        return np.exp(gammaln(i + a) - gammaln(i) + gammaln(size + 1) - gammaln(size + 1 + a))

    return moment(power) - moment(power + 1)


def write_table(path: Path, rows: Sequence[Sequence[object]], header: str = "") -> Path:
    """Rows as CSV, gzipped where the name says so."""
    lines = [header or "prompt_id,response_id,proxy,true"]
    lines += [",".join(map(str, row)) for row in rows]
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path
