"""What ``tune`` hands back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from hedgetheory.hedgetune.shape import Regime


@dataclass(frozen=True, slots=True)
class TuneResult:
    """What ``tune`` found. Undefined is None.

    ``theta``: the parameter with the largest estimated value (the smallest of them on a tie) among
    those that the constraints allow, an integer where n is free; ``theta_interval`` its interval.
    ``value``: the estimate there, flattered by the choice; ``value_heldout``: the value
    cross-fitted over 10 folds of prompts (16 from the reduction), which is not.

    ``regime``: the shape of the estimated curve; ``regime_support``: the share of resamples whose
    curve has that shape. ``extrema``: interior ones of the estimated curve. ``ties``: where n is
    free, every n with the largest value. ``largest``: the point of the hardest selection;
    ``regret``: value − value there, what over-optimising costs, with its bootstrap interval at
    fixed theta; ``hacks``: whether that interval lies above zero, which is what over-optimising
    this proxy significantly costs.

    ``threshold``: the real θ† at which the curve turns down at the best interior maximum (under
    Best-of-n a real n), None without one; ``threshold_interval``: where the slope is not
    significantly different from zero by Student's test; ``threshold_se``: its standard error by
    the delta method.

    At theta: ``expected_draws``; ``kl``, of the plug-in policy on the tied empirical law;
    ``tail_mass``, P(N > S); ``effective_sample_size`` of a tilt, the harmonic mean over
    prompts.

    ``constraints``: those asked for, None without; ``unconstrained``: the best without them.
    ``groups``: for each group its prompts, its own best theta, and its value at theta.
    ``ensemble``: its ``how``, ``weight`` and ``members``; ``shape``: the formula of the proxy.
    """

    family: str
    theta: float
    theta_interval: list[float] | None
    value: float
    value_heldout: float | None
    regime: Regime
    regime_support: float | None
    n_prompts: int
    n_responses: int
    dropped: int
    curve: list[dict[str, float | None]]
    warnings: list[str]
    largest: dict[str, float | None]
    regret: float
    regret_interval: list[float] | None
    hacks: bool | None
    ties: list[int]
    extrema: list[dict[str, float | str]]
    threshold: float | None
    threshold_interval: list[float] | None
    threshold_se: float | None
    expected_draws: float | None
    kl: float | None
    tail_mass: float | None
    effective_sample_size: float | None
    parameter: str
    constraints: dict[str, float] | None
    unconstrained: dict[str, float] | None
    groups: list[dict[str, Any]] | None
    seed: int
    resamples: int
    confidence: float
    ensemble: dict[str, Any] | None = None
    shape: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields of the command-line contract and more: plain numbers, null where undefined."""
        return asdict(self)
