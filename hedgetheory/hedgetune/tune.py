"""HedgeTune on a table: which parameter to run, how sure, and what over-optimising costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.answer import answer
from hedgetheory.hedgetune.constraints import Constraints, Labels
from hedgetheory.hedgetune.families import parse_family
from hedgetheory.hedgetune.frames import is_frame
from hedgetheory.hedgetune.members import Ensemble, members_of
from hedgetheory.hedgetune.ranks import rank_groups
from hedgetheory.hedgetune.result import TuneResult
from hedgetheory.hedgetune.table import Array, Source, Table, read_table

__all__ = ["FAMILIES", "TuneResult", "tune"]

#: One of each kind, for tests and for help.
FAMILIES = (
    *("bon", "bop", "quantile_tilt", "tilt", "sbon(n=2)", "sbon(lam=30)"),
    "best_of_random(geometric)",
)
#: More would not move an interval, but could keep the process busy for ever.
MAX_RESAMPLES = 1_000_000
#: Gold scores beyond this in size could overflow when they are subtracted.
MAX_GOLD = 1e307


@dataclass(frozen=True, slots=True)
class Settings:
    """How to be sure: the bootstrap over prompts and its intervals."""

    seed: int = 0
    resamples: int = 1000
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not _is_count(self.seed):
            raise must_be("seed", self.seed, "an integer >= 0", "tune")
        if not (_is_count(self.resamples) and self.resamples <= MAX_RESAMPLES):
            must = f"an integer from 0 to {MAX_RESAMPLES}"
            raise must_be("resamples", self.resamples, must, "tune")
        if not (isinstance(self.confidence, Real) and 0 < self.confidence < 1):
            raise must_be("confidence", self.confidence, "strictly between 0 and 1", "tune")


def tune(
    table: Source | Table | Any,
    family: str = "bon",
    *,
    prompt: str = "prompt_id",
    proxy: str | Sequence[str] = "proxy",
    gold: str = "true",
    weight: str | None = None,
    group: str | None = None,
    seed: int = 0,
    resamples: int = 1000,
    confidence: float = 0.95,
    drop_invalid: bool = False,
    pooled: bool = False,
    kl_budget: float | None = None,
    draw_budget: float | None = None,
    floor: float | None = None,
    ensemble: str | None = None,
    ensemble_weight: float | None = None,
    shape: str | None = None,
) -> TuneResult:
    """Choose the parameter of a selection policy on a table of scored responses.

    θ̂ = argmax f̂(θ), f̂ the mean over prompts of the value on each prompt: unbiased over all
    subsets for Best-of-n, its mixtures and Soft Best-of-n, self-normalised for the tilt.

    Assumptions: the responses of a prompt are independent draws from one policy, prompts are a
    sample of the prompts to come and count by their weight, equally without one. Responses with
    tied proxies share their mean gold score. Prompts may differ in S: where n is free it stops,
    with a warning, at the smallest S; a random N is capped at each prompt's own S, and θ stops
    where P(N > S) averages 10 %, each point reporting that mass as ``tail_mass``; a tilt stops
    where the effective sample size is too small to mean anything.

    ``table``: what ``read_table`` reads (a path, a folder, ``-``, a packaged name, …), a dataframe,
    or a Table, which is taken as it is; ``prompt``, ``proxy``, ``gold``, ``weight``, ``group``: its
    columns. ``family``: a policy with one
    parameter free: ``bon``, ``bop``, ``quantile_tilt``, ``tilt``, ``sbon(n=16)``, ``sbon(lam=3)``
    (with ``scale=quantile`` on λ times the quantile within the prompt), ``superhf(beta=0.23)``,
    ``superhf(n=8)`` (both with ``rounds``), ``fk(k=4)``, ``fk(lam=10)`` (Soft Best-of-n under its
    own name), or ``best_of_random`` of ``ztp``, ``geometric``, ``binomial(m=8)``,
    ``negative_binomial(r=2)``, ``sibuya``. λ is on the raw proxy for ``tilt``, ``sbon``, ``fk``.

    ``ensemble``: the proxies in ``proxy``, two columns or more, become one score a response: mean,
    median, min, mean_minus_std_ddof0, …_ddof1, mean_minus_var_ddof0, …_ddof1, the last four less
    ``ensemble_weight`` ≥ 0 (1) deviations; on their own scales (standardise first if you must).
    ``shape``: a formula in r of the proxy, such as ``tanh(r/2)``, strictly increasing on the table;
    it cannot move a rank policy but by ties of rounding, which are told; it moves tilts.

    ``seed`` ≥ 0 and ``resamples`` ≥ 0 (0: no intervals) of the bootstrap over prompts;
    ``confidence`` in (0, 1) of the intervals. ``drop_invalid``: drop and count invalid rows instead
    of refusing them. ``pooled``: one law across prompts, as if all rows were of one prompt.
    ``kl_budget`` (nats, ≥ 0), ``draw_budget`` (≥ 1, expected draws), ``floor`` (on the mean gold
    score of the worst group): theta is then the best that keeps them, by the estimates.

    Returns a TuneResult, the same for the same input and seed, whatever the order of rows. The
    interval of a real θ is where the slope of f̂, unbiased where f̂ is, is not significantly
    different from zero by a studentised bootstrap; it is joined with the percentile interval where
    resamples go to another peak, and is the percentile interval where n is free or the best is at
    an end. Shapes, resamples and cross-fitting use the points of ``curve``: every n up to S = 200,
    else some 200 (resampled θ are refined by a parabola, cross-fitted ones are not).

    ``regime`` is the plain shape of the estimated curve, any turn above rounding counting: read it
    with ``regime_support``, since a turn smaller than ``se`` may be noise.

    Raises InputError, one line, for a table or an argument that will not do, where no parameter
    meets the constraints, and where every prompt (where n is free, any prompt) has a single
    response or the proxy is constant within every prompt: there is nothing to select.

    >>> result = tune("ridge_overfit")
    >>> result.theta, result.regime, result.largest["theta"]
    (3, 'peak', 64)

    Source: THEORY.md, sections 6 and 8; HedgeTune of arXiv 2506.19248.
    """
    name = parse_family(family)
    settings = Settings(seed, resamples, confidence)
    constraints = Constraints(kl_budget, draw_budget, floor)
    joined = _ensemble(ensemble, ensemble_weight)
    members = members_of(proxy, joined)
    if members and isinstance(table, Table):
        raise InputError("a Table has one proxy: give the ensemble what its columns are read from")
    if not isinstance(table, Table):
        read = Table.from_frame if is_frame(table) else read_table
        table = read(
            table,
            prompt=prompt,
            proxy=proxy,
            gold=gold,
            weight=weight,
            group=group,
            drop_invalid=drop_invalid,
            ensemble=joined,
        )
    joints: list[str] = []
    if shape is not None:
        table, joints = _shaped(table, shape)
    if floor is not None and table.groups is None:
        raise InputError("a floor on the worst group needs the column of the groups (--group)")
    if pooled:
        table = _pooled(table)
    unit = _unit(table)
    scaled = replace(table, gold=table.gold / unit)
    groups = rank_groups(scaled)
    order = np.concatenate([g.prompts for g in groups if g.prompts is not None])
    weights = None if table.weights is None else table.weights[order]
    codes = None if table.groups is None else table.groups[order]
    points = name.points(groups, weights, table.name)
    _require_a_choice(table)
    labels = None if codes is None else Labels(codes, table.group_names)
    found = answer(points, settings, constraints, labels, unit)
    notes = _warnings_on(table, settings.resamples, pooled) + joints
    return TuneResult(
        family=str(name),
        n_prompts=len(table.sizes),
        n_responses=len(table.proxy),
        dropped=table.dropped,
        warnings=notes + found.pop("warnings"),
        constraints=constraints.to_json(),
        seed=int(seed),
        resamples=int(resamples),
        confidence=float(confidence),
        ensemble=None
        if joined is None
        else {"how": joined.how, "weight": float(joined.weight), "members": list(members)},
        shape=shape,
        **found,
    )


def _ensemble(how: str | None, weight: float | None) -> Ensemble | None:
    if how is not None:
        return Ensemble(how, 1.0 if weight is None else weight)
    if weight is not None:
        raise InputError(f"ensemble_weight={weight} without an ensemble: give ensemble= too")
    return None


def _shaped(table: Table, shape: str) -> tuple[Table, list[str]]:
    from hedgetheory.hedgetune.shaping import shaped  # sympy: only where there is a formula

    return shaped(table, shape)


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0


def _pooled(table: Table) -> Table:
    """All rows as one prompt's. Weights and groups of prompts have no place there."""
    if table.weights is not None or table.groups is not None:
        raise InputError("pooled rows are one prompt: no weights and no groups with them")
    return replace(table, sizes=np.array([len(table.proxy)]))


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
    spread: Array = np.maximum.reduceat(table.proxy, starts)
    if not (spread > np.minimum.reduceat(table.proxy, starts)).any():
        raise InputError(
            f"{table.name}: the proxy is constant within every prompt, so that it selects nothing; "
            "take another proxy column"
        )


def _warnings_on(table: Table, resamples: int, pooled: bool) -> list[str]:
    found = []
    if table.dropped:
        found.append(f"{table.dropped} invalid rows were dropped")
    prompts = len(table.sizes)
    if pooled:
        found.append("pooled: all rows count as one prompt's, so that there is no interval")
    elif prompts == 1:
        found.append("one prompt: no standard errors, no interval, no held-out value")
    elif resamples and prompts < 10:
        found.append(f"the intervals rest on {prompts} prompts only")
    return found
