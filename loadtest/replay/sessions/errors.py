"""What goes wrong with sessions and documents, in the words of the contract (traffic replay §3)."""

from collections.abc import Callable
from typing import Any

from config.api.errors import Conflict, Invalid, NotFound

Fault = dict[str, str]
MOST_FAULTS = 50


def no_session(session_id: str) -> NotFound:
    """The id never existed, has expired, is closed, or belongs to another team."""
    return NotFound(f"no open session '{session_id[:64]}'", code="session_not_found")


def no_capture(capture_id: str) -> NotFound:
    return NotFound(f"no capture '{capture_id[:64]}'", code="capture_not_found")


def closed(session_id: str) -> Conflict:
    return Conflict(f"session '{session_id}' is closed already", code="session_closed")


def refuse(faults: list[Fault], *, status: int = 400) -> None:
    """Raise Invalid when there are faults; the first is the message, the others are details."""
    if faults:
        first = faults[0]
        raise Invalid(f"{first['path']}: {first['message']}".removeprefix(": "), status=status,
                      faults=faults[:MOST_FAULTS])  # fmt: skip


def checked(document: Any, check: Callable[[Any], list[Fault]], *, status: int = 400) -> Any:
    """The document. Raises Invalid when the check finds faults."""
    refuse(check(document), status=status)
    return document
