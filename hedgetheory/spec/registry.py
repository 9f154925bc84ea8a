"""The names of the spec grammar: what each takes, in one line each, and where its class is.

Adding a law or a policy is one entry here. Classes are imported only when one is built, so that
listing the names stays cheap.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from hedgetheory.errors import InputError, nearest

#: What an argument is: a number, a whole number, a table of masses, a table of weighted laws,
#: a law, the law of a random number of draws, one of a few words, a formula, or a number or oo.
ArgumentKind = Literal[
    "real", "integer", "masses", "mixture", "law", "draws", "choice", "formula", "end"
]
#: What a name denotes.
Kind = Literal["law", "policy", "draws", "joint"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its name, what it is, and its default where it has one."""

    name: str
    kind: ArgumentKind = "real"
    default: Fraction | str | None = None
    choices: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """Whether a family may leave it free."""
        return self.kind in {"real", "integer"}

    def __str__(self) -> str:
        return self.name if self.default is None else f"{self.name}={self.default}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name of the grammar; ``target`` is the import path of its class, ``module:attribute``."""

    name: str
    target: str
    parameters: tuple[Parameter, ...]
    summary: str
    domain: str = ""

    @property
    def signature(self) -> str:
        """How it is called, defaults included: ``normal(mean=0, sd=1)``."""
        inside = ", ".join(map(str, self.parameters))
        return f"{self.name}({inside})" if inside else self.name

    def load(self) -> Any:
        """The class itself, imported now."""
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)

    def item(self) -> dict[str, object]:
        """What ``hedgetheory list`` says about it."""
        return {
            "name": self.name,
            "signature": self.signature,
            "parameters": [parameter.name for parameter in self.parameters],
            "domain": self.domain,
            "summary": self.summary,
        }


def _real(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name) for name in names)


def _with_defaults(**defaults: int) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, default=Fraction(value)) for name, value in defaults.items())


_ENDS = (Parameter("low", "end", default="-oo"), Parameter("high", "end", default="oo"))

_LAWS = (
    Entry("uniform", "hedgetheory.laws.uniform:Uniform", (), "uniform on (0, 1)"),
    Entry(
        "normal",
        "hedgetheory.laws.normal:Normal",
        _with_defaults(mean=0, sd=1),
        "normal with its mean and standard deviation; standard by default",
        "sd > 0",
    ),
    Entry(
        "exponential",
        "hedgetheory.laws.exponential:Exponential",
        _with_defaults(rate=1),
        "exponential with mean 1/rate; rate 1 by default",
        "rate > 0",
    ),
    Entry(
        "logistic",
        "hedgetheory.laws.logistic:Logistic",
        _with_defaults(loc=0, scale=1),
        "logistic with its location and scale; standard by default",
        "scale > 0",
    ),
    Entry(
        "gumbel",
        "hedgetheory.laws.gumbel:Gumbel",
        _with_defaults(loc=0, scale=1),
        "Gumbel of maximum type with its location and scale; standard by default",
        "scale > 0",
    ),
    Entry(
        "laplace",
        "hedgetheory.laws.laplace:Laplace",
        _with_defaults(loc=0, scale=1),
        "Laplace with its location and scale; standard by default",
        "scale > 0",
    ),
    Entry(
        "beta",
        "hedgetheory.laws.beta:Beta",
        _real("a", "b"),
        "beta on (0, 1), density proportional to r**(a - 1)*(1 - r)**(b - 1)",
        "a, b > 0",
    ),
    Entry(
        "gamma",
        "hedgetheory.laws.gamma:Gamma",
        (Parameter("shape"), Parameter("rate", default=Fraction(1))),
        "gamma with its shape and rate, mean shape/rate",
        "shape, rate > 0",
    ),
    Entry(
        "lognormal",
        "hedgetheory.laws.lognormal:LogNormal",
        _with_defaults(mu=0, sigma=1),
        "exp of a normal variable with mean mu and standard deviation sigma",
        "sigma > 0",
    ),
    Entry(
        "pareto",
        "hedgetheory.laws.pareto:Pareto",
        _real("alpha"),
        "Pareto on [1, oo), P(R > r) = r**(-alpha)",
        "alpha > 0",
    ),
    Entry(
        "student_t",
        "hedgetheory.laws.student_t:StudentT",
        _real("df"),
        "Student's t with its degrees of freedom",
        "df > 0",
    ),
    Entry(
        "weibull",
        "hedgetheory.laws.weibull:Weibull",
        (Parameter("shape"), Parameter("scale", default=Fraction(1))),
        "Weibull with its shape and scale, P(R > r) = exp(-(r/scale)**shape)",
        "shape, scale > 0",
    ),
    Entry(
        "mixture",
        "hedgetheory.laws.mixed:mixture",
        (Parameter("components", "mixture"),),
        "continuous and finite laws, weighted, as in mixture({normal: 0.9, finite({3: 1}): 0.1})",
        "weights > 0 with sum exactly 1",
    ),
    Entry(
        "affine",
        "hedgetheory.laws.affine:Affine",
        (Parameter("law", "law"), *_with_defaults(loc=0, scale=1)),
        "loc + scale*R with R of a continuous law, as in affine(student_t(3), 1, 2)",
        "scale > 0",
    ),
    Entry(
        "truncated",
        "hedgetheory.laws.truncated:Truncated",
        (Parameter("law", "law"), *_real("low", "high")),
        "a continuous law given that it falls in [low, high], as in truncated(normal, -1, 2)",
        "low < high, with positive probability between",
    ),
    Entry(
        "shaped",
        "hedgetheory.laws.shaped:Shaped",
        (Parameter("law", "law"), Parameter("formula", "formula")),
        "an increasing formula in r of the reward of a law, as in shaped(normal, tanh(r))",
        "increasing by its form; rational or infinite ends",
    ),
    Entry(
        "par",
        "hedgetheory.designs.par.law:par",
        (
            Parameter("law", "law"),
            Parameter("k", default=Fraction(1)),
            Parameter("m", "integer", default=Fraction(10)),
        ),
        "the mean of sigma(k*(r - reference)) over m references at the law's own quantiles",
        "k > 0, whole m from 1 to 64; a law without atoms and without a finite end",
    ),
    Entry(
        "sigmoid",
        "hedgetheory.designs.par.law:sigmoid",
        (Parameter("law", "law"), *_with_defaults(at=0, k=1)),
        "sigma(k*(r - at)) of a reward, one reference: uniform on logistic(at, 1/k)",
        "k > 0; a law without atoms whose finite end, if any, is `at`",
    ),
    Entry(
        "log_prob",
        "hedgetheory.designs.likelihood.law:LogProb",
        _with_defaults(a=1),
        "ln P of an answer's probability P with P(P <= x) = x**a; uniform by default",
        "a > 0",
    ),
    Entry(
        "rank_reward",
        "hedgetheory.designs.likelihood.law:rank_reward",
        (Parameter("m", "integer"),),
        "NOVER's (m - rank)/m among m candidates without ties: uniform on m values",
        "whole m from 1 to 10000",
    ),
    Entry(
        "treg",
        "hedgetheory.designs.treg.law:treg",
        (Parameter("law", "law"),),
        "T-REG's token reward sigma(X) - 1/2 of a log-ratio X, as in treg(normal(0, 2))",
        "a law without atoms, and without a finite end other than 0",
    ),
    Entry(
        "min_of",
        "hedgetheory.designs.ensembles.law:min_of",
        (Parameter("law", "law"), Parameter("k", "integer")),
        "the least of k independent rewards: the worst case of an ensemble",
        "a log-concave law without atoms, whole k from 1 to 1000",
    ),
    Entry(
        "pdf",
        "hedgetheory.laws.formula:PdfLaw",
        (Parameter("formula", "formula"), *_ENDS),
        "the law with a density in r, as in pdf(6*r*(1 - r), low=0, high=1)",
        "certified to be >= 0 and to integrate to 1; log-concave where an end is infinite",
    ),
    Entry(
        "cdf",
        "hedgetheory.laws.formula:CdfLaw",
        (Parameter("formula", "formula"), *_ENDS),
        "the law with a cdf in r, as in cdf(r**2, low=0, high=1)",
        "certified to increase from 0 to 1; log-concave density where an end is infinite",
    ),
    Entry(
        "quantile",
        "hedgetheory.laws.formula:QuantileLaw",
        (Parameter("formula", "formula"),),
        "the law with a quantile function in u, as in quantile(u**(1/2))",
        "certified to increase; finite rational ends",
    ),
    Entry(
        "bernoulli",
        "hedgetheory.laws.finite:Bernoulli",
        _real("p"),
        "a pass/fail reward: 1 with probability p, 0 otherwise",
        "0 < p < 1",
    ),
    Entry(
        "finite",
        "hedgetheory.laws.finite:Finite",
        (Parameter("masses", "masses"),),
        "finitely many atoms, as in finite({0: 1/4, 1/2: 1/4, 1: 1/2})",
        "masses > 0 with sum exactly 1",
    ),
    Entry(
        "poisson",
        "hedgetheory.laws.poisson:Poisson",
        _real("mu"),
        "Poisson on {0, 1, 2, ...} with its mean",
        "mu > 0",
    ),
    Entry(
        "geometric",
        "hedgetheory.laws.geometric:Geometric",
        _real("p"),
        "the first success, on {1, 2, ...}",
        "0 < p < 1",
    ),
    Entry(
        "process",
        "hedgetheory.designs.process.law:ProcessSum",
        (
            *_real("rho"),
            *_with_defaults(c=1),
            Parameter("steps", "end", default="oo"),
            Parameter("shape", "choice", default="raw", choices=("raw", "clip", "delta")),
            *_with_defaults(eta=1),
        ),
        "the summed process reward of geometrically many steps of score c: raw, clip, delta",
        "0 < rho < 1, c > 0, whole steps from 1 to 1000 or oo (raw with c=1, or delta)",
    ),
)

_POLICIES = (
    Entry(
        "bon",
        "hedgetheory.policies.best_of_n:BestOfN",
        _real("n"),
        "best of n draws; a real n is a rank policy too",
        "n >= 1",
    ),
    Entry(
        "bop",
        "hedgetheory.policies.best_of_poisson:BestOfPoisson",
        _real("mu"),
        "best of 1 + N draws, N Poisson with mean mu",
        "mu >= 0",
    ),
    Entry(
        "quantile_tilt",
        "hedgetheory.policies.quantile_tilt:QuantileTilt",
        _real("lam"),
        "exponential tilt of the quantile, w proportional to exp(lam*u)",
        "lam >= 0",
    ),
    Entry(
        "tilt",
        "hedgetheory.policies.tilt:Tilt",
        _real("lam"),
        "exponential tilt of the raw reward, w proportional to exp(lam*r)",
        "lam >= 0, and the law's moment generating function finite at lam",
    ),
    Entry(
        "sbon",
        "hedgetheory.policies.soft_best_of_n:SoftBestOfN",
        (
            *_real("n", "lam"),
            Parameter("scale", "choice", default="reward", choices=("reward", "quantile")),
        ),
        "soft best of n: one of n draws by softmax(lam*reward), or of the quantile",
        "n >= 1, lam >= 0, scale reward or quantile",
    ),
    Entry(
        "best_of_random",
        "hedgetheory.policies.best_of_random:BestOfRandom",
        (Parameter("draws", "draws"),),
        "best of a random number of draws, as in best_of_random(geometric(1/3))",
        "draws: ztp, geometric, binomial, negative_binomial, sibuya or finite",
    ),
    Entry(
        "superhf",
        "hedgetheory.designs.superhf.policy:SuperHF",
        (*_real("n", "beta"), Parameter("rounds", "integer", default=Fraction(1))),
        "rounds of filtering the best of n and returning to the prior",
        "n >= 1, beta >= 0, whole rounds from 1 to 16",
    ),
    Entry(
        "grpo",
        "hedgetheory.designs.grpo.policy:Grpo",
        (
            *_real("beta"),
            Parameter("scale", "choice", default="reward", choices=("reward", "quantile")),
        ),
        "where GRPO with the k3 penalty stops: w = beta/(eta - reward), or of the quantile",
        "beta > 0, scale reward or quantile; reward: finitely many atoms or uniform",
    ),
    Entry(
        "fk",
        "hedgetheory.designs.fk.policy:FeynmanKac",
        (
            Parameter("k", "integer"),
            Parameter("lam"),
            Parameter(
                "potential",
                "choice",
                default="difference",
                choices=("difference", "max", "sum", "terminal"),
            ),
        ),
        "Feynman-Kac steering, one resampling of k particles: sbon(n=k, lam)",
        "integer k >= 1, lam >= 0; potential max only where no reward is below 0",
    ),
)

_DRAWS = (
    Entry(
        "ztp",
        "hedgetheory.policies.random_draws:ZeroTruncatedPoisson",
        _real("lam"),
        "Poisson given N >= 1: exactly the quantile tilt",
        "lam >= 0",
    ),
    Entry(
        "geometric",
        "hedgetheory.policies.random_draws:Geometric",
        _real("p"),
        "geometric on {1, 2, ...}",
        "0 < p <= 1",
    ),
    Entry(
        "binomial",
        "hedgetheory.policies.random_draws:Binomial",
        (Parameter("m", "integer"), Parameter("p")),
        "binomial given N >= 1",
        "integer m >= 1, 0 < p <= 1",
    ),
    Entry(
        "negative_binomial",
        "hedgetheory.policies.random_draws:NegativeBinomial",
        _real("r", "p"),
        "negative binomial given N >= 1",
        "r > 0, 0 < p < 1",
    ),
    Entry(
        "sibuya",
        "hedgetheory.policies.random_draws:Sibuya",
        _real("a"),
        "Sibuya: pgf 1 - (1 - u)**a",
        "0 < a <= 1",
    ),
    Entry(
        "finite",
        "hedgetheory.policies.random_draws:FinitePmf",
        (Parameter("masses", "masses"),),
        "finitely many values of N, as in finite({1: 1/2, 3: 1/2})",
        "whole values >= 1, masses > 0 with sum exactly 1",
    ),
)

_JOINTS = (
    Entry(
        "bivariate_normal",
        "hedgetheory.laws.joint:BivariateNormal",
        _real("rho"),
        "proxy and true reward jointly normal, the true one standardised",
        "-1 <= rho <= 1; on a normal law",
    ),
    Entry(
        "noisy_proxy",
        "hedgetheory.laws.joint:NoisyProxy",
        (Parameter("noise", "law"),),
        "proxy = true reward + independent noise; the law given is that of the true reward",
        "a law without atoms as noise; a finite or a normal true reward",
    ),
    Entry(
        "contaminated",
        "hedgetheory.laws.joint:Contaminated",
        _real("eps", "h"),
        "a share eps of hacked responses on top of the proxy, with true reward h",
        "0 < eps < 1; on a law without atoms",
    ),
    Entry(
        "herding",
        "hedgetheory.designs.ensembles.herding:Herding",
        (
            *_real("shared", "pretrain", "finetune"),
            Parameter("k", "integer", default=Fraction(1)),
            Parameter("seeds", "choice", default="pretrain", choices=("pretrain", "finetune")),
        ),
        "proxy = mean of k reward models whose errors are partly shared; the law is the truth's",
        "standard deviations >= 0, whole k >= 1; a normal true reward",
    ),
    Entry(
        "partial",
        "hedgetheory.designs.partial.joint:PartialRewards",
        (Parameter("wrong", "law"), Parameter("p")),
        "a share p correct, with the law given, the others with law wrong; gold P(correct)",
        "0 < p < 1; both laws finite, or both without atoms and with one support",
    ),
)

REGISTRY: Mapping[Kind, Mapping[str, Entry]] = {
    "law": {entry.name: entry for entry in _LAWS},
    "policy": {entry.name: entry for entry in _POLICIES},
    "draws": {entry.name: entry for entry in _DRAWS},
    "joint": {entry.name: entry for entry in _JOINTS},
}

NOUNS: Mapping[Kind, str] = {
    "law": "law",
    "policy": "policy",
    "draws": "law of a number of draws",
    "joint": "joint model",
}


def lookup(kind: Kind, name: str) -> Entry:
    """The entry of ``name``.

    Raises InputError with the nearest valid name.

    >>> lookup("law", "normal").signature
    'normal(mean=0, sd=1)'
    >>> lookup("policy", "bin")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    hedgetheory.errors.InputError: unknown policy bin: did you mean bon? (known: bon, bop, ...
    """
    entry = REGISTRY[kind].get(name)
    if entry is None:
        brief = name if len(name) <= 60 else name[:57] + "..."
        raise InputError(f"unknown {NOUNS[kind]} {brief}: {nearest(brief, list(REGISTRY[kind]))}")
    return entry


def items(kind: Kind) -> list[dict[str, object]]:
    """Every entry of a kind, for ``hedgetheory list``; imports no class.

    >>> [item["name"] for item in items("law")][:2]
    ['uniform', 'normal']
    """
    return [entry.item() for entry in REGISTRY[kind].values()]


def families() -> list[dict[str, str]]:
    """Every form of a family, with the parameter that it leaves free.

    Where others must be fixed, the form shows them as ``m=...``.

    >>> families()[0]
    {'form': 'bon', 'free': 'n'}
    >>> [entry["form"] for entry in families() if entry["free"] == "m"]
    ['best_of_random(binomial(p=...))']
    """
    forms = []
    for policy in REGISTRY["policy"].values():
        forms += [(form, free) for form, free in _forms(policy)]
        if any(parameter.kind == "draws" for parameter in policy.parameters):
            forms += [
                (f"{policy.name}({form})", free)
                for draws in REGISTRY["draws"].values()
                for form, free in _forms(draws)
            ]
    return [{"form": form, "free": free} for form, free in forms]


def _forms(entry: Entry) -> list[tuple[str, str]]:
    needed = [parameter for parameter in entry.parameters if parameter.default is None]
    free = [parameter.name for parameter in needed if parameter.numeric]
    forms = []
    for name in free:
        fixed = ", ".join(f"{other}=..." for other in free if other != name)
        forms.append((f"{entry.name}({fixed})" if fixed else entry.name, name))
    return forms
