"""Which tilts of the raw reward are exactly the best of a random number N of draws.

On a law without atoms with M(λ) < ∞ the tilt's rank cdf is G(u) = ∫₀ᵘ g/M with g(v) = e^{λQ(v)}, Q
the quantile function. It is a pgf iff g is absolutely monotone on [0, 1): all of its derivatives
are ≥ 0, equivalently it is a power series with coefficients g_k ≥ 0. Then P(N = k) = g_{k−1}/(kM),
that law of N is the only one, and E[N] = G′(1) = sup w = e^{λ sup R}/M, infinite where R is
unbounded above.

On atoms r_1 < … < r_m a best of N gives {R ≤ r_i} the mass G(F(r_i)): it is the tilt iff some pgf
takes the tilted cumulative masses at the F(r_i); that pgf is not unique.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hedgetheory.analysis.randomised.continuous import MAX_ORDER, proved, refuted
from hedgetheory.analysis.randomised.draws import DrawsFound, draw_counts
from hedgetheory.analysis.randomised.interpolation import (
    BITS,
    MAX_POINTS,
    Mixture,
    Separation,
    interpolate,
)
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number, RealInput, short
from hedgetheory.functionals.atoms.countable import RankOnCountable, TiltOnCountable
from hedgetheory.functionals.bind import bind
from hedgetheory.laws.affine import Affine
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball, certify
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.sampling.counts import largest_of
from hedgetheory.policies.sampling.inputs import Array, Randomness, generator, whole
from hedgetheory.policies.sampling.rewards import rewards_at
from hedgetheory.policies.tilt import Tilt

_DIGITS = 15
#: Atoms of a countable law on which an interpolation is tried.
_LOWEST_ATOMS = 5


@dataclass(frozen=True)
class Randomised:
    """Whether tilt(λ) on a law is the best of a random number of draws.

    ``verdict``: proved (by an argument that ``reason`` gives), certified (by balls), refuted (with
    a certified ``witness``, or by the singularity that it names), undecided.
    """

    law: Law
    strength: Fraction
    verdict: str
    reason: str
    draws: DrawsFound | None = None
    witness: dict[str, Any] = field(default_factory=dict)

    def sample(self, size: int, rng: Randomness) -> tuple[Array, Array]:
        """(rewards, N): ``size`` independent copies, N drawn first and then the best of N.

        Exact in law up to binary64. Raises InputError where the verdict is not positive, or where
        no sampler of N is known.
        """
        call = f"tilt(lam={short(self.strength)}) on {self.law}"
        size, random = whole("size", size, 1, call), generator(rng, call)
        if self.draws is None:
            raise InputError(f"there is no law of N to draw from: {self.verdict} [{call}]")
        counts = draw_counts(self.draws.recipe, size, random, call)
        return rewards_at(self.law, *largest_of(counts, size, random)), counts


def decide(law: Law, strength: RealInput) -> Randomised:
    """Whether the tilt of the raw reward by λ is exactly the best of a random number of draws.

    ``law`` a law of the proxy reward, ``strength`` λ ≥ 0. Returns the verdict with the law of N, or
    a witness against one. Proved: uniform (zero-truncated Poisson), exponential and geometric
    (Sibuya, E[N] = ∞), beta(1/k, 1) and beta(1, b ≥ 1), gamma(1/2), two atoms. Other finite laws
    are certified by balls, either way, where that succeeds. Raises InputError for λ < 0 and
    NotOnThisLaw where M(λ) = ∞.

    >>> from hedgetheory.laws.exponential import Exponential
    >>> found = decide(Exponential(2), 1)
    >>> found.verdict, found.draws.name, found.draws.mean.infinite
    ('proved', 'sibuya(a=0.5)', 1)
    >>> from hedgetheory.laws.normal import Normal
    >>> decide(Normal(), 1).verdict
    'refuted'

    Source: this project (THEORY §2); absolute monotonicity, Bernstein (1914).
    """
    policy = Tilt(strength)
    bind(policy, law)  # raises where the tilt does not exist
    lam = policy.strength
    if lam == 0:
        one = DrawsFound("N = 1", "u", Number.exact(1), ((1, Number.exact(1)),), True,
                         ("finite", ((1,), (1.0,))))  # fmt: skip
        return Randomised(law, lam, "proved", "at lam = 0 it is the reference", one)
    if isinstance(law, FiniteLaw):
        return _on_atoms(law, lam)
    if isinstance(law, CountableLaw):
        return _on_countable(law, lam)
    if isinstance(law, MixedLaw):
        raise NotCertified(f"{policy} as a randomised best-of-n is not examined on {law}")
    assert isinstance(law, ContinuousLaw)
    return _without_atoms(law, lam)


def _without_atoms(law: ContinuousLaw, lam: Fraction) -> Randomised:
    core, strength = law, lam
    while isinstance(core, Affine):
        strength *= core.scale
        core = core.law
    # e^{λ(c + sQ)} is e^{λsQ} but for a factor.
    where = "" if core is law else f" (on {core} at lam = {short(strength)}, the same law of N)"
    proof = proved(core, strength)
    if proof is not None:
        return Randomised(law, lam, "proved", proof[0] + where, proof[1])
    found = refuted(core, strength)
    if found is not None:
        return Randomised(law, lam, "refuted", found[0] + where, None, found[1])
    reason = (
        f"no negative derivative of e^(lam Q) up to order {MAX_ORDER} was certified, and no proof "
        "is known here"
    )
    return Randomised(law, lam, "undecided", reason)


def _on_countable(law: CountableLaw, lam: Fraction) -> Randomised:
    if law.name != "geometric":
        return _on_lowest_atoms(law, lam)
    rate = -math.log1p(-float(law.values["p"]))
    reason = (
        "F(k) = 1 - q^k and the tilt leaves (q e^lam)^k above k: with a = 1 + lam/ln q in (0, 1) "
        "that is (q^k)^a, the survival of the Sibuya pgf. No law of N has a finite mean, since w "
        "is unbounded and at most E[N]"
    )
    a = Fraction(1 - float(lam) / rate)
    found = DrawsFound(
        "sibuya(a = 1 + lam/ln(1 - p))", "1 - (1 - u)**a", Number.infinity(), (), False,
        ("sibuya", (a,)),
    )  # fmt: skip
    return Randomised(law, lam, "proved", reason, found)


def _on_lowest_atoms(law: CountableLaw, lam: Fraction) -> Randomised:
    """A pgf that fails to interpolate on some atoms fails on all; the converse decides nothing."""
    reference, tilted = RankOnCountable(BestOfN(1), law), TiltOnCountable(Tilt(lam), law)
    for count in range(2, _LOWEST_ATOMS + 1):
        ends = range(law.first, law.first + count)

        def points(ends: range = ends) -> tuple[list[Any], list[Any]]:
            lattices = reference.reference(), tilted.lattice()
            places, targets = ([one.sides(k)[0] for k in ends] for one in lattices)
            return places, targets

        found = interpolate(points)
        if isinstance(found, Separation):
            return _separated(law, lam, found)
    reason = f"the lowest {_LOWEST_ATOMS} atoms do not exclude it, and no proof is known"
    return Randomised(law, lam, "undecided", reason)


def _separated(law: Law, lam: Fraction, found: Separation) -> Randomised:
    with balls.precision(BITS):
        worth = balls.number(found.value, _DIGITS).to_json(_DIGITS)
    return Randomised(
        law, lam, "refuted",
        "h(n) = y0 + sum y_i F_i^n > 0 for every n >= 1, but the same sum at the tilt's "
        "cumulative masses is negative",
        None,
        {"y0": str(found.constant), "y": [str(w) for w in found.weights], "value": worth,
         "checked": found.checked},
    )  # fmt: skip


def _on_atoms(law: FiniteLaw, lam: Fraction) -> Randomised:
    if len(law.atoms) > MAX_POINTS + 1:
        reason = f"{len(law.atoms)} atoms are more than the {MAX_POINTS + 1} that are tried"
        return Randomised(law, lam, "undecided", reason)
    top = law.atoms[-1][0]

    def points() -> tuple[list[Any], list[Any]]:
        weights = [ball(p) * (ball(lam) * ball(x - top)).exp() for x, p in law.atoms]
        whole = sum(weights[1:], weights[0])
        targets, upto = [], ball(Fraction(0))
        for weight in weights[:-1]:
            upto = upto + weight
            targets.append(upto / whole)
        return [ball(x) for x in law.cumulative[:-1]], targets

    if len(law.atoms) == 1:
        only = DrawsFound("N = 1", "u", Number.exact(1), ((1, Number.exact(1)),), False,
                          ("finite", ((1,), (1.0,))))  # fmt: skip
        return Randomised(law, lam, "proved", "one atom: nothing to select", only)
    found = _between(points) if len(law.atoms) == 2 else interpolate(points)
    if isinstance(found, Mixture):
        two = len(law.atoms) == 2
        reason = (
            "two atoms: F^n falls from F to 0, so that a mixture of two neighbours hits any mass"
            if two
            else "balls: the interpolation by these exponents has weights > 0"
        )
        return Randomised(law, lam, "proved" if two else "certified", reason, _described(found))
    if isinstance(found, Separation):
        return _separated(law, lam, found)
    reason = "neither a pgf through the points nor a separation was certified"
    return Randomised(law, lam, "undecided", reason)


def _between(points: Any) -> Mixture | None:
    """Two atoms: F^{n+1} < t < F^n, t never a power of F since e^λ is transcendental."""
    with balls.precision(BITS):
        (place,), (target,) = points()
        ratio = float((target.log() / place.log()).mid())
        if not 1 <= ratio < 1e15:
            return None
        for n in (math.floor(ratio), math.floor(ratio) + 1, max(math.floor(ratio) - 1, 1)):
            high, low = place**n, place ** (n + 1)
            if low < target < high:
                weight = (target - low) / (high - low)
                return Mixture((n, n + 1), (weight, 1 - weight))
    return None


def _described(found: Mixture) -> DrawsFound:
    def mean() -> Any:
        terms = [n * w for n, w in zip(found.exponents, found.weights, strict=True)]
        return sum(terms[1:], terms[0])

    with balls.precision(BITS):
        numbers = tuple(
            (n, balls.number(w, _DIGITS))
            for n, w in zip(found.exponents, found.weights, strict=True)
        )
        masses = tuple(float(w.mid()) for w in found.weights)
        expected = certify(mean, 12, "E[N]")
    pgf = " + ".join(f"c_{n}*u**{n}" for n in found.exponents)
    recipe = ("finite", (found.exponents, masses))
    name = f"N in {{{', '.join(map(str, found.exponents))}}}, the least E[N] that was found"
    return DrawsFound(name, pgf, expected, numbers, False, recipe)
