"""Likelihood-based rewards: the policy's own probability of the reference answer."""
