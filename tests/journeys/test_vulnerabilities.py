"""From what is really installed on this machine to a finding that opens again, offline, as an operator does it."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.console import Console, wait_for

pytestmark = [pytest.mark.journey]
INSTALLED = "requests"  # the tests themselves need it, so it is there
CVE = "CVE-2026-80001"


@contextmanager
def agent(product: Any, key: str, folder: Path) -> Iterator[None]:
    """The agent of this machine, in a process of its own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PHAROS_", "SINDRI_"))}
    env |= {"PHAROS_URL": product.url, "PHAROS_AGENT_KEY": key, "PHAROS_INSTANCE_ID": "this-machine"}
    env["PHAROS_AGENT_STATE_DIR"] = str(folder / "state")
    with (folder / "agent.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "pharos_agent"], env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def archive(folder: Path, version: str) -> Path:
    """One advisory that affects the installed version, one whose fix it already has, one of another ecosystem."""
    path = folder / "PyPI.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for pk, cve, ecosystem, fixed in (
            ("PYSEC-2026-80001", CVE, "PyPI", "9999"),
            ("PYSEC-2026-80002", "CVE-2026-80002", "PyPI", version),
            ("GHSA-8000-3", "CVE-2026-80003", "npm", "9999"),
        ):
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
            affected = [{"package": {"ecosystem": ecosystem, "name": "Requests"}, "ranges": ranges}]
            vector = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
            document = {"id": pk, "modified": "2026-01-02T00:00:00Z", "aliases": [cve], "severity": [vector]}
            packed.writestr(f"{pk}.json", json.dumps(document | {"summary": "A hole", "affected": affected}))
    return path


def test_a_real_package_is_found_decided_about_and_found_again(embedded_product: Any, tmp_path: Path) -> None:
    console = Console(embedded_product.url, embedded_product.new_key("ADMIN"))

    def listed() -> tuple[str, str] | None:
        for instance in console.get("/api/v1/instances?search=this-machine")["instances"]:
            for package in console.get(f"/api/v1/security/bom?instanceId={instance['id']}")["packages"]:
                if (package["ecosystem"], package["name"]) == ("PyPI", INSTALLED):
                    return instance["id"], package["version"]
        return None

    with agent(embedded_product, console.key, tmp_path):
        instance, version = wait_for("the inventory", listed, timeout_s=90)
    about = f"?instanceId={instance}"

    def standing() -> tuple[int, bool, int]:
        """The score, whether no critical vulnerability is open, and how many are."""
        summary = console.get(f"/api/v1/security/summary{about}")["summary"]
        compliance = console.get(f"/api/v1/security/compliance{about}")
        passed = {check["id"]: check["passed"] for check in compliance["checks"]}
        assert compliance["securityScore"] == summary["securityScore"]
        return summary["securityScore"]["total"], passed["no-critical-vulns"], summary["openCount"]

    at_first, clean, none = standing()
    assert (clean, none) == (True, 0)
    printed = embedded_product.pharos("advisories", "import", str(archive(tmp_path, version)))
    assert "3 entries; 3 new" in printed and "1 findings are new" in printed
    scan = console.post(f"/api/v1/security/scan/{instance}")
    assert (scan["vulnerabilitiesDetected"], scan["newVulnerabilitiesSaved"]) == (1, 0)
    assert scan["packagesScanned"] > 50

    [found] = console.get(f"/api/v1/security/vulnerabilities{about}")["items"]
    assert (found["cveId"], found["packageVersion"], found["fixVersion"]) == (CVE, version, "9999")
    assert (found["severity"], found["cvssScore"], found["status"]) == ("CRITICAL", 9.8, "OPEN")
    assert standing() == (at_first - 20, False, 1)

    path = f"/api/v1/security/vulnerabilities/{found['id']}"
    assert console.post(f"{path}/acknowledge") == {"id": found["id"], "status": "ACKNOWLEDGED"}
    assert standing() == (at_first, True, 0)
    console.post(f"/api/v1/security/scan/{instance}")
    assert console.get(path)["status"] == "ACKNOWLEDGED"
    assert console.post(f"{path}/fix") == {"id": found["id"], "status": "FIXED"}
    scan = console.post(f"/api/v1/security/scan/{instance}")
    assert (scan["vulnerabilitiesDetected"], scan["newVulnerabilitiesSaved"]) == (1, 0)
    assert console.get(path)["status"] == "OPEN"
    assert standing() == (at_first - 20, False, 1)
    assert "PyPI" in embedded_product.pharos("advisories", "status")
    assert console.post(f"/api/v1/instances/{instance}/destroy")["status"] == "DESTROYED"
