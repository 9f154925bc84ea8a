"""The race, w(r) = n ∫ x e^{−x} φ(s)^{n−1} ds with x = e^{s+λr}, and its slopes in λ and n."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import Any

from hedgetheory.reference.definitions import exact, mp
from hedgetheory.reference.panels import legendre
from hedgetheory.reference.soft_check.lattice import (
    DIGITS,
    LENGTH,
    NODES,
    Row,
    dot,
    fixed,
    lattice,
    unfixed,
)

#: Of ln x: below, x counts for nothing beside 1; above, e^{−x} for nothing at all.
LOWEST, HIGHEST = -85.0, 4.6


class Race:
    """φ and the kernels of a law at λ, for every n."""

    method = "race by panels in mpmath"

    def __init__(self, law: str, lam: Fraction) -> None:
        self.lattice, self.lam = lattice(law, lam), exact(lam)
        grid = self.lattice
        step = self.lam * grid.width
        #: Panels of r to one of s.
        self.stride = max(floor(LENGTH / step), 1)
        self.length = self.stride * step
        self.start = -self.lam * (grid.low + grid.width * grid.count) + LOWEST
        self.count = int(mp.ceil((HIGHEST - self.lam * grid.low - self.start) / self.length))
        self._offsets = [x for x, _ in legendre(NODES)]
        self._blocks: dict[int, tuple[list[Row], list[Row]] | None] = {}
        self._twice: dict[int, list[Row]] = {}
        self._inner: list[Any] = []
        self.phi = [[self._transform(i, a) for a in range(NODES)] for i in range(self.count)]

    def _log(self, p: int, a: Any, b: Any) -> Any:
        """ln x at nodes a and b (in −1 … 1) of panels whose indices add up to p."""
        step = self.lam * self.lattice.width
        origin = self.start + self.lam * self.lattice.low
        return origin + step * (p + (1 + b) / 2) + self.length * (1 + a) / 2

    def _block(self, p: int) -> tuple[list[Row], list[Row]] | None:
        """e^{−x} by node of s, then of r, and x e^{−x} by node of r, then of s; None: all 1 and 0.

        An empty block is all 0.
        """
        if p not in self._blocks:
            if self._log(p, 1, 1) < LOWEST:
                self._blocks[p] = None
            elif self._log(p, -1, -1) > HIGHEST:
                self._blocks[p] = ([], [])
            else:
                by_s = [[mp.exp(self._log(p, a, b)) for b in self._offsets] for a in self._offsets]
                quiet = [[mp.exp(-x) for x in row] for row in by_s]
                rings = [
                    [fixed(by_s[a][b] * quiet[a][b]) for a in range(NODES)] for b in range(NODES)
                ]
                self._blocks[p] = ([[fixed(x) for x in row] for row in quiet], rings)
        return self._blocks[p]

    def _transform(self, i: int, a: int) -> int:
        """φ at a node of s."""
        total = 0
        for j, weights in enumerate(self.lattice.weights):
            block = self._block(i * self.stride + j)
            if block is None:
                total += sum(weights)
            elif block[0]:
                total += dot(block[0][a], weights)
        return total

    # -- at all nodes ------------------------------------------------------------------------------

    def ratios(self, n: Any) -> list[list[Any]]:
        """w at the nodes."""
        return self._gathered(lambda phi, _: n * phi ** (n - 1))

    def slopes_in_draws(self, n: Any) -> list[list[Any]]:
        """∂w/∂n at the nodes."""
        return self._gathered(lambda phi, _: _in_draws(n, phi))

    def slopes_in_strength(self, n: Any) -> list[list[Any]]:
        """∂w/∂λ at the nodes, by ∂x/∂λ = r x."""
        own = self._gathered(lambda phi, _: n * phi ** (n - 1))
        twice = self._gathered(lambda phi, _: n * phi ** (n - 1), power=2)
        inner = self._derivative()
        others = self._gathered(lambda phi, k: n * (n - 1) * phi ** (n - 2) * inner[k])
        rows = zip(self.lattice.rewards, own, twice, others, strict=True)
        return [[r * (a - b) + c for r, a, b, c in zip(*row, strict=True)] for row in rows]

    def _gathered(self, of: Callable[[Any, int], Any], power: int = 1) -> list[list[Any]]:
        """∫ x^power e^{−x} of(φ, index of the node) ds at the nodes in r."""
        measure = [w * self.length / 2 for _, w in legendre(NODES)]
        rows = [
            [
                fixed(weight * of(unfixed(phi), i * NODES + a)) if phi else 0
                for a, (phi, weight) in enumerate(zip(row, measure, strict=True))
            ]
            for i, row in enumerate(self.phi)
        ]
        found = []
        for j in range(self.lattice.count):
            kernels = [self._rings(i * self.stride + j, power) for i in range(self.count)]
            used = [(k, row) for k, row in zip(kernels, rows, strict=True) if k]
            found.append([unfixed(sum(dot(k[b], row) for k, row in used)) for b in range(NODES)])
        return found

    def _rings(self, p: int, power: int) -> list[Row]:
        """x^power e^{−x} by node of r, then of s; nothing where it is negligible."""
        block = self._block(p)
        if not block or not block[1] or power == 1:
            return block[1] if block else []
        if p not in self._twice:
            logs = [[self._log(p, a, b) for a in self._offsets] for b in self._offsets]
            self._twice[p] = [[fixed(mp.exp(2 * x - mp.exp(x))) for x in row] for row in logs]
        return self._twice[p]

    # -- at one reward -----------------------------------------------------------------------------

    def _over(self, reward: Any, of: Callable[[Any, Any, int], Any]) -> Any:
        """∫ of(x, φ, index of the node) ds at a reward."""
        total = mp.zero
        weights = [w * self.length / 2 for _, w in legendre(NODES)]
        for i, row in enumerate(self.phi):
            start = self.start + self.length * i
            if not LOWEST < start + self.length + self.lam * reward < HIGHEST + self.length:
                continue
            for a, (node, weight) in enumerate(zip(self._offsets, weights, strict=True)):
                x = mp.exp(start + self.length * (1 + node) / 2 + self.lam * reward)
                total += weight * of(x, unfixed(row[a]), i * NODES + a)
        return total

    def at(self, n: Any, reward: Any) -> Any:
        """w at any reward."""
        return n * self._over(reward, lambda x, phi, _: x * mp.exp(-x) * phi ** (n - 1))

    def slope_in_draws(self, n: Any, reward: Any) -> Any:
        """∂w/∂n."""
        return self._over(
            reward, lambda x, phi, _: x * mp.exp(-x) * _in_draws(n, phi) if phi else mp.zero
        )

    def slope_in_strength(self, n: Any, reward: Any) -> Any:
        """∂w/∂λ."""
        inner = self._derivative()

        def part(x: Any, phi: Any, k: int) -> Any:
            if not phi:
                return mp.zero
            lost = reward * (1 - x) * phi ** (n - 1) + (n - 1) * phi ** (n - 2) * inner[k]
            return x * mp.exp(-x) * lost

        return n * self._over(reward, part)

    def _derivative(self) -> list[Any]:
        """∂φ/∂λ = −E[R x e^{−x}] at every node of s."""
        if not self._inner:
            grid = self.lattice
            rows = [
                [fixed(r * unfixed(p)) for r, p in zip(*row, strict=True)]
                for row in zip(grid.rewards, grid.weights, strict=True)
            ]
            turned: dict[int, list[Row]] = {}
            for i in range(self.count):
                for j in range(grid.count):
                    p = i * self.stride + j
                    turned.setdefault(p, [list(x) for x in zip(*self._rings(p, 1), strict=True)])
                blocks = [turned[i * self.stride + j] for j in range(grid.count)]
                used = [(k, row) for k, row in zip(blocks, rows, strict=True) if k]
                self._inner += [
                    -unfixed(sum(dot(k[a], row) for k, row in used)) for a in range(NODES)
                ]
        return self._inner


def _in_draws(n: Any, phi: Any) -> Any:
    """∂(n φ^{n−1})/∂n."""
    return phi ** (n - 1) * (1 + n * mp.log(phi))


@lru_cache(maxsize=2)
def race(law: str, lam: Fraction) -> Race:
    with mp.workdps(DIGITS):
        return Race(law, lam)
