"""HedgeTune as users of scikit-learn expect it; scikit-learn itself is not needed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.result import TuneResult
from hedgetheory.hedgetune.table import Source, Table
from hedgetheory.hedgetune.tune import tune


class HedgeTune:
    """Choose the parameter of a selection policy from scored responses.

    Parameters are those of ``tune``: ``family`` and keywords. After ``fit``: ``theta_``,
    ``theta_interval_``, ``value_``, ``value_heldout_``, ``regime_``, ``threshold_``, ``curve_``
    (arrays ``theta``, ``value``, ``se``, ``kl``), ``result_`` (the whole TuneResult) and
    ``n_prompts_``.

    >>> model = HedgeTune(family="bon", resamples=50).fit("ridge_overfit")
    >>> model.theta_, model.regime_
    (3, 'peak')
    >>> HedgeTune().fit([[1, 2, 3], [3, 1, 2]], [[0, 2, 1], [1, 0, 2]]).theta_
    2
    """

    def __init__(
        self,
        family: str = "bon",
        *,
        seed: int = 0,
        resamples: int = 1000,
        confidence: float = 0.95,
        kl_budget: float | None = None,
        draw_budget: float | None = None,
        floor: float | None = None,
        pooled: bool = False,
        shape: str | None = None,
    ) -> None:
        self.family = family
        self.seed = seed
        self.resamples = resamples
        self.confidence = confidence
        self.kl_budget = kl_budget
        self.draw_budget = draw_budget
        self.floor = floor
        self.pooled = pooled
        self.shape = shape

    def fit(
        self,
        proxy: ArrayLike | Table | Source,
        gold: ArrayLike | None = None,
        *,
        prompt: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        group: ArrayLike | None = None,
    ) -> HedgeTune:
        """Fit to arrays, or to a Table or what ``read_table`` reads (``gold`` left out).

        ``proxy``, ``gold``: (prompts, S), a row a prompt, or of one length with ``prompt``, the id
        of each response's prompt. ``weight``, ``group``: one a prompt for rows, one a response with
        ``prompt``. Returns self. Raises InputError as ``tune`` and ``Table.from_arrays`` do.
        """
        if gold is None:
            if not isinstance(proxy, Table) and not isinstance(proxy, str) and not _is_path(proxy):
                raise InputError("gold is missing: fit(proxy, gold), or fit(table)")
            if not (prompt is weight is group is None):
                raise InputError("prompt, weight and group go with arrays of proxy and gold")
            table: Any = proxy
        else:
            table = _table(proxy, gold, prompt, weight, group)
        self.result_: TuneResult = tune(table, **self.get_params())
        result = self.result_
        self.theta_, self.theta_interval_ = result.theta, result.theta_interval
        self.value_, self.value_heldout_ = result.value, result.value_heldout
        self.regime_, self.threshold_ = result.regime, result.threshold
        self.n_prompts_ = result.n_prompts
        self.curve_ = {
            key: np.array([np.nan if p[key] is None else p[key] for p in result.curve], float)
            for key in ("theta", "value", "se", "kl")
        }
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; ``deep`` changes nothing."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **given: Any) -> HedgeTune:
        """Change parameters by name; returns self. InputError for a name that is none."""
        known = self._names()
        for name, value in given.items():
            if name not in known:
                raise InputError(f"HedgeTune has no parameter {name!r} (known: {', '.join(known)})")
            setattr(self, name, value)
        return self

    @classmethod
    def _names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value != defaults[name].default
        ]
        return f"HedgeTune({', '.join(changed)})"


def _is_path(thing: object) -> bool:
    return hasattr(thing, "__fspath__")


def _table(
    proxy: Any,
    gold: ArrayLike,
    prompt: ArrayLike | None,
    weight: ArrayLike | None,
    group: ArrayLike | None,
) -> Table:
    if prompt is not None:
        return Table.from_arrays(prompt, proxy, gold, weight=weight, group=group)
    try:
        scores, truth = np.asarray(proxy, np.float64), np.asarray(gold, np.float64)
    except (TypeError, ValueError):
        raise InputError("proxy and gold must be arrays (prompts, S) of real numbers") from None
    if scores.ndim != 2 or scores.shape != truth.shape or scores.size == 0:
        raise InputError(
            f"proxy {scores.shape} and gold {truth.shape} must be of one shape (prompts, S); "
            "for scattered rows give prompt="
        )
    prompts, size = scores.shape
    spread = [
        None if x is None else np.repeat(_one_a_prompt(x, prompts), size) for x in (weight, group)
    ]
    ids = np.repeat(np.arange(prompts), size)
    return Table.from_arrays(ids, scores.ravel(), truth.ravel(), weight=spread[0], group=spread[1])


def _one_a_prompt(values: ArrayLike, prompts: int) -> Any:
    array = np.asarray(values)
    if array.shape != (prompts,):
        raise InputError(f"weight and group must have one entry a prompt, {prompts} in all")
    return array
