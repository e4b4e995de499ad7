"""What the frame around every page knows: open critical alerts and a banner when the platform itself is unwell."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from alerts.overview.queries import open_critical
from config import health


def frame(request: HttpRequest) -> dict[str, Any]:
    """A context processor; nothing is looked up before a template asks."""
    return {"frame": SimpleLazyObject(lambda: facts(request))}


def facts(request: HttpRequest) -> dict[str, Any]:
    principal = getattr(request, "principal", None)
    if principal is None:
        return {}
    return {"open_critical": open_critical(principal), "banner": banner()}


def banner() -> dict[str, str] | None:
    """The one thing about the platform that everybody should know now."""
    age = health.worker_age_s()
    if age is not None and age > health.WORKER_SILENT_S:
        return {"text": f"Scheduled work is late: the last tick was {age / 60:.0f} min ago.", "tone": "warning"}
    return None
