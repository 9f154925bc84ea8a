"""Kinds of cases, each with the mutant that it was made for: rejected, and where it has one, named.

Mutants are written here as somebody would write them, in plain floats.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import integrate, optimize, special

from hedgetheory.exact import Number
from hedgetheory.reference import compute, cross, tables
from hedgetheory.reference.answers import parse_answer
from hedgetheory.reference.cases import near_identity
from hedgetheory.reference.cases.job import Job
from hedgetheory.reference.hints import hint, mistake_of
from hedgetheory.reference.judge import Tolerance, judge, questions


def verdicts(table, mutant, wanted):
    """What compare makes of a mutant on the packaged cases of a table that are ``wanted``."""
    asked = [q for q in questions(table, tables.load(table).cases) if wanted(q.id)]
    assert asked
    return [judge(each, parse_answer(mutant(each.inputs)), Tolerance()) for each in asked]


def parameter(inputs, name):
    return float(Fraction(inputs["parameters"][name]["rational"]))


# -- nearly the reference --------------------------------------------------------------------------


def log_minus(inputs):
    n = parameter(inputs, "n")
    return math.log(n) - (n - 1) / n


def log_one_plus(inputs):
    """x − ln(1+x) turned around: exact to some roundings where it is done with a series."""
    x = Fraction(inputs["parameters"]["n"]["rational"]) - 1
    terms = [(-1) ** k * x**k * Fraction(k - 1, k) for k in range(2, 12)]
    return float(sum(terms))


def near_ids(policy):
    return {Job("kl", each, "uniform").id for each in near_identity.CLOSED if policy in each}


def test_near_one_the_logarithm_minus_the_fraction_is_rejected_and_a_series_passes():
    wrong = verdicts("kl", log_minus, near_ids("bon").__contains__)
    assert len(wrong) == len(near_identity.NEAR)
    rejected = [v for v in wrong if v.status == "mismatch"]
    # 5·2^−30, 1234567·2^−52 and 3·2^−51; in the others the roundings happen to cancel.
    assert len(rejected) == 3
    assert {mistake_of(v).name for v in rejected} <= {"bon-cancellation"}
    right = verdicts("kl", log_one_plus, near_ids("bon").__contains__)
    assert {v.status for v in right} == {"pass"}


def naive_poisson(inputs):
    mu = parameter(inputs, "mu")
    ei = special.expi(mu + 1) - special.expi(1)
    return float(np.exp(-mu - 1) * ei / mu + np.log(1 + mu) - 1)


def naive_tilt(inputs):
    lam = parameter(inputs, "lam")
    grown = math.exp(lam) - 1
    return lam * (math.exp(lam) / grown - 1 / lam) - math.log(grown / lam)


@pytest.mark.parametrize(
    ("policy", "mutant"), [("bop", naive_poisson), ("quantile_tilt", naive_tilt)]
)
def test_near_zero_the_closed_forms_are_rejected(policy, mutant):
    found = verdicts("kl", mutant, near_ids(f"{policy}(").__contains__)
    assert {v.status for v in found} == {"mismatch"}
    assert all(hint(v) for v in found)


# -- Soft Best-of-n --------------------------------------------------------------------------------


def soft_on_grid(n, lam):
    """Nodes and masses on the uniform law, by the exponential race."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    u, weights = (nodes + 1) / 2, weights / 2
    s = np.arange(-lam - 40, 5, 0.1)
    rates = np.exp(lam * u)
    phi = (special.exp1(np.exp(s)) - special.exp1(np.exp(s + lam))) / lam
    ring = np.exp(s)[:, None] * rates * np.exp(-np.exp(s)[:, None] * rates)
    return u, weights * n * 0.1 * (phi[:, None] ** (n - 1) * ring).sum(axis=0)


def marginal_covariance(n, lam):
    u, mass = soft_on_grid(n, lam)
    return float(np.sum(mass * u**12 * (1 - u) * (u - np.sum(mass * u))))


def slope_by_marginal_covariance(inputs):
    return marginal_covariance(parameter(inputs, "n"), parameter(inputs, "lam"))


def peak_by_marginal_covariance(inputs):
    n = parameter(inputs, "n")
    try:
        return optimize.brentq(lambda lam: marginal_covariance(n, lam), 2, 80, rtol=1e-10)
    except ValueError:  # no change of sign: no peak, it says
        return math.nan


def test_the_tables_reject_the_marginal_covariance_and_name_it():
    """MUTANTS 5."""
    slopes = verdicts(
        "slope",
        slope_by_marginal_covariance,
        lambda name: "@uniform" in name and "u**12" in name and "n=16, lam=2" in name,
    )
    peaks = verdicts(
        "first_peak",
        peak_by_marginal_covariance,
        lambda name: "@uniform" in name and "u**12" in name and "sbon(n=" in name,
    )
    assert len(slopes) >= 3
    assert len(peaks) >= 2
    assert {v.status for v in (*slopes, *peaks)} == {"mismatch"}
    assert {mistake_of(v).name for v in (*slopes, *peaks)} == {"marginal-slope"}
    # Between the two peaks the mutant has the wrong sign.
    assert any(v.answer.value < 0 < v.question.values[0].bounds[0] for v in slopes)


def test_two_soft_draws_of_a_logistic_have_the_mean_of_their_definition():
    """E[(R₁e^{R₁} + R₂e^{R₂})/(e^{R₁} + e^{R₂})] = E[(D/2) tanh(D/2)], D = R₁ − R₂."""

    def density(d):  # of the difference of two logistics
        if abs(d) < 1e-3:
            return (1 / 6) * (1 - d * d / 20)
        q = math.exp(-abs(d))
        return q * (abs(d) * (1 + q) - 2 * (1 - q)) / (1 - q) ** 3

    mean = 2 * integrate.quad(lambda d: d / 2 * math.tanh(d / 2) * density(d), 0, 80, limit=200)[0]
    name = Job("mean_reward", "sbon(2, 1)", "logistic").id
    assert tables.load("mean_reward").by_id[name].double == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize(("n", "lam"), [(4, 2), (16, 5)])
def test_soft_best_of_n_on_the_uniform_law_has_the_mean_of_a_float_race(n, lam):
    u, mass = soft_on_grid(n, lam)
    case = tables.load("mean_reward").by_id[Job("mean_reward", f"sbon({n}, {lam})", "uniform").id]
    assert case.double == pytest.approx(float(np.sum(mass * u)), rel=1e-10)


def test_the_peaks_are_those_of_the_ledger():
    """MUTANTS 5: 26.1 (n = 16) and 50.4 (n = 8)."""
    for n, peak in ((16, 26.1), (8, 50.4)):
        name = Job("first_peak", f"sbon(n={n})", "uniform", gold="u**12*(1 - u)").id
        assert tables.load("first_peak").by_id[name].double == pytest.approx(peak, abs=0.05)


SOFT = (
    Job("ratio", "sbon(2, 1)", "normal", ("reward", Fraction(3, 2)), digits=25),
    Job("kl", "sbon(4, 2)", "uniform", digits=25),
    Job("quantile", "sbon(5/2, 2)", "uniform", ("probability", Fraction(1, 4)), digits=25),
    Job("slope", "sbon(4, 2)", "bernoulli(1/4)", gold="4*u*(1 - u)", digits=25),
    Job("slope", "sbon(2, 1)", "uniform", gold="u**12*(1 - u)", digits=25),
    Job("score_strength", "sbon(4, 2)", "bernoulli(1/4)", ("reward", Fraction(1)), digits=25),
)


@pytest.mark.parametrize("job", SOFT, ids=lambda job: job.id)
def test_the_second_method_of_a_soft_case_agrees_and_catches_a_wrong_digit(job):
    case = compute.outcome(job).case
    assert case.check.digits >= 20
    digits = len(str(abs(case.value.mid)))
    wrong = Number.ball(case.value.mid + 10 ** (digits - 19), case.value.rad, case.value.exp10)
    with pytest.raises(cross.Disagreement):
        cross.check(job, wrong, lambda: compute._plans(job))


# -- estimators, and how to add a policy -----------------------------------------------------------


def pass_at_k(inputs):
    """The textbook function, which answers 1 where there are fewer failures than draws."""
    rows, k = inputs["responses"], int(parameter(inputs, "n"))
    right = sum(Fraction(gold["rational"]) for _, gold in rows)
    if len(rows) - right < k:
        return 1.0
    return 1 - math.comb(int(len(rows) - right), k) / math.comb(len(rows), k)


def test_more_draws_than_samples_are_undefined_and_pass_at_k_of_one_is_rejected():
    """MUTANTS 11: n = 2, c = 0, k = 5 among them."""
    every = {case.id: case for case in tables.load("sample_pass_at_k").cases}
    beyond = {name for name, case in every.items() if case.value.is_undefined}
    assert "sample_pass_at_k:bon(n=5)@S=2,c=0" in beyond
    found = verdicts("sample_pass_at_k", pass_at_k, beyond.__contains__)
    assert {(v.status, mistake_of(v).name) for v in found} == {("mismatch", "pass-beyond-samples")}
    rest = verdicts("sample_pass_at_k", pass_at_k, lambda name: name not in beyond)
    assert {v.status for v in rest} == {"pass"}


def test_a_second_method_of_its_own_comes_first(monkeypatch):
    job = Job("kl", "bon(2)", "uniform")
    value = compute.outcome(job).case.value
    monkeypatch.setitem(cross.OWN, "bon", lambda job, value: ("its own", value))
    assert cross.check(job, value, lambda: []).method == "its own"
    monkeypatch.setitem(cross.OWN, "bon", lambda job, value: ("its own", Number.exact(1)))
    with pytest.raises(cross.Disagreement, match="its own"):
        cross.check(job, value, lambda: [])
