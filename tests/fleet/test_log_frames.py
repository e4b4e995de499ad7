"""Log lines that agents send over their socket (contract: fleet console §31.3, §31.4)."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from fleet.logs import queries, services
from fleet.logs.queries import Filters
from security.keys.services import shared_agent
from tests.factories import make_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract, pytest.mark.asyncio]


@pytest.fixture
def operator():
    return make_key(role="OPERATOR")[1]


@sync_to_async
def stored():
    found = queries.page(Filters(), shared_agent(), offset=0, limit=100).entries
    return sorted((line.level.name, line.source.name, line.message[:10], line.metadata) for line in found)


async def test_lines_of_both_dialects_are_stored(connect, operator, instance):
    line = {"level": "warning", "line": "slow\n", "source": "app:web", "path": "/var/log/web.log"}
    batch = ["plain", {"level": "err", "message": "broken", "source": "cron"}, ""]
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("log:line", line)
        await agent.tell("logs", "log:batch", {"path": "/var/log/syslog", "lines": batch})
        await agent.say("log:line", {"message": "x" * 20_000 + "\x00", "ts": "2001-01-01T00:00:00Z"})
        await agent.say("heartbeat", {})
        await agent.heard("heartbeat:pong")
        await asyncio.to_thread(services.flush)
    assert await stored() == [
        ("ERROR", "SYSTEM", "broken", {"path": "/var/log/syslog", "source": "cron"}),
        ("INFO", "AGENT", "plain", {"path": "/var/log/syslog"}),
        ("INFO", "AGENT", "xxxxxxxxxx", None),
        ("WARN", "APP", "slow", {"path": "/var/log/web.log", "source": "app:web"}),
    ]


async def test_lines_for_another_instance_are_refused(connect, operator, instance):
    async with connect("/ws/agent", operator, X_Instance_ID=instance.pk) as agent:
        await agent.say("log:line", {"message": "x", "instance_id": "somebody else"})
        assert (await agent.heard("error"))["data"]["code"] == "FORBIDDEN"
        await asyncio.to_thread(services.flush)
    assert await stored() == []
