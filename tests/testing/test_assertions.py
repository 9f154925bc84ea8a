"""Each assertion passes on right code and fails on its mutants, with a message that says all."""

from __future__ import annotations

import math
import shlex
from fractions import Fraction
from itertools import combinations
from math import comb

import pytest

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.functionals.quantities import value
from hedgetheory.spec.grammar import parse_gold, parse_law, parse_policy
from hedgetheory.testing import (
    Disagreement,
    assert_density,
    assert_matches_reference,
    assert_mlr,
    assert_single_peak,
    assert_unbiased,
    reference_function,
)

# -- quantities ------------------------------------------------------------------------------------


def test_right_formulas_match_the_reference():
    assert_matches_reference(lambda n: math.log(n) - 1 + 1 / n, "kl", ["bon(4)", "bon(1024)"])
    assert_matches_reference(lambda n, at: at**n, "cdf", ["bon(3)"], at=[0, 0.25, 1])
    assert_matches_reference(lambda n: math.inf, "mean_reward", ["bon(2)"], laws="pareto(7/8)")
    by_spec = {"bernoulli(p=0.5)": 1 - 0.5**3, "uniform": 0.75}
    assert_matches_reference(
        lambda n, law: by_spec[law], "mean_reward", ["bon(3)"], laws=["bernoulli(1/2)", "uniform"]
    )


@pytest.mark.parametrize(
    ("mutant", "quantity", "policy", "more"),
    [
        # 1: e^{μ(1−u)}, renormalised, has mean 0.28 at μ = 5.
        (lambda mu: 0.28, "mean_quantile", "bop(5)", {}),
        # 2: u and u − 1 exchanged in the score.
        (lambda mu, at: at + (at - 1) / (1 + mu * at), "score", "bop(5)", {"at": 0.5}),
        # 3: u^{n−1} e^{λu} at λ = 0.
        (lambda n, lam: n / (n + 1), "mean_quantile", "sbon(4, 0)", {}),
        # 6: the KL at another policy's threshold.
        (lambda mu: math.log(1 + mu) - mu / (1 + mu), "kl", "bop(5)", {}),
        # 15: ln n − 1 + 1/n for pass/fail.
        (lambda n: math.log(n) - 1 + 1 / n, "kl", "bon(128)", {"laws": "bernoulli(1/2)"}),
        # 17: 0 from quadrature at large μ.
        (lambda mu: 0.0, "kl", "bop(32768)", {}),
        # 18: cancellation near n = 1.
        (lambda n: math.log(n) - 1 + 1 / n, "kl", "bon(134217729/134217728)", {}),
        # 19: an infinite mean as a large number.
        (lambda n: 1e8, "mean_reward", "bon(2)", {"laws": "pareto(7/8)"}),
        # A NaN, and no answer.
        (lambda n: math.nan, "kl", "bon(2)", {}),
        (lambda n: None, "kl", "bon(2)", {}),
    ],
)  # fmt: skip
def test_wrong_quantities_are_told_with_everything_to_repeat_them(mutant, quantity, policy, more):
    with pytest.raises(Disagreement) as found:
        assert_matches_reference(mutant, quantity, [policy], **more)
    said = dict(found.value.lines)
    assert found.value.title.startswith(quantity)
    assert str(parse_policy(policy))[:-1] in said["input"]
    assert {"got", "want", "reproduce", "check"} <= set(said)
    assert said["check"].startswith("hedgetheory value --law")
    assert "bound" in said or "because" in said


def test_the_printed_command_gives_the_true_value(cli):
    with pytest.raises(Disagreement) as found:
        assert_matches_reference(lambda n: 0, "kl", ["bon(3)"], laws="finite({0: 1/4, 1: 3/4})")
    said = dict(found.value.lines)
    outcome = cli(*shlex.split(said["check"])[1:])
    assert outcome.code == 0
    assert said["want"][:12] in outcome.out


def test_a_known_mistake_is_named():
    with pytest.raises(Disagreement) as found:
        assert_matches_reference(
            lambda n: math.log(n) - 1 + 1 / n, "kl", ["bon(128)"], "bernoulli(1/2)"
        )
    assert "MUTANTS 15" in dict(found.value.lines)["hint"]


def test_nothing_to_examine_is_a_mistake():
    with pytest.raises(InputError, match="nothing to examine"):
        assert_matches_reference(lambda n: 0.0, "kl", [])


def test_a_parameter_that_no_double_has_is_refused():
    with pytest.raises(InputError, match="binary64"):
        assert_matches_reference(lambda mu: 0.0, "kl", ["bop(1/3)"])


GOLD = "u**12*(1 - u)"


def test_thresholds_and_slopes_match_the_reference():
    """Best-of-n: f = n/(n + 12) - n/(n + 13), turning at sqrt(156); sbon(2, 1), THEORY 2."""

    def slope(n):
        return 12 / (n + 12) ** 2 - 13 / (n + 13) ** 2

    assert_matches_reference(lambda: math.sqrt(156), "threshold", ["bon"], gold=GOLD)
    laws = ["uniform", "normal"]
    assert_matches_reference(slope, "slope", ["bon(4)", "bon(32)"], laws, gold=GOLD)
    assert_matches_reference(lambda lam: 1.0, "slope", ["tilt(3)"], "normal", gold="r")

    def coin(n):  # f = 1 - (1/2)^n
        return math.log(2) * 2**-n

    assert_matches_reference(coin, "slope", ["bon(3)"], "bernoulli(1/2)", gold="r")


@pytest.mark.parametrize(
    ("mutant", "quantity", "policy", "gold"),
    [
        (lambda: 12.0, "threshold", "bon", GOLD),
        (lambda: 12.0, "threshold", "bon", "u"),  # there is none
        (lambda: 12.4899959968, "threshold", "bop", GOLD),
        (lambda n: 12 / (n + 12) - 13 / (n + 13), "slope", "bon(4)", GOLD),
        (lambda mu: 0.5, "slope", "bop(3)", "u"),
    ],
)
def test_wrong_thresholds_and_slopes_are_told(mutant, quantity, policy, gold):
    with pytest.raises(Disagreement, match=f"{quantity} disagrees") as found:
        assert_matches_reference(mutant, quantity, [policy], gold=gold)
    said = dict(found.value.lines)
    assert {"input", "got", "want", "reproduce"} <= set(said)
    assert ("check" in said) == (quantity == "threshold")


def test_thresholds_and_slopes_that_are_not_certified_are_not_judged():
    three = "finite({0: 1/3, 1/2: 1/3, 1: 1/3})"
    with pytest.raises(NotCertified, match="undecided"):  # the curve ends at its own start
        assert_matches_reference(
            lambda n: 1.0, "threshold", ["sbon(n=2)"], three, gold="4*r*(1 - r)"
        )
    with pytest.raises(NotCertified, match="exp"):
        assert_matches_reference(lambda n: 0.0, "slope", ["bon(3)"], gold="exp(u)")
    for quantity, policy, gold in [
        ("slope", "bon(1)", GOLD),  # the end of its family
        ("slope", "bon(2)", None),
        ("slope", "best_of_random(ztp(2))", GOLD),
        ("threshold", "bon", None),
    ]:
        with pytest.raises(InputError):
            assert_matches_reference(lambda **_: 0.0, quantity, [policy], gold=gold)


def test_the_tolerance_is_the_callers():
    off = 1 + 1e-7

    def near(n):
        return (math.log(n) - 1 + 1 / n) * off

    assert_matches_reference(near, "kl", ["bon(4)"], rtol="1e-6")
    with pytest.raises(Disagreement):
        assert_matches_reference(near, "kl", ["bon(4)"], rtol="1e-8")


# -- densities -------------------------------------------------------------------------------------


def normal_pdf(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def normal_cdf(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def test_right_densities_pass():
    assert_density(lambda r: 4 * normal_cdf(r) ** 3 * normal_pdf(r), "normal", "bon(4)")
    assert_density(
        lambda r: (1 + 5 * r) * math.exp(5 * (r - 1)) if 0 <= r <= 1 else 0, "uniform", "bop(5)"
    )
    assert_density(lambda r: 2.0**-r if r >= 1 and r == int(r) else 0.0, "geometric(1/2)", "bon(1)")


@pytest.mark.parametrize(
    ("mutant", "law", "policy"),
    [
        # 1, renormalised: it integrates to one.
        (lambda r: (1 + 5 * r) * math.exp(5 * (1 - r)) / 2 * (0 <= r <= 1), "uniform", "bop(5)"),
        # 3: Soft Best-of-n as u^{n−1} e^{λu}, at λ = 0.
        (lambda r: 4 * r**3 if 0 <= r <= 1 else 0.0, "uniform", "sbon(4, 0)"),
        # 4: Γ(n) overflows from n = 172.
        (lambda r: 0.0, "uniform", "bon(172)"),
        # The continuous formula with atoms, and a density that forgets the support.
        (lambda r: 3 * r**2, "bernoulli(1/2)", "bon(3)"),
        (lambda r: 3 * r**2, "uniform", "bon(3)"),
    ],
)
def test_wrong_densities_are_told(mutant, law, policy):
    with pytest.raises(Disagreement, match="disagrees with the reference") as found:
        assert_density(mutant, law, policy)
    assert "reproduce" in dict(found.value.lines)


# -- shapes ----------------------------------------------------------------------------------------

GRID = [k / 16 for k in range(1, 16)]


def test_best_of_n_and_the_reference_have_a_monotone_likelihood_ratio():
    assert_mlr(lambda n, x: n * x ** (n - 1), [1, 2, 8, 64], GRID, strict=True)
    assert_mlr(lambda n, x: 1.0, [1, 2], GRID)
    with pytest.raises(Disagreement):
        assert_mlr(lambda n, x: 1.0, [1, 2], GRID, strict=True)


def soft_best_of_two(lam, x):
    """THEORY §2: (2/λ) ln[(1 + e^{λu})/(1 + e^{λ(u−1)})]."""
    return 2 / lam * (math.log1p(math.exp(lam * x)) - math.log1p(math.exp(lam * (x - 1))))


def test_soft_best_of_two_is_not_monotone_in_lam_and_is_in_the_bulk_of_small_lam():
    assert_mlr(soft_best_of_two, [0.5, 1, 2], GRID)
    with pytest.raises(Disagreement) as found:
        assert_mlr(soft_best_of_two, [4, 8], [0.98, 1.0])
    assert "0.98 < 1.0" in dict(found.value.lines)["input"]


def test_the_flipped_best_of_poisson_is_not_monotone():  # MUTANTS 1
    with pytest.raises(Disagreement):
        assert_mlr(lambda mu, x: (1 + mu * x) * math.exp(mu * (1 - x)), [1, 5], GRID)


def test_rounding_is_no_refutation():
    ratio = reference_function("ratio", "quantile_tilt")
    assert_mlr(ratio, [1.0, 1 + 2**-40], [0.5, 0.5 + 2**-40])


def test_a_negative_or_infinite_ratio_is_told():
    for wrong in (-1.0, math.inf, math.nan):
        with pytest.raises(Disagreement):
            assert_mlr(lambda t, x, wrong=wrong: wrong, [1, 2], GRID)


def test_a_single_peak_passes_and_a_trough_does_not():
    assert_single_peak(lambda n: n / (n + 12) - n / (n + 13), [1, 4, 12, 13, 40, 400])
    assert_single_peak(lambda n: n, [1, 2, 3])
    with pytest.raises(Disagreement) as found:  # 21
        assert_single_peak(lambda x: math.cos(3 * x), [0, 0.5, 1, 1.5, 2])
    assert "theta = 0 < 1 < 2" in dict(found.value.lines)["input"]


def test_certified_values_use_their_own_bounds():
    law, gold = parse_law("uniform"), parse_gold("u**12*(1 - u)")

    def curve(n):
        return value(law, parse_policy(f"bon({n})"), "gold", gold=gold)

    assert_single_peak(curve, [1, 6, 12, 13, 20, 60])


def test_a_trough_within_the_error_is_none():
    values = {1: 1.0, 2: 0.999, 3: 1.0}
    assert_single_peak(values.get, values, atol=0.001)
    with pytest.raises(Disagreement):
        assert_single_peak(values.get, values, atol=0.0001)


def test_a_grid_too_small_to_say_anything_is_refused():
    with pytest.raises(InputError):
        assert_mlr(lambda t, x: 1.0, [1], GRID)
    with pytest.raises(InputError):
        assert_single_peak(lambda t: t, [1, 2])


# -- estimators ------------------------------------------------------------------------------------


def ranked(proxies, golds):
    """Golds by increasing proxy, tied proxies sharing their mean."""
    out = []
    for proxy in sorted(set(proxies)):
        tied = [g for p, g in zip(proxies, golds, strict=True) if p == proxy]
        out += [sum(tied) / len(tied)] * len(tied)
    return out


def unbiased(n, golds_of=ranked):
    def estimate(proxies, golds):
        size = len(proxies)
        if n > size:
            raise ValueError
        return sum(
            comb(i, n - 1) / comb(size, n) * g for i, g in enumerate(golds_of(proxies, golds))
        )

    return estimate


def by_brute_force(n, lam):
    def estimate(proxies, golds):
        if n > len(proxies):
            return None
        total = 0.0
        for chosen in combinations(range(len(proxies)), n):
            w = [math.exp(lam * proxies[i]) for i in chosen]
            total += sum(x * golds[i] for x, i in zip(w, chosen, strict=True)) / sum(w)
        return total / comb(len(proxies), n)

    return estimate


def plug_in(n):
    def estimate(proxies, golds):
        size = len(proxies)
        steps = [((i + 1) / size) ** n - (i / size) ** n for i in range(size)]
        return sum(w * g for w, g in zip(steps, ranked(proxies, golds), strict=True))

    return estimate


def first_n(n):
    return lambda proxies, golds: ranked(proxies[:n], golds[:n])[-1] if len(golds) >= n else None


def self_normalised(n, lam):
    """The tilt of the S responses for Soft Best-of-n."""

    def estimate(proxies, golds):
        w = [math.exp(lam * p) for p in proxies]
        return sum(x * g for x, g in zip(w, golds, strict=True)) / sum(w)

    return estimate


def soft_plug_in(n, lam, others_only=False, factor=True):
    """(n/S) Σ g_i ∫ e^{λp_i} e^{−t e^{λp_i}} [mean e^{−t e^{λp_j}}]^{n−1} dt, by the trapezoid."""

    def estimate(proxies, golds):
        size, total = len(proxies), 0.0
        w = [math.exp(lam * p) for p in proxies]
        for s in range(-100, 20):
            t = math.exp(s / 4)
            e = [math.exp(-t * x) for x in w]
            for i in range(size):
                pool = [x for j, x in enumerate(e) if j != i] if others_only else e
                mean = sum(pool) / max(len(pool), 1)
                total += golds[i] * w[i] * t / 4 * e[i] * mean ** (n - 1)
        return total * (n / size if factor else 1)

    return estimate


def test_the_subset_weights_are_unbiased_exactly_and_in_floats():
    for n in (1, 2, 3, 5):
        assert_unbiased(unbiased(n), f"bon({n})")

    def exact(proxies, golds):
        return Fraction(unbiased(1)(proxies, [Fraction(g) for g in golds])).limit_denominator(100)

    assert_unbiased(exact, "bon(1)")


def test_soft_best_of_n_by_enumeration_is_unbiased():
    assert_unbiased(by_brute_force(2, 0.5), "sbon(2, 1/2)")
    assert_unbiased(by_brute_force(3, 2), "sbon(3, 2)")


@pytest.mark.parametrize(
    ("mutant", "policy"),
    [
        (unbiased(2, lambda proxies, golds: golds), "bon(2)"),  # 7: ranks left unsorted
        (unbiased(2, lambda proxies, golds: sorted(golds)), "bon(2)"),  # 7: sorted apart
        (unbiased(2, lambda p, g: [x for _, x in sorted(zip(p, g, strict=True))]), "bon(2)"),
        (self_normalised(2, 1), "sbon(2, 1)"),  # 8
        (plug_in(2), "bon(2)"),  # 12: with replacement
        (first_n(2), "bon(2)"),  # 13
        (soft_plug_in(2, 1), "sbon(2, 1)"),  # the plug-in itself is biased at finite S
        (soft_plug_in(2, 1, factor=False), "sbon(2, 1)"),  # 20
        (soft_plug_in(2, 1, others_only=True, factor=False), "sbon(2, 1)"),  # 20
    ],
)
def test_biased_estimators_are_told(mutant, policy):
    with pytest.raises(Disagreement) as found:
        assert_unbiased(mutant, policy)
    said = dict(found.value.lines)
    assert {"input", "got", "want", "bound", "because", "reproduce"} <= set(said)


def test_the_first_n_responses_are_unbiased_but_wasteful():  # 13
    assert_unbiased(first_n(2), "bon(2)", every_order=False)
    with pytest.raises(Disagreement, match="depends on the order"):
        assert_unbiased(first_n(2), "bon(2)")


def test_bias_stays_bias_over_all_orders():
    with pytest.raises(Disagreement, match="the estimator is biased"):
        assert_unbiased(plug_in(2), "bon(2)", every_order=False)


def test_pass_at_k_beyond_the_samples_is_refused():  # 11: n = 2, c = 0, k = 5 gave 1.0
    def pass_at_k(proxies, golds, k=5):
        size, passed = len(golds), sum(golds)
        if size - passed < k:
            return 1.0
        return 1.0 - comb(int(size - passed), k) / comb(size, k)

    with pytest.raises(Disagreement, match="from 2 responses"):
        assert_unbiased(pass_at_k, "bon(5)", [[(0, 0), (0, 0)]])


def test_what_no_estimator_can_do_is_refused():
    for policy in ("bop(3)", "bon(3/2)", "sbon(2, 1, scale=quantile)"):
        with pytest.raises(InputError):
            assert_unbiased(unbiased(2), policy)
    with pytest.raises(InputError, match="nothing to examine"):
        assert_unbiased(unbiased(9), "bon(9)")
