"""Exact reference values: tables of certified balls, how they are made, read and audited.

`tables.load(name)` reads a packaged table; `model.Case` is one value with its inputs.
"""
