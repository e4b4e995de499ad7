"""What the frame around every page knows: open critical alerts, demo data, and a banner when the platform is unwell."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from alerts.demo.queries import NOTHING, ids
from alerts.inbox.queries import unread_count
from alerts.overview.queries import open_critical
from alerts.silences.queries import active_count
from config import health
from config.api.permissions import ADMIN
from monitors.licence.services import limit_reached


def frame(request: HttpRequest) -> dict[str, Any]:
    """A context processor."""
    return {"frame": Frame(request)}


class Frame:
    """Each fact is looked up when a template asks for it, and not before."""

    def __init__(self, request: HttpRequest) -> None:
        self._principal = getattr(request, "principal", None)

    @cached_property
    def open_critical(self) -> int:
        return open_critical(self._principal) if self._principal else 0

    @cached_property
    def active_silences(self) -> int:
        return active_count() if self._principal else 0

    @cached_property
    def unread(self) -> int:
        """Messages of this person in the product."""
        return unread_count(self._principal.user) if self._principal else 0

    @cached_property
    def demo(self) -> frozenset[str]:
        """The ids of demo things, for their chips."""
        return ids() if self._principal else NOTHING

    @cached_property
    def banner(self) -> dict[str, str] | None:
        """The one thing that everybody should know now."""
        if self._principal is None:
            return None
        if self.demo:
            link = "Remove" if self._principal.may(ADMIN) else "What is that?"
            return {"text": "Demo data is loaded.", "tone": "maintenance", "url": reverse("ui:demo"), "link": link}
        return banner()


def banner() -> dict[str, str] | None:
    """What is wrong with the platform itself."""
    if sentence := limit_reached():
        return {"text": sentence, "tone": "warning"}
    age = health.worker_age_s()
    if age is not None and age > health.WORKER_SILENT_S:
        return {"text": f"Scheduled work is late: the last tick was {age / 60:.0f} min ago.", "tone": "warning"}
    return None
