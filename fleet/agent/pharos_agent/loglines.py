"""Lines of logs as the server takes them (contract: fleet console §31.4, log:batch)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from pharos_agent.frames import compact, timestamp

MOST_CHARACTERS = 10_000
MOST_METADATA_BYTES = 15 * 1024
MOST_BYTES = 46 * 1024  # of one line: a frame has 48 KiB
MESSAGES, TIMES = ("message", "msg"), ("time", "ts", "timestamp", "@timestamp")
LEVELS = ("level", "severity", "lvl")
WORDS = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERROR|CRIT|CRITICAL|FATAL"
# Words in capitals, in brackets, or after a name; anything else could be part of a sentence.
LEVEL = re.compile(rf'\b(?:level|severity|lvl)="?(\w+)|\b({WORDS})\b|\[({WORDS.lower()})\]')
LOOKED_AT = 200  # characters of a line in which its level stands
PRIORITIES = ("ERROR", "ERROR", "ERROR", "ERROR", "WARN", "INFO", "INFO", "DEBUG")  # of syslog, 0 to 7
YEAR_5138_S = 100_000_000_000  # numbers above it are not in seconds


def of_file(text: str, path: str, *, now: datetime | None = None) -> bytes:
    """A line of a file as JSON. An object of JSON keeps its fields: level, message and time are the line's own."""
    line = _of_object(text) if text.startswith("{") else None
    if line is None:
        found = LEVEL.search(text[:LOOKED_AT])
        line = {"level": next(filter(None, found.groups())) if found else None, "message": text}
    return _encoded({"ts": timestamp(now), **_known(line), "source": "APP", "path": path})


def of_journal(entry: Mapping[str, Any]) -> bytes | None:
    """An entry of the journal as JSON; None for one without a message."""
    message = entry.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no text
        message = bytes(part & 255 for part in message if isinstance(part, int)).decode("utf-8", "replace")
    if not isinstance(message, str) or not message:
        return None
    priority = str(entry.get("PRIORITY", "6"))
    names = {"unit": "_SYSTEMD_UNIT", "identifier": "SYSLOG_IDENTIFIER", "pid": "_PID"}
    line = {
        "ts": _moment(entry.get("__REALTIME_TIMESTAMP")) or timestamp(),
        "level": PRIORITIES[int(priority)] if re.fullmatch("[0-7]", priority) else "INFO",
        "message": message,
        "source": "SYSTEM",
        "path": "journal",
        "metadata": {name: str(entry[field])[:256] for name, field in names.items() if entry.get(field)},
    }
    return _encoded(line)


def about_dropped(count: int) -> bytes:
    """What stands for lines that had no room."""
    text = f"{count} log lines were dropped: they came faster than they could be sent"
    return _encoded({"ts": timestamp(), "level": "WARN", "message": text, "source": "AGENT"})


def _of_object(text: str) -> dict[str, Any] | None:
    """The line that an object of JSON is; None for text that only begins like one."""
    try:
        fields = json.loads(text, parse_constant=str, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    message = next((fields.pop(name) for name in MESSAGES if isinstance(fields.get(name), str)), None)
    level = next((fields.pop(name) for name in LEVELS if isinstance(fields.get(name), (str, int))), None)
    if isinstance(level, int):  # as bunyan and pino write it
        level = "ERROR" if level >= 50 else "WARN" if level >= 40 else "INFO" if level >= 30 else "DEBUG"
    name = next((name for name in TIMES if _moment(fields.get(name))), None)
    at = _moment(fields.pop(name)) if name else None
    return {"ts": at, "level": level, "message": message or text, "metadata": fields}


def _finite(digits: str) -> float | str:
    """The number; as text when it is too large for one, for JSON has no infinity."""
    number = float(digits)
    return number if math.isfinite(number) else digits


def _known(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value}


def _moment(value: Any) -> str | None:
    """ISO 8601 for text of that form with a zone, or for a number of seconds, ms, µs or ns since 1970."""
    try:
        if isinstance(value, str) and not value.isdigit():
            # Python before 3.11 knows neither Z nor more than six digits.
            text = re.sub(r"(\.\d{1,6})\d*", lambda found: found[1].ljust(7, "0"), value.strip()).replace("Z", "+00:00")
            found = datetime.fromisoformat(text)
            return timestamp(found) if found.tzinfo else None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        seconds = float(value)
        for _ in range(3):  # from ns, µs or ms
            seconds /= 1000 if seconds > YEAR_5138_S else 1
        return timestamp(datetime.fromtimestamp(seconds, timezone.utc)) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _encoded(line: dict[str, Any]) -> bytes:
    """The line as JSON that fits into a frame: a long message is cut, metadata without measure are left out."""
    metadata = line.get("metadata")
    if metadata and len(_bytes(metadata)) > MOST_METADATA_BYTES:
        line = {**line, "metadata": {"truncated": True}}
    most = MOST_CHARACTERS
    while len(encoded := _bytes({**line, "message": line["message"][:most], **_short(line)})) > MOST_BYTES:
        most //= 2
    return encoded


def _short(line: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(line[name])[:1024] for name in ("level", "path") if name in line}


def _bytes(value: Any) -> bytes:
    """Half of a surrogate pair, which JSON can escape and UTF-8 cannot say, becomes a question mark."""
    return compact(value).encode("utf-8", "replace")
