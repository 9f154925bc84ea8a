"""The related systems, in the order of the ledger."""

from __future__ import annotations

from hedgetheory.designs.contamination.system import CONTAMINATION
from hedgetheory.designs.cream.system import CREAM
from hedgetheory.designs.ensembles.system import ENSEMBLES
from hedgetheory.designs.fk.system import FEYNMAN_KAC
from hedgetheory.designs.grpo.system import GRPO
from hedgetheory.designs.likelihood.system import LIKELIHOOD
from hedgetheory.designs.listwise.system import LISTWISE
from hedgetheory.designs.majority.system import MAJORITY
from hedgetheory.designs.model import System
from hedgetheory.designs.par.system import PAR
from hedgetheory.designs.partial.system import PARTIAL
from hedgetheory.designs.process.system import PROCESS
from hedgetheory.designs.superhf.system import SUPERHF
from hedgetheory.designs.treg.system import TREG

SYSTEMS: tuple[System, ...] = (
    GRPO,
    ENSEMBLES,
    PARTIAL,
    CONTAMINATION,
    MAJORITY,
    PROCESS,
    LIKELIHOOD,
    PAR,
    LISTWISE,
    CREAM,
    SUPERHF,
    TREG,
    FEYNMAN_KAC,
)
