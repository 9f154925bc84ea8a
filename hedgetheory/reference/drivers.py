"""Live implementations: a program that answers cases over a pipe, one JSON line in and one out.

**The protocol, version 1.** Every line is one JSON object in UTF-8, ended by a newline; ours are
ASCII, without blanks outside strings, keys sorted, at most 1 MiB long.

1. We write ``{"cases":24000,"hedgetheory":"0.1.0","protocol":"hedgetheory-conformance/1"}``.
2. It answers ``{"implementation":"mine 1.2","protocol":"hedgetheory-conformance/1"}``. A version
   that it does not speak it refuses by ending.
3. We write a case, ``{"id":…,"inputs":{…},"quantity":…}`` with the inputs as in the reference
   tables, and wait for ``{"id":…,"value":…}`` with the same id, or for
   ``{"id":…,"error":"what went wrong"}``. Values are as in `hedgetheory.reference.answers`.
   Unknown fields are ignored on both sides.
4. At the end we close its input; it ends, with exit code 0.

Whatever else it writes to its output is noise: counted, shown, and skipped. What it writes to its
error output is kept to explain a crash. After a time-out or a crash it is started anew and the case
counts as failed; after too many of those the remaining cases do.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import hedgetheory
from hedgetheory.errors import InputError
from hedgetheory.reference.answers import Answer, parse_answer, strict_json

PROTOCOL = "hedgetheory-conformance/1"
#: The longest line that is read, the noise that is borne, and what is kept of the error output.
LONGEST_LINE = 1 << 16
MOST_NOISE = 1000
STDERR_LINES = 20
#: Seconds that a program has to start, if a case has less, and to end.
START_SECONDS = 30.0
END_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one case: an answer, or the ``failure`` in words."""

    answer: Answer | None
    failure: str = ""


@dataclass
class Conversation:
    """How talking to an implementation went."""

    implementation: str = ""
    asked: int = 0
    timeouts: int = 0
    crashes: int = 0
    errors: int = 0
    garbage: int = 0
    noise: int = 0
    first_noise: str = ""
    gave_up: bool = False

    def fields(self) -> dict[str, Any]:
        return dict(vars(self))


class _Failed(Exception):
    """The program must be started anew."""


@dataclass
class Program:
    """An implementation as a program; a context manager that starts and ends it.

    Args:
        argv: the program and its arguments; no shell reads them.
        timeout: seconds for one answer, > 0.
        restarts: how often it may be started anew.

    Raises InputError, at the first case, where the program cannot be started or does not shake
    hands: that is a mistake in the command rather than in its answers.
    """

    argv: list[str]
    timeout: float = 10.0
    restarts: int = 5
    log: Conversation = field(default_factory=Conversation)
    _process: subprocess.Popen[bytes] | None = None
    _lines: queue.Queue[bytes] = field(default_factory=queue.Queue)
    _stderr: deque[str] = field(default_factory=lambda: deque(maxlen=STDERR_LINES))

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self._end(END_SECONDS)

    def ask_all(self, cases: Iterable[Mapping[str, Any]], total: int) -> Iterator[Reply]:
        """A reply to each of ``total`` cases, objects with ``id``, ``inputs`` and ``quantity``."""
        for case in cases:
            yield self._ask(case, total)

    def _ask(self, case: Mapping[str, Any], total: int) -> Reply:
        if self.log.gave_up:
            return Reply(None, f"not asked: it had failed {self.restarts + 1} times")
        try:
            if self._process is None:
                self._start(total)
            self.log.asked += 1
            self._write(case)
            return self._answer(case["id"])
        except _Failed as failed:
            self._end(0)
            self.log.gave_up = self.log.timeouts + self.log.crashes > self.restarts
            return Reply(None, str(failed))

    # -- the process -------------------------------------------------------------------------------

    def _start(self, total: int) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command that the user gave
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that what it starts ends with it
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{self.argv[0]!r} cannot be started: {reason}") from None
        self._lines = queue.Queue(maxsize=MOST_NOISE)
        self._stderr.clear()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        _background(_read_lines, self._process.stdout, self._lines)
        self._stderr_reader = _background(_keep_tail, self._process.stderr, self._stderr)
        try:
            self._write(
                {"protocol": PROTOCOL, "hedgetheory": hedgetheory.__version__, "cases": total}
            )
            self._shake_hands()
        except _Failed as failed:
            self._end(0)
            if self.log.asked:  # it once worked: a failure like the others
                raise
            raise InputError(f"{shlex.join(self.argv)}: {failed}, before its handshake") from None

    def _shake_hands(self) -> None:
        for line in self._incoming(max(self.timeout, START_SECONDS)):
            found = _object(line)
            if found is None or "protocol" not in found:
                self._noise(line)
                continue
            if found["protocol"] != PROTOCOL:
                self._end(0)
                spoken = repr(found["protocol"])[:60]
                raise InputError(f"the implementation speaks {spoken}, not {PROTOCOL}")
            self.log.implementation = str(found.get("implementation", ""))[:200]
            return

    def _write(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        line = case_line(message)
        # In the background: a program that does not read must not block us.
        _background(_write_line, self._process.stdin, line.encode())

    def _answer(self, case_id: str) -> Reply:
        """The line with this id; other lines before it are noise."""
        for line in self._incoming(self.timeout):
            found = _object(line)
            if found is None or found.get("id") != case_id:
                self._noise(line)
                continue
            if "value" not in found:
                self.log.errors += 1
                return Reply(None, f"error: {str(found.get('error', 'no value'))[:300]}")
            try:
                return Reply(parse_answer(found["value"]))
            except InputError as error:
                self.log.garbage += 1
                return Reply(None, f"garbage: {error}")
        raise AssertionError("the lines end by an exception")

    def _incoming(self, seconds: float) -> Iterator[bytes]:
        """Whole lines until the time is over, which is a failure, as is the end of the program."""
        deadline = time.monotonic() + seconds
        for _ in range(MOST_NOISE):
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                self.log.timeouts += 1
                raise _Failed(f"no answer within {seconds:g} s") from None
            if not line.endswith(b"\n") and len(line) <= LONGEST_LINE:  # the end, or cut short
                self.log.crashes += 1
                part = f" in the middle of a line ({_seen(line)})" if line else ""
                raise _Failed(f"it ended{part}{self._last_words()}")
            yield line
        self.log.garbage += 1
        self.log.crashes += 1
        raise _Failed(f"{MOST_NOISE} lines that answer nothing, such as {self.log.first_noise}")

    def _noise(self, line: bytes) -> None:
        self.log.noise += 1
        self.log.first_noise = self.log.first_noise or _seen(line)

    def _last_words(self) -> str:
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._stderr_reader.join(END_SECONDS)
        code = self._process.returncode
        how = (
            ""
            if code is None
            else f" with exit code {code}"
            if code >= 0
            else f" by signal {-code}"
        )
        said = next((line for line in reversed(self._stderr) if line), "")
        return how + (f": {said}" if said else "")

    def _end(self, grace: float) -> None:
        """Close its input, wait a little, then end it and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            if grace:
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if grace:
                process.wait(grace)
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:  # let the reader see the end of the pipe
            try:
                if not self._lines.get(timeout=0.1):
                    break
            except queue.Empty:
                break
        with contextlib.suppress(OSError, ValueError):
            process.stdin.close()


def case_line(message: Mapping[str, Any]) -> str:
    """A line as we write it: compact ASCII, keys sorted, so that a program in C can search it.

    >>> case_line({"id": "kl:bop(mu=5)@uniform", "quantity": "kl"})
    '{"id":"kl:bop(mu=5)@uniform","quantity":"kl"}\\n'
    """
    return json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def _background(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _write_line(stream: IO[bytes], line: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(line)
        stream.flush()


def _read_lines(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    """Lines into the queue, each at most one byte too long; an empty one at the end."""
    with contextlib.closing(stream), contextlib.suppress(OSError, ValueError):
        while line := stream.readline(LONGEST_LINE + 1):
            lines.put(line)
    lines.put(b"")


def _keep_tail(stream: IO[bytes], tail: deque[str]) -> None:
    with contextlib.closing(stream), contextlib.suppress(OSError, ValueError):
        while line := stream.readline(LONGEST_LINE):
            tail.append(line[:300].decode("utf-8", "replace").strip())


def _object(line: bytes) -> dict[str, Any] | None:
    """A JSON object, or None for any other line."""
    try:
        found = strict_json(line, "line")
    except InputError:
        return None
    return found if isinstance(found, dict) else None


def _seen(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace").strip())


# -- commands --------------------------------------------------------------------------------------

_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def command_argv(command: str) -> list[str]:
    """The words of a command line, split as a POSIX shell would, with nothing expanded."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise InputError(f"--command {command!r}: {error}") from None
    if not argv:
        raise InputError("--command is empty: give the program to run")
    return argv


def python_argv(function: str) -> list[str]:
    """The program that speaks the protocol for a Python function ``module:function``.

    The function takes a case, a dict with id, quantity and inputs, and returns a number (int,
    float, Fraction, Decimal, a scalar of numpy, numeric text) or None for "not supported"; raising
    NotImplementedError says the same. It runs in a process of its own, the current folder on its
    path, so that it may hang or crash as any other program.
    """
    if not _FUNCTION.fullmatch(function):
        raise InputError(f"--python {function!r}, but must be module:function")
    return [sys.executable, "-m", "hedgetheory.reference.worker", function]
