"""From the log lines that an agent sends to entries (contract: fleet console §31.4)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from fleet.agents.reports import cleaned, moment
from fleet.agents.shapes import LogLine
from fleet.logs.entries import Entry, entry
from fleet.logs.models import Level, Source

MOST_CHARACTERS = 10_000
MOST_METADATA_BYTES = 16 * 1024
OLDEST = timedelta(days=30)  # lines that an agent kept while it could not reach us
LEVELS = {level.name: level for level in Level} | {
    "WARNING": Level.WARN,
    "ERR": Level.ERROR,
    "CRIT": Level.ERROR,
    "CRITICAL": Level.ERROR,
    "FATAL": Level.ERROR,
    "TRACE": Level.DEBUG,
    "NOTICE": Level.INFO,
}


def entries_of(
    lines: Sequence[LogLine | str], *, instance_id: str, now: datetime, path: str | None = None
) -> list[Entry]:
    """The lines as entries; empty ones are left out. Raises Invalid for a moment that is none."""
    found = [line if isinstance(line, LogLine) else LogLine(line=line) for line in lines]
    return [_entry(line, instance_id, now, line.path or path) for line in found if _text(line)]


def _text(line: LogLine) -> str:
    return (line.message if line.message is not None else line.line or "").rstrip("\r\n")


def _entry(line: LogLine, instance_id: str, now: datetime, path: str | None) -> Entry:
    at = moment(line.timestamp if line.timestamp is not None else line.ts) or now
    return entry(
        min(max(at, now - OLDEST), now),
        instance_id=instance_id,
        level=LEVELS.get((line.level or "").upper(), Level.INFO),
        source=_source(line.source),
        message=cleaned(_text(line))[:MOST_CHARACTERS],
        metadata=_metadata(line, path),
        deployment_id=cleaned(line.deployment_id),
    )


def _source(text: str | None) -> Source:
    """The part before a colon: `app:web` is of an application."""
    if not text:
        return Source.AGENT
    return Source.__members__.get(text.partition(":")[0].strip().upper(), Source.SYSTEM)


def _metadata(line: LogLine, path: str | None) -> dict[str, Any] | None:
    """What the line carries beside its text, with the file it comes from and what its source was called exactly."""
    extra = {"path": path} if path else {}
    if line.source and line.source.upper() not in Source.__members__:
        extra["source"] = line.source[:128]
    metadata = cleaned(extra | (line.metadata or {}))
    if len(msgspec.json.encode(metadata)) > MOST_METADATA_BYTES:
        metadata = {"truncated": True}
    return metadata or None
