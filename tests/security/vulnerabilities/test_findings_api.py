"""Findings over HTTP: lists, one, decisions (contract: fleet console §22)."""

from datetime import timedelta

import pytest

from fleet.instances.models import Instance
from security.audit.models import AuditEntry
from security.bom.models import Inventory
from security.vulnerabilities.models import Decision, Finding, Signal
from tests.factories import FOUND_AT, make_finding, make_team

pytestmark = pytest.mark.django_db
BASE = "/api/v1/security/vulnerabilities"
OF_THE_CONTRACT = {
    "id", "instanceId", "instanceName", "cveId", "osvId", "packageName", "packageVersion", "ecosystem", "severity",
    "cvssScore", "title", "description", "fixVersion", "references", "status", "detectedAt",
}  # fmt: skip
OURS = {"cvssVector", "dueAt", "overdue", "epss", "epssPercentile", "kev", "kevDueDate"}


def make_instance(name: str = "web-1", **fields) -> Instance:
    return Instance.objects.create(name=name, provider="ssh", **fields)


def ids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    assert answer.json()["items"] == answer.json()["data"]
    return [item["id"] for item in answer.json()["items"]]


def test_the_worst_first_then_the_newest(api):
    web = make_instance()
    old = make_finding(web, severity="HIGH", detected_at=FOUND_AT - timedelta(days=3))
    new = make_finding(web, severity="HIGH")
    unknown, critical = make_finding(web, severity="UNKNOWN"), make_finding(web, severity="CRITICAL", status="FIXED")
    client = api("VIEWER")
    answer = client.get(BASE)
    assert ids(answer) == [critical.pk, new.pk, old.pk, unknown.pk]
    assert answer.json()["pagination"]["total"] == answer.json()["total"] == 4
    assert ids(client.get(f"{BASE}/?limit=2&page=2")) == [old.pk, unknown.pk]


def test_a_finding_has_the_fields_of_the_contract_and_ours(api):
    about = {
        "description": "Long text", "cvss_vector": "CVSS:3.1/AV:N", "references": [
            {"type": "WEB", "url": "https://example.org/a"}, "https://example.org/a", {"url": "javascript:alert(1)"}, 7,
        ],
    }  # fmt: skip
    web = make_instance()
    made = make_finding(web, "CVE-2026-1", advisory=about, cvss_score=7.5, due_at=FOUND_AT + timedelta(days=30))
    Signal.objects.create(cve_id="CVE-2026-1", epss=0.25, epss_percentile=0.9, kev_added_date=FOUND_AT.date())
    client = api("VIEWER")
    found = client.get(f"{BASE}/{made.pk}").json()
    assert set(found) == OF_THE_CONTRACT | OURS
    assert found["instanceName"] == "web-1" and found["osvId"] == "OSV-CVE-2026-1" and found["fixVersion"] is None
    assert found["references"] == ["https://example.org/a"]
    assert (found["kev"], found["epss"], found["kevDueDate"], found["overdue"]) == (True, 0.25, None, True)
    assert found["detectedAt"] == "2026-03-01T12:00:00.000Z" and found["dueAt"] == "2026-03-31T12:00:00.000Z"
    assert client.get(BASE).json()["items"] == [found]


FILTERS = {
    "instanceId=WEB": "abd",
    "instanceId=nothing": "",
    "severity=CRITICAL": "b",
    "status=ACKNOWLEDGED": "c",
    "ecosystem=pypi": "b",
    "package=REQUESTS": "b",
    "cveId=cve-2026-3": "c",
    "search=hole": "abcd",
    "search=db-": "c",
    "overdue=true": "a",
    "overdue=false": "bcd",
    "kev=true": "d",
    "kev=false": "abc",
    "severity=HIGH&status=OPEN&page=1&pageSize=100": "ad",
    "nonsense=1": "abcd",
}
WRONG = ("severity=high", "status=GONE", "overdue=maybe", "kev=1", "limit=0", "page=x", "search=%00", "package=%00")


def test_filters(api):
    web, db, client = make_instance(), make_instance("db-1"), api("VIEWER")
    made = {
        "a": make_finding(web, "CVE-2026-1", due_at=FOUND_AT + timedelta(days=1)),
        "b": make_finding(web, "CVE-2026-2", severity="CRITICAL", ecosystem="PyPI", package_name="requests"),
        "c": make_finding(db, "CVE-2026-3", status="ACKNOWLEDGED", due_at=FOUND_AT, acknowledged_at=FOUND_AT),
        "d": make_finding(web, "CVE-2026-4"),
    }
    Signal.objects.create(cve_id="CVE-2026-4", kev_added_date=FOUND_AT.date())
    Signal.objects.create(cve_id="CVE-2026-1", epss=0.1)
    for query, found in FILTERS.items():
        answer = client.get(f"{BASE}?{query.replace('WEB', web.pk)}")
        assert set(ids(answer)) == {made[name].pk for name in found}, query
    for query in WRONG:
        answer = client.get(f"{BASE}?{query}")
        assert answer.status_code == 422 and answer.json()["error"] == "Validation Error", query
        assert query.partition("=")[0] in answer.json()["details"]["fieldErrors"], query


def test_decisions_from_any_state_are_kept_with_who_when_and_why(api):
    made, client = make_finding(make_instance()), api("VIEWER")
    for path, reason, status in (
        ("acknowledge", None, "ACKNOWLEDGED"),
        ("fix", "updated by hand", "FIXED"),
        ("false-positive", "the code is never called", "FALSE_POSITIVE"),
        ("acknowledge", "looked again", "ACKNOWLEDGED"),
        ("reopen", None, "OPEN"),
    ):
        answer = client.post(f"{BASE}/{made.pk}/{path}", {"reason": reason} if reason else None)
        assert (answer.status_code, answer.json()) == (200, {"id": made.pk, "status": status})
        found = client.get(f"{BASE}/{made.pk}").json()
        assert ("fixedAt" in found) is (status == "FIXED")
        assert ("acknowledgedAt" in found) is (status != "OPEN")
    assert client.post(f"{BASE}/{made.pk}/reopen").json()["status"] == "OPEN"  # again: nothing to keep
    history = client.get(f"{BASE}/{made.pk}/history").json()
    assert [(one["before"], one["after"], one["reason"]) for one in history["data"]] == [
        ("ACKNOWLEDGED", "OPEN", None),
        ("FALSE_POSITIVE", "ACKNOWLEDGED", "looked again"),
        ("FIXED", "FALSE_POSITIVE", "the code is never called"),
        ("ACKNOWLEDGED", "FIXED", "updated by hand"),
        ("OPEN", "ACKNOWLEDGED", None),
    ]
    assert {one["author"] for one in history["data"]} == {client.user.email}
    audited = AuditEntry.objects.filter(resource="finding", resource_id=made.pk).order_by("pk")
    assert [entry.metadata["act"] for entry in audited] == [
        "acknowledge", "fix", "false-positive", "acknowledge", "reopen",
    ]  # fmt: skip
    assert audited[1].metadata["reason"] == "updated by hand" and audited[1].user_email == client.user.email


def test_a_reason_that_cannot_be_kept_changes_nothing(api):
    made, client = make_finding(make_instance()), api("VIEWER")
    path = f"{BASE}/{made.pk}/fix"
    for given in ({"reason": 7}, {"reason": "x" * 2001}, {"reason": "\x00"}, {"reason": None}, [1]):
        answer = client.post(path, given)
        assert answer.status_code == 422, (given, answer.content)
    sent = client.generic("POST", path, b'{"reason": "\\ud800"}', content_type="application/json")
    assert sent.status_code == 422
    assert client.generic("POST", path, b"{", content_type="application/json").status_code == 400
    made.refresh_from_db()
    assert made.status == "OPEN" and not Decision.objects.exists()
    assert not AuditEntry.objects.filter(resource="finding").exists()


def test_unknown_and_invisible_ones_are_missing(api):
    team = make_team()
    hidden = make_finding(make_instance(team=team))
    gone = make_finding(make_instance("gone", status="DESTROYED"))
    outsider, member = api("OPERATOR"), api("VIEWER", teams={team: "VIEWER"})
    for pk in (hidden.pk, gone.pk, "unknown", "%00"):
        for call in (
            outsider.get(f"{BASE}/{pk}"), outsider.get(f"{BASE}/{pk}/history"),
            *(outsider.post(f"{BASE}/{pk}/{act}") for act in ("acknowledge", "fix", "false-positive", "reopen")),
        ):  # fmt: skip
            assert call.status_code == (400 if pk == "%00" else 404), (pk, call.content)
    assert ids(outsider.get(BASE)) == [] and ids(member.get(BASE)) == [hidden.pk]
    assert outsider.get(f"{BASE}/{'x' * 129}").status_code == 400
    assert member.post(f"{BASE}/{hidden.pk}/fix").status_code == 200


def test_strict_roles_raise_the_door_but_a_team_may_open_it(api, settings):
    settings.STRICT_ROLES = True
    team = make_team()
    made = make_finding(make_instance(team=team))
    assert api("DEVELOPER", teams={team: "VIEWER"}).post(f"{BASE}/{made.pk}/fix").status_code == 403
    assert Finding.objects.get().status == "OPEN"
    assert api("VIEWER", teams={team: "OPERATOR"}).post(f"{BASE}/{made.pk}/fix").status_code == 200


def test_a_page_of_findings_is_read_with_few_queries(api, django_assert_max_num_queries):
    web, client = make_instance(), api("VIEWER")
    for _ in range(30):
        make_finding(web)
    with django_assert_max_num_queries(8):
        assert len(ids(client.get(f"{BASE}?limit=30"))) == 30


def test_a_scan_says_what_it_looked_at(api, settings):
    team = make_team()
    untold, told = make_instance(), make_instance("told", team=team)
    Inventory.objects.create(instance=told, source="agent", received_at=FOUND_AT, digest="x")
    member, outsider = api("VIEWER", teams={team: "VIEWER"}), api("OPERATOR")
    refused = outsider.post(f"/api/v1/security/scan/{untold.pk}")
    assert (refused.status_code, refused.json()["message"]) == (409, "No package inventory for this instance")
    assert outsider.post(f"/api/v1/security/scan/{told.pk}").status_code == 404
    assert outsider.post(f"/api/v1/security/scan/{'x' * 129}").status_code == 400
    done = member.post(f"/api/v1/security/scan/{told.pk}")
    assert done.status_code == 200
    assert done.json().pop("scannedAt").endswith("Z")
    assert {name: value for name, value in done.json().items() if name != "scannedAt"} == {
        "instanceId": told.pk, "instanceName": "told", "packagesScanned": 0, "vulnerabilitiesDetected": 0,
        "newVulnerabilitiesSaved": 0,
    }  # fmt: skip
    settings.STRICT_ROLES = True
    assert member.post(f"/api/v1/security/scan/{told.pk}").status_code == 403
