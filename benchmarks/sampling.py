"""`select` on 1000 prompts × 100 responses against a Python loop over prompts, and `sample`.

    python benchmarks/sampling.py

Medians over interleaved repetitions in one run, one thread. The loops are what one would write by
hand for one prompt: draw the subset, take the best with ties broken at random, or softmax over it.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table as Grid

from hedgetheory.laws.normal import Normal
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.policies.sampling.select import select
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

Array = NDArray[np.float64]
Choice = Callable[[Array, np.random.Generator], int]
PROMPTS, RESPONSES, COPIES = 1000, 100, 100_000


def best_of(row: Array, drawn: NDArray[np.int64], rng: np.random.Generator) -> int:
    scores = row[drawn]
    return int(rng.choice(drawn[scores == scores.max()]))


def soft(row: Array, drawn: NDArray[np.int64], rng: np.random.Generator) -> int:
    weights = np.exp(3.0 * (row[drawn] - row[drawn].max()))
    return int(rng.choice(drawn, p=weights / weights.sum()))


def subset(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.choice(RESPONSES, size=min(n, RESPONSES), replace=False)


CASES: list[tuple[Policy, dict[str, bool], Choice]] = [
    (BestOfN(16), {}, lambda row, rng: best_of(row, subset(16, rng), rng)),
    (BestOfN(16), {"replace": True},
     lambda row, rng: best_of(row, rng.integers(RESPONSES, size=16), rng)),
    (BestOfPoisson(15), {"cap": True},
     lambda row, rng: best_of(row, subset(1 + int(rng.poisson(15)), rng), rng)),
    (SoftBestOfN(16, 3), {}, lambda row, rng: soft(row, subset(16, rng), rng)),
    (Tilt(3), {}, lambda row, rng: soft(row, np.arange(RESPONSES), rng)),
]  # fmt: skip


def medians(repeats: int, *jobs: Callable[[], object]) -> list[float]:
    """Median seconds of each job, the jobs taking turns so that a noisy moment hits them alike."""
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(repeats):
        for job, spent in zip(jobs, times, strict=True):
            start = time.perf_counter()
            job()
            spent.append(time.perf_counter() - start)
    return [statistics.median(spent) for spent in times]


def loop(table: Array, choose: Choice, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.array([choose(row, rng) for row in table])


def main() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(PROMPTS, RESPONSES)).round(1)
    grid = Grid("select", "ms", "loop, ms", "times faster")
    for policy, options, choose in CASES:
        ours, theirs = medians(
            15,
            lambda p=policy, o=options: select(table, p, rng, **o),  # type: ignore[misc]
            lambda c=choose: loop(table, c, rng),  # type: ignore[misc]
        )
        name = f"{policy} {', '.join(options)}"
        grid.add_row(name, f"{1e3 * ours:.2f}", f"{1e3 * theirs:.1f}", f"{theirs / ours:.1f}")
    console = Console(width=100)
    console.print(grid)
    law = Normal()
    ours, theirs = medians(
        7,
        lambda: sample(BestOfN(1000), law, COPIES, rng),
        lambda: rng.normal(size=(COPIES // 100, 1000)).max(axis=1),
    )
    console.print(
        f"sample(bon(1000), normal), {COPIES} copies: {1e3 * ours:.1f} ms, "
        f"{100 * theirs / ours:.0f} times faster than numpy's maximum of 1000 normals each."
    )


if __name__ == "__main__":
    main()
