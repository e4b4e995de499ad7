"""When terminals end by themselves (contract: fleet console §32.5, §34.1), and who may not keep one."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fleet.instances.models import Instance
from fleet.terminals import services, upkeep
from fleet.terminals.models import TerminalRecording, TerminalSession
from security.audit.models import AuditEntry
from security.keys import services as keys
from security.keys.models import ApiKey
from security.tickets import watch
from tests.factories import make_key, make_user
from tests.fleet.terminals.conftest import latest


@pytest.fixture
def frames(monkeypatch):
    """What agents are sent; each is connected."""
    sent = []
    monkeypatch.setattr(services.calling, "connected", lambda instance_id: True)
    monkeypatch.setattr(services.calling, "send", lambda instance_id, kind, *_, **more: sent.append(kind))
    return sent


@pytest.fixture
def session(instance, frames):
    """An open session of a developer."""
    principal = keys.principal_of(make_key(role="DEVELOPER")[0])
    made = services.start(instance=instance, actor=principal)
    services.attach(session=made, actor=principal, attachment="here")
    made.refresh_from_db()
    return made


def reason_at(session, **later):
    """Why the session has ended when that time has passed; empty while it goes on."""
    upkeep.look_after(now=timezone.now() + timedelta(**later))
    session.refresh_from_db()
    return session.reason


@pytest.mark.django_db
class TestTime:
    def test_a_session_that_is_shown_goes_on(self, session, frames):
        assert reason_at(session, seconds=80) == ""
        assert frames == []

    def test_nothing_typed_for_an_hour(self, session, frames):
        TerminalSession.objects.update(seen_at=timezone.now() + timedelta(minutes=59))
        assert reason_at(session, minutes=59, seconds=59) == ""
        assert reason_at(session, minutes=60, seconds=1) == "nothing was typed for an hour"
        assert frames == ["terminal:close"]
        entry = AuditEntry.objects.get(action="DISCONNECT")
        assert (entry.user_id, entry.metadata["reason"]) == (None, "nothing was typed for an hour")

    def test_nobody_comes_back(self, session, frames):
        services.detach(session=session, attachment="here")
        assert reason_at(session, minutes=4, seconds=59) == ""
        assert reason_at(session, minutes=5, seconds=1) == "nobody came back within 5 minutes"
        assert frames == ["terminal:close"]

    def test_a_dead_web_process_counts_as_gone(self, session):
        assert reason_at(session, seconds=91) == ""
        assert session.status == "DISCONNECTED"
        assert reason_at(session, seconds=91 + 301) == "nobody came back within 5 minutes"

    def test_one_that_was_never_opened(self, instance, frames):
        principal = keys.principal_of(make_key(role="DEVELOPER")[0])
        unopened = services.start(instance=instance, actor=principal)
        assert reason_at(unopened, seconds=59) == ""
        assert reason_at(unopened, seconds=61) == "it was never opened"
        assert frames == []  # no shell was started

    def test_recordings_and_sessions_are_kept_for_a_while(self, session, settings):
        services.output.take(session=session, data=b"x")
        services.end(session=session, reason="done")
        upkeep.look_after(now=timezone.now() + timedelta(seconds=11))
        assert TerminalRecording.objects.count() == 1
        upkeep.prune(now=timezone.now() + timedelta(days=settings.KEEP_DAYS["terminals"] - 1))
        assert TerminalRecording.objects.count() == 1
        upkeep.prune(now=timezone.now() + timedelta(days=settings.KEEP_DAYS["terminals"] + 1))
        assert not TerminalSession.objects.exists()

    def test_nothing_is_kept_when_recording_is_off(self, instance, frames, settings):
        settings.TERMINAL_RECORDING = False
        principal = keys.principal_of(make_key(role="DEVELOPER")[0])
        made = services.start(instance=instance, actor=principal)
        services.attach(session=made, actor=principal, attachment="here")
        made.refresh_from_db()
        services.output.take(session=made, data=b"x")
        services.end(session=made, reason="done")
        upkeep.look_after(now=timezone.now() + timedelta(seconds=11))
        assert not made.output.exists()
        assert not TerminalRecording.objects.exists()


def revoke(session):
    ApiKey.objects.filter(pk=session.key_id).update(revoked_at=timezone.now())


def deactivate(session):
    session.user.is_active = False
    session.user.save()


def lower(session):
    session.user.role = "VIEWER"
    session.user.save()


def remove(session):
    session.user.delete()


def destroy(session):
    Instance.objects.update(status="DESTROYED")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (revoke, "the sign-in or key that it hung on has ended"),
        (deactivate, "the sign-in or key that it hung on has ended"),
        (lower, "the role does not suffice any more"),
        (remove, "the user was removed"),
        (destroy, "the instance is not there any more"),
    ],
)
def test_whoever_may_not_have_it_any_more_loses_it(session, frames, change, why):
    change(session)
    assert reason_at(session) == why
    assert frames == ["terminal:close"]


@pytest.mark.django_db
def test_signing_out_ends_what_hung_on_it(instance, frames, browser):
    client = browser("DEVELOPER")
    answer = client.post(f"/api/v1/instances/{instance.pk}/terminal", content_type="application/json")
    session = TerminalSession.objects.get(pk=answer.json()["sessionId"])
    assert session.web_session_id
    assert reason_at(session) == ""
    client.logout()
    assert reason_at(session) == "the sign-in or key that it hung on has ended"


@pytest.mark.django_db(transaction=True)
async def test_an_open_socket_closes_with_its_right(agent, start, open_screen, developer, monkeypatch):
    monkeypatch.setattr(watch, "EVERY_S", 0.02)
    async with agent() as machine:
        session = await start()
        async with open_screen(session) as screen:
            await machine.heard("terminal:create")
            await sync_to_async(revoke)(session)
            assert (await screen.closed())[0] == 1008
        assert (await machine.heard("terminal:close"))["session_id"] == str(session.pk)
        assert (await latest(session)).reason == "the sign-in or key that it hung on has ended"


@pytest.mark.django_db(transaction=True)
class TestCommonSocket:
    """Channel `terminal` of `/ws` (contract: fleet console §32.1)."""

    async def test_a_session_on_the_common_socket(self, agent, connect, developer, instance):
        async with agent() as machine, connect("/ws", developer[1]) as page:
            about = {"instanceId": instance.pk}
            await page.tell("terminal", "terminal:create", {"cols": 100, "rows": 30}, correlationId=7, **about)
            created = await page.heard("terminal:created")
            assert (created["channel"], created["correlationId"]) == ("terminal", 7)
            name = created["data"]["sessionId"]
            assert (await machine.heard("terminal:create"))["payload"]["cols"] == 100
            await page.tell("terminal", "terminal:data", {"sessionId": name, "data": "bHM="}, **about)
            assert (await machine.heard("terminal:input"))["payload"] == {"session_id": name, "data": "bHM="}
            await machine.say("terminal:output", {"session_id": name, "data": "b2s="})
            told = await page.heard("terminal:data")
            assert (told["instanceId"], told["data"]) == (instance.pk, {"sessionId": name, "data": "b2s="})
            await page.tell("terminal", "terminal:resize", {"sessionId": name, "cols": 90, "rows": 20}, **about)
            assert (await machine.heard("terminal:resize"))["payload"]["rows"] == 20
            await page.tell("terminal", "terminal:close", {"sessionId": name}, **about)
            assert (await page.heard("terminal:close"))["data"]["reason"] == "closed by its user"
            await machine.heard("terminal:close")

    async def test_leaving_lets_the_shell_wait(self, agent, connect, developer, instance, open_screen):
        async with agent() as machine:
            async with connect("/ws", developer[1]) as page:
                await page.tell("terminal", "terminal:create", {}, instanceId=instance.pk)
                name = (await page.heard("terminal:created"))["data"]["sessionId"]
                await machine.heard("terminal:create")
            session = await TerminalSession.objects.aget(pk=name)
            assert session.status == "DISCONNECTED"
            async with open_screen(session) as screen:
                await machine.say("terminal:output", {"session_id": name, "data": "b2s="})
                assert (await screen.heard("data"))["data"] == "ok"

    @pytest.mark.parametrize("kind", ["terminal:create", "terminal:data", "terminal:resize", "terminal:close"])
    async def test_viewers_push_nothing(self, connect, instance, kind):
        viewer = (await sync_to_async(make_key)(user=await sync_to_async(make_user)(role="VIEWER")))[1]
        async with connect("/ws", viewer) as page:
            await page.tell("terminal", kind, {"sessionId": "x"}, instanceId=instance.pk)
            assert (await page.heard("error"))["data"]["code"] == "FORBIDDEN"

    async def test_others_sessions_are_out_of_reach(self, agent, start, open_screen, connect, developer, instance):
        async with agent() as machine:
            session = await start()
            async with open_screen(session), connect("/ws", developer[1]) as page:
                await machine.heard("terminal:create")
                data = {"sessionId": str(session.pk), "data": "eA=="}
                await page.tell("terminal", "terminal:data", data, instanceId=instance.pk)
                assert (await page.heard("error"))["data"]["code"] == "CONFLICT"
                await page.tell("terminal", "terminal:data", {"sessionId": "nobody"}, instanceId=instance.pk)
                assert (await page.heard("error"))["data"]["code"] == "NOT_FOUND"

    async def test_the_count_of_sessions_is_told(self, agent, start, connect, developer):
        async with agent(), connect("/ws", developer[1]) as page:
            await asyncio.sleep(0)
            await start()
            assert (await page.heard("session_count"))["payload"] == {"active_sessions": 1}
