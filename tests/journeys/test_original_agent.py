"""The compatible product's own agent, unchanged, against the started product; then the same with bad frames."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.console import Console, wait_for
from tests.support.original_agent import OriginalAgent, nanoseconds

pytestmark = [pytest.mark.journey]


@pytest.fixture(scope="module")
def console(embedded_product):
    return Console(embedded_product.url, embedded_product.new_key("ADMIN"))


@pytest.fixture(scope="module")
def key(embedded_product):
    return embedded_product.new_key("OPERATOR")


def latest(console, name):
    """The instance of that name with its newest figures."""
    instance = console.get(f"/api/v1/instances?search={name}")["instances"][0]
    found = console.get(f"/api/v1/metrics/latest?instanceIds={instance['id']}")["metrics"]
    return instance, found[0] if found else {}


def until(console, name, cpu):
    return wait_for(f"{cpu} %", lambda: latest(console, name)[1].get("cpuPercent") == cpu, timeout_s=30)


def points(console, instance):
    return console.get(f"/api/v1/metrics/timeseries?instanceId={instance['id']}")["datapoints"]


def errors(agent, timeout=0.5):
    """The codes of the errors that came back."""
    codes = []
    while True:
        try:
            message = json.loads(agent.socket.recv(timeout=timeout))
        except TimeoutError:
            return codes
        if message["type"] == "error":
            codes.append(message["data"]["code"])


def test_it_registers_reports_and_shows_up(console, embedded_product, key):
    name = f"laptop-{time.time_ns()}"
    with OriginalAgent(embedded_product.url, key, name) as agent:
        agent.heartbeat()
        assert json.loads(agent.socket.recv(timeout=10))["type"] == "heartbeat:pong"
        agent.metrics(23.5)
        agent.event("extension:install", name="python")
        agent.log_batch("E: Unable to locate package", "done")
        agent.llm_usage()  # costs are not kept yet: nothing happens
        agent.terminal_output("4d3ff4c1-8a3f-4d42-9f1c-1f6f3a8e6a10", "$ ")  # of a session that is gone
        until(console, name, 23.5)
        instance, newest = latest(console, name)
        assert (instance["status"], instance["provider"], instance["online"]) == ("RUNNING", "docker", True)
        assert instance["agentVersion"] == "1.1.0"
        assert newest["diskTotal"] == "105089261568", "a device that is mounted twice counts once"
        events = console.get(f"/api/v1/instances/{instance['id']}/events")["events"]
        assert "EXTENSION_INSTALL" in [event["type"] for event in events]
        lines = wait_for("the lines", lambda: console.get(f"/api/v1/logs?instanceId={instance['id']}")["logs"])
        assert {(line["level"], line["message"]) for line in lines} == {
            ("WARN", "E: Unable to locate package"),
            ("WARN", "done"),
        }
        agent.metrics(24.5)
        until(console, name, 24.5)
        assert not {"HANDLER_ERROR", "PARSE_ERROR"} & set(errors(agent))
    with OriginalAgent(embedded_product.url, key, name) as agent:  # the host has restarted
        agent.metrics(25.5)
        until(console, name, 25.5)
    assert console.get(f"/api/v1/instances?search={name}")["total"] == 1


def test_bad_frames_harm_nobody(console, embedded_product, key):
    name, other = f"odd-{time.time_ns()}", f"other-{time.time_ns()}"
    with (
        OriginalAgent(embedded_product.url, key, other) as neighbour,
        OriginalAgent(embedded_product.url, key, name) as agent,
    ):
        neighbour.metrics(1.0)
        until(console, other, 1.0)
        agent.heartbeat()
        agent.heartbeat(instance_id=other)  # speaks for somebody else
        agent.metrics(50.0, instance_id=other)
        assert errors(agent) == ["FORBIDDEN", "FORBIDDEN"]

        at = nanoseconds()
        agent.metrics(10.0, timestamp=at)
        agent.metrics(99.0, timestamp=at)  # a repetition: the first one counts
        earlier = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
        agent.metrics(5.0, timestamp=earlier)  # late, yet no older than what is shown
        agent.metrics(11.0, timestamp="2031-01-01T00:00:00Z")  # a clock ten years ahead
        until(console, name, 11.0)
        instance, newest = latest(console, name)
        ahead = datetime.fromisoformat(newest["timestamp"]) - datetime.now(UTC)
        assert timedelta(minutes=8) < ahead <= timedelta(minutes=10)
        assert [point["cpuPercent"] for point in points(console, instance)][:2] == [5.0, 10.0]

        for payload in ('{"cpu":{"usage_percent":NaN}}', '{"cpu":{"usage_percent":1e999}}', "[" * 100_000):
            agent.socket.send('{"protocol_version":"","type":"metrics","payload":' + payload + "}")
        agent.metrics(101.0)
        agent.metrics(-1.0)
        agent.metrics(1.0, memory={"total_bytes": 2**64, "used_bytes": -5})
        agent.metrics(1.0, network={"bytes_sent": "9" * 300})
        agent.metrics(1.0, timestamp="yesterday")
        agent.send("metrics", {})
        agent.send("no:such:type", {})
        agent.event("x" * 100_000)
        agent.event("deploy", **{f"k{number}": "v" * 100 for number in range(1000)})
        agent.socket.send(b"\x00\xff\xfe")
        told = errors(agent, timeout=1)
        assert told.count("HANDLER_ERROR") == 0
        assert told.count("INVALID_PAYLOAD") + told.count("PARSE_ERROR") >= 11

        began = time.monotonic()
        for number in range(400):  # a flood is read no faster than 200 a second
            agent.metrics(30.0, timestamp=(datetime.now(UTC) - timedelta(seconds=60 + number)).isoformat())
        agent.heartbeat()
        agent.socket.recv(timeout=10)
        assert time.monotonic() - began > 0.9
        neighbour.metrics(2.0)
        until(console, other, 2.0)
        wait_for("the flood to be stored", lambda: len(points(console, instance)) >= 400, timeout_s=30)

    with OriginalAgent(embedded_product.url, key, name) as agent:
        agent.socket.send("x" * (1024 * 1024 + 1))
        with pytest.raises(Exception, match="1009|too big|message"):
            agent.socket.recv(timeout=5)


def test_a_key_of_one_instance_opens_no_other(console, embedded_product, key):
    name = f"mine-{time.time_ns()}"
    with OriginalAgent(embedded_product.url, key, name) as agent:
        agent.heartbeat()
        agent.socket.recv(timeout=5)
    instance, _ = latest(console, name)
    made = console.post("/api/v1/me/api-keys", {"name": "agent", "instance_id": instance["id"]}, expect=201)
    other = f"yours-{time.time_ns()}"
    console.post("/api/v1/instances", {"name": other, "provider": "docker"}, expect=201)
    with OriginalAgent(embedded_product.url, made["key"], name) as agent:
        agent.heartbeat()
        assert json.loads(agent.socket.recv(timeout=5))["type"] == "heartbeat:pong"
    stranger = OriginalAgent(embedded_product.url, made["key"], name)
    with stranger as agent:
        stranger.instance_id = other
        agent.heartbeat()
        with pytest.raises(Exception, match="1008|Unknown instance"):
            agent.socket.recv(timeout=5)
