"""Soft Best-of-n's density: float64 at 1e5 points to 1e-10, against Monte Carlo reaching 1e-3.

Reports ratios of medians in one run (target: at least 100). Monte Carlo draws n uniform rewards,
picks one by softmax and estimates the density in 20 bins; its cost per draw is measured, and the
number of draws is what a relative standard error of 1e-3 needs, in the densest bin (the kindest to
Monte Carlo) and in the one 0.2 below the policy's mean. Also: the certified sign changes of
the slope that give a threshold in λ.
Run: python benchmarks/soft_best_of_n.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft_floats import SoftBestOfNFloats
from hedgetheory.functionals.soft_slope import slope_sign
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_gold

CASES = [(2, "0.5"), (16, "5"), (16, "26.1"), (64, "100")]
POINTS, BINS, GOAL, BATCH = 100_000, 20, 1e-3, 50_000


def median_time(function: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def monte_carlo(draws: int, strength: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """A histogram density of the selected quantile from ``size`` selections."""
    rewards = rng.random((size, draws))
    # Gumbel-max: one argmax instead of a cumulative sum.
    chosen = (strength * rewards + rng.gumbel(size=rewards.shape)).argmax(axis=1)
    picked = rewards[np.arange(size), chosen]
    return np.histogram(picked, bins=BINS, range=(0, 1))[0] * BINS / size


def main() -> None:
    u, rng = np.linspace(0, 1, POINTS), np.random.default_rng(0)
    print("   n    lam  ours ms     worst  MC/ours: densest bin  mean − 0.2")
    for draws, text in CASES:
        strength = float(Fraction(text))
        ours = median_time(lambda n=draws, lam=text: SoftBestOfNFloats(n, lam).ratio(u))
        floats = SoftBestOfNFloats(draws, text)
        worst = 0.0
        for at in (0.001, 0.25, 0.5, 0.9, 0.999):
            exact = float(value(Uniform(), SoftBestOfN(draws, text), "ratio", at=at))
            worst = max(worst, abs(float(floats.ratio(at)) / exact - 1))
        # A bin of probability p has relative standard error sqrt((1 − p)/(p m)).
        shares = np.diff(floats.cdf(np.linspace(0, 1, BINS + 1)))
        seconds = median_time(lambda n=draws, x=strength: monte_carlo(n, x, BATCH, rng), 3)
        ratios = []
        low = int(BINS * max(floats.mean_quantile() - 0.2, 0))
        for share in (shares.max(), shares[low]):
            ratios.append(seconds * (1 - share) / share / GOAL**2 / BATCH / ours)
        print(
            f"{draws:4d} {strength:6.1f} {ours * 1e3:8.1f} {worst:9.1e} "
            f"{ratios[0]:13.0f} {ratios[1]:11.0f}"
        )
    gold, law = parse_gold("u**12*(1-u)"), Uniform()
    for draws, low, high in ((16, "26.05", "26.15"), (8, "50.35", "50.45")):
        start = time.perf_counter()
        signs = [slope_sign(SoftBestOfN(draws, lam), law, gold) for lam in (low, high)]
        took = time.perf_counter() - start
        print(f"n = {draws}: certified threshold in ({low}, {high}), signs {signs}, {took:.1f} s")


if __name__ == "__main__":
    main()
