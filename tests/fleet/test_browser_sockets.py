"""/ws and /ws/metrics/stream (contract: fleet console §32), and the hints that our pages get."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from config import live
from fleet.instances.models import Instance
from fleet.lifecycle import services
from fleet.live import consumers
from fleet.metrics import services as metrics
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
SUBSCRIBE = {"channel": "system", "type": "subscribe"}


@pytest.fixture
def viewer():
    return make_key(role="VIEWER")[1]


@pytest.fixture
def hidden():
    return make_instance(name="hidden", team=make_team())


async def report(instance, cpu=12.5):
    """A heartbeat with figures, committed."""
    sample = metrics.Sample(cpu_pct=cpu, mem_used=1, mem_total=2, load1=0.5, net_rx=3, net_tx=4, process_count=5)
    beat = metrics.Beat(instance_id=instance.pk, at=timezone.now(), uptime_s=60, sample=sample)
    await asyncio.wrap_future(metrics.accept([beat]))


async def change(service, instance):
    return await sync_to_async(service)(instance=instance, actor=None)


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/ws/instances", "/ws/fleet", "/ws/console"])
async def test_all_names_of_the_socket_open(connect, viewer, path):
    async with connect(path, viewer) as page:
        assert not page.refused
        await page.send({"channel": "x", "type": "y", "data": {}, "correlationId": "c"})
        error = await page.heard()
        assert (error["channel"], error["type"], error["correlationId"]) == ("x", "error", "c")
        assert error["data"]["code"] == "UNKNOWN_MESSAGE_TYPE"


async def test_upgrade_needs_a_key_and_a_known_path(connect, viewer):
    for path, key in (("/ws", None), ("/ws", "sk-" + "0" * 48), ("/ws/elsewhere", viewer)):
        async with connect(path, key) as page:
            assert page.refused, path


async def test_subscriber_hears_heartbeats_samples_and_events(connect, viewer, instance):
    async with connect("/ws", viewer) as page:
        await page.send({"channel": "metrics", "type": "subscribe", "instanceId": instance.pk, "correlationId": 1})
        ack = {"channel": "metrics", "type": "ack", "data": {"ok": True}, "correlationId": 1}
        assert await page.heard() == ack
        await report(instance)
        pong = await page.heard("heartbeat:pong")
        assert (pong["channel"], pong["instanceId"], pong["data"]["uptime_seconds"]) == ("heartbeat", instance.pk, 60)
        update = await page.heard("metrics:update")
        assert update["data"] == {
            "cpuPercent": 12.5,
            "memoryUsed": 1,
            "memoryTotal": 2,
            "diskUsed": None,
            "diskTotal": None,
            "uptime": 60,
            "loadAvg": [0.5, None, None],
            "networkBytesIn": 3,
            "networkBytesOut": 4,
            "processCount": 5,
        }
        assert (await page.heard("metrics:snapshot"))["cpu_percent"] == 12.5
        await change(services.suspend, instance)
        event = await page.heard("event:instance")
        assert (event["channel"], event["data"]["eventType"]) == ("events", "SUSPEND")


async def test_unsubscribed_hears_no_more(connect, viewer, instance):
    async with connect("/ws", viewer) as page:
        await page.send(SUBSCRIBE | {"data": {}, "instanceId": instance.pk})
        await page.heard("ack")
        await page.send({"channel": "system", "type": "unsubscribe", "instanceId": instance.pk})
        await page.heard("ack")
        await report(instance)
        assert (await page.heard())["type"] == "heartbeat"
        assert await page.receive_nothing(0.1)


async def test_flat_messages_go_to_everyone_who_may_see(connect, viewer, instance, hidden):
    async with connect("/ws", viewer) as page:
        await report(hidden)
        await report(instance)
        await report(instance, cpu=99.0)
        beat = await page.heard()
        assert (beat["type"], beat["payload"]["instanceId"], beat["payload"]["cpuPercent"]) == (
            "heartbeat",
            instance.pk,
            12.5,
        )
        assert (beat["payload"]["memoryUsedBytes"], beat["payload"]["diskUsedBytes"]) == ("1", None)
        assert await page.receive_nothing(0.1)  # the second one comes within 5 s
        await change(services.suspend, hidden)
        await change(services.suspend, instance)
        update = await page.heard()
        assert update["type"] == "instance_update"
        assert {name: update["payload"][name] for name in ("instanceId", "status")} == {
            "instanceId": instance.pk,
            "status": "SUSPENDED",
        }
        stats = await page.heard("fleet_stats")
        assert stats["payload"]["by_status"] == {"SUSPENDED": 1}


async def test_fleet_stats_are_merged(connect, viewer, instance, monkeypatch):
    monkeypatch.setattr(consumers, "GLANCE_PAUSE_S", 1.5)
    async with connect("/ws", viewer) as page:
        for service in (services.suspend, services.resume, services.suspend):
            await change(service, instance)
        told = []
        while "fleet_stats" not in told:
            told.append((await page.heard())["type"])
        while not await page.receive_nothing(0.1):
            told.append((await page.heard())["type"])
    assert told.count("instance_update") == 3
    assert told.count("fleet_stats") == 1


async def test_invisible_instances_are_forbidden(connect, viewer, hidden):
    async with connect("/ws", viewer) as page:
        for instance_id in (hidden.pk, "unknown", "x" * 200):
            await page.send(SUBSCRIBE | {"data": {"instanceId": instance_id}})
            assert (await page.heard())["data"]["code"] == "FORBIDDEN"
        await page.send(SUBSCRIBE | {"data": {}})
        assert (await page.heard())["data"]["code"] == "NO_INSTANCE_ID"
        await report(hidden)
        assert await page.receive_nothing(0.1)


async def test_a_feed_ends_when_the_instance_goes_to_another_team(connect, viewer, instance):
    async with connect("/ws", viewer) as page:
        await page.send(SUBSCRIBE | {"instanceId": instance.pk})
        await page.heard("ack")
        team = await sync_to_async(make_team)()
        await sync_to_async(Instance.objects.filter(pk=instance.pk).update)(team=team)
        await report(instance)
        assert await page.receive_nothing(0.1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "PARSE_ERROR"),
        ("[]", "PARSE_ERROR"),
        ('{"type":1}', "PARSE_ERROR"),
        ('{"type":"watch","topics":5}', "PARSE_ERROR"),
        ("[" * 50_000, "PARSE_ERROR"),
        ('{"channel":"metrics","type":"metrics:update","data":{}}', "FORBIDDEN"),
        ('{"channel":"heartbeat","type":"heartbeat:ping","data":{}}', "FORBIDDEN"),
        ('{"channel":"commands","type":"command:exec","data":{"command":"id"}}', "FORBIDDEN"),
        ('{"channel":"terminal","type":"terminal:create","data":{}}', "FORBIDDEN"),
    ],
)
async def test_bad_messages_get_an_error_and_keep_the_socket(connect, viewer, text, code):
    async with connect("/ws", viewer) as page:
        await page.send_text(text)
        assert (await page.heard())["data"]["code"] == code
        await page.send({"channel": "x", "type": "y"})
        assert (await page.heard())["data"]["code"] == "UNKNOWN_MESSAGE_TYPE"


async def test_oversize_message_closes(connect, viewer):
    async with connect("/ws", viewer) as page:
        await page.send({"type": "watch", "x": "y" * 70_000})
        assert (await page.closed())[0] == 1009


async def test_pages_get_merged_hints_of_what_they_watch(connect, viewer, instance, hidden):
    async with connect("/ws", viewer) as page:
        topics = [f"instance:{instance.pk}", f"instance:{hidden.pk}", "monitors", "agent:x", "../x"]
        await page.send({"type": "watch", "topics": topics})
        await asyncio.sleep(0.1)
        began = time.monotonic()
        for number in range(30):
            live.publish(f"instance:{instance.pk}", {"kind": f"k{number}", "instanceId": instance.pk, "teamId": None})
            live.publish(f"instance:{hidden.pk}", {"kind": "secret", "instanceId": hidden.pk, "teamId": None})
            live.publish("monitors", {"kind": "run"})
            await asyncio.sleep(0.01)
        hints = []
        while not await page.receive_nothing(0.3):
            hints.append(await page.heard())
        took = time.monotonic() - began
    assert {hint["topic"] for hint in hints} == {f"instance:{instance.pk}", "monitors"}
    assert len(hints) <= 10 * took + 1
    last = [hint for hint in hints if hint["topic"].startswith("instance:")][-1]
    assert (last["type"], last["kind"]) == ("ui", "k29")
    assert set(last) == {"type", "topic", "seq", "at", "kind"}


async def test_a_page_that_comes_back_gets_what_it_missed(connect, viewer):
    now = live.now_ms()
    live.publish("monitors", {"kind": "missed"})
    async with connect("/ws", viewer) as page:
        await page.send({"type": "watch", "topics": ["monitors"], "after": {"monitors": now - 50}})
        hint = await page.heard()
        assert (hint["type"], hint["kind"]) in (("ui", "missed"), ("resync", None)) or hint["type"] == "resync"
        await page.send({"type": "watch", "topics": ["monitors"], "after": {"monitors": now - 120_000}})
        assert await page.heard("resync") == {"type": "resync", "topic": "monitors"}


async def test_a_slow_reader_is_told_what_it_lost(connect, viewer, instance, monkeypatch):
    from fleet.live import sockets

    real = live.subscribe
    monkeypatch.setattr(sockets.live, "subscribe", lambda *topics: real(*topics, size=3))
    async with connect("/ws", viewer) as page:
        for _ in range(10):
            live.publish("fleet", {"kind": "other", "instanceId": instance.pk, "teamId": None})
        time.sleep(0.5)  # the socket's loop stands still until all ten have arrived
        assert (await page.heard("lag"))["dropped"] == 7


async def test_metrics_stream(connect, viewer, instance, hidden):
    async with connect(f"/ws/metrics/stream?instanceId={instance.pk}", viewer) as page:
        await report(instance)
        snapshot = await page.heard()
        assert abs(snapshot.pop("ts") - time.time() * 1000) < 10_000
        assert snapshot.pop("seq") > 0
        assert snapshot == {
            "type": "metrics:snapshot",
            "instance_id": instance.pk,
            "cpu_percent": 12.5,
            "memory_used": 1,
            "memory_total": 2,
            "disk_used": None,
            "disk_total": None,
            "network_bytes_in": 3,
            "network_bytes_out": 4,
        }
        await page.send({"unsubscribe": [instance.pk], "subscribe": [hidden.pk]})
        assert (await page.heard("error"))["data"]["code"] == "FORBIDDEN"
        await report(instance)
        await report(hidden)
        assert await page.receive_nothing(0.1)
        await page.send({"subscribe": [instance.pk]})
        await page.send_text("?")
        assert (await page.heard("error"))["data"]["code"] == "PARSE_ERROR"
        await report(instance)
        assert (await page.heard())["type"] == "metrics:snapshot"


async def test_metrics_stream_of_an_invisible_instance(connect, viewer, hidden):
    async with connect(f"/ws/metrics/stream?instanceId={hidden.pk}", viewer) as page:
        assert (await page.heard("error"))["data"]["code"] == "FORBIDDEN"
        await report(hidden)
        assert await page.receive_nothing(0.1)


async def test_alerts_go_to_who_may_see_their_instance(connect, viewer, hidden):
    async with connect("/ws", viewer) as page:
        for number, team in ((1, hidden.team_id), (2, None)):
            live.publish("alerts", {"kind": "fired", "teamId": team, "instanceId": None, "payload": {"id": number}})
        alert = await page.heard()
        assert (alert["type"], alert["payload"]) == ("alert", {"id": 2})
