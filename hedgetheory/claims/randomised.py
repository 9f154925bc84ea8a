"""Which tilts of the raw reward are exactly the best of a random number of draws."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import Function, exp, log

from hedgetheory.analysis.randomised.decide import decide
from hedgetheory.claims.checks import as_json, ball_at, certified, confirmed, identity, of_step
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import a, lam, r, u
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.geometric import Geometric
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform

BERNSTEIN = cited(
    "A function on [0, 1) is absolutely monotone (every derivative >= 0) iff it is a power series "
    "with coefficients >= 0 there.",
    "Bernstein, Acta Math. 1914",
)


@claim(
    "randomised.sibuya",
    "The tilt of an exponential or a geometric law is a Sibuya best-of-n",
    "On Exponential(b), 0 < lam < b, the tilt of the raw reward is the best of N draws with N "
    "Sibuya(a), a = 1 - lam/b; on Geometric(p), 0 < lam < -ln(1-p), with a = 1 + lam/ln(1-p). No "
    "law of N has a finite mean there.",
    hypotheses=("lam > 0", "M(lam) < infinity"),
    source="this project",
)
def sibuya() -> Iterator[Evidence]:
    pgf = 1 - (1 - u) ** a
    slope = sympy.diff(pgf, u)
    yield from identity("(1-u) S' = a (1 - S)", (1 - u) * slope - a * (1 - pgf))
    k, s = sympy.symbols("k s_k", positive=True)
    yield of_step(
        algebra(
            "at u^k: (k+1) s_(k+1) - k s_k = -a s_k, so s_(k+1)/s_k = (k-a)/(k+1)",
            (k * s - a * s) / (k + 1) - s * (k - a) / (k + 1),
        )
    )
    yield words("s_1 = S'(0) = a > 0 and k - a > 0 for k >= 1: every coefficient is positive.")
    rate = sympy.Symbol("b", positive=True)
    tilt = exp(lam * (-log(1 - u) / rate)) * (1 - lam / rate)
    yield from identity(
        "exponential: e^{lam Q}/M = a (1-u)^{a-1} at a = 1 - lam/b",
        tilt.subs(lam, rate * (1 - a)) - slope,
    )
    # Geometric: F(k) = 1 − q^k, and the tilt is geometric with q e^λ.
    q, n = sympy.symbols("q n", positive=True)
    raised = exp(n * a * log(q)) - exp(n * (log(q) + lam))
    yield of_step(
        algebra(
            "geometric: (q^n)^a = (q e^lam)^n at a = 1 + lam/ln q",
            sympy.expand(raised.subs(lam, (a - 1) * log(q))),
        )
    )
    yield words(
        "w <= sup G' = E[N], and w = e^{lam r}/M is unbounded on both laws: E[N] is infinite."
    )
    for law, strength in ((Exponential(2), "1"), (Geometric("1/3"), "1/4")):
        found = decide(law, strength)
        yield confirmed(
            f"{law}, lam = {strength}: the decision procedure says so",
            "decide",
            found.verdict == "proved" and found.draws is not None,
            draws=found.draws.name if found.draws else "none",
        )


@claim(
    "randomised.rising-density",
    "No tilt is a randomised best-of-n where the density rises faster than e^{lam r}",
    "On a law without atoms whose density f is differentiable inside of its support, the tilt by "
    "lam is not the best of a random number of draws if (ln f)' > lam somewhere: in particular for "
    "no lam > 0 on a normal, a Gumbel (maximum type) or a logistic law.",
    hypotheses=("lam > 0", "M(lam) < infinity", "f > 0 and differentiable where (ln f)' > lam"),
    source="this project",
)
def rising_density() -> Iterator[Evidence]:
    density = Function("f")(r)
    first = sympy.diff(exp(lam * r), r) / density
    second = sympy.diff(first, r) / density
    claimed = lam * exp(lam * r) * (lam - sympy.diff(density, r) / density) / density**2
    yield of_step(
        algebra("with v = F(r): (e^{lam Q})'' = lam e^{lam r} (lam - (ln f)')/f^2",
                sympy.expand(second - claimed))
    )  # fmt: skip
    yield words("A power series with coefficients >= 0 has no negative derivative on (0, 1).")
    yield BERNSTEIN
    m, s = sympy.Symbol("m", real=True), sympy.Symbol("s", positive=True)
    normal = -(r - m) / s**2
    yield of_step(
        algebra("normal(m, s): (ln f)' = lam + 1 at r = m - s^2 (lam + 1)",
                normal.subs(r, m - s**2 * (lam + 1)) - (lam + 1))
    )  # fmt: skip
    yield from identity(
        "normal(2, 3): (ln f)' = -(r - 2)/9",
        sympy.diff(log(Normal(2, 3).pdf), r) + (r - 2) / 9,
    )
    gumbel = (exp(-(r - m) / s) - 1) / s
    at = m - s * log(1 + s * (lam + 1))
    yield of_step(
        algebra("gumbel(m, s): (ln f)' = lam + 1 at r = m - s ln(1 + s (lam + 1))",
                sympy.simplify(gumbel.subs(r, at) - (lam + 1)))
    )  # fmt: skip
    # The logistic law: e^{-(r-m)/s} = x > 0 gives (ln f)' = (x - 1)/(s (1 + x)); λ < 1/s.
    x, gap = sympy.symbols("x d", positive=True)
    logistic = (x - 1) / (s * (1 + x))
    steep = logistic.subs(x, 2 / (s * gap)) - (1 / s - gap)
    yield of_step(
        algebra("logistic(m, s): (ln f)' - (1/s - d) = s d^2/(2 + s d) at x = 2/(s d)",
                sympy.simplify(steep - s * gap**2 / (2 + s * gap)))
    )  # fmt: skip
    yield words("With d = 1/s - lam > 0 that is (ln f)' > lam; M(lam) < infinity is lam < 1/s.")
    for law, strength in ((Normal(2, 3), "1/7"), (Gumbel(0, 1), "1/2"), (Logistic(1, 2), "2/5")):
        found = decide(law, strength)
        yield confirmed(
            f"{law}, lam = {strength}: a certified negative derivative",
            "balls",
            found.verdict == "refuted" and found.witness["order"] == 2,
            **found.witness,
        )


@claim(
    "randomised.every-tilt",
    "Every tilt of the raw reward is a randomised best-of-n",
    "Whatever the law of the reward, the tilt by lam > 0 with M(lam) < infinity is the best of "
    "some random number of draws, as it is on the uniform, the exponential and the Bernoulli law.",
    hypotheses=("lam > 0", "M(lam) < infinity"),
    source="a natural guess from the uniform law",
    expected="refuted",
)
def every_tilt() -> Iterator[Evidence]:
    slope = ball_at(sympy.diff(log(Normal().pdf), r), {r: Fraction(-2)})
    yield Evidence(
        "witness",
        "normal(0,1), lam = 1: (ln f)'(-2) = 2 > lam, so that (e^{lam Q})'' < 0 at F(-2)",
        "ball",
        bool(slope > 1),
        {"reward": "-2", "log_density_slope": as_json(slope)},
    )
    found = decide(Finite({0: "1/3", 9: "1/3", 10: "1/3"}), 1)
    yield certified(
        "three equal atoms at 0, 9, 10 and lam = 1: a separating h(n) > 0 for all n >= 1",
        "balls",
        found.verdict == "refuted",
        **found.witness,
    )


@claim(
    "randomised.three-atoms",
    "Three equal atoms at 0, 1, 2: the tilt by 1 is a randomised best-of-n",
    "On the law with mass 1/3 at each of 0, 1 and 2 the tilt by lam = 1 is the best of N draws for "
    "some N in {1, 3, 4}, and so it is on the uniform law with N zero-truncated Poisson(1).",
    source="this project",
    hypotheses=("lam = 1",),
    expected="certified",
)
def three_atoms() -> Iterator[Evidence]:
    found = decide(Finite({0: "1/3", 1: "1/3", 2: "1/3"}), 1)
    drawn = found.draws
    yield certified(
        "the interpolation of the tilted cumulative masses by x, x^3, x^4 has positive weights",
        "balls",
        found.verdict == "certified"
        and drawn is not None
        and [n for n, _ in drawn.masses] == [1, 3, 4],
        masses={str(n): w.to_json(15) for n, w in drawn.masses} if drawn else {},
    )
    plain = decide(Uniform(), 1)
    yield confirmed(
        "uniform: zero-truncated Poisson(1)",
        "tilt.quantile-tilt-is-best-of-n",
        plain.draws is not None and plain.draws.name == "ztp(lam=1)",
    )


CLAIMS: tuple[Claim, ...] = (sibuya, rising_density, every_tilt, three_atoms)
