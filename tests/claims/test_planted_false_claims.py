"""Near-misses through the checkers of the ledger: none may come out proved or certified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy
from sympy import Float, Rational, S, exp, log

from hedgetheory.claims import checks, gap
from hedgetheory.claims.definition import hacking_steps
from hedgetheory.claims.densities import density_steps, zero_truncated_poisson
from hedgetheory.claims.divergences import (
    BOP_KL,
    BOP_MEAN,
    bon_steps,
    same_as_definition,
    theorem_2_steps,
)
from hedgetheory.claims.likelihood import mean_slope_steps, mlr_steps, score_steps, sign_change
from hedgetheory.claims.model import Claim, Evidence, cited, words
from hedgetheory.claims.peaks import kernel_of, single_peak_steps
from hedgetheory.claims.statements import BON, BOP, TILT
from hedgetheory.expressions.symbols import lam, mu, n, u
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.ledger import find
from hedgetheory.policies.best_of_poisson import BestOfPoisson

Plant = Callable[[], Iterator[Evidence]]
NUDGE = 1 + Rational(1, 10**12)
FREE = sympy.Symbol("theta", positive=True)


def _breaks_off() -> Iterator[Evidence]:
    yield checks.certified("1 < 2", "arithmetic", True)
    raise ZeroDivisionError("half-way")


PLANTS: dict[str, Plant] = {
    "KL of BoP wrong in the 12th digit": lambda: theorem_2_steps(BOP_KL * NUDGE, BOP_MEAN),
    "KL of BoP with ln(mu)": lambda: theorem_2_steps(BOP_KL - log(1 + mu) + log(mu), BOP_MEAN),
    "KL of BoP with Ei(1) forgotten": lambda: theorem_2_steps(
        exp(-mu - 1) * sympy.Ei(mu + 1) / mu + log(1 + mu) - 1, BOP_MEAN
    ),
    "mean of BoP with mu cubed": lambda: theorem_2_steps(
        BOP_KL, 1 - 1 / mu + (1 - exp(-mu)) / mu**3
    ),
    "mean of BoP with e^{mu}": lambda: theorem_2_steps(BOP_KL, 1 - 1 / mu + (1 - exp(mu)) / mu**2),
    "KL of BoN with n/(n-1)": lambda: bon_steps(log(n) - n / (n - 1), n / (n + 1)),
    "KL of BoN without the log": lambda: bon_steps(log(n) - (n - 1) / (n + 1), n / (n + 1)),
    "mean of BoN (n+1)/(n+2)": lambda: bon_steps(log(n) - (n - 1) / n, (n + 1) / (n + 2)),
    "a float in place of a constant": lambda: bon_steps(
        log(n) - (n - 1) / n + Float("1e-13"), n / (n + 1)
    ),
    "quadrature alone, 12th digit": lambda: same_as_definition(
        "E[U]", u * BOP.ratio, BOP_MEAN * NUDGE, mu
    ),
    "BoP with the exponent's sign turned": lambda: density_steps(
        "BoP", u * exp(mu * (1 - u)), (1 - mu * u) * exp(mu * (1 - u))
    ),
    "BoP with w missing its 1": lambda: density_steps(
        "BoP", u * exp(mu * (u - 1)), mu * u * exp(mu * (u - 1))
    ),
    "a Poisson that is not truncated": lambda: density_steps(
        "Poisson", exp(lam * (u - 1)), lam * exp(lam * (u - 1))
    ),
    "a density that changes sign": lambda: density_steps("signed", u * (3 * u - 2), 6 * u - 2),
    "a density that jumps at the end": lambda: density_steps("jump", sympy.floor(u), S.Zero),
    "best of Poisson(lam), untruncated, as the tilt": lambda: zero_truncated_poisson(
        exp(lam * (u - 1)), lam
    ),
    "the tilt's draws without the truncation": lambda: zero_truncated_poisson(TILT.cdf, lam),
    "MLR of a family that decreases": lambda: mlr_steps("anti-BoN", -BON.log_ratio, n),
    "MLR strict for a family that is constant": lambda: mlr_steps("none", log(2 * u), n),
    "MLR without the hypothesis that keeps the sign": lambda: mlr_steps(
        "mixed", log(FREE) + (FREE - 1) ** 2 * log(u), FREE
    ),
    "score of BoP with u and u - 1 exchanged": lambda: score_steps(
        replace(BOP, score=u + (u - 1) / (1 + mu * u))
    ),
    "score of BoP with 1 + mu": lambda: score_steps(replace(BOP, score=(u - 1) + u / (1 + mu))),
    "score of BoN with the sign of ln u turned": lambda: score_steps(
        replace(BON, score=1 / n - log(u))
    ),
    "score of BoN without 1/n": lambda: score_steps(replace(BON, score=log(u))),
    "score of the tilt about one half": lambda: score_steps(
        replace(TILT, score=u - Rational(1, 2))
    ),
    "dE[U] with a wrong integral of G": lambda: mean_slope_steps(
        replace(BON, cdf_integral=u ** (n + 1) / n)
    ),
    "the example's threshold at 157": lambda: hacking_steps(Rational(157)),
    "the example's threshold wrong in the 12th digit": lambda: hacking_steps(156 * NUDGE),
    "the BoP threshold one cell too low": lambda: sign_change(
        "BoP", u**12 * (1 - u), BOP, Fraction(123997, 10000), Fraction(123998, 10000)
    ),
    "a kernel that does not vanish at 1": lambda: single_peak_steps(BOP, u * exp(mu * (u - 1))),
    "a kernel of the wrong sign": lambda: single_peak_steps(BON, -kernel_of(BON)),
    "optimality with the divergence added": lambda: gap.optimality_steps(sign_of_divergence=1),
    "the gap below 6.750e-4 on the grid": lambda: gap.grid_steps(
        Fraction(6750, 10**7), Fraction(6749, 10**7)
    ),
    "the gap above 6.751e-4": lambda: gap.grid_steps(Fraction(6752, 10**7), Fraction(6751, 10**7)),
    "the gap's tail below its own order": lambda: gap.tail_steps(Fraction(16), Fraction(1, 10**6)),
    "positivity at an open end": lambda: checks.positive("u - 1 >= 0", u - 1),
    "positivity of a difference": lambda: checks.positive("mu > lam", mu - lam),
    "positivity where the hypothesis n > 1 is dropped": lambda: checks.positive(
        "KL of BoN increases for every theta > 0", (FREE - 1) / FREE**2
    ),
    "convexity without the tangent": lambda: checks.strictly_convex_from(
        "x^2 + x", FREE**2 + FREE, FREE, 0, FREE
    ),
    "an integral across a pole": lambda: checks.integral_is(
        "1/(u - 1/2)^2", 1 / (u - Rational(1, 2)) ** 2, -1 / (u - Rational(1, 2)), S(-4)
    ),
    "an integral across a jump": lambda: checks.integral_is(
        "atan",
        sympy.diff(sympy.atan(1 / (2 * u - 1)), u),
        sympy.atan(1 / (2 * u - 1)),
        sympy.pi / 2,
    ),
    "an identity up to 1e-40": lambda: checks.identity("u = u", u * Rational(1, 10**40)),
    "an identity true at n = 1 only": lambda: checks.identity("u^n = u", u**n - u),
    "no check at all": lambda: iter(()),
    "words and a citation only": lambda: iter((words("clearly"), cited("x", "folklore"))),
    "a check that breaks off": _breaks_off,
}


@pytest.mark.parametrize("name", PLANTS)
def test_no_planted_false_claim_passes(name: str) -> None:
    planted = Claim("planted", name, "false", (), "this test", "proved", PLANTS[name])
    assert planted.check().verdict in ("refuted", "undecided")


def test_the_checkers_pass_what_is_true_beside_each_plant() -> None:
    """The plants fail for their falsehood, not because a checker passes nothing."""
    true: list[Plant] = [
        lambda: theorem_2_steps(BOP_KL, BOP_MEAN),
        lambda: bon_steps(log(n) - (n - 1) / n, n / (n + 1)),
        lambda: density_steps(BOP.name, BOP.cdf, BOP.ratio),
        lambda: mlr_steps("BoN", BON.log_ratio, n),
        lambda: score_steps(TILT),
        lambda: mean_slope_steps(BON),
        lambda: hacking_steps(Rational(156)),
        lambda: single_peak_steps(BOP, kernel_of(BOP)),
        lambda: gap.optimality_steps(sign_of_divergence=-1),
    ]
    for steps in true:
        assert Claim("t", "t", "t", (), "t", "proved", steps).check().verdict == "proved"


@pytest.mark.parametrize("claim_id", ["paper.theorem-2", "divergence.all-closed-forms"])
def test_a_wrong_closed_form_in_the_package_is_noticed(
    claim_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (BestOfPoisson, "kl")
    form = RANK_FORMS[key]
    wrong = replace(form, expr=form.expr * NUDGE)
    monkeypatch.setitem(RANK_FORMS, key, wrong)
    assert find(claim_id).check().verdict in ("refuted", "undecided")
