"""How much work one question may cost: counted, bounded, shown as it goes, spread over processes.

The work is counted where it is done, in evaluations of an integrand and in nodes and terms of sums
(`spend`), so that a bound of it stops at the same place on every machine and with every number of
processes; a bound in seconds does not. An effort is in force for a block, as a precision is.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from hedgetheory.errors import HedgeTheoryError, must_be
from hedgetheory.workers import in_order

Item = TypeVar("Item")
Result = TypeVar("Result")
#: What is told of the work as it goes: what is done now, and how much work was done so far.
Progress: TypeAlias = Callable[[str, int], None]
#: No more often than this is anything told, in seconds.
_EVERY = 0.1
#: Items that are handed out at once, so that little is computed beyond the last one needed.
_BLOCK = 8


class OutOfWork(HedgeTheoryError):
    """The bound of the work was reached: what was found until then stands."""


@dataclass
class Effort:
    """A count of work with its bounds, and what was found on the way.

    ``bound`` in units of work and ``seconds`` on the clock, None without one; ``progress`` is told
    what goes on; ``spread`` is a map over processes, None for here.
    """

    bound: int | None = None
    seconds: float | None = None
    progress: Progress | None = None
    spread: Callable[..., Iterable[Any]] | None = None
    spent: int = 0
    doing: str = ""
    #: What is certain already, in words; and by name, for who takes over after `OutOfWork`.
    facts: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    _start: float = field(default_factory=time.monotonic)
    _told: float = 0.0

    def spend(self, units: int) -> None:
        """Count some work. Raises OutOfWork where it is beyond a bound."""
        self.spent += units
        if self.bound is not None and self.spent > self.bound:
            raise OutOfWork(f"the bound of {self.bound} units of work was reached")
        now = time.monotonic()
        if self.seconds is not None and now - self._start > self.seconds:
            raise OutOfWork(f"the bound of {self.seconds:g} seconds was reached")
        if self.progress is not None and now - self._told >= _EVERY:
            self._told = now
            self.progress(self.doing, self.spent)

    @property
    def left(self) -> tuple[int | None, float | None]:
        """The units and the seconds that are left."""
        units = None if self.bound is None else max(self.bound - self.spent, 0)
        if self.seconds is None:
            return units, None
        return units, max(self.seconds - (time.monotonic() - self._start), 0.0)


_EFFORT: ContextVar[Effort | None] = ContextVar("effort", default=None)


def checked_bounds(bound: object, seconds: object, call: str) -> None:
    """Raise InputError for a bound that is none."""
    if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int) or bound < 1):
        raise must_be("bound", bound, "None or an integer >= 1, in units of work", call)
    real = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if seconds is not None and not (real and cast("float", seconds) > 0):
        raise must_be("seconds", seconds, "None or a number > 0", call)


@contextmanager
def working(effort: Effort) -> Iterator[Effort]:
    """Count all work of a block here. A KeyboardInterrupt leaves with what is certain as notes."""
    token = _EFFORT.set(effort)
    try:
        yield effort
    except KeyboardInterrupt as stopped:
        for fact in effort.facts:
            stopped.add_note(fact)
        raise
    finally:
        _EFFORT.reset(token)


def spend(units: int = 1) -> None:
    """Count work where an effort is in force. Raises OutOfWork beyond its bound."""
    effort = _EFFORT.get()
    if effort is not None:
        effort.spend(units)


def doing(what: str) -> None:
    """Say what is done from here on."""
    effort = _EFFORT.get()
    if effort is not None:
        effort.doing = what


def found(fact: str, **kept: Any) -> None:
    """Keep what is certain from here on, for a bound or an interrupt."""
    effort = _EFFORT.get()
    if effort is not None:
        effort.facts.append(fact)
        for name, value in kept.items():
            effort.kept.setdefault(name, []).append(value)


def is_spread() -> bool:
    """Whether work here goes to processes."""
    effort = _EFFORT.get()
    return effort is not None and effort.spread is not None


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """function(item) in the order of the items: here, or on the processes of the effort.

    On processes function and items travel, and a few more items than are asked for are begun.
    """
    effort = _EFFORT.get()
    if effort is None or effort.spread is None or len(items) < 2:
        yield from map(function, items)
        return
    for start in range(0, len(items), _BLOCK):
        metered = partial(_metered, function, *effort.left)
        for result, units, why in in_order(metered, items[start : start + _BLOCK], effort.spread):
            effort.spend(units)
            if why:
                raise OutOfWork(why)
            yield cast("Result", result)


def _metered(
    function: Callable[[Item], Result], bound: int | None, seconds: float | None, item: Item
) -> tuple[Result | None, int, str]:
    """(the result, the work it took, why it was not finished) in a process of its own."""
    effort = Effort(bound, seconds)
    with _interruptible(), working(effort):
        try:
            return function(item), effort.spent, ""
        except OutOfWork as why:
            return None, effort.spent, str(why)


@contextmanager
def _interruptible() -> Iterator[None]:
    """An idle worker leaves an interrupt to its parent; one at work ends at once."""
    idle = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    )
    if idle:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if idle:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


_COUNTER = itertools.count()
_REBUILT: dict[str, Any] = {}
_MOST_REBUILT = 8


class Rebuilt:
    """An object that travels as what it was built from; another process builds it once.

    A subclass keeps its arguments by `_travels_as`.
    """

    _recipe: tuple[str, tuple[Any, ...]]

    def _travels_as(self, *arguments: Any) -> None:
        self._recipe = f"{os.getpid()}-{next(_COUNTER)}", arguments

    def __reduce__(self) -> tuple[Any, ...]:
        key, arguments = self._recipe
        return _rebuilt, (key, type(self), arguments)


def _rebuilt(key: str, build: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    if key not in _REBUILT:
        if len(_REBUILT) >= _MOST_REBUILT:
            _REBUILT.clear()
        _REBUILT[key] = build(*arguments)
    return _REBUILT[key]
