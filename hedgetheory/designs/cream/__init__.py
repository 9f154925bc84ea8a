"""CREAM: consistency-regularised self-rewarding."""
