"""Laws, policies and joint models of related systems once more, in mpmath by their definitions.

A law is a table of rows (reward, mass, F−, F): its atoms, or the nodes of Gauss–Legendre panels on
a line, each with its share of the density. A policy is a weight at each row, and every functional a
sum. Rank policies on a law without atoms are integrated over the quantile. The formulas are those
of the papers: G ← (Gⁿ + βu)/(1 + β), β/(η − r) with η by bisection, σ(k(r − ref)), 1 − (1 − F)^k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r as reward_symbol
from hedgetheory.expressions.symbols import u as quantile_symbol
from hedgetheory.numerics.program import compiled
from hedgetheory.reference import soft_check
from hedgetheory.reference.cases import Job
from hedgetheory.reference.definitions import Atoms, arithmetic, exact, law_of, mp, rank_of
from hedgetheory.reference.design_rows import Row, atoms, rows_of
from hedgetheory.reference.panels import legendre, unit_integral
from hedgetheory.reference.second import defined
from hedgetheory.spec.grammar import SpecCall, parse_family_spec, parse_gold, parse_spec

DIGITS = 120
#: Of the policies, laws and joint models that are written here.
NAMES = (
    "superhf", "grpo", "fk", "par", "sigmoid", "treg", "log_prob", "rank_reward", "process",
    "min_of", "contaminated", "herding", "partial",
)  # fmt: skip
RANK_ONLY = ("kl", "chi2", "renyi", "mean_quantile", "win_rate", "gold")
Rank: TypeAlias = "tuple[Callable[[Any], Any], Callable[[Any], Any]]"


def estimate(job: Job, value: Number) -> tuple[str, Any] | None:
    """(method, value) of a case of the table ``designs``; None for what is not written here."""
    if job.quantity == "threshold":
        return _threshold(job, value)
    with mp.workdps(DIGITS):
        if job.joint is not None:
            return "joint model in mpmath", _joint(job)
        if job.policy.startswith("fk("):
            return _soft(job, value)
        if job.quantity == "expected_draws":
            return "slope of G at 1", _ratio_at_one(job.policy)
        if job.at is not None:
            return _at(job)
        rank = _rank(job.policy, job.law)
        on_line = atoms(job.law) is None
        if rank is not None and on_line and (job.quantity in RANK_ONLY or job.law == "uniform"):
            return "definition by panels in mpmath", _over_quantiles(job, rank[1], _integral(job))
        if _divergent(job):
            return "E[e^(lam R)] is infinite", mp.nan
        rows = rows_of(job.law, rank is not None or job.quantity in ("win_rate", "mean_quantile"))
        return "definition in mpmath", _summed(job, rows, _weights(job, rows, rank))


# -- policies --------------------------------------------------------------------------------------


def _parameters(call: SpecCall) -> dict[str, Fraction]:
    return {name: value for name, value in call.arguments if isinstance(value, Fraction)}


@cache
def _rank(policy: str, law: str) -> Rank | None:
    """(G, w) of a policy that sees the quantile; raw GRPO does on the uniform law."""
    call = parse_spec(policy, "policy")
    given = _parameters(call)
    if call.name == "superhf":
        return _superhf(exact(given["n"]), exact(given["beta"]), int(given["rounds"]))
    if call.name == "grpo":
        on_quantile = ("scale", "quantile") in call.arguments or law == "uniform"
        return _grpo(exact(given["beta"])) if on_quantile else None
    if call.name in ("tilt", "fk"):
        return None
    known = rank_of(policy)
    return known.cdf, known.ratio


def _superhf(n: Any, beta: Any, rounds: int) -> Rank:
    def cdf(u: Any) -> Any:
        value = u
        for _ in range(rounds):
            value = (value**n + beta * u) / (1 + beta)
        return value

    def ratio(u: Any) -> Any:
        value, slope = u, mp.one
        for _ in range(rounds):
            slope = (n * value ** (n - 1) * slope + beta) / (1 + beta)
            value = (value**n + beta * u) / (1 + beta)
        return slope

    return cdf, ratio


def _grpo(beta: Any) -> Rank:
    """β ln(η/(η − u)) and β/(η − u), η = 1/(1 − e^{−1/β}); at η − 1 = 1/(e^{1/β} − 1) from 1."""
    beyond = 1 / mp.expm1(1 / beta)
    return (
        lambda u: -beta * mp.log((beyond + (1 - u)) / (1 + beyond)) if u else mp.zero,
        lambda u: beta / (beyond + (1 - u)),
    )


def _divergent(job: Job) -> bool:
    """Whether steps of score c that go on with chance ρ have no tilt: e^λ ρ >= 1 for c = 1."""
    law, policy = parse_spec(job.law, "law"), parse_spec(job.policy, "policy")
    endless = law.name == "process" and ("steps", "oo") in law.arguments
    if not endless or ("shape", "raw") not in law.arguments or policy.name != "tilt":
        return False
    lam, rho = _parameters(policy)["lam"], _parameters(law)["rho"]
    return bool(mp.exp(exact(lam)) * exact(rho) >= 1)


def _ratio_at_one(policy: str) -> Any:
    rank = _rank(policy, "uniform")
    assert rank is not None
    draws = _parameters(parse_spec(policy, "policy")).get("n", Fraction(1))
    return rank[1](mp.one) if draws.denominator == 1 else mp.nan


def _weights(job: Job, rows: list[Row], rank: Rank | None) -> list[Any]:
    """w at each row."""
    call = parse_spec(job.policy, "policy")
    given = _parameters(call)
    if rank is not None:
        cdf, ratio = rank
        atomic = atoms(job.law) is not None
        return [(cdf(f) - cdf(e)) / p if atomic else ratio(f) for _, p, e, f in rows]
    if call.name == "tilt":
        lam = exact(given["lam"])
        top = max(r for r, *_ in rows)
        weights = [mp.exp(lam * (r - top)) for r, *_ in rows]
        whole = mp.fsum(w * p for w, (_, p, *_) in zip(weights, rows, strict=True))
        return [w / whole for w in weights]
    assert call.name == "grpo"
    return _raw_grpo(exact(given["beta"]), rows)


def _raw_grpo(beta: Any, rows: list[Row]) -> list[Any]:
    """β/(η − r), η − max r by bisection in its logarithm."""
    top = max(r for r, *_ in rows)
    low, high = mp.mpf(-400), mp.mpf(400)
    for _ in range(300):
        middle = (low + high) / 2
        beyond = mp.exp(middle)
        mass = mp.fsum(p * beta / (beyond + (top - r)) for r, p, *_ in rows)
        low, high = (middle, high) if mass > 1 else (low, middle)
    return [beta / (mp.exp(low) + (top - r)) for r, *_ in rows]


def _soft(job: Job, value: Number) -> tuple[str, Any] | None:
    """fk(k, λ) draws k and picks by softmax: counts enumerated on atoms, panels on a line."""
    given = _parameters(parse_spec(job.policy, "policy"))
    same = replace(job, policy=f"sbon({given['k']}, {given['lam']})")
    if isinstance(law_of(job.law), Atoms):
        return "counts enumerated in mpmath", defined(same)
    return soft_check.estimate(same, value)


# -- functionals -----------------------------------------------------------------------------------


def _curve(gold: str) -> Callable[[Any, Any], Any]:
    program = compiled(parse_gold(gold).expr, (quantile_symbol, reward_symbol))
    return lambda u, r: program(arithmetic, u, r)


def _entropy(w: Any) -> Any:
    """w ln w − w + 1 ≥ 0: nothing cancels between rows."""
    return w * mp.log(w) - w + 1 if w else mp.one


def _excess(w: Any, order: Any) -> Any:
    return w**order - 1 - order * (w - 1)


Integral: TypeAlias = "Callable[[Callable[[Any], Any]], Any]"


def _integral(job: Job) -> Integral:
    """∫₀¹ h du. The zeros of SuperHF's w are π/n from the unit interval: panels of their own."""
    call = parse_spec(job.policy, "policy")
    given = _parameters(call)
    if call.name != "superhf" or given["n"].denominator != 1:
        return unit_integral
    return lambda h: _by_leaves(h, int(given["n"]) ** int(given["rounds"]))


def _by_leaves(h: Callable[[Any], Any], leaves: int) -> Any:
    """Panels of length 1 in t, u = e^{−t/n}, to where uⁿ is nothing; one for what is left."""
    farthest, total = 120, mp.zero
    for k in range(farthest):
        for node, weight in legendre(44):
            u = mp.exp(-(k + (1 + node) / 2) / leaves)
            total += weight / 2 * h(u) * u / leaves
    edge = mp.exp(-mp.mpf(farthest) / leaves)
    return total + edge / 2 * mp.fsum(w * h(edge * (1 + x) / 2) for x, w in legendre(44))


def _over_quantiles(job: Job, w: Callable[[Any], Any], integral: Integral) -> Any:
    match job.quantity:
        case "kl":
            return integral(lambda u: _entropy(w(u)))
        case "chi2":
            return integral(lambda u: (w(u) - 1) ** 2)
        case "renyi":
            order = exact(job.order or Fraction(1))
            return mp.log1p(integral(lambda u: _excess(w(u), order))) / (order - 1)
        case "gold":
            curve = _curve(job.gold or "")
            return integral(lambda u: curve(u, u) * w(u))
    return integral(lambda u: u * w(u))


def _summed(job: Job, rows: list[Row], weights: list[Any]) -> Any:
    pairs = list(zip(rows, weights, strict=True))
    match job.quantity:
        case "kl":
            return mp.fsum(p * _entropy(w) for (_, p, *_), w in pairs)
        case "chi2":
            return mp.fsum(p * (w - 1) ** 2 for (_, p, *_), w in pairs)
        case "renyi":
            order = exact(job.order or Fraction(1))
            return mp.log1p(mp.fsum(p * _excess(w, order) for (_, p, *_), w in pairs)) / (order - 1)
        case "mean_reward":
            return mp.fsum(r * p * w for (r, p, *_), w in pairs)
        case "mean_quantile":
            return mp.fsum(f * p * w for (_, p, _, f), w in pairs)
        case "win_rate":
            return mp.fsum((e + f) / 2 * p * w for (_, p, e, f), w in pairs)
    raise ArithmeticError(f"{job.id} has no second method")


def _at(job: Job) -> tuple[str, Any] | None:
    rank = _rank(job.policy, job.law)
    if rank is None or job.at is None or job.at[0] != "quantile":
        return None
    cdf, ratio = rank
    return "definition in mpmath", (cdf if job.quantity == "cdf" else ratio)(exact(job.at[1]))


# -- joint models ----------------------------------------------------------------------------------


def _joint(job: Job) -> Any:
    call = parse_spec(job.joint or "", "joint")
    rank = _rank(job.policy, "uniform")
    assert rank is not None
    cdf, w = rank
    given = _parameters(call)
    if call.name == "contaminated":
        share, hack = exact(given["eps"]), exact(given["h"])
        # E[u; u < 1 − ε] = (1 − ε) G − ∫ G.
        edge = 1 - share
        below = mp.quad(cdf, [0, edge / 2, edge])
        return cdf(edge) - below / edge + hack * (1 - cdf(edge))
    if call.name == "herding":
        common, pre, fine = (given[name] ** 2 for name in ("shared", "pretrain", "finetune"))
        apart = pre + fine if ("seeds", "pretrain") in call.arguments else fine
        error = common + (pre + fine - apart) + apart / given["k"]
        top = mp.fsum(r * p * w(f) for r, p, _, f in rows_of("normal(0, 1)", True))
        return top / mp.sqrt(1 + exact(error))
    wrong = call.arguments[0][1]
    assert isinstance(wrong, SpecCall)
    return _partial(exact(given["p"]), job.law, str(wrong), cdf, w)


def _partial(p: Any, law: str, wrong: str, cdf: Any, w: Any) -> Any:
    """P(correct): Σ [G(F) − G(F−)] p c/(p c + (1 − p) w) over atoms, ∫ p f₁ w(pF₁ + (1 − p)F₀)."""
    first, second = law_of(law), law_of(wrong)
    if not (isinstance(first, Atoms) and isinstance(second, Atoms)):
        assert not isinstance(first, Atoms)
        assert not isinstance(second, Atoms)
        rows = rows_of(law, True)
        return mp.fsum(p * m * w(p * f + (1 - p) * second.cdf(r)) for r, m, _, f in rows)
    right, other = dict(first.atoms), dict(second.atoms)
    total = below = mp.zero
    for place in sorted({*right, *other}):
        mine = p * right.get(place, mp.zero)
        here = mine + (1 - p) * other.get(place, mp.zero)
        total += (cdf(below + here) - (cdf(below) if below else mp.zero)) * mine / here
        below += here
    return total


# -- thresholds ------------------------------------------------------------------------------------


def _turn_of_the_tilt(job: Job, value: Number) -> Any:
    """f′ = Cov(g, s) and f″ = E[(g − E g)(s − E s)²] under the tilt of the reward s."""
    with mp.workdps(DIGITS):
        low, high = value.bounds
        theta = exact((low + high) / 2)
        curve = _curve(job.gold or "")
        rows = [(s, p * mp.exp(theta * s), curve(f, s)) for s, p, _, f in rows_of(job.law, True)]
        whole = mp.fsum(p for _, p, _ in rows)
        reward = mp.fsum(p * s for s, p, _ in rows) / whole
        gold = mp.fsum(p * g for _, p, g in rows) / whole
        slope = mp.fsum(p * (s - reward) * (g - gold) for s, p, g in rows)
        second = mp.fsum(p * (s - reward) ** 2 * (g - gold) for s, p, g in rows)
        return theta - slope / second


def _threshold(job: Job, value: Number) -> tuple[str, Any] | None:
    """A Newton step of f′ from the value, f by exact moments: g = u^12 − u^13."""
    spec = parse_family_spec(job.policy).spec
    known = job.gold == "u**12*(1 - u)" and not (value.is_undefined or value.infinite)
    if not known or spec.name in ("bon", "bop", "quantile_tilt"):
        return None  # a rank family does not see the law: `second_curves` has its moments
    if spec.name == "tilt" and not job.law.startswith("log_prob"):
        return "Newton step by a covariance in mpmath", _turn_of_the_tilt(job, value)
    given = _parameters(spec)

    def moment(power: int, theta: Any) -> Any:
        if spec.name == "superhf":
            beta = exact(given["beta"])
            return (theta / (theta + power) + beta / (power + 1)) / (1 + beta)
        if spec.name == "grpo":
            p = -mp.expm1(-1 / theta)
            return theta * p * mp.hyp2f1(1, power + 1, power + 2, p) / (power + 1)
        # The tilt of u^{1/a}: its density is (a + λ)/a · u^{λ/a}.
        draws = 1 + theta / exact(_parameters(parse_spec(job.law, "law"))["a"])
        return draws / (draws + power)

    with mp.workdps(100):
        low, high = value.bounds
        theta = exact((low + high) / 2)

        def curve(t: Any) -> Any:
            return moment(12, t) - moment(13, t)

        return "Newton step by exact moments", theta - mp.diff(curve, theta) / mp.diff(
            curve, theta, 2
        )
