"""Where a table comes from: files, folders, globs, standard input, as regular files on disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import has_magic, iglob
from importlib import resources
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

from hedgetheory.errors import InputError, must_be, nearest

OnePath: TypeAlias = "str | os.PathLike[str]"
Source: TypeAlias = "OnePath | Sequence[OnePath]"
Packing = Literal["none", "gzip", "zstd"]

#: What a file in a folder must end in to be taken for a table.
ENDINGS = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".pq")
PACKED_ENDINGS = (".gz", ".zst", ".bz2", ".xz")
#: One file a table is ordinary, a million files is a mistake in the path.
MAX_FILES = 10_000

_MAGIC: dict[bytes, str] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A regular file: its path, what to call it, how it is packed, and a path safe to show SQL.

    ``link`` is a symbolic link of our own making, so that no file name (with quotes, with
    characters that a glob would expand, with ``key=value`` folders) reaches the engine.
    """

    path: Path
    name: str
    packing: Packing
    link: Path


@contextmanager
def opened(source: Source) -> Iterator[tuple[list[Part], str, Path]]:
    """The files of a source, the name to call all of them by, and a private temporary folder.

    A path, a folder (every table in it, at any depth), a glob, ``-`` for standard input, the bare
    name of a packaged table, or a sequence of these. Packed files are checked to their end: an
    engine that takes a truncated file for a short one would lose rows. bz2 and xz, and Parquet
    within gzip, are unpacked into the folder, which is removed at the end, whatever happens.

    Raises InputError, one line, for what does not exist, cannot be opened, or is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="hedgetheory-") as folder:
        private = Path(folder)
        found, title = files_of(source, private)
        parts = [_part(path, name, private, k) for k, (path, name) in enumerate(found.items())]
        yield parts, title, private


def files_of(source: Source, private: Path | None) -> tuple[dict[Path, str], str]:
    """The files of a source, each with the name to call it by, and the name of all of them.

    Streams are copied into ``private``; without one they are refused.
    """
    sources = [source] if isinstance(source, (str, os.PathLike)) else source
    if not isinstance(sources, Sequence) or not sources:
        shown = f"<{type(source).__name__}>" if not isinstance(source, Sequence) else "[]"
        raise _bad_source(shown)
    found: dict[Path, str] = {}
    for one in sources:
        for path, name in _files(one, private):
            found.setdefault(path, name)
            if len(found) > MAX_FILES:
                raise InputError(f"{show(str(one), 200)}: more than {MAX_FILES} files")
    if len(found) == 1:
        return found, next(iter(found.values()))
    first = show(os.fspath(sources[0]), 200) + (" and others" if len(sources) > 1 else "")
    return found, f"{first} ({len(found)} files)"


def packaged_tables() -> list[str]:
    """The names of the tables that come with the package.

    >>> packaged_tables()
    ['ridge_overfit']
    """
    folder = resources.files("hedgetheory").joinpath("data")
    names = [entry.name for entry in folder.iterdir()]
    return sorted(n.removesuffix(".csv.gz") for n in names if n.endswith(".csv.gz"))


def show(text: str, length: int = 40) -> str:
    """Text from outside as it goes into a message: short and on one line.

    >>> show("two\\nlines")
    'two\\\\nlines'
    """
    short = text if len(text) <= length else text[: length - 3] + "..."
    return short if short.isprintable() else repr(short)[1:-1]


def near(name: str, known: list[str]) -> str:
    """``nearest`` as the tail of a message: with a semicolon before a suggestion."""
    hint = nearest(name, known)
    return ("; " if hint.startswith("did") else " ") + hint


# --- from a name to files -------------------------------------------------------------------------


def _bad_source(shown: str) -> InputError:
    must = "a path, a folder, a glob, a packaged table, or -"
    return must_be("table", shown, must, "read_table")


def _files(source: OnePath, private: Path | None) -> Iterator[tuple[Path, str]]:
    text = os.fspath(source) if isinstance(source, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise _bad_source(repr(source) if isinstance(source, str) else f"<{type(source).__name__}>")
    if text == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise InputError("table - is standard input, but nothing is piped into it")
        yield _copied(sys.stdin.buffer, private, "stdin"), "standard input"
        return
    if text in packaged_tables():
        # A wheel is unpacked when it is installed, so that its data are files.
        yield Path(str(resources.files("hedgetheory") / "data" / f"{text}.csv.gz")), text
        return
    path, name = Path(text), show(text, 200)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        yield from _globbed(text, name)
        return
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or 'cannot be opened'}") from None
    if stat.S_ISDIR(mode):
        inside = _in_folder(path)
        if not inside:
            endings = " ".join(ENDINGS)
            raise InputError(f"{name}: is a directory with no table in it ({endings}, or packed)")
        yield from ((file.absolute(), show(str(file), 200)) for file in inside)
        return
    if stat.S_ISFIFO(mode):
        try:
            with path.open("rb") as stream:
                yield _copied(stream, private, "pipe"), name
        except OSError as error:
            raise InputError(f"{name}: {error.strerror or 'cannot be opened'}") from None
        return
    if not stat.S_ISREG(mode):
        raise InputError(f"{name}: is not a regular file, but must be a table or a folder of them")
    yield path.absolute(), name


def _globbed(text: str, name: str) -> Iterator[tuple[Path, str]]:
    if "://" in text:
        raise InputError(f"{name}: is a remote address, but tables are local files; download it")
    if not has_magic(text):
        hint = near(text, packaged_tables()).replace("known", "packaged tables")
        raise InputError(f"{name}: no such file{hint}")
    files: list[Path] = []
    for match in sorted(iglob(text, recursive=True)):
        path = Path(match)
        files += _in_folder(path) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise InputError(f"{name}: no file matches")
    yield from ((file.absolute(), show(str(file), 200)) for file in files)


def _in_folder(folder: Path) -> list[Path]:
    """Tables at any depth, in order; hidden ones and those that start with _ are not data."""
    found = []
    for file in sorted(folder.rglob("*")):
        inner = file.relative_to(folder).parts
        if any(part.startswith((".", "_")) for part in inner) or not file.is_file():
            continue
        stem = file.name.lower()
        for ending in PACKED_ENDINGS:
            stem = stem.removesuffix(ending)
        if stem.endswith(ENDINGS):
            found.append(file)
    return found


def _copied(stream: IO[bytes], private: Path | None, label: str) -> Path:
    if private is None:
        raise InputError(f"a stream ({label}) cannot be shared with workers; give a file")
    path = private / f"{label}-{len(list(private.iterdir()))}"
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK)
    except OSError as error:
        raise InputError(f"the {label} cannot be copied ({error.strerror}); see TMPDIR") from None
    return path


# --- packing --------------------------------------------------------------------------------------


def _part(path: Path, name: str, private: Path, place: int) -> Part:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or 'cannot be opened'}") from None
    packing = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "none")
    target, plain = path, private / f"unpacked-{place}"
    kind: Packing = "none"
    if packing == "zstd":
        check_zstd(path, name)
        kind = "zstd"
    elif packing == "gzip" and _unpack(path, name, "gzip", None) != b"PAR1":
        kind = "gzip"
    elif packing != "none":
        _unpack(path, name, packing, plain)
        target = plain
    link = private / f"part-{place}"
    link.symlink_to(target)
    return Part(target, name, kind, link)


def _unpack(path: Path, name: str, kind: str, target: Path | None) -> bytes:
    """Read to the end, which compares the checksums; copy to ``target``; the first four bytes."""
    head = b""
    openers: dict[str, Any] = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    try:
        with openers[kind](path, "rb") as packed, (target or Path(os.devnull)).open("wb") as out:
            while chunk := packed.read(_CHUNK):
                head = head or chunk[:4]
                out.write(chunk)
    except EOFError:
        raise InputError(
            f"{name}: the {kind} file is truncated; copy or download it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{name}: the {kind} file is damaged ({error})") from None
    except OSError as error:
        if error.errno is None:  # bz2 has no error of its own
            raise InputError(f"{name}: the {kind} file is damaged ({error})") from None
        raise InputError(f"{name}: cannot be unpacked ({error.strerror})") from None
    return head


def check_zstd(path: Path, name: str) -> None:
    """Walk the frames and blocks: the engine takes a truncated file for a short one.

    RFC 8878: a frame is a magic number, a header, blocks of a 3-byte header each (bit 0: last, bits
    1-2: type, bits 3-23: size; type 1 holds one byte), and a 4-byte checksum where flag bit 2 says
    so; a skippable frame is a magic number, a 4-byte size, and that many bytes.

    Raises InputError for a file that ends within a frame, or has something else after one.
    """
    size = path.stat().st_size
    with path.open("rb") as file:

        def take(count: int) -> bytes:
            data = file.read(count)
            if len(data) < count:
                raise InputError(f"{name}: the zstd file is truncated; copy or download it again")
            return data

        def skip(count: int) -> None:
            if file.tell() + count > size:
                take(size + 1)
            file.seek(count, os.SEEK_CUR)

        while file.tell() < size:
            magic = int.from_bytes(take(4), "little")
            if magic & 0xFFFFFFF0 == 0x184D2A50:
                skip(int.from_bytes(take(4), "little"))
                continue
            if magic != 0xFD2FB528:
                raise InputError(f"{name}: the zstd file is damaged (not a frame)")
            flags = take(1)[0]
            single = flags >> 5 & 1
            content = (single, 2, 4, 8)[flags >> 6]
            skip((0, 1, 2, 4)[flags & 3] + content + (1 - single))
            last = 0
            while not last:
                block = int.from_bytes(take(3), "little")
                last = block & 1
                skip(1 if block >> 1 & 3 == 1 else block >> 3)
            skip(4 * (flags >> 2 & 1))
