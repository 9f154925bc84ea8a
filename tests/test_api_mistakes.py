"""Text where an object is wanted, and other slips of a first hour: one clear error each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import hedgetheory as ht

SLIPS: dict[str, tuple[Callable[[], object], str]] = {
    "law as text": (lambda: ht.value("uniform", ht.best_of_n(2), "kl"), "parse_law"),  # type: ignore[arg-type]
    "policy as text": (lambda: ht.value(ht.uniform(), "bon(4)", "kl"), "parse_policy"),  # type: ignore[arg-type]
    "gold as text": (
        lambda: ht.value(ht.uniform(), ht.best_of_n(4), "gold", gold="u**2"),
        "parse_gold",
    ),
    "family as text": (
        lambda: ht.check(ht.uniform(), "bon", ht.parse_gold("u")),  # type: ignore[arg-type]
        "parse_family",
    ),
    "gold of check as text": (
        lambda: ht.check(ht.uniform(), ht.parse_family("bon"), "u"),  # type: ignore[arg-type]
        "parse_gold",
    ),
    "threshold of text": (
        lambda: ht.threshold(ht.uniform(), "bon", ht.parse_gold("u")),  # type: ignore[arg-type]
        "parse_family",
    ),
    "derive of text": (lambda: ht.derive(ht.uniform(), "bop", "kl"), "parse_family"),  # type: ignore[arg-type]
    "masses as a list": (lambda: ht.finite([1, 2]), "mapping"),  # type: ignore[arg-type]
    "threshold as a value": (
        lambda: ht.value(ht.uniform(), ht.best_of_n(2), "threshold"),
        "hedgetheory.threshold",
    ),
    "KL of a raw tilt without its law": (
        lambda: ht.kl_divergence(ht.tilt(1)),
        "depends on the law",
    ),
    "KL of a soft policy without its law": (
        lambda: ht.kl_divergence(ht.soft_best_of_n(2, 1)),
        "depends on the law",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_one_input_error(name: str) -> None:
    act, says = SLIPS[name]
    with pytest.raises(ht.InputError, match=says) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_a_stream_given_as_a_file_keeps_what_it_holds(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import subprocess
    import sys

    log = tmp_path / "log"
    log.write_text("precious\n")
    command = [sys.executable, "-m", "hedgetheory", "value", "--law", "uniform"]
    command += ["--policy", "bon(4)", "--quantity", "kl", "-o", "/dev/stdout"]
    with log.open("a") as stream:
        subprocess.run(command, stdout=stream, check=True)
    first, *rest = log.read_text().splitlines()
    assert first == "precious"
    assert rest
