"""The bars above a list of lines as SVG; sizes are attributes, for the page allows no inline styles."""

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config import formats
from config.templatetags.times import absolute
from config.words import word
from fleet.logs.histogram import Bar, Histogram
from fleet.logs.models import Level

WIDTH, HEIGHT = 10, 64
LEAST = 2.0  # a level with any line is seen


def bars(histogram: Histogram) -> SafeString:
    """Stacked bars with the worst level at the bottom. `data-from` and `data-step` (Unix s, s) are for the script."""
    zone = timezone.get_current_timezone()
    drawn = []
    for place, bar in enumerate(histogram.bars):
        if bar.counts:
            drawn.append((f"{absolute(bar.since, zone)}: {_words(bar)}", _stack(bar, place, histogram.highest)))
    return format_html(
        '<svg class="log-bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}" data-from="{}"'
        ' data-step="{}" data-count="{}">{}</svg>',
        len(histogram.bars) * WIDTH,
        HEIGHT,
        f"Lines over time, at most {formats.number(histogram.highest)} in {formats.duration(histogram.step_s)}",
        int(histogram.bars[0].since.timestamp()),
        histogram.step_s,
        len(histogram.bars),
        format_html_join("", "<g><title>{}</title>{}</g>", drawn),
    )


def _stack(bar: Bar, place: int, highest: int) -> SafeString:
    left = float(HEIGHT)
    parts = []
    for level in reversed(Level):
        if number := bar.counts[level]:
            height = min(max(HEIGHT * number / highest, LEAST), left)
            left -= height
            parts.append((level.name.lower(), place * WIDTH + 1, f"{left:.1f}", WIDTH - 2, f"{height:.1f}"))
    return format_html_join("", '<rect class="level-{}" x="{}" y="{}" width="{}" height="{}"/>', parts)


def _words(bar: Bar) -> str:
    named = [(word("level", level.name).text.lower(), bar.counts[level]) for level in reversed(Level)]
    return ", ".join(f"{formats.number(number)} {name}" for name, number in named if number)
