"""What a family on a law must state: one method for each quantity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from hedgetheory.functionals.floating.gold import Polynomial
from hedgetheory.functionals.floating.points import Values


class Formulas(ABC):
    """A family on a law: each method is one quantity, over broadcast arrays."""

    def __init__(self, law: Any) -> None:
        self.law = law
        #: Quantities that have no formula here, with the reason.
        self.missing = {
            name: f"the {name} of a tilt of the raw reward has no closed form here"
            for name in ("gold", "slope")
        }

    def ratio(self, theta: Values, points: Any) -> Values:
        return self.weight(theta, points, "")

    def density(self, theta: Values, points: Any) -> Values:
        return self.weight(theta, points, "log_density")

    @abstractmethod
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        """w·exp(shift): one exponential, so that neither factor under- or overflows alone."""

    @abstractmethod
    def cdf(self, theta: Values, points: Any) -> Values: ...
    @abstractmethod
    def survival(self, theta: Values, points: Any) -> Values: ...
    @abstractmethod
    def score(self, theta: Values, points: Any) -> Values: ...
    @abstractmethod
    def kl(self, theta: Values) -> Values: ...
    @abstractmethod
    def chi2(self, theta: Values) -> Values: ...
    @abstractmethod
    def total_variation(self, theta: Values) -> Values: ...
    @abstractmethod
    def mean_reward(self, theta: Values) -> Values: ...
    @abstractmethod
    def mean_quantile(self, theta: Values) -> Values: ...

    def gold(self, theta: Values, curve: Polynomial) -> Values:
        """E[g(F(R))]; a subclass that has none says so in `missing`."""
        raise NotImplementedError

    def slope(self, theta: Values, curve: Polynomial) -> Values:
        """∂_θ E[g(F(R))]."""
        raise NotImplementedError

    def win_rate(self, theta: Values) -> Values:
        return self.mean_quantile(theta)
