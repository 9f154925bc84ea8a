"""Make, or check, the packaged table of over-optimised ridge fits.

    python experiments/ridge_overfit.py            # writes hedgetheory/data/ridge_overfit.csv.gz
    python experiments/ridge_overfit.py --check    # makes it again and compares with the file

A prompt is one random split of scikit-learn's diabetes data into 100 training rows and 342
held-out rows. A response is one ridge regression on a random half of all the monomials up to
degree three of the ten variables, standardised on the training rows, its strength drawn
log-uniformly over five decades. The proxy is R² on the training rows: what a selection rule sees.
The gold is R² on the held-out rows: what one wants. They are one measure on
different rows: nothing is added to make them disagree.

Needs scikit-learn (``pip install hedgetheory[experiment]``) for the data and the monomials only.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 20250619
PROMPTS = 100
RESPONSES = 64
TRAINING_ROWS = 100
#: log10 of the ridge strength, for standardised features and a sum of squares over training rows.
STRENGTH = (1.0, 6.0)
DIGITS = 8
#: A different linear-algebra library may move the last digits; nothing may move more than this.
TOLERANCE = 1e-6
TARGET = Path(__file__).resolve().parent.parent / "hedgetheory" / "data" / "ridge_overfit.csv.gz"

Array = NDArray[np.float64]


def features() -> tuple[Array, Array]:
    """The 285 monomials of degree one to three of the ten diabetes variables, and the outcome."""
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import PolynomialFeatures

    variables, outcome = load_diabetes(return_X_y=True)
    return PolynomialFeatures(3, include_bias=False).fit_transform(variables), outcome


def r_squared(outcome: Array, prediction: Array) -> float:
    residual = np.sum((outcome - prediction) ** 2)
    return float(1 - residual / np.sum((outcome - outcome.mean()) ** 2))


def scores(seed: int = SEED) -> Array:
    """(PROMPTS, RESPONSES, 2): proxy and gold of each response."""
    monomials, outcome = features()
    rng = np.random.default_rng(seed)
    table = np.empty((PROMPTS, RESPONSES, 2))
    for prompt in range(PROMPTS):
        rows = rng.permutation(len(outcome))
        train, held_out = rows[:TRAINING_ROWS], rows[TRAINING_ROWS:]
        centre, spread = monomials[train].mean(axis=0), monomials[train].std(axis=0)
        design = (monomials - centre) / spread
        level = outcome[train].mean()
        for response in range(RESPONSES):
            half = rng.choice(design.shape[1], design.shape[1] // 2, replace=False)
            strength = 10 ** rng.uniform(*STRENGTH)
            fit = design[train][:, half]
            # The dual form of ridge regression: 100 unknowns, whatever the number of features.
            dual = np.linalg.solve(
                fit @ fit.T + strength * np.eye(TRAINING_ROWS), outcome[train] - level
            )
            weights = fit.T @ dual
            table[prompt, response] = (
                r_squared(outcome[train], level + fit @ weights),
                r_squared(outcome[held_out], level + design[held_out][:, half] @ weights),
            )
    return table


def csv_gz(table: Array) -> bytes:
    """The table as gzipped CSV, the same bytes for the same numbers."""
    text = io.StringIO()
    text.write("prompt_id,response_id,proxy,true\n")
    for prompt, responses in enumerate(table):
        for response, (proxy, gold) in enumerate(responses):
            text.write(f"{prompt},{response},{proxy:.{DIGITS}f},{gold:.{DIGITS}f}\n")
    return gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)


def shipped() -> Array:
    with gzip.open(TARGET, "rt", encoding="utf-8", newline="") as file:
        rows = [(float(row["proxy"]), float(row["true"])) for row in csv.DictReader(file)]
    return np.array(rows).reshape(PROMPTS, RESPONSES, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make or check the packaged ridge table.")
    parser.add_argument("--check", action="store_true", help="compare with the packaged file")
    check = parser.parse_args().check
    table = scores()
    if not check:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_bytes(csv_gz(table))
        print(f"wrote {TARGET} ({TARGET.stat().st_size} bytes)")
        return 0
    difference = float(np.max(np.abs(table - shipped())))
    same = csv_gz(table) == TARGET.read_bytes()
    print(f"largest difference {difference:.1e}; bytes {'equal' if same else 'differ'}")
    return 0 if difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
