"""Bills of material over HTTP, from agents and from the command line (contract: fleet console §22, §31.5)."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fleet.agents import installed, reports, shapes
from fleet.instances.models import Instance
from security.audit.models import AuditEntry
from security.bom import services
from security.bom.models import Component, Installed, Inventory, VexStatement
from security.bom.packages import Package
from security.bom.tidying import tidy
from security.ssh_keys.models import SshKey
from tests.factories import make_team
from tests.security.posture.making import make_instance

URL = "/api/v1/security/bom"
DJANGO = {"name": "Django", "version": "5.2", "ecosystem": "pypi", "license": "BSD-3-Clause"}
ONE = b'{"name":"a","version":"1","ecosystem":"npm"}'
LIBC = {"name": "libc6", "version": "2.36-9", "ecosystem": "Debian:12", "source_name": "glibc"}
BOM = {
    "bomFormat": "CycloneDX", "specVersion": "1.6",
    "components": [{"type": "library", "name": "left-pad", "version": "1.3.0", "purl": "pkg:npm/left-pad@1.3.0"}],
    "vulnerabilities": [{"id": "CVE-1", "analysis": {"state": "not_affected", "justification": "code_not_present"}}],
}  # fmt: skip
read = reports.reader(shapes.Inventory)


@pytest.fixture
def heard(monkeypatch):
    """Which instances' lists changed, as those hear who asked to."""
    found = []
    monkeypatch.setattr(services, "_listeners", [found.append])
    return found


def told(instance, **lists):
    """What an agent sends."""
    report = read(json.dumps(lists).encode())
    installed.tell(instance_id=instance.pk, report=report, now=timezone.now())


def test_a_list_is_put_and_read_in_both_forms(api, heard, django_capture_on_commit_callbacks):
    vm, client = make_instance(), api(role="VIEWER")
    assert client.get(f"{URL}?instanceId={vm.pk}").json() == {
        "instanceId": vm.pk, "packages": [], "summary": {"total": 0, "byEcosystem": {}, "lastScanned": None},
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.put(f"{URL}/{vm.pk}", {"packages": [DJANGO, LIBC, DJANGO], "more": 1})
    received = Inventory.objects.get().received_at
    stamp = received.strftime("%Y-%m-%dT%H:%M:%S.") + f"{received.microsecond // 1000:03}Z"
    assert answer.status_code == 200
    assert answer.json() == client.get(f"{URL}?instanceId={vm.pk}").json() == {
        "instanceId": vm.pk,
        "packages": [
            {"name": "libc6", "version": "2.36-9", "ecosystem": "Debian:12"},
            {"name": "django", "version": "5.2", "ecosystem": "PyPI", "license": "BSD-3-Clause"},
        ],
        "summary": {"total": 2, "byEcosystem": {"Debian:12": 1, "PyPI": 1}, "lastScanned": stamp},
    }  # fmt: skip
    assert heard == [vm.pk]
    assert Component.objects.get(name="libc6").source_name == "glibc"
    entry = AuditEntry.objects.get(resource="bom")
    assert (entry.action, entry.resource_id, entry.metadata["packages"]["added"]) == ("UPDATE", vm.pk, 2)
    told(vm, packages=[DJANGO])
    told(make_instance(status="DESTROYED"), packages=[DJANGO])
    other = make_instance()
    told(other, packages=[DJANGO, {**DJANGO, "version": "4"}])
    hidden = make_instance(team=make_team())
    told(hidden, packages=[DJANGO])
    assert client.get(URL).json() == {"totalPackages": 4, "byEcosystem": {"Debian:12": 1, "PyPI": 3}}
    assert client.get(f"{URL}?ecosystem=DEBIAN:12").json() == {"totalPackages": 1, "byEcosystem": {"Debian:12": 1}}
    only = client.get(f"{URL}?instanceId={vm.pk}&ecosystem=pypi").json()
    assert ([one["name"] for one in only["packages"]], only["summary"]["total"]) == (["django"], 1)
    assert api(role="ADMIN").get(URL).json()["totalPackages"] == 5
    assert client.get(f"{URL}?instanceId={hidden.pk}").status_code == 404
    for method in (client.put, client.post):
        path = URL + f"/{hidden.pk}" + ("" if method == client.put else "/cyclonedx")
        assert method(path, {"packages": []} if method == client.put else BOM).status_code == 404
    assert client.get(f"{URL}/{hidden.pk}/cyclonedx").status_code == 404
    assert client.get(f"{URL}?ecosystem=%00").status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "JSON"), (b"", 400, "JSON"), (b"[" * 5000, 422, "packages"), (b"[]", 422, "object"),
        (b"{}", 422, "packages"), (b'{"packages":{}}', 422, "array"), (b'{"packages":[5]}', 422, "packages[0]"),
        (b'{"packages":[{"name":"a","version":"1"}]}', 422, "ecosystem"),
        (b'{"packages":[{"name":"a\\u0000","version":"1","ecosystem":"npm"}]}', 422, "packages[0].name"),
        (b'{"packages":[{"name":"a","version":1e999,"ecosystem":"npm"}]}', 422, "packages[0].version"),
        (b'{"packages":[' + ONE + b",{}]}", 422, "packages[1]"),
        (b'{"packages":[' + b",".join([ONE] * 20_001) + b"]}", 422, "20,001"),
        (b" " * (8 * 2**20 + 1), 413, "larger"),
    ],
    ids=range(13),
)  # fmt: skip
def test_bad_lists_are_refused_and_nothing_is_stored(api, body, status, words):
    vm = make_instance()
    answer = api(role="VIEWER").put(f"{URL}/{vm.pk}", body)
    assert answer.status_code == status, answer.content
    assert words in answer.content.decode()
    assert not Inventory.objects.exists() and not Component.objects.exists()


def test_strict_roles_raise_the_door(api, settings):
    settings.STRICT_ROLES = True
    vm, team = make_instance(), make_team()
    ours = make_instance(team=team)
    client = api(role="VIEWER", teams={team: "OPERATOR"})
    assert client.put(f"{URL}/{vm.pk}", {"packages": []}).status_code == 403
    assert client.post(f"{URL}/{vm.pk}/cyclonedx", BOM).status_code == 403
    assert client.put(f"{URL}/{ours.pk}", {"packages": []}).status_code == 200
    assert api(role=None).get(URL).status_code == 401


def test_a_new_list_takes_the_place_of_the_last_one_of_its_source(db, heard, django_capture_on_commit_callbacks):
    vm, now = make_instance(), timezone.now()

    def replace(packages, source="agent", notes=()):
        with django_capture_on_commit_callbacks(execute=True):
            return services.replace(instance=vm, source=source, packages=packages, notes=notes, now=now)

    one, two, three = (Package(name, "1", "npm") for name in ("one", "two", "three"))
    assert replace([one, two]) == (2, 0, 2)
    kept = dict(Installed.objects.values_list("component__name", "pk"))
    assert replace([two, three, Package("one", "2", "npm")], notes=["a\x00b"]) == (2, 1, 3)
    after = dict(Installed.objects.values_list("component__name", "pk"))
    assert after["two"] == kept["two"] and after.keys() == {"one", "two", "three"}
    with CaptureQueriesContext(connection) as queries:
        assert replace([three, two, Package("one", "2", "npm", source_name="")]) == (0, 0, 3)
    assert len(queries) <= 6 and not any("installed" in query["sql"] for query in queries)
    assert heard == [vm.pk, vm.pk]
    assert replace([one], "upload") == (1, 0, 1)
    assert replace([]) == (0, 3, 0)
    assert (Inventory.objects.get(source="agent").packages, Installed.objects.count()) == (0, 1)
    assert replace([Package("one", "1", "npm", "MIT", "src", "0")], "upload") == (0, 0, 1)
    assert Component.objects.get(name="one", version="1").source_name == "src"


def test_many_packages_take_few_queries(db):
    packages = [Package(f"p{n}", "1", "npm") for n in range(500)]
    for vm in (make_instance(), make_instance()):
        with CaptureQueriesContext(connection) as queries:
            services.replace(instance=vm, source="agent", packages=packages, now=timezone.now())
    assert len(queries) <= 12


def test_agents_tell_keys_and_what_is_gone_is_told_as_revoked(api):
    vm = make_instance()
    key = {"fingerprint": "SHA256:abc", "key_type": "rsa", "key_bits": 1024, "comment": "ann", "accounts": ["root"]}
    entered = SshKey.objects.create(instance=vm, fingerprint="SHA256:entered", key_type="ed25519")
    told(vm, ssh_keys=[key, {"fingerprint": "SHA256:two", "key_type": "ed25519"}])
    told(vm, packages=[], ssh_keys=None)
    told(vm, ssh_keys=[key | {"accounts": ["ann"], "comment": "other"}])
    rows = {row.fingerprint: row for row in SshKey.objects.all()}
    now = timezone.now()
    assert {name: row.status(now) for name, row in rows.items()} == {
        "SHA256:abc": "ACTIVE", "SHA256:two": "REVOKED", "SHA256:entered": "ACTIVE",
    }  # fmt: skip
    first = rows["SHA256:abc"]
    assert (first.accounts, first.comment, first.key_bits, first.is_weak) == (["ann"], "ann", 1024, True)
    assert rows["SHA256:two"].gone_at and rows["SHA256:two"].accounts == [] and entered.seen_at is None
    assert {row.fingerprint for row in SshKey.objects.in_status("REVOKED", now)} == {"SHA256:two"}
    told(vm, ssh_keys=[{"fingerprint": "SHA256:two", "key_type": "ed25519", "accounts": ["ann"]}])
    assert SshKey.objects.get(fingerprint="SHA256:two").status(now) == "ACTIVE"


def test_documents_go_in_and_out(api, heard, django_capture_on_commit_callbacks):
    vm, client = make_instance(), api(role="VIEWER")
    told(vm, packages=[DJANGO, LIBC])
    path = f"{URL}/{vm.pk}/cyclonedx"
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(path, BOM)
    assert answer.json() == {
        "instanceId": vm.pk, "packages": {"added": 1, "removed": 0, "total": 1}, "statements": 1, "notes": [],
    }  # fmt: skip
    assert set(heard) == {vm.pk}
    statement = VexStatement.objects.get()
    assert (statement.state, statement.justification, statement.imported_by) == (
        "not_affected", "code_not_present", client.user,
    )  # fmt: skip
    answer = client.get(f"{path}?version=1.5")
    assert answer["Content-Type"] == "application/vnd.cyclonedx+json"
    document = answer.json()
    assert document["specVersion"] == "1.5"
    assert {one["name"] for one in document["components"]} == {"django", "libc6", "left-pad"}
    assert [one["id"] for one in document["vulnerabilities"]] == ["CVE-1"]
    other = make_instance()
    assert client.post(f"{URL}/{other.pk}/cyclonedx", document).json()["packages"]["total"] == 3
    keys = ("name", "version", "ecosystem", "source_name")
    both = [
        list(Component.objects.filter(installed__instance=one).order_by("name").values_list(*keys))
        for one in (vm, other)
    ]
    assert both[0] == both[1]
    only = {"bomFormat": "CycloneDX", "specVersion": "1.4", "vulnerabilities": []}
    assert client.post(path, only).json()["packages"] is None
    assert not VexStatement.objects.filter(instance=vm).exists() and Installed.objects.filter(instance=vm).count() == 3
    for body, status in (
        (b"{", 422),
        ({"bomFormat": "CycloneDX", "specVersion": "1.6"}, 422),
        (b" " * (2**25 + 1), 413),
    ):
        assert client.post(path, body).status_code == status
    assert client.get(f"{path}?version=2").status_code == 422
    assert client.get(f"{URL}/{'x' * 129}/cyclonedx").status_code == 400


def test_the_command_takes_a_name_or_an_id(db, tmp_path):
    vm = make_instance(name="web-9")
    file, out = tmp_path / "bom.json", StringIO()
    file.write_text(json.dumps(BOM))
    call_command("bom", "import", "web-9", str(file), stdout=out)
    lines = ["web-9: Packages: 1, new: 1, gone: 0.", "web-9: Statements about vulnerabilities: 1."]
    assert out.getvalue().splitlines() == lines
    assert Inventory.objects.get().received_from == "the command line"
    call_command("bom", "export", vm.pk, str(tmp_path / "out.json"), "--spec", "1.4")
    assert json.loads((tmp_path / "out.json").read_text())["components"][0]["purl"] == "pkg:npm/left-pad@1.3.0"
    make_instance(name="web-9", status="ERROR")
    for arguments in (["web-9", str(file)], ["nobody", str(file)], [vm.pk, str(tmp_path / "no")], [vm.pk, __file__]):
        with pytest.raises(CommandError):
            call_command("bom", "import", *arguments)


def test_an_instance_that_went_takes_its_lists_with_it(db):
    vm = make_instance()
    told(vm, packages=[DJANGO], ssh_keys=[])
    pk = vm.pk
    Instance.objects.filter(pk=pk).delete()
    assert not Installed.objects.exists()
    installed.tell(instance_id=pk, report=read(b'{"packages":[]}'), now=timezone.now())
    assert not Inventory.objects.exists()


def test_packages_that_nobody_has_are_forgotten_after_a_day(db):
    vm, now = make_instance(), timezone.now()
    told(vm, packages=[DJANGO, LIBC])
    told(vm, packages=[DJANGO])
    assert tidy(now=now) == 0
    assert tidy(now=now + timedelta(days=1, minutes=1)) == 1
    assert Component.objects.get().name == "django"
