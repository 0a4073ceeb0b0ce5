"""A plot with logarithmic axes, as plain SVG: no package is needed for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape

Curve = dict[float, float]  # heights above places

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 40, 50
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#5a3d8a")  # told apart by all
COPY_COLOUR = "#555555"


class _Axis:
    """Powers of ten from one end of the numbers to the other, and where on the picture a number is."""

    def __init__(self, numbers: list[float], start: float, end: float) -> None:
        self.low, self.high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))
        self.high = max(self.high, self.low + 1)
        self.start, self.end = start, end

    def __call__(self, number: float) -> float:
        share = (math.log10(number) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def powers(self) -> range:
        return range(self.low, self.high + 1)


def log_log(curves: Mapping[str, Curve], title: str, below: str, beside: str) -> str:
    """Return the picture of curves by name; the one called copy is dashed. All numbers must be above 0."""
    x = _Axis([place for curve in curves.values() for place in curve], LEFT, WIDTH - RIGHT)
    y = _Axis([height for curve in curves.values() for height in curve.values()], HEIGHT - BOTTOM, TOP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text((LEFT + WIDTH - RIGHT) / 2, 22, title, "middle"),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, below, "middle"),
        f'<g transform="rotate(-90 16 {HEIGHT / 2})">{_text(16, HEIGHT / 2, beside, "middle")}</g>',
        *_grid(x, y),
    ]
    for number, (name, curve) in enumerate(curves.items()):
        lines += _curve(name, curve, number, x, y)
    return "\n".join([*lines, "</svg>", ""])


def _grid(x: _Axis, y: _Axis) -> Iterator[str]:
    for power in x.powers:
        at = x(10.0**power)
        yield f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#dddddd"/>'
        yield _text(at, HEIGHT - BOTTOM + 16, f"1e{power}", "middle")
    for power in y.powers:
        at = y(10.0**power)
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
        yield _text(LEFT - 6, at + 4, f"1e{power}", "end")


def _curve(name: str, curve: Curve, number: int, x: _Axis, y: _Axis) -> Iterator[str]:
    is_copy = name == "copy"
    colour = COPY_COLOUR if is_copy else COLOURS[number % len(COLOURS)]
    points = " ".join(f"{x(place):.1f},{y(height):.1f}" for place, height in sorted(curve.items()))
    dashes = ' stroke-dasharray="6 4"' if is_copy else ""
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
    at = TOP + 18 * number
    side = WIDTH - RIGHT + 14
    yield f'<path d="M{side} {at}h20" stroke="{colour}" stroke-width="2"{dashes}/>'
    yield _text(side + 26, at + 4, name, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
