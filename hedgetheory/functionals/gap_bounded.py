"""The supremum of the gap of Best-of-Poisson on a bounded law with a positive density at its top.

It must be finite at both ends, in the formulas' own form.

With U = F(R), V = 1 − U, top T and D = T − R, three pieces cover μ > 0:

1. (0, μ₀]: gap ≤ KL(μ) ≤ KL(μ₀), increasing in μ (as in `gap_finite`).
2. [μ₁, ∞): let f be between a and b on [T − h, T], and v = P(D ≤ h). There D ≤ V/a where V ≤ v, so
   that E[D] ≤ E[V]/a + (T − low) P(V > v) ≤ 1/(aμ) + (T − low) e^{−μv} under the policy; and
   E[e^{−λD}] ≤ b/λ + e^{−λh} under the reference. λ = bμ in gap ≤ KL + λE[D] + ln E[e^{−λD}], with
   KL ≤ ln(1 + μ) − 1 + y/μ, y = e^{−x}Ei(x) ≤ 2/x at x = 1 + μ ≥ 16, and ln(1 + 1/μ) ≤ 1/μ:

       gap ≤ (b/a − 1) + 1/μ + 2/μ² + μ [b (T − low) e^{−μv} + e^{−μbh}],

   which decreases from μv = 1 on, since v ≤ bh. So the gap tends to 0: take h small.
3. [μ₀, μ₁]: branch and bound (`gap_search`), where with S = 1 − F

       m = T − ∫ F e^{−μS} dr,   m′ = ∫ F S e^{−μS} dr,   m″ = −∫ F S² e^{−μS} dr

   and m″ increases in μ, so that its values at the ends of a box enclose it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import mu, r
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.functionals.gap_search import Largest, gap_at_point, largest
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.numerics.program import Program, compiled
from hedgetheory.policies.best_of_poisson import BestOfPoisson

#: Newton steps to the matched λ, and what one evaluation weighs in those of a short formula.
_STEPS, _WEIGHT = 60, 8


class OnBounded:
    """H(μ) of `gap_search` on a continuous law with two ends, by certified integrals."""

    def __init__(self, law: ContinuousLaw) -> None:
        low, high = law.support
        if low is None or high is None:
            raise NotCertified(f"{law} has no upper or no lower end")
        self.law, self.low, self.top = law, low, high
        self._kl = tuple(
            compiled(sympy.diff(RANK_FORMS[BestOfPoisson, "kl"].expr, mu, i), (mu,))
            for i in range(4)
        )
        self._pieces: list[tuple[Fraction, Fraction, tuple[Program, ...]]] = []
        for piece in law.pieces:
            assert piece.low is not None
            assert piece.high is not None
            forms = (piece.cdf, piece.survival, piece.pdf)
            self._pieces.append((piece.low, piece.high, tuple(compiled(f, (r,)) for f in forms)))
        self._known: dict[tuple[int, Fraction, int], Any] = {}
        #: μ -> the matched λ and its derivative, near enough to start from.
        self._near: dict[Fraction, tuple[Any, Any]] = {}

    # -- integrals over the rewards ----------------------------------------------------------------
    def _over(self, integrand: Callable[..., Any]) -> Any:
        """∫ integrand(r, F, S, f, exp) dr over the support."""
        total = ball(0)
        for low, high, forms in self._pieces:

            def at(x: Any, analytic: bool, forms: tuple[Program, ...] = forms) -> Any:
                arithmetic = balls.complex_arithmetic(analytic)
                return integrand(x, *(form(arithmetic, x) for form in forms), arithmetic.exp)

            total += balls.integral(at, ball(low), ball(high))
        return total

    def _moment(self, order: int, at: Fraction) -> Any:
        """∫ F S^order e^{−μS} dr."""
        key = (balls.current_bits(), at, order)
        if key not in self._known:
            m = ball(at)
            self._known[key] = self._over(
                lambda x, below, above, density, exp: below * above**order * exp(-m * above)
            )
        return self._known[key]

    def mean(self, at: Fraction) -> Any:
        """The mean reward of Best-of-Poisson."""
        return ball(self.top) - self._moment(0, at)

    def _tilted(self, strength: Any, order: int) -> Any:
        """∫ (r − T)^order e^{λ(r − T)} f dr."""
        top = ball(self.top)
        return self._over(
            lambda x, below, above, density, exp: (
                (x - top) ** order * exp(strength * (x - top)) * density
            )
        )

    def _excess(self, strength: Any, mean: Any) -> Any:
        """K′(λ) − m."""
        return ball(self.top) + self._tilted(strength, 1) / self._tilted(strength, 0) - mean

    # -- the objective -----------------------------------------------------------------------------
    def strength(self, at: Fraction) -> Any:
        """A ball around the matched λ: Newton's steps, then certified signs on both sides."""
        mean = self.mean(at)
        if self._near:
            known = min(self._near, key=lambda x: abs(x - at))
            matched, rate = self._near[known]
            guess = matched + rate * ball(at - known)
            if not (guess > matched / 2 and guess < 2 * matched):
                guess = matched * (1 + ball(at)) / (1 + ball(known))
        else:
            guess = (1 + ball(at)) / ball(self.top - self.low)
        accuracy = balls.power_of_two(-balls.current_bits() // 2)
        for _ in range(_STEPS):
            guess = guess.mid()
            whole, first, second = (self._tilted(guess, i) for i in range(3))
            bend = second / whole - (first / whole) ** 2
            # Not more than a factor of 4 at once.
            moved = guess - (ball(self.top) + first / whole - mean) / bend
            moved = moved.max(guess / 4).min(4 * guess).mid()
            settled = bool(abs(moved - guess) < guess * accuracy)
            guess = moved
            if settled:
                break
        self._near[at] = guess, (self._moment(1, at) / bend).mid()
        width = guess * balls.power_of_two(24 - balls.current_bits())
        for _ in range(24):
            low, high = (guess - width).mid(), (guess + width).mid()
            if self._excess(low, mean) < 0 and self._excess(high, mean) > 0:
                return hull(low, high)
            width *= 4
        raise NotCertified(f"the tilt with the mean of bop({float(at):.6g}) is not found")

    def value(self, at: Fraction, strength: Any) -> Any:
        # K(λ) − λm = ln E[e^{λ(R−T)}] + λ(T − m).
        potential = self._tilted(strength, 0).log()
        return self._kl[0](REAL, ball(at)) + strength * self._moment(0, at) + potential

    def slope(self, at: Fraction, strength: Any) -> Any:
        return self._kl[1](REAL, ball(at)) - strength * self._moment(1, at)

    def curvature(self, low: Fraction, high: Fraction, strength: Any) -> Any:
        bend = self._bend_of_kl(low, high)
        return bend + strength * hull(self._moment(2, low), self._moment(2, high))

    def _bend_of_kl(self, low: Fraction, high: Fraction) -> Any:
        """KL″ over a box.

        KL = ln x − 1 + N/μ with x = 1 + μ, N = y(x) − y(1)e^{−μ}, y = e^{−x}Ei(x), y′ = 1/x − y.
        For x ≥ 2 y falls: y > 1/x there, since y(2) > ½ and (y − 1/x)′ = 1/x² where y = 1/x.
        """
        m, middle = hull(ball(low), ball(high)), ball((low + high) / 2)
        # In mean-value form, which is the better one on a narrow box.
        plain = self._kl[2](REAL, middle) + self._kl[3](REAL, m) * (m - middle)
        if low < 1:
            return plain
        x = 1 + m
        y = hull(_scaled_ei(ball(1 + low)), _scaled_ei(ball(1 + high)))
        rest = _scaled_ei(ball(1)) * (-m).exp()
        first, second = 1 / x - y + rest, y - 1 / x - 1 / x**2 - rest
        found = -1 / x**2 + (second - (2 * first - 2 * (y - rest) / m) / m) / m
        return plain if plain.is_finite() and plain.rad() < found.rad() else found

    def divergence(self, at: Fraction) -> Any:
        """KL(BoP_μ‖ref)."""
        return self._kl[0](REAL, ball(at))

    def finite_at_ends(self, reach: Fraction) -> bool:
        """Whether the formulas have bounds next to the ends of every piece, as integrals need."""
        return all(
            form(REAL, hull(ball(start), ball(stop))).is_finite()
            for low, high, forms in self._pieces
            for start, stop in ((low, low + reach), (high - reach, high))
            for form in forms
        )

    # -- large μ -----------------------------------------------------------------------------------
    def large_mu_bound(self, at: Fraction, reach: Fraction) -> Any:
        """A bound of the gap on [at, ∞) with h = ``reach``; not finite where it does not hold."""
        low, _, (_, survival, pdf) = self._pieces[-1]
        if at < 15 or self.top - reach < low:
            return balls.no_bound()
        m, h = ball(at), ball(reach)
        density = pdf(REAL, hull(ball(self.top - reach), ball(self.top)))
        least, most = density.lower(), density.upper()
        mass = survival(REAL, ball(self.top - reach))
        if not (least > 0 and m * mass >= 1):
            return balls.no_bound()
        tails = most * ball(self.top - self.low) * (-m * mass).exp() + (-m * most * h).exp()
        return (most / least - 1) + 1 / m + 2 / m**2 + m * tails


def _scaled_ei(x: Any) -> Any:
    return REAL.scaled_ei(x)


def bounded_supremum(law: ContinuousLaw, digits: int) -> Largest:
    """Balls around sup over μ > 0 of the gap on a bounded law, and around every maximiser.

    Raises NotCertified where the density is not certified to be finite at both ends and positive at
    the top, an integral is not certified, or past the bound on the work.
    """
    objective = OnBounded(law)
    with balls.precision(int(2 * (digits + 2) * balls.BITS_PER_DIGIT) + 64):
        smallest = (objective.top - objective.low) / 2**30
        bounded = objective.large_mu_bound(Fraction(2) ** 60, smallest).is_finite()
        if not (bounded and objective.finite_at_ends(smallest)):
            raise _undecided(law)
        floor = ball(0)
        for at in (1, 2, 4, 8):
            floor = floor.max(gap_at_point(objective, Fraction(at)).lower())
        if not floor > 0:
            raise NotCertified(f"the gap on {law} is not seen to be positive")
        high = _far(objective, floor)
        low = Fraction(1)
        while not objective.divergence(low) < floor:
            low /= 2
        return largest(objective, low, high, digits, weight=_WEIGHT)


def _far(objective: OnBounded, floor: Any) -> Fraction:
    """A μ₁ beyond which the gap is below ``floor``."""
    for exponent in range(4, 24):
        at = Fraction(2) ** exponent
        for share in range(4, exponent + 1):
            reach = (objective.top - objective.low) / 2**share
            if objective.large_mu_bound(at, reach) < floor:
                return at
    raise _undecided(objective.law)


def _undecided(law: ContinuousLaw) -> NotCertified:
    return NotCertified(
        f"the supremum of the gap on {law} is not decided, as its density is not certified to be "
        "finite at both ends and positive at the top: ask for it at a mu"
    )
