"""Fuzz every reader: text and files from outside are read or refused in one line, and soon.

    python experiments/fuzz.py                          # 10⁶ inputs, all targets, -> fuzz.json
    python experiments/fuzz.py --engine mutation --inputs 500000 --append
    python experiments/fuzz.py --target gold --inputs 50000 --engine mutation --output -
    python experiments/fuzz.py --input tests/fuzz/corpus/gold-1 --target gold

Each target of ``fuzz_targets.py`` runs in a process of its own, with a limit of memory, under a
watch that ends it where one input takes longer than ``HANG`` seconds; the input at work is in a
file, so that what killed a worker is known. Engines: ``atheris`` (libFuzzer, guided by the
coverage of hedgetheory; pip install atheris, Python 3.11 to 3.13), six in ten of its mutations
being ours; ``mutation``, ours alone. Outcomes: ok; refused (InputError, NotCertified); slow (more
than 2 s of processor time); and findings, kept once for each place they come from, with an input.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).resolve().parent
SLOW = 2.0
HANG = 60.0
MEMORY = 6 << 30
RECORD = HERE / "fuzz.json"
CORPUS = HERE.parent / "tests" / "fuzz" / "corpus"
PACKAGES = ("hedgetheory", "atheris", "duckdb", "numpy", "pyarrow", "python-flint", "sympy")


# -- one process -----------------------------------------------------------------------------------


class Session:
    """Counts and findings of one process, written to a folder as they come."""

    def __init__(self, target: Any, folder: Path) -> None:
        self.target, self.folder = target, folder
        self.counts: Counter[str] = Counter()
        self.worst = 0.0
        self.findings: dict[str, dict[str, Any]] = {}
        self.current = os.open(folder / "current", os.O_RDWR | os.O_CREAT)
        self.written = time.monotonic()

    def one(self, data: bytes) -> None:
        os.ftruncate(self.current, 0)
        os.pwrite(self.current, data, 0)
        start = time.process_time()
        try:
            outcome = self.target(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever it is, it is a finding
            outcome = "finding"
            self.keep(signature(error), data, "".join(traceback.format_exception_only(error)))
        seconds = time.process_time() - start
        self.counts[outcome] += 1
        self.worst = max(self.worst, seconds)
        if seconds > SLOW:
            self.counts["slow"] += 1
            name = f"slow {self.target.name} {int(seconds).bit_length()}"
            self.keep(name, data, f"{seconds:.1f} s")
        if time.monotonic() - self.written > 1:
            self.write()

    def keep(self, name: str, data: bytes, message: str) -> None:
        """The shortest input of each signature."""
        found = self.findings.setdefault(name, {"count": 0, "message": "", "input": None})
        found["count"] += 1
        if found["input"] is None or len(data) < len(bytes.fromhex(found["input"])):
            found.update(input=data.hex(), message=message.strip()[:400])

    def write(self) -> None:
        self.written = time.monotonic()
        state = {"counts": self.counts, "worst": self.worst, "findings": self.findings}
        partial = self.folder / "state.partial"
        partial.write_text(json.dumps(state))
        partial.replace(self.folder / "state.json")


def signature(error: BaseException) -> str:
    """The kind of an exception and the last function of hedgetheory (or of ours) it left."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "hedgetheory" in f.filename or f.filename.startswith(str(HERE))]
    place = (ours or list(frames))[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.name}"


def work(name: str, engine: str, inputs: int, seed: int, folder: Path) -> None:
    """The worker: one target, one engine, so many inputs."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    if engine == "atheris":
        import atheris

        with atheris.instrument_imports(include=["hedgetheory"]):
            import fuzz_targets

            target = fuzz_targets.TARGETS[name]
            for data in target.seeds()[:40]:  # imports what is imported late
                with contextlib.suppress(Exception):
                    target(data)
    else:
        import fuzz_targets
    from fuzz_mutation import mutated

    target = fuzz_targets.TARGETS[name]
    seeds = target.seeds()
    session = Session(target, folder)
    for data in seeds:
        session.one(data)
    rng = Random(seed)
    if engine == "mutation":
        for _ in range(inputs):
            base = rng.choice(seeds)
            session.one(mutated(rng, base, seeds, target.words, target.kind, target.longest))
        session.write()
        return
    corpus = folder / "corpus"
    corpus.mkdir()
    for place, data in enumerate(seeds):
        (corpus / str(place)).write_bytes(data)

    def step(data: bytes, longest: int, number: int) -> bytes:
        own = Random(number)
        if own.random() < 0.4:
            return bytes(atheris.Mutate(data, longest))
        return mutated(own, bytes(data), seeds, target.words, target.kind, longest)

    def one(data: bytes) -> None:
        session.one(data)
        if sum(session.counts.values()) - session.counts["slow"] >= inputs:
            session.write()

    flags = [
        f"-runs={inputs}", f"-seed={seed}", f"-max_len={target.longest}", "-rss_limit_mb=0",
        f"-timeout={2 * HANG:.0f}", "-len_control=0", f"-artifact_prefix={folder}/",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one, custom_mutator=step)
    atheris.Fuzz()


# -- the watch -------------------------------------------------------------------------------------


def watched(name: str, engine: str, inputs: int, seed: int) -> dict[str, Any]:
    """Run a target until it has seen ``inputs``, starting anew after what kills or hangs it."""
    total: Counter[str] = Counter()
    found: dict[str, dict[str, Any]] = {}
    worst, restarts, coverage = 0.0, 0, None
    start = time.monotonic()
    while seen(total) < inputs and restarts <= 20:
        with tempfile.TemporaryDirectory(prefix="hedgetheory-fuzz-") as text:
            folder = Path(text)
            left = inputs - seen(total)
            with (folder / "log").open("wb") as log:
                argv = [sys.executable, __file__, "--worker", str(folder), "--target", name]
                argv += ["--engine", engine, "--inputs", str(left), "--seed", str(seed + restarts)]
                process = subprocess.Popen(argv, stdout=log, stderr=log)  # noqa: S603 - ourselves
                hung = _wait(process, folder)
            log_text = (folder / "log").read_text(errors="replace")
            state = {"counts": {}, "worst": 0.0, "findings": {}}
            if (folder / "state.json").exists():
                state = json.loads((folder / "state.json").read_text())
            total.update(state["counts"])
            worst = max(worst, state["worst"])
            merge(found, state["findings"])
            reached = re.findall(r"cov: (\d+)", log_text)
            coverage = max(filter(None, (coverage, *map(int, reached[-1:]))), default=None)
            if hung or process.returncode:
                restarts += 1
                what = f"hang: more than {HANG:g} s" if hung else f"exit {process.returncode}"
                current = folder / "current"
                data = current.read_bytes() if current.exists() else b""
                lines = [line for line in log_text.splitlines() if "error" in line.lower()]
                message = what if hung else f"{what}: {'; '.join(lines[-4:])}"[:400]
                key = {f"{what} {name}": {"count": 1, "message": message, "input": data.hex()}}
                merge(found, key)
                total["finding"] += 1
    return {
        "target": name,
        "engine": engine,
        "inputs": seen(total),
        "ok": total["ok"],
        "refused": total["refused"],
        "slow": total["slow"],
        "in findings": total["finding"],
        "restarts": restarts,
        "edges covered": coverage,
        "slowest, s of processor": round(worst, 3),
        "seconds": round(time.monotonic() - start, 1),
        "findings": found,
    }


def seen(counts: Counter[str]) -> int:
    return counts["ok"] + counts["refused"] + counts["finding"]


def _wait(process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Wait for the end; True where one input took too long and the process was ended."""
    current = folder / "current"
    while process.poll() is None:
        time.sleep(0.2)
        if current.exists() and time.time() - current.stat().st_mtime > HANG:
            process.kill()
            process.wait()
            return True
    return False


def merge(found: dict[str, dict[str, Any]], more: dict[str, dict[str, Any]]) -> None:
    for key, entry in more.items():
        before = found[key]["count"] if key in found else 0
        found[key] = {**entry, "count": entry["count"] + before}


# -- the whole -------------------------------------------------------------------------------------


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def tally(rows: list[dict[str, Any]]) -> dict[str, Any]:
    kept = ("inputs", "ok", "refused", "slow", "in findings")
    return {
        "what": "inputs to each reader; a finding is an input that was neither read nor refused; "
        "those of earlier runs are mended and kept in tests/fuzz/corpus",
        "corpus": sorted(path.name for path in CORPUS.iterdir()),
        "versions": versions(),
        "limits": {"slow, s": SLOW, "hang, s": HANG, "memory, bytes": MEMORY},
        "total": {key: sum(row[key] for row in rows) for key in kept},
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "rows": rows,
    }


def said(row: dict[str, Any]) -> None:
    brief = {key: value for key, value in row.items() if key != "findings"}
    print(json.dumps(brief), file=sys.stderr, flush=True)
    for key, entry in row["findings"].items():
        text = bytes.fromhex(entry["input"])[:120]
        print(f"    {key} ({entry['count']}): {entry['message']!r} {text!r}", file=sys.stderr)


def commit_of() -> str:
    if "FUZZ_COMMIT" in os.environ:  # a copy outside of git
        return os.environ["FUZZ_COMMIT"]
    argv = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=HERE)  # noqa: S603
    return found.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", action="append", help="only this one; repeat")
    parser.add_argument("--engine", choices=("atheris", "mutation"), default="atheris")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all, by the shares")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default=str(RECORD), help="the record; - for none")
    parser.add_argument("--append", action="store_true", help="keep the rows that are there")
    parser.add_argument("--input", type=Path, help="run this one file and show what it does")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.target[0], given.engine, given.inputs, given.seed, given.worker)
        return
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    from fuzz_targets import TARGETS

    names = given.target or list(TARGETS)
    if given.input:
        print(TARGETS[names[0]](given.input.read_bytes()))
        return
    shares = sum(TARGETS[name].share for name in names)
    rows = json.loads(Path(given.output).read_text())["rows"] if given.append else []
    for name in names:
        inputs = -(-given.inputs * TARGETS[name].share // shares)
        rows.append({"commit": commit_of(), **watched(name, given.engine, inputs, given.seed)})
        said(rows[-1])
        if given.output != "-":
            text = json.dumps(tally(rows), indent=1, ensure_ascii=False)
            Path(given.output).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
