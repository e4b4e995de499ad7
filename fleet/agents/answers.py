"""What is done with frames that agents answer with. Slices enter their types when the app starts."""

from collections.abc import Awaitable, Callable
from typing import Any

from config import live

# Takes our id of the instance and the frame's body. A plain function runs in a thread of the database's; an async one
# on the loop. An agent's frames are taken one after the other, so a slow one slows down its own agent only. It may
# raise ApiError, which goes back to the agent.
Answered = Callable[[str, dict[str, Any]], Any | Awaitable[Any]]

_answered: dict[str, Answered] = {}


def on(type: str, function: Answered) -> None:
    """Call `function` with each frame of this type (of the agent dialect)."""
    _answered[type] = function


def function_for(type: str) -> Answered | None:
    return _answered.get(type)


def relayed(type: str) -> Answered:
    """A function for `on` that hands the frame to whoever waits for it in `calling.ask`."""

    def relay(instance_id: str, body: dict[str, Any]) -> None:
        if isinstance(request_id := body.get("request_id"), str):
            event = {"kind": type, "instanceId": instance_id, "body": body}
            live.publish(topic(request_id[:64]), event)

    return relay


def topic(request_id: str) -> str:
    """Where the answer to a question is told."""
    return f"answer:{request_id}"
