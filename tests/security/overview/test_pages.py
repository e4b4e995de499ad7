"""The pages of what is at risk: the whole, one finding, one instance, decisions about several."""

from datetime import timedelta

import pytest
import time_machine

from fleet.instances.models import Instance
from security.audit.models import AuditEntry
from security.bom.models import Component, Installed, Inventory
from security.vulnerabilities.models import Archive, Decision, Finding, Signal
from tests.alerts.conftest import text
from tests.factories import FOUND_AT, make_finding, make_team

pytestmark = pytest.mark.django_db
NOW = FOUND_AT + timedelta(days=10)


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW, tick=False):
        yield


def make_instance(name: str = "web-1", **fields) -> Instance:
    made = Instance.objects.create(name=name, provider="ssh", **fields)
    Inventory.objects.create(instance=made, source="agent", received_at=FOUND_AT, digest="x", packages=7)
    return made


def imported() -> None:
    Archive.objects.create(name="Debian", digest="x", entries=1200, imported_at=NOW - timedelta(days=9))
    Archive.objects.create(name="epss", digest="y", entries=9, imported_at=NOW)


def test_without_anything_it_says_what_to_do(browser):
    said = text(browser().get("/security/"))
    assert "because no advisories were imported yet" in said and "pharos advisories import FILE" in said


def test_the_score_the_counts_and_what_they_rest_on(browser):
    imported()
    web = make_instance()
    Instance.objects.create(name="untold", provider="ssh")
    make_finding(web, severity="HIGH", due_at=NOW - timedelta(days=1))
    make_finding(web, severity="MEDIUM", detected_at=NOW - timedelta(days=200))
    make_finding(web, severity="LOW", status="ACKNOWLEDGED")
    said = text(browser().get("/security/"))
    assert "85 of 100, grade B" in said and "1 overdue , 1 acknowledged" in said
    assert "▲ High 0 1 0 0 1 1 ◆ Medium 0 0 0 1 1 0" in said
    assert "1,200 advisories" in said and "9 days ago" in said and "Old" in said
    assert "1 of 2 instances never told what is installed" in said
    assert "4 of 5 controls hold" in said
    assert text(browser().get("/security/parts/figures/")) in said
    assert browser().get("/security/parts/nonsense/").status_code == 404


def test_filters_tabs_and_pages_are_in_the_address(browser):
    web, db, client = make_instance(), make_instance("db-1"), browser()
    make_finding(web, "CVE-2026-1", severity="LOW", due_at=NOW - timedelta(days=1))
    make_finding(web, "CVE-2026-2", severity="CRITICAL", ecosystem="PyPI", package_name="requests")
    make_finding(db, "CVE-2026-3", status="FIXED", fixed_at=NOW)
    make_finding(db, "CVE-2026-4", due_at=NOW + timedelta(days=9))
    make_finding(db, "CVE-2026-5", due_at=NOW + timedelta(days=2))
    Signal.objects.create(cve_id="CVE-2026-4", epss=0.5, kev_added_date=NOW.date())
    for query, found in {
        "": "2541",
        "status=fixed": "3",
        "status=all&severity=high": "543",
        "ecosystem=pypi": "2",
        "package=OpenSSL": "541",
        f"instance={web.pk}": "21",
        "instance=none": "",
        "overdue=yes": "1",
        "kev=yes": "4",
        "q=db-": "54",
        "q=hole&severity=nonsense&status=%00&page=x": "2541",
        "q=%00%27%22": "",
    }.items():
        page = client.get(f"/security/?{query}")
        assert page.status_code == 200
        assert "".join(row.cve_id[-1] for row in page.context["rows"]) == found, query
    assert "Clear filters" in text(client.get("/security/?q=nothing-like-this"))
    tabs = text(client.get("/security/parts/tabs/?severity=high"))
    assert tabs.strip() == "Open 2 Acknowledged 0 Fixed 1 False positive 0 All 3"


def test_a_finding_tells_what_where_how_bad_and_how_to_mend_it(browser):
    about = {
        "description": "<script>alert(1)</script> reads too far", "aliases": ["GHSA-x"], "published_at": FOUND_AT,
        "cvss_vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "references": [{"type": "WEB", "url": "https://example.org/a"}, {"url": "javascript:alert(1)"}],
    }  # fmt: skip
    web, db, team = make_instance(), make_instance("db-1"), make_team()
    made = make_finding(
        web, "CVE-2026-1", advisory=about, cvss_score=7.5, fix_version="3.0.2", due_at=NOW - timedelta(days=1)
    )
    make_finding(db, "CVE-2026-1")
    make_finding(make_instance("secret", team=team), "CVE-2026-1")
    Signal.objects.create(cve_id="CVE-2026-1", epss=0.25, epss_percentile=0.5, kev_added_date=NOW.date())
    page = browser().get(f"/security/findings/{made.pk}/")
    said = text(page)
    assert "openssl 3.0.1 on web-1 is vulnerable; 3.0.2 is not" in said and "Overdue" in said
    assert "CVSS 7.5 of 10" in said and "Attacked over the network" in said and "25 % within 30 days" in said
    assert "apt-get install --only-upgrade openssl" in said and "OSV-CVE-2026-1, GHSA-x" in said
    assert "<script>alert" not in page.text and 'href="javascript' not in page.text
    assert 'href="https://example.org/a" rel="noopener noreferrer nofollow"' in page.text
    assert "db-1" in said and "secret" not in said and "1 other finding of CVE-2026-1" in said


def test_a_decision_is_kept_with_its_reason_and_changes_the_score(browser):
    imported()
    made, client = make_finding(make_instance(), severity="CRITICAL"), browser()
    address = f"/security/findings/{made.pk}/"
    assert "80 of 100, grade B" in text(client.get("/security/"))
    refused = client.post(f"{address}decide/", {"act": "false-positive", "reason": " "}, follow=True)
    assert "say why" in text(refused) and not Decision.objects.exists()
    assert "Not saved" in text(client.post(f"{address}decide/", {"act": "fix", "reason": "x" * 2001}, follow=True))
    assert client.post(f"{address}decide/", {"act": "nonsense"}).status_code == 302
    done = text(client.post(f"{address}decide/", {"act": "false-positive", "reason": "never called"}, follow=True))
    assert "is marked as false positive" in done and "False positive by user" in done and "never called" in done
    assert "100 of 100, grade A" in text(client.get("/security/"))
    assert AuditEntry.objects.get(resource="finding").metadata["reason"] == "never called"


def test_several_are_decided_at_once_after_they_were_named(browser):
    web, client = make_instance(), browser()
    made = [make_finding(web) for _ in range(7)]
    given = {"act": "false-positive", "ids": [one.pk for one in made[:6]], "next": "/security/?severity=high"}
    asked = client.post("/security/findings/decide/", given)
    assert "6 findings" in text(asked) and "and 1 more" in text(asked) and not Decision.objects.exists()
    assert client.post("/security/findings/decide/", given | {"confirmed": "yes"}).status_code == 422
    done = client.post("/security/findings/decide/", given | {"confirmed": "yes", "reason": "not built in"})
    assert done.url == "/security/?severity=high"
    assert Finding.objects.filter(status="FALSE_POSITIVE").count() == Decision.objects.count() == 6
    assert AuditEntry.objects.filter(resource="finding").count() == 6
    for wrong in ({"ids": []}, {"ids": ["none", "\x00", "x" * 200]}, {"act": "x"}, {"next": "https://evil.example/"}):
        answer = client.post("/security/findings/decide/", given | {"confirmed": "yes", "reason": "r"} | wrong)
        assert answer.status_code == 302 and answer.url.startswith("/security/"), wrong
    assert Finding.objects.get(pk=made[6].pk).status == "OPEN"


def test_who_may_see_and_decide(browser, settings):
    team = make_team()
    hidden, shared = make_finding(make_instance("secret", team=team)), make_finding(make_instance())
    outsider, member = browser("OPERATOR"), browser("VIEWER", teams={team: "OPERATOR"})
    for address in (f"/security/findings/{hidden.pk}/", f"/instances/{hidden.instance_id}/security/"):
        assert outsider.get(address).status_code == 404 and member.get(address).status_code == 200
    assert outsider.post(f"/security/findings/{hidden.pk}/decide/", {"act": "fix"}).status_code == 404
    assert "secret" not in text(outsider.get("/security/?status=all"))
    settings.STRICT_ROLES = True
    assert "Decide" not in text(member.get(f"/security/findings/{shared.pk}/"))
    assert member.post(f"/security/findings/{shared.pk}/decide/", {"act": "fix"}).status_code == 403
    assert browser("VIEWER").post(f"/instances/{shared.instance_id}/security/scan/").status_code == 403
    given = {"act": "fix", "ids": [hidden.pk, shared.pk], "confirmed": "yes"}
    assert "1 left alone" in text(member.post("/security/findings/decide/", given, follow=True))
    assert dict(Finding.objects.values_list("pk", "status")) == {hidden.pk: "FIXED", shared.pk: "OPEN"}


def test_the_page_of_an_instance(browser):
    imported()
    web, client = make_instance(), browser()
    make_finding(web, "CVE-2026-1")
    make_finding(web, "CVE-2026-2", status="FIXED")
    said = text(client.get(f"/instances/{web.pk}/security/"))
    assert "90 of 100, grade A" in said and "7 told by its agent" in said
    assert "CVE-2026-1" in said and "CVE-2026-2" not in said
    untold = Instance.objects.create(name="untold", provider="ssh")
    assert "never told what is installed" in text(client.get(f"/instances/{untold.pk}/security/"))
    done = text(client.post(f"/instances/{untold.pk}/security/scan/", follow=True))
    assert "Not scanned: No package inventory for this instance." in done


def test_pages_read_a_fixed_number_of_rows(browser, django_assert_max_num_queries):
    imported()
    web, client = make_instance(), browser()
    for number in range(30):
        made = make_finding(make_instance(f"db-{number}"), f"CVE-2026-{number % 5}")
        make_finding(web)
    for address in ("/security/", f"/security/findings/{made.pk}/", f"/instances/{web.pk}/security/"):
        with django_assert_max_num_queries(30):
            assert client.get(address).status_code == 200


def test_packages_and_findings_are_found_by_name(browser):
    web, team, client = make_instance(), make_team(), browser()
    openssl = Component.objects.create(ecosystem="Debian:12", name="openssl", version="3.0.1")
    for instance in (web, make_instance("db-1"), make_instance("secret", team=team)):
        Installed.objects.create(instance=instance, component=openssl, source="agent")
    made = make_finding(web, "CVE-2026-1")
    make_finding(make_instance("unseen", team=team), "CVE-2026-1")
    said = text(client.get("/security/packages/?q=SSL"))
    assert "openssl 3.0.1 Debian:12 db-1 Agent 0 openssl 3.0.1 Debian:12 web-1 Agent 1" in said and "secret" not in said
    assert "Type the name" in text(client.get("/security/packages/?q=%00"))
    assert "No instance that you see" in text(client.get("/security/packages/?q=nothing&page=x"))
    found = client.get("/search/?q=openssl")
    assert "openssl Debian:12, 2 instances" in text(found) and f"/security/findings/{made.pk}/" in found.text
    assert "CVE-2026-1 in openssl web-1" in text(client.get("/search/?q=cve-2026-1")) and "unseen" not in found.text
