"""Laws of related systems as rows (reward, mass, F−, F): atoms, or nodes of panels on a line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

from hedgetheory.reference.definitions import Atoms, exact, law_of, mp
from hedgetheory.reference.panels import legendre
from hedgetheory.spec.grammar import SpecCall, parse_spec

Row: TypeAlias = "tuple[Any, Any, Any, Any]"
NODES = 44
#: Ends of the panels in each law's own unit: what is beyond has less than 10^−40 of the mass.
_CUTS: dict[str, list[Any]] = {
    "normal": [x / 2 for x in range(-32, 33)],
    "logistic": [*range(-100, -20, 4), *range(-20, 20), *range(20, 101, 4)],
    "exponential": [0, *(2.0**k for k in range(-3, 2)), *range(4, 101, 4)],
    "uniform": [0, 1],
}
#: As many halvings of t as a heavy tail has panels, t = ln |r|.
_FAR = 64


def _at(values: dict[str, Any], name: str) -> Any:
    return exact(values[name])


def _base(call: SpecCall) -> Iterator[tuple[Any, Any]]:
    """Nodes r and their mass f(r) dr of one of the plain laws."""
    law = law_of(str(call))
    assert not isinstance(law, Atoms)
    given = dict(call.arguments)
    if call.name == "student_t":
        yield from _heavy(law)
        return
    names = {"normal": ("mean", "sd"), "logistic": ("loc", "scale")}.get(call.name)
    loc, scale = (_at(given, name) for name in names) if names else (mp.zero, mp.one)
    if call.name == "exponential":
        scale = 1 / _at(given, "rate")
    for low, high in pairwise(_CUTS[call.name]):
        middle, radius = mp.mpf(low + high) / 2, mp.mpf(high - low) / 2
        for node, weight in legendre(NODES):
            r = loc + scale * (middle + radius * node)
            yield r, weight * radius * scale * law.pdf(r)


def _heavy(law: Any) -> Iterator[tuple[Any, Any]]:
    """A symmetric heavy tail: panels of length ½ up to 64, then in ln |r|."""
    for low, high in pairwise(x / 2 for x in range(129)):
        middle, radius = mp.mpf(low + high) / 2, mp.mpf(high - low) / 2
        for node, weight in legendre(NODES):
            r = middle + radius * node
            mass = weight * radius * law.pdf(r)
            yield r, mass
            yield -r, mass
    start = mp.log(64)
    for k in range(_FAR):
        for node, weight in legendre(NODES):
            r = mp.exp(start + k + mp.mpf(1) / 2 + node / 2)
            mass = weight / 2 * r * law.pdf(r)
            yield r, mass
            yield -r, mass


@cache
def rows_of(text: str, with_cdf: bool = True) -> list[Row]:
    """The rows of a law; without F where it is not needed (it is 0 then)."""
    found = atoms(text)
    if found is None:
        return _line(parse_spec(text, "law"), with_cdf)
    rows, below = [], mp.zero
    for place, (value, mass) in enumerate(found):
        upto = mp.one if place == len(found) - 1 else below + mass
        rows.append((value, mass, below, upto))
        below = upto
    return rows


def _line(call: SpecCall, with_cdf: bool) -> list[Row]:
    given = dict(call.arguments)
    if call.name == "log_prob":
        return _log_prob(_at(given, "a"))
    if call.name not in ("par", "sigmoid", "treg", "min_of"):
        law = law_of(str(call))
        assert not isinstance(law, Atoms)
        zero = mp.zero
        shares = ((r, mass, law.cdf(r) if with_cdf else zero) for r, mass in _base(call))
        return [(r, mass, f, f) for r, mass, f in shares]
    inner = given["law"]
    assert isinstance(inner, SpecCall)
    base = _line(inner, with_cdf or call.name == "min_of")
    if call.name == "min_of":
        return _least(base, int(given["k"]), str(inner))  # type: ignore[arg-type]
    steep, places, shift = mp.one, [mp.zero], mp.zero
    if call.name == "treg":
        shift = mp.mpf(1) / 2
    else:
        steep = _at(given, "k")
        places = [_at(given, "at")] if call.name == "sigmoid" else _references(inner, given)
    return [
        (mp.fsum(1 / (1 + mp.exp(-steep * (r - x))) for x in places) / len(places) - shift, m, e, f)
        for r, m, e, f in base
    ]


def _references(inner: SpecCall, given: dict[str, Any]) -> list[Any]:
    """The quantiles (2i − 1)/(2m) of a standard normal law, rounded to 2⁻²⁰."""
    if str(inner) != "normal(mean=0, sd=1)":
        raise ArithmeticError(f"references of {inner} are not written here")
    count, unit = int(given["m"]), mp.mpf(2) ** 20
    levels = [mp.mpf(2 * i + 1) / (2 * count) for i in range(count)]
    found = [mp.sqrt(2) * mp.erfinv(2 * level - 1) for level in levels]
    return [mp.nint(x * unit) / unit for x in found]


def _least(base: list[Row], k: int, inner: str) -> list[Row]:
    """1 − (1 − F)^k and k (1 − F)^{k−1} f, the survival by symmetry where F is near 1."""
    law = law_of(inner)
    symmetric = inner.startswith(("normal(mean=0", "logistic(loc=0"))
    found = []
    for r, mass, _, f in base:
        over = law.cdf(-r) if symmetric and not isinstance(law, Atoms) else 1 - f
        least = 1 - over**k
        found.append((r, mass * k * over ** (k - 1), least, least))
    return found


def _log_prob(a: Any) -> list[Row]:
    """r = −t/a with t exponential, over 24 binary orders on both sides of 1 and the bulk."""
    cuts = [mp.zero, *(mp.mpf(2) ** k for k in range(-90, 3)), *range(8, 101, 4)]
    found = []
    for low, high in pairwise(cuts):
        middle, radius = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
        for node, weight in legendre(NODES):
            t = middle + radius * node
            f = mp.exp(-t)
            found.append((-t / a, weight * radius * f, f, f))
    return found


# -- atoms -----------------------------------------------------------------------------------------


@cache
def atoms(text: str) -> list[tuple[Any, Any]] | None:
    """(value, mass) in increasing order; None for a law on a line."""
    call = parse_spec(text, "law")
    given = dict(call.arguments)
    if call.name == "rank_reward":
        count = int(given["m"])  # type: ignore[arg-type]
        return [(mp.mpf(i) / count, mp.mpf(1) / count) for i in range(count)]
    if call.name == "process":
        return _process(given)
    if call.name in ("bernoulli", "finite", "poisson", "geometric"):
        law = law_of(text)
        assert isinstance(law, Atoms)
        return law.atoms
    return None


def _process(given: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Sums of K steps of score c, P(K > k) = ρ^k, cut at the last step or far out in the tail."""
    rho, c = Fraction(given["rho"]), Fraction(given["c"])
    bound, shape = Fraction(given["eta"]), given["shape"]
    cut = given["steps"]
    last = 400 if cut == "oo" else int(cut)
    masses: dict[Fraction, Fraction] = {}
    for k in range(1, last + 1):
        chance = rho ** (k - 1) * (1 if k == last else 1 - rho)
        total = {"raw": c * k, "clip": min(c - bound, Fraction(0)) * k,
                 "delta": c if k >= 2 else Fraction(0)}[shape]  # fmt: skip
        masses[total] = masses.get(total, Fraction(0)) + chance
    return [(exact(value), exact(mass)) for value, mass in sorted(masses.items())]
