"""KL and mean of Best-of-n and of the quantile tilt, by other substitutions than the package's.

BoN: the selected quantile is V^{1/n} with V uniform, so E[h] = ∫ h(v^{1/n}) dv; ln w = ln n +
(n-1)/n ln v and ∫ ln v = -1. Tilt: KL = s E[U] - K with K = ln((e^s-1)/s) and E[U] = K'.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, by_name, same_claim, same_formula

ID = "divergence.bon"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    from hedgetheory.functionals.closed_forms import RANK_FORMS
    from hedgetheory.policies.best_of_n import BestOfN
    from hedgetheory.policies.quantile_tilt import QuantileTilt

    v, n, s, x = sympy.symbols("v n s x", positive=True)
    log_w = sympy.log(n) + (n - 1) * sympy.log(v ** (1 / n))
    bon_kl = sympy.log(n) - (n - 1) / n
    simple = sympy.log(n) + (n - 1) / n * sympy.log(v)
    yield algebra("BoN: ln w at v^{1/n}", sympy.expand_log(log_w) - simple)
    yield algebra("BoN: KL", sympy.integrate(sympy.expand(simple), (v, 0, 1)) - bon_kl)
    yield algebra("BoN: E[U]", sympy.integrate(v ** (1 / n), (v, 0, 1)) - n / (n + 1))
    potential = sympy.log((sympy.exp(s) - 1) / s)
    mean = sympy.diff(potential, s)
    yield algebra("tilt: E[U] = K'", mean - 1 / (1 - sympy.exp(-s)) + 1 / s)
    log_tilt = s * x - potential
    normalised = sympy.exp(log_tilt) - s * sympy.exp(s * x) / (sympy.exp(s) - 1)
    yield algebra("tilt: w = e^{s x - K}, so KL = E[s U - K]", normalised)
    forms = {
        (BestOfN, "kl"): bon_kl,
        (BestOfN, "mean_quantile"): n / (n + 1),
        (QuantileTilt, "kl"): s * mean - potential,
        (QuantileTilt, "mean_quantile"): mean,
    }
    for (policy, quantity), mine in forms.items():
        theirs = by_name(RANK_FORMS[policy, quantity].expr, n=n, lam=s)
        yield same_formula(f"{quantity} of {policy.__name__}", mine, theirs)
    yield same_claim(ID, EXPECTED)
    yield same_claim("divergence.quantile-tilt", EXPECTED)
    yield same_claim("divergence.all-closed-forms", EXPECTED)
