"""One function over many items, here or on several processes, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TypeAlias, TypeVar, cast

from hedgetheory.errors import HedgeTheoryError, must_be

Item = TypeVar("Item")
Result = TypeVar("Result")
#: How to spread work: a number of processes, −1 for one a core, or a callable such as a pool's map.
Workers: TypeAlias = "int | Callable[..., Iterable[object]]"


def in_order(
    function: Callable[[Item], Result], items: Sequence[Item], workers: Workers = 1
) -> Iterator[Result]:
    """function(item) for every item, in the order of the items, each as soon as it is its turn.

    ``workers``: 1 runs here; k ≥ 2 on k processes (certified arithmetic has one precision for a
    whole process, so that threads will not do); −1 on one process a core; a callable
    ``map(function, items)``, such as that of a pool, of Dask's or of Ray's, on whatever is behind
    it. With processes, ``function`` must be a function of a module, and items and results must
    travel between processes. An interrupt stops the processes, and those items are lost.

    Raises InputError for other ``workers``, HedgeTheoryError where a process is killed, and what
    ``function`` raises.

    >>> list(in_order(abs, [-1, 2], workers=1))
    [1, 2]
    """
    if callable(workers):
        return iter(cast("Iterable[Result]", workers(function, items)))
    if isinstance(workers, bool) or not isinstance(workers, int) or (workers < 1 and workers != -1):
        what = "an integer >= 1, -1 for every core, or a callable map(function, items)"
        raise must_be("workers", workers, what, "workers")
    count = min(os.cpu_count() or 1 if workers == -1 else workers, max(len(items), 1))
    return map(function, items) if count == 1 else _on_processes(function, items, count)


def _on_processes(
    function: Callable[[Item], Result], items: Sequence[Item], count: int
) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Started afresh: a fork would copy the locks of threads that are not there.
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_quiet)
    try:
        yield from pool.map(function, items)
    except BrokenProcessPool:
        raise HedgeTheoryError(
            "a worker process was killed, for want of memory perhaps: take fewer workers"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _quiet() -> None:
    """Leave an interrupt of the terminal to the parent process."""
    import signal

    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
