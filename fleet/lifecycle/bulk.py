"""One action on many instances; what fails for one does not touch the others (contract: fleet console §5.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.api.authentication import Principal
from config.api.errors import ApiError
from config.api.permissions import OPERATOR, require
from fleet.instances.models import Instance
from fleet.lifecycle import running, services
from fleet.providers.base import DESTROY


@dataclass(frozen=True)
class Result:
    """What came of it for one instance: `error` is a sentence, None when it went well."""

    id: str
    name: str | None = None
    error: str | None = None
    status: str | None = None


def act_on_all(
    *, ids: Sequence[str], action: str, actor: Principal, request: Any = None, backup_first: bool = False
) -> list[Result]:
    """Suspend, resume or destroy each, with the caller's rights on each; results in the order of `ids`."""
    wanted = list(dict.fromkeys(ids))
    found = Instance.objects.visible_to(actor).in_bulk([one for one in wanted if "\x00" not in one])
    results, started = dict[str, Result](), dict[str, running.Running]()
    for one in wanted:
        instance = found.get(one)
        if instance is None:
            results[one] = Result(one, error="Instance not found")
            continue
        try:
            require(actor, OPERATOR, team_id=instance.team_id)
            if action == DESTROY and backup_first:
                services.destroy(instance=instance, actor=actor, request=request, backup_first=True)
                results[one] = Result(one, instance.name, status=instance.status)
            else:
                started[one] = running.start(instance=instance, action=action, actor=actor)
        except ApiError as error:
            results[one] = Result(one, instance.name, error.message)
    running.attempt(list(started.values()))
    for one, begun in started.items():
        name = begun.operation.instance.name
        try:
            instance = running.finish(begun, actor=actor, request=request)
            results[one] = Result(one, name, status=instance.status)
        except ApiError as error:
            results[one] = Result(one, name, error.message)
    return [results[one] for one in wanted]
