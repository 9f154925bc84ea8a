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
    from hedgetheory.analysis.prescribed import Construction, gold_with_extrema
    from hedgetheory.analysis.randomised.decide import Randomised
    from hedgetheory.analysis.randomised.decide import decide as randomised_best_of_n
    from hedgetheory.errors import HedgeTheoryError, InputError, NotCertified, NotOnThisLaw
    from hedgetheory.exact import Number
    from hedgetheory.functionals.derive import Derivation, derive
    from hedgetheory.functionals.float64 import evaluate as evaluate_float64
    from hedgetheory.functionals.gap import GapPoint, gap_at, gap_of
    from hedgetheory.functionals.gap_supremum import GapSupremum, gap_supremum
    from hedgetheory.functionals.quantities import kl_divergence, value
    from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
    from hedgetheory.functionals.soft_floating.samples import SoftBestOfNSamples
    from hedgetheory.functionals.soft_floating.threshold import soft_thresholds
    from hedgetheory.hedgetune.distributed import reduce_distributed
    from hedgetheory.hedgetune.estimator import HedgeTune
    from hedgetheory.hedgetune.large import tune_large
    from hedgetheory.hedgetune.reduction import Reduction
    from hedgetheory.hedgetune.streaming import reduce_table
    from hedgetheory.hedgetune.table import Table, read_table
    from hedgetheory.hedgetune.tune import TuneResult, tune
    from hedgetheory.laws.adapters import from_scipy, from_sympy
    from hedgetheory.laws.affine import Affine as affine
    from hedgetheory.laws.beta import Beta as beta
    from hedgetheory.laws.exponential import Exponential as exponential
    from hedgetheory.laws.finite import Bernoulli as bernoulli
    from hedgetheory.laws.finite import Finite as finite
    from hedgetheory.laws.gamma import Gamma as gamma
    from hedgetheory.laws.geometric import Geometric as geometric_law
    from hedgetheory.laws.gumbel import Gumbel as gumbel
    from hedgetheory.laws.laplace import Laplace as laplace
    from hedgetheory.laws.logistic import Logistic as logistic
    from hedgetheory.laws.lognormal import LogNormal as lognormal
    from hedgetheory.laws.mixed import mixture
    from hedgetheory.laws.normal import Normal as normal
    from hedgetheory.laws.pareto import Pareto as pareto
    from hedgetheory.laws.poisson import Poisson as poisson
    from hedgetheory.laws.samples import Samples as samples
    from hedgetheory.laws.shaped import Shaped as shaped
    from hedgetheory.laws.student_t import StudentT as student_t
    from hedgetheory.laws.truncated import Truncated as truncated
    from hedgetheory.laws.uniform import Uniform as uniform
    from hedgetheory.laws.weibull import Weibull as weibull
    from hedgetheory.ledger import verify
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
    from hedgetheory.spec.grammar import (
        parse_family,
        parse_gold,
        parse_joint,
        parse_law,
        parse_policy,
    )

#: public name -> (module, name there)
_HOME = {
    "CheckResult": ("analysis.check", "CheckResult"),
    "Construction": ("analysis.prescribed", "Construction"),
    "Derivation": ("functionals.derive", "Derivation"),
    "GapPoint": ("functionals.gap", "GapPoint"),
    "GapSupremum": ("functionals.gap_supremum", "GapSupremum"),
    "HedgeTheoryError": ("errors", "HedgeTheoryError"),
    "HedgeTune": ("hedgetune.estimator", "HedgeTune"),
    "InputError": ("errors", "InputError"),
    "NotCertified": ("errors", "NotCertified"),
    "NotOnThisLaw": ("errors", "NotOnThisLaw"),
    "Number": ("exact", "Number"),
    "Randomised": ("analysis.randomised.decide", "Randomised"),
    "Reduction": ("hedgetune.reduction", "Reduction"),
    "Sample": ("policies.sampling.sample", "Sample"),
    "SoftBestOfNFloats": ("functionals.soft_floating.continuous", "SoftBestOfNFloats"),
    "SoftBestOfNSamples": ("functionals.soft_floating.samples", "SoftBestOfNSamples"),
    "Table": ("hedgetune.table", "Table"),
    "TuneResult": ("hedgetune.tune", "TuneResult"),
    "affine": ("laws.affine", "Affine"),
    "bernoulli": ("laws.finite", "Bernoulli"),
    "best_of_n": ("policies.best_of_n", "BestOfN"),
    "best_of_poisson": ("policies.best_of_poisson", "BestOfPoisson"),
    "best_of_random": ("policies.best_of_random", "BestOfRandom"),
    "beta": ("laws.beta", "Beta"),
    "binomial": ("policies.random_draws", "Binomial"),
    "check": ("analysis.check", "check"),
    "derive": ("functionals.derive", "derive"),
    "evaluate_float64": ("functionals.float64", "evaluate"),
    "exponential": ("laws.exponential", "Exponential"),
    "finite": ("laws.finite", "Finite"),
    "finite_pmf": ("policies.random_draws", "FinitePmf"),
    "from_scipy": ("laws.adapters", "from_scipy"),
    "from_sympy": ("laws.adapters", "from_sympy"),
    "gamma": ("laws.gamma", "Gamma"),
    "gap_at": ("functionals.gap", "gap_at"),
    "gap_of": ("functionals.gap", "gap_of"),
    "gap_supremum": ("functionals.gap_supremum", "gap_supremum"),
    "geometric": ("policies.random_draws", "Geometric"),
    "geometric_law": ("laws.geometric", "Geometric"),
    "gold_with_extrema": ("analysis.prescribed", "gold_with_extrema"),
    "gumbel": ("laws.gumbel", "Gumbel"),
    "kl_divergence": ("functionals.quantities", "kl_divergence"),
    "laplace": ("laws.laplace", "Laplace"),
    "logistic": ("laws.logistic", "Logistic"),
    "lognormal": ("laws.lognormal", "LogNormal"),
    "mixture": ("laws.mixed", "mixture"),
    "negative_binomial": ("policies.random_draws", "NegativeBinomial"),
    "normal": ("laws.normal", "Normal"),
    "pareto": ("laws.pareto", "Pareto"),
    "parse_family": ("spec.grammar", "parse_family"),
    "parse_gold": ("spec.grammar", "parse_gold"),
    "parse_joint": ("spec.grammar", "parse_joint"),
    "parse_law": ("spec.grammar", "parse_law"),
    "parse_policy": ("spec.grammar", "parse_policy"),
    "poisson": ("laws.poisson", "Poisson"),
    "quantile_tilt": ("policies.quantile_tilt", "QuantileTilt"),
    "randomised_best_of_n": ("analysis.randomised.decide", "decide"),
    "read_table": ("hedgetune.table", "read_table"),
    "reduce_distributed": ("hedgetune.distributed", "reduce_distributed"),
    "reduce_table": ("hedgetune.streaming", "reduce_table"),
    "sample": ("policies.sampling.sample", "sample"),
    "samples": ("laws.samples", "Samples"),
    "select": ("policies.sampling.select", "select"),
    "shaped": ("laws.shaped", "Shaped"),
    "sibuya": ("policies.random_draws", "Sibuya"),
    "soft_best_of_n": ("policies.soft_best_of_n", "SoftBestOfN"),
    "soft_thresholds": ("functionals.soft_floating.threshold", "soft_thresholds"),
    "student_t": ("laws.student_t", "StudentT"),
    "threshold": ("analysis.check", "threshold"),
    "tilt": ("policies.tilt", "Tilt"),
    "truncated": ("laws.truncated", "Truncated"),
    "tune": ("hedgetune.tune", "tune"),
    "tune_large": ("hedgetune.large", "tune_large"),
    "uniform": ("laws.uniform", "Uniform"),
    "value": ("functionals.quantities", "value"),
    "verify": ("ledger", "verify"),
    "weibull": ("laws.weibull", "Weibull"),
    "zero_truncated_poisson": ("policies.random_draws", "ZeroTruncatedPoisson"),
}

__all__ = [
    "CheckResult",
    "Construction",
    "Derivation",
    "GapPoint",
    "GapSupremum",
    "HedgeTheoryError",
    "HedgeTune",
    "InputError",
    "NotCertified",
    "NotOnThisLaw",
    "Number",
    "Randomised",
    "Reduction",
    "Sample",
    "SoftBestOfNFloats",
    "SoftBestOfNSamples",
    "Table",
    "TuneResult",
    "__version__",
    "affine",
    "bernoulli",
    "best_of_n",
    "best_of_poisson",
    "best_of_random",
    "beta",
    "binomial",
    "check",
    "derive",
    "evaluate_float64",
    "exponential",
    "finite",
    "finite_pmf",
    "from_scipy",
    "from_sympy",
    "gamma",
    "gap_at",
    "gap_of",
    "gap_supremum",
    "geometric",
    "geometric_law",
    "gold_with_extrema",
    "gumbel",
    "kl_divergence",
    "laplace",
    "logistic",
    "lognormal",
    "mixture",
    "negative_binomial",
    "normal",
    "pareto",
    "parse_family",
    "parse_gold",
    "parse_joint",
    "parse_law",
    "parse_policy",
    "poisson",
    "quantile_tilt",
    "randomised_best_of_n",
    "read_table",
    "reduce_distributed",
    "reduce_table",
    "sample",
    "samples",
    "select",
    "shaped",
    "sibuya",
    "soft_best_of_n",
    "soft_thresholds",
    "student_t",
    "threshold",
    "tilt",
    "truncated",
    "tune",
    "tune_large",
    "uniform",
    "value",
    "verify",
    "weibull",
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
