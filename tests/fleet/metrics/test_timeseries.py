"""GET /api/v1/metrics/timeseries, /instances/:id/metrics and /metrics/latest."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.instances.models import Status
from fleet.metrics.services import Sample
from tests.factories import make_team
from tests.fleet.metrics.makers import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
FULL = Sample(
    cpu_pct=12.34,
    mem_used=3 * 2**30,
    mem_total=2**33,
    disk_used=2**60,
    disk_total=2**61,
    load1=0.1,
    load5=0.2,
    load15=0.3,
    net_tx=1000,
    net_rx=2000,
)


def cut(at):
    return at.replace(microsecond=0)


def test_the_last_hour_as_single_samples(api, store):
    one, at = make_instance(), cut(timezone.now()) - timedelta(minutes=10)
    store(one, {at: FULL, at + timedelta(seconds=30): Sample(cpu_pct=5.5), at - timedelta(hours=1): FULL})
    body = api("VIEWER").get("/api/v1/metrics/timeseries").json()
    assert body["range"] == "1h"
    assert body["since"].endswith("Z")
    assert body["datapoints"][0] == {
        "instanceId": one.pk,
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z",
        "cpuPercent": 12.34,
        "memUsedBytes": 3 * 2**30,
        "memTotalBytes": 2**33,
        "diskUsedBytes": 2**60,
        "diskTotalBytes": 2**61,
        "netBytesSent": 1000,
        "netBytesRecv": 2000,
        "loadAvg1": 0.1,
    }
    assert body["datapoints"][1]["memUsedBytes"] == 0
    assert body["datapoints"][1]["loadAvg1"] is None
    assert len(body["datapoints"]) == 2


@pytest.mark.parametrize(("range", "step_s", "expected"), [("6h", 60, 3), ("24h", 300, 2), ("7d", 3600, 1)])
def test_longer_ranges_have_longer_steps(api, store, range, step_s, expected):
    one = make_instance()
    hour = cut(timezone.now()).replace(minute=0, second=0) - timedelta(hours=2)
    moments = [hour + timedelta(seconds=offset) for offset in (1, 31, 62, 301)]
    store(one, {at: Sample(cpu_pct=10.0) for at in moments}, rolled=True)
    points = api().get("/api/v1/metrics/timeseries", {"range": range, "instanceId": one.pk}).json()["datapoints"]
    starts = {at - timedelta(seconds=at.timestamp() % step_s) for at in moments}
    assert len(starts) == expected
    assert [point["timestamp"] for point in points] == [f"{at:%Y-%m-%dT%H:%M:%S}.000Z" for at in sorted(starts)]


def test_a_large_fleet_gets_longer_steps(api, store, monkeypatch):
    monkeypatch.setattr("fleet.metrics.queries.MOST_POINTS", 5)
    one, now = make_instance(), timezone.now()
    minute = cut(now).replace(second=0) - timedelta(minutes=20)
    store(one, {minute + timedelta(seconds=n): Sample(cpu_pct=float(n)) for n in range(6)})
    points = api().get("/api/v1/metrics/timeseries").json()["datapoints"]
    assert 1 <= len(points) <= 2
    assert points[0]["cpuPercent"] == 2.5


def test_of_one_instance(api, store):
    one, other = make_instance(), make_instance()
    at = cut(timezone.now()) - timedelta(minutes=1)
    store(one, {at: FULL})
    store(other, {at: FULL})
    body = api("VIEWER").get(f"/api/v1/instances/{one.pk}/metrics").json()
    assert (body["instanceId"], body["range"], len(body["datapoints"])) == (one.pk, "1h", 1)
    assert "instanceId" not in body["datapoints"][0]
    assert api().get(f"/api/v1/instances/{one.pk}/metrics/").status_code == 200


def test_the_newest_figures(api, store):
    one, two, silent = sorted((make_instance(), make_instance(), make_instance()), key=lambda instance: instance.pk)
    at = cut(timezone.now()) - timedelta(seconds=40)
    after = at + timedelta(seconds=20)
    store(one, {at: FULL})
    store(one, {after: Sample(cpu_pct=1.0, mem_used=1, mem_total=3, disk_used=0, disk_total=0, net_tx=3000, net_rx=9)})
    store(two, {at: Sample(cpu_pct=2.0)})
    body = api("VIEWER").get("/api/v1/metrics/latest").json()
    assert body["count"] == 2
    assert body["metrics"][0] == {
        "timestamp": f"{after:%Y-%m-%dT%H:%M:%S}.000Z",
        "instanceId": one.pk,
        "cpuPercent": 1.0,
        "memUsed": "1",
        "memTotal": "3",
        "diskUsed": "0",
        "diskTotal": "0",
        "loadAvg1": 0.1,
        "loadAvg5": 0.2,
        "loadAvg15": 0.3,
        "netBytesSent": "3000",
        "netBytesRecv": "9",
        "netBytesSentPerSec": 100.0,
        "netBytesRecvPerSec": None,
        "memPercent": 33.33,
        "diskPercent": 0,
    }
    assert body["metrics"][1]["memPercent"] is None
    chosen = api().get("/api/v1/metrics/latest", {"instanceIds": f"{two.pk}, {silent.pk},nobody"}).json()
    assert [row["instanceId"] for row in chosen["metrics"]] == [two.pk]
    assert api().get("/api/v1/metrics/latest", {"instanceIds": "x" * 2049}).status_code == 422


def test_destroyed_instances_have_no_newest_figures(api, store):
    one = make_instance(status=Status.DESTROYED)
    store(one, {timezone.now(): FULL})
    assert api().get("/api/v1/metrics/latest").json() == {"metrics": [], "count": 0}


@pytest.mark.parametrize(
    "path", ["/api/v1/metrics/timeseries", "/api/v1/metrics/latest", "/api/v1/metrics/chart?metrics=cpu"]
)
def test_a_key_is_needed(api, path):
    assert api(role=None).get(path).status_code == 401


def test_other_teams_are_not_seen(api, store):
    mine, theirs = make_team(), make_team()
    seen, hidden = make_instance(team=mine), make_instance(team=theirs)
    for one in (seen, hidden):
        store(one, {timezone.now() - timedelta(seconds=5): FULL})
    client = api("OPERATOR", teams={mine: "VIEWER"})
    points = client.get("/api/v1/metrics/timeseries").json()["datapoints"]
    assert {point["instanceId"] for point in points} == {seen.pk}
    newest = client.get("/api/v1/metrics/latest", {"instanceIds": f"{seen.pk},{hidden.pk}"}).json()
    assert [row["instanceId"] for row in newest["metrics"]] == [seen.pk]
    assert client.get("/api/v1/metrics/timeseries", {"instanceId": hidden.pk}).status_code == 404
    assert client.get(f"/api/v1/instances/{hidden.pk}/metrics").status_code == 404
    assert client.get(f"/api/v1/instances/{seen.pk}/metrics").status_code == 200


@pytest.mark.parametrize("range", ["2h", "1", "7D"])
def test_an_unknown_range_is_422(api, range):
    one = make_instance()
    for path in ("/api/v1/metrics/timeseries", f"/api/v1/instances/{one.pk}/metrics"):
        answer = api().get(path, {"range": range})
        assert answer.status_code == 422
        assert "1h, 6h, 24h, 7d" in answer.json()["details"]["fieldErrors"]["range"][0]
