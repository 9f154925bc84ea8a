"""School of Reward Hacks: a contamination model."""
