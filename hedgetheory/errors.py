"""The errors of hedgetheory: each says what came, what must come, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hedgetheory.exact import Number


class HedgeTheoryError(Exception):
    """Base class of every error that this package raises on purpose."""


class InputError(HedgeTheoryError, ValueError):
    """Bad input or usage: the command line exits 2 with this message as its one line."""


class NotOnThisLaw(InputError):
    """The policy or quantity does not exist on this law, for instance a tilt with M(λ) = ∞."""


class NotCertified(HedgeTheoryError):
    """A number could not be certified to the digits asked for: the command line exits 3.

    ``enclosure`` is the best ball that was reached, or None where none was.
    """

    def __init__(self, message: str, enclosure: Number | None = None) -> None:
        super().__init__(message)
        self.enclosure = enclosure


def must_be(name: str, value: object, requirement: str, call: str) -> InputError:
    """The one wording for an argument out of its domain.

    >>> str(must_be("n", 0, "a real number >= 1", "best_of_n(n=0)"))
    'n=0, but must be a real number >= 1 [best_of_n(n=0)]'
    """
    return InputError(f"{name}={value}, but must be {requirement} [{call}]")


def nearest(name: str, known: list[str]) -> str:
    """The tail of an "unknown name" message: a suggestion where one is near, and the choices.

    >>> nearest("unifrom", ["normal", "uniform"])
    'did you mean uniform? (known: normal, uniform)'
    """
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}(known: {', '.join(known)})"
