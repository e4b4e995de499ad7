"""Live events within one process; the same over Redis is walked by the production journey."""

import asyncio
import threading

import pytest

from config import live
from config.live import recent

pytestmark = pytest.mark.storage  # in memory, and over Redis


async def test_event_from_another_thread_wakes_a_reader():
    async with live.subscribe("instance:a") as subscription:
        threading.Thread(target=live.publish, args=("instance:a", {"kind": "metrics"})).start()
        message = await asyncio.wait_for(subscription.get(), 2)
    assert (message.topic, message.event) == ("instance:a", {"kind": "metrics"})


async def test_readers_hear_only_their_topics_and_may_change_them():
    async with live.subscribe("a") as subscription, live.subscribe("b") as witness:
        live.publish("b", 1)
        await asyncio.wait_for(witness.get(), 2)  # over Redis an event takes a moment
        subscription.add("b")
        live.publish("b", 2)
        assert (await asyncio.wait_for(subscription.get(), 2)).event == 2
        subscription.remove("b")
        live.publish("b", 3)
        live.publish("a", 4)
        assert (await asyncio.wait_for(subscription.get(), 2)).event == 4


async def test_slow_reader_loses_the_oldest_and_is_told():
    async with live.subscribe("flood", size=10) as subscription:
        for number in range(25):
            live.publish("flood", number)
        await asyncio.sleep(0.05)
        assert (await subscription.get()).event == 15
        assert subscription.queue.take_dropped() == 15
        assert subscription.queue.take_dropped() == 0


async def test_replay_gives_what_was_missed_in_order_and_once():
    async with live.subscribe("fleet", "alerts") as subscription:
        live.publish_all([("fleet", {"n": 1}), ("alerts", {"n": 2}), ("fleet", {"n": 3})])
        told = [await asyncio.wait_for(subscription.get(), 2) for _ in range(3)]
    numbers = [message.number for message in told]
    assert numbers == sorted(set(numbers))
    async with live.subscribe("fleet", "alerts") as again:
        live.publish("fleet", {"n": 4})  # it waits already, and is also among what was missed
        assert again.resume(["fleet", "alerts"], numbers[0]) == []
        assert [(await asyncio.wait_for(again.get(), 2)).event["n"] for _ in range(3)] == [2, 3, 4]
        live.publish("fleet", {"n": 5})
        assert (await asyncio.wait_for(again.get(), 2)).event == {"n": 5}


async def test_replay_says_when_it_cannot_know():
    now = live.now_ms()
    hub = live.Hub()
    assert not hub.replay("topic", hub.heard_all_since - 1)[1], "before this process listened"
    hub.heard_all_since = 0
    assert hub.replay("topic", now - live.REPLAY_MS)[1], "nothing has ever been lost"
    for number in range(live.REPLAY_EVENTS + 1):
        hub.deliver(live.Message("topic", now + number, number))
    assert not hub.replay("topic", now - 1)[1], "more events than are kept"
    missed, whole = hub.replay("topic", now)
    assert (whole, len(missed)) == (True, live.REPLAY_EVENTS)


async def test_subscribers_leave_nothing_behind():
    async with live.subscribe("gone"):
        pass
    assert "gone" not in live.hub._loops.get(asyncio.get_running_loop(), {})


def test_replay_keeps_little(monkeypatch):
    monkeypatch.setattr(recent, "REPLAY_BYTES", 1000)
    kept = recent.Recent()
    for number, age_s in enumerate((200, 100, 30, 0)):
        message = live.Message("monitors", number + 1, {"kind": f"{age_s} s", "beats": ["long"] * 100})
        kept.keep(message, now=live.now_ms() - age_s * 1000)
    assert [message.event for message in kept.since("monitors", 2)[0]] == [{"kind": "30 s"}, {"kind": "0 s"}]
    assert [kept.since("monitors", after)[1] for after in (1, 2)] == [False, True]
    for number in range(10, 20):
        kept.keep(live.Message("instance:a", number, {"kind": "heartbeat", "text": "x" * 400}))
    assert [message.number for message in kept.since("instance:a", 17)[0]] == [18, 19], "whole events, as bytes allow"
    assert kept.since("instance:a", 17)[1]
    assert not kept.since("instance:a", 16)[1]
    assert not kept.since("monitors", 3)[1], "what was given up of a topic that has nothing left counts for all"


def test_what_is_said_to_agents_is_not_kept():
    kept = recent.Recent()
    kept.keep(live.Message("agent:a", 1, {"kind": "frame", "text": "secret"}))
    assert kept.since("agent:a", 0) == ([], False)
