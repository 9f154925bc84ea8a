"""Certified 50-digit KL of Best-of-Poisson: the API against the formula typed by hand.

Reports ratios of medians in one run: the API over python-flint by hand (target: at most 2), and
mpmath quadrature of the definition over the API. Run: python benchmarks/certified_kl.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from fractions import Fraction

import flint
import mpmath

from hedgetheory.functionals.quantities import kl_divergence
from hedgetheory.policies.best_of_poisson import BestOfPoisson

MUS = [Fraction(1, 100), Fraction(1), Fraction(5), Fraction(100), Fraction(10**6)]
DIGITS = 50


def by_hand(mu: Fraction) -> str:
    """The formula of Theorem 2 with enough bits for 50 digits at every μ of the list."""
    saved = flint.ctx.prec
    flint.ctx.prec = 240
    try:
        m = flint.arb(flint.fmpq(mu.numerator, mu.denominator))
        value = (-m - 1).exp() * ((m + 1).ei() - flint.arb(1).ei()) / m + m.log1p() - 1
        return str(value.str(DIGITS))
    finally:
        flint.ctx.prec = saved


def by_quadrature(mu: Fraction) -> str:
    with mpmath.workdps(DIGITS + 5):
        m = mpmath.mpf(mu.numerator) / mu.denominator

        def integrand(u: mpmath.mpf) -> mpmath.mpf:
            log_w = mpmath.log1p(m * u) + m * (u - 1)
            return mpmath.exp(log_w) * log_w

        return str(mpmath.nstr(mpmath.quad(integrand, [0, 1]), DIGITS))


def through_api(mu: Fraction) -> str:
    return kl_divergence(BestOfPoisson(mu), digits=DIGITS).decimal(DIGITS)[0]


def median_seconds(function: Callable[[Fraction], str], mu: Fraction, runs: int) -> float:
    function(mu)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function(mu)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    print(f"{'mu':>8} {'API/by hand':>12} {'quadrature/API':>15}")
    for mu in MUS:
        ours, hand = median_seconds(through_api, mu, 301), median_seconds(by_hand, mu, 301)
        quadrature = median_seconds(by_quadrature, mu, 3)
        print(f"{float(mu):>8g} {ours / hand:>12.2f} {quadrature / ours:>15.0f}")


if __name__ == "__main__":
    main()
