"""Which tools the form offers to whom, and why it does not offer the others."""

from dataclasses import dataclass

from django.http import HttpRequest

from config.api.permissions import ADMIN
from monitors.monitors.models import Tool
from monitors.tools.registry import TOOLS, refusal


@dataclass(frozen=True)
class Choice:
    """A tool in the form: `why` tells why it cannot be chosen."""

    name: str
    label: str
    why: str | None


def choices(request: HttpRequest) -> list[Choice]:
    """Every tool of the product, those that cannot be chosen here with the reason."""
    return [Choice(name, label, why_not(request, name)) for name, label in Tool.choices]


def chosen(request: HttpRequest) -> str:
    """The tool of the address, when it may be chosen; else the one that needs nothing."""
    name = request.GET.get("tool", "")
    return name if name in Tool.values and why_not(request, name) is None else Tool.HTTP


def why_not(request: HttpRequest, name: str) -> str | None:
    """Why this person may not use a tool here; None when they may."""
    if why := refusal(name):
        return why
    if TOOLS[name].unsandboxed and not request.principal.may(ADMIN):
        return "Its scripts run any code, so only administrators may use it."
    return None
