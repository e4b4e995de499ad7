"""Backups, and destruction after one: rows that a worker takes (contract: fleet console §5.3)."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.lifecycle import working
from fleet.lifecycle.models import Backup, Operation
from fleet.lifecycle.retention import forget_old_operations
from security.audit.models import AuditEntry
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/instances"


@pytest.fixture
def instance(machine):
    return make_instance(provider="docker")


def ask(api, instance, **body):
    answer = api("OPERATOR").post(f"{URL}/{instance.pk}/backup", body)
    assert answer.status_code == 202, answer.content
    return answer.json()


def work():
    for pk in Operation.objects.filter(status="pending").values_list("pk", flat=True):
        working.carry_out(pk)


def test_a_backup_is_a_row_until_a_worker_has_made_it(api, instance, machine):
    answer = ask(api, instance)
    assert set(answer) == {"message", "backupId", "instanceId", "label", "status", "createdAt"}
    assert uuid.UUID(answer["backupId"]).version == 4
    assert answer["label"].startswith("backup-web-1-")
    assert (answer["status"], machine.done) == ("pending", [])
    machine.during = lambda action: machine.done.append(Backup.objects.get().status)
    work()
    assert machine.done == ["in_progress", ("backup", "web-1", answer["label"], "gzip")]
    [backup] = api("VIEWER").get(f"{URL}/{instance.pk}/backups").json()["backups"]
    assert backup["backupId"] == answer["backupId"]
    assert (backup["status"], backup["place"], backup["sizeBytes"]) == ("completed", "/somewhere", str(2**40))
    types = instance.events.order_by("timestamp").values_list("type", "metadata__status")
    assert list(types) == [("BACKUP", "pending"), ("BACKUP", "completed")]
    assert AuditEntry.objects.filter(resource="backup", action="CREATE").count() == 1
    working.carry_out(Operation.objects.get().pk)
    assert len(machine.done) == 2


def test_a_backup_that_fails_says_why(api, instance, machine):
    machine.fails = {"backup"}
    ask(api, instance, label="mine", compression="zstd")
    work()
    [backup] = api("VIEWER").get(f"{URL}/{instance.pk}/backups").json()["backups"]
    assert (backup["label"], backup["status"], backup["sizeBytes"]) == ("mine", "failed", None)
    assert "refuses to backup" in backup["message"]
    instance.refresh_from_db()
    assert instance.status == "RUNNING"
    ask(api, instance)


def test_destroy_after_a_backup(api, instance, machine):
    answer = api("OPERATOR").post(f"{URL}/{instance.pk}/destroy", {"backupVolume": True}).json()
    assert answer["status"] == "DESTROYING"
    assert str(Backup.objects.get().pk) == answer["backupId"]
    again = api("OPERATOR").post(f"{URL}/{instance.pk}/destroy", {})
    assert (again.status_code, machine.done) == (409, [])
    work()
    label = Backup.objects.get().label
    assert label.startswith("pre-destroy-web-1-")
    assert machine.done == [("backup", "web-1", label, "gzip"), ("destroy", "web-1")]
    instance.refresh_from_db()
    assert instance.status == "DESTROYED"
    assert instance.events.get(type="DESTROY").metadata["backup_id"] == answer["backupId"]


def test_without_its_backup_nothing_is_destroyed(api, instance, machine):
    machine.fails = {"backup"}
    api("OPERATOR").delete(f"{URL}/{instance.pk}", {"backupVolume": True, "backupLabel": "last"})
    work()
    instance.refresh_from_db()
    assert (instance.status, machine.done) == ("ERROR", [])
    assert instance.events.get(type="DESTROY").metadata["infra_torn_down"] is False
    assert (Backup.objects.get().label, Backup.objects.get().status) == ("last", "failed")


def test_a_teardown_that_fails_keeps_the_backup(api, instance, machine):
    machine.fails = {"destroy"}
    api("OPERATOR").post(f"{URL}/{instance.pk}/destroy", {"backupVolume": True})
    work()
    instance.refresh_from_db()
    assert (instance.status, Backup.objects.get().status) == ("ERROR", "completed")


def test_what_a_dead_worker_left_is_settled_and_what_nobody_took_is_sent_again(api, instance, machine):
    api("OPERATOR").post(f"{URL}/{instance.pk}/destroy", {"backupVolume": True})
    sent, now = [], timezone.now()
    assert working.tend(send=sent.append, now=now) == 0
    assert sent == []
    working.tend(send=sent.append, now=now + timedelta(seconds=11))
    operation = Operation.objects.get()
    assert sent == [str(operation.pk)]

    Operation.objects.update(status="in_progress", lease_until=now + timedelta(seconds=60))
    assert working.tend(send=sent.append, now=now + timedelta(seconds=59)) == 0
    assert working.tend(send=sent.append, now=now + timedelta(seconds=61)) == 1
    instance.refresh_from_db()
    assert instance.status == "ERROR"
    assert "has stopped" in Backup.objects.get().message
    assert working.tend(send=sent.append, now=now + timedelta(seconds=61)) == 0
    work()
    assert machine.done == []


def test_a_worker_that_comes_back_too_late_changes_nothing(api, instance, machine):
    ask(api, instance)
    machine.during = lambda action: working.tend(send=str, now=timezone.now() + timedelta(seconds=61))
    work()
    assert (Backup.objects.get().status, Operation.objects.get().status) == ("failed", "failed")


def test_old_operations_go_and_backups_stay(api, instance):
    ask(api, instance)
    work()
    now = timezone.now()
    assert forget_old_operations(now=now) == 0
    assert forget_old_operations(now=now + timedelta(days=91)) == 1
    assert Backup.objects.count() == 1
