"""POST /api/v1/commands (contract: fleet console §12)."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from fleet.commands import dispatch, upkeep
from fleet.commands.models import Execution
from security.audit.models import AuditEntry
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


async def test_a_command_runs_and_its_result_comes_back(person, agent_of, instance):
    developer = await person()
    body = {
        "instanceId": instance.pk, "command": "ls", "args": ["-l", ""], "workingDir": "/srv", "timeoutMs": 2000,
        "env": {"LANG": "C", "API_TOKEN": "hush-hush"},
    }  # fmt: skip
    async with agent_of(instance) as agent:
        answering = developer.starts("", body)
        command = await agent.taken()
        assert command | {"command_id": ""} == {
            "command_id": "", "command": "ls", "args": ["-l", ""], "env": ["LANG=C", "API_TOKEN=hush-hush"],
            "timeout_ms": 2000, "working_dir": "/srv",
        }  # fmt: skip
        await agent.end(command, stdout="a\x00b\n", stderr="careful", exit_code=0, duration_ms=12)
        answer = await answering
    assert answer.status_code == 201, answer.content
    execution = answer.json()
    assert execution | {"createdAt": "", "completedAt": ""} == {
        "id": execution["id"], "instanceId": instance.pk, "userId": developer.user.pk, "command": "ls",
        "args": ["-l", ""], "env": {"LANG": "C", "API_TOKEN": "********"}, "workingDir": "/srv", "timeoutMs": 2000,
        "status": "SUCCEEDED", "exitCode": 0, "stdout": "a\ufffdb\n", "stderr": "careful", "durationMs": 12,
        "correlationId": command["command_id"], "hasScript": False, "createdAt": "", "completedAt": "",
        "outputTruncated": False, "batchId": execution["batchId"], "cancelledBy": None, "approval": None,
    }  # fmt: skip
    assert execution["createdAt"] <= execution["completedAt"]
    assert (await developer.get(f"/{execution['id']}")).json() == execution
    entry = await AuditEntry.objects.aget(action="EXECUTE")
    assert (entry.resource, entry.resource_id, entry.user_id) == ("command", execution["batchId"], developer.user.pk)
    assert "hush-hush" not in str(entry.metadata)
    row = await Execution.objects.select_related("batch").aget()
    assert "hush-hush" not in str(row.batch.__dict__)


async def test_a_failing_command_is_a_result_too(person, agent_of, instance):
    developer = await person()
    async with agent_of(instance) as agent:
        answering = developer.starts("", {"instanceId": instance.pk, "command": "false"})
        command = await agent.taken()
        # The other dialect's names.
        said = {"correlationId": command["command_id"], "exitCode": 3, "durationMs": 1, "stdout": "", "stderr": "no"}
        await agent.say("command:result", said)
        answer = await answering
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["exitCode"], answer.json()["stderr"]) == ("FAILED", 3, "no")


async def test_without_an_agent_it_fails_at_once(person, instance):
    developer = await person()
    answer = await developer.post("", {"instanceId": instance.pk, "command": "ls"})
    sentence = f"Agent for instance '{instance.pk}' is not connected"
    assert answer.status_code == 502
    assert answer.json() == {"error": "Command Failed", "message": sentence, "statusCode": 502}
    [listed] = (await developer.get("/history")).json()["executions"]
    assert (listed["status"], listed["stderr"], listed["exitCode"]) == ("FAILED", sentence, None)
    assert answer["Location"] == f"/api/v1/commands/{listed['id']}"


async def test_a_silent_agent_ends_in_a_timeout(person, agent_of, instance, monkeypatch):
    monkeypatch.setattr(dispatch, "ANSWER_WITHIN", timedelta(seconds=-0.9))
    monkeypatch.setattr("fleet.commands.api.starting.ANSWER_MARGIN_S", -0.8)
    developer = await person()
    async with agent_of(instance) as agent:
        answering = developer.starts("", {"instanceId": instance.pk, "command": "ls", "timeoutMs": 1000})
        command = await agent.taken()
        answer = await answering
        assert answer.status_code == 502
        assert answer.json()["message"] == "The agent sent no result within 1 s"
        await agent.end(command, stdout="late")  # changes nothing any more
        assert await agent._socket.receive_nothing(0.1)
    [listed] = (await developer.get("/history?status=TIMEOUT")).json()["executions"]
    assert (listed["status"], listed["stdout"]) == ("TIMEOUT", "")


async def test_an_agent_that_stops_a_slow_command_says_so(person, agent_of, instance):
    developer = await person()
    async with agent_of(instance) as agent:
        answering = developer.starts("", {"instanceId": instance.pk, "command": "sleep", "timeoutMs": 1000})
        await agent.end(await agent.taken(), stdout="some", exit_code=-9, timed_out=True, duration_ms=1003)
        answer = await answering
    assert answer.status_code == 502
    row = await Execution.objects.aget()
    assert (row.status, row.exit_code, row.fault) == (
        "TIMEOUT", None, "The command did not end within 1 s and was stopped",
    )  # fmt: skip


async def test_async_answers_at_once(person, agent_of, instance, monkeypatch):
    sent = []
    monkeypatch.setattr("fleet.commands.tasks.send.delay", sent.append)
    developer = await person()
    answer = await developer.post("?async=true", {"instanceId": instance.pk, "command": "ls"})
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["stdout"]) == ("PENDING", None)
    assert sent == [answer.json()["batchId"]]
    async with agent_of(instance) as agent:
        await dispatch.send(sent[0])
        await dispatch.send(sent[0])  # twice is once
        await agent.end(await agent.taken(), stdout="x")
        await dispatch.until_over(sent[0], most_s=4)
        assert await agent._socket.receive_nothing(0.05)
    assert (await developer.get(f"/{answer.json()['id']}")).json()["status"] == "SUCCEEDED"


async def test_what_a_dead_process_left_is_settled_by_the_tick(person, agent_of, instance, monkeypatch):
    monkeypatch.setattr("fleet.commands.tasks.send.delay", lambda key: None)
    developer, now = await person(), timezone.now()
    first = (await developer.post("?async=true", {"instanceId": instance.pk, "command": "ls"})).json()["id"]
    tend = sync_to_async(upkeep.tend, thread_sensitive=False)
    async with agent_of(instance) as agent:
        await tend(now + timedelta(seconds=10))  # it was never sent: now it is
        await agent.taken()
        assert (await Execution.objects.aget(pk=first)).status == "RUNNING"
        await tend(now + timedelta(seconds=10 + 30 + 6))  # no result ever came
    assert (await Execution.objects.aget(pk=first)).status == "TIMEOUT"
    second = (await developer.post("?async=true", {"instanceId": instance.pk, "command": "ls"})).json()["id"]
    await tend(now + timedelta(seconds=120))  # too late to run it now
    row = await Execution.objects.aget(pk=second)
    assert (row.status, row.fault) == ("FAILED", "The command could not be sent in time")


BAD = [
    ({"command": "ls"}, "instanceId"),
    ({"command": ""}, "command"),
    ({"command": "  "}, "command"),
    ({"command": "x" * 4097}, "command"),
    ({"command": "a\x00b"}, "command"),
    ({"command": 5}, "command"),
    ({"command": "ls", "args": "-l"}, "args"),
    ({"command": "ls", "args": ["x" * 1025]}, "args.0"),
    ({"command": "ls", "args": ["x"] * 65}, "args"),
    ({"command": "ls", "env": {"A=B": "x"}}, "env"),
    ({"command": "ls", "env": {"A" * 257: "x"}}, "env"),
    ({"command": "ls", "env": {"A": "x" * 4097}}, "env.A"),
    ({"command": "ls", "env": {"A": 1}}, "env.A"),
    ({"command": "ls", "workingDir": "x" * 513}, "workingDir"),
    ({"command": "ls", "timeoutMs": 999}, "timeoutMs"),
    ({"command": "ls", "timeoutMs": 300_001}, "timeoutMs"),
    ({"command": "ls", "timeoutMs": "5000"}, "timeoutMs"),
]


async def test_bad_input_is_told_by_field_and_runs_nothing(person, instance):
    developer = await person()
    for body, field in BAD:
        given = body if field == "instanceId" else {"instanceId": instance.pk, **body}
        answer = await developer.post("", given)
        assert (answer.status_code, answer.json()["error"]) == (422, "Validation Error"), body
        assert list(answer.json()["details"]["fieldErrors"]) == [field], body
    for raw, status in (("[]", 422), ("nonsense", 400), ('{"instanceId":"x","command":"ls"}', 404)):
        answer = await developer.post("", raw)
        assert answer.status_code == status, raw
    half = f'{{"instanceId":"{instance.pk}","command":"\\ud800"}}'
    assert (await developer.post("", half)).status_code == 422
    too_large = {"instanceId": instance.pk, "command": "x", "args": ["y" * 1000] * 62}
    assert (await developer.post("", too_large)).status_code == 413
    assert not await Execution.objects.aexists()


async def test_teams_and_roles(person, agent_of, instance):
    theirs = await sync_to_async(make_team)()
    hidden = await sync_to_async(make_instance)(name="hidden", team=theirs)
    viewer = await person("VIEWER", teams={theirs: "DEVELOPER"})
    stranger = await person("OPERATOR")
    answer = await stranger.post("", {"instanceId": hidden.pk, "command": "ls"})
    assert (answer.status_code, answer.json()["message"]) == (404, f"Instance '{hidden.pk}' not found")
    assert (await viewer.post("", {"instanceId": instance.pk, "command": "ls"})).status_code == 403
    async with agent_of(hidden) as agent:
        answering = viewer.starts("", {"instanceId": hidden.pk, "command": "ls"})
        await agent.end(await agent.taken())
        answer = await answering
    assert answer.status_code == 201  # the team raises the viewer
    key = answer.json()["id"]
    for path in (f"/{key}", f"/{key}/stream", f"/history?instanceId={hidden.pk}"):
        assert (await stranger.get(path)).status_code == 404, path
    assert (await stranger.post(f"/{key}/cancel")).status_code == 404
    assert (await stranger.get("/history")).json()["total"] == 0
    assert (await stranger.get(f"/history?instanceId={'x' * 129}")).status_code == 400
    assert (await viewer.get("/history")).json()["total"] == 1
    assert (await (await person("VIEWER")).post("", {})).status_code == 403


async def test_the_shared_agent_key_runs_nothing(caller, instance, settings):
    settings.AGENT_KEY = "a-shared-key-of-agents"
    answer = await caller("a-shared-key-of-agents").post("", {"instanceId": instance.pk, "command": "ls"})
    assert (answer.status_code, answer.json()["message"]) == (403, "An agent's key cannot run commands")


async def test_many_wait_at_once_without_holding_a_thread_each(person, agent_of, instance):
    developer = await person()
    async with agent_of(instance) as agent:
        body = {"instanceId": instance.pk, "command": "ls"}
        waiting = [developer.starts("", body) for _ in range(12)]  # more than there are threads for queries
        commands = [await agent.taken() for _ in waiting]
        assert not any(task.done() for task in waiting)
        for command in commands:
            await agent.end(command)
        answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {201}
