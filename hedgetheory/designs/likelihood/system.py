"""Likelihood-based rewards in one place."""

from __future__ import annotations

import sympy

from hedgetheory.designs.likelihood.claims import CLAIMS, PAPER
from hedgetheory.designs.likelihood.functions import LOG_PROB, PROB, jepo_uniform, standardised
from hedgetheory.designs.model import Function, System

LIKELIHOOD = System(
    id="likelihood",
    title="Likelihood-based rewards (VeriFree, JEPO, RLPR, NOVER)",
    source=PAPER,
    kind="law",
    definition="reward log pi(a|z), pi(a|z), JEPO's log of a mean over G, or NOVER's (m - rank)/m",
    statement=sympy.Eq(sympy.log(PROB), LOG_PROB, evaluate=False),
    claims=CLAIMS,
    effect="likelihood.log-prob-tilt-is-best-of-n",
    effect_says="on a uniform probability the log-probability tilt's is Best-of-n's minus 1",
    grammar=("log_prob", "log_prob(a=1/2)", "rank_reward(8)"),
    functions=(
        Function(
            "likelihood.jepo_uniform",
            ("group",),
            lambda group: jepo_uniform(int(group)),
            "E ln of the mean of `group` uniform probabilities",
        ),
        Function(
            "likelihood.standardised",
            ("rewards", "index", "epsilon", "ddof"),
            lambda rewards, index, epsilon, ddof: standardised(
                rewards, int(index), epsilon, int(ddof)
            ),
            "(r_i - mean)/(std + epsilon) of one of several rewards, std with ddof",
        ),
    ),
)
