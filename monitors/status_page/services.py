"""What changes the public status page. The page is kept ready for some seconds, so each change throws that away."""

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Max

from config.api.authentication import Principal
from config.api.errors import Conflict
from monitors.monitors.models import Monitor
from monitors.status_page.models import PublicMonitor, StatusNote, StatusPage
from security.audit.services import record

CACHE_KEY, CACHE_S = "status-page", 20
MOST_SHOWN, MOST_NOTES = 100, 200


def get_page() -> StatusPage:
    return StatusPage.objects.get_or_create(pk=StatusPage.ONLY)[0]


@transaction.atomic
def change_page(*, actor: Principal | None, fields: dict[str, Any]) -> StatusPage:
    """Set `enabled`, `title`, `about` and `noindex`."""
    page = get_page()
    before = facts(page)
    for name, value in fields.items():
        setattr(page, name, value)
    page.save()
    _changed("UPDATE", "settings", actor, before=before, after=facts(page))
    return page


@transaction.atomic
def show(*, monitor: Monitor, name: str, about: str = "", actor: Principal | None) -> PublicMonitor:
    """Put a monitor at the end of the page. Raises Conflict for one that is there, and for one too many."""
    if PublicMonitor.objects.filter(monitor=monitor).exists():
        raise Conflict(f"{monitor.name} is on the status page already.")
    if PublicMonitor.objects.count() >= MOST_SHOWN:
        raise Conflict(f"The status page shows at most {MOST_SHOWN} monitors.")
    last = PublicMonitor.objects.aggregate(last=Max("place"))["last"] or 0
    shown = PublicMonitor.objects.create(monitor=monitor, name=name, about=about, place=last + 1)
    _changed("CREATE", str(monitor.pk), actor, after={"name": name, "about": about})
    return shown


@transaction.atomic
def change_shown(*, shown: PublicMonitor, name: str, about: str, actor: Principal | None) -> None:
    before = {"name": shown.name, "about": shown.about}
    shown.name, shown.about = name, about
    shown.save(update_fields=["name", "about"])
    _changed("UPDATE", str(shown.monitor_id), actor, before=before, after={"name": name, "about": about})


@transaction.atomic
def move_up(*, shown: PublicMonitor, actor: Principal | None) -> None:
    """Before the one above it; the first one stays."""
    rows = list(PublicMonitor.objects.order_by("place", "pk"))
    at = rows.index(shown)
    if at:
        rows[at - 1], rows[at] = rows[at], rows[at - 1]
    for place, row in enumerate(rows, start=1):
        row.place = place
    PublicMonitor.objects.bulk_update(rows, ["place"])
    _changed("UPDATE", str(shown.monitor_id), actor, after={"place": at or 1})


@transaction.atomic
def hide(*, shown: PublicMonitor, actor: Principal | None) -> None:
    key, before = str(shown.monitor_id), {"name": shown.name}
    shown.delete()
    _changed("DELETE", key, actor, before=before)


@transaction.atomic
def post(*, kind: str, text: str, actor: Principal | None, now: datetime) -> StatusNote:
    """Tell people something. Raises Conflict when MOST_NOTES are there."""
    if StatusNote.objects.count() >= MOST_NOTES:
        raise Conflict(f"At most {MOST_NOTES} notes are kept. Take an old one away first.")
    note = StatusNote.objects.create(kind=kind, text=text, posted_at=now)
    _changed("CREATE", str(note.pk), actor, after={"kind": kind, "text": text})
    return note


@transaction.atomic
def take_back(*, note: StatusNote, actor: Principal | None) -> None:
    key, before = str(note.pk), {"kind": note.kind, "text": note.text}
    note.delete()
    _changed("DELETE", key, actor, before=before)


def facts(page: StatusPage) -> dict[str, Any]:
    return {name: getattr(page, name) for name in ("enabled", "title", "about", "noindex")}


def _changed(action: str, key: str, actor: Principal | None, **facts: Any) -> None:
    record(actor=actor, action=action, resource="status_page", resource_id=key, **facts)
    transaction.on_commit(lambda: cache.delete(CACHE_KEY))
