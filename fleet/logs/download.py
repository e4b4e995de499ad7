"""Lines as a file, in the order of time: text, or one JSON object a line."""

import msgspec

from config.api.authentication import Principal
from config.api.fields import milliseconds
from fleet.instances.models import Instance
from fleet.logs.entries import Entry
from fleet.logs.queries import Filters, older

MOST_LINES = 10_000
MOST_BYTES = 16 << 20
AT_ONCE = 1000
KINDS = {"text": ("text/plain; charset=utf-8", "txt"), "jsonl": ("application/x-ndjson", "jsonl")}


def file(filters: Filters, principal: Principal, *, kind: str) -> bytes:
    """The newest 10,000 lines that pass, oldest first; fewer when they are more than 16 MiB."""
    names: dict[str, str] = {}
    parts: list[bytes] = []
    size, before = 0, ""
    while len(parts) < MOST_LINES and size < MOST_BYTES:
        found = older(filters, principal, before=before, limit=min(AT_ONCE, MOST_LINES - len(parts)))
        if not found:
            break
        unknown = {entry.instance_id for entry in found} - names.keys()
        names |= dict(Instance.objects.filter(pk__in=unknown).values_list("pk", "name"))
        for entry in found:
            parts.append(_json(entry) if kind == "jsonl" else _text(entry, names.get(entry.instance_id, "")))
            size += len(parts[-1])
        before = found[-1].id
    return b"".join(reversed(parts))


def _json(entry: Entry) -> bytes:
    return msgspec.json.encode(entry.wire()) + b"\n"


def _text(entry: Entry, name: str) -> bytes:
    """`time level instance source message`; the further lines of a message begin with a tab."""
    message = "\n\t".join(entry.message.splitlines())
    return f"{milliseconds(entry.at)} {entry.level.name} {name} {entry.source.name} {message}\n".encode()
