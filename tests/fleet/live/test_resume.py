"""A console client that comes back says what it heard last, and gets what it missed."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from config import live
from fleet.lifecycle import services
from fleet.logs import services as logs
from fleet.logs.entries import entry
from fleet.logs.models import Level, Source
from fleet.metrics import services as metrics
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
SUBSCRIBE = {"channel": "system", "type": "subscribe"}


@pytest.fixture
def viewer():
    return make_key(role="VIEWER")[1]


async def beat(*instances):
    sample = metrics.Sample(cpu_pct=1.5)
    beats = [metrics.Beat(instance_id=one.pk, at=timezone.now(), uptime_s=1, sample=sample) for one in instances]
    await asyncio.wrap_future(metrics.accept(beats))


async def write(instance, *messages):
    made = [
        entry(timezone.now(), instance_id=instance.pk, level=Level.INFO, source=Source.APP, message=message)
        for message in messages
    ]
    await asyncio.to_thread(lambda: (logs.accept(made), logs.flush()))


async def test_the_broad_feed_goes_on_where_it_stopped(connect, viewer, instance):
    hidden = await sync_to_async(make_instance)(name="hidden", team=await sync_to_async(make_team)())
    async with connect("/ws", viewer) as page:
        await beat(instance)
        last = (await page.heard("heartbeat"))["seq"]
    await beat(instance, hidden)  # within 5 s of the last one, yet nobody was told
    await sync_to_async(services.suspend)(instance=instance, actor=None)
    await sync_to_async(services.suspend)(instance=hidden, actor=None)
    live.publish("alerts", {"kind": "fired", "teamId": None, "instanceId": None, "payload": {"id": 1}})
    async with connect(f"/ws?after={last}", viewer) as page:
        told = [await page.heard() for _ in range(3)]
        assert [message["type"] for message in told] == ["heartbeat", "instance_update", "alert"]
        assert {told[0]["payload"]["instanceId"], told[1]["payload"]["instanceId"]} == {instance.pk}
        numbers = [last, *(message["seq"] for message in told)]
        assert numbers == sorted(set(numbers))
        assert (await page.heard())["type"] == "fleet_stats"  # and now it goes on


async def test_the_feed_of_an_instance_goes_on_too(connect, viewer, instance):
    async with connect("/ws", viewer) as page:
        await page.send(SUBSCRIBE | {"instanceId": instance.pk})
        await page.heard("ack")
        await write(instance, "one")
        last = (await page.heard("log:line"))["seq"]
    await write(instance, "two", "three")
    await sync_to_async(services.suspend)(instance=instance, actor=None)
    async with connect("/ws", viewer) as page:
        await page.send(SUBSCRIBE | {"instanceId": instance.pk, "after": last})
        batch = await page.heard("log:batch")
        assert [line["message"] for line in batch["data"]["lines"]] == ["two", "three"]
        assert (await page.heard("event:instance"))["data"]["eventType"] == "SUSPEND"
        await write(instance, "four")
        lines = []
        while not await page.receive_nothing(0.1):
            lines.append(await page.heard())
        assert [line["data"]["message"] for line in lines if line.get("channel") == "logs"] == ["four"]


async def test_what_is_too_long_ago_is_said(connect, viewer, instance):
    async with connect("/ws?after=1", viewer) as page:
        assert {(await page.heard("resync"))["topic"] for _ in range(2)} == {"fleet", "alerts"}
        await page.send(SUBSCRIBE | {"instanceId": instance.pk, "after": 1})
        assert (await page.heard("resync"))["topic"] in (f"instance:{instance.pk}", f"logs:{instance.pk}")
    async with connect("/ws?after=x'1", viewer) as page:  # no number: it begins now
        assert await page.receive_nothing(0.1)


async def test_the_stream_of_samples_goes_on_too(connect, viewer, instance):
    path = f"/ws/metrics/stream?instanceId={instance.pk}"
    async with connect(path, viewer) as stream:
        await beat(instance)
        last = (await stream.heard("metrics:snapshot"))["seq"]
    await beat(instance)
    async with connect(f"{path}&after={last}", viewer) as stream:
        assert (await stream.heard("metrics:snapshot"))["seq"] > last
        assert await stream.receive_nothing(0.1)
