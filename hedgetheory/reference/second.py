"""Values of cases by the plain definitions of `definitions`, in mpmath: None where they cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r as reward_symbol
from hedgetheory.expressions.symbols import u as quantile_symbol
from hedgetheory.numerics.program import compiled
from hedgetheory.reference.cases import Job
from hedgetheory.reference.definitions import (
    DIGITS,
    Atoms,
    Rank,
    arithmetic,
    exact,
    law_of,
    mp,
    rank_of,
)
from hedgetheory.reference.panels import unit_integral
from hedgetheory.reference.second_tilts import tilt_part
from hedgetheory.spec.grammar import parse_gold, parse_spec

POINTWISE = {"density", "ratio", "mass", "cdf", "score"}
#: Of a slope that cancels; e^{−λ} at λ = 1024 is 10^−445.
MOST_DIGITS = 2700
#: A sum of |terms| cut at 10^−280: not for tilts that move the bulk out of the window.
MOST_TILT = 1


def defined(job: Job) -> Any:
    """The value of a case by its definition, exactly up to the rounding of 300 digits."""
    name = job.policy.partition("(")[0]
    if job.quantity == "expected_draws":
        return _mean_draws(job.policy, name)
    if job.quantity in ("threshold", "gap", "gap_strength"):
        return None
    law = law_of(job.law)
    strength = _strength(job.policy) if name == "tilt" else None
    if strength is not None and _divergent(law, strength):
        return mp.nan
    if job.quantity == "density" and isinstance(law, Atoms):
        return mp.nan
    if job.quantity == "quantile":
        return None
    if isinstance(law, Atoms):
        return _on_atoms(job, law, name, strength)
    if job.quantity == "mass":
        return mp.zero
    policy = _by_quantile(job, name, strength)
    if policy is not None:
        return _by_rank(job, law, policy)
    # mpmath's rule for a plan misses the corner of |w − 1| and the first 2⁻⁴⁰ of Weibull's range.
    if strength and (job.quantity, job.law.partition("(")[0]) in _BY_PARTS:
        number = parse_spec(job.policy, "policy").arguments[0][1]
        assert isinstance(number, Fraction)
        at = job.at[1] if job.at is not None and job.at[0] == "reward" else None
        if job.at is None or (at is not None and law.inside(exact(at))):
            return tilt_part(job.law, number, job.quantity, at)
    if strength is not None:
        with mp.workdps(DIGITS if job.at is not None else 120):
            return _tilted(job, law, strength)
    if name == "sbon":
        return None
    return _without_limit(job, law, rank_of(job.policy))


def _by_quantile(job: Job, name: str, strength: Any) -> Rank | None:
    """The rank policy of a pointwise case; a tilt is one at λ = 0 and on the uniform law."""
    if job.quantity not in POINTWISE or name == "sbon":
        return None
    if strength is None:
        return rank_of(job.policy)
    if job.law == "uniform":
        return rank_of("quantile_" + job.policy)
    return rank_of("bon(1)") if strength == 0 and job.quantity != "score" else None


_BY_PARTS = {
    ("cdf", "weibull"),
    ("total_variation", "weibull"),
    ("total_variation", "beta"),
    ("total_variation", "mixture"),
}


def _mean_draws(policy: str, name: str) -> Any:
    if name in ("tilt", "sbon"):
        return None
    rank = rank_of(policy)
    # A real n is a rank policy that no number of draws gives.
    whole = name != "bon" or rank.parameters[0] == int(rank.parameters[0])
    return rank.mean_draws() if whole else mp.nan


def _strength(policy: str) -> Any:
    value = parse_spec(policy, "policy").arguments[0][1]
    assert isinstance(value, Fraction)
    return exact(value)


def _power(job: Job) -> Any:
    """The power of w that a case sums."""
    if job.quantity == "chi2":
        return 2
    return exact(job.order) if job.order is not None else 1


def _divergent(law: Any, lam: Any) -> bool:
    """Whether E[e^{λR}] = ∞."""
    if isinstance(law, Atoms):
        return law.name == "geometric" and bool((1 - law.parameters[0]) * mp.exp(lam) >= 1)
    return not law.tilts(lam)


def _place(job: Job, law: Any) -> Any:
    """The quantile of a pointwise case; the reward is only known where it was given."""
    assert job.at is not None
    kind, number = job.at
    return exact(number) if kind == "quantile" else law.cdf(exact(number))


def _by_rank(job: Job, law: Any, policy: Rank) -> Any:
    assert job.at is not None
    kind, number = job.at
    u = _place(job, law)
    if kind == "reward" and not law.inside(exact(number)):
        # An end with a positive density; w or its logarithm may have no limit there.
        singular = policy.name == "sibuya" or job.quantity == "score"
        if law.name not in ("uniform", "exponential", "pareto") or singular:
            return None
    if job.quantity == "cdf":
        return policy.cdf(u)
    if job.quantity == "ratio":
        return policy.ratio(u)
    if job.quantity == "density":
        return policy.ratio(u) * law.pdf(exact(number)) if kind == "reward" else None
    return _score(policy, lambda changed: changed.ratio(u))


def _without_limit(job: Job, law: Any, policy: Rank) -> Any:
    """±∞ or NaN where an integral of a rank policy is, None where it is finite.

    Only Sibuya(a) has an unbounded w, a v^{a−1} at the top (and up to a factor p^{a−1} on the atoms
    p of a countable law), so that E[w^α] is infinite iff α(1 − a) ≥ 1. A mean is infinite where the
    tail index of the law times the order of G at that end is at most 1, undefined where both are.
    """
    power = policy.parameters[0] if policy.name == "sibuya" else mp.one
    if job.quantity in ("chi2", "renyi"):
        order = mp.mpf(2) if job.order is None else exact(job.order)
        return mp.inf if order > 1 and order * (1 - power) >= 1 else None
    if job.quantity != "mean_reward" or law.name not in ("pareto", "student_t"):
        return None
    index = law.parameters[0]
    lowest = policy.parameters[0] if policy.name == "bon" else mp.one
    if policy.name == "finite":
        lowest = policy.masses[0][0]
    top = index * power <= 1
    bottom = law.name == "student_t" and index * lowest <= 1
    if top and bottom:
        return mp.nan
    return mp.inf if top else -mp.inf if bottom else None


def _score(policy: Rank, weight: Callable[[Rank], Any]) -> Any:
    if policy.masses:
        return None
    theta, digits = policy.parameters[0], DIGITS
    while digits <= MOST_DIGITS:
        with mp.workdps(digits):
            slope = mp.diff(lambda t: mp.log(weight(policy.varied(t))), theta)
            # What is left of a slope that cancels to almost nothing has no digits.
            if abs(slope) > mp.mpf(10) ** (-digits // 3):
                return +slope
        digits *= 3
    return slope


def _tilted(job: Job, law: Any, lam: Any) -> Any:
    def potential(t: Any) -> Any:
        return mp.log(law.mgf(t)) if t else mp.zero

    if lam == 0 or job.law.startswith(("uniform", "weibull")):
        return None  # K is not smooth in floating point at 0, or slow
    slope = mp.diff(potential, lam) if job.quantity in ("kl", "mean_reward", "score") else None
    if job.quantity == "kl":
        return lam * slope - potential(lam)
    if job.quantity == "mean_reward":
        return slope
    if job.quantity in ("chi2", "renyi") and job.order != 1:
        order = mp.mpf(2) if job.order is None else exact(job.order)
        if not law.tilts(order * lam):
            return mp.inf
        moment = law.mgf(order * lam)
        if job.quantity == "chi2":
            return moment / law.mgf(lam) ** 2 - 1
        return (mp.log(moment) - order * potential(lam)) / (order - 1)
    if job.at is None or job.at[0] != "reward":
        return None
    place = exact(job.at[1])
    if not law.inside(place):
        return None
    if job.quantity == "score":
        return place - slope
    weight = mp.exp(lam * place) / law.mgf(lam)
    if job.quantity == "ratio":
        return weight
    return weight * law.pdf(place) if job.quantity == "density" else None


# -- atoms -----------------------------------------------------------------------------------------


def _on_atoms(job: Job, law: Atoms, name: str, lam: Any) -> Any:
    if name == "tilt":
        reach = lam * max(_power(job), 1)
        if _divergent(law, reach):
            return mp.inf
        if law.countable and reach > MOST_TILT:
            return None
        policy = law.tilted(lam)
    elif name == "sbon":
        call = parse_spec(job.policy, "policy")
        draws, strength = (value for _, value in call.arguments[:2])
        assert isinstance(draws, Fraction)
        assert isinstance(strength, Fraction)
        if law.countable or draws.denominator > 1 or draws ** (len(law.atoms) - 1) > 5000:
            return None
        policy = law.soft(int(draws), exact(strength))
    else:
        # Of a sum that diverges the atoms above 10^−250 tell nothing.
        limit = _without_limit(job, law, rank_of(job.policy)) if law.countable else None
        if limit is not None:
            return limit
        policy = law.by_rank(rank_of(job.policy))
    if job.at is not None:
        return _at_atom(job, law, policy, name, lam)
    return _over_atoms(job, law, policy)


def _at_atom(job: Job, law: Atoms, policy: Sequence[Any], name: str, lam: Any) -> Any:
    assert job.at is not None
    kind, number = job.at
    if kind != "reward":
        return None
    place = exact(number)
    if job.quantity == "cdf":
        return mp.fsum(m for (r, _), m in zip(law.atoms, policy, strict=True) if r <= place)
    index = next((i for i, (r, _) in enumerate(law.atoms) if r == place), None)
    if job.quantity == "mass":
        return mp.zero if index is None else policy[index]
    if index is None:
        return None
    if job.quantity == "ratio":
        return policy[index] / law.atoms[index][1]
    if job.quantity != "score" or name == "sbon":
        return None
    if name == "tilt":
        return place - mp.fsum(r * m for (r, _), m in zip(law.atoms, policy, strict=True))
    below, upto = law.cumulative[index], law.cumulative[index + 1]
    return _score(
        rank_of(job.policy),
        lambda changed: changed.cdf(upto) - (changed.cdf(below) if below else mp.zero),
    )


def _over_atoms(job: Job, law: Atoms, policy: Sequence[Any]) -> Any:
    rows = list(zip(law.atoms, policy, law.cumulative, law.cumulative[1:], strict=False))
    match job.quantity:
        case "kl":
            return mp.fsum(m * mp.log(m / p) for (_, p), m, _, _ in rows if m)
        case "chi2":
            return mp.fsum(m * m / p for (_, p), m, _, _ in rows) - 1
        case "renyi":
            assert job.order is not None
            order = exact(job.order)
            if order == 1:
                return mp.fsum(m * mp.log(m / p) for (_, p), m, _, _ in rows if m)
            whole = mp.fsum(p * (m / p) ** order for (_, p), m, _, _ in rows)
            return mp.log(whole) / (order - 1)
        case "total_variation":
            return mp.fsum(abs(m - p) for (_, p), m, _, _ in rows) / 2
        case "mean_reward":
            return mp.fsum(r * m for (r, _), m, _, _ in rows)
        case "mean_quantile":
            return mp.fsum(m * upto for _, m, _, upto in rows)
        case "win_rate":
            return mp.fsum(m * (below + upto) / 2 for _, m, below, upto in rows)
        case "gold":
            curve = _curve(job)
            return mp.fsum(m * curve(upto, r) for (r, _), m, _, upto in rows)
    return None


def _curve(job: Job) -> Callable[[Any, Any], Any]:
    """g(u, r), evaluated as it was read."""
    assert job.gold is not None
    program = compiled(parse_gold(job.gold).expr, (quantile_symbol, reward_symbol))
    return lambda u, r: program(arithmetic, u, r)


# -- integrals and inverses ------------------------------------------------------------------------


def panelled(job: Job) -> Any:
    """The value of a functional of a rank policy without atoms by panels over the quantile."""
    name = job.policy.partition("(")[0]
    if name in ("tilt", "sbon") or job.at is not None or job.law.startswith(_ATOMIC):
        return None
    if job.quantity in ("threshold", "gap", "gap_strength", "expected_draws"):
        return None
    if job.quantity == "mean_reward" and job.law != "uniform":
        return None
    if job.gold is not None and job.law != "uniform" and parse_gold(job.gold).variable == "r":
        return None
    policy = rank_of(job.policy)
    w = policy.ratio
    match job.quantity:
        case "kl":
            # Its integrand is w ln w − w + 1 ≥ 0: no cancellation near w = 1.
            return unit_integral(lambda u: _entropy(w(u)))
        case "chi2":
            return unit_integral(lambda u: (w(u) - 1) ** 2)
        case "total_variation":
            return unit_integral(lambda u: abs(w(u) - 1), _crossing(w)) / 2
        case "renyi":
            assert job.order is not None
            order = exact(job.order)
            if order == 1:
                return unit_integral(lambda u: _entropy(w(u)))
            # E[w^α] − 1 = E[w^α − 1 − α(w − 1)], of one sign.
            excess = unit_integral(lambda u: w(u) ** order - 1 - order * (w(u) - 1))
            with mp.workdps(90):
                return mp.log1p(excess) / (order - 1)
        case "gold":
            curve = _curve(job)
            kinks = (mp.mpf(1) / 2,) if "where" in (job.gold or "") else ()
            return unit_integral(lambda u: curve(u, u) * w(u), kinks)
    return unit_integral(lambda u: u * w(u))


_ATOMIC = ("bernoulli", "finite", "poisson", "geometric")


def _entropy(w: Any) -> Any:
    return w * mp.log(w) - w + 1 if w else mp.one


def _crossing(w: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Where w, which increases, passes 1."""
    low, high = mp.mpf(-300), mp.mpf(300)
    with mp.workdps(90):
        for _ in range(320):
            middle = (low + high) / 2
            if w(1 / (1 + mp.exp(-middle))) < 1:
                low = middle
            else:
                high = middle
        return (1 / (1 + mp.exp(-high)),)


def inverted(job: Job, value: Number) -> int | None:
    """Digits of a quantile by one Newton step of the policy's cdf at it; None where it has none."""
    name = job.policy.partition("(")[0]
    if name in ("tilt", "sbon") or value.is_undefined or value.infinite:
        return None
    assert job.at is not None
    level, law = exact(job.at[1]), law_of(job.law)
    policy = rank_of(job.policy)
    place = exact(sum(value.bounds, Fraction(0)) / 2)
    if isinstance(law, Atoms):
        steps = law.by_rank(policy)
        upto = mp.fsum(m for (r, _), m in zip(law.atoms, steps, strict=True) if r <= place)
        below = mp.fsum(m for (r, _), m in zip(law.atoms, steps, strict=True) if r < place)
        slack = mp.mpf(10) ** -250
        return 30 if below < level + slack and upto > level - slack else 0
    if not law.inside(place):
        return 0
    u = law.cdf(place)
    step = (policy.cdf(u) - level) / (policy.ratio(u) * law.pdf(place))
    if step == 0:
        return 30
    size = abs(place) if place else mp.one
    return int(max(min(mp.floor(-mp.log10(abs(step) / size)), 30), 0))
