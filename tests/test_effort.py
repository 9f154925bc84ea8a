"""Work is counted where it is done, bounded at the same place everywhere, and spread."""

from __future__ import annotations

import time

import pytest

from hedgetheory.effort import Effort, OutOfWork, Rebuilt, each, found, spend, working
from hedgetheory.errors import InputError


def spending(x):
    spend(10)
    return x * x


class Box(Rebuilt):
    built = 0

    def __init__(self, size):
        self._travels_as(size)
        Box.built += 1
        self.size = size


def test_work_outside_of_an_effort_is_free():
    assert list(each(spending, [1, 2])) == [1, 4]


def all_of(items, effort, out):
    with working(effort):
        out.extend(each(spending, items))


def test_a_bound_ends_at_the_item_that_passes_it_here_and_elsewhere():
    for spread in (None, map):
        out = []
        with pytest.raises(OutOfWork, match="25 units"):
            all_of([1, 2, 3, 4], Effort(25, spread=spread), out)
        assert out == [1, 4]


def test_work_of_other_processes_is_counted_here():
    with working(Effort(spread=map)) as effort:
        assert list(each(spending, list(range(20)))) == [x * x for x in range(20)]
    assert effort.spent == 200


def work_on():
    with working(Effort(seconds=0.01)):
        while True:
            time.sleep(0.005)
            spend()


def test_seconds_end_the_work():
    with pytest.raises(OutOfWork, match="seconds"):
        work_on()


def interrupted():
    with working(Effort()):
        found("f rises at 1")
        raise KeyboardInterrupt


def test_an_interrupt_leaves_with_what_is_known():
    with pytest.raises(KeyboardInterrupt) as stopped:
        interrupted()
    assert stopped.value.__notes__ == ["f rises at 1"]


def test_progress_is_told_what_is_done_and_how_much():
    told = []
    with working(Effort(progress=lambda what, units: told.append((what, units)))):
        spend(3)
    assert told == [("", 3)]


def test_an_object_that_travels_is_built_once_on_the_other_side():
    box = Box(3)
    rebuild, arguments = box.__reduce__()
    before = Box.built
    first, second = rebuild(*arguments), rebuild(*arguments)
    assert first is second
    assert (first.size, Box.built) == (3, before + 1)


@pytest.mark.parametrize("bad", [0, -1, 1.5, "many", True])
def test_bounds_that_are_none_are_refused(bad):
    from hedgetheory import check, parse_family, parse_gold, parse_law

    question = parse_law("uniform"), parse_family("bon"), parse_gold("u")
    with pytest.raises(InputError, match="bound="):
        check(*question, bound=bad)
    if bad != 1.5:
        with pytest.raises(InputError, match="seconds="):
            check(*question, seconds=-1 if bad in (0, True) else bad)
