"""Exact reference values: tables of certified balls, how they are made, read and audited.

`tables.load(name)` reads a packaged table; `model.Case` is one value with its inputs. How to add
cases, for a new policy or law too, is said in `cases`.
"""
