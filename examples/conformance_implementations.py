"""What exists, as somebody would use it: each function answers a case with a library's own means.

For `conformance_findings.py`, and by hand from this folder:
``hedgetheory compare --python conformance_implementations:scipy_beta``. Nothing is repaired here:
the point is what these libraries give. None is "not supported".
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy
import sympy.stats
from scipy import integrate, special, stats

Case = dict[str, Any]
PARAMETER = {"bon": "n", "bop": "mu", "quantile_tilt": "lam"}
MEANS = ("mean_quantile", "mean_reward", "win_rate")
#: Laws of scipy's newer infrastructure, by our names.
ORDERED = {"exponential": stats.expon, "logistic": stats.logistic, "pareto": stats.pareto,
           "student_t": stats.t}  # fmt: skip


def numbers(entry: Any) -> dict[str, float]:
    return {name: float(Fraction(value["rational"])) for name, value in entry.items()}


def theta_of(case: Case) -> float | None:
    """The parameter of one of the three families, None for any other policy."""
    inputs = case["inputs"]
    if inputs.get("policy") not in PARAMETER or "law" not in inputs:
        return None
    return float(Fraction(inputs["parameters"][PARAMETER[inputs["policy"]]]["rational"]))


def point_of(case: Case) -> float | None:
    for entry in case["inputs"].get("at", {}).values():
        return float(Fraction(entry["rational"]))
    return None


def scipy_beta(case: Case) -> Any:
    """Best-of-n on the uniform law is Beta(n, 1); its KL is minus the entropy."""
    n, inputs, quantity = theta_of(case), case["inputs"], case["quantity"]
    if n is None or inputs["policy"] != "bon" or inputs["law"] != "uniform":
        return None
    law, at = stats.beta(n, 1), point_of(case)
    if quantity == "kl":
        return -law.entropy()
    if quantity in MEANS:
        return law.mean()
    method = {"ratio": law.pdf, "density": law.pdf, "cdf": law.cdf, "quantile": law.ppf}
    return method[quantity](at) if quantity in method and at is not None else None


@cache
def _made(name: str) -> Any:
    return stats.make_distribution(ORDERED[name])


#: The laws that scipy's newer infrastructure is asked about.
KNOWN = ("uniform", "normal", "bernoulli", *ORDERED)


def reference(inputs: dict[str, Any]) -> Any:
    if inputs["law"] not in KNOWN:
        return None
    p = numbers(inputs["law_parameters"])
    if inputs["law"] == "uniform":
        return stats.Uniform(a=0.0, b=1.0)
    if inputs["law"] == "normal":
        return stats.Normal(mu=p["mean"], sigma=p["sd"])
    if inputs["law"] == "bernoulli":
        return stats.Binomial(n=1, p=p["p"])
    if inputs["law"] == "pareto":
        return _made("pareto")(b=p["alpha"])
    if inputs["law"] == "student_t":
        return _made("student_t")(df=p["df"])
    if inputs["law"] == "exponential" and p["rate"] == 1:
        return _made("exponential")()
    if inputs["law"] == "logistic" and (p["loc"], p["scale"]) == (0, 1):
        return _made("logistic")()
    return None


def scipy_order_statistic(case: Case) -> Any:
    """Best-of-n is the largest order statistic, for integer n."""
    n, inputs, quantity = theta_of(case), case["inputs"], case["quantity"]
    if n is None or inputs["policy"] != "bon" or n != int(n) or "quantile" in inputs.get("at", {}):
        return None
    law = reference(inputs)
    if law is None:
        return None
    best, at = stats.order_statistic(law, r=int(n), n=int(n)), point_of(case)
    if quantity == "kl":
        return -best.entropy() if inputs["law"] == "uniform" else None
    if quantity == "mean_reward":
        return best.mean()
    if quantity == "mass":
        return best.pmf(at)
    method = {"density": best.pdf, "cdf": best.cdf, "quantile": best.icdf}
    return method[quantity](at) if quantity in method and at is not None else None


def log_ratio(policy: str, theta: float, u: Any) -> Any:
    """ln w as it stands in the paper, in numpy's functions."""
    if policy == "bon":
        return np.log(theta) + (theta - 1) * np.log(u)
    if policy == "bop":
        return np.log(1 + theta * u) + theta * (u - 1)
    return np.log(theta / np.expm1(theta)) + theta * u


def scipy_quad(case: Case) -> Any:
    """The definitions by `scipy.integrate.quad` with its default settings, on the uniform law."""
    theta, inputs, quantity = theta_of(case), case["inputs"], case["quantity"]
    if not theta or inputs["law"] != "uniform":
        return None

    def moment(h: Any) -> float:
        def integrand(u: float) -> float:
            log_w = log_ratio(inputs["policy"], theta, u)
            return float(np.exp(log_w) * h(u, log_w))

        return float(integrate.quad(integrand, 0, 1)[0])

    if quantity == "kl":
        return moment(lambda _, log_w: log_w)
    if quantity == "chi2":
        return moment(lambda _, log_w: np.exp(log_w)) - 1
    return moment(lambda u, _: u) if quantity in MEANS else None


def closed_form(case: Case, m: Any, theta: Any) -> Any:
    """The closed forms as papers print them, with ``m`` the library of functions."""
    policy, quantity = case["inputs"]["policy"], case["quantity"]
    if case["inputs"]["law"] != "uniform" or theta is None or (policy != "bon" and theta == 0):
        return None
    mean = {
        "bon": lambda: theta / (theta + 1),
        "bop": lambda: 1 - 1 / theta + (1 - m.exp(-theta)) / theta**2,
        "quantile_tilt": lambda: 1 / (1 - m.exp(-theta)) - 1 / theta,
    }[policy]
    if quantity in MEANS:
        return mean()
    if quantity != "kl":
        return None
    if policy == "bon":
        return m.log(theta) - (theta - 1) / theta
    if policy == "bop":
        ei = (m.ei(theta + 1) - m.ei(1)) if hasattr(m, "ei") else m.expi(theta + 1) - m.expi(1)
        return m.exp(-theta - 1) * ei / theta + m.log(1 + theta) - 1
    return theta * mean() - m.log((m.exp(theta) - 1) / theta)


class _Numpy:
    exp, log, expi = np.exp, np.log, special.expi


def numpy_closed_forms(case: Case) -> Any:
    """The printed closed forms in binary64."""
    theta = theta_of(case)
    with np.errstate(all="ignore"):
        return closed_form(case, _Numpy, None if theta is None else np.float64(theta))


def mpmath_closed_forms(case: Case) -> Any:
    """The printed closed forms in mpmath at its default 15 digits."""
    theta = theta_of(case)
    value = closed_form(case, mpmath.mp, None if theta is None else mpmath.mpf(theta))
    return None if value is None else mpmath.nstr(value, 20)


def mpmath_quad(case: Case) -> Any:
    """The definitions by `mpmath.quad` at its default 15 digits, on the uniform law."""
    theta, inputs, quantity = theta_of(case), case["inputs"], case["quantity"]
    if not theta or inputs["law"] != "uniform" or quantity not in ("kl", *MEANS):
        return None
    m = mpmath.mp
    w = {
        "bon": lambda u: theta * u ** (theta - 1),
        "bop": lambda u: (1 + theta * u) * m.exp(theta * (u - 1)),
        "quantile_tilt": lambda u: theta * m.exp(theta * u) / (m.exp(theta) - 1),
    }[inputs["policy"]]
    if quantity == "kl":
        return mpmath.nstr(m.quad(lambda u: w(u) * m.log(w(u)) if w(u) else 0, [0, 1]), 20)
    return mpmath.nstr(m.quad(lambda u: w(u) * u, [0, 1]), 20)


def sympy_stats(case: Case) -> Any:
    """Best-of-n as `sympy.stats.Beta(n, 1)`, n given exactly; the value to 20 digits."""
    n, inputs, quantity = theta_of(case), case["inputs"], case["quantity"]
    if n is None or inputs["policy"] != "bon" or inputs["law"] != "uniform":
        return None
    exact = sympy.Rational(inputs["parameters"]["n"]["rational"])
    best = sympy.stats.Beta("best", exact, 1)
    if quantity == "kl":
        value = -sympy.stats.entropy(best)
    elif quantity in MEANS:
        value = sympy.stats.E(best)
    elif quantity in ("ratio", "density"):
        (entry,) = inputs["at"].values()
        value = sympy.stats.density(best)(sympy.Rational(entry["rational"]))
    else:
        return None
    return str(sympy.N(value, 20))
