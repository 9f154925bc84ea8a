"""The supremum of the gap over a family: on the uniform law here, elsewhere by other modules.

On the uniform law it is enclosed rigorously over every μ > 0, both tails included.

gap(μ) = min over λ of [KL(BoP_μ) − λ E_μ[U] + K(λ)], so that any λ gives an upper bound. Four
pieces cover (0, ∞):

1. (0, μ₀]: gap ≤ KL ≤ ln(1 + χ²) ≤ χ² (λ = 0), and χ² = 2μ²φ₃(−2μ) is small there.
2. [μ₁, ∞): λ = 1 + μ. With x = 1 + μ the bound is e^{−x}Ei(x)/μ − 1/μ² + (1/μ + 1/μ²) e^{−μ} plus
   negative terms, and e^{−x}Ei(x) ≤ B(x) = 1/x + 1/x² + 2/x³ + 12/x⁴ for x ≥ 16: y = e^{−x}Ei(x)
   solves y′ = 1/x − y, B′ − (1/x − B) = 6/x⁴ − 48/x⁵ ≥ 0 for x ≥ 8, and B(16) ≥ y(16).
3. [μ₀, μ₁] outside a neighbourhood of the maximiser: boxes, each with the λ matched at its middle
   and the bound in mean-value form.
4. In that neighbourhood gap″ < 0, gap′(μ) = KL′(μ) − λ(μ) m′(μ) (the envelope theorem) changes sign
   once, and the maximiser is bisected.

On three laws a rate is known beside `gap_tails`, since KL(BoP_μ) ≥ ln(1 + μ) − 1 (Ei increases),
and affine maps of the reward change nothing. Each bounds KL(tilt) = sup_λ [λm − K(λ)] from above:

- exponential(1): m = Ein(μ) + φ₁(−μ) ≤ ln μ + γ + E₁(μ) + 1/μ and KL(tilt) = m − 1 − ln m, so that
  gap ≥ ln m − γ − o(1);
- logistic(0, 1): m = Ein(μ), and K(λ) = ln(πλ/sin πλ) ≥ ln(λ/(1 − λ)) gives KL(tilt) ≤ m − 1 −
  ln m + ln 2 for large m, so that gap ≥ ln m − γ − ln 2 − o(1);
- normal(0, 1): m ≤ a + 1/a for the a with (1 + μ)φ(a) = a (1 − G(F(x)) ≤ (1 + μ)(1 − F(x)), Mills),
  and KL(tilt) = m²/2, so that gap ≥ ln a + ½ ln 2π − 2 − 1/(2a²).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

import sympy

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import lam, mu
from hedgetheory.expressions.vocabulary import phi3
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.functionals.gap import cumulants, is_tilt, matched_strength
from hedgetheory.functionals.gap_bounded import bounded_supremum
from hedgetheory.functionals.gap_families import UNBOUNDED_ON_UNIFORM, best_of_n_supremum
from hedgetheory.functionals.gap_finite import finite_supremum
from hedgetheory.functionals.gap_search import Largest
from hedgetheory.functionals.gap_tails import has_limit_shape, inner_parameter, unbounded_by
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.numerics.program import Program, compiled
from hedgetheory.policies.base import RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.family import Family


@dataclass(frozen=True)
class GapSupremum:
    """The supremum over θ and its maximiser, None where the gap is zero or unbounded."""

    supremum: Number
    argmax: Number | None
    verdict: Literal["attained", "zero", "unbounded", "no tilt exists"]
    #: What the verdict rests on.
    why: str = ""


@dataclass(frozen=True)
class _Formulas:
    """KL, mean and cumulants with the derivatives that the argument needs."""

    kl: tuple[Program, ...]
    mean: tuple[Program, ...]
    potential: tuple[Program, ...]


@lru_cache(maxsize=1)
def _formulas() -> _Formulas:
    def derivatives(expr: sympy.Expr, x: sympy.Symbol) -> tuple[Program, ...]:
        return tuple(compiled(sympy.diff(expr, x, i), (x,)) for i in range(4))

    return _Formulas(
        derivatives(RANK_FORMS[BestOfPoisson, "kl"].expr, mu),
        derivatives(RANK_FORMS[BestOfPoisson, "mean_quantile"].expr, mu),
        derivatives(cumulants(Uniform()), lam),
    )


def _at(programs: tuple[Program, ...], order: int, x: Any) -> Any:
    return programs[order](REAL, x)


def _strength(x: Any) -> Any:
    """λ(μ) for a ball μ: λ increases with μ, so the matched values at its ends enclose it."""
    formulas = _formulas()
    low, high = (
        matched_strength(Uniform(), formulas.potential[1], _at(formulas.mean, 0, end))
        for end in (x.lower(), x.upper())
    )
    return hull(low, high)


def _gap(x: Any, strength: Any) -> Any:
    """KL − λm + K at any λ: the gap itself at the matched one, an upper bound at every other."""
    f = _formulas()
    return _at(f.kl, 0, x) - strength * _at(f.mean, 0, x) + _at(f.potential, 0, strength)


def _slope(x: Any, strength: Any) -> Any:
    f = _formulas()
    return _at(f.kl, 1, x) - strength * _at(f.mean, 1, x)


def _over(programs: tuple[Program, ...], order: int, x: Any) -> Any:
    """A derivative over a wide ball in mean-value form: the formulas repeat x many times."""
    middle = x.mid()
    return _at(programs, order, middle) + _at(programs, order + 1, x) * (x - middle)


def _curvature(x: Any) -> Any:
    """gap″ = KL″ − λ′m′ − λm″ with λ′ = m′/K″(λ)."""
    f, strength = _formulas(), _strength(x)
    bend = _over(f.mean, 1, x) ** 2 / _over(f.potential, 2, strength)
    return _over(f.kl, 2, x) - bend - strength * _over(f.mean, 2, x)


def upper_bound(low: Fraction, high: Fraction) -> Any:
    """A ball whose upper end bounds the gap on [low, high], from one λ, in mean-value form."""
    middle = (low + high) / 2
    strength = _strength(ball(middle)).mid()
    spread = ball((high - low) / 2)
    slope = _slope(hull(ball(low), ball(high)), strength)
    return _gap(ball(middle), strength) + balls.symmetric(slope) * spread


def small_mu_bound(high: Fraction) -> Any:
    """A bound of the gap on (0, high]: χ² = 2μ²φ₃(−2μ), increasing in μ."""
    return compiled(2 * mu**2 * phi3(-2 * mu), (mu,))(REAL, hull(ball(Fraction(0)), ball(high)))


def large_mu_bound(low: Fraction, pieces: int = 64) -> Any:
    """A bound of the gap on [low, ∞), low ≥ 15, by balls in v = 1/μ over [0, 1/low].

    Raises NotCertified where B(16) ≥ e^{−16}Ei(16) is not certain or low is below 15.
    """
    x = ball(Fraction(16))
    start = x.ei() * (-x).exp()
    if low < 15 or not _majorant(1 / x) > start:
        raise NotCertified("the majorant of e^{-x}Ei(x) is only valid from x = 16 on")
    decay = (-ball(low)).exp()
    worst = ball(Fraction(0))
    for i in range(pieces):
        v = hull(ball(Fraction(i, pieces) / low), ball(Fraction(i + 1, pieces) / low))
        # vB − v² = v²(B/v − 1), and B/v in s = v/(1 + v) = 1/x keeps its factor v.
        s = v / (1 + v)
        ratio = (1 + s + 2 * s**2 + 12 * s**3) / (1 + v)
        bound = v**2 * (ratio - 1) + (v + v**2) * decay
        worst = worst.max(bound.upper())
    return worst


def _majorant(s: Any) -> Any:
    return s + s**2 + 2 * s**3 + 12 * s**4


#: The pieces of the cover: below, above, and the neighbourhood of the maximiser.
LOW, HIGH = Fraction(1, 32), Fraction(16)
NEIGHBOURHOOD = (Fraction(13, 4), Fraction(7, 2))
MAX_BOXES = 100_000


def gap_supremum(law: Law, digits: int = 10, family: Family | None = None) -> GapSupremum:
    """sup over θ of KL(π_θ‖ref) − KL(tilt_λ‖ref), in nats, at equal mean proxy reward.

    ``family``: rank policies with one parameter free; None is Best-of-Poisson, over every μ > 0.
    The verdict, with what it rests on in ``why``:

    - "attained": certified, with every maximiser enclosed: Best-of-Poisson on the uniform law and
      on 3 to 100 atoms, and on laws with two ends and a density that is finite at both and
      positive at the top (tens of seconds); Best-of-n (real n) on the uniform law. The proofs are
      in the docstrings of this module, of `gap_finite`, `gap_bounded` and `gap_families`;
    - "unbounded": proved there and in `gap_tails`: normal, exponential, logistic, gumbel, laplace,
      gamma, weibull (shape ≥ 1), poisson and geometric laws, mixtures whose heaviest upper tail is
      of these, formula laws with a certified log-concave density and no upper end; and the best of
      a geometric or Sibuya number of draws on the uniform law;
    - "zero": at most two atoms, or a family of tilts in disguise;
    - "no tilt exists": M(λ) = ∞ for every λ > 0.

    Affine maps of the reward change nothing. ``digits`` ≥ 1 holds for the value and the place.
    Raises InputError for a family of other policies, NotCertified elsewhere and where a bound on
    the work is met.
    Source: the paper's Figure 2 shows "about 8·10⁻⁴" (arXiv 2506.19248).
    """
    if isinstance(law, Affine):
        return gap_supremum(law.law, digits, family)
    if isinstance(law, (ContinuousLaw, MixedLaw)) and law.mgf_limit == 0:
        reason = f"no tilt exists on {law}: E[e^(lam R)] = oo for every lam > 0"
        return GapSupremum(Number.undefined(reason), None, "no tilt exists", reason)
    if isinstance(law, FiniteLaw) and len(law.atoms) <= 2:
        return _zero("on at most two atoms the mean determines the law")
    if family is not None:
        found = _of_family(law, digits, family)
        if found is not None:
            return found
    elif why := unbounded_by(law):
        return _unbounded(why)
    elif isinstance(law, Uniform):
        return _on_uniform(digits)
    elif isinstance(law, FiniteLaw):
        return _attained(
            finite_supremum(law, digits), digits, "balls and tail bounds (gap.finite-tails)"
        )
    elif _is_bounded(law):
        assert isinstance(law, ContinuousLaw)
        why = "balls and tail bounds (gap.vanishes-on-bounded-densities)"
        return _attained(bounded_supremum(law, digits), digits, why)
    of = "" if family is None else f" of {family}"
    raise NotCertified(f"the supremum of the gap{of} on {law} is not decided: ask for it at a mu")


def _is_bounded(law: Law) -> bool:
    """A law with a density, by formulas, and with two ends."""
    return (
        isinstance(law, ContinuousLaw)
        and not isinstance(law, EstimatedLaw)
        and None not in law.support
    )


def _of_family(law: Law, digits: int, family: Family) -> GapSupremum | None:
    """The supremum over a family, None where it is not decided."""
    member = family.at(inner_parameter(family))
    if not isinstance(member, RankPolicy):
        raise InputError(f"family={family}, but must be one of rank policies, such as bon [gap]")
    if isinstance(member, BestOfPoisson):
        return gap_supremum(law, digits)
    if is_tilt(member, law):
        return _zero("the policy is a tilt of the reward, exactly")
    why = unbounded_by(law)
    if why and has_limit_shape(family):
        return _unbounded(why)
    if not isinstance(law, Uniform):
        return None
    if isinstance(member, BestOfRandom) and type(member.draws) in UNBOUNDED_ON_UNIFORM:
        return _unbounded(UNBOUNDED_ON_UNIFORM[type(member.draws)])
    if isinstance(member, BestOfN):
        return _attained(
            best_of_n_supremum(digits), digits, "balls and tail bounds (gap.supremum-of-best-of-n)"
        )
    return None


def _zero(why: str) -> GapSupremum:
    return GapSupremum(Number.exact(0), None, "zero", why)


def _unbounded(why: str) -> GapSupremum:
    return GapSupremum(Number.infinity(), None, "unbounded", why)


def _attained(found: Largest, digits: int, why: str) -> GapSupremum:
    supremum, argmax = (balls.number(x, digits) for x in (found.value, found.place))
    return GapSupremum(supremum, argmax, "attained", why)


@lru_cache(maxsize=8)
def _on_uniform(digits: int) -> GapSupremum:
    bits = int((digits + 1) * balls.BITS_PER_DIGIT) + 80
    with balls.precision(bits):
        _require_concave(*NEIGHBOURHOOD)
        argmax = _maximiser(digits)
        # On the maximiser's enclosure the gap is at least its value at one point of it, and at
        # most that plus |gap′| times the width.
        inside = argmax.mid()
        strength = _strength(inside)
        peak = _gap(inside, strength)
        slope = _slope(argmax, _strength(argmax))
        supremum = hull(peak, peak + (abs(slope) * (argmax - inside).abs_upper()).upper())
        floor = peak.lower()
    with balls.precision(80):
        for bound, what in (
            (small_mu_bound(LOW), f"(0, {LOW}]"),
            (large_mu_bound(HIGH), f"[{HIGH}, oo)"),
        ):
            if not bound < floor:
                raise NotCertified(f"the gap is not bounded below its supremum on {what}")
        _cover(LOW, NEIGHBOURHOOD[0], floor)
        _cover(NEIGHBOURHOOD[1], HIGH, floor)
    return _attained(Largest(supremum, argmax), digits, "balls and tail bounds (gap.supremum)")


def _require_concave(low: Fraction, high: Fraction) -> None:
    pieces = 256
    step = (high - low) / pieces
    for i in range(pieces):
        x = hull(ball(low + i * step), ball(low + (i + 1) * step))
        if not _curvature(x) < 0:
            raise NotCertified(f"gap'' < 0 is not certain on [{low + i * step}, +{step}]")


def _maximiser(digits: int) -> Any:
    """The zero of gap′ in the neighbourhood, where it decreases, to half the digits and more."""
    low, high = (ball(end) for end in NEIGHBOURHOOD)
    if not (_slope(low, _strength(low)) > 0 and _slope(high, _strength(high)) < 0):
        raise NotCertified("gap' does not change sign on the neighbourhood of the maximiser")
    width = ball(Fraction(1, 10 ** (digits + 2)))
    while (high - low) > width:
        middle = ((low + high) / 2).mid()
        slope = _slope(middle, _strength(middle))
        if slope > 0:
            low = middle
        elif slope < 0:
            high = middle
        else:
            break
    return hull(low, high)


def _cover(low: Fraction, high: Fraction, floor: Any) -> None:
    """Bound the gap strictly below ``floor`` on [low, high], box by box."""
    boxes, pending = 0, [(low, high)]
    while pending:
        left, right = pending.pop()
        boxes += 1
        if boxes > MAX_BOXES:
            raise NotCertified(f"{MAX_BOXES} boxes do not bound the gap on [{low}, {high}]")
        bound = upper_bound(left, right)
        if not (bound.is_finite() and bound < floor):
            middle = (left + right) / 2
            pending += [(left, middle), (middle, right)]
