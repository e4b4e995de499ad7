"""What `/api/monitors` takes and refuses, to the letter (contract: monitors §1, §3)."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT

from monitors.monitors.models import Monitor
from tests.monitors.conftest import http_monitor, k6_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]

HUGE = "1" + "0" * 400


def test_a_new_monitor_may_come_with_more_than_the_contract_names(operator: Any) -> None:
    strange = {"colour": "red", "id": "x", "lastRun": None, "\ud800": 1}
    answer = operator.post("/api/monitors", http_monitor() | strange)
    assert answer.status_code == 201, answer.content
    assert answer.json()["id"] != "x" and "colour" not in answer.json()
    path = f"/api/monitors/{answer.json()['id']}"
    for name in ("id", "createdAt", "lastRun", "scriptVersion", "colour"):
        refused = operator.patch(path, {name: "x"})
        assert refused.status_code == 400 and list(refused.json()["details"]) == [name]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "5"),
        ("name", "1e400"),
        ("schedule", "5"),
        ("enabled", '"yes"'),
        ("enabled", "1"),
        ("timeoutSeconds", '"60"'),
        ("timeoutSeconds", "60.5"),
        ("timeoutSeconds", HUGE),
        ("alertAfter", "true"),
        ("tags", "[5]"),
        ("thresholds", f'{{"latencyMs": {HUGE}}}'),
        ("thresholds", '{"latencyMs": 1e400}'),
        ("parameters", '{"A": 1e400}'),
        ("parameters", '{"A": "\\ud800"}'),
        ("request", "5"),
        ("request", "[]"),
        ("request", "true"),
        ("request", '{"url": "http://127.0.0.1/", "body": 5}'),
        ("request", '{"url": "http://127.0.0.1/", "samples": "5"}'),
        ("request", '{"url": "http://127.0.0.1/", "headers": {"\\ud800": "x"}}'),
        ("request", '{"url": "http://127.0.0.1/", "headers": {"A B": "x"}}'),
        ("request", '{"url": "http://127.0.0.1/", "expect": {"bodyContain": "x"}}'),
        ("request", '{"url": "http://127.0.0.1/", "expect": 5}'),
        ("request", '{"url": "http://127.0.0.1/", "expect": {"headerContains": "a\\u0000b"}}'),
        ("request", '{"url": "http://127.0.0.1/", "expect": {"headerContains": {"A": {}}}}'),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(operator: Any, field: str, value: str) -> None:
    body = json.dumps({name: part for name, part in http_monitor().items() if name != field})
    answer = operator.post("/api/monitors", f'{body[:-1]}, "{field}": {value}}}', "application/json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"] == "invalid_request" and not Monitor.objects.exists()


def test_text_of_a_form_stays_the_text_that_it_is(operator: Any) -> None:
    data = {"name": "007", "schedule": "@daily", "tool": "http", "enabled": "False", "timeoutSeconds": "60"}
    data |= {"alertAfter": "2", "thresholds[latencyMs]": "2e3", "parameters[N]": "1.50", "tags[]": "5"}
    data |= {"request[url]": "http://127.0.0.1/", "request[body]": "true", "request[headers][X-Id]": "007"}
    data |= {"request[expect][bodyContains]": "1.0", "request[expect][status][]": "200", "request[verifyTls]": "false"}
    answer = operator.post("/api/monitors", data, MULTIPART_CONTENT)
    assert answer.status_code == 201, answer.content
    monitor = answer.json()
    assert (monitor["name"], monitor["enabled"], monitor["timeoutSeconds"], monitor["alertAfter"]) == (
        *("007", False),
        *(60, 2),
    )
    assert (monitor["thresholds"], monitor["parameters"]) == ({"latencyMs": 2000.0}, {"N": "1.50"})
    assert monitor["tags"] == ["5"]
    assert monitor["request"] == {
        "url": "http://127.0.0.1/",
        "body": "true",
        "headers": {"X-Id": "007"},
        "verifyTls": False,
        "expect": {"bodyContains": "1.0", "status": [200]},
    }


def test_a_part_of_json_may_carry_a_file_name(operator: Any) -> None:
    part = SimpleUploadedFile("blob", b'{"latencyMs": 5}', "application/json")
    data = {"name": "Blob", "schedule": "@daily", "tool": "k6", "thresholds": part}
    data["script"] = SimpleUploadedFile("a.js", b"export default () => {}")
    answer = operator.post("/api/monitors", data, MULTIPART_CONTENT)
    assert answer.status_code == 201 and answer.json()["thresholds"] == {"latencyMs": 5}
    broken = {"thresholds": SimpleUploadedFile("blob", b"{"), "script": SimpleUploadedFile("a.js", b"x")}
    assert operator.post("/api/monitors", data | broken, MULTIPART_CONTENT).status_code == 400


@pytest.mark.parametrize("name", ["user", "home", "GATE", "goal", "Path", "node_name"])
def test_names_that_only_look_reserved(operator: Any, name: str) -> None:
    assert operator.post("/api/monitors", k6_monitor(parameters={name: "x"})).status_code == 201


def test_null_is_as_good_as_absent_where_a_monitor_shows_null(operator: Any) -> None:
    answer = operator.post("/api/monitors", k6_monitor(request=None, timeoutSeconds=120))
    assert answer.status_code == 201 and answer.json()["timeoutSeconds"] == 120
    answer = operator.patch(f"/api/monitors/{answer.json()['id']}", {"timeoutSeconds": None})
    assert answer.status_code == 200 and answer.json()["timeoutSeconds"] == 300


def test_offsets_have_no_end_and_numbers_are_digits(operator: Any) -> None:
    answer = operator.get("/api/monitors?offset=99999999999")
    assert (answer.status_code, answer.json(), answer["X-Total-Count"]) == (200, [], "0")
    for query in ("limit=1_0", "limit=%D9%A3", "limit=5.0", "offset=1e3", "offset=" + "9" * 30):
        assert operator.get(f"/api/monitors?{query}").status_code == 400
    assert operator.get("/api/monitors?tool=jmeter").json() == []


def test_who_may_not_write_is_told_so_before_the_size(api: Any) -> None:
    body = "x" * (2 * 1024 * 1024 + 1)
    assert api(None).post("/api/monitors", body, "application/json").status_code == 401
    assert api("VIEWER").post("/api/monitors", body, "application/json").status_code == 403
    answer = api("OPERATOR").post("/api/monitors", body, "application/json")
    assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")


def test_limits_are_counted_by_key(api: Any, settings: Any) -> None:
    settings.RATE_MONITOR_REQUESTS = 1
    first = api("VIEWER")
    assert [first.get("/api/monitors").status_code for _ in range(2)] == [200, 429]
    assert api(user=first.user).get("/api/monitors").status_code == 200


def test_the_limit_of_runs_tells_its_own_numbers(
    operator: Any,
    create: Any,
    sent: list[str],
    settings: Any,
) -> None:
    settings.RATE_MONITOR_RUNS = 1
    path = f"/api/monitors/{create().pk}/run"
    assert operator.post(path).status_code == 202
    answer = operator.post(path)
    assert (answer.status_code, answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == (429, "1", "0")
    assert 0 < int(answer["Retry-After"]) <= 60


@pytest.mark.parametrize("written", ["urn:uuid:{}", "{{{}}}"])
def test_an_id_is_written_in_one_way(operator: Any, create: Any, written: str) -> None:
    key = create().pk
    assert operator.get(f"/api/monitors/{str(key).upper()}").status_code == 200
    for path in ("/api/monitors/", "/api/runs/", "/api/alerts/", "/api/alerts?monitorId="):
        answer = operator.get(path + written.format(key))
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
