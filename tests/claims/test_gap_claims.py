"""The claims on where the gap is unbounded, and near-misses of the two sharp constants."""

from __future__ import annotations

from fractions import Fraction

import pytest

from hedgetheory.claims import gap_families, gap_tails
from hedgetheory.claims.gap_families import BEST_OF_N, best_of_n_steps
from hedgetheory.claims.model import Claim, verdict_of
from hedgetheory.ledger import LEDGER

CLAIMS = (*gap_tails.CLAIMS, *gap_families.CLAIMS)
NUDGE = Fraction(1, 10**12)


def test_every_claim_is_in_the_ledger() -> None:
    assert set(CLAIMS) <= set(LEDGER)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_verdict_is_as_expected(claim: Claim) -> None:
    assert claim.check().verdict == claim.expected


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("by", [-NUDGE, NUDGE])
def test_a_constant_of_best_of_n_wrong_in_the_12th_digit_is_not_certified(
    which: int, by: Fraction
) -> None:
    bounds = [BEST_OF_N[0], BEST_OF_N[1]]
    low, high = bounds[which]
    by *= 1 if which == 0 else 100
    bounds[which] = (low + by, high + by)
    assert verdict_of(best_of_n_steps(bounds[0], bounds[1])) == "undecided"
