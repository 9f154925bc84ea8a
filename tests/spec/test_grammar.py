"""Spec strings: every argument may be named, numbers are exact, and bad text is one clear line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.errors import InputError
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Bernoulli, Finite
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import (
    Binomial,
    FinitePmf,
    Geometric,
    NegativeBinomial,
    Sibuya,
    ZeroTruncatedPoisson,
)
from hedgetheory.policies.tilt import Tilt
from hedgetheory.spec.grammar import (
    Pairs,
    SpecCall,
    canonical,
    parse_family,
    parse_family_spec,
    parse_gold,
    parse_law,
    parse_policy,
    parse_spec,
)

CORPUS = (Path(__file__).parent / "corpus.txt").read_text(encoding="utf-8").splitlines()
PARSERS = (parse_law, parse_policy, parse_family, parse_gold)


def outcome(parse: object, text: str) -> str:
    """Empty where the text was read, else the message: nothing but InputError may come."""
    assert callable(parse)
    try:
        parse(text)
    except InputError as error:
        message = str(error)
        assert message.isprintable(), message
        assert message.isascii(), message
        return message
    return ""


# Objects ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "law"),
    [
        ("uniform", Uniform()),
        ("uniform()", Uniform()),
        ("normal", Normal(0, 1)),
        ("normal(1, 2)", Normal(1, 2)),
        ("normal(sd=2, mean=-1/3)", Normal("-1/3", 2)),
        ("normal(0.1)", Normal("0.1", 1)),
        ("exponential(rate=7.3)", Exponential("7.3")),
        ("logistic", Logistic(0, 1)),
        ("logistic(1, scale=1/2)", Logistic(1, "1/2")),
        ("bernoulli(p=1/4)", Bernoulli("1/4")),
        ("finite({0: 1/4, 1/2: 1/4, 1: 1/2})", Finite({0: "1/4", "1/2": "1/4", 1: "1/2"})),
        ("finite(masses={-1.5: 0.5, 3: 0.5})", Finite({"-1.5": "1/2", 3: "1/2"})),
    ],
)
def test_a_law_is_built_with_exact_parameters(text: str, law: object) -> None:
    assert parse_law(text) == law


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("bon(3)", BestOfN(3)),
        ("bon(n = 2.5)", BestOfN("5/2")),
        ("bon(2**10)", BestOfN(1024)),
        ("bop(mu=0)", BestOfPoisson(0)),
        ("quantile_tilt(lam=1e-9)", QuantileTilt("1e-9")),
        ("tilt(1/3)", Tilt("1/3")),
        ("best_of_random(ztp(2))", BestOfRandom(ZeroTruncatedPoisson(2))),
        ("best_of_random(geometric(p=1/3))", BestOfRandom(Geometric("1/3"))),
        ("best_of_random(draws=binomial(5, 1/2))", BestOfRandom(Binomial(5, "1/2"))),
        (
            "best_of_random(negative_binomial(r=2.5, p=1/2))",
            BestOfRandom(NegativeBinomial("2.5", "1/2")),
        ),
        ("best_of_random(sibuya(0.3))", BestOfRandom(Sibuya("0.3"))),
        (
            "best_of_random(finite({1: 1/2, 3: 1/2}))",
            BestOfRandom(FinitePmf({1: "1/2", 3: "1/2"})),
        ),
    ],
)
def test_a_policy_is_built_with_exact_parameters(text: str, policy: object) -> None:
    assert parse_policy(text) == policy


def test_gold_is_a_formula() -> None:
    assert parse_gold("1 - 4*(u - 0.3)**2").variable == "u"


# Families -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "free", "theta", "member"),
    [
        ("bon", "n", 3, "bon(3)"),
        ("bon()", "n", "5/2", "bon(2.5)"),
        ("bop", "mu", 0.5, "bop(1/2)"),
        ("quantile_tilt", "lam", 2, "quantile_tilt(2)"),
        ("tilt", "lam", 2, "tilt(2)"),
        ("best_of_random(geometric)", "p", "1/3", "best_of_random(geometric(1/3))"),
        ("best_of_random(ztp())", "lam", 1, "best_of_random(ztp(1))"),
        ("best_of_random(binomial(10))", "p", "1/3", "best_of_random(binomial(10, 1/3))"),
        ("best_of_random(binomial(p=1/3))", "m", 10, "best_of_random(binomial(10, 1/3))"),
        (
            "best_of_random(negative_binomial(p=1/3))",
            "r",
            2,
            "best_of_random(negative_binomial(2, 1/3))",
        ),
    ],
)
def test_a_family_takes_its_free_parameter(
    text: str, free: str, theta: int | float | str, member: str
) -> None:
    assert parse_family_spec(text).free == free
    assert parse_family_spec(text).at(theta) == parse_policy(member)
    assert parse_family(text).at(theta) == parse_policy(member)


def test_a_family_knows_the_domain_of_its_free_parameter() -> None:
    assert str(parse_family("bon").domain) == "a real number >= 1"
    assert str(parse_family("best_of_random(binomial(m=3))").domain) == (
        "a real number > 0 and <= 1"
    )
    assert parse_family("bop").symbol.name == "mu"


def test_a_family_refuses_a_member_outside_its_domain() -> None:
    with pytest.raises(InputError, match="must be a real number >= 1"):
        parse_family("bon").at(0)


def test_the_fixed_part_of_a_family_is_readable() -> None:
    spec = parse_family_spec("best_of_random(binomial(m=3))")
    assert spec.name == "best_of_random"
    assert spec.factory is BestOfRandom
    assert spec.fixed == {"draws": SpecCall("draws", "binomial", (("m", Fraction(3)),))}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bon(3)", "a family leaves one parameter free: write bon [bon(3)]"),
        ("bop(mu=2)", "a family leaves one parameter free: write bop [bop(mu=2)]"),
        (
            "best_of_random(geometric(1/2))",
            "a family leaves one parameter free: write best_of_random(geometric) "
            "[best_of_random(geometric(1/2))]",
        ),
        (
            "best_of_random(binomial)",
            "a family leaves one parameter free: write best_of_random(binomial(p=...)) or "
            "best_of_random(binomial(m=...)) [best_of_random(binomial)]",
        ),
        (
            "best_of_random(finite)",
            "best_of_random of finite has no parameter to leave free [best_of_random(finite)]",
        ),
    ],
)
def test_a_family_leaves_exactly_one_parameter_free(text: str, says: str) -> None:
    assert outcome(parse_family, text) == says


# Calls --------------------------------------------------------------------------------------


def test_arguments_are_bound_in_order_whatever_the_text() -> None:
    want = SpecCall("law", "normal", (("mean", Fraction(0)), ("sd", Fraction(2))))
    for text in (
        "normal(0, 2)",
        "normal(sd=2)",
        "normal(sd=2.0, mean=0)",
        " normal ( 0 ,sd= 4/2) ",
    ):
        assert parse_spec(text, "law") == want


def test_masses_are_sorted() -> None:
    want = Pairs(((Fraction(0), Fraction(1, 4)), (Fraction(1), Fraction(3, 4))))
    assert parse_spec("finite({1: 3/4, 0: 0.25})", "law").arguments == (("masses", want),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bon(m=3)", "bon() got an unknown argument m [bon(m=3)]; its arguments are n"),
        ("bon(1, 2)", "bon() got 2 arguments [bon(1, 2)]; its arguments are n"),
        ("bon(3, n=4)", "bon() got the argument n twice [bon(3, n=4)]; its arguments are n"),
        ("bon(n=3, n=4)", "policy gives the argument n twice [bon(n=3, n=4)]"),
        ("bon()", "bon() needs n [bon()]; write bon(n)"),
        ("bon", "bon() needs n [bon]; write bon(n)"),
        ("bon(0)", "n=0, but must be a real number >= 1 [bon(n=0)]"),
        ("bon(inf)", "n of bon() must be a number such as 7.3, -1 or 1/3 [bon(inf)]"),
        ("bon(1/0)", "n of bon() divides by zero [bon(1/0)]"),
        ("bon(10**1000)", "n of bon() is too long: at most 1000 digits [bon(10**1000)]"),
        ("bon(**{})", "policy may not contain ** unpacking [bon(**{})]"),
        (
            "best_of_random(geometric)",
            "geometric() needs p [best_of_random(geometric)]; write geometric(p)",
        ),
        (
            "best_of_random(binomial(5/2, 1/2))",
            "m=2.5, but must be a whole number [best_of_random(binomial(5/2, 1/2))]",
        ),
        (
            "best_of_random(3)",
            "a law of a number of draws is a name with its arguments, such as ztp(lam) "
            "[best_of_random(3)]",
        ),
    ],
)
def test_bad_arguments_are_one_clear_line(text: str, says: str) -> None:
    assert outcome(parse_policy, text) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unifrom", "unknown law unifrom: did you mean uniform?"),
        ("uniform(3)", "uniform() got 1 arguments [uniform(3)]; it takes none"),
        ("finite", "finite() needs masses [finite]; write finite(masses)"),
        ("finite({})", "masses of finite() must be a table such as {0: 1/4, 1: 3/4} [finite({})]"),
        ("finite({1/2: 1/2, 0.5: 1/2})", "masses of finite() has 0.5 twice"),
        ("finite({0: 1/2})", "the masses sum to 0.5, but must sum to exactly 1"),
        ("3", "a law is a name with its arguments, such as uniform [3]"),
        ("bernoulli(2)", "p=2, but must be a real number in (0, 1)"),
    ],
)
def test_bad_laws_are_one_clear_line(text: str, says: str) -> None:
    assert outcome(parse_law, text).startswith(says)


@pytest.mark.parametrize("text", CORPUS)
def test_nothing_in_the_corpus_of_nasty_text_is_read(text: str) -> None:
    for parse in PARSERS:
        assert outcome(parse, text)


# Canonical text -----------------------------------------------------------------------------

numbers = st.fractions(max_denominator=10**6)
positive = st.fractions(min_value=Fraction(1, 10**6), max_value=10**9, max_denominator=10**6)
open_unit = st.fractions(min_value=Fraction(1, 1000), max_value=Fraction(999, 1000))
masses = st.lists(st.tuples(numbers, positive), min_size=1, max_size=5, unique_by=lambda t: t[0])


def normalised(pairs: list[tuple[Fraction, Fraction]]) -> dict[Fraction, Fraction]:
    total = sum(weight for _, weight in pairs)
    return {value: weight / total for value, weight in pairs}


laws = st.one_of(
    st.just(Uniform()),
    st.builds(Normal, numbers, positive),
    st.builds(Exponential, positive),
    st.builds(Logistic, numbers, positive),
    st.builds(Bernoulli, open_unit),
    masses.map(normalised).map(Finite),
)
draws = st.one_of(
    st.builds(ZeroTruncatedPoisson, positive),
    st.builds(Geometric, open_unit),
    st.builds(Binomial, st.integers(1, 1000), open_unit),
    st.builds(NegativeBinomial, positive, open_unit),
    st.builds(Sibuya, open_unit),
    st.dictionaries(st.integers(1, 99), positive, min_size=1, max_size=4)
    .map(lambda table: normalised([(Fraction(k), w) for k, w in table.items()]))
    .map(FinitePmf),
)
policies = st.one_of(
    st.builds(BestOfN, positive.map(lambda x: 1 + x)),
    st.builds(BestOfPoisson, positive),
    st.builds(QuantileTilt, positive),
    st.builds(Tilt, positive),
    st.builds(BestOfRandom, draws),
)


@given(laws)
def test_the_canonical_text_of_a_law_gives_it_back(law: object) -> None:
    text = canonical(law)  # type: ignore[arg-type]
    assert parse_law(text) == law
    assert str(parse_spec(text, "law")) == text


@given(policies)
def test_the_canonical_text_of_a_policy_gives_it_back(policy: object) -> None:
    text = canonical(policy)  # type: ignore[arg-type]
    assert parse_policy(text) == policy
    assert str(parse_spec(text, "policy")) == text


@pytest.mark.parametrize(
    "text",
    [
        "bon",
        "bop",
        "quantile_tilt",
        "tilt",
        "best_of_random(geometric)",
        "best_of_random(binomial(m=10))",
        "best_of_random(negative_binomial(p=1/3))",
    ],
)
def test_the_canonical_text_of_a_family_gives_it_back(text: str) -> None:
    family = parse_family(text)
    assert canonical(family) == text
    assert parse_family(canonical(family)) == family


def test_equal_laws_have_one_text() -> None:
    texts = ("normal(0, 1.0)", "normal(mean=0, sd=1)", "normal", "normal(sd=2/2)")
    assert {canonical(parse_law(text)) for text in texts} == {"normal(mean=0, sd=1)"}


# Any text -----------------------------------------------------------------------------------

WORDS = """
uniform normal finite bernoulli bon bop tilt best_of_random geometric binomial n p m lam lambda if
( ) { } , : = + - * / ** . # ' _ 0 1 1/2 2.5 1e9 inf nan None
"""
words = st.sampled_from(WORDS.split())


@given(st.text(max_size=60) | st.lists(words, max_size=15).map(" ".join))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    for parse in PARSERS:
        outcome(parse, text)


@given(st.sampled_from(CORPUS), st.sampled_from(CORPUS), st.integers(0, 40), st.integers(0, 40))
def test_any_splice_of_nasty_texts_is_read_or_refused_in_one_line(
    first: str, second: str, cut: int, rest: int
) -> None:
    for parse in PARSERS:
        outcome(parse, first[:cut] + second[rest:])
