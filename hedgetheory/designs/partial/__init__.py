"""Weighted partial rewards: what a sum of execution, judge and overlap scores selects."""
