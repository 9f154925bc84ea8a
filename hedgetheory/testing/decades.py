"""Strategies for exact parameters: over decades, with the ends, simple ones first."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from hedgetheory.errors import must_be
from hedgetheory.testing.optional import st

if TYPE_CHECKING:
    from hedgetheory.policies.base import Domain

#: Decades on each side of one: 24 in all.
REACH = 12
ONE = Fraction(1)


def positive(reach: int = REACH) -> st.SearchStrategy[Fraction]:
    """Positive rationals from 10^−reach to 10^reach, small whole numbers first.

    Whole numbers, simple ratios, one digit times a power of ten, and powers of two, each as likely
    in every decade. Shrinks to 1.

    ``reach``: decades on each side of 1, an integer from 1 to 300. Raises InputError for others.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(positive(reach=3))
    ... def test(x):
    ...     assert 0.001 <= x <= 1000
    >>> test()
    """
    if not 1 <= reach <= 300:
        raise must_be("reach", reach, "an integer from 1 to 300", "positive")
    few = min(reach, 2)
    bits = 10 * reach // 3 - 1  # 2^bits < 10^reach
    powers = st.integers(-bits, bits).map(lambda k: Fraction(2) ** k)
    return st.one_of(
        st.integers(1, 10**few).map(Fraction),
        st.builds(Fraction, st.integers(1, 9), st.integers(1, 9)),
        powers,
        st.builds(
            lambda digit, power: digit * Fraction(10) ** power,
            st.integers(1, 9),
            st.integers(-reach, reach - 1),
        ),
    )


def reals(reach: int = REACH) -> st.SearchStrategy[Fraction]:
    """Rationals of both signs and zero, as `positive`. Shrinks to 0."""
    above = positive(reach)
    return st.one_of(st.just(Fraction(0)), above, above.map(lambda x: -x))


def probabilities(reach: int = REACH) -> st.SearchStrategy[Fraction]:
    """Rationals in (0, 1), as near to both ends as 10^−reach. Shrinks to 1/2.

    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(probabilities())
    ... def test(p):
    ...     assert 0 < p < 1
    >>> test()
    """
    simple = st.integers(2, 16).flatmap(
        lambda d: st.builds(Fraction, st.integers(1, d - 1), st.just(d))
    )
    tiny = positive(reach).filter(lambda x: x <= Fraction(1, 2))
    return st.one_of(simple, tiny, tiny.map(lambda x: 1 - x))


def parameters(domain: Domain, reach: int = REACH) -> st.SearchStrategy[Fraction]:
    """Members of a parameter's domain: its ends where they belong to it, and the decades beside.

    ``domain``: as policies state it in ``Policy.domains``. An interval without an upper end is
    covered up to 10^reach above its lower one.

    >>> from hypothesis import given, settings
    >>> from hedgetheory.policies.best_of_n import BestOfN
    >>> @settings(max_examples=5, derandomize=True, database=None, deadline=None)
    ... @given(parameters(BestOfN.domains[0]))
    ... def test(n):
    ...     assert n >= 1
    >>> test()
    """
    low, high = domain.lower, domain.upper
    inside = (
        positive(reach).map(lambda x: low + x)
        if high is None
        else probabilities(reach).map(lambda p: low + (high - low) * p)
    )
    choices = [inside]
    if domain.lower_closed:
        choices.insert(0, st.just(low))
    if high is not None and domain.upper_closed:
        choices.append(st.just(high))
    return st.one_of(*choices)
