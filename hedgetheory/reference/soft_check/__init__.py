"""Soft Best-of-n on laws with a density, once more: Gauss–Legendre panels in mpmath, no balls.

Two draws are taken by their definition, w(r) = 2 E[e^{λr}/(e^{λr} + e^{λR})]; any other number by
the race, w(r) = n ∫ x e^{−x} φ(s)^{n−1} ds with x = e^{s+λr} and φ(s) = E[exp(−e^{s+λR})]. Every
functional is a sum over the nodes in r; slopes in λ and n differentiate under the integral, which
is not how the certified slope goes (a covariance within the draws).

The panels in s are as long as a whole number of those in λr, so that x depends on a sum of indices
and each kernel is computed once. Sums are of integers, in units of 2^−BITS.
"""

from hedgetheory.reference.soft_check.values import estimate

__all__ = ["estimate"]
