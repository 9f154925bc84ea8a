"""Claims on GRPO: what its loss is, where it stops, and when that is hacked."""

from __future__ import annotations

from hedgetheory.claims.model import Claim
from hedgetheory.designs.grpo import claims_loss, claims_optimum, claims_quantile

CLAIMS: tuple[Claim, ...] = (
    *claims_loss.CLAIMS,
    *claims_optimum.CLAIMS,
    *claims_quantile.CLAIMS,
)
