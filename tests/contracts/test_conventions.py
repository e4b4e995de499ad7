"""What every answer below `/api/v1` has in common (contract: fleet console §1)."""

import pytest

from fleet.instances.models import Instance
from tests.support.client import ApiClient

pytestmark = pytest.mark.contract

RULES = "/api/v1/alerts/rules"
INSTANCES = "/api/v1/instances"


@pytest.mark.parametrize(
    ("role", "path", "status", "error"),
    [("OPERATOR", RULES, 400, "Bad Request"), ("VIEWER", INSTANCES, 422, "Validation Error")],
)
def test_both_families_of_validation_errors(api, role, path, status, error):
    answer = api(role).post(path, {"name": "x" * 200})
    body = answer.json()
    assert (answer.status_code, body["error"], body["statusCode"]) == (status, error, status)
    assert body["details"]["formErrors"] == [] and "name" in body["details"]["fieldErrors"]


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream", "application/xml", "garbage", "image/*;q=0"])
@pytest.mark.parametrize("path", [INSTANCES, "/api/config", "/health", "/api/v1/metrics/latest", "/api/monitors"])
def test_answers_are_json_whatever_the_request_accepts(api, accept, path):
    answer = api("VIEWER").get(path, headers={"Accept": accept})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("application/json")


def test_a_format_in_the_address_means_nothing(api):
    assert api("VIEWER").get(f"{INSTANCES}?format=xml").status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_json_is_read_whatever_its_content_type(api, kind):
    answer = api("VIEWER").generic("POST", INSTANCES, '{"name": "web-1", "provider": "fly"}', kind)
    assert answer.status_code == 201, answer.text
    answer = api("VIEWER").generic("POST", INSTANCES, "name=web-2", kind)
    assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")


@pytest.mark.parametrize("path", ["/api/config", "/api/auth/get-session", "/health"])
def test_open_paths_refuse_other_methods_without_asking_for_a_key(db, path):
    answer = ApiClient().put(path)
    assert (answer.status_code, answer.json()["error"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 123), ("region", 7), ("region", True), ("tags", {"a": 1}), ("extensions", ["git", 5]),
        ("name", " web-1"), ("name", "web-1\n"),
    ],
)  # fmt: skip
def test_values_of_another_type_are_refused(api, field, value):
    answer = api("VIEWER").post(INSTANCES, {"name": "web-1", "provider": "fly", field: value})
    assert answer.status_code == 422
    assert next(iter(answer.json()["details"]["fieldErrors"])).partition(".")[0] == field
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (RULES, {"cooldownSec": "60"}, 400),
        (RULES, {"enabled": "yes"}, 400),
        (RULES, {"channelIds": [1]}, 400),
        ("/api/v1/alerts/bulk-resolve", {"ids": [1]}, 400),
        ("/api/v1/me/api-keys", {"name": 5}, 422),
        ("/api/v1/me/api-keys", {"name": "a", "expires_in_days": "3"}, 422),
    ],
)
def test_numbers_and_texts_are_not_mixed_up(api, path, body, status):
    answer = api("OPERATOR").post(path, body)
    assert answer.status_code == status
    assert "This must be" in str(answer.json()["details"]["fieldErrors"])


def test_the_name_of_a_tag_that_no_database_stores(api):
    raw = '{"name": "web-1", "provider": "fly", "tags": {"\\ud800": "x"}}'
    answer = api("VIEWER").generic("POST", INSTANCES, raw, "application/json")
    assert (answer.status_code, list(answer.json()["details"]["fieldErrors"])) == (422, ["tags"])
