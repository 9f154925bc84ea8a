"""``hedgetheory value``: one quantity, or a batch of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Lines, Report, command_options, envelope
from hedgetheory.cli.text import one_line, shown
from hedgetheory.errors import InputError, NotCertified, must_be, nearest
from hedgetheory.exact import Number

#: The longest line of a batch, in bytes: no spec string is longer than 4,096 characters.
LONGEST_LINE = 1 << 16
FIELDS = ("law", "policy", "quantity", "gold", "at", "order", "wrt", "digits")
NUMERALS = ("at", "order", "digits")
DIGITS = 15


@click.command(
    "value",
    epilog=options.examples(
        'value --law normal --policy "bop(5)" --quantity kl --digits 50',
        'value --law "normal(0,1)" --policy "bon(4)" --quantity density --at -1.5',
        'value --law exponential --policy "bon(10)" --quantity quantile --at 0.9',
        'value --law uniform --policy bon --quantity threshold --gold "u**12*(1 - u)"',
        "value --batch requests.jsonl -o answers.jsonl",
    ),
)
@options.law(required=False)
@click.option(
    "--policy", metavar="POLICY", help="Policy, such as bon(4) or best_of_random(ztp(3))."
)
@click.option("--quantity", metavar="QUANTITY", help="See: hedgetheory list quantities.")
@click.option("--gold", metavar="FORMULA", help="Gold curve in u or r, for gold and threshold.")
@click.option("--at", metavar="X", help="A reward, u=0.3 for a quantile, or a probability.")
@click.option("--order", metavar="A", help="Order of the Rényi divergence.")
@click.option("--wrt", metavar="NAME", help="Parameter of the score: n, lam or mu.")
@options.digits(DIGITS)
@click.option(
    "--batch",
    metavar="FILE",
    help="JSON lines in, one request each (law, policy, quantity, gold, at, order, wrt, digits); "
    "JSON lines out, one answer or error each; - is stdin. The worst line gives the exit code.",
)
@command_options
def command(batch: str | None, law_text: str | None, **given: Any) -> Report | Lines:
    """Any quantity of a policy on a law, exact or certified to the digits asked for."""
    request = {"law": law_text, **given}
    if batch is not None:
        surplus = [name for name in FIELDS[:-1] if request[name] is not None]
        if surplus:
            raise click.UsageError(f"--batch takes no --{surplus[0]}: each line has its own")
        return Lines(_answers(batch, given["digits"]))
    missing = [f"--{name}" for name in ("law", "policy", "quantity") if request[name] is None]
    if missing:
        raise click.UsageError(f"missing {', '.join(missing)} (or --batch FILE)")
    return report(request)


def report(request: dict[str, Any]) -> Report:
    """The answer to one request: text for every field but ``digits``; absent ones are None."""
    policy, number = _number(**request)
    digits = request["digits"]
    fields = {name: request[name] for name in FIELDS} | {
        "law": _canonical_law(request["law"]),
        "policy": policy,
        "number": number.to_json(digits),
    }
    if number.is_undefined:
        fields["reason"] = number.reason
    more = [f"{name} {request[name]}" for name in ("gold", "at", "order", "wrt") if request[name]]
    subject = " ".join([request["quantity"], "of", policy, "on", fields["law"], *more])
    return Report("value", fields, [f"{subject}: {shown(number, digits)}"])


def _canonical_law(text: str) -> str:
    return str(options.read_law(text))


def _number(
    *,
    law: str,
    policy: str,
    quantity: str,
    gold: str | None,
    at: str | None,
    order: str | None,
    wrt: str | None,
    digits: int,
) -> tuple[str, Number]:
    from hedgetheory.functionals.quantities import QUANTITIES, value
    from hedgetheory.spec.grammar import parse_gold, parse_policy

    known = [*QUANTITIES, "threshold"]
    if quantity not in known:
        raise InputError(f"unknown quantity {quantity}: {nearest(quantity, known)}")
    the_law = options.read_law(law)
    curve = None if gold is None else parse_gold(gold)
    if quantity == "threshold":
        return _threshold(the_law, policy, curve, {"at": at, "order": order, "wrt": wrt}, digits)
    the_policy = parse_policy(policy)
    number = value(
        the_law, the_policy, quantity, at=at, order=order, gold=curve, wrt=wrt, digits=digits
    )
    return str(the_policy), number


def _threshold(
    law: Any, policy: str, gold: Any, surplus: dict[str, str | None], digits: int
) -> tuple[str, Number]:
    from hedgetheory.analysis import check

    for name, given in surplus.items():
        if given is not None:
            raise InputError(f"threshold takes no {name}")
    if gold is None:
        raise InputError("threshold needs gold, such as u**12*(1 - u)")
    family = family_of(policy)
    found = check.check(law, family, gold, digits)
    if found.hacking == "undecided":
        raise NotCertified(f"the threshold is undecided: {found.threshold.reason}")
    return str(family), found.threshold


def family_of(text: str) -> Any:
    """The family of ``bon``, and of ``bon(3)`` too, whose parameter is then left free."""
    from hedgetheory.spec.grammar import SpecCall, parse_family, parse_spec

    try:
        return parse_family(text)
    except InputError:
        spec = parse_spec(text, "policy")
    draws = [value.name for _, value in spec.arguments if isinstance(value, SpecCall)]
    return parse_family("(".join([spec.name, *draws]) + ")" * len(draws))


# -- batches ---------------------------------------------------------------------------------------


def _answers(source: str, digits: int) -> Iterator[tuple[dict[str, Any], int]]:
    from hedgetheory.cli.app import described

    with ExitStack() as stack:
        if source == "-":
            stream: IO[bytes] = sys.stdin.buffer
        else:
            try:
                stream = stack.enter_context(open(source, "rb"))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise InputError(f"--batch {source}: {reason}") from None
        for line in _bounded_lines(stream):
            if line is not None and not line.strip():
                continue
            try:
                yield report(_request(line, digits)).document(), 0
            except Exception as error:  # a bad line is answered, and the next one read
                message, code = described(error)
                yield {**envelope("error"), "error": one_line(message), "exit": code}, code


def _bounded_lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Line by line, None for one that is too long."""
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _request(line: bytes | None, digits: int) -> dict[str, Any]:
    """One line of a batch as a request; numbers keep their text, so that 0.3 is 3/10."""
    if line is None:
        raise InputError(f"the line is longer than {LONGEST_LINE} bytes")
    try:
        found = json.loads(
            line.decode("utf-8"),
            parse_float=_Numeral,
            parse_int=_Numeral,
            parse_constant=_Numeral,
            object_pairs_hook=_unique,
        )
    except InputError:
        raise
    except (ValueError, RecursionError):
        raise InputError("the line is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise InputError('the line is not a request such as {"law": ..., "policy": ...}')
    for name, given in found.items():
        if name not in FIELDS:
            raise InputError(f"unknown field {name}: {nearest(name, list(FIELDS))}")
        if name == "law" and isinstance(given, str) and given.startswith("@"):
            raise InputError(f"law={given[:60]}, but a batch reads no files of its own")
        if given is None or (isinstance(given, _Numeral) and name in NUMERALS):
            continue
        if isinstance(given, _Numeral) or not isinstance(given, str):
            raise InputError(f"{name} must be text{' or a number' if name in NUMERALS else ''}")
    for name in ("law", "policy", "quantity"):
        if found.get(name) is None:
            raise InputError(f"the request needs {name}")
    request = {name: None if found.get(name) is None else str(found[name]) for name in FIELDS}
    return {**request, "digits": _digits(request["digits"], digits)}


class _Numeral(str):
    """A JSON number by its text."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError("a field is given twice")
    return found


def _digits(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= options.MAX_DIGITS):
        raise must_be("digits", text[:40], f"an integer from 1 to {options.MAX_DIGITS}", "value")
    return int(text)
