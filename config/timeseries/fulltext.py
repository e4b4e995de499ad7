"""Search by words on SQLite: an FTS5 index beside the table, written a batch at a time.

A trigger for each row would cost thirteen times as much as one `INSERT … SELECT` for a batch. The index holds no copy
of the text: what leaves the table must be told to it with its text.
"""

import re
from typing import Any

from config.timeseries.tables import Query, Table

WORD = re.compile(r"\w+")


def create(cursor: Any, table: Table) -> None:
    cursor.execute(
        f"CREATE VIRTUAL TABLE {table.name}_search USING fts5({table.search}, content='{table.name}', "
        "tokenize='porter unicode61')"
    )


def remove(cursor: Any, table: Table) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {table.name}_search")


def newest(cursor: Any, table: Table) -> int:
    """The number of the last row; 0 without any."""
    cursor.execute(f"SELECT coalesce(max(rowid), 0) FROM {table.name}")  # noqa: S608
    return cursor.fetchone()[0]


def take_in(cursor: Any, table: Table, after: int) -> None:
    """Index the rows that came after the one with that number."""
    cursor.execute(
        f"INSERT INTO {table.name}_search (rowid, {table.search}) "  # noqa: S608
        f"SELECT rowid, {table.search} FROM {table.name} WHERE rowid > %s",
        [after],
    )


def forget(cursor: Any, table: Table, rows: Query) -> None:
    """Take rows out of the index, before they leave the table. `rows` selects their numbers."""
    cursor.execute(
        f"INSERT INTO {table.name}_search ({table.name}_search, rowid, {table.search}) "  # noqa: S608
        f"SELECT 'delete', rowid, {table.search} FROM {table.name} WHERE rowid IN ({rows.sql})",
        rows.params,
    )


def matching(table: Table, text: str) -> Query:
    """A condition: all words of the text occur."""
    name = f"{table.name}_search"
    quoted = " ".join(f'"{word}"' for word in WORD.findall(text))
    return Query(f"{table.name}.rowid IN (SELECT rowid FROM {name} WHERE {name} MATCH %s)", [quoted])  # noqa: S608
