"""What a truncated sum leaves out is really below the bound that is added for it."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from hedgetheory.functionals.atoms.countable import RankOnCountable
from hedgetheory.functionals.atoms.countable_sums import Tails
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.growth import Growth
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.geometric import Geometric
from hedgetheory.laws.poisson import Poisson
from hedgetheory.numerics import ball as balls
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.random_draws import Sibuya

MP = mpmath.MPContext()
MP.dps = 50
LAWS = [Poisson("5/2"), Poisson(60), Geometric("1/3"), Geometric("9/10")]
POLICIES = [(BestOfN(3), 1, 3), (BestOfRandom(Sibuya("2/3")), Fraction(2, 3), 1)]


def masses(law, count=600):
    """p_k for k = 0, 1, …, from the textbook."""
    if isinstance(law, Poisson):
        mu = MP.mpf(law.mu.numerator) / law.mu.denominator
        return [MP.exp(k * MP.log(mu) - mu - MP.loggamma(k + 1)) for k in range(count)]
    p = MP.mpf(law.p.numerator) / law.p.denominator
    return [MP.zero] + [p * (1 - p) ** (k - 1) for k in range(1, count)]


def policy_masses(p, power, draws):
    """m_k by survivals: T(s) = 1 − (1 − s)^n or s^a."""
    above = [MP.zero]
    for q in reversed(p):
        above.append(above[-1] + q)
    above.reverse()
    a = MP.mpf(Fraction(power).numerator) / Fraction(power).denominator
    t = [1 - (1 - s) ** draws if power == 1 else s**a for s in above]
    return [t[i] - t[i + 1] for i in range(len(p))]


def upper(x) -> mpmath.mpf:
    return MP.mpf(float(x.abs_upper())) * (1 + MP.mpf(2) ** -50)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize(("policy", "power", "draws"), POLICIES, ids=["bon", "sibuya"])
def test_tails_of_every_functional_are_below_their_bounds(law, policy, power, draws):
    p = masses(law)
    m = policy_masses(p, power, draws)
    bound = RankOnCountable(policy, law)
    size = Growth(Fraction(2), Fraction(3, 2), Fraction(1, 50))
    kl = [a * MP.log(a / b) if a and b else MP.zero for a, b in zip(m, p, strict=True)]
    weighted = [2 * a * MP.mpf(max(1, k)) ** 1.5 * MP.exp(max(1, k) / MP.mpf(50))
                for k, a in enumerate(m)]  # fmt: skip
    square = [(a - b) ** 2 / b if b else MP.zero for a, b in zip(m, p, strict=True)]
    checked = 0
    with balls.precision(60):
        moment = next(iter(bound.chi2()))
        assert moment.what.startswith("chi2")
        for terms, tails in (
            (kl, bound._kl_tails()),
            (weighted, bound._tails(lambda _: size)),
        ):
            assert isinstance(tails, Tails)
            for k in (law.mode + 1, law.mode + 3, law.mode + 10, law.mode + 40):
                above = tails.above(k)
                if above.is_finite():
                    assert MP.fsum(map(abs, terms[k + 1 : 500])) <= upper(above)
                    checked += 1
            for k in range(max(law.mode - 30, law.first), law.mode, 7):
                below = tails.below(k)
                if below.is_finite():
                    assert MP.fsum(map(abs, terms[: k + 1])) <= upper(below)
                    checked += 1
    assert checked >= 4
    assert MP.fsum(square) > 0


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize(("policy", "power", "draws"), POLICIES, ids=["bon", "sibuya"])
@pytest.mark.parametrize("bits", [12, 30, 80])
def test_a_coarse_enclosure_still_contains_the_truth(law, policy, power, draws, bits):
    # At 12 bits the window is short and what it leaves out is most of the radius.
    p = masses(law, 3000)
    m = policy_masses(p, power, draws)
    rows = [(k, a, b) for k, (a, b) in enumerate(zip(m, p, strict=True)) if a > 1e-60]
    truths = {
        "kl": MP.fsum(a * MP.log(a / b) for _, a, b in rows),
        "chi2": MP.fsum((a - b) ** 2 / b for _, a, b in rows),
        "mean_reward": MP.fsum(k * a for k, a, _ in rows),
        "total_variation": MP.fsum(abs(a - b) for _, a, b in rows) / 2,
    }
    for what, truth in truths.items():
        with balls.precision(bits):
            found = enclosure(next(iter(plans(law, policy, what))))
        low, high = balls.enclosing_rationals(found)
        slack = MP.mpf(10) ** -13
        assert MP.mpf(low.numerator) / low.denominator <= truth + slack, what
        assert truth - slack <= MP.mpf(high.numerator) / high.denominator, what
