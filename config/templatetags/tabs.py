"""The tabs of one instance: each is a page with an address. Pages that the product does not have are not offered."""

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config.api.permissions import ADMIN, DEVELOPER, VIEWER

register = template.Library()

# The name that the page gives as `tab`, its words, its route, and the least role.
TABS = (
    ("overview", "Overview", "ui:instance", VIEWER),
    ("metrics", "Metrics", "ui:instance-metrics", VIEWER),
    ("logs", "Logs", "ui:instance-logs", VIEWER),
    ("files", "Log files", "ui:instance-files", VIEWER),
    ("events", "Events", "ui:instance-events", VIEWER),
    ("commands", "Commands", "ui:instance-commands", VIEWER),
    ("terminal", "Terminal", "ui:instance-terminal", DEVELOPER),
    ("backups", "Backups", "ui:instance-backups", VIEWER),
    ("extensions", "Extensions", "ui:instance-extensions", VIEWER),
    ("packages", "Packages", "ui:instance-packages", VIEWER),
    ("security", "Security", "ui:instance-security", VIEWER),
    ("costs", "Cost", "ui:instance-costs", VIEWER),
    ("audit", "Audit", "ui:instance-audit", ADMIN),
)


@register.simple_tag(takes_context=True)
def instance_tabs(context: template.Context, current: str) -> SafeString:
    """Links to the pages of `instance` that exist and that the reader may open."""
    instance, principal = context["instance"], context["request"].principal
    return format_html_join(
        "\n",
        '<a href="{}"{}>{}</a>',
        (
            (url, SafeString(' aria-current="page"') if name == current else "", words)
            for name, words, route, role in TABS
            if (url := _address(route, instance.pk))
            and (principal.may(role, team_id=instance.team_id) if role != ADMIN else principal.may(ADMIN))
        ),
    )


def _address(route: str, pk: str) -> str:
    try:
        return reverse(route, args=[pk])
    except NoReverseMatch:
        return ""
