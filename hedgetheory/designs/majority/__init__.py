"""Co-Reward: cross-phrasing majority labels."""
