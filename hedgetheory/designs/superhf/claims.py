"""Claims on SuperHF: its rounds, the threshold, the limit of many rounds."""

from __future__ import annotations

import sympy

from hedgetheory.claims.model import Claim
from hedgetheory.designs.superhf import limits, rounds, thresholds
from hedgetheory.designs.superhf.policy import next_cdf
from hedgetheory.expressions.symbols import u

CLAIMS: tuple[Claim, ...] = (*rounds.CLAIMS, *thresholds.CLAIMS, *limits.CLAIMS)

#: The statement from which policy and claims are derived.
STATEMENT = sympy.Eq(sympy.Function("G_next")(u), next_cdf(sympy.Function("G")(u)))
