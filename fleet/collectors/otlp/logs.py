"""From OTLP's log records to lines."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleet.agents.lines import LEVELS, MOST_CHARACTERS, MOST_METADATA_BYTES, OLDEST
from fleet.agents.reports import cleaned
from fleet.collectors.otlp import attributes
from fleet.collectors.refusals import Refused
from fleet.collectors.senders import NotTaken, Sender
from fleet.logs.entries import Entry, entry
from fleet.logs.models import Level, Source

NS_IN_S = 1_000_000_000
HEX_AS_BASE64 = {24: 16, 12: 8}  # bytes that JSON's hexadecimal ids become when they are read as base64
PATHS = ("log.file.path", "log.file.name")
SEVERITIES = ((17, Level.ERROR), (13, Level.WARN), (9, Level.INFO), (1, Level.DEBUG))


def count(request: Any) -> int:
    """How many records there are."""
    return sum(len(scope.log_records) for group in request.resource_logs for scope in group.scope_logs)


def entries(request: Any, *, sender: Sender, refused: Refused, now: datetime) -> Iterator[Entry]:
    """The records as lines, those of machines that the key may not write for refused."""
    for group in request.resource_logs:
        resource = attributes.attributes(group.resource.attributes)
        try:
            instance_id = sender.instance(
                attributes.references(resource),
                host=attributes.text(resource.get("host.name") or ""),
                facts=attributes.facts(resource),
            )
        except NotTaken as reason:
            refused.add(str(reason), sum(len(scope.log_records) for scope in group.scope_logs))
            continue
        common = attributes.telling(resource)
        source = Source.APP if "service.name" in common else Source.SYSTEM
        for scope in group.scope_logs:
            about = common | ({"scope": scope.scope.name} if scope.scope.name else {})
            for record in scope.log_records:
                yield _entry(record, instance_id, source, about, now)


def _entry(record: Any, instance_id: str, source: Source, about: dict[str, str], now: datetime) -> Entry:
    body = attributes.plain(record.body)
    message = "" if body is None else attributes.text(body).rstrip("\r\n")
    fields = about | attributes.attributes(record.attributes)
    if path := next((fields.pop(name) for name in PATHS if fields.get(name)), None):
        fields["path"] = path
    for name, raw in (("trace_id", record.trace_id), ("span_id", record.span_id)):
        if raw:
            fields[name] = _hex(raw)
    if record.event_name:
        fields["event"] = record.event_name
    if len(message) > MOST_CHARACTERS:
        fields["truncated_characters"] = len(message) - MOST_CHARACTERS
    return entry(
        _moment(record, now),
        instance_id=instance_id,
        level=_level(record),
        source=source,
        message=cleaned(message or record.event_name or "(no text)")[:MOST_CHARACTERS],
        metadata=_bounded(fields),
    )


def _moment(record: Any, now: datetime) -> datetime:
    """When it happened, else when it was seen; no line is of the future, none older than an agent's."""
    told = record.time_unix_nano or record.observed_time_unix_nano
    if not told:
        return now
    seconds, rest = divmod(told, NS_IN_S)
    try:
        at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    except (ValueError, OverflowError, OSError):  # years that no calendar has
        return now
    return min(max(at, now - OLDEST), now)


def _level(record: Any) -> Level:
    for lowest, level in SEVERITIES:
        if record.severity_number >= lowest:
            return level
    return LEVELS.get(record.severity_text.strip().upper(), Level.INFO)


def _hex(raw: bytes) -> str:
    """An id in hexadecimal. JSON carries it so, and reading that as base64 is undone here."""
    if len(raw) in HEX_AS_BASE64:
        return base64.b64encode(raw).decode().lower()
    return raw.hex()


def _bounded(fields: dict[str, Any]) -> dict[str, Any] | None:
    fields = cleaned(fields)
    if len(msgspec.json.encode(fields)) > MOST_METADATA_BYTES:
        return {"truncated": True}
    return fields or None
