"""Where the gap has no bound: Best-of-N concentrates on rewards that every tilt spreads out over.

**Data processing.** For every event A, with P its probability under the policy and Q under the
matched tilt, gap = KL(policy‖tilt) ≥ P ln(P/Q) + (1 − P) ln((1 − P)/(1 − Q)) ≥ P ln(1/Q) − ln 2.
So the gap is unbounded as soon as P stays away from 0 on events whose Q falls to 0 for every λ.

**The events.** A family has a limit shape where G_θ(1 − v/s) → Γ(v) as its scale s(θ) → ∞, Γ
continuous and strictly decreasing: e^{−v} for Best-of-n (s = n), Best-of-Poisson (μ), the quantile
tilt and zero-truncated Poisson (λ), binomial in m (mp), negative binomial in r (r(1 − p)/p);
1/(1 + v) for geometric, (1 + v)^{−r} for negative binomial in p (1/p). Then the event that 1 − F(R)
is between α/s and β/s, α < β, has P → Γ(α) − Γ(β) > 0.

**Theorem 1** (no atoms, E|R| < ∞, no upper end, 1 − F log-concave: every log-concave density, and
Weibull laws of shape ≥ 1). R = x(E) with E standard exponential and x concave, increasing to ∞. Let
A be |E − t| ≤ B, and h = λx(e) − e, which is concave. If h′(t + B + C) ≥ −η, then on [t + B,
t + B + C] h ≥ max_A h − η(C + 2B), so that with η = 1/(C + 2B) 1/Q ≥ 1 + C/(2Be); the same to the
left. So from Q ≥ δ and C > 2Be(1/δ − 1) follows λx′(t + B + C) < 1 − η and λx′(t − B − C) > 1 + η:
x′ falls by the factor (1 − η)/(1 + η) < 1 on a step of 2(B + C). Were this so for every t from some
t₀ on, x′ would fall geometrically and x be bounded. So there are t as large as one likes where no
tilt has Q ≥ δ; take s = e^t. (The tilts reach every mean: H = −ln(1 − F) is convex, so that
λx − H(x) does not decrease where λ is the limit L of H′, and M(L) = ∞.)

**Theorem 2** (gamma laws of any shape k). A tilt is gamma(k, β), with at y the density
β^k y^{k−1} e^{−βy}/Γ(k) ≤ k^k e^{−k}/(Γ(k) y). On A = [y, y + c] it has Q ≤ const·c/y, and
(1 − F)(y + c)/(1 − F)(y) → e^{−rate·c} > 0: take s = 1/(1 − F(y)). So the gap grows at least like
a multiple of ln y.

**Theorem 3** (atoms). A tilt of a geometric law is geometric and has Q(k) = p(1 − p)^{k−1} ≤ 1/k;
of a Poisson law, Poisson and Q(k) = θ^k e^{−θ}/k! ≤ k^k e^{−k}/k! ≤ 1/√(2πk). With s = 1/P(R ≥ k)
the atom k has P = G(1 − P(R > k)) − G(1 − P(R ≥ k)), where P(R > k)/P(R ≥ k) is 1 − p or at most
mean/(k + 1): it stays above a constant.

**Theorem 4** (mixtures, with finitely many atoms or none). Let f₀ be the component, of weight p₀,
with the heaviest upper tail: f ≤ c f₀ beyond some reward. There Q ≤ (c/p₀) Q₀, for M ≥ p₀M₀, and
p₀(1 − F₀) ≤ 1 − F ≤ c(1 − F₀), so that P stays away from 0 for a wide enough event: Theorems 1 and
2 carry over. Which tail is heaviest is read off ln f = −((r − c)/σ)^k + a ln r + O(1): the smaller
k, then the larger σ, then (for k > 1) the larger c, then the larger a; where all agree the ratio is
bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from hedgetheory.expressions.symbols import k, m, p
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.gamma import Gamma
from hedgetheory.laws.geometric import Geometric
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.laplace import Laplace
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.mixture import Mixture
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.poisson import Poisson
from hedgetheory.laws.weibull import Weibull
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Binomial, NegativeBinomial, ZeroTruncatedPoisson
from hedgetheory.policies.random_draws import Geometric as GeometricDraws

LOG_CONCAVE = (
    "the survival function is log-concave and without an upper end (gap.unbounded-log-concave)"
)
GAMMA = "every tilt is a gamma law, spread over its own size (gap.unbounded-on-gamma)"
ATOMS = "every tilt spreads over ever more atoms (gap.unbounded-on-counts)"
MIXTURE = "the component with the heaviest tail decides (gap.unbounded-on-mixtures)"

#: (k, σ², c, a) of ln f = −((r − c)/σ)^k + a ln r + O(1) far up; None where f = 0 far up.
_Exponents: TypeAlias = tuple[Fraction, Fraction, Fraction, Fraction]


@dataclass(frozen=True)
class Tail:
    """The upper tail of a density, in the order of heaviness; no exponents: bounded."""

    exponents: _Exponents | None

    @property
    def weight(self) -> tuple[Fraction, ...]:
        """Larger is heavier; a law with an upper end is lighter than any other."""
        if self.exponents is None:
            return ()
        order, scale, place, power = self.exponents
        return (-order, scale, place, power)


def tail(law: ContinuousLaw) -> Tail | None:
    """The upper tail of a density that has a tilt; None where its form is not known here.

    >>> tail(Normal(1, 2)).exponents
    (Fraction(2, 1), Fraction(8, 1), Fraction(1, 1), Fraction(0, 1))
    """
    zero, one = Fraction(0), Fraction(1)
    if law.support[1] is not None:
        return Tail(None)
    if isinstance(law, Mixture):
        parts = [tail(part) for part, _ in law.components]
        known = [part for part in parts if part is not None]
        return None if len(known) < len(parts) else max(known, key=lambda part: part.weight)
    if isinstance(law, Affine):
        inner = tail(law.law)
        if inner is None or inner.exponents is None:
            return inner
        order, scale, place, power = inner.exponents
        # Where k = 1 a shift is a bounded factor.
        moved = zero if order == 1 else law.loc + law.scale * place
        return Tail((order, scale * law.scale**2, moved, power))
    if isinstance(law, Exponential):
        return Tail((one, 1 / law.rate**2, zero, zero))
    if isinstance(law, (Laplace, Gumbel, Logistic)):
        return Tail((one, law.scale**2, zero, zero))
    if isinstance(law, Gamma):
        return Tail((one, 1 / law.rate**2, zero, law.shape - 1))
    if isinstance(law, Normal):
        return Tail((Fraction(2), 2 * law.sd**2, law.mean, zero))
    if isinstance(law, Weibull) and law.shape >= 1:
        return Tail((law.shape, law.scale**2, zero, law.shape - 1))
    return None


def unbounded_by(law: Law) -> str:
    """Why the gap is unbounded for every family with a limit shape; empty where this is not known.

    >>> unbounded_by(Gumbel())
    'the survival function is log-concave and without an upper end (gap.unbounded-log-concave)'
    """
    if isinstance(law, (Geometric, Poisson)):
        return ATOMS
    if isinstance(law, MixedLaw):
        return MIXTURE if unbounded_by(law.part) else ""
    if not isinstance(law, ContinuousLaw) or law.support[1] is not None or law.mgf_limit == 0:
        return ""
    if isinstance(law, Affine):
        return unbounded_by(law.law)
    if law.log_concave or isinstance(law, (Laplace, Weibull)):
        # A Weibull law that has a tilt has shape ≥ 1, and the hazard rate ∝ r^{shape−1}.
        return LOG_CONCAVE
    if isinstance(law, Gamma):
        return GAMMA
    if isinstance(law, Mixture) and tail(law) is not None:
        return MIXTURE
    return ""


def inner_parameter(family: Family) -> Fraction:
    """A parameter inside the domain of a family, where its members are not the reference."""
    return Fraction(1, 2) if family.domain.upper == 1 else Fraction(2)


def has_limit_shape(family: Family) -> bool:
    """Whether G_θ(1 − v/s) → Γ(v), continuous and strictly decreasing, as s(θ) → ∞."""
    member: Policy = family.at(inner_parameter(family))
    if isinstance(member, (BestOfPoisson, BestOfN, QuantileTilt)):
        return True
    if not isinstance(member, BestOfRandom):
        return False
    free = family.symbol
    return (
        isinstance(member.draws, (ZeroTruncatedPoisson, GeometricDraws))
        or (isinstance(member.draws, Binomial) and free == m)
        or (isinstance(member.draws, NegativeBinomial) and free in (k, p))
    )
