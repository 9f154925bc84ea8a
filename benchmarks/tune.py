"""`tune` against one argsort of the same array, and against re-weighting at each root-finder step.

    python benchmarks/tune.py

Medians over interleaved repetitions in one run, 1000 prompts × 100 responses, one thread. Targets:
the point curve for all n at most 4 × one ``np.argsort(axis=1)`` without ties and 6 × with; with an
interval of 1000 resamples at most 40 ×; the plug-in of Soft Best-of-n on a 20 × 50 grid of (n, λ)
at least 10 × faster than Monte Carlo that reaches 1e-3. Over all subsets it is timed against Monte
Carlo at its own accuracy, extrapolated by draws ~ 1/error².
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
from hedgetheory.hedgetune.soft import soft_best_of_n_plug_in, soft_best_of_n_values
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


def soft_by_draws(proxy: Array, gold: Array, draws: Array, lam: Array, error: float) -> float:
    """Seconds of Monte Carlo until the standard error of every mean value is at most ``error``.

    Each repetition draws max n responses of every prompt without replacement, and takes the
    softmax mean of the first n for all (n, λ) at once by cumulative sums: no run is wasted, and the
    choice itself is averaged out. From few repetitions, extrapolated by 1/error².
    """
    rng = np.random.default_rng(1)
    rows = np.arange(len(proxy))[:, None]
    start, found = time.perf_counter(), []
    for _ in range(3):
        order = rng.random(proxy.shape).argsort(axis=1)[:, : int(draws.max())]
        scores, values = proxy[rows, order], gold[rows, order]
        means = np.empty((len(draws), len(lam)))
        for k, strength in enumerate(lam):
            weights = np.exp(strength * (scores - scores.max(axis=1, keepdims=True)))
            ratio = np.cumsum(weights * values, axis=1) / np.cumsum(weights, axis=1)
            means[:, k] = ratio[:, draws - 1].mean(axis=0)
            if k == len(lam) // 2:
                found.append(ratio[:, draws - 1])
    seconds = (time.perf_counter() - start) / 3
    # The error of a mean over prompts given their responses: spread between repetitions only.
    spread = float(np.sqrt(np.var(np.stack(found), axis=0, ddof=1).mean(axis=0).max() / len(proxy)))
    return seconds * max(1.0, (spread / error) ** 2)


def soft_benchmark(grid: Grid, proxy: Array, gold: Array) -> None:
    draws = np.unique(np.geomspace(1, 100, 24).round().astype(int))[:20]
    lam = np.geomspace(0.05, 20, 50)
    start = time.perf_counter()
    soft_best_of_n_plug_in(proxy, gold, draws, lam)
    plug_in = time.perf_counter() - start
    monte_carlo = soft_by_draws(proxy, gold, draws, lam, 1e-3)
    label = f"soft plug-in, {len(draws)} × {len(lam)} grid; Monte Carlo to 1e-3 takes"
    grid.add_row("no ties", label, f"{1e3 * plug_in:.0f}", f"{monte_carlo / plug_in:.1f} ×", "10 ×")
    few = proxy[:100], gold[:100]
    start = time.perf_counter()
    soft_best_of_n_values(*few, draws, lam[::10])
    exact = time.perf_counter() - start
    same = soft_by_draws(*few, draws, lam[::10], 1e-6)
    label = "soft over all subsets, 100 prompts, 5 λ; Monte Carlo to 1e-6 (exact: 1e-11) takes"
    grid.add_row("no ties", label, f"{1e3 * exact:.0f}", f"{same / exact:.0f} ×", "")


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
    curve = smooth - 0.4 * smooth**2  # an interior peak at n = 7
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
    soft_benchmark(grid, smooth, curve)
    console = Console(width=100)
    console.print(grid)
    factor = slow["loop"] / slow["values"]
    console.print(f"The curve at every n is {factor:.0f} times faster than the loop's one root.")


if __name__ == "__main__":
    main()
