"""The ledger of claims: statements with hypotheses, sources, checks, and verdicts.

`verify` and the names below load sympy and the balls when first used, not on import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hedgetheory.claims.model import Claim, ClaimResult, Evidence, Verdict
    from hedgetheory.claims.registry import LEDGER, exit_code, find, select, to_json, verify

_HOME = {
    **dict.fromkeys(("Claim", "ClaimResult", "Evidence", "Verdict"), "model"),
    **dict.fromkeys(("LEDGER", "exit_code", "find", "select", "to_json", "verify"), "registry"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


__all__ = [
    "LEDGER",
    "Claim",
    "ClaimResult",
    "Evidence",
    "Verdict",
    "exit_code",
    "find",
    "select",
    "to_json",
    "verify",
]
