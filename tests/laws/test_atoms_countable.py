"""Poisson and geometric laws against mpmath by hand, scipy, identities and exact rationals."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.stats as ss

from hedgetheory import parse_gold
from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.functionals.estimates import highprec
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.geometric import Geometric
from hedgetheory.laws.poisson import Poisson
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Geometric as GeometricDraws
from hedgetheory.policies.random_draws import Sibuya
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

MP = mpmath.MPContext()
MP.dps = 60
POISSON, GEOMETRIC = Poisson("5/2"), Geometric("1/3")
LAWS = [POISSON, GEOMETRIC]


def pmf(law):
    """(first, p_k for 400 atoms), from the textbook formulas."""
    if isinstance(law, Poisson):
        mu = MP.mpf(law.mu.numerator) / law.mu.denominator
        return 0, [MP.exp(-mu) * mu**k / MP.factorial(k) for k in range(400)]
    q = 1 - MP.mpf(law.p.numerator) / law.p.denominator
    return 1, [(1 - q) * q**k for k in range(400)]


def rank_masses(law, cdf):
    """(k, p, F−, F, policy mass), the last by differences of G at 60 digits."""
    first, masses = pmf(law)
    rows, upto = [], MP.mpf(0)
    for i, p in enumerate(masses):
        rows.append((first + i, p, upto, upto + p, cdf(upto + p) - cdf(upto)))
        upto += p
    return rows


def by_hand(law, cdf):
    rows = [row for row in rank_masses(law, cdf) if row[4] > MP.mpf(10) ** -45]
    return {
        "kl": MP.fsum(m * MP.log(m / p) for _, p, _, _, m in rows),
        "total_variation": MP.fsum(abs(m - p) for _, p, _, _, m in rows) / 2,
        "mean_reward": MP.fsum(k * m for k, _, _, _, m in rows),
        "mean_quantile": MP.fsum(m * f for _, _, _, f, m in rows),
        "win_rate": MP.fsum(m * (a + f) / 2 for _, _, a, f, m in rows),
    }


RANKED = [
    (BestOfN(4), lambda x: x**4),
    (BestOfN("7/2"), lambda x: x ** MP.mpf(3.5)),
    (BestOfPoisson(3), lambda x: x * MP.exp(3 * (x - 1))),
    (QuantileTilt(2), lambda x: MP.expm1(2 * x) / MP.expm1(2)),
    (BestOfRandom(GeometricDraws("1/4")), lambda x: x / (4 - 3 * x)),
]


def close(number: Number, truth, rel=1e-13) -> bool:
    shown, _ = number.decimal(18)
    return abs(MP.mpf(shown) - truth) <= rel * abs(truth)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize(("policy", "cdf"), RANKED, ids=[str(p) for p, _ in RANKED])
def test_rank_policies_are_sums_by_hand(law, policy, cdf):
    for what, truth in by_hand(law, cdf).items():
        assert close(value(law, policy, what), truth), what


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_sibuya_is_the_sum_of_powers_of_survivals(law):
    # m_k = S_{k−1}^a − S_k^a with S summed from above: its tails are far heavier than the law's.
    a = MP.mpf(7) / 10
    first, masses = pmf(law)
    above = [MP.fsum(masses[i:]) for i in range(len(masses))] + [MP.mpf(0)]
    rows = [(first + i, p, above[i] ** a - above[i + 1] ** a) for i, p in enumerate(masses[:350])]
    policy = BestOfRandom(Sibuya("7/10"))
    truths = {
        "kl": MP.fsum(m * MP.log(m / p) for _, p, m in rows),
        "chi2": MP.fsum(m * m / p for _, p, m in rows) - 1,
        "mean_reward": MP.fsum(k * m for k, _, m in rows),
    }
    for what, truth in truths.items():
        assert close(value(law, policy, what), truth), what


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_chi2_under_sibuya_is_infinite_from_one_half_down(law):
    assert value(law, BestOfRandom(Sibuya("1/2")), "chi2") == Number.infinity()
    assert value(law, BestOfRandom(Sibuya("51/100")), "chi2", digits=3).guarantee == "certified"
    heavy = BestOfRandom(Sibuya("1/4"))
    assert value(law, heavy, "renyi", order="4/3") == Number.infinity()
    assert value(law, heavy, "renyi", order="5/4", digits=3).guarantee == "certified"


def test_the_tilt_of_a_poisson_law_is_poisson():
    strength = Fraction(3, 4)
    mean = MP.mpf(5) / 2 * MP.exp(MP.mpf(3) / 4)
    tilt = Tilt(strength)
    assert close(value(POISSON, tilt, "mean_reward"), mean)
    # KL between two Poisson laws: m ln(m/μ) − m + μ.
    assert close(value(POISSON, tilt, "kl"), mean * MP.mpf(3) / 4 - mean + MP.mpf(5) / 2)
    assert close(value(POISSON, tilt, "mass", at=4), MP.exp(-mean) * mean**4 / 24)
    upto = MP.fsum(MP.exp(-mean) * mean**k / MP.factorial(k) for k in range(5))
    assert close(value(POISSON, tilt, "cdf", at="4.7"), upto)
    assert float(value(POISSON, tilt, "quantile", at="0.9")) == ss.poisson(float(mean)).ppf(0.9)
    square = MP.exp(MP.mpf(5) / 2 * MP.expm1(MP.mpf(3) / 4) ** 2) - 1
    assert close(value(POISSON, tilt, "chi2"), square)
    assert close(value(POISSON, tilt, "score", at=4), 4 - mean)


def test_the_tilt_of_a_geometric_law_exists_up_to_its_limit():
    # −ln(2/3) = 0.405465…
    failure = MP.mpf(2) / 3 * MP.exp(MP.mpf("0.4"))
    tilt = Tilt("0.4")
    assert close(value(GEOMETRIC, tilt, "mean_reward"), 1 / (1 - failure))
    assert close(value(GEOMETRIC, tilt, "mass", at=3), (1 - failure) * failure**2)
    assert value(GEOMETRIC, tilt, "chi2") == Number.infinity()
    with pytest.raises(NotOnThisLaw, match="infinite from lam = ln"):
        value(GEOMETRIC, Tilt("0.405466"), "kl")
    assert value(GEOMETRIC, Tilt("0.405465"), "kl").guarantee == "certified"
    with pytest.raises(NotOnThisLaw):
        sample(Tilt(1), GEOMETRIC, 3, 0)


def test_means_under_the_tilt_that_see_ranks_are_sums_by_hand():
    _, masses = pmf(POISSON)
    mean = MP.mpf(5) / 2 * MP.exp(MP.mpf(1) / 2)
    tilted = [MP.exp(-mean) * mean**k / MP.factorial(k) for k in range(400)]
    upto = [MP.fsum(masses[: i + 1]) for i in range(60)]
    truth = MP.fsum(tilted[i] * (upto[i] - masses[i] / 2) for i in range(60))
    assert close(value(POISSON, Tilt("1/2"), "win_rate"), truth)
    distance = MP.fsum(abs(a - b) for a, b in zip(tilted, masses, strict=True)) / 2
    assert close(value(POISSON, Tilt("1/2"), "total_variation"), distance)


def test_the_mean_under_best_of_n_is_the_sum_of_survivals():
    # E max = Σ_{k≥0} P(max > k) = Σ_j C(n, j)(−1)^{j+1}/(1 − q^j) for the geometric law.
    q = Fraction(2, 3)
    exact = 3 / (1 - q) - 3 / (1 - q**2) + 1 / (1 - q**3)
    assert close(value(GEOMETRIC, BestOfN(3), "mean_reward"), MP.mpf(exact.numerator)
                 / exact.denominator)  # fmt: skip


def test_a_rational_mass_of_a_geometric_law_is_exact():
    policy = BestOfN(3)
    expected = Fraction(19, 27) ** 3 - Fraction(5, 9) ** 3
    assert value(GEOMETRIC, policy, "mass", at=3) == Number.exact(expected)
    assert value(GEOMETRIC, policy, "cdf", at=3) == Number.exact(Fraction(19, 27) ** 3)
    assert value(GEOMETRIC, policy, "mass", at="5/2") == Number.exact(0)
    assert value(GEOMETRIC, policy, "mass", at=0) == Number.exact(0)
    # F(1) = 1/3 exactly: the level is attained, not passed.
    assert value(GEOMETRIC, BestOfN(1), "quantile", at="1/3") == Number.exact(1)
    assert value(GEOMETRIC, BestOfN(1), "quantile", at="0.333334") == Number.exact(2)


def test_far_in_both_tails_masses_keep_their_digits():
    wide = Poisson(400)
    s = MP.fsum(MP.exp(-400) * MP.mpf(400) ** k / MP.factorial(k) for k in range(900, 1200))
    t = s - MP.exp(-400) * MP.mpf(400) ** 900 / MP.factorial(900)
    a = MP.mpf(3) / 10
    heavy = BestOfRandom(Sibuya("3/10"))
    assert close(value(wide, heavy, "mass", at=900), s**a - t**a)
    low = [MP.exp(-400) * MP.mpf(400) ** k / MP.factorial(k) for k in range(4)]
    truth = MP.fsum(low) ** 5 - MP.fsum(low[:3]) ** 5
    assert close(value(wide, BestOfN(5), "mass", at=3), truth)


def test_huge_n_on_a_law_of_small_atoms():
    n = 10**9
    rows = rank_masses(POISSON, lambda x: x**n)
    truth = MP.fsum(m * MP.log(m / p) for _, p, _, _, m in rows if m > MP.mpf(10) ** -40)
    assert close(value(POISSON, BestOfN(n), "kl"), truth)
    # Far below ln n − (n−1)/n = 19.7, since the draws share their atoms.
    assert truth < MP.mpf("19.72")


def test_poisson_from_a_wide_window_agrees_with_scipy():
    law = ss.poisson(400)
    k = np.arange(0, 900)
    mean = float((1 - law.cdf(k) ** 7).sum())
    assert float(value(Poisson(400), BestOfN(7), "mean_reward")) == pytest.approx(mean, rel=1e-12)
    square = value(Poisson(400), BestOfN(7), "gold", gold=parse_gold("(r - 400)**2/400"))
    weights = law.cdf(k) ** 7 - law.cdf(k - 1) ** 7
    expected = float(((k - 400) ** 2 / 400 * weights).sum())
    assert float(square) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_gold_curves_in_both_variables(law):
    rows = rank_masses(law, lambda x: x**4)
    in_u = MP.fsum(4 * f * (1 - f) * m for _, _, _, f, m in rows)
    assert close(value(law, BestOfN(4), "gold", gold=parse_gold("4*u*(1-u)")), in_u)
    in_r = MP.fsum(MP.exp(MP.mpf(k) / 10) * m for k, _, _, _, m in rows)
    assert close(value(law, BestOfN(4), "gold", gold=parse_gold("exp(r/10)")), in_r)


def test_gold_that_outgrows_the_tail_is_not_certified():
    # e^{r/2}(2/3)^r diverges: E[e^{R/2}] = ∞, and no tail bound may be found.
    with pytest.raises(NotCertified):
        value(GEOMETRIC, BestOfN(2), "gold", gold=parse_gold("exp(r/2)"))
    with pytest.raises(NotCertified, match="not bounded near u = 1"):
        value(GEOMETRIC, BestOfN(2), "gold", gold=parse_gold("log(1-u)"))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_soft_best_of_n_on_two_draws_is_an_enumeration(law):
    first, masses = pmf(law)
    atoms = range(60 if isinstance(law, Poisson) else 200)
    p, e = masses, [MP.exp(MP.mpf(1) * (first + i)) for i in atoms]
    soft = [2 * p[i] * MP.fsum(p[j] * e[i] / (e[i] + e[j]) for j in atoms) for i in atoms[:30]]
    policy = SoftBestOfN(2, 1)
    for i in (0, 7):
        found = value(law, policy, "mass", at=first + i, digits=7)
        assert close(found, soft[i], rel=1e-7)
    found = value(law, policy, "cdf", at=first + 7, digits=7)
    assert close(found, MP.fsum(soft[:8]), rel=1e-7)
    if isinstance(law, Poisson):
        kl = MP.fsum(m * MP.log(m / q) for m, q in zip(soft, p[:30], strict=True))
        assert close(value(law, policy, "kl", digits=12), kl, rel=1e-11)


def test_soft_best_of_n_that_is_not_certified_says_so():
    with pytest.raises(NotCertified, match="integer n"):
        value(POISSON, SoftBestOfN("5/2", 1), "kl")
    with pytest.raises(NotCertified, match="quantiles"):
        value(POISSON, SoftBestOfN(3, 1, "quantile"), "kl")
    assert value(POISSON, SoftBestOfN(3, 0), "mean_reward") == Number.exact(Fraction(5, 2))


def test_a_sum_over_too_many_atoms_is_refused_and_does_not_hang():
    with pytest.raises(NotCertified, match="not attempted"):
        value(Geometric("1e-9"), BestOfN(2), "mean_reward")
    with pytest.raises(NotCertified):
        value(Poisson("1e30"), BestOfN(2), "kl")
    with pytest.raises(NotCertified):
        value(POISSON, Tilt(1000), "win_rate")


def test_the_reference_is_exact_where_it_can_be():
    for law in LAWS:
        assert value(law, BestOfN(1), "win_rate") == Number.exact(Fraction(1, 2))
        assert value(law, BestOfN(1), "mean_reward") == Number.exact(law.mean)
        assert value(law, Tilt(0), "kl") == Number.exact(0)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("policy", [BestOfPoisson(3), Tilt("1/4")], ids=str)
def test_estimates_agree_with_balls(law, policy):
    for what in ("kl", "total_variation", "mean_quantile"):
        plan = next(iter(plans(law, policy, what)))
        assert close(value(law, policy, what), MP.mpf(str(highprec(plan, 20))))
    assert float(value(law, policy, "score", at=2)) == pytest.approx(
        float(highprec(next(iter(plans(law, policy, "score", at=2))), 15)), rel=1e-12
    )


def test_the_score_is_the_slope_of_log_w():
    step = Fraction(1, 10**6)
    for law in LAWS:
        w = [value(law, BestOfPoisson(3 + s), "ratio", at=4, digits=25) for s in (step, -step)]
        logs = [MP.log(MP.mpf(x.decimal(24)[0])) for x in w]
        slope = (logs[0] - logs[1]) / 2e-6
        assert close(value(law, BestOfPoisson(3), "score", at=4), slope, rel=1e-9)


@pytest.mark.parametrize(
    ("law", "reference"),
    [(POISSON, ss.poisson(2.5)), (GEOMETRIC, ss.geom(1 / 3))],
    ids=["poisson", "geometric"],
)
def test_samples_have_the_law(law, reference):
    # DKW: P(sup |F_n − F| > d) ≤ 2 e^{−2 n d²} = 2e-9 at n = 40,000, d = 0.0161.
    size, bound = 40_000, 0.0161
    for policy, power in ((BestOfN(1), 1), (BestOfN(3), 3)):
        drawn = sample(policy, law, size, 7).rewards
        for k in range(9):
            assert abs((drawn <= k).mean() - reference.cdf(k) ** power) < bound
    tilted = sample(Tilt("1/4"), law, size, 7).rewards
    for k in range(1, 9):
        expected = float(value(law, Tilt("1/4"), "cdf", at=k))
        assert abs((tilted <= k).mean() - expected) < bound


def test_a_truncated_poisson_law_is_near_a_finite_one():
    # An independent route: the law conditioned on R ≤ 60 differs by less than 1e-50.
    weights = {k: Fraction(5, 2) ** k / mpmath.libmp.ifac(k) for k in range(61)}
    whole = sum(weights.values())
    finite = Finite({k: x / whole for k, x in weights.items()})
    for what in ("kl", "chi2", "win_rate", "mean_reward"):
        a, b = (value(law, QuantileTilt(5), what, digits=20) for law in (POISSON, finite))
        assert abs(MP.mpf(a.decimal(22)[0]) - MP.mpf(b.decimal(22)[0])) < MP.mpf(10) ** -19


def test_parameters_out_of_their_domain_are_refused():
    for make in (lambda: Poisson(0), lambda: Geometric(1), lambda: Geometric(0)):
        with pytest.raises(InputError):
            make()


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_a_softmax_over_quantiles_is_not_sampled_by_the_uniform_behind_a_draw(law):
    with pytest.raises(InputError, match="no sampler"):
        sample(SoftBestOfN(3, 1, "quantile"), law, 3, 0)


def test_soft_best_of_n_is_sampled_with_its_law():
    # DKW at n = 20,000: 2e^{−2nd²} = 1e-7 at d = 0.0205.
    drawn = sample(SoftBestOfN(3, 1), POISSON, 20_000, 3).rewards
    for k in (1, 3, 5):
        truth = float(value(POISSON, SoftBestOfN(3, 1), "cdf", at=k, digits=6))
        assert abs((drawn <= k).mean() - truth) < 0.0205


def test_what_has_no_answer_on_countable_laws_is_a_refusal_and_no_traceback(cli):
    for law in ("poisson(2)", "geometric(1/3)"):
        told = cli("check", "--law", law, "--family", "sbon(n=3, scale=quantile)", "--gold", "u")
        assert told.is_refusal(3)
        assert cli("derive", "--law", law, "--family", "bon", "--quantity", "kl").is_refusal(2)
        assert cli("gap", "--law", law, "--at", "2").code == 0


def test_the_gap_on_a_poisson_law_is_the_kl_to_the_matched_tilt():
    from hedgetheory.functionals.gap import gap_at

    point = gap_at(POISSON, 2)
    # KL(BoP‖Poisson(m)) at equal means m, by its own sum: the Pythagorean identity.
    rows = rank_masses(POISSON, lambda x: x * MP.exp(2 * (x - 1)))
    mean = MP.fsum(k * m for k, _, _, _, m in rows)
    other = [MP.exp(-mean) * mean**k / MP.factorial(k) for k, *_ in rows]
    truth = MP.fsum(
        row[4] * MP.log(row[4] / q)
        for row, q in zip(rows, other, strict=True)
        if row[4] > MP.mpf(10) ** -45
    )
    assert close(point.gap, truth)
