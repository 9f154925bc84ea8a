"""Clipping and Delta in one place."""

from __future__ import annotations

from hedgetheory.designs.model import Function, System
from hedgetheory.designs.process.claims import CLAIMS, PAPER, STATEMENT
from hedgetheory.designs.process.functions import clip_return, delta_return

PROCESS = System(
    id="process",
    title="Clipping and Delta: process rewards that do not pay for steps",
    source=PAPER,
    kind="law",
    definition="r_k = min(PRM_k - eta, 0), or PRM_k - PRM_(k+1) with PRM_(K-1) and 0 at the end",
    statement=STATEMENT,
    claims=CLAIMS,
    effect="process.steps-that-help",
    effect_says="raw sums have one; Clip is hacked at once where steps help, never where they harm",
    grammar=(
        "process(rho=9/10, c=1/10, steps=30)",
        "process(rho=9/10, c=1/10, steps=30, shape=clip, eta=1/5)",
        "process(rho=1/2)",
    ),
    functions=(
        Function(
            "process_clip_return",
            ("scores", "eta", "k", "gamma"),
            clip_return,
            "discounted sum of min(PRM_j - eta, 0) from step k on",
        ),
        Function(
            "process_delta_return",
            ("scores", "k", "gamma"),
            delta_return,
            "discounted sum of PRM_j - PRM_(j+1) from step k on",
        ),
    ),
)
