"""GET /api/v1/metrics/chart: what the pages draw."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.metrics.charts import with_holes
from fleet.metrics.services import Sample, roll_up
from tests.factories import make_team
from tests.fleet.metrics.makers import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.storage]
PATH = "/api/v1/metrics/chart"


@pytest.fixture
def hour():
    return timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)


def chart(client, **query):
    answer = client.get(PATH, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def span(since, until) -> dict[str, str]:
    return {"from": since.isoformat(), "to": until.isoformat()}


def test_one_instance_shows_each_sample_and_holes_as_holes(api, store, hour):
    one = make_instance()
    offsets = [0, 30, 60, 90, 300, 330]
    store(one, {hour + timedelta(seconds=n): Sample(cpu_pct=n / 10, mem_used=1, mem_total=4) for n in offsets})
    body = chart(api(), instanceId=one.pk, metrics="cpu,memory", **span(hour, hour + timedelta(hours=1)))
    start = hour.timestamp()
    assert [(one["label"], one["unit"]) for one in body["series"]] == [("CPU", "%"), ("Memory", "%")]
    assert body["series"][0]["points"] == [
        [start, 0.0],
        [start + 30, 3.0],
        [start + 60, 6.0],
        [start + 90, 9.0],
        [start + 120, None],
        [start + 300, 30.0],
        [start + 330, 33.0],
    ]
    assert (body["from"], body["to"]) == (start, start + 3600)


def test_many_samples_become_few_points_of_the_same_mean(api, store, hour):
    one = make_instance()
    store(one, {hour + timedelta(seconds=10 * n): Sample(cpu_pct=float(n % 6)) for n in range(360)}, rolled=True)
    query = {"instanceId": one.pk, "maxPoints": 60, **span(hour, hour + timedelta(hours=1))}
    points = chart(api(), **query)["series"][0]["points"]
    assert points == [[hour.timestamp() + 60 * n, 2.5] for n in range(60)]
    assert len(chart(api(), **query | {"maxPoints": 12})["series"][0]["points"]) == 12


def test_the_fleet_has_a_mean_and_a_highest(api, store, hour):
    for load in (10.0, 20.0, 60.0):
        store(make_instance(), {hour + timedelta(seconds=load): Sample(cpu_pct=load)})
    for rolled in (False, True):
        if rolled:
            roll_up()
        for length in (timedelta(hours=1), timedelta(days=2)):
            series = chart(api(), **span(hour - length, hour + timedelta(hours=1)))["series"]
            assert [one["label"] for one in series] == ["CPU, mean", "CPU, highest"]
            assert [point[1] for point in series[1]["points"] if point[1] is not None][-1] == 60.0
        assert [one["points"][-1][1] for one in series] == [30.0, 60.0]


def test_a_week_reads_roll_ups_only(api, store, hour, django_assert_max_num_queries):
    store(make_instance(), {hour: Sample(cpu_pct=10.0)}, rolled=True)
    body = chart(api(), **span(hour - timedelta(days=7), hour + timedelta(hours=2)), maxPoints=200)
    assert body["step"] == 3600
    assert body["series"][0]["points"] == [[hour.timestamp(), 10.0]]


def test_a_week_that_came_late_is_shown_before_it_is_rolled_up(api, store, hour):
    one = make_instance()
    store(one, {hour - timedelta(minutes=10 * n): Sample(cpu_pct=10.0) for n in range(1000)})
    query = span(hour - timedelta(days=7), hour + timedelta(hours=1)) | {"instanceId": one.pk, "maxPoints": 200}
    before = chart(api(), **query)
    roll_up()
    assert before["series"] == chart(api(), **query)["series"]
    assert len(before["series"][0]["points"]) > 160


def test_who_sees_a_part_of_the_fleet_gets_the_mean_of_that_part(api, store, hour):
    mine, theirs = make_team(), make_team()
    for team, load in ((mine, 10.0), (mine, 30.0), (theirs, 90.0)):
        store(make_instance(team=team), {hour: Sample(cpu_pct=load)}, rolled=True)
    member = api("VIEWER", teams={mine: "VIEWER"})
    query = span(hour, hour + timedelta(minutes=5))
    for client, more, expected in (
        (member, {}, [20.0, 30.0]),
        (member, {"teamId": mine.pk}, [20.0, 30.0]),
        (api("ADMIN"), {"teamId": theirs.pk}, [90.0, 90.0]),
        (api("ADMIN"), {}, [pytest.approx(130 / 3, rel=1e-6), 90.0]),
    ):
        series = chart(client, **query, **more)["series"]
        assert [one["points"][0][1] for one in series] == expected
    assert member.get(PATH, {"teamId": theirs.pk}).status_code == 404


def test_a_chart_without_samples_is_empty(api):
    body = chart(api(), metrics="network,load", range="7d")
    assert [one["points"] for one in body["series"]] == [[]] * 8
    assert len(chart(api(), instanceId=make_instance().pk, metrics="network,load,disk_io,swap,disk")["series"]) == 9


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"metrics": "cpu,heat"}, "metrics"),
        ({"range": "9d"}, "range"),
        ({"maxPoints": "9"}, "maxPoints"),
        ({"maxPoints": "many"}, "maxPoints"),
        ({"from": "2026-03-01T00:00:00Z"}, "to"),
    ],
)
def test_bad_queries_are_422(api, query, field):
    answer = api().get(PATH, query)
    assert answer.status_code == 422
    assert field in answer.json()["details"]["fieldErrors"]


def test_any_range_is_answered(api, store, hour):
    one = make_instance()
    store(one, {hour: Sample(cpu_pct=1.0)}, rolled=True)
    for ids in ({}, {"instanceId": one.pk}):
        ends = {"from": "0001-01-02T00:00:00Z", "to": "9999-12-30T00:00:00Z"}
        values = [point[1] for point in chart(api(), **ids, **ends)["series"][0]["points"]]
        assert values == [1.0]


@pytest.mark.parametrize(
    ("points", "step_s", "expected"),
    [
        ([], None, []),
        ([(0, 1.0)], None, [[0, 1.0]]),
        ([(0, 1.0), (60, 2.0), (120, 3.0)], 60, [[0, 1.0], [60, 2.0], [120, 3.0]]),
        ([(0, 1.0), (180, 2.0)], 60, [[0, 1.0], [60, None], [180, 2.0]]),
        ([(0, 1.0), (10, None), (20, 2.0)], None, [[0, 1.0], [10, None], [20, 2.0]]),
    ],
)
def test_holes(points, step_s, expected):
    assert with_holes(points, step_s) == expected
