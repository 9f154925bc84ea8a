"""Known mistakes in related systems: of their functions, of their policies and laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from hedgetheory.reference.mistakes import design_functions as functions
from hedgetheory.reference.mistakes.facts import Facts, Mistake, Values
from hedgetheory.reference.wrong_laws import Array, Asked, FloatLaw, float_law, functional, grid

# -- SuperHF and likelihoods -----------------------------------------------------------------------


def prior_unnormalised(f: Facts) -> Values:
    """G ← Gⁿ + βu, without the division by 1 + β."""
    if f.policy != "superhf" or f.law != "uniform":
        return
    n, beta, rounds = f.p["n"], f.p["beta"], int(f.p["rounds"])

    def both(u: Array) -> tuple[Array, Array]:
        cdf, ratio = u, np.ones_like(u)
        for _ in range(rounds):
            ratio = n * cdf ** (n - 1) * ratio + beta
            cdf = cdf**n + beta * u
        return cdf, ratio

    if f.quantity == "expected_draws":
        yield float(both(np.ones(1))[1][0])
        mean = 1.0
        for _ in range(rounds):
            mean = n * mean + beta
        yield mean
    elif f.quantity == "cdf" and f.u is not None:
        yield float(both(np.array([f.u]))[0][0])
    elif f.asked is not None:
        yield functional(lambda u, _: np.log(both(u)[1]), f.asked, log_total=0.0)


def tilt_as_best_of_lambda(f: Facts) -> Values:
    """The log-probability tilt taken as Best-of-n with n = λ/a, one draw short."""
    if f.law != "log_prob" or f.policy != "tilt":
        return
    a = _number(f.inputs["law_parameters"]["a"])
    n = f.p["lam"] / a
    if n <= 0:
        return
    if f.quantity == "kl":
        yield math.log(n) - 1 + 1 / n
    elif f.quantity == "mean_reward":
        yield -1 / (a * n)
    elif f.quantity == "mean_quantile":
        yield n / (n + 1)


# -- shaped laws -----------------------------------------------------------------------------------


def _number(entry: Any) -> float:
    top, _, bottom = entry["rational"].partition("/")
    return int(top) / int(bottom or 1)


def _inner(f: Facts) -> tuple[str, FloatLaw | None, dict[str, float]]:
    """The law under a shaped one, and the shaped one's own numbers."""
    parameters = f.inputs.get("law_parameters", {})
    inner = parameters.get("law", {})
    name = str(inner.get("name", ""))
    plain = {k: _number(v) for k, v in inner.get("parameters", {}).items() if "rational" in v}
    own = {k: _number(v) for k, v in parameters.items() if isinstance(v, dict) and "rational" in v}
    return name, float_law(name, plain), own


def _ratio(f: Facts, reward: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """ln w, up to a constant, of bon, bop and the tilt."""
    if f.policy == "tilt":
        return lambda u, ubar: f.p["lam"] * reward(u, ubar)
    if f.policy == "bon":
        return lambda u, ubar: (f.p["n"] - 1) * np.log(u)
    mu = f.p["mu"]
    return lambda u, ubar: np.log1p(mu * u) - mu * ubar


def steepness_forgotten(f: Facts) -> Values:
    """σ(r − ref) for σ(k(r − ref)): k = 1 whatever was asked."""
    _, law, own = _inner(f)
    if f.law not in ("par", "sigmoid") or law is None or own.get("k") == 1:
        return
    # The median is the one reference of par with m = 1.
    if f.law == "par" and own["m"] != 1:
        return
    half = np.array([0.5])
    place = own["at"] if f.law == "sigmoid" else float(law.quantile(half, half)[0])

    def reward(u: Array, ubar: Array) -> Array:
        return np.asarray(special.expit(law.quantile(u, ubar) - place))

    shaped = FloatLaw(reward, law.cdf, law.density)
    yield functional(_ratio(f, reward), Asked(f.quantity, shaped))


def references_redrawn(f: Facts) -> Values:
    """A reference of its own for each candidate: the best of r − ref wins, not the best of r."""
    name, law, own = _inner(f)
    if f.law not in ("par", "sigmoid") or law is None or name != "normal":
        return
    if f.policy not in ("bon", "bop") or own.get("m", 1.0) != 1:
        return
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)

    def log_ratio(u: Array, _: Array) -> Array:
        score = (special.ndtri(u)[:, None] - nodes[None, :]) / math.sqrt(2)
        below = special.ndtr(score)
        if f.policy == "bon":
            weight = f.p["n"] * below ** (f.p["n"] - 1)
        else:
            mu = f.p["mu"]
            weight = (1 + mu * below) * np.exp(mu * (below - 1))
        return np.asarray(np.log(weight @ weights / math.sqrt(2 * math.pi)))

    yield functional(log_ratio, Asked(f.quantity, law))


def mean_for_min(f: Facts) -> Values:
    """The mean of k rewards for the least of them: of normal ones, e_n/√k under Best-of-n."""
    name, law, own = _inner(f)
    if f.law != "min_of" or law is None or f.quantity != "mean_reward" or f.policy == "tilt":
        return
    if f.policy == "bon" and f.p["n"] == 1:
        g = grid()
        yield float(np.sum(g.weight * law.quantile(g.u, g.ubar)))
    elif name == "normal":
        centre = law.quantile(np.array([0.5]), np.array([0.5]))[0]
        plain = functional(_ratio(f, law.quantile), Asked(f.quantity, law))
        yield None if plain is None else float(centre + (plain - centre) / math.sqrt(own["k"]))


def uncentred(f: Facts) -> Values:
    """σ(x) for σ(x) − ½: half too much on average."""
    if f.law == "treg" and f.quantity == "mean_reward":
        yield f.truth + 0.5


# -- the list --------------------------------------------------------------------------------------

_of, _lost = functions.values_of, functions.lost_to

MISTAKES: tuple[Mistake, ...] = (
    Mistake("ddof", 0, "the variance divided by k where k - 1 is meant, or the other way (ddof)",
            _of(functions.DDOF)),
    Mistake("epsilon-missing", 0, "nothing added to the standard deviation: 0/0 where all rewards "
            "are equal", _of(functions.NO_EPSILON), _lost(functions.NO_EPSILON)),
    Mistake("epsilon-in-root", 0, "epsilon added to the variance instead of the standard deviation",
            _of(functions.EPSILON_IN_ROOT)),
    Mistake("k3-inverted", 0, "k3 with rho = policy/reference: rho is reference/policy",
            _of(functions.K_THREE)),
    Mistake("ties-lost", 0, "a tie counted as lost or won: ties are split evenly",
            _of(functions.TIES_LOST)),
    Mistake("kendall-size", 0, "the variance of Kendall's tau with another number than that of the "
            "responses (one off, or of pairs)", _of(functions.KENDALL_SIZE)),
    Mistake("tau-b", 0, "Kendall's tau-b, which takes ties out of the pairs, for tau-a",
            _of(functions.TAU_B)),
    Mistake("mean-for-min", 0, "the mean of the members for the least of them",
            lambda f: [*_of(functions.MEAN_FOR_MIN)(f), *mean_for_min(f)]),
    Mistake("prior-unnormalised", 0, "beta forgotten in the normaliser: G^n + beta u is to be "
            "divided by 1 + beta",
            lambda f: [*_of(functions.UNNORMALISED)(f), *prior_unnormalised(f)]),
    Mistake("delta-last-index", 0, "the last index of Delta one off: step K - 1 keeps its score, "
            "the last has none", _of(functions.LAST_INDEX)),
    Mistake("jepo-log-of-sum", 0, "the logarithm of the sum over the group, - ln G forgotten",
            _of(functions.LOG_OF_SUM)),
    Mistake("token-uncentred", 0, "sigma(x) for sigma(x) - 1/2",
            lambda f: [*_of(functions.UNCENTRED)(f), *uncentred(f)]),
    Mistake("terminal-twice", 0, "the terminal reward counted twice: the last weight is to be "
            "divided by those already applied", _of(functions.TWICE)),
    Mistake("skipped-weight", 0, "the weight of a skipped resampling dropped",
            _of(functions.DROPPED)),
    Mistake("clamp-forgotten", 0, "weights not clamped at 1e10", _of(functions.UNCLAMPED),
            functions.overflows),
    Mistake("tilt-one-draw-short", 0, "the tilt by lam of log-probabilities taken as Best-of-n "
            "with n = lam: it is 1 + lam", tilt_as_best_of_lambda),
    Mistake("steepness-forgotten", 0, "sigma(r - ref) for sigma(k (r - ref))", steepness_forgotten),
    Mistake("references-redrawn", 0, "references drawn anew for each candidate: with the same ones "
            "for all, the order is that of r", references_redrawn),
)  # fmt: skip
