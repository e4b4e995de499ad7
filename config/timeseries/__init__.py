"""Tables of time series: the only SQL in the product that differs between PostgreSQL and SQLite.

Each function has the same signature and promise on both; one test suite runs on both. Nothing else in the code asks
which database it is on. A table is described by `Table`, a read by `Query`; `rows_of` runs a read.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from config.timeseries import postgresql, sqlite
from config.timeseries.tables import (
    Column,
    Kept,
    Query,
    Table,
    bucket,
    const,
    count,
    group,
    largest,
    last,
    mean,
    rows_of,
    total,
)

__all__ = [
    "Column",
    "Kept",
    "Query",
    "Table",
    "add",
    "bucket",
    "bucketed",
    "const",
    "containing",
    "count",
    "create",
    "erase",
    "group",
    "insert",
    "keep",
    "largest",
    "last",
    "matching",
    "mean",
    "remove",
    "rows_of",
    "strays",
    "total",
    "update",
    "upsert",
]

VENDORS: dict[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}


def _vendor(using: str) -> Any:
    return VENDORS[connections[using].vendor]


def insert(table: Table, rows: Sequence[tuple], *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Store new rows, tuples in the order of the table's columns; one whose key is there already is left out.

    Moments are aware datetimes, JSON values plain objects. Returns how many rows are new.
    """
    return _vendor(using).insert(table, rows, using) if rows else 0


def upsert(table: Table, rows: Sequence[tuple] | Query, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Store rows, or what a read gives in the order of the table's columns; a row with the same key is replaced."""
    return _vendor(using).upsert(table, rows, using) if rows else 0


def update(table: Table, rows: Sequence[tuple], *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Set the other columns of the rows with these keys, in one statement. Returns how many rows were there."""
    return _vendor(using).update(table, rows, using) if rows else 0


def add(table: Table, rows: Sequence[tuple], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Add the other columns, all numbers, to those of the row with the same key; a row that is not there is made.

    The rows are taken in the order of their keys, so that two writers never wait for each other in a circle.
    """
    if not rows:
        return
    places = table.positions(table.key)
    sums: dict[tuple, list] = {}
    for row in rows:
        key = tuple(row[place] for place in places)
        before = sums.get(key)
        sums[key] = [
            value if before is None or place in places else before[place] + value for place, value in enumerate(row)
        ]
    _vendor(using).add(table, [tuple(sums[key]) for key in sorted(sums)], using)


def matching(table: Table, text: str, *, using: str = DEFAULT_DB_ALIAS) -> Query | None:
    """A condition: every word of the text occurs in the searched column, by its English stem. None without a word."""
    return _vendor(using).matching(table, text) if re.search(r"\w", text) else None


def containing(column: str, text: str, *, using: str = DEFAULT_DB_ALIAS) -> Query:
    """A condition: the column holds the text as it is, in any case."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return Query(f"{column} {_vendor(using).ANY_CASE} %s ESCAPE '\\'", [f"%{escaped}%"])


def bucketed(
    source: Table | Query,
    columns: Mapping[str, Column],
    *,
    since: datetime,
    until: datetime,
    where: Query | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> Query:
    """A read of rows with `since <= ts < until` that pass `where`, one row for each group and bucket.

    Without `group` and `bucket` among the columns it is one row over all of them.
    """
    return _vendor(using).bucketed(source, columns, since=since, until=until, where=where)


def keep(
    table: Table,
    *,
    since: datetime,
    until: datetime,
    drop: datetime,
    part: int | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> Kept:
    """Keep a table in shape: room for rows from `since` to `until`, and rows older than `drop` gone.

    PostgreSQL makes and drops whole partitions, so rows go when the last of their day or month is too old; SQLite
    deletes rows in slices. `part` is the value of the split column, for a table that has one. Run it outside a
    transaction.
    """
    return _vendor(using).keep(table, part=part, since=since, until=until, drop=drop, using=using)


def erase(table: Table, where: Query, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Delete the rows that a condition on single columns finds; how many. For few rows: `keep` ends whole days."""
    return _vendor(using).erase(table, where, using)


def strays(table: Table, *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Rows without a partition of their own (counting stops at 10,001); more than none is a fault of upkeep."""
    return _vendor(using).strays(table, using)


def create(table: Table, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the table with its partitions for strays and its indexes; for migrations."""
    _vendor(using).create(table, using)


def remove(table: Table, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Drop the table; for migrations."""
    _vendor(using).remove(table, using)
