"""Log files on the machines themselves, asked from their agents (contract: fleet console §7)."""

from typing import Annotated, Any

import msgspec

from config.api.errors import BadGateway, Malformed, NotFound
from fleet.agents import answers, calling
from fleet.instances.models import Instance

ANSWER_WITHIN_S = 10.0
MOST_PATH, MOST_LINES, MOST_OFFSET = 512, 5000, 10**12
MOST_SOURCES = 1000

answers.on("log:sources:result", answers.relayed("log:sources:result"))
answers.on("log:file:result", answers.relayed("log:file:result"))


class Source(msgspec.Struct):
    """A file: its path without the leading slash, and when it was written last."""

    path: Annotated[str, msgspec.Meta(max_length=4096)]
    name: Annotated[str, msgspec.Meta(max_length=1024)]
    size_bytes: int
    last_modified: str | None = None


class Part(msgspec.Struct):
    """Some lines of a file; `total_lines` is None for a file too large to count."""

    lines: list[str]
    total_lines: int | None


class _Sources(msgspec.Struct):
    sources: Annotated[list[Source], msgspec.Meta(max_length=MOST_SOURCES)]


def sources(*, instance: Instance) -> list[Source]:
    """The log files that the agent shows. Raises Unavailable when it is offline, BadGateway for a broken answer."""
    return _read(_ask(instance, "log:sources", {}), _Sources).sources


def part_of(*, instance: Instance, path: str, lines: int = 500, offset: int = 1) -> Part:
    """`lines` lines of a file from the line `offset` on, the first being 1.

    The path goes to the agent as it is, never through a shell. Raises Malformed for a path that leads elsewhere,
    NotFound when the agent does not show the file, Unavailable, BadGateway.
    """
    if not path or len(path) > MOST_PATH or path.startswith("/") or ".." in path.split("/") or "\x00" in path:
        raise Malformed("path must be relative, without '..', of 1 to 512 characters")
    return _read(_ask(instance, "log:file", {"path": path, "lines": lines, "offset": offset}), Part)


def _ask(instance: Instance, kind: str, question: dict[str, Any]) -> dict[str, Any]:
    answer = calling.ask(instance.pk, kind, question, answer_type=f"{kind}:result", timeout_s=ANSWER_WITHIN_S)
    if error := answer.get("error"):
        raise NotFound(str(error)[:300])
    return answer


def _read(body: dict[str, Any], shape: type) -> Any:
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError:
        raise BadGateway("The agent's answer cannot be read") from None
