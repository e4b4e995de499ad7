"""What a browser may ask on `/ws`, and how live events are told there: slices add their own parts to two tables.

A slice registers when its module is imported (`fleet/apps.py` does so when the product starts):

    @asked("command:exec", role=DEVELOPER)
    def execute(ask: Ask) -> Answer: ...

    @told("command")
    def result(event: Message) -> list[Message]: ...
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from config.api.authentication import Principal
from config.api.permissions import VIEWER
from fleet.instances.models import Instance

Message = dict[str, Any]


class Ask(NamedTuple):
    """One message of a browser about an instance that its caller may see, with the role that the handler needs there.

    `socket_id` is the same for all messages of one connection and for no other's.
    """

    principal: Principal
    instance: Instance
    channel: str
    type: str
    data: Message
    correlation_id: str | int | None
    socket_id: str


class Answer(NamedTuple):
    """What goes back at once, on the channel of the question; with an empty type nothing does.

    `hear` and `leave` are live topics whose events this connection tells from now on, or no more. `undo` is called
    once when the connection ends, or by a later answer of the same `name`.
    """

    type: str = "ack"
    data: Message = {"ok": True}
    hear: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    name: str = ""
    undo: Callable[[], None] | None = None


class Handler(NamedTuple):
    role: str
    act: Callable[[Ask], Answer | None]


HANDLERS: dict[str, Handler] = {}
TELLERS: dict[str, Callable[[Message], list[Message]]] = {}


def asked(*types: str, role: str = VIEWER) -> Callable:
    """Register a function for messages of these types. It runs in a thread, may use the database, and raises ApiError
    for what cannot be done; without an Answer nothing is sent back.

    `subscribe`, `log:subscribe` and their opposites are served already; a handler of theirs acts beside that.
    """

    def register(act: Callable[[Ask], Answer | None]) -> Callable[[Ask], Answer | None]:
        HANDLERS.update({type: Handler(role, act) for type in types})
        return act

    return register


def told(kind: str) -> Callable:
    """Register how a live event of that kind reads for a subscriber: messages of the console dialect, or none.

    It sees events of `instance:<id>` for those who subscribed to the instance, and of topics that an Answer named.
    Every event carries `instanceId` and `teamId`: who may not see that team's instances (any more) is told nothing.
    """

    def register(tell: Callable[[Message], list[Message]]) -> Callable[[Message], list[Message]]:
        TELLERS[kind] = tell
        return tell

    return register
