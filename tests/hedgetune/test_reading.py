"""Every way in gives the same table: formats, packings, folders, dataframes; or one clear line."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from hedgetheory.errors import InputError
from hedgetheory.hedgetune import streaming
from hedgetheory.hedgetune.reduction import Reduction
from hedgetheory.hedgetune.sources import check_zstd, opened
from hedgetheory.hedgetune.streaming import reduce_table
from hedgetheory.hedgetune.table import Table, read_table, table_columns
from hedgetheory.hedgetune.tune import tune

# Prompts scattered, tied proxies, one prompt of another size, unicode, quotes and a line in an id.
ROWS = [
    {"prompt_id": p, "proxy": x, "true": g, "cost": w, "kind": k}
    for p, x, g, w, k in [
        ("é", 1.5, 1, 2.0, "a"),
        ('"q"\nr', 0.25, 0, 1.0, "b"),
        ("é", 1.5, 0, 2.0, "a"),
        ("日本", -3.0, 1, 0.5, "b"),
        ('"q"\nr', 7.0, 1, 1.0, "b"),
        ("é", 2.0, 1, 2.0, "a"),
        ("日本", 1e-300, 0, 0.5, "b"),
    ]
]
NAMES = list(ROWS[0])


def csv_text(rows: list[dict[str, object]], delimiter: str = ",", end: str = "\n") -> str:
    def cell(value: object) -> str:
        text = str(value)
        quoted = any(c in text for c in ('"', "\n", delimiter))
        return '"' + text.replace('"', '""') + '"' if quoted else text

    lines = [delimiter.join(NAMES), *(delimiter.join(map(cell, r.values())) for r in rows)]
    return end.join(lines) + end


PLAIN = csv_text(ROWS)
JSON_LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def same(one: Table, two: Table) -> None:
    for field in ("proxy", "gold", "sizes", "weights", "groups"):
        assert getattr(one, field).tolist() == getattr(two, field).tolist(), field
    assert one.group_names == two.group_names


def read(source: object, **more: object) -> Table:
    return read_table(source, weight="cost", group="kind", **more)  # type: ignore[arg-type]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "reference.csv"
    path.write_text(PLAIN)
    return read(path)


def line_of(call: object, *arguments: object, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)  # type: ignore[operator]
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 800
    return line


def parquet(path: Path, rows: list[dict[str, object]], options: str = "") -> Path:
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def zstd(path: Path, text: str) -> Path:
    """Packed by an encoder that is not ours."""
    path.write_bytes(pa.compress(text.encode(), codec="zstd", asbytes=True))
    return path


def test_the_reference_table_is_read_as_it_was_written(table: Table) -> None:
    assert table.sizes.tolist() == [2, 3, 2]
    assert table.proxy.tolist() == [0.25, 7.0, 1.5, 1.5, 2.0, -3.0, 1e-300]
    assert table.gold.tolist() == [0, 1, 0, 1, 1, 1, 0]
    assert table.weights is not None
    assert table.groups is not None
    assert table.weights.tolist() == [1.0, 2.0, 0.5]
    assert [table.group_names[k] for k in table.groups] == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", b"\xef\xbb\xbf" + PLAIN.encode()),
        ("crlf.csv", csv_text(ROWS, end="\r\n").encode()),
        ("table.tsv", csv_text(ROWS, delimiter="\t").encode()),
        ("table.jsonl", JSON_LINES.encode()),
        ("blank.jsonl", JSON_LINES.replace("\n", "\n\n").encode()),
        ("packed.jsonl.gz", gzip.compress(JSON_LINES.encode())),
        ("packed.csv.gz", gzip.compress(PLAIN.encode())),
        ("packed.csv.bz2", bz2.compress(PLAIN.encode())),
        ("packed.csv.xz", lzma.compress(PLAIN.encode())),
        ("truth.csv", PLAIN.replace(",1,", ",True,").replace(",0,", ",FALSE,").encode()),
    ],
)
def test_every_format_gives_the_same_table(
    tmp_path: Path, table: Table, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    same(read(path), table)


def test_parquet_and_zstd_give_the_same_table(tmp_path: Path, table: Table) -> None:
    same(read(parquet(tmp_path / "table.parquet", ROWS)), table)
    truths = [{**row, "true": bool(row["true"])} for row in ROWS]
    path = parquet(tmp_path / "truths.parquet", truths)
    same(read(path), table)
    packed = tmp_path / "table.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    same(read(packed), table)
    same(read(zstd(tmp_path / "table.csv.zst", PLAIN)), table)
    same(read(zstd(tmp_path / "table.jsonl.zst", JSON_LINES)), table)


def test_rows_of_a_prompt_may_be_scattered_over_files_of_every_kind(
    tmp_path: Path, table: Table
) -> None:
    folder = tmp_path / "key=3 it's [a] *folder*" / "deeper"
    folder.mkdir(parents=True)
    (folder / "a'b.csv").write_text(csv_text(ROWS[:2]))
    (folder.parent / "c;d.tsv").write_text(csv_text(ROWS[2:3], delimiter="\t"))
    reordered = [dict(sorted(row.items())) for row in ROWS[3:5]]
    (folder / "e.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reordered))
    parquet(folder / "f.pq", ROWS[5:])
    (folder / "README.md").write_text("not a table")
    (folder / ".hidden.csv").write_text("not a table")
    (folder / "_SUCCESS.csv").write_text("")
    same(read(folder.parent), table)
    same(read([folder, folder.parent / "c;d.tsv"]), table)
    (tmp_path / "plain").symlink_to(folder.parent)
    same(read(str(tmp_path / "pl*[n]")), table)
    same(read([folder.parent, folder]), table)  # a file named twice is read once


@pytest.mark.parametrize("cut", [1, 4, 5, 20, 200])
def test_a_truncated_zstd_file_is_refused_not_read_as_a_short_one(tmp_path: Path, cut: int) -> None:
    text = "prompt_id,proxy,true\n" + "".join(f"p{k % 99},{k * k % 997},1\n" for k in range(99_999))
    path = zstd(tmp_path / "table.csv.zst", text)
    assert read_table(path).sizes.sum() == 99_999
    path.write_bytes(path.read_bytes()[:-cut])
    assert "zstd file is truncated" in line_of(read_table, path)


def test_the_walk_through_zstd_knows_every_frame(tmp_path: Path) -> None:
    one = pa.compress(b"x" * 5, codec="zstd", asbytes=True)
    skippable = (0x184D2A51).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
    path = tmp_path / "frames"
    path.write_bytes(one + skippable + one)
    check_zstd(path, "frames")
    path.write_bytes(one + b"rest")
    assert "damaged" in line_of(check_zstd, path, "frames")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.jsonl",
            b'{"prompt_id": "a", "proxy": 1, "true": 1}\n[1]\n',
            "line 2 is not a JSON obj",
        ),
        ("a.jsonl", b'{"prompt_id": "a", "proxy": 1, "true": 1}\n{"pro', "line 2 is not JSON"),
        ("a.jsonl", b'{"prompt_id": "a", "proxy": 1, "true": null}\n', "column 'true' is empty"),
        ("a.jsonl", b'{"prompt_id": "a", "proxy": NaN, "true": 1}\n', "'NaN' is not a finite"),
        ("a.jsonl", b'{"prompt_id": "a", "proxy": [1], "true": 1}\n', "'[1]' is not a finite"),
        ("a.jsonl", b'{"prompt_id": "a", "proxy": 1}\n', "no column 'true'"),
        ("a.json", b'[{"prompt_id": "a", "proxy": 1, "true": 1}]', "one JSON array"),
        ("a.jsonl", b'{"a":' * 9999, "line 1 is not JSON"),
        ("a.csv.bz2", bz2.compress(PLAIN.encode())[:-9], "bz2 file is truncated"),
        ("a.csv.bz2", b"BZh9garbage garbage", "bz2 file is damaged"),
        ("a.csv.xz", lzma.compress(PLAIN.encode())[:-9], "xz file is truncated"),
        ("a.csv.xz", lzma.compress(PLAIN.encode())[:-9] + b"x" * 9, "xz file is damaged"),
        ("a.parquet", b"PAR1" + bytes(100), "is damaged as Parquet"),
        ("a.csv.zst", b"", "the file is empty"),
        ("a.csv", b"prompt_id,proxy,true\n1,1,truth\n", "'truth' is not a finite number"),
    ],
)
def test_what_is_wrong_gives_one_line_in_memory_and_streamed(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert expected in line_of(read_table, path)
    assert expected in line_of(reduce_table, path)


def test_an_invalid_cell_names_its_file_row_and_column(tmp_path: Path) -> None:
    good = "prompt_id,proxy,true,w,g\n" + "a,1,1,1,x\n" * 5
    (tmp_path / "1.csv").write_text(good)
    columns = {"weight": "w", "group": "g"}
    for place, column in ((1, "proxy"), (2, "true"), (3, "w"), (0, "prompt_id"), (4, "g")):
        cells = ["a", "1", "1", "1", "x"]
        cells[place] = " "
        (tmp_path / "2.csv").write_text(good + ",".join(cells) + "\na,1,1,1,x\n")
        streamed = (reduce_table, {} if place % 2 else {"buckets": 3})
        for call, options in ((read_table, {}), streamed):
            line = line_of(call, tmp_path, **columns, **options)
            assert f"2.csv: row 6, column '{column}' is empty" in line
            dropped = call(tmp_path, drop_invalid=True, **columns, **options).dropped  # type: ignore[operator]
            assert dropped == 1


@pytest.mark.parametrize("call", [read_table, reduce_table])
def test_weights_and_groups_belong_to_prompts(tmp_path: Path, call: object) -> None:
    path = tmp_path / "table.csv"
    for rows, options, expected in [
        ("a,1,1,1,x\na,1,1,2,x\n", {"weight": "w"}, "more than one"),
        ("a,1,1,1,x\na,1,1,1,y\n", {"group": "g"}, "more than one"),
        ("a,1,1,-1,x\n", {"weight": "w"}, "negative"),
        ("a,1,1,inf,x\n", {"weight": "w"}, "not a finite number"),
        ("a,1,1,0,x\n", {"weight": "w"}, "weight is 0"),
    ]:
        path.write_text("prompt_id,proxy,true,w,g\n" + rows)
        assert expected in line_of(call, path, **options)


@pytest.mark.parametrize("call", [read_table, reduce_table])
def test_a_response_given_twice_is_refused_across_files(tmp_path: Path, call: object) -> None:
    (tmp_path / "1.csv").write_text("prompt_id,response_id,proxy,true\na,7,1,1\na,8,1,1\n")
    (tmp_path / "2.csv").write_text("prompt_id,response_id,proxy,true\nb,7,1,1\na,7,1,1\n")
    assert "'a' with response_id '7' appears 2 times" in line_of(call, tmp_path)
    (tmp_path / "2.csv").write_text("prompt_id,proxy,true\na,1,1\na,1,1\n")
    call(tmp_path)  # type: ignore[operator]


def test_nothing_remote_is_read_and_nothing_is_installed(tmp_path: Path) -> None:
    for address in ("https://example.com/a.csv", "s3://bucket/a.parquet", "hf://datasets/a/b.csv"):
        assert "is a remote address" in line_of(read_table, address)
    path = tmp_path / "a.csv"
    path.write_text(PLAIN)
    (tmp_path / "secret.csv").write_text("secret\n")
    from hedgetheory.hedgetune.engine import database

    with opened(path) as (parts, _, private), database(parts, private) as connection:
        for query in (
            f"FROM '{tmp_path}/secret.csv'",
            "SELECT * FROM read_csv('https://example.com/a.csv')",
            "INSTALL spatial",
            "LOAD httpfs",
            "SET enable_external_access = true",
            f"ATTACH '{tmp_path}/x.db'",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(query)


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    name = "x'); DROP TABLE rows; --\"]}"
    for suffix, text in (
        (".csv", f'prompt_id,"{name.replace(chr(34), chr(34) * 2)}",true\na,1,2\na,3,4\n'),
        (
            ".jsonl",
            "".join(json.dumps({"prompt_id": "a", name: x, "true": x + 1}) + "\n" for x in (1, 3)),
        ),
    ):
        path = tmp_path / f"{name.replace('/', '')}{suffix}"
        path.write_text(text)
        assert read_table(path, proxy=name).proxy.tolist() == [1, 3]
        assert reduce_table(path, proxy=name, buckets=2).rows == 2
        assert name in table_columns(path)
    frame = parquet(tmp_path / "a.parquet", [{"prompt_id": 1, name: 1.0, "true": 2.0}] * 2)
    assert reduce_table(frame, proxy=name).rows == 2


def test_folders_and_globs_without_tables_say_so(tmp_path: Path) -> None:
    assert "no table in it" in line_of(read_table, tmp_path)
    assert "no file matches" in line_of(read_table, str(tmp_path / "*.csv"))
    assert "table=[]" in line_of(read_table, [])
    assert "table=3" in line_of(read_table, [3]) or "<int>" in line_of(read_table, [3])


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGINT while buckets are ranked: no file is left, and Python's own exit by interrupt."""
    scratch, path = tmp_path / "scratch", tmp_path / "table.csv"
    scratch.mkdir()
    path.write_text("prompt_id,proxy,true\n" + "".join(f"{k % 97},{k},1\n" for k in range(9000)))
    code = f"""
import os, signal, tempfile
tempfile.tempdir = {str(scratch)!r}
from hedgetheory.hedgetune import streaming
reduce_rows = streaming.reduce_rows
def interrupted(*args, **options):
    assert os.listdir(tempfile.tempdir)
    os.kill(os.getpid(), signal.SIGINT)
    return reduce_rows(*args, **options)
streaming.reduce_rows = interrupted
streaming.reduce_table({str(path)!r}, buckets=9)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode in (130, -2)
    assert "KeyboardInterrupt" in done.stderr
    assert list(scratch.iterdir()) == []


# --- dataframes -----------------------------------------------------------------------------------

COLUMNS = {name: [row[name] for row in ROWS] for name in NAMES}


class Dataset:
    """What a Hugging Face dataset does, where rows were selected: `datasets` needs the network."""

    def __init__(self, table: pa.Table, order: list[int] | None = None) -> None:
        self.table, self.order = table, order
        self.column_names = table.column_names
        self.num_rows = len(order or table)

    def with_format(self, kind: str) -> Dataset:
        assert kind == "arrow"
        return self

    def select_columns(self, names: list[str]) -> Dataset:
        return Dataset(self.table.select(names), self.order)

    def __getitem__(self, rows: slice) -> pa.Table:
        return self.table if self.order is None else self.table.take(self.order)


@pytest.mark.parametrize(
    "frame",
    [
        COLUMNS,
        {name: np.array(values) for name, values in COLUMNS.items()},
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).astype({"kind": "category", "true": "boolean", "proxy": "Float64"}),
        pd.DataFrame({**COLUMNS, "proxy": [str(x) for x in COLUMNS["proxy"]]}, dtype=object),
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).lazy(),
        pa.table(COLUMNS),
        Dataset(pa.concat_tables([pa.table(COLUMNS)] * 2), [6, 5, 4, 3, 2, 1, 0]),
    ],
    ids=["dict", "arrays", "pandas", "nullable", "objects", "polars", "lazy", "pyarrow", "dataset"],
)
def test_every_dataframe_gives_the_table_of_the_file(frame: object, table: Table) -> None:
    found = Table.from_frame(frame, weight="cost", group="kind")
    order = np.argsort([*"bac"])  # the file's prompts are in this order too
    assert len(order) == len(found.sizes)
    assert found.sizes.tolist() == table.sizes.tolist()
    starts = np.cumsum(table.sizes)[:-1]
    for mine, other in zip(*(np.split(t.proxy, starts) for t in (found, table)), strict=True):
        assert sorted(mine) == sorted(other)
    assert found.gold.sum() == table.gold.sum()
    assert found.weights is not None
    assert table.weights is not None
    assert found.weights.tolist() == table.weights.tolist()
    assert found.group_names == table.group_names


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_missing_values_are_refused_or_dropped_at_every_place(make: object) -> None:
    for column in ("proxy", "true", "prompt_id", "cost", "kind"):
        for place in (0, 3, 6):
            values = list(COLUMNS[column])
            values[place] = None
            frame = make({**COLUMNS, column: values})  # type: ignore[operator]
            line = line_of(Table.from_frame, frame, weight="cost", group="kind")
            part = {"prompt_id": "prompt", "true": "gold", "cost": "weight", "kind": "group"}
            assert f"row {place + 1}, column '{part.get(column, column)}'" in line
            found = Table.from_frame(frame, weight="cost", group="kind", drop_invalid=True)
            assert found.dropped == 1


def test_frames_that_will_not_do_give_one_line() -> None:
    assert "no column 'true'" in line_of(
        Table.from_frame, pd.DataFrame({"prompt_id": [1], "proxy": [1]})
    )
    twice = pd.DataFrame([[1, 2, 3, 4]], columns=["prompt_id", "proxy", "proxy", "true"])
    assert "proxy" in line_of(Table.from_frame, twice)
    assert "<int>" in line_of(Table.from_frame, 3)
    assert "splits" in line_of(Table.from_frame, {"train": Dataset(pa.table(COLUMNS))})
    streamed = Dataset(pa.table(COLUMNS))
    del streamed.num_rows
    assert "streamed" in line_of(Table.from_frame, streamed)
    nested = pl.DataFrame({"prompt_id": [1], "proxy": [[1.0]], "true": [1]})
    assert "<list>" in line_of(Table.from_frame, nested)
    dates = pd.DataFrame({"prompt_id": [1], "proxy": pd.to_datetime(["2020-01-01"]), "true": [1]})
    assert "not a finite number" in line_of(Table.from_frame, dates) or "empty" in line_of(
        Table.from_frame, dates
    )
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    assert "row 2" in line_of(Table.from_arrays, [1, 1], masked, [1, 1])
    assert "real numbers" in line_of(Table.from_arrays, [1], [1j], [1])


def test_narwhals_is_imported_only_for_a_dataframe() -> None:
    code = (
        "import sys; from hedgetheory.hedgetune.table import Table, read_table;"
        "read_table('ridge_overfit');"
        "Table.from_frame({'prompt_id': [1], 'proxy': [1], 'true': [1]});"
        "print({'narwhals', 'pandas', 'polars', 'pyarrow', 'dask'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("call", [read_table, reduce_table])
def test_a_ragged_line_names_its_file_among_others(tmp_path: Path, call: object) -> None:
    for name in ("1.csv", "2.csv", "3.csv"):
        (tmp_path / name).write_text("prompt_id,proxy,true\na,1,1\na,2,1\n")
    (tmp_path / "2.csv").write_text("prompt_id,proxy,true\na,1,1\na,2\n")
    assert "2.csv: line 3 has 2 cells, but the header names 3 columns" in line_of(call, tmp_path)


def test_too_little_memory_gives_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    path.write_text("prompt_id,proxy,true\n" + "".join(f"p{k},{k},1\n" for k in range(99_999)))
    monkeypatch.setattr(streaming, "ENGINE_MEMORY", "3MB")
    assert "memory allowed is not enough" in line_of(reduce_table, path)


def test_a_dataframe_is_tuned_as_it_is() -> None:
    found = tune(pl.DataFrame(COLUMNS), weight="cost", group="kind", resamples=0)
    assert found.n_prompts == 3


def test_progress_is_reported_to_stderr_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(PLAIN)
    found = reduce_table(path, buckets=2, progress=True)
    assert isinstance(found, Reduction)
    assert capsys.readouterr().out == ""
    assert streaming.MAX_BUCKETS >= 2
