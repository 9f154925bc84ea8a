"""HedgeTune: the best parameter of a selection policy, from a table of scored responses.

Everything is loaded when first used; importing this package alone costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hedgetheory.hedgetune.estimators import best_of_n_curve, best_of_n_values
    from hedgetheory.hedgetune.ranks import rank_gold
    from hedgetheory.hedgetune.table import Table, packaged_tables, read_table
    from hedgetheory.hedgetune.tuning import FAMILIES, TuneResult, tune

_HOME = {
    "FAMILIES": "tuning",
    "Table": "table",
    "TuneResult": "tuning",
    "best_of_n_curve": "estimators",
    "best_of_n_values": "estimators",
    "packaged_tables": "table",
    "rank_gold": "ranks",
    "read_table": "table",
    "tune": "tuning",
}
__all__ = [
    "FAMILIES",
    "Table",
    "TuneResult",
    "best_of_n_curve",
    "best_of_n_values",
    "packaged_tables",
    "rank_gold",
    "read_table",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
