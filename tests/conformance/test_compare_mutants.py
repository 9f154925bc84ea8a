"""Every mutant that concerns a functional is rejected, and those with a name are given it.

A mutant here is a function from case to value, written as somebody would write it and not as
`hedgetheory.reference.mistakes` does; the true values are by mpmath or by hand.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import plain
import pytest
from conformance_support import kl_bon, mp, parameter, point, question, recognised, verdict_of
from scipy import integrate, optimize, special

from hedgetheory.exact import Number
from hedgetheory.reference.answers import parse_answer
from hedgetheory.reference.hints import hint
from hedgetheory.reference.judge import Question, Tolerance, judge
from hedgetheory.reference.mistakes import MISTAKES, ROUNDED
from hedgetheory.reference.model import number_to_json


def kl_bop(mu):
    """arXiv 2506.19248, Theorem 2, in 60 digits."""
    mu = mp.mpf(mu)
    return mp.exp(-mu - 1) * (mp.ei(mu + 1) - mp.ei(1)) / mu + mp.log(1 + mu) - 1


def mean_bop(mu):
    mu = mp.mpf(mu)
    return 1 - 1 / mu + (1 - mp.exp(-mu)) / mu**2


# -- 1, 2: Best-of-Poisson -------------------------------------------------------------------------


def flipped(u, mu):
    return (1 + mu * u) * math.exp(mu * (1 - u))


def bop_flipped(case):
    mu = parameter(case, "mu")
    total = integrate.quad(flipped, 0, 1, (mu,))[0]
    if case["quantity"] == "ratio":
        return flipped(point(case), mu) / total
    if case["quantity"] == "mean_quantile":
        return integrate.quad(lambda u: u * flipped(u, mu), 0, 1)[0] / total
    w = lambda u: flipped(u, mu) / total  # noqa: E731
    return integrate.quad(lambda u: w(u) * math.log(w(u)), 0, 1)[0]


def bop_score_exchanged(case):
    mu, u = parameter(case, "mu"), point(case)
    return u + (u - 1) / (1 + mu * u)


QUARTER = ("quantile", "1/4")
BOP_CASES = (
    question("ratio", "bop(5)", "normal", mp.mpf("2.25") * mp.exp(mp.mpf("-3.75")), at=QUARTER),
    question("mean_quantile", "bop(5)", "uniform", mean_bop(5)),
    question("kl", "bop(5)", "exponential", kl_bop(5)),
)


def test_the_flipped_exponent_has_the_mean_that_mutants_says():
    assert round(bop_flipped(BOP_CASES[1].line()), 2) == 0.28
    assert round(float(mean_bop(5)), 2) == 0.84


# -- 3, 4, 5: Soft Best-of-n -----------------------------------------------------------------------


def soft_as_product(case):
    n, lam = parameter(case, "n"), parameter(case, "lam")
    total = integrate.quad(lambda u: u ** (n - 1) * math.exp(lam * u), 0, 1)[0]
    return point(case) ** (n - 1) * math.exp(lam * point(case)) / total


def soft_by_incomplete_gamma(case):
    n, lam, u = parameter(case, "n"), parameter(case, "lam"), point(case)
    with np.errstate(all="ignore"):
        total = special.gamma(n) * special.gammainc(n, lam) / np.float64(lam) ** n
        return float(u ** (n - 1) * math.exp(lam * u) / total)


def soft_two(u, lam):
    """The ratio for two draws on the uniform law: THEORY section 2."""
    u, lam = mp.mpf(u), mp.mpf(lam)
    return 2 / lam * mp.log((1 + mp.exp(lam * u)) / (1 + mp.exp(lam * (u - 1))))


def soft_weights(n, lam):
    """Soft Best-of-n on a grid of the uniform law, by the exponential race."""
    nodes, weights = np.polynomial.legendre.leggauss(100)
    u, weights = (nodes + 1) / 2, weights / 2
    s = np.arange(-lam - 40, 5, 0.1)
    rates = np.exp(lam * u)
    phi = (special.exp1(np.exp(s)) - special.exp1(np.exp(s + lam))) / lam
    ring = np.exp(s)[:, None] * rates * np.exp(-np.exp(s)[:, None] * rates)
    return u, weights * n * 0.1 * (phi[:, None] ** (n - 1) * ring).sum(axis=0)


def soft_threshold_by_marginal_covariance(case):
    n = parameter(case, "n")

    def slope(lam):
        u, mass = soft_weights(n, lam)
        return float(np.sum(mass * u**12 * (1 - u) * (u - np.sum(mass * u))))

    try:
        return optimize.brentq(slope, 2, 80, rtol=1e-10)
    except ValueError:  # no sign change: no threshold, it says
        return math.nan


GOLD = "u**12*(1 - u)"
#: MUTANTS 5, to the digits that it gives.
SOFT_16 = question("threshold", "sbon(n=16)", "uniform", mp.mpf("26.1"), gold=GOLD, kind="family")
SOFT_8 = question("threshold", "sbon(n=8)", "uniform", mp.mpf("50.4"), gold=GOLD, kind="family")
SOFT_TWO = question("ratio", "sbon(2, 1)", "uniform", soft_two("0.25", 1), at=QUARTER)


def test_the_marginal_covariance_has_the_thresholds_that_mutants_says():
    assert round(soft_threshold_by_marginal_covariance(SOFT_16.line()), 1) == 21.4
    assert math.isnan(soft_threshold_by_marginal_covariance(SOFT_8.line()))


def test_soft_best_of_n_without_strength_is_the_reference_not_best_of_n():
    asked = question("ratio", "sbon(4, 0)", "uniform", Number.exact(1), at=QUARTER)
    found = verdict_of(soft_as_product, asked)
    assert (found.status, recognised(found)) == ("mismatch", "soft-as-product")


# -- 6, 15, 16, 17, 18: divergences ----------------------------------------------------------------


def kl_of_poisson_at_n(case):
    return float(kl_bop(parameter(case, "n")))


def kl_without_atoms(case):
    n = parameter(case, "n")
    return math.log(n) - 1 + 1 / n


def kl_by_histogram(case):
    """Of the exact masses of 100 bins: what endless samples would give."""
    n = parameter(case, "n")
    mass = np.diff((np.arange(101) / 100) ** n)
    return float(np.sum(mass * np.log(mass * 100)))


def kl_naive_ei(case):
    mu = parameter(case, "mu")
    with np.errstate(all="ignore"):
        ei = special.expi(mu + 1) - special.expi(1)
        return float(np.exp(-mu - 1) * ei / mu + np.log(1 + mu) - 1)


def kl_naive_ei_python(case):
    """The same with mpmath's Ei made a float too early."""
    mu = parameter(case, "mu")
    ei = float(mpmath.fp.ei(mu + 1)) if mu < 700 else math.inf
    return math.exp(-mu - 1) * (ei - 1.8951178163559368) / mu + math.log(1 + mu) - 1


def kl_by_quadrature(case):
    mu = parameter(case, "mu")

    def term(u):
        w = (1 + mu * u) * math.exp(mu * (u - 1))
        return w * math.log(w) if w else 0.0

    return integrate.quad(term, 0, 1)[0]


def kl_fair_coin(n):
    lose = mp.mpf(2) ** -n
    return (1 - lose) * mp.log(2 * (1 - lose)) + lose * mp.log(2 * lose)


COIN = question("kl", "bon(128)", "bernoulli(1/2)", kl_fair_coin(128))


def test_the_coin_has_the_values_that_mutants_says():
    assert round(kl_without_atoms(COIN.line()), 2) == 3.86
    assert round(float(kl_fair_coin(128)), 3) == 0.693


# -- 19: infinite and not there --------------------------------------------------------------------


def mean_of_many_samples(case):
    return float(np.mean((1 - (np.arange(10**6) + 0.5) / 10**6) ** (-1 / 0.9)))


def tilt_of_a_cut_exponential(case):
    lam = parameter(case, "lam")
    return integrate.quad(lambda r: r * math.exp((lam - 1) * r), 0, 40)[0]


PARETO = question("mean_reward", "bon(1)", "pareto(9/10)", Number.infinity())
NO_TILT = question("mean_reward", "tilt(2)", "exponential",
                   Number.undefined("M(lam) is infinite"))  # fmt: skip

# -- 7, 11, 12, 13: estimators ---------------------------------------------------------------------


def scored(quantity, n, rows, value):
    """A prompt's responses (proxy, gold) as the sample-level tables have them."""
    inputs = question("kl", f"bon({n})", "uniform", Number.exact(0)).inputs
    responses = [[number_to_json(Fraction(x)) for x in row] for row in rows]
    kept = {key: inputs[key] for key in ("policy", "parameters", "policy_spec")}
    asked = kept | {"responses": responses}
    return Question(f"{quantity}:bon(n={n})@{rows}", quantity, quantity, asked, (value,))


def responses_of(case):
    return [[float(Fraction(x["rational"])) for x in row] for row in case["inputs"]["responses"]]


def ranks_unsorted(case):
    golds, n = [gold for _, gold in responses_of(case)], int(parameter(case, "n"))
    weights = [math.comb(i, n - 1) / math.comb(len(golds), n) for i in range(len(golds))]
    return sum(w * g for w, g in zip(weights, golds, strict=True))


def bootstrapped(case):
    """All draws with replacement, each as likely."""
    rows, n = responses_of(case), int(parameter(case, "n"))
    draws = list(itertools.product(rows, repeat=n))
    return sum(max(draw)[1] for draw in draws) / len(draws)


def first_only(case):
    return max(responses_of(case)[: int(parameter(case, "n"))])[1]


def first_of_a_tie(case):
    rows, n = responses_of(case), int(parameter(case, "n"))
    subsets = list(itertools.combinations(rows, n))
    return sum(max(subset, key=lambda row: row[0])[1] for subset in subsets) / len(subsets)


def pass_at_k(case):
    """1 - C(S-c, k)/C(S, k) with a product that is empty, or 1, from k > S - c on."""
    rows, k = responses_of(case), int(parameter(case, "n"))
    right = sum(gold for _, gold in rows)
    if len(rows) - right < k:
        return 1.0
    return 1 - math.comb(int(len(rows) - right), k) / math.comb(len(rows), k)


#: Proxies 3, 1, 2, 4 with gold 1, 4, 2, 0. By hand, n = 2: weights 0, 1/6, 1/3, 1/2 on 4, 2, 1, 0.
ROWS = ((3, 1), (1, 4), (2, 2), (4, 0))
BEST_OF_TWO = scored("sample_best_of_n", 2, ROWS, Number.exact(Fraction(2, 3)))
#: Proxies 1, 2, 2 with gold 0, 1, 3: every pair's best has gold 1, 3, or their mean 2: 2.
TIED = scored("sample_best_of_n", 2, ((1, 0), (2, 1), (2, 3)), Number.exact(2))
TWO_WRONG = scored("sample_pass_at_k", 5, ((0, 0), (0, 0)), Number.undefined("k > S"))


NEAR_ONE = 1 + Fraction(1, 2**26)
#: (mutant, case where it is wrong, the hint's name)
MUTANTS = [
    *((bop_flipped, asked, "bop-exponent") for asked in BOP_CASES),
    (bop_score_exchanged, question("score", "bop(5)", "logistic",
                                   mp.mpf("-0.75") + mp.mpf("0.25") / mp.mpf("2.25"), at=QUARTER),
     "bop-score"),
    (soft_as_product, SOFT_TWO, "soft-as-product"),
    (soft_by_incomplete_gamma, SOFT_TWO, "incomplete-gamma"),
    (soft_by_incomplete_gamma, question("ratio", "sbon(172, 1)", "uniform", mp.mpf("0.7"),
                                        at=QUARTER), "gamma-overflow"),
    (soft_threshold_by_marginal_covariance, SOFT_16, "marginal-slope"),
    (soft_threshold_by_marginal_covariance, SOFT_8, "marginal-slope"),
    (kl_of_poisson_at_n, question("kl", "bon(12)", "uniform", kl_bon(12)), "other-kl"),
    (kl_without_atoms, COIN, "kl-on-atoms"),
    (kl_by_histogram, question("kl", "bon(16)", "normal", kl_bon(16)), "histogram"),
    *((kl_naive_ei, question("kl", f"bop({mu})", "uniform", kl_bop(mp.mpf(value))), "naive-ei")
      for mu, value in (("1/1048576", 2.0**-20), ("1/1024", 2.0**-10), ("710", 710), ("1024", 1024))
    ),
    (kl_naive_ei_python, question("kl", "bop(1/1048576)", "uniform", kl_bop(mp.mpf(2) ** -20)),
     "naive-ei"),
    (kl_by_quadrature, question("kl", "bop(1048576)", "uniform", kl_bop(2**20)), "lost-peak"),
    (kl_without_atoms, question("kl", f"bon({NEAR_ONE})", "uniform", kl_bon(1 + mp.mpf(2) ** -26)),
     "bon-cancellation"),
    (mean_of_many_samples, PARETO, "finite-for-infinite"),
    (tilt_of_a_cut_exponential, NO_TILT, "nowhere"),
    (ranks_unsorted, BEST_OF_TWO, "unsorted-ranks"),
    (bootstrapped, BEST_OF_TWO, "with-replacement"),
    (first_only, BEST_OF_TWO, "first-n"),
    (first_of_a_tie, TIED, "ties-unshared"),
    (pass_at_k, TWO_WRONG, "pass-beyond-samples"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
@pytest.mark.parametrize(
    ("mutant", "asked", "name"), MUTANTS, ids=lambda x: getattr(x, "id", getattr(x, "__name__", x))
)
def test_a_mutant_is_rejected_and_named(mutant, asked, name):
    found = verdict_of(mutant, asked)
    assert found.status == "mismatch"
    assert recognised(found) == name
    known = next(mistake for mistake in MISTAKES if mistake.name == name)
    number = f" (MUTANTS {known.number})" if known.number else ""
    assert hint(found) == f"looks like {known.says}{number}"


@pytest.mark.parametrize("asked", list({asked.id: asked for _, asked, _ in MUTANTS}.values()),
                         ids=lambda asked: asked.id)  # fmt: skip
def test_the_cases_of_the_mutants_are_fair(asked):
    """The correct implementation, where it covers a case, and the truth itself always, pass."""
    value = plain.answer(asked.line())
    if value is not None:
        assert verdict_of(plain.answer, asked).status == "pass"
    (number,) = asked.values
    text = "nan" if number.is_undefined else number.decimal(40)[0]
    assert judge(asked, parse_answer(text), Tolerance()).status == "pass"


def test_rounding_the_threshold_is_rejected_where_the_other_neighbour_is_better():
    """MUTANTS 10: n† = 12.495, best 13."""

    def value(n):  # E[u^12.005 (1 - u)] under Best-of-n
        return n / (n + 12.005) - n / (n + 13.005)

    peak = optimize.minimize_scalar(lambda n: -value(n), (5, 30), tol=1e-12).x
    assert round(peak, 3) == 12.495
    assert value(13) > value(12)
    asked = question("best_integer", "bon", "uniform", Number.exact(13),
                     gold="u**(2401/200)*(1 - u)", kind="family")  # fmt: skip
    wrong = judge(asked, parse_answer(str(round(peak))), Tolerance())
    assert (wrong.status, recognised(wrong)) == ("mismatch", ROUNDED.name)
    assert judge(asked, parse_answer("13"), Tolerance()).status == "pass"


def test_a_tie_has_two_right_integers():
    """u^12 (1 - u): 12 and 13 exactly tie."""
    tie = (Number.exact(12), Number.exact(13))
    asked = question("best_integer", "bon", "uniform", tie, gold=GOLD, kind="family")
    statuses = [judge(asked, parse_answer(str(n)), Tolerance()).status for n in (11, 12, 13, 14)]
    assert statuses == ["mismatch", "pass", "pass", "mismatch"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (lambda case: case["true"] / math.log(2), "bits"),
        (lambda case: 15 - math.log(16), "reversed-kl"),
        (lambda case: math.log(17) - 16 / 17, "one-draw-off"),
        (lambda case: float(np.float32(case["true"])), "single-precision"),
        (lambda case: case["true"] + 0.1, None),
    ],
)
def test_other_common_errors_have_a_name_and_a_plain_one_has_none(given, name):
    truth = kl_bon(16)
    asked = question("kl", "bon(16)", "uniform", truth)
    found = verdict_of(lambda case: given({"true": float(truth)}), asked)
    assert (found.status, recognised(found)) == ("mismatch", name)


def test_a_right_answer_never_has_a_hint():
    asked = question("kl", "bon(16)", "uniform", kl_bon(16))
    found = verdict_of(plain.answer, asked)
    assert (found.status, hint(found)) == ("pass", "")
