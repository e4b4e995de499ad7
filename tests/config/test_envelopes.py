"""Below an API prefix every fault has the shape of that API, whichever layer found it.

Contracts: fleet console §1.7, monitors §1.1, load testing §1, signals §1, traffic replay §3.
"""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import PASSWORD, make_key, make_user
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db


def fleet(status, body):
    reasons = {
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        413: "Payload Too Large", 415: "Unsupported Media Type", 422: "Validation Error", 429: "Too Many Requests",
    }  # fmt: skip
    assert body["error"] == reasons[status]
    assert body["statusCode"] == status and isinstance(body["message"], str)
    extra = {429: {"retryAfter"}, 422: {"details"}}.get(status, set())
    assert set(body) - {"details"} == {"error", "message", "statusCode", *(extra - {"details"})}
    if status == 422:
        assert set(body["details"]) == {"formErrors", "fieldErrors"}


def monitors(status, body):
    codes = {
        400: "invalid_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
        413: "payload_too_large", 429: "rate_limited",
    }  # fmt: skip
    assert body["error"] == codes[status] and isinstance(body["message"], str)
    assert set(body) <= {"error", "message", "details"}


def loadtest(status, body):
    assert isinstance(body["error"], str) and set(body) <= {"error", "details"}


def signals(status, body):
    assert isinstance(body["error"], str) and set(body) == {"error", "detail"}


def replay(status, body):
    assert isinstance(body["error"], str) and set(body) == {"error", "message", "code"}


def wire(status, body):
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message"}


PREFIXES = {
    "/api": fleet, "/api/v1": fleet, "/api/auth": fleet, "/api/monitors": monitors, "/api/runs": monitors,
    "/api/alerts": monitors, "/api/agents": monitors, "/api/settings": monitors, "/api/loadtest": loadtest,
    "/api/signals": signals, "/api/replay": replay, "/v1": wire,
}  # fmt: skip
# For each base URL that has routes by now: a list, a write that anybody may try, and one that needs more.
READS = {"/api/v1": "/api/v1/me", "/api/monitors": "/api/monitors", "/api/alerts": "/api/alerts"}
WRITES = {"/api/v1": "/api/v1/me/api-keys", "/api/monitors": "/api/monitors", "/api/settings": "/api/settings/license"}
STRONG = {"/api/v1": "/api/v1/admin/users", "/api/monitors": "/api/monitors", "/api/settings": "/api/settings/license"}


def shape_of(path):
    return PREFIXES[max((prefix for prefix in PREFIXES if f"{path}/".startswith(f"{prefix}/")), key=len)]


def check(answer, status, path):
    assert answer.status_code == status, answer.text[:300]
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Request-ID"]
    shape_of(path)(status, answer.json())
    return answer


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_unknown_path(api, prefix, method):
    for path in (f"{prefix}/no/such/thing", f"{prefix}/no/such/thing/"):
        answer = check(getattr(api(), method)(path), 404, path)
        if shape_of(path) is fleet:
            assert answer.json()["message"] == f"No route for {method.upper()} {path}"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_bad_key_learns_nothing_about_paths(db, prefix):
    path = f"{prefix}/no/such/thing"
    known_as_wrong = 403 if shape_of(path) in (replay, wire) else 401
    check(ApiClient(headers={"X-Api-Key": "wrong"}).get(path), known_as_wrong, path)


@pytest.mark.parametrize("path", READS.values())
def test_wrong_verb(api, path):
    answer = check(api().patch(path + "/", {}) if path == "/api/alerts" else api().delete(path), 405, path)
    assert "GET" in answer["Allow"]
    check(ApiClient().delete(path), 401, path)


@pytest.mark.parametrize("path", WRITES.values())
@pytest.mark.parametrize(
    "body", [b"{", b"", b"{'a': 1}", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b"<a/>", b"nul", b'{"a": 1}}']
)
def test_broken_json(api, path, body):
    client = api()
    if body == b"":
        answer = client.generic("POST", path, b"", "application/json")
        assert answer.status_code in (400, 422)
    else:
        answer = client.generic("POST", path, body, "application/json")
        assert answer.status_code == 400, answer.text[:200]
    check(answer, answer.status_code, path)


@pytest.mark.parametrize("path", WRITES.values())
@pytest.mark.parametrize("body", ["[]", "5", '"x"', "null", "true"])
def test_json_that_is_no_object(api, path, body):
    answer = api().generic("POST", path, body, "application/json")
    check(answer, 422 if shape_of(path) is fleet else 400, path)


@pytest.mark.parametrize("path", WRITES.values())
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "nonsense", "", "multipart/form-data"])
def test_other_content_types(api, path, kind):
    answer = api().generic("POST", path, b"x=1", kind)
    assert answer.status_code in (400, 415)
    check(answer, answer.status_code, path)


@pytest.mark.parametrize("path", WRITES.values())
def test_a_body_that_is_too_large(api, path):
    check(api().generic("POST", path, json.dumps({"name": "x" * 5 * 1024 * 1024}), "application/json"), 413, path)


@pytest.mark.parametrize("path", [*READS.values(), *WRITES.values()])
def test_no_key_and_bad_keys(db, path):
    check(ApiClient().get(path), 401, path)
    _, expired = make_key(expires_at=timezone.now() - timedelta(days=1))
    for headers in (
        {"X-Api-Key": "wrong"}, {"Authorization": "Bearer wrong"}, {"X-Api-Key": expired},
        {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}, {"X-Api-Key": "ü" * 5000},
        {"Cookie": "sessionid=wrong"},
    ):  # fmt: skip
        answer = check(ApiClient(headers=headers).get(path), 401, path)
        assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", STRONG.values())
def test_a_weak_key(api, path):
    answer = check(api(role="VIEWER").post(path, {}), 403, path)
    assert "role or higher" in answer.json()["message"]


@pytest.mark.parametrize("path", [*READS.values(), *WRITES.values()])
@pytest.mark.parametrize("who", ["key", "nobody"])
def test_too_many_requests(api, settings, path, who):
    settings.RATE_READS = settings.RATE_WRITES = settings.RATE_MONITOR_REQUESTS = 2
    client = api(role="VIEWER") if who == "key" else ApiClient()
    for left in (1, 0):
        answer = client.get(path)
        assert answer["X-RateLimit-Limit"] == "2" and answer["X-RateLimit-Remaining"] == str(left)
    refused = check(client.get(path), 429, path)
    assert refused["X-RateLimit-Remaining"] == "0"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert abs(int(refused["X-RateLimit-Reset"]) - timezone.now().timestamp()) <= 60


def test_another_sites_form(db):
    browser = ApiClient(enforce_csrf_checks=True)
    browser.force_login(make_user(password=PASSWORD))
    for path in ("/api/v1/me/api-keys", "/api/monitors"):
        check(browser.post(path, "x=1", "application/x-www-form-urlencoded"), 403, path)


def test_a_fault_of_ours_shows_no_internals(api, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("security.accounts.api.me.profile", broken)
    client = api()
    client.raise_request_exception = False
    answer = client.get("/api/v1/me")
    assert answer.status_code == 500
    body = answer.json()
    assert (body["error"], body["statusCode"]) == ("Internal Server Error", 500)
    assert answer["X-Request-ID"] in body["message"] and "secret detail" not in answer.text


@pytest.mark.parametrize(
    "prefix", ["admin/users", "admin/teams", "admin/api-keys", "instances", "alerts", "alerts/rules"]
)
def test_ids_that_are_too_long_or_strange(api, prefix):
    client = api()
    for text in ("x" * 129, "x" * 5000, "%00", "%F0%9F%92%A9", "..%2F..", "'--", "%ff"):
        answer = client.get(f"/api/v1/{prefix}/{text}")
        assert answer.status_code in ((400,) if len(text) > 128 else (400, 404)), text
        check(answer, answer.status_code, "/api/v1")


@pytest.mark.parametrize(
    "path", ["/api/v1/instances", "/api/v1/alerts", "/api/v1/audit", "/api/monitors", "/api/alerts"]
)
def test_a_query_with_a_character_that_no_database_has(api, path):
    for name in ("search", "status", "resource", "instanceId", "user_id", "region", "tag"):
        assert api().get(f"{path}?{name}=a%00").status_code in (200, 400, 422)


@pytest.mark.parametrize(
    "path", ["/settings/users/?search=%00", "/settings/users/%00/", "/settings/keys/%00/rotate/", "/instances/%00/"]
)
def test_a_page_whose_address_has_one(path):
    browser = ApiClient()
    browser.force_login(make_user(role="ADMIN"))
    assert browser.get(path).status_code in (200, 404)


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
def test_a_body_with_a_character_that_no_database_has(api, text):
    """In keys of objects too, where no serializer looks."""
    for path, body in {
        "/api/v1/instances": '{"hostname": "web-1", "provider": "ssh", "tags": {"a%s": "b"}}',
        "/api/v1/admin/teams": '{"name": "a%s"}',
        "/api/monitors": '{"name": "a", "tool": "http", "schedule": "* * * * *", "parameters": {"a%s": "b"}}',
    }.items():
        answer = api().generic("POST", path, (body % text).encode(), "application/json")
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        check(answer, answer.status_code, path)
