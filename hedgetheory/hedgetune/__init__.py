"""HedgeTune: the best parameter of a selection policy, from a table of scored responses.

``table`` reads, ``ranks`` reduces; ``estimators``, ``mixtures``, ``real_draws``, ``tilts``,
``soft`` and ``at_k`` estimate values, ``divergence`` KL. ``families`` reads a family's name and
makes its ``points``; ``shape`` knows the regimes, ``bootstrap`` and ``intervals`` the uncertainty,
``constraints`` what is allowed. ``answer`` puts them together for ``tune.tune``, which
``estimator.HedgeTune`` wraps and ``plot`` draws.
"""
