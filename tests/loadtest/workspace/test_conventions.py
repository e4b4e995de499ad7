"""What every answer below `/api/loadtest` has in common (contract: load testing §1, §19)."""

import pytest

from loadtest.workspace.models import Collection
from tests.loadtest.workspace.conftest import BASE
from tests.support.client import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.storage]


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "", "application/json; charset=zlib"]
)
def test_bodies_are_json_whatever_their_type_says(operator, kind):
    answer = operator.generic("POST", f"{BASE}/collections", '{"name": "A"}', kind)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "raw",
    [b"{", b"nope", b'{"a": NaN}', b'{"a": 1e999}', b"\xff\xfe\xfa", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000],
)
def test_what_is_no_json(operator, raw):
    for path in ("collections", "requests", "environments", "globals"):
        answer = operator.generic("POST", f"{BASE}/{path}", raw, "application/json")
        assert answer.status_code == 400 and answer.json()["error"].startswith("Invalid JSON")


def test_deep_nesting_is_no_fault_of_ours(operator):
    deep = b'{"name": "a", "variables": ' + b'{"a":' * 400 + b"1" + b"}" * 401
    assert operator.generic("POST", f"{BASE}/environments", deep, "application/json").status_code in (200, 400)


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_what_is_no_object(operator, raw):
    answer = operator.generic("POST", f"{BASE}/collections", raw, "application/json")
    assert (answer.status_code, answer.json()) == (400, {"error": "The body must be a JSON object"})


def test_unknown_fields_are_ignored(make):
    assert "colour" not in make("collections", name="A", colour="red")


def test_paths_and_methods_that_do_not_exist(operator):
    assert operator.get(f"{BASE}/nothing").status_code == 404
    for call, path in (
        (operator.delete, "collections"), (operator.put, "requests"), (operator.patch, "environments/e"),
        (operator.get, "collections/c"), (operator.get, "shutdown"), (operator.post, "health"),
    ):  # fmt: skip
        answer = call(f"{BASE}/{path}")
        assert answer.status_code == 405 and isinstance(answer.json()["error"], str)


def test_nobody_stops_the_platform(api):
    answer = api("ADMIN").post(f"{BASE}/shutdown", {})
    assert (answer.status_code, answer.json()) == (403, {"error": "The platform is not stopped by a client"})


def test_writes_are_answered_with_and_without_a_slash_and_never_redirected(operator):
    for slash in ("", "/"):
        answer = operator.post(f"{BASE}/collections{slash}", {"id": "c", "name": "A"})
        assert answer.status_code == 200
        assert operator.delete(f"{BASE}/collections/c{slash}").status_code == 200


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("VIEWER", 403), ("DEVELOPER", 403), ("OPERATOR", 200), ("ADMIN", 200)]
)
def test_writes_take_an_operator(api, role, status):
    assert api(role).post(f"{BASE}/collections", {"name": "A"}).status_code == status
    assert Collection.objects.exists() is (status == 200)


@pytest.mark.parametrize("path", ["collections", "nothing/at/all", "health", "request", "run/1/stop"])
@pytest.mark.parametrize("preflight", [True, False])
def test_options_is_answered_at_once(settings, path, preflight):
    settings.CORS_ALLOWED_ORIGINS = ["https://console.example.org"]
    asked = {"Access-Control-Request-Method": "POST"} if preflight else {}
    answer = ApiClient().options(f"{BASE}/{path}", headers={"Origin": "https://console.example.org", **asked})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "https://console.example.org"
    methods = {word.strip() for word in answer["Access-Control-Allow-Methods"].split(",")}
    assert {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} <= methods
    headers = {word.strip().lower() for word in answer["Access-Control-Allow-Headers"].split(",")}
    assert {"content-type", "authorization", "last-event-id"} <= headers


def test_other_origins_get_no_leave(api):
    answer = api("VIEWER").get(f"{BASE}/collections", headers={"Origin": "https://elsewhere.example.org"})
    assert "Access-Control-Allow-Origin" not in answer
    assert ApiClient().options(f"{BASE}/run", headers={"Origin": "https://elsewhere.example.org"}).status_code == 204
