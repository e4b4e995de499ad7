"""A new vulnerability in a real browser, by the keyboard alone: from the list to a decision that the audit knows."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.console import Console
from tests.support.keys import Keyboard
from tests.support.pages import PHONE, WIDE, Visit, grave_findings, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.browser]
NAMES = ("holes-web", "holes-db")
WORST, LESS = "CVE-2026-70001", "CVE-2026-70002"
WHY = "The function is never called"


def advisory(pk: str, cve: str, name: str, fixed: str, severity: str) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    return {
        "id": pk, "modified": "2026-01-02T00:00:00Z", "aliases": [cve], "summary": f"A hole in {name}",
        "details": "It reads too far.", "database_specific": {"severity": severity},
        "references": [{"type": "WEB", "url": "https://example.org/advisory"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(chromium: Any, embedded_product: Any, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Two machines with packages, and advisories about two of those."""
    state = sign_up(embedded_product, chromium)
    console = Console(embedded_product.url, embedded_product.new_key("ADMIN"))
    machines = [console.post("/api/v1/instances", {"name": n, "provider": "ssh"}, expect=201)["id"] for n in NAMES]
    packages = [
        {"name": "leaky", "version": "1.0", "ecosystem": "PyPI"},
        {"name": "creaky", "version": "2.0", "ecosystem": "PyPI"},
    ]
    for machine, listed in zip(machines, (packages, packages[:1]), strict=True):
        console.call("PUT", f"/api/v1/security/bom/{machine}", {"packages": listed})
    import_(embedded_product, tmp_path_factory.mktemp("advisories"))
    for machine in machines:
        console.post(f"/api/v1/security/scan/{machine}")
    return SimpleNamespace(
        url=embedded_product.url, state=state, console=console, machines=machines, chromium=chromium
    )  # fmt: skip


def import_(product: Any, folder: Path) -> None:
    for pk, cve, name, severity in (
        ("PYSEC-2026-1", WORST, "leaky", "CRITICAL"),
        ("PYSEC-2026-2", LESS, "creaky", "MODERATE"),
    ):
        (folder / f"{pk}.json").write_text(json.dumps(advisory(pk, cve, name, "3.0", severity)))
    product.pharos("advisories", "import", str(folder))


def looked_at(visit: Visit) -> None:
    """Readable for everybody, light and dark, and on a phone."""
    visit.check(weight=False)
    visit.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert not grave_findings(visit.page)
    visit.page.set_viewport_size(PHONE)
    assert not visit.scrolls_sideways()
    visit.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visit.page.set_viewport_size(WIDE)


def test_a_new_vulnerability(site: SimpleNamespace) -> None:
    """Journey J9: the worst first; one is acknowledged, those elsewhere are no danger; score, audit and page follow."""
    context = site.chromium.new_context(viewport=WIDE, storage_state=site.state)
    visit, watching = Visit(context.new_page(), site.url), context.new_page()
    page, keys = visit.page, Keyboard(visit.page)
    listed, score = "/security/?q=holes-", f"/api/v1/security/summary?instanceId={site.machines[1]}"
    assert site.console.get(score)["summary"]["securityScore"]["total"] == 80

    watching.goto(site.url + listed)
    watching.locator("[data-live-state]", has_text="Live").wait_for()
    watching.evaluate("window.same = true")
    visit.open(listed)
    page.get_by_role("heading", name="Security score").wait_for()
    links = page.locator("#content tbody th a")
    links.nth(2).wait_for()
    assert [text.strip() for text in links.all_inner_texts()] == [WORST, WORST, LESS]
    looked_at(visit)

    keys.skip()
    keys.press(page.get_by_role("row", name=f"Tick {WORST} in leaky on {NAMES[0]}").get_by_role("link", name=WORST))
    page.get_by_role("heading", name=f"{WORST} on {NAMES[0]}", exact=True).wait_for()
    page.get_by_text("leaky 1.0 on").wait_for()
    page.get_by_text("pip install --upgrade leaky==3.0").first.wait_for()
    page.get_by_role("region", name="Where else it is").get_by_role("link", name=NAMES[1]).wait_for()
    looked_at(visit)
    keys.skip()
    keys.write(page.get_by_label("Reason"), "Updating tonight")
    keys.press(page.get_by_role("button", name="Acknowledge", exact=True))
    page.get_by_text(f"{WORST} on {NAMES[0]} is acknowledged.").wait_for()
    page.get_by_role("region", name="History").get_by_text("Updating tonight").wait_for()

    keys.skip()
    keys.press(page.get_by_label(f"Tick {WORST} in leaky on {NAMES[1]}"), " ")
    keys.press(page.get_by_role("button", name="False positive…"))
    page.get_by_role("heading", name="Mark as false positive: 1 finding").wait_for()
    page.get_by_text(f"{WORST} in leaky on {NAMES[1]}").wait_for()
    keys.skip()
    keys.write(page.get_by_label("Reason"), WHY)
    keys.press(page.get_by_role("button", name="Mark as false positive"))
    page.get_by_text("1 finding marked as false positive.").wait_for()

    watching.locator("#finding-tabs a", has_text=re.compile(r"False positive\s+1")).wait_for()
    assert watching.evaluate("window.same")  # the counts came without a reload
    assert site.console.get(score)["summary"]["securityScore"] == {
        "total": 100, "breakdown": {"vulnerabilities": 60, "secretRotation": 25, "sshKeys": 15}, "grade": "A",
    }  # fmt: skip
    found = site.console.get("/api/v1/audit?resource=finding")["data"]
    assert [entry["metadata"]["act"] for entry in found[:2]] == ["false-positive", "acknowledge"]
    assert found[0]["metadata"]["reason"] == WHY
    context.close()
