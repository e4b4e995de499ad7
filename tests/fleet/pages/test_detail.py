"""The pages of one instance, and what may be done there."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fleet.instances.models import Event, Instance, Inventory
from fleet.metrics.recording import record
from fleet.metrics.samples import Beat, Sample, checked
from tests.factories import make_team
from tests.fleet.pages.conftest import awaited, reporting, silent

PARTS = ("chip", "actions", "now", "activity")


def measured(instance: Instance, **figures: float) -> None:
    now = timezone.now()
    for seconds in (20, 10, 0):
        at = now - timedelta(seconds=seconds)
        record([checked(Beat(instance_id=instance.pk, at=at, sample=Sample(**figures), uptime_s=90), now=now)], now=now)


@pytest.mark.django_db(transaction=True)
def test_figures_charts_processes_and_events(browser):
    instance = reporting("web-1", tags={"role": "web"})
    measured(instance, cpu_pct=37.5, mem_used=2**30, mem_total=2**32, disk_used=10, disk_total=40)
    rows = [{"pid": 7, "name": "postgres", "cpu_percent": 12.5, "memory_bytes": 2**20, "user": "db"}]
    Inventory.objects.create(instance=instance, processes=rows, processes_at=timezone.now())
    Event.objects.create(instance=instance, type="SUSPEND", metadata={"by": "someone@example.org"})
    page = browser().get(f"/instances/{instance.pk}/").text
    assert "37.5 %" in page and "1 GiB of 4 GiB" in page
    assert '"label":"CPU"' in page.replace(" ", "") and "[[" in page
    assert "postgres" in page and "12.5 %" in page and "1 MiB" in page
    assert "by someone@example.org" in page
    assert "?label=role%3Dweb" in page


def test_not_reported_is_said(browser):
    page = browser().get(f"/instances/{reporting('web-1').pk}/").text
    assert "Not reported" in page and "no data" in page


def test_silent_instance_shows_its_last_figures_as_such(browser):
    page = browser().get(f"/instances/{silent('db-1').pk}/").text
    assert re.search(r"<strong>Silent for <time[^>]*>6 min</time>", page)
    assert 'class="grid may-stale stale"' in page and "42 %" in page


def test_who_never_reported_says_how_to_connect(browser):
    instance = awaited("new-1")
    url = f'href="/instances/{instance.pk}/connect/"'
    assert url in browser("OPERATOR").get(f"/instances/{instance.pk}/").text
    assert url not in browser("VIEWER").get(f"/instances/{instance.pk}/").text


def test_other_teams_instances_are_not_there(browser):
    theirs = reporting("theirs", team=make_team())
    client = browser("OPERATOR")
    for path in ("", "metrics/", "connect/", "remove/", *(f"parts/{part}/" for part in PARTS)):
        assert client.get(f"/instances/{theirs.pk}/{path}").status_code == 404, path
    assert client.post(f"/instances/{theirs.pk}/suspend/").status_code == 404
    assert client.get("/instances/unknown/").status_code == 404


def test_parts_are_what_the_page_shows(browser):
    instance, client = reporting("web-1"), browser("OPERATOR")
    page = client.get(f"/instances/{instance.pk}/").text
    for part in PARTS:
        fragment = client.get(f"/instances/{instance.pk}/parts/{part}/")
        assert fragment.status_code == 200
        assert f'id="instance-{part}"' in fragment.text and f'id="instance-{part}"' in page
        assert "<html" not in fragment.text
    assert client.get(f"/instances/{instance.pk}/parts/nonsense/").status_code == 404


@pytest.mark.parametrize(
    ("role", "status", "offered"),
    [
        ("VIEWER", "RUNNING", []),
        ("DEVELOPER", "RUNNING", []),
        ("OPERATOR", "RUNNING", ["suspend", "remove"]),
        ("OPERATOR", "SUSPENDED", ["resume", "remove"]),
        ("OPERATOR", "STOPPED", ["resume"]),
        ("OPERATOR", "DESTROYING", []),
        ("ADMIN", "ERROR", ["resume", "remove"]),
    ],
)
def test_actions_follow_role_and_state(browser, role, status, offered):
    instance = reporting("web-1", status=status)
    page = browser(role).get(f"/instances/{instance.pk}/").text
    assert re.findall(rf'(?:action|href)="/instances/{instance.pk}/(suspend|resume|remove)/"', page) == offered


def test_team_raises_a_person_for_its_instances_only(browser):
    team = make_team()
    ours, all_ours = reporting("ours", team=team), reporting("everybodys")
    client = browser("VIEWER", teams={team: "OPERATOR"})
    assert client.post(f"/instances/{ours.pk}/suspend/").status_code == 302
    assert client.post(f"/instances/{all_ours.pk}/suspend/").status_code == 403
    ours.refresh_from_db()
    all_ours.refresh_from_db()
    assert (ours.status, all_ours.status) == ("SUSPENDED", "RUNNING")


def test_suspend_and_resume_by_plain_forms(browser):
    instance, client = reporting("web-1"), browser("OPERATOR")
    answer = client.post(f"/instances/{instance.pk}/suspend/", follow=True)
    assert answer.redirect_chain == [(f"/instances/{instance.pk}/", 302)]
    assert "web-1: suspended." in answer.text
    again = client.post(f"/instances/{instance.pk}/suspend/", follow=True)
    assert "cannot be suspended" in again.text
    client.post(f"/instances/{instance.pk}/resume/")
    instance.refresh_from_db()
    assert instance.status == "RUNNING"


def test_removal_is_asked_for_first(browser):
    instance, client = reporting("web-1"), browser("OPERATOR")
    asked = client.get(f"/instances/{instance.pk}/remove/")
    assert "Remove web-1?" in asked.text and "Its machine keeps running" in asked.text
    instance.refresh_from_db()
    assert instance.status == "RUNNING"
    client.post(f"/instances/{instance.pk}/remove/")
    instance.refresh_from_db()
    assert instance.status == "STOPPED"
    assert client.get(f"/instances/{instance.pk}/suspend/").status_code == 404
    assert client.post(f"/instances/{instance.pk}/nonsense/").status_code == 404


def test_a_form_of_another_site_is_refused(browser):
    instance = reporting("web-1")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser("OPERATOR").cookies
    assert strict.post(f"/instances/{instance.pk}/suspend/").status_code == 403


class TestMetrics:
    @pytest.mark.django_db(transaction=True)
    def test_charts_of_what_was_measured_and_the_step(self, browser):
        instance = reporting("web-1")
        measured(instance, cpu_pct=37.5)
        page = browser().get(f"/instances/{instance.pk}/metrics/?range=24h").text
        assert "Last 24 hours, one point each sample." in page
        assert "Not reported in this time: memory, disk" in page
        assert page.count("<figure") == 1

    def test_custom_range_is_in_the_readers_zone_and_does_not_move(self, browser):
        instance = reporting("web-1")
        page = browser().get(f"/instances/{instance.pk}/metrics/?from=2026-11-01T10:00&to=2026-11-02T10:00").text
        assert "1 Nov 2026, 10:00:00 UTC to 2 Nov 2026, 10:00:00 UTC" in page
        assert "data-chart-topic" not in page

    @pytest.mark.parametrize(
        ("query", "fault"),
        [
            ("from=2026-11-02T10:00&to=2026-11-01T10:00", "The range must begin before it ends."),
            ("from=nonsense&to=2026-11-01T10:00", "Give both ends of the range"),
            ("from=2020-11-02T10:00&to=2026-11-01T10:00", "at most 366 days"),
            ("to=9999-99-99T10:00", "Give both ends of the range"),
        ],
    )
    def test_impossible_range_is_said_and_the_usual_one_shown(self, browser, query, fault):
        answer = browser().get(f"/instances/{reporting('web-1').pk}/metrics/?{query}")
        assert answer.status_code == 200
        assert fault in answer.text and "Last hour" in answer.text


def test_queries_do_not_grow_with_what_happened(browser, django_assert_max_num_queries):
    instance, client = reporting("web-1"), browser()
    counts = []
    for events in (2, 30):
        Event.objects.bulk_create(Event(instance=instance, type="CONNECT") for _ in range(events))
        with django_assert_max_num_queries(25) as captured:
            client.get(f"/instances/{instance.pk}/")
        counts.append(len(captured))
    assert counts[0] == counts[1]
