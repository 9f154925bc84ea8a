"""One case computed: the value, its rounding, and the check by a second method."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.errors import NotCertified, NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.functionals.gap import gap_at
from hedgetheory.functionals.plans import Plan
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.functionals.soft.slope import slope_in_strength
from hedgetheory.laws.base import Law
from hedgetheory.laws.joint import Implied
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.reference import cross
from hedgetheory.reference.cases import Job
from hedgetheory.reference.cases.designs import design_tags
from hedgetheory.reference.cross import Disagreement
from hedgetheory.reference.model import MAX_EXPONENT, MAX_RATIONAL, Case, rounded
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_joint, parse_law, parse_policy


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: a case, or why it was refused, or how two methods disagree."""

    id: str
    case: Case | None = None
    refused: str = ""
    disagreement: str = ""


def outcome(job: Job) -> Outcome:
    """Compute a job; never raises what belongs in a table."""
    try:
        found = _value(job)
        if not fits(found):
            return Outcome(job.id, refused=f"beyond 10^±{MAX_EXPONENT}")
        found = shortened(found, job.digits)
        integer = _integers(job)
        second = cross.check(job, found, lambda: _plans(job))
        if integer is not None:
            cross.check_integers(job, *integer)
    except (Disagreement, ArithmeticError) as error:
        return Outcome(job.id, disagreement=f"{type(error).__name__}: {error}")
    except NotCertified as error:
        return Outcome(job.id, refused=str(error))
    case = Case(job.id, job.inputs, found, rounded(found), second, tags(job, found), integer)
    return Outcome(job.id, case)


def fits(found: Number) -> bool:
    """Whether a value is within the exponents of a table."""
    if found.guarantee == "certified":
        return abs(found.exp10) <= MAX_EXPONENT
    if found.fraction is None:
        return True
    bits = found.fraction.numerator.bit_length() - found.fraction.denominator.bit_length()
    return abs(bits) <= 3 * MAX_EXPONENT


def shortened(found: Number, digits: int) -> Number:
    """A rational that is too long to be written becomes the ball of its first digits."""
    exact = found.fraction
    if exact is None or max(abs(exact.numerator), exact.denominator) < 10 ** (MAX_RATIONAL // 4):
        return found
    size = (abs(exact.numerator).bit_length() - exact.denominator.bit_length()) * 30103 // 100_000
    exponent = size - digits - 8
    scaled = exact / Fraction(10) ** exponent
    return Number.ball(round(scaled), 1, exponent)


def _arguments(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if job.at is not None:
        kind, number = job.at
        found["at"] = f"u={number}" if kind == "quantile" else number
    if job.order is not None:
        found["order"] = job.order
    if job.gold is not None:
        found["gold"] = _gold(job.gold)
    if job.joint is not None:
        found["gold"] = _implied(job.joint, job.law)
    return found


_law, _policy, _gold = cache(parse_law), cache(parse_policy), cache(parse_gold)


@cache
def _implied(joint: str, law: str) -> Implied:
    return parse_joint(joint).implied(_law(law))


def _law_of(job: Job) -> Law:
    """The proxy's law."""
    return _law(job.law) if job.joint is None else _implied(job.joint, job.law).law


def _value(job: Job) -> Number:
    if job.quantity in ("gap", "gap_strength"):
        mu = next(iter(_policy(job.policy).bindings.values()))
        point = gap_at(_law(job.law), mu, job.digits)
        return point.gap if job.quantity == "gap" else point.lam
    if job.quantity == "threshold":
        return _checked(job).threshold
    if job.quantity == "first_peak":
        return _first_peak(job)
    law, policy = _law_of(job), _policy(job.policy)
    if job.quantity == "slope":
        assert isinstance(policy, SoftBestOfN)
        return slope_in_strength(policy, law, _gold(job.gold or ""), job.digits)
    arguments = _arguments(job)
    quantity = job.quantity
    if quantity == "score_strength":
        quantity, arguments = "score", {**arguments, "wrt": "lam"}
    try:
        return value(law, policy, quantity, **arguments, digits=job.digits)
    except NotOnThisLaw as error:
        return Number.undefined(str(error))


@lru_cache(maxsize=4)
def _checked(job: Job) -> CheckResult:
    found = check(_law(job.law), parse_family(job.policy), _gold(job.gold or ""), job.digits)
    if found.hacking == "undecided":
        raise NotCertified(f"the threshold is undecided: {found.threshold.reason}")
    return found


def _first_peak(job: Job) -> Number:
    """The first interior maximum of those that are proved to be all, at least up to some θ."""
    found = check(_law(job.law), parse_family(job.policy), _gold(job.gold or ""), job.digits)
    if found.complete not in ("proved", "certified"):
        raise NotCertified(f"the list of turning points is {found.complete}")
    peaks = [each.theta for each in found.extrema if each.kind == "max"]
    if not peaks and found.regime == "undecided":
        raise NotCertified("no peak is found, and there may be one further on")
    return peaks[0] if peaks else Number.undefined("f has no interior maximum")


def _integers(job: Job) -> tuple[tuple[tuple[int, Number], ...], tuple[int, ...]] | None:
    """The integers next to a threshold of Best-of-n and the best of them."""
    along_n = job.quantity == "threshold" and job.policy == "bon"
    choice = _checked(job).integer if along_n else None
    if choice is None or not choice.certain:
        return None
    candidates = tuple((n, shortened(value, job.digits)) for n, value in choice.candidates)
    return candidates, tuple(choice.best)


def _plans(job: Job) -> list[Plan]:
    return list(plans(_law_of(job), _policy(job.policy), job.quantity, **_arguments(job)))


def tags(job: Job, found: Number) -> tuple[str, ...]:
    """How hard a case is, and what is special about it."""
    extreme, hard = _reach(job)
    kinds = ["extreme" if extreme else "hard" if hard else "easy"]
    if found.is_undefined:
        kinds.append("undefined")
    if found.infinite:
        kinds.append("infinite")
    if found.fraction == 0:
        kinds.append("zero")
    if any(name in job.law for name in ("bernoulli", "finite", "poisson", "geometric")):
        kinds.append("tie")
    return (*kinds, *design_tags(job))


def _reach(job: Job) -> tuple[bool, bool]:
    """Whether a parameter is beyond 2^±20, and whether it is beyond 2^±9."""
    numbers = _numbers(job.inputs)
    spread = [_distance(x) for x in numbers]
    return max(spread, default=0) > 19, max(spread, default=0) > 8


def _distance(x: Fraction) -> int:
    """How many binary orders from 0 and 1 a number is, 0 for those near neither."""
    size = abs(x)
    if size in (0, 1):
        return 0
    away = [abs(size.numerator.bit_length() - size.denominator.bit_length())]
    if size < 2:
        rest = abs(1 - size)
        away.append(rest.denominator.bit_length() - rest.numerator.bit_length())
    return max(away)


def _numbers(entry: Any) -> list[Fraction]:
    if isinstance(entry, dict):
        if set(entry) == {"rational", "binary64"}:
            return [Fraction(entry["rational"])]
        return [x for inner in entry.values() for x in _numbers(inner)]
    if isinstance(entry, list):
        return [x for inner in entry for x in _numbers(inner)]
    return []
