"""Related systems, each a law, a policy, a joint model, or functions of its own, with its claims.

A folder for each: what it defines, its claims, and `system.py`, which says what it is in one place.
`systems.py` lists them.
"""
