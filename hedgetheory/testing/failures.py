"""What a failed assertion says: the quantity, the input, got and want, the bound, how to repeat."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from hedgetheory.exact import Number


class Disagreement(AssertionError):
    """An implementation is wrong: ``lines`` has what the message says, by its labels.

    >>> print(Disagreement("kl is wrong", [("input", "bon(n=2)"), ("got", 1.0)]))
    kl is wrong
      input      bon(n=2)
      got        1.0
    """

    def __init__(self, title: str, lines: Iterable[tuple[str, object]]) -> None:
        self.title = title
        self.lines = [(label, str(text)) for label, text in lines if text not in ("", None)]
        body = "".join(
            f"\n  {label:<10} {text.replace(chr(10), chr(10) + ' ' * 13)}"
            for label, text in self.lines
        )
        super().__init__(title + body)


def shown(number: Number) -> str:
    """A true value, in full where it is short."""
    text = str(number)
    return text if len(text) <= 100 else f"about {float(number)!r}"


def command(law: object, policy: object, quantity: str, **more: object) -> str:
    """The command line that gives the true value."""
    words = ["hedgetheory", "value", "--law", str(law), "--policy", str(policy)]
    words += ["--quantity", quantity]
    for name, text in more.items():
        if text is not None:
            words += [f"--{name}", str(text)]
    return shlex.join(words)


def called(name: str, arguments: dict[str, Any]) -> str:
    """The call that failed, to be pasted.

    >>> called("function", {"mu": 5.0, "at": 0.5})
    'function(mu=5.0, at=0.5)'
    """
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def name_of(function: object) -> str:
    """The name of a function as one would call it."""
    name = str(getattr(function, "__name__", "function"))
    return name if name.isidentifier() else "function"
