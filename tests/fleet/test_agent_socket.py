"""/ws/agent (contract: fleet console §31)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fleet.agents import consumers
from fleet.agents.inbox import inbox
from fleet.instances.models import Event, Inventory
from fleet.instances.services import enroll
from fleet.metrics import services as metrics
from fleet.metrics.models import StoredSample
from tests.factories import make_key, make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]

METRICS = {
    "cpu": {"usage_percent": 37.5, "load_avg_1": 1, "load_avg_5": 0.5, "load_avg_15": 0.25, "core_count": 2},
    "memory": {"total_bytes": 800, "used_bytes": 200, "cached_bytes": 100},
    "disk": [
        {"mount_point": "/", "device": "/dev/a", "total_bytes": 1000, "used_bytes": 400},
        {"mount_point": "/bind", "device": "/dev/a", "total_bytes": 1000, "used_bytes": 400},
        {"mount_point": "/data", "device": "/dev/b", "total_bytes": 2**50, "used_bytes": 1},
    ],
    "network": {"bytes_sent": 10, "bytes_recv": 20},
}
FLAT = {
    "cpuPercent": 37.5,
    "memoryUsed": 200,
    "memTotal": 800,
    "diskUsed": 401,
    "diskTotal": 1000 + 2**50,
    "loadAvg": [1, 0.5, 0.25],
    "networkBytesOut": 10,
    "netBytesRecv": 20,
}
# What both say.
SAMPLE = {
    "cpu_pct": 37.5,
    "mem_used": 200,
    "mem_total": 800,
    "disk_used": 401,
    "disk_total": 1000 + 2**50,
    "load1": 1,
    "load5": 0.5,
    "load15": 0.25,
    "net_tx": 10,
    "net_rx": 20,
}


@pytest.fixture
def operator():
    return make_key(role="OPERATOR")[1]


async def settled():
    """Everything that was read has been committed."""
    inbox().read()
    await asyncio.to_thread(metrics.flush)


@sync_to_async
def fresh(instance):
    instance.refresh_from_db()
    return instance


@sync_to_async
def samples(instance):
    return list(StoredSample.objects.filter(instance_id=instance.pk).order_by("ts"))


async def test_agent_dialect_heartbeat_and_metrics(connect, operator, instance):
    async with connect("/ws/agent", operator) as agent:
        await agent.say("heartbeat", {"instance_id": instance.pk, "timestamp": stamp(), "uptime_seconds": 60})
        pong = await agent.heard()
        assert (pong["channel"], pong["type"], pong["data"]) == ("heartbeat", "heartbeat:pong", {"ok": True})
        assert pong["instanceId"] == instance.pk
        await agent.say("metrics", METRICS | {"instance_id": instance.pk, "timestamp": stamp()})
        assert await agent.receive_nothing(0.1)  # by then the frame has been read
        await settled()
    found = await fresh(instance)
    assert (found.online, found.uptime_s) == (True, 60)
    assert len(await samples(instance)) == 1
    assert (SAMPLE | {"mem_cached": 100, "core_count": 2, "mem_pct": 25.0}).items() <= found.last_sample.items()


async def test_console_dialect_means_the_same(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.tell("metrics", "metrics:update", FLAT, correlationId="m1")
        ack = await agent.heard()
        assert ack == {"channel": "metrics", "type": "ack", "data": {"ok": True}, "correlationId": "m1"}
        beat = {"agentVersion": "9.9", "uptime": 61.7, "sindri_version": "3.1", "cli_target": "x", "distro": "fedora"}
        await agent.tell("heartbeat", "heartbeat:ping", beat | {"extensions": ["docker"]}, correlationId=7)
        assert (await agent.heard())["correlationId"] == 7
        await settled()
    found = await fresh(instance)
    assert len(await samples(instance)) == 1
    assert SAMPLE.items() <= found.last_sample.items()
    assert (found.agent_version, found.sindri_version, found.cli_target) == ("9.9", "3.1", "x")
    assert (found.distro, found.extensions, found.uptime_s) == ("fedora", ["docker"], 61)


@pytest.mark.parametrize("name", ["id", "external_id", "name"])
async def test_binds_by_id_external_id_or_name(connect, operator, name):
    instance = await sync_to_async(make_instance)(external_id="host-7")
    async with connect("/ws/agent", operator) as agent:
        await agent.say("heartbeat", {"instance_id": getattr(instance, name), "uptime_seconds": 1})
        assert (await agent.heard())["instanceId"] == instance.pk


async def test_frames_before_the_first_name_wait(connect, operator, instance):
    async with connect("/ws/agent", operator) as agent:
        for number in range(consumers.QUEUED_FRAMES):
            await agent.say("metrics", METRICS | {"timestamp": stamp(number)})
        await agent.say("metrics", METRICS)
        assert (await agent.heard())["data"]["code"] == "NO_INSTANCE_ID"
        await agent.tell("heartbeat", "heartbeat:ping", {"uptime": 1}, instanceId=instance.pk)
        assert (await agent.heard())["type"] == "heartbeat:pong"
        await settled()
    assert len(await samples(instance)) == consumers.QUEUED_FRAMES


async def test_unknown_instance_closes(connect, operator):
    async with connect("/ws/agent", operator) as agent:
        await agent.say("heartbeat", {"instance_id": "nobody"})
        assert await agent.closed() == (1008, "Unknown instance ID: nobody")


async def test_who_may_not_speak(connect, instance):
    hidden = await sync_to_async(make_instance)(name="hidden", team=await sync_to_async(make_team)())
    for role, reference, expected in (
        ("VIEWER", instance.pk, None),
        ("DEVELOPER", instance.pk, None),
        ("OPERATOR", hidden.pk, f"Unknown instance ID: {hidden.pk}"),
    ):
        key = (await sync_to_async(make_key)(role=role))[1]
        async with connect("/ws/agent", key) as agent:
            assert agent.refused is (expected is None)
            if expected:
                await agent.say("heartbeat", {"instance_id": reference})
                assert await agent.closed() == (1008, expected)


async def test_upgrade_without_a_good_key_is_refused(connect):
    for key in (None, "sk-" + "0" * 48):
        async with connect("/ws/agent", key) as agent:
            assert agent.refused


async def test_the_shared_agent_key_speaks_for_all(connect, settings):
    settings.AGENT_KEY = "shared-key-of-the-fleet"
    instance = await sync_to_async(make_instance)(team=await sync_to_async(make_team)())
    async with connect("/ws/agent", settings.AGENT_KEY) as agent:
        await agent.say("heartbeat", {"instance_id": instance.name})
        assert (await agent.heard())["instanceId"] == instance.pk


async def test_enrolled_key_binds_to_its_instance_only(connect, instance):
    mine, key = await sync_to_async(enroll)(name="mine")
    assert (mine.status, mine.last_seen_at) == ("UNKNOWN", None)
    async with connect("/ws/agent", key) as agent:
        await agent.say("heartbeat", {"instance_id": "its-own-hostname", "uptime_seconds": 5})
        assert (await agent.heard())["instanceId"] == mine.pk
        await settled()
    found = await fresh(mine)
    assert (found.status, found.external_id, found.online) == ("RUNNING", "its-own-hostname", True)
    for other in (instance.pk, instance.name, "another-host"):
        async with connect("/ws/agent", key) as agent:
            await agent.say("heartbeat", {"instance_id": other})
            assert (await agent.closed())[0] == 1008
    assert (await fresh(instance)).last_seen_at is None


async def test_a_second_connection_replaces_the_first(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as first:
        await first.say("heartbeat", {})
        await first.heard()
        async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as second:
            assert await first.closed() == (1001, "Replaced by new connection")
            await second.say("heartbeat", {})
            assert (await second.heard())["type"] == "heartbeat:pong"


async def test_a_connection_cannot_speak_for_another(connect, operator, instance):
    other = await sync_to_async(make_instance)(name="other")
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("metrics", METRICS | {"instance_id": other.pk})
        assert (await agent.heard())["data"]["code"] == "FORBIDDEN"
        await settled()
    assert await samples(other) == []


async def test_silence_before_binding_closes(connect, operator, monkeypatch):
    monkeypatch.setattr(consumers, "BIND_WITHIN_S", 0.05)
    async with connect("/ws/agent", operator) as agent:
        assert (await agent.closed())[0] == 1008


@pytest.mark.parametrize(
    ("text", "code", "channel"),
    [
        ("{", "PARSE_ERROR", "events"),
        ("null", "PARSE_ERROR", "events"),
        ("[]", "PARSE_ERROR", "events"),
        ('{"type":"heartbeat"}', "PARSE_ERROR", "events"),
        ('{"type":5,"payload":{}}', "PARSE_ERROR", "events"),
        ('{"channel":"metrics","data":{}}', "PARSE_ERROR", "events"),
        ('{"type":"heartbeat","payload":' + "[" * 100_000 + "]" * 100_000 + "}", "PARSE_ERROR", "events"),
        ('{"type":"heartbeat","payload":{"x":"\\ud800"}}', "PARSE_ERROR", "events"),
        ('{"type":"heartbeat","payload":[]}', "INVALID_PAYLOAD", "heartbeat"),
        ('{"type":"heartbeat","payload":{"uptime_seconds":"long"}}', "INVALID_PAYLOAD", "heartbeat"),
        ('{"type":"heartbeat","payload":{"uptime_seconds":-1}}', "INVALID_PAYLOAD", "heartbeat"),
        ('{"type":"heartbeat","payload":{"uptime_seconds":1e300}}', "INVALID_PAYLOAD", "heartbeat"),
        ('{"type":"heartbeat","payload":{"timestamp":"yesterday"}}', "INVALID_PAYLOAD", "heartbeat"),
        ('{"type":"heartbeat","payload":{"timestamp":1e300}}', "INVALID_PAYLOAD", "heartbeat"),
        ('{"type":"metrics","payload":{"cpu":{"usage_percent":100.5}}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"metrics","payload":{"cpu":{"usage_percent":-1}}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"metrics","payload":{"memory":{"used_bytes":-1}}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"metrics","payload":{"memory":{"used_bytes":18446744073709551615}}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"metrics","payload":{"disk":[{"used_bytes":-1,"total_bytes":5}]}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"metrics","payload":{"cpu":5}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"metrics","payload":{}}', "INVALID_PAYLOAD", "metrics"),
        ('{"channel":"metrics","type":"metrics:update","data":{"cpuPercent":"a"}}', "INVALID_PAYLOAD", "metrics"),
        ('{"type":"event","payload":{"message":"no type"}}', "INVALID_PAYLOAD", "events"),
        ('{"type":"registration","payload":{"provider":"mars"}}', "INVALID_PAYLOAD", "events"),
        ('{"type":"inventory","payload":{"processes":[{"pid":"x","name":"y"}]}}', "INVALID_PAYLOAD", "inventory"),
        ('{"type":"log:line","payload":{"message":5}}', "INVALID_PAYLOAD", "logs"),
    ],
)
async def test_bad_frames_get_an_error_and_keep_the_socket(connect, operator, instance, text, code, channel):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.send_text(text)
        error = await agent.heard()
        assert (error["type"], error["channel"], error["data"]["code"]) == ("error", channel, code)
        assert error["data"]["message"]
        await agent.say("heartbeat", {})
        assert (await agent.heard())["type"] == "heartbeat:pong"
        await settled()
    assert await samples(instance) == []


async def test_unknown_types_are_ignored(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("weather", {"rain": True})
        await agent.tell("weather", "weather:now", {})
        await agent.say("heartbeat", {})
        assert (await agent.heard())["type"] == "heartbeat:pong"


async def test_oversize_frame_closes(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("heartbeat", {"x": "y" * (1 << 20)})
        assert (await agent.closed())[0] == 1009


async def test_frames_beyond_the_limit_wait(connect, operator, instance, monkeypatch):
    monkeypatch.setattr(consumers, "FRAMES_PER_S", 5)
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        began = asyncio.get_running_loop().time()
        for _ in range(11):
            await agent.say("heartbeat", {})
        for _ in range(11):
            await agent.heard()
        assert asyncio.get_running_loop().time() - began > 1.5


async def test_byte_budget(connect, operator, instance, settings):
    settings.RATE_INGEST_BYTES = 400
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        codes = []
        for _ in range(5):
            await agent.say("heartbeat", {"x": "y" * 100})
            answer = await agent.heard()
            codes.append(answer["data"].get("code", "ok"))
    assert codes == ["ok", "ok", "RATE_LIMITED", "RATE_LIMITED", "RATE_LIMITED"]


async def test_events_are_mapped_and_unknown_types_keep_their_name(connect, operator, instance):
    long_ago = timezone.now() - timedelta(days=3)
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("event", {"event_type": "extension:install", "message": "docker", "timestamp": iso(long_ago)})
        await agent.tell(
            "events", "event:instance", {"eventType": "disk-melted", "metadata": {"a\x00": "b\x00", "now": 1}}
        )
        await agent.say("heartbeat", {})
        await agent.heard()
    first, second = await sync_to_async(lambda: list(Event.objects.order_by("timestamp")))()
    assert (first.type, first.metadata) == ("EXTENSION_INSTALL", {"message": "docker"})
    assert timezone.now() - first.timestamp < timedelta(minutes=11)
    assert (second.type, second.metadata) == ("ERROR", {"a": "b", "now": 1, "type": "disk-melted"})


async def test_inventory_feeds_the_panels(connect, operator, instance):
    processes = [{"pid": pid, "name": "p\x00", "cpu_percent": pid, "user": "app", "new": 1} for pid in range(1, 15)]
    extensions = [{"name": "docker", "version": "27", "status": "installing"}, {"name": "x", "status": "odd"}]
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("inventory", {"processes": processes, "extensions": extensions, "hostname": "h"})
        await agent.say("inventory", {"processes": None, "extensions": extensions})
        await agent.say("heartbeat", {})
        await agent.heard()
    inventory = await sync_to_async(Inventory.objects.get)()
    assert [row["pid"] for row in inventory.processes] == list(range(14, 4, -1))
    assert inventory.processes[0]["name"] == "p"
    assert [row["status"] for row in inventory.extensions] == ["installing", "unknown"]
    assert datetime.fromisoformat(inventory.extensions[0]["since"]) < inventory.extensions_at


async def test_a_wrong_sample_costs_the_ones_beside_it_nothing(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("metrics", METRICS | {"timestamp": stamp(1)})
        await agent.say("metrics", {"cpu": {"usage_percent": 101}})
        await agent.say("metrics", METRICS | {"timestamp": stamp(2)})
        refusal = await agent.heard()
        assert (refusal["channel"], refusal["data"]["code"]) == ("metrics", "INVALID_PAYLOAD")
        await settled()
    assert len(await samples(instance)) == 2


async def test_what_an_agent_sent_last_is_stored_at_once_when_it_leaves(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("metrics", METRICS | {"timestamp": stamp()})
        assert await agent.receive_nothing(0.1)  # by then the frame has come
    await asyncio.to_thread(metrics.flush)
    assert len(await samples(instance)) == 1


async def test_registration_refreshes_the_record_only(connect, operator):
    instance = await sync_to_async(make_instance)(status="SUSPENDED")
    body = {"instance_id": "host-7", "provider": "k8s", "agent_version": "2", "region": "r1", "hostname": "new-name"}
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("registration", body)
        await agent.say("heartbeat", {})
        await agent.heard()
    found = await fresh(instance)
    assert (found.provider, found.agent_version, found.region) == ("kubernetes", "2", "r1")
    assert (found.name, found.status) == ("web-1", "SUSPENDED")


async def test_sample_times_are_bounded_unless_replayed(connect, operator, instance):
    old = timezone.now() - timedelta(hours=5)
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("metrics", METRICS | {"timestamp": iso(old), "replayed": True})
        await agent.say("metrics", METRICS | {"timestamp": iso(old)})
        await agent.say("heartbeat", {})
        await agent.heard()
        await settled()
    first, second = await samples(instance)
    assert abs(first.ts - old) < timedelta(seconds=1)
    assert timedelta(minutes=9) < timezone.now() - second.ts < timedelta(minutes=11)


async def test_a_connection_alone_brings_the_instance_back(connect, operator):
    instance = await sync_to_async(make_instance)(status="ERROR")
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk):
        async with asyncio.timeout(4):
            while (await fresh(instance)).status != "RUNNING":
                await asyncio.sleep(0.05)
    assert await sync_to_async(Event.objects.filter(type="HEARTBEAT_RECOVERED").count)() == 1


def stamp(seconds: float = 0) -> str:
    return iso(timezone.now() + timedelta(seconds=seconds))


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
