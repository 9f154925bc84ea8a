"""HedgeTune on a table: which parameter to run, how sure, and what over-optimising costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, Literal, cast

import numpy as np

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.bootstrap import first_of_the_best, held_out_value, resampled_means
from hedgetheory.hedgetune.estimators import mean_and_error
from hedgetheory.hedgetune.families import BestOfNPoints, BestOfPoissonPoints
from hedgetheory.hedgetune.ranks import rank_groups
from hedgetheory.hedgetune.shape import REGIMES, Regime, regimes, turns
from hedgetheory.hedgetune.table import Array, Source, Table, read_table

Family = Literal["bon", "bop"]
FAMILIES: tuple[Family, ...] = ("bon", "bop")
#: More would not move an interval, but could keep the process busy for ever.
MAX_RESAMPLES = 1_000_000
#: Gold scores beyond this in size could overflow when they are subtracted.
MAX_GOLD = 1e307

_POINTS: dict[Family, type[BestOfNPoints | BestOfPoissonPoints]] = {
    "bon": BestOfNPoints,
    "bop": BestOfPoissonPoints,
}


@dataclass(frozen=True, slots=True)
class TuneResult:
    """What ``tune`` found. Undefined is None.

    ``theta``: the parameter with the largest estimated value (the smallest of them on a tie), an
    integer for Best-of-n; ``theta_interval`` its bootstrap interval. ``value``: the estimate there,
    flattered by the choice; ``value_heldout``: the cross-fitted value, which is not. ``largest``:
    the point at the largest parameter; ``regret``: value − value there, what over-optimising costs,
    with its bootstrap interval at fixed theta. ``regime``: the shape of the estimated curve;
    ``regime_support``: the share of resamples whose curve has that shape. ``ties``: under Best-of-n
    every n with the largest value. ``extrema``: interior ones of the estimated curve.
    ``expected_draws`` at theta. ``tail_mass`` (Best-of-Poisson): P(N > S) at theta.
    """

    family: Family
    theta: float
    theta_interval: list[float] | None
    value: float
    value_heldout: float | None
    regime: Regime
    regime_support: float | None
    n_prompts: int
    n_responses: int
    dropped: int
    curve: list[dict[str, float | None]]
    warnings: list[str]
    largest: dict[str, float | None]
    regret: float
    regret_interval: list[float] | None
    ties: list[int]
    extrema: list[dict[str, float | str]]
    expected_draws: float
    tail_mass: float | None
    seed: int
    resamples: int
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """The fields of the command-line contract and more: plain numbers, null where undefined."""
        return asdict(self)


def tune(
    table: Source | Table,
    family: Family = "bon",
    *,
    prompt: str = "prompt_id",
    proxy: str = "proxy",
    gold: str = "true",
    seed: int = 0,
    resamples: int = 1000,
    confidence: float = 0.95,
    drop_invalid: bool = False,
) -> TuneResult:
    """Choose the n of Best-of-n or the μ of Best-of-Poisson on a table of scored responses.

    θ̂ = argmax f̂(θ), f̂ the mean over prompts of the unbiased value on each prompt,
    Σ_i C(i−1, n−1)/C(S, n) g_(i) for n, and its Poisson mixture for μ.

    Assumptions: the responses of a prompt are independent draws from one policy, prompts are a
    sample of the prompts to come and count equally. Responses with tied proxies share their mean
    gold score. Prompts may differ in S: under ``bon`` n stops, with a warning, at the smallest S;
    under ``bop`` each prompt's N is capped at its own S, and μ stops where P(N > S) averages 10 %;
    each point reports that mass as ``tail_mass``, and a warning bounds its effect where it matters.

    ``table``: a path, ``-``, a packaged name, or a Table, which is taken as it is; ``prompt``,
    ``proxy``, ``gold``: its columns. ``family``: "bon" or "bop". ``seed`` ≥ 0 and ``resamples`` ≥ 0
    (0: no intervals) of the bootstrap over prompts; ``confidence`` in (0, 1) of its percentile
    intervals. ``drop_invalid``: drop and count invalid rows instead of refusing them.

    Returns a TuneResult, the same for the same input and seed, whatever the order of rows. Every n
    is compared for θ̂. Shapes, resamples and cross-fitting use the points of ``curve``: every n up
    to S = 200, else some 200 (resampled μ are refined by a parabola, cross-fitted ones are not).

    ``regime`` is the plain shape of the estimated curve, any turn above rounding counting: read it
    with ``regime_support``, since a turn smaller than ``se`` may be noise.

    Raises InputError, one line, for a table or an argument that will not do, and where every prompt
    (under ``bon``, any prompt) has a single response or the proxy is constant within every prompt:
    there is nothing to select.

    >>> result = tune("ridge_overfit")
    >>> result.theta, result.regime, result.largest["theta"]
    (3, 'peak', 64)

    Source: THEORY.md, sections 6 and 8; HedgeTune of arXiv 2506.19248.
    """
    call = f"tune(family={family!r})"
    if family not in FAMILIES:
        raise must_be("family", repr(family), "bon or bop", call)
    if not _is_count(seed):
        raise must_be("seed", seed, "an integer >= 0", call)
    if not (_is_count(resamples) and resamples <= MAX_RESAMPLES):
        raise must_be("resamples", resamples, f"an integer from 0 to {MAX_RESAMPLES}", call)
    if not (isinstance(confidence, Real) and 0 < confidence < 1):
        raise must_be("confidence", confidence, "strictly between 0 and 1", call)
    if not isinstance(table, Table):
        table = read_table(table, prompt=prompt, proxy=proxy, gold=gold, drop_invalid=drop_invalid)
    return _tune(table, family, int(seed), int(resamples), float(confidence))


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0


def _tune(table: Table, family: Family, seed: int, resamples: int, confidence: float) -> TuneResult:
    unit = _unit(table)
    scaled = Table(table.name, table.proxy, table.gold / unit, table.sizes, table.dropped)
    groups = rank_groups(scaled)
    rounding = 2.0**-49 * groups[-1].size
    points = _POINTS[family](groups, table.name)
    _require_a_choice(table)
    place = points.best(rounding)
    thetas, curves = points.thetas, points.curves
    mean, error = mean_and_error(curves)

    warnings = _warnings_on(table, resamples) + points.warnings(place, unit)
    chosen: list[Array] = []
    losses: list[Array] = []
    shapes = np.zeros(len(REGIMES))
    shape = int(regimes(mean[None], rounding)[0])
    resampled = resamples > 0 and len(curves) > 1
    for means in resampled_means(curves, resamples, seed) if resampled else ():
        chosen.append(points.refined(means, first_of_the_best(means, rounding)))
        losses.append(means[:, place] - means[:, -1])
        shapes += np.bincount(regimes(means, rounding), minlength=len(REGIMES))
    heldout = held_out_value(curves, rounding)

    def number(x: float) -> float | None:
        return float(x) * unit if np.isfinite(x) else None

    curve: list[dict[str, float | None]] = [
        {"theta": points.number(t), "value": number(v), "se": number(e)} | points.more(k)
        for k, (t, v, e) in enumerate(zip(thetas, mean, error, strict=True))
    ]
    theta = points.number(thetas[place])
    return TuneResult(
        family=family,
        theta=theta,
        theta_interval=[points.number(t) for t in _interval(chosen, confidence, points.method)]
        if resampled
        else None,
        value=float(mean[place]) * unit,
        value_heldout=None if heldout is None else heldout * unit,
        regime=REGIMES[shape],
        regime_support=float(shapes[shape]) / resamples if resampled else None,
        n_prompts=len(table.sizes),
        n_responses=len(table.proxy),
        dropped=table.dropped,
        curve=curve,
        warnings=warnings,
        largest=curve[-1],
        regret=float(mean[place] - mean[-1]) * unit,
        regret_interval=[float(x) * unit for x in _interval(losses, confidence, "linear")]
        if resampled
        else None,
        ties=points.ties,
        extrema=[
            {"theta": points.number(thetas[k]), "value": float(mean[k]) * unit, "kind": kind}
            for k, kind in turns(mean, rounding)
        ],
        expected_draws=points.expected_draws(theta),
        tail_mass=points.more(place).get("tail_mass"),
        seed=seed,
        resamples=resamples,
        confidence=confidence,
    )


def _unit(table: Table) -> float:
    """A power of two near the largest gold score: the unit in which nothing overflows."""
    largest = max(float(table.gold.max()), -float(table.gold.min()))
    if largest > MAX_GOLD:
        raise InputError(
            f"{table.name}: a gold score of size {largest:.3g} is beyond {MAX_GOLD:g}; rescale them"
        )
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]) - 1)) if largest else 1.0


def _require_a_choice(table: Table) -> None:
    """A proxy that ties all responses of every prompt selects nothing, whatever n."""
    starts = np.cumsum(table.sizes) - table.sizes
    spread = np.maximum.reduceat(table.proxy, starts) > np.minimum.reduceat(table.proxy, starts)
    if not spread.any():
        raise InputError(
            f"{table.name}: the proxy is constant within every prompt, so that it selects nothing; "
            "take another proxy column"
        )


def _interval(blocks: list[Array], confidence: float, method: str) -> list[float]:
    values = np.concatenate(blocks)
    tail = (1 - confidence) / 2
    return [float(np.quantile(values, q, method=cast(Any, method))) for q in (tail, 1 - tail)]


def _warnings_on(table: Table, resamples: int) -> list[str]:
    found = []
    if table.dropped:
        found.append(f"{table.dropped} invalid rows were dropped")
    prompts = len(table.sizes)
    if prompts == 1:
        found.append("one prompt: no standard errors, no interval, no held-out value")
    elif resamples and prompts < 10:
        found.append(f"the intervals rest on {prompts} prompts only")
    return found
