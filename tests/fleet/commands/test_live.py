"""Output as it comes, calling off, and what subscribers of the instance are told."""

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fleet.commands import dispatch, recording, upkeep
from fleet.commands.models import Execution, Output
from tests.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch):
    monkeypatch.setattr("fleet.commands.tasks.send.delay", lambda key: None)


async def begun(developer, instance, agent):
    """A command that its agent has taken, and what the agent got."""
    shown = (await developer.post("?async=true", {"instanceId": instance.pk, "command": "tail"})).json()
    await dispatch.send(shown["batchId"])
    return shown, await agent.taken()


async def events(answer, count):
    """The next events of a stream, as (id, name, body)."""
    found, chunks = [], answer.streaming_content
    while len(found) < count:
        text = (await asyncio.wait_for(anext(chunks), 30)).decode()
        for block in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and line)
            if fields:
                found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


async def test_output_streams_and_resumes(person, agent_of, instance):
    developer = await person()
    async with agent_of(instance) as agent:
        shown, command = await begun(developer, instance, agent)
        stream = await developer.get(f"/{shown['id']}/stream")
        await agent.print(command, "one\n", sequence=0)
        [(first, name, body)] = await events(stream, 1)
        assert (name, body["stream"], body["data"], body["sequence"]) == ("output", "stdout", "one\n", 0)
        await agent.print(command, "oh\n", stream="stderr", sequence=1)
        await agent.print(command, "oh\n", stream="stderr", sequence=1)  # sent again, stored once
        await agent.end(command, streamed=True, sequence=2)
        assert await agent.told("command:received") == {"command_id": command["command_id"], "sequence": 2}
        [(_, _, error), (_, last, result)] = await events(stream, 2)
        assert (error["stream"], error["data"], last, result["status"]) == ("stderr", "oh\n", "result", "SUCCEEDED")
        resumed = await developer.get(f"/{shown['id']}/stream", **{"Last-Event-ID": first})
        assert [name for _, name, _ in await events(resumed, 2)] == ["output", "result"]
    whole = (await developer.get(f"/{shown['id']}")).json()
    assert (whole["stdout"], whole["stderr"]) == ("one\n", "oh\n")


async def test_output_has_a_limit_that_is_told(person, agent_of, instance, monkeypatch):
    monkeypatch.setattr(recording, "MOST_BYTES", 10)
    developer = await person()
    async with agent_of(instance) as agent:
        shown, command = await begun(developer, instance, agent)
        await agent.print(command, "12345678", sequence=0)
        await agent.print(command, "9äöü", sequence=1)
        await agent.print(command, "more", sequence=2)
        await agent.end(command, streamed=True)
        await dispatch.until_over(shown["batchId"], most_s=10)
    whole = (await developer.get(f"/{shown['id']}")).json()
    assert (whole["stdout"], whole["outputTruncated"]) == ("123456789", True)


async def test_a_running_command_is_cancelled(person, agent_of, instance):
    developer = await person()
    async with agent_of(instance) as agent:
        shown, command = await begun(developer, instance, agent)
        answer = await developer.post(f"/{shown['id']}/cancel")
        assert (answer.status_code, answer.json()["cancelledBy"]) == (200, developer.user.label)
        assert await agent.told("command:cancel") == {"command_id": command["command_id"]}
        assert (await developer.post(f"/{shown['id']}/cancel")).status_code == 409
        await agent.end(command, exit_code=143, cancelled=True, streamed=True)
        await dispatch.until_over(shown["batchId"], most_s=10)
    row = await Execution.objects.aget()
    assert (row.status, row.fault, row.exit_code) == ("FAILED", f"Cancelled by {developer.user.label}", None)


async def test_a_silent_agent_cannot_keep_a_cancelled_command_open(person, agent_of, instance):
    developer = await person()
    async with agent_of(instance) as agent:
        shown, _ = await begun(developer, instance, agent)
        await developer.post(f"/{shown['id']}/cancel")
    await sync_to_async(upkeep.tend)(timezone.now() + timedelta(seconds=6))
    row = await Execution.objects.aget()
    assert (row.status, row.fault.endswith("has not confirmed it")) == ("FAILED", True)


async def test_what_waits_is_cancelled_at_once(person, instance):
    developer = await person()
    key = (await developer.post("?async=true", {"instanceId": instance.pk, "command": "ls"})).json()["id"]
    answer = await developer.post(f"/{key}/cancel")
    assert (answer.json()["status"], answer.json()["exitCode"]) == ("FAILED", None)


async def test_an_agent_cannot_speak_of_anothers_command(person, agent_of, instance, settings):
    from tests.fleet.conftest import make_instance

    developer, other = await person(), await sync_to_async(make_instance)(name="web-2")
    async with agent_of(instance) as agent, agent_of(other) as thief:
        shown, command = await begun(developer, instance, agent)
        await thief.print(command, "false", sequence=0)
        await thief.end(command, sequence=1)
        await thief.told("command:received")
        for bad in ({}, {"command_id": "x"}, {"command_id": command["command_id"], "exit_code": "0"}):
            await thief.say("command:result", bad)
            assert (await thief.refused())["code"] == "INVALID_PAYLOAD"
        await thief.say(
            "command:output", {"command_id": command["command_id"], "stream": "x", "sequence": 0, "data": ""}
        )
        assert (await thief.refused())["code"] == "INVALID_PAYLOAD"
    assert (await Execution.objects.aget(pk=shown["id"])).status == "RUNNING"
    assert not await Output.objects.aexists()


async def test_browsers_run_commands_and_hear_results(connect, agent_of, instance, monkeypatch):
    sent = []
    monkeypatch.setattr("fleet.commands.tasks.send.delay", sent.append)
    _, key = await sync_to_async(make_key)(role="DEVELOPER")
    async with agent_of(instance) as agent, connect("/ws", key) as browser:
        await browser.tell("system", "subscribe", {}, instanceId=instance.pk)
        await browser.heard("ack", 30)
        body = {"command": "uptime", "args": ["-p"], "timeout": 2000}
        await browser.tell("commands", "command:exec", body, instanceId=instance.pk, correlationId="c1")
        ack = await browser.heard("ack", 30)
        assert (ack["correlationId"], ack["data"]["status"]) == ("c1", "PENDING")
        await dispatch.send(sent[0])
        command = await agent.taken()
        assert (command["command"], command["args"], command["timeout_ms"]) == ("uptime", ["-p"], 2000)
        await agent.end(command, stdout="up 3 hours")
        result = await browser.heard("command:result", 30)
        assert (result["channel"], result["instanceId"], result["data"]["stdout"], result["data"]["exitCode"]) == (
            "commands", instance.pk, "up 3 hours", 0,
        )  # fmt: skip
        await browser.tell("commands", "command:exec", {"command": ""}, instanceId=instance.pk)
        assert (await browser.heard("error", 30))["data"]["code"] == "INVALID_PAYLOAD"


async def test_old_commands_are_forgotten_with_their_output(person, agent_of, instance, settings):
    developer = await person()
    async with agent_of(instance) as agent:
        shown, command = await begun(developer, instance, agent)
        await agent.print(command, "x")
    forget = sync_to_async(upkeep.forget)
    assert await forget(timezone.now() + timedelta(days=29)) == 0
    assert await forget(timezone.now() + timedelta(days=31)) == 1
    assert not await Execution.objects.aexists() and not await Output.objects.aexists()
