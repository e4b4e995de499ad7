"""Time-series charts: a figure that charts.js draws in, and under it the same numbers as a table for everybody.

The data, from the view and from the chart's own URL alike:
`{"series": [{"label", "unit", "points": [[unix seconds, value or null], ...]}], "from", "to"}` and optionally
`"step"` (seconds between points), `"threshold": {"value", "label"}`, `"marks": [{"at", "label"}]`.
"""

from datetime import UTC, datetime
from zlib import crc32

from django import template
from django.utils import timezone

from config import formats

register = template.Library()


@register.inclusion_tag("partials/chart.html")
def chart(
    title: str,
    src: str,
    data: dict | None = None,
    topic: str = "",
    subtitle: str = "",
    unit: str = "",
) -> dict:
    """A chart card: `{% chart "CPU" src=url data=cpu topic="fleet" subtitle="mean and highest, last hour" %}`."""
    series = data["series"] if data else []
    return {
        "id": f"chart-{crc32(src.encode()):08x}",  # the same on each render, so that a morph finds its chart
        "title": title,
        "subtitle": subtitle,
        "src": src,
        "topic": topic,
        "unit": unit or (series[0].get("unit", "") if series else ""),
        "data": data,
        "summary": summary(title, subtitle, series),
        "heads": [one["label"] for one in series],
        "rows": rows(series),
        "zone": timezone.localtime(timezone.now()).strftime("%Z"),
    }


def summary(title: str, subtitle: str, series: list[dict]) -> str:
    """What the chart shows in one sentence: what, range, lowest, highest, now."""
    parts = []
    for one in series:
        known = [value for _, value in one["points"] if value is not None]
        if not known:
            parts.append(f"{one['label']} no data")
            continue
        lowest, highest, last = (
            formats.with_unit(value, one.get("unit", "")) for value in (min(known), max(known), known[-1])
        )
        parts.append(f"{one['label']} lowest {lowest}, highest {highest}, now {last}")
    return f"{', '.join(filter(None, (title, subtitle)))}: {'; '.join(parts) or 'no data'}."


def rows(series: list[dict]) -> list[tuple[datetime, list[str]]]:
    """The table under the chart: one row a moment, newest first, one cell a series."""
    columns = [dict(map(tuple, one["points"])) for one in series]
    moments = sorted({moment for column in columns for moment in column}, reverse=True)
    return [
        (
            timezone.localtime(datetime.fromtimestamp(moment, UTC)),
            [
                formats.with_unit(column[moment], one.get("unit", "")) if column.get(moment) is not None else "no data"
                for column, one in zip(columns, series, strict=True)
            ],
        )
        for moment in moments
    ]
