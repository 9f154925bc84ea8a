"""Two draws by their definition: w(r) = 2 E[e^{λr}/(e^{λr} + e^{λR})]."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hedgetheory.reference.definitions import exact, mp
from hedgetheory.reference.panels import legendre
from hedgetheory.reference.soft_check.lattice import (
    DIGITS,
    NODES,
    Row,
    dot,
    fixed,
    lattice,
    unfixed,
)


class TwoDraws:
    """w(r) = 2 E[σ(λ(r − R))], and its slope in λ."""

    method = "two draws in mpmath"

    def __init__(self, law: str, lam: Fraction) -> None:
        self.lattice, self.lam = lattice(law, lam), exact(lam)
        self._blocks: dict[int, list[Row]] = {}

    def _block(self, apart: int) -> list[Row]:
        """σ(λ(r − s)) with r in a panel so many after that of s: by node of r, then of s."""
        if apart not in self._blocks:
            grid, offsets = self.lattice, [x for x, _ in legendre(NODES)]
            self._blocks[apart] = [
                [fixed(self._share(grid.width * (apart + (b - a) / 2))) for a in offsets]
                for b in offsets
            ]
        return self._blocks[apart]

    def _share(self, apart: Any) -> Any:
        return 1 / (1 + mp.exp(-self.lam * apart))

    def ratios(self) -> list[list[Any]]:
        """w at the nodes."""
        every = self.lattice.weights
        found = []
        for j in range(self.lattice.count):
            blocks = [self._block(j - i) for i in range(self.lattice.count)]
            found.append(
                [
                    2 * unfixed(sum(dot(k[b], row) for k, row in zip(blocks, every, strict=True)))
                    for b in range(NODES)
                ]
            )
        return found

    def at(self, reward: Any) -> Any:
        """w at any reward."""
        return 2 * self._mean(lambda r: self._share(reward - r))

    def slope_at(self, reward: Any) -> Any:
        """∂w/∂λ."""

        def part(r: Any) -> Any:
            share = self._share(reward - r)
            return (reward - r) * share * (1 - share)

        return 2 * self._mean(part)

    def _mean(self, of: Callable[[Any], Any]) -> Any:
        grid = self.lattice
        return mp.fsum(
            of(r) * unfixed(p)
            for row, weights in zip(grid.rewards, grid.weights, strict=True)
            for r, p in zip(row, weights, strict=True)
        )


@lru_cache(maxsize=2)
def two_draws(law: str, lam: Fraction) -> TwoDraws:
    with mp.workdps(DIGITS):
        return TwoDraws(law, lam)
