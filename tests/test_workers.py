"""Work on several processes gives what work in one gives, and says when a process is lost."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from hedgetheory.errors import HedgeTheoryError, InputError
from hedgetheory.ledger import verify
from hedgetheory.workers import in_order

ITEMS = [3, -1, 2, 0, -7]


def square(x):
    return x * x


def killed(x):
    os.kill(os.getpid(), signal.SIGKILL)


def test_processes_keep_the_order():
    assert list(in_order(square, ITEMS, 2)) == [square(x) for x in ITEMS]


def test_a_map_like_callable_is_used_as_it_is():
    with ThreadPoolExecutor(2) as pool:
        assert list(in_order(square, ITEMS, pool.map)) == [square(x) for x in ITEMS]


def test_a_killed_process_is_one_kind_error():
    with pytest.raises(HedgeTheoryError, match="fewer workers"):
        list(in_order(killed, ITEMS, 2))


def test_an_error_in_a_process_is_raised_here():
    with pytest.raises(TypeError):
        list(in_order(square, ["a", None], 2))


@pytest.mark.parametrize("workers", [0, -2, 1.5, "two", True, None])
def test_other_numbers_of_workers_are_refused(workers):
    with pytest.raises(InputError, match="workers="):
        in_order(square, ITEMS, workers)


def test_claims_checked_on_two_processes_have_the_same_verdicts_and_evidence():
    alone, spread = verify("theorem-2"), verify("theorem-2", workers=2)
    assert [(r.claim.id, r.verdict, r.evidence) for r in alone] == [
        (r.claim.id, r.verdict, r.evidence) for r in spread
    ]
