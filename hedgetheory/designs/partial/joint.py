"""Partial rewards as a joint model: rewards of correct and of wrong queries, and who is correct."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import sympy

from hedgetheory.errors import InputError, NotCertified, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.joint import Implied, JointModel, plain_exponent
from hedgetheory.laws.mixture import Mixture


class PartialRewards(JointModel):
    """A query is correct with probability p; the reward's law is L then, and ``wrong`` otherwise.

    The proxy is the reward, of law pL + (1 − p)·wrong, and the gold P(correct | reward): under any
    policy E[g] is the probability that the selected query is correct. Where every reward of L is
    above all of ``wrong`` (the weights dominate) Best-of-n succeeds with 1 − (1 − p)^n; elsewhere
    success may fall in n. *Modelling choice*: queries independent, ties by lot.

    ``p`` in (0, 1); ``wrong`` and L both on finitely many atoms, or both without atoms and with one
    support. Raises InputError for p outside and for one law of each kind, NotCertified for
    different supports.

    >>> model = PartialRewards(Finite({1: "9/10", 6: "1/10"}), "1/2")
    >>> model.implied(Finite({5: 1})).law
    finite({1: 0.45, 5: 0.5, 6: 0.05})

    Source: a modelling choice for Reasoning-SQL (arXiv 2503.23157).
    """

    name = "partial"
    parameters = ("wrong", "p")

    def __init__(self, wrong: Law, p: RealInput) -> None:
        self.p, self.wrong = rational(p, "p"), wrong
        if not 0 < self.p < 1:
            raise must_be("p", p, "a real number in (0, 1)", f"partial(..., p={p})")
        if not isinstance(wrong, (ContinuousLaw, FiniteLaw)):
            raise InputError(
                f"wrong={wrong}, but must be a finite law or one without atoms [partial]"
            )

    def implied(self, law: Law) -> Implied:
        if isinstance(law, FiniteLaw) and isinstance(self.wrong, FiniteLaw):
            return self._on_atoms(law, self.wrong)
        if isinstance(law, ContinuousLaw) and isinstance(self.wrong, ContinuousLaw):
            return self._without_atoms(law, self.wrong)
        raise InputError(
            f"{self} needs a law of the same kind as wrong, finite or without atoms, not {law}"
        )

    def _on_atoms(self, law: FiniteLaw, wrong: FiniteLaw) -> Implied:
        correct = {value: self.p * mass for value, mass in law.atoms}
        total = dict(correct)
        for value, mass in wrong.atoms:
            total[value] = total.get(value, Fraction(0)) + (1 - self.p) * mass
        masses: dict[RealInput, RealInput] = dict(total.items())
        proxy = Finite(masses)
        shares = [correct.get(value, Fraction(0)) / mass for value, mass in proxy.atoms]
        # A step function of the reward with its steps midway between atoms.
        steps = [
            (exact_symbol(share), r < exact_symbol((low + high) / 2))
            for share, ((low, _), (high, _)) in zip(shares, pairwise(proxy.atoms), strict=False)
        ]
        gold = sympy.Piecewise(*steps, (exact_symbol(shares[-1]), True))
        return Implied(proxy, gold, "r" if gold.has(r) else None)

    def _without_atoms(self, law: ContinuousLaw, wrong: ContinuousLaw) -> Implied:
        if law.support != wrong.support:
            raise NotCertified(
                f"{self} on {law} is not built: the two laws have different supports"
            )
        if law == wrong:
            return Implied(law, exact_symbol(self.p), None)
        odds = exact_symbol((1 - self.p) / self.p) * plain_exponent(wrong.pdf / law.pdf)
        proxy = Mixture({law: self.p, wrong: 1 - self.p})
        return Implied(proxy, _share_of_one(odds), "r")

    def __str__(self) -> str:
        return f"{self.name}({self.wrong}, p={short(self.p)})"


def _share_of_one(odds: sympy.Expr) -> sympy.Expr:
    """1/(1 + odds), bounded on every ball: (1 − tanh(x/2))/2 where odds = e^x."""
    factor, rest = odds.as_coeff_Mul()
    if isinstance(rest, sympy.exp):
        return (1 - sympy.tanh((rest.exp + sympy.log(factor)) / 2)) / 2
    above, below = sympy.fraction(sympy.together(odds))
    return below / (below + above)  # no pole where odds have one
