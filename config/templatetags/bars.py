"""A whole bar made of parts, as SVG made on the server."""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
HEIGHT, GAP = 10, 1
GOOD, FAIR = 0.75, 0.4  # shares of a part from which it looks good, and fair


@register.simple_tag
def parts_bar(parts: Sequence[tuple[str, int, int]], label: str) -> SafeString:
    """One bar of parts `(name, points, highest)`, each as wide as its highest and filled as far as its points."""
    drawn, begin = [], 0
    for name, points, highest in parts:
        share = points / highest
        tone = "good" if share >= GOOD else "warning" if share >= FAIR else "bad"
        drawn.append((tone, begin, highest - GAP, HEIGHT, f"{share * (highest - GAP):.1f}", name, points))
        begin += highest
    said = ", ".join(f"{name} {points} of {highest}" for name, points, highest in parts)
    return format_html(
        '<svg class="parts" viewBox="0 0 {0} {1}" preserveAspectRatio="none" role="img" aria-label="{2}">{3}</svg>',
        begin,
        HEIGHT,
        f"{label}: {said}",
        format_html_join(
            "",
            '<g class="tone-{0}"><rect class="track" x="{1}" width="{2}" height="{3}"/>'
            '<rect class="fill" x="{1}" width="{4}" height="{3}"/><title>{5}: {6}</title></g>',
            drawn,
        ),
    )
