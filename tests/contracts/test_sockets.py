"""What agents and the console's frontend see on their sockets (contract: fleet console §31, §32)."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fleet.live import texts
from fleet.metrics import services as metrics
from tests.factories import make_key
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


async def report(instance, **sample):
    """A beat, with figures or without, committed."""
    figures = metrics.Sample(**sample) if sample else None
    beat = metrics.Beat(instance_id=instance.pk, at=timezone.now(), uptime_s=60, sample=figures)
    await asyncio.wrap_future(metrics.accept([beat]))


async def test_a_heartbeat_is_answered_by_the_name_that_it_uses(connect):
    instance = await sync_to_async(make_instance)(external_id="host-7")
    key = (await sync_to_async(make_key)(role="OPERATOR"))[1]
    async with connect("/ws/agent", key, X_Instance_ID="host-7") as agent:
        await agent.tell("heartbeat", "heartbeat:ping", {"uptime": 1}, instanceId="host-7")
        assert (await agent.heard("heartbeat:pong"))["instanceId"] == "host-7"
        await agent.tell("heartbeat", "heartbeat:ping", {"uptime": 1}, instanceId="somebody-else")
        assert (await agent.heard("heartbeat:pong"))["instanceId"] == instance.pk


async def test_a_heartbeat_without_figures_shows_those_of_the_newest_sample(connect, instance, monkeypatch):
    monkeypatch.setattr(texts, "HEARTBEAT_PAUSE_S", 0)
    key = (await sync_to_async(make_key)(role="VIEWER"))[1]
    async with connect("/ws", key) as page, connect(f"/ws/metrics/stream?instanceId={instance.pk}", key) as stream:
        await page.send({"channel": "system", "type": "subscribe", "instanceId": instance.pk})
        await page.heard("ack")
        await report(instance, cpu_pct=12.5, mem_used=1, mem_total=2)
        await page.heard("metrics:snapshot")
        assert (await page.heard("heartbeat"))["payload"]["cpuPercent"] == 12.5
        await report(instance)
        heard = []
        payload = (await page.heard(lambda message: heard.append(message["type"]) or message["type"] == "heartbeat"))[
            "payload"
        ]
        assert (payload["cpuPercent"], payload["memoryUsedBytes"], payload["memoryTotalBytes"]) == (12.5, "1", "2")
        assert heard == ["heartbeat:pong", "heartbeat"]  # no sample is told twice
        assert (await stream.heard("metrics:snapshot"))["cpu_percent"] == 12.5
        assert await stream.receive_nothing(0.1)


async def test_a_number_that_no_float_holds_is_an_invalid_payload(connect, instance):
    key = (await sync_to_async(make_key)(role="OPERATOR"))[1]
    async with connect("/ws/agent", key, X_Instance_ID=instance.pk) as agent:
        number = "9" * 400
        await agent.send_text(f'{{"channel": "metrics", "type": "metrics:update", "data": {{"cpuPercent": {number}}}}}')
        error = await agent.heard("error")
        assert (error["channel"], error["data"]["code"]) == ("metrics", "INVALID_PAYLOAD")
