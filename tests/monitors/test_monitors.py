"""Reading, changing and deleting monitors (contract: monitors §1, §2, §3)."""

import time
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext

from monitors.monitors import parameters
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from tests.monitors.conftest import encoded, http_monitor, k6_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


def test_list_is_an_array_by_name_with_filters(operator: Any, create: Any) -> None:
    create(name="beta")
    create(k6_monitor(name="alpha", enabled=False))
    create(name="gamma Shop")
    answer = operator.get("/api/monitors")
    assert [row["name"] for row in answer.json()] == ["alpha", "beta", "gamma Shop"]
    assert answer["X-Total-Count"] == "3"
    assert set(answer.json()[0]) == {"id", "name", "tool", "schedule", "enabled", "thresholds", "lastRun", "lastStatus"}

    def names(query: str) -> list[str]:
        return [row["name"] for row in operator.get(f"/api/monitors?{query}").json()]

    assert names("tool=k6") == ["alpha"]
    assert names("enabled=true&search=shop") == ["gamma Shop"]
    assert names("status=pass") == []
    assert names("limit=1&offset=1") == ["beta"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "offset=-1", "tool=ping", "enabled=1", "status=ok"]
)
def test_bad_queries(operator: Any, query: str) -> None:
    answer = operator.get(f"/api/monitors?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("key", ["7", "x" * 300, "6f1f2c8e-0000-4000-8000-000000000000", "%00"])
def test_unknown_monitors(operator: Any, key: str) -> None:
    for method, path in (
        ("get", f"/api/monitors/{key}"),
        ("patch", f"/api/monitors/{key}"),
        ("delete", f"/api/monitors/{key}"),
        ("get", f"/api/monitors/{key}/script"),
        ("post", f"/api/monitors/{key}/run"),
        ("get", f"/api/monitors/{key}/runs"),
        ("get", f"/api/runs/{key}"),
        ("get", f"/api/runs/{key}/logs"),
        ("post", f"/api/runs/{key}/cancel"),
    ):
        answer = getattr(operator, method)(path)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found"), (method, path)


def test_put_is_not_allowed(operator: Any, create: Any) -> None:
    answer = operator.put(f"/api/monitors/{create().pk}", {})
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_a_change_merges(operator: Any, create: Any) -> None:
    body = k6_monitor(thresholds={"latencyMs": 900, "apdexMin": 0.8}, parameters={"A": "1", "B": "2", "KEY": "secret!"})
    monitor = create(body)
    path = f"/api/monitors/{monitor.pk}"
    change = {
        "thresholds": {"latencyMs": None, "p50Ms": 5},
        "parameters": {"A": None, "B": "3", "KEY": parameters.MASK},
    }
    answer = operator.patch(path, change)
    assert answer.status_code == 200, answer.content
    assert answer.json()["thresholds"] == {"apdexMin": 0.8, "p50Ms": 5}
    assert answer.json()["parameters"] == {"B": "3", "KEY": parameters.MASK}
    assert answer.json()["scriptVersion"] == 1
    monitor.refresh_from_db()
    assert parameters.opened(monitor.parameters, monitor_id=monitor.pk) == {"B": "3", "KEY": "secret!"}

    assert operator.patch(path, {"scriptContent": encoded("// new")}).json()["scriptVersion"] == 2
    assert operator.get(f"{path}/script").content == b"// new"
    data = encode_multipart(BOUNDARY, {"script": SimpleUploadedFile("x.js", b"// newer")})
    answer = operator.patch(path, data, MULTIPART_CONTENT)
    assert (answer.json()["scriptVersion"], answer.json()["scriptName"]) == (3, "x.js")
    assert operator.get(f"{path}/script")["Content-Type"] == "text/plain; charset=utf-8"

    answer = operator.patch(path, {"enabled": False})
    assert (answer.json()["enabled"], answer.json()["nextRun"]) == (False, None)
    assert operator.patch(path, {"enabled": True}).json()["nextRun"] is not None


@pytest.mark.parametrize("name", ["id", "createdAt", "lastRun", "scriptVersion", "colour"])
def test_what_cannot_be_changed(operator: Any, create: Any, name: str) -> None:
    answer = operator.patch(f"/api/monitors/{create().pk}", {name: "x"})
    assert answer.status_code == 400 and name in answer.json()["details"]


def test_a_change_that_breaks_a_rule_changes_nothing(operator: Any, create: Any) -> None:
    monitor = create(timeoutSeconds=200)
    path = f"/api/monitors/{monitor.pk}"
    assert operator.patch(path, {"name": "other", "schedule": "* * * * *"}).status_code == 409
    assert operator.patch(path, {"name": "other", "tool": "k6"}).status_code == 400
    assert operator.patch(path, {"name": "other", "request": {"url": None}}).status_code == 400
    assert operator.patch(path, {"request": {"samples": 7, "expect": {"status": 204}}}).json()["request"] == {
        "url": "http://127.0.0.1:9/",
        "samples": 7,
        "expect": {"status": [204]},
    }
    monitor.refresh_from_db()
    assert (monitor.name, monitor.schedule, monitor.tool) == ("Front page", "*/5 * * * *", "http")


def test_script_of_a_monitor_without_one(operator: Any, create: Any, api: Any) -> None:
    monitor = create()
    assert operator.get(f"/api/monitors/{monitor.pk}/script").status_code == 404
    assert api("VIEWER").get(f"/api/monitors/{monitor.pk}/script").status_code == 403


def test_delete_takes_everything_along(operator: Any, create: Any, run_now: Any) -> None:
    monitor = create(k6_monitor(timeoutSeconds=5, parameters={}))
    run = run_now(monitor)
    assert operator.delete(f"/api/monitors/{monitor.pk}").status_code == 204
    assert not Monitor.objects.exists() and not Run.objects.exists()
    assert operator.get(f"/api/runs/{run.pk}").status_code == 404


def test_the_number_of_queries_does_not_grow(operator: Any, create: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert operator.get("/api/monitors").status_code == 200
        return len(found)

    create()
    few = queries()
    first = Monitor.objects.get()
    for number in range(60):
        first.pk, first.name = uuid4(), f"m{number}"
        first.save(force_insert=True)
    began = time.monotonic()
    assert queries() == few
    assert time.monotonic() - began < 1


def test_rate_limit(api: Any, settings: Any) -> None:
    settings.RATE_MONITOR_REQUESTS = 2
    viewer = api("VIEWER")
    answers = [viewer.get("/api/monitors") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"] == "rate_limited"
    for name in ("Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
        assert answers[2][name].isdigit()


def test_manual_runs_have_their_own_limit(operator: Any, create: Any, settings: Any, sent: list[str]) -> None:
    settings.RATE_MONITOR_RUNS = 1
    path = f"/api/monitors/{create().pk}/run"
    assert operator.post(path).status_code == 202
    answer = operator.post(path)
    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limited")


def test_no_trailing_slash_needed_nor_refused(operator: Any) -> None:
    assert operator.post("/api/monitors/", http_monitor()).status_code == 201
    assert operator.get("/api/monitors/").status_code == 200
