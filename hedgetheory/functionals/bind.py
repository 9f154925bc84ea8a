"""Binding a policy to a law: the one place where the kinds of each are told apart."""

from __future__ import annotations

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.functionals.atoms.countable import RankOnCountable, TiltOnCountable
from hedgetheory.functionals.atoms.finite import RankOnFinite, TiltOnFinite
from hedgetheory.functionals.bound import Bound
from hedgetheory.functionals.continuous import RankOnContinuous, TiltOnContinuous
from hedgetheory.functionals.estimated import RankOnEstimated
from hedgetheory.functionals.mixed.rank import RankOnMixed
from hedgetheory.functionals.mixed.tilt import TiltOnMixed
from hedgetheory.functionals.soft.bind import soft_bound
from hedgetheory.functionals.soft.countable import SoftOnCountable
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.estimated import EstimatedLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.base import Policy, RankPolicy
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Draws
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt


def bind(policy: Policy, law: Law) -> Bound:
    """The policy on the law. Raises NotOnThisLaw where it does not exist (M(λ) = ∞)."""
    if isinstance(policy, Draws):
        raise InputError(f"{policy} is a law of draws: write best_of_random({policy})")
    policy = policy.simplest()
    own = policy.bound_on(law)
    if own is not None:
        return own
    if isinstance(law, EstimatedLaw):
        if not isinstance(policy, RankPolicy):
            raise NotCertified(
                f"{policy} on {law} is not built: nothing is certified on a law known by floats; "
                "take a rank policy"
            )
        return RankOnEstimated(policy, law)
    if isinstance(policy, Tilt):
        if isinstance(law, Uniform):
            # On the uniform law the reward is its own quantile.
            return RankOnContinuous(QuantileTilt(policy.strength), law)
        if isinstance(law, ContinuousLaw):
            return TiltOnContinuous(policy, law)
        if isinstance(law, CountableLaw):
            return TiltOnCountable(policy, law)
        if isinstance(law, MixedLaw):
            return TiltOnMixed(policy, law)
        assert isinstance(law, FiniteLaw)
        return TiltOnFinite(policy, law)
    if isinstance(policy, SoftBestOfN):
        if isinstance(law, MixedLaw):
            raise NotCertified(
                f"{policy} on {law} is not built: its race is not run on a law with atoms and a "
                "density; take a rank policy or the tilt"
            )
        return (
            SoftOnCountable(policy, law)
            if isinstance(law, CountableLaw)
            else soft_bound(policy, law)
        )
    assert isinstance(policy, RankPolicy)
    if isinstance(law, ContinuousLaw):
        return RankOnContinuous(policy, law)
    if isinstance(law, CountableLaw):
        return RankOnCountable(policy, law)
    if isinstance(law, MixedLaw):
        return RankOnMixed(policy, law)
    assert isinstance(law, FiniteLaw)
    return RankOnFinite(policy, law)
