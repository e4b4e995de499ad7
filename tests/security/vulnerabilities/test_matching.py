"""From what is installed and what was imported to findings, and what becomes of them (contract: fleet console §22)."""

import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from config.api.errors import Conflict
from fleet.instances.models import Instance
from security.audit.models import AuditEntry
from security.bom.models import VexStatement
from security.bom.packages import Package
from security.bom.services import replace
from security.management.commands.advisories import Command
from security.vulnerabilities import daily, services
from security.vulnerabilities.deadlines import due_at
from security.vulnerabilities.models import Advisory, Affected, Decision, Finding, FleetMatch, Signal, Status
from security.vulnerabilities.triage import move

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
BELOW_10_3 = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "10.3"}]}]
BELOW_3_0_2 = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.2-1"}]}
BINARY = Package("libssl3", "3.0.1-1+b1", "Debian:12")
FROM_SOURCE = Package("libssl3", "3.0.1-1+b1", "Debian:12", None, "openssl", "3.0.1-1")


@pytest.fixture
def web() -> Instance:
    return Instance.objects.create(name="web-1", provider="ssh")


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process for each match would make these tests slow; one test has it."""

    class Here:
        def __enter__(self) -> Any:
            return services.judge

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(services, "Apart", Here)


def advise(pk: str = "GHSA-1", cve: str = "CVE-2024-1", **more: Any) -> Affected:
    """An advisory about pillow before 10.3, of high severity."""
    about = {"cve_id": cve, "title": pk, "severity": "HIGH", "cvss_score": 7.5, "modified_at": NOW, "aliases": [cve]}
    about |= {name: more.pop(name) for name in ("severity", "cvss_score", "aliases") if name in more}
    advisory = Advisory.objects.create(pk=pk, **about)
    told = {"ecosystem": "pypi", "name": "pillow", "ranges": BELOW_10_3, "fix_version": "10.3"} | more
    return Affected.objects.create(advisory=advisory, **told)


def install(instance: Instance, *packages: Package | str, now: datetime = NOW) -> None:
    """Packages in PyPI by version of pillow, or whole ones."""
    found = [Package("Pillow", one, "PyPI") if isinstance(one, str) else one for one in packages]
    replace(instance=instance, source="agent", packages=found, now=now)


def scan(instance: Instance, now: datetime = NOW) -> tuple[int, int, int]:
    found = services.scan(instance=instance, now=now)
    assert (found.instance_id, found.instance_name, found.scanned_at) == (instance.pk, instance.name, now)
    return found.packages_scanned, found.vulnerabilities_detected, found.new_vulnerabilities_saved


def decisions() -> list[tuple[str, str, str]]:
    return list(Decision.objects.order_by("at", "pk").values_list("author_name", "before", "after"))


def test_a_scan_needs_an_inventory(web: Instance) -> None:
    with pytest.raises(Conflict, match="No package inventory for this instance"):
        services.scan(instance=web, now=NOW)


def test_a_finding_says_what_the_advisory_says(web: Instance) -> None:
    advise()
    install(web, "10.2.0", Package("requests", "2.31", "PyPI"))
    assert scan(web) == (2, 1, 1)
    row = Finding.objects.get()
    assert (row.cve_id, row.package_name, row.package_version, row.ecosystem) == (
        "CVE-2024-1",
        "pillow",
        "10.2.0",
        "PyPI",
    )
    assert (row.severity, row.rank, row.cvss_score, row.fix_version, row.status) == ("HIGH", 1, 7.5, "10.3", "OPEN")
    assert (row.detected_at, row.due_at) == (NOW, NOW + timedelta(days=30))
    assert scan(web, LATER) == (2, 1, 0)
    assert Finding.objects.get().detected_at == NOW


@pytest.mark.parametrize(
    ("package", "affected", "found"),
    [
        (Package("pillow", "10.3", "PyPI"), {}, False),
        (Package("pillow", "10.2", "npm"), {}, False),
        (Package("pillow", "x", "PyPI"), {}, False),
        (Package("pillow", "11.0", "PyPI"), {"versions": ["11.0"]}, True),
        (Package("pillow", "weird", "PyPI"), {"ranges": [], "versions": ["weird"]}, True),
        (FROM_SOURCE, {"ecosystem": "debian:12", "name": "openssl", "ranges": [BELOW_3_0_2]}, True),
        (FROM_SOURCE, {"ecosystem": "debian", "name": "openssl", "versions": ["3.0.1-1"]}, True),
        (FROM_SOURCE, {"ecosystem": "debian:11", "name": "openssl", "versions": ["3.0.1-1"]}, False),
        (FROM_SOURCE, {"ecosystem": "debian:12", "name": "libssl3", "versions": ["3.0.1-1"]}, False),
        (BINARY, {"ecosystem": "debian:12", "name": "libssl3", "ranges": [BELOW_3_0_2]}, True),
    ],
)  # fmt: skip
def test_ecosystem_name_and_version_decide(web: Instance, package: Package, affected: dict, found: bool) -> None:
    advise(**affected)
    install(web, package)
    assert scan(web) == (1, int(found), int(found))


def test_one_finding_a_vulnerability_and_package_told_by_the_worst(web: Instance) -> None:
    advise("GHSA-1", severity="LOW")
    advise("PYSEC-1", severity="CRITICAL")
    install(web, "10.1", "10.2")
    assert scan(web) == (2, 1, 1)
    assert Finding.objects.values_list("advisory_id", "severity", "package_version").get() == (
        "PYSEC-1",
        "CRITICAL",
        "10.1",
    )


def test_an_open_finding_is_refreshed(web: Instance) -> None:
    row = advise()
    install(web, "10.1")
    scan(web)
    Advisory.objects.update(severity="CRITICAL", cvss_score=9.8)
    Affected.objects.filter(pk=row.pk).update(ranges=[{"events": [{"introduced": "0"}, {"fixed": "10.4"}]}])
    install(web, "10.2", now=LATER)
    assert scan(web, LATER) == (1, 1, 0)
    found = Finding.objects.get()
    assert (found.package_version, found.severity, found.rank, found.cvss_score) == ("10.2", "CRITICAL", 0, 9.8)
    assert (found.fix_version, found.due_at, found.detected_at) == ("10.4", NOW + timedelta(days=7), NOW)
    assert decisions() == []


@pytest.mark.parametrize("kept", [Status.ACKNOWLEDGED, Status.FALSE_POSITIVE])
def test_what_people_decided_is_left_alone(web: Instance, kept: Status) -> None:
    advise()
    install(web, "10.1")
    scan(web)
    Finding.objects.update(status=kept, acknowledged_at=NOW)
    before = Finding.objects.values().get()
    install(web, "10.2", now=LATER)
    assert scan(web, LATER) == (1, 1, 0)
    install(web, "10.3", now=LATER)
    assert scan(web, LATER) == (1, 0, 0)
    assert Finding.objects.values().get() == before


def test_an_open_finding_is_fixed_when_the_version_is_gone_and_opens_again_when_it_is_back(web: Instance) -> None:
    advise()
    install(web, "10.2")
    scan(web)
    install(web, "10.3", now=LATER)
    assert scan(web, LATER) == (1, 0, 0)
    row = Finding.objects.get()
    assert (row.status, row.fixed_at) == ("FIXED", LATER)
    install(web, "10.1", now=LATER)
    again = LATER + timedelta(days=1)
    assert scan(web, again) == (1, 1, 0)
    row.refresh_from_db()
    assert (row.status, row.fixed_at, row.reopened_at, row.package_version) == ("OPEN", None, again, "10.1")
    assert row.due_at == again + timedelta(days=30)
    assert decisions() == [("Pharos", "OPEN", "FIXED"), ("Pharos", "FIXED", "OPEN")]


def test_what_a_person_called_fixed_opens_again_while_the_version_is_there(web: Instance) -> None:
    advise()
    install(web, "10.2")
    scan(web)
    row = Finding.objects.get()
    move(row, Status.FIXED, NOW)
    row.save()
    assert scan(web, LATER) == (1, 1, 0)
    row.refresh_from_db()
    assert (row.status, row.reopened_at) == ("OPEN", LATER)
    assert Decision.objects.get().reason == "Version 10.2 is still installed"


def test_a_withdrawn_advisory_closes_its_findings(web: Instance) -> None:
    row = advise()
    install(web, "10.2")
    scan(web)
    Advisory.objects.update(withdrawn_at=LATER)
    row.delete()
    scan(web, LATER)
    assert Finding.objects.get().status == "FIXED"
    assert Decision.objects.get().reason == "The advisory was withdrawn"


@pytest.mark.parametrize(
    ("state", "about", "status"),
    [
        ("not_affected", {}, "FALSE_POSITIVE"), ("false_positive", {"package": "pillow"}, "FALSE_POSITIVE"),
        ("resolved", {"ecosystem": "pypi", "package": "pillow"}, "FIXED"), ("exploitable", {}, "OPEN"),
        ("in_triage", {}, "OPEN"), ("not_affected", {"package": "requests"}, "OPEN"),
        ("not_affected", {"ecosystem": "npm"}, "OPEN"),
        ("not_affected", {"vulnerability": "ALIAS-9"}, "FALSE_POSITIVE"),
        ("not_affected", {"vulnerability": "CVE-2020-9"}, "OPEN"),
    ],
)  # fmt: skip
def test_vex_statements_decide_new_findings(web: Instance, state: str, about: dict, status: str) -> None:
    advise(aliases=["CVE-2024-1", "ALIAS-9"])
    install(web, "10.2")
    told = {"vulnerability": "CVE-2024-1", "justification": "code_not_reachable", "imported_at": NOW} | about
    VexStatement.objects.create(instance=web, state=state, **told)
    assert scan(web) == (1, 1, 1)
    assert scan(web, LATER) == (1, 1, 0)
    assert Finding.objects.get().status == status
    if status == "OPEN":
        assert not Decision.objects.exists()
    else:
        assert decisions() == [("Pharos", "", status)]
        assert Decision.objects.get().reason == "VEX statement: code not reachable"


def test_a_vex_statement_that_comes_later_decides_what_is_open_unless_a_person_opened_it_since(web: Instance) -> None:
    advise()
    install(web, "10.2")
    scan(web)
    VexStatement.objects.create(instance=web, vulnerability="GHSA-1", state="not_affected", imported_at=LATER)
    scan(web, LATER)
    row = Finding.objects.get()
    assert row.status == "FALSE_POSITIVE"
    move(row, Status.OPEN, LATER + timedelta(hours=1))
    row.save()
    scan(web, LATER + timedelta(hours=2))
    row.refresh_from_db()
    assert row.status == "OPEN"


def test_deadlines(settings: Any) -> None:
    assert [due_at(word, NOW) and (due_at(word, NOW) - NOW).days for word in ("CRITICAL", "HIGH", "MEDIUM", "LOW")] == [
        7,
        30,
        90,
        180,
    ]
    assert due_at("UNKNOWN", NOW) is None
    settings.FIX_WITHIN_DAYS = {"HIGH": 0}
    assert due_at("HIGH", NOW) is None
    assert due_at("HIGH", NOW, date(2026, 3, 9)) == datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC)


def test_a_date_of_cisa_shortens_the_deadline_and_never_moves_it_back(web: Instance) -> None:
    advise()
    install(web, "10.2")
    Signal.objects.create(cve_id="CVE-2024-1", kev_due_date=date(2027, 1, 1))
    scan(web)
    assert Finding.objects.get().due_at == NOW + timedelta(days=30)
    Signal.objects.update(kev_due_date=date(2026, 3, 9))
    scan(web, LATER)
    assert Finding.objects.get().due_at == datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC)


def test_the_whole_fleet_at_once(web: Instance) -> None:
    advise()
    other, quiet, gone = (Instance.objects.create(name=name, provider="ssh") for name in ("other", "quiet", "gone"))
    for instance in (web, other, gone):
        install(instance, "10.2")
    Instance.objects.filter(pk=gone.pk).update(status="DESTROYED")
    kept = Finding.objects.create(
        instance=quiet, advisory_id="GHSA-1", cve_id="CVE-2024-1", package_name="pillow", package_version="1",
        ecosystem="PyPI", severity="HIGH", rank=1, detected_at=NOW,
    )  # fmt: skip
    counts = services.match_all(now=NOW)
    assert (counts.packages, counts.detected, counts.new, counts.reopened, counts.fixed) == (2, 2, 2, 0, 0)
    install(other, "10.3", now=LATER)
    counts = services.match_all(now=LATER)
    assert (counts.detected, counts.new, counts.fixed) == (1, 0, 1)
    kept.refresh_from_db()
    assert kept.status == "OPEN"
    assert not Finding.objects.filter(instance=gone).exists()


def test_a_scan_by_a_person_is_audited(web: Instance, api: Any) -> None:
    install(web, "10.2")
    answer = api("VIEWER").post(f"/api/v1/security/scan/{web.pk}")
    assert answer.status_code == 200
    assert AuditEntry.objects.filter(resource_id=web.pk, action="EXECUTE").count() == 1


def test_the_daily_match_is_due_once_a_day_and_only_with_advisories() -> None:
    fine = ["true"]
    assert daily.tend(now=NOW, command=fine) is False
    advise()
    assert daily.tend(now=NOW, command=fine) is True
    assert daily.tend(now=NOW + timedelta(hours=23), command=fine) is False
    assert daily.tend(now=LATER, command=["false"]) is False
    assert FleetMatch.objects.get().started_at == LATER


def test_the_daily_match_is_a_command_that_there_is() -> None:
    *python, name = daily.COMMAND[:4]
    told = Command().create_parser("django", name).parse_args(daily.COMMAND[4:])
    assert python == [sys.executable, "-m", "django"]
    assert (name, told.action, told.settings) == ("advisories", "match", "config.settings")
