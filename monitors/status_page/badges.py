"""Badges: small pictures with a word and a value, to be shown on other sites."""

from django.utils.html import format_html

from config.formats import percent
from monitors.status_page.queries import Line

# Text on these is white; each has a contrast of 4.5 or more.
COLOURS = {"up": "#1a7436", "down": "#b3261e", "unknown": "#56606b"}
WORDS = {"up": "up", "down": "down", "unknown": "unknown"}
LETTER, MARGIN = 7, 8
GOOD = 99  # percent


def status(line: Line) -> str:
    """The state of now."""
    return badge(line.name, WORDS[line.state], COLOURS[line.state])


def uptime(line: Line) -> str:
    """The share of good checks of the last 90 days."""
    share = line.uptime
    return badge(
        "uptime 90 d", percent(share), COLOURS["unknown" if share is None else "up" if share >= 99 else "down"]
    )


def badge(label: str, value: str, colour: str) -> str:
    """An SVG of two fields. Widths are estimated from the letters, and the text is fitted into them."""
    left, right = (len(text) * LETTER for text in (label, value))
    first, whole = left + 2 * MARGIN, left + right + 4 * MARGIN
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{label}: {value}">'
        '<title>{label}: {value}</title><rect width="{whole}" height="20" rx="4" fill="{colour}"/>'
        '<path d="M4 0h{edge}v20H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="#3b434c"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        '<text x="{margin}" y="14" textLength="{left}" lengthAdjust="spacingAndGlyphs">{label}</text>'
        '<text x="{second}" y="14" textLength="{right}" lengthAdjust="spacingAndGlyphs">{value}</text></g></svg>',
        whole=whole,
        edge=first - 4,
        margin=MARGIN,
        second=first + MARGIN,
        left=left,
        right=right,
        label=label,
        value=value,
        colour=colour,
    )
