"""Strategies for gold curves of a prescribed shape."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from hedgetheory.errors import InputError, must_be, nearest
from hedgetheory.exact import short
from hedgetheory.expressions.formula import Formula
from hedgetheory.spec.grammar import parse_gold
from hedgetheory.testing.decades import probabilities
from hedgetheory.testing.optional import st

if TYPE_CHECKING:
    from hedgetheory.analysis.prescribed import Construction
    from hedgetheory.laws.base import Law
    from hedgetheory.policies.family import Family

Shape: TypeAlias = Literal["increasing", "decreasing", "unimodal", "turning", "constant"]
MAX_TURNS = 8
#: Decades to both ends at which a curve may bend.
_REACH = 3


def gold_curves(
    shape: Shape | None = None, *, turns: int | None = None
) -> st.SearchStrategy[Formula]:
    """Gold curves g in the proxy quantile u on [0, 1].

    ``shape``: ``increasing`` or ``decreasing`` (steps among them: weakly), ``unimodal`` (strictly
    up, then strictly down, with the top inside), ``turning`` (a polynomial with ``turns`` interior
    extrema, from 0 to 8, at rational places, and no others), ``constant``; any of them where none
    is given. With ``turns`` alone the shape is ``turning``.

    Every curve can be pasted back: ``parse_gold(str(gold))``. Raises InputError for an unknown
    shape, and turns without the shape that takes them.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(gold_curves("unimodal"))
    ... def test(gold):
    ...     assert gold.variable == "u"
    >>> test()
    """
    if turns is not None and not 0 <= turns <= MAX_TURNS:
        raise must_be("turns", turns, f"an integer from 0 to {MAX_TURNS}", "gold_curves")
    if shape is None and turns is not None:
        shape = "turning"
    if turns is not None and shape != "turning":
        raise InputError(f"turns={turns}, but a curve that is {shape} takes none [gold_curves]")
    if shape is not None and shape not in _SHAPES:
        raise InputError(f"unknown shape {shape}: {nearest(shape, list(_SHAPES))}")
    if shape == "turning":
        return _turning(turns).map(parse_gold)
    chosen = _SHAPES.values() if shape is None else [_SHAPES[shape]]
    return st.one_of(*(make() for make in chosen)).map(parse_gold)


@st.composite
def gold_with_turning_values(draw: st.DrawFn, law: Law, family: Family, turns: int) -> Construction:
    """Gold curves whose *value* f(θ) along a family turns ``turns`` times, at certified places.

    The first turn is a maximum: up to it selecting harder helps. ``law`` without atoms and
    ``family`` as `hedgetheory.analysis.prescribed.gold_with_extrema` takes them; the turns lie at
    least a factor 3/2 apart, measured from the lower end of the domain. The construction has
    ``expr`` and ``variable``, as `hedgetheory.value` takes gold, and what `check` certified.

    >>> from hypothesis import given, settings
    >>> from hedgetheory.spec.grammar import parse_family, parse_law
    >>> uniform, bon = parse_law("uniform"), parse_family("bon")
    >>> @settings(max_examples=2, derandomize=True, database=None, deadline=None)
    ... @given(gold_with_turning_values(uniform, bon, turns=2))
    ... def test(made):
    ...     assert made.certified
    ...     assert [extremum.kind for extremum in made.found.extrema] == ["max", "min"]
    >>> test()
    """
    from hedgetheory.analysis.prescribed import gold_with_extrema

    steps = st.sampled_from([Fraction(3, 2), Fraction(2), Fraction(3), Fraction(5)])
    distance = draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3)]))
    thetas = []
    for _ in range(turns):
        thetas.append(family.domain.lower + distance)
        distance = distance * draw(steps) + Fraction(1)
    return gold_with_extrema(law, family, thetas)


# -- how they are drawn: as text -------------------------------------------------------------------

_powers = st.one_of(
    st.integers(1, 20).map(Fraction), st.builds(Fraction, st.integers(1, 60), st.integers(1, 5))
)
_places = probabilities(_REACH)


def _increasing() -> st.SearchStrategy[str]:
    return st.one_of(
        _powers.map(lambda a: f"u**{_factor(a)}"),
        _places.map(lambda p: f"where(u < {short(p)}, 0, 1)"),
        _powers.map(lambda a: f"tanh({short(a)}*(u - 1/2))"),
        _places.map(lambda p: f"max(u, {short(p)})"),
    )


def _unimodal() -> st.SearchStrategy[str]:
    hump = st.builds(_hump, _powers.filter(lambda a: a >= 1), st.integers(1, 6))
    tent = _places.map(lambda p: f"where(u < {short(p)}, u/{_factor(p)}, (1 - u)/{_factor(1 - p)})")
    parabola = _places.map(lambda p: f"1 - (u - {short(p)})**2")
    return st.one_of(st.just("u*(1 - u)"), hump, tent, parabola)


def _hump(a: Fraction, b: int) -> str:
    """u^a (1 − u)^b, which turns at a/(a + b) only."""
    left = "u" if a == 1 else f"u**{_factor(a)}"
    return f"{left}*(1 - u)" if b == 1 else f"{left}*(1 - u)**{b}"


@st.composite
def _turning(draw: st.DrawFn, turns: int | None) -> str:
    """∫ c Π (u − root): every root is a simple one, so g turns there and nowhere else."""
    count = draw(st.integers(0, MAX_TURNS)) if turns is None else turns
    cuts = draw(st.lists(st.integers(1, 23), min_size=count, max_size=count, unique=True))
    roots = [Fraction(cut, 24) for cut in sorted(cuts)]
    slope = [Fraction(draw(st.sampled_from([1, -1])))]
    for root in roots:
        slope = [
            low - root * high
            for low, high in zip([Fraction(0), *slope], [*slope, Fraction(0)], strict=True)
        ]
    gold = [c / (k + 1) for k, c in enumerate(slope)]
    assert all(a < b for a, b in pairwise(roots))
    return _polynomial(gold)


_SHAPES: dict[str, Callable[[], st.SearchStrategy[str]]] = {
    "constant": lambda: st.integers(-3, 3).map(str),
    "increasing": _increasing,
    "decreasing": lambda: _increasing().map(lambda text: f"1 - {text}"),
    "unimodal": _unimodal,
    "turning": lambda: _turning(None),
}


def _polynomial(coefficients: list[Fraction]) -> str:
    """Σ c_k u^{k+1}.

    >>> _polynomial([Fraction(1), Fraction(-1, 2)])
    'u - 1/2*u**2'
    """
    text = ""
    for k, c in enumerate(coefficients, 1):
        if c == 0:
            continue
        power = "u" if k == 1 else f"u**{k}"
        size = power if abs(c) == 1 else f"{abs(c)}*{power}"
        sign = (" - " if c < 0 else " + ") if text else ("-" if c < 0 else "")
        text += sign + size
    return text or "0"


def _factor(value: Fraction) -> str:
    """A number that binds tightly."""
    text = short(value)
    return f"({text})" if "/" in text else text
