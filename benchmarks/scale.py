"""Time and peak memory of the rank reduction from 10^5 to 10^8 rows, against polars and DuckDB.

    python benchmarks/scale.py [--largest 1e8] [--scratch /tmp]

Each job runs in a process of its own on one Parquet file (100 responses a prompt, the rows of a
prompt spread over the whole file, proxies to three decimals so that some tie) and reports wall
time, processor time and the largest resident memory (``ru_maxrss`` of that process). The jobs:

- ``tune``: `tune_large`, everything from the file to the answer with its intervals;
- ``duckdb``: the sort and the tie-averaged group only, memory limited to 1.5 GB, into a table;
- ``polars``: the same, its streaming engine, no limit but that on the address space below.

Writes ``scale.json`` and ``scale.svg`` beside itself.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scale_table import write

HERE = Path(__file__).parent
#: A job may not take down the machine.
ADDRESS_SPACE = 12 << 30


def tune(path: str, scratch: str) -> dict[str, Any]:
    from hedgetheory.hedgetune.large import tune_large

    found = tune_large(path)
    # f(n) = n/((n + a)(n + a + 1)) for u^a (1 - u), a = 4.5, is largest at 5.
    assert found.theta == 5
    return {"theta": found.theta, "value": found.value, "rows": found.n_responses}


def duckdb(path: str, scratch: str) -> dict[str, Any]:
    import duckdb as engine

    connection = engine.connect(config={"memory_limit": "1500MB", "threads": "2"})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET temp_directory = '{scratch}/spill'")
    connection.execute(f"CREATE VIEW file AS FROM '{path}'")
    connection.execute(
        'CREATE TEMP TABLE grouped AS SELECT prompt_id, proxy, avg("true") AS gold, '
        "count(*) AS ties FROM file GROUP BY prompt_id, proxy ORDER BY prompt_id, proxy"
    )
    found = connection.execute("SELECT sum(ties), sum(gold * ties) FROM grouped").fetchone()
    return {"rows": int(found[0]), "sum": found[1]} if found else {}


def polars(path: str, scratch: str) -> dict[str, Any]:
    import polars as pl

    grouped = (
        pl.scan_parquet(path)
        .sort("prompt_id", "proxy")
        .group_by("prompt_id", "proxy", maintain_order=True)
        .agg(pl.col("true").mean(), pl.len().alias("ties"))
        .collect(engine="streaming")
    )
    return {"rows": int(grouped["ties"].sum())}


JOBS = {"tune": tune, "duckdb": duckdb, "polars": polars}


def measured(job: str, path: Path, scratch: Path) -> dict[str, Any]:
    """Run one job in a child; its own peak, not that of anything it was forked from."""
    command = [sys.executable, __file__, "--child", job, str(path), str(scratch)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TMPDIR": str(scratch)}
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (this file)
        command, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    answer = json.loads(out) if process.returncode == 0 else {"failed": process.returncode}
    return {
        "job": job,
        "seconds": round(time.perf_counter() - start, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(usage.ru_maxrss / 1024, 1),
        "answer": answer,
    }


def child(job: str, path: str, scratch: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    print(json.dumps(JOBS[job](path, scratch)))


def plot(runs: list[dict[str, Any]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 4), constrained_layout=True)
    for axis, (field, label) in zip(
        axes,
        (
            ("seconds", "wall time, s"),
            ("cpu_seconds", "processor time, s"),
            ("peak_mib", "peak, MiB"),
        ),
        strict=True,
    ):
        for job in JOBS:
            mine = [run for run in runs if run["job"] == job and "failed" not in run["answer"]]
            axis.loglog([r["rows"] for r in mine], [r[field] for r in mine], "o-", label=job)
        axis.set_xlabel("rows")
        axis.set_ylabel(label)
    axes[2].axhline(2048, linestyle=":", color="gray")
    axes[0].legend()
    figure.savefig(HERE / "scale.svg", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=float, default=1e8)
    parser.add_argument("--scratch", default=tempfile.gettempdir())
    parser.add_argument("--child", nargs=3)
    given = parser.parse_args()
    if given.child:
        child(*given.child)
        return
    runs = []
    with tempfile.TemporaryDirectory(prefix="scale-", dir=given.scratch) as folder:
        for power in range(5, 9):
            rows = 10**power
            if rows > given.largest:
                break
            path = write(Path(folder) / "table.parquet", rows)
            for job in JOBS:
                run = {
                    "rows": rows,
                    **measured(job, path, Path(folder)),
                    "load": os.getloadavg()[0],
                }
                runs.append(run)
                print(run, flush=True)
            path.unlink()
    document = {"cores": os.cpu_count(), "responses_per_prompt": 100, "runs": runs}
    (HERE / "scale.json").write_text(json.dumps(document, indent=1) + "\n")
    plot(runs)


if __name__ == "__main__":
    main()
