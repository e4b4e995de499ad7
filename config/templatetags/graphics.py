"""Small pictures made on the server as SVG. Sizes are SVG attributes: the page allows no inline styles."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config import formats
from config.templatetags.times import absolute
from config.words import word

register = template.Library()

CHECKS = 40
BAR_STEP, BAR_WIDTH, BAR_HEIGHT = 5, 4, 18
# A result is told by height too, so that it needs no colour; 2 is the mark of a check without a result.
CHECK_HEIGHTS = {"pass": 18, "slow": 15, "fail": 12, "timeout": 9, "error": 6}


@register.simple_tag
def usage_bar(value: float | None, near: float = 75, full: float = 90) -> SafeString:
    """A percentage (0 to 100) as a small bar with its number; amber from `near`, red from `full`."""
    if value is None:
        return SafeString('<span class="usage muted">unknown</span>')
    tone = "bad" if value >= full else "warning" if value >= near else "good"
    return format_html(
        '<span class="usage tone-{}"><svg width="48" height="6" viewBox="0 0 48 6" aria-hidden="true">'
        '<rect class="track" width="48" height="6" rx="3"/><rect class="fill" width="{}" height="6" rx="3"/></svg>'
        '<span class="usage-number">{}</span></span>',
        tone,
        f"{48 * min(max(value, 0), 100) / 100:.1f}",
        formats.percent(value),
    )


@register.simple_tag
def check_bars(checks: Iterable[tuple[str, datetime | None]], label: str = "checks") -> SafeString:
    """The last 40 checks, newest at the right: `checks` holds `(status, moment)` in order of time."""
    shown = list(checks)[-CHECKS:]
    left = CHECKS - len(shown)
    bars = []
    counts: dict[str, int] = {}
    for place, (status, moment) in enumerate(shown, start=left):
        known = word("run", status)
        counts[known.text.lower()] = counts.get(known.text.lower(), 0) + 1
        height = CHECK_HEIGHTS.get(str(status).lower(), 2)
        title = f"{known.text}, {absolute(moment)}" if moment else known.text
        bars.append((known.tone, place * BAR_STEP, BAR_HEIGHT - height, BAR_WIDTH, height, title))
    empty = ((place * BAR_STEP, BAR_HEIGHT - 2, BAR_WIDTH) for place in range(left))
    summary = ", ".join(f"{count} {name}" for name, count in counts.items()) or "none yet"
    return format_html(
        '<svg class="checks" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">{3}{4}</svg>',
        CHECKS * BAR_STEP,
        BAR_HEIGHT,
        f"Last {len(shown)} {label}: {summary}" if shown else f"No {label} yet",
        format_html_join("", '<rect class="slot" x="{}" y="{}" width="{}" height="2"/>', empty),
        format_html_join(
            "",
            '<rect class="tone-{}" x="{}" y="{}" width="{}" height="{}" rx="1"><title>{}</title></rect>',
            bars,
        ),
    )


@register.simple_tag
def sparkline(values: Sequence[float | None], label: str, unit: str = "", highest: float | None = None) -> SafeString:
    """A line without axes from 0 to `highest` (or the highest value). None is a gap and is not bridged."""
    known = [value for value in values if value is not None]
    if not known:
        return format_html('<span class="muted">no {} yet</span>', label)
    width, height = 96, 24
    top = max(highest or max(known), 1e-9)
    step = width / max(len(values) - 1, 1)
    path, pen_up = [], True
    for number, value in enumerate(values):
        if value is not None:
            y = height - 1 - (height - 2) * min(max(value / top, 0), 1)
            path.append(f"{'M' if pen_up else 'L'}{number * step:.1f},{y:.1f}")
        pen_up = value is None
    text = f"{label}: lowest {formats.with_unit(min(known), unit)}, highest {formats.with_unit(max(known), unit)}"
    return format_html(
        '<svg class="sparkline" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">'
        '<path d="{3}"/></svg>',
        width,
        height,
        text,
        "".join(path),
    )


@register.simple_tag
def world_map(pins: Iterable[dict]) -> SafeString:
    """The world with a pin a place: `{lat, lon, tone, count, label, url?}`, degrees; a place without them is left out.

    Pins are sized by count. The same facts belong beside the map as a table, so the pins stay out of the tab order.
    """
    drawn = []
    for pin in pins:
        if pin.get("lat") is None or pin.get("lon") is None:
            continue
        radius = min(2 + float(pin.get("count", 1)) ** 0.5 / 2, 7)
        x, y = f"{pin['lon'] + 180:.2f}", f"{90 - pin['lat']:.2f}"
        drawn.append((pin.get("tone", "unknown"), x, y, f"{radius:.1f}", pin["label"]))
    return format_html(
        '<svg class="world" viewBox="0 5 360 145" role="img" aria-label="{}"><use href="{}#land"></use>{}</svg>',
        f"World map: {', '.join(pin[-1] for pin in drawn) or 'no places yet'}",
        static("vendor/world.svg"),
        format_html_join("", '<circle class="tone-{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>', drawn),
    )
