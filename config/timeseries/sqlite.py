"""Time series on SQLite: `executemany` in one transaction, deletion in slices."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connections, transaction

from config.timeseries import fulltext, reading
from config.timeseries.tables import Column, Kept, Kind, Query, Table, adapted

TYPES: dict[Kind, str] = {
    "text": "text",
    "time": "text",
    "real": "real",
    "double": "real",
    "integer": "integer",
    "smallint": "integer",
    "bigint": "integer",
    "json": "text",
}
ANY_CASE = "LIKE"
SLICE_ROWS = 5000


def insert(table: Table, rows: Sequence[tuple], using: str) -> int:
    """See the package."""
    return _put(table, rows, "NOTHING", using)


def upsert(table: Table, rows: Sequence[tuple] | Query, using: str) -> int:
    """See the package."""
    names = [name for name in table.columns if name not in table.key]
    update = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in names)
    if not isinstance(rows, Query):
        return _put(table, rows, update, using)
    sql = (
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) {rows.sql} "  # noqa: S608
        f"ON CONFLICT ({', '.join(table.key)}) DO {update}"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(sql, adapted(rows.params, using))
        return cursor.rowcount


def add(table: Table, rows: Sequence[tuple], using: str) -> None:
    """See the package."""
    sums = ", ".join(
        f"{name} = {table.name}.{name} + excluded.{name}" for name in table.columns if name not in table.key
    )
    _put(table, rows, f"UPDATE SET {sums}", using)


def update(table: Table, rows: Sequence[tuple], using: str) -> int:
    """See the package."""
    names = [name for name in table.columns if name not in table.key]
    order = table.positions([*names, *table.key])
    sql = (
        f"UPDATE {table.name} SET {', '.join(f'{name} = %s' for name in names)} "  # noqa: S608
        f"WHERE {' AND '.join(f'{name} = %s' for name in table.key)}"
    )
    ready = [[row[place] for place in order] for row in _ready(table, rows)]
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.executemany(sql, ready)
        return cursor.rowcount


def bucketed(
    source: Table | Query,
    columns: Mapping[str, Column],
    *,
    since: datetime,
    until: datetime,
    where: Query | None = None,
) -> Query:
    """See the package."""
    return reading.bucketed(source, columns, since=since, until=until, where=where, bucket_sql=_bucket, last_sql=_last)


def keep(table: Table, *, part: int | None, since: datetime, until: datetime, drop: datetime, using: str) -> Kept:
    """See the package. There are no partitions; each slice is a transaction, so that writers can go between."""
    condition = "ts < %s"
    params: list[Any] = [drop]
    if table.split and part is not None:
        condition, params = f"{table.split[0]} = %s AND ts < %s", [part, drop]
    keys = "rowid" if table.search else f"({', '.join(table.key)})"
    chosen = f"SELECT {keys.strip('()')} FROM {table.name} WHERE {condition} ORDER BY 1 LIMIT {SLICE_ROWS}"  # noqa: S608
    kept = Kept()
    while True:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            values = adapted(params, using)
            if table.search:
                fulltext.forget(cursor, table, Query(chosen, values))
            cursor.execute(f"DELETE FROM {table.name} WHERE {keys} IN ({chosen})", values)  # noqa: S608
            kept.deleted += cursor.rowcount
            if cursor.rowcount < SLICE_ROWS:
                return kept


def erase(table: Table, where: Query, using: str) -> int:
    """See the package."""
    values = adapted(where.params, using)
    with transaction.atomic(using), connections[using].cursor() as cursor:
        if table.search:
            fulltext.forget(cursor, table, Query(f"SELECT rowid FROM {table.name} WHERE {where.sql}", values))  # noqa: S608
        cursor.execute(f"DELETE FROM {table.name} WHERE {where.sql}", values)  # noqa: S608
        return cursor.rowcount


def strays(table: Table, using: str) -> int:
    """See the package."""
    return 0


def create(table: Table, using: str) -> None:
    """See the package."""
    columns = [
        f"{name} {TYPES[kind]}{' NOT NULL' if name in (*table.key, *table.required) else ''}"
        for name, kind in table.columns.items()
    ]
    body = f"{', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)})"
    index = f"{table.split[0]}, ts" if table.split else "ts"
    with connections[using].cursor() as cursor:
        # The search index knows rows by their number; else the key itself is the cheaper place for a row.
        cursor.execute(f"CREATE TABLE {table.name} ({body}){'' if table.search else ' WITHOUT ROWID'}")
        cursor.execute(f"CREATE INDEX {table.name}_ts ON {table.name} ({index})")
        for number, names in enumerate(table.indexes):
            cursor.execute(f"CREATE INDEX {table.name}_{number} ON {table.name} ({', '.join(names)})")
        if table.search:
            fulltext.create(cursor, table)


def remove(table: Table, using: str) -> None:
    """See the package."""
    with connections[using].cursor() as cursor:
        if table.search:
            fulltext.remove(cursor, table)
        cursor.execute(f"DROP TABLE IF EXISTS {table.name}")


def matching(table: Table, text: str) -> Query:
    """See the package."""
    return fulltext.matching(table, text)


def _put(table: Table, rows: Sequence[tuple], on_conflict: str, using: str) -> int:
    sql = (
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) "  # noqa: S608
        f"VALUES ({', '.join(['%s'] * len(table.columns))}) ON CONFLICT ({', '.join(table.key)}) DO {on_conflict}"
    )
    with transaction.atomic(using), connections[using].cursor() as cursor:
        before = fulltext.newest(cursor, table) if table.search else 0
        cursor.executemany(sql, _ready(table, rows))
        written = cursor.rowcount
        if table.search:
            fulltext.take_in(cursor, table, before)
        return written


def _ready(table: Table, rows: Sequence[tuple]) -> list[list[Any]]:
    """Moments as Django writes them, JSON as text."""
    times = [place for place, kind in enumerate(table.columns.values()) if kind == "time"]
    texts = [place for place, kind in enumerate(table.columns.values()) if kind == "json"]
    ready = [list(row) for row in rows]
    for row in ready:
        for place in times:
            if row[place] is not None:
                row[place] = str(row[place].astimezone(UTC).replace(tzinfo=None))
        for place in texts:
            if row[place] is not None:
                row[place] = msgspec.json.encode(row[place]).decode()
    return ready


def _bucket(step_s: int) -> str:
    step = int(step_s)
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%S', strftime('%%s', ts) / {step} * {step}, 'unixepoch')"


def _last(column: str) -> str:
    """The largest text of moment and value ends with the newest value that is not null."""
    return f"CAST(substr(max(strftime('%%Y-%%m-%%d %%H:%%M:%%f', ts) || {column}), 24) AS NUMERIC)"
