"""The picture of f on a law with atoms and a density: by quantiles where exact, else by rewards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.deciding import smooth_picture
from hedgetheory.analysis.found import undecided_picture
from hedgetheory.analysis.gold import Change, Gold
from hedgetheory.analysis.hypotheses import Hypothesis, hypotheses
from hedgetheory.analysis.mixed.axis import gold_in_quantiles
from hedgetheory.analysis.mixed.curve import MixedCurve
from hedgetheory.analysis.mixed.tilt import mixed_tilt_picture
from hedgetheory.analysis.picture import Picture
from hedgetheory.analysis.smooth_pattern import smooth_pattern
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import Law
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.family import Family

#: Families whose hypotheses are stated on laws with atoms.
_WITH_ATOMS = ("bon", "bop", "quantile_tilt", "tilt")
#: What examines f on a law without atoms, and the sign changes of dg there.
Examine: TypeAlias = Callable[[Law, Family, Gold], tuple[Picture, list[Hypothesis]]]
Signs: TypeAlias = Callable[[Law, Gold], tuple["list[Change] | None", str]]


def examine_mixed(
    law: MixedLaw, family: Family, gold: Gold, examine: Examine, signs: Signs
) -> tuple[Picture, list[Hypothesis]]:
    """The picture of f and the hypotheses; undecided, with its reason, where neither route goes."""
    try:
        if family.name.startswith("sbon"):
            raise NotCertified(f"{family} on a law with atoms and a density is not examined")
        if family.name not in _WITH_ATOMS:
            # Whatever is known of a rank policy is known of it in the quantile.
            return examine(Uniform(), family, gold_in_quantiles(law, gold))
        picture, changes, why = _picture(law, family, gold, examine, signs)
    except (NoExactForm, NotCertified) as why_not:
        reason = str(why_not)
        return undecided_picture(family, reason), hypotheses(law, family, None, reason)
    return picture, hypotheses(law, family, changes, why)


def _picture(
    law: MixedLaw, family: Family, gold: Gold, examine: Examine, signs: Signs
) -> tuple[Picture, list[Change] | None, str]:
    if family.name == "tilt":
        picture, pattern = mixed_tilt_picture(law, gold)
        return picture, None if pattern is None else pattern[1], picture.open_reason
    try:
        in_quantiles = gold_in_quantiles(law, gold)
    except NoExactForm as why:
        if not gold.expr.has(r):
            raise
        try:
            curve = MixedCurve(law, family, gold)
        except NoExactForm as other:
            raise NoExactForm(f"{why}; {other}") from None
        pattern = smooth_pattern(curve)
        picture = smooth_picture(curve, family, pattern)
        changes = None if pattern is None else curve.axis.moved(pattern[1])
        return picture, changes, picture.open_reason
    picture, _ = examine(Uniform(), family, in_quantiles)
    changes, why_not = signs(Uniform(), in_quantiles)
    return picture, changes, why_not


__all__ = ["examine_mixed"]
