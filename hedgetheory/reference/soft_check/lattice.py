"""The nodes of a law with a density, shared by every sum; arithmetic in units of 2^−BITS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from math import ceil
from operator import mul
from typing import Any

from hedgetheory.reference.definitions import Atoms, exact, law_of, mp
from hedgetheory.reference.panels import legendre

#: Nodes of a panel and its length in λr and s. The integrands are analytic and moderate for
#: |Im| < π/2: on half a length of 0.75 the rule's error is near (2 + √5)^−48 = 10^−30.
NODES, LENGTH = 24, 1.5
DIGITS, BITS = 60, 200
#: law -> lower end, upper end, and the longest panel that its density allows. Outside of the ends
#: less than 10^−34 is left; a kink is in the middle, where an even number of panels has an edge.
ENDS: dict[str, tuple[str, str, str]] = {
    "uniform": ("0", "1", "1"),
    "normal": ("-13", "13", "3/2"),
    "exponential": ("0", "80", "3/2"),
    "logistic": ("-80", "80", "3/2"),
    "gumbel": ("-23/5", "80", "3/2"),
    "laplace": ("-80", "80", "3/2"),
    "gamma(3)": ("0", "90", "3/2"),
    "beta(2, 3)": ("0", "1", "1"),
    "weibull(2)": ("0", "9", "3/4"),
    "mixture({normal(0, 1): 3/4, normal(3, 1/2): 1/4})": ("-13", "13", "3/4"),
}
Row = list[int]


def fixed(x: Any) -> int:
    """A number in units of 2^−BITS."""
    return int(mp.ldexp(x, BITS))


def unfixed(x: int) -> Any:
    return mp.ldexp(mp.mpf(x), -BITS)


def dot(a: Sequence[int], b: Sequence[int]) -> int:
    total: int = sum(map(mul, a, b))
    return total >> BITS


@dataclass(frozen=True)
class Lattice:
    """The nodes of a law: panels of one width, with the density's weights in them."""

    law: str
    low: Any
    width: Any
    count: int
    rewards: list[list[Any]]
    weights: list[Row]

    def nodes(self, ratios: list[list[Any]]) -> Iterator[tuple[Any, Any, Any]]:
        """(reward, weight, w) of every node."""
        rows = zip(self.rewards, self.weights, ratios, strict=True)
        return chain.from_iterable(
            ((r, unfixed(p), w) for r, p, w in zip(*row, strict=True)) for row in rows
        )


@lru_cache(maxsize=4)
def lattice(law: str, lam: Fraction) -> Lattice:
    low, high, longest = (Fraction(text) for text in ENDS[law])
    step = min(longest, Fraction(LENGTH) / lam) if lam else longest
    count = 2 * ceil((high - low) / step / 2)
    found = law_of(law)
    assert not isinstance(found, Atoms)
    with mp.workdps(DIGITS):
        start, width = exact(low), exact((high - low) / count)
        rewards = [
            [start + width * (j + (1 + x) / 2) for x, _ in legendre(NODES)] for j in range(count)
        ]
        scale = [weight * width / 2 for _, weight in legendre(NODES)]
        weights = [
            [fixed(w * found.pdf(r)) for r, w in zip(row, scale, strict=True)] for row in rewards
        ]
    return Lattice(law, start, width, count, rewards, weights)
