"""``hedgetheory doctor``: do the parts of this installation agree with each other?"""

from __future__ import annotations

import gzip
import hashlib
import platform
from collections.abc import Iterator
from fractions import Fraction
from importlib import metadata, resources
from typing import Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid
from hedgetheory.exact import Number

PACKAGES = ("numpy", "scipy", "sympy", "mpmath", "python-flint", "duckdb", "click", "rich")

#: (law, policy, quantity): closed forms and quadratures, with and without atoms.
CASES = (
    ("uniform", "bop(5)", "kl"),
    ("uniform", "bon(7/2)", "chi2"),
    ("normal", "bon(4)", "mean_reward"),
    ("normal", "tilt(3/2)", "kl"),
    ("exponential", "bop(3)", "mean_reward"),
    ("logistic", "quantile_tilt(2)", "mean_reward"),
    ("uniform", "best_of_random(sibuya(1/2))", "kl"),
    ("finite({0: 1/4, 1/2: 1/4, 1: 1/2})", "bop(2)", "kl"),
    ("bernoulli(1/3)", "tilt(2)", "kl"),
)
DIGITS = 30
#: Relative differences that the estimates may show.
MPMATH_TOLERANCE, FLOAT64_TOLERANCE = Fraction(1, 10**24), Fraction(1, 10**10)

#: table -> SHA-256 of its uncompressed content.
CHECKSUMS = {
    "ridge_overfit": "531b86a6aa9fbbfa7ff8016306f5b71861bccbcfed2628479c9373dce4577d51",
}


@click.command("doctor", epilog=options.examples("doctor", "doctor --json"))
@command_options
def command() -> Report:
    """Versions; do balls, mpmath and float64 agree; is the packaged data intact?

    Exit code 1 where something disagrees.
    """
    versions = {"python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in PACKAGES}
    checks = [*map(_evaluators, CASES), *_tables()]
    sound = all(check["ok"] for check in checks)
    rows = [["ok" if c["ok"] else "FAILED", c["check"], c["detail"]] for c in checks]
    return Report(
        "doctor",
        {"versions": versions, "checks": checks, "ok": sound},
        [
            Grid(["package", "version"], [list(pair) for pair in versions.items()]),
            "",
            Grid(["", "check", "detail"], rows),
            "",
            "all is well" if sound else "something disagrees: please report it with this output",
        ],
        0 if sound else 1,
    )


def _evaluators(case: tuple[str, str, str]) -> dict[str, Any]:
    """The same quantity by every way there is to it."""
    law, policy, quantity = case
    name = f"{quantity} of {policy} on {law}"
    try:
        differences = _differences(law, policy, quantity)
    except Exception as error:  # the doctor reports every illness
        return {"check": name, "ok": False, "detail": f"{type(error).__name__}: {error}"}
    wrong = [label for label, agrees in differences.items() if not agrees]
    detail = f"disagree: {', '.join(wrong)}" if wrong else f"agree: {', '.join(differences)}"
    return {"check": name, "ok": not wrong, "detail": detail}


def _differences(law: str, policy: str, quantity: str) -> dict[str, bool]:
    import mpmath

    from hedgetheory.functionals.estimates import float64, highprec
    from hedgetheory.functionals.evaluate import number
    from hedgetheory.functionals.quantities import plans
    from hedgetheory.spec.grammar import parse_law, parse_policy

    ways = list(plans(parse_law(law), parse_policy(policy), quantity))
    ball = number(ways[0], DIGITS)
    found = {"ball": True}
    if len(ways) > 1:
        found["definition by certified quadrature"] = _overlap(ball, number(ways[-1], DIGITS))
    middle = sum(ball.bounds, Fraction(0)) / 2
    estimate = Fraction(mpmath.nstr(highprec(ways[0], DIGITS), DIGITS + 5))
    found["mpmath"] = abs(estimate - middle) <= MPMATH_TOLERANCE * abs(middle)
    double = Fraction(float64(ways[0]))
    found["float64"] = abs(double - middle) <= FLOAT64_TOLERANCE * abs(middle)
    return found


def _overlap(first: Number, second: Number) -> bool:
    return max(first.bounds[0], second.bounds[0]) <= min(first.bounds[1], second.bounds[1])


def _tables() -> Iterator[dict[str, Any]]:
    for name, expected in CHECKSUMS.items():
        try:
            packed = resources.files("hedgetheory").joinpath("data", f"{name}.csv.gz").read_bytes()
            intact = hashlib.sha256(gzip.decompress(packed)).hexdigest() == expected
            detail = "checksum as published" if intact else "the checksum differs"
        except (OSError, EOFError) as error:
            intact, detail = False, f"{type(error).__name__}: {error}"
        yield {"check": f"packaged table {name}", "ok": intact, "detail": detail}
