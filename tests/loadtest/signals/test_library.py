"""Packs and ready scenarios can be started as they are."""

import pytest

from loadtest.signals import library, packs
from loadtest.signals.generators.emitter import Emitter
from loadtest.signals.scenario.parsing import parse
from loadtest.signals.schedule.pacing import Span


def test_what_there_is() -> None:
    assert packs.names() == ["host_cpu", "host_memory", "switch_interface"]
    assert [one.name for one in library.scenarios()] == [
        "cpu_spike", "error_burst", "flapping_link", "latency_degradation", "log_storm", "memory_leak",
    ]  # fmt: skip
    assert library.scenario("nope") is None
    assert {one.kind for one in library.scenarios()} == {"metrics", "logs", "mixed"}


@pytest.mark.parametrize("name", [one.name for one in library.scenarios()])
def test_each_ready_scenario_runs(name: str) -> None:
    ready = library.scenario(name)
    document = parse(ready.body.encode(), None, environment={})
    assert (document.scenario_name, document.warnings) == (name, [])
    assert 20 < len(ready.description) < 120
    for entry in document.entries:
        assert entry.duration_s
        assert Emitter(entry).emit(Span(0, 3, 0.0, 1.0, (True,) * len(entry.cardinality_spikes)), 0).ticks == 3


@pytest.mark.parametrize("name", packs.names())
def test_each_pack_expands(name: str) -> None:
    document = parse(f"pack: {name}\nrate: 1".encode(), None, environment={})
    assert len(document.entries) >= 5
    assert all(Emitter(entry).emit(Span(0, 3, 0.0, 1.0), 0).payload for entry in document.entries)
