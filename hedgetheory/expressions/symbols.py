"""The symbols of every formula in the package: one symbol has one name everywhere."""

from __future__ import annotations

import sympy

#: The proxy quantile and its complement ū = 1 − u, kept apart so that neither end cancels.
u = sympy.Symbol("u", positive=True)
ubar = sympy.Symbol("ubar", positive=True)
#: The proxy reward.
r = sympy.Symbol("r", real=True)

#: Policy parameters. λ is always the inverse temperature: larger is greedier.
n = sympy.Symbol("n", positive=True)
mu = sympy.Symbol("mu", positive=True)
lam = sympy.Symbol("lam", positive=True)
#: The weight of a prior.
beta = sympy.Symbol("beta", positive=True)
#: Parameters of the law of a random number of draws.
p = sympy.Symbol("p", positive=True)
m = sympy.Symbol("m", positive=True)
a = sympy.Symbol("a", positive=True)
k = sympy.Symbol("k", positive=True)

#: The order of a Rényi divergence.
alpha = sympy.Symbol("alpha", positive=True)
#: The value of an integral or a sum, where a quantity is a function of it.
total = sympy.Symbol("total", real=True)
