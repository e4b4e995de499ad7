"""CSV that is replayed: columns of values, or rows of logs (contract: signals §8.4). Pure: text in, values out."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from math import isfinite
from statistics import median

import msgspec

MOST_ROWS = 100_000
MOST_COLUMNS = 500
FARTHEST_S = 1e9  # between two rows
_HEADER = re.compile(r"\s*([^{}\s]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.DOTALL)
_ESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_ROLES = {"timestamp": "time", "ts": "time", "time": "time", "severity": "severity", "level": "severity"}
_ROLES |= {"message": "message", "msg": "message", "log": "message"}


class Column(msgspec.Struct, frozen=True):
    """One series of a table: its place, and what its header says of name and labels."""

    index: int
    name: str | None
    labels: dict[str, str]


class Table(msgspec.Struct, frozen=True):
    """Rows below the header; `header` is None where the first row is numbers already."""

    header: list[str] | None
    rows: list[list[str]]

    @property
    def width(self) -> int:
        return max((len(row) for row in self.rows), default=0)

    def columns(self) -> list[Column]:
        """All columns after the time; raises ValueError where a header cannot be read."""
        if self.header is None:
            return [Column(index, None, {}) for index in range(1, self.width)]
        return [Column(index, *series(text)) for index, text in enumerate(self.header) if index]

    def values(self, index: int) -> list[float]:
        """The numbers of a column; cells that are none are left out."""
        cells = (number(row[index]) for row in self.rows if index < len(row))
        return [value for value in cells if value is not None]

    def ticks_per_s(self, index: int = 0) -> float | None:
        """One over the median distance of the times in a column; None where that says nothing."""
        return pace([moment(row[index]) for row in self.rows if index < len(row)])


def table(text: str) -> Table:
    """Read CSV; lines that begin with # are comments. Raises ValueError on what is no CSV, or too much of it."""
    rows = list(_rows(text))
    if rows and not all(_reads_as_number(cell) for cell in rows[0][1:]):
        return Table([cell.strip() for cell in rows[0]], rows[1:])
    return Table(None, rows)


def _rows(text: str) -> Iterator[list[str]]:
    lines = (line for line in text.removeprefix("\ufeff").splitlines(keepends=True) if not line.startswith("#"))
    try:
        for number_of_row, row in enumerate(row for row in csv.reader(lines, skipinitialspace=True) if row):
            if number_of_row > MOST_ROWS or len(row) > MOST_COLUMNS:
                raise ValueError(f"has more than {MOST_ROWS} rows or {MOST_COLUMNS} columns")
            yield row
    except csv.Error as fault:
        raise ValueError(f"is no CSV: {fault}") from None


def _reads_as_number(cell: str) -> bool:
    """NaN and infinities included: what they stand in is a row of values, not a header."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if isfinite(value) else None


def moment(cell: str) -> float | None:
    """Seconds of a time given as a number (seconds; milliseconds where it is too large for those) or RFC 3339."""
    if (value := number(cell)) is not None:
        return value / 1000 if abs(value) > 1e11 else value
    try:
        return datetime.fromisoformat(cell.strip()).timestamp()
    except (ValueError, OverflowError):
        return None


def pace(moments: list[float | None]) -> float | None:
    known = [value for value in moments if value is not None]
    if len(known) < 2:
        return None
    distance = median(after - before for before, after in zip(known, known[1:], strict=False))
    return 1 / distance if 0 < distance < FARTHEST_S else None


def series(header: str) -> tuple[str | None, dict[str, str]]:
    """Name and labels of `name`, `name{k="v"}`, `{__name__="name",k="v"}` or `{k="v"}`; raises ValueError."""
    found = _HEADER.fullmatch(header)
    if found is None:
        raise ValueError(f"has the header {header!r}, which names no series")
    labels, rest = {}, found[2] or ""
    while rest.strip():
        label = _LABEL.match(rest)
        if label is None:
            raise ValueError(f"has the header {header!r}, whose labels cannot be read")
        labels[label[1]] = re.sub(r"\\.", lambda one: _ESCAPED.get(one[0], one[0]), label[2])
        rest = rest[label.end() :]
    return found[1] or labels.pop("__name__", None), labels


def log_rows(found: Table, default_severity: str) -> list[tuple[str, str, dict[str, str]]]:
    """Severity, message and fields of each row, by the roles in the header; raises ValueError without a message."""
    roles = [_ROLES.get(text.lower(), text) for text in found.header or []]
    if "message" not in roles:
        raise ValueError("has no column for the message (message, msg or log)")
    made = []
    for row in found.rows:
        cells = dict(zip(roles, row, strict=False))
        severity = cells.pop("severity", "").strip().lower() or default_severity
        cells.pop("time", None)
        made.append((severity, cells.pop("message", ""), cells))
    return made


def time_column(found: Table) -> int | None:
    """Where the times of a table of logs stand, or None."""
    roles = [_ROLES.get(text.lower()) for text in found.header or []]
    return roles.index("time") if "time" in roles else None
