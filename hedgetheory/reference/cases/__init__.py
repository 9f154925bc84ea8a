"""Which cases there are: a deterministic enumeration of quantity × policy × law × parameters.

Parameters are dyadic, so that a rational and a binary64 implementation are asked the same question,
and reach from 2⁻⁴⁰ to 2⁴⁰. A rank policy sees the law only through F: on each law a few of its
members are asked, to catch what depends on the law, and all of them on the uniform law.

To add cases, write a module beside `pointwise` with ``jobs(table)``, an iterator over its cases
of a table, and name it in `THEMES`. If its policy or law is not one that `definitions` writes down,
add its second method to `OWN` in `hedgetheory.reference.cross`, under the policy's or law's name.
"""

from __future__ import annotations

from hedgetheory.reference.cases import (
    curves,
    designs,
    functionals,
    more_laws,
    near_identity,
    pointwise,
    soft,
    soft_on_lines,
)
from hedgetheory.reference.cases.job import DIGITS, FEWER_DIGITS, Job
from hedgetheory.reference.cases.quantities import TABLES, definition

#: In the order of the cases in a table.
THEMES = (pointwise, functionals, curves, soft, near_identity, more_laws, soft_on_lines, designs)


def jobs(table: str) -> list[Job]:
    """The cases of a table, in a fixed order, each once."""
    found: dict[str, Job] = {}
    for theme in THEMES:
        for job in theme.jobs(table):
            found.setdefault(job.id, job)
    return list(found.values())


__all__ = ["DIGITS", "FEWER_DIGITS", "TABLES", "THEMES", "Job", "definition", "jobs"]
