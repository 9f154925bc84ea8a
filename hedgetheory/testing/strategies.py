"""hypothesis strategies for laws, policies, families and joint models.

What they give prints as the text of the spec grammar, so that a failing example can be pasted into
`hedgetheory.parse_law` and its kin, or a command line. Everything shrinks to small whole numbers
and to the first name asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from hedgetheory.errors import InputError, NotCertified, nearest
from hedgetheory.exact import short
from hedgetheory.functionals.bind import bind
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.truncated import Truncated
from hedgetheory.policies.base import Domain, Parametric, Policy
from hedgetheory.spec.grammar import parse_family, parse_law
from hedgetheory.spec.registry import REGISTRY, Entry, Kind
from hedgetheory.testing.decades import REACH, parameters, positive, probabilities, reals
from hedgetheory.testing.optional import st

if TYPE_CHECKING:
    from hedgetheory.laws.joint import JointModel
    from hedgetheory.policies.family import Family

#: The laws by what they are: without atoms, on finitely many, on countably many.
_KNOWN = (
    *("uniform", "normal", "exponential", "logistic", "gumbel", "laplace", "beta", "gamma"),
    *("lognormal", "pareto", "student_t", "weibull", "mixture", "affine", "truncated"),
    *("shaped", "pdf", "cdf", "quantile"),
)
TIES = ("bernoulli", "finite")
COUNTABLE = ("poisson", "geometric")
#: What the related systems make of another law; built on laws of the whole line.
DESIGNED = tuple(name for name in REGISTRY["law"] if name not in (*_KNOWN, *TIES, *COUNTABLE))
CONTINUOUS = (*_KNOWN, *DESIGNED)
_WHOLE_LINE = ("normal", "logistic", "laplace", "gumbel")
GROUPS = {"continuous": CONTINUOUS, "ties": TIES, "countable": COUNTABLE, "mixed": ("mixed",)}
#: Integers of a policy whose domain is not stated, such as rounds.
_FEW = 4
#: Laws by a formula, each with a number k from 1 on.
_FORMULAS = {
    "shaped": "shaped(normal(mean=0, sd={0}), tanh(r))",
    "pdf": "pdf({0}*{1}*r**({0} - 1)*(1 - r), low=0, high=1)",
    "cdf": "cdf(r**{0}, low=0, high=1)",
    "quantile": "quantile(u**{0})",
}
#: What a law's number is, by its name; a law that is named differently is an error of the tests.
_NUMBERS = {
    "location": ("mean", "loc"),
    "scale": ("sd", "scale", "rate", "sigma"),
    "shape": ("a", "b", "shape", "alpha", "df"),
    "probability": ("p",),
}
#: Shapes from 1e-3 to 1e3, since sympy writes 3**shape out; masses of atoms are counts up to this.
_SHAPE_REACH, _COUNT = 3, 20
#: Simple laws inside affine, truncated and mixture.
_INSIDE = ("normal", "uniform", "exponential", "logistic", "laplace", "gumbel")
MAX_ATOMS = 6
#: Noise on a finite true reward: laws on the whole line, light tails and heavy ones.
_NOISES = ("normal", "student_t", "logistic", "laplace", "gumbel")


def laws(*names: str, reach: int = REACH) -> st.SearchStrategy[Law]:
    """Laws of the proxy reward.

    ``names``: of laws, or of the groups ``continuous``, ``ties`` (finitely many atoms) and
    ``countable``; all of these where none is given. ``mixed``, only where it is named, has atoms
    and a density together. ``reach``: parameters from 10^−reach to 10^reach,
    where the law takes them; 1 for laws on which everything is quick to compute.

    Every law can be pasted back: ``parse_law(str(law)) == law``. Raises InputError for an unknown
    name.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(laws("normal", "ties"))
    ... def test(law):
    ...     assert parse_law(str(law)) == law
    >>> test()
    """
    return st.one_of(*(_law(name, reach) for name in _named("law", names, GROUPS)))


def policies(*names: str, law: Law | None = None, reach: int = REACH) -> st.SearchStrategy[Policy]:
    """Selection policies, the reference itself among them.

    ``names``: of policies (``bon``, ``bop``, …), all where none is given. ``law``: only policies
    that exist on it, where a tilt needs M(λ) < ∞. ``reach``: decades of their parameters.

    Raises InputError for an unknown name.

    >>> from hypothesis import given, settings
    >>> from hedgetheory.laws.exponential import Exponential
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(policies("bop", "tilt", law=Exponential(2)))
    ... def test(policy):
    ...     assert policy.bindings
    >>> test()
    """
    return st.one_of(*(_policy(name, law, reach) for name in _named("policy", names, {})))


def draws(*names: str, reach: int = REACH) -> st.SearchStrategy[Parametric]:
    """Laws of a random number of draws N ≥ 1, as ``best_of_random`` takes them.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(draws("binomial", "sibuya"))
    ... def test(draws):
    ...     assert draws.name in ("binomial", "sibuya")
    >>> test()
    """
    return st.one_of(*(_built("draws", name, reach) for name in _named("draws", names, {})))


@st.composite
def laws_and_policies(
    draw: st.DrawFn, laws: st.SearchStrategy[Law] | None = None, *names: str, reach: int = REACH
) -> tuple[Law, Policy]:
    """A law with a policy that exists on it.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(laws_and_policies(laws("normal"), "bon", "tilt"))
    ... def test(pair):
    ...     assert str(pair[0]).startswith("normal")
    >>> test()
    """
    law = draw(_all_laws(reach=reach) if laws is None else laws)
    return law, draw(policies(*names, law=law, reach=reach))


_all_laws = laws


def families(*names: str, reach: int = REACH) -> st.SearchStrategy[Family]:
    """Families: a policy with one parameter free and the others fixed.

    ``names``: of policies, all where none is given. ``parse_family(str(family)) == family``.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(families("sbon"))
    ... def test(family):
    ...     assert str(parse_family(str(family))) == str(family)
    >>> test()
    """
    return st.one_of(
        *(_family(REGISTRY["policy"][name], reach) for name in _named("policy", names, {}))
    )


@st.composite
def joint_models(draw: st.DrawFn, *names: str, reach: int = REACH) -> tuple[Law, JointModel]:
    """Joint models of proxy and true reward, each with a law on which it is built.

    ``model.implied(law)`` gives the proxy's law and the gold curve. ``names``: of joint models.
    ``noisy_proxy`` comes with a normal true reward and normal noise, and with finitely many atoms
    and light- or heavy-tailed noise.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(joint_models("bivariate_normal"))
    ... def test(pair):
    ...     assert pair[1].implied(pair[0]).law == pair[0]
    >>> test()
    """
    name = draw(st.sampled_from(_named("joint", names, {})))
    kind = REGISTRY["joint"][name].load()
    on = {"contaminated": ("continuous",), "noisy_proxy": ("normal", *TIES)}.get(name, ("normal",))
    law = draw(laws(*on, reach=reach))
    match name:
        case "bivariate_normal":
            size = draw(
                st.one_of(st.sampled_from([Fraction(0), Fraction(1)]), probabilities(reach))
            )
            return law, kind(draw(st.sampled_from([1, -1])) * size)
        case "contaminated":
            return law, kind(draw(probabilities(reach)), draw(reals(reach)))
        case "herding":
            errors = [draw(positive(min(reach, 2))) for _ in range(3)]
            return law, kind(*errors, draw(st.integers(1, _FEW)))
        case "partial":
            return law, kind(draw(laws("normal", reach=reach)), draw(probabilities(reach)))
    noises = ("normal",) if law.name == "normal" else _NOISES
    return law, kind(draw(laws(*noises, reach=reach)))


# -- how they are drawn ----------------------------------------------------------------------------


def _named(kind: Kind, names: Sequence[str], groups: dict[str, tuple[str, ...]]) -> list[str]:
    known = REGISTRY[kind]
    out: list[str] = []
    for name in names or tuple(known):
        if name not in known and name not in groups:
            raise InputError(f"unknown {kind} {name}: {nearest(name, [*groups, *known])}")
        out += groups.get(name, (name,))
    return out


def _law(name: str, reach: int) -> st.SearchStrategy[Law]:
    entry = REGISTRY["law"]["mixture" if name == "mixed" else name]
    if name in _FORMULAS:
        counts = st.integers(1, 4)
        return counts.map(lambda k: parse_law(_FORMULAS[name].format(k, k + 1)))
    inside = partial(laws, *_INSIDE, reach=min(reach, 2))
    if name in DESIGNED:
        return _designed(entry)
    match name:
        case "finite":
            return _masses(reals(min(reach, 6)), 1).map(entry.load())
        case "mixture":
            return _masses(inside(), 2, most=3).map(entry.load())
        case "mixed":
            parts = st.tuples(inside(), laws(*TIES, reach=min(reach, 2)), st.integers(1, 19))
            return parts.map(
                lambda found: entry.load()(
                    {found[0]: Fraction(found[2], 20), found[1]: 1 - Fraction(found[2], 20)}
                )
            )
        case "affine":
            return st.builds(
                entry.load(),
                inside(), reals(reach), positive(reach),
            )  # fmt: skip
        case "truncated":
            return _truncated(inside())
    numbers = {p.name: _number(name, p.name, reach) for p in entry.parameters}
    return st.fixed_dictionaries(numbers).map(lambda found: entry.load()(**found))


def _designed(entry: Entry) -> st.SearchStrategy[Law]:
    """A transform of a law on the line, its numbers as published or a few others."""
    found: dict[str, st.SearchStrategy[Any]] = {}
    for parameter in entry.parameters:
        default = st.just(parameter.default)
        match parameter.kind:
            case "law":
                found[parameter.name] = laws(*_WHOLE_LINE, reach=1)
            case "real" if parameter.default is not None:
                found[parameter.name] = st.one_of(default, positive(1))
            case "real":
                found[parameter.name] = st.just(Fraction(1, 2))
            case "integer" | "end":
                found[parameter.name] = st.integers(2, _FEW)
            case _ if parameter.default is not None:
                found[parameter.name] = default
            case _:
                raise InputError(f"no strategy knows the parameter {parameter.name}")
    return st.fixed_dictionaries(found).map(lambda given: entry.load()(**given))


def _number(law: str, name: str, reach: int) -> st.SearchStrategy[Fraction]:
    """A law's parameter, whose default, 0 or 1, is what it shrinks to."""
    if name == "mu":
        return positive(min(reach, _SHAPE_REACH)) if law == "poisson" else reals(min(reach, 3))
    kind = next((kind for kind, names in _NUMBERS.items() if name in names), None)
    match kind:
        case "location":
            return reals(reach)
        case "scale":
            # exp of a normal variable leaves binary64 soon.
            return positive(min(reach, 1) if name == "sigma" else reach)
        case "shape":
            return positive(min(reach, _SHAPE_REACH))
        case "probability":
            return probabilities(reach)
    raise InputError(f"no strategy knows the parameter {name} of {law}")


@st.composite
def _masses(
    draw: st.DrawFn, keys: st.SearchStrategy[Any], least: int, most: int = MAX_ATOMS
) -> Any:
    """{key: mass} with masses that are counts over their sum."""
    found = draw(st.lists(keys, min_size=least, max_size=most, unique_by=str))
    counts = [draw(st.integers(1, _COUNT)) for _ in found]
    return {key: Fraction(count, sum(counts)) for key, count in zip(found, counts, strict=True)}


@st.composite
def _truncated(draw: st.DrawFn, inside: st.SearchStrategy[Law]) -> Law:
    law = draw(inside)
    assert isinstance(law, ContinuousLaw)
    low = law.centre - draw(positive(1)) * law.width
    high = law.centre + draw(positive(1)) * law.width
    return Truncated(law, low, high)


def _policy(name: str, law: Law | None, reach: int) -> st.SearchStrategy[Policy]:
    entry = REGISTRY["policy"][name]
    if name == "best_of_random":
        return draws(reach=reach).map(entry.load())
    if law is None or name in ("bon", "bop", "quantile_tilt", "sbon"):
        return _built("policy", name, reach)
    if name != "tilt":
        return _built("policy", name, reach).filter(lambda policy: _exists(policy, law))
    limit = law.mgf_limit if isinstance(law, ContinuousLaw) else None
    if limit == 0:
        return st.just(entry.load()(0))
    found = parameters(Domain(Fraction(0), upper=limit), reach)
    if isinstance(law, CountableLaw):
        found = found.filter(law.has_tilt)
    return found.map(entry.load())


def _exists(policy: Policy, law: Law) -> bool:
    """Whether the policy has a ratio on the law that can be told."""
    try:
        bind(policy, law)
    except (InputError, NotCertified):
        return False
    return True


def _built(kind: Kind, name: str, reach: int) -> st.SearchStrategy[Any]:
    """A policy or a law of draws from the domains that its class states."""
    entry = REGISTRY[kind][name]
    return st.fixed_dictionaries(_arguments(entry, reach)).map(lambda found: entry.load()(**found))


def _arguments(entry: Entry, reach: int) -> dict[str, st.SearchStrategy[Any]]:
    owner = entry.load()
    found: dict[str, st.SearchStrategy[Any]] = {}
    for place, parameter in enumerate(entry.parameters):
        match parameter.kind:
            case "real":
                found[parameter.name] = parameters(owner.domains[place], reach)
            case "integer":
                stated = place < len(owner.domains)
                least = int(owner.domains[place].lower) if stated else 1
                most = 10 ** min(reach, 3) if stated else _FEW
                found[parameter.name] = st.integers(least, most).map(Fraction)
            case "choice":
                found[parameter.name] = st.sampled_from(parameter.choices)
            case "masses":
                counts = st.integers(1, 10 ** min(reach, 2)).map(Fraction)
                found[parameter.name] = _masses(counts, 1, most=4)
            case _:
                raise InputError(f"no strategy knows the parameter {parameter.name}")
    return found


@st.composite
def _family(draw: st.DrawFn, entry: Entry, reach: int) -> Family:
    inner = entry
    if entry.name == "best_of_random":
        inner = draw(st.sampled_from([e for e in REGISTRY["draws"].values() if _free(e)]))
    free = draw(st.sampled_from(_free(inner)))
    fixed = {name: draw(found) for name, found in _arguments(inner, reach).items() if name != free}
    plain = fixed | {p.name: p.default for p in inner.parameters if p.kind == "choice"}
    for given in (fixed, plain):  # a word may have no family of its own
        inside = ", ".join(f"{name}={_said(value)}" for name, value in given.items())
        text = f"{inner.name}({inside})" if inside else inner.name
        with suppress(InputError):
            return parse_family(text if inner is entry else f"{entry.name}({text})")
    raise InputError(f"{text} is no family")


def _free(entry: Entry) -> list[str]:
    return [p.name for p in entry.parameters if p.numeric and p.default is None]


def _said(value: Fraction | str) -> str:
    return short(value) if isinstance(value, Fraction) else value
