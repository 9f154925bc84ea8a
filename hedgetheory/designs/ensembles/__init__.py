"""Reward-model ensembles: aggregators, and the herding of their members."""
