"""The vectorised float64 layer: KL over 10⁶ parameters against one exp, a density against scipy's.

    python benchmarks/float64.py

Interleaved repetitions in one run; the least processor time of each, since other processes only add
to it.
Targets: the KL at most 5 × ``numpy.exp`` of as many numbers in its range, on every family; the
density of bon(n) on a normal law at 10⁵ rewards at most 1 × the pdf of
``scipy.stats.order_statistic``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from hedgetheory.functionals.float64 import evaluate
from hedgetheory.laws.normal import Normal
from hedgetheory.spec.grammar import parse_gold, parse_law

REPEATS = 40
SIZE = 10**6


def best(jobs: dict[str, Callable[[], Any]], repeats: int = REPEATS) -> dict[str, float]:
    """The shortest time of each job, in seconds."""
    times = dict.fromkeys(jobs, float("inf"))
    for _ in range(repeats):
        for name, job in jobs.items():
            start = time.thread_time()
            job()
            times[name] = min(times[name], time.thread_time() - start)
    return times


def kl_against_exp() -> None:
    rng = np.random.default_rng(1)
    decades = np.logspace(-12, 12, SIZE)
    arrays = {
        "24 decades, sorted": decades,
        "24 decades, shuffled": rng.permutation(decades),
        "linear from 0 to 100": np.linspace(0.0, 100.0, SIZE),
        "linear from 0 to 10": np.linspace(0.0, 10.0, SIZE),
        "uniform on [0, 100], unsorted": rng.uniform(0.0, 100.0, SIZE),
    }
    exponents = np.linspace(-700.0, 700.0, SIZE)
    print(f"KL of {SIZE:,} parameters over exp of as many numbers (target 5)")
    for label, array in arrays.items():
        jobs: dict[str, Callable[[], Any]] = {"exp": lambda: np.exp(exponents)}
        for family in ("bon", "bop", "quantile_tilt"):
            thetas = 1.0 + array if family == "bon" else array
            jobs[family] = lambda family=family, thetas=thetas: evaluate("kl", family, thetas)
        times = best(jobs)
        ratios = "  ".join(f"{name} {times[name] / times['exp']:5.1f}" for name in list(jobs)[1:])
        print(f"  {label:31} exp {times['exp'] * 1e3:5.2f} ms   {ratios}")


def others_against_exp() -> None:
    """What has no target: the other functionals, over exp of as many numbers."""
    thetas = np.random.default_rng(2).uniform(0.0, 100.0, SIZE // 10)
    gold = parse_gold("u**12 * (1 - u)")
    jobs: dict[str, Callable[[], Any]] = {"exp": lambda: np.exp(thetas)}
    for family in ("bon", "bop", "quantile_tilt"):
        at = 1.0 + thetas if family == "bon" else thetas
        for quantity in ("chi2", "total_variation", "mean_quantile"):
            jobs[f"{quantity} {family}"] = lambda f=family, q=quantity, t=at: evaluate(q, f, t)
        for quantity in ("gold", "slope"):
            jobs[f"{quantity} {family}"] = lambda f=family, q=quantity, t=at: evaluate(
                q, f, t[:2000], gold=gold
            )
        jobs[f"mean_reward {family} on normal"] = lambda f=family, t=at: evaluate(
            "mean_reward", f, t[:2000], Normal()
        )
    times = best(jobs, 5)
    print("other functionals of parameters on [0, 100], unsorted, for each parameter")
    for name, time_of in times.items():
        few = name.startswith(("gold", "slope", "mean_reward"))
        print(f"  {name:32} {time_of / (2000 if few else thetas.size) * 1e9:8.1f} ns")


def density_against_scipy() -> None:
    print("density of bon(n) on normal(0, 1) at 100,000 rewards over scipy's pdf (target 1)")
    rewards = np.linspace(-4.0, 6.0, 100_000)
    law, parent = Normal(), stats.Normal(mu=0.0, sigma=1.0)
    for n in (2, 4, 16, 64, 1024):
        order = stats.order_statistic(parent, r=n, n=n)
        with np.errstate(all="ignore"):
            times = best(
                {
                    "scipy": lambda order=order: order.pdf(rewards),
                    "ours": lambda n=n: evaluate("density", "bon", n, law, at=rewards),
                }
            )
        print(
            f"  n = {n:5}  scipy {times['scipy'] * 1e3:6.2f} ms  ours {times['ours'] * 1e3:6.2f} ms"
            f"  ratio {times['ours'] / times['scipy']:5.2f}"
        )


def densities_by_law() -> None:
    print("density of bon(16) at 100,000 rewards, for each reward, and by scipy's n F^(n-1) f")
    ranks = np.random.default_rng(0).random(100_000)
    parents: dict[str, Any] = {
        "gumbel(0,1)": stats.gumbel_r(),
        "laplace(0,1)": stats.laplace(),
        "weibull(3/2,2)": stats.weibull_min(1.5, scale=2),
        "pareto(5/2)": stats.pareto(2.5),
        "lognormal(0,1)": stats.lognorm(1),
        "gamma(5/2,1)": stats.gamma(2.5),
        "beta(5/2,3/2)": stats.beta(2.5, 1.5),
        "student_t(3)": stats.t(3),
    }
    for text, parent in parents.items():
        law, rewards = parse_law(text), parent.ppf(ranks)
        times = best(
            {
                "scipy": lambda d=parent, r=rewards: 16 * d.cdf(r) ** 15 * d.pdf(r),
                "ours": lambda x=law, r=rewards: evaluate("density", "bon", 16, x, at=r),
            },
            3,
        )
        print(
            f"  {text:16} ours {times['ours'] * 1e4:7.0f} ns  scipy {times['scipy'] * 1e4:5.0f} ns"
        )


if __name__ == "__main__":
    kl_against_exp()
    others_against_exp()
    density_against_scipy()
    densities_by_law()
