"""Reference values of the functions that related systems define (`hedgetheory.designs`).

`arguments` says what each is asked at, `second` computes it once more by hand, `table` puts them
together.
"""

from hedgetheory.reference.functions.table import TABLES, cases, definition

__all__ = ["TABLES", "cases", "definition"]
