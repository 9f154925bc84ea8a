"""Partial rewards, exactly: the weighted sum, its margin, Jaccard indices, success of the best."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.laws.base import exact_symbol

#: The published weights, *second-hand*: execution, judge, syntax, schema, n-gram, format.
WEIGHTS: Mapping[str, Fraction] = {
    "execution": Fraction(3),
    "judge": Fraction(2),
    "syntax": Fraction(1),
    "schema": Fraction(1),
    "ngram": Fraction(1),
    "format": Fraction(1),
}
PARTS = tuple(WEIGHTS)
#: A correct query earns these too, whole.
_EARNED = ("syntax", "format")

#: Weights and scores of the statement.
W = {part: sympy.Symbol(f"w_{part}", positive=True) for part in PARTS}
S = {part: sympy.Symbol(f"s_{part}", nonnegative=True) for part in PARTS}
REWARD = sympy.Add(*(W[part] * S[part] for part in PARTS))


def _weights(weights: Mapping[str, RealInput] | None, call: str) -> dict[str, Fraction]:
    given = dict(WEIGHTS) if weights is None else {k: rational(v, k) for k, v in weights.items()}
    for part, weight in given.items():
        if part not in WEIGHTS:
            raise InputError(f"{part} is no part of the reward: take {', '.join(PARTS)} [{call}]")
        if weight < 0:
            raise must_be(part, short(weight), "a weight >= 0", call)
    return {part: given.get(part, Fraction(0)) for part in PARTS}


def reward(
    scores: Mapping[str, RealInput], weights: Mapping[str, RealInput] | None = None
) -> Fraction:
    """The reward Σ w_part s_part of one query, exactly.

    ``scores`` in [0, 1] by part, a missing one 0; ``weights`` >= 0 by part (default: 3 execution,
    2 judge, 1 syntax, 1 schema, 1 ngram, 1 format, *second-hand*), a missing one 0. Raises
    InputError for other parts and values. In the paper the judge may apply only where execution
    failed: give its score 0 otherwise.

    >>> reward({"execution": 1, "syntax": 1, "format": 1})
    Fraction(5, 1)

    Source: Reasoning-SQL, arXiv 2503.23157.
    """
    call = "reward(...)"
    chosen, total = _weights(weights, call), Fraction(0)
    for part, given in scores.items():
        score = rational(given, part)
        if part not in WEIGHTS:
            raise InputError(f"{part} is no part of the reward: take {', '.join(PARTS)} [{call}]")
        if not 0 <= score <= 1:
            raise must_be(part, short(score), "a score in [0, 1]", call)
        total += chosen[part] * score
    return total


def margin(weights: Mapping[str, RealInput] | None = None) -> Fraction:
    """The least reward of a correct query, less the largest of a wrong one.

    w_execution − (w_judge + w_schema + w_ngram), where a correct query earns syntax and format too,
    and a wrong one may earn all but execution: every correct query outranks every wrong one iff it
    is > 0. ``weights`` as in `reward`; a part that is left out has weight 0.

    >>> margin(), margin({"execution": 3, "syntax": 1, "schema": 1, "ngram": 1, "format": 1})
    (Fraction(-1, 1), Fraction(1, 1))
    """
    w = _weights(weights, "margin(...)")
    return w["execution"] - w["judge"] - w["schema"] - w["ngram"]


def margin_of(
    execution: RealInput, judge: RealInput, schema: RealInput, ngram: RealInput
) -> sympy.Expr:
    """`margin` of the four weights that it depends on."""
    given = {"execution": execution, "judge": judge, "schema": schema, "ngram": ngram}
    return exact_symbol(margin(given))


def jaccard(a: Iterable[Hashable], b: Iterable[Hashable]) -> Fraction:
    """|A ∩ B|/|A ∪ B| of two sets, exactly; two empty ones have 1 (*modelling choice*).

    >>> jaccard({"users", "id"}, {"users", "name", "id"})
    Fraction(2, 3)
    """
    left, right = set(a), set(b)
    union = left | right
    return Fraction(len(left & right), len(union)) if union else Fraction(1)


def bigrams(tokens: Sequence[Hashable]) -> frozenset[tuple[Hashable, Hashable]]:
    """The set of pairs of neighbours: it forgets how often each occurs, and in which order.

    >>> sorted(bigrams("a b a".split()))
    [('a', 'b'), ('b', 'a')]
    """
    return frozenset(pairwise(tokens))


def bigram_jaccard(query: str, reference: str) -> Fraction:
    """The Jaccard index of the bigrams of two texts, split at white space, case ignored.

    One says that the *sets* of bigrams are equal, not the texts. Texts without bigrams have 1 where
    both have none. *Modelling choice*: tokens between white space.

    >>> bigram_jaccard("SELECT a FROM t", "select a from s")
    Fraction(1, 2)
    """
    return jaccard(bigrams(query.casefold().split()), bigrams(reference.casefold().split()))


def jaccard_of(a: Sequence[RealInput], b: Sequence[RealInput]) -> sympy.Expr:
    """`jaccard` of two sets of numbers (say, column numbers)."""
    return exact_symbol(jaccard((rational(x, "a") for x in a), (rational(x, "b") for x in b)))


def no_gradient(p: RealInput, group: RealInput) -> sympy.Expr:
    """P(a group of G has no policy gradient) with the execution reward alone: p^G + (1 − p)^G.

    All rewards of the group are equal, so that all advantages are 0; the penalty's gradient aside.
    ``p`` in [0, 1] the probability of a correct query, ``group`` >= 1 whole. Raises InputError
    outside.

    >>> no_gradient("1/2", 8)
    1/128
    """
    share, size = _share(p, "no_gradient"), _count(group, "group", "no_gradient")
    return exact_symbol(share**size + (1 - share) ** size)


def success_with_dominance(p: RealInput, n: RealInput) -> sympy.Expr:
    """P(the best of n is correct) where every correct query outranks every wrong one: 1 − (1−p)^n.

    >>> success_with_dominance("1/4", 2)
    7/16
    """
    share, count = _share(p, "success_with_dominance"), _count(n, "n", "success_with_dominance")
    return exact_symbol(1 - (1 - share) ** count)


def success(
    p: RealInput,
    values: Sequence[RealInput],
    correct: Sequence[RealInput],
    wrong: Sequence[RealInput],
    n: RealInput,
) -> sympy.Expr:
    """P(the best of n is correct), rewards on finitely many values, ties by lot.

    Σ over values of [F^n − F₋^n] · p c_i/(p c_i + (1 − p) w_i), with F the cdf of a reward. ``p``
    the probability of a correct query, ``values`` increasing, ``correct`` and ``wrong`` the masses
    of the values given each, ``n`` >= 1 whole. Raises InputError unless masses are >= 0 and sum
    to 1.

    >>> success("1/2", [0, 1, 2], [0, 1, 0], ["9/10", 0, "1/10"], 4)
    1547/2000
    """
    call = "success(...)"
    share, count = _share(p, "success"), _count(n, "n", "success")
    levels = [rational(x, "value") for x in values]
    if sorted(set(levels)) != levels:
        raise InputError(f"values must increase [{call}]")
    right, other = ([rational(x, "mass") for x in masses] for masses in (correct, wrong))
    for name, masses in (("correct", right), ("wrong", other)):
        if len(masses) != len(levels) or min(masses) < 0 or sum(masses) != 1:
            raise InputError(f"{name} must be masses of the values, >= 0 with sum 1 [{call}]")
    below, total = Fraction(0), Fraction(0)
    for c, w in zip(right, other, strict=True):
        here = share * c + (1 - share) * w
        if here:
            total += ((below + here) ** count - below**count) * share * c / here
        below += here
    return exact_symbol(total)


def _share(p: RealInput, name: str) -> Fraction:
    exact = rational(p, "p")
    if not 0 <= exact <= 1:
        raise must_be("p", p, "a probability in [0, 1]", f"{name}(p={p})")
    return exact


def _count(value: RealInput, what: str, name: str) -> int:
    exact = rational(value, what)
    if exact.denominator != 1 or not 1 <= exact <= 10**4:
        raise must_be(what, value, "a whole number from 1 to 10000", f"{name}({what}={value})")
    return int(exact)
