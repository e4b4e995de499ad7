"""The machine itself, through its agent: a service is stopped and started, folders are packed."""

import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from config.api.errors import ApiError
from fleet.agents import calling
from fleet.providers.base import ACTION_TIMEOUT_S, BACKUP, RESUME, SUSPEND, Archive, Driver, DriverFailed, Order

ASK_S = 10.0
FIRST_LOOK_S, LOOK_S = 0.2, 3.0
AWAY_S = 120.0  # that an agent may be gone while its backup goes on
SERVICE, SERVICE_ANSWER = "service:control", "service:result"
START, LOOK, BACKUP_ANSWER = "backup:start", "backup:look", "backup:state"

AbsolutePath = Annotated[str, Meta(min_length=1, max_length=1024, pattern=r"^/[^\x00]*\Z")]


class AgentOptions(msgspec.Struct, forbid_unknown_fields=True):
    """`unit` is a systemd unit; `paths` are packed into a file in the folder `to`, or sent by PUT to the URL `to`."""

    unit: Annotated[str, Meta(max_length=256, pattern=r"^([A-Za-z0-9][A-Za-z0-9:_.@\\-]*)?\Z")] = ""
    paths: Annotated[list[AbsolutePath], Meta(max_length=64)] = []
    to: Annotated[str, Meta(max_length=2048, pattern=r"^((/|https?://)[^\x00\s]*)?\Z")] = ""


class AgentDriver(Driver):
    name, title = "agent", "The agent"
    Options = AgentOptions

    @property
    def lacking(self) -> str | None:
        if self.options.unit or (self.options.paths and self.options.to):
            return None
        return "It is not told which service the agent may stop, nor which folders it shall back up to where."

    def possible(self) -> frozenset[str]:
        service = {SUSPEND, RESUME} if self.options.unit else set()
        return frozenset(service | ({BACKUP} if self.options.paths and self.options.to else set()))

    def suspend(self) -> None:
        self._control("stop")

    def resume(self) -> None:
        self._control("start")

    def backup(self, order: Order) -> Archive:
        """Start it, then look how far it is: a connection may be lost and come back meanwhile."""
        options = self.options
        state = self._ask(
            START,
            {
                "backup_id": order.backup_id,
                "paths": options.paths,
                "to": options.to,
                "file_name": order.file_name,
                "compression": order.compression,
                "timeout_s": order.timeout_s,
            },
            BACKUP_ANSWER,
        )
        ends_at, pause_s = time.monotonic() + order.timeout_s, FIRST_LOOK_S
        while state.get("state") == "running":
            if time.monotonic() > ends_at:
                raise DriverFailed(f"The backup did not end within {order.timeout_s:g} s")
            time.sleep(pause_s)
            pause_s = min(LOOK_S, pause_s * 2)
            state = self._look(order)
        if state.get("state") != "done":
            raise DriverFailed(f"The agent could not make the backup: {_sentence(state)}")
        return _archive(state)

    def _control(self, action: str) -> None:
        body = {"unit": self.options.unit, "action": action}
        result = self._ask(SERVICE, body, SERVICE_ANSWER, timeout_s=ACTION_TIMEOUT_S)
        if result.get("ok") is not True:
            raise DriverFailed(f"The agent could not {action} {self.options.unit}: {_sentence(result)}")

    def _look(self, order: Order) -> dict[str, Any]:
        """The state of the backup; waits for an agent that has gone for a moment."""
        gone_until = time.monotonic() + AWAY_S
        while True:
            try:
                return self._ask(LOOK, {"backup_id": order.backup_id}, BACKUP_ANSWER)
            except DriverFailed:
                if time.monotonic() > gone_until:
                    raise
                time.sleep(LOOK_S)

    def _ask(self, type: str, body: dict[str, Any], answer_type: str, *, timeout_s: float = ASK_S) -> dict[str, Any]:
        try:
            return calling.ask(self.machine.instance_id, type, body, answer_type=answer_type, timeout_s=timeout_s)
        except ApiError as error:
            raise DriverFailed(error.message) from None


def _sentence(body: dict[str, Any]) -> str:
    text = body.get("message")
    return " ".join(text.split())[:300] if isinstance(text, str) and text.strip() else "it gives no reason"


def _archive(state: dict[str, Any]) -> Archive:
    """What the agent reports; it is another program, so nothing of it is taken on trust."""
    size, digest, place = state.get("size_bytes"), state.get("sha256"), state.get("place")
    return Archive(
        place=str(place)[:1024] if isinstance(place, str) else "unknown",
        size_bytes=size if isinstance(size, int) and 0 <= size < 2**63 else None,
        sha256=digest if isinstance(digest, str) and len(digest) == 64 else None,
        message=_sentence(state)[:300] if state.get("message") else None,
    )
