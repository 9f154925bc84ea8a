"""SuperHF: against its definition by rounds, the enumerated tree of draws, and simulation."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.analysis.check import check
from hedgetheory.cli.app import run
from hedgetheory.designs.superhf.draws import draws_masses, draws_pmf, expected_leaves
from hedgetheory.designs.superhf.limits import collapse_cdf
from hedgetheory.designs.superhf.policy import SuperHF
from hedgetheory.designs.superhf.system import SUPERHF
from hedgetheory.errors import InputError
from hedgetheory.functionals.quantities import value
from hedgetheory.hedgetune.families import parse_family as tune_family
from hedgetheory.hedgetune.tune import tune
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.sampling.sample import sample
from hedgetheory.spec.grammar import canonical, parse_family, parse_gold, parse_law, parse_policy

BETA = Fraction(23, 100)


def cdf_by_rounds(u: Fraction, n: int, beta: Fraction, rounds: int) -> Fraction:
    level = u
    for _ in range(rounds):
        level = (level**n + beta * u) / (1 + beta)
    return level


def tree_law(n: int, beta: Fraction, rounds: int) -> dict[int, Fraction]:
    """The law of the number of leaves by listing all children of the root."""
    if rounds == 0:
        return {1: Fraction(1)}
    below = tree_law(n, beta, rounds - 1)
    law: dict[int, Fraction] = {1: beta / (1 + beta)}
    for children in product(below, repeat=n):
        mass = Fraction(1) / (1 + beta)
        for child in children:
            mass *= below[child]
        law[sum(children)] = law.get(sum(children), Fraction(0)) + mass
    return law


@pytest.mark.parametrize(("n", "rounds"), [(2, 1), (2, 3), (3, 2), (5, 1)])
def test_the_number_of_draws_is_that_of_the_listed_tree(n: int, rounds: int) -> None:
    law = {k: mass for k, mass in tree_law(n, BETA, rounds).items() if mass}
    assert draws_pmf(n, BETA, rounds) == law
    floats = draws_masses(n, float(BETA), rounds)
    assert len(floats) == n**rounds
    assert np.allclose(floats, [float(law.get(k, 0)) for k in range(1, n**rounds + 1)], atol=1e-15)
    mean = sum((k * mass for k, mass in law.items()), Fraction(0))
    assert expected_leaves(n, BETA, rounds) == mean
    assert value(Uniform(), SuperHF(n, BETA, rounds), "expected_draws").fraction == mean


@pytest.mark.parametrize(("n", "rounds"), [(2, 3), (3, 2), (4, 1)])
def test_an_atom_gets_the_difference_of_the_rank_cdf(n: int, rounds: int) -> None:
    law = Finite({0: "1/2", 1: "1/4", 3: "1/4"})
    policy = SuperHF(n, "0.23", rounds)
    for atom, low, high in ((0, 0, "1/2"), (1, "1/2", "3/4"), (3, "3/4", 1)):
        mass = cdf_by_rounds(Fraction(high), n, BETA, rounds) - cdf_by_rounds(
            Fraction(low), n, BETA, rounds
        )
        low_bound, high_bound = value(law, policy, "mass", at=atom, digits=20).bounds
        assert low_bound <= mass <= high_bound


def test_the_kl_is_that_of_mpmath() -> None:
    def kl(n: int, beta: float, rounds: int) -> mpmath.mpf:
        def w(u: mpmath.mpf) -> mpmath.mpf:
            cdf, ratio = u, mpmath.mpf(1)
            for _ in range(rounds):
                ratio = (n * cdf ** (n - 1) * ratio + beta) / (1 + beta)
                cdf = (cdf**n + beta * u) / (1 + beta)
            return ratio

        return mpmath.quad(lambda u: w(u) * mpmath.log(w(u)), [0, 0.5, 0.9, 0.99, 1])

    with mpmath.workdps(30):
        for n, rounds in ((4, 1), (32, 1), (3, 3)):
            expected = kl(n, mpmath.mpf("0.23"), rounds)
            found = value(Uniform(), SuperHF(n, "0.23", rounds), "kl", digits=15)
            assert abs(mpmath.mpf(found.decimal(15)[0]) - expected) < 1e-13


@given(n=st.integers(1, 6), rounds=st.integers(1, 4), beta=st.fractions(0, 5), u=st.fractions(0, 1))
def test_the_policy_has_the_rank_cdf_of_its_rounds(
    n: int, rounds: int, beta: Fraction, u: Fraction
) -> None:
    if not 0 < u < 1:
        return
    policy = SuperHF(n, beta, rounds)
    found = value(Uniform(), policy, "cdf", at=u, digits=12).bounds
    assert found[0] <= cdf_by_rounds(u, n, beta, rounds) <= found[1]


def test_a_simulated_round_has_the_law_of_the_policy() -> None:
    # 200,000 of each: a difference of means beyond 5 standard errors has probability 6e-7.
    rng = np.random.default_rng(7)
    size = 200_000
    filtered, prior = rng.random((3, 3, size)).max(axis=1), rng.random((3, size))
    first = np.where(rng.random((3, size)) < 1 / 1.23, filtered, prior)
    second = np.where(rng.random(size) < 1 / 1.23, first.max(axis=0), rng.random(size))
    exact = float(value(Uniform(), SuperHF(3, "0.23", 2), "mean_quantile", digits=12))
    assert abs(second.mean() - exact) < 5 * second.std() / math.sqrt(size)
    drawn = sample(SuperHF(3, "0.23", 2), Uniform(), size, rng)
    assert abs(drawn.rewards.mean() - exact) < 5 * drawn.rewards.std() / math.sqrt(size)
    mean = float(expected_leaves(3, BETA, 2))
    assert abs(drawn.draws.mean() - mean) < 5 * drawn.draws.std() / math.sqrt(size)
    assert set(np.unique(drawn.draws)) <= set(map(float, draws_pmf(3, BETA, 2)))


def test_a_real_n_has_no_number_of_draws() -> None:
    found = value(Uniform(), SuperHF("5/2", "0.23"), "expected_draws")
    assert found.is_undefined
    assert "real n" in found.reason
    with pytest.raises(InputError, match="no sampler"):
        sample(SuperHF("5/2", "0.23"), Uniform(), 3, 0)
    assert not value(Uniform(), SuperHF("5/2", "0.23"), "kl").is_undefined


@pytest.mark.parametrize(
    ("n", "beta"), [(2, "1/2"), (2, 3), (3, "1.9"), (3, 2), (32, "0.23"), (100, "0.01")]
)
def test_the_collapse_is_the_smallest_root(n: int, beta: str | int) -> None:
    prior = Fraction(beta)
    found = collapse_cdf(n, beta)

    def level(x: Fraction) -> Fraction:
        return x**n - (1 + prior) * x + prior

    if n <= 1 + prior:
        assert found == 1
    else:
        assert found < 1
        assert level(found) <= 0
        assert all(level(found * Fraction(k, 8)) > 0 for k in range(8))
    # The rounds themselves, just below the top: they come down to it.
    at = cdf = 1 - 1e-14
    for _ in range(5000):
        cdf = (cdf**n + float(prior) * at) / (1 + float(prior))
    assert abs(cdf - float(found)) < 1e-3


# -- check ----------------------------------------------------------------------------------------


def test_along_n_the_extrema_are_those_of_best_of_n() -> None:
    gold = parse_gold("u**12*(1 - u)")
    ours = check(Uniform(), parse_family("superhf(beta=0.23)"), gold)
    theirs = check(Uniform(), parse_family("bon"), gold)
    assert ours.regime == theirs.regime == "peak"
    assert str(ours.threshold) == str(theirs.threshold)
    assert ours.integer is not None
    assert ours.integer.best == [12, 13]
    exact = dict(ours.integer.candidates)[12]
    # E[u^12 (1 - u)]: 1/13 - 1/14 under the reference, 12/24 - 12/25 under bon(12).
    assert exact.fraction == (Fraction(1, 50) + BETA * Fraction(1, 182)) / (1 + BETA)


def test_the_hypotheses_along_n_say_that_mlr_fails_and_tp2_holds() -> None:
    found = check(Uniform(), parse_family("superhf(beta=0.01)"), parse_gold("4*u*(1 - u)"))
    verdicts = {h.id: h.verdict for h in found.hypotheses}
    assert verdicts["mlr"] == "refuted"
    assert verdicts["kernel_tp2"] == "proved"
    assert verdicts["kl_increasing"] == verdicts["proxy_increasing"] == "proved"
    point = next(h for h in found.hypotheses if h.id == "mlr").witness["point"]
    u = float(Fraction(point["u"]))

    def score_slope(n: float) -> float:
        """∂u ln w at the witness; MLR would have it increase in n."""
        return n * (n - 1) * u ** (n - 2) / (n * u ** (n - 1) + 0.01)

    assert score_slope(2.001) < score_slope(1.999)


def test_without_a_prior_the_rounds_are_powers_of_n() -> None:
    gold = parse_gold("u**12*(1 - u)")
    found = check(Uniform(), parse_family("superhf(beta=0, rounds=2)"), gold)
    peak = check(Uniform(), parse_family("bon"), gold).threshold
    assert abs(float(found.threshold) ** 2 - float(peak)) < 1e-10
    assert found.integer is not None
    assert found.integer.best == [4]
    with mpmath.workdps(20):
        values = {
            n: mpmath.mpf(n**2) / (n**2 + 12) - mpmath.mpf(n**2) / (n**2 + 13) for n in (3, 4)
        }
    for n, number in found.integer.candidates:
        if n in values:
            assert abs(float(number) - values[n]) < 1e-12


@pytest.mark.parametrize(
    ("gold", "regime"),
    [("u**12*(1 - u)", "decreasing"), ("1 - u", "increasing"), ("3", "constant")],
)
def test_along_beta_gold_moves_in_one_direction(gold: str, regime: str) -> None:
    found = check(Uniform(), parse_family("superhf(n=3)"), parse_gold(gold))
    assert found.regime == regime
    assert not found.extrema
    verdicts = {h.id: h.verdict for h in found.hypotheses}
    assert verdicts["kl_increasing"] == "refuted"
    assert verdicts["score_monotone"] == "proved"


def test_on_atoms_the_mixture_is_told_by_best_of_n() -> None:
    law = parse_law("finite({0: 1/2, 1: 1/4, 2: 1/4})")
    gold = parse_gold("r*(2 - r)")
    found = check(law, parse_family("superhf(beta=1)"), gold)
    theirs = check(law, parse_family("bon"), gold)
    assert found.regime == "peak"
    assert str(found.threshold) == str(theirs.threshold)
    # E[g] = P(1): halfway between 1/4 and (3/4)^2 − (1/2)^2 at n = 2.
    assert found.integer is not None
    low, high = dict(found.integer.candidates)[2].bounds
    assert low <= (Fraction(5, 16) + Fraction(1, 4)) / 2 <= high


def test_several_rounds_with_a_prior_stay_undecided() -> None:
    found = check(Uniform(), parse_family("superhf(beta=1, rounds=2)"), parse_gold("u*(1 - u)"))
    assert found.regime == "undecided"
    assert found.best is None


# -- tune -----------------------------------------------------------------------------------------


def table(tmp_path: object, prompts: int = 3, size: int = 9) -> str:
    rng = np.random.default_rng(3)
    path = f"{tmp_path}/scored.csv"
    with open(path, "w") as file:
        file.write("prompt_id,proxy,true\n")
        for prompt in range(prompts):
            for proxy in rng.random(size):
                gold = 4 * proxy * (1 - proxy) + 0.1 * rng.random()
                file.write(f"{prompt},{proxy},{gold}\n")
    return path


def subsets_value(rows: list[tuple[float, float]], n: int) -> float:
    """Best-of-n by listing, over ranks: Σ C(i−1, n−1)/C(S, n) g_(i)."""
    ordered = [gold for _, gold in sorted(rows)]
    size = len(ordered)
    return sum(math.comb(i, n - 1) / math.comb(size, n) * gold for i, gold in enumerate(ordered))


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_tune_is_the_mixture_of_subset_means(tmp_path: object, rounds: int) -> None:
    path = table(tmp_path)
    found = tune(path, family=f"superhf(beta=0.23, rounds={rounds})", resamples=0)
    with open(path) as file:
        cells = [line.strip().split(",") for line in list(file)[1:]]
    prompts = [[(float(p), float(g)) for q, p, g in cells if q == str(k)] for k in range(3)]
    curve = {point["theta"]: point["value"] for point in found.to_json()["curve"]}
    assert max(curve) == {1: 9, 2: 3, 3: 2}[rounds]
    for n, seen in curve.items():
        law = draws_pmf(int(n), BETA, rounds)
        expected = np.mean(
            [sum(float(m) * subsets_value(rows, k) for k, m in law.items()) for rows in prompts]
        )
        assert seen == pytest.approx(expected, abs=1e-12)


def test_tune_along_beta_starts_at_best_of_n(tmp_path: object) -> None:
    path = table(tmp_path)
    found = tune(path, family="superhf(n=2, rounds=3)", resamples=0).to_json()
    best_of_eight = tune(path, family="bon", resamples=0).to_json()["curve"][7]["value"]
    assert found["curve"][0]["theta"] == 0
    assert found["curve"][0]["value"] == pytest.approx(best_of_eight, abs=1e-12)


@pytest.mark.parametrize(
    ("family", "why"),
    [
        ("superhf", "leave one parameter free"),
        ("superhf(n=4, beta=1)", "leave one parameter free"),
        ("superhf(n=4, rounds=0)", "rounds must be an integer from 1 to 16"),
        ("superhf(n=40)", "but a prompt has 9"),
        ("superhf(beta=1, rounds=9)", "take fewer rounds"),
        ("superhf(beta=-1)", "beta must be a number"),
    ],
)
def test_tune_refuses_with_a_reason(tmp_path: object, family: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        tune(table(tmp_path), family=family, resamples=0)


def test_tune_names_the_family_with_its_rounds() -> None:
    assert str(tune_family("superhf(beta=0.23)")) == "superhf(beta=0.23, rounds=1)"
    assert tune_family("superhf(8, rounds=2)").free == "beta"


# -- grammar, messages, functions ---------------------------------------------------------------


@pytest.mark.parametrize("text", SUPERHF.grammar)
def test_the_grammar_comes_back(text: str) -> None:
    policy = parse_policy(text)
    assert parse_policy(canonical(policy)) == policy


def test_messages_say_what_came_and_what_must() -> None:
    for arguments, why in (
        ((0, 1, 1), "n=0, but must be a real number >= 1"),
        ((2, -1, 1), "beta=-1, but must be a real number >= 0"),
        ((2, 1, 17), "rounds=17, but must be a whole number from 1 to 16"),
    ):
        with pytest.raises(InputError, match=why):
            SuperHF(*arguments)
    with pytest.raises(InputError, match="n\\*\\*rounds <= 4096"):
        draws_pmf(100, 1, 2)


def test_the_functions_are_exact() -> None:
    mass, mean = (function.value for function in SUPERHF.functions)
    law = tree_law(2, Fraction(1), 2)
    for count in range(1, 6):
        assert mass(Fraction(2), Fraction(1), Fraction(2), Fraction(count)) == law.get(count, 0)
    assert mean(Fraction(4), BETA, Fraction(2)) == Fraction(57343, 5043)


@pytest.mark.parametrize(
    "mutant",
    [
        lambda cdf, u, n, b: cdf**n / (1 + b) + b * cdf / (1 + b),  # the prior is the last policy
        lambda cdf, u, n, b: (cdf**n + b * u) / (n + b),  # weighed by the draws
        lambda cdf, u, n, b: (1 - b) * cdf**n + b * u,  # beta taken for a share
    ],
    ids=["prior drifts", "weighed by draws", "beta a share"],
)
def test_wrong_rounds_are_not_the_policy(mutant: object) -> None:
    u, cdf = Fraction(4, 5), Fraction(4, 5)
    for _ in range(2):
        cdf = mutant(cdf, u, 4, BETA)
    low, high = value(Uniform(), SuperHF(4, "0.23", 2), "cdf", at=u, digits=12).bounds
    assert not low <= cdf <= high


def test_verify_tells_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--only", "superhf", "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert len(claims) == len(SUPERHF.claims)
    assert {claim["verdict"] for claim in claims} == {"proved", "refuted"}
    assert SUPERHF.effect in {claim["id"] for claim in claims}
