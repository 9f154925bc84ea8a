"""Measures how often `assert_sampler_follows` rejects right samplers, into false_alarms.json.

Not collected by pytest: run it by hand after a change of the bounds (about three minutes).
"""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from hedgetheory.laws.base import Law
from hedgetheory.policies.base import Policy
from hedgetheory.policies.sampling.sample import Sample, sample
from hedgetheory.spec.grammar import parse_law, parse_policy
from hedgetheory.testing import Disagreement, assert_sampler_follows

CASES = (
    ("uniform", "bop(5)"),
    ("normal", "bon(4)"),
    ("finite({0: 1/4, 1/2: 1/4, 1: 1/2})", "bon(3)"),
    ("poisson(3)", "bon(2)"),
    ("uniform", "sbon(4, 2)"),
)
LEVEL, RUNS, SIZE, FIRST_SEED = Fraction(1, 5), 5000, 1000, 1000


def drawn(law: Law, policy: Policy, size: int, rng: Any) -> Sample:
    return sample(policy, law, size, rng)


def study(law: str, policy: str) -> dict[str, object]:
    """The alarms of RUNS right samplers."""
    on, by, alarms = parse_law(law), parse_policy(policy), 0
    for seed in range(FIRST_SEED, FIRST_SEED + RUNS):
        try:
            assert_sampler_follows(
                partial(drawn, on, by), on, by, size=SIZE, seed=seed, false_alarm=LEVEL
            )
        except Disagreement:
            alarms += 1
    return {"law": law, "policy": policy, "runs": RUNS, "size": SIZE, "alarms": alarms}


if __name__ == "__main__":
    document = {
        "false_alarm": str(LEVEL),
        "what": "right samplers rejected by assert_sampler_follows, seeds 1000 and on; "
        "the bound is Bonferroni, so the rate is well below it",
        "cases": [study(law, policy) for law, policy in CASES],
    }
    target = Path(__file__).with_name("false_alarms.json")
    target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
