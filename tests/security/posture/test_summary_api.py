"""Summary, score and compliance of what the caller sees (contract: fleet console §22)."""

import pytest

from security.keys.services import principal_of
from security.posture.queries import coverage, overdue_fixes
from tests.factories import make_team
from tests.security.posture.making import NOW, ago, make_finding, make_instance, make_rotation, make_ssh_key

SUMMARY, COMPLIANCE = "/api/v1/security/summary", "/api/v1/security/compliance"


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def test_the_contracts_example(api):
    vm = make_instance()
    make_finding(vm, "HIGH")
    make_finding(vm, "MEDIUM")
    make_finding(vm, "CRITICAL", status="ACKNOWLEDGED")
    make_finding(vm, "CRITICAL", status="FIXED")
    make_rotation(vm, ago(91))
    make_rotation(vm, ago(89))
    make_ssh_key(vm, key_type="dsa", revoked_at=ago(1))
    make_ssh_key(vm, expires_at=ago(1))
    gone = make_instance(status="DESTROYED")
    make_finding(gone, "CRITICAL")
    make_ssh_key(gone, key_type="dsa")
    expected = {
        "totalVulnerabilities": 2, "bySeverity": {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 1, "LOW": 0, "UNKNOWN": 0},
        "openCount": 2, "acknowledgedCount": 1, "overdueSecrets": 1, "expiredSshKeys": 1, "weakSshKeys": 0,
        "securityScore": {
            "total": 80, "breakdown": {"vulnerabilities": 45, "secretRotation": 20, "sshKeys": 15}, "grade": "B",
        },
    }  # fmt: skip
    client = api(role="VIEWER")
    assert client.get(SUMMARY).json() == {"summary": expected}
    assert client.get(f"{SUMMARY}?instanceId={vm.pk}").json() == {"summary": expected}
    assert client.get(f"{SUMMARY}?instanceId={make_instance().pk}").json()["summary"]["securityScore"]["total"] == 100
    assert client.get(f"{SUMMARY}?instanceId=unknown").status_code == 404
    assert client.get(f"{SUMMARY}?instanceId={'x' * 129}").status_code == 400


def test_compliance_in_order_with_its_evidence(api):
    vm, other = make_instance(name="web"), make_instance(name="db")
    worst = make_finding(vm, "CRITICAL", due_at=ago(2))
    for _ in range(6):
        make_finding(other, "CRITICAL")
    make_rotation(vm, secret_name="payments")
    make_ssh_key(vm, key_type="ssh-rsa", key_bits=1024, comment="someone@laptop")
    body = api(role="VIEWER").get(COMPLIANCE).json()
    checks = body["checks"]
    assert [check["id"] for check in checks] == [
        "no-critical-vulns", "no-high-vulns", "secrets-rotated", "no-weak-ssh", "ssh-keys-current"
    ]  # fmt: skip
    assert [check["passed"] for check in checks] == [False, True, False, False, True]
    first = f"7 open critical vulnerabilities: {worst.cve_id} in openssl 3.0.1 on web; "
    assert checks[0]["details"].startswith(first) and checks[0]["details"].endswith("; and 2 more")
    assert [check["details"] for check in checks[1:]] == [
        "No open high vulnerabilities",
        "1 overdue rotation: payments on web",
        "1 weak active SSH key: someone@laptop (ssh-rsa 1024 bit) on web",
        "No expired SSH keys",
    ]
    assert (body["instanceId"], body["compliancePercent"], body["passedChecks"], body["totalChecks"]) == (
        None,
        40,
        2,
        5,
    )
    assert body["securityScore"]["breakdown"] == {"vulnerabilities": 0, "secretRotation": 20, "sshKeys": 10}
    assert body["generatedAt"] == "2026-03-02T12:00:00.000Z"
    alone = api(role="VIEWER").get(f"{COMPLIANCE}?instanceId={other.pk}").json()
    assert (alone["instanceId"], alone["passedChecks"]) == (other.pk, 4)


def test_each_sees_the_own_instances_only(api):
    team = make_team()
    hidden, seen = make_instance(team=make_team()), make_instance(team=team)
    make_finding(hidden, "CRITICAL")
    make_finding(seen, "LOW")
    member = api(role="VIEWER", teams={team: "VIEWER"})
    assert member.get(SUMMARY).json()["summary"]["openCount"] == 1
    assert member.get(f"{SUMMARY}?instanceId={hidden.pk}").status_code == 404
    assert member.get(f"{COMPLIANCE}?instanceId={hidden.pk}").status_code == 404
    assert api(role="ADMIN").get(SUMMARY).json()["summary"]["openCount"] == 2
    bound = api(role="VIEWER", instance_id=make_instance().pk)
    assert bound.get(SUMMARY).json()["summary"]["openCount"] == 0


def test_overdue_fixes_by_instance_the_worst_first(api):
    first, second, fine = make_instance(), make_instance(), make_instance()
    make_finding(first, "MEDIUM", due_at=ago(9))
    make_finding(first, "LOW", due_at=ago(20))
    make_finding(second, "HIGH", due_at=ago(1))
    make_finding(fine, "CRITICAL", due_at=ago(-1))
    make_finding(fine, "CRITICAL", due_at=ago(5), status="ACKNOWLEDGED")
    found = overdue_fixes(principal_of(api().key), NOW)
    told = [(one.instance, one.count, one.severity, one.since) for one in found]
    assert told == [(second, 1, "HIGH", ago(1)), (first, 2, "MEDIUM", ago(20))]


def test_nothing_known_is_told_as_such(api):
    make_instance()
    known = coverage(principal_of(api().key))
    assert (known.instances, known.unlisted, known.has_advisories, known.whole) == (1, 1, False, False)
