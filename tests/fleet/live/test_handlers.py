"""What slices add to `/ws`: who may ask, what is answered, what is heard from then on, what is undone in the end."""

import pytest
from asgiref.sync import sync_to_async

from config import live
from config.api.errors import Unavailable
from fleet.live import consumers, handlers
from fleet.live.handlers import Answer, asked, told
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture
def undone(monkeypatch):
    """A slice of the test's own; the list grows with what is undone."""
    monkeypatch.setattr(handlers, "HANDLERS", dict(handlers.HANDLERS))
    monkeypatch.setattr(consumers.asking, "HANDLERS", handlers.HANDLERS)
    undone = []

    @asked("test:open", role="DEVELOPER")
    def open_it(ask):
        topic = f"test:{ask.instance.pk}"
        name = ask.data["name"]
        return Answer("test:opened", {"name": name}, hear=(topic,), name=name, undo=lambda: undone.append(name))

    @asked("test:close", role="DEVELOPER")
    def close_it(ask):
        return Answer(leave=(f"test:{ask.instance.pk}",), name=ask.data["name"])

    @asked("test:fail")
    def fail(ask):
        if ask.data.get("offline"):
            raise Unavailable("The agent is not connected")
        raise RuntimeError("a fault of ours")

    @told("test-output")
    def output(event):
        return [{"channel": "test", "type": "test:output", "instanceId": event["instanceId"], "data": event["text"]}]

    yield undone
    del handlers.TELLERS["test-output"]


@pytest.fixture
def developer():
    return make_key(role="DEVELOPER")[1]


async def test_an_answer_opens_a_topic_until_it_is_left(connect, undone, developer, instance):
    def publish(text):
        event = {"kind": "test-output", "instanceId": instance.pk, "teamId": None, "text": text}
        live.publish(f"test:{instance.pk}", event)

    async with connect("/ws", developer) as page:
        await page.tell("test", "test:open", {"name": "a"}, instanceId=instance.pk, correlationId=7)
        answer = await page.heard("test:opened")
        assert (answer["channel"], answer["data"], answer["correlationId"]) == ("test", {"name": "a"}, 7)
        publish("one")
        assert (await page.heard("test:output"))["data"] == "one"
        await page.tell("test", "test:open", {"name": "a", "instanceId": instance.pk})
        await page.heard("test:opened")
        assert undone == ["a"], "an answer of the same name replaces the one before"
        await page.tell("test", "test:close", {"name": "a"}, instanceId=instance.pk)
        await page.heard("ack")
        assert undone == ["a", "a"]
        publish("two")
        await page.tell("test", "test:open", {"name": "b"}, instanceId=instance.pk)
        assert (await page.heard())["type"] == "test:opened"
    assert undone == ["a", "a", "b"], "the connection has ended"


async def test_a_key_that_only_reads_asks_for_nothing_that_changes(connect, undone, instance):
    raw = await sync_to_async(make_key)(role="DEVELOPER", scopes=["fleet:read"])
    async with connect("/ws", raw[1]) as page:
        await page.tell("test", "test:open", {"name": "a"}, instanceId=instance.pk)
        assert "lacks the scope fleet:write" in str(await page.heard("error"))


async def test_who_may_ask(connect, undone, developer, instance):
    viewer = (await sync_to_async(make_key)(role="VIEWER"))[1]
    hidden = await sync_to_async(make_instance)(name="hidden", team=await sync_to_async(make_team)())
    async with connect("/ws", viewer) as page:
        await page.tell("test", "test:open", {"name": "a"}, instanceId=instance.pk)
        assert (await page.heard("error"))["data"]["code"] == "FORBIDDEN"
    async with connect("/ws", developer) as page:
        for instance_id, code in ((hidden.pk, "FORBIDDEN"), ("nobody", "FORBIDDEN"), (None, "NO_INSTANCE_ID")):
            await page.tell("test", "test:open", {"name": "a"}, instanceId=instance_id)
            assert (await page.heard("error"))["data"]["code"] == code
    assert undone == []


async def test_faults_are_answered_and_the_socket_stays(connect, undone, developer, instance):
    async with connect("/ws", developer) as page:
        for data, code in (({}, "HANDLER_ERROR"), ({"offline": 1}, "UNAVAILABLE"), ([], "INVALID_PAYLOAD")):
            await page.tell("test", "test:fail", data, instanceId=instance.pk)
            error = (await page.heard("error"))["data"]
            assert (error["code"], "fault of ours" in error["message"]) == (code, False)


async def test_the_number_of_terminals_is_told(connect, developer, instance, monkeypatch):
    monkeypatch.setattr(consumers, "GLANCE_PAUSE_S", 0.05)
    async with connect("/ws", developer) as page:
        live.publish("fleet", {"kind": "sessions", "instanceId": instance.pk, "teamId": None})
        assert (await page.heard("session_count"))["payload"] == {"active_sessions": 0}


async def test_a_deployments_socket_needs_a_key_and_a_deployment(connect, developer):
    async with connect("/ws/deployments/c123", None) as page:
        assert page.refused
    async with connect("/ws/deployments/c123", developer) as page:
        closed = await page.receive_output(4)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4004)
