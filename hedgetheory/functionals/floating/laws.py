"""Which class says what each law says at an array of rewards."""

from __future__ import annotations

from hedgetheory.functionals.floating.by_incomplete import BetaPoints, GammaPoints, StudentPoints
from hedgetheory.functionals.floating.by_logarithms import (
    GumbelPoints,
    LaplacePoints,
    LogNormalPoints,
    ParetoPoints,
    WeibullPoints,
)
from hedgetheory.functionals.floating.points import (
    ExponentialPoints,
    LogisticPoints,
    NormalPoints,
    Points,
    UniformPoints,
)
from hedgetheory.laws.base import Law
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.gamma import Gamma
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.laplace import Laplace
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.lognormal import LogNormal
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.student_t import StudentT
from hedgetheory.laws.uniform import Uniform
from hedgetheory.laws.weibull import Weibull

POINTS: dict[type[Law], type[Points]] = {
    Uniform: UniformPoints,
    Normal: NormalPoints,
    Exponential: ExponentialPoints,
    Logistic: LogisticPoints,
    Gumbel: GumbelPoints,
    Laplace: LaplacePoints,
    Weibull: WeibullPoints,
    Pareto: ParetoPoints,
    LogNormal: LogNormalPoints,
    Gamma: GammaPoints,
    Beta: BetaPoints,
    StudentT: StudentPoints,
}
