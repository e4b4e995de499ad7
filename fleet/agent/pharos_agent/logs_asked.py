"""What the server asks about logs: which files to follow, which there are, and what stands in one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pharos_agent.frames import MAX_ANSWER_BYTES
from pharos_agent.logfiles import Refused
from pharos_agent.parts import Parts
from pharos_agent.threads import in_thread

log = logging.getLogger(__name__)
MOST_PATHS = 50
Body = dict[str, Any]


async def follow(parts: Parts, body: Body) -> None:
    """Follow these files, too: configured ones, or others that may be looked at."""
    parts.outbox.following.choice.say(body.get("paths"), wanted=True)
    for path in await in_thread(_others, parts, body):
        parts.outbox.following.extras.add(path)


async def leave(parts: Parts, body: Body) -> None:
    parts.outbox.following.choice.say(body.get("paths"), wanted=False)
    for path in await in_thread(_others, parts, body):
        parts.outbox.following.extras.remove(path)


def _others(parts: Parts, body: Body) -> list[str]:
    """The single files among the paths that are not followed anyway and may be looked at."""
    paths = body.get("paths")
    named = [path for path in paths[:MOST_PATHS] if isinstance(path, str)] if isinstance(paths, list) else []
    return [path for path in ("/" + one.lstrip("/") for one in named) if parts.log_files.is_beside(path)]


async def list_sources(parts: Parts, body: Body) -> None:
    _answer(parts, "log:sources:result", body, lambda: {"sources": parts.log_files.sources()})


async def read_file(parts: Parts, body: Body) -> None:
    path, lines, offset = body.get("path"), body.get("lines", 500), body.get("offset", 1)
    _answer(parts, "log:file:result", body, lambda: parts.log_files.read(path, lines, offset))


def _answer(parts: Parts, kind: str, body: Body, find: Callable[[], Body]) -> None:
    """Look beside the other frames; the answer repeats by which the server knows its question again."""

    async def answer() -> None:
        try:
            found = await in_thread(find)
        except Refused as exc:
            found = {"error": str(exc)}
        except OSError as exc:
            found = {"error": f"the log files cannot be read: {exc.strerror}"}
        known = {"request_id": str(body.get("request_id"))[:64]}
        await parts.send(kind, {**found, **known}, most_bytes=MAX_ANSWER_BYTES)

    parts.spawn(answer())
