"""Speaking to an agent through the connection that some process holds."""

import asyncio

import pytest

from config.api.errors import TooLarge, Unavailable
from fleet.agents import answers, calling
from tests.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator():
    return make_key(role="OPERATOR")[1]


@pytest.fixture
def agent(connect, operator, instance):
    return connect("/ws/agent", operator, X_Instance_ID=instance.pk)


async def bound(socket):
    await socket.say("heartbeat", {})
    await socket.heard("heartbeat:pong")


async def test_a_frame_reaches_the_agent(agent, instance):
    async with agent as socket:
        await bound(socket)
        assert await calling.aconnected(instance.pk)
        assert await calling.adeliver(instance.pk, "terminal:input", {"data": "eA=="}, session_id="s1")
        assert await socket.heard("terminal:input") == {
            "protocol_version": "1.0",
            "type": "terminal:input",
            "payload": {"data": "eA=="},
            "session_id": "s1",
        }
        await asyncio.to_thread(calling.send, instance.pk, "log:subscribe", {"paths": ["*"]})
        assert (await socket.heard("log:subscribe"))["payload"] == {"paths": ["*"]}
    assert not await calling.aconnected(instance.pk)
    assert not await asyncio.to_thread(calling.deliver, instance.pk, "terminal:input", {})


async def test_a_question_is_answered(agent, instance, monkeypatch):
    monkeypatch.setitem(answers._answered, "echo:answer", answers.relayed("echo:answer"))
    async with agent as socket:
        await bound(socket)
        asking = asyncio.create_task(
            calling.aask(instance.pk, "echo:question", {"n": 1}, answer_type="echo:answer", timeout_s=4)
        )
        question = (await socket.heard("echo:question"))["payload"]
        await socket.say("echo:answer", {"request_id": "another", "n": 2})
        await socket.say("echo:answer", {"request_id": question["request_id"], "n": question["n"] + 1})
        assert (await asking)["n"] == 2
        with pytest.raises(Unavailable, match="did not answer within 0.05 s"):
            await calling.aask(instance.pk, "echo:question", {}, answer_type="echo:answer", timeout_s=0.05)


async def test_a_question_to_nobody_fails_at_once(instance):
    with pytest.raises(Unavailable, match="is not connected"):
        await calling.aask(instance.pk, "echo:question", {}, answer_type="echo:answer", timeout_s=4)


async def test_what_the_agent_could_not_take_is_not_sent(instance):
    with pytest.raises(TooLarge):
        await calling.adeliver(instance.pk, "terminal:input", {"data": "x" * 61_440})


async def test_an_answer_for_another_instance_is_refused(agent, monkeypatch):
    told = []
    monkeypatch.setitem(answers._answered, "echo:answer", lambda *parts: told.append(parts))
    async with agent as socket:
        await socket.say("echo:answer", {"instance_id": "somebody-else"})
        assert (await socket.heard("error"))["data"]["code"] == "FORBIDDEN"
    assert told == []
