"""One function over many items, here or on several processes, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from hedgetheory.errors import HedgeTheoryError, must_be

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

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
    count = min(_count(workers), max(len(items), 1))
    return map(function, items) if count == 1 else _on_processes(function, items, count)


def _on_processes(
    function: Callable[[Item], Result], items: Sequence[Item], count: int
) -> Iterator[Result]:
    with spreading(count) as spread:
        assert spread is not None
        yield from cast("Iterable[Result]", spread(function, items))


@contextmanager
def spreading(workers: Workers) -> Iterator[Callable[..., Iterable[object]] | None]:
    """A map over ``workers`` for a whole block, None for one process: see `in_order`.

    Processes start when the map is first used, serve all its uses, and end with the block.
    """
    if callable(workers):
        yield workers
        return
    count = _count(workers)
    if count == 1:
        yield None
        return
    pool = _Pool(count)
    try:
        yield pool.map
    finally:
        pool.close()


def _count(workers: object) -> int:
    if isinstance(workers, bool) or not isinstance(workers, int) or (workers < 1 and workers != -1):
        what = "an integer >= 1, -1 for every core, or a callable map(function, items)"
        raise must_be("workers", workers, what, "workers")
    return os.cpu_count() or 1 if workers == -1 else workers


class _Pool:
    """Processes that start when they are first needed."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool
        from multiprocessing import get_context

        if self.pool is None:
            # Started afresh: a fork would copy the locks of threads that are not there.
            context = get_context("spawn")
            self.pool = ProcessPoolExecutor(self.count, mp_context=context, initializer=_quiet)
        try:
            yield from self.pool.map(function, items)
        except BrokenProcessPool:
            raise HedgeTheoryError(
                "a worker process was killed, for want of memory perhaps: take fewer workers"
            ) from None

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)


def _quiet() -> None:
    """Leave an interrupt of the terminal to the parent process."""
    import signal

    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
