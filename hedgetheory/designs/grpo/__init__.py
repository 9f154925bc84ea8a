"""GRPO: group-normalised advantages, the k3 penalty, and the policy that they have as optimum."""
