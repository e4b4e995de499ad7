"""More pages of one instance: events a page at a time, extensions as reported, audit, marks in charts; saved views."""

import re
from datetime import timedelta

from django.utils import timezone

from alerts.incidents.models import Alert
from fleet.instances.models import Event, Inventory
from security.saved.models import SavedView
from tests.factories import make_team
from tests.fleet.pages.conftest import reporting


def moments(page: str) -> list[str]:
    return re.findall(r'<tr id="event-([^"]+)">', page)


def older(page: str) -> str:
    found = re.search(r'rel="next" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


class TestEvents:
    def test_pages_by_cursor_hold_every_event_once(self, browser):
        instance, now = reporting("web-1"), timezone.now()
        Event.objects.bulk_create(  # many at one moment: the id decides
            Event(instance=instance, type="CONNECT", timestamp=now - timedelta(seconds=n // 7)) for n in range(120)
        )
        client, address, seen = browser(), f"/instances/{instance.pk}/events/", []
        while address:
            page = client.get(address).text
            seen += moments(page)
            address = older(page) and f"/instances/{instance.pk}/events/{older(page)}"
        assert len(seen) == 120 == len(set(seen))

    def test_one_kind_alone(self, browser):
        instance = reporting("web-1")
        Event.objects.create(instance=instance, type="SUSPEND", metadata={"by": "Ann"})
        Event.objects.create(instance=instance, type="RESUME")
        page = browser().get(f"/instances/{instance.pk}/events/?type=suspend").text
        assert len(moments(page)) == 1 and "by Ann" in page
        assert "No event of this kind" in browser().get(f"/instances/{instance.pk}/events/?type=backup").text

    def test_cursors_and_kinds_of_nobody_are_the_first_page(self, browser):
        instance = reporting("web-1")
        Event.objects.create(instance=instance, type="SUSPEND", metadata=["odd"])
        for odd in ("before=x", "before=2026-01-01,x", "before=%00", "type=nothing"):
            assert len(moments(browser().get(f"/instances/{instance.pk}/events/?{odd}").text)) == 1


def test_extensions_are_those_that_were_reported(browser):
    instance = reporting("web-1", extensions=["docker", "nodejs"])
    page = browser().get(f"/instances/{instance.pk}/extensions/").text
    assert page.count(">not reported<") == 4 and "Healthy" not in page
    told = [{"name": "docker", "status": "degraded", "version": "27.3", "since": timezone.now().isoformat()}]
    Inventory.objects.create(instance=instance, extensions=told, extensions_at=timezone.now())
    page = browser().get(f"/instances/{instance.pk}/extensions/").text
    assert "Degraded" in page and "27.3" in page and page.count(">not reported<") == 2


def test_audit_is_for_administrators(browser):
    instance = reporting("web-1")
    address = f"/instances/{instance.pk}/audit/"
    assert browser("OPERATOR").get(address).status_code == 403
    assert address not in browser("OPERATOR").get(f"/instances/{instance.pk}/").text
    admin = browser("ADMIN")
    assert "Nobody has changed this instance" in admin.get(address).text
    admin.post(f"/instances/{instance.pk}/suspend/")
    page = admin.get(address).text
    assert "SUSPEND" in page and page.count("Details of entry") == 1


def test_pages_of_what_the_reader_may_not_see_are_not_there(browser):
    instance = reporting("web-1", team=make_team())
    for tab in ("events", "extensions"):
        assert browser().get(f"/instances/{instance.pk}/{tab}/").status_code == 404


def test_charts_mark_what_happened(api):
    instance, now = reporting("web-1"), timezone.now()
    Event.objects.create(instance=instance, type="SUSPEND", timestamp=now - timedelta(minutes=5))
    Event.objects.create(instance=instance, type="CONNECT", timestamp=now - timedelta(minutes=4))
    Alert.objects.create(
        source="rule", type="THRESHOLD", severity="HIGH", title="x", message="x", dedupe_key="x", instance=instance,
        fired_at=now - timedelta(minutes=2),
    )  # fmt: skip
    chart = api().get(f"/api/v1/metrics/chart?instanceId={instance.pk}").json()
    assert [mark["label"] for mark in chart["marks"]] == ["Suspended", "Alert"]
    assert "marks" not in api().get("/api/v1/metrics/chart").json()


class TestSavedViews:
    def test_kept_for_oneself_shown_and_forgotten(self, browser):
        reporting("web-1")
        client = browser()
        given = {"name": " Silent  ones ", "query": "state=silent&page=3&q=&sort=-cpu"}
        answer = client.post("/account/views/instances/", given)
        assert answer.url == "/instances/?sort=-cpu&state=silent"
        page = client.get(answer.url).text
        assert re.search(r'href="\?sort=-cpu&amp;state=silent" aria-current="page">Silent ones<', page)
        assert "Silent ones" not in browser().get("/instances/").text
        view = SavedView.objects.get()
        browser().post(f"/account/views/instances/{view.pk}/forget/")
        assert SavedView.objects.exists()
        client.post(f"/account/views/instances/{view.pk}/forget/")
        assert not SavedView.objects.exists()

    def test_one_name_is_one_view_and_bad_ones_are_refused(self, browser):
        client = browser()
        for query in ("state=silent", "state=error"):
            client.post("/account/views/instances/", {"name": "mine", "query": query})
        assert SavedView.objects.get().query == "state=error"
        for name, query in (("", "q=x"), ("x" * 61, "q=x"), ("long", "q=" + "x" * 2000)):
            assert client.post("/account/views/instances/", {"name": name, "query": query}).status_code == 302
        assert SavedView.objects.count() == 1


def test_the_list_counts_open_alerts_and_sorts_by_them(browser):
    calm, busy = reporting("a-quiet"), reporting("b-busy")
    for number in range(2):
        Alert.objects.create(
            source="rule", type="THRESHOLD", severity="HIGH", title="x", message="x", dedupe_key=f"x{number}",
            instance=busy, fired_at=timezone.now(),
        )  # fmt: skip
    page = browser("DEVELOPER").get("/instances/?sort=-alerts").text
    assert page.index(">b-busy<") < page.index(">a-quiet<")
    assert "2 open alerts of b-busy" in page and f'name="instance" value="{calm.pk}"' in page
    assert 'name="instance"' not in browser("VIEWER").get("/instances/").text
