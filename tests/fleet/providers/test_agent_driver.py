"""The driver `agent`: what it asks over the agent's connection, and what it makes of the answers."""

import asyncio

import pytest

from fleet.providers import agent as driving
from fleet.providers.agent import AgentDriver
from fleet.providers.base import DriverFailed
from tests.factories import make_key
from tests.fleet.providers.conftest import order

pytestmark = pytest.mark.django_db(transaction=True)
OPTIONS = {"unit": "app.service", "paths": ["/srv"], "to": "/backups"}


@pytest.fixture
def agent(connect, instance):
    return connect("/ws/agent", make_key(role="OPERATOR")[1], X_Instance_ID=instance.pk)


@pytest.fixture
def driver(machine, instance, monkeypatch):
    monkeypatch.setattr(driving, "FIRST_LOOK_S", 0.001)
    return AgentDriver(machine(instance_id=instance.pk, options=OPTIONS))


async def bound(socket):
    await socket.say("heartbeat", {})
    await socket.heard("heartbeat:pong", 30)


async def answer(socket, question, kind, **body):
    """Wait for a question and answer it; what was asked."""
    asked = (await socket.heard(question, 30))["payload"]
    await socket.say(kind, {"request_id": asked["request_id"], **body})
    return asked


async def test_a_service_is_stopped(agent, driver):
    assert driver.can == {"suspend", "resume", "backup"}
    async with agent as socket:
        await bound(socket)
        working = asyncio.create_task(asyncio.to_thread(driver.suspend))
        asked = await answer(socket, "service:control", "service:result", ok=True, message="")
        assert (asked["unit"], asked["action"]) == ("app.service", "stop")
        await working
        working = asyncio.create_task(asyncio.to_thread(driver.resume))
        await answer(socket, "service:control", "service:result", ok=False, message="Unit not found.")
        with pytest.raises(DriverFailed, match="could not start app.service: Unit not found."):
            await working


async def test_a_backup_is_looked_after_until_it_is_done(agent, driver):
    async with agent as socket:
        await bound(socket)
        working = asyncio.create_task(asyncio.to_thread(driver.backup, order("zstd")))
        asked = await answer(socket, "backup:start", "backup:state", state="running")
        assert asked.pop("request_id")
        assert asked == {
            "backup_id": "12345678-0000",
            "paths": ["/srv"],
            "to": "/backups",
            "file_name": "before-12345678.tar.zst",
            "compression": "zstd",
            "timeout_s": 20,
        }
        await answer(socket, "backup:look", "backup:state", state="running")
        done = {"state": "done", "place": "/backups/x", "size_bytes": 2**33, "sha256": "a" * 64, "message": ""}
        await answer(socket, "backup:look", "backup:state", **done)
        archive = await working
        assert (archive.place, archive.size_bytes, archive.sha256) == ("/backups/x", 2**33, "a" * 64)
        working = asyncio.create_task(asyncio.to_thread(driver.backup, order()))
        await answer(socket, "backup:start", "backup:state", state="done", place=5, size_bytes=-1, sha256=[])
        archive = await working
        assert (archive.place, archive.size_bytes, archive.sha256) == ("unknown", None, None)
        working = asyncio.create_task(asyncio.to_thread(driver.backup, order()))
        await answer(socket, "backup:start", "backup:state", state="failed", message="disk full")
        with pytest.raises(DriverFailed, match="could not make the backup: disk full"):
            await working


def test_an_agent_that_is_away(driver):
    with pytest.raises(DriverFailed, match="is not connected"):
        driver.suspend()
    with pytest.raises(DriverFailed, match="is not connected"):
        driver.backup(order())


def test_only_what_is_set_up_is_offered(machine):
    for options, can in (
        ({}, set()),
        ({"paths": ["/srv"]}, set()),
        ({"unit": "x"}, {"suspend", "resume"}),
        ({"paths": ["/srv"], "to": "https://store.example.org/x"}, {"backup"}),
    ):
        assert AgentDriver(machine(options=options)).can == can, options
