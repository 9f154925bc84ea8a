"""float64 kernels for the functionals, conditioned over the whole range of the parameter.

Every kernel maps arrays of float64 to arrays of float64, without warnings, and has a relative error
of a few ulp at every representable argument of its domain. Three devices do it:

- *pairs*: an unevaluated sum high + low of two float64 carries some 100 bits. exp(y) turns an error
  of y into |y| times as large a relative error, so that an exponent of 700 needs more than 53 bits;
- *pieces*: near the identity policy a polynomial fitted to the quotient by the leading power, far
  from it the terms that do not cancel, in between polynomials for what cancels. Their coefficients
  are computed once, at first use, from the definition in mpmath, so that no formula is typed twice;
- *blocks*: large arrays are worked on in pieces that stay in the cache; the KL divergences write
  into their output, and unsorted parameters into a table of cells, without a branch.

One file for each family of functions; this one only gathers their names.
"""

from __future__ import annotations

from hedgetheory.numerics.kernels.best_of_n import (
    BON_KL_EDGES,
    bon_chi2,
    bon_kl,
    bon_kl_into,
    bon_total_variation,
)
from hedgetheory.numerics.kernels.best_of_poisson import (
    BOP_KL_EDGES,
    bop_chi2,
    bop_kl,
    bop_kl_into,
    bop_total_variation,
)
from hedgetheory.numerics.kernels.fused import buffers
from hedgetheory.numerics.kernels.gamma_function import (
    GUMBEL_CHI2_EDGE,
    GUMBEL_KL_EDGE,
    digamma,
    gumbel_mean,
    gumbel_tilt_chi2,
    gumbel_tilt_kl,
    log_gamma_1p,
    pareto_mean,
    small_gamma_tails,
)
from hedgetheory.numerics.kernels.incomplete import (
    GREATEST_SHAPE,
    LEAST_SHAPE,
    log_beta_constant,
    log_beta_tails,
    log_gamma_constant,
    log_gamma_tails,
    log_one_minus_exp,
)
from hedgetheory.numerics.kernels.logistic import (
    LOGISTIC_EDGE,
    logistic_tilt_chi2,
    logistic_tilt_kl,
    logistic_tilt_mean,
    sinc_pi,
)
from hedgetheory.numerics.kernels.normal import (
    erf,
    half_square,
    log_normal_density_pair,
    log_normal_tail,
    log_normal_tail_pair,
    ndtr,
    normal_tail,
    normal_tail_pair,
)
from hedgetheory.numerics.kernels.normal_power import HIGH_END, LOW_END, log_cdf_parts, power
from hedgetheory.numerics.kernels.pairs import (
    LOG_SQRT_2PI,
    SQRT_2PI,
    as_pair,
    choose,
    constant_pair,
    exp_of,
    exp_pair,
    expm1_of,
    expm1_pair,
    log1p_pair,
    log_pair,
    negative,
    pair_of,
    pair_product,
    pair_quotient,
    pair_sum,
    two_product,
    two_sum,
)
from hedgetheory.numerics.kernels.pieces import BLOCK, WIDE_BLOCK, Array, Pair, mp_context
from hedgetheory.numerics.kernels.quantile_tilt import (
    TILT_KL_EDGES,
    langevin,
    log_sinhc,
    tilt_kl,
    tilt_kl_into,
    tilt_logit,
    tilt_shortfall,
    tilt_total_variation,
)
from hedgetheory.numerics.kernels.special import (
    ein,
    harmonic,
    minus_log1pmx,
    phi1_minus,
    phi2_minus,
)

__all__ = [
    "BLOCK",
    "BON_KL_EDGES",
    "BOP_KL_EDGES",
    "GREATEST_SHAPE",
    "GUMBEL_CHI2_EDGE",
    "GUMBEL_KL_EDGE",
    "HIGH_END",
    "LEAST_SHAPE",
    "LOGISTIC_EDGE",
    "LOG_SQRT_2PI",
    "LOW_END",
    "SQRT_2PI",
    "TILT_KL_EDGES",
    "WIDE_BLOCK",
    "Array",
    "Pair",
    "as_pair",
    "bon_chi2",
    "bon_kl",
    "bon_kl_into",
    "bon_total_variation",
    "bop_chi2",
    "bop_kl",
    "bop_kl_into",
    "bop_total_variation",
    "buffers",
    "choose",
    "constant_pair",
    "digamma",
    "ein",
    "erf",
    "exp_of",
    "exp_pair",
    "expm1_of",
    "expm1_pair",
    "gumbel_mean",
    "gumbel_tilt_chi2",
    "gumbel_tilt_kl",
    "half_square",
    "harmonic",
    "langevin",
    "log1p_pair",
    "log_beta_constant",
    "log_beta_tails",
    "log_cdf_parts",
    "log_gamma_1p",
    "log_gamma_constant",
    "log_gamma_tails",
    "log_normal_density_pair",
    "log_normal_tail",
    "log_normal_tail_pair",
    "log_one_minus_exp",
    "log_pair",
    "log_sinhc",
    "logistic_tilt_chi2",
    "logistic_tilt_kl",
    "logistic_tilt_mean",
    "minus_log1pmx",
    "mp_context",
    "ndtr",
    "negative",
    "normal_tail",
    "normal_tail_pair",
    "pair_of",
    "pair_product",
    "pair_quotient",
    "pair_sum",
    "pareto_mean",
    "phi1_minus",
    "phi2_minus",
    "power",
    "sinc_pi",
    "small_gamma_tails",
    "tilt_kl",
    "tilt_kl_into",
    "tilt_logit",
    "tilt_shortfall",
    "tilt_total_variation",
    "two_product",
    "two_sum",
]
