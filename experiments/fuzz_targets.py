"""The readers of hedgetheory as functions of bytes, each with seeds: what ``fuzz.py`` runs.

A target returns "ok" or "refused" (InputError, NotCertified: what may come). Anything else that it
raises is a finding, a broken promise (an AssertionError below) included.
"""

from __future__ import annotations

import ast
import gzip
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from hedgetheory.cli import options
from hedgetheory.cli import value as batch
from hedgetheory.cli.text import one_line
from hedgetheory.errors import HedgeTheoryError, InputError
from hedgetheory.exact import rational
from hedgetheory.reference import answers, drivers, judge, model, tables
from hedgetheory.spec import grammar, registry

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tanh", "erf", "abs", "min", "max", "where")


#: Whose messages the command line itself brings into one line.
_SAID = {"batch", "value", "reference", "packed_reference"}


@dataclass(frozen=True)
class Target:
    """A reader: ``run`` on bytes, how inputs are mutated, its ``share`` of the inputs of a run."""

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    kind: str = "text"
    words: tuple[bytes, ...] = ()
    share: int = 1
    longest: int = 5000

    def __call__(self, data: bytes) -> str:
        try:
            self.run(data)
        except HedgeTheoryError as error:
            message = one_line(str(error)) if self.name in _SAID else str(error)
            assert "\n" not in message, f"a message of two lines: {message!r}"
            # A spec of 4,096 characters may stand in it, and once more as the law that it names.
            assert len(message) < 10_000, f"a message of {len(message)} characters"
            return "refused"
        return "ok"


# -- the spec grammar ------------------------------------------------------------------------------

KINDS = ("law", "policy", "draws", "joint")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _same(one: object, two: object) -> None:
    assert str(one) == str(two), f"read again it differs: {one} and {two}"


def _spec(data: bytes) -> None:
    """The first byte chooses the kind; what was read is written and read again."""
    kind: Any = KINDS[data[0] % 4] if data else "law"
    found = grammar.parse_spec(_text(data[1:]), kind)
    with suppress(InputError):  # an expanded formula may be longer than what is read
        _same(found, grammar.parse_spec(str(found), kind))


def _family(data: bytes) -> None:
    found = grammar.parse_family(_text(data))
    _same(found, grammar.parse_family(str(found)))


def _law(data: bytes) -> None:
    found = grammar.parse_law(_text(data))
    assert len(repr(found)) < 10**6


def _policy(data: bytes) -> None:
    found = grammar.parse_policy(_text(data))
    _same(found, grammar.parse_policy(str(found)))


def _joint(data: bytes) -> None:
    str(grammar.parse_joint(_text(data)))


def _gold(data: bytes) -> None:
    found = grammar.parse_gold(_text(data))
    str(found)


def _number(data: bytes) -> None:
    """A rational, against Python's own reading."""
    text = _text(data)
    found = rational(text)
    if "/" not in text:
        assert found == Fraction(text.strip()), text


# -- files -----------------------------------------------------------------------------------------


@cache
def _folder() -> Path:
    where = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - a private folder in it
    return Path(tempfile.mkdtemp(prefix="hedgetheory-fuzz-", dir=where))


def _file(data: bytes, name: str = "input") -> str:
    path = _folder() / name
    path.write_bytes(data)
    return str(path)


def _scored(data: bytes) -> None:
    """A table of scored responses; rows that are not valid are dropped at every other length."""
    from hedgetheory.hedgetune.table import read_table

    found = read_table(_file(data), drop_invalid=len(data) % 2 == 0)
    assert sum(found.sizes) == len(found.proxy) == len(found.gold) > 0
    assert all(abs(x) < float("inf") for x in (*found.proxy, *found.gold))


def _samples(data: bytes) -> None:
    law = options.read_law("@" + _file(data))
    assert sum(mass for _, mass in law.atoms) == 1  # type: ignore[attr-defined]


def _batch(data: bytes) -> None:
    """Lines of a batch as requests, and the specs in them read; nothing is computed."""
    refused: InputError | None = None
    for line in batch._bounded_lines(io.BytesIO(data)):
        try:
            request = batch._request(line, 15)
            assert not request["law"].startswith("@")
            grammar.parse_spec(request["law"], "law")
            grammar.parse_spec(request["policy"], "policy")
        except InputError as error:
            refused = error
    if refused is not None:
        raise refused


def _answer(data: bytes) -> None:
    """One answer as text, against Python's own reading of hexadecimal doubles."""
    text = _text(data)
    found = answers.parse_answer(text)
    if found.kind == "finite" and re.fullmatch(r"[+-]?0x[0-9a-f]{1,13}", text):
        assert found.value == Fraction(float.fromhex(text)), text


def _submission(data: bytes) -> None:
    for answer in answers.parse_submission(data, "results.json").answers.values():
        assert answer.kind in ("finite", "infinite", "nan", "unsupported")


class _Fed(drivers.Program):
    """A program whose output is already there: first its handshake, then two answers."""

    def feed(self, data: bytes) -> None:
        self._process = object()  # type: ignore[assignment]
        for line in io.BytesIO(data):
            with suppress(drivers.queue.Full):
                self._lines.put_nowait(line[: drivers.LONGEST_LINE + 1])
        with suppress(drivers.queue.Full):
            self._lines.put_nowait(b"")

    def _write(self, message: Any) -> None:
        json.loads(drivers.case_line(message))

    def _last_words(self) -> str:
        return ""

    def _end(self, grace: float) -> None:
        self.log.gave_up = True


def _replies(data: bytes) -> None:
    program = _Fed(["none"], timeout=0.001)
    program.feed(data)
    try:
        program._shake_hands()
    except drivers._Failed:
        raise InputError("no handshake") from None
    cases = [{"id": name, "inputs": {}, "quantity": "kl"} for name in ("a", "kl:bon(n=2)@uniform")]
    replies = list(program.ask_all(cases, 2))
    assert all((reply.answer is None) == bool(reply.failure) for reply in replies)
    json.dumps(program.log.fields())


def _expected(data: bytes) -> None:
    """What the command line does with a file of expected failures."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8") from None
    found = judge.ExpectedFailures.parse(text, "known.txt")
    for case in ("kl:bon(n=2)@uniform", "threshold:bon@uniform#integer", text[:80]):
        found.matches(case)
    found.stale()


def _reference(data: bytes) -> None:
    """A table of reference values, given as its JSON: the checksums are made to agree first."""
    document = tables.parse_json(data, "table")
    if isinstance(document, dict) and isinstance(document.get("checksums"), dict):
        body = {key: value for key, value in document.items() if key != "checksums"}
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            document["checksums"] = tables._checksums(body, document["checksums"].get("previous"))
    table = tables.from_document(document, "table")
    again = tables.from_document(table.document(), "table")
    assert again.cases == table.cases
    for case in table.cases:
        str(case.value)
        if not case.value.is_undefined:
            model.rounded(case.value)


def _packed_reference(data: bytes) -> None:
    tables.read(Path(_file(data, "fuzz.json.gz")))


def _value(data: bytes) -> None:
    """Whole requests: read, computed to five digits, written as JSON."""
    request = batch._request(data, 5)
    if request["digits"] > 30 or len(request["policy"]) > 100 or len(request["law"]) > 200:
        return
    json.dumps(batch.report(request).document(), allow_nan=False)


# -- seeds -----------------------------------------------------------------------------------------


@cache
def texts() -> tuple[str, ...]:
    """Every short text constant of the tests, and the words of the README's examples."""
    found: set[str] = set()
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    found |= set(re.findall(r'"([^"\n]+)"', (ROOT / "README.md").read_text(encoding="utf-8")))
    found |= set((ROOT / "tests/spec/corpus.txt").read_text(encoding="utf-8").splitlines())
    return tuple(sorted(text for text in found if 0 < len(text) < 300))


def _read_by(parse: Callable[[str], object]) -> Iterator[bytes]:
    for text in texts():
        with suppress(HedgeTheoryError):
            parse(text)
            yield text.encode()


def _specs(kind: Any) -> list[bytes]:
    corpus = (ROOT / "tests/spec/corpus.txt").read_text(encoding="utf-8").splitlines()
    return [*_read_by(lambda text: grammar.parse_spec(text, kind)), *map(str.encode, corpus[:60])]


def _all_specs() -> list[bytes]:
    return [bytes([place]) + seed for place, kind in enumerate(KINDS) for seed in _specs(kind)]


def _families() -> list[bytes]:
    forms = [entry["form"].replace("...", "3").encode() for entry in registry.families()]
    return [*_read_by(grammar.parse_family), *forms]


def _golds() -> list[bytes]:
    return list(_read_by(grammar.parse_gold))


_CSV = (
    b"prompt_id,response_id,proxy,true\na,1,0.5,1\na,2,0.25,0\nb,1,-1e-3,true\nb,2,7,False\n",
    b'prompt_id\tproxy\ttrue\n"q\nr"\t1\t0\n"q\nr"\t2\t1\n',
    b'prompt_id,proxy,true\r\n\xc3\xa9,1,0\r\n"""",nan,1\r\n',
    b'{"prompt_id": "a", "proxy": 1.5, "true": 1}\n{"prompt_id": 1, "proxy": "2", "true": true}\n',
    b'{"prompt_id": 1, "proxy": 1e308, "true": 0, "x": [1, {"y": null}]}\n\n{"prompt_id": 2}\n',
)


def _scored_texts() -> list[bytes]:
    return [*_CSV, *(gzip.compress(text, mtime=0) for text in _CSV[:2])]


def _parquets() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    for ids in (["a", "a", "b"], [1, 1, 2], [1.0, None, 2.0]):
        for proxy in ([0.5, 1.0, 2.0], [1, 2, 3], ["1", "x", "3"], [True, False, True]):
            frame = pa.table({"prompt_id": ids, "proxy": proxy, "true": [0, 1, 1]})
            target = io.BytesIO()
            pq.write_table(frame, target, compression="none", store_schema=False)
            found.append(target.getvalue())
    return found


def _answer_files() -> list[bytes]:
    return [
        b'{"kl:bon(n=2)@uniform": "0x1.8bp-3", "kl:bop(mu=5)@uniform": 0.25, "x": "1/3"}',
        b'{"implementation": "mine", "answers": {"a": "inf", "b": null, "c": "not supported"}}',
        b'{"a": 1e-400, "b": -17, "c": "NaN", "d": "0x1p-1074", "e": NaN, "f": -Infinity}',
    ]


def _reply_lines() -> list[bytes]:
    hello = b'{"implementation":"mine 1.2","protocol":"hedgetheory-conformance/1"}\n'
    return [
        hello + b'{"id":"a","value":"0x1p3"}\nnoise\n{"id":"kl:bon(n=2)@uniform","value":0.19}\n',
        hello + b'{"id":"a","error":"no"}\n{"id":"kl:bon(n=2)@uniform","value":[1]}\n',
        b"loading...\n" + hello + b'{"id":"a","value":null}\n{"id":"a","value":"nan"}\n',
    ]


def _reference_tables() -> list[bytes]:
    """Packaged tables with a few cases each, so that mutation meets every kind of value."""
    found = []
    for name in ("kl", "threshold", "gold", "sample_pass_at_k"):
        table = tables.load(name)
        step = max(1, len(table.cases) // 5)
        few = {**vars(table), "cases": table.cases[::step][:5]}
        few.pop("by_id")
        document = tables.ReferenceTable(**few).document()
        found.append(json.dumps(document).encode())
    return found


def _requests() -> list[bytes]:
    rows: list[dict[str, object]] = [
        {"law": "normal(0,1)", "policy": "bop(5)", "quantity": "kl", "digits": 12},
        {"law": "finite({0: 1/4, 1: 3/4})", "policy": "bon(3)", "quantity": "cdf", "at": 0.3},
        {"law": "uniform", "policy": "bon(2.5)", "quantity": "renyi", "order": "1/2"},
        {"law": "uniform", "policy": "bon(4)", "quantity": "density", "at": "u=0.3"},
        {"law": "uniform", "policy": "bop(2)", "quantity": "score", "wrt": "mu", "at": 1},
        {"law": "exponential", "policy": "bon(4)", "quantity": "quantile", "at": "0.9"},
        {"law": "bernoulli(1/3)", "policy": "sbon(2, 1)", "quantity": "mass", "at": 1},
        {"law": "uniform", "policy": "bon(4)", "quantity": "gold", "gold": "u**2*(1 - u)"},
    ]
    return [json.dumps(row).encode() for row in rows]


def _encoded(*names: str) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in names)


_PARAMETERS = {p.name for kind in registry.REGISTRY.values() for e in kind.values()
               for p in e.parameters}  # fmt: skip
_NAMES = _encoded(*sorted({name for kind in registry.REGISTRY.values() for name in kind}))
_WORDS = (*_NAMES, *_encoded(*sorted(_PARAMETERS)), *_encoded("u", "r", "oo", "pi", "e"))
_FORMULA = _encoded(*FUNCTIONS, "u", "r", "pi", "e", "1/2", "u < 1/2", "(1 - u)", "u**2")
_FIELDS = _encoded(*batch.FIELDS, "prompt_id", "response_id", "proxy", "true", "cdf", "kl", "u=0.3")
_CASE = _encoded(
    "id", "value", "kind", "ball", "mid", "rad", "exp10", "rational", "infinite", "sign",
    "binary64", "check", "digits", "tags", "integer", "candidates", "best", "answers",
    "implementation", "error", "protocol", "undefined", "reason", "inputs", "0x1p3", "inf",
    "not supported",
)  # fmt: skip
_TABLE = _encoded("prompt_id", "response_id", "proxy", "true", "nan", "False", '""', '","', "1e999")

TARGETS = {
    target.name: target
    for target in (
        Target("spec", _spec, _all_specs, words=_WORDS + _FORMULA, share=300),
        Target("family", _family, _families, words=_WORDS, share=100),
        Target("gold", _gold, _golds, words=_FORMULA, share=120, longest=400),
        Target("number", _number, lambda: list(_read_by(rational)), share=50, longest=1200),
        Target("policy", _policy, lambda: _specs("policy"), words=_WORDS, share=60),
        Target("law", _law, lambda: _specs("law"), words=_WORDS + _FORMULA, share=35),
        Target("joint", _joint, lambda: _specs("joint"), words=_WORDS, share=10),
        Target("batch", _batch, _requests, "json", _FIELDS + _WORDS, 100),
        Target("answer", _answer, lambda: list(_read_by(answers.parse_answer)), share=60),
        Target("submission", _submission, _answer_files, "json", _CASE, 80),
        Target("replies", _replies, _reply_lines, "json", _CASE, 80),
        Target("expected", _expected, lambda: [b"kl:*  # Ei\n", b"*#integer\n#x\nkl:bon(*)@u*m"],
               words=_encoded("*", " #", "kl:bon(n=2)@uniform"), share=50),
        Target("reference", _reference, _reference_tables, "json", _CASE, 40, 60_000),
        Target("packed_reference", _packed_reference,
               lambda: [gzip.compress(seed, mtime=0) for seed in _reference_tables()],
               "binary", share=10, longest=60_000),
        Target("samples", _samples, lambda: [b"1\n2.5\n-3e-2\n\n1\n", b"0x1p3\n", b"1_0\n"],
               share=40),
        Target("scored", _scored, _scored_texts, "json", _TABLE, 12),
        Target("parquet", _scored, _parquets, "binary", _TABLE, 8),
        Target("value", _value, _requests, "json", _FIELDS + _WORDS, 8, 600),
    )
}  # fmt: skip
