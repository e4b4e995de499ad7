"""What agents send about commands, by the names of both dialects (contract: fleet console §31.4)."""

import uuid
from typing import Any

import msgspec

from config.api.errors import Invalid
from fleet.commands.models import Stream

_MOST_INT = 2**31 - 1


class _Named(msgspec.Struct, kw_only=True):
    command_id: str | None = None
    correlationId: str | None = None  # noqa: N815 - the wire's name
    commandId: str | None = None  # noqa: N815

    @property
    def correlation_id(self) -> str:
        """The id that the command was sent with. Raises Invalid."""
        named = self.command_id or self.correlationId or self.commandId
        try:
            return str(uuid.UUID(named or ""))
        except ValueError:
            raise Invalid("command_id is missing or no UUID") from None


class Piece(_Named, kw_only=True):
    """A piece of output while the command runs."""

    stream: str
    sequence: int
    data: str

    @property
    def kind(self) -> Stream:
        return Stream[self.stream.upper()]


class Result(_Named, kw_only=True):
    """How a command ended. With `streamed` its output came before, in pieces."""

    stdout: str | None = ""
    stderr: str | None = ""
    exit_code: int | None = None
    exitCode: int | None = None  # noqa: N815
    duration_ms: int | float | None = None
    durationMs: int | float | None = None  # noqa: N815
    streamed: bool = False
    truncated: bool = False
    timed_out: bool = False
    cancelled: bool = False
    error: str = ""
    sequence: int | None = None


def piece_of(body: dict[str, Any]) -> Piece:
    """Raises Invalid."""
    piece = _convert(body, Piece)
    if piece.stream not in Stream.labels or not 0 <= piece.sequence <= _MOST_INT:
        raise Invalid("stream must be stdout or stderr, sequence a number from 0")
    piece.data = storable(piece.data)
    return piece


def result_of(body: dict[str, Any]) -> Result:
    """With every value in the agent dialect's names. Raises Invalid."""
    result = _convert(body, Result)
    if result.exit_code is None:
        result.exit_code = result.exitCode
    if result.exit_code is None or abs(result.exit_code) > _MOST_INT:
        raise Invalid("exit_code is missing or out of range")
    taken = result.duration_ms if result.duration_ms is not None else result.durationMs
    result.duration_ms = None if taken is None else min(max(0, int(taken)), _MOST_INT)
    result.stdout, result.stderr = storable(result.stdout or ""), storable(result.stderr or "")
    result.error = storable(result.error)
    return result


def _convert(body: dict[str, Any], kind: type) -> Any:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"The payload is not valid: {error}"[:300]) from None


def storable(text: str) -> str:
    """Text that every database takes."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()
