"""Do the 95 % intervals of `tune` for a real θ cover the truth 95 times in a hundred?

    python benchmarks/coverage.py                     # the study, some minutes, writes the record
    python benchmarks/coverage.py --replications 100  # a look, nothing is written

Synthetic joint laws of (proxy, gold) whose θ† is certified by `hedgetheory.threshold`; each
replication draws 200 prompts × 32 responses and asks for the interval of θ†. Beside the interval
that `tune` reports (a studentised bootstrap of the slope): Student's test of the slope, the delta
method, the percentile bootstrap of the maximum, and the plain plug-in with a percentile bootstrap,
which is what HedgeTune does as published. The record is benchmarks/coverage_record.json; a small
version is in tests/hedgetune/test_tune_coverage.py.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.hedgetune.answer import answer
from hedgetheory.hedgetune.bootstrap import resampled_means
from hedgetheory.hedgetune.constraints import Constraints
from hedgetheory.hedgetune.families import parse_family
from hedgetheory.hedgetune.intervals import normal_quantile
from hedgetheory.hedgetune.mixtures import DRAWS
from hedgetheory.hedgetune.points import RealPoints
from hedgetheory.hedgetune.ranks import rank_groups
from hedgetheory.hedgetune.table import Table
from hedgetheory.hedgetune.tune import Settings

Array = NDArray[np.float64]
RECORD = Path(__file__).with_name("coverage_record.json")
PROMPTS, RESPONSES, RESAMPLES, CONFIDENCE, SEED = 200, 32, 400, 0.95, 20_250_729


@dataclass(frozen=True)
class JointLaw:
    """Proxy quantile u uniform, E[gold | u] = ``gold``; ``draw`` adds what a prompt adds."""

    name: str
    family: str
    gold: str
    draw: Callable[[np.random.Generator, Array], Array]


def _smooth(rng: np.random.Generator, u: Array) -> Array:
    return np.asarray(u**3 * (1 - u) + 0.05 * rng.normal(size=u.shape))


def _pass_fail(rng: np.random.Generator, u: Array) -> Array:
    chance = 0.2 + 2 * u**2 * (1 - u)
    return np.asarray((rng.uniform(size=u.shape) < chance).astype(float))


def _prompts_differ(rng: np.random.Generator, u: Array) -> Array:
    # Prompt effects with mean zero on the level, the height and the tilt of the curve, heavy tails.
    level, height, slope = (rng.standard_t(5, size=(len(u), 1)) for _ in range(3))
    mean = u**4 * (1 - u)
    return np.asarray(
        level + mean * (1 + 0.5 * height) + 0.02 * slope * u + 0.05 * rng.normal(size=u.shape)
    )


LAWS = (
    JointLaw("smooth gold, normal noise", "bop", "u**3*(1-u)", _smooth),
    JointLaw("pass or fail", "bop", "1/5 + 2*u**2*(1-u)", _pass_fail),
    JointLaw("prompts differ, heavy tails", "bop", "u**4*(1-u)", _prompts_differ),
    JointLaw("smooth gold, real n", "bon", "u**3*(1-u)", _smooth),
    JointLaw("smooth gold, tilt by weights", "tilt", "u**3*(1-u)", _smooth),
    JointLaw("pass or fail, quantile tilt", "quantile_tilt", "1/5 + 2*u**2*(1-u)", _pass_fail),
)


def certified(law: JointLaw, digits: int = 12) -> dict[str, str]:
    """θ† by the package's certified solver, as decimal and radius."""
    import hedgetheory as ht

    number = ht.threshold(ht.uniform(), ht.parse_family(law.family), ht.parse_gold(law.gold))
    decimal, rad = number.decimal(digits)
    return {"decimal": decimal, "rad": rad, "guarantee": number.guarantee}


def plug_in_interval(ranked: Array, family: str, seed: int) -> list[float]:
    """The percentile bootstrap of the maximum of the plug-in curve."""
    size = ranked.shape[1]
    grid = np.linspace(0, np.log1p(4 * size), 200)
    theta = np.exp(grid) if family == "bon" else np.expm1(grid)
    u = np.arange(size + 1) / size
    if family == "bon":
        cdf = u ** theta[:, None]
    else:
        law = DRAWS["bop" if family == "bop" else "ztp"]  # a tilt is one of the quantile here
        cdf = law.pgf(u, **{law.parameters[0]: theta[:, None]})
    curves = ranked @ np.diff(cdf, axis=1).T
    chosen = [theta[m.argmax(axis=1)] for m in resampled_means(curves, RESAMPLES, seed)]
    return [float(x) for x in np.quantile(np.concatenate(chosen), [0.025, 0.975])]


def replicate(law: JointLaw, seed: int) -> dict[str, Any]:
    """All the intervals on one table."""
    rng = np.random.default_rng(seed)
    proxy = rng.uniform(size=(PROMPTS, RESPONSES))
    gold = law.draw(rng, proxy)
    sizes = np.full(PROMPTS, RESPONSES)
    groups = rank_groups(Table("study", proxy.ravel(), gold.ravel(), sizes))
    points = parse_family(law.family).points(groups, None, "study")
    settings = Settings(seed % 2**32, RESAMPLES, CONFIDENCE)
    found = answer(points, settings, Constraints(), None, 1.0)
    out: dict[str, Any] = {
        "theta": found["threshold"],
        "student": found["threshold_interval"],
        "plug-in percentile": plug_in_interval(groups[0].gold, law.family, seed % 2**32),
    }
    if found["threshold_se"] is not None:
        reach = normal_quantile(CONFIDENCE) * found["threshold_se"]
        out["delta"] = [found["threshold"] - reach, found["threshold"] + reach]
    if isinstance(points, RealPoints):
        out["tune"] = found["theta_interval"]
        chosen = [
            points.refined(m, m.argmax(axis=1))
            for m in resampled_means(points.curves, RESAMPLES, seed % 2**32)
        ]
        out["percentile"] = np.quantile(np.concatenate(chosen), [0.025, 0.975]).tolist()
    return out


def study(law: JointLaw, replications: int) -> dict[str, Any]:
    """Coverage of each interval; one that is missing (no interior peak found) covers nothing."""
    number = certified(law)
    truth = float(number["decimal"])
    covered: dict[str, int] = {}
    missing = 0
    thetas, widths = [], []
    start = time.perf_counter()
    for k in range(replications):
        found = replicate(law, SEED + k)
        theta = found.pop("theta")
        missing += theta is None
        for name, ends in found.items():
            covered.setdefault(name, 0)
            if ends is not None:
                covered[name] += ends[0] <= truth <= ends[1]
        main = found.get("tune") or found["student"]
        if theta is not None and main is not None:
            thetas.append(theta)
            widths.append(main[1] - main[0])
    return {
        "law": law.name,
        "family": law.family,
        "gold": law.gold,
        "threshold": number,
        "replications": replications,
        "coverage": {name: count / replications for name, count in covered.items()},
        "no_interior_peak": missing,
        "mean_theta": float(np.mean(thetas)),
        "sd_theta": float(np.std(thetas)),
        "median_width": float(np.median(widths)),
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=2000)
    parser.add_argument("--law", type=int, default=None, help="only this one")
    given = parser.parse_args()
    whole = given.replications >= 2000 and given.law is None
    laws = LAWS if given.law is None else LAWS[given.law : given.law + 1]
    results = []
    for law in laws:
        results.append(study(law, given.replications))
        print(json.dumps(results[-1], ensure_ascii=False), flush=True)
    if whole:
        document = {
            "study": "coverage of 95 % intervals for a real theta",
            "prompts": PROMPTS,
            "responses": RESPONSES,
            "resamples": RESAMPLES,
            "confidence": CONFIDENCE,
            "seed": SEED,
            "numpy": np.__version__,
            "results": results,
        }
        RECORD.write_text(
            json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
