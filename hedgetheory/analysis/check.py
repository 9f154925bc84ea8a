"""`check`: the hypotheses, the whole shape of f, its best parameter, and whether it is hacked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hedgetheory.analysis import geometric_draws
from hedgetheory.analysis.compare import largest
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
from hedgetheory.analysis.gold import (
    Change,
    Gold,
    NotPolynomial,
    constant_sign,
    pieces_of,
    slope_pattern,
)
from hedgetheory.analysis.hypotheses import Hypothesis, hypotheses
from hedgetheory.analysis.integers import IntegerChoice, best_integer
from hedgetheory.analysis.lattice_curve import LatticeCurve
from hedgetheory.analysis.picture import Picture, Point, picture_of
from hedgetheory.analysis.raw_tilt import raw_tilt_picture, tilt_domain
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import smooth_pattern
from hedgetheory.analysis.soft.draws import draws_picture
from hedgetheory.analysis.soft.pattern import along_draws, along_strength, infinite_mean
from hedgetheory.analysis.soft.strength import soft_picture
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number, short
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.family import Family


@dataclass(frozen=True)
class ExtremumFound:
    """An interior extremum of f."""

    theta: Number
    value: Number
    kind: str


@dataclass(frozen=True)
class EndFound:
    """An end of the domain with the value there, a limit where it is not attained."""

    theta: Number
    value: Number
    attained: bool


@dataclass(frozen=True)
class CheckResult:
    """What `check` finds; `to_json` gives the fields of the command-line contract."""

    regime: str
    extrema: tuple[ExtremumFound, ...]
    ends: tuple[EndFound, ...]
    best: EndFound | None
    integer: IntegerChoice | None
    complete: str
    domain: str
    complete_reason: str
    hacking: str
    threshold: Number
    hypotheses: tuple[Hypothesis, ...]
    digits: int
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The contract's fields for `check`, without the common ones."""
        entry: dict[str, Any] = {
            "regime": self.regime,
            "extrema": [
                {"theta": self._json(e.theta), "value": self._json(e.value), "kind": e.kind}
                for e in self.extrema
            ],
            "ends": [
                {"theta": self._json(e.theta), "value": self._json(e.value), "attained": e.attained}
                for e in self.ends
            ],
            "best": None
            if self.best is None
            else {"theta": self._json(self.best.theta), "value": self._json(self.best.value)},
            "complete": {
                "verdict": self.complete,
                "domain": self.domain,
                "reason": self.complete_reason,
            },
            "hacking": {"verdict": self.hacking, "threshold": self._json(self.threshold)},
            "hypotheses": [h.to_json() for h in self.hypotheses],
        }
        if self.threshold.is_undefined:
            entry["hacking"]["reason"] = self.threshold.reason
        if self.integer is not None:
            entry["integer"] = self.integer.to_json(self.digits)
        if self.notes:
            entry["notes"] = list(self.notes)
        return entry

    def _json(self, number: Number) -> dict[str, str] | None:
        return number.to_json(self.digits)


def check(law: Law, family: Family, gold: Gold, digits: int = 12) -> CheckResult:
    """The regime of f, all its interior extrema, its ends, the best θ, and whether hacking occurs.

    f(θ) = E_θ[g], with f′(θ) = ∫ g′ k_θ, k_θ = −∂_θ G_θ, for rank families.

    Complete (every extremum on the whole domain, none missed) for: gold polynomial or piecewise
    polynomial in the quantile under Best-of-n (rational exponents too), Best-of-Poisson and the
    quantile tilt on laws without atoms; laws on finitely many atoms; the raw tilt on the uniform
    law, and on the normal and exponential laws for polynomial gold in r. Elsewhere (other gold,
    mixtures, countably many atoms) it is decided where certified sign changes of g′, or of its
    increments, and certified integrals or sums close it: under the raw tilt for gold that turns
    once, or twice without meeting a level three times. Anything else is "undecided". Soft Best-of-n
    along λ is never complete: its certified turns are listed. Gold in u on a law with atoms is
    taken at u = F(r), the atom included.

    ``law``, ``family``; ``gold`` with an ``expr`` in `symbols.u` or `symbols.r`; ``digits``
    significant digits of each number. Numbers are exact or certified; "complete" is exact, by
    ball arithmetic over the whole domain, or by a cited theorem (variation diminishing, Karlin
    1968), as its reason says. Raises InputError for a formula in neither variable or both, and
    NotOnThisLaw where the policy does not exist.

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
    picture, conditions = _examine(law, family, gold)
    try:
        return _told(law, family, picture, conditions, digits)
    except NotCertified as why:
        # The shape is known, but not where or how high to the digits asked for.
        blank = undecided_picture(family, f"a point of the picture is not certified: {why}")
        return _told(law, family, blank, conditions, digits)


def _told(
    law: Law, family: Family, picture: Picture, conditions: list[Hypothesis], digits: int
) -> CheckResult:
    domain = picture.box or _domain_text(law, family)
    best, notes = _best(picture, digits)
    verdict, threshold_ = _hacking(picture, conditions, digits)
    mixed = family.mixture is not None and family.mixture.start is None
    counted = family.name == "bon" or mixed or along_draws(family)
    integer = best_integer(picture, digits) if counted else None
    return CheckResult(
        regime=picture.regime,
        extrema=tuple(
            ExtremumFound(e.theta(digits), e.value(digits), e.kind) for e in picture.extrema
        ),
        ends=tuple(_end(p, digits) for p in (picture.lower_end, picture.upper_end)),
        best=best,
        integer=integer,
        complete="certified" if picture.complete or picture.box else "undecided",
        domain=domain,
        complete_reason=picture.route if picture.complete else picture.open_reason,
        hacking=verdict,
        threshold=threshold_,
        hypotheses=tuple(conditions),
        digits=digits,
        notes=tuple(notes),
    )


def threshold(law: Law, family: Family, gold: Gold, digits: int = 12) -> Number:
    """The hacking threshold θ† of Definition 1: f decreases beyond it, and from nowhere later.

    It is the largest interior maximum where f decreases after it, and the lower end of the domain
    where f decreases throughout. Assumptions, arguments and what is raised are those of `check`.
    Undefined, with its reason, where f does not decrease at the upper end, or is undecided.

    Source: paper, Definition 1 and Theorem 3.
    """
    _admit(law, family, gold)
    picture, conditions = _examine(law, family, gold)
    return _hacking(picture, conditions, digits)[1]


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
    changes, why_not = sign_changes(law, gold)
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


def _by_quadrature(
    law: Law, family: Family, gold: Gold, changes: list[Change] | None, why: str
) -> tuple[Picture, list[Hypothesis]]:
    raw = family.name == "tilt"
    uniform_tilt = raw and isinstance(law, Uniform)
    rank = replace(family, name="quantile_tilt") if uniform_tilt else family
    try:
        if raw and not uniform_tilt:
            picture, pattern = raw_tilt_picture(law, gold)
        elif family.name == geometric_draws.NAME and isinstance(law, ContinuousLaw):
            picture, pattern = geometric_draws.geometric_picture(law, family, gold)
        elif isinstance(law, CountableLaw):
            sums = LatticeCurve(law, family, gold)
            pattern = sums.pattern
            picture = smooth_picture(sums, family, pattern)
        elif isinstance(law, ContinuousLaw):
            smooth = SmoothCurve(law, rank, gold)
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
    found = changes if pattern is None else pattern[1]
    return picture, hypotheses(law, family, found, picture.open_reason)


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


def undecided_picture(family: Family, why: str) -> Picture:
    """A picture that says only why it is open."""
    unknown = Number.undefined(why)
    lower, top = Number.exact(family.domain.lower), family.domain.upper
    upper = Number.infinity() if top is None else Number.exact(top)
    return Picture(
        [],
        [],
        Point(lambda _: lower, lambda _: unknown, attained=family.domain.lower_closed),
        Point(lambda _: upper, lambda _: unknown, attained=family.domain.upper_closed),
        lambda x, digits: unknown,
        why,
    )


def _end(point: Point, digits: int) -> EndFound:
    return EndFound(point.theta(digits), point.value(digits), point.attained)


def _best(picture: Picture, digits: int) -> tuple[EndFound | None, list[str]]:
    """The largest of extrema and ends; of equals the first that is attained."""
    if not picture.complete:
        return None, ["best is not stated while the regime is undecided"]
    points: list[Point] = [picture.lower_end, *picture.extrema, picture.upper_end]
    if not picture.signs:
        points = points[:1]
    if any(point.value(digits).is_undefined for point in points):
        return None, ["best is not stated: a value is not known"]
    indices, certain = largest([point.value for point in points], digits)
    notes = []
    if not certain:
        notes.append("best: values agree to more than 300 digits, the smallest theta is shown")
    elif len(indices) > 1:
        notes.append("best: an exact tie, the smallest theta is shown")
    chosen = next((points[i] for i in indices if points[i].attained), points[indices[0]])
    return _end(chosen, digits), notes


def _hacking(picture: Picture, conditions: list[Hypothesis], digits: int) -> tuple[str, Number]:
    """Definition 1: beyond some θ† f decreases while proxy reward and KL keep increasing."""
    verdicts = {h.id: h.verdict for h in conditions}
    if not picture.complete:
        return "undecided", Number.undefined(picture.open_reason)
    if not picture.signs:
        return "refuted", Number.undefined("f is constant: there is no threshold")
    if picture.signs[-1] > 0:
        return "refuted", Number.undefined("f increases at the upper end: there is no threshold")
    for name in ("kl_increasing", "proxy_increasing"):
        if verdicts[name] != "proved":
            return "undecided", Number.undefined(f"{name} is {verdicts[name]}")
    # Decreasing from the start: hacking sets in at the lower end itself.
    last = picture.extrema[-1] if picture.extrema else picture.lower_end
    return "certified", last.theta(digits)


def _domain_text(law: Law, family: Family) -> str:
    known = tilt_domain(law) if family.name == "tilt" else None
    if known is not None:
        return known
    domain = family.domain
    limit = law.mgf_limit if family.name == "tilt" and isinstance(law, ContinuousLaw) else None
    upper = domain.upper if limit is None else limit
    left = "[" if domain.lower_closed else "("
    right = "]" if domain.upper_closed and limit is None else ")"
    return f"{left}{short(domain.lower)}, {'inf' if upper is None else short(upper)}{right}"
