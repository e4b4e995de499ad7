"""Frames between agents and the platform, in both dialects (contract: fleet console §31.3)."""

import time
from typing import Any, NamedTuple

import msgspec

MAX_FRAME_BYTES = 1 << 20
VERSION = "1.0"

# Console dialect: channel and type → the agent dialect's type. Both dialects then go the same way.
CONSOLE = {
    ("heartbeat", "heartbeat:ping"): "heartbeat",
    ("metrics", "metrics:update"): "metrics",
    ("logs", "log:line"): "log:line",
    ("logs", "log:batch"): "log:batch",
    ("events", "event:instance"): "event",
    ("terminal", "terminal:data"): "terminal:output",
    ("terminal", "terminal:close"): "terminal:closed",
    ("commands", "command:output"): "command:output",
    ("commands", "command:result"): "command:result",
    ("llm_usage", "llm_usage:batch"): "llm_usage:batch",
    ("inventory", "inventory:report"): "inventory",
}
CHANNELS = {kind: channel for (channel, _), kind in CONSOLE.items()} | {"registration": "events"}


class Unreadable(ValueError):
    """What came is no frame; the text says why."""


class _Envelope(msgspec.Struct):
    type: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"")
    channel: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    instance_id: str | None = None
    instanceId: str | None = None  # noqa: N815 - the wire's name
    correlationId: str | int | None = None  # noqa: N815
    session_id: str | None = None


class _Named(msgspec.Struct):
    instance_id: str | None = None
    instanceId: str | None = None  # noqa: N815


class Frame(NamedTuple):
    """One message: its kind by the agent dialect, the body still as JSON, and where an answer goes."""

    kind: str
    body: msgspec.Raw
    channel: str
    is_console: bool
    speaks_for: str | None
    correlation_id: str | int | None
    session_id: str | None

    @property
    def may_wait(self) -> bool:
        """A sample that gets no answer."""
        return self.kind == "metrics" and not self.is_console


_decode = msgspec.json.Decoder(_Envelope).decode
_decode_named = msgspec.json.Decoder(_Named).decode
_encode = msgspec.json.Encoder().encode


def read(text: str | bytes) -> Frame:
    """The frame in a message; raises Unreadable."""
    try:
        envelope = _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Unreadable(f"This is no frame: {error}"[:300]) from None
    speaks_for = envelope.instance_id or envelope.instanceId
    if envelope.type and envelope.payload:
        kind, body, channel = envelope.type, envelope.payload, CHANNELS.get(envelope.type, "events")
    elif envelope.type and envelope.channel and envelope.data:
        channel, body = envelope.channel, envelope.data
        kind = CONSOLE.get((channel, envelope.type), f"{channel}/{envelope.type}")
    else:
        raise Unreadable("A frame has type and payload, or channel, type and data")
    is_console = not (envelope.type and envelope.payload)
    return Frame(kind, body, channel, is_console, speaks_for, envelope.correlationId, envelope.session_id)


def named_instance(frame: Frame) -> str | None:
    """The instance that the frame speaks for: at the top level, else in its body."""
    if frame.speaks_for:
        return frame.speaks_for
    try:
        named = _decode_named(frame.body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return named.instance_id or named.instanceId


def error(code: str, message: str, *, frame: Frame | None = None, channel: str = "events") -> str:
    """An error on the channel of the frame that caused it; the socket stays open."""
    body: dict[str, Any] = {
        "channel": frame.channel if frame else channel,
        "type": "error",
        "data": {"code": code, "message": message},
    }
    return _text(body, frame)


def pong(name: str, frame: Frame) -> str:
    """The answer to a heartbeat of the instance, by the name that its agent uses."""
    return _text(
        {
            "protocolVersion": VERSION,
            "channel": "heartbeat",
            "type": "heartbeat:pong",
            "instanceId": name,
            "ts": now_ms(),
            "data": {"ok": True},
        },
        frame,
    )


def acknowledgement(frame: Frame) -> str:
    """The answer to a sample in the console dialect."""
    return _text({"channel": frame.channel, "type": "ack", "data": {"ok": True}}, frame)


def to_agent(type: str, payload: dict[str, Any], session_id: str | None = None) -> str:
    """A message to an agent, as text (contract: fleet console §31.5)."""
    body: dict[str, Any] = {"protocol_version": VERSION, "type": type, "payload": payload}
    if session_id is not None:
        body["session_id"] = session_id
    return _text(body, None)


def console(channel: str, type: str, instance_id: str, data: dict[str, Any]) -> dict[str, Any]:
    """A message of the console dialect about an instance."""
    return {
        "protocolVersion": VERSION,
        "channel": channel,
        "type": type,
        "instanceId": instance_id,
        "ts": now_ms(),
        "data": data,
    }


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _text(body: dict[str, Any], frame: Frame | None) -> str:
    if frame and frame.correlation_id is not None:
        body["correlationId"] = frame.correlation_id
    return _encode(body).decode()
