"""POST /api/monitors: shapes, rules, masks (contract: monitors §3, §4)."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT

from monitors.monitors.models import Monitor, Script
from monitors.monitors.parameters import MASK
from security.audit.models import AuditEntry
from tests.monitors.conftest import encoded, http_monitor, k6_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


def test_the_example_of_the_contract(operator: Any) -> None:
    body = {
        "name": " Checkout basket ",
        "schedule": "7,37 6-22 * * 1-5",
        "timezone": "Europe/Oslo",
        "tool": "k6",
        "scriptContent": "ZXhwb3J0IGRlZmF1bHQgZnVuY3Rpb24oKXt9Cg==",
        "thresholds": {"latencyMs": 900, "errorRatePercent": 2.5, "apdexMin": 0.85},
        "parameters": {"BASE": "https://shop.test", "N": 5, "ON": True},
        "timeoutSeconds": 120,
    }
    answer = operator.post("/api/monitors", body)
    assert answer.status_code == 201
    monitor = answer.json()
    assert monitor["name"] == "Checkout basket"
    assert monitor["parameters"] == {"BASE": "https://shop.test", "N": "5", "ON": "true"}
    assert monitor["thresholds"] == body["thresholds"]
    assert (monitor["timezone"], monitor["timeoutSeconds"], monitor["agentId"]) == ("Europe/Oslo", 120, "default")
    assert (monitor["scriptSize"], monitor["scriptVersion"], monitor["skippedRuns"]) == (28, 1, 0)
    assert len(monitor["scriptSha256"]) == 64
    assert monitor["lastRun"] is monitor["lastStatus"] is monitor["activeRunId"] is None
    assert monitor["nextRun"].endswith("Z") and len(monitor["nextRun"]) == 20
    assert (monitor["alertAfter"], monitor["recoverAfter"], monitor["enabled"], monitor["tags"]) == (1, 1, True, [])
    assert "script" not in monitor and "scriptContent" not in monitor
    entry = AuditEntry.objects.get(resource="monitor")
    assert (entry.action, entry.resource_id, entry.user_email) == ("CREATE", monitor["id"], operator.user.email)


def test_multipart_with_bracketed_names(operator: Any) -> None:
    data = {
        "name": "Form",
        "schedule": "@hourly",
        "tool": "k6",
        "thresholds[latencyMs]": "2000",
        "thresholds[errorRatePercent]": "2.5",
        "parameters[TARGET_HOST]": "5",
        "enabled": "false",
        "timeoutSeconds": "60",
        "tags": '["a", "b"]',
        "script": SimpleUploadedFile("basket.js", b"export default function () {}"),
    }
    answer = operator.post("/api/monitors", data, MULTIPART_CONTENT)
    assert answer.status_code == 201, answer.content
    monitor = answer.json()
    assert monitor["schedule"] == "0 * * * *"
    assert monitor["thresholds"] == {"latencyMs": 2000, "errorRatePercent": 2.5}
    assert monitor["parameters"] == {"TARGET_HOST": "5"}
    assert (monitor["enabled"], monitor["timeoutSeconds"], monitor["nextRun"]) == (False, 60, None)
    assert (monitor["scriptName"], monitor["tags"]) == ("basket.js", ["a", "b"])


def test_multipart_with_one_part_of_json(operator: Any) -> None:
    data = {
        "name": "F",
        "schedule": "@daily",
        "tool": "http",
        "thresholds": '{"latencyMs": 5}',
        "request[url]": "http://127.0.0.1/",
    }
    data |= {"request[expect][status]": "2xx", "request[samples]": "3", "request[followRedirects]": "false"}
    answer = operator.post("/api/monitors", data, MULTIPART_CONTENT)
    assert answer.status_code == 201, answer.content
    assert answer.json()["thresholds"] == {"latencyMs": 5}
    assert answer.json()["request"] == {
        "url": "http://127.0.0.1/",
        "samples": 3,
        "followRedirects": False,
        "expect": {"status": ["2xx"]},
    }


def test_urlencoded(operator: Any) -> None:
    body = "name=U&schedule=%40daily&tool=http&request%5Burl%5D=http%3A%2F%2F127.0.0.1%2F&thresholds%5BlatencyMs%5D=7"
    answer = operator.post("/api/monitors", body, "application/x-www-form-urlencoded")
    assert answer.status_code == 201, answer.content
    assert answer.json()["thresholds"] == {"latencyMs": 7}


BAD_FIELDS: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "  "),
    ("name", "x" * 201),
    ("name", None),
    ("name", "a\x00b"),
    ("schedule", "* * * *"),
    ("schedule", "* * * * * *"),
    ("schedule", "@reboot"),
    ("schedule", "0 0 L * *"),
    ("schedule", "0 0 ? * *"),
    ("schedule", "0 0 15W * *"),
    ("schedule", "0 0 * * 5#2"),
    ("schedule", "61 * * * *"),
    ("schedule", "*/0 * * * *"),
    ("schedule", "0 0 30 2 *"),
    ("schedule", "0 0 * foo *"),
    ("schedule", "\x00"),
    ("schedule", 5),
    ("timezone", "Mars/Olympus"),
    ("timezone", ""),
    ("timeoutSeconds", 4),
    ("timeoutSeconds", 3601),
    ("timeoutSeconds", "soon"),
    ("timeoutSeconds", True),
    ("enabled", "perhaps"),
    ("enabled", None),
    ("agentId", "nowhere"),
    ("alertAfter", 0),
    ("recoverAfter", 21),
    ("tags", "x" * 51),
    ("tags", [["a"]]),
    ("tags", ["a"] * 21),
    ("tool", "ping"),
    ("tool", None),
    ("thresholds.latencyMs", "fast"),
    ("thresholds.latencyMs", -1),
    ("thresholds.latencyMs", True),
    ("thresholds.errorRatePercent", 101),
    ("thresholds.apdexMin", 1.1),
    ("thresholds.apdexTMs", 0),
    ("thresholds.latency", 5),
    ("thresholds", [1]),
    ("thresholds", None),
    ("parameters", "A=1"),
    ("parameters.1A", "x"),
    ("parameters.A-B", "x"),
    ("parameters.PATH", "x"),
    ("parameters.LD_PRELOAD", "x"),
    ("parameters.K6_ITERATIONS", "7"),
    ("parameters.https_proxy", "x"),
    ("parameters.GOMAXPROCS", "1"),
    ("parameters.A", {"b": 1}),
    ("parameters.A", None),
    ("parameters.A", "x" * 8193),
    ("parameters.A", "a\x00b"),
    ("parameters.API_TOKEN", MASK),
    ("request", "http://127.0.0.1/"),
    ("request.url", ""),
    ("request.url", "ftp://127.0.0.1/"),
    ("request.url", "http://169.254.169.254/latest"),
    ("request.url", "http://${HOST}/"),
    ("request.method", "CONNECT"),
    ("request.samples", 101),
    ("request.samples", 0),
    ("request.concurrency", 21),
    ("request.timeoutMs", 0),
    ("request.headers", ["a"]),
    ("request.expect.status", "6xx"),
    ("request.expect.status", [99]),
    ("request.expect.maxBytes", 0),
    ("request.unknown", 1),
    ("script", "text"),
    ("scriptContent", "ZXhwb3J0"),
]


@pytest.mark.parametrize(("path", "value"), BAD_FIELDS)
def test_a_bad_field_is_named_and_nothing_is_written(operator: Any, path: str, value: Any) -> None:
    body = http_monitor(thresholds={}, parameters={})
    body["request"]["expect"] = {}
    place, *parts = body, *path.split(".")
    for part in parts[:-1]:
        place = place[part]
    place[parts[-1]] = value
    answer = operator.post("/api/monitors", body)
    assert answer.status_code == 400, answer.content
    error = answer.json()
    assert error["error"] == "invalid_request" and error["message"]
    assert any(parts[0].startswith(name.split(".")[0]) for name in error["details"]), error
    assert not Monitor.objects.exists() and not AuditEntry.objects.filter(resource="monitor").exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("%%%", "base64"),
        ("", "empty"),
        ("//79", "UTF-8"),
        (encoded("x" * (1024 * 1024 + 1)), "larger"),
        (encoded("a\x00b"), "NUL"),
    ],
)
def test_a_bad_script(operator: Any, content: str, word: str) -> None:
    answer = operator.post("/api/monitors", k6_monitor() | {"scriptContent": content})
    assert answer.status_code == 400
    assert word in str(answer.json()["details"]) or word == "empty"


def test_a_script_is_needed_once(operator: Any) -> None:
    body = k6_monitor()
    del body["scriptContent"]
    assert "scriptContent" in operator.post("/api/monitors", body).json()["details"]
    both = {"name": "B", "schedule": "@daily", "tool": "k6", "scriptContent": encoded("a")}
    data = both | {"script": SimpleUploadedFile("a.js", b"a")}
    answer = operator.post("/api/monitors", data, MULTIPART_CONTENT)
    assert answer.status_code == 400 and "script" in answer.json()["details"]


def test_a_limit_longer_than_the_gap_is_a_conflict(operator: Any) -> None:
    answer = operator.post("/api/monitors", http_monitor(schedule="* * * * *", timeoutSeconds=61))
    assert (answer.status_code, answer.json()["error"]) == (409, "schedule_conflict")
    answer = operator.post("/api/monitors", http_monitor(schedule="* * * * *"))
    assert (answer.status_code, answer.json()["timeoutSeconds"]) == (201, 60)
    assert operator.post("/api/monitors", http_monitor(schedule="@daily")).json()["timeoutSeconds"] == 300


def test_the_shortest_gap_has_a_limit(operator: Any, settings: Any) -> None:
    settings.MONITOR_MIN_INTERVAL_S = 600
    answer = operator.post("/api/monitors", http_monitor(schedule="0,5 * * * *"))
    assert answer.status_code == 400 and "schedule" in answer.json()["details"]


def test_a_secret_is_masked_and_encrypted(operator: Any) -> None:
    answer = operator.post("/api/monitors", k6_monitor(parameters={"API_TOKEN": "tiger-42", "HOST": "h"}))
    assert answer.json()["parameters"] == {"API_TOKEN": MASK, "HOST": "h"}
    stored = Monitor.objects.values_list("parameters", flat=True).get()
    assert "tiger-42" not in str(stored) and stored["HOST"] == "h"
    assert "tiger-42" not in str(AuditEntry.objects.values())


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('{"name": NaN}', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("name: x", "application/yaml", 400),
        ("broken", "multipart/form-data; boundary=x", 400),
        ('{"name":"' + "x" * (2 * 1024 * 1024) + '"}', "application/json", 413),
    ],
)
def test_bodies_that_cannot_be_read(operator: Any, body: str, content_type: str, status: int) -> None:
    answer = operator.post("/api/monitors", body, content_type)
    assert answer.status_code == status, answer.content
    assert answer.json()["error"] == ("payload_too_large" if status == 413 else "invalid_request")
    assert not Script.objects.exists()


def test_roles(api: Any) -> None:
    assert api(None).post("/api/monitors", http_monitor()).json()["error"] == "unauthorized"
    answer = api("DEVELOPER").post("/api/monitors", http_monitor())
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
