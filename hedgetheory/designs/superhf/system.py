"""SuperHF in one place."""

from __future__ import annotations

from hedgetheory.designs.model import System
from hedgetheory.designs.superhf.claims import CLAIMS, PAPER, STATEMENT

SUPERHF = System(
    id="superhf",
    title="SuperHF: filter the best, imitate, stay near the prior",
    source=PAPER,
    kind="policy",
    definition="population rounds p <- (BoN_n[p] + beta p0)/(1 + beta) from the reference p0",
    statement=STATEMENT,
    claims=CLAIMS,
    effect="superhf.one-round-keeps-the-threshold",
    effect_says="one round: that of Best-of-n; the gain at the peak divided by 1 + beta",
    grammar=("superhf(n=32, beta=0.23)", "superhf(n=4, beta=0.23, rounds=3)"),
)
