"""The live stream of a run (contract: load testing §11)."""

import asyncio
import json
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import AsyncClient
from django.utils import timezone

from config import streams
from config.live import hub
from loadtest.runs.models import Run, RunTick
from tests.loadtest.runs.conftest import BASE, ticks_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


def live(run_id):
    return f"{BASE}/metrics/live/{run_id}"


async def text_of(client, path, **headers):
    answer = await AsyncClient().get(path, headers=client.defaults_as_headers | headers)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/event-stream"
    assert (answer["Cache-Control"], answer["X-Accel-Buffering"]) == ("no-cache", "no")
    return "".join([chunk.decode() async for chunk in answer.streaming_content])


async def until_read(count):
    """Until so many streams are followed in this process."""
    async with asyncio.timeout(20):
        while hub.readers() < count:
            await asyncio.sleep(0.02)


def events(text):
    """`(event, id, data)` of a stream; comments are left out."""
    found = []
    for block in text.split("\n\n")[:-1]:
        if block.startswith(":"):
            continue
        fields = [line.split(": ", 1) for line in block.split("\n")]
        lines = dict(fields)
        assert [name for name, _ in fields] == (["event", "id", "data"] if "id" in lines else ["event", "data"])
        found.append((lines["event"], lines.get("id"), json.loads(lines["data"])))
    return found


@pytest.fixture
def viewer(api):
    client = api("VIEWER")
    client.defaults_as_headers = {"Authorization": f"Bearer {client.raw_key}"}
    return client


@pytest.fixture
def beside(start):
    """Make a run beside the test's own event loop; waits for its end."""
    from loadtest.runs.tasks import execute

    threads = []

    def work(run_id):
        try:
            execute(run_id)
        finally:
            connection.close()

    def begin(run_id):
        threads.append(threading.Thread(target=work, args=(run_id,)))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join(10)


async def test_readers_before_during_and_after_see_the_same(viewer, start, beside, target):
    run_id = await asyncio.to_thread(start, target.url, mode="constant_rps", targetRps=100, duration="600ms")
    before = asyncio.create_task(text_of(viewer, live(run_id)))
    await until_read(1)
    beside(run_id)
    await asyncio.sleep(0.5)
    during, before = await asyncio.gather(text_of(viewer, live(run_id)), before)
    after = await text_of(viewer, live(run_id))
    assert before.replace(": keep-alive\n\n", "") == during.replace(": keep-alive\n\n", "") == after
    told = events(after)
    assert [name for name, _, _ in told] == ["metrics"] * (len(told) - 1) + ["complete"]
    assert [number for _, number, _ in told] == [str(n) for n in range(len(told) - 1)] + [None]
    assert told[-1][2] == {"event": "complete", "runId": run_id}
    assert told[0][2]["totalRequests"] == 0 and told[-2][2]["totalRequests"] == len(target.requests) > 30
    assert told[-2][2]["runId"] == run_id and abs(told[-2][2]["timestamp"] - time.time() * 1000) < 60_000


async def test_resuming(viewer, make, target):
    run = await asyncio.to_thread(make, target.url, mode="constant_rps", targetRps=100, duration="400ms")
    whole = events(await text_of(viewer, live(run.pk)))
    assert events(await text_of(viewer, live(run.pk), **{"Last-Event-ID": "1"})) == whole[2:]
    assert events(await text_of(viewer, live(run.pk) + "?lastEventId=2")) == whole[3:]
    assert events(await text_of(viewer, live(run.pk), **{"Last-Event-ID": "x1"})) == whole
    for beyond in ("100", "9" * 18):
        assert events(await text_of(viewer, live(run.pk), **{"Last-Event-ID": beyond})) == whole[-1:]


def test_what_is_not_found(operator, make, target, api):
    run = make(target.url, iterations=5)
    hint = {"error": "Run not found or expired", "hint": "Use /run/<runId>/report for the stored report"}
    assert operator.get(live("run_1")).json() == hint
    Run.objects.filter(pk=run.pk).update(ended_at=timezone.now() - timedelta(seconds=59))
    assert operator.get(live(run.pk)).status_code == 200
    Run.objects.filter(pk=run.pk).update(ended_at=timezone.now() - timedelta(seconds=61))
    gone = operator.get(live(run.pk))
    assert (gone.status_code, gone.json()) == (404, hint)
    assert api("ADMIN").post(f"{BASE}/config", {"liveRetentionMs": 600_000}).status_code == 200
    assert operator.get(live(run.pk)).status_code == 200  # the setting is looked up anew


def test_methods_and_keys(operator, client):
    assert operator.post(live("run_1")).status_code == 405 and "error" in operator.post(live("run_1")).json()
    wrong = client.get(live("run_1"), headers={"Authorization": "Bearer wrong"})
    assert wrong.status_code == 401 and set(wrong.json()) == {"error"}


async def test_fifty_readers_do_not_delay_the_run(viewer, start, beside, target):
    run_id = await asyncio.to_thread(start, target.url, mode="constant_rps", targetRps=200, duration="1s")
    readers = [asyncio.create_task(text_of(viewer, live(run_id))) for _ in range(50)]
    await until_read(50)
    beside(run_id)
    texts = {text.replace(": keep-alive\n\n", "") for text in await asyncio.gather(*readers)}
    assert len(texts) == 1
    run = await asyncio.to_thread(Run.objects.get, pk=run_id)
    summary = run.report["summary"]
    assert summary["totalRequests"] + summary["droppedRequests"] == 200 and summary["testDuration"] < 2
    assert len(await asyncio.to_thread(ticks_of, run)) > 3


async def test_silence_is_broken_by_comments(viewer, start, monkeypatch):
    monkeypatch.setattr(streams, "KEEP_ALIVE_S", 0.0)
    run_id = await asyncio.to_thread(start, "http://127.0.0.1:9/", iterations=1)
    answer = await AsyncClient().get(live(run_id), headers=viewer.defaults_as_headers)
    assert await anext(answer.streaming_content) == b": keep-alive\n\n"
    await answer.streaming_content.aclose()


async def test_a_reader_that_leaves_is_forgotten(viewer, start):
    run_id = await asyncio.to_thread(start, "http://127.0.0.1:9/", iterations=1)
    before = hub.readers()
    answer = await AsyncClient().get(live(run_id), headers=viewer.defaults_as_headers)
    reading = asyncio.create_task(anext(answer.streaming_content))
    await until_read(before + 1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await answer.streaming_content.aclose()
    assert hub.readers() == before


async def test_a_deleted_run_ends_its_streams(viewer, start):
    run_id = await asyncio.to_thread(start, "http://127.0.0.1:9/", iterations=1)
    reading = asyncio.create_task(text_of(viewer, live(run_id)))
    await until_read(1)
    await asyncio.to_thread(Run.objects.filter(pk=run_id).delete)
    assert [name for name, _, _ in events(await asyncio.wait_for(reading, 10))] == ["complete"]


async def test_missed_events_are_made_up_from_rows(viewer, start):
    """What another process wrote and nobody published arrives within a second or so."""
    run_id = await asyncio.to_thread(start, "http://127.0.0.1:9/", iterations=1)
    answer = await AsyncClient().get(live(run_id), headers=viewer.defaults_as_headers)
    tick = RunTick(run_id=run_id, n=0, at=timezone.now(), data='{"n":0}')
    await asyncio.sleep(0.1)
    await asyncio.to_thread(tick.save)
    async for chunk in answer.streaming_content:
        if chunk.startswith(b"event"):
            assert chunk == b'event: metrics\nid: 0\ndata: {"n":0}\n\n'
            break
    await answer.streaming_content.aclose()
