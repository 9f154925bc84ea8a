"""Making tables: every case of the enumeration, on several processes."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version

import hedgetheory
from hedgetheory.reference.cases import DIGITS, FEWER_DIGITS, definition
from hedgetheory.reference.compute import Outcome
from hedgetheory.reference.cross import REQUIRED
from hedgetheory.reference.tables import ReferenceTable


def generator() -> dict[str, str]:
    """The versions that compute the values."""
    packages = ("python-flint", "mpmath", "sympy")
    return {
        "hedgetheory": hedgetheory.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def assembled(name: str, outcomes: Iterable[Outcome]) -> ReferenceTable:
    found = list(outcomes)
    return ReferenceTable(
        name,
        hedgetheory.__version__,
        definition(name),
        generator(),
        {"digits": DIGITS, "fewer_digits": FEWER_DIGITS, "check_digits": REQUIRED},
        tuple(o.case for o in found if o.case is not None),
        tuple({"id": o.id, "reason": o.refused} for o in found if o.refused),
    )
