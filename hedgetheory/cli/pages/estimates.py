"""How a page says what was estimated: intervals, shares, which point is the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hedgetheory.cli.text import real

if TYPE_CHECKING:
    from hedgetheory.hedgetune.result import TuneResult

Point = Mapping[str, float | None]


def percent(found: TuneResult) -> str:
    return f"{100 * found.confidence:g} %"


def between(interval: list[float] | None) -> str:
    return "" if interval is None else f"{real(interval[0])} to {real(interval[1])}"


def brief(value: float) -> str:
    """For a sentence, where no digit is missed."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def best_word(found: TuneResult) -> str:
    return "the best" if found.constraints is None else "the best within the constraints"


def pointwise(point: Point, found: TuneResult) -> tuple[float, float] | None:
    """value ± z·se, z the normal quantile of the confidence; None without a standard error."""
    from hedgetheory.hedgetune.intervals import normal_quantile

    value, error = point["value"], point["se"]
    if value is None or error is None:
        return None
    reach = normal_quantile(found.confidence) * error
    return value - reach, value + reach
