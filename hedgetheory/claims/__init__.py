"""Statements with hypotheses, sources, checks and verdicts, on the paper and around it.

`hedgetheory.ledger` puts them and those of the related systems in one list.
"""
