"""How many packaged cases have a tag, without parsing the numbers of 20,000 cases."""

from __future__ import annotations

import gzip
import re
from collections import Counter

from hedgetheory.reference.tables import SUFFIX, folder, names


def counts(prefix: str) -> Counter[str]:
    """Tags ``prefix:name`` of the packaged cases: name -> number of cases.

    A tag stands once in its case, as quoted text; ids and inputs have no such text.
    """
    pattern = re.compile(rb'"' + re.escape(prefix.encode()) + rb':([a-z_]+)"')
    found: Counter[str] = Counter()
    for name in names():
        text = gzip.decompress((folder() / f"{name}{SUFFIX}").read_bytes())
        found.update(tag.decode() for tag in pattern.findall(text))
    return found
