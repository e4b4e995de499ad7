"""Figures of machines, as collectors name them, become samples: charts, lists and rules know them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.timeseries import Query, rows_of
from fleet.collectors.hosts import deriving
from fleet.collectors.models import HostFeed
from fleet.metrics.models import SAMPLES, StoredSample
from tests.fleet.collectors.conftest import OTEL, WRITE, send, snappy
from tests.fleet.collectors.makers import as_protobuf, gauge, metrics, total, written

pytestmark = pytest.mark.django_db(transaction=True)
GIB = 1 << 30


def hostmetrics(at, seconds):
    """What the receiver hostmetrics tells after so many seconds of half a CPU."""
    size = lambda name, number, **labels: total(name, at, number, monotonic=False, **labels)  # noqa: E731
    return metrics(
        total("system.cpu.time", at, seconds, cpu="cpu0", state="idle"),
        total("system.cpu.time", at, seconds * 0.75, cpu="cpu0", state="user"),
        total("system.cpu.time", at, seconds * 0.25, cpu="cpu0", state="steal"),
        gauge("system.cpu.load_average.1m", at, 0.5),
        size("system.memory.usage", 2 * GIB, state="used"),
        size("system.memory.usage", 1 * GIB, state="free"),
        size("system.memory.usage", 1 * GIB, state="cached"),
        size("system.memory.usage", GIB // 2, state="slab_reclaimable"),
        size("system.filesystem.usage", 30 * GIB, device="/dev/sda1", mountpoint="/", type="ext4", state="used"),
        size("system.filesystem.usage", 70 * GIB, device="/dev/sda1", mountpoint="/", type="ext4", state="free"),
        size("system.filesystem.usage", 9 * GIB, device="tmpfs", mountpoint="/run", type="tmpfs", state="used"),
        total("system.network.io", at, 1000 * seconds, device="eth0", direction="receive"),
        total("system.network.io", at, 500 * seconds, device="eth0", direction="transmit"),
        total("system.network.io", at, 10**9, device="lo", direction="receive"),
        total("system.disk.io", at, 4096 * seconds, device="sda", direction="read"),
        total("system.disk.io", at, 4096 * seconds, device="sda1", direction="read"),
        host__name="web-1",
    )


def node(at, seconds):
    """The same from node_exporter."""

    def one(name, number, **labels):
        return ({"__name__": f"node_{name}", "instance": "web-1:9100", **labels}, [(at, number)])

    return written(
        one("cpu_seconds_total", seconds, cpu="0", mode="idle"),
        one("cpu_seconds_total", seconds * 0.75, cpu="0", mode="user"),
        one("cpu_seconds_total", seconds * 0.25, cpu="0", mode="steal"),
        one("load1", 0.5),
        one("memory_MemTotal_bytes", 4 * GIB),
        one("memory_MemAvailable_bytes", 2 * GIB),
        one("memory_Cached_bytes", GIB),
        one("filesystem_size_bytes", 100 * GIB, device="/dev/sda1", fstype="ext4", mountpoint="/"),
        one("filesystem_free_bytes", 70 * GIB, device="/dev/sda1", fstype="ext4", mountpoint="/"),
        one("filesystem_size_bytes", 9 * GIB, device="tmpfs", fstype="tmpfs", mountpoint="/run"),
        one("network_receive_bytes_total", 1000 * seconds, device="eth0"),
        one("network_transmit_bytes_total", 500 * seconds, device="eth0"),
        one("network_receive_bytes_total", 10**9, device="lo"),
        one("disk_read_bytes_total", 4096 * seconds, device="sda"),
        one("boot_time_seconds", at.timestamp() - 3600),
    )


def post(kind, at, seconds, key):
    if kind == "otlp":
        return send(f"{OTEL}/metrics", as_protobuf(hostmetrics(at, seconds)), key).body == b""
    return send(WRITE, snappy(node(at, seconds)), key, Content_Encoding="snappy").status == 204


def settled():
    """When all that came so far has settled."""
    return timezone.now() + timedelta(seconds=7)


def samples():
    names = (
        "cpu_pct",
        "mem_pct",
        "mem_used",
        "mem_cached",
        "disk_used",
        "disk_total",
        "net_rx",
        "net_rx_bps",
        "disk_read_bps",
    )
    query = Query(f"SELECT ts, {', '.join(names)} FROM {SAMPLES.name} ORDER BY ts")  # noqa: S608
    return [dict(zip(names, row, strict=True)) for _, *row in rows_of(query, times=[0])]


@pytest.mark.parametrize("kind", ["otlp", "node"])
def test_moments_become_samples(kind, operator, instance):
    now = timezone.now()
    assert post(kind, now - timedelta(seconds=20), 10, operator)
    assert post(kind, now - timedelta(seconds=10), 20, operator)
    assert deriving.derive() == 0, "some of it may still be on its way"
    assert deriving.derive(now=settled()) == 2
    first, second = samples()
    assert (first["cpu_pct"], first["net_rx_bps"]) == (None, None)
    assert second["cpu_pct"] == pytest.approx(50)
    assert (second["mem_used"], second["mem_pct"], second["mem_cached"]) == (2 * GIB, 50, GIB)
    assert (second["disk_used"], second["disk_total"]) == (30 * GIB, 100 * GIB)
    assert (second["net_rx"], second["net_rx_bps"]) == (20_000, pytest.approx(1000, rel=1e-3))
    assert second["disk_read_bps"] == pytest.approx(4096, rel=1e-3)
    instance.refresh_from_db()
    assert instance.last_sample["cpu_steal_pct"] == pytest.approx(12.5)
    assert (instance.last_sample["core_count"], instance.last_sample["load1"]) == (1, 0.5)
    assert instance.uptime_s == (None if kind == "otlp" else pytest.approx(3600, abs=2))


def test_it_goes_on_where_it_ended(operator, instance):
    now = timezone.now()
    for step in range(3):
        at = now + timedelta(seconds=10 * step)
        assert post("node", now - timedelta(seconds=100 - 10 * step), 10 + 10 * step, operator)
        HostFeed.objects.update(arrived_at=at - timedelta(seconds=7))
        assert deriving.derive(now=at) == 1
    assert [one["cpu_pct"] for one in samples()] == [None, pytest.approx(50), pytest.approx(50)]
    assert not HostFeed.objects.get().pending
    assert deriving.derive(now=now + timedelta(minutes=1)) == 0


def test_a_moment_that_came_in_pieces(operator, instance):
    now = timezone.now()
    at = now - timedelta(seconds=10)
    for name, number in (
        ("node_load1", 1.5),
        ("node_memory_MemTotal_bytes", 100),
        ("node_memory_MemAvailable_bytes", 25),
    ):
        series = ({"__name__": name, "instance": "web-1:9100"}, [(at, number)])
        assert send(WRITE, snappy(written(series)), operator, Content_Encoding="snappy").status == 204
    assert deriving.derive(now=settled()) == 1
    assert samples()[0]["mem_pct"] == 75
    assert StoredSample.objects.count() == 1


def test_half_of_the_disks_is_not_a_small_disk(operator, instance):
    now, load = timezone.now(), {"__name__": "node_load1", "instance": "web-1"}

    def disks(at, *names):
        series = [
            (
                {"__name__": f"node_filesystem_{what}_bytes", "instance": "web-1", "device": name, "fstype": "xfs"},
                [(at, size)],
            )
            for name in names
            for what, size in (("size", 100), ("free", 40))
        ]
        body = written((load, [(at, 1)]), *series)
        assert send(WRITE, snappy(body), operator, Content_Encoding="snappy").status == 204

    disks(now - timedelta(seconds=40), "/dev/sda", "/dev/sdb")
    disks(now - timedelta(seconds=30), "/dev/sda")
    disks(now - timedelta(seconds=20), "/dev/sda")
    assert deriving.derive(now=settled()) == 3
    assert [one["disk_total"] for one in samples()] == [200, None, 100]
