"""Which headers travel on, and how a session travels in them (contract: traffic replay §8)."""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from multidict import CIMultiDict, CIMultiDictProxy

SESSION = "x-softprobe-session-id"
_TRACESTATE_KEYS = (SESSION, "x-sp-session-id", "sp")

Headers = CIMultiDict[str] | CIMultiDictProxy[str]

# RFC 9110 §7.6.1, and what old clients say to proxies. They speak of one connection, not of the message.
_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
_NEEDED = frozenset({"host", "content-length", SESSION})  # `Connection` may not name these away
_SESSION_ID = re.compile(r"[!\x23-\x2b\x2d-\x3a\x3c\x3e-\x5b\x5d-\x7e]{1,256}")  # opaque, yet fit for tracestate
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


class Trace(NamedTuple):
    """Hex ids of the trace and of the span above; the latter is "" where the trace begins here."""

    trace_id: str
    parent_id: str


def end_to_end(headers: Headers) -> CIMultiDict[str]:
    """The headers of the message itself, order and spelling kept."""
    dropped: frozenset[str] | set[str] = _HOP
    if named := headers.getall("Connection", ()):
        dropped = _HOP | ({part.strip().lower() for value in named for part in value.split(",")} - _NEEDED)
    if "Transfer-Encoding" in headers:  # it overrides the length, and is this hop's own
        dropped = dropped | {"content-length"}
    return CIMultiDict([(name, value) for name, value in headers.items() if name.lower() not in dropped])


def asks_for_upgrade(headers: Headers) -> bool:
    """Whether the sender wants to speak WebSocket over this connection; other protocols are not passed on."""
    return headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in headers.get("Connection", "").lower()


def session_of(headers: Headers) -> str | None:
    """The session that a message names: its own header, else tracestate, else baggage. What is no id is none."""
    for value in headers.getall(SESSION, ()):
        if _SESSION_ID.fullmatch(value.strip()):
            return value.strip()
    for key, value in _members(headers.getall("tracestate", ())):
        if key in _TRACESTATE_KEYS and _SESSION_ID.fullmatch(value):
            return value
    for key, value in _members(headers.getall("baggage", ())):
        if key == SESSION and _SESSION_ID.fullmatch(unquote(value)):
            return unquote(value)
    return None


def _members(values: Iterable[str]) -> Iterable[tuple[str, str]]:
    for value in values:
        for member in value.split(","):
            key, _, text = member.partition("=")
            yield key.strip().lower(), text.partition(";")[0].strip()


def carry_on(headers: CIMultiDict[str], session: str) -> Trace:
    """Prepare headers for the next hop: the session moves into tracestate, and traceparent is made when missing."""
    headers.popall(SESSION, None)
    members = [part.strip() for value in headers.popall("tracestate", ()) for part in value.split(",")]
    others = [part for part in members if part and part.partition("=")[0].strip().lower() != SESSION]
    headers["tracestate"] = ",".join([f"{SESSION}={session}", *others])
    if found := _TRACEPARENT.fullmatch(headers.get("traceparent", "")):
        return Trace(found[1], found[2])
    trace = Trace(secrets.token_hex(16), "")
    headers["traceparent"] = f"00-{trace.trace_id}-{secrets.token_hex(8)}-01"
    return trace


def for_storage(headers: Headers, without: Mapping[str, object] | Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """Headers of a message as a span carries them: names in lower case, and no session, which is a capability."""
    dropped = {SESSION, "content-length", *without}
    kept = ((name.lower(), value) for name, value in end_to_end(headers).items())
    return tuple((name, _readable(value)) for name, value in kept if name not in dropped)


def _readable(value: str) -> str:
    """aiohttp keeps bytes that are no UTF-8 as lone surrogates, which no JSON can carry."""
    return value if value.isprintable() else value.encode(errors="surrogateescape").decode(errors="replace")
