"""What an agent does with what the server says."""

import os
import socket
from collections.abc import Callable

import pytest

from tests.agent.console import Console, until


@pytest.fixture
def connected(console: Console, start: Callable) -> Console:
    start()
    console.wait_for("inventory")
    return console


def dispatch(kind: str, payload: dict, **more: str) -> dict:
    return {"protocol_version": "1.0", "type": kind, "payload": payload, **more}


def test_an_inventory_is_sent_on_request(connected: Console) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connected.send(dispatch("inventory:request", {}))
        until(lambda: any("ports" in report for report in connected.payloads("inventory")))
        report = next(report for report in connected.payloads("inventory") if "ports" in report)
        port = next(port for port in report["ports"] if port["port"] == listener.getsockname()[1])
    assert port["protocol"] == "tcp"
    assert port["address"] == "127.0.0.1"
    assert port["pid"] == os.getpid()
    assert report["hostname"] == socket.gethostname()
    assert len(report["processes"]) > 0
    assert "PATH" in report["env_names"]
    assert os.environ["PATH"] not in str(report)


def test_error_frames_are_logged_and_the_work_goes_on(connected: Console, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        error = {"code": "INVALID_PAYLOAD", "message": "cpu is not a number\nforged line"}
        connected.send({"channel": "metrics", "type": "error", "data": error})
    until(lambda: "INVALID_PAYLOAD" in caplog.text)
    connected.wait_for("metrics", len(connected.payloads("metrics")) + 3)
    assert caplog.text.count("the server reports INVALID_PAYLOAD: cpu is not a number?forged line") == 1
    assert len(connected.upgrades) == 1


UNEXPECTED = [
    "not json",
    "",
    "[]",
    "null",
    "3",
    b"\x00\xff",
    "[" * 100_000,
    '{"type": "error", "data": {"code": ' + "[" * 900 + "]" * 900 + "}}",
    {"type": "no:such:type", "payload": {}},
    {"type": {"a": 1}, "payload": []},
    {"type": "command:dispatch"},
    {"type": "command:dispatch", "payload": "x"},
    {"type": "command:dispatch", "payload": {"command_id": ["x" * 200_000]}},
    {"type": "terminal:create", "session_id": {"a": 1}},
    {"type": "terminal:input", "payload": {"session_id": "t", "data": "!"}},
    {"type": "log:subscribe", "payload": {"paths": ["*"]}},
    {"type": "error", "data": None},
    {"type": "error", "data": {"code": ["x"] * 1000, "message": {"a": 1}}},
]


def test_no_message_ends_the_connection(connected: Console) -> None:
    for number, message in enumerate(UNEXPECTED):
        connected.send(message)
        connected.send(dispatch("command:dispatch", {"command_id": f"after-{number}"}))
        until(lambda n=number: f"after-{n}" in {result["command_id"] for result in results(connected)})
    assert len(connected.upgrades) == 1


def results(console: Console) -> list[dict]:
    return console.payloads("command:result")
