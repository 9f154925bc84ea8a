"""``python -m hedgetheory``: the command line."""

from __future__ import annotations

from hedgetheory.cli import main

if __name__ == "__main__":
    main()
