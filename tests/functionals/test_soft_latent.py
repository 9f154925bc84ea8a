"""Soft Best-of-n on laws given by strands, against double-precision sums over scipy's densities."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hedgetheory.errors import NotCertified
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_gold, parse_law

#: The law, scipy's, and a reward inside of it.
LAWS: list[tuple[str, Any, str]] = [
    ("gumbel(0,1)", stats.gumbel_r(), "0.75"),
    ("laplace(0,1)", stats.laplace(), "-0.5"),
    ("weibull(2,1)", stats.weibull_min(2), "0.75"),
    ("gamma(2,1)", stats.gamma(2), "1.5"),
    ("beta(2,3)", stats.beta(2, 3), "0.4"),
    ("lognormal(0,0.5)", stats.lognorm(0.5), "1.25"),
]


def atoms(law: Any) -> tuple[Any, Any]:
    """The law on the Gauss–Legendre points of the quantile, in geometric pieces to both sides."""
    x, weight = np.polynomial.legendre.leggauss(24)
    ends = np.concatenate([[0.0], 2.0 ** -np.arange(52, 0, -1)])
    levels = [(a + (b - a) * (x + 1) / 2, (b - a) / 2 * weight) for a, b in pairwise(ends)]
    low, mass = (np.concatenate(part) for part in zip(*levels, strict=True))
    return np.concatenate([law.ppf(low), law.isf(low)[::-1]]), np.concatenate([mass, mass[::-1]])


def race(n: float, lam: float, rewards: Any, masses: Any, at: Any) -> Any:
    """w at the rewards ``at`` by the trapezoid rule, typed here."""
    t = np.exp(np.arange(-lam * rewards.max() - 45, 5 - lam * rewards.min(), 1 / 8))
    with np.errstate(over="ignore", under="ignore"):
        phi = np.exp(-t[:, None] * np.exp(lam * rewards)) @ masses
        x = t * np.exp(lam * np.asarray(at))[:, None]
        return (x * np.exp(-x)) @ phi ** (n - 1) * n / 8


@pytest.mark.parametrize(("text", "peer", "at"), LAWS, ids=[text for text, _, _ in LAWS])
def test_values_are_those_of_the_law_on_many_atoms(text: str, peer: Any, at: str) -> None:
    law, policy = parse_law(text), SoftBestOfN(3, "1/2")
    rewards, masses = atoms(peer)
    w = race(3, 0.5, rewards, masses, rewards)
    typed = {
        "ratio": race(3, 0.5, rewards, masses, [float(at)])[0],
    }
    if text in ("weibull(2,1)", "beta(2,3)"):
        typed["kl"] = masses @ (w * np.log(w))
    if text in ("gamma(2,1)", "laplace(0,1)"):
        typed["mean_reward"] = masses @ (w * rewards)
    for quantity, truth in typed.items():
        arguments = {"at": at} if quantity == "ratio" else {}
        ours = value(law, policy, quantity, digits=5, **arguments)
        assert float(ours) == pytest.approx(truth, rel=1e-9), quantity


@pytest.mark.parametrize("text", ["weibull(2,1)", "laplace(0,1)"])
def test_the_quantile_inverts_the_cdf_on_strands(text: str) -> None:
    law, policy = parse_law(text), SoftBestOfN(2, 1)
    place = value(law, policy, "quantile", at="2/3", digits=9).bounds[0]
    assert float(value(law, policy, "cdf", at=place, digits=9)) == pytest.approx(2 / 3, rel=1e-9)


def test_a_real_number_of_draws_on_a_log_concave_law() -> None:
    rewards, masses = atoms(stats.gumbel_r())
    truth = race(2.5, 1.0, rewards, masses, [0.5])[0]
    ours = value(parse_law("gumbel(0,1)"), SoftBestOfN("5/2", 1), "ratio", at="0.5", digits=5)
    assert float(ours) == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize(("text", "at"), [("pareto(3)", "1.5"), ("student_t(3)", "0.5")])
def test_a_heavy_tail_beyond_the_cut_is_accounted_for(text: str, at: str) -> None:
    # w = 2E[1/(1 + e^{λ(R − r)})] at n = 2, over the quantile function.
    law = parse_law(text)
    assert isinstance(law, ContinuousLaw)
    peer = stats.pareto(3) if text.startswith("pareto") else stats.t(3)
    rewards, masses = atoms(peer)
    with np.errstate(over="ignore"):
        truth = 2 * masses @ (1 / (1 + np.exp(0.25 * (rewards - float(at)))))
    ours = value(law, SoftBestOfN(2, "1/4"), "ratio", at=at, digits=5)
    assert float(ours) == pytest.approx(truth, rel=1e-9)


def test_what_strands_do_not_certify_says_why() -> None:
    with pytest.raises(NotCertified, match="take an integer n"):
        value(parse_law("student_t(3)"), SoftBestOfN("5/2", 1), "ratio", at=1)
    with pytest.raises(NotCertified, match="heavy tail"):
        value(parse_law("pareto(3)"), SoftBestOfN(2, 9), "kl", digits=5)
    infinite = value(parse_law("pareto(0.5)"), SoftBestOfN(3, 1), "mean_reward")
    assert "inf" in str(infinite) or "oo" in str(infinite)


def test_a_softmax_over_quantiles_sees_the_law_only_through_gold() -> None:
    law, policy = parse_law("laplace(0,1)"), SoftBestOfN(2, 3, scale="quantile")
    ours = value(law, policy, "gold", gold=parse_gold("tanh(r)"), digits=5)
    rewards, masses = atoms(stats.laplace())
    levels = stats.laplace().cdf(rewards)
    w = 2 / 3 * np.log1p(np.expm1(3) / (1 + np.exp(3 * (1 - levels))))
    assert float(ours) == pytest.approx(masses @ (w * np.tanh(rewards)), rel=1e-9)


@pytest.mark.parametrize("law", ["beta(1/2, 1)", "gamma(1/2, 1)"])
def test_the_density_is_infinite_where_that_of_the_law_is(law):
    # 0 < w ≤ n at every reward.
    found = value(parse_law(law), SoftBestOfN(2, 1), "density", at=0)
    assert found.infinite == 1
