"""Log lines: taken in, found again, counted (contract: fleet console §8)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from fleet.logs import services, upkeep
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def settled():
    yield
    services.flush()


def entry(instance, message="queue slow", **fields):
    return {"instanceId": instance.pk, "level": "WARN", "source": "APP", "message": message} | fields


@pytest.fixture
def send(api):
    def send(*entries, status=201, role="VIEWER"):
        answer = api(role).post("/api/v1/logs/ingest/batch", {"entries": list(entries)}, format="json")
        assert answer.status_code == status, answer.content
        return answer.json()

    return send


def found(api, path="/api/v1/logs", **query):
    body = api("VIEWER").get(path, query).json()
    return [line["message"] for line in body["logs"]]


def test_a_line_comes_back_as_it_was_sent(api, instance):
    sent = entry(
        instance, metadata={"path": "/ü", "n": [1, None]}, deploymentId="d1", timestamp="2026-03-01T12:00:00.5Z"
    )
    answer = api("VIEWER").post("/api/v1/logs/ingest", sent, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert body == sent | {"id": body["id"], "timestamp": "2026-03-01T12:00:00.500Z"}
    assert api("VIEWER").get(f"/api/v1/logs/{body['id']}").json() == body
    listed = api("VIEWER").get("/api/v1/logs").json()
    assert listed["logs"] == listed["data"] == [body]
    assert listed["total"] == listed["pagination"]["total"] == 1


def test_a_batch_is_counted_and_the_newest_comes_first(api, send, instance):
    times = [f"2026-03-01T12:00:{second:02}Z" for second in range(30)]
    assert send(*(entry(instance, f"line {at[17:19]}", timestamp=at) for at in times)) == {"count": 30}
    assert found(api, limit=3) == ["line 29", "line 28", "line 27"]
    assert found(api, limit=3, page=10) == ["line 02", "line 01", "line 00"]
    assert found(api, limit=3, page=11) == []
    assert found(api, **{"from": times[5], "to": times[6]}) == ["line 06", "line 05"]


def test_filters(api, send, instance):
    other = make_instance(name="web-2")
    send(
        entry(instance, "a", level="ERROR"),
        entry(instance, "b", level="INFO", source="SYSTEM", deploymentId="d1"),
        entry(other, "c", level="DEBUG", source="BUILD"),
    )
    assert sorted(found(api, level="ERROR,DEBUG")) == ["a", "c"]
    assert found(api, source="SYSTEM") == ["b"]
    assert found(api, deploymentId="d1") == ["b"]
    assert found(api, instanceId=other.pk) == found(api, f"/api/v1/instances/{other.pk}/logs") == ["c"]


def test_words_and_text_are_searched(api, send, instance):
    send(entry(instance, "Connections to the primary timed out"), entry(instance, "all is well at 100%"))
    assert found(api, search="connect timing") == ["Connections to the primary timed out"]
    assert found(api, search="NNECTIONS TO") == ["Connections to the primary timed out"]
    assert found(api, search="0%") == ["all is well at 100%"]
    assert found(api, search="connect well") == []
    assert found(api, search="%") == ["all is well at 100%"]


@pytest.mark.parametrize(
    "query", [{"level": "LOUD"}, {"source": "x"}, {"search": "x" * 513}, {"limit": 501}, {"from": "x"}]
)
def test_a_filter_that_is_none_is_refused(api, query):
    answer = api("VIEWER").get("/api/v1/logs", query)
    assert (answer.status_code, answer.json()["error"]) == (422, "Validation Error")


def test_statistics(api, send, instance):
    other, now = make_instance(name="web-2"), timezone.now()
    old = (now - timedelta(hours=3)).isoformat()
    send(
        entry(instance, level="ERROR"),
        entry(instance, level="ERROR", timestamp=old),
        entry(instance, level="INFO", source="BUILD"),
        entry(other, level="WARN"),
    )
    fleet = api("VIEWER").get("/api/v1/logs/stats").json()
    assert fleet["total"] == fleet["totalLogs"] == 4
    assert fleet["byLevel"] == {"DEBUG": 0, "INFO": 1, "WARN": 1, "ERROR": 2}
    assert fleet["bySource"]["BUILD"] == 1
    assert fleet["topInstances"] == [{"instanceId": instance.pk, "count": 3}, {"instanceId": other.pk, "count": 1}]
    assert (fleet["totalErrors"], fleet["totalWarns"], fleet["instancesWithErrors"]) == (2, 1, 1)
    one = api("VIEWER").get(f"/api/v1/instances/{instance.pk}/logs/stats").json()
    assert (one["total"], one["recentErrors"], one["warnRate"]) == (3, 1, 0.0)
    assert one["errorRate"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("minutes", [(0, 0), (0, 59), (-30, 10), (-90, 90), (-60, 60), (5, 5)])
def test_statistics_of_a_range_count_every_line_in_it_once(api, send, instance, minutes):
    moments = [NOON + timedelta(minutes=minute) for minute in (-90, -60, -30, 0, 5, 59, 60, 90)]
    send(*(entry(instance, timestamp=at.isoformat()) for at in moments))
    since, until = (NOON + timedelta(minutes=minute) for minute in minutes)
    body = api("VIEWER").get("/api/v1/logs/stats", {"from": since.isoformat(), "to": until.isoformat()}).json()
    assert body["total"] == sum(since <= at <= until for at in moments)


def test_an_unknown_instance_refuses_the_whole_batch(api, send, instance):
    body = send(entry(instance), entry(instance) | {"instanceId": "nobody"}, status=404)
    assert body["details"]["unknownInstances"] == ["nobody"]
    assert found(api) == []


@pytest.mark.parametrize(
    "change",
    [
        {"level": "LOUD"},
        {"source": "app"},
        {"message": ""},
        {"message": "x" * 10_001},
        {"metadata": []},
        {"timestamp": "yesterday"},
        {"timestamp": "9999-01-01T00:00:00Z"},
        {"message": "a\x00b"},
        {"instanceId": "x" * 129},
    ],
)
def test_a_bad_entry_is_refused_and_nothing_stored(api, send, instance, change):
    body = send(entry(instance), entry(instance) | change, status=422)
    assert body["error"] == "Validation Error"
    assert found(api) == []


def test_broken_json_and_too_many_entries(api, instance):
    client = api("VIEWER")
    answer = client.generic("POST", "/api/v1/logs/ingest/batch", b'{"entries": [', content_type="application/json")
    assert answer.status_code == 400
    many = json.dumps({"entries": [entry(instance)] * 1001})
    answer = client.generic("POST", "/api/v1/logs/ingest/batch", many, content_type="application/json")
    assert answer.status_code == 422


def test_lines_of_another_team_are_not_there(api, send):
    mine, theirs = make_team(), make_team()
    hidden, seen = make_instance(name="theirs", team=theirs), make_instance(name="mine", team=mine)
    send(entry(hidden, "hidden"), entry(seen, "seen"), role="ADMIN")
    member = api("VIEWER", teams={mine: "VIEWER"})
    body = member.get("/api/v1/logs").json()
    assert ([line["message"] for line in body["logs"]], body["total"]) == (["seen"], 1)
    assert member.get("/api/v1/logs/stats").json()["total"] == 1
    hidden_id = api("ADMIN").get("/api/v1/logs", {"instanceId": hidden.pk}).json()["logs"][0]["id"]
    for path in (f"logs/{hidden_id}", f"instances/{hidden.pk}/logs", f"instances/{hidden.pk}/logs/stats"):
        assert member.get(f"/api/v1/{path}").status_code == 404
    answer = member.post("/api/v1/logs/ingest", entry(hidden), format="json")
    assert answer.status_code == 404


def test_old_lines_and_their_counts_go_together(api, send, instance):
    now = timezone.now()
    for days in (20, 1):
        send(entry(instance, f"{days} days", timestamp=(now - timedelta(days=days)).isoformat()))
    upkeep.drop_old(now=now)
    assert found(api) == ["1 days"]
    assert api("VIEWER").get("/api/v1/logs/stats").json()["total"] == 1
    assert upkeep.strays() == 0
