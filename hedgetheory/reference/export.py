"""Exports for people and data frames: CSV and Parquet, which say that they are lossy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from hedgetheory.errors import InputError
from hedgetheory.reference.model import Case, canonical
from hedgetheory.reference.tables import ReferenceTable

FORMATS = ("csv", "parquet")
#: Significant digits of the decimal column.
DIGITS = 25
COLUMNS = (
    "table", "id", "policy", "law", "at", "order", "gold", "kind", "decimal", "rad", "binary64",
    "double", "tags", "function", "arguments", "joint",
)  # fmt: skip
LOSSY = (
    "lossy export of hedgetheory reference tables: decimals are cut to 25 digits and doubles "
    "rounded; the JSON tables are the source of truth"
)


def rows(tables: list[ReferenceTable]) -> Iterator[dict[str, str | float | None]]:
    """One flat row a case: text, but for ``double``."""
    for table in tables:
        for case in table.cases:
            yield _row(table.name, case)


def _row(table: str, case: Case) -> dict[str, str | float | None]:
    inputs, value = case.inputs, case.value
    decimal, rad = (None, None) if value.is_undefined else value.decimal(DIGITS)
    order = inputs.get("order")
    return {
        "table": table,
        "id": case.id,
        "policy": inputs.get("policy_spec"),
        "law": inputs.get("law_spec"),
        "at": canonical(inputs["at"]) if "at" in inputs else None,
        "order": order["rational"] if order else None,
        "gold": inputs.get("gold"),
        "kind": case.to_json()["value"]["kind"],
        "decimal": decimal,
        "rad": rad,
        "binary64": case.binary64,
        "double": case.double,
        "tags": " ".join(case.tags),
        "function": inputs.get("function"),
        "arguments": canonical(inputs["arguments"]) if "arguments" in inputs else None,
        "joint": inputs.get("joint_spec"),
    }


def exported(tables: list[ReferenceTable], form: str) -> bytes:
    """The cases of tables as one CSV or Parquet file.

    A CSV starts with a comment line, and a Parquet file has a metadata entry ``lossy``, that say
    so. Raises InputError for another format, and where pyarrow is not installed.
    """
    if form == "csv":
        text = io.StringIO()
        text.write(f"# {LOSSY}\n")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(tables))
        return text.getvalue().encode()
    if form == "parquet":
        return _parquet(tables)
    raise InputError(f"format={form}, but must be one of {', '.join(FORMATS)}")


def _parquet(tables: list[ReferenceTable]) -> bytes:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise InputError("Parquet needs pyarrow: pip install pyarrow, or take csv") from None
    columns = [
        pa.field(name, pa.float64() if name == "double" else pa.string()) for name in COLUMNS
    ]
    layout = pa.schema(columns, metadata={"lossy": LOSSY})
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows(tables)), schema=layout), buffer)
    return buffer.getvalue()
