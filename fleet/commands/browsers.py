"""Commands on the browsers' socket (contract: fleet console §32.1, §32.2)."""

from typing import Any

from config.api.errors import Invalid
from config.api.permissions import DEVELOPER
from fleet.agents.frames import console
from fleet.commands import bodies, services, tasks
from fleet.commands.models import Approval
from fleet.live.handlers import Answer, Ask, asked, told


@asked("command:exec", role=DEVELOPER)
def execute(ask: Ask) -> Answer:
    """Run a command on the instance; its result goes to all who subscribed to the instance. `timeout` is in ms."""
    given = {name: value for name, value in ask.data.items() if value is not None}
    if "timeout" in given:
        given["timeoutMs"] = given.pop("timeout")
    form = bodies.Asked(data=given)
    if not form.is_valid():
        raise Invalid("The command breaks a rule: " + ", ".join(map(str, form.errors)))
    instances = services.targets(instance_ids=[ask.instance.pk], principal=ask.principal)
    batch = services.ask(spec=form.spec(), instances=instances, actor=ask.principal)
    execution = batch.executions.get()
    if batch.approval != Approval.WAITING:
        tasks.send.delay(batch.pk)
    facts = {"ok": True, "executionId": execution.pk, "commandId": str(execution.correlation_id)}
    return Answer(data={**facts, "status": execution.status, "approval": batch.approval or None})


@told("command")
def result(event: dict[str, Any]) -> list[dict[str, Any]]:
    """How a command ended."""
    if event["what"] != "finished":
        return []
    return [console("commands", "command:result", event["instanceId"], event["result"])]
