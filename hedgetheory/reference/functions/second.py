"""The functions of related systems once more, by hand and by another route than the package's.

From the standard library's `statistics` in rationals, enumeration, another formula, a root or an
integral in mpmath: the name of the method, and what computes it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from hedgetheory.reference.functions import groups, steps
from hedgetheory.reference.functions.arithmetic import mp, real

SECOND: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "ensembles.mean": ("statistics", lambda rewards, c: statistics.mean(rewards)),
    "ensembles.median": ("statistics", lambda rewards, c: statistics.median(rewards)),
    "ensembles.min": ("sorted", lambda rewards, c: sorted(rewards)[0]),
    "ensembles.mean_minus_std_ddof0": ("statistics and mpmath", groups.less_std(0)),
    "ensembles.mean_minus_std_ddof1": ("statistics and mpmath", groups.less_std(1)),
    "ensembles.mean_minus_var_ddof0": ("statistics", groups.less_var(0)),
    "ensembles.mean_minus_var_ddof1": ("statistics", groups.less_var(1)),
    "partial_margin": ("all extreme scores", groups.margin),
    "partial_jaccard": ("counting", groups.jaccard),
    "partial_no_gradient": ("binomial sum", groups.no_gradient),
    "partial_success_with_dominance": ("binomial sum", groups.dominated_success),
    "partial_success": ("the first query wins, n times", groups.success),
    "contamination.best_of_n": ("integral in mpmath", groups.contaminated_value),
    "contamination.threshold": ("bisection in mpmath", groups.contaminated_threshold),
    "contamination.least_kl": ("duality in mpmath", groups.least_kl),
    "majority.accuracy": ("incomplete beta function in mpmath", groups.majority),
    "majority.plurality": ("all counts", groups.plurality),
    "majority.best_of_n": ("binomial sum", groups.agreed_success),
    "process_clip_return": ("powers of gamma", steps.clip_return),
    "process_delta_return": ("telescoped", steps.delta_return),
    "likelihood.jepo_uniform": ("Frullani's integral in mpmath", steps.jepo_uniform),
    "likelihood.standardised": ("statistics and mpmath", groups.standardised),
    "listwise.reward": ("what is not penalised", steps.listwise),
    "listwise.share_of_ties": ("counting", steps.share_of_ties),
    "cream.kendall_tau": ("agreeing less disagreeing pairs", steps.kendall),
    "cream.loss": ("logarithms of sigma in mpmath", steps.cream_loss),
    "cream.optimal_margin": ("artanh in mpmath", lambda tau: 2 * mp.atanh(real(tau))),
    "cream.multiplier": (
        "artanh in mpmath", lambda tau, beta: mp.exp(2 * mp.atanh(real(tau)) / real(beta))
    ),
    "cream.null_variance": ("variance of inversions", steps.null_variance),
    "superhf_draws": ("roots of unity in mpmath", steps.draws),
    "superhf_mean_draws": ("closed form", steps.mean_draws),
    "treg.token_reward": ("tanh in mpmath", steps.token_reward),
    "treg.token_weight": ("by hand", lambda reward, alpha: alpha * reward + 1),
    "fk_selection_probability": ("softmax in mpmath", steps.selection),
    "fk_clamped_weight": ("mpmath", steps.clamped),
    "fk_clamp_edge": ("mpmath", lambda lam: mp.log(mp.mpf(10) ** 10) / real(lam)),
    "fk_effective_sample_size": ("1/sum of squared shares", steps.sample_size),
    **{
        f"fk_exponent_{p}": ("step by step", steps.followed(p))
        for p in ("difference", "max", "sum", "terminal")
    },
    "grpo_advantage": ("statistics and mpmath", groups.advantage),
    "grpo_right_advantage": ("statistics and mpmath", groups.right_advantage),
    "grpo_k3": ("expm1 in mpmath", groups.k_three),
}  # fmt: skip
