"""What a related system is: its definition, its place in the spec grammar, its claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sympy

from hedgetheory.claims.model import Claim

Kind = Literal["law", "policy", "joint model", "functions"]


@dataclass(frozen=True)
class Function:
    """A function that a system defines: exact rational arguments to one constant expression.

    ``arguments`` names them in order; a list is a tuple of rationals. The reference tables evaluate
    ``value`` in balls.
    """

    name: str
    arguments: tuple[str, ...]
    value: Callable[..., sympy.Expr]
    summary: str


@dataclass(frozen=True)
class System:
    """A related system.

    ``id`` is the first part of the ids of its claims, and the tag of its reference cases.
    ``definition`` is one sentence, ``statement`` the sympy equation that the code derives
    everything from; ``grammar`` gives spec strings that can be pasted (none for a system that is
    functions of its own), ``functions`` those functions. ``effect`` is the id of the claim that
    ties it to the hacking threshold, ``effect_says`` that claim in a few words.
    """

    id: str
    title: str
    source: str
    kind: Kind
    definition: str
    statement: sympy.Basic
    claims: tuple[Claim, ...]
    effect: str
    effect_says: str
    grammar: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()

    def item(self) -> dict[str, Any]:
        """What ``hedgetheory list designs`` says about it."""
        return {
            "name": self.id,
            "title": self.title,
            "kind": self.kind,
            "source": self.source,
            "definition": self.definition,
            "grammar": list(self.grammar),
            "proved": self._ids("proved", "certified"),
            "refuted": self._ids("refuted"),
            "other": self._ids("supported", "undecided"),
            "threshold": self.effect_says,
            "threshold_claim": self.effect,
        }

    def _ids(self, *verdicts: str) -> list[str]:
        return [claim.id for claim in self.claims if claim.expected in verdicts]
