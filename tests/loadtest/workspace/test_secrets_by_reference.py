"""Variables and requests of load testing that read values from the vault (docs/vault.md)."""

import json
from ipaddress import ip_network

import pytest

from loadtest.runs.models import Run
from loadtest.runs.tasks import execute
from loadtest.workspace.models import Environment
from tests.factories import make_secret
from tests.support.client import ApiClient

pytestmark = pytest.mark.django_db
BASE = "/api/loadtest"
VALUE = "tiger/4711 lily"
SCRIPT = """
pm.environment.set("seen", "got " + pm.environment.get("token"));
console.log(pm.response.text());
"""


@pytest.fixture
def token():
    return make_secret("API_TOKEN", VALUE, scope=("load-tests",))


@pytest.fixture
def staging(api):
    """The id of an environment with a variable that refers to a secret, and one that refers to none that is there."""
    variables = {"token": {"value": "{{secret:API_TOKEN}}"}, "plain": {"value": "open"}}
    answer = api("OPERATOR").post(f"{BASE}/environments", {"name": "Staging", "variables": variables})
    assert answer.status_code == 200, answer.content
    return answer.json()["id"]


def test_a_request_sends_the_value_and_its_answer_hides_it(api, token, staging, local_server):
    local_server.answer("/echo", body=f"you said {VALUE}")
    body = {
        "method": "POST",
        "url": f"{local_server.url}/echo?q={{{{token}}}}",
        "headers": {"X-Direct": "{{secret:API_TOKEN}}", "X-Plain": "{{plain}}"},
        "auth": {"mode": "bearer", "token": "{{token}}"},
        "environmentId": staging,
        "postRequestScript": SCRIPT,
    }
    answer = api("OPERATOR").post(f"{BASE}/request", body)
    assert answer.status_code == 200, answer.content
    [sent] = local_server.requests
    assert (sent.headers["x-direct"], sent.headers["x-plain"]) == (VALUE, "open")
    assert sent.headers["authorization"] == f"Bearer {VALUE}" and sent.path == "/echo?q=tiger/4711%20lily"
    assert answer.json()["body"] == "you said ********" and answer.json()["consoleLogs"] == ["you said ********"]
    kept = Environment.objects.get(pk=staging).variables
    assert kept["token"]["value"] == "{{secret:API_TOKEN}}" and kept["seen"]["value"] == "got {{secret:API_TOKEN}}"
    whole = answer.content.decode() + json.dumps(Run.objects.values().get(), default=str)
    assert VALUE not in whole and "tiger" not in whole


@pytest.mark.django_db(transaction=True)
def test_a_load_test_sends_the_value_and_its_report_hides_it(api, token, staging, local_server, monkeypatch):
    monkeypatch.setattr(execute, "apply_async", lambda *args, **options: None)
    local_server.answer(status=500, body=f"not {VALUE}")
    body = {
        "method": "GET",
        "url": local_server.url,
        "headers": {"X-Token": "{{token}}"},
        "environmentId": staging,
        "iterations": 2,
        "tests": 'pm.test("named", () => { throw new Error(pm.response.text()) })',
    }
    client = api("OPERATOR")
    run_id = client.post(f"{BASE}/run", body).json()["runId"]
    execute(run_id)
    assert local_server.requests[0].headers["x-token"] == VALUE
    report = client.get(f"{BASE}/run/{run_id}/report").content.decode()
    row = json.dumps(Run.objects.values().get(), default=str)
    assert '"completed"' in row and "testValidation" in report
    assert VALUE not in report + row and Run.objects.get().plan == ""


def test_only_what_a_request_uses_is_read(api, token, staging, local_server):
    token.delete()
    client, body = api("OPERATOR"), {"method": "GET", "url": local_server.url, "environmentId": staging}
    assert client.post(f"{BASE}/request", body).status_code == 200
    for path in ("request", "run"):
        refused = client.post(f"{BASE}/{path}", body | {"headers": {"X": "{{token}}"}, "iterations": 1})
        assert (refused.status_code, refused.json()["error"]) == (400, "There is no secret 'API_TOKEN'")
    renamed = {"id": staging, "name": "Renamed", "variables": {"token": {"value": "{{secret:API_TOKEN}}"}}}
    assert client.post(f"{BASE}/environments", renamed).status_code == 200  # what was there is not judged again


def test_a_reference_that_cannot_be_followed_is_not_saved(api, token):
    make_secret("OF_MONITORS", VALUE, scope=("monitors",))
    variables = {"token": {"value": "{{secret:OF_MONITORS}}"}}
    client = api("OPERATOR")
    for what in ("environments", "collections", "globals"):
        answer = client.post(f"{BASE}/{what}", {"name": "Staging", "variables": variables})
        assert answer.status_code == 400 and "'OF_MONITORS' is not for load tests" in answer.json()["error"], what
    assert not Environment.objects.exists()


def test_a_caller_without_a_name_uses_no_secret(api, token, staging, local_server, settings):
    settings.LOADTEST_ANONYMOUS_FROM = [ip_network("127.0.0.0/8")]
    nobody = ApiClient(headers={"Host": "localhost:8000"})
    sent = {"method": "GET", "url": local_server.url, "headers": {"X": "{{token}}"}, "environmentId": staging}
    sent |= {"iterations": 1}
    variables = {"mine": {"value": "{{secret:API_TOKEN}}"}}
    for path, body in (("request", sent), ("run", sent), ("environments", {"name": "Mine", "variables": variables})):
        refused = nobody.post(f"{BASE}/{path}", body)
        assert refused.status_code == 403 and "with a key or a session only" in refused.json()["error"], path
    assert nobody.post(f"{BASE}/request", sent | {"headers": {}}).status_code == 200
    assert [request.headers.get("x") for request in local_server.requests] == [None]
