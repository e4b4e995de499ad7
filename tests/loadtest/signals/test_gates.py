"""The gate of `while` (contract: signals §8.7)."""

from loadtest.signals.scenario.entry import Gate
from loadtest.signals.schedule.gates import GateKeeper, Turn


def keeper(**told: float | bool) -> GateKeeper:
    return GateKeeper(Gate(ref="up", entry=0, op="<", value=1.0, **told))  # type: ignore[arg-type]


def test_pending_until_the_first_opening() -> None:
    gate = keeper()
    assert [gate.look(at, value, emitted=False) for at, value in enumerate([None, 5.0, 1.0, float("nan")])] == [
        None
    ] * 4
    assert gate.state == "pending"
    assert gate.look(4, 0.0, emitted=False) == Turn("running")
    assert gate.look(5, 0.0, emitted=True) is None


def test_shut_before_the_first_sample_sends_nothing() -> None:
    gate = keeper(snap_to=0.0)
    gate.look(0, 0.0, emitted=False)
    assert gate.look(1, 1.0, emitted=False) == Turn("paused")


def test_shut_after_samples() -> None:
    for told, turn in (
        ({}, Turn("paused", stale_marker=True)),
        ({"stale_marker": False}, Turn("paused")),
        ({"snap_to": 7.0}, Turn("held", snap_to=7.0)),
    ):
        gate = keeper(**told)
        gate.look(0, 0.0, emitted=False)
        assert gate.look(1, 1.0, emitted=True) == turn
        assert gate.look(2, 0.5, emitted=True) == Turn("running")


def test_debounce_needs_the_value_to_last() -> None:
    gate = keeper(open_s=2.0, close_s=3.0)
    assert gate.look(0, 0.0, emitted=False) is None
    assert gate.next_s == 2.0
    assert gate.look(1.5, 9.0, emitted=False) is None
    assert gate.next_s is None
    assert gate.look(2, 0.0, emitted=False) is None
    assert gate.look(3.9, 0.0, emitted=False) is None
    assert gate.look(4, 0.0, emitted=False) == Turn("running")
    assert gate.look(5, 9.0, emitted=True) is None
    assert gate.state == "running"
    assert gate.look(8, 9.0, emitted=True) == Turn("paused", stale_marker=True)
