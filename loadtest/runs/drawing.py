"""Line charts as SVG, for places where no script draws: the report in one file, two runs compared, a planned load."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config import formats

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 72, 12, 10, 28
DASHES = ("", "6 4", "2 3", "10 3 2 3", "12 4", "4 2")

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Curve:
    """One line; `points` are (seconds since the start, value), None is a gap. `series` picks colour and dashes."""

    label: str
    points: Sequence[Point]
    series: int = 1


def ticks_between(top: float, count: int = 4, *, binary: bool = False) -> list[float]:
    """Round numbers from 0 to at least `top`, round in powers of two for bytes; to 1 when there is nothing."""
    top = top or 1
    rough = top / count
    if binary:
        step = 2.0 ** math.ceil(math.log2(rough))
        return [step * number for number in range(math.ceil(top / step) + 1)]
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    return [step * number for number in range(math.ceil(top / step - 1e-9) + 1)]


def line_chart(title: str, curves: Sequence[Curve], unit: str, *, limit: float | None = None) -> SafeString:
    """The chart with axes from 0, seconds below; `limit` is a dashed line across."""
    known = [(x, y) for curve in curves for x, y in curve.points if y is not None]
    marks_y = ticks_between(max([limit or 0, *(y for _, y in known)]), binary=unit.startswith("B"))
    marks_x = ticks_between(max([x for x, _ in known], default=0), 5)
    top, right = marks_y[-1], max([x for x, _ in known], default=1) or 1
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(x: float) -> str:
        return f"{LEFT + wide * x / right:.1f}"

    def down(y: float) -> str:
        return f"{TOP + high * (1 - y / top):.1f}"

    grid = format_html_join(
        "",
        '<path class="grid-line" d="M{} {}H{}"/>'
        '<text x="{}" y="{}" text-anchor="end" dominant-baseline="middle">{}</text>',
        ((LEFT, down(y), WIDTH - RIGHT, LEFT - 6, down(y), formats.with_unit(y, unit)) for y in marks_y),
    )
    below = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        ((across(x), HEIGHT - 8, formats.duration(x)) for x in marks_x if x <= right * 0.97),
    )
    lines = format_html_join(
        "",
        '<path class="curve s{}" d="{}" stroke-dasharray="{}"/>',
        ((curve.series, _path(curve.points, across, down), DASHES[(curve.series - 1) % 6]) for curve in curves),
    )
    bound = SafeString("")
    if limit is not None:
        bound = format_html('<path class="limit" d="M{} {}H{}"/>', LEFT, down(limit), WIDTH - RIGHT)
    return format_html(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        _sentence(title, curves, unit),
        grid,
        below,
        lines,
        bound,
    )


def legend(curves: Sequence[Curve]) -> SafeString:
    """The names of the lines, each with a piece of it."""
    return format_html(
        '<p class="legend">{}</p>',
        format_html_join(
            "",
            '<span><svg width="24" height="8" aria-hidden="true"><path class="curve s{}" d="M0 4H24" '
            'stroke-dasharray="{}"/></svg> {}</span>',
            ((curve.series, DASHES[(curve.series - 1) % 6], curve.label) for curve in curves),
        ),
    )


def _path(points: Sequence[Point], across: Callable[[float], str], down: Callable[[float], str]) -> str:
    written, pen_up = [], True
    for x, y in points:
        if y is not None:
            written.append(f"{'M' if pen_up else 'L'}{across(x)} {down(y)}")
        pen_up = y is None
    return "".join(written)


def _sentence(title: str, curves: Sequence[Curve], unit: str) -> str:
    parts = []
    for curve in curves:
        values = [y for _, y in curve.points if y is not None]
        if not values:
            parts.append(f"{curve.label} no data")
            continue
        low, high, last = (formats.with_unit(value, unit) for value in (min(values), max(values), values[-1]))
        parts.append(f"{curve.label} lowest {low}, highest {high}, last {last}")
    return f"{title}: {'; '.join(parts)}."
