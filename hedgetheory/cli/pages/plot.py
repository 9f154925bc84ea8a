"""Small plots as SVG, drawn here: they follow the theme of the page, and no version moves a byte.

A plot has a title and a description for who cannot see it, tells its parts apart by shape, dashes
and labels, not by colour alone, and leaves room for labels as large as a phone needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from hedgetheory.cli.pages.markup import Child, Markup, h, join

WIDTH, HEIGHT = 640, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 116, 24, 22, 78
#: A scale that starts at 0 is even up to so small a part of it, and logarithmic beyond.
SHIFTED = 50
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Scale:
    """Numbers to places along an axis of length 1.

    ``log``: by the logarithm. ``shifted``: by log(1 + x/unit), for what starts at 0.
    """

    low: float
    high: float
    kind: Literal["linear", "log", "shifted"] = "linear"
    unit: float = 1.0

    def at(self, x: float) -> float:
        a, b = self._warped(self.low), self._warped(self.high)
        return (self._warped(x) - a) / (b - a) if b > a else 0.5

    def _warped(self, x: float) -> float:
        if self.kind == "linear":
            return x
        return math.log(x) if self.kind == "log" else math.log1p(x / self.unit)

    def ticks(self) -> list[float]:
        """Round numbers within the scale, six or so."""
        if self.kind == "linear":
            return _round_steps(self.low, self.high)
        start = self.low if self.kind == "log" else self.unit
        decades = math.log10(self.high / start) if self.high > start else 0.0
        if decades > 4:
            stride = math.ceil(decades / 6)
            powers = range(
                math.ceil(math.log10(start) - 1e-9), math.floor(math.log10(self.high)) + 1
            )
            marks = [10.0**k for k in powers if k % stride == 0]
        elif decades > 2.2:
            marks = _per_decade(start, self.high, (1,) if decades > 3 else (1, 3))
        elif start < 1:
            marks = _per_decade(start, self.high, (1, 2, 5))
        else:
            first = math.ceil(math.log2(start) - 1e-9)
            last = math.floor(math.log2(self.high) + 1e-9)
            stride = max(1, math.ceil((last - first + 1) / 8))
            marks = [2.0**k for k in range(first, last + 1, stride)]
        return [0.0, *marks] if self.kind == "shifted" else marks


def _per_decade(low: float, high: float, of: Iterable[int]) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = (factor * 10.0**k for k in range(first, last + 1) for factor in of)
    return [x for x in found if low * (1 - 1e-9) <= x <= high * (1 + 1e-9)]


def _round_steps(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten.

    >>> _round_steps(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = next(s for s in (power, 2 * power, 5 * power, 10 * power) if (high - low) / s <= 6.0001)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def tick_text(x: float) -> str:
    """As short as it can be said, with a true minus.

    >>> tick_text(0.25), tick_text(-20.0), tick_text(1e-7)
    ('0.25', '−20', '1e−7')
    """
    said = f"{x:.6g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return said.replace("-", "−")


@dataclass
class Plot:
    """One curve with what is marked on it; ``name`` makes its ids."""

    name: str
    title: str
    description: str
    x: Scale
    y: Scale
    x_label: str
    y_label: str
    curve: Points
    joined: bool = True
    dots: bool = False
    band: Sequence[tuple[float, float, float]] = ()
    #: From, to, and which: "zone" is grey, "hatched" is hatched at the foot.
    zones: Sequence[tuple[float, float, str]] = ()
    #: x, y, "max" or "min", label.
    marks: Sequence[tuple[float, float, str, str]] = ()
    verticals: Sequence[float] = ()
    _taken: list[float] = field(default_factory=list)

    @property
    def cursor(self) -> str:
        return f"{self.name}-cursor"

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point is drawn."""
        across = _LEFT + self.x.at(x) * (WIDTH - _LEFT - _RIGHT)
        down = HEIGHT - _BOTTOM - self.y.at(y) * (HEIGHT - _TOP - _BOTTOM)
        return across, down

    def svg(self) -> Markup:
        title, desc, hatch = (f"{self.name}-{part}" for part in ("title", "desc", "hatch"))
        return h(
            "svg",
            h("title", self.title, id=title),
            h("desc", self.description, id=desc),
            self._hatch(hatch),
            self._axes(),
            [self._zone(*zone, hatch) for zone in self.zones],
            self._band(),
            [self._vertical(x) for x in self.verticals],
            h("path", d=_path(self._places()), class_="curve") if self.joined else None,
            [_circle(place, 3, "dot") for place in self._places()] if self.dots else None,
            [self._mark(*mark) for mark in self.marks],
            h("circle", r=9, class_="cursor", id=self.cursor, visibility="hidden"),
            viewbox=f"0 0 {WIDTH} {HEIGHT}",
            role="img",
            aria_labelledby=f"{title} {desc}",
        )

    def _places(self) -> list[tuple[float, float]]:
        return [self.place(*point) for point in self.curve]

    def _hatch(self, name: str) -> Markup | None:
        if not any(kind == "hatched" for _, _, kind in self.zones):
            return None
        line = h("path", d="M0 9L9 0", class_="hatch")
        return h("defs", h("pattern", line, id=name, width=9, height=9,
                           patternunits="userSpaceOnUse"))  # fmt: skip

    def _axes(self) -> Markup:
        left, right, top, foot = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM
        parts: list[Child] = []
        for tick in self.y.ticks():
            _, y = self.place(self.x.low, tick)
            parts.append(h("path", d=f"M{left} {y:.1f}H{right}", class_="grid"))
            parts.append(h("text", tick_text(tick), x=left - 9, y=f"{y + 5:.1f}",
                           text_anchor="end", class_="tick"))  # fmt: skip
        for tick in self.x.ticks():
            x, _ = self.place(tick, self.y.low)
            parts.append(h("path", d=f"M{x:.1f} {foot}v6", class_="axis"))
            parts.append(h("text", tick_text(tick), x=f"{x:.1f}", y=foot + 27,
                           text_anchor="middle", class_="tick"))  # fmt: skip
        middle = (top + foot) / 2
        parts += [
            h("path", d=f"M{left} {top}V{foot}H{right}", class_="axis"),
            h("text", self.x_label, x=(left + right) // 2, y=HEIGHT - 14, text_anchor="middle"),
            h("text", self.y_label, x=19, y=f"{middle:.0f}", text_anchor="middle",
              transform=f"rotate(-90 19 {middle:.0f})"),
        ]  # fmt: skip
        return h("g", parts, aria_hidden="true")

    def _zone(self, low: float, high: float, kind: str, hatch: str) -> Markup:
        left, foot = self.place(low, self.y.low)
        right, head = self.place(high, self.y.high)
        width = max(right - left, 3.0)
        left = min(left, WIDTH - _RIGHT - width)
        if kind == "hatched":
            return h("rect", x=f"{left:.1f}", y=f"{foot - 16:.1f}", width=f"{width:.1f}",
                     height=16, fill=f"url(#{hatch})")  # fmt: skip
        return h("rect", x=f"{left:.1f}", y=f"{head:.1f}", width=f"{width:.1f}",
                 height=f"{foot - head:.1f}", class_="zone")  # fmt: skip

    def _band(self) -> Markup | None:
        if not self.band:
            return None
        upper = [self.place(x, high) for x, _, high in self.band]
        lower = [self.place(x, low) for x, low, _ in reversed(self.band)]
        return h("path", d=f"{_path([*upper, *lower])}Z", class_="band")

    def _vertical(self, x: float) -> Markup:
        across, foot = self.place(x, self.y.low)
        return h("path", d=f"M{across:.1f} {_TOP}V{foot:.1f}", class_="down")

    def _mark(self, x: float, y: float, kind: str, label: str) -> Markup:
        across, down = self.place(x, y)
        shape = _triangle(across, down, kind)
        if not label:
            return shape
        anchor = "start" if across < 0.62 * WIDTH else "end"
        side = 13 if anchor == "start" else -13
        height = down - 13 if kind == "max" else down + 26
        height = min(max(height, _TOP + 6), HEIGHT - _BOTTOM - 6)
        return join(
            shape,
            h("text", label, x=f"{across + side:.1f}", y=f"{height:.1f}", text_anchor=anchor,
              class_="label"),
        )  # fmt: skip


def _triangle(x: float, y: float, kind: str) -> Markup:
    """A maximum points up and is filled, a minimum points down and is hollow."""
    side = -7.5 if kind == "max" else 7.5
    base = y - side * 0.7
    d = f"M{x:.1f} {y + side:.1f}L{x - 7:.1f} {base:.1f}L{x + 7:.1f} {base:.1f}Z"
    return h("path", d=d, class_="best" if kind == "max" else "low")


def _circle(place: tuple[float, float], radius: int, class_: str) -> Markup:
    return h("circle", cx=f"{place[0]:.1f}", cy=f"{place[1]:.1f}", r=radius, class_=class_)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def padded(values: Iterable[float]) -> Scale:
    """A linear scale around values, with a little room; flat values get room all the same."""
    known = list(values)
    low, high = min(known), max(known)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Scale(low - room, high + room)


def spread(thetas: Sequence[float]) -> Scale:
    """A scale for a parameter: by its logarithm where it spans much."""
    low, high = thetas[0], thetas[-1]
    positive = [theta for theta in thetas if theta > 0]
    if not positive or low < 0 or high / min(positive) <= 8:
        return Scale(low, high)
    return Scale(low, high, "log") if low > 0 else Scale(low, high, "shifted", high / SHIFTED)
