"""Known mistakes (MUTANTS), each stated once as the wrong number that it gives.

An answer matches a wrong formula where it agrees with it to 10⁻⁶ and a thousand times better than
with the truth. Errors by rounding have no reproducible value; they are recognised by their size:
that of a few roundings of the largest term in the formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import optimize, special

from hedgetheory.reference import sample_mistakes as samples
from hedgetheory.reference.sample_mistakes import Rows
from hedgetheory.reference.wrong_laws import (
    Array,
    Asked,
    FloatLaw,
    functional,
    gold_values,
    soft_masses,
)

#: Agreement with a wrong value, by itself and compared with the truth.
CLOSE, CLOSER = 1e-6, 1e-3
#: What a wrong formula is off by, at least.
FAR = 1e-5
EPSILON = 2.0**-52
#: Roundings that an error may consist of, to be told as one.
ROUNDINGS = 64
BINS = (10, 16, 20, 25, 30, 32, 40, 50, 60, 64, 80, 100, 128, 200, 250, 256, 500, 512, 1000, 1024)
ATOMIC = ("bernoulli", "finite", "poisson", "geometric")


@dataclass(frozen=True)
class Facts:
    """A wrong answer in float64: what was asked, what was given, and the truth (NaN: undefined)."""

    quantity: str
    policy: str
    law: str
    p: dict[str, float]
    given: float
    truth: float
    float_law: FloatLaw | None
    scale: str = "reward"
    u: float | None = None
    reward: float | None = None
    order: float | None = None
    gold: str | None = None
    rows: Rows = ()

    @property
    def on_uniform(self) -> bool:
        return self.law == "uniform" or self.scale == "quantile"

    @property
    def asked(self) -> Asked | None:
        law = self.float_law
        if law is None:
            return None
        return Asked(self.quantity, law, self.u, self.reward, self.order, self.gold)

    @property
    def lost(self) -> bool:
        """Whether the answer is no number where there is one."""
        return not math.isfinite(self.given) and math.isfinite(self.truth)


Values: TypeAlias = "Iterable[float | None]"


@dataclass(frozen=True)
class Mistake:
    """One mistake: its number in MUTANTS (0: not there), what it looks like, and its test.

    ``values`` gives the numbers that it would produce, ``matches`` decides by itself; both may
    return nothing for a case that it does not concern.
    """

    name: str
    number: int
    says: str
    values: Callable[[Facts], Values] | None = None
    matches: Callable[[Facts], bool] | None = None

    def explains(self, facts: Facts) -> bool:
        if self.matches is not None and self.matches(facts):
            return True
        return self.values is not None and any(
            wrong is not None and _agrees(facts, wrong) for wrong in self.values(facts)
        )


def _agrees(facts: Facts, wrong: float) -> bool:
    if not (math.isfinite(wrong) and math.isfinite(facts.given)):
        return False
    distance = abs(facts.given - wrong)
    if distance > CLOSE * abs(wrong):
        return False
    if not math.isfinite(facts.truth):
        return True
    off = abs(facts.given - facts.truth)
    # What is off by less may be rounding; a formula that is nearly right explains nothing.
    return off > FAR * abs(facts.truth) and distance <= CLOSER * off


# -- Best-of-Poisson -------------------------------------------------------------------------------


def _exponent_flipped(f: Facts) -> Values:
    if f.policy == "bop" and f.asked is not None:
        mu = f.p["mu"]
        yield functional(lambda u, ubar: np.log1p(mu * u) + mu * ubar, f.asked)


def _score_exchanged(f: Facts) -> Values:
    if f.policy == "bop" and f.quantity == "score" and f.u is not None:
        mu, u = f.p["mu"], f.u
        yield u + (u - 1) / (1 + mu * u)
        yield u + (u - 1) / (1 + mu * (u - 1)) if mu * (u - 1) != -1 else None


def _naive_ei(f: Facts) -> bool:
    """e^{−μ−1}(Ei(μ+1) − Ei(1))/μ + ln(1+μ) − 1: terms of size 1/μ near 0; Ei overflows far out."""
    if f.policy != "bop" or f.quantity != "kl" or not f.p["mu"]:
        return False
    mu = f.p["mu"]
    if mu >= 700 and f.lost:
        return True
    # From μ = 709.8 on e^{−μ−1} is 0 before Ei is infinite, which loses the first summand, ~1/μ.
    if mu >= 700 and abs(f.given - (math.log1p(mu) - 1)) <= CLOSE * abs(f.given):
        return abs(f.given - f.truth) > 10 * abs(f.given - (math.log1p(mu) - 1))
    return mu < 1 and _is_rounding(f, 1 / mu + 1)


def _lost_peak(f: Facts) -> bool:
    """A quadrature whose nodes all miss the peak at u = 1."""
    far = max((size for name, size in f.p.items() if name in ("mu", "lam", "n")), default=0) >= 1e3
    integral = f.quantity in ("kl", "chi2", "mean_quantile", "win_rate", "mean_reward", "gold")
    return far and integral and abs(f.given) <= 1e-3 * min(1, abs(f.truth)) != 0


# -- Soft Best-of-n --------------------------------------------------------------------------------


def _soft_as_product(f: Facts) -> Values:
    if f.policy == "sbon" and f.asked is not None:
        n, lam, law = f.p["n"], f.p["lam"], f.asked.law
        on_quantile = f.scale == "quantile"
        yield functional(
            lambda u, ubar: (
                (n - 1) * np.log(u) + lam * (u if on_quantile else law.quantile(u, ubar))
            ),
            f.asked,
        )


def _incomplete_gamma(f: Facts) -> Values:
    """u^{n−1}e^{λu} over γ(n, λ)/λⁿ, which is ∫ u^{n−1} e^{−λu}."""
    if f.policy == "sbon" and f.asked is not None and f.on_uniform and f.p["lam"] > 0:
        n, lam = f.p["n"], f.p["lam"]
        log_total = float(np.log(special.gammainc(n, lam)) + special.gammaln(n) - n * math.log(lam))
        yield functional(lambda u, _: (n - 1) * np.log(u) + lam * u, f.asked, log_total)


def _gamma_overflows(f: Facts) -> bool:
    return f.policy == "sbon" and f.p["n"] >= 172 and f.lost


def _marginal_slope(f: Facts) -> Values:
    """Where Cov(g, r) under the policy vanishes; no such λ is given as not a number."""
    if f.policy == "sbon" and f.quantity == "threshold" and f.on_uniform and f.gold and "n" in f.p:
        yield from _sign_changes(lambda lam: _covariance(f, lam), np.geomspace(0.05, 128, 24))


def _marginal_slope_without_root(f: Facts) -> bool:
    return (
        f.policy == "sbon"
        and f.quantity == "threshold"
        and f.on_uniform
        and bool(f.gold)
        and "n" in f.p
        and f.lost
        and not list(_marginal_slope(f))
    )


def _covariance(f: Facts, lam: float) -> float:
    u, mass = soft_masses(f.p["n"], lam)
    gold = gold_values(f.gold or "", u, u)
    if gold is None:
        return math.nan
    return float(np.sum(mass * gold * (u - np.sum(mass * u))))


def _sign_changes(function: Callable[[float], float], grid: Array) -> Iterator[float]:
    values = [function(float(x)) for x in grid]
    for a, b, at_a, at_b in zip(grid, grid[1:], values, values[1:], strict=False):
        if at_a * at_b < 0:
            yield float(optimize.brentq(function, float(a), float(b), rtol=1e-10))


# -- divergences -----------------------------------------------------------------------------------


def kl_best_of_n(n: float) -> float:
    return math.log(n) - (n - 1) / n


def kl_best_of_poisson(mu: float) -> float:
    if mu < 1e-2:
        return mu * mu / 6
    if mu > 600:
        return math.log1p(mu) - 1 + 1 / mu
    ei = float(special.expi(mu + 1) - special.expi(1))
    return math.exp(-mu - 1) * ei / mu + math.log1p(mu) - 1


def kl_quantile_tilt(lam: float) -> float:
    if lam < 1e-2:
        return lam * lam / 24
    return lam / -math.expm1(-lam) - 1 - (lam + math.log(-math.expm1(-lam) / lam))


def _other_policy(f: Facts) -> Values:
    """The KL of another policy at this parameter, or at the one that draws as many."""
    if f.quantity != "kl":
        return
    if f.policy == "bon":
        n = f.p["n"]
        yield from (kl_best_of_poisson(n), kl_best_of_poisson(n - 1), kl_quantile_tilt(n))
    elif f.policy == "bop":
        mu = f.p["mu"]
        yield from (
            kl_best_of_n(mu) if mu > 0 else None,
            kl_best_of_n(mu + 1),
            kl_quantile_tilt(mu),
        )
    elif f.policy == "quantile_tilt":
        lam = f.p["lam"]
        yield from (kl_best_of_poisson(lam), kl_best_of_n(lam) if lam > 0 else None)


def _continuous(quantity: str, policy: str, p: dict[str, float]) -> float | None:
    """The closed forms of a law without atoms."""
    if quantity == "kl" and policy in _KL:
        return _KL[policy](next(iter(p.values())))
    if quantity in ("win_rate", "mean_quantile") and policy == "bon":
        return p["n"] / (p["n"] + 1)
    if quantity in ("win_rate", "mean_quantile") and policy == "bop" and p["mu"] > 0.01:
        return 1 - 1 / p["mu"] - math.expm1(-p["mu"]) / p["mu"] ** 2
    return None


_KL = {"bon": kl_best_of_n, "bop": kl_best_of_poisson, "quantile_tilt": kl_quantile_tilt}


def _on_atoms(f: Facts) -> Values:
    if f.law in ATOMIC:
        yield _continuous(f.quantity, f.policy, f.p)


def _histogram(f: Facts) -> Values:
    """Σ q_i ln(q_i B) over B bins of equal mass: what a histogram of endless samples gives."""
    cdf = _CDF.get(f.policy)
    if f.quantity == "kl" and cdf is not None and f.law not in ATOMIC:
        for bins in BINS:
            mass = np.diff(cdf(np.linspace(0, 1, bins + 1), next(iter(f.p.values()))))
            yield float(np.sum(special.xlogy(mass, mass * bins)))


_CDF: dict[str, Callable[[Array, float], Array]] = {
    "bon": lambda u, n: u**n,
    "bop": lambda u, mu: u * np.exp(mu * (u - 1)),
    "quantile_tilt": lambda u, lam: np.exp(lam * (u - 1)) * np.expm1(-lam * u) / np.expm1(-lam),
}


def _reversed_kl(f: Facts) -> Values:
    if f.quantity == "kl" and f.policy == "bon":
        yield f.p["n"] - 1 - math.log(f.p["n"])


def _in_bits(f: Facts) -> Values:
    if f.quantity in ("kl", "renyi") and math.isfinite(f.truth):
        yield f.truth / math.log(2)


def _one_draw_off(f: Facts) -> Values:
    if f.policy == "bon" and f.law not in ATOMIC:
        for n in (f.p["n"] - 1, f.p["n"] + 1):
            if n > 0:
                yield _continuous(f.quantity, "bon", {"n": n})


# -- estimators ------------------------------------------------------------------------------------


def _draws(f: Facts) -> int:
    """The n of Best-of-n on responses; 0 where that is not what is asked."""
    n = f.p.get("n", 0.0) if f.policy == "bon" and f.quantity in samples.WEIGHTS else 0.0
    return int(n) if 1 <= n <= len(f.rows) or (n >= 1 and f.quantity == "sample_plug_in") else 0


def _unsorted_ranks(f: Facts) -> Values:
    if n := _draws(f):
        yield from map(float, samples.unsorted(f.quantity, f.rows, n))


def _first_n(f: Facts) -> Values:
    if n := _draws(f):
        yield float(samples.first_n(f.rows, n))


def _with_replacement(f: Facts) -> Values:
    if (n := _draws(f)) and f.quantity != "sample_plug_in":
        yield float(samples.other_weights(f.quantity, f.rows, n))


def _without_replacement(f: Facts) -> Values:
    n = _draws(f)
    if f.quantity == "sample_plug_in" and 1 <= n <= len(f.rows):
        yield float(samples.other_weights(f.quantity, f.rows, n))


def _ties_unshared(f: Facts) -> Values:
    if n := _draws(f):
        yield from map(float, samples.ties_unshared(f.quantity, f.rows, n))


def _more_than_there_are(f: Facts) -> bool:
    return f.quantity == "sample_pass_at_k" and f.p["n"] > len(f.rows) and f.given == 1


# -- rounding and breaking down --------------------------------------------------------------------


def _is_rounding(f: Facts, size: float) -> bool:
    """Whether the error is that of rounding a term of this size, and the value much smaller."""
    if not (math.isfinite(f.given) and math.isfinite(f.truth)):
        return False
    error = abs(f.given - f.truth)
    return error <= ROUNDINGS * EPSILON * size and abs(f.truth) <= 1e-3 * size


def _cancellation_in_best_of_n(f: Facts) -> bool:
    return f.policy == "bon" and f.quantity == "kl" and f.p["n"] < 2 and _is_rounding(f, 1)


def _cancellation(f: Facts) -> bool:
    """The closed forms near the identity policy: terms of size 1, 1/θ and 1/θ² cancel."""
    theta = f.p.get("mu", f.p.get("lam", 0.0))
    if not 0 < theta < 1:
        return f.policy == "bon" and f.p["n"] < 2 and _is_rounding(f, 1)
    if f.quantity in ("mean_quantile", "win_rate", "mean_reward"):
        error = abs(f.given - f.truth)
        return not math.isfinite(f.given) or error <= ROUNDINGS * EPSILON / theta**2
    return f.quantity in ("kl", "chi2", "total_variation", "renyi") and _is_rounding(
        f, 1 + 1 / theta
    )


def _single_precision(f: Facts) -> bool:
    return math.isfinite(f.truth) and abs(f.given - f.truth) <= 2.0**-21 * abs(f.truth)


def _finite_where_infinite(f: Facts) -> bool:
    return math.isinf(f.truth) and math.isfinite(f.given)


def _number_where_none(f: Facts) -> bool:
    return math.isnan(f.truth) and not math.isnan(f.given)


def _overflow(f: Facts) -> bool:
    far = any(size >= 170 for name, size in f.p.items() if name in ("n", "lam", "mu"))
    return far and f.lost


#: The first that explains an answer is its hint: those of MUTANTS before the general ones.
MISTAKES: Sequence[Mistake] = (
    Mistake("bop-exponent", 1, "e^{mu(1-u)} for e^{mu(u-1)}, renormalised", _exponent_flipped),
    Mistake("bop-score", 2, "the score with u and u - 1 exchanged", _score_exchanged),
    Mistake("soft-as-product", 3, "Soft Best-of-n taken as u^(n-1) e^(lam r), which at lam = 0 is "
            "Best-of-n; draw n and pick by softmax is another law", _soft_as_product),
    Mistake("incomplete-gamma", 4, "the incomplete gamma function, which has e^(-lam u), used for "
            "e^(+lam u)", _incomplete_gamma),
    Mistake("gamma-overflow", 4, "Gamma(n) overflowing, as it does from n = 172 on: use its "
            "logarithm", matches=_gamma_overflows),
    Mistake("marginal-slope", 5, "the slope in lam taken as the covariance of gold and reward "
            "under the policy; it is the mean of the covariance within the n drawn",
            _marginal_slope, _marginal_slope_without_root),
    Mistake("kl-on-atoms", 15, "the closed form of a law without atoms (ln n - 1 + 1/n, n/(n+1), "
            "...) on a law with atoms", _on_atoms),
    Mistake("pass-beyond-samples", 11, "pass@k answered 1 for more draws than there are samples",
            matches=_more_than_there_are),
    Mistake("with-replacement", 12, "draws with replacement (a bootstrap): biased; every subset of "
            "n counts once", _with_replacement),
    Mistake("without-replacement", 0, "the unbiased estimate over subsets; the plug-in draws with "
            "replacement", _without_replacement),
    Mistake("first-n", 13, "the first n responses only, instead of the mean over all subsets",
            _first_n),
    Mistake("ties-unshared", 0, "a tie given to its first or last response: tied responses share "
            "their mean gold", _ties_unshared),
    Mistake("unsorted-ranks", 7, "gold not in the order of the proxy", _unsorted_ranks),
    Mistake("other-kl", 6, "the KL of another policy at this parameter", _other_policy),
    Mistake("histogram", 16, "the KL of a histogram of samples: too small, by what varies "
            "within a bin", _histogram),
    Mistake("naive-ei", 17, "the form with Ei(mu+1) - Ei(1) outside 1e-3 < mu < 709: use the "
            "scaled integral e^{-x} Ei(x), and a series near 0", matches=_naive_ei),
    Mistake("lost-peak", 17, "a quadrature whose nodes miss the peak: substitute so that the peak "
            "is as wide as the interval", matches=_lost_peak),
    Mistake("bon-cancellation", 18, "ln n - 1 + 1/n cancelling near n = 1: use "
            "log1p(x) - x/(1+x) by its series, x = n - 1", matches=_cancellation_in_best_of_n),
    Mistake("finite-for-infinite", 19, "an integral that diverges, cut off or sampled: the value "
            "is infinite", matches=_finite_where_infinite),
    Mistake("nowhere", 19, "a number where the policy or the quantity does not exist on this law "
            "(M(lam) infinite, no density at an atom, ...)", matches=_number_where_none),
    Mistake("reversed-kl", 0, "KL(reference||policy), the wrong way round", _reversed_kl),
    Mistake("bits", 0, "bits instead of nats", _in_bits),
    Mistake("one-draw-off", 0, "n one off", _one_draw_off),
    Mistake("cancellation", 0, "a closed form cancelling near the identity policy: use expm1, "
            "log1p or a series there", matches=_cancellation),
    Mistake("overflow", 0, "an overflow: work with logarithms or scaled functions",
            matches=_overflow),
    Mistake("single-precision", 0, "single precision", matches=_single_precision),
)  # fmt: skip
ROUNDED = Mistake(
    "rounded-threshold", 10,
    "the real n rounded to the nearest integer: compare the values of both neighbours",
)  # fmt: skip
