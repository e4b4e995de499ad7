"""GET /api/v1/metrics/timeseries/range and /aggregate: exact buckets, whatever has been rolled up."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from fleet.metrics.services import Sample, roll_up
from tests.factories import make_team
from tests.fleet.metrics.makers import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
PATH = "/api/v1/metrics/timeseries/range"
STEPS = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}


@pytest.fixture
def start() -> datetime:
    """Late on the day before yesterday, so that the minutes after it lie in two hours and two days."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1, minutes=7)


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def ask(client, since: datetime, until: datetime, **query):
    answer = client.get(PATH, {"from": iso(since), "to": iso(until), **query})
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("rolled", ["not at all", "whole", "in part"])
@pytest.mark.parametrize("granularity", STEPS)
def test_means_of_exact_buckets(api, store, start, granularity, rolled):
    one, two = sorted((make_instance(), make_instance()), key=lambda instance: instance.pk)
    loads = {start + timedelta(seconds=20 * number): float(number % 41) for number in range(60)}
    half = dict(list(loads.items())[::2])
    rest = {at: load for at, load in loads.items() if at not in half}
    for portion, roll in ((half, rolled != "not at all"), (rest, rolled == "whole")):
        for instance, factor in ((one, 1), (two, 2)):
            store(
                instance,
                {
                    at: Sample(cpu_pct=load * factor, mem_used=int(load) * 10**12, mem_total=10**14, net_tx=int(load))
                    for at, load in portion.items()
                },
            )
        if roll:
            roll_up()
    step = STEPS[granularity]
    expected: dict[datetime, list[float]] = {}
    for at, load in loads.items():
        expected.setdefault(at - timedelta(seconds=at.timestamp() % step), []).append(load)
    body = ask(api("VIEWER"), start - timedelta(hours=1), start + timedelta(hours=3), granularity=granularity)
    assert [(point["timestamp"], point["instanceId"]) for point in body["points"]] == [
        (at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), instance.pk)
        for at in sorted(expected)
        for instance in (one, two)
    ]
    for number, own in enumerate(own for _, own in sorted(expected.items())):
        mean = sum(own) / len(own)
        first, second = body["points"][2 * number : 2 * number + 2]
        assert first["cpuPercent"] == pytest.approx(mean, rel=1e-6)
        assert second["cpuPercent"] == pytest.approx(2 * mean, rel=1e-6)
        assert int(first["memUsed"]) == pytest.approx(mean * 1e12, rel=1e-9)
        assert first["memTotal"] == "100000000000000"
        assert int(first["netBytesSent"]) == round(mean)
        assert first["diskUsed"] is None
    assert body["meta"] == {
        "instanceId": None,
        "from": iso(start - timedelta(hours=1)).replace("Z", ".000Z"),
        "to": iso(start + timedelta(hours=3)).replace("Z", ".000Z"),
        "granularity": granularity,
        "count": len(body["points"]),
    }


def test_a_bucket_at_the_edge_holds_only_what_is_inside(api, store, start):
    one = make_instance()
    store(one, {start + timedelta(minutes=n): Sample(cpu_pct=float(n)) for n in range(7)}, rolled=True)
    since, until = start + timedelta(minutes=2), start + timedelta(minutes=5)
    body = ask(api(), since, until, granularity="1d", instanceId=one.pk)
    assert [point["cpuPercent"] for point in body["points"]] == [3.0]
    assert body["meta"]["instanceId"] == one.pk


def test_raw_samples_oldest_first_and_limited(api, store, start):
    one, two = make_instance(), make_instance()
    store(one, {start + timedelta(seconds=n): Sample(cpu_pct=float(n), load1=0.5) for n in range(5)})
    store(two, {start + timedelta(hours=20): Sample(cpu_pct=99.5)})
    client, until = api(), start + timedelta(days=2)
    body = ask(client, start, until, granularity="raw", limit=3)
    assert [point["cpuPercent"] for point in body["points"]] == [0.0, 1.0, 2.0]
    assert body["points"][0]["loadAvg1"] == 0.5
    assert [point["cpuPercent"] for point in ask(client, start, until, granularity="raw")["points"]][-1] == 99.5
    assert ask(client, start, until, granularity="raw")["meta"]["count"] == 6
    assert ask(client, start, until, granularity="1h", limit=1)["meta"]["count"] == 1


def test_a_range_without_end_is_answered(api, store, start):
    one = make_instance()
    store(one, {start: Sample(cpu_pct=1.0)}, rolled=True)
    for granularity in ("raw", *STEPS):
        ends = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
        assert ask(api(), *ends, granularity=granularity)["meta"]["count"] == 1


def test_rates_are_the_difference_of_neighbours(api, store, start):
    one = make_instance()
    counters = [1000, 4000, 4000, 50, 650]
    store(one, {start + timedelta(seconds=30 * n): Sample(net_tx=count, net_rx=7) for n, count in enumerate(counters)})
    points = ask(api(), start, start + timedelta(hours=1), granularity="raw")["points"]
    assert [point["netBytesSentPerSec"] for point in points] == [None, 100.0, 0.0, None, 20.0]
    assert [point["netBytesRecvPerSec"] for point in points] == [None, 0.0, 0.0, 0.0, 0.0]
    assert [point["netBytesSent"] for point in points] == [str(count) for count in counters]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-03-01T00:00:00Z"}, "to"),
        ({"to": "2026-03-01T00:00:00Z"}, "from"),
        ({"from": "yesterday", "to": "2026-03-01T00:00:00Z"}, "from"),
        ({"from": "2026-03-01T00:00:00Z", "to": "0001-01-01T00:00:00+14:00"}, "to"),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "from"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "from"),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "granularity": "2m"}, "granularity"),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "limit": "0"}, "limit"),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "limit": "2001"}, "limit"),
    ],
)
def test_bad_queries_are_422(api, query, field):
    answer = api().get(PATH, query)
    assert answer.status_code == 422
    body = answer.json()
    assert body["error"] == "Validation Error"
    assert field in body["details"]["fieldErrors"]


def test_from_after_to_says_so(api):
    answer = api().get(PATH, {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"})
    assert "'from' must be before 'to'" in answer.content.decode()


def test_offsets_and_their_plus_signs_are_read(api, store, start):
    one = make_instance()
    store(one, {start: Sample(cpu_pct=1.0)})
    east = start + timedelta(hours=2)
    query = f"from={east:%Y-%m-%dT%H:%M:%S}+02:00&to={east + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}%2B02:00"
    assert api().get(f"{PATH}?{query}").json()["meta"]["count"] == 1


def test_other_teams_instances_are_missing(api, store, start):
    mine, theirs = make_team(), make_team()
    seen, hidden, free = make_instance(team=mine), make_instance(team=theirs), make_instance()
    for instance in (seen, hidden, free):
        store(instance, {start: Sample(cpu_pct=1.0)})
    client = api("VIEWER", teams={mine: "VIEWER"})
    span = {"from": iso(start), "to": iso(start + timedelta(hours=1))}
    for path, name in ((PATH, "points"), ("/api/v1/metrics/aggregate", "aggregates")):
        found = client.get(path, span).json()[name]
        assert {row["instanceId"] for row in found} == {seen.pk, free.pk}
        answer = client.get(path, span | {"instanceId": hidden.pk})
        assert answer.status_code == 404
        assert answer.json()["message"] == f"Instance '{hidden.pk}' not found"
        assert client.get(path, span | {"instanceId": "x" * 200}).status_code == 400


@pytest.mark.parametrize("rolled", [True, False])
def test_aggregates(api, store, start, rolled):
    one, two = sorted((make_instance(), make_instance()), key=lambda instance: instance.pk)
    for instance in (one, two):
        store(
            instance,
            {
                start + timedelta(minutes=n): Sample(
                    cpu_pct=float(n), mem_used=n * 10, mem_total=1000, disk_used=2**60, disk_total=2**61, load1=1.5
                )
                for n in range(100)
            },
            rolled=rolled,
        )
    since, until = start + timedelta(minutes=10), start + timedelta(minutes=91)
    body = api("VIEWER").get("/api/v1/metrics/aggregate", {"from": iso(since), "to": iso(until)}).json()
    assert [row["instanceId"] for row in body["aggregates"]] == [one.pk, two.pk]
    assert body["aggregates"][0] == {
        "instanceId": one.pk,
        "from": iso(since).replace("Z", ".000Z"),
        "to": iso(until).replace("Z", ".000Z"),
        "avgCpuPercent": 50.0,
        "maxCpuPercent": 90.0,
        "avgMemUsed": "500",
        "maxMemUsed": "900",
        "avgDiskUsed": str(2**60),
        "maxDiskUsed": str(2**60),
        "avgLoadAvg1": 1.5,
        "sampleCount": 81,
    }
    assert body["meta"]["count"] == 2
    empty = {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}
    assert api().get("/api/v1/metrics/aggregate", empty).json()["aggregates"] == []
