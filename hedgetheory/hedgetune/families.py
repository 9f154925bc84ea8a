"""The families that ``tune`` searches, by the names of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from hedgetheory.errors import InputError, must_be
from hedgetheory.expressions.reading import Call, Name, Node, Value, exact_value, read, shown
from hedgetheory.hedgetune.points import Points
from hedgetheory.hedgetune.rank_points import BestOfNPoints, MixturePoints
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.soft_points import SoftDrawsPoints, SoftStrengthPoints
from hedgetheory.hedgetune.superhf_points import SuperHFDrawsPoints, SuperHFPriorPoints
from hedgetheory.hedgetune.table import Array
from hedgetheory.hedgetune.tilt_points import TiltPoints

KNOWN = (
    "bon, bop, quantile_tilt, tilt, sbon(n=16), sbon(lam=3), superhf(beta=0.23), superhf(n=8), "
    "fk(k=4), fk(lam=10), grpo(scale=quantile) or best_of_random(...) of ztp, geometric, "
    "binomial(m=8), negative_binomial(r=2) or sibuya"
)
#: name -> its parameters in order; one is left free.
_PARAMETERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bon": ("n",),
        "bop": ("mu",),
        "quantile_tilt": ("lam",),
        "tilt": ("lam",),
        "sbon": ("n", "lam"),
        "superhf": ("n", "beta", "rounds"),
        # One resampling of k particles: sbon(n=k, lam), under its own name.
        "fk": ("k", "lam"),
        "grpo": ("beta",),
    }
)
#: Parameters that need not be given.
_DEFAULTS: Mapping[str, Node] = MappingProxyType({"rounds": Value(Fraction(1))})
_RANDOM: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ztp": ("lam",),
        "geometric": ("p",),
        "binomial": ("m", "p"),
        "negative_binomial": ("r", "p"),
        "sibuya": ("a",),
    }
)


@dataclass(frozen=True, slots=True)
class FamilyName:
    """A family as its text says: ``draws`` the law of N in best_of_random, ``fixed`` parameters."""

    name: str
    free: str
    fixed: tuple[tuple[str, Fraction], ...] = ()
    draws: str | None = None
    scale: str = "reward"
    shown: str = ""

    def __str__(self) -> str:
        if self.shown:
            return self.shown
        inside = ", ".join(f"{name}={_short(value)}" for name, value in self.fixed)
        if self.draws is not None:
            return f"best_of_random({self.draws}{f'({inside})' if inside else ''})"
        if self.name == "superhf":
            return f"superhf({inside})"
        if self.name != "sbon":
            return self.name
        return f"sbon({inside}{', scale=quantile' if self.scale == 'quantile' else ''})"

    @property
    def needs_proxy(self) -> bool:
        """Whether ranks alone do not say its value: the tilt, and Soft Best-of-n with its ties."""
        return self.name in ("tilt", "sbon")

    def points(self, groups: list[RankGroup], weights: Array | None, name: str) -> Points:
        """The points of the family on a reduced table. InputError where there is no choice."""
        fixed = {key: float(value) for key, value in self.fixed}
        match self.name:
            case "bon":
                return BestOfNPoints(groups, weights, name)
            case "tilt":
                return TiltPoints(groups, weights, name)
            case "sbon" if self.free == "lam":
                return SoftStrengthPoints(groups, weights, name, int(fixed["n"]), self.scale)
            case "sbon":
                return SoftDrawsPoints(groups, weights, name, fixed["lam"], self.scale)
            case "superhf" if self.free == "n":
                rounds = int(fixed["rounds"])
                return SuperHFDrawsPoints(groups, weights, name, fixed["beta"], rounds)
            case "superhf":
                draws, rounds = int(fixed["n"]), int(fixed["rounds"])
                return SuperHFPriorPoints(groups, weights, name, draws, rounds)
        law = {"bop": "bop", "quantile_tilt": "ztp"}.get(self.name, self.draws or "")
        return MixturePoints(groups, weights, name, (law, self.free), fixed)


def parse_family(text: str) -> FamilyName:
    """The family that ``text`` names, as on the command line.

    Raises InputError for an unknown name, and unless exactly one parameter is left free.

    >>> str(parse_family("sbon( n = 16 )")), parse_family("best_of_random(geometric)").free
    ('sbon(n=16)', 'p')
    >>> parse_family("bon(3)")
    Traceback (most recent call last):
        ...
    hedgetheory.errors.InputError: family='bon(3)', but must leave one parameter free [tune]
    """
    if not isinstance(text, str):
        raise _unknown(text)
    node = read(text, "family")
    name, arguments, named = _taken_apart(node, text)
    scale = "reward"
    draws = None
    if name == "best_of_random" and len(arguments) == 1 and not named:
        draws, arguments, named = _taken_apart(arguments[0], text)
        if draws not in _RANDOM:
            raise _unknown(text)
        parameters = _RANDOM[draws]
    elif name in _PARAMETERS:
        parameters = _PARAMETERS[name]
        if name == "fk" and "potential" in named:
            word = named.pop("potential")
            _require_sound(word.name if isinstance(word, Name) else "")
        if name == "grpo":
            given_scale = named.pop("scale") if "scale" in named else None
            if not (isinstance(given_scale, Name) and given_scale.name == "quantile"):
                raise must_be("scale", "reward", "quantile, as in grpo(scale=quantile)", "tune")
        if name == "sbon" and "scale" in named:
            word = named.pop("scale")
            scale = word.name if isinstance(word, Name) else ""
            if scale not in ("reward", "quantile"):
                raise must_be("scale", shown(scale), "reward or quantile", "tune(family=sbon)")
    else:
        raise _unknown(text)
    given = dict(zip(parameters, arguments, strict=False)) | named
    if len(arguments) > len(parameters) or set(given) - set(parameters):
        raise InputError(
            f"family={shown(text)!r}: its parameters are {' and '.join(parameters)} [tune]"
        )
    twice = len(given) != len(arguments) + len(named)
    given = {key: node for key, node in _DEFAULTS.items() if key in parameters} | given
    free = [parameter for parameter in parameters if parameter not in given]
    if len(free) != 1 or twice:
        raise InputError(f"family={shown(text)!r}, but must leave one parameter free [tune]")
    fixed = tuple((key, _checked(key, given[key], text)) for key in parameters if key in given)
    if free == ["m"]:
        raise InputError("binomial: leave p free and give m, as in best_of_random(binomial(m=8))")
    if name == "grpo":
        return FamilyName(name, free[0], draws="logarithmic", shown="grpo(scale=quantile)")
    if name == "fk":
        inside = ", ".join(f"{key}={_short(value)}" for key, value in fixed)
        renamed = tuple(("n" if key == "k" else key, value) for key, value in fixed)
        free_name = "n" if free == ["k"] else free[0]
        return FamilyName("sbon", free_name, renamed, shown=f"fk({inside})")
    return FamilyName(name, free[0], fixed, draws, scale)


def _require_sound(potential: str) -> None:
    """The potentials that are Soft Best-of-n on every table."""
    if potential not in ("difference", "sum", "terminal"):
        words = "difference, sum or terminal: max is the same where no reward is below 0"
        raise must_be("potential", potential or "...", words, "tune(family=fk)")


def _taken_apart(node: Node, text: str) -> tuple[str, tuple[Node, ...], dict[str, Node]]:
    if isinstance(node, Name):
        return node.name, (), {}
    if isinstance(node, Call):
        return node.name, node.arguments, dict(node.named)
    raise _unknown(text)


def _unknown(text: object) -> InputError:
    what = shown(text) if isinstance(text, str) else type(text).__name__
    return must_be("family", repr(what), KNOWN, "tune")


#: Smallest and largest value of each parameter that can be given, and whether it is whole.
_DOMAINS: Mapping[str, tuple[Fraction, Fraction, bool]] = MappingProxyType(
    {
        "n": (Fraction(1), Fraction(10**9), True),
        "k": (Fraction(1), Fraction(10**9), True),
        "m": (Fraction(1), Fraction(10**9), True),
        "lam": (Fraction(0), Fraction(10**300), False),
        "beta": (Fraction(0), Fraction(10**9), False),
        "rounds": (Fraction(1), Fraction(16), True),
        "r": (Fraction(1, 10**9), Fraction(10**9), False),
        "p": (Fraction(1, 10**9), 1 - Fraction(1, 10**9), False),
    }
)


def _checked(key: str, node: Node, text: str) -> Fraction:
    value = exact_value(node)
    low, high, whole = _DOMAINS[key]
    if value is None or not low <= value <= high or (whole and value.denominator != 1):
        kind = "an integer" if whole else "a number"
        word = f"{kind} from {_short(low)} to {float(high):.10g}"
        raise InputError(f"family={shown(text)!r}: {key} must be {word} [tune]")
    return value


def _short(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.12g}"
