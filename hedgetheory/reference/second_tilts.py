"""What a tilt needs beyond its moment generating function: parts of it by tanh-sinh in mpmath."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from hedgetheory.reference.definitions import Atoms, exact, law_of, mp

#: law -> where its integrals are cut into pieces; outside nothing is left at 45 digits.
_PIECES: dict[str, tuple[Any, ...]] = {
    "beta": (0, "1/4", "1/2", "3/4", 1),
    "weibull": (0, "1/2", 1, 2, 3, 5, 8, 13, 20),
    "mixture": (-30, -12, -6, -3, -1, 0, 1, 2, 3, 4, 6, 9, 15, 30),
}
_DIGITS = 50


def pieces_of(law: str) -> list[Any] | None:
    """The pieces, None where there are none for this law."""
    cuts = _PIECES.get(law.partition("(")[0])
    if cuts is None or law.startswith("weibull(1/2"):
        return None
    return [exact(Fraction(cut)) for cut in cuts]


def tilt_part(law: str, strength: Fraction, quantity: str, at: Fraction | None) -> Any:
    """The cdf of a tilt at a reward, or its total variation ∫ (1 − w)⁺ dF up to where w = 1."""
    pieces = pieces_of(law)
    if pieces is None:
        return None
    with mp.workdps(_DIGITS):
        lam, normaliser = exact(strength), _normaliser(law, strength)
        if quantity == "cdf":
            assert at is not None
            return _up_to(law, exact(at), lambda w: w, lam, normaliser)
        return _up_to(law, mp.log(normaliser) / lam, lambda w: 1 - w, lam, normaliser)


def _up_to(law: str, end: Any, of_ratio: Any, lam: Any, normaliser: Any) -> Any:
    pieces = pieces_of(law)
    assert pieces is not None
    found = law_of(law)
    assert not isinstance(found, Atoms)
    pdf = found.pdf
    points = [*(x for x in pieces if x < end), end]
    return mp.quad(lambda r: of_ratio(mp.exp(lam * r) / normaliser) * pdf(r), points)


@cache
def _normaliser(law: str, strength: Fraction) -> Any:
    pieces = pieces_of(law)
    assert pieces is not None
    return _up_to(law, pieces[-1], lambda w: w, exact(strength), mp.one)
