"""What a script is told, what it may use, what it leaves behind (contract: load testing §15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PRE_REQUEST, TEST = "prerequest", "test"

Pairs = Sequence[tuple[str, str]]
Changes = Mapping[str, str | None]  # texts set by name; None for a name removed


@dataclass(frozen=True)
class Request:
    """The request as a script sees it; `url` still with placeholders in a pre-request script."""

    method: str
    url: str
    headers: Pairs = ()
    body: Any = ""  # a text, or an object that names its type


@dataclass(frozen=True)
class Response:
    """An answer, or with `code` 0 its failure; `headers` lower-case, times in milliseconds, sizes in bytes."""

    code: int
    reason: str = ""
    headers: Pairs = ()
    text: str = ""
    time_ms: float = 0.0
    wire_ms: float = 0.0
    queue_wait_ms: float = 0.0
    body_size: int = 0
    header_size: int = 0
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True)
class Facts:
    """One script's input. The scopes hold entries `{"value", "enabled", "secret"[, "type"]}` by name (§6).

    `environment` None: the call named no environment, writes to it do nothing. `collections`: nearest first.
    """

    event: str  # PRE_REQUEST or TEST
    request: Request
    response: Response | None = None  # None in a pre-request script
    environment: Mapping[str, Any] | None = None
    collections: Sequence[Mapping[str, Any]] = ()
    globals: Mapping[str, Any] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    request_name: str = ""
    iteration: int = 0
    iteration_count: int = 1


@dataclass(frozen=True)
class Limits:
    """What one script may use: wall-clock milliseconds, bytes of memory and stack, console or silence.

    `at_once`: sandboxes alive in this process at the same time.
    """

    timeout_ms: int = 5000
    memory_bytes: int = 64 << 20
    stack_bytes: int = 256 << 10
    console: bool = True
    at_once: int = 64


@dataclass(frozen=True)
class Outcome:
    """What a script did, also of one that failed or was ended: all that it had done until then.

    `tests`: `{"name", "passed"[, "error"]}` in order. `collection` are changes of the nearest collection.
    `local`: all execution-local variables afterwards. `request`: the request to send, None if unchanged.
    """

    tests: Sequence[Mapping[str, Any]] = ()
    console: Sequence[str] = ()
    error: str | None = None
    environment: Changes = field(default_factory=dict)
    collection: Changes = field(default_factory=dict)
    globals: Changes = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)
    request: Request | None = None
