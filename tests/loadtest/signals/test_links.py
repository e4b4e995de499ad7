"""`after` and `while` between the entries of a body (contract: signals §8.7)."""

import json
from typing import Any

import pytest

from loadtest.signals.scenario.entry import Document, Gate
from loadtest.signals.scenario.errors import Refused
from loadtest.signals.scenario.parsing import parse

SATURATION = {"type": "saturation", "baseline": 20, "ceiling": 85, "time_to_saturate": "120s"}


def document(*entries: dict[str, Any], **defaults: Any) -> Document:
    usual = {"generator": {"type": "constant", "value": 1}, "name": "m"}
    body = {
        "version": 2,
        "kind": "runnable",
        "defaults": {"rate": 2, "duration": "60s", **defaults},
        "scenarios": [{**usual, **entry} for entry in entries],
    }
    return parse(json.dumps(body).encode(), "application/json", environment={})


def after(generator: dict[str, Any], op: str, value: float, **more: Any) -> Document:
    return document(
        {"id": "up", "generator": generator}, {"id": "x", "after": {"ref": "up", "op": op, "value": value}, **more}
    )


CROSSINGS: list[tuple[dict[str, Any], str, float, float]] = [
    (SATURATION, ">", 70, 92.3076923),
    ({"type": "sequence", "values": [1, 1, 5, 1]}, ">", 4, 1.0),
    ({"type": "sequence", "values": [5, 5, 5, 1]}, "<", 4, 1.5),
    ({"type": "flap", "up_duration": "40s", "down_duration": "12s"}, "<", 1, 40.0),
    ({"type": "sawtooth", "min": 0, "max": 10, "period_secs": 20}, ">", 5, 10.0),
    ({"type": "leak", "time_to_ceiling": "60s"}, ">", 50, 30.0),
    ({"type": "degradation", "time_to_degrade": "60s"}, ">", 50, 30.0),
    ({"type": "step", "step_size": 2, "max": 9}, ">", 4, 1.5),
    ({"type": "spike", "baseline": 0, "magnitude": 9, "duration_secs": 3, "interval_secs": 9}, "<", 5, 3.0),
    ({"type": "spike_event", "spike_duration": "7s"}, "<", 5, 7.0),
]


@pytest.mark.parametrize(("generator", "op", "value", "crossed_s"), CROSSINGS)
def test_crossings(generator: dict[str, Any], op: str, value: float, crossed_s: float) -> None:
    assert after(generator, op, value).entries[1].offset_s == pytest.approx(crossed_s, rel=1e-8)


@pytest.mark.parametrize(
    ("generator", "op", "value", "reason"),
    [
        (SATURATION, "<", 30, "cannot be known"),
        (SATURATION, ">", 85, "never"),
        (SATURATION, ">", 10, "from the start"),
        ({"type": "flap"}, ">", 0, "from the start"),
        ({"type": "flap"}, "<", 0, "never"),
        ({"type": "flap"}, "<", 2, "from the start"),
        ({"type": "step", "step_size": 2, "max": 9}, ">", 8, "never"),
        ({"type": "step", "step_size": -1}, ">", 8, "never"),
        ({"type": "step", "step_size": 1}, "<", 8, "cannot be known"),
        ({"type": "spike_event"}, ">", 5, "from the start"),
        ({"type": "spike_event"}, "<", -5, "never"),
        ({"type": "sequence", "values": [1, 2]}, ">", 2, "never"),
        ({"type": "sequence", "values": [3, 2]}, ">", 2, "from the start"),
        ({"type": "constant", "value": 5}, ">", 2, "cannot be known"),
        ({"type": "steady"}, ">", 50, "cannot be known"),
        ({"type": "sawtooth", "min": 10, "max": 0, "period_secs": 9}, ">", 20, "never"),
    ],
)
def test_crossings_that_have_no_answer(generator: dict[str, Any], op: str, value: float, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        after(generator, op, value)
    assert caught.value.status == 400
    assert reason in caught.value.message and "'up'" in caught.value.message


def test_offsets_add_up_and_who_is_linked_shares_a_clock() -> None:
    link = {"op": ">", "value": 50}
    found = document(
        {"id": "a", "generator": {"type": "saturation", "time_to_saturate": "20s"}, "phase_offset": "5s"},
        {
            "id": "b",
            "generator": {"type": "leak", "time_to_ceiling": "60s"},
            "after": {"ref": "a", "delay": "2s", **link},
        },
        {"after": {"ref": "b", **link}, "phase_offset": "500ms"},
        {"name": "alone"},
        {"name": "own", "clock_group": "mine"},
    )
    assert [entry.offset_s for entry in found.entries] == [5, 17, 47.5, 0, 0]
    assert [entry.clock_group for entry in found.entries] == ["after_a"] * 3 + [None, "mine"]


def test_gates_know_their_upstream() -> None:
    found = document(
        {"id": "up"},
        {
            "name": "n",
            "while": {"ref": "up", "op": "<", "value": 1},
            "delay": {"open": "1s", "close": {"duration": "2s", "snap_to": 0}},
        },
        {"name": "o", "while": {"ref": "p.host_load1", "op": ">", "value": 1}, "delay": {"close": "3s"}},
        {"id": "p", "pack": "host_cpu", "generator": None, "name": None},
    )
    assert found.entries[1].gate == Gate(ref="up", entry=0, op="<", value=1, open_s=1, close_s=2, snap_to=0)
    assert found.entries[2].gate is not None
    assert found.entries[found.entries[2].gate.entry].name == "host_load1"
    assert found.entries[2].gate.close_s == 3


def test_a_default_gate_does_not_hold_its_own_upstream() -> None:
    found = document({"id": "up"}, {"name": "n"}, **{"while": {"ref": "up", "op": "<", "value": 1}})
    assert [entry.gate is None for entry in found.entries] == [True, False]


LINK = {"op": "<", "value": 1}


@pytest.mark.parametrize(
    ("status", "entries", "word"),
    [
        (400, [{"after": {"ref": "no", **LINK}}], "'no'"),
        (400, [{"id": "a", "while": {"ref": "a", **LINK}}], "own"),
        (400, [{"id": "a", "after": {"ref": "b", **LINK}}, {"id": "b", "while": {"ref": "a", **LINK}}], "circle"),
        (400, [{"id": "a"}, {"id": "a"}], "another"),
        (400, [{"id": "p", "pack": "host_cpu"}, {"while": {"ref": "p", **LINK}}], "'p'"),
        (
            400,
            [
                {
                    "id": "l",
                    "signal_type": "summary",
                    "distribution": {"type": "uniform", "min": 0, "max": 1},
                    "generator": None,
                },
                {"while": {"ref": "l", **LINK}},
            ],
            "no metric",
        ),
        (422, [{"id": "a"}, {"while": {"ref": "a", "op": "=", "value": 1}}], "while.op"),
        (422, [{"id": "a"}, {"while": {"ref": "a", "op": "<"}}], "while.value"),
        (422, [{"id": "a"}, {"while": {"ref": "a", **LINK, "scenario_name": "x"}}], "not supported yet"),
        (
            422,
            [{"id": "a"}, {"while": {"ref": "a", **LINK}, "delay": {"close": {"snap_to": 1, "stale_marker": False}}}],
            "stale_marker",
        ),
        (422, [{"delay": {"open": "1s"}}], "'delay'"),
        (
            422,
            [
                {"id": "a", "clock_group": "x", "generator": SATURATION},
                {"after": {"ref": "a", "op": ">", "value": 50}, "clock_group": "y"},
            ],
            "clock_group",
        ),
        (422, [{"pack": "host_cpu", "overrides": {"nope": {}}}], "nope"),
        (422, [{"pack": "host_cpu", "overrides": {"host_load1": {"rate": 1}}}], "rate"),
    ],
)
def test_links_that_are_refused(status: int, entries: list[dict[str, Any]], word: str) -> None:
    with pytest.raises(Refused) as caught:
        document(*entries)
    assert (caught.value.status, word in caught.value.message) == (status, True), caught.value.message


@pytest.mark.parametrize("link", ["after", "while"])
def test_links_need_a_duration(link: str) -> None:
    with pytest.raises(Refused) as caught:
        document({"id": "up", "generator": SATURATION}, {link: {"ref": "up", "op": ">", "value": 50}}, duration=None)
    assert (caught.value.status, "'duration'" in caught.value.message) == (422, True)
