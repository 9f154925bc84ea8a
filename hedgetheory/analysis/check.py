"""`check`: the hypotheses, the whole shape of f, its best parameter, and whether it is hacked."""

from __future__ import annotations

from dataclasses import replace

from hedgetheory.analysis import inverse_reward
from hedgetheory.analysis.curve import (
    ONE,
    ZERO,
    NoExactForm,
    curve_of,
    gold_in_quantile,
    gold_on_atoms,
)
from hedgetheory.analysis.deciding import smooth_picture
from hedgetheory.analysis.diluted import diluted
from hedgetheory.analysis.expsum import canonical, symbolic
from hedgetheory.analysis.found import (
    CheckResult,
    hacking,
    stopped_picture,
    told,
    undecided_picture,
)
from hedgetheory.analysis.gold import (
    Change,
    Gold,
    NotPolynomial,
    constant_sign,
    pieces_of,
    slope_pattern,
)
from hedgetheory.analysis.hypotheses import Hypothesis, hypotheses
from hedgetheory.analysis.lattice_curve import LatticeCurve
from hedgetheory.analysis.mixed.examine import examine_mixed
from hedgetheory.analysis.picture import Picture, picture_of
from hedgetheory.analysis.random_draws.decide import drawn_picture
from hedgetheory.analysis.random_draws.kernels import drawn_hypotheses
from hedgetheory.analysis.random_draws.lines import Line, line_of, plain
from hedgetheory.analysis.raw_tilt import raw_tilt_picture
from hedgetheory.analysis.singular_gold import log_picture, singular_log
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import smooth_pattern
from hedgetheory.analysis.soft.draws import draws_picture
from hedgetheory.analysis.soft.pattern import along_draws, along_strength, infinite_mean
from hedgetheory.analysis.soft.strength import soft_picture
from hedgetheory.effort import (
    Effort,
    OutOfWork,
    Progress,
    checked_bounds,
    doing,
    working,
)
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.family import Family
from hedgetheory.workers import Workers, spreading


def check(
    law: Law,
    family: Family,
    gold: Gold,
    digits: int = 12,
    *,
    workers: Workers = 1,
    progress: Progress | None = None,
    bound: int | None = None,
    seconds: float | None = None,
) -> CheckResult:
    """The regime of f, all its interior extrema, its ends, the best θ, and whether hacking occurs.

    f(θ) = E_θ[g], with f′(θ) = ∫ g′ k_θ, k_θ = −∂_θ G_θ, for rank families.

    Complete (every extremum on the whole domain, none missed) for: gold polynomial or piecewise
    polynomial in the quantile under Best-of-n (rational exponents too), Best-of-Poisson and the
    quantile tilt on laws without atoms; laws on finitely many atoms; the raw tilt on the uniform
    law, and on the normal and exponential laws for polynomial gold in r. Elsewhere (other gold,
    mixtures, countably many atoms, atoms beside a density unless that is uniform) it is decided
    where certified sign changes of g′, or of its increments, and certified integrals or sums close
    it: under the raw tilt for gold that turns
    once, or twice without meeting a level three times. Best of a random number of draws: exact for
    polynomial gold but along r of the negative binomial; on up to some 20 atoms; else for gold that
    turns once. Its hacking is read in the direction in which KL grows. Anything else is
    "undecided". Soft Best-of-n along λ is never complete: its certified turns are listed. Gold in u
    on a law with atoms is taken at u = F(r), the atom included.

    ``law``, ``family``; ``gold`` with an ``expr`` in `symbols.u` or `symbols.r`; ``digits``
    significant digits of each number; ``workers`` processes for signs and values that do not wait
    for each other: an int, −1 for one a core, or a callable map(function, items); ``progress`` is
    called with (what is done now, units of work so far), some ten times a second. ``bound``, in
    units of work (evaluations of an integrand, terms of a sum: some 10⁴ a second), ends the check
    at the same place on every machine and for every ``workers``; ``seconds`` on the clock does not.
    Beyond either, whatever is not decided is "undecided" and what is known stands: turns with the
    place they are in, hypotheses, values that were computed.

    Numbers are exact or certified; "complete" is exact, by ball arithmetic over the whole domain,
    or by a cited theorem (variation diminishing, Karlin 1968), as its reason says. Raises
    InputError for a formula in neither variable or both, and NotOnThisLaw where the policy does
    not exist. A KeyboardInterrupt has as its ``__notes__`` what was certain by then.

    >>> from types import SimpleNamespace
    >>> from hedgetheory.laws.uniform import Uniform
    >>> from hedgetheory.policies.best_of_n import BestOfN
    >>> family = Family("bon", BestOfN, BestOfN.symbols[0], BestOfN.domains[0])
    >>> found = check(Uniform(), family, SimpleNamespace(expr=u**12 * (1 - u), variable="u"))
    >>> found.regime, found.integer.best, str(found.threshold)[:12]
    ('peak', [12, 13], '12.489995996')

    Source: paper, Definition 1 and Theorems 1 and 3 (arXiv 2506.19248).
    """
    _admit(law, family, gold)
    family = plain(family)
    checked_bounds(bound, seconds, "check")
    with spreading(workers) as spread, working(Effort(bound, seconds, progress, spread)) as effort:
        picture, conditions = _within_bounds(law, family, gold, effort)
        try:
            return told(law, family, picture, conditions, digits)
        except NotCertified as why:
            # The shape is known, but not where or how high to the digits asked for.
            blank = undecided_picture(family, f"a point of the picture is not certified: {why}")
            return told(law, family, blank, conditions, digits)


def _within_bounds(
    law: Law, family: Family, gold: Gold, effort: Effort
) -> tuple[Picture, list[Hypothesis]]:
    """The picture and the hypotheses; of what is known, where the bound of the work ends it."""
    try:
        return _examine(law, family, gold)
    except OutOfWork as why:
        patterns: list[list[Change]] = effort.kept.get("changes", [])
        changes = patterns[-1] if patterns else sign_changes(law, gold)[0]
        turns = effort.kept.get("turn", [])
        picture = stopped_picture(family, turns, "; ".join([str(why), *effort.facts]))
        return picture, hypotheses(law, family, changes, str(why))


def threshold(law: Law, family: Family, gold: Gold, digits: int = 12) -> Number:
    """The hacking threshold θ† of Definition 1: f decreases beyond it, and from nowhere later.

    It is the largest interior maximum where f decreases after it, and the lower end of the domain
    where f decreases throughout. Assumptions, arguments and what is raised are those of `check`.
    Undefined, with its reason, where f does not decrease at the upper end, or is undecided.

    Source: paper, Definition 1 and Theorem 3.
    """
    _admit(law, family, gold)
    picture, conditions = _examine(law, plain(family), gold)
    return hacking(picture, conditions, digits)[1]


def _admit(law: object, family: object, gold: Gold) -> None:
    if not isinstance(law, Law):
        raise InputError(f"law={law!r}, but must be a law: hedgetheory.parse_law reads text")
    if not isinstance(family, Family):
        raise InputError(
            f"family={family!r}, but must be a family: hedgetheory.parse_family reads text"
        )
    if not (hasattr(gold, "expr") and hasattr(gold, "variable")):
        raise InputError(f"gold={gold!r}, but must be a formula: hedgetheory.parse_gold reads text")
    extra = gold.expr.free_symbols - {u, r}
    if extra or (gold.expr.has(u) and gold.expr.has(r)):
        raise InputError(f"gold={gold.expr}, but must be a formula in u or in r alone [check]")
    if isinstance(law, CountableLaw) and family.name.startswith("sbon"):
        raise NotCertified(f"{family} on countably many atoms is not examined: take a finite law")


def sign_changes(law: Law, gold: Gold) -> tuple[list[Change] | None, str]:
    """The strict sign changes of g′ (of the increments of g on atoms), None and why if unknown."""
    try:
        if isinstance(law, FiniteLaw):
            return _changes_on_atoms(law, gold), ""
        if not isinstance(law, ContinuousLaw):
            return None, f"no sign changes on {law}"
        if gold.expr.has(r):
            pieces = pieces_of(gold.expr, r, *law.support)
        else:
            pieces = pieces_of(gold_in_quantile(law, gold), u, ZERO, ONE)
        return slope_pattern(pieces)[1], ""
    except (NotPolynomial, NoExactForm) as why:
        return None, str(why)


def _changes_on_atoms(law: FiniteLaw, gold: Gold) -> list[Change]:
    values = gold_on_atoms(law, gold)
    changes: list[Change] = []
    before = 0
    for i in range(1, len(values)):
        step = canonical(symbolic(values[i]) - symbolic(values[i - 1]))
        sign = constant_sign(step)
        if sign and before and sign != before:
            at = law.atoms[i - 1][0]
            changes.append(Change(at, at, before, sign))
        before = sign or before
    return changes


def _examine(law: Law, family: Family, gold: Gold) -> tuple[Picture, list[Hypothesis]]:
    """The picture of f and the hypotheses: exact where there is a form, else by quadrature."""
    if family.mixture is not None:
        return diluted(law, family.mixture, gold, _examine)
    if isinstance(law, MixedLaw):
        return examine_mixed(law, family, gold, _examine, sign_changes)
    doing("the sign changes of g'")
    changes, why_not = sign_changes(law, gold)
    if family.name == inverse_reward.NAME and line_of(family) is None:
        return inverse_reward.inverse_examination(law, family, gold, _examine, changes, why_not)
    line = line_of(family)
    if line is not None:
        return _by_draws(law, line, gold, changes, why_not)
    if along_strength(family) or along_draws(family):
        blocked = infinite_mean(law, gold)
        if blocked:
            return undecided_picture(family, blocked), hypotheses(law, family, changes, blocked)
    if along_strength(family):
        return soft_picture(law, family, gold), hypotheses(law, family, changes, why_not)
    if along_draws(family):
        return draws_picture(law, family, gold), hypotheses(law, family, changes, why_not)
    try:
        curve = curve_of(law, family, gold)
    except NoExactForm as why:
        return _by_quadrature(law, family, gold, changes, str(why))
    picture = picture_of(curve, variation_bound(family, changes))
    return picture, hypotheses(law, family, changes, why_not)


def _by_draws(
    law: Law, line: Line, gold: Gold, changes: list[Change] | None, why_not: str
) -> tuple[Picture, list[Hypothesis]]:
    """The same for best of a random number of draws."""
    try:
        picture, pattern = drawn_picture(law, line, gold, changes)
    except (NoExactForm, NotCertified) as why:
        picture, pattern, why_not = undecided_picture(line.family, str(why)), None, str(why)
    seen = changes if pattern is None else pattern[1]
    return picture, drawn_hypotheses(law, line, seen, why_not)


def _by_quadrature(
    law: Law, family: Family, gold: Gold, changes: list[Change] | None, why: str
) -> tuple[Picture, list[Hypothesis]]:
    raw = family.name == "tilt"
    uniform_tilt = raw and isinstance(law, Uniform)
    rank = replace(family, name="quantile_tilt") if uniform_tilt else family
    by_quantile = isinstance(law, Uniform) or not gold.expr.has(r)
    singular = singular_log(gold) if isinstance(law, ContinuousLaw) and by_quantile else None
    try:
        if raw and not uniform_tilt:
            picture, pattern = raw_tilt_picture(law, gold)
        elif isinstance(law, CountableLaw):
            sums = LatticeCurve(law, family, gold)
            pattern = sums.pattern
            picture = smooth_picture(sums, family, pattern)
        elif singular is not None:
            picture, pattern = log_picture(rank, singular)
        elif isinstance(law, ContinuousLaw):
            smooth = SmoothCurve(law, rank, gold)
            if not smooth.finite:
                # By the plans of E[g]: they know moments, and tails that a curve does not bound.
                blocked = infinite_mean(law, gold)
                if blocked:
                    return undecided_picture(family, blocked), hypotheses(
                        law, family, changes, blocked
                    )
                smooth.finite = True
            pattern = smooth_pattern(smooth)
            picture = smooth_picture(smooth, rank, pattern)
            if pattern is not None and smooth.q > 1:
                # The places are in x = u^{1/q}, in which g is smooth at 0.
                q, (signs, places) = smooth.q, pattern
                moved = [Change(c.low**q, c.high**q, c.before, c.after) for c in places]
                pattern = signs, moved
        else:
            raise NoExactForm(why)
    except (NoExactForm, NotCertified) as other:
        reason = why if str(other) == why else f"{why}; {other}"
        return undecided_picture(family, reason), hypotheses(law, family, changes, reason)
    seen = changes if pattern is None else pattern[1]
    return picture, hypotheses(law, family, seen, picture.open_reason)


def variation_bound(family: Family, changes: list[Change] | None) -> int | None:
    """A proved bound on the zeros of f′ on the open domain, with multiplicity; None without one.

    Best-of-n and Best-of-Poisson: k is strictly totally positive of every order, so the number of
    strict sign changes of g′ bounds it. The tilts: k is TP2 (quantile tilt), w strictly TP (every
    tilt): the number is a bound for at most one sign change.
    """
    if changes is None:
        return None
    if family.name in ("bon", "bop"):
        return len(changes)
    tilts = family.name in ("quantile_tilt", "tilt")
    return len(changes) if tilts and len(changes) <= 1 else None


__all__ = ["CheckResult", "check", "sign_changes", "threshold", "variation_bound"]
