"""What the public sees: a name, a state, 90 days. Nothing of machines, addresses, scripts or errors."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from monitors.monitors.models import Monitor
from monitors.runs.models import GOOD, Status
from monitors.status_page.models import PublicMonitor, StatusNote, StatusPage
from monitors.uptime import queries as uptime
from monitors.uptime.queries import Share

NOTES_SHOWN = 10


@dataclass(frozen=True)
class Line:
    """One monitor as the public sees it: `state` is up, down or unknown."""

    id: UUID
    name: str
    about: str
    state: str
    checked_at: datetime | None
    days: dict[date, Share]

    @property
    def uptime(self) -> float | None:
        """Percent of 90 days; None without checks."""
        return uptime.total(self.days, uptime.LONGEST).percent


@dataclass(frozen=True)
class View:
    """All of the page. `state` is up (all are), down (some are), or unknown."""

    title: str
    about: str
    noindex: bool
    made_at: datetime
    lines: list[Line]
    notes: list[StatusNote]

    @property
    def down(self) -> int:
        return sum(line.state == "down" for line in self.lines)

    @property
    def state(self) -> str:
        states = {line.state for line in self.lines}
        return "down" if "down" in states else "up" if states == {"up"} else "unknown"


def view(page: StatusPage, now: datetime) -> View:
    """Five queries, whatever the number of monitors."""
    shown = list(PublicMonitor.objects.select_related("monitor").order_by("place", "pk"))
    days = uptime.days([one.monitor_id for one in shown], now)
    lines = [
        Line(one.pk, one.name, one.about, state(one.monitor), one.monitor.last_run_at, days[one.monitor_id])
        for one in shown
    ]
    notes = list(StatusNote.objects.order_by("-posted_at", "pk")[:NOTES_SHOWN])
    return View(page.title, page.about, page.noindex, now, lines, notes)


def state(monitor: Monitor) -> str:
    """Up or down after the newest check; unknown while paused, before the first check and after a cancelled one."""
    if not monitor.enabled or monitor.last_status in (None, Status.CANCELLED):
        return "unknown"
    return "up" if monitor.last_status in GOOD else "down"
