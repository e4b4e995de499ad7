"""Small pictures made on the server as SVG. Sizes are SVG attributes: the page allows no inline styles."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from config import formats
from config.templatetags.times import absolute
from config.words import word

register = template.Library()


class DayShare(Protocol):
    """Of `counted` things of a day, the percentage that was good; None when nothing counted."""

    @property
    def counted(self) -> int: ...

    @property
    def percent(self) -> float | None: ...


CHECKS = 40
BAR_STEP, BAR_HEIGHT = 5, 18  # a bar's width is in app.css
DAY_STEP, DAY_HEIGHT = 8, 28  # a bar's width is in app.css
HOUR_STEP, HOUR_HEIGHT = 10, 48  # a bar's width is in app.css
NEARLY_GOOD = 95  # percent of a day's checks
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
def count_bar(count: int, most: int, tone: str = "unknown") -> SafeString:
    """A count as a small bar against the highest of its table, with its number; nothing is drawn for 0."""
    return format_html(
        '<span class="usage tone-{}"><svg width="48" height="6" viewBox="0 0 48 6" aria-hidden="true">'
        '<rect class="fill" width="{}" height="6" rx="3"/></svg><span>{}</span></span>',
        tone,
        f"{max(2, 48 * count / most):.1f}" if count and most else "0",
        formats.number(count),
    )


@register.simple_tag
def check_bars(checks: Iterable[tuple[str, datetime | None]], label: str = "checks") -> SafeString:
    """The last 40 checks, newest at the right: `checks` holds `(status, moment)` in order of time.

    A list draws thousands of bars, so they are put together from parts that are escaped once for each status.
    """
    shown = list(checks)[-CHECKS:]
    left = CHECKS - len(shown)
    zone = timezone.get_current_timezone()
    drawn = [f'<rect class="slot" x="{place * BAR_STEP}" y="{BAR_HEIGHT - 2}" height="2"/>' for place in range(left)]
    for place, (status, moment) in enumerate(shown, start=left):
        start, end = _bar(status)
        when = f", {absolute(moment, zone)}" if moment else ""
        drawn.append(f'{start} x="{place * BAR_STEP}">{end}{when}</title></rect>')
    counts = Counter(word("run", status).text.lower() for status, _ in shown)
    summary = ", ".join(f"{count} {name}" for name, count in counts.items()) or "none yet"
    return format_html(
        '<svg class="checks" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">{3}</svg>',
        CHECKS * BAR_STEP,
        BAR_HEIGHT,
        f"Last {len(shown)} {label}: {summary}" if shown else f"No {label} yet",
        SafeString("".join(drawn)),
    )


@lru_cache(maxsize=64)
def _bar(status: str) -> tuple[str, str]:
    """What a bar of this status begins with, and how its title does."""
    known, height = word("run", status), CHECK_HEIGHTS.get(str(status).lower(), 2)
    return (
        f'<rect class="tone-{known.tone}" y="{BAR_HEIGHT - height}" height="{height}"',
        f"<title>{escape(known.text)}",
    )


@register.simple_tag
def day_bars(days: Mapping[date, DayShare], label: str = "checks") -> SafeString:
    """A bar for each day in order: full when all was good, lower the worse it was, a dot without anything known."""
    bars, known = [], 0
    for place, (day, share) in enumerate(days.items()):
        known += share.percent is not None
        tone, height = _day_look(share.percent)
        when = f"{day.day} {day:%b %Y}"
        counted = f"{formats.percent(share.percent)} of {formats.number(share.counted)} {label} good"
        said = counted if share.counted else f"no {label}"
        bars.append((tone, place * DAY_STEP, DAY_HEIGHT - height, height, f"{when}: {said}"))
    good = sum(share.percent == 100 for share in days.values())
    return format_html(
        '<svg class="days" viewBox="0 0 {0} {1}" preserveAspectRatio="none" role="img" aria-label="{2}">{3}</svg>',
        len(days) * DAY_STEP,
        DAY_HEIGHT,
        f"Last {len(days)} days: {good} wholly good, {known - good} with trouble, {len(days) - known} unknown",
        format_html_join("", '<rect class="tone-{}" x="{}" y="{}" height="{}"><title>{}</title></rect>', bars),
    )


@register.simple_tag
def hour_bars(hours: Sequence[tuple[datetime, int, int]], label: str) -> SafeString:
    """A bar for each hour: as high as there was much in it, its lower part what failed; a dot where nothing was."""
    top = max((count for _, count, _ in hours), default=0) or 1
    bars = []
    for place, (hour, count, failed) in enumerate(hours):
        said = f"{absolute(hour)}: {formats.number(count)} {label}, {formats.number(failed)} failed"
        height, low = max(2, round(HOUR_HEIGHT * count / top)), round(HOUR_HEIGHT * failed / top)
        bars.append(("good" if count else "unknown", place * HOUR_STEP, HOUR_HEIGHT - height, height, said))
        if low:
            bars.append(("bad", place * HOUR_STEP, HOUR_HEIGHT - low, low, said))
    whole, bad = sum(count for _, count, _ in hours), sum(failed for _, _, failed in hours)
    return format_html(
        '<svg class="hours" viewBox="0 0 {0} {1}" preserveAspectRatio="none" role="img" aria-label="{2}">{3}</svg>',
        len(hours) * HOUR_STEP,
        HOUR_HEIGHT,
        f"Last {len(hours)} hours: {formats.number(whole)} {label}, {formats.number(bad)} failed",
        format_html_join("", '<rect class="tone-{}" x="{}" y="{}" height="{}"><title>{}</title></rect>', bars),
    )


def _day_look(percent: float | None) -> tuple[str, int]:
    """Tone and height; a result is told by height too."""
    if percent is None:
        return "unknown", 3
    return ("good", DAY_HEIGHT) if percent == 100 else ("warning", 22) if percent >= NEARLY_GOOD else ("bad", 14)


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
