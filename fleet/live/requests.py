"""What browsers send on their sockets (contract: fleet console §32.1, and the pages' own `watch`)."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

TOPIC = re.compile(
    r"(fleet|monitors|alerts|commands|load-runs|signals|replay|security"
    r"|(?:command|instance|monitor|run|trial|alert|load-run|signal|replay):[A-Za-z0-9_-]{1,128})"
)
MAX_TOPICS = 100
Ids = Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(max_length=MAX_TOPICS)]


class Unreadable(ValueError):
    """What came is no message; the text says why."""


class Request(msgspec.Struct):
    """One message of a page or a console client."""

    type: str
    channel: str | None = None
    data: Any = None
    instanceId: str | None = None  # noqa: N815 - the wire's name
    correlationId: str | int | None = None  # noqa: N815
    topics: Ids | None = None
    after: dict[str, int | float] | int | float | None = None

    @property
    def subject(self) -> str | None:
        """The instance that a subscription is about."""
        named = self.data.get("instanceId") if isinstance(self.data, dict) else None
        return self.instanceId or (named if isinstance(named, str) else None)

    @property
    def watched(self) -> list[str]:
        """The topics that a page may name."""
        return [topic for topic in self.topics or () if TOPIC.fullmatch(topic)]


class Selection(msgspec.Struct):
    """A message on the metrics stream."""

    subscribe: Ids = []
    unsubscribe: Ids = []


def number_in(query: bytes) -> int | None:
    """The sequence number in `?after=`; None without one that can be one."""
    given = parse_qs(query.decode("latin-1")).get("after", [""])[0]
    return int(given) if re.fullmatch(r"[0-9]{1,16}", given) else None


def read(text: str | bytes, kind: type) -> Any:
    """Decode a message; raises Unreadable."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Unreadable(f"This is no message: {error}"[:300]) from None
