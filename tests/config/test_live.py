"""Live events within one process; the same over Redis is walked by the production journey."""

import asyncio
import threading

from config import live


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


async def test_replay_gives_what_was_missed():
    start = live.now_ms()
    hub = live.Hub()
    hub.heard_all_since = start - 50_000
    for offset in range(3):
        hub.deliver(live.Message("topic", start + 10_000 * offset, offset))
    missed, whole = hub.replay("topic", start)
    assert whole
    assert [message.event for message in missed] == [0, 1, 2], "an overlap covers clocks that differ"
    missed, whole = hub.replay("topic", start + 15_000)
    assert whole
    assert [message.event for message in missed] == [2]


async def test_replay_says_when_it_cannot_know():
    now = live.now_ms()
    hub = live.Hub()
    assert not hub.replay("topic", hub.heard_all_since - 1)[1], "before this process listened"
    hub.heard_all_since = 0
    assert not hub.replay("topic", now - live.REPLAY_MS - 1000)[1], "longer ago than events are kept"
    for number in range(live.REPLAY_EVENTS + 1):
        hub.deliver(live.Message("topic", now + number, number))
    assert not hub.replay("topic", now - 1)[1], "more events than are kept"


async def test_subscribers_leave_nothing_behind():
    async with live.subscribe("gone"):
        pass
    assert "gone" not in live.hub._loops.get(asyncio.get_running_loop(), {})


async def test_replay_keeps_little():
    now = live.now_ms()
    hub = live.Hub()
    for age_s in (200, 100, 30, 0):
        hub.deliver(live.Message("topic", now - age_s * 1000, {"kind": f"{age_s} s", "beats": ["long"] * 100}))
    assert [message.event for message in hub.replay("topic", 0)[0]] == [{"kind": "30 s"}, {"kind": "0 s"}]
