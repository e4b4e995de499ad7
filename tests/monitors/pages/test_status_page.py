"""The public status page: off until it is switched on, and it tells nothing that was not chosen for it."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitors.runs import services as runs
from monitors.runs.models import Status
from monitors.status_page.models import PublicMonitor, StatusNote
from security.audit.models import AuditEntry
from tests.monitors.pages.conftest import text
from tests.monitors.pages.test_list import many

pytestmark = pytest.mark.django_db
SETTINGS = "/settings/status-page/"
ON = {"page-enabled": "on", "page-title": "Shop status", "page-about": "Ours", "page-noindex": "on"}


@pytest.fixture
def admin(browser: Any) -> Client:
    return browser("ADMIN")


@pytest.fixture(autouse=True)
def at_once(django_capture_on_commit_callbacks: Any) -> Any:
    """What happens after a commit happens at the end of each request."""
    with django_capture_on_commit_callbacks(execute=True):
        yield


def add(admin: Client, monitor: Any, **fields: str) -> PublicMonitor:
    answer = admin.post(f"{SETTINGS}add/", {"monitor": str(monitor.pk)})
    if fields:
        assert admin.post(answer["Location"], fields).status_code == 302
    cache.clear()
    return PublicMonitor.objects.get(monitor=monitor)


def end(monitor: Any, status: Status) -> None:
    run = runs.add(monitor=monitor, trigger="manual", now=timezone.now())
    error = ("worker_lost", "web-7.internal has no route") if status == Status.ERROR else None
    runs.finish(run=run, status=status, now=timezone.now(), error=error)


def test_it_does_not_exist_until_it_is_switched_on(admin: Client, create: Any) -> None:
    anybody = Client()
    shown = add(admin, create())
    for path in ("/status/", f"/status/{shown.pk}/status.svg"):
        assert anybody.get(path).status_code == 404
    assert admin.post(SETTINGS, ON).status_code == 302
    cache.clear()
    answer = anybody.get("/status/")
    assert answer.status_code == 200 and "Shop status" in text(answer)
    assert answer["X-Robots-Tag"] == "noindex" and "max-age=20" in answer["Cache-Control"]
    assert not answer.cookies and "csrf" not in answer.content.decode()
    assert admin.post(SETTINGS, {"page-title": "Shop status"}).status_code == 302
    cache.clear()
    assert anybody.get("/status/").status_code == 404


def test_it_shows_public_names_and_nothing_of_the_inside(admin: Client, create: Any) -> None:
    admin.post(SETTINGS, ON)
    monitor = create(name="probe web-7.internal", parameters={"API_KEY": "tiger-42"}, tags=["rack-9"])
    shown = add(admin, monitor, name="Basket", about="Where people pay")
    other = create(name="not chosen")
    end(monitor, Status.ERROR)
    end(other, Status.PASS)
    cache.clear()
    page = Client().get("/status/").content.decode()
    assert "Basket" in page and "Where people pay" in page and "1 of 1 does not work" in page
    badge = Client().get(f"/status/{shown.pk}/status.svg")
    assert badge["Content-Type"] == "image/svg+xml" and "Basket: down" in badge.content.decode()
    inside = ("web-7", "127.0.0.1", "tiger", "rack-9", "worker_lost", "not chosen", "http_", str(monitor.pk), "default")
    for secret in inside:
        assert secret not in page and secret not in badge.content.decode()


@pytest.mark.parametrize(
    ("status", "word", "badge"),
    [("pass", "Everything works", "100 %"), ("cancelled", "Not everything is known", "unknown")],
)
def test_state_and_uptime(admin: Client, create: Any, status: str, word: str, badge: str) -> None:
    admin.post(SETTINGS, ON)
    monitor = create()
    shown = add(admin, monitor)
    end(monitor, Status(status))
    cache.clear()
    assert word in text(Client().get("/status/"))
    assert f"uptime 90 d: {badge}" in Client().get(f"/status/{shown.pk}/uptime.svg").content.decode()
    assert Client().get(f"/status/{shown.pk}/else.svg").status_code == 404
    assert Client().post("/status/").status_code in (403, 405)


def test_it_is_made_once_for_many_readers_and_its_cost_does_not_grow(admin: Client) -> None:
    admin.post(SETTINGS, ON)
    for number, monitor in enumerate(many(30)):
        PublicMonitor.objects.create(monitor=monitor, name=f"Public {number}", place=number)
    cache.clear()
    with CaptureQueriesContext(connection) as first:
        assert Client().get("/status/").content.decode().count("<section") == 30
    assert len(first) <= 8
    with CaptureQueriesContext(connection) as again:
        Client().get("/status/")
    assert len(again) == 0


def test_order_and_notes(admin: Client, create: Any) -> None:
    admin.post(SETTINGS, ON)
    first, second = add(admin, create(name="First")), add(admin, create(name="Second"))
    assert "already" in text(admin.post(f"{SETTINGS}add/", {"monitor": str(first.monitor_id)}, follow=True))
    admin.post(f"{SETTINGS}{second.pk}/up/")
    admin.post(f"{SETTINGS}post/", {"note-kind": "problem", "note-text": "Payments <b>wait</b>"})
    cache.clear()
    page = Client().get("/status/").content.decode()
    assert page.index("Second") < page.index("First") and "Payments &lt;b&gt;wait" in page
    assert admin.post(f"{SETTINGS}post/", {"note-kind": "odd", "note-text": ""}).status_code == 422
    admin.post(f"{SETTINGS}notes/{StatusNote.objects.get().pk}/take-back/")
    admin.post(f"{SETTINGS}{second.pk}/hide/")
    cache.clear()
    page = Client().get("/status/").content.decode()
    assert "Second" not in page and "Payments" not in page
    assert AuditEntry.objects.filter(resource="status_page").count() == 7


def test_only_administrators_change_it(browser: Any, admin: Client, create: Any) -> None:
    shown = add(admin, create())
    operator = browser("OPERATOR")
    for path in (SETTINGS, f"{SETTINGS}{shown.pk}/"):
        assert operator.get(path).status_code == 403
    for path in ("add/", "post/", f"{shown.pk}/up/", f"{shown.pk}/hide/"):
        assert operator.post(SETTINGS + path).status_code == 403
    for key in ("", "seven", "6f1f2c8e-0000-4000-8000-000000000000"):
        assert admin.post(f"{SETTINGS}add/", {"monitor": key}).status_code == 404
