"""PAR in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.model import System
from hedgetheory.designs.par.claims import CLAIMS, PAPER
from hedgetheory.designs.par.law import SIGMOID

PAR = System(
    id="par",
    title="PAR: sigmoid of the centred reward",
    source=PAPER,
    kind="law",
    definition="reward s = mean over M = 10 references of sigma(k (r - ref)), k = 1",
    statement=sympy.Eq(sympy.Symbol("s"), SIGMOID),
    claims=CLAIMS,
    effect="par.moves-the-tilt-threshold",
    effect_says="none under rank policies; the tilt's moves (normal law, u^12 (1-u): 1.51 to 11.9, "
    "peak 0.0136 to 0.0171)",
    grammar=("par(normal(0, 1), k=1)", "sigmoid(student_t(3), at=0, k=2)"),
)
