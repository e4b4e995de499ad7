"""One connection's questions to other slices: who may ask, what is answered, what is undone in the end."""

import logging
from collections.abc import Callable
from uuid import uuid4

from channels.db import database_sync_to_async

from config.api import scopes
from config.api.authentication import Principal
from config.api.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, TooMany, Unavailable
from config.api.permissions import DEVELOPER, VIEWER, require
from fleet.instances.queries import get_visible
from fleet.live.handlers import HANDLERS, Answer, Ask
from fleet.live.requests import Request

log = logging.getLogger(__name__)
MOST_OPEN = 100
FOR_DEVELOPERS = {"commands", "terminal", "filesystem"}
CODES: dict[type[ApiError], str] = {
    Conflict: "CONFLICT",
    Forbidden: "FORBIDDEN",
    Invalid: "INVALID_PAYLOAD",
    NotFound: "NOT_FOUND",
    TooMany: "RATE_LIMITED",
    Unavailable: "UNAVAILABLE",
}


def refusal(code: str, text: str) -> Answer:
    return Answer("error", {"code": code, "message": text})


class Asking:
    """What one connection has asked of other slices."""

    def __init__(self, principal: Principal) -> None:
        self._principal, self._socket_id = principal, uuid4().hex
        self._undo: dict[str, Callable[[], None]] = {}
        self.topics: set[str] = set()

    @property
    def left_open(self) -> bool:
        """Whether `close` has anything to do."""
        return bool(self._undo)

    async def answer(self, request: Request) -> Answer | None:
        """What to send back; None for nothing. Faults become answers of type `error`."""
        try:
            answer = await database_sync_to_async(self._answer)(request)
        except ApiError as error:
            return refusal(CODES.get(type(error), "HANDLER_ERROR"), error.message)
        except Exception:  # noqa: BLE001 - one message's fault must not cost the browser its connection
            log.exception("a message of type %.64r could not be handled", request.type)
            return refusal("HANDLER_ERROR", "The message could not be handled")
        if answer:
            self.topics.update(answer.hear)
            self.topics.difference_update(answer.leave)
        return answer

    def _answer(self, request: Request) -> Answer | None:
        handler = HANDLERS.get(request.type)
        if request.channel in FOR_DEVELOPERS and not self._principal.may_somewhere(DEVELOPER):
            raise Forbidden("This action requires the DEVELOPER role or higher")
        if handler is None:
            return refusal("UNKNOWN_MESSAGE_TYPE", f"{request.type[:64]} is not served here")
        if not request.subject:
            return refusal("NO_INSTANCE_ID", "Say which instance")
        try:
            instance = get_visible(instance_id=request.subject, principal=self._principal)
        except ApiError:
            raise Forbidden(f"Instance '{request.subject[:128]}' is not visible to you") from None
        require(self._principal, handler.role, team_id=instance.team_id)
        if handler.role != VIEWER:  # the socket opens for keys that only read
            scopes.require(self._principal.scopes, scopes.FLEET_WRITE)
        if not isinstance(request.data, dict):
            raise Invalid("data must be an object")
        if len(self._undo) >= MOST_OPEN:
            raise TooMany(f"At most {MOST_OPEN} things may be open on one connection", retry_after=1)
        answer = handler.act(
            Ask(
                self._principal, instance, request.channel or "events", request.type, request.data,
                request.correlationId, self._socket_id,
            )
        )  # fmt: skip
        if answer and (answer.name or answer.undo):
            self._replace(answer)
        return answer

    def _replace(self, answer: Answer) -> None:
        """Undo what an earlier answer of that name left open, and keep what this one does."""
        if earlier := self._undo.pop(answer.name, None):
            earlier()
        if answer.undo:
            self._undo[answer.name] = answer.undo

    def close(self) -> None:
        """Undo everything. What fails is logged; the rest is undone all the same."""
        while self._undo:
            name, undo = self._undo.popitem()
            try:
                undo()
            except Exception:  # noqa: BLE001 - the next one must be undone too
                log.exception("%s could not be undone", name)
