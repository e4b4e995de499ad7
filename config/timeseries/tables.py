"""How a table of time series, and a read from one, is described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import DEFAULT_DB_ALIAS, connections

Kind = Literal["text", "time", "real", "double", "integer", "smallint", "bigint", "json"]
Period = Literal["day", "month"]


@dataclass(frozen=True)
class Table:
    """A table with a column `ts`, partitioned by `period` of it where the database can.

    `columns` maps names to kinds, in the order of rows; `key` is the primary key. With `split` the table is first
    divided by the values of one column, each with a period of its own: `("resolution", {5: "day", 60: "month"})`.
    `required` columns beside the key may not be null. `indexes` are further ones, each a list of columns. `search` is
    a text column whose words can be searched (`matching`).
    """

    name: str
    columns: Mapping[str, Kind]
    key: Sequence[str]
    period: Period = "day"
    split: tuple[str, Mapping[int, Period]] | None = None
    required: Sequence[str] = ()
    indexes: Sequence[Sequence[str]] = ()
    search: str = ""

    def kinds(self, names: Sequence[str]) -> list[Kind]:
        return [self.columns[name] for name in names]

    def positions(self, names: Sequence[str]) -> list[int]:
        order = list(self.columns)
        return [order.index(name) for name in names]


@dataclass(frozen=True)
class Query:
    """A SELECT, or a condition, with its parameters. Identifiers in it come from our code, never from a request."""

    sql: str
    params: Sequence[Any] = ()


@dataclass(frozen=True)
class Column:
    """One column of a bucketed read. `function`: group, bucket, const, count, sum, mean, max, last."""

    function: str
    of: Any = None
    weight: str = ""


def group(column: str) -> Column:
    """A column to group by."""
    return Column("group", column)


def bucket(step_s: int) -> Column:
    """The start of the bucket that holds `ts`, aligned to the Unix epoch, hence to UTC."""
    return Column("bucket", step_s)


def const(value: int | str | None) -> Column:
    """The same value in every row."""
    return Column("const", value)


def mean(column: str, weight: str = "") -> Column:
    """The arithmetic mean of what is not null; with `weight` (a column) that of means over so many values."""
    return Column("mean", column, weight)


def largest(column: str) -> Column:
    return Column("max", column)


def last(column: str) -> Column:
    """The value of the newest row in which it is not null."""
    return Column("last", column)


def total(column: str) -> Column:
    return Column("sum", column)


def count() -> Column:
    return Column("count")


@dataclass
class Kept:
    """What `keep` did: partitions made and dropped, rows deleted."""

    made: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: int = 0


def rows_of(query: Query, *, times: Sequence[int] = (), using: str = DEFAULT_DB_ALIAS) -> list[tuple]:
    """Run a read. `times` are the columns with moments (the first never null), which come back as aware datetimes."""
    with connections[using].cursor() as cursor:
        cursor.execute(query.sql, adapted(query.params, using))
        rows = cursor.fetchall()
    if not times or not rows or isinstance(rows[0][times[0]], datetime):
        return rows
    return [tuple(_moment(value) if place in times else value for place, value in enumerate(row)) for row in rows]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


def adapted(params: Sequence[Any], using: str) -> list[Any]:
    """Parameters as the database driver wants them."""
    adapt = connections[using].ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in params]


def periods(period: Period, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The days or months that the time from `since` to `until` touches, as (start, end)."""
    start = since.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "month":
        start = start.replace(day=1)
    found = []
    while start <= until:
        end = start + timedelta(days=1 if period == "day" else 32)
        if period == "month":
            end = end.replace(day=1)
        found.append((start, end))
        start = end
    return found
