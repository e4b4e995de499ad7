"""`GET /api/v1/audit` and the verification (contract: fleet console §30)."""

import pytest

from security.audit.models import AuditEntry
from security.audit.services import record

pytestmark = pytest.mark.django_db
URL = "/api/v1/audit"


def test_list(api):
    client = api()
    client.post("/api/v1/admin/teams", {"name": "web"}, headers={"User-Agent": "tests"})
    body = client.get(f"{URL}?resource=team").json()
    entry = body["logs"][0]
    assert body["total"] == 1 and body["logs"] == body["data"]
    assert (entry["userId"], entry["userEmail"], entry["action"]) == (client.user.pk, client.user.email, "CREATE")
    assert (entry["ipAddress"], entry["userAgent"]) == ("127.0.0.1", "tests")
    assert entry["metadata"]["after"]["name"] == "web"
    assert entry["timestamp"].endswith("Z")


def test_filters(api):
    client = api()
    for number in range(3):
        record(actor=None, action="UPDATE", resource="thing", resource_id=str(number), team_id="t1")
    for query, total in {
        "resource=thing": 3, "resource=thing&resource_id=1": 1, "team_id=t1&action=UPDATE": 3, "team_id=t2": 0,
        "resource=thing&from=2000-01-01T00:00:00Z": 3, "resource=thing&to=2000-01-01T00:00:00Z": 0,
        "resource=thing&limit=200": 3, "resource=thing&to=2999-01-01T00:00:00%2B02:00": 3,
        f"user_id={client.user.pk}": 0,
    }.items():  # fmt: skip
        assert client.get(f"{URL}?{query}").json()["total"] == total, query


@pytest.mark.parametrize(
    "query", ["from=yesterday", "limit=201", "page=0", f"action={'x' * 65}", f"resource_id={'x' * 129}", "from=0000"]
)
def test_bad_queries(api, query):
    assert api().get(f"{URL}?{query}").status_code == 422


def test_nobody_writes_it(api):
    client = api()
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(URL).status_code == 405
    assert api(role="OPERATOR").get(URL).status_code == 403


def test_verification(api):
    client = api()
    for _ in range(3):
        record(actor=None, action="UPDATE", resource="thing", resource_id="1")
    good = client.post(f"{URL}/verify").json()
    assert (good["ok"], good["firstBad"]) == (True, None)
    AuditEntry.objects.filter(number=good["checked"]).update(resource_id="2")
    assert client.post(f"{URL}/verify").json()["firstBad"] == good["checked"]
