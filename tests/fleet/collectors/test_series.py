"""Reading series: which there are, their points, charts, the page, and what becomes of old ones."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.collectors import services
from fleet.collectors.curves import Curve
from fleet.collectors.models import Kind, Series, StoredPoint
from fleet.collectors.refusals import Refused
from fleet.collectors.series import upkeep
from fleet.collectors.series.known import known
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


def store(instance, name, kind=Kind.GAUGE, *, points, now=None, unit="", **labels):
    now = now or timezone.now()
    ms = [(int((now + timedelta(seconds=at)).timestamp() * 1000), number) for at, number in points]
    curve = Curve(instance.pk, name, labels, kind, unit, ms)
    services.store_curves([curve], Refused(), now=now).result(5)
    return Series.objects.get(instance=instance, name=name, labels=labels)


def test_series_of_an_instance(api, instance):
    store(instance, "queue.depth", points=[(0, 1)], unit="{mail}", queue="a")
    store(instance, "queue.depth", points=[(0, 1)], queue="b")
    store(instance, "jobs_total", Kind.COUNTER, points=[(0, 1)])
    body = api("VIEWER").get(f"/api/v1/instances/{instance.pk}/series", {"search": "QUEUE", "limit": 1}).json()
    assert (body["total"], body["series"][0]["name"], body["series"][0]["labels"]) == (2, "queue.depth", {"queue": "a"})
    assert (body["series"][0]["unit"], body["series"][0]["kind"]) == ("{mail}", "gauge")
    named = api("VIEWER").get(f"/api/v1/instances/{instance.pk}/series", {"name": "jobs_total"}).json()
    assert [one["kind"] for one in named["series"]] == ["counter"]


def test_points_and_rates(api, instance):
    now = timezone.now().replace(second=0, microsecond=0)
    series = store(instance, "jobs_total", Kind.COUNTER, now=now, points=[(-60, 10), (-50, 30), (-40, 5), (-30, 6)])
    get = api("VIEWER").get
    points = get(f"/api/v1/series/{series.pk}/points").json()["points"]
    assert [(one["value"], one["perSecond"]) for one in points] == [(10, None), (30, 2), (5, None), (6, 0.1)]
    stepped = get(f"/api/v1/series/{series.pk}/points", {"step": 60}).json()["points"]
    assert [(one["value"], one["max"]) for one in stepped] == [(6, 30)]
    gauge = store(instance, "depth", now=now, points=[(-60, 1), (-50, 4), (30, 8)])
    wide = {"step": 60, "from": (now - timedelta(hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    stepped = get(f"/api/v1/series/{gauge.pk}/points", wide).json()
    assert [(one["value"], one["max"]) for one in stepped["points"]] == [(2.5, 4), (8, 8)]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("series/1x/points", {}, 404),
        ("series/99999999999999999999/points", {}, 404),
        ("instances/unknown/series", {}, 404),
        ("instances/{pk}/series", {"search": "x" * 300}, 422),
        ("instances/{pk}/series/chart", {"range": "2y"}, 422),
        ("instances/{pk}/series/chart", {"from": "2030-01-02", "to": "2030-01-01"}, 422),
        ("instances/{pk}/series/chart", {"name": "nothing"}, 200),
    ],
)
def test_questions_that_cannot_be_answered(api, instance, path, query, status):
    assert api("VIEWER").get(f"/api/v1/{path.format(pk=instance.pk)}", query).status_code == status


def test_teams_keep_their_series(api):
    hidden = make_instance(name="hidden", team=make_team())
    series = store(hidden, "secret", points=[(0, 1)])
    for path in (f"series/{series.pk}/points", f"instances/{hidden.pk}/series", f"instances/{hidden.pk}/series/chart"):
        assert api("OPERATOR").get(f"/api/v1/{path}").status_code == 404
        assert api("ADMIN").get(f"/api/v1/{path}").status_code == 200


def test_charts_name_what_differs(api, instance):
    store(instance, "io", Kind.COUNTER, points=[(-60, 0), (-30, 600)], unit="By", disk="sda", job="node")
    store(instance, "io", Kind.COUNTER, points=[(-60, 0), (-30, 300)], unit="By", disk="sdb", job="node")
    body = api("VIEWER").get(f"/api/v1/instances/{instance.pk}/series/chart", {"name": "io"}).json()
    assert [(one["label"], one["unit"]) for one in body["series"]] == [("disk=sda", "B/s"), ("disk=sdb", "B/s")]
    assert [one["points"][-1][1] for one in body["series"]] == [20, 10]


def test_the_page_lists_names_and_draws_the_chosen(browser, instance):
    store(instance, "queue.depth", points=[(-5, 7)], queue="a")
    page = browser().get(f"/instances/{instance.pk}/metrics/more/").content.decode()
    assert "queue.depth" in page and "chart-plot" not in page
    page = browser().get(f"/instances/{instance.pk}/metrics/more/?name=queue.depth&q=queue").content.decode()
    assert "chart-plot" in page and "now 7" in page
    assert "No metric has this" in browser().get(f"/instances/{instance.pk}/metrics/more/?q=nothing").content.decode()


def test_old_points_and_silent_series_go(instance):
    now = timezone.now()
    old = store(instance, "old", points=[(0, 1)])
    new = store(instance, "new", points=[(0, 1)])
    Series.objects.filter(pk=old.pk).update(last_at=now - timedelta(days=8))
    upkeep.drop_old(now=now)
    assert [one.name for one in Series.objects.all()] == ["new"]
    upkeep.drop_old(now=now + timedelta(days=9))
    assert not StoredPoint.objects.filter(series_id=new.pk).exists()
    for one in known._instances[instance.pk].by_digest.values():
        one[1] -= 2 * 3600  # two hours later
    again = store(instance, "new", points=[(0, 2)])
    assert again.pk != new.pk and StoredPoint.objects.get(series_id=again.pk).value == 2
