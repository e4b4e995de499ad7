"""Time series on PostgreSQL 14 and newer: COPY in binary form, partitions, `date_bin`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import IntegrityError, connections, transaction
from psycopg.types.json import set_json_dumps

from config.timeseries import reading
from config.timeseries.tables import Column, Kept, Kind, Period, Query, Table, adapted, periods

TYPES: dict[Kind, str] = {
    "text": "text",
    "time": "timestamptz",
    "real": "float4",
    "double": "float8",
    "integer": "int4",
    "smallint": "int2",
    "bigint": "int8",
    "json": "jsonb",
}
ANY_CASE = "ILIKE"
FORMATS = {"day": "%Y%m%d", "month": "%Y%m"}


def insert(table: Table, rows: Sequence[tuple], using: str) -> int:
    """See the package."""
    try:
        with transaction.atomic(using):
            _copy(table, table.name, rows, using)
            return len(rows)
    except IntegrityError:  # COPY knows no ON CONFLICT; repeats are rare
        return _staged(table, rows, "NOTHING", using)


def upsert(table: Table, rows: Sequence[tuple] | Query, using: str) -> int:
    """See the package."""
    names = [name for name in table.columns if name not in table.key]
    update = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in names)
    if not isinstance(rows, Query):
        return _staged(table, rows, update, using)
    sql = (
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) {rows.sql} "  # noqa: S608
        f"ON CONFLICT ({', '.join(table.key)}) DO {update}"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(sql, adapted(rows.params, using))
        return cursor.rowcount


def add(table: Table, rows: Sequence[tuple], using: str) -> None:
    """See the package."""
    sent, kinds = _as_records(table, rows)
    names = ", ".join(table.columns)
    sums = ", ".join(
        f"{name} = {table.name}.{name} + excluded.{name}" for name in table.columns if name not in table.key
    )
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS v ({kinds}) "  # noqa: S608
            f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {sums}",
            [sent],
        )


def update(table: Table, rows: Sequence[tuple], using: str) -> int:
    """See the package."""
    sent, kinds = _as_records(table, rows)
    changed = ", ".join(f"{name} = v.{name}" for name in table.columns if name not in table.key)
    sql = (
        f"UPDATE {table.name} AS t SET {changed} FROM jsonb_to_recordset(%s::jsonb) AS v ({kinds}) "  # noqa: S608
        f"WHERE {' AND '.join(f't.{name} = v.{name}' for name in table.key)}"
    )
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [sent])
        return cursor.rowcount


def _as_records(table: Table, rows: Sequence[tuple]) -> tuple[str, str]:
    """Rows as one JSON text, and the columns to read from it: quoting an array value by value costs ten times that."""
    names = list(table.columns)
    sent = msgspec.json.encode([dict(zip(names, row, strict=True)) for row in rows]).decode()
    return sent, ", ".join(f"{name} {TYPES[kind]}" for name, kind in table.columns.items())


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
    """See the package. Rows that strayed into the default partition move into theirs, or go when they are too old."""
    period: Period = table.split[1][part] if table.split and part is not None else table.period
    parent = f"{table.name}_{part}" if part is not None else table.name
    kept = Kept()
    with connections[using].cursor() as cursor:
        present = _partitions(cursor, parent)
        for start, end in periods(period, since.astimezone(UTC), until.astimezone(UTC)):
            name = f"{parent}_{start:{FORMATS[period]}}"
            if name not in present:
                with transaction.atomic(using):
                    made = _attach(cursor, table, parent, name, start, end)
                kept.made += [name] if made else []
        for name in sorted(present):
            start = datetime.strptime(name.rsplit("_", 1)[1], FORMATS[period]).replace(tzinfo=UTC)
            end = periods(period, start, start)[0][1]
            if end <= drop:
                with transaction.atomic(using):
                    cursor.execute("SET LOCAL lock_timeout = '5s'")
                    cursor.execute(f"ALTER TABLE {parent} DETACH PARTITION {name}")
                    cursor.execute(f"DROP TABLE {name}")
                kept.dropped.append(name)
        cursor.execute(f"DELETE FROM {parent}_default WHERE ts < %s", [drop])  # noqa: S608
        kept.deleted = cursor.rowcount
    return kept


def erase(table: Table, where: Query, using: str) -> int:
    """See the package."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute(f"DELETE FROM {table.name} WHERE {where.sql}", list(where.params))  # noqa: S608
        return cursor.rowcount


def strays(table: Table, using: str) -> int:
    """See the package."""
    parents = [f"{table.name}_{part}" for part in table.split[1]] if table.split else [table.name]
    with connections[using].cursor() as cursor:
        found = 0
        for parent in parents:
            cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {parent}_default LIMIT 10001) AS strayed")  # noqa: S608
            found += cursor.fetchone()[0]
    return found


def create(table: Table, using: str) -> None:
    """See the package."""
    columns = [
        f"{name} {TYPES[kind]}{' NOT NULL' if name in (*table.key, *table.required) else ''}"
        for name, kind in table.columns.items()
    ]
    if table.search:  # stored, since the planner knows no statistics of an expression that only an index holds
        columns.append(f"search tsvector GENERATED ALWAYS AS (to_tsvector('english', {table.search})) STORED")
    body = f"{', '.join(columns)}, PRIMARY KEY ({', '.join(table.key)})"
    by = f"LIST ({table.split[0]})" if table.split else "RANGE (ts)"
    statements = [f"CREATE TABLE {table.name} ({body}) PARTITION BY {by}"]
    for part in table.split[1] if table.split else ():
        child = f"{table.name}_{part}"
        statements += [
            f"CREATE TABLE {child} PARTITION OF {table.name} FOR VALUES IN ({part}) PARTITION BY RANGE (ts)",
            f"CREATE TABLE {child}_default PARTITION OF {child} DEFAULT",
        ]
    if not table.split:
        statements.append(f"CREATE TABLE {table.name}_default PARTITION OF {table.name} DEFAULT")
    if table.key[0] != "ts":  # beside a key that begins with it, planners would take this coarser way
        statements.append(f"CREATE INDEX {table.name}_ts ON {table.name} USING brin (ts) WITH (autosummarize = on)")
    statements += [f"CREATE INDEX ON {table.name} ({', '.join(names)})" for names in table.indexes]
    if table.search:
        statements.append(f"CREATE INDEX {table.name}_search ON {table.name} USING gin (search)")
    with connections[using].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(table: Table, using: str) -> None:
    """See the package."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table.name}")


def matching(table: Table, text: str) -> Query:
    """See the package. The database takes the text apart as it did with what it searches."""
    return Query("search @@ plainto_tsquery('english', %s)", [text])


def _copy(table: Table, target: str, rows: Sequence[tuple], using: str) -> None:
    connection = connections[using]
    sql = f"COPY {target} ({', '.join(table.columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if "json" in table.columns.values():
            set_json_dumps(msgspec.json.encode, cursor.cursor)
        with cursor.copy(sql) as copy:
            copy.set_types([TYPES[kind] for kind in table.columns.values()])
            for row in rows:
                copy.write_row(row)


def _staged(table: Table, rows: Sequence[tuple], on_conflict: str, using: str) -> int:
    """COPY into a temporary table and insert from it. A key that comes twice keeps its last row."""
    places = table.positions(table.key)
    unique = {tuple(row[place] for place in places): row for row in rows}
    stage, names = f"stage_{table.name}", ", ".join(table.columns)
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {stage} (LIKE {table.name}) ON COMMIT DROP")
        _copy(table, stage, list(unique.values()), using)
        cursor.execute(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {stage} "  # noqa: S608
            f"ON CONFLICT ({', '.join(table.key)}) DO {on_conflict}"
        )
        written = cursor.rowcount
        cursor.execute(f"DROP TABLE {stage}")
    return written


def _attach(cursor: Any, table: Table, parent: str, name: str, start: datetime, end: datetime) -> bool:
    """Make a partition and move what strayed into the default one meanwhile; False if another process was first."""
    bounds = (start.isoformat(), end.isoformat())
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(f"LOCK TABLE {parent}_default IN ACCESS EXCLUSIVE MODE")
    if name in _partitions(cursor, parent):
        return False
    cursor.execute(f"CREATE TABLE {name} (LIKE {parent} INCLUDING ALL)")
    columns = ", ".join(table.columns)
    cursor.execute(
        f"WITH moved AS (DELETE FROM {parent}_default WHERE ts >= %s AND ts < %s RETURNING {columns}) "  # noqa: S608
        f"INSERT INTO {name} ({columns}) SELECT {columns} FROM moved",
        bounds,
    )
    cursor.execute(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", bounds)
    return True


def _partitions(cursor: Any, parent: str) -> set[str]:
    cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent])
    return {name for (name,) in cursor.fetchall() if not name.endswith("_default")}


def _bucket(step_s: int) -> str:
    return f"date_bin('{int(step_s)} seconds', ts, TIMESTAMPTZ 'epoch')"


def _last(column: str) -> str:
    return f"(array_agg({column} ORDER BY ts DESC) FILTER (WHERE {column} IS NOT NULL))[1]"
