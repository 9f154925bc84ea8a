"""Known mistakes (MUTANTS), each stated once as the wrong number that it gives."""

from __future__ import annotations

from collections.abc import Sequence

from hedgetheory.reference.mistakes import designs, divergences, estimators, numerics, policies
from hedgetheory.reference.mistakes.facts import Facts, Mistake

#: The first that explains an answer is its hint: those of MUTANTS before the general ones.
MISTAKES: Sequence[Mistake] = (
    Mistake("bop-exponent", 1, "e^{mu(1-u)} for e^{mu(u-1)}, renormalised",
            policies.exponent_flipped),
    Mistake("bop-score", 2, "the score with u and u - 1 exchanged", policies.score_exchanged),
    Mistake("soft-as-product", 3, "Soft Best-of-n taken as u^(n-1) e^(lam r), which at lam = 0 is "
            "Best-of-n; draw n and pick by softmax is another law", policies.soft_as_product),
    Mistake("incomplete-gamma", 4, "the incomplete gamma function, which has e^(-lam u), used for "
            "e^(+lam u)", policies.incomplete_gamma),
    Mistake("gamma-overflow", 4, "Gamma(n) overflowing, as it does from n = 172 on: use its "
            "logarithm", matches=policies.gamma_overflows),
    Mistake("marginal-slope", 5, "the slope in lam taken as the covariance of gold and reward "
            "under the policy; it is the mean of the covariance within the n drawn",
            policies.marginal_slope, policies.marginal_slope_without_root),
    Mistake("kl-on-atoms", 15, "the closed form of a law without atoms (ln n - 1 + 1/n, n/(n+1), "
            "...) on a law with atoms", divergences.on_atoms),
    Mistake("pass-beyond-samples", 11, "pass@k answered 1 for more draws than there are samples",
            matches=estimators.more_than_there_are),
    Mistake("with-replacement", 12, "draws with replacement (a bootstrap): biased; every subset of "
            "n counts once", estimators.with_replacement),
    Mistake("without-replacement", 0, "the unbiased estimate over subsets; the plug-in draws with "
            "replacement", estimators.without_replacement),
    Mistake("first-n", 13, "the first n responses only, instead of the mean over all subsets",
            estimators.first_n),
    Mistake("ties-unshared", 0, "a tie given to its first or last response: tied responses share "
            "their mean gold", estimators.ties_unshared),
    Mistake("unsorted-ranks", 7, "gold not in the order of the proxy", estimators.unsorted_ranks),
    Mistake("other-kl", 6, "the KL of another policy at this parameter", divergences.other_policy),
    Mistake("histogram", 16, "the KL of a histogram of samples: too small, by what varies "
            "within a bin", divergences.histogram),
    Mistake("naive-ei", 17, "the form with Ei(mu+1) - Ei(1) outside 1e-3 < mu < 709: use the "
            "scaled integral e^{-x} Ei(x), and a series near 0", matches=policies.naive_ei),
    Mistake("lost-peak", 17, "a quadrature whose nodes miss the peak: substitute so that the peak "
            "is as wide as the interval", matches=policies.lost_peak),
    Mistake("bon-cancellation", 18, "ln n - 1 + 1/n cancelling near n = 1: use "
            "log1p(x) - x/(1+x) by its series, x = n - 1",
            matches=numerics.cancellation_in_best_of_n),
    Mistake("finite-for-infinite", 19, "an integral that diverges, cut off or sampled: the value "
            "is infinite", matches=numerics.finite_where_infinite),
    Mistake("nowhere", 19, "a number where the policy or the quantity does not exist on this law "
            "(M(lam) infinite, no density at an atom, ...)", matches=numerics.number_where_none),
    *designs.MISTAKES,
    Mistake("reversed-kl", 0, "KL(reference||policy), the wrong way round",
            divergences.reversed_kl),
    Mistake("bits", 0, "bits instead of nats", divergences.in_bits),
    Mistake("one-draw-off", 0, "n one off", divergences.one_draw_off),
    Mistake("cancellation", 0, "a closed form cancelling near the identity policy: use expm1, "
            "log1p or a series there", matches=numerics.cancellation),
    Mistake("overflow", 0, "an overflow: work with logarithms or scaled functions",
            matches=numerics.overflow),
    Mistake("single-precision", 0, "single precision", matches=numerics.single_precision),
)  # fmt: skip
ROUNDED = Mistake(
    "rounded-threshold", 10,
    "the real n rounded to the nearest integer: compare the values of both neighbours",
)  # fmt: skip

__all__ = ["MISTAKES", "ROUNDED", "Facts", "Mistake"]
