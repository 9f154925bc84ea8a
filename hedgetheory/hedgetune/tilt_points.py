"""Points of the exponential tilt: λ up to where the weights rest on too few responses."""

from __future__ import annotations

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.divergence import weights_kl
from hedgetheory.hedgetune.points import RealPoints
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.table import Array
from hedgetheory.hedgetune.tilts import (
    MIN_EFFECTIVE,
    least_effective,
    tilt_values_and_sizes,
    tilt_weights,
)

#: λ times the spread of the proxy goes no further; ties can keep the sample size up for ever.
MAX_STRENGTH = 1000.0


def spread(groups: list[RankGroup], shares: list[Array], name: str) -> float:
    """Root mean square over prompts of the standard deviation of the proxy within the prompt."""
    top = max(float(np.abs(group.proxy).max()) for group in groups if group.proxy is not None)
    scale = top if top > 0 else 1.0
    total = 0.0
    for group, share in zip(groups, shares, strict=True):
        if group.proxy is None:
            raise InputError(f"{name}: this family needs the proxies, and not only their ranks")
        total += float(share @ (group.proxy / scale).var(axis=1))
    found = float(np.sqrt(total)) * scale
    if not 1e-300 < found < 1e300:
        raise InputError(f"{name}: the proxy spreads by {found:.3g} within a prompt; rescale it")
    return found


class TiltPoints(RealPoints):
    """The tilt of the raw proxy, λ ≥ 0, by self-normalised weights within each prompt."""

    symbol = "lam"
    grid_size = 65
    rounds, fineness = 3, 17

    def __init__(self, groups: list[RankGroup], weights: Array | None, name: str) -> None:
        super().__init__(groups, weights, name)
        self.spread = spread(groups, self.shares, name)

    def coordinate(self, thetas: Array) -> Array:
        return np.asarray(np.log1p(thetas * self.spread))

    def parameter(self, coordinate: Array) -> Array:
        return np.asarray(np.expm1(coordinate) / self.spread)

    def _worth(self, lam: float) -> float:
        """Effective sample size over the least that means anything: harmonic mean over prompts.

        The noise of a prompt's value goes like the inverse of its effective sample size.
        """
        total = 0.0
        for group, share in zip(self.groups, self.shares, strict=True):
            assert group.proxy is not None
            weights = tilt_weights(group.proxy, lam)
            least = least_effective(group.size)
            total += float(share @ np.einsum("ij,ij->i", weights, weights)) * least
        return 1 / total

    def domain(self) -> tuple[float, float]:
        low, high = 0.0, float(np.log1p(MAX_STRENGTH))
        self.cut = self._worth(self._one(high)) < 1
        if self.cut:
            # The effective sample size decreases in λ: (ln ΣW²)′ = 2K′(2λ) − 2K′(λ) ≥ 0.
            for _ in range(40):
                middle = (low + high) / 2
                low, high = (middle, high) if self._worth(self._one(middle)) >= 1 else (low, middle)
            high = low
        return 0.0, high

    def _one(self, coordinate: float) -> float:
        return float(self.parameter(np.array([coordinate]))[0])

    def curves_at(self, thetas: Array) -> Array:
        found = [
            tilt_values_and_sizes(group.proxy, group.gold, thetas)[0]
            for group in self.groups
            if group.proxy is not None
        ]
        return np.concatenate(found)

    def _weights_at(self, theta: float) -> list[Array]:
        return [
            tilt_weights(group.proxy, float(theta))
            for group in self.groups
            if group.proxy is not None
        ]

    def kl_at(self, thetas: Array) -> Array:
        return np.array(
            [
                sum(
                    float(share @ weights_kl(weights))
                    for share, weights in zip(self.shares, self._weights_at(theta), strict=True)
                )
                for theta in thetas
            ]
        )

    def expected_draws(self, theta: float) -> float | None:
        return None

    def more(self) -> dict[str, Array]:
        found = []
        for theta in self.thetas:
            inverse = [np.einsum("ij,ij->i", w, w) for w in self._weights_at(float(theta))]
            found.append(1 / float(np.concatenate(self.shares) @ np.concatenate(inverse)))
        return {"effective_sample_size": np.array(found)}

    def warnings(self, place: int, unit: float) -> list[str]:
        if not self.at_the_end(place):
            return []
        lam = self.thetas[place]
        why = (
            f", where a prompt's responses are worth {MIN_EFFECTIVE:g} (or half of them) in the "
            "harmonic mean; beyond, the answer would be the luck of the top ones"
        )
        return [f"no interior threshold up to lam = {lam:.4g}{why if self.cut else ''}"]
