"""Whether a sampler follows a policy on a law, at a false-alarm probability that is a bound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_law, parse_policy
from hedgetheory.testing.failures import Disagreement, name_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hedgetheory.policies.base import Policy

    Rewards = NDArray[np.float64]

#: Rewards at which the cdf is certified, and the seed of the draws that choose them.
POINTS, _SEED, _PILOT = 48, 20_250_619, 4096
_DIGITS = 12
#: Where each cdf is a costly integral: every third point, to so many digits.
_EVERY, _FEWER_DIGITS = 3, 4
#: Of countably many atoms these are looked at one by one; the cdf sees them all.
_MOST_ATOMS = 60
MIN_SIZE, MAX_SIZE = 100, 10**8


@dataclass(frozen=True)
class Cells:
    """Events of one draw with bounds of their probabilities: R ≤ point, and R = atom."""

    points: tuple[float, ...]
    cdf: tuple[tuple[float, float], ...]
    atoms: tuple[float, ...]
    masses: tuple[tuple[float, float], ...]


def assert_sampler_follows(
    sampler: Callable[[int, Any], Any],
    law: Law | str,
    policy: Policy | str | None = None,
    *,
    size: int = 20_000,
    seed: int = 0,
    false_alarm: RealInput = Fraction(1, 10**6),
) -> None:
    """A sampler's rewards follow a policy on a law (the law itself without one).

    A right sampler is rejected with probability at most ``false_alarm`` over fresh seeds, whatever
    the law and the size: no large-sample approximation enters. Half of it goes to the distance of
    the empirical cdf from the true one, at most √(ln(2/a)/(2m)) but with probability a for m draws
    (Dvoretzky–Kiefer–Wolfowitz with Massart's constant); half, divided evenly, to the exact
    binomial tails of two-sided counts: of R ≤ x at up to 48 points x, which see the tails, and of
    each atom. The true probabilities are certified to 12 digits, and their error is granted. (Soft
    Best-of-n of the raw reward on a line costs an integral a point: 16 points to 4 digits, at
    n = 4 some 10 s, once a law and policy.) What
    cannot happen (NaN, outside of the support, no atom) is an alarm at once and costs nothing.

    The draws are taken to be independent: that is not tested. Wrong samplers are found with the
    better chance the larger ``size`` is: at 20,000 an error of 0.02 in the cdf always.

    Args:
        sampler: takes ``size`` and a numpy Generator, returns so many rewards (or an object with
            ``rewards``, as `hedgetheory.sample` does).
        law, policy: objects or spec strings.
        size: how many rewards, 100 to 10⁸.
        seed: of the Generator; the same run every time.
        false_alarm: in (0, 1).

    Raises Disagreement for a sampler that is off, or gives another number of rewards; InputError
    for arguments out of domain; NotCertified where the law of the reward cannot be certified.

    >>> def best_of_three(size, rng):
    ...     return rng.random((size, 3)).max(axis=1)
    >>> assert_sampler_follows(best_of_three, "uniform", "bon(3)")
    >>> assert_sampler_follows(lambda size, rng: rng.random(size), "uniform", "bon(2)")
    Traceback (most recent call last):
        ...
    hedgetheory.testing.failures.Disagreement: the sampler does not follow bon(n=2) on uniform
    ...

    Source: Massart, The tight constant in the DKW inequality, Ann. Probab. 18 (1990).
    """
    __tracebackhide__ = True  # pytest shows the message, not this function
    import numpy as np

    on = parse_law(law) if isinstance(law, str) else law
    by = parse_policy(policy or "bon(1)") if policy is None or isinstance(policy, str) else policy
    level = rational(false_alarm, "false_alarm")
    call = f"assert_sampler_follows({by} on {on})"
    if not 0 < level < 1:
        raise must_be("false_alarm", false_alarm, "a real number in (0, 1)", call)
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise must_be("size", size, f"an integer from {MIN_SIZE} to {MAX_SIZE}", call)
    drawn = sampler(size, np.random.default_rng(seed))
    rewards = np.asarray(getattr(drawn, "rewards", drawn), dtype=np.float64)
    report = _Report(str(by), str(on), size, f"{name_of(sampler)}({size}, default_rng({seed}))")
    if rewards.shape != (size,):
        raise report.failed(f"rewards of shape {rewards.shape}", f"shape ({size},)", "")
    _must_be_possible(rewards, on, report)
    _must_fit(rewards, cells_of(on, by), float(level), report)


@dataclass(frozen=True)
class _Report:
    policy: str
    law: str
    size: int
    call: str

    def failed(self, got: object, want: object, bound: str) -> Disagreement:
        lines = [("quantity", "the selected reward"), ("input", f"{self.size} draws"),
                 ("got", got), ("want", want), ("bound", bound),
                 ("reproduce", self.call)]  # fmt: skip
        title = f"the sampler does not follow {self.policy} on {self.law}"
        return Disagreement(title, lines)


def _must_be_possible(rewards: Rewards, law: Law, report: _Report) -> None:
    import numpy as np

    bad = ~np.isfinite(rewards)
    if isinstance(law, (ContinuousLaw, MixedLaw)):
        # Ends may be reached by rounding.
        low, high = (None if end is None else float(end) for end in law.support)
        bad |= (rewards < low) if low is not None else False
        bad |= (rewards > high) if high is not None else False
        where = "a finite reward inside the support"
    elif isinstance(law, FiniteLaw):
        bad |= ~np.isin(rewards, [float(atom) for atom, _ in law.atoms])
        where = "one of the atoms"
    else:
        assert isinstance(law, CountableLaw)
        bad |= (rewards < law.first) | (rewards != np.floor(rewards))
        where = f"a whole number >= {law.first}"
    if bad.any():
        place = int(np.argmax(bad))
        got = f"reward {place} is {float(rewards[place])!r}"
        raise report.failed(got, where, "probability 0")


def _must_fit(rewards: Rewards, cells: Cells, level: float, report: _Report) -> None:
    import numpy as np

    size = report.size
    ordered = np.sort(rewards)
    counts = np.searchsorted(ordered, cells.points, side="right")
    # The distance of the cdfs, at the points: at most what it is everywhere.
    bound = math.sqrt(math.log(4 / level) / (2 * size))
    for point, count, (low, high) in zip(cells.points, counts, cells.cdf, strict=True):
        share = count / size
        if share - high > bound or low - share > bound:
            off = (
                f"|share - P| <= {bound:.4f} for all rewards, but with probability {level / 2:.2g}"
            )
            got = f"{count} of {size} are <= {point!r}: {share:.5f}"
            raise report.failed(got, f"P(R <= {point!r}) = {(low + high) / 2:.9g}", off)
    events = [("<=", x, int(k), p) for x, k, p in zip(cells.points, counts, cells.cdf, strict=True)]
    if cells.atoms:
        left = np.searchsorted(ordered, cells.atoms, side="left")
        right = np.searchsorted(ordered, cells.atoms, side="right")
        hits = (right - left).tolist()
        events += [("=", x, k, p) for x, k, p in zip(cells.atoms, hits, cells.masses, strict=True)]
    each = level / (4 * len(events))
    for sign, point, count, (low, high) in events:
        if binomial_tail(size, count, low, high) < each:
            got = f"{count} of {size} are {sign} {point!r}: {count / size:.5f}"
            want = f"P(R {sign} {point!r}) = {(low + high) / 2:.9g}"
            bound_text = f"exact binomial tail >= {each:.2g}, {2 * len(events)} tails in all"
            raise report.failed(got, want, bound_text)


def binomial_tail(size: int, count: int, low: float, high: float) -> float:
    """The smaller of P(X ≤ count) and P(X ≥ count), X binomial, p in [low, high] at its best.

    >>> round(binomial_tail(10, 0, 0.5, 0.5) * 2**10, 5)
    1.0
    """
    from scipy import special

    # bdtr falls in p and bdtrc rises; both are right to many digits, which the last factor grants.
    below = float(special.bdtr(count, size, low)) if count < size else 1.0
    above = float(special.bdtrc(count - 1, size, high)) if count > 0 else 1.0
    return min(below, above) * (1 + 1e-6)


# -- the true probabilities ------------------------------------------------------------------------


@lru_cache(maxsize=64)
def cells_of(law: Law, policy: Policy) -> Cells:
    """The points and atoms of a policy on a law, with certified bounds of their probabilities."""
    points = tuple(_points(law, policy))
    atoms: tuple[float, ...] = ()
    if isinstance(law, FiniteLaw):
        atoms = tuple(float(x) for x, _ in law.atoms)
        if any(Fraction(x) != y for x, (y, _) in zip(atoms, law.atoms, strict=True)):
            # Where atoms are rounded, each one's own double stands for it.
            exact = [value for value, _ in law.atoms]
            points = atoms
            cdf = tuple(_bounds(law, policy, "cdf", x) for x in exact)
            return Cells(points, cdf, atoms, tuple(_bounds(law, policy, "mass", x) for x in exact))
    elif isinstance(law, CountableLaw):
        atoms = tuple(point for point in points if point >= law.first)
    elif isinstance(law, MixedLaw):
        atoms = _binary64(law)
    return Cells(
        points,
        tuple(_bounds(law, policy, "cdf", Fraction(x)) for x in points),
        atoms,
        tuple(_bounds(law, policy, "mass", Fraction(x)) for x in atoms),
    )


def _points(law: Law, policy: Policy) -> list[float]:
    """Atoms, or rewards spread by a pilot sample that has nothing to do with the one tested."""
    import numpy as np

    from hedgetheory.policies.sampling.sample import sample

    if isinstance(law, FiniteLaw):
        return [float(x) for x, _ in law.atoms]
    if isinstance(law, MixedLaw):  # the part's own points, of the reference and of Best-of-16
        low, high = (_points(law.part, parse_policy(f"bon({n})")) for n in (1, 16))
        return sorted({*low[::2], *high[::2], *_binary64(law)})
    try:
        pilot = sample(policy, law, _PILOT, _SEED).rewards
    except InputError:  # no sampler of ours: the reference's quantiles, and those of Best-of-16
        halves = [sample(parse_policy(f"bon({n})"), law, _PILOT // 2, n).rewards for n in (1, 16)]
        pilot = np.concatenate(halves)
    if isinstance(law, CountableLaw):
        found, times = np.unique(pilot, return_counts=True)
        return sorted(found[np.argsort(-times)][:_MOST_ATOMS].tolist())
    pilot = np.sort(pilot[np.isfinite(pilot)])
    tails = [2.0**-k for k in range(6, 12)]
    bulk = [(k + 0.5) / (POINTS - 12) for k in range(POINTS - 12)]
    levels = np.array([*tails, *bulk, *(1 - x for x in tails)])
    places = np.clip((levels * len(pilot)).astype(int), 0, len(pilot) - 1)
    chosen = sorted(set(pilot[places].tolist()))
    return chosen[_EVERY // 2 :: _EVERY] if _costly(law, policy) else chosen


def _costly(law: Law, policy: Policy) -> bool:
    """Soft Best-of-n of the raw reward on a line: each cdf is an integral of integrals."""
    soft = isinstance(policy, SoftBestOfN) and policy.scale == "reward"
    return soft and isinstance(law, ContinuousLaw) and not isinstance(law, Uniform)


def _binary64(law: MixedLaw) -> tuple[float, ...]:
    """The atoms, which a sampler must be able to return."""
    atoms = tuple(float(x) for x, _ in law.atoms)
    for atom, (exact, _) in zip(atoms, law.atoms, strict=True):
        if Fraction(atom) != exact:
            raise InputError(f"the atoms of {law} must be binary64 numbers, not {exact}")
    return atoms


def _bounds(law: Law, policy: Policy, quantity: str, at: Fraction) -> tuple[float, float]:
    """Bounds of a probability, rounded outwards."""
    digits = _FEWER_DIGITS if _costly(law, policy) else _DIGITS
    found = value(law, policy, quantity, at=at, digits=digits)
    low, high = found.bounds
    grace = 1e-15
    return max(float(low) * (1 - grace), 0.0), min(float(high) * (1 + grace), 1.0)
