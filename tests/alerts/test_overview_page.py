"""The first page, the frame around every page, and the page on the platform's own state."""

import re
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from alerts.incidents import services
from alerts.incidents.models import Alert, Severity
from alerts.overview import frame, status
from config.tasks import PULSE
from fleet.instances.models import Instance, Inventory
from monitors.agents.models import Worker
from monitors.agents.services import default_agent
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from tests.costs.spending import spend
from tests.factories import make_team
from tests.fleet.pages.conftest import reporting, silent

PARTS = ("figures", "outlook", "needs", "monitors", "places", "events")


def fire(title: str, severity: str = Severity.CRITICAL, *, minutes: int = 5, **fields) -> Alert:
    now = timezone.now() - timedelta(minutes=minutes)
    fields = {"source": "rule", "type": "THRESHOLD", "message": title, "dedupe_key": title} | fields
    return services.fire(channels=[], notify=False, now=now, severity=severity, title=title, **fields)


def make_monitor(name: str, *results: str) -> Monitor:
    """A monitor with finished runs, the oldest first."""
    now = timezone.now()
    monitor = Monitor.objects.create(
        name=name, tool="http", schedule="* * * * *", shortest_gap_s=60, agent=default_agent(),
        next_run_at=now + timedelta(minutes=1), request={"url": "http://127.0.0.1:9/"},
    )  # fmt: skip
    for back, result in enumerate(reversed(results)):
        at = now - timedelta(minutes=back + 1)
        Run.objects.create(
            monitor=monitor, status=result, trigger="schedule", tool="http", agent=monitor.agent, spec={}, timeout_s=9,
            queued_at=at, ready_at=at, take_until=at, started_at=at, completed_at=at, counted_at=at,
        )  # fmt: skip
    if results:
        Monitor.objects.filter(pk=monitor.pk).update(last_status=results[-1], last_run_at=now, state_since_at=now)
    return monitor


def needs(page: str) -> list[str]:
    return re.findall(r'<tr id="need-[^"]*">.*?<th scope="row"><a [^>]*>([^<]+)</a>', page, re.DOTALL)


class TestEmpty:
    def test_first_step_for_operators(self, browser):
        page = browser("OPERATOR").get("/").text
        assert "No instances yet" in page
        assert page.count("btn btn-primary") == 1

    def test_it_is_loaded_anew_once_there_is_something(self, browser):
        client = browser()
        address = "/overview/empty/"
        assert address in client.get("/").text
        assert "HX-Refresh" not in client.get(address).headers
        reporting("web-1")
        assert client.get(address).headers["HX-Refresh"] == "true"
        assert address not in client.get("/").text

    def test_viewers_learn_who_can_take_it(self, browser):
        page = browser("VIEWER").get("/").text
        assert "operator or higher" in page and "btn btn-primary" not in page


class TestFigures:
    def test_counts(self, browser):
        reporting("web-1")
        silent("db-1")
        fire("first")
        fire("second", Severity.MEDIUM)
        make_monitor("good", "pass")
        make_monitor("bad", "pass", "fail")
        part = browser().get("/overview/figures/").text
        assert re.findall(r'figure-value">(\d+)(?: <small>of (\d+))?', part) == [("1", "2"), ("2", ""), ("1", "2")]
        for chip in ("1 silent", "1 critical", "1 medium", "1 failing"):
            assert chip in part

    def test_budget_left_and_money_spent(self, browser):
        client, today = browser(), timezone.now().date()
        empty = client.get("/overview/outlook/").text
        assert empty.count("unknown") == 2 and "no forecast before" in empty and "0.00 USD" in empty
        spend(reporting("web-1"), {today: 12.5})
        assert "12.50 USD" in client.get("/overview/outlook/").text

    def test_an_instance_that_was_never_seen_is_neither_running_nor_silent(self, browser):
        reporting("web-1")
        reporting("web-2", status="UNKNOWN")
        assert "1 <small>of 2" in browser().get("/overview/figures/").text

    def test_everything_is_of_what_the_reader_may_see(self, browser):
        theirs = silent("theirs", team=make_team(), geo_lat=50.1, geo_lon=8.7, geo_label="Frankfurt")
        fire("secret of theirs", instance=theirs)
        reporting("ours")
        page = browser("OPERATOR").get("/").text
        assert "theirs" not in page and "Frankfurt" not in page
        assert "Nothing is wrong." in page
        assert "secret of theirs" in browser("ADMIN").get("/").text


class TestNeedsAttention:
    def test_worst_and_oldest_first_and_nothing_twice(self, browser):
        told = silent("told", minutes=30)
        fire("medium", Severity.MEDIUM, minutes=90)
        fire("told is silent, says the alert", minutes=4, instance=told)
        fire("older", minutes=9)
        silent("quiet", minutes=7)
        make_monitor("checkout", "pass", "fail")
        page = browser().get("/overview/needs/").text
        assert needs(page) == [
            "older",
            "told is silent, says the alert",
            "quiet is silent",
            "checkout is failing",
            "medium",
        ]

    def test_ten_at_most(self, browser):
        for number in range(12):
            fire(f"alert {number}")
        assert len(needs(browser().get("/overview/needs/").text)) == 10

    def test_acknowledging_by_a_plain_form_comes_back_here(self, browser):
        reporting("web-1")
        alert, client = fire("disk is full"), browser("OPERATOR")
        url = re.search(r'action="(/alerts/[^"]+/acknowledge/)"', client.get("/").text)[1]
        answer = client.post(url, {"next": "/"}, follow=True)
        assert answer.redirect_chain[0][0] == "/"
        alert.refresh_from_db()
        assert alert.status == "ACKNOWLEDGED"
        assert needs(answer.text) == []
        assert "acknowledge/" not in browser("VIEWER").get("/").text


class TestParts:
    def test_each_part_is_what_the_page_shows(self, browser):
        reporting("web-1")
        client = browser()
        page = client.get("/").text
        for name in PARTS:
            part = client.get(f"/overview/{name}/")
            assert f'id="overview-{name}"' in part.text and f'id="overview-{name}"' in page
            assert "<html" not in part.text
        assert client.get("/overview/nonsense/").status_code == 404

    def test_last_checks_of_a_monitor(self, browser):
        make_monitor("checkout", *["pass"] * 50, "fail")
        part = browser().get("/overview/monitors/").text
        assert "Last 40 checks: 39 pass, 1 fail" in part

    def test_places_count_silence(self, browser):
        place = {"geo_lat": 50.11, "geo_lon": 8.68, "geo_label": "Frankfurt"}
        reporting("web-1", **place)
        silent("db-1", **place)
        part = browser().get("/overview/places/").text
        assert "Frankfurt: 1 silent, 1 running" in part
        assert '<circle class="tone-bad"' in part

    def test_no_place_is_said(self, browser):
        reporting("web-1")
        assert "No place is known yet" in browser().get("/overview/places/").text


def test_busiest_instances_with_their_figures(browser):
    calm, busy = reporting("calm"), reporting("busy")
    sample = {"cpu_pct": 91.5, "mem_pct": 40.0, "disk_pct": 9.0, "net_rx_bps": 2048.0, "process_count": 212}
    Instance.objects.filter(pk=busy.pk).update(last_sample=sample)
    Instance.objects.filter(pk=calm.pk).update(last_sample={"cpu_pct": 1.0})
    processes = [{"pid": 7, "name": "builder", "cpu_percent": 88.0}]
    Inventory.objects.create(instance=busy, processes=processes, processes_at=timezone.now())
    part = browser().get("/overview/machines/").text
    assert part.index("busy") < part.index("calm")
    for figure in ("91.5 %", "2 KiB/s", "212", "builder", "not reported", "unknown"):
        assert figure in part, figure


def test_charts_of_the_only_instance_show_every_sample(browser):
    instance = reporting("web-1")
    page = browser().get("/").text
    assert page.count(f'data-chart-topic="instance:{instance.pk}"') == 4


def test_charts_of_fleet_and_range(browser):
    reporting("web-1")
    reporting("web-2")
    page = browser().get("/?range=24h").text
    assert page.count('data-chart-topic="fleet"') == 4
    assert "range=24h" in page and '<option value="24h" selected>' in page


def test_queries_do_not_grow(browser, django_assert_max_num_queries):
    client = browser()
    counts = []
    for known, upto in ((0, 5), (5, 50)):
        for number in range(known, upto):
            silent(f"web-{number}", geo_lat=number, geo_lon=0)
            fire(f"alert {number}")
            make_monitor(f"monitor {number}", "pass", "fail")
        with django_assert_max_num_queries(38) as captured:
            client.get("/")
        counts.append(len(captured))
    assert counts[1] <= counts[0]  # less when the places are still remembered


class TestFrame:
    def test_title_counts_open_critical_alerts_on_every_page(self, browser):
        fire("first")
        fire("second", Severity.HIGH)
        client = browser()
        assert "<title>(1) Instances" in client.get("/instances/").text
        assert 'data-critical="1"' in client.get("/header-state/").text

    def test_banner_when_scheduled_work_is_late(self, browser):
        client = browser()
        assert frame.banner() is None
        cache.set(PULSE, timezone.now().timestamp() - 600)
        assert "Scheduled work is late: the last tick was 10 min ago." in client.get("/instances/").text


class TestStatus:
    def test_parts_queues_and_workers(self, browser):
        now = timezone.now()
        cache.set(PULSE, now.timestamp() - 4)
        Worker.objects.create(
            agent=default_agent(), host="worker-1", version="0.1.0", capacity=3, started_at=now, heartbeat_at=now
        )
        page = browser().get("/settings/status/").text
        for text in ("Database", "all applied", "last tick 4 s ago", "GiB free", "worker-1", "0 of 3"):
            assert text in page, text

    def test_what_waits_too_long_is_late(self, db):
        run = Run.objects.get(monitor=make_monitor("checkout", "pass"))
        old = timezone.now() - timedelta(minutes=5)
        Run.objects.create(
            monitor=run.monitor, status="queued", trigger="manual", tool="http", agent=run.agent, spec={}, timeout_s=9,
            queued_at=old, ready_at=old, take_until=old + timedelta(hours=1),
        )  # fmt: skip
        runs = status.queues(timezone.now())[0]
        assert (runs.count, runs.since, runs.state) == (1, old, "late")

    def test_no_worker_is_said(self, browser):
        assert "No worker has reported lately" in browser().get("/settings/status/").text

    def test_htmx_gets_the_moving_part_alone(self, browser):
        part = browser().get("/settings/status/", headers={"HX-Request": "true"}).text
        assert part.startswith('<div id="status-body"')


class TestApiDocuments:
    def test_list_and_pages(self, browser):
        client = browser()
        page = client.get("/api/docs/").text
        for name in re.findall(r'href="/api/docs/(\w+)/"', page):
            assert f'data-src="/api/schema/{name}"' in client.get(f"/api/docs/{name}/").text
            document = client.get(f"/api/schema/{name}").json()
            assert document["paths"]
        assert client.get("/api/docs/nonsense/").status_code == 404

    def test_documents_name_operations_by_slice_with_a_summary(self, browser):
        document = browser().get("/api/schema/v1").json()
        operation = document["paths"]["/api/v1/instances/{id}/processes/"]["get"]
        assert operation["tags"] == ["Instances"]
        assert operation["summary"] == "The busiest processes, as its agent reported them; snake_case"
