"""A case to be computed, and the id that it has for ever."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from hedgetheory.exact import short
from hedgetheory.reference.model import Json, number_to_json, spec_inputs

#: Significant digits of a case: Soft Best-of-n and some quadratures cost too much for fifty.
DIGITS, FEWER_DIGITS = 50, 25
#: Quantities of a family, of the whole curve along its parameter.
CURVES = ("threshold", "first_peak")


@dataclass(frozen=True, slots=True)
class Job:
    """A case to be computed. ``policy`` is a family's text where ``quantity`` is of `CURVES`."""

    quantity: str
    policy: str
    law: str
    #: (kind, number): kind ``reward``, ``quantile`` or ``probability``.
    at: tuple[str, Fraction] | None = None
    order: Fraction | None = None
    gold: str | None = None
    digits: int = DIGITS
    #: A joint model in place of gold; ``law`` is the one that it is stated beside.
    joint: str | None = None

    @property
    def id(self) -> str:
        policy, law = self._spec("policy"), self._spec("law")
        parts = [f"{self.quantity}:{policy}@{law}"]
        if self.at is not None:
            kind, number = self.at
            parts.append(f"at={'u=' if kind == 'quantile' else ''}{short(number)}")
        if self.order is not None:
            parts.append(f"order={short(self.order)}")
        if self.gold is not None:
            parts.append(f"gold={self.gold}")
        if self.joint is not None:
            parts.append(f"joint={_inputs('joint', self.joint)['joint_spec']}")
        return ":".join(parts)

    def _spec(self, field: str) -> str:
        return str(self._described(field)[f"{field}_spec"])

    def _described(self, field: str) -> dict[str, Json]:
        family = field == "policy" and self.quantity in CURVES
        kind = "family" if family else field
        return _inputs(kind, self.law if field == "law" else self.policy)

    @property
    def inputs(self) -> dict[str, Json]:
        entry = {**self._described("policy"), **self._described("law")}
        if self.at is not None:
            entry["at"] = {self.at[0]: number_to_json(self.at[1])}
        if self.order is not None:
            entry["order"] = number_to_json(self.order)
        if self.gold is not None:
            entry["gold"] = self.gold
        if self.joint is not None:
            entry.update(_inputs("joint", self.joint))
        return entry


@cache
def _inputs(kind: str, text: str) -> dict[str, Json]:
    return spec_inputs(kind, text)
