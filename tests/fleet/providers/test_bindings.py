"""Which driver acts on an instance, and who may say so."""

import pytest
from django.db import connection

from fleet.providers.drivers import driver_of
from fleet.providers.models import Binding
from fleet.providers.services import in_use
from security.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def url(instance):
    return f"/api/v1/instances/{instance.pk}/driver"


def test_an_administrator_binds_and_unbinds(api, instance, settings):
    settings.DOCKER_HOST = "unix:///nowhere"
    client = api("ADMIN")
    assert client.get(url(instance)).json()["binding"] is None
    answer = client.put(url(instance), {"driver": "docker", "target": "web"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["inUse"]["can"] == ["suspend", "resume", "destroy", "backup"]
    instance_now = driver_of(instance)
    assert (instance_now.name, instance_now.machine.target) == ("docker", "web")
    assert client.delete(url(instance)).json()["binding"] is None
    assert driver_of(instance).name == "none"
    actions = AuditEntry.objects.filter(resource="instance_driver").values_list("action", flat=True)
    assert sorted(actions) == ["DELETE", "UPDATE"]


@pytest.mark.parametrize("role", ["VIEWER", "DEVELOPER", "OPERATOR"])
def test_nobody_else_does(api, instance, role):
    client = api(role)
    answers = [client.get(url(instance)), client.put(url(instance), {"driver": "none"}), client.delete(url(instance))]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert not Binding.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"driver": "magic"}, "driver"),
        ({}, "driver"),
        ({"driver": "docker", "target": "a/b"}, "target"),
        ({"driver": "ssh", "target": ""}, "target"),
        ({"driver": "digitalocean", "target": "x"}, "target"),
        ({"driver": "agent", "target": "x"}, "target"),
        ({"driver": "agent", "options": {"path": ["/x"]}}, "options"),
        ({"driver": "agent", "options": {"paths": ["relative"], "to": "/b"}}, "options"),
        ({"driver": "agent", "options": {"to": "ftp://x"}}, "options"),
        ({"driver": "agent", "options": {"unit": "a b"}}, "options"),
        ({"driver": "ssh", "target": "a@b", "options": {"suspend": "reboot"}}, "options"),
        ({"driver": "docker", "options": {"x": "y" * 20_000}}, "options"),
        ({"driver": "none", "options": []}, "options"),
    ],
)
def test_wrong_bindings_name_the_field(api, instance, body, field):
    answer = api("ADMIN").put(url(instance), body)
    assert answer.status_code == 422, answer.content
    assert field in answer.json()["details"]["fieldErrors"]
    assert not Binding.objects.exists()


def test_signed_addresses_are_kept_secret(api, instance):
    to = "https://user:word@store.example.org/bucket?X-Amz-Signature=abcdef"
    options = {"paths": ["/srv"], "to": to}
    answer = api("ADMIN").put(url(instance), {"driver": "agent", "options": options})
    assert answer.json()["binding"]["options"]["to"] == "https://…@store.example.org/bucket?…"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_options FROM fleet_binding")
        assert "abcdef" not in cursor.fetchone()[0]
    assert "abcdef" not in str(AuditEntry.objects.values_list("metadata", flat=True))
    assert Binding.objects.get().options == options
    assert driver_of(instance).can == {"backup"}


def test_the_driver_of_a_provider_is_used_without_a_binding(instance, settings):
    settings.PROVIDER_DRIVERS, settings.SINDRI_CLI = {"ssh": "sindri-cli"}, "/bin/true"
    assert driver_of(instance).name == "sindri-cli"
    Binding(instance=instance, driver="none", sealed_options="unreadable").save()
    told = in_use(instance)
    assert (told["can"], "cannot be read" in told["lacking"]) == ([], True)


def test_the_page_binds_too(browser, instance):
    person, page = browser("ADMIN"), f"/instances/{instance.pk}/driver/"
    assert "Folders to back up" in person.get(f"{page}?driver=agent").content.decode()
    form = {"driver": "agent", "unit": "", "paths": "/srv\n /etc/app \n", "to": "https://store.example.org/x?sig=abc"}
    assert person.post(page, form).status_code == 302
    options = {"paths": ["/srv", "/etc/app"], "to": "https://store.example.org/x?sig=abc"}
    assert Binding.objects.get().options == options
    shown = person.get(page).content.decode()
    assert "https://store.example.org/x?…" in shown
    assert "abc" not in shown
    assert person.post(page, form | {"to": "https://store.example.org/x?…", "unit": "a.service"}).status_code == 302
    assert Binding.objects.get().options == options | {"unit": "a.service"}
    ssh = {"driver": "ssh", "target": "me@host", "suspend": "systemctl stop 'my app'", "backup": "'"}
    refused = person.post(page, ssh)
    assert (refused.status_code, "A quote is not closed." in refused.content.decode()) == (400, True)
    refused = person.post(page, ssh | {"backup": "", "target": "host"})
    assert (refused.status_code, "Write user@host" in refused.content.decode()) == (400, True)
    assert person.post(page, ssh | {"backup": ""}).status_code == 302
    assert Binding.objects.get().options == {"suspend": ["systemctl", "stop", "my app"]}
    assert person.get(page).status_code == 200
    assert browser("OPERATOR").get(page).status_code == 403
