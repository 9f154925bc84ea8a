"""Property-based testing of selection policies: strategies, assertions, and a pytest plugin.

Every name below is loaded when first used: the strategies need hypothesis, the plugin pytest
(``pip install "hedgetheory[test]"``), the assertions neither.

>>> from hedgetheory.testing import assert_matches_reference
>>> assert_matches_reference(lambda n: (n - 1) / (n + 1), "mean_quantile", policies=["bon(3)"])
Traceback (most recent call last):
    ...
hedgetheory.testing.failures.Disagreement: mean_quantile disagrees with the reference
  input      bon(n=3) on uniform
  got        0.5
  want       3/4 exactly
  bound      |got - want| <= 7.5e-11 (relative 1e-10, 4 ulps, absolute 0)
  off by     relative 0.333, 2.25e+15 ulps
  reproduce  function(n=3.0)
  check      hedgetheory value --law uniform --policy 'bon(n=3)' --quantity mean_quantile
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hedgetheory.testing.decades import parameters, positive, probabilities
    from hedgetheory.testing.failures import Disagreement
    from hedgetheory.testing.golds import gold_curves, gold_with_turning_values
    from hedgetheory.testing.matching import (
        assert_conforms,
        assert_density,
        assert_matches_reference,
        reference_function,
    )
    from hedgetheory.testing.sampler import assert_sampler_follows
    from hedgetheory.testing.scored import responses
    from hedgetheory.testing.shapes import assert_mlr, assert_single_peak
    from hedgetheory.testing.strategies import (
        draws,
        families,
        joint_models,
        laws,
        laws_and_policies,
        policies,
    )
    from hedgetheory.testing.unbiased import assert_unbiased

_HOME = {
    "Disagreement": "failures",
    "assert_conforms": "matching",
    "assert_density": "matching",
    "assert_matches_reference": "matching",
    "assert_mlr": "shapes",
    "assert_sampler_follows": "sampler",
    "assert_single_peak": "shapes",
    "assert_unbiased": "unbiased",
    "draws": "strategies",
    "families": "strategies",
    "gold_curves": "golds",
    "gold_with_turning_values": "golds",
    "joint_models": "strategies",
    "laws": "strategies",
    "laws_and_policies": "strategies",
    "parameters": "decades",
    "policies": "strategies",
    "positive": "decades",
    "probabilities": "decades",
    "reference_function": "matching",
    "responses": "scored",
}

__all__ = [
    "Disagreement",
    "assert_conforms",
    "assert_density",
    "assert_matches_reference",
    "assert_mlr",
    "assert_sampler_follows",
    "assert_single_peak",
    "assert_unbiased",
    "draws",
    "families",
    "gold_curves",
    "gold_with_turning_values",
    "joint_models",
    "laws",
    "laws_and_policies",
    "parameters",
    "policies",
    "positive",
    "probabilities",
    "reference_function",
    "responses",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
