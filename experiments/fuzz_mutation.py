"""Bytes from bytes: mutations that know brackets, numbers, names and JSON, beside blind ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

NUMBER = re.compile(rb"[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?")
NAME = re.compile(rb"[A-Za-z_][A-Za-z_0-9]*")
#: What numbers have gone wrong on: ends, sizes, digits, exponents, other spellings.
NUMBERS = (
    b"0", b"-0", b"1", b"-1", b"2", b"1/2", b"1/3", b"0.1", b".5", b"5.", b"1e-9", b"1e9", b"1e308",
    b"1e309", b"1e-400", b"1e4999", b"1e5001", b"9" * 40, b"9" * 999, b"9" * 1001,
    b"0." + b"0" * 99 + b"1", b"1e99999999999", b"nan", b"inf", b"-inf", b"NaN", b"Infinity",
    b"0x1p3", b"0x1.8p-1074",
    b"1_000", b"01", b"1/0", b"2**10", b"2**-1074", b"10**4000", b"1.0000000000000000000001",
)  # fmt: skip
PIECES = (
    b"(", b")", b"{", b"}", b"[", b"]", b",", b":", b"=", b"+", b"-", b"*", b"/", b"**", b"<",
    b"<=", b'"', b"'", b"\\", b"\n", b"\r", b"\t", b" ", b"\0", b"\xff", b"\xc3\xa9",
    b"\xed\xa0\x80", b"#", b"\\ud800", b"\\u0000", b"null", b"true", b"false", b"@", b";", b"%",
    b"^", b"~", b"lambda", b"if", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\x1e", b"\x85",
)  # fmt: skip
#: What a node of a JSON tree may become.
NODES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, 10**40, -(10**400), "", "0", "1/3", "0x1p-1", "inf",
    "nan", "not supported", "\ud800", "\0", "é\n", "a" * 3000, [], {}, [[]], {"": {}}, [None],
    "9" * 2000,
)  # fmt: skip

Mutation = Callable[[Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def _span(rng: Random, data: bytes, longest: int = 24) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randrange(1, longest))


def _flip(rng: Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    if not data:
        return bytes([rng.randrange(256)])
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def _insert(rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    place, _ = _span(rng, data)
    piece = rng.choice(PIECES if rng.random() < 0.5 else words or PIECES)
    return data[:place] + piece + data[place:]


def _delete(rng: Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    start, stop = _span(rng, data)
    return data[:start] + data[stop:]


def _repeat(rng: Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    start, stop = _span(rng, data, 12)
    return data[:start] + data[start:stop] * rng.choice((2, 3, 9, 70)) + data[stop:]


def _number(rng: Random, data: bytes, *_: Sequence[bytes]) -> bytes:
    return _substituted(rng, data, NUMBER, rng.choice(NUMBERS))


def _word(rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    return _substituted(rng, data, NAME, rng.choice(words or PIECES))


def _substituted(rng: Random, data: bytes, pattern: re.Pattern[bytes], piece: bytes) -> bytes:
    found = list(pattern.finditer(data))
    if not found:
        return data + piece
    match = rng.choice(found)
    return data[: match.start()] + piece + data[match.end() :]


def _groups(data: bytes) -> list[tuple[int, int]]:
    """Where brackets open and close, those that do."""
    opened: list[int] = []
    found = []
    for place, character in enumerate(data):
        if character in b"([{":
            opened.append(place)
        elif character in b")]}" and opened:
            found.append((opened.pop(), place + 1))
    return found


def _graft(rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A bracket's content, or an argument of it, is replaced by another text or part of one."""
    donor = rng.choice(seeds)
    inside = _groups(donor)
    if inside and rng.random() < 0.7:
        start, stop = rng.choice(inside)
        donor = donor[start + 1 : stop - 1]
    found = _groups(data)
    if not found:
        return data + donor if rng.random() < 0.3 else donor
    start, stop = rng.choice(found)
    parts = data[start + 1 : stop - 1].split(b",")
    parts[rng.randrange(len(parts))] = donor
    return data[: start + 1] + b",".join(parts) + data[stop - 1 :]


def _wrap(rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    start, stop = _span(rng, data, len(data) + 2)
    name = rng.choice(words) if words else b""
    return data[:start] + name + b"(" + data[start:stop] + b")" + data[stop:]


def _splice(rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _json(rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A node of the first JSON document (a line, or the whole) is replaced, removed or doubled."""
    lines = data.split(b"\n") if rng.random() < 0.5 else [data]
    place = rng.randrange(len(lines))
    try:
        tree = json.loads(lines[place])
    except (ValueError, RecursionError):
        return _insert(rng, data, seeds, words)
    lines[place] = json.dumps(mutated_tree(rng, tree, words)).encode()
    return b"\n".join(lines)


def mutated_tree(rng: Random, tree: Any, words: Sequence[bytes] = ()) -> Any:
    """A JSON tree with one node replaced, removed, renamed or put in another's place."""
    places: list[tuple[Any, Any]] = []
    stack = [tree] if isinstance(tree, (dict, list)) else []
    while stack and len(places) < 20_000:
        node = stack.pop()
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in list(pairs):
            places.append((node, key))
            if isinstance(child, (dict, list)):
                stack.append(child)
    if not places:
        return rng.choice(NODES)
    node, key = rng.choice(places)
    match rng.randrange(6):
        case 0:
            del node[key]
        case 1:
            other, where = rng.choice(places)
            node[key] = json.loads(json.dumps(other[where]))
        case 2 if isinstance(node, dict) and words:
            node[rng.choice(words).decode("latin1")] = node.pop(key)
        case 3 if isinstance(node[key], str) and words:
            node[key] = _texts(rng, node[key], words)
        case _:
            node[key] = rng.choice(NODES)
    return tree


def _texts(rng: Random, text: str, words: Sequence[bytes]) -> str:
    data = text.encode("utf-8", "replace")
    step = rng.choice((_flip, _insert, _delete, _number, _word, _wrap))
    return step(rng, data, [data], words).decode("utf-8", "replace")


_TEXT: tuple[Mutation, ...] = (
    _flip, _insert, _insert, _delete, _repeat, _number, _number, _word, _word, _graft, _graft,
    _graft, _wrap, _splice,
)  # fmt: skip
STEPS: dict[str, tuple[Mutation, ...]] = {
    "text": _TEXT,
    "json": (*_TEXT, *[_json] * 14),
    "binary": (_flip, _flip, _insert, _delete, _repeat, _splice),
}


def mutated(
    rng: Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes], kind: str, most: int
) -> bytes:
    """``data`` after one to four mutations of its kind, at most ``most`` bytes long."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(STEPS[kind])(rng, data, seeds, words)[:most]
    return data
