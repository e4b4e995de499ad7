"""The pages of runs: the list, one run while it lasts and afterwards, and what may be done with it."""

from typing import Any

import pytest
from django.utils import timezone

from fleet.instances.models import Instance
from fleet.metrics import services as metrics
from loadtest.runs.models import Run
from tests.factories import make_team
from tests.loadtest.pages.conftest import text

pytestmark = pytest.mark.django_db


def test_an_empty_list_says_what_a_run_is(browser: Any) -> None:
    assert "sends one request many times" in text(browser().get("/loadtest/runs/"))


def test_runs_are_listed_with_their_figures_and_filtered(browser: Any, finished: Any) -> None:
    finished(config={"comment": "before the release"}, pinned=True)
    finished(status="failed", message="The target has no address", request_id=None)
    viewer = browser()
    page = text(viewer.get("/loadtest/runs/"))
    assert "List items" in page and "500" in page and "20 ms" in page and "Baseline" in page and "Failed" in page
    assert "before the release" not in text(viewer.get("/loadtest/runs/?status=failed"))
    assert "Failed" not in text(viewer.get("/loadtest/runs/rows/?pinned=yes"))
    assert "before the release" in text(viewer.get("/loadtest/runs/rows/?q=the+release"))
    assert "before the release" in text(viewer.get("/loadtest/runs/rows/?q=list"))
    assert "No run matches these filters" in text(viewer.get("/loadtest/runs/?q=nothing"))
    assert viewer.get("/loadtest/runs/?status=unknown&kind=%00&page=x").status_code == 200


def test_pages_of_the_list_cost_the_same(browser: Any, finished: Any, django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        finished(seconds=1)
    viewer = browser()
    viewer.get("/loadtest/runs/")
    with django_assert_max_num_queries(10):
        viewer.get("/loadtest/runs/")


def test_a_run_tells_its_verdict_figures_and_findings(
    browser: Any, finished: Any, django_assert_max_num_queries: Any
) -> None:
    run = finished(config={"thresholds": {"latencyP95Ms": 15, "maxErrorRatePct": 5}})
    viewer = browser()
    viewer.get("/loadtest/runs/")
    with django_assert_max_num_queries(14):
        answer = viewer.get(f"/loadtest/runs/{run.pk}/")
    page = text(answer)
    assert "Limits missed" in page and "1 of 2 limits missed" in page and "20 ms 15 ms ▲ No" in page
    assert "HTTP 503" in page and "request 7" in page and "40 ms" in page and "First byte" in page
    assert "data-load-stream" not in answer.content.decode()  # nothing moves any more
    assert '"label": "p95 limit 15 ms"' in answer.content.decode()


def test_a_run_that_lasts_is_followed_from_where_the_page_was_made(browser: Any, active: Any) -> None:
    run = active(config={"duration": "20s"})
    page = browser("OPERATOR").get(f"/loadtest/runs/{run.pk}/").content.decode()
    assert f"/api/loadtest/metrics/live/{run.pk}?lastEventId=5" in page
    assert f'data-live-topic="load-run:{run.pk}"' in page and 'value="5.000"' in page
    part = text(browser().get(f"/loadtest/runs/{run.pk}/parts/now/"))
    assert "Running" in part and "5 s of 20 s" in part and "Stop" not in part
    assert browser().get(f"/loadtest/runs/{run.pk}/parts/else/").status_code == 404


def test_charts_give_their_points(browser: Any, active: Any) -> None:
    run = active(rate=50)
    rate = browser().get(f"/loadtest/runs/{run.pk}/charts/rate/").json()
    assert rate["grows"] and [value for _, value in rate["series"][0]["points"]] == [50.0] * 5
    latency = browser().get(f"/loadtest/runs/{run.pk}/charts/latency/").json()
    assert [value for _, value in latency["series"][1]["points"]] == [None, *[20.0] * 5]
    assert browser().get(f"/loadtest/runs/{run.pk}/charts/else/").status_code == 404


def test_a_long_series_is_thinned_with_its_ends_kept(browser: Any, finished: Any) -> None:
    run = finished(seconds=1500)
    points = browser().get(f"/loadtest/runs/{run.pk}/charts/flight/").json()["series"][0]["points"]
    assert len(points) <= 302
    assert (points[-1][0] - points[0][0]) == 1500


def test_a_waiting_run_says_so(browser: Any, finished: Any) -> None:
    run = finished(status="pending", ended_at=None, seconds=0, report=None)
    run.ticks.all().delete()
    page = text(browser().get(f"/loadtest/runs/{run.pk}/"))
    assert "Waiting" in page and "Waits for a load worker" in page


def test_a_request_sent_by_hand_has_a_page(browser: Any, finished: Any) -> None:
    result = {"statusCode": 200, "statusText": "OK", "latencyMs": 12.5, "trace": {"response": {"body": "hello"}}}
    run = finished(kind="design", mode="", report=None, result=result)
    page = text(browser().get(f"/loadtest/runs/{run.pk}/"))
    assert "200 OK" in page and "12.5 ms" in page and "hello" in page
    assert "Sent by hand" in text(browser().get("/loadtest/runs/?kind=design"))


def test_a_run_is_pinned_and_offers_the_comparison(browser: Any, finished: Any) -> None:
    first, second = finished(), finished()
    operator = browser("OPERATOR")
    operator.post(f"/loadtest/runs/{first.pk}/pin/", {"pinned": "yes"})
    page = operator.get(f"/loadtest/runs/{second.pk}/").content.decode()
    assert f"/loadtest/compare/?a={first.pk}&amp;b={second.pk}" in page
    operator.post(f"/loadtest/runs/{first.pk}/pin/", {"pinned": "no"})
    assert not Run.objects.filter(pinned=True).exists()


def test_stop_and_delete_are_for_operators(browser: Any, active: Any) -> None:
    run, viewer = active(lease_until=None, status="pending"), browser("VIEWER")
    for action in ("stop", "pin", "delete"):
        assert viewer.post(f"/loadtest/runs/{run.pk}/{action}/").status_code == 403
    operator = browser("OPERATOR")
    operator.post(f"/loadtest/runs/{run.pk}/stop/")
    run.refresh_from_db()
    assert run.status == "stopped"
    assert "Delete this run?" in text(operator.get(f"/loadtest/runs/{run.pk}/delete/"))
    assert operator.post(f"/loadtest/runs/{run.pk}/delete/")["Location"] == "/loadtest/runs/"
    assert operator.get(f"/loadtest/runs/{run.pk}/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_chosen_instances_are_drawn_on_the_axis_of_the_run(browser: Any, finished: Any) -> None:
    now = timezone.now()
    run = finished(base_ms=round(now.timestamp() * 1000) - 5000)
    instances = [Instance.objects.create(name=f"web-{n}", provider="ssh", status="RUNNING") for n in (1, 2)]
    Instance.objects.filter(pk=instances[1].pk).update(team=make_team())
    metrics.accept([metrics.Beat(instance_id=instances[0].pk, at=now, sample=metrics.Sample(cpu_pct=42.0))]).result(10)
    viewer, asked = browser(), "&".join(f"instance={one.pk}" for one in instances)
    page = viewer.get(f"/loadtest/runs/{run.pk}/?{asked}").content.decode()
    assert "Show fleet metrics on this axis" in page and "web-1 CPU" in page and "web-2" not in page
    assert "Cost of this run" in page and "Unknown, because the cost of an instance is." in page
    chart = viewer.get(f"/loadtest/runs/{run.pk}/machines/?{asked}&instance=%00").json()
    assert [one["label"] for one in chart["series"]] == ["web-1 CPU", "web-1 Memory"]
    assert [value for _, value in chart["series"][0]["points"] if value is not None] == [42.0]
    assert chart["to"] - chart["from"] == pytest.approx(5) and chart["to"] == pytest.approx(now.timestamp(), abs=1)
