"""Which cases there are: a deterministic enumeration of quantity × policy × law × parameters.

Parameters are dyadic, so that a rational and a binary64 implementation are asked the same question,
and reach from 2⁻⁴⁰ to 2⁴⁰. A rank policy sees the law only through F: on each law a few of its
members are asked, to catch what depends on the law, and all of them on the uniform law.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

from hedgetheory.exact import short
from hedgetheory.reference.model import Json, number_to_json, spec_inputs

#: Significant digits of a case: Soft Best-of-n and some quadratures cost too much for fifty.
DIGITS, FEWER_DIGITS = 50, 25

TINY, SMALL, HUGE = Fraction(1, 2**40), Fraction(1, 2**20), Fraction(2**40)


@dataclass(frozen=True, slots=True)
class Job:
    """A case to be computed. ``policy`` is a family's text where ``quantity`` is a threshold."""

    quantity: str
    policy: str
    law: str
    #: (kind, number): kind ``reward``, ``quantile`` or ``probability``.
    at: tuple[str, Fraction] | None = None
    order: Fraction | None = None
    gold: str | None = None
    digits: int = DIGITS

    @property
    def id(self) -> str:
        policy, law = self._spec("policy"), self._spec("law")
        parts = [f"{self.quantity}:{policy}@{law}"]
        if self.at is not None:
            kind, number = self.at
            parts.append(f"at={'u=' if kind == 'quantile' else ''}{short(number)}")
        if self.order is not None:
            parts.append(f"order={short(self.order)}")
        if self.gold is not None:
            parts.append(f"gold={self.gold}")
        return ":".join(parts)

    def _spec(self, field: str) -> str:
        return str(self._described(field)[f"{field}_spec"])

    def _described(self, field: str) -> dict[str, Json]:
        kind = "family" if field == "policy" and self.quantity == "threshold" else field
        return _inputs(kind, self.law if field == "law" else self.policy)

    @property
    def inputs(self) -> dict[str, Json]:
        entry = {**self._described("policy"), **self._described("law")}
        if self.at is not None:
            entry["at"] = {self.at[0]: number_to_json(self.at[1])}
        if self.order is not None:
            entry["order"] = number_to_json(self.order)
        if self.gold is not None:
            entry["gold"] = self.gold
        return entry


@cache
def _inputs(kind: str, text: str) -> dict[str, Json]:
    return spec_inputs(kind, text)


# -- policies --------------------------------------------------------------------------------------


def _members(pattern: str, values: Sequence[Fraction | int]) -> tuple[str, ...]:
    return tuple(pattern.format(_exact(Fraction(value))) for value in values)


def _exact(value: Fraction) -> str:
    return str(value)


_BOTH_WAYS: tuple[Fraction | int, ...] = (
    TINY, Fraction(1, 2**30), SMALL, Fraction(1, 2**10), Fraction(1, 8), Fraction(1, 2), 1, 2, 5,
    10, 30, 100, 709, 710, 1024, 2**15, 2**20, 2**30, HUGE,
)  # fmt: skip
_DRAW_NUMBERS: tuple[Fraction | int, ...] = (
    1, 1 + TINY, 1 + SMALL, 1 + Fraction(1, 2**10), Fraction(3, 2), 2, Fraction(5, 2), 3, 4, 8, 16,
    100, 171, 172, 1024, 2**20, 2**30, HUGE,
)  # fmt: skip
BEST_OF_N = _members("bon({})", _DRAW_NUMBERS)
BEST_OF_POISSON = _members("bop({})", (0, *_BOTH_WAYS))
QUANTILE_TILT = _members("quantile_tilt({})", (0, *_BOTH_WAYS))
RANDOM_DRAWS = tuple(
    f"best_of_random({draws})"
    for draws in (
        *_members("geometric({})", (TINY, SMALL, Fraction(1, 8), Fraction(1, 2),
                                    1 - Fraction(1, 2**10), 1 - TINY, 1)),
        "binomial(4, 1/2)", "binomial(16, 1/4)", "binomial(2, 1/1048576)", "binomial(64, 1)",
        "negative_binomial(2, 1/2)", "negative_binomial(1/2, 1/4)",
        "negative_binomial(5/2, 1/1048576)",
        "sibuya(1/2)", "sibuya(3/4)", "sibuya(1/8)", "sibuya(1)",
        "ztp(3)", "ztp(1/1099511627776)", "ztp(1024)",
        "finite({1: 1/2, 3: 1/2})", "finite({2: 1/4, 5: 3/4})", "finite({1: 1/4, 2: 1/4, 64: 1/2})",
    )
)  # fmt: skip
RANK = (*BEST_OF_N, *BEST_OF_POISSON, *QUANTILE_TILT, *RANDOM_DRAWS)
#: The members that are asked on every law.
CORE = (
    "bon(1)", "bon(4)", "bon(5/2)", "bon(1048577/1048576)", "bon(1024)",
    "bop(5)", "bop(1/1048576)", "bop(1024)", "quantile_tilt(3)", "quantile_tilt(1/1048576)",
    "best_of_random(geometric(1/4))", "best_of_random(sibuya(3/4))",
)  # fmt: skip
THREE = ("bon(4)", "bop(5)", "quantile_tilt(3)")
#: The members that are asked on every law with atoms, where each sees another rank cdf.
FINITE_CORE = (
    *CORE, "bon(2)", "bon(8)", "bon(128)", "bon(1048576)", "bon(1099511627777/1099511627776)",
    "bop(0)", "bop(1/2)", "bop(30)", "bop(1048576)", "bop(1/1099511627776)", "quantile_tilt(1)",
    "quantile_tilt(30)", "quantile_tilt(1024)", "best_of_random(geometric(1/1048576))",
    "best_of_random(binomial(4, 1/2))", "best_of_random(negative_binomial(2, 1/2))",
    "best_of_random(finite({1: 1/2, 3: 1/2}))",
)  # fmt: skip
TILT = _members("tilt({})", (0, TINY, SMALL, Fraction(1, 8), Fraction(1, 2), Fraction(3, 4), 1, 2,
                             8, 64, 1024, 2**20))  # fmt: skip
#: With atoms their scores cancel below 10^−300: the second method has no digits of them.
SATURATED = {
    "bon(128)", "bon(1024)", "bop(1024)", "quantile_tilt(1024)", "tilt(1024)", "tilt(1048576)",
}  # fmt: skip
SOFT = (
    "sbon(1, 2)", "sbon(2, 0)", "sbon(2, 1)", "sbon(4, 2)", "sbon(16, 5)", "sbon(3, 1/1024)",
    "sbon(4, 64)", "sbon(8, 1/2)",
)  # fmt: skip

# -- laws ------------------------------------------------------------------------------------------

#: law -> rewards asked of it: its ends where it has them, the bulk, and far out.
CONTINUOUS: dict[str, tuple[Fraction | int, ...]] = {
    "uniform": (0, TINY, Fraction(1, 4), Fraction(3, 4), 1 - TINY, 1),
    "normal": (-8, -1, 0, Fraction(3, 2), 8, 30),
    "normal(2, 1/2)": (0, 2, Fraction(13, 4)),
    "normal(0, 1099511627776)": (-HUGE, 0, 3 * HUGE),
    "exponential": (0, TINY, Fraction(1, 2), 3, 50),
    "exponential(1/1048576)": (1, 2**20, 2**24),
    "logistic": (-40, -1, 0, 2, 40),
    "gumbel": (-4, -1, 0, 2, 40),
    "laplace": (-40, -1, 0, 2, 40),
    "beta(2, 3)": (TINY, Fraction(1, 4), Fraction(3, 4), 1 - TINY),
    "beta(1/2, 1/2)": (TINY, Fraction(1, 4), 1 - TINY),
    "gamma(5/2)": (TINY, 1, 4, 60),
    "gamma(1/2, 2)": (TINY, Fraction(1, 4), 8),
    "lognormal": (TINY, Fraction(1, 2), 1, 4, 2**20),
    "lognormal(0, 1/4)": (Fraction(1, 2), 1, 2),
    "pareto(3)": (1, 1 + TINY, 2, 2**20),
    "pareto(7/8)": (1, 2, 2**40),
    "student_t(3)": (-(2**20), -1, 0, 2, 2**20),
    "student_t(1)": (-1, 0, 2, 2**40),
    "weibull(2)": (TINY, 1, 3, 6),
    "weibull(1/2)": (TINY, 1, 100),
    "mixture({normal(0, 1): 3/4, normal(3, 1/2): 1/4})": (-2, 0, 2, 5),
}
#: law -> atoms asked of it.
ATOMS: dict[str, tuple[Fraction | int, ...]] = {
    "bernoulli(1/2)": (0, 1),
    "bernoulli(1/4)": (0, 1),
    "bernoulli(1/1048576)": (0, 1),
    "bernoulli(1048575/1048576)": (0, 1),
    "finite({0: 1/4, 1/2: 1/4, 1: 1/2})": (0, Fraction(1, 2), 1),
    "finite({-1: 1/1048576, 0: 1/2, 3: 524287/1048576})": (-1, 0, 3),
    "finite({0: 1/8, 1: 1/8, 2: 1/8, 3: 1/8, 4: 1/8, 5: 1/8, 6: 1/8, 7: 1/8})": (0, 3, 7),
    "poisson(3)": (0, 3, 20),
    "poisson(1/1024)": (0, 1, 5),
    "poisson(64)": (0, 64, 200),
    "geometric(1/4)": (1, 4, 100),
    "geometric(1/2)": (1, 2, 40),
}
LAWS = {**CONTINUOUS, **ATOMS}

#: Tables, with the definition that each states.
TABLES: dict[str, dict[str, str]] = {
    "density": {
        "formula": "w(r) f(r)",
        "units": "1/reward",
        "assumptions": "with respect to Lebesgue measure, f the density of the law",
    },
    "ratio": {
        "formula": "w(r) = dπ/dπ_ref(r)",
        "units": "1",
        "assumptions": "at an atom, the ratio of the two masses",
    },
    "mass": {
        "formula": "π({r})",
        "units": "1",
        "assumptions": "0 where r is no atom; ties are split evenly, so that the atom at r gets "
        "G(F(r)) − G(F(r−)) under a rank policy",
    },
    "cdf": {"formula": "π(R ≤ r)", "units": "1", "assumptions": "right-continuous"},
    "quantile": {
        "formula": "inf{r : π(R ≤ r) ≥ p}",
        "units": "reward",
        "assumptions": "0 < p < 1",
    },
    "score": {
        "formula": "∂ ln w(r)/∂θ",
        "units": "1/θ",
        "assumptions": "θ is the first parameter of the policy: n, mu, lam, or the first of the "
        "law of draws",
    },
    "kl": {"formula": "E_π[ln w]", "units": "nats", "assumptions": "0 ln 0 = 0"},
    "chi2": {"formula": "E_ref[w²] − 1", "units": "1", "assumptions": ""},
    "renyi": {
        "formula": "ln E_ref[w^α]/(α − 1)",
        "units": "nats",
        "assumptions": "order α > 0; α = 1 is the KL divergence",
    },
    "total_variation": {"formula": "½ E_ref|w − 1|", "units": "1", "assumptions": ""},
    "mean_reward": {
        "formula": "E_π[R]",
        "units": "reward",
        "assumptions": "±∞ or undefined where the integral is",
    },
    "mean_quantile": {
        "formula": "E_π[F(R)]",
        "units": "1",
        "assumptions": "F right-continuous: with atoms it is not the win rate",
    },
    "win_rate": {
        "formula": "P(R > R') + ½ P(R = R')",
        "units": "1",
        "assumptions": "R from the policy, R' one independent draw from the reference",
    },
    "gold": {
        "formula": "E_π[g]",
        "units": "gold",
        "assumptions": "g a formula in the quantile u = F(r) or in the reward r",
    },
    "expected_draws": {
        "formula": "E[N]",
        "units": "draws",
        "assumptions": "N the number of responses drawn for one answer",
    },
    "threshold": {
        "formula": "θ†: f(θ) = E_θ[g] decreases beyond it",
        "units": "θ",
        "assumptions": "undefined where the curve is not hacked; `integer` compares the integers "
        "next to a real n†, all of them on an exact tie",
    },
    "gap": {
        "formula": "KL(BoP_μ) − KL(tilt_λ) at equal mean reward",
        "units": "nats",
        "assumptions": "the tilt is of the raw reward",
    },
    "gap_strength": {
        "formula": "λ with E[R] under tilt_λ equal to E[R] under BoP_μ",
        "units": "1/reward",
        "assumptions": "the tilt is of the raw reward",
    },
}
_SOURCE = "arXiv 2506.19248, restated in the documentation of hedgetheory"


def definition(table: str) -> dict[str, str]:
    """What the values of a table are."""
    return {"quantity": table, **TABLES[table], "source": _SOURCE}


def jobs(table: str) -> list[Job]:
    """The cases of a table, in a fixed order, each once."""
    found: dict[str, Job] = {}
    for job in _jobs(table):
        found.setdefault(job.id, job)
    return list(found.values())


LEVELS = (TINY, Fraction(1, 2**10), Fraction(1, 4), Fraction(3, 4), 1 - Fraction(1, 2**10),
          1 - TINY)  # fmt: skip
FEW_LEVELS = (Fraction(1, 4), 1 - SMALL)
#: Order 1 is the KL divergence, in a table of its own.
ORDERS = (TINY, Fraction(1, 2), Fraction(2), Fraction(16))
FEW_ORDERS = (Fraction(1, 2), Fraction(3))
GOLDS = (
    "u", "4*u*(1 - u)", "u**12*(1 - u)", "1 - u**3", "sqrt(u)", "exp(-2*u)", "u*sin(8*u)",
    "where(u < 1/2, u, 1 - u)", "u**40 - u**41",
)  # fmt: skip
RANK_GOLDS = GOLDS[1:8:2]
REWARD_GOLDS = ("tanh(r)", "exp(-r**2)", "r - r**2/8")
#: Laws on which gold in the reward is asked.
REWARD_GOLD_LAWS = ("uniform", "normal", "exponential")
#: Thresholds: gold curves with one peak, with none, and those whose integers tie or mislead.
PEAKED = (
    *(f"u**{a}*(1 - u)" for a in (1, 2, 3, 5, 8, 12, 13, 20, 50, 100, 1000)),
    *(f"u**{a}*(1 - u)**{b}" for a in (1, 2, 4, 9) for b in (2, 3, 6)),
    "u**(2401/200)*(1 - u)", "u**(1/2)*(1 - u)", "4*u*(1 - u)", "u - u**2/2", "u - 3*u**3/4",
    "u", "1 - u", "u**2 - u**8192", "u/1048576 - u**2/1048576", "1048576*u**3*(1 - u)",
)  # fmt: skip
#: Laws, members and tilts of which means are asked.
MEAN_LAWS = (
    "normal", "normal(2, 1/2)", "exponential", "logistic", "lognormal", "pareto(3)", "pareto(7/8)",
    "student_t(1)",
)  # fmt: skip
MEAN_MEMBERS = ("bon(1)", "bon(5/2)", "best_of_random(sibuya(3/4))")
MEAN_TILTS = ("tilt(1/2)", "tilt(1)")
GAP_LAWS = (
    "uniform", "exponential", "bernoulli(1/4)", "finite({0: 1/4, 1/2: 1/4, 1: 1/2})",
)  # fmt: skip
GAP_DRAWS = (TINY, SMALL, *_BOTH_WAYS[3:12], 1024, 2**20, HUGE)
SOFT_LAWS = (
    "bernoulli(1/4)",
    "finite({0: 1/4, 1/2: 1/4, 1: 1/2})",
    "finite({-1: 1/1048576, 0: 1/2, 3: 524287/1048576})",
)


def _jobs(table: str) -> Iterator[Job]:
    if table == "score":
        # A law of draws that is a table of masses has no parameter to take a score in.
        pointwise = (*_by_rank(table), *_on_every_law(table))
        for job in pointwise:
            if "(finite(" in job.policy or (job.law in ATOMS and job.policy in SATURATED):
                continue
            yield job
    elif table in ("density", "ratio", "cdf", "mass", "quantile"):
        yield from _by_rank(table)
        yield from _on_every_law(table)
        yield from _soft_pointwise(table)
    elif table in ("threshold", "gap", "gap_strength", "expected_draws"):
        yield from _others(table)
    elif table == "gold":
        yield from _gold()
    else:
        yield from _functionals(table)


def _by_rank(table: str) -> Iterator[Job]:
    """Every rank policy at quantiles of the uniform law, where the law does not matter."""
    for policy, level in product(RANK, LEVELS):
        if table == "quantile":
            yield Job(table, policy, "uniform", ("probability", level))
        elif table not in ("mass", "density"):
            yield Job(table, policy, "uniform", ("quantile", level))


def _on_every_law(table: str) -> Iterator[Job]:
    for law, every in LAWS.items():
        trivial = (table == "density" and law in ATOMS) or (table == "mass" and law in CONTINUOUS)
        if trivial:
            yield from (Job(table, each, law, ("reward", Fraction(every[0]))) for each in THREE)
            continue
        policies = (*_members_on(law), *_tilts_on(law, table))
        if table == "quantile":
            for policy, level in product(policies, FEW_LEVELS):
                yield Job(table, policy, law, ("probability", level))
            continue
        rewards = every[1:3] if table == "score" and len(every) > 2 else every
        for policy, reward in product(policies, rewards):
            yield Job(table, policy, law, ("reward", Fraction(reward)))


def _members_on(law: str) -> tuple[str, ...]:
    """The rank policies asked on a law: with atoms each sees another law, so that all are."""
    return FINITE_CORE if law in ATOMS else CORE


def _tilts_on(law: str, table: str) -> tuple[str, ...]:
    """The tilts asked on a law: fewer where each is an integral, none where a search of them is."""
    if not law.startswith(_INTEGRALS):
        return TILT
    return TILT[:1] if table == "quantile" else TILT[2:8]


_INTEGRALS = ("beta", "weibull(2", "mixture", "gamma", "gumbel", "logistic", "laplace")


def _soft_pointwise(table: str) -> Iterator[Job]:
    for law in SOFT_LAWS:
        if (table == "density" and law in ATOMS) or (table == "mass" and law in CONTINUOUS):
            continue
        for policy in SOFT:
            if table == "quantile":
                points = [("probability", Fraction(1, 4))]
            else:
                points = [("reward", Fraction(reward)) for reward in LAWS[law]]
            yield from (Job(table, policy, law, at, digits=FEWER_DIGITS) for at in points)


def _functionals(table: str) -> Iterator[Job]:
    orders: tuple[Fraction | None, ...] = (None,)
    few = orders
    if table == "renyi":
        orders, few = ORDERS, FEW_ORDERS
    # Without a closed form each is a quadrature, twice: a third of the members is asked.
    for policy, order in product(RANK[::3] if table == "renyi" else RANK, orders):
        yield Job(table, policy, "uniform", order=order)
    for law in ATOMS:
        wide = law.startswith("poisson") and table not in ("kl", "chi2", "total_variation")
        # A Poisson law tilted by 8 has its mass on a hundred thousand atoms.
        for policy, order in product((*FINITE_CORE, *(TILT[:8] if wide else TILT)), few):
            yield Job(table, policy, law, order=order)
    # Without atoms a divergence is the same on every law: three members show whether it is. Means
    # are integrals of each law, and expensive: fewer laws and members.
    means = table in ("mean_reward", "mean_quantile", "win_rate")
    for law in MEAN_LAWS if means else CONTINUOUS:
        members = (*MEAN_MEMBERS, *THREE) if means else THREE
        tilts = MEAN_TILTS if means else _tilts_on(law, table)
        for policy, order in product((*members, *tilts), few):
            yield Job(table, policy, law, order=order)
    for law, policy in product(SOFT_LAWS, SOFT):
        yield from (Job(table, policy, law, order=order, digits=FEWER_DIGITS) for order in few[-1:])


def _gold() -> Iterator[Job]:
    for policy, gold in product(RANK[::3], RANK_GOLDS):
        yield Job("gold", policy, "uniform", gold=gold)
    for law in ATOMS:
        for policy, gold in product((*FINITE_CORE, *TILT[:8]), GOLDS[1:3]):
            yield Job("gold", policy, law, gold=gold)
    for law, gold in product(REWARD_GOLD_LAWS, REWARD_GOLDS):
        for policy in (*THREE, "tilt(1/2)"):
            yield Job("gold", policy, law, gold=gold)
    for law, policy, gold in product(SOFT_LAWS, SOFT, GOLDS[1:3]):
        yield Job("gold", policy, law, gold=gold, digits=FEWER_DIGITS)


def _others(table: str) -> Iterator[Job]:
    if table == "expected_draws":
        yield from (Job(table, policy, "uniform") for policy in (*RANK, *SOFT))
    elif table == "threshold":
        yield from (Job(table, "bon", "uniform", gold=gold) for gold in PEAKED)
        # Powers of a thousand cost a minute each in the other families.
        moderate = [gold for gold in PEAKED if "8192" not in gold and "1000" not in gold]
        for family, gold in product(("bop", "quantile_tilt"), moderate):
            yield Job(table, family, "uniform", gold=gold)
    else:
        for law, mu in product(GAP_LAWS, GAP_DRAWS):
            # There the gap of a bounded law with atoms is below 10^−300 of its terms.
            if not (law.startswith("finite") and mu > 100):
                yield Job(table, f"bop({mu})", law)
