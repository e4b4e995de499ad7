"""Moments on a page: relative in lists, absolute with the zone in details, always with the ISO value."""

from datetime import UTC, datetime, tzinfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.formats import relative

register = template.Library()


@register.simple_tag
def ago(moment: datetime | None, never: str = "never", stale_after_s: int | None = None) -> SafeString:
    """`4 s ago`, kept fresh by ui.js, with the absolute time on hover.

    With `stale_after_s` the closest element with class `may-stale` turns grey once the moment is older than that.
    """
    if moment is None:
        return format_html('<span class="muted">{}</span>', never)
    stale = format_html(' data-stale-after="{}"', stale_after_s) if stale_after_s else ""
    return format_html(
        '<time datetime="{}" title="{}" data-relative{}>{}</time>',
        iso(moment),
        absolute(moment),
        stale,
        relative(moment, timezone.now()),
    )


@register.simple_tag
def since(moment: datetime) -> SafeString:
    """`6 min`: how long it is since then, kept fresh like `ago`. For chips: "Silent for 6 min"."""
    return format_html(
        '<time datetime="{}" title="since {}" data-relative="for">{}</time>',
        iso(moment),
        absolute(moment),
        relative(moment, timezone.now()).removesuffix(" ago"),
    )


@register.simple_tag
def at(moment: datetime | None, never: str = "never") -> SafeString:
    """The absolute time with its zone as text, UTC on hover: `22 Nov 2026, 08:20:20 CET`."""
    if moment is None:
        return format_html('<span class="muted">{}</span>', never)
    return format_html('<time datetime="{}" title="{}">{}</time>', iso(moment), absolute(moment, UTC), absolute(moment))


def iso(moment: datetime) -> str:
    """UTC with milliseconds and `Z`, as the API writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def absolute(moment: datetime, zone: tzinfo | None = None) -> str:
    """In `zone`, by default the reader's."""
    local = timezone.localtime(moment, zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"
