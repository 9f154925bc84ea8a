"""Soft Best-of-n."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, n
from hedgetheory.policies.base import Domain, Policy

Scale = Literal["reward", "quantile"]


class SoftBestOfN(Policy):
    """Draw n, pick one by softmax(λ·reward), or softmax(λ·quantile) with ``scale="quantile"``.

    By the exponential race (candidate i rings at rate e^{λr_i}, the first to ring wins), for any
    law, atoms included, and real n ≥ 1, λ ≥ 0:
        w(r) = n ∫₀^∞ e^{λr} e^{−t e^{λr}} φ(t)^{n−1} dt,  φ(t) = E[e^{−t e^{λR}}].
    λ = 0 or n = 1 is the reference; λ → ∞ is Best-of-n, n → ∞ the tilt where M(λ) < ∞.
    Raises InputError for n < 1, λ < 0 or an unknown scale. Source: paper, §3 (arXiv 2506.19248).

    >>> SoftBestOfN(8, 3)
    sbon(n=8, lam=3)
    """

    name = "sbon"
    symbols = (n, lam)
    domains = (Domain(Fraction(1)), Domain(Fraction(0)))

    def __init__(self, n: RealInput, lam: RealInput, scale: Scale = "reward") -> None:
        self._set(n, lam)
        if scale not in ("reward", "quantile"):
            raise must_be("scale", scale, "reward or quantile", f"sbon(scale={scale})")
        self.scale = scale

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.scale == "reward" else text[:-1] + ", scale=quantile)"

    @property
    def draws(self) -> Fraction:
        """n."""
        return self.bindings[n]

    @property
    def strength(self) -> Fraction:
        """λ."""
        return self.bindings[lam]

    @property
    def is_reference(self) -> bool:
        return self.draws == 1 or self.strength == 0
