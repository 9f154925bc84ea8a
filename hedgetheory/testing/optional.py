"""hypothesis, or a message that says how to have it."""

from __future__ import annotations

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:
    if missing.name != "hypothesis":
        raise
    raise ImportError(
        "the strategies of hedgetheory.testing need hypothesis: "
        'pip install "hedgetheory[test]" (the assertions do not)'
    ) from None

__all__ = ["st"]
