"""The frame around every page: navigation, theme, shortcuts."""

from dataclasses import dataclass

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from config.api.permissions import ADMIN, VIEWER

register = template.Library()

THEMES = ("system", "light", "dark")


@dataclass(frozen=True)
class Item:
    """One entry of the navigation. `key` follows `g` on the keyboard; `also` begins addresses that belong to it."""

    label: str
    icon: str
    url_name: str
    role: str = VIEWER
    key: str = ""
    also: tuple[str, ...] = ()


NAVIGATION: dict[str, tuple[Item, ...]] = {
    "Watch": (
        Item("Overview", "layout-dashboard", "ui:overview", key="o"),
        Item("Instances", "server", "ui:instances", key="i"),
        Item("Monitors", "activity", "ui:monitors", key="m", also=("/agents/", "/runs/")),
        Item("Alerts", "bell", "ui:alerts", key="a"),
        Item("Logs", "file-text", "ui:logs", key="l"),
    ),
    "Act": (Item("Commands", "terminal-2", "ui:commands"),),
    "Test": (
        Item("Load tests", "rocket", "ui:loadtest"),
        Item("Signals", "wave-sine", "ui:signals"),
        Item("Replay", "player-record", "ui:replay"),
    ),
    "Govern": (
        Item("Costs", "coin", "ui:costs"),
        Item("Security", "shield", "ui:security"),
        Item("Secrets", "lock", "ui:secrets"),
        Item("Audit", "history", "ui:audit", role=ADMIN),
        Item("Settings", "settings", "ui:settings"),
        Item("API docs", "book", "ui:api-docs"),
    ),
}


@register.inclusion_tag("partials/navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict:
    """The groups with the pages that exist and that this person's role can use."""
    request = context.get("request")
    principal = getattr(request, "principal", None)
    path = request.path if request else ""
    groups = []
    for name, items in NAVIGATION.items():
        links = []
        for item in items:
            url = address(item.url_name)
            if url and principal and principal.may_open(item.role):
                here = path == url or (url != "/" and path.startswith((url, *item.also)))
                links.append({"item": item, "url": url, "current": here})
        if links:
            groups.append({"name": name, "links": links})
    return {"groups": groups}


@register.simple_tag
def page_url(url_name: str) -> str:
    """The address of a page, or "" while the product has no such page."""
    return address(url_name)


def address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def demo_chip(context: template.Context, *keys: object) -> SafeString:
    """A chip for what belongs to the demo data: `{% demo_chip instance.pk %}`; several ids mean any of them."""
    known = getattr(context.get("frame"), "demo", ())
    if not known or not any(str(key) in known for key in keys if key):
        return SafeString("")
    return SafeString(' <span class="chip tone-maintenance"><span aria-hidden="true">■</span> demo</span>')


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """The theme for the first paint: this browser's cookie, else the person's setting, else the system's."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme") if request else None
    if chosen not in THEMES:
        chosen = getattr(getattr(request, "user", None), "theme", None)
    return chosen if chosen in THEMES else "system"


@register.simple_tag(takes_context=True)
def shortcuts(context: template.Context) -> str:
    """ "off" when this browser switched single-letter shortcuts off."""
    request = context.get("request")
    return "off" if request and request.COOKIES.get("shortcuts") == "off" else "on"
