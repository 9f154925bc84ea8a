"""What starting costs: `import hedgetheory` against `import numpy`, and `hedgetheory --help`.

    python benchmarks/startup.py

Medians over interleaved repetitions in one run, each in a fresh process. Targets: the import at
most 2 × that of numpy, and ``--help`` under 0.3 s.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPEATS = 15
JOBS = {
    "python": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "import hedgetheory": ["-c", "import hedgetheory"],
    "hedgetheory --help": ["-m", "hedgetheory", "--help"],
    "hedgetheory value --help": ["-m", "hedgetheory", "value", "--help"],
}


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in JOBS}
    for _ in range(REPEATS):
        for name, job in JOBS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *job], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            times[name].append(time.perf_counter() - start)
    seconds = {name: statistics.median(values) for name, values in times.items()}
    for name, median in seconds.items():
        print(f"{name:26} {median:6.3f} s  {median / seconds['import numpy']:5.2f} x import numpy")


if __name__ == "__main__":
    main()
