"""From ticks to encoded events, samples and snapshots (contract: signals §7, §8.6)."""

import json
from typing import Any

import pytest

from fleet.collectors.prometheus.messages import WriteRequest
from loadtest.signals.encoders import specs as encodings
from loadtest.signals.generators import specs
from loadtest.signals.generators.emitter import Emitter, start_ns
from loadtest.signals.scenario.entry import CardinalitySpike, DynamicLabel, Entry
from loadtest.signals.scenario.sinks import Memory
from loadtest.signals.schedule.pacing import Span

ORIGIN_NS = 1_790_000_000_000_000_000
STEP = specs.Step(step_size=1.5)


def entry(**told: Any) -> Entry:
    usual = {
        "name": "m",
        "signal_type": "metrics",
        "rate": 2.0,
        "generator": STEP,
        "encoder": encodings.PrometheusText(),
    }
    return Entry(sink=Memory(), **{**usual, **told})


def test_text_lines_and_times() -> None:
    batch = Emitter(entry(labels={"b": "2", "a": "1"})).emit(Span(4, 2, 2.0, 0.5), ORIGIN_NS)
    assert batch.payload == b'm{a="1",b="2"} 6 1790000002000\nm{a="1",b="2"} 7.5 1790000002500\n'
    assert list(batch.lines) == batch.payload.decode().splitlines()
    assert b"".join(batch.events) == batch.payload
    assert [(one.value, one.timestamp_ns - ORIGIN_NS) for one in batch.samples] == [(6, 2 * 10**9), (7.5, 25 * 10**8)]
    assert list(batch.labels) == [{"a": "1", "b": "2"}] * 2


@pytest.mark.parametrize(
    "encoder", [encodings.JsonLines(precision=0), encodings.InfluxLine(), encodings.PrometheusText(precision=0)]
)
def test_scrapers_get_full_values_whatever_the_encoder(encoder: encodings.AnyEncoder) -> None:
    batch = Emitter(entry(encoder=encoder)).emit(Span(1, 1500, 0.5, 0.5), ORIGIN_NS)
    assert len(batch.lines) == 1000
    assert batch.lines[-1] == "m 2250 1790000750000"
    assert batch.payload.count(b"\n") == batch.ticks == 1500


def test_rotating_labels_and_spikes() -> None:
    told = entry(
        labels={"pod": "static", "z": "z"},
        dynamic_labels=[
            DynamicLabel(key="pod", cardinality=2, prefix="p-"),
            DynamicLabel(key="zone", cardinality=3, values=["eu", "us", "ap"]),
        ],
        cardinality_spikes=[CardinalitySpike(label="user", every_s=9, for_s=1, cardinality=4)],
    )
    emitter = Emitter(told)
    quiet = emitter.emit(Span(0, 4, 0.0, 0.5, (False,)), ORIGIN_NS)
    assert [(one["pod"], one["zone"]) for one in quiet.labels] == [
        ("p-0", "eu"),
        ("p-1", "us"),
        ("p-0", "ap"),
        ("p-1", "eu"),
    ]
    assert all(list(one) == ["pod", "z", "zone"] for one in quiet.labels)
    spiking = emitter.emit(Span(4, 3, 2.0, 0.5, (True,)), ORIGIN_NS)
    assert [one["user"] for one in spiking.labels] == ["label_0", "label_1", "label_2"]
    assert len(emitter.snapshot()) == 7


def test_a_histogram_tick_is_one_event_of_many_lines() -> None:
    spec = specs.Histogram(distribution=specs.Exponential(rate=1), buckets=[1.0, 10.0], observations_per_tick=5)
    told = entry(name="h", signal_type="histogram", generator=spec, labels={"a": "x", "z": "x"})
    emitter = Emitter(told)
    batch = emitter.emit(Span(0, 300, 0.0, 0.5), ORIGIN_NS)
    assert [line.rsplit(" ", 2)[0] for line in batch.lines[-5:]] == [
        'h_bucket{a="x",le="1",z="x"}', 'h_bucket{a="x",le="10",z="x"}', 'h_bucket{a="x",le="+Inf",z="x"}',
        'h_sum{a="x",z="x"}', 'h_count{a="x",z="x"}',
    ]  # fmt: skip
    assert (batch.ticks, len(batch.events), len(batch.lines)) == (300, 300, 1000)
    assert batch.events[0].count(b"\n") == 5
    assert emitter.latest is None
    assert [value for name, _, value in emitter.snapshot() if name == "h_count"] == [1500]


def test_remote_write_payload_holds_all_series() -> None:
    spec = specs.Summary(distribution=specs.UniformDistribution(min=1, max=1), quantiles=[0.5], observations_per_tick=2)
    told = entry(name="s", signal_type="summary", generator=spec, encoder=encodings.RemoteWrite())
    batch = Emitter(told).emit(Span(0, 2, 0.0, 0.5), ORIGIN_NS)
    series = WriteRequest.FromString(batch.payload).timeseries
    assert [(one.labels[0].value, one.samples[0].value) for one in series] == [
        ("s", 1), ("s_sum", 2), ("s_count", 2), ("s", 1), ("s_sum", 4), ("s_count", 4),
    ]  # fmt: skip
    assert [len(WriteRequest.FromString(one).timeseries) for one in batch.events] == [3, 3]


def test_snapshot_latest_and_live_series() -> None:
    emitter = Emitter(entry(dynamic_labels=[DynamicLabel(key="k", cardinality=2)]))
    assert (emitter.latest, emitter.snapshot()) == (None, [])
    assert emitter.snap(5, ORIGIN_NS).payload == b""
    emitter.emit(Span(0, 3, 0.0, 0.5), ORIGIN_NS)
    assert emitter.latest == 3.0
    assert emitter.snapshot() == [("m", '{k="key_0"}', 3.0), ("m", '{k="key_1"}', 1.5)]
    stale = emitter.stale(ORIGIN_NS)
    assert {one.timestamp_ns for one in stale.samples} == {ORIGIN_NS + 10**9 + 10**6}
    assert len(stale.samples) == 2 and emitter.latest == 3.0
    snapped = emitter.snap(-1, ORIGIN_NS + 5 * 10**9)
    assert [line.split()[1:] for line in snapped.lines] == [["-1", "1790000005000"]] * 2
    assert emitter.latest == -1.0
    assert [value for _, _, value in emitter.snapshot()] == [-1.0, -1.0]


def test_logs_have_records_and_no_lines_for_scrapers() -> None:
    spec = specs.Template(templates=[specs.LogTemplate(message="hello {who}", field_pools={"who": ["you"]})])
    told = entry(name="l", signal_type="logs", generator=spec, encoder=encodings.JsonLines(), labels={"a": "b"})
    emitter = Emitter(told)
    batch = emitter.emit(Span(0, 2, 0.0, 0.5), ORIGIN_NS)
    assert json.loads(batch.payload.splitlines()[1]) == {
        "timestamp": "2026-09-21T14:13:20.500Z", "severity": "info", "message": "hello you",
        "labels": {"a": "b"}, "fields": {"who": "you"},
    }  # fmt: skip
    assert batch.records[0].fields == {"who": "you"} and list(batch.lines) == []
    assert (emitter.snapshot(), emitter.latest, emitter.stale(0).payload) == ([], None, b"")


def test_resuming_later_ticks_gives_the_same_text() -> None:
    told = entry(generator=specs.Uniform(min=0, max=1, seed=9), jitter=0.25, labels={"a": "b"})
    whole = Emitter(told).emit(Span(0, 100, 0.0, 0.5), ORIGIN_NS).payload
    emitter = Emitter(told)
    parts = [emitter.emit(Span(first, 10, first / 2, 0.5), ORIGIN_NS).payload for first in range(0, 100, 10)]
    assert b"".join(parts) == whole


@pytest.mark.parametrize(
    ("text", "moved_s"),
    [
        ("now", 0), ("+24h", 86400), ("-7d", -7 * 86400), ("-1.5s", -1.5),
        ("2026-09-21T14:13:30Z", 10), ("2026-09-21T16:13:20+02:00", 0),
    ],
)  # fmt: skip
def test_start_time_moves_timestamps(text: str, moved_s: float) -> None:
    assert start_ns(entry(start_time=text), ORIGIN_NS) - ORIGIN_NS == moved_s * 10**9
