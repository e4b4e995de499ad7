"""Reads by time buckets: the part of the SQL that both databases share."""

from collections.abc import Callable, Mapping
from datetime import datetime

from config.timeseries.tables import Column, Query, Table

Render = Callable[[str], str]


def bucketed(
    source: Table | Query,
    columns: Mapping[str, Column],
    *,
    since: datetime,
    until: datetime,
    where: Query | None,
    bucket_sql: Callable[[int], str],
    last_sql: Render,
) -> Query:
    """SELECT the columns over rows with `since <= ts < until`, grouped by what `group` and `bucket` name."""
    table = source.name if isinstance(source, Table) else f"({source.sql}) AS source"
    params = () if isinstance(source, Table) else source.params
    where = where or Query("1 = 1")
    rendered = {name: _render(column, bucket_sql, last_sql) for name, column in columns.items()}
    groups = [rendered[name] for name, column in columns.items() if column.function in ("group", "bucket")]
    sql = (
        f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in rendered.items())} FROM {table}"  # noqa: S608
        f" WHERE ts >= %s AND ts < %s AND ({where.sql})"
    )
    if groups:
        sql += f" GROUP BY {', '.join(groups)}"
    return Query(sql, [*params, since, until, *where.params])


def _render(column: Column, bucket_sql: Callable[[int], str], last_sql: Render) -> str:
    match column.function:
        case "group":
            return str(column.of)
        case "bucket":
            return bucket_sql(column.of)
        case "const" if column.of is None:
            return "NULL"
        case "const":
            return f"'{column.of}'" if isinstance(column.of, str) else str(int(column.of))
        case "count":
            return "count(*)"
        case "last":
            return last_sql(column.of)
        case "mean" if column.weight:
            known = f"CASE WHEN {column.of} IS NOT NULL THEN {column.weight} END"
            # As floating point: the sum of many byte counts passes 64 bits.
            return f"sum(CAST({column.of} AS double precision) * {column.weight}) / sum({known})"
        case "mean":
            return f"avg({column.of})"
        case function:
            return f"{function}({column.of})"
