"""Laws with atoms and a density: what they are, and what the grammar makes of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.mixed import MixedLaw, mixture
from hedgetheory.laws.mixture import Mixture
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.spec.grammar import parse_law

F = Fraction
HACKED = "mixture({uniform: 0.9, finite({1: 1}): 0.1})"
INFLATED = "mixture({bernoulli(1/2): 0.3, normal(0,1): 0.7})"


def test_components_with_and_without_atoms_make_a_mixed_law():
    law = parse_law(HACKED)
    assert isinstance(law, MixedLaw)
    assert law.atoms == ((F(1), F(1, 10)),)
    assert law.weight == F(9, 10)
    assert law.part == Uniform()
    assert law.levels == ((F(9, 10), F(1)),)
    assert law.stretches == ((F(0), F(9, 10)),)


def test_a_mixture_of_finite_laws_is_a_finite_law_with_the_masses_added():
    law = mixture({Bernoulli("1/2"): "1/2", Finite({1: "1/2", 2: "1/2"}): "1/2"})
    assert isinstance(law, FiniteLaw)
    assert law.atoms == ((F(0), F(1, 4)), (F(1), F(1, 2)), (F(2), F(1, 4)))


def test_a_mixture_of_continuous_laws_is_what_it_was():
    assert isinstance(parse_law("mixture({normal: 1/2, uniform: 1/2})"), Mixture)


def test_a_mixture_in_a_mixture_is_its_components():
    inner = parse_law("mixture({normal: 1/2, finite({0: 1}): 1/2})")
    law = mixture({inner: "1/2", Mixture({Normal(0, 1): "1/2", Uniform(): "1/2"}): "1/2"})
    assert isinstance(law, MixedLaw)
    assert law.atoms == ((F(0), F(1, 4)),)
    assert law.continuous == {Normal(0, 1): F(1, 2), Uniform(): F(1, 4)}
    assert law.part == Mixture({Normal(0, 1): "2/3", Uniform(): "1/3"})


@pytest.mark.parametrize(
    "text",
    [
        HACKED,
        INFLATED,
        "mixture({exponential(2): 1/3, finite({-1: 1/2, 1/2: 1/2}): 1/3, laplace: 1/3})",
    ],
)
def test_a_mixed_law_is_read_back_from_its_text(text):
    law = parse_law(text)
    assert parse_law(str(law)) == law
    assert hash(parse_law(str(law))) == hash(law)


def test_how_the_atoms_were_grouped_does_not_matter():
    once = parse_law("mixture({uniform: 1/2, finite({0: 1/2, 1: 1/2}): 1/2})")
    assert parse_law("mixture({uniform: 1/2, finite({0: 1}): 1/4, finite({1: 1}): 1/4})") == once


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mixture({uniform: 0.9, finite({1: 1}): 0.2})", "sum to 1.1"),
        ("mixture({uniform: 1.1, finite({1: 1}): -0.1})", "> 0"),
        ("mixture({uniform: 0.9, poisson(2): 0.1})", "poisson.* is neither"),
        ("mixture({bernoulli(1/2): 0.9, geometric(1/2): 0.1})", "geometric.* is neither"),
        ("affine(mixture({uniform: 0.9, finite({1: 1}): 0.1}), 1)", "without atoms"),
        ("truncated(mixture({uniform: 0.9, finite({1: 1}): 0.1}), 0, 1/2)", "law"),
    ],
)
def test_bad_components_are_refused_in_one_line(text, message):
    with pytest.raises(InputError, match=message) as refused:
        parse_law(text)
    assert "\n" not in str(refused.value)


def test_a_thousand_atoms_are_the_most_beside_a_density():
    masses = {k: F(1, 1001) for k in range(1001)}
    with pytest.raises(InputError, match="1001 atoms, but there must be at most 1000"):
        mixture({Finite(masses): "1/2", Uniform(): "1/2"})


@given(
    st.lists(st.integers(-3, 5), min_size=1, max_size=4, unique=True),
    st.integers(1, 9),
)
def test_the_cdf_of_the_pieces_is_the_sum_of_the_components(values, share):
    weight, atoms = F(share, 10), Finite({F(v, 2): F(1, len(values)) for v in values})
    law = mixture({Uniform(): weight, atoms: 1 - weight})
    assert isinstance(law, MixedLaw)
    for piece in law.pieces:
        at = (piece.low + piece.high) / 2
        inside = min(max(at, F(0)), F(1))
        want = weight * inside + sum((1 - weight) * p for v, p in atoms.atoms if v < at)
        got = (
            piece.cdf.subs("r", at)
            if not piece.cdf.free_symbols
            else piece.cdf.subs(next(iter(piece.cdf.free_symbols)), at)
        )
        assert got == want
        assert piece.cdf + piece.survival == 1 or not (piece.cdf + piece.survival - 1).simplify()
    # What no atom covers is as long as the weight of the density.
    assert sum(high - low for low, high in law.stretches) == weight


def test_the_density_is_no_law_of_its_own():
    law = parse_law(INFLATED)
    assert isinstance(law, MixedLaw)
    assert isinstance(law.within, ContinuousLaw)
    assert sum(strand.weight for strand in law.within.strands) == 3 * law.weight
    assert not law.within.formulas
