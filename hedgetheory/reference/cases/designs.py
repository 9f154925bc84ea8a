"""Laws, policies and joint models of related systems: several quantities in one table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product

from hedgetheory.reference.cases.job import FEWER_DIGITS, Job
from hedgetheory.reference.cases.members import TINY
from hedgetheory.spec.grammar import Pairs, SpecCall, parse_family_spec, parse_spec
from hedgetheory.spec.registry import REGISTRY, Kind

TABLE = "designs"
RANK_FUNCTIONALS = ("kl", "chi2", "mean_quantile", "win_rate")
PEAK = "u**12*(1 - u)"
GOLDS = ("4*u*(1 - u)", "exp(-2*u)", "u*sin(8*u)")
ATOMS = ("bernoulli(1/4)", "finite({0: 1/4, 1/2: 1/4, 1: 1/2})")

SUPERHF = (
    "superhf(n=32, beta=23/100)", "superhf(n=4, beta=1/4, rounds=3)", "superhf(n=2, beta=0)",
    "superhf(n=16, beta=1/1099511627776)", "superhf(n=4, beta=1048576)",
    "superhf(n=1025/1024, beta=1)", "superhf(n=1024, beta=1/4)",
)  # fmt: skip
GRPO = (
    "grpo(1, scale=quantile)", "grpo(1/4, scale=quantile)", "grpo(1/25, scale=quantile)",
    "grpo(64, scale=quantile)", "grpo(1/128, scale=quantile)", "grpo(1048576, scale=quantile)",
)  # fmt: skip
RAW_GRPO = ("grpo(1/25)", "grpo(1)", "grpo(1024)", "grpo(1/1099511627776)")
FK = ("fk(k=4, lam=10)", "fk(k=2, lam=1)", "fk(k=4, lam=1/1048576)", "fk(k=4, lam=1024)",
      "fk(k=4, lam=10, potential=max)", "fk(k=1, lam=10)")  # fmt: skip
SHAPED = (
    "par(normal(0, 1), k=1)", "par(normal(0, 1), k=2, m=1)", "sigmoid(normal(0, 1), at=0, k=1)",
    "sigmoid(normal(0, 1), at=1, k=4)", "sigmoid(logistic(0, 1), at=1/2, k=2)",
    "sigmoid(logistic(1, 2), at=1, k=1/2)", "treg(normal(0, 2))", "treg(logistic(0, 1))",
)  # fmt: skip
TILTS = ("tilt(1)", "tilt(8)", "tilt(1/1024)")
HEAVY = "sigmoid(student_t(3), at=0, k=2)"
LOG_PROB = ("log_prob", "log_prob(a=1/2)", "log_prob(a=1024)", "log_prob(a=1/1048576)")
GRIDS = ("rank_reward(8)", "rank_reward(1)", "rank_reward(100)")
PROCESS = (
    "process(rho=9/10, c=1/10, steps=30)", "process(rho=1/2)", "process(rho=1/2, shape=delta)",
    "process(rho=9/10, c=1/10, steps=30, shape=clip, eta=1/5)",
    "process(rho=3/4, c=1/4, steps=4, shape=delta)",
)  # fmt: skip
MIN_OF = ("min_of(uniform, k=3)", "min_of(normal(0, 1), k=3)", "min_of(normal(0, 1), k=64)",
          "min_of(exponential(2), k=4)", "min_of(logistic(0, 1), k=2)")  # fmt: skip
CONTAMINATED = ("contaminated(1/100, 0)", "contaminated(1/64, 1/2)", "contaminated(1/1048576, -1)")
HERDING = (
    "herding(shared=1/2, pretrain=1/2, finetune=1/2, k=5, seeds=pretrain)",
    "herding(shared=1/2, pretrain=1/2, finetune=1/2, k=5, seeds=finetune)",
    "herding(shared=0, pretrain=1, finetune=2, k=1000000, seeds=finetune)",
    "herding(shared=3/4, pretrain=0, finetune=0, k=1)",
)
PARTIAL = (
    ("finite({5: 1})", "partial(finite({1: 9/10, 6: 1/10}), p=1/2)"),
    ("finite({5: 1/2, 6: 1/2})", "partial(finite({1: 1/2, 5: 1/2}), p=1/4)"),
    ("normal(1, 1)", "partial(normal(0, 1), 1/3)"),
)


def jobs(table: str) -> Iterator[Job]:
    if table == TABLE:
        yield from _policies()
        yield from _shaped()
        yield from _other_laws()
        yield from _joint()
        yield from _thresholds()


def _policies() -> Iterator[Job]:
    for policy in (*SUPERHF, *GRPO):
        yield Job("expected_draws", policy, "uniform")
        for quantity in RANK_FUNCTIONALS:
            yield Job(quantity, policy, "uniform")
        for law in ATOMS:
            yield Job("kl", policy, law)
            yield Job("win_rate", policy, law)
        for quantity, level in product(("ratio", "cdf"), (TINY, Fraction(3, 4), 1 - TINY)):
            yield Job(quantity, policy, "uniform", ("quantile", level))
        yield Job("renyi", policy, "uniform", order=Fraction(1, 2))
        for gold in (PEAK, *GOLDS):
            yield Job("gold", policy, "uniform", gold=gold)
    for policy in (SUPERHF[0], SUPERHF[1], GRPO[1]):
        yield Job("mean_reward", policy, "normal(0, 1)", digits=FEWER_DIGITS)
    for policy, law in product((*SUPERHF[:2], *GRPO[:3], *RAW_GRPO[:2]), (GRIDS[0], *PROCESS[:2])):
        # Raw rewards on countably many atoms have no upper end.
        if policy not in RAW_GRPO or law != PROCESS[1]:
            yield Job("kl", policy, law)
            yield Job("mean_reward", policy, law)
    for policy, law in product(RAW_GRPO, ATOMS):
        for quantity in ("kl", "chi2", "mean_reward", "win_rate"):
            yield Job(quantity, policy, law)
    yield Job("kl", "grpo(1/4)", "uniform")
    yield Job("mean_reward", "grpo(1/4)", "uniform")
    for policy, law in product(FK, ATOMS):
        for quantity in ("kl", "chi2", "mean_reward"):
            yield Job(quantity, policy, law, digits=FEWER_DIGITS)
    for quantity in ("kl", "mean_reward"):
        yield Job(quantity, "fk(k=4, lam=10)", "uniform", digits=FEWER_DIGITS)


def _shaped() -> Iterator[Job]:
    for law in SHAPED:
        yield Job("kl", "bon(4)", law)
        yield Job("win_rate", "bop(5)", law)
        yield Job("mean_reward", "bon(4)", law, digits=FEWER_DIGITS)
        for quantity, policy in product(("kl", "mean_reward", "win_rate"), TILTS):
            yield Job(quantity, policy, law, digits=FEWER_DIGITS)
        yield Job("chi2", "tilt(1)", law, digits=FEWER_DIGITS)
    for quantity in ("kl", "mean_reward", "chi2"):
        yield Job(quantity, "tilt(8)", HEAVY, digits=FEWER_DIGITS)
    yield Job("kl", "bon(4)", HEAVY)


def _other_laws() -> Iterator[Job]:
    for law in LOG_PROB:
        for policy in ("tilt(3)", "tilt(1/1024)", "tilt(1048576)", "tilt(0)"):
            yield Job("kl", policy, law)
            yield Job("mean_reward", policy, law)
        yield Job("chi2", "tilt(3)", law)
        yield Job("renyi", "tilt(3)", law, order=Fraction(1, 2))
        yield Job("mean_reward", "bon(4)", law)
        yield Job("mean_quantile", "tilt(3)", law)
    for law, policy in product((*GRIDS, *PROCESS), ("bon(4)", "bop(5)", "tilt(1/4)")):
        for quantity in ("kl", "mean_reward", "win_rate", "mean_quantile"):
            yield Job(quantity, policy, law)
    yield Job("kl", "tilt(1)", "process(rho=1/2)")
    for law, policy in product(MIN_OF, ("bon(1)", "bon(4)", "bop(5)")):
        yield Job("mean_reward", policy, law, digits=FEWER_DIGITS)
    for law in MIN_OF:
        yield Job("kl", "bon(4)", law)
        if not law.startswith("min_of(logistic"):  # an integral that is not certified in its work
            yield Job("mean_reward", "tilt(1/2)", law, digits=FEWER_DIGITS)


def _joint() -> Iterator[Job]:
    for joint, policy in product(CONTAMINATED, ("bon(1)", "bon(9)", "bon(64)", "bop(5)",
                                                "quantile_tilt(8)")):  # fmt: skip
        yield Job("gold", policy, "uniform", joint=joint)
    for joint, policy in product(HERDING, ("bon(1)", "bon(4)", "bon(64)", "bop(5)")):
        yield Job("gold", policy, "normal(0, 1)", joint=joint, digits=FEWER_DIGITS)
    for (law, joint), policy in product(PARTIAL, ("bon(1)", "bon(4)", "bon(64)", "bop(5)")):
        yield Job("gold", policy, law, joint=joint, digits=FEWER_DIGITS)


def _thresholds() -> Iterator[Job]:
    for family in ("superhf(beta=1/4)", "superhf(beta=1048576)", "grpo(scale=quantile)"):
        yield Job("threshold", family, "uniform", gold=PEAK)
    for law in ("log_prob", "log_prob(a=1/2)"):
        yield Job("threshold", "tilt", law, gold=PEAK)
    yield Job("threshold", "bon", "par(normal(0, 1), k=1)", gold=PEAK)
    for law in ("sigmoid(normal(0, 1), at=0, k=1)", "par(normal(0, 1), k=1)"):
        yield Job("threshold", "tilt", law, gold=PEAK, digits=FEWER_DIGITS)


# -- tags ------------------------------------------------------------------------------------------


def design_tags(job: Job) -> tuple[str, ...]:
    """``design:<id>`` of each system that a case's policy, law or joint model belongs to."""
    if job.quantity in ("threshold", "first_peak"):
        names = [parse_family_spec(job.policy).spec.name]
    else:
        names = list(_names(parse_spec(job.policy, "policy")))
    found = [_design("policy", name) for name in names]
    found += [_design("law", name) for name in _names(parse_spec(job.law, "law"))]
    if job.joint is not None:
        found.append(_design("joint", parse_spec(job.joint, "joint").name))
    return tuple(sorted({f"design:{each}" for each in found if each}))


def _names(call: SpecCall) -> Iterator[str]:
    yield call.name
    for _, value in call.arguments:
        if isinstance(value, SpecCall):
            yield from _names(value)
        elif isinstance(value, Pairs):
            yield from (
                n for key, _ in value.items if isinstance(key, SpecCall) for n in _names(key)
            )


@cache
def _design(kind: Kind, name: str) -> str:
    """The system that a name of the grammar belongs to, by the module that defines it; or none."""
    if (kind, name) == ("joint", "contaminated"):
        return "contamination"  # in laws.joint, which `check --joint` knew before the systems
    entry = REGISTRY[kind].get(name)
    parts = entry.target.split(".") if entry is not None else []
    return parts[2] if parts[:2] == ["hedgetheory", "designs"] else ""
