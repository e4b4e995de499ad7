"""The audit log as a file: CSV for spreadsheets, JSON lines for programs. Written row by row, never held as a whole."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Invalid
from config.api.fields import camel, milliseconds
from security.audit import queries
from security.audit.services import record

MOST = 100_000  # entries in one answer: some seconds of a thread that others wait for
AT_ONCE = 1000
COLUMNS = (
    "number", "id", "at", "user_id", "user_email", "user_name", "team_id", "action", "resource", "resource_id",
    "ip_address", "user_agent", "metadata", "seal",
)  # fmt: skip
NAMES = tuple("timestamp" if name == "at" else name for name in COLUMNS)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what spreadsheets take for the begin of a command

Row = tuple[Any, ...]


def answer(*, form: str, actor: Principal, wanted: dict[str, Any]) -> HttpResponseBase:
    """The entries that match `wanted` as a download, newest first; `form` is a key of FORMATS.

    Raises Invalid when more match than one answer holds: nothing is left out unseen.
    """
    number = queries.entries(**wanted)[: MOST + 1].count()
    if number > MOST:
        text = f"More than {MOST:,} entries match. Narrow the filter, or use `pharos audit export`, which has no limit."
        raise Invalid(text, details={"from": [text]})
    write, content_type = FORMATS[form]
    chunks = write(begin(form=form, actor=actor, wanted=wanted, entries=number))
    headers = {
        "Content-Disposition": f'attachment; filename="audit-{timezone.now():%Y-%m-%d}.{form}"',
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(chunks, content_type=content_type, headers=headers)


def begin(*, form: str, actor: Principal | None, wanted: dict[str, Any], entries: int | None = None) -> Iterator[Row]:
    """Note the export in the log, and give the rows that match, as they were before it."""
    rows = queries.entries(**wanted)
    newest = rows.values_list("at", "id").first()
    filters = {name: value for name, value in wanted.items() if value is not None}
    record(
        actor=actor, action="EXECUTE", resource="audit_log", resource_id=None, export=form, filter=filters or None,
        entries=entries,
    )  # fmt: skip
    return _rows(wanted, newest)


def _rows(wanted: dict[str, Any], place: tuple[datetime, str] | None) -> Iterator[Row]:
    """From the newest to the oldest, some at a time: no query stays open while a slow reader takes its time."""
    included = True
    while place:
        found = queries.up_to(queries.entries(**wanted), *place, included=included)
        batch = list(found.values_list(*COLUMNS)[:AT_ONCE])
        yield from batch
        included = False
        place = (batch[-1][2], batch[-1][1]) if len(batch) == AT_ONCE else None


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """A header and one line each; the metadata is JSON in one cell. No cell is a formula for a spreadsheet."""
    writer = csv.writer(_Echo())
    yield writer.writerow(NAMES)
    for row in rows:
        yield writer.writerow([harmless(_cell(value)) for value in row])


def as_lines(rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object a line, with the names that the API uses."""
    names = [camel(name) for name in NAMES]
    for row in rows:
        values = [milliseconds(value) if isinstance(value, datetime) else value for value in row]
        yield json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False) + "\n"


FORMATS: dict[str, tuple[Callable[[Iterable[Row]], Iterator[str]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_lines, "application/x-ndjson; charset=utf-8"),
}


def harmless(text: str) -> str:
    """The text of a cell so that no spreadsheet runs it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return milliseconds(value) or ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text
