"""The quantities of Soft Best-of-n, from its ratios and slopes at the nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r as reward_symbol
from hedgetheory.expressions.symbols import u as quantile_symbol
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.reference.cases import Job
from hedgetheory.reference.definitions import Atoms, Continuous, Mixed, exact, law_of, mp
from hedgetheory.reference.panels import legendre
from hedgetheory.reference.soft_check.atoms import none_if_it_turns, on_atoms
from hedgetheory.reference.soft_check.lattice import DIGITS, ENDS, NODES, Lattice
from hedgetheory.reference.soft_check.race import Race, race
from hedgetheory.reference.soft_check.two_draws import TwoDraws, two_draws
from hedgetheory.spec.grammar import SpecCall, parse_family_spec, parse_gold, parse_spec

arithmetic = HighPrecision(DIGITS)


def estimate(job: Job, value: Number) -> tuple[str, Any] | None:
    """(method, value) of a case, None where it is not one of a law with a density."""
    if job.quantity in {"expected_draws", "mass"}:
        return None
    parameters = _parameters(job)
    if isinstance(law_of(job.law), Atoms):
        return on_atoms(job, parameters, value)
    law = "uniform" if parameters.get("scale") == "quantile" else job.law
    if law != job.law and job.at is None and _sees_reward(job):
        return None  # the nodes are quantiles
    if law not in ENDS or not all(isinstance(parameters[k], Fraction) for k in ("n", "lam")):
        return None
    with mp.workdps(DIGITS):
        if job.quantity == "first_peak":
            return "Newton step by panels in mpmath", _peak(job, value)
        soft = Soft.of(law, parameters["n"], parameters["lam"])
        if job.quantity == "quantile":
            return soft.method, _quantile(soft, job, value)
        if job.at is not None:
            return soft.method, _at(soft, job, _place(job, law))
        return soft.method, _functional(soft, job)


def _sees_reward(job: Job) -> bool:
    in_reward = job.gold is not None and parse_gold(job.gold).variable == "r"
    return job.quantity == "mean_reward" or in_reward


def free_parameter(job: Job) -> str:
    """The one that a family leaves free."""
    return "lam" if parse_family_spec(job.policy).spec.arguments[0][0] == "n" else "n"


def _parameters(job: Job) -> dict[str, Any]:
    """n, λ and the scale; the free parameter of a family is 1 until it is known."""
    if job.quantity != "first_peak":
        return dict(parse_spec(job.policy, "policy").arguments)
    call: SpecCall = parse_family_spec(job.policy).spec
    return {"n": Fraction(1), "lam": Fraction(1), **dict(call.arguments)}


def _place(job: Job, law: str) -> Any:
    """The reward of a case; its quantile where the policy sees that."""
    assert job.at is not None
    kind, number = job.at
    if law != job.law and kind == "reward":
        return _density(job.law).cdf(exact(number))
    return exact(number)


def _density(law: str) -> Continuous | Mixed:
    found = law_of(law)
    assert not isinstance(found, Atoms)
    return found


@dataclass(frozen=True)
class Soft:
    """n draws on a law at λ: two by their definition, else the race; it alone has a slope in n."""

    law: str
    n: Any
    lam: Fraction
    two: TwoDraws | None

    @classmethod
    def of(cls, law: str, n: Fraction, lam: Fraction) -> Soft:
        return _soft(law, n, lam)

    @property
    def method(self) -> str:
        return "two draws in mpmath" if self.two else "race by panels in mpmath"

    @property
    def race(self) -> Race:
        return race(self.law, self.lam)

    @property
    def lattice(self) -> Lattice:
        return self.two.lattice if self.two else self.race.lattice

    def ratios(self) -> list[list[Any]]:
        return _ratios(self)

    def at(self, reward: Any) -> Any:
        return self.two.at(reward) if self.two else self.race.at(self.n, reward)

    def cdf(self, reward: Any) -> Any:
        """Whole panels below a reward, and a rule of its own for the one that it is in."""
        grid, below = self.lattice, mp.zero
        index = int(mp.floor((reward - grid.low) / grid.width))
        for row in list(_terms(self))[: max(index, 0)]:
            below += row
        start = grid.low + grid.width * index
        half = (reward - start) / 2
        pdf = _density(self.law).pdf
        return below + half * mp.fsum(
            weight * self.at(place) * pdf(place)
            for node, weight in legendre(NODES)
            for place in [start + half * (1 + node)]
        )


@lru_cache(maxsize=4)
def _soft(law: str, n: Fraction, lam: Fraction) -> Soft:
    return Soft(law, exact(n), lam, two_draws(law, lam) if n == 2 else None)


@lru_cache(maxsize=4)
def _ratios(soft: Soft) -> list[list[Any]]:
    return soft.two.ratios() if soft.two else soft.race.ratios(soft.n)


@lru_cache(maxsize=4)
def _terms(soft: Soft) -> tuple[Any, ...]:
    """The policy's mass of each panel."""
    grid, scale = soft.lattice, mp.ldexp(mp.one, -200)
    return tuple(
        mp.fsum(p * w for p, w in zip(*row, strict=True)) * scale
        for row in zip(grid.weights, soft.ratios(), strict=True)
    )


# -- at a reward -----------------------------------------------------------------------------------


def _at(soft: Soft, job: Job, place: Any) -> Any:
    match job.quantity:
        case "cdf":
            return soft.cdf(place)
        case "ratio":
            return soft.at(place)
        case "density":
            assert job.at is not None
            return soft.at(place) * _density(job.law).pdf(exact(job.at[1]))
        case "score":
            return soft.race.slope_in_draws(soft.n, place) / soft.race.at(soft.n, place)
    slope = soft.two.slope_at(place) if soft.two else soft.race.slope_in_strength(soft.n, place)
    return slope / soft.at(place)


def _quantile(soft: Soft, job: Job, value: Number) -> Any:
    """A Newton step of the cdf from the value itself."""
    assert job.at is not None
    reward = exact(sum(value.bounds, Fraction(0)) / 2)
    place = reward if soft.law == job.law else _density(job.law).cdf(reward)
    density = soft.at(place) * _density(job.law).pdf(reward)
    return reward - (soft.cdf(place) - exact(job.at[1])) / density


# -- over all rewards ------------------------------------------------------------------------------


def _functional(soft: Soft, job: Job) -> Any:
    law = _density(soft.law)
    match job.quantity:
        case "kl":
            return _mean(soft, lambda r, w: w * mp.log(w) - w + 1)
        case "chi2":
            return _mean(soft, lambda r, w: (w - 1) ** 2)
        case "renyi":
            assert job.order is not None
            order = exact(job.order)
            excess = _mean(soft, lambda r, w: w**order - 1 - order * (w - 1))
            return mp.log1p(excess) / (order - 1)
        case "total_variation":
            middle = _crossing(soft)
            return law.cdf(middle) - soft.cdf(middle)
        case "mean_reward":
            return _mean(soft, lambda r, w: r * w)
        case "mean_quantile" | "win_rate":
            return _mean(soft, lambda r, w: law.cdf(r) * w)
    curve = gold_at(job, law)
    if job.quantity == "gold":
        return _mean(soft, lambda r, w: curve(r) * w)
    return _against(soft.lattice, curve, _slopes(soft))


def _mean(soft: Soft, of: Callable[[Any, Any], Any]) -> Any:
    return mp.fsum(p * of(r, w) for r, p, w in soft.lattice.nodes(soft.ratios()))


def _against(grid: Lattice, curve: Callable[[Any], Any], slopes: list[list[Any]]) -> Any:
    return mp.fsum(p * curve(r) * slope for r, p, slope in grid.nodes(slopes))


def _slopes(soft: Soft) -> list[list[Any]]:
    """∂w/∂λ at the nodes."""
    if soft.two is None:
        return soft.race.slopes_in_strength(soft.n)
    return [[soft.two.slope_at(r) for r in row] for row in soft.lattice.rewards]


def gold_at(job: Job, law: Any) -> Callable[[Any], Any]:
    assert job.gold is not None
    formula = parse_gold(job.gold)
    program = compiled(formula.expr, (quantile_symbol, reward_symbol))
    if formula.variable == "r":
        return lambda r: program(arithmetic, mp.zero, r)
    return lambda r: program(arithmetic, law.cdf(r), r)


def _crossing(soft: Soft) -> Any:
    """Where w, which increases in the reward, passes 1; the distance there is stationary."""
    flat = [(r, w) for row in zip(soft.lattice.rewards, soft.ratios(), strict=True)
            for r, w in zip(*row, strict=True)]  # fmt: skip
    low = max((r for r, w in flat if w < 1), default=flat[0][0])
    high = min((r for r, w in flat if w >= 1), default=flat[-1][0])
    return mp.findroot(lambda r: soft.at(r) - 1, (low, high), solver="anderson", tol=1e-25)


# -- where f turns ---------------------------------------------------------------------------------


def _peak(job: Job, value: Number) -> Any:
    """θ − f′(θ)/f″(θ), f″ by a difference: it is multiplied by almost nothing."""
    parameters = _parameters(job)
    free = free_parameter(job)
    if value.is_undefined:
        start = Fraction(1 if free == "n" else 0)
        grid = [start + Fraction(2) ** k for k in range(-4, 7)]
        return none_if_it_turns([_slope(job, {**parameters, free: x}, free) for x in grid])
    middle = sum(value.bounds, Fraction(0)) / 2
    # A ratio of a few digits, so that the lattice is of moderate numbers.
    theta, step = middle.limit_denominator(10**15), Fraction(1, 10**6)
    slopes = [_slope(job, {**parameters, free: theta + h}, free) for h in (0, step)]
    curvature = (slopes[1] - slopes[0]) / exact(step)
    return exact(theta) - slopes[0] / curvature


def _slope(job: Job, parameters: dict[str, Any], free: str) -> Any:
    soft = Soft.of(job.law, parameters["n"], parameters["lam"])
    curve = gold_at(job, _density(job.law))
    if free == "lam":
        return _against(soft.lattice, curve, _slopes(soft))
    return _against(soft.race.lattice, curve, soft.race.slopes_in_draws(soft.n))
