"""Assertions that a function computes what it should: a quantity, or the density of a policy."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hedgetheory.errors import InputError
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.functionals.quantities import value
from hedgetheory.reference.answers import Answer, parse_answer
from hedgetheory.reference.cases import Job
from hedgetheory.reference.hints import hint
from hedgetheory.reference.judge import Question, Tolerance, Verdict, judge, questions
from hedgetheory.reference.worker import written
from hedgetheory.spec.grammar import parse_gold, parse_law, parse_policy
from hedgetheory.testing.failures import Disagreement, called, command, name_of, shown
from hedgetheory.testing.truths import DIGITS, true_value

if TYPE_CHECKING:
    from hedgetheory.laws.base import Law
    from hedgetheory.policies.base import Policy
    from hedgetheory.reference.model import Case

RTOL, ULPS = Fraction(1, 10**10), 4
#: Tail levels of the points at which a density is read, beside the bulk.
_TAILS = [2.0**-k for k in (4, 7, 10, 20)]


def assert_matches_reference(
    function: Callable[..., object],
    quantity: str,
    policies: Iterable[Policy | str] = (),
    laws: Law | str | Iterable[Law | str] = "uniform",
    *,
    at: Iterable[RealInput] | RealInput | None = None,
    order: RealInput | None = None,
    gold: str | None = None,
    rtol: RealInput = RTOL,
    ulps: RealInput = ULPS,
    atol: RealInput = 0,
) -> None:
    """A function returns the quantity, for every policy, law and point given.

    |got − want| ≤ rad + max(rtol·|want|, ulps·ulp(want), atol), in exact rational arithmetic, with
    want ± rad certified to 25 digits. Where the value is infinite the function must return that
    infinity (or overflow to it), where it is undefined NaN. None, or raising NotImplementedError,
    says "not supported" and counts as a failure here: a check examines what it is asked.

    Args:
        function: called with the policy's parameters by their names (``n``, ``mu``, ``lam``, ``p``
            …) as floats, and ``at`` and ``order`` where given. A function that also takes
            ``policy``, ``law`` or ``gold`` gets their spec strings.
        quantity: a name of `hedgetheory.functionals.quantities.QUANTITIES`; or ``threshold`` of
            Definition 1, for families such as ``bon`` or ``sbon(n=16)`` (called with what they
            fix); or ``slope``, dE[g]/dθ for ``bon(n)``, ``bop(mu)`` and the tilts where the value
            has an exact form (polynomial gold, atoms), in λ for ``sbon(n, lam)``.
        policies: policies or their spec strings, at least one, with parameters that are binary64
            numbers, so that the function is asked what is judged.
        laws: a law, its spec string, or several.
        at: rewards (for ``quantile`` a probability), one or several, where the quantity takes one.
        order: of the Rényi divergence.
        gold: a gold curve as text, for ``gold``, ``threshold`` and ``slope``.
        rtol, ulps, atol: the tolerance, all ≥ 0.

    Raises Disagreement, an AssertionError, for the first answer that is off; InputError for
    arguments out of domain, no policy, and parameters that are not binary64 numbers; NotCertified
    where the true value is not certified, a threshold undecided.

    >>> import math
    >>> assert_matches_reference(lambda: math.sqrt(156), "threshold", ["bon"], gold="u**12*(1 - u)")
    >>> kl = lambda n: math.log(n) - (n - 1) / n
    >>> assert_matches_reference(kl, "kl", policies=["bon(2)", "bon(1024)"])
    >>> assert_matches_reference(lambda n: math.log2(n) - (n - 1) / n, "kl", policies=["bon(2)"])
    Traceback (most recent call last):
        ...
    hedgetheory.testing.failures.Disagreement: kl disagrees with the reference
      input      bon(n=2) on uniform
      got        0.5
      want       0.19314718055994530942 ± 2.8e-21
      bound      |got - want| <= 1.9e-11 (relative 1e-10, 4 ulps, absolute 0)
      off by     relative 1.59, 1.11e+16 ulps
      reproduce  function(n=2.0)
      check      hedgetheory value --law uniform --policy 'bon(n=2)' --quantity kl
    """
    __tracebackhide__ = True  # pytest shows the message, not this function
    tolerance = _tolerance(rtol, ulps, atol)
    several = [laws] if isinstance(laws, str) or not isinstance(laws, Iterable) else list(laws)
    points: Sequence[Any] = list(at) if _several(at) else [at]  # type: ignore[arg-type]
    examined = 0
    for policy in policies:
        for law in several:
            for point in points:
                question = _question(quantity, str(policy), str(law), point, order=order, gold=gold)
                arguments = _arguments(function, question)
                answer = _answer(function, arguments)
                verdict = judge(question, answer, tolerance)
                examined += 1
                if verdict.status != "pass":
                    call = called(name_of(function), arguments)
                    raise _disagreement(verdict, tolerance, call, answer)
    if not examined:
        raise InputError("nothing to examine: give policies, laws and points")


def assert_conforms(
    function: Callable[[dict[str, Any]], object],
    cases: Iterable[Case],
    *,
    rtol: RealInput = RTOL,
    ulps: RealInput = ULPS,
    atol: RealInput = 0,
    unsupported: bool = True,
) -> int:
    """A function answers cases of the reference tables, as `hedgetheory compare --python` asks it.

    ``function`` takes a case as a dict with ``id``, ``quantity`` and ``inputs``, and returns a
    number, numeric text, or None for "not supported", which passes unless ``unsupported`` is
    False. ``cases``: of `hedgetheory.reference.tables`. The tolerance is that of
    `assert_matches_reference`.

    Returns how many cases were answered. Raises Disagreement for the first wrong answer, and
    InputError where no case is given or none is answered.

    >>> from hedgetheory.exact import Number
    >>> from hedgetheory.reference.model import Check
    >>> from hedgetheory.reference.model import Case as ReferenceCase
    >>> case = ReferenceCase("win_rate:bon(n=3)@uniform", {}, Number.exact(Fraction(3, 4)), None,
    ...                      Check("exact"), ())
    >>> assert_conforms(lambda case: 0.75, [case])
    1
    """
    tolerance, answered, asked = _tolerance(rtol, ulps, atol), 0, 0
    for question in questions("", cases):
        asked += 1
        answer = _answer(function, {}, question.line())
        verdict = judge(question, answer, tolerance)
        if verdict.status == "unsupported" and unsupported:
            continue
        if verdict.status != "pass":
            call = f"{name_of(function)}(case)   # case {question.id}"
            raise _disagreement(verdict, tolerance, call, answer)
        answered += 1
    if not asked:
        raise InputError("nothing to examine: give cases of the reference tables")
    if not answered:
        raise InputError(f"none of the {asked} cases is supported: nothing was examined")
    return answered


def assert_density(
    density: Callable[[float], object],
    law: Law | str,
    policy: Policy | str,
    *,
    points: Iterable[float] | None = None,
    rtol: RealInput = RTOL,
    ulps: RealInput = ULPS,
    atol: RealInput = 0,
) -> None:
    """A function of the reward is the density of the selected reward, or its probability mass.

    On a law without atoms p(r) = w(r) f(r), with respect to Lebesgue measure; on a law with atoms
    the mass at r, tied responses sharing it. It is compared with certified values at ``points``:
    by default 31 across the bulk and to 2⁻²⁰ in both tails of the reference, and beyond both ends
    of the support, where it must be 0; with atoms at each (of countably many, at the first 40) and
    between two of them. A density that only integrates to one is not enough.

    ``density``: takes a float, returns a number. Raises Disagreement for the first point that is
    off, InputError for a law or policy that is none.

    >>> assert_density(lambda r: 3 * r**2 if 0 <= r <= 1 else 0.0, "uniform", "bon(3)")
    >>> assert_density(lambda r: {0: 0.125, 1: 0.875}.get(r, 0), "bernoulli(1/2)", "bon(3)")
    """
    __tracebackhide__ = True  # pytest shows the message, not this function
    from hedgetheory.laws.base import ContinuousLaw

    law = parse_law(law) if isinstance(law, str) else law
    policy = parse_policy(policy) if isinstance(policy, str) else policy
    continuous = isinstance(law, ContinuousLaw)
    chosen = list(_density_points(law) if points is None else points)
    quantity = "density" if continuous else "mass"
    tolerance = _tolerance(rtol, ulps, atol)
    if not chosen:
        raise InputError("nothing to examine: give points")
    for point in chosen:
        question = _question(quantity, str(policy), str(law), point)
        answer = _answer(density, {}, float(point))
        verdict = judge(question, answer, tolerance)
        if verdict.status != "pass":
            call = f"{name_of(density)}({float(point)!r})"
            raise _disagreement(verdict, tolerance, call, answer)


def reference_function(
    quantity: str, policy: str, law: str = "uniform", **more: Any
) -> Callable[..., float]:
    """The true values as a function of floats: of a family's parameter, and of ``at``.

    What an implementation should be, correctly rounded to about 1e-16: for plots, for
    `assert_mlr`, and to see an assertion pass. ``policy``: a family, such as ``bop``.

    >>> reference_function("kl", "bop")(5.0)
    0.8334494257619074
    """
    from hedgetheory.spec.grammar import parse_family

    family, on = parse_family(policy), parse_law(law)
    if "gold" in more:
        more["gold"] = parse_gold(more["gold"])

    def function(theta: float, at: float | None = None) -> float:
        found = value(on, family.at(theta), quantity, at=at, digits=20, **more)
        return float(found)

    return function


# -- questions and answers -------------------------------------------------------------------------


def _several(at: object) -> bool:
    return isinstance(at, Iterable) and not isinstance(at, str)


def _tolerance(rtol: RealInput, ulps: RealInput, atol: RealInput) -> Tolerance:
    found = [rational(x, name) for x, name in ((rtol, "rtol"), (ulps, "ulps"), (atol, "atol"))]
    if min(found) < 0:
        raise InputError("rtol, ulps and atol must be >= 0")
    return Tolerance(*found)


def _question(
    quantity: str,
    policy: str,
    law: str,
    at: Any,
    *,
    order: RealInput | None = None,
    gold: str | None = None,
) -> Question:
    place: tuple[str, Fraction] | None = None
    if isinstance(at, str) and at.replace(" ", "").startswith("u="):
        place = ("quantile", rational(at.split("=", 1)[1], "u"))
    elif at is not None:
        kind = "probability" if quantity == "quantile" else "reward"
        place = (kind, rational(at, "at"))
    exact_order = None if order is None else rational(order, "order")
    job = Job(quantity, policy, law, place, exact_order, gold, DIGITS)
    truth = true_value(quantity, policy, law, at=_point(place), order=exact_order, gold=gold)
    return Question(job.id, "", quantity, job.inputs, (truth,))


def _point(place: tuple[str, Fraction] | None) -> Fraction | str | None:
    if place is None:
        return None
    return f"u={place[1]}" if place[0] == "quantile" else place[1]


def _arguments(function: Callable[..., object], question: Question) -> dict[str, Any]:
    """What the function is called with: floats that are exactly the parameters, and texts."""
    arguments: dict[str, Any] = {
        name: _double(number, name) for name, number in question.parameters.items()
    }
    inputs = question.inputs
    for number in inputs.get("at", {}).values():
        arguments["at"] = _double(Fraction(number["rational"]), "at")
    if "order" in inputs:
        arguments["order"] = _double(Fraction(inputs["order"]["rational"]), "order")
    texts = {"policy": inputs["policy_spec"], "law": inputs["law_spec"]}
    texts |= {"gold": inputs["gold"]} if "gold" in inputs else {}
    taken = _names_taken(function)
    return arguments | {name: text for name, text in texts.items() if name in taken}


def _names_taken(function: Callable[..., object]) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a builtin that does not tell
        return set()


def _double(number: Fraction, name: str) -> float:
    try:
        double = float(number)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double) or Fraction(double) != number:
        raise InputError(
            f"{name}={short(number)}, but must be a binary64 number, so that the function is "
            f"asked exactly this: take {Decimal(double)}"
        )
    return double


def _answer(
    function: Callable[..., object], arguments: Mapping[str, Any], *positional: Any
) -> Answer:
    """What the function returned, as an answer; only "not implemented" is not its mistake."""
    try:
        found = function(*positional, **arguments)
    except NotImplementedError:
        found = None
    return parse_answer(written(found))


def _disagreement(
    verdict: Verdict, tolerance: Tolerance, call: str, answer: Answer
) -> Disagreement:
    question, truth = verdict.question, verdict.value or verdict.question.values[0]
    inputs = question.inputs
    quantity = question.quantity
    lines: list[tuple[str, object]] = [("input", _described(question))]
    got = repr(float(answer.value)) if answer.given.startswith(("0x", "-0x")) else answer.given
    lines += [("got", got), ("want", shown(truth))]
    if verdict.relative is not None:
        low, high = truth.bounds
        bound = tolerance.around((low + high) / 2) + (high - low) / 2
        rule = (
            f"relative {float(tolerance.rtol):.3g}, {short(tolerance.ulps)} ulps, "
            f"absolute {float(tolerance.atol):.3g}"
        )
        lines.append(("bound", f"|got - want| <= {float(bound):.2g} ({rule})"))
        off = f"relative {verdict.relative:.3g}, {verdict.ulps:.3g} ulps"
        lines.append(("off by", off))
    lines.append(("because", "" if verdict.relative is not None else _why(verdict)))
    lines.append(("hint", hint(verdict)))
    lines.append(("reproduce", call))
    by_value = "law_spec" in inputs and "joint" not in inputs  # what `hedgetheory value` is told
    if by_value and quantity not in ("slope", "best_integer"):
        at = next(iter(inputs.get("at", {}).items()), None)
        text = None if at is None else f"{'u=' if at[0] == 'quantile' else ''}{at[1]['rational']}"
        order = inputs["order"]["rational"] if "order" in inputs else None
        more = {"at": text, "order": order, "gold": inputs.get("gold")}
        line = command(inputs["law_spec"], inputs["policy_spec"], quantity, **more)
        lines.append(("check", line))
    return Disagreement(f"{quantity} disagrees with the reference", lines)


def _why(verdict: Verdict) -> str:
    return "it is not supported" if verdict.status == "unsupported" else verdict.reason


def _described(question: Question) -> str:
    inputs = question.inputs
    if "law_spec" not in inputs:
        return question.id
    text = f"{inputs['policy_spec']} on {inputs['law_spec']}"
    for kind, number in inputs.get("at", {}).items():
        text += f", {kind} {short(Fraction(number['rational']))}"
    if "order" in inputs:
        text += f", order {short(Fraction(inputs['order']['rational']))}"
    if "gold" in inputs:
        text += f", gold {inputs['gold']}"
    if "joint_spec" in inputs:
        text += f", joint {inputs['joint_spec']}"
    return text


# -- points ----------------------------------------------------------------------------------------


def _density_points(law: Law) -> Iterator[float]:
    from hedgetheory.laws.base import ContinuousLaw, FiniteLaw
    from hedgetheory.laws.countable import CountableLaw

    if isinstance(law, FiniteLaw):
        atoms = [float(x) for x, _ in law.atoms if Fraction(float(x)) == x]
        yield from atoms
        yield from ((a + b) / 2 for a, b in itertools.pairwise(atoms))
        yield atoms[-1] + 1 if atoms else 0.0
    elif isinstance(law, CountableLaw):
        yield from map(float, range(law.first, law.first + 40))
        yield from (law.first - 1.0, law.first + 0.5)
    elif isinstance(law, ContinuousLaw):
        yield from _continuous_points(law)


def _continuous_points(law: Any) -> Iterator[float]:
    """Rewards at levels of the reference, and one beyond each end of its support."""
    import numpy as np

    from hedgetheory.policies.sampling.rewards import rewards_at

    # Off the symmetric places, where a density with u and 1 − u exchanged would be right.
    bulk = [(k + 0.37) / 23 for k in range(23)]
    u = np.array([*_TAILS, *bulk, *(1 - tail for tail in _TAILS)])
    ubar = np.array([*(1 - tail for tail in _TAILS), *(1 - x for x in bulk), *_TAILS])
    low, high = (None if end is None else float(end) for end in law.support)
    for reward in rewards_at(law, u, ubar).tolist():
        inside = (low is None or reward > low) and (high is None or reward < high)
        if inside and math.isfinite(reward):
            yield reward
    width = float(law.width)
    if low is not None:
        yield low - width
    if high is not None:
        yield high + width
