"""A line of a log: read from a request, written to an answer (contract: fleet console §8)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from config.api.errors import ApiError, Invalid, Malformed
from config.api.fields import milliseconds
from config.ids import cuid, rest_of_many
from fleet.logs.models import Level, Source

MOST_ENTRIES = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_order = count()  # within a millisecond, as this process took them in
LATEST_MS = 36**8 - 1  # what eight digits of an id can tell: the year 2059


class Entry(msgspec.Struct, frozen=True):
    """One stored line. `at` has whole milliseconds."""

    id: str
    at: datetime
    instance_id: str
    level: Level
    source: Source
    message: str
    metadata: dict[str, Any] | None = None
    deployment_id: str | None = None

    def wire(self) -> dict[str, Any]:
        """LogEntry of the contract."""
        return {
            "id": self.id,
            "instanceId": self.instance_id,
            "level": self.level.name,
            "source": self.source.name,
            "message": self.message,
            "metadata": self.metadata,
            "deploymentId": self.deployment_id,
            "timestamp": milliseconds(self.at),
        }

    def row(self) -> tuple:
        """The columns of ENTRIES."""
        return (
            self.id, self.at, self.instance_id, int(self.level), int(self.source),
            self.message, self.metadata, self.deployment_id,
        )  # fmt: skip


class Given(msgspec.Struct, rename="camel"):
    """An entry as a client sends it."""

    instance_id: Annotated[str, Meta(min_length=1, max_length=128)]
    level: Literal["DEBUG", "INFO", "WARN", "ERROR"]
    source: Literal["AGENT", "EXTENSION", "BUILD", "APP", "SYSTEM"]
    message: Annotated[str, Meta(min_length=1, max_length=10_000)]
    metadata: dict[str, Any] | None = None
    deployment_id: Annotated[str, Meta(max_length=128)] | None = None
    timestamp: datetime | None = None


class Batch(msgspec.Struct):
    entries: Annotated[list[Given], Meta(min_length=1, max_length=MOST_ENTRIES)]


_one, _batch = msgspec.json.Decoder(Given), msgspec.json.Decoder(Batch)


def read_one(body: bytes) -> list[Given]:
    """The body of a single ingest. Raises Malformed, Invalid."""
    return [_decoded(_one, body)]


def read_batch(body: bytes) -> list[Given]:
    """The body of a batch. Raises Malformed, Invalid."""
    return _decoded(_batch, body).entries


def _decoded(decoder: msgspec.json.Decoder, body: bytes) -> Any:
    if b"\\u0000" in body:
        raise Invalid("A NUL character cannot be stored")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".")
        raise Invalid(f"{field or 'entry'}: {text}", details={field: [text]}) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Malformed("The body is not valid JSON") from None


def made(given: Sequence[Given], *, now: datetime) -> list[Entry]:
    """The entries to store. A time without a zone is UTC; raises Invalid for one that no id can tell."""
    rest, fresh = rest_of_many(), _cut(now)
    return [_made(one, fresh if one.timestamp is None else _cut(one.timestamp), rest) for one in given]


def _made(given: Given, moment: tuple[int, datetime], rest: str) -> Entry:
    ms, at = moment
    return Entry(
        cuid(ms, order=next(_order), rest=rest),
        at,
        given.instance_id,
        Level[given.level],
        Source[given.source],
        given.message,
        given.metadata,
        given.deployment_id,
    )


def entry(at: datetime, **facts: Any) -> Entry:
    """A new entry at a moment, cut to milliseconds. Raises Invalid for a moment that no id can tell."""
    ms, at = _cut(at)
    return Entry(id=cuid(ms, order=next(_order)), at=at, **facts)


def _cut(at: datetime) -> tuple[int, datetime]:
    """The moment in Unix milliseconds, and cut to them."""
    ms = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH) // MILLISECOND
    if not 0 <= ms <= LATEST_MS:
        raise Invalid("timestamp is out of range", details={"timestamp": ["out of range"]})
    return ms, EPOCH + ms * MILLISECOND


class UnknownInstances(ApiError):
    """Entries name instances that are not there or not visible; nothing of the batch is stored."""

    status, code = 404, "not_found"

    def __init__(self, ids: Sequence[str]) -> None:
        names = ", ".join(f"'{one}'" for one in ids[:5])
        super().__init__(
            f"Instance {names} not found", facts={"unknownInstances": list(ids)}, details={"instanceId": ["unknown"]}
        )
