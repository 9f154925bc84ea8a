"""Reference values of related systems: right implementations pass, known faults are named.

Mutants are written here as somebody would write them, in plain floats.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy import integrate, special, stats

from hedgetheory.designs.systems import SYSTEMS
from hedgetheory.errors import InputError
from hedgetheory.exact import Number
from hedgetheory.reference import audit, compute, cross, export, tables, tags
from hedgetheory.reference.answers import NOT_SUPPORTED, parse_answer
from hedgetheory.reference.cases import Job, jobs
from hedgetheory.reference.cross import Disagreement
from hedgetheory.reference.functions import table as made
from hedgetheory.reference.functions.second import SECOND
from hedgetheory.reference.hints import mistake_of
from hedgetheory.reference.judge import Tolerance, judge, questions
from hedgetheory.reference.worker import reply
from hedgetheory.testing import Disagreement as WrongAnswer
from hedgetheory.testing import assert_conforms

SLOW = ("likelihood.jepo_uniform", "contamination.best_of_n", "contamination.threshold")


def asked(table, wanted=lambda q: True):
    found = [q for q in questions(table, tables.load(table).cases) if wanted(q)]
    assert found
    return found


def verdicts(function, found):
    """Through the same door as a live implementation."""
    lines = [reply(function, q.line()) for q in found]
    assert not any("error" in line for line in lines), lines
    answers = [parse_answer(line["value"]) for line in lines]
    return [judge(q, a, Tolerance()) for q, a in zip(found, answers, strict=True)]


def exact(inputs):
    return {
        name: tuple(Fraction(x["rational"]) for x in value)
        if isinstance(value, list)
        else Fraction(value["rational"])
        for name, value in inputs["arguments"].items()
    }


def floats(inputs):
    return {
        name: np.array([float(x) for x in value]) if isinstance(value, tuple) else float(value)
        for name, value in exact(inputs).items()
    }


# -- the tables ------------------------------------------------------------------------------------


def test_every_function_of_every_system_has_five_cases_or_more():
    known = [function.name for _, function in made.functions()]
    assert len(known) == len(set(known))
    counted = Counter(case.inputs["function"] for case in tables.load("functions").cases)
    assert set(counted) == set(known)
    assert min(counted.values()) >= 5


def test_every_system_has_reference_cases_and_the_quick_count_is_that_of_the_cases():
    parsed = Counter(
        tag.removeprefix("design:")
        for name in ("designs", "functions")
        for case in tables.load(name).cases
        for tag in case.tags
        if tag.startswith("design:")
    )
    assert tags.counts("design") == parsed
    assert set(parsed) == {system.id for system in SYSTEMS}


@pytest.mark.parametrize("name", ["designs", "functions"])
def test_a_case_has_its_system_fifty_digits_or_those_of_a_quadrature_and_twenty_by_two_methods(
    name,
):
    for case in tables.load(name).cases:
        assert any(tag.startswith("design:") for tag in case.tags), case.id
        assert not list(audit._problems(case)), case.id
        if case.value.guarantee == "certified":
            low, high = case.bounds
            assert (high - low) * 10**24 < abs(low), case.id
        assert case.check.digits is None or case.check.digits >= 20


def test_the_packaged_functions_are_those_that_are_made_now():
    table = tables.load("functions")
    now = {
        f"function:{function.name}:{text}": (design, function, arguments)
        for design, function in made.functions()
        for arguments, text in made.asked(function.name)
    }
    assert set(now) == set(table.by_id)
    for name, (design, function, arguments) in now.items():
        if function.name not in SLOW:
            again = made.case_of(design, function, arguments, name.split(":", 2)[2])
            assert again == table.by_id[name]


def test_packaged_cases_of_laws_and_policies_are_those_that_are_made_now():
    table, cheap = tables.load("designs"), [job for job in jobs("designs") if job.digits == 50]
    chosen = [job for job in cheap if job.quantity != "threshold"][::40]
    assert len(chosen) >= 10
    for job in chosen:
        assert compute.outcome(job).case == table.by_id[job.id]


def test_a_wrong_digit_of_a_policy_is_caught():
    job = Job("kl", "superhf(n=4, beta=1/4)", "bernoulli(1/4)")
    found = compute.outcome(job).case
    assert found.check.digits >= 20
    wrong = replace(found.value, mid=found.value.mid + 10 ** (len(str(found.value.mid)) - 19))
    with pytest.raises(Disagreement):
        cross.check(job, wrong, lambda: [])


def test_a_wrong_digit_of_a_function_is_caught():
    right = made.value_of(
        made.named("grpo_k3"), {"policy": Fraction(1), "reference": Fraction(1, 4)}
    )
    given = {"policy": Fraction(1), "reference": Fraction(1, 4)}
    made.checked("grpo_k3", given, right)
    for wrong in (Number.exact(Fraction(1, 3)), Number.undefined("why")):
        with pytest.raises(Disagreement):
            made.checked("grpo_k3", given, wrong)


def test_an_unknown_function_is_refused():
    with pytest.raises(InputError, match="unknown function nothing"):
        made.named("nothing")


def test_an_export_has_the_arguments_and_the_joint_model():
    rows = {
        row["id"]: row for row in export.rows([tables.load("functions"), tables.load("designs")])
    }
    row = rows["function:grpo_k3:policy=0.5,reference=0.25"]
    assert (row["function"], row["policy"], row["law"], row["joint"]) == (
        "grpo_k3",
        None,
        None,
        None,
    )
    assert '"reference":{"binary64":"0x1.0000000000000p-2","rational":"1/4"}' in row["arguments"]
    gold = rows["gold:bon(n=9)@uniform:joint=contaminated(eps=0.01, h=0)"]
    assert gold["joint"] == "contaminated(eps=0.01, h=0)"
    assert tuple(row) == export.COLUMNS


def test_jobs_of_the_table_have_ids_of_their_own():
    found = [job.id for job in jobs("designs")]
    assert len(found) == len(set(found))
    joint = Job("gold", "bon(9)", "uniform", joint="contaminated(1/100, 0)")
    assert joint.id == "gold:bon(n=9)@uniform:joint=contaminated(eps=0.01, h=0)"


# -- values by hand --------------------------------------------------------------------------------


def value(table, name):
    return tables.load(table).by_id[name]


def test_log_probabilities_tilted_by_three_are_best_of_four():
    found = value("designs", "kl:tilt(lam=3)@log_prob(a=1)")
    assert found.double == pytest.approx(math.log(4) - 3 / 4, rel=1e-15)
    peak = value("designs", "threshold:tilt@log_prob(a=1):gold=u**12*(1 - u)")
    assert peak.double == pytest.approx(math.sqrt(156) - 1, rel=1e-15)


def test_best_of_nine_among_one_percent_of_hacks():
    found = value("designs", "gold:bon(n=9)@uniform:joint=contaminated(eps=0.01, h=0)")
    assert found.double == pytest.approx(0.99**9 * 0.9, rel=1e-15)


def test_the_mean_draws_of_superhf_are_n_and_beta_shared():
    found = value("designs", "expected_draws:superhf(n=32, beta=0.23, rounds=1)@uniform")
    assert found.value.fraction == Fraction(3223, 123)


# -- right implementations -------------------------------------------------------------------------


def second(case):
    """What the tables were compared with, rounded to a double; nothing of the package."""
    name = case["inputs"]["function"]
    if name in SLOW:
        raise NotImplementedError
    found = SECOND[name][1](**exact(case["inputs"]))
    if found is None:
        return math.nan
    # Sums over roots of unity are 0 to 120 digits.
    return 0.0 if name == "superhf_draws" and abs(found) < 1e-100 else float(found)


def test_an_independent_implementation_of_the_functions_passes():
    found = verdicts(second, asked("functions"))
    assert {v.status for v in found} == {"pass", "unsupported"}
    assert sum(v.status == "pass" for v in found) > 350


def test_a_driver_may_answer_not_supported():
    (verdict,) = verdicts(lambda case: NOT_SUPPORTED, asked("functions")[:1])
    assert verdict.status == "unsupported"


def superhf_kl(case):
    """One round, by scipy's quadrature."""
    p = {k: float(Fraction(v["rational"])) for k, v in case["inputs"]["parameters"].items()}
    n, beta = p["n"], p["beta"]

    def integrand(u):
        w = (n * u ** (n - 1) + beta) / (1 + beta)
        return w * math.log(w) if w else 0.0

    return integrate.quad(integrand, 0, 1, epsrel=1e-13, epsabs=0, limit=500, points=[0.9])[0]


def rounds_of_one(q):
    return q.id.startswith("kl:superhf(n=32, beta=0.23, rounds=1)@uniform")


def closed_forms(case):
    """The tilt of log-probabilities, GRPO's mean on the quantile, best of n with hacks: mpmath."""
    inputs, quantity = case["inputs"], case["quantity"]
    with mpmath.workdps(60):
        given = {k: exactly(v) for k, v in inputs["parameters"].items() if "rational" in v}
        law = {k: exactly(v) for k, v in inputs["law_parameters"].items() if "rational" in v}
        if inputs["law"] == "log_prob" and inputs["policy"] == "tilt":
            n = 1 + given["lam"] / law["a"]
            forms = {"kl": mpmath.log(n) - 1 + 1 / n, "mean_reward": -1 / (law["a"] * n),
                     "mean_quantile": n / (n + 1)}  # fmt: skip
            found = forms.get(quantity)
        elif quantity == "mean_quantile" and inputs["policy"] == "grpo" and not law:
            found = -1 / mpmath.expm1(-1 / given["beta"]) - given["beta"]
        elif inputs.get("joint") == "contaminated" and inputs["policy"] == "bon":
            joint = {k: exactly(v) for k, v in inputs["joint_parameters"].items()}
            clean = (1 - joint["eps"]) ** given["n"]
            found = clean * given["n"] / (given["n"] + 1) + joint["h"] * (1 - clean)
        else:
            return None
        return None if found is None else float(found)


def exactly(entry):
    value = Fraction(entry["rational"])
    return mpmath.mpf(value.numerator) / value.denominator


def without_a_curve(q):
    return not q.id.startswith("threshold")


def test_closed_forms_pass_on_the_cases_that_they_are_of():
    found = verdicts(closed_forms, asked("designs", without_a_curve))
    counted = Counter(v.status for v in found)
    assert set(counted) == {"pass", "unsupported"}, [v.question.id for v in found if v.wrong]
    assert counted["pass"] >= 45


def test_an_independent_implementation_of_superhf_passes():
    assert {v.status for v in verdicts(superhf_kl, asked("designs", rounds_of_one))} == {"pass"}


@pytest.mark.parametrize(
    ("table", "start", "says"),
    [
        ("functions", "function:grpo_k3", "function:grpo_k3:policy=0.5,reference=0.25"),
        ("designs", "gold:bon(n=9)", "bon(n=9) on uniform, joint contaminated(eps=0.01, h=0)"),
        ("sample_best_of_n", "sample_best_of_n:bon(n=2)@two", "sample_best_of_n:bon(n=2)@two"),
    ],
)
def test_a_wrong_answer_to_a_case_without_a_law_or_with_a_joint_model_is_described(
    table, start, says
):
    found = [case for case in tables.load(table).cases if case.id.startswith(start)]
    with pytest.raises(WrongAnswer) as raised:
        assert_conforms(lambda case: -7.0, found)
    assert f"input      {says}\n" in str(raised.value)
    assert "hedgetheory value" not in str(raised.value)


# -- mutants of functions --------------------------------------------------------------------------


def deviation_of_numpy(rewards, i, epsilon):
    return (rewards[int(i)] - rewards.mean()) / (rewards.std() + epsilon)


def no_epsilon(rewards, i, epsilon):
    with np.errstate(invalid="ignore"):
        return (rewards[int(i)] - rewards.mean()) / rewards.std(ddof=1)


def epsilon_in_root(rewards, i, epsilon):
    return (rewards[int(i)] - rewards.mean()) / math.sqrt(rewards.var(ddof=1) + epsilon)


def majority_without_ties(p, group):
    return stats.binom.sf(group // 2, group, p)


def tau_b(first, second):
    return stats.kendalltau(first, second).statistic


def unnormalised(n, beta, rounds):
    mean = 1.0
    for _ in range(int(rounds)):
        mean = n * mean + beta
    return mean


def delta_to_the_end(scores, k, gamma):
    rewards = np.append(scores[:-1] - scores[1:], scores[-1])[int(k) - 1 :]
    return float(np.sum(rewards * gamma ** np.arange(len(rewards))))


def log_of_the_sum(group):
    if group > 8:
        raise NotImplementedError
    draws = {1: -1.0, 2: 2 * math.log(2) - 1.5}  # E ln U; ∫ of the triangular density
    return draws[int(group)] if group in draws else math.nan


def corrected_by_nothing(rewards, floor):
    memory, total = floor, 0.0
    for reward in rewards:
        memory = reward + memory
        total += memory
    return total


def first_step_skipped(rewards, floor):
    return rewards[-1] - rewards[0]


FUNCTIONS = [
    ("ddof", "grpo_advantage", deviation_of_numpy),
    ("ddof", "grpo_right_advantage", lambda right, group: math.sqrt((group - right) / right)),
    ("ddof", "ensembles.mean_minus_var_ddof1",
     lambda rewards, c: rewards.mean() - c * rewards.var()),
    ("ddof", "ensembles.mean_minus_std_ddof0",
     lambda rewards, c: rewards.mean() - c * rewards.std(ddof=len(rewards) > 1)),
    ("epsilon-missing", "grpo_advantage", no_epsilon),
    ("epsilon-in-root", "grpo_advantage", epsilon_in_root),
    ("k3-inverted", "grpo_k3",
     lambda policy, reference: policy / reference - 1 - math.log(policy / reference)),
    ("ties-lost", "majority.accuracy", majority_without_ties),
    ("kendall-size", "cream.null_variance",
     lambda responses: (4 * responses + 6) / (9 * (responses - 1) * max(responses - 2, 1))),
    ("tau-b", "cream.kendall_tau", tau_b),
    ("mean-for-min", "ensembles.min", lambda rewards, c: rewards.mean()),
    ("prior-unnormalised", "superhf_mean_draws", unnormalised),
    ("delta-last-index", "process_delta_return", delta_to_the_end),
    ("jepo-log-of-sum", "likelihood.jepo_uniform", log_of_the_sum),
    ("token-uncentred", "treg.token_reward", lambda better, worse: better / (better + worse)),
    ("terminal-twice", "fk_exponent_sum", corrected_by_nothing),
    ("skipped-weight", "fk_exponent_difference", first_step_skipped),
    ("clamp-forgotten", "fk_clamped_weight", lambda difference, lam: np.exp(difference * lam)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "mutant"), FUNCTIONS)
def test_a_known_fault_of_a_function_is_rejected_and_named(name, function, mutant):
    with np.errstate(all="ignore"):
        found = verdicts(
            lambda case: float(mutant(**floats(case["inputs"]))),
            asked("functions", lambda q: q.policy == function),
        )
    rejected = [v for v in found if v.status == "mismatch"]
    assert rejected
    named = {m.name for v in rejected if (m := mistake_of(v)) is not None}
    assert name in named


# -- mutants of policies and laws ------------------------------------------------------------------


def numbers(inputs, field="parameters"):
    return {k: float(Fraction(v["rational"])) for k, v in inputs[field].items() if "rational" in v}


def draws_unnormalised(case):
    p = numbers(case["inputs"])
    return unnormalised(p["n"], p["beta"], p["rounds"])


def best_of_lambda(case):
    n = numbers(case["inputs"])["lam"] / numbers(case["inputs"], "law_parameters")["a"]
    return math.log(n) - 1 + 1 / n if n else 0.0


def with_slope_one(case):
    """E of the best of four of σ(X − 1), X normal: k = 4 forgotten."""
    return integrate.quad(
        lambda x: 4 * special.expit(x - 1) * stats.norm.cdf(x) ** 3 * stats.norm.pdf(x), -9, 9,
        epsrel=1e-12, epsabs=0,
    )[0]  # fmt: skip


def references_of_its_own(case):
    """KL of the best of four of X − Y, Y a new normal reference for each candidate."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def integrand(x):
        below = stats.norm.cdf((x - nodes) / math.sqrt(2))
        w = 4 * float(weights @ below**3) / math.sqrt(2 * math.pi)
        return w * math.log(w) * stats.norm.pdf(x) if w else 0.0

    return integrate.quad(integrand, -9, 9, epsrel=1e-10, limit=200)[0]


def mean_of_three(case):
    """The largest of four normals has mean 1.0293753730…; means of three are narrower by √3."""
    return 1.0293753730039641 / math.sqrt(3)


def uncentred(case):
    """E of the best of four of σ(X), X normal(0, 2): ½ not taken off."""
    return integrate.quad(
        lambda x: 4 * special.expit(2 * x) * stats.norm.cdf(x) ** 3 * stats.norm.pdf(x), -9, 9,
        epsrel=1e-12, epsabs=0,
    )[0]  # fmt: skip


def mean_unnormalised(case):
    p = numbers(case["inputs"])
    return p["n"] / (p["n"] + 1) + p["beta"] / 2


POLICIES = [
    ("prior-unnormalised", "expected_draws:superhf(n=4, beta=0.25, rounds=3)@", draws_unnormalised),
    ("tilt-one-draw-short", "kl:tilt(lam=3)@log_prob(a=0.5)", best_of_lambda),
    ("steepness-forgotten", "mean_reward:bon(n=4)@sigmoid(normal(mean=0, sd=1), at=1, k=4)",
     with_slope_one),
    ("references-redrawn", "kl:bon(n=4)@par(normal(mean=0, sd=1), k=2, m=1)",
     references_of_its_own),
    ("prior-unnormalised", "mean_quantile:superhf(n=32, beta=0.23, rounds=1)@", mean_unnormalised),
    ("token-uncentred", "mean_reward:bon(n=4)@treg(normal(mean=0, sd=2))", uncentred),
    ("mean-for-min", "mean_reward:bon(n=4)@min_of(normal(mean=0, sd=1), k=3)", mean_of_three),
]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "mutant"), POLICIES)
def test_a_known_fault_of_a_policy_or_a_law_is_rejected_and_named(name, start, mutant):
    (verdict,) = verdicts(mutant, asked("designs", lambda q: q.id.startswith(start)))
    assert verdict.status == "mismatch"
    assert mistake_of(verdict).name == name
