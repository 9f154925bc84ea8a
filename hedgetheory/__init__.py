"""Exact theory of inference-time reward hacking: policies, proofs, certificates and HedgeTune.

Every name below is loaded when first used, so that ``import hedgetheory`` costs next to nothing.

>>> import hedgetheory as ht
>>> print(ht.value(ht.normal(0, 1), ht.best_of_n(3), "win_rate"))
3/4 exactly
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hedgetheory.analysis.check import CheckResult, check, threshold
    from hedgetheory.claims.registry import verify
    from hedgetheory.errors import HedgeTheoryError, InputError, NotCertified, NotOnThisLaw
    from hedgetheory.exact import Number
    from hedgetheory.functionals.derive import Derivation, derive
    from hedgetheory.functionals.float64 import evaluate as evaluate_float64
    from hedgetheory.functionals.gap import GapPoint, gap_at
    from hedgetheory.functionals.gap_supremum import GapSupremum, gap_supremum
    from hedgetheory.functionals.quantities import kl_divergence, value
    from hedgetheory.hedgetune.distributed import reduce_distributed
    from hedgetheory.hedgetune.estimator import HedgeTune
    from hedgetheory.hedgetune.large import tune_large
    from hedgetheory.hedgetune.reduction import Reduction
    from hedgetheory.hedgetune.streaming import reduce_table
    from hedgetheory.hedgetune.table import Table, read_table
    from hedgetheory.hedgetune.tune import TuneResult, tune
    from hedgetheory.laws.exponential import Exponential as exponential
    from hedgetheory.laws.finite import Bernoulli as bernoulli
    from hedgetheory.laws.finite import Finite as finite
    from hedgetheory.laws.logistic import Logistic as logistic
    from hedgetheory.laws.normal import Normal as normal
    from hedgetheory.laws.uniform import Uniform as uniform
    from hedgetheory.policies.best_of_n import BestOfN as best_of_n
    from hedgetheory.policies.best_of_poisson import BestOfPoisson as best_of_poisson
    from hedgetheory.policies.best_of_random import BestOfRandom as best_of_random
    from hedgetheory.policies.quantile_tilt import QuantileTilt as quantile_tilt
    from hedgetheory.policies.random_draws import Binomial as binomial
    from hedgetheory.policies.random_draws import FinitePmf as finite_pmf
    from hedgetheory.policies.random_draws import Geometric as geometric
    from hedgetheory.policies.random_draws import NegativeBinomial as negative_binomial
    from hedgetheory.policies.random_draws import Sibuya as sibuya
    from hedgetheory.policies.random_draws import ZeroTruncatedPoisson as zero_truncated_poisson
    from hedgetheory.policies.sampling.sample import Sample, sample
    from hedgetheory.policies.sampling.select import select
    from hedgetheory.policies.soft_best_of_n import SoftBestOfN as soft_best_of_n
    from hedgetheory.policies.tilt import Tilt as tilt
    from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law, parse_policy

#: public name -> (module, name there)
_HOME = {
    "CheckResult": ("analysis.check", "CheckResult"),
    "Derivation": ("functionals.derive", "Derivation"),
    "GapPoint": ("functionals.gap", "GapPoint"),
    "GapSupremum": ("functionals.gap_supremum", "GapSupremum"),
    "HedgeTheoryError": ("errors", "HedgeTheoryError"),
    "HedgeTune": ("hedgetune.estimator", "HedgeTune"),
    "InputError": ("errors", "InputError"),
    "NotCertified": ("errors", "NotCertified"),
    "NotOnThisLaw": ("errors", "NotOnThisLaw"),
    "Number": ("exact", "Number"),
    "Reduction": ("hedgetune.reduction", "Reduction"),
    "Sample": ("policies.sampling.sample", "Sample"),
    "Table": ("hedgetune.table", "Table"),
    "TuneResult": ("hedgetune.tune", "TuneResult"),
    "bernoulli": ("laws.finite", "Bernoulli"),
    "best_of_n": ("policies.best_of_n", "BestOfN"),
    "best_of_poisson": ("policies.best_of_poisson", "BestOfPoisson"),
    "best_of_random": ("policies.best_of_random", "BestOfRandom"),
    "binomial": ("policies.random_draws", "Binomial"),
    "check": ("analysis.check", "check"),
    "derive": ("functionals.derive", "derive"),
    "evaluate_float64": ("functionals.float64", "evaluate"),
    "exponential": ("laws.exponential", "Exponential"),
    "finite": ("laws.finite", "Finite"),
    "finite_pmf": ("policies.random_draws", "FinitePmf"),
    "gap_at": ("functionals.gap", "gap_at"),
    "gap_supremum": ("functionals.gap_supremum", "gap_supremum"),
    "geometric": ("policies.random_draws", "Geometric"),
    "kl_divergence": ("functionals.quantities", "kl_divergence"),
    "logistic": ("laws.logistic", "Logistic"),
    "negative_binomial": ("policies.random_draws", "NegativeBinomial"),
    "normal": ("laws.normal", "Normal"),
    "parse_family": ("spec.grammar", "parse_family"),
    "parse_gold": ("spec.grammar", "parse_gold"),
    "parse_law": ("spec.grammar", "parse_law"),
    "parse_policy": ("spec.grammar", "parse_policy"),
    "quantile_tilt": ("policies.quantile_tilt", "QuantileTilt"),
    "read_table": ("hedgetune.table", "read_table"),
    "reduce_distributed": ("hedgetune.distributed", "reduce_distributed"),
    "reduce_table": ("hedgetune.streaming", "reduce_table"),
    "sample": ("policies.sampling.sample", "sample"),
    "select": ("policies.sampling.select", "select"),
    "sibuya": ("policies.random_draws", "Sibuya"),
    "soft_best_of_n": ("policies.soft_best_of_n", "SoftBestOfN"),
    "threshold": ("analysis.check", "threshold"),
    "tilt": ("policies.tilt", "Tilt"),
    "tune": ("hedgetune.tune", "tune"),
    "tune_large": ("hedgetune.large", "tune_large"),
    "uniform": ("laws.uniform", "Uniform"),
    "value": ("functionals.quantities", "value"),
    "verify": ("claims.registry", "verify"),
    "zero_truncated_poisson": ("policies.random_draws", "ZeroTruncatedPoisson"),
}

__all__ = [
    "CheckResult",
    "Derivation",
    "GapPoint",
    "GapSupremum",
    "HedgeTheoryError",
    "HedgeTune",
    "InputError",
    "NotCertified",
    "NotOnThisLaw",
    "Number",
    "Reduction",
    "Sample",
    "Table",
    "TuneResult",
    "__version__",
    "bernoulli",
    "best_of_n",
    "best_of_poisson",
    "best_of_random",
    "binomial",
    "check",
    "derive",
    "evaluate_float64",
    "exponential",
    "finite",
    "finite_pmf",
    "gap_at",
    "gap_supremum",
    "geometric",
    "kl_divergence",
    "logistic",
    "negative_binomial",
    "normal",
    "parse_family",
    "parse_gold",
    "parse_law",
    "parse_policy",
    "quantile_tilt",
    "read_table",
    "reduce_distributed",
    "reduce_table",
    "sample",
    "select",
    "sibuya",
    "soft_best_of_n",
    "threshold",
    "tilt",
    "tune",
    "tune_large",
    "uniform",
    "value",
    "verify",
    "zero_truncated_poisson",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOME[name]
    found = getattr(import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
