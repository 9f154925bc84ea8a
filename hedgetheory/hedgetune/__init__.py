"""HedgeTune: the best parameter of a selection policy, from a table of scored responses.

``table`` reads, ``ranks`` reduces, ``estimators`` weighs ranks, ``families`` knows the parameters,
``shape`` the regimes, ``bootstrap`` the uncertainty, and ``tune.tune`` puts them together.
"""
