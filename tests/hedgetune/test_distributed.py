"""The reduction on a real Dask cluster of two processes, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.distributed import reduce_distributed
from hedgetheory.hedgetune.large import tune_large
from hedgetheory.hedgetune.reduction import Reduction
from hedgetheory.hedgetune.streaming import reduce_table

# A process of its own: no thread of Dask's, and none of its warnings, is ours.
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                      silence_logs=50) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(CLUSTER)
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=script.parent,
        env={**os.environ, "TMPDIR": str(script.parent)},
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def same(one: Reduction, two: Reduction) -> None:
    assert (one.rows, one.dropped, one.selects) == (two.rows, two.dropped, two.selects)
    assert set(one.moments) == set(two.moments)
    for group, sizes in two.moments.items():
        assert set(one.moments[group]) == set(sizes)
        for size, found in sizes.items():
            mine = one.moments[group][size]
            assert (mine.count, mine.exponent) == (found.count, found.exponent)
            for x, y in (
                (mine.rank_mean, found.rank_mean),
                (mine.first.comoment / mine.count, found.first.comoment / found.count),
                (mine.second.comoment / mine.count, found.second.comoment / found.count),
                *zip(mine.folds, found.folds, strict=True),
            ):
                np.testing.assert_allclose(x, y, rtol=0, atol=1e-12)


def table(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    prompt = rng.integers(0, rows // 8, rows)
    return pa.table(
        {
            "prompt_id": prompt,
            "proxy": rng.normal(size=rows).round(1),
            "true": rng.normal(size=rows),
            "weight": 1.0 + prompt % 3,
            "group": np.array(["a", "b"])[prompt % 2],
        }
    )


def test_a_worker_killed_in_the_middle_loses_nothing(scheduler: str, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(table(40_000, 0), path, row_group_size=4000)
    columns = {"weight": "weight", "group": "group"}
    with Client(scheduler, set_as_default=False) as client:
        before = client.run(os.getpid)
        assert len(set(before.values())) == 2
        victim = next(iter(before.values()))
        killed: list[tuple[str, int]] = []

        def kill_one(what: str, done: int, total: int) -> None:
            if what == "splitting" and done == total // 2 and not killed:
                os.kill(victim, signal.SIGKILL)
                killed.append((what, total))

        found = reduce_distributed(
            path, scheduler=client, piece_rows=4000, progress=kill_one, **columns
        )
    assert killed == [("splitting", 10)]
    same(found, reduce_table(path, **columns))


def test_text_and_integer_ids_meet_over_files_of_every_kind(scheduler: str, tmp_path: Path) -> None:
    parts = table(3000, 1)
    pq.write_table(parts.slice(0, 1000), tmp_path / "a.parquet")
    rows = parts.slice(1000).to_pylist()
    for name, some in (("b.csv", rows[:900]), ("c.csv", rows[900:])):
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in some)]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    with (tmp_path / "c.csv").open("a") as file:
        file.write("7,nan,1,2.0,b\n")
    found = tune_large(tmp_path, scheduler=scheduler, drop_invalid=True, weight="weight")
    expected = tune_large(tmp_path, drop_invalid=True, weight="weight")
    assert found.dropped == expected.dropped == 1
    assert found.n_responses == 3000
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert found.curve[-1]["se"] == pytest.approx(expected.curve[-1]["se"], rel=1e-10)
    with pytest.raises(InputError, match=r"c.csv: row 1101, column 'proxy': 'nan'"):
        reduce_distributed(tmp_path, scheduler=scheduler)


def test_a_response_given_twice_is_refused_on_a_cluster(scheduler: str, tmp_path: Path) -> None:
    header = "prompt_id,response_id,proxy,true\n"
    (tmp_path / "1.csv").write_text(header + "a,7,1,1\na,8,1,1\n")
    (tmp_path / "2.csv").write_text(header + "b,7,1,1\na,7,1,1\n")
    (tmp_path / "3.csv").write_text("prompt_id,proxy,true\na,7,1\na,7,1\n")
    with pytest.raises(InputError, match="'a' with response_id '7' appears 2 times"):
        reduce_distributed(tmp_path, scheduler=scheduler)


def test_what_a_cluster_cannot_do_gives_one_line() -> None:
    with pytest.raises(InputError, match="cannot be shared with workers"):
        reduce_distributed("-", scheduler="tcp://127.0.0.1:8786")
    with pytest.raises(InputError, match="scheduler=<int>"):
        reduce_distributed("ridge_overfit", scheduler=8786)
    with pytest.raises(InputError, match="no Dask scheduler answers at nonsense"):
        reduce_distributed("ridge_overfit", scheduler="nonsense://x")
