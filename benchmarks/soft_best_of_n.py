"""Soft Best-of-n in float64 against Monte Carlo reaching 1e-3: ratios of best CPU times in one run.

**Density** at 1e5 quantiles, ours to 1e-10 (the worst error against certified balls is printed).
Monte Carlo's cost for a relative standard error of 1e-3 is its measured cost for each draw times
the number of draws that its measured variance asks for. Two opponents, both in plain numpy:
- histogram: draw n rewards, select by Gumbel-max, count in 20 bins. Its error is a bin's, and the
  bias of a bin as wide as that is not counted against it. "densest" is the bin that is kindest to
  it, "bulk" the worst of the bins that together hold 90 % of the selected quantiles.
- conditional: w(u) = n E[1/(1 + Σ_{i<n} e^{λ(U_i − u)})], the same n − 1 rewards for 24 points u, a
  cubic spline of ln w between them (its bias is not counted either). No selection, no bins: by far
  the better estimator. "top" is u = 1, "bulk" the worst u between the 5 % and 95 % quantiles.

**Threshold** in λ of g = u¹²(1 − u), uniform law: ours by Brent's method to 1e-8 in (5, 200), and
by the scan of [0.01, 1000] that would show other turns. Monte Carlo averages the covariance in a
draw (its expectation is the slope) over common random draws, and solves by the same method in the
same interval; a relative standard error of 1e-3 of the root is sd/(|f''| λ† √m).

Run: OPENBLAS_NUM_THREADS=1 python benchmarks/soft_best_of_n.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy import interpolate, optimize

from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft.slope import slope_sign
from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
from hedgetheory.functionals.soft_floating.threshold import soft_thresholds
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_gold

CASES = [(2, "0.5"), (16, "5"), (16, "26.1"), (64, "100")]
POINTS, BINS, PLACES, GOAL, BATCH = 100_000, 20, 24, 1e-3, 20_000


def best_time(function: Callable[[], object], repeats: int = 25) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def histogram(draws: int, strength: float, rng: np.random.Generator) -> np.ndarray:
    """The density of the selected quantile in bins, from BATCH selections."""
    rewards = rng.random((BATCH, draws))
    chosen = (strength * rewards + rng.gumbel(size=rewards.shape)).argmax(axis=1)
    picked = rewards[np.arange(BATCH), chosen]
    return np.histogram(picked, bins=BINS, range=(0, 1))[0] * BINS / BATCH


def conditional(
    draws: int, strength: float, places: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """BATCH terms of w at every place: an array (BATCH, places)."""
    others = rng.random((BATCH, draws - 1))
    total = np.exp(strength * (others - 1)).sum(axis=1)
    return draws / (1 + total[:, None] * np.exp(strength * (1 - places)))


def covariances(strength: float, rewards: np.ndarray) -> np.ndarray:
    """Cov(g, u) under the softmax of each row of rewards."""
    weight = np.exp(strength * (rewards - 1))
    total = weight.sum(axis=1)
    gold = rewards**12 * (1 - rewards)
    mean_u = np.einsum("ij,ij->i", weight, rewards) / total
    weight *= gold
    mean_g = weight.sum(axis=1) / total
    return np.einsum("ij,ij->i", weight, rewards) / total - mean_g * mean_u


def density() -> None:
    u, rng = np.linspace(0, 1, POINTS), np.random.default_rng(0)
    places = (1 - np.cos(np.pi * (np.arange(PLACES) + 0.5) / PLACES)) / 2
    print("density at 1e5 points                 histogram/ours         conditional/ours")
    print("   n    lam  ours ms     worst    densest       bulk        top       bulk")
    for draws, text in CASES:
        strength = float(Fraction(text))
        ours = best_time(lambda n=draws, lam=text: SoftBestOfNFloats(n, lam).ratio(u))
        floats, worst = SoftBestOfNFloats(draws, text), 0.0
        table = floats.ratio(u)
        for index in (100, 25_000, 50_000, 90_000, 99_900):
            at = Fraction(float(u[index]))
            exact = float(value(Uniform(), SoftBestOfN(draws, text), "ratio", at=at))
            worst = max(worst, abs(float(table[index]) / exact - 1))
        # A bin of probability p has relative standard error sqrt((1 − p)/(p m)).
        shares = np.sort(np.diff(floats.cdf(np.linspace(0, 1, BINS + 1))))[::-1]
        held = shares[np.searchsorted(np.cumsum(shares), 0.9)]
        seconds = best_time(lambda n=draws, x=strength: histogram(n, x, rng), 3) / BATCH
        ratios = [seconds * (1 - p) / p / GOAL**2 / ours for p in (shares[0], held)]
        # Of the conditional estimator, at u = 1 and where 90 % of the selected quantiles are.
        levels = floats.cdf(u[::100])
        inside = u[::100][(levels > 0.05) & (levels < 0.95)]
        spline = best_time(lambda: interpolate.CubicSpline(places, places)(u), 3)
        seconds = best_time(lambda n=draws, x=strength: conditional(n, x, places, rng), 3) / BATCH
        for where in (np.array([1.0]), inside[:: max(1, len(inside) // 20)]):
            terms = conditional(draws, strength, where, rng)
            count = float((terms.var(axis=0) / terms.mean(axis=0) ** 2).max()) / GOAL**2
            ratios.append((seconds * count + spline) / ours)
        print(
            f"{draws:4d} {strength:6.1f} {ours * 1e3:8.2f} {worst:9.1e} "
            + " ".join(f"{x:10.1f}" for x in ratios)
        )


def thresholds() -> None:
    rng, law, gold = np.random.default_rng(1), Uniform(), parse_gold("u**12*(1-u)")

    def curve(x: np.ndarray) -> np.ndarray:
        return x**12 * (1 - x)

    print("\nthreshold in lam                      Monte Carlo/ours")
    print("   n          lam  Brent ms  scan ms       Brent       scan  sign changes within 1e-8")
    for draws in (8, 16, 32, 64):

        def slope(x: float, n: int = draws) -> float:
            return SoftBestOfNFloats(n, x).slope(curve)

        def solve(f: Callable[[float], float] = slope) -> float:
            return float(optimize.brentq(f, 5.0, 200.0, rtol=1e-9, full_output=False))

        root, brent = solve(), best_time(solve, 15)
        scan = best_time(lambda n=draws: soft_thresholds(law, curve, n=n), 3)
        rewards = rng.random((BATCH, draws))
        calls = optimize.brentq(slope, 5.0, 200.0, rtol=1e-3, full_output=True)[1].function_calls
        each = best_time(lambda x=root, r=rewards: covariances(x, r).mean(), 3) / BATCH
        drawing = best_time(lambda n=draws: rng.random((BATCH, n)), 3) / BATCH
        bend = (slope(root * 1.001) - slope(root * 0.999)) / (0.002 * root)
        spread = float(covariances(root, rng.random((200_000, draws))).std())
        count = (spread / (abs(bend) * root * GOAL)) ** 2
        seconds = count * (each * calls + drawing)
        nearby = [Fraction(root * (1 + side * 1e-8)) for side in (-1, 1)]
        signs = [slope_sign(SoftBestOfN(draws, x), law, gold) for x in nearby]
        print(
            f"{draws:4d} {root:12.8f} {brent * 1e3:9.2f} {scan * 1e3:8.1f} {seconds / brent:11.0f} "
            f"{seconds / scan:10.0f}  {signs[0] > 0 > signs[1]}  ({count:.2g} draws)"
        )


if __name__ == "__main__":
    density()
    thresholds()
