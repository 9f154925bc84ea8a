"""The vectorised float64 layer: every functional of BoN, BoP and the tilts over arrays.

`evaluate` takes arrays of parameters and of rewards and returns an array. The formulas are the
conditioned forms of the closed forms that `hedgetheory.functionals.closed_forms` proves; what
certifies them is the comparison with balls in tests/functionals/test_float64_record.py, whose worst
errors are recorded in float64_record.json beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError, NotOnThisLaw, must_be, nearest
from hedgetheory.exact import short
from hedgetheory.functionals.floating.gold import Polynomial, polynomial_of
from hedgetheory.functionals.floating.laws import POINTS
from hedgetheory.functionals.floating.points import Points
from hedgetheory.functionals.floating.rank import RANK
from hedgetheory.functionals.floating.tilt import TILT
from hedgetheory.laws.base import Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

FAMILIES: dict[str, type[Policy]] = {
    family.name: family for family in (BestOfN, BestOfPoisson, QuantileTilt, Tilt)
}
POINTWISE = ("density", "ratio", "cdf", "survival", "score")
FUNCTIONALS = ("kl", "chi2", "total_variation", "mean_reward", "mean_quantile", "win_rate")
OF_GOLD = ("gold", "slope")

#: Larger parameters are refused: products of three such numbers stay in the range.
MAX_PARAMETER = 1e100
#: Elements at a time of pointwise formulas.
_POINTS_BLOCK = 8192


def evaluate(
    quantity: str,
    family: str | type[Policy],
    thetas: ArrayLike,
    law: Law | None = None,
    *,
    at: ArrayLike | None = None,
    gold: Any = None,
    excess: bool = False,
) -> Array:
    """A quantity of a one-parameter family at arrays of parameters and rewards, in float64.

    The quantities are those of `hedgetheory.functionals.quantities` by their names: "density",
    "ratio" w = dπ/dπ_ref, "cdf", "survival" 1 − cdf and "score" ∂_θ ln w at rewards; "kl" (nats),
    "chi2", "total_variation", "mean_reward", "mean_quantile" and "win_rate" of the policy; "gold"
    f(θ) = E_θ[g(F(R))] and "slope" f′(θ) of a polynomial gold curve g.

    The families are Best-of-n, w = n u^{n−1} (n >= 1), Best-of-Poisson, w = (1 + μu) e^{μ(u−1)}
    (μ >= 0), the quantile tilt, w = λ e^{λu}/(e^λ − 1), and the tilt, w = e^{λr}/M(λ) (λ >= 0, in
    the unit 1/reward, where M(λ) is finite), with u = F(r). The laws have no atoms.

    Args:
        quantity: a name of `POINTWISE` or `FUNCTIONALS`.
        family: a policy class or its name: "bon", "bop", "quantile_tilt" or "tilt".
        thetas: parameters, any shape; each float64 is taken as the exact number that it is.
        law: uniform (the default), normal, exponential, logistic, Gumbel, Laplace, Weibull, Pareto,
            lognormal, gamma, beta or Student's t, with its exact parameters; shapes of the last
            three (df for t) in [1e-6, 1e4]. Tilts: uniform, normal, exponential, logistic, Gumbel,
            Laplace, gamma. Mean rewards of rank policies: on the first four, and of Best-of-n on
            Gumbel, Pareto and beta(a, 1).
        at: rewards, for pointwise quantities; any shape that broadcasts against ``thetas``.
        gold: for "gold" and "slope", a polynomial in u of degree at most 48 with rational
            coefficients, as `hedgetheory.parse_gold` reads it; for rank policies, and for the tilt
            of the uniform law.
        excess: for Best-of-n, whether ``thetas`` are n − 1. n itself is spaced by 2e-16 near 1:
            only the excess can say n − 1 = 1e-20, or 1e-12 to more than four digits.

    Returns an array of the broadcast shape. Guarantee: estimated, by tests against certified balls
    with parameters from 1e-12 to 1e12: relative error at most 1e-13 where the true value is a
    normal float64, except for what has a sign (the score, a mean reward around a location), which
    is right within 16 ulp of its largest term, and gold and slope, which are right within 16 ulp
    times their condition number. That of the gold is the smaller of Σ|b_j| E[B_j] and
    |f(0)| + Σ|b_{j+1} − b_j| (E[J > j] − E₀[J > j]) over |f|, with b_j the Bernstein coefficients
    of g, B_j Bernstein's basis, J binomial(m, U); that of the slope is
    Σ|b_{j+1} − b_j| ∂_θ E[J > j] over |f′|. Neither is larger than with the monomials of g in u,
    Σ|c_k| E[U^k]/|f| and Σ|c_k| ∂_θ E[U^k]/|f′|, or with those in 1 − u. Beyond float64 the value
    is 0 or ∞, without a warning; χ² is ∞ where E[w²] is. Outside the support of the law the density
    is 0, and ratio and score are NaN. Every value is that at the exact binary64 arguments: rounding
    a reward by ε of it has already moved ln u by ε r f(r)/u, and the ratio of Best-of-n by n − 1
    times that.

    Raises InputError for unknown names, parameters out of domain, NaN, missing or superfluous
    ``at`` or ``gold``, a gold that is no such polynomial, laws with atoms, and quantities without a
    closed form here; NotOnThisLaw for a tilt with M(λ) = ∞.

    >>> [f"{x:.12g}" for x in evaluate("kl", "bop", [0.0, 1e-9, 5.0, 1e12])]
    ['0', '1.66666666583e-19', '0.833449425762', '26.6310211159']
    >>> evaluate("density", "bon", [[2.0], [3.0]], at=[0.25, 0.5]).tolist()
    [[0.5, 1.0], [0.1875, 0.75]]
    >>> from hedgetheory.spec.grammar import parse_gold
    >>> found = evaluate("gold", "bon", [1.0, 12.0, 1e12], gold=parse_gold("u**12 * (1 - u)"))
    >>> [f"{x:.12g}" for x in found]
    ['0.00549450549451', '0.02', '9.99999999975e-13']

    Source: closed forms of `hedgetheory.functionals.closed_forms`; KL of Best-of-Poisson: paper,
    Theorem 2 (arXiv 2506.19248).
    """
    where = f"evaluate({quantity}, ...)"
    if quantity not in (*POINTWISE, *FUNCTIONALS, *OF_GOLD):
        hint = nearest(quantity, [*POINTWISE, *FUNCTIONALS, *OF_GOLD])
        raise InputError(f"unknown quantity {quantity}: {hint} [{where}]")
    policy = _family(family, where)
    base = law if law is not None else Uniform()
    if type(base) not in POINTS:
        raise InputError(f"law={base}, but must be {_names(POINTS)} [{where}]")
    theta = _parameters(policy, thetas, excess, where)
    if policy is Tilt:
        _require_finite_mgf(theta, base)
        if type(base) not in TILT:
            raise InputError(
                f"the tilt of {base} has no closed form in float64: use value(...) [{where}]"
            )
        formulas = TILT[type(base)](base)
    else:
        formulas = RANK[policy](base)
    if quantity in formulas.missing:
        raise InputError(f"{formulas.missing[quantity]}: use value(...) [{where}]")
    if (at is not None) != (quantity in POINTWISE):
        wanted = "needs" if at is None else "takes no"
        raise InputError(f"{quantity} {wanted} at=rewards [{where}]")
    if (gold is not None) != (quantity in OF_GOLD):
        wanted = "needs gold=a polynomial" if gold is None else "takes no gold"
        raise InputError(f"{quantity} {wanted} [{where}]")
    method: Callable[..., Any] = getattr(formulas, quantity)
    curve = () if gold is None else (_polynomial(gold, base, where),)
    # n − 1 is exact for every float64 n from 1 to 2^53.
    shift = 1.0 if policy is BestOfN and not excess else 0.0

    def compute(t: Array, *points: Points) -> Any:
        return method(t - shift if shift else t, *points, *curve)

    into = getattr(formulas, quantity + "_into", None)
    if into is not None:
        return _fused(into, theta, shift)
    if at is None:
        return _blockwise(compute, theta, size=k.WIDE_BLOCK)
    rewards = _numbers("at", at, where)
    kind = POINTS[type(base)]
    low, high = base.support  # type: ignore[attr-defined]

    def pointwise(t: Array, r: Array) -> Any:
        points = kind(base, r)
        result = compute(t, points)
        if points.all_inside:
            return result
        below = r < (-np.inf if low is None else float(low))
        above = r > (np.inf if high is None else float(high))
        outside: dict[str, Any] = {"density": 0.0, "cdf": 1.0 * above, "survival": 1.0 * below}
        return np.where(below | above, outside.get(quantity, np.nan), result)

    if theta.size == 1 and theta.ndim <= rewards.ndim:
        return _blockwise(lambda r: pointwise(theta.reshape(1), r), rewards, size=_POINTS_BLOCK)
    if theta.shape == rewards.shape:
        return _blockwise(pointwise, theta, rewards, size=_POINTS_BLOCK)
    # At least one dimension each, so that every intermediate is an array.
    result = pointwise(np.atleast_1d(theta), np.atleast_1d(rewards))
    shape = np.broadcast_shapes(theta.shape, rewards.shape)
    return np.reshape(np.asarray(result, dtype=np.float64), shape)


def _polynomial(gold: Any, law: Law, where: str) -> Polynomial:
    if not (hasattr(gold, "expr") and hasattr(gold, "variable")):
        raise InputError(
            f"gold={gold!r}, but must be a formula: hedgetheory.parse_gold reads text [{where}]"
        )
    if gold.variable == "r" and not isinstance(law, Uniform):
        raise InputError(f"gold={gold}, but must be a polynomial in u on this law [{where}]")
    return polynomial_of(gold.expr)


def _blockwise(function: Callable[..., Any], *arrays: Array, size: int) -> Array:
    """A function of arrays of one shape, in blocks whose intermediates stay in the cache."""
    flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
    out = np.empty_like(flat[0])
    for start in range(0, out.size, size):
        out[start : start + size] = function(*(part[start : start + size] for part in flat))
    return out.reshape(arrays[0].shape)


def _fused(into: Callable[[Array, Array], None], theta: Array, shift: float) -> Array:
    """A kernel that writes into its output, at θ − shift, in blocks."""
    flat = np.ascontiguousarray(theta).reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, out.size, k.BLOCK):
        x, here = flat[start : start + k.BLOCK], out[start : start + k.BLOCK]
        if shift:
            # A buffer of its own: the last two belong to what gathers for kernels.
            x = np.subtract(x, shift, out=k.buffers(x.size)[2])
        into(x, here)
    return out.reshape(theta.shape)


def _names(kinds: dict[Any, Any]) -> str:
    return ", ".join(kind.name for kind in kinds)


def _family(family: str | type[Policy], where: str) -> type[Policy]:
    if isinstance(family, str):
        if family not in FAMILIES:
            raise InputError(
                f"unknown family {family}: {nearest(family, list(FAMILIES))} [{where}]"
            )
        return FAMILIES[family]
    if family not in FAMILIES.values():
        raise InputError(f"family={family}, but must be one of {', '.join(FAMILIES)} [{where}]")
    return family


def _as_array(name: str, values: ArrayLike, where: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise must_be(name, values, "numbers", where) from None


def _numbers(name: str, values: ArrayLike, where: str) -> Array:
    array = _as_array(name, values, where)
    if not np.isfinite(array).all():
        raise must_be(name, array[~np.isfinite(array)].flat[0], "finite real numbers", where)
    return array


def _parameters(policy: type[Policy], values: ArrayLike, excess: bool, where: str) -> Array:
    """The parameters as an array, each checked to be in the domain."""
    if excess and policy is not BestOfN:
        raise InputError(f"excess=True is n − 1 of Best-of-n, not of {policy.name} [{where}]")
    symbol = policy.symbols[0].name
    name = f"{symbol} - 1" if excess else symbol
    theta = _as_array(name, values, where)
    least = 1.0 if policy is BestOfN and not excess else 0.0
    # One comparison each that NaN fails, so that an array is read twice and not more.
    if theta.size and not (theta.min() >= least and theta.max() <= MAX_PARAMETER):
        theta = _numbers(name, theta, where)
        if (theta < least).any():
            raise must_be(name, theta[theta < least].flat[0], f"real numbers >= {least:g}", where)
        raise must_be(name, theta.max(), f"at most {MAX_PARAMETER:g}", where)
    return theta


def _require_finite_mgf(theta: Array, law: Any) -> None:
    limit: Fraction | None = law.mgf_limit
    if limit is None or not theta.size:
        return
    largest = float(theta.max())
    if Fraction(largest) >= limit:
        raise NotOnThisLaw(
            f"tilt(lam={largest:g}) does not exist on {law}: E[e^(lam R)] is infinite from "
            f"lam = {short(limit)} on; take lam < {short(limit)}"
        )
