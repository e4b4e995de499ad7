"""POST /api/v1/commands/bulk and /script (contract: fleet console §12)."""

import base64

import pytest
from asgiref.sync import sync_to_async

from fleet.commands.models import Execution
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


async def test_each_instance_has_its_own_result(person, agent_of, instance):
    operator = await person("OPERATOR")
    away = await sync_to_async(make_instance)(name="web-2")
    body = {"instanceIds": [instance.pk, away.pk, instance.pk], "command": "uptime"}
    async with agent_of(instance) as agent:
        answering = operator.starts("/bulk", body)
        await agent.end(await agent.taken(), stdout="up")
        answer = await answering
    assert answer.status_code == 207
    good, bad = answer.json()["results"]
    assert (good["instanceId"], good["success"], good["execution"]["stdout"]) == (instance.pk, True, "up")
    assert (bad["instanceId"], bad["success"]) == (away.pk, False)
    assert bad["error"] == f"Agent for instance '{away.pk}' is not connected"
    assert good["execution"]["batchId"] == bad["execution"]["batchId"]


async def test_results_come_in_the_order_of_the_request(person):
    operator = await person("OPERATOR")
    asked = [(await sync_to_async(make_instance)(name=f"web-{number}")).pk for number in range(8)][::-1]
    answer = await operator.post("/bulk", {"instanceIds": asked, "command": "uptime"})
    assert [result["instanceId"] for result in answer.json()["results"]] == asked


async def test_output_that_came_in_pieces_is_whole(person, agent_of, instance):
    operator = await person("OPERATOR")
    for pieces in (["a", "b", "c\n"], ["a" * 10_000, "b" * 10_000, "c"]):
        async with agent_of(instance) as agent:
            answering = operator.starts("/bulk", {"instanceIds": [instance.pk], "command": "make"})
            command = await agent.taken()
            for sequence, text in enumerate(pieces):
                await agent.print(command, text, sequence=sequence)
            await agent.end(command)
            [result] = (await answering).json()["results"]
        assert (result["execution"]["stdout"], result["execution"]["outputTruncated"]) == ("".join(pieces), False)
    long, short = (await operator.get("/history")).json()["executions"]
    assert (short["stdout"], short["outputTruncated"]) == ("abc\n", False)
    assert (len(long["stdout"]), long["outputTruncated"]) == (20_000, True)


async def test_one_unknown_instance_refuses_all_before_anything_runs(person, agent_of, instance):
    operator = await person("OPERATOR")
    hidden = await sync_to_async(make_instance)(name="web-2", team=await sync_to_async(make_team)())
    body = {"instanceIds": [instance.pk, hidden.pk, "nothing"], "command": "ls"}
    answer = await operator.post("/bulk", body)
    assert answer.status_code == 404
    assert answer.json()["message"] == f"Instances '{hidden.pk}', 'nothing' not found"
    script = {"instanceIds": ["nothing"], "script": "id"}
    assert (await operator.post("/script", script)).status_code == 404
    assert not await Execution.objects.aexists()


async def test_bulk_needs_an_operator_on_every_instance(person, instance):
    team = await sync_to_async(make_team)()
    theirs = await sync_to_async(make_instance)(name="web-2", team=team)
    body = {"instanceIds": [theirs.pk, instance.pk], "command": "ls"}
    assert (await (await person("DEVELOPER")).post("/bulk", body)).status_code == 403
    raised = await person("DEVELOPER", teams={team: "OPERATOR"})
    assert (await raised.post("/bulk", body)).status_code == 403
    assert (await raised.post("/bulk", body | {"instanceIds": [theirs.pk]})).status_code == 207
    assert await Execution.objects.acount() == 1


async def test_a_script_is_piped_into_its_interpreter(person, agent_of, instance):
    developer = await person()
    text = "echo $((1 + 1))\nexit 3\n"
    body = {"instanceIds": [instance.pk], "script": text, "interpreter": "/usr/bin/env bash", "timeoutMs": 5000}
    async with agent_of(instance) as agent:
        answering = developer.starts("/script", body)
        command = await agent.taken()
        await agent.end(command, exit_code=3)
        answer = await answering
    assert (command["command"], command["args"][0]) == ("/bin/sh", "-c")
    assert command["args"][2:] == ["sh", "/usr/bin/env", "bash"]
    [variable] = command["env"]
    assert base64.b64decode(variable.removeprefix("SINDRI_SCRIPT_B64=")).decode() == text
    [result] = answer.json()["results"]
    assert result["success"] is True
    shown = result["execution"]
    assert (shown["hasScript"], shown["command"], shown["args"], shown["env"]) == (True, "/usr/bin/env", ["bash"], {})
    assert (shown["status"], shown["exitCode"], shown["timeoutMs"]) == ("FAILED", 3, 5000)
    row = await Execution.objects.select_related("batch").aget()
    assert "echo" not in str(row.batch.__dict__)


async def test_bad_bulks_and_scripts(person, instance):
    operator = await person("OPERATOR")
    many = [f"i{n}" for n in range(51)]
    for path, body, status in (
        ("/bulk", {"instanceIds": many, "command": "ls"}, 422),
        ("/bulk", {"instanceIds": [], "command": "ls"}, 422),
        ("/bulk", {"instanceId": instance.pk, "command": "ls"}, 422),
        ("/script", {"instanceIds": [instance.pk], "script": ""}, 422),
        ("/script", {"instanceIds": [instance.pk], "script": "x" * 65_537}, 422),
        ("/script", {"instanceIds": [instance.pk], "script": "x" * 65_536}, 413),
        ("/script", {"instanceIds": [instance.pk], "script": "x", "interpreter": "'"}, 422),
        ("/script", {"instanceIds": [instance.pk], "script": "x", "interpreter": " "}, 422),
    ):
        answer = await operator.post(path, body)
        assert answer.status_code == status, (path, answer.content)
    assert not await Execution.objects.aexists()
