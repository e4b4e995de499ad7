"""`pharos vault`: stored secrets come under a new key while the product runs."""

import json
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from alerts.channels.models import Channel
from config.checks import examine
from monitors.monitors import parameters
from security.vault import columns, rotation
from security.vault.crypto import current_prefix, decrypt
from security.vault.models import SecretVersion
from tests.alerts.conftest import make_monitor
from tests.security.vault.test_crypto import NEW, OLD, reference_token, single_key_token


def run(*words):
    out = StringIO()
    call_command("vault", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_every_sealed_column_is_registered():
    known = {str(one) for one in columns.registered()}
    ours = ("security", "fleet", "monitors", "loadtest", "signals", "replay", "alerts", "costs")
    sealed = {
        f"{model._meta.label}.{column.name}"
        for label in ours
        for model in apps.get_app_config(label).get_models()
        for column in model._meta.local_fields
        if column.name.startswith("sealed") and column.get_internal_type() in ("TextField", "JSONField")
    }
    assert sealed <= known
    assert known - sealed == {
        "loadtest.Run.plan", "monitors.Licence.key", "monitors.Monitor.parameters", "monitors.Run.spec",
        "monitors.Trial.parameters", "signals.Scenario.plan",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.storage
def test_all_forms_come_under_the_newest_key(api, settings):
    settings.VAULT_KEY = OLD
    admin = api("ADMIN")
    for name in "ABCD":
        admin.post("/api/v1/secrets", {"name": name, "value": f"value {name}"})
    versions = {one.secret.name: one for one in SecretVersion.objects.select_related("secret")}
    SecretVersion.objects.filter(pk=versions["A"].pk).update(
        sealed_value=single_key_token("value A", versions["A"].context)
    )
    SecretVersion.objects.filter(pk=versions["B"].pk).update(sealed_value=reference_token("value B"))
    channel = Channel(name="c", type="WEBHOOK")
    channel.sealed_config = single_key_token('{"url": "https://example.org"}', channel.context)
    channel.save()
    monitor = make_monitor()
    monitor.parameters = {
        "PLAIN": "secret",
        "OLD_KEY": {"secret": single_key_token("p1", parameters.context_of(monitor.pk, "OLD_KEY"))},
        **parameters.merged({}, {"NEW_KEY": "p2"}, monitor_id=monitor.pk),
    }
    monitor.save()

    settings.VAULT_KEY = f"{NEW},{OLD}"
    newest = current_prefix().split(":")[1]
    assert sum(sum(one.values()) for one in rotation.standing().values()) == 7
    told = json.loads(run("rotate", "--json", "--batch", "1"))
    assert sum(one["done"] for one in told["columns"]) == 7 and not any(one["left"] for one in told["columns"])
    assert {key for one in rotation.standing().values() for key in one} == {newest}
    assert "Nothing lies under an older key" in run("rotate")

    settings.VAULT_KEY = NEW
    monitor.refresh_from_db()
    opened = parameters.opened(monitor.parameters, monitor_id=monitor.pk)
    assert opened == {"PLAIN": "secret", "OLD_KEY": "p1", "NEW_KEY": "p2"}
    assert Channel.objects.get().config == {"url": "https://example.org"}
    for name in "ABCD":
        version = SecretVersion.objects.get(secret__name=name)
        assert decrypt(version.sealed_value, context=version.context) == f"value {name}"


@pytest.mark.django_db
def test_what_cannot_be_opened_stays_and_is_told(api, settings):
    settings.VAULT_KEY = OLD
    api("ADMIN").post("/api/v1/secrets", {"name": "A", "value": "planted"})
    token, old_id = SecretVersion.objects.get().sealed_value, current_prefix().split(":")[1]
    settings.VAULT_KEY = NEW
    with pytest.raises(CommandError, match=f"{old_id} \\(1 secrets\\)") as fault:
        run("status")
    assert fault.value.returncode == 1
    illness = {name: (good, text) for name, good, text in examine()}["vault keys"]
    assert illness[0] is False and old_id in illness[1]
    with pytest.raises(CommandError, match="1 rows still hold secrets under older keys") as fault:
        run("rotate")
    assert fault.value.returncode == 1
    assert SecretVersion.objects.get().sealed_value == token
    settings.VAULT_KEY = f"{NEW},{OLD}"
    assert f"SecretVersion.sealed_value: 1 under {old_id}" in run("status")
    assert {name: good for name, good, _ in examine()}["vault keys"] is True


@pytest.mark.django_db
def test_a_value_that_is_written_meanwhile_is_not_undone(api, settings, monkeypatch):
    settings.VAULT_KEY = OLD
    admin = api("ADMIN")
    secret = admin.post("/api/v1/secrets", {"name": "A", "value": "first"}).json()
    version = SecretVersion.objects.get()
    late = single_key_token("late", version.context)  # by a process that does not know the new key yet
    settings.VAULT_KEY = f"{NEW},{OLD}"
    rewrap, writes = rotation.rewrap, [late]

    def interrupted(token, **about):
        if writes:
            SecretVersion.objects.update(sealed_value=writes.pop())
        return rewrap(token, **about)

    monkeypatch.setattr(rotation, "rewrap", interrupted)
    run("rotate")
    assert admin.get(f"/api/v1/secrets/{secret['id']}/value").json() == {"value": "late"}
    assert SecretVersion.objects.get().sealed_value.startswith(current_prefix())


def test_a_new_key_is_printed_alone(settings):
    key = run("new-key").strip()
    settings.VAULT_KEY = key
    assert len(key) == 44 and current_prefix()
