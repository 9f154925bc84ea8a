"""Soft Best-of-n bound to a law, by the kind of the law."""

from __future__ import annotations

from typing import Any

from hedgetheory.functionals.bound import Bound
from hedgetheory.functionals.soft.continuous import SoftOnContinuous
from hedgetheory.functionals.soft.finite import SoftOnFinite
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def soft_bound(policy: SoftBestOfN, law: Any) -> Bound:
    """Soft Best-of-n on a law."""
    if isinstance(law, ContinuousLaw):
        return SoftOnContinuous(policy, law)
    assert isinstance(law, FiniteLaw)
    return SoftOnFinite(policy, law)
