"""Spec strings: laws, policies, families and gold curves from text, and their canonical text.

Text becomes a ``SpecCall`` (a registered name with exact arguments, every one named, defaults
filled in, in the order of the registry), and only that becomes an object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from hedgetheory.errors import InputError, must_be, nearest
from hedgetheory.exact import MAX_DIGITS, RealInput, short
from hedgetheory.expressions.formula import Formula, parse_formula
from hedgetheory.expressions.reading import (
    Call,
    Name,
    Node,
    Table,
    exact_value,
    read,
    shown,
)
from hedgetheory.expressions.writing import written
from hedgetheory.spec.registry import NOUNS, REGISTRY, Entry, Kind, Parameter, families, lookup

if TYPE_CHECKING:
    from hedgetheory.laws.base import Law
    from hedgetheory.laws.joint import JointModel
    from hedgetheory.policies.base import Policy
    from hedgetheory.policies.family import Family

Argument: TypeAlias = "Fraction | str | SpecCall | Pairs"


class FormulaText(str):
    """A formula as an argument, in its canonical text; its class reads it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Pairs:
    """A table with exact weights, sorted by key: the masses of atoms, or weighted laws."""

    items: tuple[tuple[Fraction | SpecCall, Fraction], ...]

    def __str__(self) -> str:
        return f"{{{', '.join(f'{_text(key)}: {_text(value)}' for key, value in self.items)}}}"


@dataclass(frozen=True, slots=True)
class SpecCall:
    """A registered name with its arguments; ``str`` gives the canonical text.

    An argument that is missing from ``arguments`` is the one that a family leaves free.
    """

    kind: Kind
    name: str
    arguments: tuple[tuple[str, Argument], ...]

    def __str__(self) -> str:
        inside = ", ".join(
            _text(value)
            if isinstance(value, (Pairs, SpecCall, FormulaText))
            else f"{name}={_text(value)}"
            for name, value in self.arguments
        )
        return f"{self.name}({inside})" if inside else self.name

    @property
    def entry(self) -> Entry:
        return lookup(self.kind, self.name)

    def build(self, free: RealInput | None = None) -> Any:
        """The object; ``free`` is the value of the parameter left free, here or in an argument."""
        given = dict(self.arguments)
        arguments: dict[str, Any] = {}
        for parameter in self.entry.parameters:
            value = given.get(parameter.name)
            match value:
                case None:
                    arguments[parameter.name] = free
                case SpecCall():
                    arguments[parameter.name] = value.build(free)
                case Pairs():
                    arguments[parameter.name] = {
                        key.build() if isinstance(key, SpecCall) else key: weight
                        for key, weight in value.items
                    }
                case _:
                    arguments[parameter.name] = value
        return self.entry.load()(**arguments)


@dataclass(frozen=True, slots=True)
class FamilySpec:
    """A policy with one parameter free: called with a value θ it is the member at θ."""

    spec: SpecCall
    free: str

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def factory(self) -> Callable[..., Policy]:
        """The class of the members."""
        return cast("Callable[..., Policy]", self.spec.entry.load())

    @property
    def fixed(self) -> dict[str, Argument]:
        """The arguments that are not free; a law of draws may hold the free one inside."""
        return dict(self.spec.arguments)

    def at(self, theta: RealInput) -> Policy:
        """The member at θ. Raises InputError outside the domain."""
        return cast("Policy", self.spec.build(theta))

    def __call__(self, theta: RealInput) -> Policy:
        return self.at(theta)

    def __str__(self) -> str:
        return str(self.spec)

    def family(self) -> Family:
        """The family as the rest of the package knows it, with its symbol and domain."""
        from hedgetheory.policies.family import Family

        call = self.spec
        for value in self.fixed.values():
            if isinstance(value, SpecCall) and len(value.arguments) < len(value.entry.parameters):
                call = value
        position = [parameter.name for parameter in call.entry.parameters].index(self.free)
        owner = call.entry.load()
        family = Family(str(self), self, owner.symbols[position], owner.domains[position])
        return owner.known_as(family, self.fixed) if call is self.spec else family


def parse_law(text: str) -> Law:
    """The law of the proxy reward that ``text`` denotes.

    Raises InputError, with one line, for anything but a registered law within its domain.

    >>> parse_law("normal(0, sd=1/2)")
    normal(mean=0, sd=0.5)
    """
    return cast("Law", parse_spec(text, "law").build())


def parse_policy(text: str) -> Policy:
    """The policy that ``text`` denotes.

    Raises InputError, with one line, for anything but a registered policy within its domain.

    >>> parse_policy("best_of_random(geometric(1/3))")
    best_of_random(geometric(p=1/3))
    """
    return cast("Policy", parse_spec(text, "policy").build())


def parse_family(text: str) -> Family:
    """The family that ``text`` denotes: a policy with one parameter left free.

    Raises InputError where none or more than one is free.

    >>> family = parse_family("best_of_random(geometric)")
    >>> family.at("1/3")
    best_of_random(geometric(p=1/3))
    >>> parse_family("bon(3)")
    Traceback (most recent call last):
        ...
    hedgetheory.errors.InputError: a family leaves one parameter free: write bon [bon(3)]
    """
    return parse_family_spec(text).family()


def parse_gold(text: str) -> Formula:
    """The gold curve that ``text`` denotes: a formula in u (quantile) or r (reward).

    Raises InputError, with one line, for anything else; see ``parse_formula``.

    >>> str(parse_gold("4*u*(1 - u)").expr)
    '4*u*(1 - u)'
    """
    return parse_formula(text, what="gold")


def parse_joint(text: str) -> JointModel:
    """The joint model of proxy and true reward that ``text`` denotes.

    Raises InputError, with one line, for anything else.

    >>> parse_joint("contaminated(1/100, 0)")
    contaminated(eps=0.01, h=0)
    """
    return cast("JointModel", parse_spec(text, "joint").build())


def canonical(thing: Law | Policy | Family | Formula | SpecCall | FamilySpec) -> str:
    """The one text of a law, policy, family or formula: parsing it gives the thing back.

    >>> canonical(parse_law("normal(0, 1.0)")) == canonical(parse_law("normal(mean=0, sd=1)"))
    True
    """
    return str(thing)


def parse_spec(text: str, kind: Kind) -> SpecCall:
    """The call that ``text`` denotes, with nothing built and no class imported.

    Raises InputError for unknown names, and for missing, surplus or unknown arguments.

    >>> str(parse_spec("normal(sd=2)", "law"))
    'normal(mean=0, sd=2)'
    """
    return _Binder(text, kind, kind).whole()


def parse_family_spec(text: str) -> FamilySpec:
    """The family that ``text`` denotes, with nothing built and no class imported.

    Raises InputError where no parameter or more than one is free.

    >>> parse_family_spec("bon").free
    'n'
    """
    return _Binder(text, "policy", "family").family()


class _Binder:
    """Binds the arguments of one text to the parameters of the registry."""

    def __init__(self, text: str, kind: Kind, what: str) -> None:
        self.kind = kind
        self.what = what
        self.node = read(text, what)
        self.text = shown(text.strip())

    def refuse(self, why: object, after: str = "") -> InputError:
        return InputError(f"{why} [{self.text}]{after}")

    def whole(self) -> SpecCall:
        call, missing = self.bind(self.node, self.kind)
        if missing:
            raise self.missing(call, missing)
        return call

    def missing(self, call: SpecCall, missing: list[Parameter]) -> InputError:
        needed = " and ".join(parameter.name for parameter in missing)
        return self.refuse(f"{call.name}() needs {needed}", f"; write {call.entry.signature}")

    def family(self) -> FamilySpec:
        call, missing = self.bind(self.node, self.kind, partial=True)
        if len(missing) == 1 and missing[0].numeric:
            return FamilySpec(call, missing[0].name)
        draws = [value.name for _, value in call.arguments if isinstance(value, SpecCall)]
        stem = "(".join([call.name, *draws])
        forms = [
            item["form"]
            for item in families()
            if item["form"] == call.name or item["form"].startswith((f"{stem}(", f"{stem})"))
        ]
        if not forms:
            raise self.refuse(f"{stem.replace('(', ' of ')} has no parameter to leave free")
        raise self.refuse(f"a family leaves one parameter free: write {' or '.join(forms)}")

    def bind(
        self, node: Node, kind: Kind, partial: bool = False
    ) -> tuple[SpecCall, list[Parameter]]:
        """The call of ``node`` and the parameters that it leaves out.

        In a ``partial`` call those of a law of draws count too.
        """
        if isinstance(node, Name):
            node = Call(node.name, (), ())
        if not isinstance(node, Call):
            example = next(iter(REGISTRY[kind].values())).signature
            raise self.refuse(f"a {NOUNS[kind]} is a name with its arguments, such as {example}")
        try:
            entry = lookup(kind, node.name)
        except InputError as error:
            raise self.refuse(error) from None
        given = self.given(node, entry)
        missing: list[Parameter] = []
        arguments: list[tuple[str, Argument]] = []
        for parameter in entry.parameters:
            value = given.get(parameter.name)
            if value is None and parameter.default is None:
                missing.append(parameter)
            elif value is None:
                arguments.append((parameter.name, cast("Fraction | str", parameter.default)))
            elif parameter.kind in ("draws", "law"):
                free = partial and parameter.kind == "draws"
                inner, lacking = self.bind(value, parameter.kind, free)
                if lacking and not free:
                    raise self.missing(inner, lacking)
                missing += lacking
                arguments.append((parameter.name, inner))
            else:
                arguments.append((parameter.name, self.argument(value, parameter, entry)))
        return SpecCall(kind, entry.name, tuple(arguments)), missing

    def given(self, node: Call, entry: Entry) -> dict[str, Node]:
        names = [parameter.name for parameter in entry.parameters]
        takes = f"; its arguments are {', '.join(names)}" if names else "; it takes none"
        if len(node.arguments) > len(names):
            count = len(node.arguments)
            raise self.refuse(f"{entry.name}() got {count} arguments", takes)
        given = dict(zip(names, node.arguments, strict=False))
        for name, value in node.named:
            if name not in names:
                raise self.refuse(f"{entry.name}() got an unknown argument {shown(name)}", takes)
            if name in given:
                raise self.refuse(f"{entry.name}() got the argument {name} twice", takes)
            given[name] = value
        return given

    def argument(self, node: Node, parameter: Parameter, entry: Entry) -> Argument:
        label = f"{parameter.name} of {entry.name}()"
        match parameter.kind:
            case "real":
                return self.number(node, label)
            case "integer":
                value = self.number(node, label)
                if value.denominator != 1:
                    raise must_be(parameter.name, short(value), "a whole number", self.text)
                return value
            case "formula":
                return FormulaText(written(node))
            case "end":
                text = written(node).replace("inf", "oo")
                return text if text in ("oo", "-oo") else self.number(node, label)
            case "choice":
                name = node.name if isinstance(node, Name) else ""
                if name not in parameter.choices:
                    known = nearest(name[:60], list(parameter.choices))
                    raise self.refuse(f"{label} must be one of its words: {known}")
                return name
        return self.table(node, label, parameter.kind == "mixture")

    def number(self, node: Node, label: str) -> Fraction:
        try:
            value = exact_value(node)
        except InputError as error:
            raise self.refuse(f"{label} {error}") from None
        if value is None:
            raise self.refuse(f"{label} must be a number such as 7.3, -1 or 1/3")
        if max(abs(value.numerator), value.denominator) >= 10**MAX_DIGITS:
            raise self.refuse(f"{label} is too long: at most {MAX_DIGITS} digits")
        return value

    def table(self, node: Node, label: str, mixture: bool) -> Pairs:
        if not isinstance(node, Table) or not node.items:
            example = "{normal(0,1): 0.9, normal(3,1): 0.1}" if mixture else "{0: 1/4, 1: 3/4}"
            raise self.refuse(f"{label} must be a table such as {example}")
        pairs: dict[Fraction | SpecCall, Fraction] = {}
        for key_node, value_node in node.items:
            key: Fraction | SpecCall
            if mixture:
                key, lacking = self.bind(key_node, "law")
                if lacking:
                    raise self.missing(key, lacking)
            else:
                key = self.number(key_node, f"a value in {label}")
            if key in pairs:
                raise self.refuse(f"{label} has {_brief(key)} twice")
            pairs[key] = self.number(value_node, f"the weight of {_brief(key)} in {label}")
        order: Callable[[Any], Any] = str if mixture else Fraction
        return Pairs(tuple(sorted(pairs.items(), key=lambda item: order(item[0]))))


def _text(value: Argument) -> str:
    return short(value) if isinstance(value, Fraction) else str(value)


def _brief(value: Argument) -> str:
    return shown(_text(value))
