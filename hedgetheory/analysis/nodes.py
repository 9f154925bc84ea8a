"""What an integrand needs of the law and of g at its nodes, kept from one parameter to the next.

The nodes of adaptive rules on one range are mostly the same for every θ; where g′ and F cost most,
only the kernel, a few exponentials in (u, 1 − u, θ), is left to evaluate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import sympy

from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.numerics.ball import current_bits, node_key
from hedgetheory.numerics.program import Arithmetic, Program, compiled

#: (g′, u, 1 − u) at a node.
AtNode: TypeAlias = tuple[Any, Any, Any]
#: Operations of g′ from which on its nodes are kept.
_MANY_OPERATIONS = 40
_MOST_NODES = 100_000


def is_costly(law: ContinuousLaw, slope: sympy.Expr) -> bool:
    """Whether g′ and F cost more than a look in a table."""
    return law.evaluation_cost > 1 or int(slope.count_ops()) > _MANY_OPERATIONS


class Nodes:
    """g′, u and 1 − u along one piece of g in one coordinate."""

    def __init__(
        self, rate: Program, cdf: sympy.Expr, survival: sympy.Expr, x: sympy.Symbol
    ) -> None:
        self._programs = rate, compiled(cdf, (x,)), compiled(survival, (x,))
        self._known: dict[Any, AtNode] = {}

    def reader(self, arithmetic: Arithmetic) -> Callable[[Any], AtNode]:
        """The three at a ball, in an arithmetic at the current precision."""
        bits, known = current_bits(), self._known

        def read(z: Any) -> AtNode:
            key = bits, arithmetic, node_key(z)
            values = known.get(key)
            if values is None:
                if len(known) >= _MOST_NODES:
                    known.clear()
                rate, cdf, survival = self._programs
                values = known[key] = (
                    rate(arithmetic, z),
                    cdf(arithmetic, z),
                    survival(arithmetic, z),
                )
            return values

        return read
