"""The Gaussian herding model: r = T + S + A_pretrain + B_finetune, S shared by all members."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.laws.base import Law
from hedgetheory.laws.joint import Implied, JointModel, normal_plus_noise
from hedgetheory.laws.normal import Normal

Seeds = Literal["pretrain", "finetune"]
MAX_MEMBERS = 10**6

#: Variances of the true reward, the shared error, the pretrain-seed and the finetune-seed errors.
true, shared, pretrain, finetune = sympy.symbols("tau2 s2 a2 b2", positive=True)
members = sympy.Symbol("k", positive=True)
#: The variance of the error of the mean of k members, by what their seeds vary.
ERROR = {
    "pretrain": shared + (pretrain + finetune) / members,
    "finetune": shared + pretrain + finetune / members,
}


class Herding(JointModel):
    """The mean of k reward models as proxy: normal true reward plus normal errors, some shared.

    L is the law of the **true** reward, normal(m, τ). The error of the mean of k members has
    variance σ_S² + (σ_A² + σ_B²)/k where each has its own pretraining seed, and σ_S² + σ_A² +
    σ_B²/k where they differ in the finetuning seed only; k = 1 is a single model. Arguments are
    standard deviations >= 0; whole k from 1 to 10⁶. *Modelling choice*: normal, additive,
    independent parts; the decomposition by seeds is from the paper. Raises InputError.
    Source: arXiv 2312.09244.

    >>> Herding("1/2", "1/2", "1/2", k=5, seeds="pretrain").error
    Fraction(7, 20)
    """

    name = "herding"

    def __init__(
        self,
        shared: RealInput,
        pretrain: RealInput,
        finetune: RealInput,
        k: RealInput = 1,
        seeds: Seeds = "pretrain",
    ) -> None:
        if seeds not in ("pretrain", "finetune"):
            raise InputError(f"seeds={seeds}, but must be pretrain or finetune [herding(...)]")
        sds = {"shared": shared, "pretrain": pretrain, "finetune": finetune}
        exact = {name: rational(value, name) for name, value in sds.items()}
        for name, value in exact.items():
            if value < 0:
                raise must_be(name, sds[name], "a real number >= 0", "herding(...)")
        count = rational(k, "k")
        if count.denominator != 1 or not 1 <= count <= MAX_MEMBERS:
            raise must_be("k", k, "a whole number from 1 to 1000000", "herding(...)")
        self.sds, self.k, self.seeds = exact, int(count), seeds

    @property
    def error(self) -> Fraction:
        """The variance of the proxy's error."""
        common, pre, fine = (value**2 for value in self.sds.values())
        if self.seeds == "pretrain":
            return common + (pre + fine) / self.k
        return common + pre + fine / self.k

    def implied(self, law: Law) -> Implied:
        if not isinstance(law, Normal):
            raise InputError(f"{self} needs a normal true reward, not {law}")
        return normal_plus_noise(law, Fraction(0), self.error)

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={short(value)}" for name, value in self.sds.items())
        return f"{self.name}({inside}, k={self.k}, seeds={self.seeds})"
