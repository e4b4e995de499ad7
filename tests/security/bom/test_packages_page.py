"""The tab Packages of an instance."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from fleet.agents import calling
from security.bom import services
from security.bom.models import Installed, VexStatement
from security.bom.packages import Package
from tests.factories import make_team
from tests.security.bom.test_bom_api import BOM
from tests.security.posture.making import make_instance


@pytest.fixture
def vm(db):
    return make_instance(last_seen_at=timezone.now())


def path(instance, more=""):
    return f"/instances/{instance.pk}/packages/{more}"


def upload(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {"file": SimpleUploadedFile("bom.json", body)}


def text(answer):
    return " ".join(answer.content.decode().split())


def test_the_list_is_searched_filtered_and_paged(browser, vm):
    reader = browser("VIEWER")
    assert "No inventory yet" in text(reader.get(path(vm)))
    packages = [Package(f"p-{number:03}", "1", "npm") for number in range(101)]
    packages.append(Package("libssl3", "3<b>", "Debian:12", source_name="openssl"))
    notes = ["rpm: did not end"]
    services.replace(instance=vm, source="agent", packages=packages, notes=notes, now=timezone.now())
    page = text(reader.get(path(vm)))
    assert "102 in 2 ecosystems" in page and "rpm: did not end" in page and "told by the agent" in page
    assert "libssl3" in page and "3&lt;b&gt;" in page and "p-098" in page and "p-099" not in page
    assert "p-099" in text(reader.get(path(vm, "?page=2")))
    found = text(reader.get(path(vm, "?q=OPENSSL")))
    assert "libssl3" in found and "p-001" not in found
    assert "libssl3" not in text(reader.get(path(vm, "?ecosystem=npm")))
    assert "No package matches the filter" in text(reader.get(path(vm, "?q=%00zzz&ecosystem=npm&page=x")))
    assert reader.get(path(make_instance(team=make_team()))).status_code == 404


def test_a_document_is_handed_in(browser, vm, settings):
    reader = browser("VIEWER")
    page = text(reader.post(path(vm), upload(BOM), follow=True))
    assert "Taken over. Packages: 1, new: 1, gone: 0. Statements about vulnerabilities: 1." in page
    assert "left-pad" in page and "uploaded by" in page and "(VEX) hold" in page
    for body in ({}, upload(b"{"), upload({**BOM, "components": [{"type": "x", "name": "x" * 300, "version": "1",
                                           "purl": f"pkg:npm/{'x' * 300}@1"}]})):  # fmt: skip
        answer = reader.post(path(vm), body)
        assert answer.status_code == 422 and "Nothing was taken over" in text(answer)
    assert (Installed.objects.count(), VexStatement.objects.count()) == (1, 1)
    settings.STRICT_ROLES = True
    assert reader.post(path(vm), upload(BOM)).status_code == 403
    assert "Upload a bill" not in text(reader.get(path(vm)))


def test_the_agent_is_asked(browser, vm, monkeypatch):
    asked = []
    monkeypatch.setattr(calling, "send", lambda *words: asked.append(words))
    assert browser("VIEWER").post(path(vm, "ask/")).status_code == 403
    assert "was asked" in text(browser("OPERATOR").post(path(vm, "ask/"), follow=True))
    assert asked == [(vm.pk, "inventory:request", {})]
    silent = make_instance()
    assert "cannot be asked now" in text(browser("OPERATOR").post(path(silent, "ask/"), follow=True))
    assert len(asked) == 1
