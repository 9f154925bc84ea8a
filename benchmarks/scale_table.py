"""A table of any size for the benchmarks of scale: scattered prompts, ties, gold that peaks."""

from __future__ import annotations

from pathlib import Path

import duckdb

#: Responses of a prompt.
SIZE = 100


def write(path: Path, rows: int, size: int = SIZE) -> Path:
    """Parquet: prompt_id BIGINT, proxy DOUBLE to three decimals (ties), true DOUBLE.

    Prompt (i · 7919) mod P: the rows of a prompt are spread over the whole file, S of them each.
    """
    prompts = rows // size
    connection = duckdb.connect(":memory:", config={"memory_limit": "1GB", "threads": "2"})
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(
        f"""COPY (
            SELECT (i * 7919) % {prompts} AS prompt_id,
                round((hash(i) % 1000003) / 1000003, 3) AS proxy,
                pow((hash(i) % 1000003) / 1000003, 4.5) * (1 - (hash(i) % 1000003) / 1000003)
                    + ((hash(i + 1000000007) % 1000) - 499.5) / 10000 AS true
            FROM range({prompts * size}) t(i)
        ) TO '{path}' (FORMAT parquet, COMPRESSION 'snappy', ROW_GROUP_SIZE 500000)"""  # noqa: S608
    )
    connection.close()
    return path
