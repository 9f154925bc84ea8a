"""Reading tables: what is right is read as it is, what is wrong gives one clear line, in time."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tune_support import write_table

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.table import Table, packaged_tables, read_table

HEADER = b"prompt_id,response_id,proxy,true\n"
ROWS = b"".join(b"p%d,%d,%d.5,%d\n" % (i % 3, i, i % 7, i % 2) for i in range(30))
GZIPPED = gzip.compress(HEADER + ROWS, mtime=0)


def line_of(source: str | Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read_table(source, **options)  # type: ignore[arg-type]
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 800
    return line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        (HEADER, "the table has no rows"),
        (HEADER + b"\n\n", "the table has no rows"),
        (HEADER + ROWS + b"a,1,nan,1\n", "row 31, column 'proxy': 'nan' is not a finite number"),
        (HEADER + b"a,1,NaN,1\n", "row 1, column 'proxy': 'NaN'"),
        (HEADER + b"a,1,1,-inf\n", "row 1, column 'true': '-inf'"),
        (HEADER + b"a,1,1,Infinity\n", "row 1, column 'true': 'Infinity'"),
        (HEADER + b"a,1,1e400,1\n", "'1e400' is not a finite number"),
        (HEADER + b"a,1,1_000,1\n", "'1_000' is not a finite number"),
        (HEADER + b"a,1,0x10,1\n", "'0x10' is not a finite number"),
        (HEADER + b"a,1,,1\n", "row 1, column 'proxy' is empty"),
        (HEADER + b'a,1,1,"  "\n', "row 1, column 'true' is empty"),
        (HEADER + b"a,1,1,yes\n", "row 1, column 'true': 'yes'"),
        (HEADER + b'"\n",1,1,1\n', "row 1, column 'prompt_id' is empty"),
        (HEADER + b'a,1,"x\ny",1\n', r"'x\\ny' is not a finite number"),
        (HEADER + b",1,1,1\n", "row 1, column 'prompt_id' is empty"),
        (HEADER + b"a,1,1,1\nb,1,1,1\na,1,2,1\n", "'a' with response_id '1' appears 2 times"),
        (HEADER + ROWS + b"a,1,1\n", "line 32 has 3 cells, but the header names 4 columns"),
        (HEADER + b"a,1,1,1,1\n", "line 2 has 5 cells, but the header names 4 columns"),
        (HEADER + b'"a,1,1,1\nb,1,1,1\n', "opens a quote"),
        (HEADER + b"\xff\xfe,1,1,1\n", "not UTF-8"),
        (HEADER + b"x" * 3_000_000 + b",1,1,1\n", "line 2 is longer than"),
        (b"x" * 3_000_000, "the header is not CSV"),
        (b"x,\n" * 10, "no column 'prompt_id'"),
        (b"[" * 100_000, "no column 'prompt_id'"),
        (b"\n" + HEADER + ROWS, "the first line is empty"),
        (b"promptid,proxy,true\na,1,1\n", "did you mean promptid? (known: promptid, proxy, true)"),
        (b"prompt_id,proxy,proxy,true\na,1,1,1\n", "column 'proxy' appears 2 times"),
        ((HEADER + ROWS).replace(b",", b";"), "columns are separated by commas"),
        (bytes(range(256)) * 10, "is a binary file"),
        ("prompt_id,proxy,true\n".encode("utf-16"), "UTF-16"),
        (b"PAR1" + bytes(100), "is damaged as Parquet"),
        (GZIPPED[: len(GZIPPED) // 2], "the gzip file is truncated"),
        (GZIPPED[:-4], "the gzip file is truncated"),
        (GZIPPED[:-6] + b"\0\1" + GZIPPED[-4:], "the gzip file is damaged"),
        (GZIPPED + b"garbage", "the gzip file is damaged"),
    ],
)
def test_what_is_wrong_gives_one_line_that_says_what(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert expected.replace(r"\\", "\\") in line_of(path)


def test_every_position_of_an_invalid_cell_is_named(tmp_path: Path) -> None:
    for place in range(5):
        for column, name in ((2, "proxy"), (3, "true")):
            rows: list[list[object]] = [["a", k, k, 1] for k in range(5)]
            rows[place][column] = "nan"
            path = write_table(tmp_path / "table.csv", rows)
            assert f"row {place + 1}, column '{name}'" in line_of(path)


def test_the_row_number_is_right_deep_in_a_large_file(tmp_path: Path) -> None:
    rows = [b"%d,%d,%d,1\n" % (k % 9, k, k) for k in range(300_000)]
    rows[250_000] = b"a,250000,1,x\n"
    path = tmp_path / "table.csv"
    path.write_bytes(HEADER + b"".join(rows))
    assert "row 250001, column 'true': 'x'" in line_of(path)


def test_invalid_rows_are_dropped_and_counted_on_request(tmp_path: Path) -> None:
    rows = [["a", 0, 1, 1], ["a", 1, "nan", 1], ["a", 2, 3, ""], ["", 3, 4, 1], ["a", 4, 2, "x"]]
    path = write_table(tmp_path / "table.csv", [*rows, ["a", 5, 6, 7]])
    table = read_table(path, drop_invalid=True)
    assert table.dropped == 4
    assert table.proxy.tolist() == [1, 6]


def test_a_table_of_invalid_rows_only_has_no_rows(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv", [["a", 0, "nan", 1]])
    assert "no rows (1 invalid ones dropped)" in line_of(path, drop_invalid=True)


@pytest.mark.parametrize(
    "content",
    [
        HEADER + ROWS,
        b"\xef\xbb\xbf" + HEADER + ROWS,
        (HEADER + ROWS).replace(b"\n", b"\r\n"),
        (HEADER + ROWS).rstrip(),
        HEADER + ROWS + b"\n\n",
        HEADER.replace(b",", b" , ") + ROWS.replace(b",", b" , ").replace(b" ,", b",", 0),
        b'"prompt_id","response_id","proxy","true"\n' + ROWS,
        GZIPPED,
        gzip.compress(HEADER + ROWS[:120]) + gzip.compress(ROWS[120:]),
        HEADER + b"".join(sorted(ROWS.splitlines(keepends=True), reverse=True)),
    ],
    ids=[
        "plain",
        "bom",
        "crlf",
        "no end",
        "blanks",
        "spaces",
        "quotes",
        "gzip",
        "2 gzips",
        "order",
    ],
)
def test_the_same_table_written_in_another_way_is_the_same_table(
    tmp_path: Path, content: bytes
) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "it's [an] other*.csv"
    plain.write_bytes(HEADER + ROWS)
    other.write_bytes(content)
    one, two = read_table(plain), read_table(other)
    assert one.sizes.tolist() == two.sizes.tolist() == [10, 10, 10]
    assert one.proxy.tolist() == two.proxy.tolist()
    assert one.gold.tolist() == two.gold.tolist()


def test_ids_are_text_compared_character_by_character(tmp_path: Path) -> None:
    ids = ["01", "1", "1.0", "é", "e\u0301", '"a,b"', "'q'", "NULL", "nan", "日本"]
    path = write_table(tmp_path / "table.csv", [[p, 0, 1, 1] for p in ids])
    assert read_table(path).sizes.tolist() == [1] * len(ids)


def test_other_columns_and_their_order_do_not_matter(tmp_path: Path) -> None:
    rows = [["x", 5, "a", 1, "z"], ["y", 7, "a", 2, "z"]]
    path = write_table(tmp_path / "table.csv", rows, header="note,gain,who,score,note")
    table = read_table(path, prompt="who", proxy="score", gold="gain")
    assert (table.proxy.tolist(), table.gold.tolist()) == ([1, 2], [5, 7])


def test_empty_response_ids_do_not_count_as_duplicates(tmp_path: Path) -> None:
    path = write_table(tmp_path / "table.csv", [["a", "", 1, 1], ["a", "", 2, 1]])
    assert read_table(path).sizes.tolist() == [2]


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    numbers = [
        "0.1",
        "5e-324",
        "-1.7976931348623157e308",
        "1.",
        ".5",
        "+3",
        "1E2",
        "9007199254740993",
    ]
    path = write_table(tmp_path / "table.csv", [[k, 0, x, x] for k, x in enumerate(numbers)])
    assert read_table(path).proxy.tolist() == [float(x) for x in numbers]


def test_missing_files_directories_and_devices_are_named(tmp_path: Path) -> None:
    assert "no such file" in line_of(tmp_path / "none.csv")
    assert "did you mean ridge_overfit?" in line_of("ridge_overfi")
    assert "is a directory" in line_of(tmp_path)
    assert "not a regular file" in line_of("/dev/null")
    assert "no such file" in line_of("two\nlines")
    assert "table=''" in line_of("")
    line_of("x" * 5000)
    assert "table=<dict>" in line_of({"proxy": [1]})  # type: ignore[arg-type]


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(GZIPPED,))
    writer.start()
    assert read_table(pipe).sizes.tolist() == [10, 10, 10]
    writer.join()


def test_minus_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GZIPPED)))
    table = read_table("-")
    assert table.sizes.tolist() == [10, 10, 10]
    assert table.name == "standard input"


def test_a_packaged_name_is_not_shadowed_by_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "ridge_overfit", [["a", 0, 1, 1]])
    assert len(read_table("ridge_overfit").sizes) == 100
    assert len(read_table("./ridge_overfit").sizes) == 1
    assert packaged_tables() == ["ridge_overfit"]


def test_reading_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GZIPPED)))
    read_table("-")
    assert list(tmp_path.iterdir()) == []


def test_a_hundred_thousand_tiny_prompts_are_read_in_seconds(tmp_path: Path) -> None:
    rows = "".join(f"p{k // 2},{k % 2},{k * 7 % 11},{k % 3}\n" for k in range(200_000))
    path = tmp_path / "table.csv"
    path.write_bytes(HEADER + rows.encode())
    start = time.perf_counter()
    assert len(read_table(path).sizes) == 100_000
    assert time.perf_counter() - start < 10


def test_arrays_make_the_same_table_as_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [[f"p{rng.integers(9)}", k, rng.normal(), rng.normal()] for k in range(50)]
    one = read_table(write_table(tmp_path / "table.csv", rows))
    two = Table.from_arrays(*([row[k] for row in rows] for k in (0, 2, 3)))
    assert one.sizes.tolist() == two.sizes.tolist()
    np.testing.assert_allclose(one.gold.sum(), two.gold.sum())


def test_invalid_arrays_give_one_line() -> None:
    with pytest.raises(InputError, match="row 2, column 'gold': 'inf'"):
        Table.from_arrays([1, 1], [1, 2], [1, np.inf])
    with pytest.raises(InputError, match="different lengths"):
        Table.from_arrays([1, 1], [1, 2], [1])
    with pytest.raises(InputError, match="no rows"):
        Table.from_arrays([], [], [])
    with pytest.raises(InputError, match="real numbers"):
        Table.from_arrays([1], ["x"], [1])
    with pytest.raises(InputError, match="one type"):
        Table.from_arrays(np.array([1, "a"], object), [1, 1], [1, 1])
    assert Table.from_arrays([1, 1], [1, np.nan], [1, 1], drop_invalid=True).dropped == 1


def test_importing_the_package_loads_neither_numpy_nor_the_engine() -> None:
    code = (
        "import hedgetheory.hedgetune, sys; print({'numpy', 'duckdb', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
