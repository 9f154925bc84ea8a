"""A live implementation in Python: ``hedgetheory compare --command "python driver.py"``.

The same functions serve ``hedgetheory compare --python driver:answer`` from this folder. Covers
Best-of-n, Best-of-Poisson and the quantile tilt on the uniform law: kl, mean_quantile, mean_reward,
win_rate, ratio, density, cdf. The standard library is enough; parameters are read exactly.
"""

from __future__ import annotations

import json
import math
import sys
from fractions import Fraction

PROTOCOL = "hedgetheory-conformance/1"
NODES = 24


def gauss() -> list[tuple[float, float]]:
    """Gauss-Legendre nodes and weights on (0, 1), by Newton's method."""
    found = []
    for i in range(NODES):
        x = math.cos(math.pi * (i + 0.75) / (NODES + 0.5))
        for _ in range(100):
            p, before = 1.0, 0.0
            for k in range(1, NODES + 1):
                p, before = ((2 * k - 1) * x * p - (k - 1) * before) / k, p
            slope = NODES * (x * p - before) / (x * x - 1)
            x -= p / slope
            if abs(p / slope) < 1e-16:
                break
        found.append(((1 + x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return found


GAUSS = gauss()


def h(x: float) -> float:
    """(1+x) log1p(x) - x >= 0: the KL is E[h(w - 1)], without cancellation near w = 1."""
    if abs(x) > 0.05:
        return (1 + x) * math.log1p(x) - x
    return sum((-1) ** k * x**k / (k * (k - 1)) for k in range(2, 16))


def kl_near(log_ratio) -> float:
    return sum(weight * h(math.expm1(log_ratio(u))) for u, weight in GAUSS)


def kl_bon(n: Fraction) -> float:
    y = float((n - 1) / n)
    return math.log(n) - y if y > 0.2 else sum(y**k / k for k in range(2, 30))


def kl_bop(mu: float) -> float:
    if mu < 4:
        return kl_near(lambda u: math.log1p(mu * u) - mu * (1 - u))
    # ln(1+mu) - 1 + (1/mu) * integral over (0, mu) of e^-s / (1+mu-s): Ei differences overflow.
    width = min(mu, 40) / 20
    places = [((k + u) * width, weight * width) for k in range(20) for u, weight in GAUSS]
    return math.log1p(mu) - 1 + sum(v * math.exp(-s) / (1 + mu - s) for s, v in places) / mu


def kl_tilt(lam: float) -> float:
    if lam >= 4:
        e = math.exp(-lam)
        return math.log(lam) - 1 + lam * e / (1 - e) - math.log1p(-e)
    sinhc = 0.0  # sinh(lam/2)/(lam/2) - 1 by its series
    for k in range(14, 0, -1):
        sinhc = lam * lam / 4 / (2 * k * (2 * k + 1)) * (1 + sinhc)
    return kl_near(lambda u: lam * (u - 0.5) - math.log1p(sinhc))


def mean_bop(mu: float) -> float:
    if mu >= 1:
        return 1 - 1 / mu - math.expm1(-mu) / mu / mu
    return 0.5 - sum((-mu) ** (k - 2) / math.factorial(k) for k in range(3, 22))


def mean_tilt(lam: float) -> float:
    if lam >= 0.1:
        return -1 / math.expm1(-lam) - 1 / lam
    x2 = lam * lam
    return 0.5 + lam / 12 * (1 - x2 / 60 * (1 - x2 / 42 * (1 - x2 / 40)))


def ratio(policy: str, theta: Fraction, u: Fraction) -> float:
    size, ubar = float(theta), float(1 - u)
    if policy == "bon":
        if u == 0:
            return 1.0 if theta == 1 else 0.0
        return size * math.exp(float(theta - 1) * log(u))
    if policy == "bop":
        return float(1 + theta * u) * math.exp(-size * ubar)
    return size * math.exp(-size * ubar) / -math.expm1(-size) if theta else 1.0


def cdf(policy: str, theta: Fraction, u: Fraction) -> float:
    size, ubar = float(theta), float(1 - u)
    if policy == "bon":
        return math.exp(size * log(u))
    if policy == "bop":
        return float(u) * math.exp(-size * ubar)
    if not theta:
        return float(u)
    return math.exp(-size * ubar) * math.expm1(-size * float(u)) / math.expm1(-size)


def log(u: Fraction) -> float:
    return math.log1p(-float(1 - u)) if u > Fraction(1, 2) else math.log(u)


PARAMETER = {"bon": "n", "bop": "mu", "quantile_tilt": "lam"}
KL = {"bon": kl_bon, "bop": kl_bop, "quantile_tilt": kl_tilt}
MEAN = {"bon": lambda n: n / (n + 1), "bop": mean_bop, "quantile_tilt": mean_tilt}


def answer(case: dict) -> float | None:
    """The value of a case, None for what this does not cover."""
    inputs, quantity = case["inputs"], case["quantity"]
    policy = inputs.get("policy")  # a case of the table `functions` has none
    if policy not in PARAMETER or inputs.get("law") != "uniform":
        return None
    theta = Fraction(inputs["parameters"][PARAMETER[policy]]["rational"])
    if quantity == "kl":
        size = theta if policy == "bon" else float(theta)
        return KL[policy](size) if theta else 0.0
    if quantity in ("mean_quantile", "mean_reward", "win_rate"):
        return MEAN[policy](float(theta))
    at = inputs.get("at", {})
    place = at.get("quantile") or at.get("reward")
    if place is None:
        return None
    u = Fraction(place["rational"])
    inside = 0 <= u <= 1
    if quantity == "ratio" and inside:
        return ratio(policy, theta, u)
    if quantity == "density":
        return ratio(policy, theta, u) if inside else 0.0
    if quantity == "cdf":
        return cdf(policy, theta, u) if 0 < u < 1 else float(u >= 1)
    return None


def main() -> None:
    if json.loads(sys.stdin.readline()).get("protocol") != PROTOCOL:
        raise SystemExit("another version of the protocol")
    print(json.dumps({"implementation": "Python driver", "protocol": PROTOCOL}), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        value = answer(case)
        shown = "not supported" if value is None else value.hex()
        print(json.dumps({"id": case["id"], "value": shown}), flush=True)


if __name__ == "__main__":
    main()
