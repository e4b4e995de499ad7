"""Following a file of a machine for as long as a browser looks at it (contract: fleet console §32.1).

The agent follows what its configuration names all the time, since those lines are kept. So what a browser asked for is
taken back by naming it and then asking for all that is configured: no reader can stop what others rely on.
"""

from collections.abc import Callable

from config.api.errors import Invalid
from fleet.agents import calling
from fleet.live.handlers import Answer, Ask, asked

MOST_PATHS, MOST_PATH = 50, 512


@asked("log:subscribe")
def follow(ask: Ask) -> Answer:
    if not (paths := _paths(ask)):
        return Answer("")
    instance_id = ask.instance.pk
    calling.send(instance_id, "log:subscribe", {"paths": paths})
    return Answer("", name=_name(ask), undo=_leave(instance_id, paths))


@asked("log:unsubscribe")
def leave(ask: Ask) -> Answer:
    return Answer("", name=_name(ask))


def _name(ask: Ask) -> str:
    return f"logs of {ask.instance.pk}"


def _leave(instance_id: str, paths: list[str]) -> Callable[[], None]:
    def undo() -> None:
        calling.send(instance_id, "log:unsubscribe", {"paths": paths})
        calling.send(instance_id, "log:subscribe", {"paths": ["*"]})

    return undo


def _paths(ask: Ask) -> list[str]:
    """The paths that the message names; `*` means what is followed anyway. Raises Invalid for anything else."""
    given = ask.data.get("paths", [])
    if not isinstance(given, list) or len(given) > MOST_PATHS:
        raise Invalid(f"paths must be a list of at most {MOST_PATHS} paths")
    if not all(isinstance(path, str) and 0 < len(path) <= MOST_PATH for path in given):
        raise Invalid(f"a path must be text of 1 to {MOST_PATH} characters")
    return [path for path in given if path != "*"]
