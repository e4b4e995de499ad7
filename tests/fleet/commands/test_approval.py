"""Commands that a second person must agree to."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fleet.commands import dispatch, rules, upkeep
from fleet.commands.models import Batch, Execution
from fleet.commands.specs import Spec
from security.audit.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def reserved(settings, monkeypatch):
    settings.COMMANDS_NEED_APPROVAL = ["script", "bulk", "reboot", "systemctl stop*"]
    monkeypatch.setattr("fleet.commands.tasks.send.delay", lambda key: None)


@pytest.mark.parametrize(
    ("spec", "targets", "word"),
    [
        (Spec("ls"), 1, ""),
        (Spec("ls"), 2, "bulk"),
        (Spec("/sbin/reboot", ["-f"]), 1, "reboot"),
        (Spec("systemctl", ["stop", "web"]), 1, "systemctl stop*"),
        (Spec("systemctl", ["status", "web"]), 1, ""),
        (Spec.of_script("id"), 1, "script"),
    ],
)
def test_what_is_reserved(spec, targets, word):
    assert rules.needing_approval(spec, targets=targets) == word


async def test_it_waits_for_another_person_and_then_runs(person, agent_of, instance):
    asker, other = await person("OPERATOR"), await person("OPERATOR")
    async with agent_of(instance) as agent:
        answer = await asker.post("", {"instanceId": instance.pk, "command": "reboot"})
        assert answer.status_code == 202
        shown = answer.json()
        assert (shown["status"], shown["approval"]["state"], shown["approval"]["rule"]) == (
            "PENDING", "WAITING", "reboot",
        )  # fmt: skip
        await sync_to_async(upkeep.tend, thread_sensitive=False)(timezone.now() + timedelta(seconds=30))
        await dispatch.send(shown["batchId"])
        assert await agent._socket.receive_nothing(0.05)  # nobody has agreed
        assert (await asker.post(f"/{shown['id']}/approve")).status_code == 403
        assert (await (await person("DEVELOPER")).post(f"/{shown['id']}/approve")).status_code == 403
        answer = await other.post(f"/{shown['id']}/approve", {"note": "go on"})
        assert (answer.status_code, answer.json()["approval"]["decidedBy"]) == (200, other.user.label)
        assert (await other.post(f"/{shown['id']}/reject")).status_code == 409
        await dispatch.send(shown["batchId"])
        await agent.end(await agent.taken())
        await dispatch.until_over(shown["batchId"], most_s=10)
    assert (await Execution.objects.aget()).status == "SUCCEEDED"
    assert await AuditEntry.objects.filter(resource="command", user_id=other.user.pk).aexists()


async def test_rejected_and_forgotten_ones_never_run(person, instance):
    asker, other = await person("OPERATOR"), await person("OPERATOR")
    body = {"instanceIds": [instance.pk], "script": "reboot"}
    answer = await asker.post("/script", body)
    assert answer.status_code == 202
    [result] = answer.json()["results"]
    key = result["execution"]["id"]
    answer = await other.post(f"/{key}/reject", {"note": "not today"})
    assert (answer.json()["status"], answer.json()["stderr"]) == (
        "FAILED",
        f"Rejected by {other.user.label}: not today",
    )
    key = (await asker.post("/script", body)).json()["results"][0]["execution"]["id"]
    await sync_to_async(upkeep.tend)(timezone.now() + timedelta(hours=2))
    assert (await other.post(f"/{key}/approve")).status_code == 409
    shown = (await other.get(f"/{key}")).json()
    assert (shown["status"], shown["approval"]["state"]) == ("FAILED", "EXPIRED")


async def test_who_lost_the_right_meanwhile_runs_nothing(person, instance):
    asker, other = await person("DEVELOPER"), await person("OPERATOR")
    key = (await asker.post("", {"instanceId": instance.pk, "command": "reboot"})).json()["id"]
    asker.user.role = "VIEWER"
    await asker.user.asave()
    assert (await other.post(f"/{key}/approve")).status_code == 409
    assert (await Batch.objects.aget()).approval == "WAITING"


async def test_who_asked_can_withdraw(person, instance):
    asker, other = await person("OPERATOR"), await person("OPERATOR")
    key = (await asker.post("", {"instanceId": instance.pk, "command": "reboot"})).json()["id"]
    shown = (await asker.post(f"/{key}/cancel")).json()
    assert (shown["status"], shown["approval"]["note"]) == ("FAILED", "Cancelled")
    assert (await other.post(f"/{key}/approve")).status_code == 409
