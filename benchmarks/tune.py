"""`tune` against one argsort of the same array, and against re-weighting at each root-finder step.

    python benchmarks/tune.py

Medians over interleaved repetitions in one run, 1000 prompts × 100 responses, one thread. Targets:
the point curve for all n at most 4 × one ``np.argsort(axis=1)`` without ties and 6 × with.
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

from hedgetheory.hedgetune.estimators import best_of_n_curve, best_of_n_values
from hedgetheory.hedgetune.ranks import rank_gold
from hedgetheory.hedgetune.table import Table
from hedgetheory.hedgetune.tune import tune

Array = NDArray[np.float64]
PROMPTS, RESPONSES = 1000, 100


def medians(repeats: int, **jobs: Callable[[], object]) -> dict[str, float]:
    """Median seconds of each job, the jobs taking turns so that a noisy moment hits them alike."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def point_curve(proxy: Array, gold: Array) -> Array:
    """Every n, values only: sort, mean over prompts by rank, one product with the weights."""
    mean: Array = rank_gold(proxy, gold).mean(axis=0)
    return np.asarray(best_of_n_values(mean)[0])


def residual(n: float, quantiles: list[Array], gold: Array) -> float:
    """f'(n) as HedgeTune is published: re-weight every response of every prompt."""
    total = 0.0
    for u, g in zip(quantiles, gold, strict=True):
        total += float(np.mean((1 / n + np.log(u)) * n * u ** (n - 1) * g))
    return total / len(gold)


def bisection(proxy: Array, gold: Array, steps: int = 40) -> float:
    """One root by bisection; ranks by a sort of each prompt."""
    size = proxy.shape[1]
    quantiles = [(np.argsort(np.argsort(row)) + 1) / size for row in proxy]
    low, high = 1.0, float(size)
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if residual(middle, quantiles, gold) > 0 else (low, middle)
    return low


def main() -> None:
    rng = np.random.default_rng(0)
    gold = rng.normal(size=(PROMPTS, RESPONSES))
    grid = Grid("proxies", "job", "ms", "× argsort", "target")
    smooth = rng.normal(size=(PROMPTS, RESPONSES))
    arrays = {
        "no ties": (smooth, "4"),
        "10 values": (rng.integers(0, 10, smooth.shape).astype(float), "6"),
        "one decimal": (smooth.round(1), "6"),
    }
    curves = {"value": point_curve, "value and standard error": best_of_n_curve}
    curve = smooth - 0.2 * smooth**2
    for name, (proxy, target) in arrays.items():
        for label, curve_of in curves.items():
            found = medians(
                200,
                argsort=lambda p=proxy: np.argsort(p, axis=1),  # type: ignore[misc]
                curve=lambda p=proxy, curve_of=curve_of: curve_of(p, gold),  # type: ignore[misc]
            )
            ratio = found["curve"] / found["argsort"]
            shown = f"{label} at every n", f"{1e3 * found['curve']:.2f}", f"{ratio:.2f}", target
            grid.add_row(name, *shown)
    table = Table("bench", smooth.ravel(), curve.ravel(), np.full(PROMPTS, RESPONSES))
    slow = medians(
        9,
        argsort=lambda: np.argsort(smooth, axis=1),
        loop=lambda: bisection(smooth, curve),
        whole=lambda: tune(table, resamples=0),
        interval=lambda: tune(table, resamples=1000),
        poisson=lambda: tune(table, "bop", resamples=1000),
        values=lambda: point_curve(smooth, curve),
    )
    for job, label, goal in (
        ("whole", "tune(), everything but the interval", ""),
        ("interval", "tune(), 1000 resamples", "40"),
        ("poisson", "tune(family='bop'), 1000 resamples", ""),
        ("loop", "per-prompt loop, 40 bisection steps, one root", ""),
    ):
        ratio = slow[job] / slow["argsort"]
        grid.add_row("no ties", label, f"{1e3 * slow[job]:.2f}", f"{ratio:.1f}", goal)
    console = Console(width=100)
    console.print(grid)
    factor = slow["loop"] / slow["values"]
    console.print(f"The curve at every n is {factor:.0f} times faster than the loop's one root.")


if __name__ == "__main__":
    main()
