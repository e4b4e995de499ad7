"""Frames of the agent dialect (contract: fleet console §31.3)."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

MAX_FRAME_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 1000 * 1024  # of a frame that was asked for; servers take up to a mebibyte


def encode(
    kind: str, payload: dict[str, Any], session_id: str | None = None, *, most_bytes: int = MAX_FRAME_BYTES
) -> str:
    """One frame as JSON text. Raises ValueError if it would pass `most_bytes`."""
    frame: dict[str, Any] = {"protocol_version": "1.0", "type": kind, "payload": payload}
    if session_id is not None:
        frame["session_id"] = session_id
    text = compact(frame)
    if len(text.encode()) > most_bytes:
        raise ValueError(f"a {kind} frame of {len(text)} characters is too large to send")
    return text


def compact(value: Any) -> str:
    """JSON without spaces, with UTF-8 left as it is."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def timestamp(now: datetime | None = None) -> str:
    """`now` (default: the present) in ISO 8601 UTC with milliseconds and `Z`."""
    now = now or datetime.now(timezone.utc)
    return now.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clean(text: str, limit: int = 256) -> str:
    """Text from the operating system as valid UTF-8 of at most `limit` characters.

    Names that are not UTF-8 arrive as lone surrogates, which JSON readers refuse.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\x00", "")[:limit]
